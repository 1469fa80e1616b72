//! The last hours of one account in steps of five minutes: which share of what was sent has its receipt, and whether it came in the usual
//! time. A cohort that slows down shows here long before single messages pass their deadlines.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Millis, Span};

/// The length of a step.
pub const STEP: Span = Span::minutes(5);
/// How many steps are kept: three hours.
const STEPS: i64 = 36;

/// What was sent in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Messages sent.
    pub sent: u32,
    /// Those whose receipt came within the usual time.
    pub fast: u32,
    /// Those whose receipt came later.
    pub slow: u32,
}

/// The steps, by number since 1970; rising.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recent {
    steps: Vec<(i64, Step)>,
    /// The longest of the times that count as usual for a kind, in milliseconds; learned. Nothing younger tells anything yet.
    pub usual_ms: i64,
}

impl Recent {
    /// A message was sent. Before it is known what is usual for its kind it cannot be slow, and is not to be told here.
    pub fn sent(&mut self, at: Millis) {
        self.change(at, |s| s.sent += 1);
    }

    /// A message that was sent then has its first receipt now, within the time that is usual for its kind or later.
    pub fn receipted(&mut self, sent_at: Millis, fast: bool) {
        self.change(sent_at, |s| if fast { s.fast += 1 } else { s.slow += 1 });
    }

    /// What was sent lately may never get its receipt, for a reason that is known and over: it says nothing of the provider.
    pub fn forget(&mut self) {
        self.steps.clear();
    }

    fn change(&mut self, at: Millis, change: impl FnOnce(&mut Step)) {
        let n = at.0.div_euclid(STEP.0);
        let newest = self.steps.last().map_or(n, |(newest, _)| *newest);
        if n <= newest - STEPS {
            return;
        }
        let i = self.steps.partition_point(|(s, _)| *s < n);
        if self.steps.get(i).is_none_or(|(s, _)| *s != n) {
            self.steps.insert(i, (n, Step::default()));
            let oldest = self.steps.last().map_or(n, |(newest, _)| *newest) - STEPS;
            self.steps.retain(|(s, _)| *s > oldest);
        }
        if let Some((_, step)) = self.steps.iter_mut().rev().find(|(s, _)| *s == n) {
            change(step);
        }
    }

    /// Sums over the steps that end before `to` and begin at or after `from`.
    pub fn between(&self, from: Millis, to: Millis) -> Step {
        let within = self.steps.iter().filter(|(n, _)| *n * STEP.0 >= from.0 && (*n + 1) * STEP.0 <= to.0);
        within.fold(Step::default(), |sum, (_, s)| Step { sent: sum.sent + s.sent, fast: sum.fast + s.fast, slow: sum.slow + s.slow })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_are_told_apart_by_the_usual_time_and_count_for_the_step_of_their_sending() {
        let mut recent = Recent { usual_ms: 1_000, ..Recent::default() };
        recent.sent(Millis(0));
        recent.sent(Millis(1));
        recent.receipted(Millis(0), true);
        recent.receipted(Millis(1), false);
        assert_eq!(recent.between(Millis(0), Millis(STEP.0)), Step { sent: 2, fast: 1, slow: 1 });
        assert_eq!(recent.between(Millis(1), Millis(STEP.0)), Step::default(), "a step counts whole");
        recent.sent(Millis(STEP.0 * 40));
        assert_eq!(recent.between(Millis(0), Millis(STEP.0)), Step::default());
    }
}
