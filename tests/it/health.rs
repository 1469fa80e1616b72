//! What accounts, templates, conversations and incidents tell of themselves, over HTTP and on the command line.

use std::path::Path;
use std::process::Command;

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::{Inside, KEY, Request, holds, sign, until};

/// 2026-02-02T02:00:00Z, a Monday, nine o'clock in Vietnam.
const START: Millis = Millis(1_769_997_600_000);

fn start(more: &str) -> Inside {
    Inside::start(START, &format!("stuck.sweep_every = \"100ms\"\n{more}"))
}

/// An event of the OA itself.
fn told(service: &Inside, name: &str, members: &Value) {
    let mut body = json!({"app_id": sign::ZALO_APP, "oa_id": sign::OA, "event_name": name, "timestamp": START.0.to_string()});
    for (member, value) in members.as_object().unwrap() {
        body[member] = value.clone();
    }
    service.send(&sign::zalo_post(body.to_string())).is(200);
}

fn register(service: &Inside, message: &Value) -> Value {
    service.post("/v1/messages", message).is(201).json()
}

fn answered(service: &Inside, message: &Value, answer: &Value) {
    let id = message["id"].as_str().unwrap();
    service.post(&format!("/v1/messages/{id}/response"), &json!({"status": 200, "body": answer})).is(200);
}

/// What a path shows, once it holds this much.
fn shows(service: &Inside, path: &str, expected: &Value) -> Value {
    until(path, || {
        let answer = service.send(&Request::new("GET", path).key(KEY));
        (answer.status == 200).then(|| answer.json()).filter(|found| holds(expected, found).is_ok())
    })
}

/// Runs a command over the store; its exit code and what it printed.
fn baophat(folder: &Path, line: &[&str]) -> (Option<i32>, String) {
    let config = folder.join("baophat.toml");
    let out = Command::new(env!("CARGO_BIN_EXE_baophat")).args(line).arg("--config").arg(config).output().unwrap();
    (out.status.code(), String::from_utf8(out.stdout).unwrap() + &String::from_utf8(out.stderr).unwrap())
}

#[test]
fn an_account_tells_what_it_counted_and_which_limits_it_was_told_of() {
    let service = start("");
    shows(&service, "/v1/accounts/shop-oa", &json!({"state": "draft", "reason": "never_called", "first_callback_at": null}));
    // A receipt of a message that nobody registered, a quota by event and by answer, a code that nobody knows.
    service.send(&sign::zalo_post(sign::zalo_receipt("stray", "47", START.0))).is(200);
    told(&service, "change_oa_daily_quota", &json!({"quota": {"prev_value": 500, "new_value": 5000}}));
    let zns = |reference: &str| json!({"account": "shop-oa", "ref": reference, "kind": "zns"});
    let quota = json!({"dailyQuota": "500", "remainingQuota": "499"});
    let sent = register(&service, &zns("sent"));
    answered(&service, &sent, &json!({"error": 0, "message": "Success", "data": {"msg_id": "z-sent", "quota": quota}}));
    answered(&service, &register(&service, &zns("odd")), &json!({"error": -98_765, "message": "?"}));
    // One that waited too long, and moves after all.
    service.clock.advance(Span::hours(25));
    shows(&service, "/v1/stuck", &json!({"total": 1}));
    service.send(&sign::zalo_post(sign::zalo_receipt("z-sent", "48", START.0 + 1))).is(200);
    let one = json!({"count": 1});
    let counters = json!({"callbacks": 3, "late": one, "orphans": one, "unknown_codes": one});
    let account = shows(&service, "/v1/accounts/shop-oa?lang=en", &json!({"state": "connected", "counters": counters}));
    let limits: Vec<&str> = account["limits"].as_array().unwrap().iter().map(|l| l["value"].as_str().unwrap()).collect();
    for value in ["5000", "500", "499"] {
        assert!(limits.contains(&value), "{limits:?}");
    }
    let receipts = account["events"].as_array().unwrap().iter().find(|e| e["group"] == "user_received_message").unwrap();
    holds(&json!({"count": 2, "missing": false, "last_at": "2026-02-03T03:00:00.000Z"}), receipts).unwrap();
    assert!(account["never_seen"].as_array().unwrap().iter().any(|g| g == "user_send"), "{account}");
    let (code, table) = baophat(service.folder(), &["accounts", "--lang", "en"]);
    let line = table.lines().find(|l| l.starts_with("shop-oa")).unwrap_or_else(|| panic!("{table}"));
    assert!(code == Some(0) && line.contains("connected"), "{table}");
    let (code, json) = baophat(service.folder(), &["accounts", "shop-oa", "--json"]);
    holds(&json!({"id": "shop-oa", "counters": counters}), &serde_json::from_str(&json).unwrap_or_else(|_| panic!("{json}"))).unwrap();
    assert_eq!(code, Some(0));
}

#[test]
fn a_token_ends_by_its_date_until_a_send_is_accepted_after_it() {
    let account =
        "[[account]]\nid = \"dated-oa\"\nprovider = \"zalo\"\napp_id = \"4100200300400500699\"\noa_secret_key = \"vector-oa-key-09\"\n";
    let service = start(&format!("{account}token_ends_at = \"2026-02-02T03:00:00Z\"\n"));
    shows(&service, "/v1/accounts/dated-oa", &json!({"state": "draft", "token_ends_at": "2026-02-02T03:00:00.000Z"}));
    service.clock.advance(Span::hours(1));
    let ended = json!({"state": "expired", "reason": "token_expired", "since": "2026-02-02T03:00:00.000Z"});
    shows(&service, "/v1/accounts/dated-oa", &ended);
    shows(&service, "/v1/incidents/1", &json!({"account": "dated-oa", "trouble": "token_invalid", "open": true}));
    assert_eq!(baophat(service.folder(), &["incidents", "--fail-if-any"]).0, Some(1));
    service.clock.advance(Span::minutes(5));
    register(&service, &json!({"account": "dated-oa", "ref": "r", "message_id": "renewed"}));
    shows(&service, "/v1/accounts/dated-oa", &json!({"state": "draft"}));
    shows(&service, "/v1/incidents/1", &json!({"open": false}));
    let (code, shown) = baophat(service.folder(), &["incidents", "1", "--json"]);
    let shown: Value = serde_json::from_str(&shown).unwrap_or_else(|_| panic!("{shown}"));
    holds(&json!({"account": "dated-oa", "open": false}), &shown).unwrap();
    assert_eq!(code, Some(0));
    assert_eq!(baophat(service.folder(), &["incidents", "--fail-if-any"]).0, Some(0));
    assert_eq!(baophat(service.folder(), &["incidents", "77"]).0, Some(1));
}

#[test]
fn a_template_is_followed_from_its_review_to_its_end() {
    let service = start("");
    let status = |from: &str, to: &str| json!({"template_id": "7895417", "status": {"prev_status": from, "new_status": to}});
    let path = "/v1/templates/shop-oa/7895417?lang=en";
    told(&service, "change_template_status", &status("PENDING_REVIEW", "ENABLE"));
    shows(&service, path, &json!({"status": "approved", "reason": null}));
    told(&service, "change_template_quality", &json!({"template_id": "7895417", "quality": "LOW", "timestamp": (START.0 + 1).to_string()}));
    let mut rejected = status("ENABLE", "REJECT");
    (rejected["reason"], rejected["timestamp"]) = (json!("wrong logo"), json!((START.0 + 2).to_string()));
    told(&service, "change_template_status", &rejected);
    let found = shows(&service, path, &json!({"status": "rejected", "reason": "wrong logo", "quality": "LOW"}));
    assert_eq!(found["history"].as_array().unwrap().len(), 3, "{found}");
    assert_ne!(found["advice"], service.get("/v1/templates/shop-oa/7895417?lang=vi")["advice"]);
    let listed = service.get("/v1/templates?status=rejected");
    holds(&json!({"template_id": "7895417", "history": []}), &listed["data"][0]).unwrap();
    assert_eq!(listed["total"], 1);
    let (code, table) = baophat(service.folder(), &["templates", "--lang", "en"]);
    assert!(code == Some(0) && table.contains("7895417") && table.contains("rejected"), "{table}");
}

#[test]
fn a_window_that_had_closed_stands_behind_the_advice_of_a_stuck_message() {
    let service = start("");
    let parties = json!({"sender": {"id": "47"}, "recipient": {"id": sign::OA}});
    let text = json!({"msg_id": "in", "text": "hỏi giá"});
    service.send(&sign::zalo_post(sign::zalo_event("user_send_text", &parties, &text, START.0))).is(200);
    let conversation = shows(&service, "/v1/threads/shop-oa/47", &json!({"window": {"open": true}}));
    assert_eq!(conversation["window"]["until"], "2026-02-09T02:00:00.000Z", "seven days: {conversation}");
    service.clock.advance(Span::days(8));
    let message = register(&service, &json!({"account": "shop-oa", "ref": "cs", "message_id": "m", "kind": "cs", "recipient": "47"}));
    service.clock.advance(Span::hours(25));
    shows(&service, "/v1/stuck", &json!({"total": 1}));
    let shown = service.get(&format!("/v1/messages/{}?lang=en", message["id"].as_str().unwrap()));
    let advice = shown["stuck"]["advice"].as_str().unwrap();
    assert!(advice.contains("closed at 2026-02-09T02:00:00.000Z"), "{advice}");
    let (code, page) = baophat(service.folder(), &["threads", "shop-oa", "47", "--lang", "en"]);
    assert!(code == Some(0) && page.contains("closed"), "{page}");
    assert_eq!(baophat(service.folder(), &["threads", "shop-oa", "48"]).0, Some(1));
}
