//! How long receipts of an account usually take, by kind of message and hour of the day of sending: the learned deadlines, and what counts as
//! slow. Sketches add up, so an hour that is too thin is answered from all hours of the kind; what is usual comes from all of them.

use std::collections::BTreeMap;

use super::judge::{GRACE_MAX, GRACE_MIN};
use super::sketch::Sketch;
use super::{Sheet, decode};
use crate::domain::ids::AccountId;
use crate::domain::time::{Millis, Span};

/// How many receipts make a sketch worth asking.
pub const LEARNED_FROM: u64 = 200;
/// A message is late beyond this share of those before it.
pub const LATE_SHARE: f64 = 0.995;
/// The usual time holds for this share of receipts; the odds of silence and the share of slow ones are reckoned with it. Not more: the phones
/// that are off for hours are many enough to make the time of nineteen in twenty worthless as a measure.
pub const USUAL_SHARE: f64 = 0.8;
/// A sketch with more is halved, so that it follows what changes.
const SKETCH_COUNT_MAX: u64 = 20_000;
/// Most kinds of one account that are told apart; messages of further ones count for the account only.
const KINDS_MAX: usize = 32;
/// Longest name of a kind that is told apart, in bytes.
const KIND_BYTES_MAX: usize = 64;
/// One hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;
/// Vietnam's time, in hours ahead of UTC.
const VIETNAM_HOURS: i64 = 7;
/// How often the quantiles are worked out anew.
const REFRESH: Span = Span::minutes(1);

/// The sketches of one kind, by the hour of the day of sending.
#[derive(Clone, Debug, Default)]
struct Kind {
    hours: BTreeMap<u8, Sketch>,
    /// The hours to keep: a bit for each.
    changed: u32,
    /// Worked out from the sketches now and then: of hours that are not thin, and of all hours together.
    late: BTreeMap<u8, Span>,
    late_whenever: Option<Span>,
    usual: Option<Span>,
}

/// The latencies of one account.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    /// The empty kind for messages without one, or of kinds beyond the bound.
    kinds: BTreeMap<String, Kind>,
    usual: Option<(Span, Span)>,
    refreshed_at: Option<Millis>,
    dirty: bool,
}

fn hour_of_day(at: Millis) -> u8 {
    (at.0.div_euclid(HOUR_MS) + VIETNAM_HOURS).rem_euclid(24) as u8
}

impl Latency {
    /// Takes up a sketch; the name is `{kind}/{hour}`.
    pub(super) fn take_up(&mut self, name: &str, data: &[u8]) -> bool {
        let Some((kind, hour)) = name.rsplit_once('/') else { return false };
        let (Some(hour), Some(sketch)) = (hour.parse::<u8>().ok().filter(|hour| *hour < 24), decode(data)) else { return false };
        self.kinds.entry(kind.to_owned()).or_default().hours.insert(hour, sketch);
        self.dirty = true;
        true
    }

    /// A message got its first receipt.
    pub fn receipted(&mut self, kind: Option<&str>, sent_at: Millis, receipt_at: Millis) {
        let name = self.kind(kind);
        if !self.kinds.contains_key(name) {
            self.kinds.insert(name.to_owned(), Kind::default());
        }
        let Some(kind) = self.kinds.get_mut(name) else { return };
        let hour = hour_of_day(sent_at);
        let sketch = kind.hours.entry(hour).or_default();
        sketch.add(Span(receipt_at.0 - sent_at.0));
        if sketch.count() > SKETCH_COUNT_MAX {
            sketch.halve();
        }
        kind.changed |= 1 << hour;
        self.dirty = true;
    }

    /// The kind as it is kept.
    fn kind<'k>(&self, kind: Option<&'k str>) -> &'k str {
        let Some(kind) = kind.filter(|k| k.len() <= KIND_BYTES_MAX) else { return "" };
        if self.kinds.contains_key(kind) || self.kinds.len() < KINDS_MAX { kind } else { "" }
    }

    /// Works the quantiles out anew, at most once a minute. `true` when it did.
    pub fn refresh(&mut self, now: Millis) -> bool {
        let soon = self.refreshed_at.is_some_and(|at| now >= at && now.0 - at.0 < REFRESH.0);
        if soon || !self.dirty {
            return false;
        }
        self.refreshed_at = Some(now);
        self.dirty = false;
        self.work_out();
        true
    }

    /// Works the quantiles out from the sketches.
    pub(super) fn work_out(&mut self) {
        let mut all = Sketch::default();
        for kind in self.kinds.values_mut() {
            let mut whenever = Sketch::default();
            kind.hours.values().for_each(|sketch| whenever.merge(sketch));
            kind.late = kind.hours.iter().filter_map(|(hour, sketch)| Some((*hour, late(sketch)?))).collect();
            kind.late_whenever = late(&whenever);
            kind.usual = (whenever.count() >= LEARNED_FROM).then(|| whenever.quantile(USUAL_SHARE).unwrap_or(GRACE_MIN));
            all.merge(&whenever);
        }
        self.usual = (all.count() >= LEARNED_FROM).then(|| {
            let usual = all.quantile(USUAL_SHARE).unwrap_or(GRACE_MIN);
            (Span(usual.0.clamp(GRACE_MIN.0, GRACE_MAX.0)), usual)
        });
    }

    /// How long a receipt may take before it counts as missing, and how long it usually takes; `None` before enough was seen.
    pub fn usual(&self) -> Option<(Span, Span)> {
        self.usual
    }

    /// How long a receipt of this kind usually takes; `None` before enough was seen.
    pub fn usual_of(&self, kind: Option<&str>) -> Option<Span> {
        self.kinds.get(self.kind(kind))?.usual
    }

    /// How long receipts of each kind usually take.
    pub fn usual_of_kinds(&self) -> impl Iterator<Item = Span> {
        self.kinds.values().filter_map(|kind| kind.usual)
    }

    /// When a message of this kind that was sent then is late; `None` before enough was seen.
    pub fn late(&self, kind: Option<&str>, sent_at: Millis) -> Option<Span> {
        let kind = self.kinds.get(self.kind(kind))?;
        kind.late.get(&hour_of_day(sent_at)).copied().or(kind.late_whenever)
    }

    pub(super) fn take_changed(&mut self, account: &AccountId, sheets: &mut Vec<Sheet>) {
        for (name, kind) in &mut self.kinds {
            let changed = std::mem::take(&mut kind.changed);
            for (hour, sketch) in kind.hours.iter().filter(|(hour, _)| changed & (1 << **hour) != 0) {
                sheets.push(Sheet::of(format!("latency/{account}/{name}/{hour}"), sketch));
            }
        }
    }
}

fn late(sketch: &Sketch) -> Option<Span> {
    if sketch.count() < LEARNED_FROM { None } else { sketch.quantile(LATE_SHARE) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_is_thin_is_answered_from_its_kind_and_nothing_before_enough_was_seen() {
        let mut latency = Latency::default();
        for i in 0..150 {
            latency.receipted(Some("zns"), Millis(0), Millis(1_000 + i));
        }
        assert!(latency.refresh(Millis(0)));
        assert_eq!((latency.late(Some("zns"), Millis(0)), latency.usual()), (None, None));
        for i in 0..150 {
            latency.receipted(Some("zns"), Millis(HOUR_MS), Millis(HOUR_MS + 2_000 + i));
        }
        assert!(!latency.refresh(Millis(1)), "not every time");
        assert!(latency.refresh(Millis(REFRESH.0)));
        let late = latency.late(Some("zns"), Millis(0)).unwrap();
        assert!((2_050..2_250).contains(&late.0), "{late:?}");
        assert_eq!(latency.late(Some("cs"), Millis(0)), None);
        assert_eq!(latency.usual().unwrap().0, GRACE_MIN);
    }

    #[test]
    fn what_was_learned_survives() {
        let account = AccountId::parse("shop").unwrap();
        let (mut latency, mut again) = (Latency::default(), Latency::default());
        (0..300).for_each(|i| latency.receipted(Some("a/b"), Millis(0), Millis(i)));
        let mut sheets = Vec::new();
        latency.take_changed(&account, &mut sheets);
        for sheet in sheets {
            let rest = sheet.name.strip_prefix("latency/shop/").unwrap().to_owned();
            assert!(again.take_up(&rest, &sheet.data.unwrap()));
        }
        again.refresh(Millis(0));
        latency.refresh(Millis(0));
        assert_eq!(again.late(Some("a/b"), Millis(0)), latency.late(Some("a/b"), Millis(0)));
    }
}
