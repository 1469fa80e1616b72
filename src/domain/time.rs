//! Moments and spans. Every moment in this program is a [`Millis`]; nobody below `clock` asks what time it is.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment: milliseconds since 1970-01-01T00:00:00Z, shown as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

/// The text is no RFC 3339 moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an RFC 3339 time such as 2026-01-31T08:15:30.123Z")]
pub struct NotATime;

impl Millis {
    /// The smallest moment a provider's time is believed (2015-01-01); older values are garbage or samples.
    pub const PROVIDER_MIN: Millis = Millis(1_420_070_400_000);

    /// Reads RFC 3339 with any offset.
    ///
    /// # Errors
    /// [`NotATime`] when the text has another form or lies outside the years 0000 to 9999.
    pub fn parse(text: &str) -> Result<Millis, NotATime> {
        let at = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| NotATime)?;
        Millis(at.timestamp_millis()).checked().ok_or(NotATime)
    }

    /// This moment, if it can be shown with a four-digit year.
    pub fn checked(self) -> Option<Millis> {
        (-62_167_219_200_000..=253_402_300_799_999).contains(&self.0).then_some(self)
    }

    /// Reads a local Vietnamese time (UTC+7, no daylight saving) in a `chrono` format.
    pub fn parse_vietnam(text: &str, format: &str) -> Option<Millis> {
        let local = NaiveDateTime::parse_from_str(text, format).ok()?;
        Millis(local.and_utc().timestamp_millis() - 7 * 3_600_000).checked()
    }

    /// This moment, if it is one a provider can have meant: between 2015-01-01 and 30 days after `arrival`.
    pub fn plausible(self, arrival: Millis) -> Option<Millis> {
        (self >= Self::PROVIDER_MIN && self <= arrival.plus(Span::days(30))).then_some(self)
    }

    /// This moment moved by a span, saturating.
    pub fn plus(self, span: Span) -> Millis {
        Millis(self.0.saturating_add(span.0))
    }

    /// This moment moved back by a span, saturating.
    pub fn minus(self, span: Span) -> Millis {
        Millis(self.0.saturating_sub(span.0))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(at) => f.write_str(&at.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{}ms", self.0),
        }
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { self.0.serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Millis::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Millis)
        }
    }
}

/// A length of time in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

/// The text is no span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a span such as \"90s\", \"15m\", \"2h\" or \"30d\"")]
pub struct NotASpan;

impl Span {
    /// So many seconds.
    pub const fn seconds(n: i64) -> Span {
        Span(n * 1_000)
    }
    /// So many minutes.
    pub const fn minutes(n: i64) -> Span {
        Span(n * 60_000)
    }
    /// So many hours.
    pub const fn hours(n: i64) -> Span {
        Span(n * 3_600_000)
    }
    /// So many days of 24 hours.
    pub const fn days(n: i64) -> Span {
        Span(n * 86_400_000)
    }

    /// Reads `500ms`, `90s`, `15m`, `2h` or `30d`.
    ///
    /// # Errors
    /// [`NotASpan`] for anything else, and for spans beyond 100 years.
    pub fn parse(text: &str) -> Result<Span, NotASpan> {
        let text = text.trim();
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or(NotASpan)?;
        let (digits, unit) = text.split_at(split);
        let n: i64 = digits.parse().map_err(|_| NotASpan)?;
        let unit_ms = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(NotASpan),
        };
        let ms = n.checked_mul(unit_ms).ok_or(NotASpan)?;
        if ms > Span::days(36_525).0 { Err(NotASpan) } else { Ok(Span(ms)) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
        for (ms, unit) in units {
            if self.0 != 0 && self.0 % ms == 0 {
                return write!(f, "{}{unit}", self.0 / ms);
            }
        }
        write!(f, "{}ms", self.0)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Span::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_utc_with_milliseconds() {
        assert_eq!(Millis(1_764_000_000_111).to_string(), "2025-11-24T16:00:00.111Z");
        assert_eq!(Millis::parse("2025-11-24T23:00:00.111+07:00"), Ok(Millis(1_764_000_000_111)));
        assert_eq!(Millis::parse("yesterday"), Err(NotATime));
    }

    #[test]
    fn vietnamese_local_time_is_seven_hours_ahead() {
        let at = Millis::parse_vietnam("09/11/2025 08:15:40", "%d/%m/%Y %H:%M:%S").unwrap();
        assert_eq!(at.to_string(), "2025-11-09T01:15:40.000Z");
    }

    #[test]
    fn spans_read_and_show_the_same() {
        for text in ["500ms", "90s", "15m", "2h", "30d"] {
            assert_eq!(Span::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "5", "h", "-1h", "5 fortnights", "99999999999999999999d"] {
            assert_eq!(Span::parse(text), Err(NotASpan), "{text}");
        }
    }

    #[test]
    fn a_provider_time_is_believed_only_near_its_arrival() {
        let arrival = Millis(1_764_000_000_000);
        assert_eq!(Millis(4321).plausible(arrival), None);
        assert_eq!(Millis(1_763_999_999_000).plausible(arrival), Some(Millis(1_763_999_999_000)));
        assert_eq!(arrival.plus(Span::days(31)).plausible(arrival), None);
    }
}
