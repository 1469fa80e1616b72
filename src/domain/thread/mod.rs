//! One conversation (one sender, one recipient): what was delivered and read up to which server time, and who may write in it.
//!
//! A message's state is its own facts joined with its conversation's watermarks, so a watermark that comes before the message is
//! known still counts (protocol: Facebook 6.3). It must not know which messages there are.

pub mod control;

use serde::{Deserialize, Serialize};

use control::Control;

use super::event::WatermarkKind;
use super::time::Millis;

/// How many pairs of one kind a conversation keeps. Beyond it the lowest watermarks go: they only sharpen the times of messages
/// that become known very late.
pub const WATERMARK_PAIRS_MAX: usize = 4_096;

/// What is known of one conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thread {
    /// Delivered up to.
    pub delivered: Watermarks,
    /// Read up to.
    pub read: Watermarks,
    /// Who holds it.
    pub control: Control,
}

impl Thread {
    /// When anything was last heard of it.
    pub fn last_heard(&self) -> Option<Millis> {
        let marks = [&self.delivered, &self.read].into_iter().filter_map(|marks| marks.pairs().last().map(|(_, at)| *at));
        marks.chain(self.control.last_activity()).max()
    }

    /// The watermarks of a kind.
    pub fn of(&mut self, kind: WatermarkKind) -> &mut Watermarks {
        match kind {
            WatermarkKind::Delivered => &mut self.delivered,
            WatermarkKind::Read => &mut self.read,
        }
    }
}

/// The pairs (watermark, event time) that no other pair dominates, by rising watermark; event times rise with them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watermarks(Vec<(Millis, Millis)>);

/// The server times whose messages a new pair moves: after `above`, up to and including `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Affected {
    /// Exclusive lower end.
    pub above: Millis,
    /// Inclusive upper end.
    pub upto: Millis,
}

impl Watermarks {
    /// When a message of this server time was reached: the earliest event time among the pairs that cover it (inclusive).
    pub fn reached(&self, server_time: Millis) -> Option<Millis> {
        let i = self.0.partition_point(|(w, _)| *w < server_time);
        self.0.get(i).map(|(_, at)| *at)
    }

    /// Joins a pair. `None` when another pair dominates it and nothing changes.
    pub fn observe(&mut self, watermark: Millis, at: Millis) -> Option<Affected> {
        if self.reached(watermark).is_some_and(|known| known <= at) {
            return None;
        }
        // Messages up to the highest watermark reached no later than `at` already have a better time.
        let above = self.0.iter().rev().find(|(_, t)| *t <= at).map_or(Millis(i64::MIN), |(w, _)| *w);
        self.0.retain(|(w, t)| *w > watermark || *t < at);
        let i = self.0.partition_point(|(w, _)| *w < watermark);
        self.0.insert(i, (watermark, at));
        if self.0.len() > WATERMARK_PAIRS_MAX {
            self.0.remove(0);
        }
        Some(Affected { above, upto: watermark })
    }

    /// The pairs kept.
    pub fn pairs(&self) -> &[(Millis, Millis)] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_watermark_covers_inclusively_and_the_earliest_covering_time_counts() {
        let mut w = Watermarks::default();
        assert!(w.observe(Millis(100), Millis(500)).is_some());
        assert_eq!(w.reached(Millis(100)), Some(Millis(500)));
        assert_eq!(w.reached(Millis(101)), None);
        assert_eq!(w.observe(Millis(50), Millis(400)), Some(Affected { above: Millis(i64::MIN), upto: Millis(50) }));
        assert_eq!(w.reached(Millis(50)), Some(Millis(400)));
        assert_eq!(w.reached(Millis(51)), Some(Millis(500)));
        assert_eq!(w.observe(Millis(60), Millis(600)), None);
        assert_eq!(w.observe(Millis(200), Millis(450)), Some(Affected { above: Millis(50), upto: Millis(200) }));
        assert_eq!(w.pairs(), [(Millis(50), Millis(400)), (Millis(200), Millis(450))]);
    }

    proptest! {
        #[test]
        fn any_order_of_pairs_ends_in_the_same_set_and_the_plain_definition(pairs in prop::collection::vec((0i64..30, 0i64..30), 0..20), t in 0i64..32) {
            let mut forward = Watermarks::default();
            let mut backward = Watermarks::default();
            for (w, at) in &pairs { forward.observe(Millis(*w), Millis(*at)); }
            for (w, at) in pairs.iter().rev().chain(&pairs) { backward.observe(Millis(*w), Millis(*at)); }
            prop_assert_eq!(&forward, &backward);
            let plain = pairs.iter().filter(|(w, _)| *w >= t).map(|(_, at)| Millis(*at)).min();
            prop_assert_eq!(forward.reached(Millis(t)), plain);
        }

        #[test]
        fn what_a_new_pair_moves_lies_within_the_affected_times(pairs in prop::collection::vec((0i64..30, 0i64..30), 1..20)) {
            let mut w = Watermarks::default();
            for (mark, at) in pairs {
                let before: Vec<_> = (0..32).map(|t| w.reached(Millis(t))).collect();
                let affected = w.observe(Millis(mark), Millis(at));
                for t in 0..32 {
                    if w.reached(Millis(t)) != before[t as usize] {
                        let a = affected.unwrap();
                        prop_assert!(Millis(t) > a.above && Millis(t) <= a.upto);
                    }
                }
            }
        }
    }
}
