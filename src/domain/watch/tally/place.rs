//! Where numbers are kept: which account, which property, which hour or day, and the name of the sheet.
//!
//! Hours and days are those of Vietnam, numbered from 1970. Times come first in a name, so a span of days is a few runs of names.

use crate::domain::time::{Millis, Span};

/// Vietnam has no daylight saving.
const VIETNAM: Span = Span::hours(7);

/// By what messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum By {
    /// By kind, hour by hour; old hours are folded into days.
    Kind,
    /// By template, day by day.
    Template,
    /// By carrier, day by day.
    Carrier,
}

impl By {
    const ALL: [By; 3] = [By::Kind, By::Template, By::Carrier];

    const fn slug(self) -> &'static str {
        match self {
            By::Kind => "kind",
            By::Template => "template",
            By::Carrier => "carrier",
        }
    }
}

/// An hour or a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Period {
    /// An hour.
    Hour(i64),
    /// A day.
    Day(i64),
}

/// The number of the hour in which a moment lies.
pub fn hour_of(at: Millis) -> i64 {
    at.plus(VIETNAM).0.div_euclid(Span::hours(1).0)
}

/// The number of the day in which an hour lies.
pub const fn day_of(hour: i64) -> i64 {
    hour.div_euclid(24)
}

impl Period {
    /// When it begins.
    pub fn begins(self) -> Millis {
        let hours = match self {
            Period::Hour(n) => n,
            Period::Day(n) => n.saturating_mul(24),
        };
        Millis(hours.saturating_mul(Span::hours(1).0)).minus(VIETNAM)
    }

    /// When it ends.
    pub fn ends(self) -> Millis {
        match self {
            Period::Hour(n) => Period::Hour(n + 1).begins(),
            Period::Day(n) => Period::Day(n + 1).begins(),
        }
    }

    /// What the names of all its sheets begin with.
    pub fn prefix(self) -> String {
        match self {
            Period::Hour(n) => format!("tally/hour/{:05}/{:02}/", day_of(n), n.rem_euclid(24)),
            Period::Day(n) => format!("tally/day/{n:05}/"),
        }
    }
}

/// What the names of the sheets of every hour of a day begin with.
pub fn hours_of_day(day: i64) -> String {
    format!("tally/hour/{day:05}/")
}

/// What is counted of a property: one value, none, or all those for which there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of<'a> {
    /// It has none.
    Nothing,
    /// This one.
    Value(&'a str),
    /// One of those beyond the number that is kept apart.
    Others,
}

/// How the sheet of others is called; no value is written so.
const OTHERS: &str = "*";

/// How the sheet of messages without the property is called; no value is written so.
const NOTHING: &str = "~";

/// The name of the sheet.
pub fn name(period: Period, account: &str, by: By, of: Of<'_>) -> String {
    let mut name = period.prefix() + account + "/" + by.slug() + "/";
    match of {
        Of::Nothing => name.push_str(NOTHING),
        Of::Others => name.push_str(OTHERS),
        Of::Value(value) => escape(value, &mut name),
    }
    name
}

/// What a sheet's name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The hour or day.
    pub period: Period,
    /// The account.
    pub account: String,
    /// The property.
    pub by: By,
    /// Its value; `None` for messages that have none.
    pub value: Option<String>,
    /// It stands for those for which there was no room.
    pub others: bool,
}

/// Reads the name of a sheet.
pub fn read(name: &str) -> Option<Place> {
    let mut parts = name.strip_prefix("tally/")?.split('/');
    let unit = parts.next()?;
    let day: i64 = parts.next()?.parse().ok()?;
    let period = match unit {
        "hour" => Period::Hour(day * 24 + parts.next()?.parse::<i64>().ok()?),
        "day" => Period::Day(day),
        _ => return None,
    };
    let account = parts.next()?.to_owned();
    let slug = parts.next()?;
    let by = By::ALL.into_iter().find(|by| by.slug() == slug)?;
    let (value, others) = match parts.next()? {
        NOTHING => (None, false),
        OTHERS => (Some("other".to_owned()), true),
        escaped => (Some(unescape(escaped)?), false),
    };
    Some(Place { period, account, by, value, others })
}

fn escape(value: &str, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for b in value.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.:".contains(&b) {
            out.push(char::from(b));
        } else {
            out.extend(['%', char::from(DIGITS[usize::from(b >> 4)]), char::from(DIGITS[usize::from(b & 15)])]);
        }
    }
}

fn unescape(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b == b'%' {
            let (high, low) = ((bytes.next()? as char).to_digit(16)?, (bytes.next()? as char).to_digit(16)?);
            out.push((high << 4 | low) as u8);
        } else {
            out.push(b);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_whatever_stands_in_it() {
        for of in [Of::Nothing, Of::Others, Of::Value("zns"), Of::Value("*"), Of::Value("a/b%c"), Of::Value("mẫu 7")] {
            for (period, by) in [(Period::Hour(498_765), By::Kind), (Period::Day(20_781), By::Template)] {
                let written = name(period, "shop-oa", by, of);
                let place = read(&written).unwrap_or_else(|| panic!("{written}"));
                assert_eq!((place.period, place.account.as_str(), place.by), (period, "shop-oa", by));
                let value = match of {
                    Of::Nothing => None,
                    Of::Others => Some("other"),
                    Of::Value(value) => Some(value),
                };
                assert_eq!((place.value.as_deref(), place.others), (value, of == Of::Others), "{written}");
            }
        }
        for foreign in ["tally/names/shop-oa", "tally/upto", "health/x", "tally/hour/1", "tally/day/x/a/kind/"] {
            assert_eq!(read(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_day_begins_at_midnight_in_vietnam() {
        let at = |text: &str| Millis::parse(text).unwrap();
        let hour = hour_of(at("2026-03-01T00:30:00+07:00"));
        assert_eq!(Period::Hour(hour).begins(), at("2026-03-01T00:00:00+07:00"));
        assert_eq!(Period::Day(day_of(hour)).begins(), at("2026-03-01T00:00:00+07:00"));
        assert_eq!(Period::Day(day_of(hour)).ends(), at("2026-03-02T00:00:00+07:00"));
        assert!(name(Period::Hour(hour), "a", By::Kind, Of::Nothing).starts_with(&hours_of_day(day_of(hour))));
    }
}
