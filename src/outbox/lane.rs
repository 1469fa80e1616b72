//! One receiver's lane: how far it has followed, what is on its way to it, and how it has been answering.

use std::collections::HashSet;

use super::post::Answer;
use super::schedule;
use super::target::Target;
use super::{IN_FLIGHT_MAX, SENDERS, WAITING_AGAIN, WAITING_MAX};
use crate::domain::feed::FeedId;
use crate::domain::time::{Millis, Span};
use crate::store::sqlite::outbox::{DeliveryId, Footing};

/// One receiver's lane.
pub(super) struct Lane {
    /// The receiver.
    pub target: Target,
    /// The last entry of the feed that was looked at.
    pub at: Footing,
    /// The last one of which the file knows that it was.
    pub kept: FeedId,
    /// Deliveries on their way.
    pub in_flight: HashSet<DeliveryId>,
    /// Deliveries that wait for it.
    pub waiting: usize,
    /// As much waits for it as may.
    full: bool,
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
            at: Footing::default(),
            kept: 0,
            in_flight: HashSet::new(),
            waiting: 0,
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

    /// Its queue has no room for so many more. Once it had none, it has room again when a tenth is through.
    pub fn full(&mut self, more: usize) -> bool {
        let most = if self.full { WAITING_AGAIN } else { WAITING_MAX };
        self.full = self.waiting + more > most;
        self.full
    }

    /// It takes nothing just now: it fails so often that it is left alone.
    pub fn failing(&self) -> bool {
        schedule::rest(self.failures) > Span(0)
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
