//! Upkeep of the state file: old rows go in small steps, a rebuild begins empty, the write-ahead log is emptied.

use rusqlite::{Connection, params};

use super::{StateFile, decode_thread};
use crate::domain::ids::Row;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::inbox;

/// Conversations are many and rarely old: a step looks at this part of as many as of messages.
const THREADS_SHARE: usize = 5;

/// One stretch of a walk over all conversations, which begins anew at its end; up to where it came. Their number is not given again while
/// a message names it.
fn prune_threads(conn: &Connection, after: Row, before: Millis, limit: usize) -> Result<Row, StoreError> {
    let engine = |e| classify("pruning conversations", e);
    let (mut seen, mut last, mut old) = (0, 0, Vec::new());
    {
        // Served by the primary key; what still has a message by message_thread.
        let sql = "SELECT row, marks, EXISTS (SELECT 1 FROM message WHERE message.thread = thread.row) FROM thread WHERE row > ?1 ORDER BY row LIMIT ?2";
        let mut next = conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = next.query(params![after as i64, limit as i64]).map_err(engine)?;
        while let Some(row) = rows.next().map_err(engine)? {
            (seen, last) = (seen + 1, row.get(0).map_err(engine)?);
            let named: bool = row.get(2).map_err(engine)?;
            if named {
                continue;
            }
            let marks = row.get_ref(1).and_then(|d| Ok(d.as_blob()?)).map_err(engine)?;
            if decode_thread(marks)?.last_heard().is_none_or(|at| at < before) {
                old.push(last);
            }
        }
    }
    for row in old {
        conn.prepare_cached("DELETE FROM thread WHERE row = ?1").and_then(|mut s| s.execute([row])).map_err(engine)?;
    }
    Ok(if seen < limit { 0 } else { last as Row })
}

impl StateFile {
    /// Deletes up to `limit` messages that became known before `before`, and outcomes of records that are gone; how many went. Of the
    /// conversations it looks at the next few in each call, and lets go of those without a message that were not heard of since `before`.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn prune(&mut self, before: Millis, records_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let engine = |e| classify("pruning the state", e);
        self.conn.usable()?;
        let rows: Vec<Row> = {
            // Rows rise with time; walks from the old end.
            let sql = "SELECT row FROM (SELECT row, created_at FROM message ORDER BY row LIMIT ?2) WHERE created_at < ?1";
            let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
            let rows = all.query_map(params![before.0, limit as i64], |r| r.get::<_, i64>(0)).map_err(engine)?;
            rows.map(|r| r.map(|n| n as Row)).collect::<Result<_, _>>().map_err(engine)?
        };
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(engine)?;
        // Their keys stay and lead nowhere until the runs in which they stand are merged.
        for row in &rows {
            tx.prepare_cached("DELETE FROM message WHERE row = ?1").and_then(|mut s| s.execute([*row as i64])).map_err(engine)?;
        }
        let outcomes = tx
            .execute(
                "DELETE FROM outcome WHERE seq IN (SELECT seq FROM (SELECT seq, received_at FROM outcome ORDER BY seq LIMIT ?2) WHERE received_at < ?1)",
                params![records_before.0, limit as i64],
            )
            .map_err(engine)?;
        super::feed::prune(&tx, records_before, limit).map_err(engine)?;
        let walked = prune_threads(&tx, self.walked, before, limit.div_ceil(THREADS_SHARE))?;
        // Rows are never given twice, or an old public id would lead to another message.
        if let Some(last) = rows.iter().max() {
            tx.execute(
                "INSERT INTO meta (key, value) VALUES ('pruned_row', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [last.to_string()],
            )
            .map_err(engine)?;
        }
        tx.commit().map_err(engine)?;
        self.walked = walked;
        Ok(rows.len() + outcomes)
    }

    /// The file still reads as the next start would read it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn prove(&self) -> Result<(), StoreError> {
        self.conn.prove("SELECT max(row) FROM message")
    }

    /// The path of the file.
    pub fn place(&self) -> &str {
        self.conn.path()
    }

    /// Empties the state, for a rebuild from the inbox.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        const CLEAR: &str = "BEGIN IMMEDIATE; DELETE FROM message; DELETE FROM message_key; DELETE FROM recipient_key; DELETE FROM key_run;
            DELETE FROM key_page; DELETE FROM thread; DELETE FROM outcome; DELETE FROM sheet; DELETE FROM meta WHERE key <> 'feed_pruned'; COMMIT;";
        self.conn.usable()?;
        self.keys = None;
        let engine = |e| classify("clearing the state", e);
        // Its entries name rows that are given anew; their numbers are not.
        super::feed::clear(&self.conn).map_err(engine)?;
        self.conn.execute_batch(CLEAR).map_err(engine)
    }

    /// Moves the write-ahead log into the file without waiting for readers, which syncs both; `true` when all of it went.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn sync(&mut self) -> Result<bool, StoreError> {
        self.conn.usable()?;
        let moved = self
            .conn
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, i64>(1)?, r.get::<_, i64>(2)?)));
        let (busy, frames, done) = moved.map_err(|e| classify("syncing the state", e))?;
        Ok(busy == 0 && frames == done)
    }

    /// Moves the write-ahead log into the file as far as readers allow.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        inbox::checkpoint(&self.conn)
    }
}
