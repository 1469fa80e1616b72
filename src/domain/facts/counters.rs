//! Counters of reports over several recipients, folded by maximum, and what they amount to.

use serde::{Deserialize, Serialize};

use super::seen::Seen;
use crate::domain::failure::Failure;
use crate::domain::state::Recipients;

/// The largest value of a counter, and when that value was first seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// The value.
    pub n: u32,
    /// When it was first seen.
    pub seen: Seen,
}

impl Count {
    pub(super) fn join(&mut self, other: Count) {
        match other.n.cmp(&self.n) {
            std::cmp::Ordering::Greater => *self = other,
            std::cmp::Ordering::Equal => self.seen.join(other.seen),
            std::cmp::Ordering::Less => {}
        }
    }
}

/// The counters of every finished report, each folded by maximum (protocol: eSMS 5.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Delivered to.
    pub delivered: Count,
    /// Failed for.
    pub failed: Count,
    /// Recipients, at least 1.
    pub total: u32,
    /// The provider's reason.
    pub failure: Option<Failure>,
}

impl Counters {
    pub(super) fn join(&mut self, other: &Counters) {
        self.delivered.join(other.delivered);
        self.failed.join(other.failed);
        self.total = self.total.max(other.total);
        Failure::join(&mut self.failure, other.failure.as_ref());
    }

    pub(super) fn recipients(&self) -> Recipients {
        let total = self.total.max(1);
        let delivered = self.delivered.n.min(total);
        Recipients { total, delivered, failed: self.failed.n.min(total - delivered) }
    }

    pub(super) fn verdict(&self) -> Verdict {
        let (s, f, r) = (u64::from(self.delivered.n), u64::from(self.failed.n), u64::from(self.total.max(1)));
        let over = s + f > r;
        match (s > 0, f > 0) {
            _ if s + f < r => Verdict::Open,
            (true, false) => Verdict::Delivered { partial: false, conflict: over },
            (true, true) => Verdict::Delivered { partial: r > 1, conflict: over || r == 1 },
            (false, true) => Verdict::Failed { conflict: over },
            (false, false) => Verdict::Open,
        }
    }
}

pub(super) enum Verdict {
    Open,
    Delivered { partial: bool, conflict: bool },
    Failed { conflict: bool },
}
