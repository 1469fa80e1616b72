//! Upkeep of the state file: old rows go in small steps, a rebuild begins empty, the write-ahead log is emptied.

use rusqlite::params;

use super::StateFile;
use crate::domain::ids::{Row, Seq};
use crate::domain::message::Message;
use crate::domain::projection::{Key, Source};
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::inbox::{self, InboxReader};

impl StateFile {
    /// Deletes up to `limit` messages that became known before `before`, and outcomes of records that are gone; how many went.
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
        let mut gone = Vec::with_capacity(rows.len());
        for row in rows {
            gone.extend(self.message(row)?);
        }
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(engine)?;
        for message in &gone {
            for Key(hash) in keys_of(message) {
                tx.prepare_cached("DELETE FROM message_key WHERE hash = ?1 AND row = ?2")
                    .and_then(|mut s| s.execute(params![hash as i64, message.row as i64]))
                    .map_err(engine)?;
            }
            tx.prepare_cached("DELETE FROM message WHERE row = ?1").and_then(|mut s| s.execute([message.row as i64])).map_err(engine)?;
        }
        let outcomes = tx
            .execute(
                "DELETE FROM outcome WHERE seq IN (SELECT seq FROM (SELECT seq, received_at FROM outcome ORDER BY seq LIMIT ?2) WHERE received_at < ?1)",
                params![records_before.0, limit as i64],
            )
            .map_err(engine)?;
        // Rows are never given twice, or an old public id would lead to another message.
        if let Some(last) = gone.iter().map(|m| m.row).max() {
            tx.execute(
                "INSERT INTO meta (key, value) VALUES ('pruned_row', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [last.to_string()],
            )
            .map_err(engine)?;
        }
        tx.commit().map_err(engine)?;
        Ok(gone.len() + outcomes)
    }

    /// The file still reads as the next start would read it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`].
    pub fn prove(&self) -> Result<(), StoreError> {
        self.conn.prove("SELECT max(row) FROM message")
    }

    /// The last record folded, which the inbox must have: an inbox that begins anew would give out numbers that count as folded already.
    ///
    /// # Errors
    /// [`StoreError::Apart`], or when a file cannot be read.
    pub fn cursor_in(&self, inbox: &InboxReader) -> Result<Seq, StoreError> {
        let (cursor, last) = (self.cursor()?, inbox.last_seq()?);
        if cursor > last {
            return Err(StoreError::Apart { path: self.conn.path().to_owned(), cursor, last });
        }
        Ok(cursor)
    }

    /// Empties the state, for a rebuild from the inbox.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn clear(&mut self) -> Result<(), StoreError> {
        self.conn.usable()?;
        self.conn
            .execute_batch("BEGIN IMMEDIATE; DELETE FROM message; DELETE FROM message_key; DELETE FROM thread; DELETE FROM outcome; DELETE FROM meta; COMMIT;")
            .map_err(|e| classify("clearing the state", e))
    }

    /// Moves the write-ahead log into the file as far as readers allow.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        inbox::checkpoint(&self.conn)
    }
}

/// Every key under which a message may stand.
fn keys_of(message: &Message) -> Vec<Key> {
    let f = &message.facts;
    let mut keys: Vec<Key> = f.ids.keys().map(|id| Key::id(id)).collect();
    keys.extend(f.reference.iter().map(|r| Key::reference(r)));
    keys.extend(f.claims.keys().map(|r| Key::claim(r)));
    keys.extend(message.filed.recipient.iter().map(|r| Key::recipient(r)));
    keys
}
