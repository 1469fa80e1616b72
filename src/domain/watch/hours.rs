//! Sends, receipts and failures of one account by the hour of sending, seven days back: how large a share of messages usually gets a
//! receipt. It must not know what a share means.

use serde::{Deserialize, Serialize};

use crate::domain::time::{Millis, Span};

/// How many hours are kept.
const HOURS: i64 = 168;
/// One hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// The counts of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hour {
    /// Messages sent in it.
    pub sent: u32,
    /// Those of them that got a receipt, whenever.
    pub receipted: u32,
    /// Messages that failed in it.
    pub failed: u32,
}

/// The hours, by number since 1970; rising.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours(Vec<(i64, Hour)>);

impl Hours {
    /// A message was sent.
    pub fn sent(&mut self, at: Millis) {
        self.change(at, |h| h.sent += 1);
    }

    /// A message sent then got its first receipt.
    pub fn receipted(&mut self, sent_at: Millis) {
        self.change(sent_at, |h| h.receipted += 1);
    }

    /// A message failed.
    pub fn failed(&mut self, at: Millis) {
        self.change(at, |h| h.failed += 1);
    }

    fn change(&mut self, at: Millis, change: impl FnOnce(&mut Hour)) {
        let n = at.0.div_euclid(HOUR_MS);
        let newest = self.0.last().map_or(n, |(newest, _)| *newest);
        if n <= newest - HOURS {
            return;
        }
        let i = self.0.partition_point(|(h, _)| *h < n);
        if self.0.get(i).is_none_or(|(h, _)| *h != n) {
            self.0.insert(i, (n, Hour::default()));
            // A time far ahead (a sender's wrong clock) must not throw the past away at once: it is kept out by whoever tells it.
            let oldest = self.0.last().map_or(n, |(newest, _)| *newest) - HOURS;
            self.0.retain(|(h, _)| *h > oldest);
        }
        // What was put in first may have thrown older ones out before it.
        if let Some((_, hour)) = self.0.iter_mut().rev().find(|(h, _)| *h == n) {
            change(hour);
        }
    }

    /// Sums over the hours that lie wholly within two times.
    pub fn between(&self, from: Millis, to: Millis) -> Hour {
        let within = self.0.iter().filter(|(n, _)| *n * HOUR_MS >= from.0 && (*n + 1) * HOUR_MS <= to.0);
        within.fold(Hour::default(), |sum, (_, h)| Hour {
            sent: sum.sent.saturating_add(h.sent),
            receipted: sum.receipted.saturating_add(h.receipted),
            failed: sum.failed.saturating_add(h.failed),
        })
    }

    /// Drops the hours behind a moment.
    pub fn forget_after(&mut self, now: Millis) {
        self.0.retain(|(n, _)| *n <= now.0.div_euclid(HOUR_MS));
    }

    /// Sums over the hours that a span before a time touches.
    pub fn last(&self, span: Span, now: Millis) -> Hour {
        self.between(Millis(now.0 - span.0 - HOUR_MS), Millis(now.0 + HOUR_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_counts_for_the_hour_of_its_sending_and_old_hours_go() {
        let mut hours = Hours::default();
        let day = Span::days(1);
        hours.sent(Millis(5));
        hours.sent(Millis(HOUR_MS + 5));
        hours.receipted(Millis(5));
        assert_eq!(hours.between(Millis(0), Millis(HOUR_MS)), Hour { sent: 1, receipted: 1, failed: 0 });
        assert_eq!(hours.between(Millis(0), Millis(HOUR_MS * 2)), Hour { sent: 2, receipted: 1, failed: 0 });
        hours.failed(Millis(day.0 * 7));
        assert_eq!(hours.between(Millis(0), Millis(HOUR_MS * 2)), Hour { sent: 1, receipted: 0, failed: 0 });
        hours.sent(Millis(0));
        assert_eq!(hours.between(Millis(0), Millis(HOUR_MS)), Hour::default(), "too old to count");
    }
}
