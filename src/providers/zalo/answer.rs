//! What Zalo answered to a send call.
//!
//! Most errors come with HTTP 200, so the body decides before the status. Where neither says what happened, the outcome is
//! unknown: sending again would cost twice, and the customer would get it twice.

use serde_json::{Map, Value};

use super::payload::cut;
use super::{fold_message_id, fold_recipient};
use crate::domain::event::{AnswerOutcome, AnswerReading, Quota};
use crate::domain::failure::{Class, Failure, Retry};
use crate::domain::record::SendAnswer;
use crate::domain::time::Millis;
use crate::providers::AnswerContext;
use crate::providers::json::Object;

/// Reads an answer.
pub(super) fn read(answer: &SendAnswer, context: AnswerContext<'_>) -> AnswerReading {
    let body = Object::parse(answer.body.as_bytes()).unwrap_or_default();
    let data = body.object("data").unwrap_or_default();
    let outcome = outcome(answer, &body, &data, context.received_at);
    let recipient = some_text(&data, "user_id").map(|user| fold_recipient(&user));
    AnswerReading { outcome, recipient, detail: detail(answer, &data), quota: quota(&data) }
}

fn outcome(answer: &SendAnswer, body: &Object<'_>, data: &Object<'_>, received_at: Millis) -> AnswerOutcome {
    let status = answer.status.filter(|s| *s != 0);
    if status.is_none() && answer.error.is_some() {
        return unknown("no answer");
    }
    match (error_code(body), message_id(data)) {
        (Some(code), Some(id)) if code == "0" => AnswerOutcome::Accepted { message_id: Some(id), at: sent_at(body, data, received_at) },
        (Some(code), None) if code == "0" => unknown("accepted without a message id"),
        (Some(code), message_id) => AnswerOutcome::Refused { failure: Failure::coded(code, words(body)), message_id },
        (None, message_id) => match status.and_then(by_status) {
            Some((code, fallback)) => {
                let failure = Failure { fallback: Some(fallback), ..Failure::ours(code, words(body)) };
                AnswerOutcome::Refused { failure, message_id }
            }
            None if answer.body.trim().is_empty() => unknown("empty answer"),
            None => unknown("unreadable answer"),
        },
    }
}

fn unknown(reason: &str) -> AnswerOutcome {
    AnswerOutcome::Unknown { reason: reason.to_owned() }
}

/// `error` as decimal text with its sign; a number, or a text that holds one.
fn error_code(body: &Object<'_>) -> Option<String> {
    let text = body.text("error")?;
    let text = text.trim();
    if let Ok(code) = text.parse::<i64>() {
        return Some(code.to_string());
    }
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.to_owned())
}

/// Statuses that say enough by themselves, with class and retry should the catalogue not have them.
fn by_status(status: u16) -> Option<(&'static str, (Class, Retry))> {
    match status {
        401 => Some(("http_401", (Class::Authorization, Retry::AfterReauthorization))),
        403 => Some(("http_403", (Class::Permission, Retry::AfterFix))),
        429 => Some(("http_429", (Class::RateLimit, Retry::Later))),
        _ => None,
    }
}

fn message_id(data: &Object<'_>) -> Option<String> {
    let id = some_text(data, "message_id").or_else(|| some_text(data, "msg_id"))?;
    Some(fold_message_id(&id)).filter(|id| !id.is_empty())
}

/// Stands in `data`, or beside it.
fn sent_at(body: &Object<'_>, data: &Object<'_>, received_at: Millis) -> Option<Millis> {
    [data, body].into_iter().find_map(|o| Millis(o.integer("sent_time")?).plausible(received_at))
}

/// Zalo's own words; the OAuth host has other names for them.
fn words(body: &Object<'_>) -> Option<String> {
    ["message", "error_description", "error_reason", "error_name"].into_iter().find_map(|name| some_text(body, name))
}

fn some_text(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).filter(|t| !t.is_empty())
}

/// Quota figures are texts in one answer and numbers in another: always texts here.
fn detail(answer: &SendAnswer, data: &Object<'_>) -> Map<String, Value> {
    let mut detail = Map::new();
    if let Some(status) = answer.status {
        detail.insert("http_status".into(), status.into());
    }
    if let Some(duration) = answer.duration_ms {
        detail.insert("duration_ms".into(), duration.into());
    }
    if let Some(error) = &answer.error {
        detail.insert("error".into(), cut(error).into());
    }
    let quota = quota(data).unwrap_or_default();
    let named = [
        ("sending_mode", some_text(data, "sending_mode").map(|mode| cut(&mode))),
        ("quota_type", quota.kind),
        ("quota_daily", quota.daily),
        ("quota_remaining", quota.remaining),
    ];
    for (name, value) in named {
        if let Some(value) = value {
            detail.insert(name.into(), value.into());
        }
    }
    detail
}

/// One product counts by the day, another by the kind of message.
fn quota(data: &Object<'_>) -> Option<Box<Quota>> {
    let told = data.object("quota")?;
    let text = |name| some_text(&told, name).map(|text| cut(&text));
    let quota = Quota { kind: text("quota_type"), daily: text("dailyQuota"), remaining: text("remainingQuota").or_else(|| text("remain")) };
    (quota != Quota::default()).then(|| Box::new(quota))
}
