//! The stream of what happens: from a place on, filtered, resumed, woken, and ended with the server.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

use baophat::domain::feed::{Entry, MessageAt, What};
use baophat::domain::ids::AccountId;
use baophat::domain::projection::Change;
use baophat::domain::state::State;
use baophat::domain::time::Millis;
use baophat::domain::watch::{Reason, Standing};
use baophat::store::sqlite::Place;
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use serde_json::{Value, json};

use crate::harness::{Answer, Inside, KEY, PATIENCE, Request, holds};

/// An open stream.
struct Open {
    lines: BufReader<TcpStream>,
    status: String,
}

/// One event.
#[derive(Debug)]
struct Event {
    id: u64,
    name: String,
    data: Value,
}

impl Open {
    fn new(server: &Inside, query: &str, last: Option<&str>) -> Open {
        let mut socket = TcpStream::connect(server.address()).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let last = last.map(|id| format!("last-event-id: {id}\r\n")).unwrap_or_default();
        let head = format!("GET /v1/stream{query} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {KEY}\r\n{last}\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        let mut lines = BufReader::new(socket);
        let mut status = String::new();
        lines.read_line(&mut status).unwrap();
        Open { lines, status }
    }

    /// The next line that is text of the stream; `None` at its end. Lines of the chunked coding hold nothing but a number.
    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let n = self.lines.read_line(&mut line).unwrap();
        (n > 0).then(|| line.trim_end().to_owned())
    }

    fn event(&mut self) -> Option<Event> {
        let (mut id, mut name) = (0, String::new());
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().unwrap();
            } else if let Some(text) = line.strip_prefix("event: ") {
                name = text.to_owned();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return Some(Event { id, name, data: serde_json::from_str(text).unwrap() });
            }
        }
    }

    fn ids(&mut self, n: usize) -> Vec<u64> {
        (0..n).map(|_| self.event().unwrap().id).collect()
    }
}

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

fn moved(id: &str, to: State) -> Entry {
    let at = MessageAt { row: 1_000_000, created_at: Millis(1_769_847_330_000) };
    Entry { account: account(id), at: Millis(1_769_847_331_000), what: What::Moved { id: at, from: Some(State::Sent), to } }
}

fn stands(id: &str) -> Entry {
    let what = What::Account { from: Standing::Connected, to: Standing::Silent, reason: Reason::WebhookSilent };
    Entry { account: account(id), at: Millis(1_769_847_332_000), what }
}

/// A service whose feed has these commits.
fn start(commits: Vec<Vec<Entry>>) -> Inside {
    let service = Inside::start(Millis(1_769_847_340_000), "");
    append(service.folder(), commits);
    service
}

fn append(folder: &std::path::Path, commits: Vec<Vec<Entry>>) {
    let place = Place::new(folder.join("baophat.db"));
    let mut state = StateFile::open_writer(&place, AccountNumbers::new(Vec::new())).unwrap();
    for feed in commits {
        state.commit(&Change { feed, ..Change::default() }, &[], None).unwrap();
    }
}

/// Forgets every entry that is older than the last commit.
fn prune(folder: &std::path::Path) {
    let place = Place::new(folder.join("baophat.db"));
    let mut state = StateFile::open_writer(&place, AccountNumbers::new(Vec::new())).unwrap();
    state.prune(Millis(0), Millis(1_769_847_331_500), 1_000).unwrap();
}

fn some() -> Vec<Vec<Entry>> {
    vec![
        vec![moved("shop-oa", State::Delivered), moved("shop-sms", State::Failed)],
        vec![stands("shop-oa"), stands("shop-page")],
        vec![Entry { at: Millis(1_769_847_333_000), ..moved("shop-oa", State::Read) }],
    ]
}

#[test]
fn it_goes_on_behind_the_last_event_that_came() {
    let server = start(some());
    let mut all = Open::new(&server, "?after=0", None);
    assert!(all.status.starts_with("HTTP/1.1 200"), "{}", all.status);
    let first = all.event().unwrap();
    assert_eq!((first.id, first.name.as_str()), (1, "message.delivered"));
    let wanted = json!({"type": "message.delivered", "timestamp": "2026-01-31T08:15:31.000Z", "account": "shop-oa", "previous_state": "sent", "message": null});
    holds(&wanted, &first.data).unwrap();
    assert_eq!(all.ids(4), [2, 3, 4, 5]);
    let mut resumed = Open::new(&server, "?after=0", Some("3"));
    assert_eq!(resumed.ids(2), [4, 5], "what the client remembers goes before what it once asked for");
    let standing = json!({"type": "account.changed", "standing": {"from": "connected", "to": "silent", "reason": "webhook_silent"}});
    let mut one = Open::new(&server, "?after=2&account=shop-page", None);
    let event = one.event().unwrap();
    assert_eq!(event.id, 4);
    holds(&standing, &event.data).unwrap();
    let mut types = Open::new(&server, "?after=0&type=message.read,account.changed", None);
    assert_eq!(types.ids(3), [3, 4, 5]);
}

#[test]
fn a_place_that_is_not_kept_is_told_first() {
    let server = start(some());
    prune(server.folder());
    let reset = |place: &str| {
        let event = Open::new(&server, "", Some(place)).event().unwrap();
        (event.name, event.id, event.data["reason"].as_str().unwrap().to_owned())
    };
    assert_eq!(reset("99"), ("reset".into(), 5, "unknown".into()));
    assert_eq!(reset("0"), ("reset".into(), 2, "pruned".into()));
    let mut again = Open::new(&server, "", Some("0"));
    assert_eq!(again.ids(4), [2, 3, 4, 5], "and goes on with the oldest that is kept");
}

#[test]
fn without_a_place_it_begins_with_what_comes_and_ends_with_the_server() {
    let server = start(some());
    let mut stream = Open::new(&server, "", None);
    assert!(stream.status.starts_with("HTTP/1.1 200"), "{}", stream.status);
    while stream.line().unwrap() != "retry: 3000" {}
    assert_eq!(stream.line().unwrap(), "id: 5", "how far was read, so that whoever comes back goes on from there");
    drop(server);
    let mut rest = Vec::new();
    while let Some(line) = stream.line() {
        rest.push(line);
    }
    assert!(!rest.iter().any(|l| l.starts_with("id:")), "{rest:?}");
}

#[test]
fn who_comes_back_before_the_first_event_has_missed_nothing() {
    for (query, last, wanted) in [("", None, 6), ("?after=2&type=message.failed", None, 6), ("?type=message.failed", Some("4"), 6)] {
        let server = start(some());
        let mut cut_off = Open::new(&server, query, last);
        let mark = loop {
            if let Some(id) = cut_off.line().unwrap().strip_prefix("id: ") {
                break id.to_owned();
            }
        };
        drop(cut_off);
        append(server.folder(), vec![vec![moved("shop-oa", State::Failed)]]);
        assert_eq!(Open::new(&server, query, Some(&mark)).ids(1), [wanted], "{query}");
    }
}

fn ask(server: &Inside, target: &str) -> Answer {
    server.send(&Request::new("GET", target).key(KEY))
}

#[test]
fn wrong_questions_are_answered_and_there_is_room_for_so_many() {
    let server = start(Vec::new());
    for wrong in ["?after=x", "?after=-1", "?type=message.lost", "?account=Shop", "?since=1"] {
        assert_eq!(ask(&server, &format!("/v1/stream{wrong}")).problem(400), "invalid_parameter", "{wrong}");
    }
    let bad = Request::new("GET", "/v1/stream").key(KEY).header("last-event-id", "abc");
    assert_eq!(server.send(&bad).problem(400), "invalid_parameter");
    let open: Vec<Open> = (0..64).map(|_| Open::new(&server, "", None)).collect();
    assert!(open.iter().all(|s| s.status.starts_with("HTTP/1.1 200")));
    assert_eq!(ask(&server, "/v1/stream").problem(503), "unavailable");
}
