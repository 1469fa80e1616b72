//! The five states of a message and what is derived from its facts.

use super::failure::{Failure, named};
use super::time::Millis;

named! {
    /// Where a message stands.
    State {
        /// Known to us; no word yet that the provider took it.
        Queued = "queued",
        /// The provider took it.
        Sent = "sent",
        /// It reached the recipient.
        Delivered = "delivered",
        /// The recipient saw it.
        Read = "read",
        /// It failed.
        Failed = "failed",
    }
}

impl State {
    /// The state may still move by itself.
    pub const fn is_open(self) -> bool {
        matches!(self, State::Queued | State::Sent)
    }

    /// Strength among facts: a weaker fact never takes back a stronger one. Read, delivered, failed, sent, queued.
    pub const fn strength(self) -> u8 {
        match self {
            State::Queued => 0,
            State::Sent => 1,
            State::Failed => 2,
            State::Delivered => 3,
            State::Read => 4,
        }
    }
}

/// How many recipients a message has, and how they fared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipients {
    /// In all.
    pub total: u32,
    /// Delivered to.
    pub delivered: u32,
    /// Failed for.
    pub failed: u32,
}

/// What follows from the facts of a message: the whole outside state, a pure function of the set of facts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// The state.
    pub state: State,
    /// Earliest time it was queued.
    pub queued_at: Option<Millis>,
    /// Earliest time it was sent.
    pub sent_at: Option<Millis>,
    /// Earliest time over delivery and read facts.
    pub delivered_at: Option<Millis>,
    /// Earliest time it was read.
    pub read_at: Option<Millis>,
    /// Earliest time it failed.
    pub failed_at: Option<Millis>,
    /// Recipients.
    pub recipients: Recipients,
    /// All recipients are accounted for, some delivered and some failed.
    pub partial: bool,
    /// Proof of delivery and a failure report, or counters that cannot both be true.
    pub conflict: bool,
    /// The failure that is reported.
    pub failure: Option<Failure>,
    /// A send call was made and nobody knows how it ended.
    pub outcome_unknown: bool,
}
