//! Whatever bytes come, nothing panics, and an unsigned callback is never taken.

use proptest::prelude::*;

use super::*;

/// Bodies of fixtures with a few bytes changed, cut or doubled.
fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let bodies: Vec<Vec<u8>> = fixtures::all()
        .into_iter()
        .map(|(_, f)| f["request"]["body"].as_str().unwrap().as_bytes().to_vec())
        .filter(|body| body.len() < 2_000)
        .collect();
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..4u8), 0..6);
    (prop::sample::select(bodies), changes).prop_map(|(mut body, changes)| {
        for (at, byte, how) in changes {
            if body.is_empty() {
                break;
            }
            let at = at.index(body.len());
            match how {
                0 => body[at] = byte,
                1 => body.truncate(at),
                2 => body.insert(at, byte),
                _ => drop(body.remove(at)),
            }
        }
        body
    })
}

/// Any small JSON value, put where a member is expected.
fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("[]".to_owned()),
        Just("{}".to_owned()),
        Just(r#"{"id":null,"msg_id":{},"msg_ids":[[],"a"]}"#.to_owned()),
        any::<i64>().prop_map(|n| n.to_string()),
        any::<f64>().prop_filter("JSON has no such number", |f| f.is_finite()).prop_map(|f| f.to_string()),
        ".{0,12}".prop_map(|t| serde_json::to_string(&t).unwrap()),
    ]
}

const EVENTS: &[&str] = &[
    "user_received_message",
    "user_seen_message",
    "user_reacted_message",
    "user_feedback",
    "user_click_response_button",
    "oa_send_text",
    "change_oa_daily_quota",
];
const MEMBERS: &[&str] =
    &["message", "msg_id", "msg_ids", "sender", "recipient", "oa_id", "oaId", "timestamp", "delivery_time", "tracking_id", "app_id"];

fn shaped() -> impl Strategy<Value = Vec<u8>> {
    let some = prop::collection::vec((prop::sample::select(MEMBERS), value()), 0..8);
    (prop::sample::select(EVENTS), some).prop_map(|(name, members)| {
        let rest: String = members.iter().map(|(name, value)| format!(",\"{name}\":{value}")).collect();
        format!("{{\"event_name\":\"{name}\"{rest}}}").into_bytes()
    })
}

fn taken_apart(body: &[u8], header: &str) {
    for account in [shop(), any_oa()] {
        let callback = with_header(with_header(callback(body), SIGNATURE_HEADER, header), SERVER_HEADER, header);
        assert!(account.verify(&callback, None).is_err());
        for event in messages(account.parse(&callback)) {
            assert!(!event.message_id.is_empty() && !event.message_id.contains(char::is_whitespace));
        }
        for status in [None, Some(200), Some(401), Some(500)] {
            let answer = SendAnswer { status, body: String::from_utf8_lossy(body).into_owned(), duration_ms: None, error: None };
            account.read_answer(&answer, AnswerContext { received_at: ARRIVAL, ..AnswerContext::default() });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_taken_apart(body in prop::collection::vec(any::<u8>(), 0..400), header in ".{0,80}") {
        taken_apart(&body, &header);
    }

    #[test]
    fn any_mutated_fixture_is_taken_apart(body in mutated(), header in "mac=[0-9a-f]{64}") {
        taken_apart(&body, &header);
    }

    #[test]
    fn any_member_of_any_type_is_taken_apart(body in shaped(), header in "[ =mac]{0,8}[0-9A-F]{60,66}") {
        taken_apart(&body, &header);
    }
}
