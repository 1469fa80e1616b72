//! What happened, as it happened: the entries that streams, subscriptions and alerts follow, in the order of their commits.
//!
//! An entry is written in the same commit as what it tells of, so none is missing and none is told twice. It names a message by its row;
//! whoever tells it on reads the message itself. It must not know who listens.

use serde::{Deserialize, Serialize};

use super::failure::named;
use super::ids::{AccountId, PublicId};
use super::state::State;
use super::stuck::Cause;
use super::time::Millis;
use super::watch::{IncidentId, Reason, Standing};

/// A place in the feed: 1, 2, 3 … in the order of commits.
pub type FeedId = u64;

/// The id under which an entry goes out: its number, and what the entry itself is known by, since a number can be given anew.
pub fn event_id(id: FeedId, mark: u32) -> String {
    format!("evt_{id}_{mark:08x}")
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The account it concerns.
    pub account: AccountId,
    /// When it became known to us.
    pub at: Millis,
    /// What it was.
    pub what: What,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A message entered a state.
    Moved {
        /// The message.
        id: MessageAt,
        /// From; `None` for a message that just became known.
        from: Option<State>,
        /// To.
        to: State,
    },
    /// A message was found stuck, or its cause became another one.
    Stuck {
        /// The message.
        id: MessageAt,
        /// Why.
        cause: Cause,
    },
    /// A message is stuck no more.
    Unstuck {
        /// The message.
        id: MessageAt,
        /// What had been the cause.
        cause: Cause,
    },
    /// An account's standing changed.
    Account {
        /// From.
        from: Standing,
        /// To.
        to: Standing,
        /// Why it is so now.
        reason: Reason,
    },
    /// An incident opened, grew or closed.
    Incident {
        /// Which.
        id: IncidentId,
        /// What it did.
        step: Step,
        /// How many messages it has taken in so far.
        size: u64,
    },
}

/// A message as an entry names it: what its public id is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageAt {
    /// Its row.
    pub row: u64,
    /// When it became known.
    pub created_at: Millis,
}

impl MessageAt {
    /// Its public id.
    pub fn public_id(self) -> PublicId {
        PublicId { created_at: self.created_at, row: self.row }
    }
}

named! {
    /// What an incident did.
    Step {
        /// It began.
        Opened = "opened",
        /// It became ten times as large as when it was last told of.
        Grew = "grew",
        /// It is over.
        Closed = "closed",
    }
}

impl What {
    /// The outside name of the event, as subscriptions filter by it.
    pub const fn name(&self) -> &'static str {
        match self {
            What::Moved { to: State::Queued, .. } => "message.queued",
            What::Moved { to: State::Sent, .. } => "message.sent",
            What::Moved { to: State::Delivered, .. } => "message.delivered",
            What::Moved { to: State::Read, .. } => "message.read",
            What::Moved { to: State::Failed, .. } => "message.failed",
            What::Stuck { .. } => "message.stuck",
            What::Unstuck { .. } => "message.unstuck",
            What::Account { .. } => "account.changed",
            What::Incident { step: Step::Opened, .. } => "incident.opened",
            What::Incident { step: Step::Grew, .. } => "incident.grew",
            What::Incident { step: Step::Closed, .. } => "incident.closed",
        }
    }

    /// The message that it is about.
    pub const fn message(&self) -> Option<MessageAt> {
        match self {
            What::Moved { id, .. } | What::Stuck { id, .. } | What::Unstuck { id, .. } => Some(*id),
            What::Account { .. } | What::Incident { .. } => None,
        }
    }
}

/// Every name that [`What::name`] gives, in the order in which they are shown.
pub const NAMES: &[&str] = &[
    "message.queued",
    "message.sent",
    "message.delivered",
    "message.read",
    "message.failed",
    "message.stuck",
    "message.unstuck",
    "account.changed",
    "incident.opened",
    "incident.grew",
    "incident.closed",
];
