//! The key index: from a 64-bit hash of an id, a reference or a recipient to the messages under it.
//!
//! Hashes come in no order, so one B-tree over all of them would touch a page of its own for every message, and with millions of
//! messages read and write it from the disk. Instead the youngest keys stand in a small table; when it is full it is sealed into a
//! *run*, an immutable hash table of pages that is written in one sweep, and runs of one size are merged into one of the next, a
//! little with every commit. A Bloom filter per run, kept in memory by the writer, answers for keys that were never seen, which is
//! what every new message asks. Readers have no filters: they look into every run with one statement, one page each.
//!
//! What is found is compared in full by whoever asked; keys of pruned messages stay until their run is merged. It must not know what
//! the keys are of.

mod bloom;
mod run;

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use crate::domain::ids::Row;
use crate::domain::projection::Key;
use bloom::Bloom;
use run::{Merge, Sealed, bucket_of, find_in, page_no, write_run};

/// The rows under a hash, in every run, for readers. The young table is asked first: a key that is sealed in between is then found twice.
const IN_RUNS: &str = "SELECT p.data FROM key_run r CROSS JOIN key_page p
  WHERE p.page = (r.run << 24) + (((?1 >> 32) & 4294967295) * r.buckets >> 32)";
const YOUNG: [&str; 2] = ["SELECT row FROM message_key WHERE hash = ?1", "SELECT row FROM recipient_key WHERE hash = ?1"];

/// How large the parts are; small ones in tests.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    /// Keys in the young table before they are sealed.
    pub(super) seal_keys: usize,
    /// Runs of one level before they are merged into one of the next.
    pub(super) fanout: usize,
    /// Runs of a level are merged by so many keys for each key that was added.
    pub(super) merge_factor: usize,
}

impl Sizes {
    /// Measured: a sealing of this size costs the projection some 60 ms once in about 65,000 messages.
    pub(super) const USUAL: Sizes = Sizes { seal_keys: 1 << 17, fanout: 8, merge_factor: 2 };
}

/// Most pages of merged runs that one commit deletes.
const DELETED_PAGES_MAX: u64 = 512;

/// Fewest keys that a step of merging moves.
const MERGE_KEYS_MIN: usize = 1_024;

/// Which of the two indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    /// Keys that the fold asks for.
    Folded = 0,
    /// Keys that only lists ask for.
    Listed = 1,
}

impl Side {
    const fn table(self) -> &'static str {
        match self {
            Side::Folded => "message_key",
            Side::Listed => "recipient_key",
        }
    }
}

/// What the writer keeps of both indexes in memory. After a rolled back transaction it is loaded anew.
pub(super) struct Keys {
    folded: Index,
    listed: Index,
    next_run: u64,
    /// Runs whose pages are still to be deleted: run and the next bucket.
    doomed: Vec<(u64, u64)>,
    sizes: Sizes,
}

struct Index {
    side: Side,
    /// The young keys; only of those that the fold asks for.
    young: HashMap<u64, Rows>,
    young_count: usize,
    runs: Vec<Sealed>,
    merges: Vec<Merge>,
}

/// Nearly always one.
enum Rows {
    One(Row),
    More(Vec<Row>),
}

impl Rows {
    fn add(&mut self, row: Row) {
        match self {
            Rows::One(one) if *one == row => {}
            Rows::One(one) => *self = Rows::More(vec![*one, row]),
            Rows::More(all) => {
                if !all.contains(&row) {
                    all.push(row);
                }
            }
        }
    }

    fn as_slice(&self) -> &[Row] {
        match self {
            Rows::One(row) => std::slice::from_ref(row),
            Rows::More(all) => all,
        }
    }
}

/// The rows under a key for a reader, oldest first, at most `limit`.
pub(super) fn rows(conn: &Connection, Key(hash): Key, limit: usize) -> rusqlite::Result<Vec<Row>> {
    let mut found = BTreeSet::new();
    for sql in YOUNG {
        let mut young = conn.prepare_cached(sql)?;
        let mut rows = young.query([hash as i64])?;
        while let Some(row) = rows.next()? {
            found.insert(row.get::<_, i64>(0)? as Row);
        }
    }
    let mut pages = conn.prepare_cached(IN_RUNS)?;
    let mut rows = pages.query([hash as i64])?;
    while let Some(row) = rows.next()? {
        find_in(row.get_ref(0)?.as_blob()?, hash, |row| {
            found.insert(row);
        });
    }
    Ok(found.into_iter().take(limit).collect())
}

impl Keys {
    /// Reads what the writer keeps in memory, and finds pages that an interrupted merge left.
    pub(super) fn load(conn: &Connection, sizes: Sizes) -> rusqlite::Result<Keys> {
        let mut keys = Keys {
            folded: Index::load(conn, Side::Folded)?,
            listed: Index::load(conn, Side::Listed)?,
            next_run: 1,
            doomed: Vec::new(),
            sizes,
        };
        let known: BTreeSet<u64> = keys.folded.runs.iter().chain(&keys.listed.runs).map(|r| r.run).collect();
        // A run whose keys were all pruned has no page, and its number is taken all the same.
        keys.next_run = known.last().map_or(1, |run| run + 1);
        let mut from = 0u64;
        let mut next = conn.prepare("SELECT page FROM key_page WHERE page >= ?1 ORDER BY page LIMIT 1")?;
        while let Some(page) = next.query_row([from as i64], |r| r.get::<_, i64>(0)).optional()? {
            let run = page as u64 >> 24;
            if !known.contains(&run) {
                keys.doomed.push((run, 0));
            }
            keys.next_run = keys.next_run.max(run + 1);
            from = (run + 1) << 24;
        }
        Ok(keys)
    }

    /// The rows under a key that the fold asks for, oldest first, at most `limit`.
    pub(super) fn rows(&self, conn: &Connection, Key(hash): Key, limit: usize) -> rusqlite::Result<Vec<Row>> {
        let index = &self.folded;
        let mut found: Vec<Row> = index.young.get(&hash).map(|r| r.as_slice().to_vec()).unwrap_or_default();
        for run in index.runs.iter().filter(|r| r.may_hold(hash)) {
            let mut page = conn.prepare_cached("SELECT data FROM key_page WHERE page = ?1")?;
            let at = page_no(run.run, bucket_of(hash, run.buckets));
            let mut rows = page.query([at as i64])?;
            if let Some(row) = rows.next()? {
                find_in(row.get_ref(0)?.as_blob()?, hash, |row| found.push(row));
            }
        }
        found.sort_unstable();
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// Adds keys, seals what is full, and moves merging on. Part of the caller's transaction.
    pub(super) fn add(&mut self, conn: &Connection, folded: &[(Key, Row)], listed: &[(Key, Row)]) -> rusqlite::Result<()> {
        for (index, added) in [(&mut self.folded, folded), (&mut self.listed, listed)] {
            index.add(conn, added)?;
            if index.young_count >= self.sizes.seal_keys {
                index.seal(conn, self.next_run)?;
                self.next_run += 1;
            }
            index.begin_merges(&mut self.next_run, self.sizes.fanout);
            let keys = (added.len() * self.sizes.merge_factor).max(if added.is_empty() { 0 } else { MERGE_KEYS_MIN });
            index.merge(conn, keys, &mut self.doomed)?;
        }
        self.delete_doomed(conn)
    }

    fn delete_doomed(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let Some((run, bucket)) = self.doomed.last_mut() else { return Ok(()) };
        let (from, upto) = (page_no(*run, *bucket), page_no(*run + 1, 0));
        let last: Option<i64> = conn
            .prepare_cached("SELECT max(page) FROM (SELECT page FROM key_page WHERE page >= ?1 AND page < ?2 ORDER BY page LIMIT ?3)")?
            .query_row(params![from as i64, upto as i64, DELETED_PAGES_MAX as i64], |r| r.get(0))?;
        match last {
            Some(last) => {
                conn.prepare_cached("DELETE FROM key_page WHERE page >= ?1 AND page <= ?2")?.execute(params![from as i64, last])?;
                *bucket = (last as u64 & 0xff_ffff) + 1;
            }
            None => drop(self.doomed.pop()),
        }
        Ok(())
    }
}

impl Index {
    fn load(conn: &Connection, side: Side) -> rusqlite::Result<Index> {
        let mut index = Index { side, young: HashMap::new(), young_count: 0, runs: Vec::new(), merges: Vec::new() };
        if side == Side::Folded {
            let mut all = conn.prepare("SELECT hash, row FROM message_key")?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                index.remember(row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as Row);
                index.young_count += 1;
            }
        } else {
            let sql = format!("SELECT count(*) FROM {}", side.table());
            index.young_count = conn.query_row(&sql, [], |r| r.get::<_, i64>(0))? as usize;
        }
        let mut all = conn.prepare("SELECT run, level, buckets, keys, bloom FROM key_run WHERE side = ?1 ORDER BY run")?;
        let mut rows = all.query([side as i64])?;
        while let Some(row) = rows.next()? {
            index.runs.push(Sealed {
                run: row.get::<_, i64>(0)? as u64,
                level: row.get(1)?,
                buckets: row.get::<_, i64>(2)? as u64,
                keys: row.get::<_, i64>(3)? as u64,
                bloom: row.get_ref(4)?.as_blob_or_null()?.map(Bloom::from_bytes),
            });
        }
        Ok(index)
    }

    fn remember(&mut self, hash: u64, row: Row) {
        self.young.entry(hash).and_modify(|rows| rows.add(row)).or_insert(Rows::One(row));
    }

    fn add(&mut self, conn: &Connection, added: &[(Key, Row)]) -> rusqlite::Result<()> {
        let mut sorted: Vec<(i64, Row)> = added.iter().map(|(Key(hash), row)| (*hash as i64, *row)).collect();
        sorted.sort_unstable();
        let mut insert = conn.prepare_cached(match self.side {
            Side::Folded => "INSERT OR IGNORE INTO message_key (hash, row) VALUES (?1, ?2)",
            Side::Listed => "INSERT OR IGNORE INTO recipient_key (hash, row) VALUES (?1, ?2)",
        })?;
        for (hash, row) in sorted {
            self.young_count += insert.execute(params![hash, row as i64])?;
            if self.side == Side::Folded {
                self.remember(hash as u64, row);
            }
        }
        Ok(())
    }

    /// Writes the young keys as a run and empties their table.
    fn seal(&mut self, conn: &Connection, run: u64) -> rusqlite::Result<()> {
        let alive = first_row(conn)?;
        let mut keys: Vec<(u64, Row)> = Vec::with_capacity(self.young_count);
        {
            let mut all = conn.prepare_cached(match self.side {
                Side::Folded => "SELECT hash, row FROM message_key",
                Side::Listed => "SELECT hash, row FROM recipient_key",
            })?;
            let mut rows = all.query([])?;
            while let Some(row) = rows.next()? {
                let (hash, row) = (row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as Row);
                if row >= alive {
                    keys.push((hash, row));
                }
            }
        }
        keys.sort_unstable();
        let sealed = write_run(conn, run, &keys, self.side == Side::Folded)?;
        sealed.publish(conn, self.side as i64)?;
        self.runs.push(sealed);
        conn.execute(&format!("DELETE FROM {}", self.side.table()), [])?;
        self.young = HashMap::new();
        self.young_count = 0;
        Ok(())
    }

    /// Begins to merge every level that has enough runs, unless it is being merged already.
    fn begin_merges(&mut self, next_run: &mut u64, fanout: usize) {
        let levels: BTreeSet<i64> = self.runs.iter().map(|r| r.level).collect();
        for level in levels {
            let here: Vec<&Sealed> = self.runs.iter().filter(|r| r.level == level).collect();
            if here.len() >= fanout && !self.merges.iter().any(|m| m.level() == level) {
                let oldest = &here[..fanout];
                self.merges.push(Merge::new(*next_run, level, oldest, self.side == Side::Folded));
                *next_run += 1;
            }
        }
    }

    fn merge(&mut self, conn: &Connection, keys: usize, doomed: &mut Vec<(u64, u64)>) -> rusqlite::Result<()> {
        if self.merges.is_empty() || keys == 0 {
            return Ok(());
        }
        let alive = first_row(conn)?;
        for mut merge in std::mem::take(&mut self.merges) {
            let Some(done) = merge.step(conn, keys, alive)? else {
                self.merges.push(merge);
                continue;
            };
            for source in merge.sources() {
                conn.prepare_cached("DELETE FROM key_run WHERE run = ?1")?.execute([source as i64])?;
                doomed.push((source, 0));
            }
            self.runs.retain(|r| !merge.sources().any(|s| s == r.run));
            done.publish(conn, self.side as i64)?;
            self.runs.push(done);
        }
        Ok(())
    }
}

/// No message stands below this row: keys of lower ones lead nowhere.
fn first_row(conn: &Connection) -> rusqlite::Result<Row> {
    let first: Option<i64> = conn.prepare_cached("SELECT min(row) FROM message")?.query_row([], |r| r.get(0))?;
    Ok(first.unwrap_or(0) as Row)
}

#[cfg(test)]
mod tests;
