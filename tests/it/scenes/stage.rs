//! The stage of a story: a service in this process, its clock, what is sent through it, and what it says of itself.

use std::collections::BTreeMap;
use std::io::Write;

use baophat::domain::feed::{Entry, What};
use baophat::domain::time::{Millis, Span};
use baophat::store::sqlite::Place;
use baophat::store::sqlite::inbox::InboxReader;
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use serde_json::{Value, json};

use crate::outbox::bench::alert;
use crate::outbox::receiver::Receiver;

use crate::harness::{Inside, KEY, Request, holds, open, read_answer, sign, until};

/// 2026-02-02T02:00:00Z, a Monday, nine o'clock in Vietnam.
pub const MONDAY_NINE: Millis = Millis(1_769_997_600_000);
/// Connections over which many requests go out at once.
const LANES: usize = 8;
/// Messages in each step of five minutes of an ordinary hour.
pub const EACH_STEP: usize = 20;
/// The steps in which an account gets its history: long enough for a whole hour.
const HISTORY_STEPS: usize = 14;

/// A message that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub account: &'static str,
    pub reference: String,
    pub message_id: String,
    pub recipient: String,
}

/// How a message is sent.
#[derive(Clone, Copy)]
pub struct How {
    pub account: &'static str,
    pub kind: &'static str,
    pub template: Option<&'static str>,
}

/// Template messages of Zalo.
pub const ZNS: How = How { account: "shop-oa", kind: "zns", template: Some("7895417") };
/// Chat messages of Zalo.
pub const CHAT: How = How { account: "shop-oa", kind: "cs", template: None };
/// Messages of the Page.
pub const PAGE: How = How { account: "shop-page", kind: "message", template: None };
/// Short messages.
pub const SMS: How = How { account: "shop-sms", kind: "sms_customer_care", template: None };

/// A story in progress.
pub struct Stage {
    pub service: Inside,
    /// Where its alerts go.
    alerted: Receiver,
    restarting: bool,
    serial: usize,
}

impl Stage {
    pub fn new(more: &str, restarting: bool) -> Stage {
        let alerted = Receiver::start();
        let more = format!("stuck.sweep_every = \"100ms\"\n{more}{}", alert(&alerted.url("/"), ""));
        let service = Inside::start(MONDAY_NINE, &more);
        let stage = Stage { service, alerted, restarting, serial: 0 };
        stage.settle();
        stage
    }

    /// The middle of the story.
    pub fn middle(&mut self) {
        if self.restarting {
            self.service.restart();
            self.settle();
        }
    }

    pub fn now(&self) -> Millis {
        use baophat::clock::Clock;
        self.service.clock.now()
    }

    /// Everything that came in is folded, and the accounts are judged as of now.
    fn settle(&self) {
        use std::sync::atomic::Ordering;
        let metrics = &self.service.metrics;
        until("everything is folded", || (metrics.behind() == 0).then_some(()));
        // Nothing is stored in error: it only wakes the thread that waits.
        self.service.send(&Request::new("POST", "/v1/callbacks/reprocess?status=error").key(KEY)).is(200);
        let now = self.now();
        until("the accounts are judged", || (metrics.watched_at.load(Ordering::Acquire) == now.0).then_some(()));
    }

    /// Moves the clock on, once everything before is done, and waits until the accounts were judged.
    pub fn advance(&self, by: Span) {
        until("everything is folded", || (self.service.metrics.behind() == 0).then_some(()));
        self.service.clock.advance(by);
        self.settle();
    }

    /// Lets time pass in steps.
    pub fn pass(&self, span: Span, step: Span) {
        let mut left = span.0;
        while left > 0 {
            self.advance(Span(left.min(step.0)));
            left -= step.0;
        }
    }

    /// So many new messages that nobody has sent yet, each to somebody else.
    fn written(&mut self, how: How, n: usize) -> Vec<Sent> {
        (0..n)
            .map(|_| {
                self.serial += 1;
                let recipient = match how.account {
                    "shop-page" => format!("77{:010}", self.serial),
                    _ => format!("8491{:07}", self.serial),
                };
                let n = self.serial;
                Sent { account: how.account, reference: format!("r{n}"), message_id: format!("m{n}"), recipient }
            })
            .collect()
    }

    /// Sends messages that the provider accepts.
    pub fn send(&mut self, how: How, n: usize) -> Vec<Sent> {
        let all = self.written(how, n);
        self.tell(how, &all, true);
        all
    }

    /// Sends one message to somebody that the provider accepts.
    pub fn send_to(&mut self, how: How, recipient: &str) -> Sent {
        let mut one = self.written(how, 1);
        one[0].recipient = recipient.to_owned();
        self.tell(how, &one, true);
        one.remove(0)
    }

    /// Registers messages whose send calls are not answered yet.
    pub fn queue(&mut self, how: How, n: usize) -> Vec<Sent> {
        let all = self.written(how, n);
        self.tell(how, &all, false);
        all
    }

    fn tell(&self, how: How, all: &[Sent], accepted: bool) {
        let told: Vec<Value> = all
            .iter()
            .map(|m| {
                let id = accepted.then_some(&m.message_id);
                json!({"account": m.account, "ref": m.reference, "message_id": id, "kind": how.kind, "template_id": how.template,
                       "recipient": m.recipient, "sender": (m.account == PAGE.account).then_some(sign::PAGE)})
            })
            .collect();
        for part in told.chunks(1_000) {
            self.service.post("/v1/messages", &json!(part)).is(201);
        }
    }

    /// Sends messages that the provider refuses with this answer.
    pub fn refused(&mut self, how: How, n: usize, answer: &Value) -> Vec<Sent> {
        let all = self.queue(how, n);
        all.iter().for_each(|m| self.answered(m, answer));
        all
    }

    /// The provider answers a send call.
    pub fn answered(&self, message: &Sent, answer: &Value) {
        let id = self.message(message)["id"].as_str().unwrap().to_owned();
        self.service.post(&format!("/v1/messages/{id}/response"), &json!({"status": 200, "body": answer})).is(200);
    }

    /// The receipts of messages, over several connections at once.
    pub fn receipts(&self, all: &[Sent]) {
        let at = self.now().0;
        let requests: Vec<Request> = all
            .iter()
            .map(|m| match m.account {
                "shop-page" => sign::facebook_post(sign::facebook_body(&[sign::facebook_delivery(&m.message_id, &m.recipient, at)])),
                "shop-sms" => sign::esms_get(&sign::esms_report(&m.message_id, 1, 0, &m.reference)),
                _ => sign::zalo_post(sign::zalo_receipt(&m.message_id, &m.recipient, at)),
            })
            .collect();
        self.call(&requests);
    }

    /// Callbacks that are all accepted.
    pub fn call(&self, requests: &[Request]) {
        let lane = requests.len().div_ceil(LANES).max(1);
        std::thread::scope(|scope| {
            for part in requests.chunks(lane) {
                scope.spawn(move || {
                    let mut stream = open(self.service.address()).unwrap();
                    for request in part {
                        stream.write_all(&request.kept_alive()).unwrap();
                        read_answer(&mut stream).unwrap().is(200);
                    }
                });
            }
        });
    }

    /// A customer writes.
    pub fn inbound(&mut self, account: &str) {
        self.serial += 1;
        let (n, at) = (self.serial, self.now().0);
        let request = match account {
            "shop-page" => {
                let who = json!({"id": format!("88{n:010}")});
                let text = json!({"mid": format!("in{n}"), "text": "còn hàng không ạ"});
                let item = json!({"sender": who, "recipient": {"id": sign::PAGE}, "timestamp": at, "message": text});
                sign::facebook_post(sign::facebook_body(&[item]))
            }
            _ => {
                let parties = json!({"sender": {"id": format!("47{n:010}")}, "recipient": {"id": sign::OA}});
                sign::zalo_post(sign::zalo_event("user_send_text", &parties, &json!({"msg_id": format!("in{n}"), "text": "hỏi giá"}), at))
            }
        };
        self.service.send(&request).is(200);
    }

    /// So many customers write to the Page within this hour.
    pub fn written_to(&mut self, customers: usize) {
        let at = self.now().0;
        let requests: Vec<Request> = (0..customers)
            .map(|_| {
                self.serial += 1;
                let who = json!({"id": format!("88{:010}", self.serial)});
                let text = json!({"mid": format!("in{}", self.serial), "text": "còn hàng không ạ"});
                let item = json!({"sender": who, "recipient": {"id": sign::PAGE}, "timestamp": at, "message": text});
                sign::facebook_post(sign::facebook_body(&[item]))
            })
            .collect();
        self.call(&requests);
    }

    /// Seventy minutes of ordinary traffic, from which the account learns.
    pub fn history(&mut self, how: How) {
        (0..HISTORY_STEPS).for_each(|_| self.ordinary(how));
    }

    /// Five ordinary minutes: nine of ten receipts come within a minute, and an aggregator's reports all do.
    pub fn ordinary(&mut self, how: How) {
        let sent = self.send(how, EACH_STEP);
        if how.account != "shop-sms" {
            self.inbound(how.account);
        }
        self.advance(Span::minutes(1));
        let receipted = if how.account == "shop-sms" { EACH_STEP } else { EACH_STEP * 9 / 10 };
        self.receipts(&sent[..receipted]);
        self.advance(Span::minutes(4));
    }

    /// A message as it is shown.
    pub fn message(&self, message: &Sent) -> Value {
        self.message_in(message, "en")
    }

    fn message_in(&self, message: &Sent, lang: &str) -> Value {
        self.service.get(&format!("/v1/messages?account={}&ref={}&lang={lang}", message.account, message.reference))["data"][0].clone()
    }

    /// An account as it is shown.
    pub fn account(&self, id: &str) -> Value {
        self.service.get(&format!("/v1/accounts/{id}?lang=en"))
    }

    /// An account stands so for this reason, and says so in both languages.
    pub fn stands(&self, id: &str, state: &str, reason: &str) {
        let found = self.account(id);
        assert_eq!((found["state"].as_str(), found["reason"].as_str()), (Some(state), Some(reason)), "{}: {found}", self.clock());
        let vi = self.service.get(&format!("/v1/accounts/{id}?lang=vi"));
        for member in ["title", "cause", "remedy"] {
            let (en, vi) = (&found["explanation"][member], &vi["explanation"][member]);
            assert!(en.as_str().is_some_and(|t| !t.is_empty()) && vi.as_str().is_some_and(|t| !t.is_empty()) && en != vi, "{member}");
        }
    }

    /// How long it takes, by the clock of the story and in steps of a minute, until an account stands for a reason.
    pub fn until_reason(&mut self, id: &str, reason: &str, most: Span, mut each_minute: impl FnMut(&mut Stage, i64)) -> Span {
        for minute in 0..most.0 / 60_000 {
            if self.account(id)["reason"] == reason {
                return Span::minutes(minute);
            }
            each_minute(self, minute);
            self.advance(Span::minutes(1));
        }
        panic!("{id} is not {reason} after {most:?}, but {}", self.account(id));
    }

    /// A message is stuck for a cause, with advice in both languages.
    pub fn stuck(&self, message: &Sent, cause: &str) {
        let (en, vi) = (self.message_in(message, "en"), self.message_in(message, "vi"));
        assert_eq!(en["stuck"]["cause"], cause, "{}: {en}", self.clock());
        let advice = |m: &Value| m["stuck"]["advice"].as_str().unwrap_or_default().to_owned();
        assert!(advice(&en).len() > 30 && advice(&vi).len() > 30 && advice(&en) != advice(&vi));
    }

    /// A message failed with a code, explained in both languages.
    pub fn failed(&self, message: &Sent, class: &str, code: &str) {
        let (en, vi) = (self.message_in(message, "en"), self.message_in(message, "vi"));
        holds(&json!({"state": "failed", "failure": {"class": class, "code": code}}), &en).unwrap();
        let remedy = |m: &Value| m["failure"]["explanation"]["remedy"].as_str().unwrap_or_default().to_owned();
        assert!(!remedy(&en).is_empty() && !remedy(&vi).is_empty() && remedy(&en) != remedy(&vi), "{en}");
    }

    /// Every incident there was, oldest first.
    pub fn incidents(&self) -> Vec<Value> {
        let mut all = self.service.get("/v1/incidents?lang=en&limit=500")["data"].as_array().unwrap().clone();
        all.reverse();
        all
    }

    /// The only incident there was: it holds this much, is explained in both languages.
    pub fn only_incident(&self, expected: &Value) -> Value {
        let all = self.incidents();
        assert_eq!(all.len(), 1, "{}: {all:?}", self.clock());
        let (en, vi) = (&all[0], &self.service.get("/v1/incidents?lang=vi")["data"][0]);
        holds(expected, en).unwrap_or_else(|why| panic!("{}: {why} in {en}", self.clock()));
        for member in ["title", "remedy"] {
            assert!(en[member].as_str().is_some_and(|t| t.len() > 5) && en[member] != vi[member], "{member} of {en}");
        }
        en.clone()
    }

    /// The alerts that went out so far, as `step trouble`, in order.
    ///
    /// A webhook took each of them, once and in order, and no other; what it is about stands in the incident's own document.
    pub fn alerts(&self) -> Vec<String> {
        let troubles: BTreeMap<u64, String> = self
            .incidents()
            .iter()
            .map(|i| (i["id"].as_str().unwrap().parse().unwrap(), i["trouble"].as_str().unwrap().to_owned()))
            .collect();
        let told = |entry: &Entry| match &entry.what {
            What::Incident { id, step, .. } => Some(format!("{} {}", step.as_str(), troubles[id])),
            _ => None,
        };
        let due: Vec<String> = self.feed().iter().filter_map(told).collect();
        let taken = until("every alert is taken", || Some(self.alerted.taken()).filter(|all| all.len() >= due.len()));
        let taken = taken.iter().map(|t| {
            let told = t.json();
            let (name, id) = (told["type"].as_str().unwrap(), told["data"]["id"].as_str().unwrap());
            assert!(told["data"]["text"].as_str().is_some_and(|text| text.contains("shop-")), "{told}");
            format!("{} {}", name.strip_prefix("incident.").unwrap(), troubles[&id.parse::<u64>().unwrap()])
        });
        assert_eq!(taken.collect::<Vec<_>>(), due);
        due
    }

    /// Everything that was told on.
    fn feed(&self) -> Vec<Entry> {
        let place = Place::new(self.service.folder().join("baophat.db"));
        let accounts = AccountNumbers::new(InboxReader::open(&place).unwrap().accounts().unwrap());
        let state = StateFile::open_reader(&place, accounts).unwrap();
        state.feed_after(0, usize::MAX).unwrap().into_iter().map(|(_, entry)| entry).collect()
    }

    /// The times at which accounts were told to stand differently, as `state reason`.
    pub fn turns(&self) -> Vec<String> {
        let told = |entry: &Entry| match &entry.what {
            What::Account { to, reason, .. } => Some(format!("{} {to} {reason}", entry.account)),
            _ => None,
        };
        self.feed().iter().filter_map(told).collect()
    }

    fn clock(&self) -> String {
        format!("{} minutes into the story", (self.now().0 - MONDAY_NINE.0) / 60_000)
    }

    /// What both plays of a story must have in common: how the accounts stand, every incident, every alert and every turn, what is stuck.
    pub fn ending(&self) -> Value {
        let accounts = self.service.get("/v1/accounts?lang=en");
        let accounts: Vec<Value> = accounts["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|a| json!([a["id"], a["state"], a["reason"], a["since"], a["usual"]]))
            .collect();
        let groups = &self.service.get("/v1/stuck?lang=en")["groups"];
        json!({"accounts": accounts, "incidents": self.incidents(), "alerts": self.alerts(), "turns": self.turns(), "stuck": groups})
    }
}
