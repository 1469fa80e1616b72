//! Copying a store while it is served, and how far its records reach.
//!
//! A copy is taken inside one read transaction of its file, so it is one moment of it however long it takes; writers go on. It must
//! not know where copies are put or what they are called.

use std::path::Path;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::inbox::InboxReader;
use super::{Part, Place, cannot_open, classify};
use crate::domain::ids::Seq;
use crate::store::StoreError;

/// How many pages are copied between two words of progress.
const STEP_PAGES: i32 = 4_096;

/// Most findings of the integrity check that are told.
const FINDINGS_MAX: usize = 5;

impl Place {
    /// Copies one of the files into a new one, which is checked and complete in itself (no write-ahead log beside it) afterwards.
    /// `progress` is told the pages done and the pages in all.
    ///
    /// # Errors
    /// When the file cannot be read, the copy cannot be written, or the copy does not pass the check ([`StoreError::Damaged`]).
    pub fn copy(&self, part: Part, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<(), StoreError> {
        let engine = |e| classify("copying the store", e);
        let from = self.open_reader(part)?;
        // An open read transaction pins the moment: without it, every commit of the server would start the copy anew.
        from.execute_batch("BEGIN").map_err(engine)?;
        from.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(engine)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut copy = Connection::open_with_flags(to, flags).map_err(|e| cannot_open(to, &e))?;
        {
            let backup = Backup::new(&from, &mut copy).map_err(engine)?;
            loop {
                let step = backup.step(STEP_PAGES).map_err(engine)?;
                let p = backup.progress();
                let total = u64::try_from(p.pagecount).unwrap_or(0);
                progress(total.saturating_sub(u64::try_from(p.remaining).unwrap_or(0)), total);
                match step {
                    StepResult::Done => break,
                    StepResult::More => {}
                    _ => return Err(StoreError::InUse { path: to.display().to_string() }),
                }
            }
        }
        copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).map_err(engine)?;
        check(&copy, to)?;
        copy.close().map_err(|(_, e)| classify("closing a copy", e))
    }
}

/// The whole file reads back and its indexes agree with its tables.
fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let engine = |e| classify("checking a copy", e);
    let mut all = conn.prepare("PRAGMA integrity_check").map_err(engine)?;
    let rows = all.query_map([], |r| r.get::<_, String>(0)).map_err(engine)?;
    let found: Vec<String> = rows.take(FINDINGS_MAX).collect::<Result<_, _>>().map_err(engine)?;
    if found == ["ok"] {
        return Ok(());
    }
    Err(StoreError::Damaged { path: path.display().to_string(), detail: found.join("; ") })
}

impl InboxReader {
    /// The oldest record still kept; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn first_seq(&self) -> Result<Option<Seq>, StoreError> {
        let engine = |e| classify("reading the inbox", e);
        // Served by the primary key.
        let first: Option<i64> = self.conn().query_row("SELECT min(seq) FROM record", [], |r| r.get(0)).map_err(engine)?;
        Ok(first.map(|n| n as Seq))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_one_moment_of_a_file_that_is_being_written() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("a.db"));
        let writer = place.open_writer(Part::Inbox).unwrap();
        let add = |n: i64| {
            let sql = "INSERT INTO meta (key, value) VALUES (?1, printf('%.*c', 3000, 'x'))";
            writer.execute(sql, [n.to_string()]).unwrap();
        };
        writer.execute_batch("BEGIN").unwrap();
        (0..20_000).for_each(add);
        writer.execute_batch("COMMIT").unwrap();
        let copy = Place::new(dir.path().join("copy.db"));
        let (mut steps, mut last) = (0, (0, 0));
        place
            .copy(Part::Inbox, copy.inbox(), &mut |done, total| {
                add(1_000_000 + steps);
                steps += 1;
                last = (done, total);
            })
            .unwrap();
        assert!(steps > 2 && last.0 == last.1, "{steps} {last:?}");
        assert!(!dir.path().join("copy.db-wal").exists());
        let rows: i64 = copy.open_reader(Part::Inbox).unwrap().query_row("SELECT count(*) FROM meta", [], |r| r.get(0)).unwrap();
        assert_eq!(rows, 20_000);
    }
}
