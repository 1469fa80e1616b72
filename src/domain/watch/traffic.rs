//! What usually comes in at which hour of the week: learned from the hours that passed, and used as the least that can be expected.
//!
//! A slot remembers the counts of its last weeks. The smallest of them, cut by a safety factor, is what an hour promises; a slot that has
//! not been seen often enough promises nothing, and neither does one below the floor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::time::{Millis, Span};

/// One hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Vietnam's time, seven hours ahead of UTC: weekdays and hours are those of the business.
const VIETNAM_MS: i64 = 7 * HOUR_MS;
/// Hours of a week.
const SLOTS: i64 = 168;
/// How many weeks a slot remembers.
const WEEKS_KEPT: usize = 4;
/// How many weeks it must have seen to promise something.
const WEEKS_MIN: usize = 2;
/// How many days of the same kind (weekdays; weekends) must have had traffic at an hour, while the weeks are not enough.
const DAYS_MIN: usize = 3;
/// An hour with fewer callbacks than this promises nothing.
const FLOOR: u32 = 12;
/// How many hours wait before they are learned: an outage that is noticed until then is not taken for what is usual.
const UNSURE_HOURS: usize = 8;
/// Traffic comes in bursts: only this part of the smallest count is expected.
const SAFETY: f64 = 0.25;

/// The profile of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Traffic {
    /// Counts of the last weeks by hour of the week, newest last. Hours without any callback are there too, as zeros.
    slots: BTreeMap<u8, Vec<u32>>,
    /// The hour that is being counted, by number since 1970, and its count so far.
    current: Option<(i64, u32)>,
    /// It was watched from its beginning. What was read back was not: how much of it was missed while nobody watched is not known.
    #[serde(skip)]
    whole: bool,
    /// Hours that are over and not learned yet.
    unsure: Vec<(i64, u32)>,
}

impl Traffic {
    /// Callbacks came. `true` when the profile learned something, so that it must be kept.
    pub fn came(&mut self, at: Millis, n: u32) -> bool {
        let learned = self.pass(at);
        if let Some((hour, count)) = &mut self.current
            && *hour == at.0.div_euclid(HOUR_MS)
        {
            *count = count.saturating_add(n);
        }
        learned
    }

    /// Time passed: an hour that is over and was watched as a whole is learned, as a zero where nothing came. An hour of an outage must
    /// not become what is usual, so whoever knows of one passes it with [`Traffic::forget`]; hours that nobody watched, since the program
    /// stood still or the clock jumped, are not learned either.
    pub fn pass(&mut self, now: Millis) -> bool {
        let n = now.0.div_euclid(HOUR_MS);
        let Some((hour, count)) = self.current else {
            self.current = Some((n, 0));
            return false;
        };
        if n == hour {
            return false;
        }
        let (whole, watched) = (self.whole, n == hour + 1);
        self.whole = watched;
        if !watched || !whole {
            self.current = Some((n, 0));
            return n > hour;
        }
        self.unsure.push((hour, count));
        let sure = self.unsure.len().saturating_sub(UNSURE_HOURS);
        for (hour, count) in self.unsure.drain(..sure).collect::<Vec<_>>() {
            self.learn(hour, count);
        }
        self.current = Some((n, 0));
        true
    }

    /// Time passed during an outage: nothing of it is learned, nor of the hours that were not sure yet.
    pub fn forget(&mut self, now: Millis) {
        self.unsure.clear();
        self.whole = false;
        self.current = Some((now.0.div_euclid(HOUR_MS), 0));
    }

    fn learn(&mut self, hour: i64, count: u32) {
        let slot = self.slots.entry(slot(hour)).or_default();
        slot.push(count);
        if slot.len() > WEEKS_KEPT {
            slot.remove(0);
        }
    }

    /// The least number of callbacks that an hour promises; 0 where nothing can be said.
    fn promised(&self, hour: i64) -> f64 {
        let slot = slot(hour);
        let least = match self.slots.get(&slot) {
            Some(seen) if seen.len() >= WEEKS_MIN => seen.iter().copied().min(),
            _ => self.least_of_like_days(slot),
        };
        f64::from(least.filter(|n| *n >= FLOOR).unwrap_or(0)) * SAFETY
    }

    /// The least of the same hour on other days of the kind: weekdays for weekdays, weekends for weekends.
    fn least_of_like_days(&self, wanted: u8) -> Option<u32> {
        let weekend = |slot: u8| slot / 24 >= 5;
        let like = self.slots.iter().filter(|(s, _)| *s % 24 == wanted % 24 && weekend(**s) == weekend(wanted));
        let counts: Vec<u32> = like.filter_map(|(_, seen)| seen.last().copied()).collect();
        counts.iter().copied().min().filter(|_| counts.len() >= DAYS_MIN)
    }

    /// How many callbacks could be expected at least between two times, two days at most.
    pub fn expected(&self, from: Millis, to: Millis) -> f64 {
        let from = from.max(Millis(to.0 - Span::days(2).0));
        let (first, last) = (from.0.div_euclid(HOUR_MS), to.0.div_euclid(HOUR_MS));
        let part = |hour: i64| {
            let begin = (hour * HOUR_MS).max(from.0);
            let end = ((hour + 1) * HOUR_MS).min(to.0);
            (end - begin).max(0) as f64 / HOUR_MS as f64
        };
        (first..=last).map(|hour| self.promised(hour) * part(hour)).sum()
    }
}

/// The hour of the Vietnamese week, from Monday, of an hour since 1970 (which began on a Thursday).
fn slot(hour: i64) -> u8 {
    let local = hour + VIETNAM_MS / HOUR_MS + 3 * 24;
    local.rem_euclid(SLOTS) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_771_218_000_000; // 2026-02-16T05:00:00Z, noon in Vietnam

    /// Weeks of a shop that is written to on weekdays from eight to eighteen.
    fn weeks(n: i64) -> (Traffic, Millis) {
        let mut traffic = Traffic::default();
        let start = MONDAY - 12 * HOUR_MS;
        traffic.came(Millis(start - HOUR_MS), 0);
        for hour in 0..n * SLOTS {
            let at = Millis(start + hour * HOUR_MS);
            let (day, of_day) = (hour / 24 % 7, hour % 24);
            let open = day < 5 && (8..18).contains(&of_day);
            traffic.came(at, if open { 60 } else { 0 });
        }
        (traffic, Millis(start + n * SLOTS * HOUR_MS))
    }

    #[test]
    fn a_learned_weekday_promises_and_its_night_and_weekend_do_not() {
        let (mut traffic, monday) = weeks(3);
        traffic.pass(monday);
        let at = |day: i64, hour: i64| Millis(monday.0 + (day * 24 + hour) * HOUR_MS);
        assert!(traffic.expected(at(0, 9), at(0, 11)) > 25.0);
        assert_eq!(traffic.expected(at(0, 0), at(0, 7)), 0.0);
        assert_eq!(traffic.expected(at(5, 0), at(6, 23)), 0.0);
    }

    #[test]
    fn the_first_week_promises_by_days_of_the_kind_and_nothing_before_three_of_them() {
        let mut traffic = Traffic::default();
        let midnight = MONDAY - 12 * HOUR_MS;
        for day in 0..4 {
            let noon = Millis(midnight + (day * 24 + 12) * HOUR_MS);
            let expected = traffic.expected(noon, Millis(noon.0 + HOUR_MS));
            assert_eq!(expected > 0.0, day == 3, "day {day}: {expected}");
            (0..24).for_each(|hour| _ = traffic.came(Millis(midnight + (day * 24 + hour) * HOUR_MS), 40));
        }
    }

    #[test]
    fn a_quiet_week_lowers_what_is_promised_and_an_outage_does_not() {
        let (mut traffic, monday) = weeks(3);
        let ten = Millis(monday.0 + 10 * HOUR_MS);
        let before = traffic.expected(ten, Millis(ten.0 + HOUR_MS));
        traffic.forget(Millis(ten.0 + HOUR_MS));
        assert_eq!(traffic.expected(ten, Millis(ten.0 + HOUR_MS)), before);
        let mut quiet = weeks(3).0;
        (0..=11 + UNSURE_HOURS as i64).for_each(|hour| _ = quiet.pass(Millis(monday.0 + hour * HOUR_MS)));
        assert_eq!(quiet.expected(ten, Millis(ten.0 + HOUR_MS)), 0.0);
    }

    #[test]
    fn hours_that_nobody_watched_are_not_taken_for_quiet_ones() {
        let (traffic, monday) = weeks(3);
        let ten = Millis(monday.0 + 10 * HOUR_MS);
        let promise = |traffic: &Traffic| traffic.expected(ten, Millis(ten.0 + HOUR_MS));
        let before = promise(&traffic);
        // The program stands still for a week; the clock jumps a year ahead and comes back; it is started anew in the middle of an hour.
        let mut stood = traffic.clone();
        (0..30).for_each(|hour| _ = stood.pass(Millis(monday.0 + (SLOTS + hour) * HOUR_MS)));
        let mut jumped = traffic.clone();
        jumped.pass(Millis(monday.0 + 365 * 24 * HOUR_MS));
        jumped.pass(monday);
        let mut anew = Traffic { whole: false, ..traffic };
        anew.pass(Millis(ten.0 + HOUR_MS));
        for (name, traffic) in [("jumped", &jumped), ("anew", &anew)] {
            assert_eq!(promise(traffic), before, "{name}");
        }
        assert_eq!(stood.slots.get(&5).map(Vec::len), Some(4), "what is watched again is learned again");
        assert_eq!(jumped.current, Some((monday.0 / HOUR_MS, 0)));
    }
}
