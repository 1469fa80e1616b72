//! Every file of `fixtures/esms` is verified and read, and must end in the status it expects.

use std::path::PathBuf;

use serde_json::Value;

use super::*;

fn files() -> Vec<(String, Value)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/esms");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json"));
    files.sort();
    let read = |f: &PathBuf| serde_json::from_slice(&std::fs::read(f).unwrap()).unwrap();
    files.iter().map(|f| (f.file_stem().unwrap().to_string_lossy().into_owned(), read(f))).collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

/// The callback of a fixture, and its path token.
pub(super) fn request(fixture: &Value) -> (Callback, String) {
    let request = &fixture["request"];
    let method = if text(request, "method") == "POST" { Method::Post } else { Method::Get };
    let content_type = request["headers"]["content-type"].as_str().map(Into::into);
    let body = text(request, "body").as_bytes().to_vec();
    let callback = Callback { method, content_type, body, ..get(text(request, "query")) };
    (callback, text(request, "path_token").replace("{token}", TOKEN))
}

/// Every readable fixture's callback.
pub(super) fn callbacks() -> Vec<Callback> {
    files().iter().map(|(_, fixture)| request(fixture).0).collect()
}

/// What one callback alone says of the state; the fold of several is tested where it lives.
fn state(fact: &Fact) -> &'static str {
    match fact {
        Fact::Queued | Fact::Noted => "queued",
        Fact::Sent => "sent",
        Fact::Delivered => "delivered",
        Fact::Read => "read",
        Fact::Failed(_) => "failed",
        Fact::Report(r) if r.delivered + r.failed < r.total => "sent",
        Fact::Report(r) if r.delivered > 0 => "delivered",
        Fact::Report(_) => "failed",
    }
}

fn code(fact: &Fact) -> Option<&str> {
    match fact {
        Fact::Failed(failure) => failure.code.as_deref(),
        Fact::Report(r) if r.delivered == 0 && r.failed >= r.total => {
            Some(r.failure.as_ref().and_then(|f| f.code.as_deref()).unwrap_or("undelivered"))
        }
        _ => None,
    }
}

#[test]
fn every_fixture_ends_in_the_status_it_expects() {
    let files = files();
    assert!(files.len() >= 40, "{}", files.len());
    for (name, fixture) in &files {
        assert_eq!(text(fixture, "name"), name);
        assert!(!text(fixture, "note").is_empty(), "{name}");
        let (callback, token) = request(fixture);
        let expect = &fixture["expect"];
        let verified = esms().verify(&callback, Some(&token)).is_ok();
        assert_eq!(verified, expect["status"] == 200, "{name}");
        if !verified {
            assert_eq!(expect["status"], 401, "{name}");
            continue;
        }
        let parsed = esms().parse(&callback);
        let status = match &parsed {
            Parsed::Events(_) => "processed",
            Parsed::Ignored(_) | Parsed::Aside { .. } => "ignored",
            Parsed::Unreadable(_) => "error",
        };
        assert_eq!(status, text(expect, "callback_status"), "{name}: {parsed:?}");
        if status == "processed" {
            compare(name, &told_by(&callback), &expect["message"]);
        } else {
            assert!(expect["message"].is_null(), "{name}");
        }
    }
}

fn compare(name: &str, event: &MessageEvent, message: &Value) {
    assert_eq!(event.message_id, text(message, "message_id"), "{name}");
    assert_eq!(state(&event.fact), text(message, "state"), "{name}");
    let told = [
        ("kind", event.kind.as_deref()),
        ("recipient", event.recipient.as_deref()),
        ("sender", event.sender.as_deref()),
        ("template_id", event.template_id.as_deref()),
        ("ref", event.claim.as_ref().map(|c| c.reference.as_str())),
    ];
    for (member, value) in told {
        if let Some(expected) = message.get(member) {
            assert_eq!(value, expected.as_str(), "{name}: {member}");
        }
    }
    if let Some(expected) = message.get("failure") {
        assert_eq!(code(&event.fact), expected["code"].as_str(), "{name}");
    }
    for time in ["delivered_at", "failed_at"] {
        if let Some(expected) = message.get(time).and_then(Value::as_str) {
            assert_eq!(event.at.map(|at| at.to_string()).as_deref(), Some(expected), "{name}");
        }
    }
}
