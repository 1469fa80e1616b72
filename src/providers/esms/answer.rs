//! What eSMS answered to a send call. It must not know which message it was, except for its recipient: a bulk answer has a row
//! for each.

use serde_json::{Map, Value};

use super::parse::id;
use super::payload::clean;
use crate::domain::event::{AnswerOutcome, AnswerReading};
use crate::domain::failure::{Class, Failure, Retry};
use crate::domain::phone;
use crate::domain::record::SendAnswer;
use crate::providers::AnswerContext;
use crate::providers::json::Object;

/// Taken: nothing more than that.
const ACCEPTED: &str = "100";
/// The RequestId was used within 24 hours: an earlier request with it was taken, so this is no failure.
const REPEATED: &str = "124";

/// Reads an answer.
pub(super) fn read(answer: &SendAnswer, context: AnswerContext<'_>) -> AnswerReading {
    let mut detail = Map::new();
    let outcome = outcome(answer, context, &mut detail);
    if let Some(status) = answer.status.filter(|s| *s > 0) {
        detail.insert("http_status".into(), status.into());
    }
    AnswerReading { outcome, recipient: None, detail, quota: None }
}

fn outcome(answer: &SendAnswer, context: AnswerContext<'_>, detail: &mut Map<String, Value>) -> AnswerOutcome {
    if answer.status.unwrap_or(0) == 0 && answer.error.is_some() {
        return unknown("no answer");
    }
    let body = answer.body.trim_start_matches('\u{feff}').trim();
    if body.is_empty() {
        return refused_by_status(answer.status).unwrap_or_else(|| unknown("the answer is empty"));
    }
    // A JSON text that holds the answer, as some gateways hand it on.
    let unwrapped: Option<String> = if body.starts_with('"') { serde_json::from_str(body).ok() } else { None };
    let Ok(object) = Object::parse(unwrapped.as_deref().unwrap_or(body).as_bytes()) else {
        return refused_by_status(answer.status).unwrap_or_else(|| unknown("the answer is no JSON object"));
    };
    let Some(code) = code(&object) else { return without_code(&object, answer.status) };
    show(detail, "code", Some(code.clone()));
    show(detail, "send_status", text(&object, "SendStatus"));
    show(detail, "count_regenerate", text(&object, "CountRegenerate"));
    let rows = object.get_any_case("detail").and_then(|raw| raw.array());
    match rows {
        Some(rows) if code == ACCEPTED => {
            let rows: Vec<Object<'_>> = rows.into_iter().filter_map(|raw| raw.object()).collect();
            judge_rows(&rows, context, detail)
        }
        _ => judge(&code, &object, detail),
    }
}

/// Judges one code, of an answer or of one row.
fn judge(code: &str, object: &Object<'_>, detail: &mut Map<String, Value>) -> AnswerOutcome {
    let message_id = text(object, "SMSID").and_then(|t| id(&t));
    match code {
        ACCEPTED => AnswerOutcome::Accepted { message_id, at: None },
        REPEATED => {
            // Which of the two requests such an id would belong to is not published: the callback joins by RequestId.
            show(detail, "sms_id", message_id);
            AnswerOutcome::Accepted { message_id: None, at: None }
        }
        _ => AnswerOutcome::Refused { failure: Failure::coded(code, words(object)), message_id },
    }
}

/// Bulk: the outer 100 hides refused rows. The rows of this recipient count; without a known recipient, all of them.
fn judge_rows(rows: &[Object<'_>], context: AnswerContext<'_>, detail: &mut Map<String, Value>) -> AnswerOutcome {
    show(detail, "rows", Some(rows.len().to_string()));
    let mine: Vec<&Object<'_>> = rows.iter().filter(|row| context.recipient.is_none_or(|r| is_for(row, r))).collect();
    let judged = mine.iter().map(|row| match code(row) {
        Some(code) => {
            show(detail, "row_code", Some(code.clone()));
            judge(&code, row, detail)
        }
        None => unknown("the row of this recipient has no code"),
    });
    let mut outcomes: Vec<AnswerOutcome> = judged.collect();
    match outcomes.len() {
        0 => unknown("no row of the answer is about this recipient"),
        1 => outcomes.remove(0),
        _ => several(outcomes),
    }
}

/// Several rows that may be this message: what they agree on. Their ids do not tell which is which; the callback's RequestId will.
fn several(mut outcomes: Vec<AnswerOutcome>) -> AnswerOutcome {
    if outcomes.iter().all(|o| matches!(o, AnswerOutcome::Accepted { .. })) {
        return AnswerOutcome::Accepted { message_id: None, at: None };
    }
    if outcomes.iter().all(|o| matches!(o, AnswerOutcome::Refused { .. }))
        && let AnswerOutcome::Refused { failure, .. } = outcomes.remove(0)
    {
        return AnswerOutcome::Refused { failure, message_id: None };
    }
    unknown("several rows may be this message, and they differ")
}

fn is_for(row: &Object<'_>, recipient: &str) -> bool {
    let Some(given) = text(row, "Phone") else { return false };
    match (phone::normalise(&given), phone::normalise(recipient)) {
        (Some(given), Some(recipient)) => given == recipient,
        _ => given == recipient.trim(),
    }
}

/// An answer without a code: a refusal of the whole request, a refusal told by HTTP alone, or nothing that says anything.
fn without_code(object: &Object<'_>, status: Option<u16>) -> AnswerOutcome {
    if let Some(refused) = refused_by_status(status) {
        return refused;
    }
    match text(object, "error") {
        Some(words) if words.to_ascii_lowercase().contains("invalid request") => {
            AnswerOutcome::Refused { failure: Failure::ours("invalid_request", Some(words)), message_id: None }
        }
        _ => unknown("the answer has no code"),
    }
}

fn refused_by_status(status: Option<u16>) -> Option<AnswerOutcome> {
    let (code, fallback) = match status? {
        401 => ("http_401", (Class::Authorization, Retry::AfterReauthorization)),
        403 => ("http_403", (Class::Permission, Retry::AfterFix)),
        429 => ("http_429", (Class::RateLimit, Retry::Later)),
        _ => return None,
    };
    let failure = Failure { fallback: Some(fallback), ..Failure::ours(code, None) };
    Some(AnswerOutcome::Refused { failure, message_id: None })
}

fn unknown(reason: &str) -> AnswerOutcome {
    AnswerOutcome::Unknown { reason: reason.into() }
}

/// The code under the name of whichever call answered; text in most calls, a number in some.
fn code(object: &Object<'_>) -> Option<String> {
    ["CodeResult", "CodeResponse", "Code"].iter().find_map(|name| text(object, name))
}

/// The provider's own words, unchanged but for NUL, which stores refuse.
fn words(object: &Object<'_>) -> Option<String> {
    let raw = ["ErrorMessage", "Message"].iter().find_map(|name| object.get_any_case(name).and_then(|raw| raw.text()));
    raw.map(|t| t.replace('\0', "")).filter(|t| !t.trim().is_empty())
}

/// A member as cleaned text, a number as it was written; none when it is empty or something else.
fn text(object: &Object<'_>, name: &str) -> Option<String> {
    object.get_any_case(name).and_then(|raw| raw.text()).map(|t| clean(&t)).filter(|t| !t.is_empty())
}

fn show(detail: &mut Map<String, Value>, key: &str, value: Option<String>) {
    if let Some(value) = value {
        detail.insert(key.into(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: Option<u16>, body: &str, recipient: Option<&str>) -> AnswerReading {
        let answer = SendAnswer { status, body: body.into(), ..SendAnswer::default() };
        read(&answer, AnswerContext { recipient, ..AnswerContext::default() })
    }

    fn outcome(body: &str) -> AnswerOutcome {
        answered(Some(200), body, Some("84912000111")).outcome
    }

    fn accepted(id: Option<&str>) -> AnswerOutcome {
        AnswerOutcome::Accepted { message_id: id.map(Into::into), at: None }
    }

    fn refused(code: &str, text: Option<&str>, id: Option<&str>) -> AnswerOutcome {
        AnswerOutcome::Refused { failure: Failure::coded(code, text.map(Into::into)), message_id: id.map(Into::into) }
    }

    fn is_unknown(outcome: &AnswerOutcome) -> bool {
        matches!(outcome, AnswerOutcome::Unknown { .. })
    }

    #[test]
    fn a_100_is_accepted_with_the_id_folded_and_without_one() {
        for body in [
            r#"{"CodeResult":"100","CountRegenerate":0,"SMSID":" 9F60AC8F-E721-4027-B838-E6FCB95FCD7A264 "}"#,
            r#"{"coderesult":100,"smsid":"9f60ac8f-e721-4027-b838-e6fcb95fcd7a264"}"#,
            r#"{"CodeResponse":"100","SMSID":"9f60ac8f-e721-4027-b838-e6fcb95fcd7a264"}"#,
            r#"{"Code":100,"SmsId":"9f60ac8f-e721-4027-b838-e6fcb95fcd7a264"}"#,
            "\u{feff} \"{\\\"CodeResult\\\":\\\"100\\\",\\\"SMSID\\\":\\\"9f60ac8f-e721-4027-b838-e6fcb95fcd7a264\\\"}\"",
        ] {
            assert_eq!(outcome(body), accepted(Some("9f60ac8f-e721-4027-b838-e6fcb95fcd7a264")), "{body}");
        }
        for body in [r#"{"CodeResult":"100"}"#, r#"{"CodeResult":"100","SMSID":null}"#, r#"{"CodeResult":" 100 ","SMSID":""}"#] {
            assert_eq!(outcome(body), accepted(None), "{body}");
        }
        assert_eq!(outcome(&format!(r#"{{"CodeResult":"100","SMSID":"{}"}}"#, "a".repeat(129))), accepted(None));
    }

    #[test]
    fn a_repeated_request_id_is_no_failure_and_gives_no_id() {
        let read = answered(Some(200), r#"{"CodeResult":"124","CountRegenerate":0,"SendStatus":5,"ErrorMessage":"RequestId exist"}"#, None);
        assert_eq!(read.outcome, accepted(None));
        assert_eq!(read.detail["send_status"], "5");
        assert_eq!(read.detail["code"], "124");
        assert_eq!(read.detail["http_status"], 200);
        assert_eq!(outcome(r#"{"CodeResult":124,"SMSID":"abc"}"#), accepted(None));
    }

    #[test]
    fn every_other_code_refuses_and_keeps_an_id() {
        let body = r#"{"CodeResult":"146","SMSID":"ABC1","ErrorMessage":"Sai template CSKH"}"#;
        assert_eq!(outcome(body), refused("146", Some("Sai template CSKH"), Some("abc1")));
        assert_eq!(
            outcome(r#"{"CodeResult":"103","ErrorMessage":"Balance not enough"}"#),
            refused("103", Some("Balance not enough"), None)
        );
        assert_eq!(outcome(r#"{"CodeResult":99}"#), refused("99", None, None));
        assert_eq!(outcome(r#"{"CodeResult":"-5","errormessage":""}"#), refused("-5", None, None));
        assert_eq!(answered(Some(500), r#"{"CodeResult":"101"}"#, None).outcome, refused("101", None, None));
        assert_eq!(answered(Some(401), r#"{"CodeResult":"101"}"#, None).outcome, refused("101", None, None));
        assert_eq!(answered(None, r#"{"CodeResult":"101"}"#, None).outcome, refused("101", None, None));
    }

    #[test]
    fn an_unreadable_request_is_a_refusal_of_ours() {
        let AnswerOutcome::Refused { failure, message_id } = outcome(r#"{"error":"Invalid request"}"#) else { panic!("refused") };
        assert_eq!((failure.code.as_deref(), failure.ours, message_id), (Some("invalid_request"), true, None));
        assert_eq!(failure.text.as_deref(), Some("Invalid request"));
        assert!(is_unknown(&outcome(r#"{"error":"try again"}"#)));
    }

    #[test]
    fn http_alone_refuses_only_where_it_says_why() {
        let rows = [
            (401, "http_401", Class::Authorization, Retry::AfterReauthorization),
            (403, "http_403", Class::Permission, Retry::AfterFix),
            (429, "http_429", Class::RateLimit, Retry::Later),
        ];
        for (status, code, class, retry) in rows {
            for body in ["", "<html>no</html>", "{}", r#"{"CodeResult":""}"#, r#"{"CodeResult":null,"error":"Invalid request"}"#] {
                let AnswerOutcome::Refused { failure, .. } = answered(Some(status), body, None).outcome else { panic!("{status} {body}") };
                assert_eq!((failure.code.as_deref(), failure.ours, failure.fallback), (Some(code), true, Some((class, retry))));
            }
        }
        for status in [200, 302, 400, 404, 500, 502, 503] {
            for body in ["", "  ", "<html>no</html>", "{}", "[]", "100", "null", r#"{"CodeResult":{}}"#, "{\"CodeResult\":"] {
                assert!(is_unknown(&answered(Some(status), body, None).outcome), "{status} {body}");
            }
        }
    }

    #[test]
    fn no_answer_leaves_the_outcome_unknown() {
        for status in [None, Some(0)] {
            let timed_out = SendAnswer { status, error: Some("timed out".into()), ..SendAnswer::default() };
            let reading = read(&timed_out, AnswerContext::default());
            assert!(is_unknown(&reading.outcome));
            assert!(!reading.detail.contains_key("http_status"));
            assert!(is_unknown(&answered(status, "", None).outcome));
            let half = SendAnswer { body: r#"{"CodeResult":"100","SMSID":"a"}"#.into(), ..timed_out };
            assert!(is_unknown(&read(&half, AnswerContext::default()).outcome));
        }
    }

    const BULK: &str = r#"{"CodeResult":"100","Message":"Success","TotalFail":1,"TotalSuccess":2,"detail":[
        {"CodeResult":"100","Phone":"0912000111","SMSID":"AAA1"},
        {"CodeResult":"100","Phone":"0912 000 222","SMSID":"AAA2"},
        {"CodeResult":108,"Phone":"091200033","ErrorMessage":"not valid"}]}"#;

    #[test]
    fn a_bulk_answer_is_judged_by_the_row_of_the_recipient() {
        let of = |recipient| answered(Some(200), BULK, recipient).outcome;
        assert_eq!(of(Some("84912000111")), accepted(Some("aaa1")));
        assert_eq!(of(Some("+84 912 000 222")), accepted(Some("aaa2")));
        assert_eq!(of(Some("091200033")), refused("108", Some("not valid"), None));
        assert!(is_unknown(&of(Some("84912000999"))), "a row that is not there proves nothing");
        assert!(is_unknown(&of(None)), "the rows differ");
    }

    #[test]
    fn rows_that_agree_need_no_recipient_and_several_give_no_id() {
        let of = |rows: &str, recipient| answered(Some(200), &format!(r#"{{"CodeResult":"100","detail":[{rows}]}}"#), recipient).outcome;
        let (one, two) =
            (r#"{"CodeResult":"100","Phone":"0912000111","SMSID":"A"}"#, r#"{"CodeResult":"100","Phone":"0912000111","SMSID":"B"}"#);
        let bad = r#"{"CodeResult":"790","Phone":"0912000111"}"#;
        assert_eq!(of(one, None), accepted(Some("a")));
        assert_eq!(of(&format!("{one},{two}"), Some("84912000111")), accepted(None));
        assert_eq!(of(&format!("{bad},{bad}"), None), refused("790", None, None));
        assert!(is_unknown(&of(&format!("{bad},{one}"), None)));
        assert!(is_unknown(&of(r#"{"Phone":"0912000111"}"#, Some("84912000111"))));
        assert!(is_unknown(&of("1,[],null", None)));
        let outer = r#"{"CodeResult":"687","detail":[{"CodeResult":"100","Phone":"0912000111","SMSID":"A"}]}"#;
        assert_eq!(outcome(outer), refused("687", None, None));
    }
}
