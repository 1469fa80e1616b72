//! When a delivery is tried again, and when no more.

use crate::domain::time::{Millis, Span};
use crate::store::sqlite::outbox::DeliveryId;

/// The pause after each failed attempt; after the last one it is given up. Together a little more than three days.
pub const PAUSES: [Span; 9] = [
    Span::seconds(5),
    Span::minutes(5),
    Span::minutes(30),
    Span::hours(2),
    Span::hours(5),
    Span::hours(10),
    Span::hours(14),
    Span::hours(20),
    Span::hours(24),
];

/// How long something waits for a receiver that takes nothing: as long as the pauses take together. Where much waits, few of it get to
/// their last attempt.
pub const WAITS_MAX: Span = Span::hours(84);

/// Longest pause that a receiver may ask for.
const ASKED_MAX: Span = Span::hours(24);

/// What is due later than this from now was put there by a clock that has been put back since.
pub const AHEAD_MAX: Span = Span::hours(48);

/// How long a receiver that fails again and again is left alone: the first pause, doubled with each failure, up to the last.
const REST: (Span, Span) = (Span::seconds(5), Span::minutes(5));

/// After how many failures in a row it is.
const FAILURES_MAX: u32 = 3;

/// When it is tried again after so many failed attempts; `None`: no more. A receiver may ask for a longer pause, not for a shorter one.
pub fn next(attempts: u32, id: DeliveryId, now: Millis, asked: Option<Span>) -> Option<Millis> {
    let pause = PAUSES.get(attempts.checked_sub(1)? as usize)?;
    // Up to a tenth is added, so that what failed together does not come back together.
    let pause = Span(pause.0 + pause.0 / 10 * (mixed(id as u64, attempts) % 1_000) as i64 / 1_000);
    let asked = asked.map_or(Span(0), |span| span.min(ASKED_MAX));
    Some(now.plus(pause.max(asked)))
}

/// How long a receiver is left alone after so many failures in a row.
pub fn rest(failures: u32) -> Span {
    match failures.checked_sub(FAILURES_MAX) {
        None => Span(0),
        Some(more) => Span(REST.0.0 << more.min(6)).min(REST.1),
    }
}

/// A fixed mix: the same attempt has the same pause, whoever works it out.
fn mixed(id: u64, attempts: u32) -> u64 {
    let mut z = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(attempts).rotate_left(32);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}

/// The pause that a `Retry-After` asks for: seconds, or a moment such as `Sun, 06 Nov 1994 08:49:37 GMT`.
pub fn asked(header: &str, now: Millis) -> Option<Span> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u32>() {
        return Some(Span::seconds(i64::from(seconds)).min(ASKED_MAX));
    }
    let mut parts = header.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|m| *m == month)? + 1;
    let at = Millis::parse(&format!("{year}-{month:02}-{day}T{time}Z")).ok()?;
    Some(Span(at.0.saturating_sub(now.0).max(0)).min(ASKED_MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T: Millis = Millis(1_764_000_000_000);

    #[test]
    fn a_receiver_may_ask_for_a_longer_pause_and_not_for_a_shorter_one() {
        let pause = |asked| next(1, 1, T, asked).unwrap().0 - T.0;
        assert!((5_000..=5_500).contains(&pause(None)));
        assert!((5_000..=5_500).contains(&pause(Some(Span::seconds(1)))));
        assert_eq!(pause(Some(Span::seconds(120))), 120_000);
        assert_eq!(pause(Some(Span::days(9))), ASKED_MAX.0);
    }

    #[test]
    fn retry_after_is_seconds_or_a_moment() {
        let at = Millis::parse("1994-11-06T08:49:00Z").unwrap();
        assert_eq!(asked("120", at), Some(Span::seconds(120)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT", at), Some(Span::seconds(37)));
        assert_eq!(asked("Sun, 06 Nov 1994 08:48:37 GMT", at), Some(Span(0)));
        for nonsense in ["", "soon", "-5", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov"] {
            assert_eq!(asked(nonsense, at), None, "{nonsense}");
        }
    }

    #[test]
    fn one_failure_is_no_reason_to_rest_and_many_are() {
        assert_eq!([0, 2, 3, 4, 9, 40].map(rest), [0, 0, 5, 10, 300, 300].map(Span::seconds));
    }

    proptest! {
        #[test]
        fn it_is_tried_for_three_days_and_then_no_more(id in 1i64..i64::MAX) {
            let mut at = T;
            let mut attempts = 1;
            while let Some(then) = next(attempts, id, at, None) {
                prop_assert!(then > at);
                (at, attempts) = (then, attempts + 1);
            }
            prop_assert_eq!(attempts as usize, PAUSES.len() + 1);
            prop_assert!(at.0 - T.0 >= Span::days(3).0 && at.0 - T.0 <= WAITS_MAX.0, "{}", at.0 - T.0);
        }
    }
}
