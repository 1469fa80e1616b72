//! Recognising repeats: which callbacks of the last days are on record, by content.
//!
//! The newest identities stand in a hash map; each full stretch of records is sealed into a sorted run, 8 bytes a record in the file
//! and 6 in memory. A hit is only a hint (four bytes of the identity): the caller compares the stored identity in full.

use std::collections::HashMap;

use crate::domain::ids::Seq;
use crate::domain::time::{Millis, Span};

/// The 16 bytes by which repeats are recognised.
pub type Short = [u8; 16];

/// How long repeats are recognised at least. Zalo's last retry comes within 2 hours; the promise is 48.
pub const REPEAT_WINDOW: Span = Span::hours(72);

/// How many records a stretch holds before it is sealed.
pub const RUN_RECORDS_MAX: usize = 1 << 18;

/// The identities of one sealed stretch.
#[derive(Debug)]
pub struct Run {
    first_seq: Seq,
    newest_at: Millis,
    /// The lower half of the mark of each record, sorted by the whole mark.
    lows: Vec<u16>,
    /// The offset of each record from the first, in the same order.
    offsets: Offsets,
    /// Where each of the 65,536 upper halves starts.
    starts: Vec<u32>,
}

/// Offsets within a stretch, in three bytes each where they fit.
#[derive(Debug)]
enum Offsets {
    Near(Vec<[u8; 3]>),
    Far(Vec<u32>),
}

impl Offsets {
    fn new(entries: &[u64]) -> Offsets {
        let offset = |e: &u64| (e & 0xffff_ffff) as u32;
        if entries.iter().all(|e| offset(e) < 1 << 24) {
            Offsets::Near(entries.iter().map(|e| [(e >> 16) as u8, (e >> 8) as u8, *e as u8]).collect())
        } else {
            Offsets::Far(entries.iter().map(offset).collect())
        }
    }

    fn at(&self, i: usize) -> Option<u64> {
        match self {
            Offsets::Near(all) => all.get(i).map(|[a, b, c]| u64::from(*a) << 16 | u64::from(*b) << 8 | u64::from(*c)),
            Offsets::Far(all) => all.get(i).map(|o| u64::from(*o)),
        }
    }
}

impl Run {
    /// From entries as stored: high half the mark, low half the offset; sorted.
    fn new(first_seq: Seq, newest_at: Millis, entries: &[u64]) -> Run {
        let mut starts = vec![0u32; (1 << 16) + 1];
        for e in entries {
            starts[(e >> 48) as usize + 1] += 1;
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let lows = entries.iter().map(|e| (e >> 32) as u16).collect();
        Run { first_seq, newest_at, lows, offsets: Offsets::new(entries), starts }
    }

    /// Reads a stored run.
    pub fn decode(first_seq: Seq, newest_at: Millis, data: &[u8]) -> Run {
        let entries: Vec<u64> = data.as_chunks::<8>().0.iter().map(|c| u64::from_le_bytes(*c)).collect();
        Run::new(first_seq, newest_at, &entries)
    }

    /// The run as stored.
    pub fn encode(&self) -> Vec<u8> {
        let of_bucket = |bucket: usize| {
            let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
            range.filter_map(move |i| Some((bucket as u64) << 48 | u64::from(*self.lows.get(i)?) << 32 | self.offsets.at(i)?))
        };
        (0..1usize << 16).flat_map(of_bucket).flat_map(u64::to_le_bytes).collect()
    }

    /// The first record of the stretch.
    pub fn first_seq(&self) -> Seq {
        self.first_seq
    }

    /// Arrival of the stretch's newest record.
    pub fn newest_at(&self) -> Millis {
        self.newest_at
    }

    fn candidates(&self, mark: u32) -> impl Iterator<Item = Seq> + '_ {
        let bucket = (mark >> 16) as usize;
        let range = self.starts[bucket] as usize..self.starts[bucket + 1] as usize;
        let low = mark as u16;
        range.filter(move |i| self.lows.get(*i) == Some(&low)).filter_map(|i| Some(self.first_seq + self.offsets.at(i)?))
    }
}

/// Every identity of the window.
#[derive(Debug, Default)]
pub struct Repeats {
    open: HashMap<Short, Seq>,
    open_first: Seq,
    open_newest: Millis,
    runs: Vec<Run>,
}

/// The four bytes by which runs are searched.
fn mark(identity: &Short) -> u32 {
    u32::from_le_bytes([identity[8], identity[9], identity[10], identity[11]])
}

impl Repeats {
    /// Takes a sealed run read from the file.
    pub fn add_run(&mut self, run: Run) {
        self.runs.push(run);
    }

    /// Records a stored callback.
    pub fn add(&mut self, identity: Short, seq: Seq, received_at: Millis) {
        if self.open.is_empty() {
            self.open_first = seq;
            self.open_newest = received_at;
        }
        self.open_newest = self.open_newest.max(received_at);
        // Known already only where the earlier record was pruned.
        self.open.insert(identity, seq);
    }

    /// The record with exactly this identity among the newest ones.
    pub fn newest(&self, identity: &Short) -> Option<Seq> {
        self.open.get(identity).copied()
    }

    /// Records of sealed stretches that may have this identity.
    pub fn candidates<'a>(&'a self, identity: &Short) -> impl Iterator<Item = Seq> + 'a {
        let mark = mark(identity);
        self.runs.iter().rev().flat_map(move |r| r.candidates(mark))
    }

    /// The newest stretch is full, or spans more records than offsets can tell.
    pub fn is_full(&self, next_seq: Seq) -> bool {
        self.open.len() >= RUN_RECORDS_MAX || (!self.open.is_empty() && next_seq - self.open_first >= u64::from(u32::MAX))
    }

    /// Seals the newest stretch. The run is to be stored, then given to [`Repeats::add_run`].
    pub fn seal(&mut self) -> Option<Run> {
        if self.open.is_empty() {
            return None;
        }
        let first = self.open_first;
        let mut entries: Vec<u64> = self.open.iter().map(|(id, seq)| u64::from(mark(id)) << 32 | (seq - first)).collect();
        entries.sort_unstable();
        Some(Run::new(first, self.open_newest, &entries))
    }

    /// Forgets the newest stretch after its run was stored.
    pub fn sealed(&mut self, run: Run) {
        self.open.clear();
        self.runs.push(run);
    }

    /// Forgets runs that fell out of the window; the first records of those forgotten.
    pub fn forget(&mut self, now: Millis) -> Vec<Seq> {
        let oldest = now.minus(REPEAT_WINDOW);
        let gone = self.runs.iter().filter(|r| r.newest_at < oldest).map(|r| r.first_seq).collect();
        self.runs.retain(|r| r.newest_at >= oldest);
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(n: u64) -> Short {
        let mut id = [0; 16];
        let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        id[..8].copy_from_slice(&z.to_le_bytes());
        id[8..].copy_from_slice(&(z.rotate_left(31) ^ n).to_le_bytes());
        id
    }

    #[test]
    fn a_sealed_stretch_still_finds_every_record_and_reads_back() {
        let mut repeats = Repeats::default();
        for n in 0..5_000 {
            repeats.add(identity(n), 100 + n, Millis(n as i64));
        }
        assert_eq!(repeats.newest(&identity(7)), Some(107));
        let run = repeats.seal().unwrap();
        let again = Run::decode(run.first_seq(), run.newest_at(), &run.encode());
        repeats.sealed(again);
        assert_eq!(repeats.newest(&identity(7)), None);
        for n in 0..5_000 {
            assert!(repeats.candidates(&identity(n)).any(|seq| seq == 100 + n), "{n}");
        }
        let strangers = (10_000..20_000).filter(|n| repeats.candidates(&identity(*n)).next().is_some()).count();
        assert!(strangers < 10, "{strangers} false hints");
    }

    #[test]
    fn a_run_is_forgotten_only_after_the_window() {
        let mut repeats = Repeats::default();
        repeats.add(identity(1), 1, Millis(0));
        let run = repeats.seal().unwrap();
        repeats.sealed(run);
        assert!(repeats.forget(Millis(0).plus(Span::hours(48))).is_empty());
        assert_eq!(repeats.forget(Millis(0).plus(Span::hours(73))), vec![1]);
        assert_eq!(repeats.candidates(&identity(1)).next(), None);
    }
}
