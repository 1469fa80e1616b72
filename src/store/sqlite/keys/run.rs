//! Runs: immutable hash tables of pages, written in the order of their hashes, and the merging of several into one.

use std::collections::VecDeque;

use rusqlite::{Connection, params};

use super::bloom::Bloom;
use crate::domain::ids::Row;

/// Keys in an ordinary page. Four such pages fill one page of the file.
const BUCKET_KEYS: u64 = 72;

/// Bytes of one entry: the hash, then the row in five bytes, both big-endian.
const ENTRY_BYTES: usize = 13;

/// Most pages of a run: the run's number stands above them in the page number.
const BUCKETS_MAX: u64 = 1 << 24;

const INSERT_PAGE: &str = "INSERT OR REPLACE INTO key_page (page, data) VALUES (?1, ?2)";

/// A run that can be asked.
pub(super) struct Sealed {
    pub(super) run: u64,
    pub(super) level: i64,
    pub(super) buckets: u64,
    pub(super) keys: u64,
    pub(super) bloom: Option<Bloom>,
}

impl Sealed {
    /// A key may be in it. Without a filter it may.
    pub(super) fn may_hold(&self, hash: u64) -> bool {
        self.bloom.as_ref().is_none_or(|b| b.may_hold(hash))
    }

    /// Makes it known.
    pub(super) fn publish(&self, conn: &Connection, side: i64) -> rusqlite::Result<()> {
        let bloom = self.bloom.as_ref().map(Bloom::to_bytes);
        conn.prepare_cached("INSERT INTO key_run (run, side, level, buckets, keys, bloom) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![self.run as i64, side, self.level, self.buckets as i64, self.keys as i64, bloom])
            .map(drop)
    }
}

/// How many pages a run of so many keys has.
fn buckets_for(keys: u64) -> u64 {
    keys.div_ceil(BUCKET_KEYS).clamp(1, BUCKETS_MAX)
}

/// The page of a hash. Rises with the hash, so pages are written and merged in order.
pub(super) fn bucket_of(hash: u64, buckets: u64) -> u64 {
    ((hash >> 32) * buckets) >> 32
}

/// The number under which a page is stored.
pub(super) fn page_no(run: u64, bucket: u64) -> u64 {
    (run << 24) + bucket
}

/// Calls `found` with every row that stands under a hash in a page.
pub(super) fn find_in(page: &[u8], hash: u64, mut found: impl FnMut(Row)) {
    let (entries, _) = page.as_chunks::<ENTRY_BYTES>();
    let wanted = hash.to_be_bytes();
    let first = entries.partition_point(|e| e[..8] < wanted[..]);
    for entry in entries[first..].iter().take_while(|e| e[..8] == wanted[..]) {
        found(decode(entry).1);
    }
}

fn decode(e: &[u8; ENTRY_BYTES]) -> (u64, Row) {
    let hash = u64::from_be_bytes([e[0], e[1], e[2], e[3], e[4], e[5], e[6], e[7]]);
    (hash, u64::from_be_bytes([0, 0, 0, e[8], e[9], e[10], e[11], e[12]]))
}

fn encode(keys: &[(u64, Row)]) -> Vec<u8> {
    let mut page = Vec::with_capacity(keys.len() * ENTRY_BYTES);
    for (hash, row) in keys {
        page.extend_from_slice(&hash.to_be_bytes());
        page.extend_from_slice(&row.to_be_bytes()[3..]);
    }
    page
}

/// Writes sorted keys as a run of the lowest level.
pub(super) fn write_run(conn: &Connection, run: u64, keys: &[(u64, Row)], filtered: bool) -> rusqlite::Result<Sealed> {
    let buckets = buckets_for(keys.len() as u64);
    let mut bloom = filtered.then(|| Bloom::new(keys.len() as u64));
    let mut insert = conn.prepare_cached(INSERT_PAGE)?;
    for page in keys.chunk_by(|a, b| bucket_of(a.0, buckets) == bucket_of(b.0, buckets)) {
        insert.execute(params![page_no(run, bucket_of(page[0].0, buckets)) as i64, encode(page)])?;
    }
    if let Some(bloom) = &mut bloom {
        keys.iter().for_each(|(hash, _)| bloom.add(*hash));
    }
    Ok(Sealed { run, level: 0, buckets, keys: keys.len() as u64, bloom })
}

/// Several runs on their way into one. Its pages are written with many commits; it is asked only when it is whole.
pub(super) struct Merge {
    level: i64,
    sources: Vec<Reading>,
    target: Sealed,
    next_bucket: u64,
}

/// One of the runs that are merged.
struct Reading {
    run: u64,
    buckets: u64,
    next_bucket: u64,
    ready: VecDeque<(u64, Row)>,
}

impl Reading {
    /// The next key, if there is one.
    fn peek(&mut self, conn: &Connection) -> rusqlite::Result<Option<(u64, Row)>> {
        while self.ready.is_empty() && self.next_bucket < self.buckets {
            let mut page = conn.prepare_cached("SELECT data FROM key_page WHERE page = ?1")?;
            let mut rows = page.query([page_no(self.run, self.next_bucket) as i64])?;
            if let Some(row) = rows.next()? {
                self.ready.extend(row.get_ref(0)?.as_blob()?.as_chunks::<ENTRY_BYTES>().0.iter().map(decode));
            }
            self.next_bucket += 1;
        }
        Ok(self.ready.front().copied())
    }
}

impl Merge {
    /// Merges these runs of one level into a run of the next.
    pub(super) fn new(run: u64, level: i64, from: &[&Sealed], filtered: bool) -> Merge {
        let keys = from.iter().map(|r| r.keys).sum();
        let read = |r: &&Sealed| Reading { run: r.run, buckets: r.buckets, next_bucket: 0, ready: VecDeque::new() };
        let bloom = filtered.then(|| Bloom::new(keys));
        let target = Sealed { run, level: level + 1, buckets: buckets_for(keys), keys: 0, bloom };
        Merge { level, sources: from.iter().map(read).collect(), target, next_bucket: 0 }
    }

    /// The level that is merged.
    pub(super) fn level(&self) -> i64 {
        self.level
    }

    /// The runs that the new one stands for.
    pub(super) fn sources(&self) -> impl Iterator<Item = u64> {
        self.sources.iter().map(|s| s.run)
    }

    /// Moves at least so many keys, those of whole pages; keys of rows below `alive` are left behind. The run, when it is whole.
    pub(super) fn step(&mut self, conn: &Connection, keys: usize, alive: Row) -> rusqlite::Result<Option<Sealed>> {
        let mut moved = 0;
        let mut page = Vec::new();
        let mut insert = conn.prepare_cached(INSERT_PAGE)?;
        while self.next_bucket < self.target.buckets {
            if moved >= keys {
                return Ok(None);
            }
            page.clear();
            for source in &mut self.sources {
                while let Some(key) = source.peek(conn)?.filter(|(hash, _)| bucket_of(*hash, self.target.buckets) <= self.next_bucket) {
                    source.ready.pop_front();
                    moved += 1;
                    if key.1 >= alive {
                        page.push(key);
                    }
                }
            }
            if !page.is_empty() {
                page.sort_unstable();
                page.dedup();
                if let Some(bloom) = &mut self.target.bloom {
                    page.iter().for_each(|(hash, _)| bloom.add(*hash));
                }
                self.target.keys += page.len() as u64;
                insert.execute(params![page_no(self.target.run, self.next_bucket) as i64, encode(&page)])?;
            }
            // Empty pages count too, so that a run of pruned keys ends.
            moved += 1;
            self.next_bucket += 1;
        }
        let target = &mut self.target;
        let (run, level, buckets, keys, bloom) = (target.run, target.level, target.buckets, target.keys, target.bloom.take());
        Ok(Some(Sealed { run, level, buckets, keys, bloom }))
    }
}
