//! What an item tells of its thread under Conversation Routing: whose it is now, and that the customer did something.
//!
//! Who is told of a take-over differs between Meta's own pages, so the ids are compared, not the kinds. It must not know what was told
//! before. Sources: `docs/providers/facebook.md`.

use super::item::Item;
use super::parse::is_echo;
use super::payload::{id, shown};
use crate::domain::event::ThreadFact;
use crate::domain::stuck::{Cause, Evidence, common_cause};
use crate::domain::time::Span;
use crate::providers::json::Object;

/// Thread control: somebody gained, lost or wants the right to send.
pub(super) const HANDOVERS: [&str; 3] = ["pass_thread_control", "take_thread_control", REQUEST];

const REQUEST: &str = "request_thread_control";

/// How long a customer may be answered freely after their last act.
pub(super) const WINDOW: Span = Span::hours(24);

/// Acts of the customer that open the window.
const ACTS: [&str; 4] = ["postback", "referral", "optin", "reaction"];

/// What the customer did in this item, if anything.
pub(super) fn act(item: &Item<'_>) -> Option<ThreadFact> {
    let wrote = item.object.object("message").is_some_and(|message| !is_echo(&message));
    let acted = ACTS.iter().any(|key| item.object.object(key).is_some());
    (wrote || acted).then_some(ThreadFact::Customer { direct: !item.standby, opens: true })
}

/// Whose the thread is after a handover, or who asks for it.
pub(super) fn handover(control: &Object<'_>, kind: &str, app_id: &str) -> ThreadFact {
    let named = |name: &str| id(control, name).map(|id| shown(&id));
    if kind == REQUEST {
        return ThreadFact::Wish { app_id: named("requested_owner_app_id") };
    }
    let owner = named("new_owner_app_id");
    let was_ours = named("previous_owner_app_id").as_deref() == Some(app_id);
    // Nobody named: all that is sure is that it is not ours any more where it was.
    let ours = owner.as_deref().map(|owner| owner == app_id).or(was_ours.then_some(false));
    ThreadFact::Handover { kind: kind.to_owned(), owner, ours }
}

/// Why a message is stuck: a thread that another app holds explains a send without an answer or a receipt.
pub(super) fn stuck_cause(evidence: &Evidence<'_>) -> Cause {
    match common_cause(evidence) {
        Cause::SendUnconfirmed | Cause::RecipientUnreachable if evidence.held_by_other => Cause::ThreadControl,
        cause => cause,
    }
}
