//! Sheets and the feed: what the watch over accounts remembers, and what is told on. One row of the feed holds the entries of one commit.
//! It must not know what a sheet or an entry says.

use rusqlite::{Connection, OptionalExtension, params};

use super::{StateFile, decode, encode};
use crate::domain::feed::{Entry, FeedId};
use crate::domain::time::Millis;
use crate::domain::watch::Sheet;
use crate::store::StoreError;
use crate::store::sqlite::classify;

/// The number of the last entry that was ever written; rows may have been pruned.
const LAST: &str = "SELECT coalesce((SELECT max(last) FROM feed), (SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'feed_pruned'), 0)";

pub(super) fn write_sheets(conn: &Connection, sheets: &[Sheet]) -> Result<(), StoreError> {
    let engine = |e| classify("writing sheets", e);
    for sheet in sheets {
        match &sheet.data {
            Some(data) => conn
                .prepare_cached("INSERT INTO sheet (name, data) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET data = excluded.data")
                .and_then(|mut s| s.execute(params![sheet.name, data])),
            None => conn.prepare_cached("DELETE FROM sheet WHERE name = ?1").and_then(|mut s| s.execute([&sheet.name])),
        }
        .map_err(engine)?;
    }
    Ok(())
}

pub(super) fn append(conn: &Connection, entries: &[Entry]) -> Result<(), StoreError> {
    let engine = |e| classify("writing the feed", e);
    let Some(at) = entries.iter().map(|e| e.at.0).max() else { return Ok(()) };
    let last: i64 = conn.prepare_cached(LAST).and_then(|mut s| s.query_row([], |r| r.get(0))).map_err(engine)?;
    let size = entries.len() as i64;
    let data = encode(&entries)?;
    conn.prepare_cached("INSERT INTO feed (last, size, at, data) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| s.execute(params![last + size, size, at, data]))
        .map(drop)
        .map_err(engine)
}

/// Deletes old rows from the old end, at most `limit`, and remembers the last number given.
pub(super) fn prune(conn: &Connection, before: Millis, limit: usize) -> rusqlite::Result<usize> {
    let sql = "SELECT max(last) FROM (SELECT last, at FROM feed ORDER BY last LIMIT ?2) WHERE at < ?1";
    let upto: Option<i64> = conn.prepare_cached(sql)?.query_row(params![before.0, limit as i64], |r| r.get(0))?;
    let Some(upto) = upto else { return Ok(0) };
    forget_upto(conn, upto)
}

/// Deletes every row, and remembers the last number given.
pub(super) fn clear(conn: &Connection) -> rusqlite::Result<usize> {
    let last: i64 = conn.query_row(LAST, [], |r| r.get(0))?;
    forget_upto(conn, last)
}

fn forget_upto(conn: &Connection, upto: i64) -> rusqlite::Result<usize> {
    conn.execute(
        "INSERT INTO meta (key, value) VALUES ('feed_pruned', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        [upto.to_string()],
    )?;
    conn.execute("DELETE FROM feed WHERE last <= ?1", [upto])
}

impl StateFile {
    /// Every sheet whose name begins so, by name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sheets(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let engine = |e| classify("reading sheets", e);
        // Served by the primary key: a range over names. U+10FFFF stands behind every other character.
        let sql = "SELECT name, data FROM sheet WHERE name >= ?1 AND name < ?2 ORDER BY name";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map(params![prefix, format!("{prefix}\u{10ffff}")], |r| Ok((r.get(0)?, r.get(1)?))).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }

    /// One sheet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sheet(&self, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let engine = |e| classify("reading a sheet", e);
        let mut one = self.conn.prepare_cached("SELECT data FROM sheet WHERE name = ?1").map_err(engine)?;
        one.query_row([name], |r| r.get(0)).optional().map_err(engine)
    }

    /// The number of the feed's last entry; 0 before the first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn feed_last(&self) -> Result<FeedId, StoreError> {
        let engine = |e| classify("reading the feed", e);
        let last: i64 = self.conn.prepare_cached(LAST).and_then(|mut s| s.query_row([], |r| r.get(0))).map_err(engine)?;
        Ok(last as FeedId)
    }

    /// The entries behind a number, at most `limit` and those of the commit in which the limit falls, each with its number. What retention
    /// took is skipped.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn feed_after(&self, after: FeedId, limit: usize) -> Result<Vec<(FeedId, Entry)>, StoreError> {
        let engine = |e| classify("reading the feed", e);
        // Served by the primary key.
        let mut rows = self.conn.prepare_cached("SELECT last, size, data FROM feed WHERE last > ?1 ORDER BY last").map_err(engine)?;
        let mut rows = rows.query([after as i64]).map_err(engine)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(engine)? {
            let (last, size): (i64, i64) = (row.get(0).map_err(engine)?, row.get(1).map_err(engine)?);
            let data = row.get_ref(2).and_then(|d| Ok(d.as_blob()?)).map_err(engine)?;
            let entries: Vec<Entry> = decode("entry of the feed", data)?;
            let first = (last - size + 1) as FeedId;
            found.extend((first..).zip(entries).filter(|(id, _)| *id > after));
            if found.len() >= limit {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::feed::{MessageAt, What};
    use crate::domain::ids::AccountId;
    use crate::domain::projection::Change;
    use crate::domain::state::State;
    use crate::store::sqlite::Place;
    use crate::store::sqlite::state::AccountNumbers;

    fn told(at: i64, n: usize) -> Change {
        let id = |i: usize| MessageAt { row: i as u64, created_at: Millis(at) };
        let entry = |i| Entry {
            account: AccountId::parse("shop").unwrap(),
            at: Millis(at),
            what: What::Moved { id: id(i), from: None, to: State::Sent },
        };
        Change { feed: (0..n).map(entry).collect(), ..Change::default() }
    }

    #[test]
    fn entries_are_numbered_without_a_gap_and_read_on_from_any_of_them() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let mut state = StateFile::open_writer(&place, AccountNumbers::default()).unwrap();
        assert_eq!((state.feed_last().unwrap(), state.feed_after(0, 9).unwrap().len()), (0, 0));
        state.commit(&told(10, 3), &[], None).unwrap();
        state.commit(&told(20, 0), &[], None).unwrap();
        state.commit(&told(30, 2), &[], None).unwrap();
        let ids = |after, limit| state.feed_after(after, limit).unwrap().into_iter().map(|(id, e)| (id, e.at.0)).collect::<Vec<_>>();
        assert_eq!(state.feed_last().unwrap(), 5);
        assert_eq!(ids(0, 9), [(1, 10), (2, 10), (3, 10), (4, 30), (5, 30)]);
        assert_eq!(ids(1, 1), [(2, 10), (3, 10)], "the rest of a commit comes with its first");
        assert_eq!(ids(4, 9), [(5, 30)]);
        assert_eq!(ids(5, 9), []);
    }

    #[test]
    fn numbers_go_on_when_old_entries_are_pruned_and_when_all_are_cleared() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let mut state = StateFile::open_writer(&place, AccountNumbers::default()).unwrap();
        state.commit(&told(10, 3), &[], None).unwrap();
        state.prune(Millis(0), Millis(20), 9).unwrap();
        assert_eq!((state.feed_last().unwrap(), state.feed_after(0, 9).unwrap().len()), (3, 0));
        state.commit(&told(30, 1), &[], None).unwrap();
        assert_eq!(state.feed_after(0, 9).unwrap()[0].0, 4);
        state.clear().unwrap();
        state.commit(&told(40, 1), &[], None).unwrap();
        assert_eq!(state.feed_after(0, 9).unwrap()[0].0, 5);
    }
}
