//! Quiet hours: whether it is quiet, and until when.

use crate::config::QuietHours;
use crate::domain::time::Millis;

const MINUTE: i64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// When the quiet hours end in which this moment lies; `None` outside of them.
pub fn ends(quiet: &QuietHours, now: Millis) -> Option<Millis> {
    let minutes = now.0.div_euclid(MINUTE);
    let local = (minutes + i64::from(quiet.offset)).rem_euclid(DAY_MINUTES);
    let (from, to) = (i64::from(quiet.from), i64::from(quiet.to));
    let inside = if from < to { (from..to).contains(&local) } else { local >= from || local < to };
    inside.then(|| Millis((minutes + (to - local).rem_euclid(DAY_MINUTES)) * MINUTE))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Millis {
        Millis::parse(text).unwrap()
    }

    #[test]
    fn a_night_goes_over_midnight_of_the_local_time() {
        let night = QuietHours { from: 22 * 60, to: 6 * 60, offset: 7 * 60 };
        assert_eq!(ends(&night, at("2026-01-31T21:59:59+07:00")), None);
        assert_eq!(ends(&night, at("2026-01-31T22:00:00+07:00")), Some(at("2026-02-01T06:00:00+07:00")));
        assert_eq!(ends(&night, at("2026-02-01T05:59:59.999+07:00")), Some(at("2026-02-01T06:00:00+07:00")));
        assert_eq!(ends(&night, at("2026-02-01T06:00:00+07:00")), None);
    }

    #[test]
    fn a_part_of_the_day_is_quiet_too_and_so_is_one_behind_utc() {
        let noon = QuietHours { from: 12 * 60, to: 13 * 60, offset: -210 };
        assert_eq!(ends(&noon, at("2026-01-31T12:30:00-03:30")), Some(at("2026-01-31T13:00:00-03:30")));
        assert_eq!(ends(&noon, at("2026-01-31T13:00:00-03:30")), None);
        assert_eq!(ends(&noon, Millis(-1)), None);
    }
}
