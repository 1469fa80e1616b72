//! What an account's event of Meta states: policy enforcement, and the review of message templates. It must not know where in a callback
//! it stood.

use serde_json::{Map, Value};

use super::payload::{id, shown, text};
use crate::domain::event::{About, PolicyAction, TemplateChange, TemplateStatus, ToldStatus};
use crate::providers::json::Object;

/// Longest template id that is taken, in bytes.
const ID_BYTES_MAX: usize = 200;

/// What Meta did to the Page.
pub(super) fn policy(policy: &Object<'_>) -> About {
    let action = match text(policy, "action").unwrap_or_default().to_ascii_lowercase().as_str() {
        "warning" => PolicyAction::Warning,
        "block" => PolicyAction::Block,
        "unblock" => PolicyAction::Unblock,
        _ => PolicyAction::Other,
    };
    About::Policy { action, reason: text(policy, "reason").map(|r| shown(&r)) }
}

/// What the review of a template came to, and what of it is worth showing; `None` when no template is named.
pub(super) fn template(value: &Object<'_>) -> Option<(About, Map<String, Value>)> {
    let template_id = ["message_template_id", "template_id", "id"].into_iter().find_map(|name| id(value, name))?;
    let word = ["event", "status", "new_status"].into_iter().find_map(|name| text(value, name))?;
    if template_id.len() > ID_BYTES_MAX {
        return None;
    }
    let reason = text(value, "reason").filter(|r| !r.eq_ignore_ascii_case("none")).map(|r| shown(&r));
    let previous = text(value, "previous_status").map(|p| told(&p));
    let mut detail = Map::new();
    detail.insert("template_id".into(), template_id.as_str().into());
    detail.insert("status".into(), shown(&word).into());
    for name in ["message_template_name", "message_template_language", "reason"] {
        if let Some(text) = text(value, name) {
            detail.insert(name.into(), shown(&text).into());
        }
    }
    let change = TemplateChange::Status { previous, status: told(&word), reason };
    Some((About::Template { template_id, change }, detail))
}

fn told(word: &str) -> ToldStatus {
    let status = match word.to_ascii_uppercase().as_str() {
        "PENDING" | "IN_REVIEW" | "IN_APPEAL" => TemplateStatus::Pending,
        "APPROVED" | "REINSTATED" => TemplateStatus::Approved,
        "REJECTED" => TemplateStatus::Rejected,
        "DISABLED" | "PAUSED" | "LIMIT_EXCEEDED" => TemplateStatus::Disabled,
        "DELETED" | "PENDING_DELETION" => TemplateStatus::Deleted,
        _ => TemplateStatus::Unknown,
    };
    ToldStatus { status, raw: shown(word) }
}
