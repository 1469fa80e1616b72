//! What the Send API answered, and where the catalogue is to be asked for its codes.
//!
//! It must not know how the call was made or what becomes of the message. Codes decide, never words: Meta translates its texts,
//! and the number inside a text can differ from `code`.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::payload::{id, shown, text, without_bom};
use super::{FAMILY, SLUG};
use crate::domain::event::{AnswerOutcome, AnswerReading};
use crate::domain::failure::{Class, Failure, Retry};
use crate::domain::record::SendAnswer;
use crate::providers::Lookup;
use crate::providers::catalogue::catalogue;
use crate::providers::json::Object;

/// Reads the raw answer to a send call.
pub(super) fn read(answer: &SendAnswer) -> AnswerReading {
    let status = answer.status.filter(|status| *status != 0);
    // Whatever is no JSON object says nothing by itself: the HTTP status alone decides then.
    let body = Object::parse(without_bom(answer.body.as_bytes())).unwrap_or_default();
    let error = body.object("error");
    let outcome = outcome(answer, status, error.as_ref(), id(&body, "message_id"));
    AnswerReading { outcome, recipient: id(&body, "recipient_id"), detail: detail(answer, status, error.as_ref()), quota: None }
}

/// An error object refuses whatever the status says; an id is an acceptance; otherwise only a 4xx is a refusal. Everything else
/// leaves the outcome open: the message may have gone out, and Meta has no idempotency key that would make a second try safe.
fn outcome(answer: &SendAnswer, status: Option<u16>, error: Option<&Object<'_>>, message_id: Option<String>) -> AnswerOutcome {
    if let Some(error) = error {
        return AnswerOutcome::Refused { failure: failure(error, status), message_id };
    }
    match (status, message_id) {
        (None | Some(200..=299), Some(id)) => AnswerOutcome::Accepted { message_id: Some(id), at: None },
        (None, None) => {
            let why = answer.error.as_deref().map(shown).unwrap_or_default();
            AnswerOutcome::Unknown { reason: format!("no answer {why}").trim_end().to_owned() }
        }
        (Some(status @ 400..=499), message_id) => {
            let failure = Failure { ours: false, at: None, code: None, subcode: None, text: None, fallback: Some(class_of_status(status)) };
            AnswerOutcome::Refused { failure, message_id }
        }
        (Some(status @ 200..=299), None) => AnswerOutcome::Unknown { reason: format!("HTTP {status} without a message_id") },
        (Some(status), _) => AnswerOutcome::Unknown { reason: format!("HTTP {status} without an error object") },
    }
}

fn failure(error: &Object<'_>, status: Option<u16>) -> Failure {
    let transient = error.get("is_transient").and_then(|raw| raw.boolean()) == Some(true);
    let by_status = status.map_or((Class::Unknown, Retry::AfterFix), class_of_status);
    Failure {
        ours: false,
        at: None,
        code: id(error, "code"),
        subcode: id(error, "error_subcode"),
        text: text(error, "message"),
        fallback: Some(if transient { (Class::Provider, Retry::Later) } else { by_status }),
    }
}

/// What an HTTP status tells where no code does.
fn class_of_status(status: u16) -> (Class, Retry) {
    match status {
        401 => (Class::Authorization, Retry::AfterReauthorization),
        403 => (Class::Permission, Retry::AfterFix),
        429 => (Class::RateLimit, Retry::Later),
        500..=599 => (Class::Provider, Retry::Later),
        _ => (Class::Unknown, Retry::AfterFix),
    }
}

/// What is worth keeping for the timeline and the report: `fbtrace_id` is what Meta's support asks for.
fn detail(answer: &SendAnswer, status: Option<u16>, error: Option<&Object<'_>>) -> Map<String, Value> {
    let mut detail = Map::new();
    if let Some(status) = status {
        detail.insert("http_status".into(), status.into());
    }
    if let Some(why) = answer.error.as_deref().filter(|why| !why.is_empty()) {
        detail.insert("error".into(), shown(why).into());
    }
    let Some(error) = error else { return detail };
    for name in ["fbtrace_id", "type", "error_user_title", "error_user_msg"] {
        if let Some(text) = text(error, name) {
            detail.insert(name.into(), shown(&text).into());
        }
    }
    if let Some(transient) = error.get("is_transient").and_then(|raw| raw.boolean()) {
        detail.insert("is_transient".into(), transient.into());
    }
    detail
}

/// Sub-codes of the catalogue with the codes they stand under, in the order of the file.
static CODES_OF_SUBCODE: LazyLock<HashMap<&'static str, Vec<&'static str>>> = LazyLock::new(|| {
    let mut codes: HashMap<&str, Vec<&str>> = HashMap::new();
    for found in catalogue().entries().filter(|found| found.provider == SLUG) {
        if let Some(subcode) = found.entry.subcode.as_deref() {
            codes.entry(subcode).or_default().push(&found.entry.code);
        }
    }
    codes
});

/// Where to look, best first: code with sub-code; the sub-code alone under whatever code it is listed, or listed as a code; the
/// same for a sub-code that Meta put into `code`; the code alone.
pub(super) fn lookup(_kind: Option<&str>, code: &str, subcode: Option<&str>) -> Vec<Lookup> {
    let mut places = Vec::new();
    if let Some(subcode) = subcode {
        places.push(place(code, Some(subcode)));
        places.extend(under_any_code(subcode));
        places.push(place(subcode, None));
    }
    places.extend(under_any_code(code));
    places.push(place(code, None));
    places
}

fn under_any_code(subcode: &str) -> impl Iterator<Item = Lookup> {
    CODES_OF_SUBCODE.get(subcode).into_iter().flatten().map(|code| place(code, Some(subcode)))
}

fn place(code: &str, subcode: Option<&str>) -> Lookup {
    Lookup { provider: SLUG, family: FAMILY, code: code.to_owned(), subcode: subcode.map(str::to_owned) }
}
