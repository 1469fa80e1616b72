//! Every fixture file: its signature, its processing status, and the first message event behind the message it expects.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::verify;
use super::*;
use crate::domain::event::{Evidence, Fact};

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zalo")
}

/// Name and content of every fixture.
pub(super) fn all() -> Vec<(String, Value)> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "json"));
    files.sort();
    assert!(files.len() > 100, "fixtures are missing");
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), serde_json::from_str(&text).unwrap())
    };
    files.iter().map(read).collect()
}

fn request(fixture: &Value) -> Callback {
    let body = fixture["request"]["body"].as_str().unwrap();
    let headers = fixture["request"]["headers"].as_object().unwrap();
    headers.iter().fold(callback(body), |callback, (name, value)| {
        let value = value.as_str().unwrap().replace("{sign}", &verify::sign(body.as_bytes(), APP, KEY));
        if SPEC.kept_headers.contains(&name.as_str()) { with_header(callback, name, &value) } else { callback }
    })
}

#[test]
fn every_fixture_is_refused_or_taken_as_it_expects() {
    for (name, fixture) in all() {
        let taken = shop().verify(&request(&fixture), None).is_ok();
        assert_eq!(taken, fixture["expect"]["status"] == 200, "{name}");
    }
}

#[test]
fn every_taken_fixture_gets_the_status_it_expects() {
    for (name, fixture) in all() {
        if let Some(expected) = fixture["expect"]["callback_status"].as_str() {
            let parsed = shop().parse(&request(&fixture));
            assert_eq!(status(&parsed), expected, "{name}: {parsed:?}");
        }
    }
}

#[test]
fn every_expected_message_follows_from_its_event() {
    for (name, fixture) in all().into_iter().filter(|(_, f)| f["expect"]["status"] == 200) {
        let events = messages(shop().parse(&request(&fixture)));
        let making = events.iter().find(|e| e.evidence.is_some());
        let Some(expected) = fixture["expect"]["message"].as_object() else {
            assert!(making.is_none(), "{name}: {making:?}");
            continue;
        };
        let event = making.unwrap_or_else(|| panic!("{name}: no event"));
        for (member, value) in expected {
            assert_eq!(&shown(event, member), value, "{name}: {member}");
        }
    }
}

/// What a message with this one event shows; the fold itself is tested elsewhere.
fn shown(event: &MessageEvent, member: &str) -> Value {
    let time = |holds: bool| event.at.filter(|_| holds).map(|at| at.to_string()).into();
    match member {
        "message_id" => event.message_id.clone().into(),
        "sender" => event.sender.clone().into(),
        "recipient" => event.recipient.clone().into(),
        "kind" => event.kind.clone().into(),
        "ref" => event.claim.as_ref().filter(|c| c.shown).map(|c| c.reference.clone()).into(),
        "origin" => event.evidence.map(Evidence::as_str).into(),
        "state" => match event.fact {
            Fact::Sent => "sent".into(),
            Fact::Delivered => "delivered".into(),
            Fact::Read => "read".into(),
            _ => Value::Null,
        },
        "sent_at" => time(event.fact == Fact::Sent),
        "delivered_at" => time(matches!(event.fact, Fact::Delivered | Fact::Read)),
        "read_at" => time(event.fact == Fact::Read),
        other => panic!("a fixture expects {other}, which this test does not know"),
    }
}
