//! Values as they are typed: words out of a fixed set, moments, accounts, cursors. It must not know what they are for.

use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::domain::ids::AccountId;
use crate::domain::time::{Millis, Span};
use crate::present::cursor;
use crate::providers::PROVIDERS;
use crate::store::sqlite::query::Spot;

/// One word out of a fixed set.
pub fn among<T>(all: &'static [T], name: fn(T) -> &'static str) -> impl TypedValueParser<Value = T>
where
    T: Copy + Send + Sync + 'static,
{
    PossibleValuesParser::new(all.iter().map(|one| name(*one)))
        .try_map(move |word| all.iter().copied().find(|one| name(*one) == word).ok_or("not one of these words"))
}

/// The slug of a provider.
pub fn provider() -> PossibleValuesParser {
    PossibleValuesParser::new(PROVIDERS.iter().map(|p| p.slug))
}

/// A moment as it is typed: absolute, or so long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// At that moment.
    At(Millis),
    /// So long before now.
    Ago(Span),
}

impl When {
    /// Reads `2026-01-31T08:15:30+07:00`, `2026-01-31` (midnight in Vietnam) or `2h` (ago).
    ///
    /// # Errors
    /// What may be written instead.
    pub fn parse(text: &str) -> Result<When, &'static str> {
        let at = Millis::parse(text).ok().or_else(|| Millis::parse_vietnam(&format!("{text} 00:00"), "%Y-%m-%d %H:%M"));
        let ago = || Span::parse(text).ok().map(When::Ago);
        at.map(When::At)
            .or_else(ago)
            .ok_or("write a time such as 2026-01-31T08:15:30+07:00, a day such as 2026-01-31, or a span ago such as 2h")
    }

    /// The moment, seen from now.
    pub fn seen_from(self, now: Millis) -> Millis {
        match self {
            When::At(at) => at,
            When::Ago(span) => now.minus(span),
        }
    }
}

/// An account's slug.
///
/// # Errors
/// What a slug looks like.
pub fn account(text: &str) -> Result<AccountId, String> {
    AccountId::parse(text).map_err(|e| e.to_string())
}

/// A cursor of an earlier answer.
///
/// # Errors
/// Where to get one.
pub fn spot(text: &str) -> Result<Spot, &'static str> {
    cursor::decode(text).ok_or("not a cursor; take it from the answer before (next_cursor)")
}

/// A length of time.
///
/// # Errors
/// What one looks like.
pub fn duration(text: &str) -> Result<Duration, String> {
    let span = Span::parse(text).map_err(|e| e.to_string())?;
    u64::try_from(span.0).map(Duration::from_millis).map_err(|e| e.to_string())
}

/// How many times as fast.
///
/// # Errors
/// The bounds.
pub fn speed(text: &str) -> Result<f64, &'static str> {
    let speed = text.parse::<f64>().ok().filter(|n| (0.01..=100_000.0).contains(n));
    speed.ok_or("a number between 0.01 and 100000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_may_be_a_time_a_day_or_a_span_ago() {
        let at = |text: &str| Millis::parse(text).unwrap();
        assert_eq!(When::parse("2026-01-31T08:15:30+07:00"), Ok(When::At(at("2026-01-31T01:15:30Z"))));
        assert_eq!(When::parse("2026-01-31"), Ok(When::At(at("2026-01-30T17:00:00Z"))));
        assert_eq!(When::parse("2h").map(|w| w.seen_from(at("2026-01-31T08:00:00Z"))), Ok(at("2026-01-31T06:00:00Z")));
        for bad in ["", "yesterday", "2026-13-01", "-2h", "12"] {
            assert!(When::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_speed_is_a_sensible_number() {
        assert_eq!(speed("10"), Ok(10.0));
        for bad in ["0", "-1", "NaN", "inf", "fast"] {
            assert!(speed(bad).is_err(), "{bad}");
        }
    }
}
