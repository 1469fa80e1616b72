//! Every row of the table of send answers.

use super::*;
use crate::domain::event::AnswerOutcome;
use crate::domain::failure::{Class, Failure, Retry};
use crate::providers::catalogue::catalogue;

const CONTEXT: AnswerContext<'_> = AnswerContext { kind: Some("cs"), recipient: None, received_at: ARRIVAL };

fn read(status: impl Into<Option<u16>>, body: &str) -> AnswerReading {
    let answer = SendAnswer { status: status.into(), body: body.into(), duration_ms: None, error: None };
    shop().read_answer(&answer, CONTEXT)
}

fn failed(status: u16, body: &str) -> (Failure, Option<String>) {
    match read(status, body).outcome {
        AnswerOutcome::Refused { failure, message_id } => (failure, message_id),
        other => panic!("{status} {body}: {other:?}"),
    }
}

fn is_unknown(reading: &AnswerReading) -> bool {
    matches!(reading.outcome, AnswerOutcome::Unknown { .. })
}

fn accepted(id: &str, at: Option<i64>) -> AnswerOutcome {
    AnswerOutcome::Accepted { message_id: Some(id.into()), at: at.map(Millis) }
}

#[test]
fn an_accepted_message_has_its_id_and_its_time_wherever_they_stand() {
    let rows = [
        (r#"{"data":{"message_id":"ab","user_id":"47"},"error":0,"message":"Success"}"#, None),
        (r#"{"data":{"message_id":"ab","sent_time":"1764000000111"},"error":0,"message":"Success"}"#, Some(1_764_000_000_111)),
        (r#"{"data":{"message_id":"ab"},"sent_time":1764000000222,"error":"0"}"#, Some(1_764_000_000_222)),
        (r#"{"error":0,"data":{"msg_id":"ab","sent_time":"1764000000333","sending_mode":"1"}}"#, Some(1_764_000_000_333)),
        (r#"{"error":"  0 ","data":{"message_id":"ab","msg_id":"other","sent_time":"17"}}"#, None),
        (r#"{"error":0,"data":{"message_id":"","msg_id":"ab"}}"#, None),
    ];
    for (body, at) in rows {
        assert_eq!(read(200, body).outcome, accepted("ab", at), "{body}");
    }
    assert_eq!(
        read(200, r#"{"error":0,"data":{"message_id":12345678901234567890123}}"#).outcome,
        accepted("12345678901234567890123", None)
    );
    assert_eq!(read(None, r#"{"error":0,"data":{"message_id":"ab"}}"#).outcome, accepted("ab", None), "a status nobody kept");
}

#[test]
fn the_answer_names_recipient_and_quota_as_texts() {
    let cs =
        read(200, r#"{"data":{"message_id":"ab","user_id":4700100200300400500,"quota":{"quota_type":"sub_quota","remain":7}},"error":0}"#);
    assert_eq!(cs.recipient.as_deref(), Some(USER));
    assert_eq!(
        (&cs.detail["quota_remaining"], &cs.detail["quota_type"], &cs.detail["http_status"]),
        (&"7".into(), &"sub_quota".into(), &200.into())
    );
    let zns = read(200, r#"{"error":0,"data":{"msg_id":"ab","sending_mode":"3","quota":{"dailyQuota":"500","remainingQuota":"499"}}}"#);
    let quota = zns.quota.clone().unwrap();
    assert_eq!((quota.kind, quota.daily.as_deref(), quota.remaining.as_deref()), (None, Some("500"), Some("499")));
    assert_eq!(read(200, r#"{"error":0,"data":{"msg_id":"ab","quota":{}}}"#).quota, None);
    assert_eq!(
        (&zns.detail["quota_daily"], &zns.detail["quota_remaining"], &zns.detail["sending_mode"]),
        (&"500".into(), &"499".into(), &"3".into())
    );
    assert_eq!(zns.recipient, None);
}

#[test]
fn any_other_error_is_a_failure_whatever_the_status() {
    for status in [200, 201, 400, 401, 403, 429, 500, 503] {
        for error in ["-230", "\"-230\"", "\" -230 \""] {
            let (failure, id) = failed(status, &format!(r#"{{"error":{error},"message":"Out of window \u0110","data":null}}"#));
            assert_eq!((failure.code.as_deref(), failure.subcode, failure.ours), (Some("-230"), None, false), "{status} {error}");
            assert_eq!((failure.text.as_deref(), id), (Some("Out of window Đ"), None));
        }
    }
    assert_eq!(failed(200, r#"{"error":155}"#).0, Failure::coded("155", None));
    assert_eq!(failed(200, r#"{"error":-99999999999999999999999}"#).0.code.as_deref(), Some("-99999999999999999999999"));
}

#[test]
fn an_id_beside_a_failure_is_kept() {
    assert_eq!(failed(200, r#"{"error":-114,"message":"x","data":{"msg_id":"ab"}}"#).1.as_deref(), Some("ab"));
}

#[test]
fn the_oauth_host_has_other_names_for_its_words() {
    let (failure, _) = failed(200, r#"{"error":-14020,"error_name":"n","error_reason":"Token spent","error_description":""}"#);
    assert_eq!((failure.code.as_deref(), failure.text.as_deref()), (Some("-14020"), Some("Token spent")));
}

#[test]
fn a_telling_status_without_a_readable_error_is_a_failure_of_ours() {
    let rows = [
        (401, "http_401", Class::Authorization, Retry::AfterReauthorization),
        (403, "http_403", Class::Permission, Retry::AfterFix),
        (429, "http_429", Class::RateLimit, Retry::Later),
    ];
    for (status, code, class, retry) in rows {
        for body in
            ["", "<html>", "{}", "null", "[]", r#"{"error":null}"#, r#"{"error":"denied"}"#, r#"{"error":{}}"#, r#"{"message":"no"}"#]
        {
            let (failure, _) = failed(status, body);
            assert_eq!((failure.code.as_deref(), failure.ours), (Some(code), true), "{status} {body}");
            for kind in [None, Some("zns")] {
                assert_eq!(catalogue().classify(&SPEC, kind, &failure).0, class, "{code}");
            }
            assert_eq!(failure.fallback, Some((class, retry)));
        }
    }
}

#[test]
fn what_says_nothing_leaves_the_outcome_unknown() {
    for body in
        ["", "  ", "Bad gateway", "<html>", "[]", "null", "{}", "{\"error\":", r#"{"error":"bad"}"#, r#"{"data":{"message_id":"ab"}}"#]
    {
        for status in [None, Some(0), Some(200), Some(400), Some(404), Some(500), Some(502), Some(504)] {
            assert!(is_unknown(&read(status, body)), "{status:?} {body}");
        }
    }
    for body in [
        r#"{"error":0}"#,
        r#"{"error":0,"data":null}"#,
        r#"{"error":0,"data":{"message_id":{}}}"#,
        r#"{"error":0,"data":[1],"message":"Success"}"#,
    ] {
        assert!(is_unknown(&read(200, body)), "{body}");
    }
}

#[test]
fn no_answer_is_an_unknown_outcome_and_an_error_text_beside_an_answer_changes_nothing() {
    let answer = |status, body: &str| SendAnswer { status, body: body.into(), duration_ms: Some(10_000), error: Some("timed out".into()) };
    for status in [None, Some(0)] {
        let reading = shop().read_answer(&answer(status, ""), CONTEXT);
        assert!(is_unknown(&reading));
        assert_eq!((&reading.detail["error"], &reading.detail["duration_ms"]), (&"timed out".into(), &10_000.into()));
    }
    assert!(is_unknown(&shop().read_answer(&answer(Some(200), ""), CONTEXT)));
    let refused = shop().read_answer(&answer(Some(200), r#"{"error":-216}"#), CONTEXT);
    assert!(matches!(refused.outcome, AnswerOutcome::Refused { .. }));
}

#[test]
fn the_words_tell_a_used_up_quota_from_a_missing_right_where_the_code_is_the_same() {
    let of = |text: Option<&str>| catalogue().classify(&SPEC, Some("cs"), &Failure::coded("-223", text.map(str::to_owned)));
    for words in ["Article QUOTA used up", "OA đã hết hạn mức bài viết"] {
        assert_eq!(of(Some(words)), (Class::Quota, Retry::Later), "{words}");
    }
    for words in [None, Some(""), Some("OA has not allowed this API")] {
        assert_eq!(of(words), (Class::Permission, Retry::AfterReauthorization), "{words:?}");
    }
}

#[test]
fn the_kind_picks_the_table_of_a_code() {
    let family = |kind, code: &str| catalogue().explain(&SPEC, kind, &Failure::coded(code, None)).map(|f| f.family);
    assert_eq!((family(Some("zns"), "-100"), family(Some("cs"), "-100"), family(None, "-100")), (Some("zns"), Some("oa"), Some("oa")));
    assert_eq!((family(Some("zns"), "-216"), family(Some("uid"), "-124")), (Some("oa"), Some("zns")), "sought in the other table");
    assert_eq!((family(Some("zns"), "-14020"), family(Some("cs"), "-14020")), (Some("oauth"), Some("oauth")));
    assert_eq!(family(Some("zns"), "-987654"), None);
    assert_eq!(catalogue().classify(&SPEC, None, &Failure::coded("-987654", None)), (Class::Unknown, Retry::Later));
    assert_eq!(catalogue().classify(&SPEC, Some("cs"), &Failure::coded("-230", None)), (Class::Window, Retry::AfterCustomerWrites));
}
