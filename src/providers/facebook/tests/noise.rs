//! Nothing that a stranger, a broken proxy or a future Meta can send makes this provider panic or take long.

use proptest::collection::vec;
use proptest::prelude::*;

use super::fixtures::cases;
use super::*;
use crate::domain::record::SendAnswer;
use crate::providers::AnswerContext;

/// Everything that reads foreign bytes.
fn read_all(bytes: &[u8]) {
    let account = account();
    let text = String::from_utf8_lossy(bytes).into_owned();
    let _ = account.parse(&callback(bytes, &[]));
    let _ = account.verify(&callback(bytes, &[("x-hub-signature-256", &text)]), Some(&text));
    let _ = account.handshake(&text);
    for status in [None, Some(0), Some(200), Some(400), Some(503)] {
        let answer = SendAnswer { status, body: text.clone(), duration_ms: None, error: Some(text.clone()) };
        let _ = account.read_answer(&answer, AnswerContext::default());
    }
    let _ = (SPEC.server_time_of_id)(&text);
    let _ = (SPEC.lookup)(None, &text, Some(&text));
}

#[test]
fn ten_thousand_nested_lists_are_survived_wherever_they_stand() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let objects = format!("{}1{}", r#"{"entry":"#.repeat(10_000), "}".repeat(10_000));
    read_all(deep.as_bytes());
    read_all(objects.as_bytes());
    read_all(format!(r#"{{"error":{deep}}}"#).as_bytes());
    for holder in ["entry", "messaging", "delivery", "mids", "message", "x"] {
        let item = from_customer(&format!(r#""{holder}":{deep},"delivery":{{"mids":{deep},"watermark":{T}}}"#));
        read_all(envelope("messaging", &item).as_bytes());
    }
    let beside = format!("{},{}", from_customer(&format!(r#""x":{deep}"#)), echo(r#""mid":"m_1""#));
    assert_eq!(messages(&of_item(&beside)).len(), 1, "a deep neighbour stops nobody");
}

#[test]
fn lone_surrogates_stop_nobody() {
    let beside = format!("{},{}", echo(r#""mid":"\ud800","text":"\udc00""#), echo(r#""mid":"m_1","text":"\ud83d""#));
    let events = of_item(&beside);
    assert_eq!(messages(&events).iter().map(|m| m.message_id.as_str()).collect::<Vec<_>>(), ["m_1"]);
}

#[test]
fn a_full_post_of_many_updates_is_read_whole() {
    let items: Vec<String> =
        (0..1_000).map(|n| from_customer(&format!(r#""delivery":{{"mids":["m_{n}"],"watermark":{}}}"#, T + n))).collect();
    let events = of_item(&items.join(","));
    assert_eq!((messages(&events).len(), watermarks(&events).len()), (1_000, 1_000));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn arbitrary_texts_never_panic(text in "(\\PC|[{}\\[\\]\",:%&=+\\\\]){0,200}") {
        read_all(text.as_bytes());
    }

    #[test]
    fn mutated_fixtures_never_panic(pick in any::<prop::sample::Index>(), cuts in vec((any::<prop::sample::Index>(), any::<u8>(), 0..3u8), 1..8)) {
        let cases = cases();
        let mut bytes = pick.get(&cases)["request"]["body"].as_str().unwrap().as_bytes().to_vec();
        for (at, byte, how) in cuts {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.drain(at..(at + usize::from(byte % 16)).min(bytes.len()))),
            }
        }
        read_all(&bytes);
    }
}
