//! A sketch of many lengths of time that answers for any quantile within two percent, and that adds up with others.
//!
//! Buckets grow by a fixed factor, so a sketch is a list of whole numbers: merging adds them, in any order and grouping, and nothing is lost
//! by it. It must not know what was measured.

use serde::{Deserialize, Serialize};

use crate::domain::time::Span;

/// By how much a quantile may be off, as a share of the true value (and half a millisecond, since spans are whole ones).
pub const ERROR_SHARE: f64 = 0.02;

/// The longest span that is told from longer ones.
pub const SPAN_MAX: Span = Span::days(30);

/// How far apart the bounds of neighbouring buckets are, as a logarithm: that of `(1 + e) / (1 - e)`.
const LN_STEP: f64 = 0.040_005_334_613_699_25;

/// A bucket and how many fell into it.
type Bucket = (u16, u64);

/// So many spans, by length. Bucket 0 holds everything up to one millisecond, also spans that run backwards.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<Bucket>", into = "Vec<Bucket>")]
pub struct Sketch {
    /// Those that are not empty, in order.
    buckets: Vec<Bucket>,
    /// Of all of them.
    count: u64,
}

/// The bucket of a span.
pub(super) fn bucket(span: Span) -> u16 {
    let ms = span.0.clamp(1, SPAN_MAX.0) as f64;
    // At most ln(30 days) / LN_STEP: 543.
    (ms.ln() / LN_STEP).ceil() as u16
}

/// The span that stands for a bucket: as far, in proportion, from its lower as from its upper bound.
fn middle(bucket: u16) -> Span {
    let upper = (f64::from(bucket) * LN_STEP).exp();
    Span((upper * (1.0 - ERROR_SHARE)).round().max(1.0) as i64)
}

fn sum(buckets: &[Bucket]) -> u64 {
    buckets.iter().fold(0, |sum, (_, n)| sum.saturating_add(*n))
}

impl Sketch {
    /// Takes one span in.
    pub fn add(&mut self, span: Span) {
        self.add_to(bucket(span), 1);
    }

    /// Takes in everything that another sketch holds.
    pub fn merge(&mut self, other: &Sketch) {
        // Both are in order: one walk over the two.
        let mine = std::mem::take(&mut self.buckets);
        self.buckets.reserve(mine.len().max(other.buckets.len()));
        self.count = self.count.saturating_add(other.count);
        let (mut mine, mut theirs) = (mine.into_iter().peekable(), other.buckets.iter().copied().peekable());
        while let Some(next) = match (mine.peek(), theirs.peek()) {
            (Some((a, _)), Some((b, _))) if a > b => theirs.next(),
            (Some(_), _) => mine.next(),
            (None, _) => theirs.next(),
        } {
            match self.buckets.last_mut().filter(|(at, _)| *at == next.0) {
                Some((_, n)) => *n = n.saturating_add(next.1),
                None => self.buckets.push(next),
            }
        }
    }

    /// Lets the past count half, so that what comes weighs more.
    pub fn halve(&mut self) {
        self.buckets.iter_mut().for_each(|(_, n)| *n /= 2);
        self.buckets.retain(|(_, n)| *n > 0);
        self.count = sum(&self.buckets);
    }

    /// Takes in so many of one bucket.
    pub(super) fn add_to(&mut self, at: u16, n: u64) {
        self.count = self.count.saturating_add(n);
        match self.buckets.binary_search_by_key(&at, |(b, _)| *b) {
            Ok(i) => self.buckets[i].1 = self.buckets[i].1.saturating_add(n),
            Err(i) => self.buckets.insert(i, (at, n)),
        }
    }

    /// How many it holds.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.buckets.is_empty()
    }

    /// The span that a share of all do not exceed: the one of rank `share * count`, rounded up. `None` of an empty sketch.
    pub fn quantile(&self, share: f64) -> Option<Span> {
        let count = self.count();
        let rank = ((share.clamp(0.0, 1.0) * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut upto = 0;
        self.buckets.iter().find_map(|(at, n)| {
            upto += n;
            (upto >= rank).then(|| middle(*at))
        })
    }

    /// The share of those that are longer; 0 of an empty sketch. Those that cannot be told from the limit do not count.
    pub fn share_above(&self, limit: Span) -> f64 {
        let at = bucket(limit);
        let above: u64 = self.buckets.iter().filter(|(b, _)| *b > at).map(|(_, n)| n).sum();
        if above == 0 { 0.0 } else { above as f64 / self.count() as f64 }
    }
}

/// As it is kept: each bucket as its distance from the one before, which is a small number.
impl From<Sketch> for Vec<Bucket> {
    fn from(sketch: Sketch) -> Vec<Bucket> {
        let mut before = 0;
        let step = |(at, n): Bucket| (at - std::mem::replace(&mut before, at), n);
        sketch.buckets.into_iter().map(step).collect()
    }
}

impl From<Vec<Bucket>> for Sketch {
    fn from(kept: Vec<Bucket>) -> Sketch {
        let (mut sketch, mut at) = (Sketch::default(), 0u16);
        let last = bucket(SPAN_MAX);
        for (step, n) in kept {
            at = at.saturating_add(step).min(last);
            sketch.add_to(at, n);
        }
        sketch
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(spans: &[i64]) -> Sketch {
        let mut sketch = Sketch::default();
        spans.iter().for_each(|ms| sketch.add(Span(*ms)));
        sketch
    }

    fn spans() -> impl Strategy<Value = Vec<i64>> {
        let one = prop_oneof![1i64..2_000, 1_000i64..600_000, 1i64..=SPAN_MAX.0];
        prop::collection::vec(one, 1..300)
    }

    #[test]
    fn the_step_is_the_one_that_keeps_the_error() {
        assert!((LN_STEP - ((1.0 + ERROR_SHARE) / (1.0 - ERROR_SHARE)).ln()).abs() < 1e-15);
        assert_eq!(bucket(SPAN_MAX), 543 - 1);
    }

    #[test]
    fn an_empty_sketch_has_no_quantile_and_nothing_above() {
        let none = Sketch::default();
        assert_eq!((none.quantile(0.5), none.count(), none.share_above(Span(0))), (None, 0, 0.0));
    }

    #[test]
    fn spans_beyond_the_ends_stay_in_the_outer_buckets() {
        let sketch = of(&[-5, 0, 1, SPAN_MAX.0, i64::MAX]);
        assert_eq!(sketch.quantile(0.5), Some(Span(1)));
        let longest = sketch.quantile(1.0).unwrap().0 as f64;
        assert!((longest / SPAN_MAX.0 as f64 - 1.0).abs() <= ERROR_SHARE, "{longest}");
        assert_eq!(sketch.share_above(Span::days(1)), 0.4);
    }

    #[test]
    fn damaged_bytes_make_a_sketch_that_still_adds_up() {
        let sketch = Sketch::from(vec![(60_000, 3), (60_000, 4), (0, 1)]);
        assert_eq!((sketch.count(), sketch.buckets.len()), (8, 1));
    }

    proptest! {
        #[test]
        fn a_quantile_is_within_two_percent_of_the_exact_one(mut spans in spans(), share in 0.0f64..=1.0) {
            let got = of(&spans).quantile(share).unwrap().0 as f64;
            spans.sort_unstable();
            let rank = ((share * spans.len() as f64).ceil() as usize).clamp(1, spans.len());
            let exact = spans[rank - 1] as f64;
            prop_assert!((got - exact).abs() <= ERROR_SHARE * exact + 0.5 + 1e-9, "{} for {}", got, exact);
        }

        #[test]
        fn merging_is_adding_in_any_order_and_grouping(a in spans(), b in spans(), c in spans()) {
            let all = of(&[a.clone(), b.clone(), c.clone()].concat());
            let (a, b, c) = (of(&a), of(&b), of(&c));
            let merged = |parts: &[&Sketch]| {
                let mut sum = Sketch::default();
                parts.iter().for_each(|p| sum.merge(p));
                sum
            };
            prop_assert_eq!(&merged(&[&a, &b, &c]), &all);
            prop_assert_eq!(&merged(&[&c, &a, &b]), &all);
            prop_assert_eq!(&merged(&[&a, &merged(&[&b, &c])]), &all);
        }

        #[test]
        fn it_reads_back_as_it_was_kept_and_is_small(spans in spans()) {
            let sketch = of(&spans);
            let bytes = postcard::to_stdvec(&sketch).unwrap();
            prop_assert_eq!(postcard::from_bytes::<Sketch>(&bytes).unwrap(), sketch.clone());
            prop_assert!(bytes.len() <= 2 + 4 * sketch.buckets.len(), "{} bytes", bytes.len());
        }

        #[test]
        fn the_share_above_is_between_those_of_limits_two_percent_off(spans in spans(), limit in 1i64..=SPAN_MAX.0) {
            let share = of(&spans).share_above(Span(limit));
            let exact = |limit: f64| spans.iter().filter(|ms| **ms as f64 > limit).count() as f64 / spans.len() as f64;
            let step = LN_STEP.exp();
            prop_assert!(share <= exact(limit as f64) + 1e-9);
            prop_assert!(share + 1e-9 >= exact(limit as f64 * step));
        }
    }
}
