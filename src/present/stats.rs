//! The numbers as the outside sees them: what became of the messages of a span of time, in lines by account, kind, template, carrier or
//! hour.
//!
//! A message belongs to the hour in which it became known, so a line says what became of those messages so far. It must not know how they
//! were counted.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{FailureClass, Moment};
use super::{Reader, examples};
use crate::domain::failure::{Class, named};
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::time::{Millis, Span};
use crate::domain::watch::sketch::Sketch;
use crate::domain::watch::tally::place::{self, By, Period, day_of, hour_of, hours_of_day};
use crate::domain::watch::tally::{Cell, first_hour_apart};
use crate::store::StoreError;

/// The span where none is asked for.
pub const SPAN: Span = Span::hours(24);

/// The longest span.
pub const SPAN_MAX: Span = Span::days(400);

/// The longest span in lines by hour.
pub const SPAN_BY_HOUR_MAX: Span = Span::days(31);

/// Ten-thousandths of a dong in a dong.
const PARTS_OF_A_DONG: f64 = 10_000.0;

named! {
    /// What makes a line, beside the account.
    LinesBy {
        /// Nothing else.
        Account = "account",
        /// The kind.
        Kind = "kind",
        /// The template.
        Template = "template",
        /// The carrier.
        Carrier = "carrier",
        /// The hour.
        Hour = "hour",
    }
}

impl LinesBy {
    /// By what the messages of such lines were counted, where it says so.
    fn counted(self) -> Option<By> {
        match self {
            LinesBy::Account => None,
            LinesBy::Kind | LinesBy::Hour => Some(By::Kind),
            LinesBy::Template => Some(By::Template),
            LinesBy::Carrier => Some(By::Carrier),
        }
    }
}

/// Which numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatsQuery {
    account: Option<AccountId>,
    /// By what they were counted, and the one value that is wanted.
    by: By,
    value: Option<String>,
    lines: LinesBy,
    /// Hours, the last one not included.
    hours: (i64, i64),
}

/// What a question for numbers may name.
#[derive(Clone, Debug, Default)]
pub struct StatsAsked {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this template.
    pub template_id: Option<String>,
    /// Of this carrier.
    pub carrier: Option<String>,
    /// From then on.
    pub since: Option<Millis>,
    /// Before then.
    pub until: Option<Millis>,
    /// What makes a line.
    pub by: Option<LinesBy>,
}

/// The parameter that makes a question one without an answer, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchNumbers {
    /// The parameter.
    pub at: &'static str,
    /// Why.
    pub why: &'static str,
}

impl StatsAsked {
    /// The question, seen from now.
    ///
    /// # Errors
    /// When there are no such numbers.
    pub fn question(self, now: Millis) -> Result<StatsQuery, NoSuchNumbers> {
        let no = |at, why| Err(NoSuchNumbers { at, why });
        let one = [(By::Kind, self.kind), (By::Template, self.template_id), (By::Carrier, self.carrier)];
        let mut wanted = one.into_iter().filter_map(|(by, value)| value.map(|v| (by, v)));
        let filter = wanted.next();
        if wanted.next().is_some() {
            return no("kind", "messages are counted by kind, by template and by carrier, not by two of them together; name one");
        }
        let lines = self.by.unwrap_or(match filter {
            Some((By::Template, _)) => LinesBy::Template,
            Some((By::Carrier, _)) => LinesBy::Carrier,
            _ => LinesBy::Kind,
        });
        let by = match (&filter, lines.counted()) {
            (Some((by, _)), Some(lines)) if *by != lines => {
                return no("by", "templates and carriers are counted apart from kinds, and by day; leave `by` out, or the other filter");
            }
            (Some((by, _)), _) => *by,
            (None, lines) => lines.unwrap_or(By::Kind),
        };
        let until = self.until.unwrap_or(now);
        let since = self.since.unwrap_or(until.minus(SPAN));
        if since >= until {
            return no("until", "not after `since`, so nothing can lie between");
        }
        let span = Span(until.0.saturating_sub(since.0));
        if span > SPAN_MAX {
            return no("since", "at most 400 days can be asked for at once");
        }
        if lines == LinesBy::Hour && span > SPAN_BY_HOUR_MAX {
            return no("since", "at most 31 days can be asked for by hour at once");
        }
        let mut hours = (hour_of(since), hour_of(Millis(until.0.saturating_sub(1))) + 1);
        if by != By::Kind {
            hours = (day_of(hours.0) * 24, (day_of(hours.1 - 1) + 1) * 24);
        }
        Ok(StatsQuery { account: self.account, by, value: filter.map(|(_, value)| value), lines, hours })
    }
}

/// The numbers of a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Stats, example = json!(examples::stats()))]
pub struct StatsView {
    /// The lines; by account, then by value or hour.
    pub data: Vec<StatsLine>,
    /// From when on messages are counted: the beginning of an hour; of a day (in Vietnam) for templates and carriers, and where hours are
    /// no longer kept apart.
    #[schema(value_type = Moment)]
    pub since: Millis,
    /// Before when.
    #[schema(value_type = Moment)]
    pub until: Millis,
}

/// What became of the messages of one line.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct StatsLine {
    /// Account slug.
    pub account: String,
    /// Kind slug; `other` for those beyond the number that is counted apart. Null where a line has several, or messages have none.
    pub kind: Option<String>,
    /// The template, likewise.
    pub template_id: Option<String>,
    /// The carrier as the provider names it, likewise.
    pub carrier: Option<String>,
    /// Beginning of the hour, in lines by hour; of the day (in Vietnam) where hours are no longer kept apart.
    #[schema(value_type = Option<Moment>)]
    pub hour: Option<Millis>,
    /// Messages that are queued now.
    pub queued: u64,
    /// That are sent now.
    pub sent: u64,
    /// That are delivered now.
    pub delivered: u64,
    /// That are read now.
    pub read: u64,
    /// That are failed now.
    pub failed: u64,
    /// How many ever entered each state.
    pub entered: EnteredView,
    /// How many moved only after they had been stuck.
    pub late: u64,
    /// Delivered and read ones among those with an outcome; null without any.
    pub delivery_rate: Option<f64>,
    /// Failed ones among those with an outcome; null without any.
    pub failure_rate: Option<f64>,
    /// How long they took, in milliseconds.
    pub latency: LatencyView,
    /// Failed ones by class.
    #[schema(value_type = BTreeMap<FailureClass, u64>)]
    pub failures: BTreeMap<&'static str, u64>,
    /// What they cost, where the provider tells.
    pub money: MoneyView,
}

/// How many messages ever entered each state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Entered)]
pub struct EnteredView {
    /// Queued.
    pub queued: u64,
    /// Sent.
    pub sent: u64,
    /// Delivered.
    pub delivered: u64,
    /// Read.
    pub read: u64,
    /// Failed.
    pub failed: u64,
}

/// How long messages took from state to state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Latency)]
pub struct LatencyView {
    /// From queued to sent.
    pub queued_to_sent: QuantilesView,
    /// From sent to delivered; without those whose delivery is known only by their being read.
    pub sent_to_delivered: QuantilesView,
    /// From delivered to read.
    pub delivered_to_read: QuantilesView,
}

/// Quantiles in milliseconds, within 2 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Quantiles)]
pub struct QuantilesView {
    /// Half of them took no longer.
    pub p50: Option<i64>,
    /// Nine of ten took no longer.
    pub p90: Option<i64>,
    /// 99 of 100 took no longer.
    pub p99: Option<i64>,
    /// Of how many.
    pub count: u64,
}

/// Money.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Money)]
pub struct MoneyView {
    /// `VND`.
    #[schema(pattern = "^VND$")]
    pub currency: &'static str,
    /// All that was charged.
    pub spent: f64,
    /// What was charged for messages that failed.
    pub on_failed: f64,
}

/// What makes a line: the account, the value, the time.
type LineOf = (String, Option<String>, Option<Millis>);

impl Reader<'_> {
    /// The numbers of a span of time.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stats(&self, query: &StatsQuery) -> Result<StatsView, StoreError> {
        let query = &query.widened(first_hour_apart(&|name| self.state.sheets(name))?);
        let mut lines: BTreeMap<LineOf, Cell> = BTreeMap::new();
        let (first, end) = query.hours;
        for day in day_of(first)..=day_of(end - 1) {
            let hours = if query.by == By::Kind { self.state.sheets(&hours_of_day(day))? } else { Vec::new() };
            for (name, data) in hours.into_iter().chain(self.state.sheets(&Period::Day(day).prefix())?) {
                let Some((of, cell)) = query.line(&name).and_then(|of| Some((of, Cell::decode(&data)?))) else { continue };
                lines.entry(of).or_default().merge(&cell);
            }
        }
        let data = lines.into_iter().map(|(of, cell)| line(query.lines, of, &cell)).collect();
        Ok(StatsView { data, since: Period::Hour(first).begins(), until: Period::Hour(end).begins() })
    }
}

impl StatsQuery {
    /// The same question as it can be answered: hours before `apart` are kept only in the sum of their day, which counts as a whole. Of
    /// the day in which that hour lies, the sum holds the hours before it.
    fn widened(&self, apart: i64) -> StatsQuery {
        let (mut first, mut end) = self.hours;
        if self.by == By::Kind && first < apart {
            first = day_of(first) * 24;
            if end < apart {
                end = ((day_of(end - 1) + 1) * 24).min(apart);
            }
        }
        StatsQuery { hours: (first, end), ..self.clone() }
    }

    /// The line to which a sheet belongs, if it is asked for.
    fn line(&self, name: &str) -> Option<LineOf> {
        let place = place::read(name)?;
        let within = match place.period {
            Period::Hour(hour) => (self.hours.0..self.hours.1).contains(&hour),
            // Of a span that begins within a day, the sum of the hours before is no part.
            Period::Day(day) => self.hours.0 <= day * 24,
        };
        let fits = within
            && place.by == self.by
            && self.account.as_ref().is_none_or(|a| a.as_str() == place.account)
            && self.value.as_ref().is_none_or(|v| Some(v) == place.value.as_ref());
        let at = (self.lines == LinesBy::Hour).then(|| place.period.begins());
        let by_value = self.value.is_some() || matches!(self.lines, LinesBy::Kind | LinesBy::Template | LinesBy::Carrier);
        fits.then(|| (place.account, place.value.filter(|_| by_value), at))
    }
}

fn line(lines: LinesBy, (account, value, hour): LineOf, cell: &Cell) -> StatsLine {
    let of = |by: LinesBy| value.clone().filter(|_| lines == by);
    let entered = |state| cell.entered(state);
    StatsLine {
        account,
        kind: value.clone().filter(|_| !matches!(lines, LinesBy::Template | LinesBy::Carrier)),
        template_id: of(LinesBy::Template),
        carrier: of(LinesBy::Carrier),
        hour,
        queued: cell.now(State::Queued),
        sent: cell.now(State::Sent),
        delivered: cell.now(State::Delivered),
        read: cell.now(State::Read),
        failed: cell.now(State::Failed),
        entered: EnteredView {
            queued: entered(State::Queued),
            sent: entered(State::Sent),
            delivered: entered(State::Delivered),
            read: entered(State::Read),
            failed: entered(State::Failed),
        },
        late: cell.late(),
        delivery_rate: cell.delivery_rate(),
        failure_rate: cell.failure_rate(),
        latency: LatencyView {
            queued_to_sent: quantiles(&cell.queued_to_sent),
            sent_to_delivered: quantiles(&cell.sent_to_delivered),
            delivered_to_read: quantiles(&cell.delivered_to_read),
        },
        failures: cell.failures().into_iter().map(|(class, n): (Class, u64)| (class.as_str(), n)).collect(),
        money: MoneyView {
            currency: "VND",
            spent: cell.spent() as f64 / PARTS_OF_A_DONG,
            on_failed: cell.spent_on_failed() as f64 / PARTS_OF_A_DONG,
        },
    }
}

fn quantiles(sketch: &Sketch) -> QuantilesView {
    let at = |share| sketch.quantile(share).map(|span| span.0);
    QuantilesView { p50: at(0.5), p90: at(0.9), p99: at(0.99), count: sketch.count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_764_000_000_000);

    fn asked(f: impl FnOnce(&mut StatsAsked)) -> Result<StatsQuery, NoSuchNumbers> {
        let mut asked = StatsAsked::default();
        f(&mut asked);
        asked.question(NOW)
    }

    #[test]
    fn without_more_it_is_the_last_day_by_kind_in_whole_hours() {
        let query = asked(|_| {}).unwrap();
        assert_eq!((query.lines, query.by, query.hours.1 - query.hours.0), (LinesBy::Kind, By::Kind, 24));
        let odd = StatsAsked::default().question(NOW.plus(Span(1))).unwrap();
        assert_eq!(odd.hours.1 - odd.hours.0, 25, "the hour that has begun counts, and the one in which the span began");
        let days = asked(|a| a.by = Some(LinesBy::Carrier)).unwrap();
        assert_eq!((days.hours.0 % 24, days.hours.1 % 24), (0, 0));
    }

    #[test]
    fn where_only_days_are_kept_a_span_is_of_whole_days_and_says_so() {
        // The hours before 10:00 of day 2 are folded.
        let (folded, span) = (2 * 24 + 10, |first, end| StatsQuery { hours: (first, end), ..asked(|_| {}).unwrap() });
        let widened = |first, end| span(first, end).widened(folded).hours;
        assert_eq!(widened(3, 5), (0, 24), "some hours of an old day");
        assert_eq!(widened(23, 25), (0, 48), "of two old days");
        assert_eq!(widened(50, 52), (48, folded), "of the day that is half folded: its sum is of the hours before");
        assert_eq!(widened(50, 70), (48, 70), "hours that are kept apart stay apart");
        assert_eq!(widened(59, 70), (59, 70));
        let day = place::name(Period::Day(2), "shop-oa", By::Kind, place::Of::Nothing);
        assert!(span(59, 70).line(&day).is_none(), "the sum of hours that nobody asked for");
        assert!(span(48, 70).line(&day).is_some());
        let templates = StatsQuery { by: By::Template, ..span(0, 24) };
        assert_eq!(templates.widened(folded), templates, "they were asked for by day");
    }

    #[test]
    fn what_is_not_counted_together_cannot_be_asked_for() {
        let at = |f: fn(&mut StatsAsked)| asked(f).map(|q| q.by).map_err(|e| e.at);
        assert_eq!(at(|a| a.template_id = Some("1".into())), Ok(By::Template));
        assert_eq!(at(|a| (a.carrier, a.by) = (Some("1".into()), Some(LinesBy::Account))), Ok(By::Carrier));
        assert_eq!(at(|a| (a.kind, a.by) = (Some("zns".into()), Some(LinesBy::Hour))), Ok(By::Kind));
        assert_eq!(at(|a| (a.kind, a.template_id) = (Some("zns".into()), Some("1".into()))), Err("kind"));
        assert_eq!(at(|a| (a.kind, a.by) = (Some("zns".into()), Some(LinesBy::Template))), Err("by"));
        assert_eq!(at(|a| (a.template_id, a.by) = (Some("1".into()), Some(LinesBy::Hour))), Err("by"));
        assert_eq!(at(|a| a.since = Some(NOW)), Err("until"));
        assert_eq!(at(|a| a.since = Some(NOW.minus(Span::days(401)))), Err("since"));
        assert_eq!(at(|a| (a.since, a.by) = (Some(NOW.minus(Span::days(32))), Some(LinesBy::Hour))), Err("since"));
    }
}
