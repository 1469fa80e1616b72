//! What an answer to a send call comes to, and where its codes are looked up.

use super::*;
use crate::domain::event::{AnswerOutcome, AnswerReading};
use crate::domain::failure::{Class, Failure, Retry};
use crate::domain::record::SendAnswer;
use crate::providers::AnswerContext;
use crate::providers::catalogue::catalogue;

fn read(status: Option<u16>, body: &str, error: Option<&str>) -> AnswerReading {
    let answer = SendAnswer { status, body: body.into(), duration_ms: None, error: error.map(str::to_owned) };
    account().read_answer(&answer, AnswerContext::default())
}

fn refused(status: u16, body: &str) -> Failure {
    match read(Some(status), body, None).outcome {
        AnswerOutcome::Refused { failure, .. } => failure,
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn classify(code: &str, subcode: Option<&str>) -> (Class, Retry) {
    let failure = Failure { subcode: subcode.map(str::to_owned), ..Failure::coded(code, None) };
    catalogue().classify(&SPEC, None, &failure)
}

#[test]
fn an_answer_with_an_id_is_accepted_with_or_without_the_recipient() {
    let accepted = AnswerOutcome::Accepted { message_id: Some("m_1".into()), at: None };
    for (status, body, recipient) in [
        (Some(200), r#"{"recipient_id":"7310000000012345","message_id":"m_1"}"#, Some(PSID)),
        (Some(200), r#"{"recipient_id":7310000000012345,"message_id":"m_1","attachment_id":9007199254740993}"#, Some(PSID)),
        (Some(201), "\u{feff}\r\n{\"message_id\":\"m_1\",\"error\":null}\n", None),
        (None, r#"{"message_id":"m_1"}"#, None),
    ] {
        let reading = read(status, body, None);
        assert_eq!((&reading.outcome, reading.recipient.as_deref()), (&accepted, recipient), "{body}");
    }
}

#[test]
fn an_error_object_refuses_whatever_the_status() {
    let body = r#"{"error":{"message":"(#10) Tin nhắn nằm ngoài khung giờ cho phép.","type":"OAuthException","code":10,"error_subcode":2018278,"fbtrace_id":"AbC9"},"message_id":"m_9"}"#;
    for status in [Some(400), Some(200), Some(500), Some(403), Some(302), None] {
        let reading = read(status, body, None);
        let AnswerOutcome::Refused { failure, message_id } = reading.outcome else { panic!("{status:?}") };
        assert_eq!(
            (failure.code.as_deref(), failure.subcode.as_deref(), failure.ours, failure.at),
            (Some("10"), Some("2018278"), false, None)
        );
        assert_eq!(failure.text.as_deref(), Some("(#10) Tin nhắn nằm ngoài khung giờ cho phép."));
        assert_eq!(message_id.as_deref(), Some("m_9"), "kept beside the refusal");
        assert_eq!(reading.detail["fbtrace_id"], "AbC9");
        assert_eq!(reading.detail.get("http_status"), status.map(Into::into).as_ref());
        assert_eq!(catalogue().classify(&SPEC, None, &failure), (Class::Window, Retry::AfterCustomerWrites));
    }
}

#[test]
fn codes_are_taken_as_texts_or_numbers_and_a_zero_stays() {
    for (body, code, subcode) in [
        (r#"{"error":{"code":"10","error_subcode":"2018300"}}"#, Some("10"), Some("2018300")),
        (r#"{"error":{"code":-1}}"#, Some("-1"), None),
        (r#"{"error":{"code":0,"message":null}}"#, Some("0"), None),
        (r#"{"error":{"message":"x"}}"#, None, None),
        (r#"{"error":{"code":{},"error_subcode":[]}}"#, None, None),
        (r#"{"error":{}}"#, None, None),
        (r#"{"error":{"code":1,"code":551}}"#, Some("551"), None),
    ] {
        let failure = refused(400, body);
        assert_eq!((failure.code.as_deref(), failure.subcode.as_deref()), (code, subcode), "{body}");
        assert!(!failure.ours);
    }
}

#[test]
fn without_an_error_object_only_a_4xx_is_a_failure() {
    for (status, class) in [
        (400, (Class::Unknown, Retry::AfterFix)),
        (401, (Class::Authorization, Retry::AfterReauthorization)),
        (403, (Class::Permission, Retry::AfterFix)),
        (404, (Class::Unknown, Retry::AfterFix)),
        (429, (Class::RateLimit, Retry::Later)),
    ] {
        for body in ["", "<html>", "{}", "null", r#"{"error":"x"}"#, r#"{"error":[]}"#, r#"{"recipient_id":"1"}"#] {
            let failure = refused(status, body);
            assert_eq!((failure.code.as_deref(), failure.fallback), (None, Some(class)), "{status} {body}");
            assert_eq!(catalogue().classify(&SPEC, None, &failure), class);
        }
    }
    for (status, body) in [
        (Some(200), r#"{"recipient_id":"7310000000012345"}"#),
        (Some(200), ""),
        (Some(200), "<html>"),
        (Some(200), r#"{"message_id":null}"#),
        (Some(200), r#"{"message_id":""}"#),
        (Some(200), r#"{"mid":"m_1"}"#),
        (Some(302), ""),
        (Some(500), ""),
        (Some(502), "<html>bad gateway</html>"),
        (Some(503), r#"{"message_id":"m_1"}"#),
        (Some(0), ""),
        (None, ""),
    ] {
        let reading = read(status, body, None);
        assert!(matches!(reading.outcome, AnswerOutcome::Unknown { .. }), "{status:?} {body}: {reading:?}");
    }
}

#[test]
fn no_answer_leaves_the_outcome_open_and_shows_no_token() {
    let error = "Post \"https://graph.facebook.com/v23.0/me/messages?access_token=EAABdemo&x=1\": context deadline exceeded";
    for status in [None, Some(0)] {
        let reading = read(status, "", Some(error));
        let AnswerOutcome::Unknown { reason } = &reading.outcome else { panic!("{reading:?}") };
        assert!(reason.contains("deadline exceeded") && !reason.contains("EAAB"), "{reason}");
        assert!(!serde_json::to_string(&reading.detail).unwrap().contains("EAAB"));
        assert!(!reading.detail.contains_key("http_status"));
    }
}

#[test]
fn an_unknown_code_is_classed_by_transience_then_by_status() {
    for (status, transient, class) in [
        (400, "", (Class::Unknown, Retry::AfterFix)),
        (400, r#","is_transient":true"#, (Class::Provider, Retry::Later)),
        (400, r#","is_transient":false"#, (Class::Unknown, Retry::AfterFix)),
        (400, r#","is_transient":"true""#, (Class::Unknown, Retry::AfterFix)),
        (401, "", (Class::Authorization, Retry::AfterReauthorization)),
        (403, "", (Class::Permission, Retry::AfterFix)),
        (429, "", (Class::RateLimit, Retry::Later)),
        (500, "", (Class::Provider, Retry::Later)),
        (200, "", (Class::Unknown, Retry::AfterFix)),
    ] {
        let failure = refused(status, &format!(r#"{{"error":{{"code":987654{transient}}}}}"#));
        assert_eq!(catalogue().classify(&SPEC, None, &failure), class, "{status} {transient}");
    }
    let known = refused(500, r#"{"error":{"code":551,"is_transient":true}}"#);
    assert_eq!(catalogue().classify(&SPEC, None, &known), (Class::Recipient, Retry::AfterCustomerWrites), "the table goes first");
}

#[test]
fn codes_are_matched_with_the_subcode_then_by_the_subcode_then_by_the_code() {
    let window = (Class::Window, Retry::AfterCustomerWrites);
    let control = (Class::ThreadControl, Retry::AfterFix);
    assert_eq!(classify("10", Some("2018278")), window);
    assert_eq!(classify("10", Some("2018300")), control);
    assert_eq!(classify("200", Some("2018278")), window, "the sub-code alone");
    assert_eq!(classify("2018278", None), window, "a sub-code in the place of the code");
    assert_eq!(classify("2018300", Some("77")), control);
    assert_eq!(classify("100", Some("2018171")), control, "listed as a code, found in the sub-code");
    assert_eq!(classify("551", Some("1545041")), (Class::Recipient, Retry::AfterCustomerWrites));
    assert_eq!(classify("10", Some("999")), (Class::Permission, Retry::AfterReauthorization), "the code alone");
    assert_eq!(classify("190", Some("490")), (Class::Authorization, Retry::AfterReauthorization));
    assert_eq!(classify("-1", None), (Class::Provider, Retry::Now));
    assert!(catalogue().explain(&SPEC, None, &Failure::coded("424242", None)).is_none());
}

#[test]
fn no_number_of_the_catalogue_is_both_a_code_and_a_subcode() {
    let mine: Vec<_> = catalogue().entries().filter(|f| f.provider == "facebook").map(|f| f.entry).collect();
    assert!(mine.len() > 90);
    for entry in &mine {
        if let Some(subcode) = &entry.subcode {
            assert!(mine.iter().all(|e| e.code != *subcode), "{subcode}: its lookup would depend on the order");
        }
        let places = (SPEC.lookup)(None, &entry.code, entry.subcode.as_deref());
        let found = catalogue().get(&places[0]).or_else(|| catalogue().get(&places[places.len() - 1])).unwrap();
        assert_eq!((&found.entry.code, &found.entry.subcode), (&entry.code, &entry.subcode));
    }
}
