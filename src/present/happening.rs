//! One entry of the feed as the outside is told of it: by the stream, and by whoever else tells things on.
//!
//! The message is shown as it stands when it is told, which may be later than what happened. It must not know who listens.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{self, Moment};
use super::{MessageView, Reader, examples};
use crate::domain::feed::{Entry, What};
use crate::domain::time::Millis;
use crate::store::StoreError;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Happening, example = json!(examples::happening()))]
pub struct HappeningView {
    /// What happened.
    #[serde(rename = "type")]
    #[schema(value_type = schema::HappeningType)]
    pub kind: &'static str,
    /// When it became known.
    #[schema(value_type = Moment)]
    pub timestamp: Millis,
    /// Account slug.
    pub account: String,
    /// The message as it stands now, without its timeline; null when retention took it.
    pub message: Option<MessageView>,
    /// The state before; null for a message that just became known, and where no state changed.
    #[schema(value_type = Option<schema::State>)]
    pub previous_state: Option<&'static str>,
    /// Why a message is, or was, stuck.
    #[schema(value_type = Option<schema::StuckCause>)]
    pub cause: Option<&'static str>,
    /// How an account's standing changed.
    pub standing: Option<StandingChange>,
    /// What an incident did.
    pub incident: Option<IncidentStep>,
}

/// How an account's standing changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct StandingChange {
    /// Before.
    #[schema(value_type = schema::AccountState)]
    pub from: &'static str,
    /// Now.
    #[schema(value_type = schema::AccountState)]
    pub to: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// What an incident did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentStep {
    /// Its number.
    #[schema(value_type = schema::IncidentNumber)]
    pub id: String,
    /// How many messages it has taken in so far.
    pub size: u64,
}

impl Reader<'_> {
    /// An entry of the feed, told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn happening(&self, entry: &Entry) -> Result<HappeningView, StoreError> {
        let message = match entry.what.message() {
            Some(id) => self.listed_message(id.row)?,
            None => None,
        };
        let mut view = HappeningView {
            kind: entry.what.name(),
            timestamp: entry.at,
            account: entry.account.to_string(),
            message,
            previous_state: None,
            cause: None,
            standing: None,
            incident: None,
        };
        match &entry.what {
            What::Moved { from, .. } => view.previous_state = from.map(|s| s.as_str()),
            What::Stuck { cause, .. } | What::Unstuck { cause, .. } => view.cause = Some(cause.as_str()),
            What::Account { from, to, reason } => {
                view.standing = Some(StandingChange { from: from.as_str(), to: to.as_str(), reason: reason.as_str() });
            }
            What::Incident { id, size, .. } => view.incident = Some(IncidentStep { id: id.to_string(), size: *size }),
        }
        Ok(view)
    }
}
