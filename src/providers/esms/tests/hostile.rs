//! Bytes of every kind: nothing panics, and nothing but a report becomes one.

use proptest::prelude::*;

use super::*;

fn survive(callback: &Callback) {
    let account = esms();
    let _ = account.verify(callback, Some(&callback.query));
    let _ = account.identity(callback);
    if let Parsed::Events(events) = account.parse(callback) {
        for event in events {
            let Event::Message(event) = event else { panic!("{event:?}") };
            assert!(!event.message_id.is_empty() && event.message_id.chars().count() <= 128);
            assert!(event.detail.values().all(|v| !v.to_string().contains('\0')));
            assert_eq!((SPEC.fold_message_id)(&event.message_id), event.message_id);
        }
    }
    let body = String::from_utf8_lossy(&callback.body).into_owned();
    let answer = SendAnswer { status: Some(200), body, ..SendAnswer::default() };
    let _ = account.read_answer(&answer, AnswerContext { recipient: Some("84912000111"), ..AnswerContext::default() });
}

#[test]
fn deep_broken_and_endless_bodies_are_errors_and_no_more() {
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let inside = [&b"{\"SMSID\":"[..], &deep, b"}"].concat();
    let nested = [b"{\"error_info\":".repeat(10_000), b"1".to_vec()].concat();
    for body in [deep, inside, nested, b"\xff\xfe\x00".to_vec(), b"{\"SMSID\":\"\xff\"}".to_vec(), vec![b'&'; 100_000], vec![b'%'; 100_000]]
    {
        for content_type in ["application/json", "application/x-www-form-urlencoded", ""] {
            let callback = post(content_type, &body);
            survive(&callback);
            assert!(is_error(&callback));
        }
    }
    assert!(is_error(&get(&"?".repeat(100_000))));
}

#[test]
fn an_error_never_shows_the_phone_inside_an_id() {
    let long = format!("SMSID={}84912000111&SendStatus=5", "a".repeat(128));
    let Parsed::Unreadable(reason) = esms().parse(&get(&long)) else { panic!("too long") };
    assert!(!reason.contains("84912000111"));
}

proptest! {
    #[test]
    fn any_bytes_survive(body in prop::collection::vec(any::<u8>(), 0..300), query in any::<String>(), json in any::<bool>()) {
        let content_type = if json { "application/json" } else { "application/x-www-form-urlencoded" };
        survive(&post(content_type, &body));
        survive(&get(&query));
    }

    #[test]
    fn any_parameters_survive(parts in prop::collection::vec(("(SMSID|RefId|SendStatus|error_info|SendFailed|TypeId|\\?|ReferenceId|=)", "[-0-9a-z%?&+{}\":,\\\\_ ]{0,12}"), 0..12)) {
        let query: Vec<String> = parts.iter().map(|(name, value)| format!("{name}={value}")).collect();
        survive(&get(&query.join("&")));
        survive(&get(&query.join("?")));
    }

    #[test]
    fn any_error_info_survives(value in "[-0-9a-z%{}\":,\\\\_/ ]{0,80}", text in any::<String>()) {
        for value in [value.clone(), text.clone(), format!("{{\"error\":{value}"), serde_json::to_string(&text).unwrap()] {
            let _ = error_info::decode(&value);
        }
    }
}

#[test]
fn mutated_fixtures_survive() {
    for callback in fixtures::callbacks() {
        let source = if callback.body.is_empty() { callback.query.clone().into_bytes() } else { callback.body.clone() };
        // Long bodies are cut and changed at 300 places.
        for at in (0..source.len()).step_by(source.len() / 300 + 1) {
            let mut cut = source.clone();
            cut.truncate(at);
            let mut flipped = source.clone();
            flipped[at] = flipped[at].wrapping_mul(31).wrapping_add(at as u8);
            for bytes in [cut, flipped] {
                let query = String::from_utf8_lossy(&bytes).into_owned();
                survive(&Callback { body: if callback.body.is_empty() { Vec::new() } else { bytes }, query, ..callback.clone() });
            }
        }
    }
}
