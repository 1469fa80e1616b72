//! The numbers over HTTP and on the command line, from a store that holds some.

use std::process::Command;

use baophat::domain::failure::Class;
use baophat::domain::ids::AccountId;
use baophat::domain::projection::Change;
use baophat::domain::state::State;
use baophat::domain::time::{Millis, Span};
use baophat::domain::watch::Moved;
use baophat::domain::watch::tally::Tally;
use baophat::store::StoreError;
use baophat::store::sqlite::Place;
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use serde_json::{Value, json};

use crate::harness::{Inside, KEY, Request, holds, sign, until};

/// 2026-01-31T08:15:30.000Z, in the afternoon in Vietnam.
const AT: Millis = Millis(1_769_847_330_000);

const DAY: &str = "since=2026-01-31T00:00:00Z&until=2026-02-01T00:00:00Z";

/// A service whose store holds numbers.
fn start() -> Inside {
    let service = Inside::start(AT.plus(Span::hours(2)), "");
    let place = Place::new(service.folder().join("baophat.db"));
    count(&mut StateFile::open_writer(&place, AccountNumbers::new(Vec::new())).unwrap());
    service
}

fn moved<'a>(account: &'a AccountId, from: Option<State>, to: State) -> Moved<'a> {
    Moved {
        account,
        now: AT,
        created_at: AT,
        from,
        to,
        kind: Some("sms_customer_care"),
        template_id: Some("77"),
        sender: None,
        carrier: Some("2"),
        price: None,
        price_before: None,
        before: None,
        queued_at: Some(AT),
        sent_at: Some(AT.plus(Span(200))),
        delivered_at: None,
        read_at: None,
        failed_at: None,
        failure_class: None,
        failure_code: None,
        late: false,
    }
}

/// 90 delivered after 1 to 90 seconds, ten failed, one still on its way an hour later; another account has one.
fn count(state: &mut StateFile) {
    let (sms, oa) = (AccountId::parse("shop-sms").unwrap(), AccountId::parse("shop-oa").unwrap());
    let mut tally = Tally::new();
    let change = {
        let read = |prefix: &str| state.sheets(prefix);
        let mut tell = |m: Moved<'_>| -> Result<(), StoreError> { tally.moved(&m, &read) };
        for n in 1..=90 {
            tell(moved(&sms, None, State::Sent)).unwrap();
            let at = Some(AT.plus(Span(200)).plus(Span::seconds(n)));
            tell(Moved { delivered_at: at, price: Some(8_500_000), ..moved(&sms, Some(State::Sent), State::Delivered) }).unwrap();
        }
        for _ in 0..10 {
            let class = Some(Class::Recipient);
            tell(Moved { failure_class: class, price: Some(2_500_000), ..moved(&sms, None, State::Failed) }).unwrap();
        }
        tell(Moved { created_at: AT.plus(Span::hours(1)), ..moved(&sms, None, State::Sent) }).unwrap();
        tell(Moved { kind: Some("zns"), carrier: None, ..moved(&oa, None, State::Queued) }).unwrap();
        Change { sheets: tally.take_changed(), ..Change::default() }
    };
    state.commit(&change, &[], None).unwrap();
}

fn ask(server: &Inside, query: &str) -> Vec<Value> {
    server.get(&format!("/v1/stats?{query}"))["data"].as_array().unwrap().clone()
}

#[test]
fn the_numbers_say_what_became_of_the_messages_of_a_day() {
    let server = start();
    let lines = ask(&server, DAY);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let sms = json!({
        "account": "shop-sms", "kind": "sms_customer_care", "template_id": null, "carrier": null, "hour": null,
        "queued": 0, "sent": 1, "delivered": 90, "read": 0, "failed": 10,
        "entered": {"queued": 0, "sent": 91, "delivered": 90, "read": 0, "failed": 10},
        "delivery_rate": 0.9, "failures": {"recipient": 10},
        "money": {"currency": "VND", "spent": 79_000.0, "on_failed": 2_500.0}
    });
    holds(&sms, &lines[1]).unwrap();
    let latency = &lines[1]["latency"]["sent_to_delivered"];
    assert_eq!(latency["count"], 90);
    for (name, exact) in [("p50", 45_000.0), ("p90", 81_000.0), ("p99", 90_000.0)] {
        let got = latency[name].as_f64().unwrap();
        assert!((got - exact).abs() <= 0.02 * exact + 1.0, "{name}: {got}");
    }
    let spans = server.get(&format!("/v1/stats?{DAY}"));
    holds(&json!({"since": "2026-01-31T00:00:00.000Z", "until": "2026-02-01T00:00:00.000Z"}), &spans).unwrap();
    assert!(ask(&server, "since=2026-02-02T00:00:00Z&until=2026-02-03T00:00:00Z").is_empty());
}

#[test]
fn hours_of_a_day_that_is_kept_as_one_are_answered_by_the_day_and_it_says_so() {
    let server = start();
    let asked = "/v1/stats?since=2026-01-31T08:10:00Z&until=2026-01-31T08:20:00Z&account=shop-sms";
    let hour = json!({"since": "2026-01-31T08:00:00.000Z", "until": "2026-01-31T09:00:00.000Z"});
    let answer = server.get(asked);
    holds(&hour, &answer).unwrap();
    holds(&json!({"sent": 0, "delivered": 90}), &answer["data"][0]).unwrap();
    let mut state = StateFile::open_writer(&Place::new(server.folder().join("baophat.db")), AccountNumbers::new(Vec::new())).unwrap();
    let (mut tally, late) = (Tally::new(), AT.plus(Span::days(42)));
    while tally.tend(late, &|prefix: &str| state.sheets(prefix)).unwrap() {
        state.commit(&Change { sheets: tally.take_changed(), ..Change::default() }, &[], None).unwrap();
    }
    let answer = server.get(asked);
    holds(&json!({"since": "2026-01-30T17:00:00.000Z", "until": "2026-01-31T17:00:00.000Z"}), &answer).unwrap();
    holds(&json!({"sent": 1, "delivered": 90}), &answer["data"][0]).unwrap();
}

#[test]
fn lines_are_by_what_was_asked_for() {
    let server = start();
    let hours = ask(&server, &format!("{DAY}&by=hour&account=shop-sms"));
    assert_eq!(
        hours.iter().map(|l| l["hour"].as_str().unwrap()).collect::<Vec<_>>(),
        ["2026-01-31T08:00:00.000Z", "2026-01-31T09:00:00.000Z"]
    );
    assert_eq!(hours.iter().map(|l| l["sent"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1]);
    let templates = ask(&server, &format!("{DAY}&by=template"));
    assert_eq!(templates.iter().map(|l| l["template_id"].clone()).collect::<Vec<_>>(), [json!("77"), json!("77")]);
    let carriers = ask(&server, &format!("{DAY}&by=carrier"));
    holds(&json!({"carrier": "2", "account": "shop-sms", "failed": 10}), &carriers[0]).unwrap();
    assert_eq!(carriers.len(), 1);
    let accounts = ask(&server, &format!("{DAY}&by=account&carrier=2"));
    assert_eq!((accounts.len(), accounts[0]["delivered"].clone(), accounts[0]["carrier"].clone()), (1, json!(90), Value::Null));
    assert!(ask(&server, &format!("{DAY}&kind=zns&account=shop-sms")).is_empty());
    for wrong in ["by=moon", "kind=zns&by=template", "kind=a&carrier=b", "since=2020-01-01T00:00:00Z", "account=Shop"] {
        assert_eq!(server.send(&Request::new("GET", format!("/v1/stats?{wrong}")).key(KEY)).problem(400), "invalid_parameter", "{wrong}");
    }
}

#[test]
fn the_command_line_shows_the_same() {
    let server = start();
    let run = |more: &[&str]| {
        let config = server.folder().join("baophat.toml");
        let mut command = Command::new(env!("CARGO_BIN_EXE_baophat"));
        command.arg("stats").arg("--config").arg(config).args(["--since", "2026-01-31", "--until", "2026-02-01"]).args(more);
        let out = command.output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let json: Value = serde_json::from_str(&run(&["--json", "--account", "shop-sms"])).unwrap();
    holds(&json!({"account": "shop-sms", "delivered": 90, "failure_rate": 0.1}), &json["data"][0]).unwrap();
    let table = run(&["--lang", "en"]);
    let line = table.lines().find(|l| l.starts_with("shop-sms")).unwrap();
    let cells: Vec<&str> = line.split_whitespace().collect();
    assert_eq!(cells[..8], ["shop-sms", "sms_customer_care", "0", "1", "90", "0", "10", "90.0%"], "{table}");
    assert_eq!(cells[10..], ["79000", "2500"], "{table}");
}

/// What is counted in the lines of an account: kind, template or carrier, messages by state, failures, money.
fn counted(service: &Inside, account: &str, by: &str) -> Vec<Value> {
    let lines = ask(service, &format!("{DAY}&account={account}&by={by}"));
    let of = |l: &Value| {
        let states = ["queued", "sent", "delivered", "read", "failed"].map(|s| l[s].as_u64().unwrap());
        json!([l[if by == "template" { "template_id" } else { by }], states, l["failures"], l["money"]["spent"]])
    };
    lines.iter().map(of).filter(|l| l[1] != json!([0, 0, 0, 0, 0]) || l[2] != json!({}) || l[3] != json!(0.0)).collect()
}

fn folded(service: &Inside) {
    until("everything is folded", || (service.metrics.behind() == 0).then_some(()));
}

#[test]
fn what_becomes_known_later_goes_from_one_line_to_the_other() {
    let service = Inside::start(AT, "");
    // The receipt is there before the registration that says what it was.
    service.send(&sign::zalo_post(sign::zalo_receipt("z1", "47", AT.0))).is(200);
    folded(&service);
    assert_eq!(counted(&service, "shop-oa", "kind").len(), 1);
    let told = json!({"account": "shop-oa", "message_id": "z1", "kind": "zns", "template_id": "7895417"});
    service.post("/v1/messages", &told).is(200);
    assert_eq!(counted(&service, "shop-oa", "kind"), [json!(["zns", [0, 0, 1, 0, 0], {}, 0.0])]);
    assert_eq!(counted(&service, "shop-oa", "template"), [json!(["7895417", [0, 0, 1, 0, 0], {}, 0.0])]);
    let template = &service.get("/v1/templates?account=shop-oa")["data"][0];
    holds(&json!({"template_id": "7895417", "messages": {"total": 1, "delivered": 1, "delivery_rate": 1.0}}), template).unwrap();
    // An operator's mark is of no class; the provider's code is of one, and a delivery after all of none.
    let message =
        service.post("/v1/messages", &json!({"account": "shop-oa", "ref": "m", "message_id": "z2", "kind": "zns"})).is(201).json();
    let id = message["id"].as_str().unwrap();
    service.post(&format!("/v1/messages/{id}/mark-failed"), &json!({"reason": "lost"})).is(200);
    let failures = |service: &Inside| counted(service, "shop-oa", "kind")[0][2].clone();
    assert_eq!(failures(&service), json!({"unknown": 1}));
    service.send(&sign::zalo_post(sign::zalo_receipt("z2", "48", AT.0 + 1))).is(200);
    folded(&service);
    assert_eq!(counted(&service, "shop-oa", "kind"), [json!(["zns", [0, 0, 2, 0, 0], {}, 0.0])]);
}

#[test]
fn a_message_that_turns_out_to_be_another_one_is_counted_and_paid_once() {
    let service = Inside::start(AT, "");
    let kind = "sms_customer_care";
    let message = service.post("/v1/messages", &json!({"account": "shop-sms", "ref": "r9", "kind": kind})).is(201).json();
    // Nothing in the report says whose it is; the answer to the send call comes late, and does.
    service.send(&sign::esms_get(&sign::esms_report("sms-9", 0, 1, "another"))).is(200);
    folded(&service);
    assert_eq!(counted(&service, "shop-sms", "kind").iter().map(|l| l[1].clone()).collect::<Vec<_>>(), [json!([1, 0, 0, 0, 1])]);
    let id = message["id"].as_str().unwrap();
    let answer = json!({"status": 200, "body": {"CodeResult": "100", "SMSID": "sms-9"}});
    service.post(&format!("/v1/messages/{id}/response"), &answer).is(200);
    let failed = json!([0, 0, 0, 0, 1]);
    let lines = counted(&service, "shop-sms", "kind");
    assert_eq!((lines.len(), &lines[0][0], &lines[0][1], &lines[0][3]), (1, &json!(kind), &failed, &json!(850.0)), "{lines:?}");
    assert_eq!(lines[0][2].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum::<u64>(), 1, "{lines:?}");
    let carriers = counted(&service, "shop-sms", "carrier");
    assert_eq!((carriers.len(), &carriers[0][1], &carriers[0][3]), (1, &failed, &json!(850.0)), "{carriers:?}");
}
