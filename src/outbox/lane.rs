//! One receiver's lane: how far it has followed, what is on its way to it, and how it has been answering.

use std::collections::HashSet;

use super::post::Answer;
use super::schedule;
use super::target::Target;
use super::{IN_FLIGHT_MAX, SENDERS};
use crate::domain::feed::FeedId;
use crate::domain::time::Millis;
use crate::store::sqlite::outbox::DeliveryId;

/// One receiver's lane.
pub(super) struct Lane {
    /// The receiver.
    pub target: Target,
    /// The last entry of the feed that was looked at.
    pub cursor: FeedId,
    /// The last one of which the file knows that it was.
    pub kept: FeedId,
    /// Deliveries on their way.
    pub in_flight: HashSet<DeliveryId>,
    /// As much waits for it as may.
    pub full: bool,
    /// It is gone for good.
    pub disabled: bool,
    failures: u32,
    rest_until: Millis,
}

impl Lane {
    /// A lane that has not answered yet.
    pub fn new(target: Target) -> Lane {
        Lane {
            target,
            cursor: 0,
            kept: 0,
            in_flight: HashSet::new(),
            full: false,
            disabled: false,
            failures: 0,
            rest_until: Millis(i64::MIN),
        }
    }

    /// How many more deliveries may go on their way now, given how many lanes share the senders. To one that failed last goes one at a
    /// time; an alert goes one at a time always.
    pub fn room(&self, lanes: usize, now: Millis) -> usize {
        let resting = now < self.rest_until && self.rest_until < now.plus(schedule::AHEAD_MAX);
        if self.disabled || resting {
            return 0;
        }
        let share = (SENDERS / lanes.max(1)).clamp(1, IN_FLIGHT_MAX);
        let most = if self.failures > 0 || !self.target.config.is_subscription() { 1 } else { share };
        most.saturating_sub(self.in_flight.len())
    }

    /// Learns how it answered.
    pub fn answered(&mut self, answer: &Answer, now: Millis) {
        match answer {
            Answer::Taken => (self.failures, self.rest_until) = (0, now),
            Answer::Failed { asked, .. } => {
                self.failures = self.failures.saturating_add(1);
                let rest = schedule::rest(self.failures).max(asked.unwrap_or_default());
                self.rest_until = now.plus(rest);
            }
            Answer::Gone => self.disabled = true,
        }
    }

    /// Forgets how it answered: somebody says that it is well.
    pub fn refresh(&mut self, disabled: bool) {
        (self.failures, self.rest_until, self.disabled) = (0, Millis(i64::MIN), disabled);
    }
}
