//! Messages that stay too long, under a clock put by hand: flagged with cause and advice when the deadline passes, cleared by the
//! next fact; grouped; looked at once and not again.

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::{Inside, holds, sign, until};

/// 2026-01-31T08:15:30.123Z.
const START: Millis = Millis(1_769_847_330_123);

fn start() -> Inside {
    Inside::start(START, "stuck.sweep_every = \"100ms\"")
}

fn stuck(service: &Inside) -> Value {
    service.get("/v1/stuck?lang=en")
}

/// The list of what is stuck, once it has so many.
fn wait_for(service: &Inside, total: u64) -> Value {
    until(&format!("{total} are stuck"), || Some(stuck(service)).filter(|s| s["total"] == total))
}

fn find(service: &Inside, reference: &str) -> Value {
    service.get(&format!("/v1/messages?ref={reference}"))["data"][0].clone()
}

#[test]
fn a_message_is_stuck_after_its_deadline_and_not_before() {
    let service = start();
    service.post("/v1/messages", &json!({"account": "shop-oa", "ref": "r", "kind": "zns", "message_id": "aa"})).is(201);
    service.clock.advance(Span::hours(2).minus_one());
    // A message of another account whose time has come proves that the sweeper has been there.
    service.post("/v1/messages", &json!({"account": "shop-sms", "ref": "old", "queued_at": "2026-01-31T08:00:00Z"})).is(201);
    let first = wait_for(&service, 1);
    assert_eq!(first["data"][0]["ref"], "old");
    service.clock.advance(Span(1));
    let found = wait_for(&service, 2);
    let message = found["data"].as_array().unwrap().iter().find(|m| m["ref"] == "r").unwrap();
    let expected = json!({"state": "sent", "stuck": {
        "since": "2026-01-31T08:15:30.123Z", "deadline": "2026-01-31T10:15:30.123Z", "cause": "recipient_unreachable"}});
    holds(&expected, message).unwrap();
    let id = message["id"].as_str().unwrap();
    let advice = |lang: &str| service.get(&format!("/v1/messages/{id}?lang={lang}"))["stuck"]["advice"].as_str().unwrap().to_owned();
    assert!(advice("en").len() > 30 && advice("vi").len() > 30);
    assert_ne!(advice("en"), advice("vi"));
    assert_eq!(service.get("/v1/messages?stuck=true")["data"].as_array().unwrap().len(), 2);
    assert_eq!(service.get("/v1/stuck?account=shop-oa")["total"], 1);
}

#[test]
fn it_clears_by_itself_when_a_fact_arrives() {
    let service = start();
    let told: Vec<Value> =
        ["a", "b", "c", "d"].iter().map(|n| json!({"account": "shop-oa", "ref": n, "message_id": format!("id-{n}")})).collect();
    service.post("/v1/messages", &json!(told)).is(201);
    service.post("/v1/messages", &json!({"account": "shop-oa", "ref": "q"})).is(201);
    service.clock.advance(Span::hours(25));
    wait_for(&service, 5);
    assert_eq!(find(&service, "q")["stuck"]["cause"], "send_unconfirmed");
    // A receipt, a failure, a mark; and a queued message that moves on is given the time of its new state.
    service.send(&sign::zalo_post(sign::zalo_receipt("id-a", "47", START.0 + 1_000))).is(200);
    let id = |reference: &str| find(&service, reference)["id"].as_str().unwrap().to_owned();
    service.post(&format!("/v1/messages/{}/mark-failed", id("b")), &json!({"reason": "test"})).is(200);
    let accepted = json!({"status": 200, "body": {"error": 0, "data": {"message_id": "id-q"}}});
    let moved = service.post(&format!("/v1/messages/{}/response", id("q")), &accepted).is(200).json();
    assert_eq!(moved["stuck"], Value::Null);
    let left = wait_for(&service, 2);
    let refs: Vec<&str> = left["data"].as_array().unwrap().iter().map(|m| m["ref"].as_str().unwrap()).collect();
    assert_eq!(refs, ["d", "c"], "newest first");
    holds(&json!({"state": "delivered", "stuck": null}), &find(&service, "a")).unwrap();
    service.clock.advance(Span::hours(25));
    let again = wait_for(&service, 3);
    assert!(again["data"].as_array().unwrap().iter().any(|m| m["ref"] == "q" && m["state"] == "sent"));
}

#[test]
fn causes_follow_what_the_provider_said() {
    let service = start();
    let esms = |reference: &str, more: Value| {
        let mut told =
            json!({"account": "shop-sms", "ref": reference, "message_id": format!("id-{reference}"), "kind": "sms_customer_care"});
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        service.post("/v1/messages", &told).is(201);
    };
    for reference in ["silent", "approval", "handed-over", "counted-nothing"] {
        esms(reference, json!({}));
    }
    esms("scheduled", json!({"scheduled_at": "2026-02-01T08:00:00Z"}));
    service.send(&sign::esms_get("SMSID=id-approval&SendStatus=1&TypeId=2")).is(200);
    service.send(&sign::esms_get("SMSID=id-handed-over&SendStatus=7&TypeId=2")).is(200);
    service.send(&sign::esms_get("SMSID=id-counted-nothing&SendStatus=5&SendSuccess=0&SendFailed=0&TotalReceiver=1&TypeId=2")).is(200);
    let unsure = service.post("/v1/messages", &json!({"account": "shop-page", "ref": "unsure"})).is(201).json();
    let no_answer = json!({"status": 0, "error": "timed out"});
    service.post(&format!("/v1/messages/{}/response", unsure["id"].as_str().unwrap()), &no_answer).is(200);
    service.clock.advance(Span::hours(3));
    wait_for(&service, 6);
    for (reference, cause) in [
        ("silent", "webhook_silent"),
        ("approval", "awaiting_approval"),
        ("handed-over", "poll_needed"),
        ("counted-nothing", "poll_needed"),
        ("scheduled", "scheduled"),
        ("unsure", "send_unconfirmed"),
    ] {
        assert_eq!(find(&service, reference)["stuck"]["cause"], cause, "{reference}");
    }
    // When its hour has come and nothing happened, waiting for the hour explains nothing any more.
    service.clock.advance(Span::hours(24));
    until("the cause is looked at again", || Some(find(&service, "scheduled")).filter(|m| m["stuck"]["cause"] == "webhook_silent"));
}

#[test]
fn groups_count_what_shares_account_kind_state_and_cause() {
    let service = start();
    let mut told = Vec::new();
    for n in 0..30 {
        told.push(json!({"account": "shop-oa", "ref": format!("z{n}"), "kind": "zns", "message_id": format!("z{n}")}));
        if n % 3 == 0 {
            told.push(json!({"account": "shop-page", "ref": format!("f{n}")}));
        }
    }
    service.post("/v1/messages", &json!(told)).is(201);
    service.clock.advance(Span::hours(3));
    // Thirty people and not one receipt: once the account is judged it is not their phones.
    let all = until("the account is judged", || Some(wait_for(&service, 40)).filter(|all| all["groups"][0]["cause"] == "webhook_silent"));
    let groups = all["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 2);
    let largest = json!({"account": "shop-oa", "kind": "zns", "state": "sent", "cause": "webhook_silent", "count": 30, "oldest_since": "2026-01-31T08:15:30.123Z"});
    holds(&largest, &groups[0]).unwrap();
    holds(&json!({"account": "shop-page", "kind": "message", "state": "queued", "cause": "send_unconfirmed", "count": 10}), &groups[1])
        .unwrap();
    assert!(groups.iter().all(|g| g["advice"].as_str().is_some_and(|a| a.len() > 30)));
    let page = service.get("/v1/stuck?limit=15");
    let next = page["next_cursor"].as_str().unwrap();
    let rest = service.get(&format!("/v1/stuck?limit=500&cursor={next}"));
    assert_eq!((page["data"].as_array().unwrap().len(), rest["data"].as_array().unwrap().len()), (15, 25));
    assert_eq!(rest["total"], 40, "the total is of all, not of the page");
}

#[test]
fn the_sweeper_looks_at_each_message_once_and_at_all_of_them() {
    let service = start();
    let told = |from: usize| json!((from..from + 600).map(|n| json!({"account": "shop-oa", "ref": format!("r{n}")})).collect::<Vec<_>>());
    service.post("/v1/messages", &told(0)).is(201);
    service.post("/v1/messages", &told(600)).is(201);
    service.clock.advance(Span::minutes(16));
    wait_for(&service, 1_200);
    swept(&service, 1_200);
    // Two more rounds that find something: those that were found before are not looked at again.
    for more in 1..=2 {
        service.post("/v1/messages", &json!({"account": "shop-oa", "ref": format!("late-{more}")})).is(201);
        service.clock.advance(Span::minutes(16));
        wait_for(&service, 1_200 + more);
        swept(&service, 1_200 + more);
    }
}

/// So many were looked at, and no more. They are counted right behind the commit that shows them.
fn swept(service: &Inside, times: u64) {
    until(&format!("{times} were looked at"), || (service.metrics.sweeps.get() >= times).then_some(()));
    assert_eq!(service.metrics.sweeps.get(), times);
}

#[test]
fn a_deadline_never_writes_a_final_state() {
    let service = start();
    service.post("/v1/messages", &json!({"account": "shop-oa", "ref": "r", "message_id": "aa"})).is(201);
    service.clock.advance(Span::days(300));
    wait_for(&service, 1);
    holds(&json!({"state": "sent", "failure": null, "failed_at": null}), &find(&service, "r")).unwrap();
    service.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", START.0 + 1_000))).is(200);
    wait_for(&service, 0);
    assert_eq!(find(&service, "r")["delivered_at"], "2026-01-31T08:15:31.123Z");
}

/// One millisecond less.
trait MinusOne {
    fn minus_one(self) -> Self;
}

impl MinusOne for Span {
    fn minus_one(self) -> Span {
        Span(self.0 - 1)
    }
}
