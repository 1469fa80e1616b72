//! What an account's event of Zalo states: a template's status, quality or quota, the OA's daily quota, the app's rights.
//!
//! Payloads of some of these events are not documented. What cannot be read states nothing and is shown as it is.

use super::payload::{Payload, cut};
use crate::domain::event::{About, TemplateChange, TemplateStatus, ToldStatus};
use crate::providers::json::Object;

/// Members that say which event it is and of whom, not what changed.
const FRAME: [&str; 8] = ["event_name", "app_id", "timestamp", "message", "oa_id", "oaId", "template_id", "event_id"];

/// Longest raw text of a change that is kept, in bytes.
const RAW_BYTES_MAX: usize = 1_000;

/// What an event states.
pub(super) fn about(event: &str, payload: &Payload<'_>) -> About {
    match event {
        "change_template_status" => template(payload, status),
        "change_template_quality" => template(payload, |p| p.top_text("quality").map(|q| TemplateChange::Quality(cut(&q)))),
        "change_template_quota" => template(payload, |p| raw(p).map(TemplateChange::Quota)),
        "change_oa_template_tags" => template(payload, |p| raw(p).map(TemplateChange::Tags)),
        "change_oa_daily_quota" => daily_quota(payload),
        "permission_revoked" => About::Revoked { sender: sender(payload) },
        _ => About::Other,
    }
}

fn template(payload: &Payload<'_>, change: impl Fn(&Payload<'_>) -> Option<TemplateChange>) -> About {
    match (payload.top_text("template_id"), change(payload)) {
        (Some(template_id), Some(change)) => About::Template { template_id: cut(&template_id), change },
        _ => About::Other,
    }
}

/// An object with the statuses before and after, or the status itself.
fn status(payload: &Payload<'_>) -> Option<TemplateChange> {
    let raw = payload.top("status")?;
    let (previous, status) = match raw.object() {
        Some(both) => (text(&both, "prev_status"), text(&both, "new_status")?),
        None => (None, raw.text().filter(|t| !t.is_empty())?),
    };
    let reason = payload.top_text("reason").map(|r| cut(&r));
    Some(TemplateChange::Status { previous: previous.map(|p| told(&p)), status: told(&status), reason })
}

fn told(word: &str) -> ToldStatus {
    let status = match word.trim().to_ascii_uppercase().as_str() {
        "PENDING_REVIEW" | "PENDING" => TemplateStatus::Pending,
        "ENABLE" | "ENABLED" => TemplateStatus::Approved,
        "REJECT" | "REJECTED" => TemplateStatus::Rejected,
        "DISABLE" | "DISABLED" => TemplateStatus::Disabled,
        "DELETE" | "DELETED" => TemplateStatus::Deleted,
        _ => TemplateStatus::Unknown,
    };
    ToldStatus { status, raw: cut(word.trim()) }
}

fn daily_quota(payload: &Payload<'_>) -> About {
    let quota = payload.top("quota").and_then(|raw| raw.object()).unwrap_or_default();
    About::DailyQuota { sender: sender(payload), previous: text(&quota, "prev_value"), value: text(&quota, "new_value") }
}

fn sender(payload: &Payload<'_>) -> Option<String> {
    payload.oa_id().map(|oa| cut(&oa))
}

fn text(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).filter(|t| !t.is_empty()).map(|t| cut(&t))
}

/// Whatever an undocumented event says besides its frame, as a JSON text.
fn raw(payload: &Payload<'_>) -> Option<String> {
    let members = payload.top_members().filter(|(name, _)| !FRAME.contains(name));
    let pieces: Vec<String> = members.map(|(name, raw)| format!("{}:{}", serde_json::Value::from(name), raw.json().trim())).collect();
    let whole = format!("{{{}}}", pieces.join(","));
    let fits = !pieces.is_empty() && whole.len() <= RAW_BYTES_MAX;
    fits.then_some(whole)
}
