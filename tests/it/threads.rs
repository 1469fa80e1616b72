//! Who holds a conversation: Business Suite takes it, our send is refused, staff move it to Done; and what a Zalo user's acts open.

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::sign::{OA, PAGE};
use crate::harness::{Inside, KEY, Request, holds, sign, until};

/// 2026-01-31T08:15:30.123Z.
const START: Millis = Millis(1_769_847_330_123);

const CUSTOMER: &str = "7310000000012345";
const OURS: &str = "550011122233344";
const INBOX: i64 = 263_902_037_430_900;

fn start() -> Inside {
    Inside::start(START, "stuck.sweep_every = \"100ms\"")
}

/// One item from the customer, some seconds after the start.
fn item(seconds: i64, member: &str, value: &Value) -> Value {
    let mut item = json!({"sender": {"id": CUSTOMER}, "recipient": {"id": PAGE}, "timestamp": START.0 + seconds * 1_000});
    item[member] = value.clone();
    item
}

fn told(service: &Inside, list: &str, item: &Value) {
    let mut entry = json!({"id": PAGE, "time": START.0});
    entry[list] = json!([item]);
    service.send(&sign::facebook_post(json!({"object": "page", "entry": [entry]}).to_string())).is(200);
}

fn thread(service: &Inside) -> Value {
    service.get(&format!("/v1/threads/shop-page/{CUSTOMER}?lang=en"))
}

/// The conversation, once it is held so.
fn held(service: &Inside, who: &str) -> Value {
    until(&format!("held by {who}"), || {
        let answer = service.send(&Request::new("GET", format!("/v1/threads/shop-page/{CUSTOMER}?lang=en")).key(KEY));
        (answer.status == 200).then(|| answer.json()).filter(|t| t["holder"]["who"] == who)
    })
}

fn register(service: &Inside, reference: &str) -> Value {
    let message = json!({"account": "shop-page", "ref": reference, "recipient": CUSTOMER, "sender": PAGE});
    service.post("/v1/messages", &message).is(201).json()
}

fn answer(service: &Inside, message: &Value, status: u16, body: &Value) -> Value {
    let id = message["id"].as_str().unwrap();
    service.post(&format!("/v1/messages/{id}/response?lang=en"), &json!({"status": status, "body": body})).is(200).json()
}

fn refusal(code: i64, subcode: i64) -> Value {
    json!({"error": {"message": "refused", "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "x"}})
}

fn remedy(message: &Value) -> &str {
    message["failure"]["explanation"]["remedy"].as_str().unwrap()
}

/// The customer writes, staff answer in Business Suite, and our send is refused.
fn taken(service: &Inside) -> Value {
    told(service, "messaging", &item(0, "message", &json!({"mid": "m_in-1", "text": "x"})));
    held(service, "ours");
    let mut echo = item(60, "message", &json!({"mid": "m_bs-1", "is_echo": true, "app_id": INBOX}));
    (echo["sender"], echo["recipient"]) = (json!({"id": PAGE}), json!({"id": CUSTOMER}));
    told(service, "standby", &echo);
    told(service, "standby", &item(70, "message", &json!({"mid": "m_in-2", "text": "x"})));
    held(service, "other");
    service.clock.advance(Span::minutes(2));
    let message = register(service, "refused");
    answer(service, &message, 403, &refusal(10, 2_018_300))
}

#[test]
fn business_suite_takes_a_conversation_and_done_gives_it_back() {
    let service = start();
    let refused = taken(&service);
    let found = thread(&service);
    let expected = json!({"account": "shop-page", "sender": PAGE, "recipient": CUSTOMER,
        "holder": {"who": "other", "app_id": INBOX.to_string(), "name": "Page inbox (Meta Business Suite)", "since": "2026-01-31T08:16:30.123Z", "evidence": "refusal"},
        "last_customer_message_at": "2026-01-31T08:16:40.123Z", "window": {"until": "2026-02-01T08:16:40.123Z", "open": true, "free_until": null},
        "last_standby_at": "2026-01-31T08:16:40.123Z", "last_refusal": {"at": "2026-01-31T08:17:30.123Z", "code": "10/2018300"}, "last_handover": null});
    holds(&expected, &found).unwrap();
    assert_eq!(found["advice"].as_array().unwrap().len(), 6);
    let vietnamese = service.get(&format!("/v1/threads/shop-page/{CUSTOMER}?lang=vi&sender={PAGE}"));
    assert!(vietnamese["advice"][3].as_str().unwrap().contains("Chuyển đến thư mục Xong"), "{vietnamese}");
    holds(&json!({"state": "failed", "failure": {"class": "thread_control"}}), &refused).unwrap();
    for part in ["Page inbox (Meta Business Suite)", "2026-01-31T08:16:30.123Z", "\n1. ", "\n6. ", "take_thread_control"] {
        assert!(remedy(&refused).contains(part), "{part}: {}", remedy(&refused));
    }
    let report = format!("/v1/messages/{}/report?lang=en", refused["id"].as_str().unwrap());
    let report = service.send(&Request::new("GET", report).key(KEY)).is(200).text();
    assert!(
        report.contains("| App that holds the conversation | `Page inbox (Meta Business Suite)` (2026-01-31T08:16:30.123Z) |"),
        "{report}"
    );
    // Registered without its Page: the customer's last conversation is meant.
    let nameless = service.post("/v1/messages", &json!({"account": "shop-page", "ref": "nameless", "recipient": CUSTOMER})).is(201).json();
    let nameless = answer(&service, &nameless, 403, &refusal(10, 2_018_300));
    assert!(remedy(&nameless).starts_with("Page inbox (Meta Business Suite)"), "{}", remedy(&nameless));
    // The app fell back to a tag that is not approved: first things first.
    let tagged = answer(&service, &register(&service, "tagged"), 400, &refusal(100, 2_018_276));
    assert_eq!(tagged["failure"]["class"], "permission");
    assert!(remedy(&tagged).starts_with("First regain control of the conversation."), "{}", remedy(&tagged));

    let done = json!({"previous_owner_app_id": INBOX, "new_owner_app_id": OURS, "metadata": null});
    told(&service, "messaging", &item(180, "pass_thread_control", &done));
    let back = held(&service, "ours");
    holds(&json!({"holder": {"evidence": "handover", "app_id": null}, "advice": [], "last_handover": {"kind": "pass_thread_control", "app_id": OURS, "ours": true}}), &back).unwrap();
    let now = service.get(&format!("/v1/messages/{}?lang=en", refused["id"].as_str().unwrap()));
    assert!(remedy(&now).contains("your app's again"), "{}", remedy(&now));
}

#[test]
fn an_accepted_send_is_proof_that_the_conversation_is_ours() {
    let service = start();
    taken(&service);
    service.clock.advance(Span::minutes(1));
    answer(&service, &register(&service, "again"), 200, &json!({"recipient_id": CUSTOMER, "message_id": "m_ok"}));
    holds(&json!({"holder": {"who": "ours", "evidence": "accepted", "since": "2026-01-31T08:18:30.123Z"}}), &thread(&service)).unwrap();
    service.clock.advance(Span::hours(24));
    holds(&json!({"holder": {"who": "idle", "since": "2026-02-01T08:18:30.123Z"}, "window": {"open": false}}), &thread(&service)).unwrap();
}

#[test]
fn a_send_without_an_answer_in_a_conversation_of_another_is_stuck_for_that() {
    let service = start();
    taken(&service);
    register(&service, "unanswered");
    service.clock.advance(Span::minutes(16));
    let find = || service.get("/v1/messages?ref=unanswered&lang=en")["data"][0].clone();
    let stuck = until("it is stuck", || Some(find()).filter(|m| !m["stuck"].is_null()));
    assert_eq!(stuck["stuck"]["cause"], "thread_control");
    assert!(stuck["stuck"]["advice"].as_str().unwrap().starts_with("Page inbox (Meta Business Suite)"), "{stuck}");
}

#[test]
fn a_take_over_that_is_told_late_explains_what_was_stuck_before() {
    let service = start();
    told(&service, "messaging", &item(-3_600, "message", &json!({"mid": "m_early", "text": "chào shop"})));
    register(&service, "unexplained");
    service.clock.advance(Span::minutes(16));
    let find = || service.get("/v1/messages?ref=unexplained&lang=en")["data"][0].clone();
    let stuck = until("it is stuck", || Some(find()).filter(|m| !m["stuck"].is_null()));
    assert_ne!(stuck["stuck"]["cause"], "thread_control", "{stuck}");
    // What the provider tried to tell for a while comes through.
    told(&service, "standby", &item(-60, "message", &json!({"mid": "m_theirs", "text": "còn không shop"})));
    held(&service, "other");
    service.clock.advance(Span::hours(1));
    until("it is explained", || (find()["stuck"]["cause"] == "thread_control").then_some(()));
}

/// An account with one Page.
const ONE_PAGE: &str = r#"
[[account]]
id = "one-page"
provider = "facebook"
app_id = "550011122233355"
app_secret = "giay-bao-phat-demo-key-C3"
verify_token = "xac-nhan-demo-2026"
page_ids = ["104417700031399"]
"#;

#[test]
fn a_message_registered_without_a_sender_stands_in_the_conversation_of_the_only_page() {
    let service = Inside::start(START, ONE_PAGE);
    let message = service.post("/v1/messages", &json!({"account": "one-page", "ref": "plain", "recipient": CUSTOMER})).is(201).json();
    assert_eq!(message["sender"], "104417700031399");
    answer(&service, &message, 400, &refusal(10, 2_018_300));
    let thread = service.get(&format!("/v1/threads/one-page/{CUSTOMER}?lang=en"));
    holds(&json!({"sender": "104417700031399", "holder": {"who": "other", "evidence": "refusal"}}), &thread).unwrap();
}

#[test]
fn what_a_zalo_user_does_opens_the_window_and_stays_ignored() {
    let service = start();
    let parties = json!({"sender": {"id": "4711"}, "recipient": {"id": OA}});
    service.send(&sign::zalo_post(sign::zalo_event("user_send_text", &parties, &json!({"msg_id": "in-1", "text": "x"}), START.0))).is(200);
    let target = "/v1/threads/shop-oa/4711";
    let found = until("it is known", || {
        let answer = service.send(&Request::new("GET", target).key(KEY));
        (answer.status == 200).then(|| answer.json())
    });
    let window = json!({"until": "2026-02-07T08:15:30.123Z", "open": true, "free_until": "2026-02-02T08:15:30.123Z"});
    holds(&json!({"sender": OA, "holder": {"who": "unknown"}, "window": window, "advice": []}), &found).unwrap();
    assert_eq!(service.get("/v1/callbacks")["data"][0]["status"], "ignored");
    assert_eq!(service.get("/v1/messages")["data"], json!([]));
}

#[test]
fn a_conversation_that_nobody_told_of_is_not_found() {
    let service = start();
    let ask = |path: &str| service.send(&Request::new("GET", path).key(KEY));
    for path in ["/v1/threads/shop-page/1", "/v1/threads/shop-page/1?sender=2", "/v1/threads/nobody/1", "/v1/threads/No!/1"] {
        assert_eq!(ask(path).problem(404), "not_found", "{path}");
    }
    assert_eq!(ask("/v1/threads/shop-page/1?page=2").problem(400), "invalid_parameter");
}
