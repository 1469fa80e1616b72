//! Questions of the query API: pages of messages and callbacks, groups of what is stuck, counts.
//!
//! Every page is newest first over a key that never changes (`listed_at`, `row` for messages; `received_at`, `seq` for callbacks), so a
//! cursor stays true while the list moves. One index leads; other filters are checked along it, at most a bounded number of rows a page:
//! a page may be shorter than asked and still have a cursor.

mod callbacks;
mod conditions;
mod messages;
mod stuck;
mod threads;

use crate::domain::failure::Class;
use crate::domain::ids::{AccountId, Seq};
use crate::domain::record::Status;
use crate::domain::state::State;
use crate::domain::stuck::Cause;
use crate::domain::time::Millis;

/// Which messages are wanted; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// In this state.
    pub state: Option<State>,
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// From this OA, Page or number.
    pub sender: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this template.
    pub template_id: Option<String>,
    /// To this recipient, in any of these spellings.
    pub recipient: Vec<String>,
    /// With this provider's id, in any of these spellings.
    pub message_id: Vec<IdSpelling>,
    /// With this reference.
    pub reference: Option<String>,
    /// Stuck.
    pub stuck: bool,
    /// Delivered to some and failed for others.
    pub partial: bool,
    /// Delivery proven and failure reported.
    pub conflict: bool,
    /// Failed with this class.
    pub failure_class: Option<Class>,
    /// Failed with this code.
    pub failure_code: Option<(String, Option<String>)>,
    /// Known from then on (inclusive).
    pub since: Option<Millis>,
    /// Known before then (exclusive).
    pub until: Option<Millis>,
}

/// An id of a message as some providers compare it. What one folds another may tell apart, so a spelling counts for its own only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdSpelling {
    /// The id.
    pub text: String,
    /// The providers whose spelling it is.
    pub providers: Vec<&'static str>,
}

/// A place in the list of messages: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// `listed_at` or `received_at`.
    pub at: Millis,
    /// `row` or `seq`.
    pub n: u64,
}

/// One page of rows, and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// After which the next page starts; `None` at the end.
    pub next: Option<Spot>,
}

/// Stuck messages of one account, kind, state and cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckGroup {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: Option<String>,
    /// The state.
    pub state: State,
    /// The cause.
    pub cause: Cause,
    /// How many.
    pub count: u64,
    /// Since when the oldest is in its state.
    pub oldest_since: Millis,
}

/// One callback as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackLine {
    /// Its record.
    pub seq: Seq,
    /// The account.
    pub account: AccountId,
    /// The provider.
    pub provider: String,
    /// When it arrived.
    pub received_at: Millis,
    /// Its status.
    pub status: Status,
    /// Why error or ignored.
    pub reason: Option<String>,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or of the query where there is no body.
    pub size: u64,
    /// How often it came again.
    pub repeats: u64,
}

/// Which callbacks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackFilter {
    /// With this status.
    pub status: Option<Status>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// Arrived from then on (inclusive).
    pub since: Option<Millis>,
    /// Arrived before then (exclusive).
    pub until: Option<Millis>,
}
