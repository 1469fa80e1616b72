//! Every fixture file against the account they were written for: who is let in, what a body comes to, and which messages it names.

use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

use super::*;
use crate::domain::event::Fact;
use crate::domain::record::Status;
use crate::providers::Handshake;

/// Every case, read from its file.
pub(super) fn cases() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/facebook");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let cases = files.iter().filter(|f| f.extension().is_some_and(|e| e == "json") && !f.ends_with("vectors.json"));
    cases
        .map(|file| {
            let case: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
            assert_eq!(file.file_stem().and_then(|n| n.to_str()), case["name"].as_str());
            case
        })
        .collect()
}

fn sign(body: &str) -> String {
    let mut mac: Hmac<sha2::Sha256> = Hmac::new_from_slice(SECRET_A.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256={hex}")
}

fn signed(case: &Value) -> Callback {
    let body = case["request"]["body"].as_str().unwrap();
    let mut callback = callback(body.as_bytes(), &[]);
    for (name, value) in case["request"]["headers"].as_object().unwrap() {
        if SPEC.kept_headers.contains(&name.as_str()) {
            callback.headers.push((name.clone(), value.as_str().unwrap().replace("{sign}", &sign(body))));
        }
    }
    callback
}

fn status(parsed: &Parsed) -> &'static str {
    match parsed {
        Parsed::Events(_) => Status::Processed.as_str(),
        Parsed::Ignored(_) | Parsed::Aside { .. } => Status::Ignored.as_str(),
        Parsed::Unreadable(_) => Status::Error.as_str(),
    }
}

/// The messages that a callback makes: those that it names first-hand.
fn made(parsed: &Parsed) -> Vec<&MessageEvent> {
    let Parsed::Events(events) = parsed else { return Vec::new() };
    messages(events).into_iter().filter(|m| m.evidence.is_some()).collect()
}

fn check_message(name: &str, expected: &Value, made: &[&MessageEvent]) {
    let mine: Vec<_> = made.iter().filter(|m| Some(m.message_id.as_str()) == expected["message_id"].as_str()).collect();
    assert!(!mine.is_empty(), "{name}: {expected}");
    for event in &mine {
        for (shown, found) in [("sender", &event.sender), ("recipient", &event.recipient), ("kind", &event.kind)] {
            if let Some(text) = expected[shown].as_str() {
                assert_eq!(found.as_deref(), Some(text), "{name}: {shown}");
            }
        }
    }
    type Is = fn(&Fact) -> bool;
    let facts: [(&str, Is); 3] =
        [("sent_at", |f| *f == Fact::Sent), ("delivered_at", |f| *f == Fact::Delivered), ("failed_at", |f| matches!(f, Fact::Failed(_)))];
    for (shown, is) in facts {
        let told = mine.iter().filter(|m| is(&m.fact)).filter_map(|m| m.at).min().map(|at| at.to_string());
        if told.is_some() {
            assert_eq!(expected[shown].as_str(), told.as_deref(), "{name}: {shown}");
        }
    }
}

#[test]
fn every_callback_comes_to_what_its_fixture_says() {
    for case in cases().iter().filter(|c| c["request"]["method"] == "POST") {
        let (name, expect) = (case["name"].as_str().unwrap(), &case["expect"]);
        let callback = signed(case);
        assert_eq!(account().verify(&callback, None).is_ok(), expect["status"] == 200, "{name}");
        if expect["status"] != 200 {
            continue;
        }
        let parsed = account().parse(&callback);
        assert_eq!(Some(status(&parsed)), expect["callback_status"].as_str(), "{name}: {parsed:?}");
        let expected: Vec<&Value> = match expect["messages"].as_array() {
            Some(list) => list.iter().collect(),
            None => vec![&expect["message"]],
        };
        let made = made(&parsed);
        let mut ids: Vec<&str> = made.iter().map(|m| m.message_id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), expected.iter().filter(|m| m.is_object()).count(), "{name}: {ids:?}");
        expected.iter().filter(|m| m.is_object()).for_each(|m| check_message(name, m, &made));
    }
}

#[test]
fn every_handshake_is_answered_as_its_fixture_says() {
    let mut seen = 0;
    for case in cases().iter().filter(|c| c["request"]["method"] == "GET") {
        let answer = account().handshake(case["request"]["query"].as_str().unwrap());
        let expected = match case["expect"]["status"].as_u64() {
            Some(200) => Handshake::Challenge(case["expect"]["body"].as_str().unwrap().into()),
            _ => Handshake::Refused,
        };
        assert_eq!(answer, expected, "{}", case["name"]);
        seen += 1;
    }
    assert!(seen >= 9);
}
