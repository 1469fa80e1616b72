//! The inbox file: appending records durably, recognising repeats, reading records back.
//!
//! It keeps bytes and recognises equal ones; it must not know what they mean.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row as SqlRow, params};

use super::repeats::{Repeats, Run, Short};
use super::{Db, Part, Place, classify};
use crate::domain::ids::{AccountId, Seq};
use crate::domain::record::{Callback, Content, Method, Record};
use crate::domain::time::Millis;
use crate::store::{Receipt, StoreError};

pub use crate::store::Submission;

/// The one writer of the inbox file.
pub struct InboxWriter {
    conn: Db,
    accounts: HashMap<String, i64>,
    next_seq: Seq,
    /// The last record that retention took.
    pruned_upto: Seq,
    repeats: Repeats,
}

const INSERT: &str = "INSERT INTO record (seq, account, kind, received_at, source, method, query, content_type, headers, body, identity)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const REPEAT: &str = "INSERT INTO repeat (seq, count, last_at) VALUES (?1, 1, ?2)
                      ON CONFLICT (seq) DO UPDATE SET count = count + 1, last_at = max(last_at, excluded.last_at)";
// Served by the primary key.
const IDENTITY: &str = "SELECT identity FROM record WHERE seq = ?1";

impl InboxWriter {
    /// Opens the inbox and reads what is needed to recognise repeats.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn open(place: &Place) -> Result<InboxWriter, StoreError> {
        let conn = place.open_writer(Part::Inbox)?;
        let engine = |e| conn.fault("reading the inbox", e);
        let mut accounts = HashMap::new();
        {
            let mut all = conn.prepare("SELECT id, no FROM account").map_err(engine)?;
            let rows = all.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?))).map_err(engine)?;
            for row in rows {
                let (id, no) = row.map_err(engine)?;
                accounts.insert(id, no);
            }
        }
        let (next_seq, pruned_upto) = (next_seq(&conn).map_err(engine)?, pruned_upto(&conn).map_err(engine)?);
        let repeats = read_repeats(&conn).map_err(engine)?;
        Ok(InboxWriter { conn, accounts, next_seq, pruned_upto, repeats })
    }

    /// Gives every configured account a number.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn ensure_accounts<'a>(&mut self, all: impl Iterator<Item = (&'a AccountId, &'static str)>) -> Result<(), StoreError> {
        for (id, provider) in all {
            if !self.accounts.contains_key(id.as_str()) {
                let no = add_account(&self.conn, id, provider).map_err(|e| classify("adding an account", e))?;
                self.accounts.insert(id.as_str().to_owned(), no);
            }
        }
        Ok(())
    }

    /// The position that the next record gets.
    pub fn next_seq(&self) -> Seq {
        self.next_seq
    }

    /// Appends a batch in one synced transaction. Only when this returns `Ok` are the records durable; after an error none is.
    ///
    /// # Errors
    /// When the engine fails; nothing of the batch is kept.
    pub fn append(&mut self, batch: &[Submission]) -> Result<Vec<Receipt>, StoreError> {
        self.conn.takes_writes()?;
        let engine = |e| classify("appending to the inbox", e);
        let mut fresh: HashMap<Short, Seq> = HashMap::new();
        let mut receipts = Vec::with_capacity(batch.len());
        let mut seq = self.next_seq;
        let mut new_accounts = Vec::new();
        let tx = self.conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(engine)?;
        {
            let mut insert = tx.prepare_cached(INSERT).map_err(engine)?;
            let mut repeat = tx.prepare_cached(REPEAT).map_err(engine)?;
            for s in batch {
                if let Some(identity) = &s.identity {
                    let known = match fresh.get(identity) {
                        Some(seq) => Some(*seq),
                        // What retention took is not on disk any more: it is stored anew.
                        None => find_repeat(&tx, &self.repeats, identity).map_err(engine)?.filter(|seq| *seq > self.pruned_upto),
                    };
                    if let Some(first) = known {
                        repeat.execute(params![first as i64, s.received_at.0]).map_err(engine)?;
                        receipts.push(Receipt { seq: first, repeat: true });
                        continue;
                    }
                    fresh.insert(*identity, seq);
                }
                let known = self
                    .accounts
                    .get(s.account.as_str())
                    .or_else(|| new_accounts.iter().find(|(id, _): &&(String, i64)| id == s.account.as_str()).map(|(_, no)| no));
                let account = match known {
                    Some(no) => *no,
                    None => {
                        let no = add_account(&tx, &s.account, s.provider).map_err(engine)?;
                        new_accounts.push((s.account.as_str().to_owned(), no));
                        no
                    }
                };
                insert_record(&mut insert, seq, account, s).map_err(engine)?;
                receipts.push(Receipt { seq, repeat: false });
                seq += 1;
            }
        }
        tx.commit().map_err(engine)?;
        self.accounts.extend(new_accounts);
        self.next_seq = seq;
        for (s, receipt) in batch.iter().zip(&receipts) {
            if let (Some(identity), false) = (s.identity, receipt.repeat) {
                self.repeats.add(identity, receipt.seq, s.received_at);
            }
        }
        // Asked last: a commit into a file that was deleted meanwhile is none.
        self.conn.in_place()?;
        Ok(receipts)
    }

    /// Seals a full stretch of identities and forgets those out of the window. Called between batches.
    ///
    /// # Errors
    /// When the engine fails; the identities stay in memory and sealing is tried again.
    pub fn tend_repeats(&mut self, now: Millis) -> Result<(), StoreError> {
        let engine = |e| classify("sealing identities", e);
        self.conn.usable()?;
        if self.repeats.is_full(self.next_seq)
            && let Some(run) = self.repeats.seal()
        {
            let tx = self.conn.transaction().map_err(engine)?;
            tx.execute(
                "INSERT INTO identity_run (first_seq, last_seq, newest_at, data) VALUES (?1, ?2, ?3, ?4)",
                params![run.first_seq() as i64, (self.next_seq - 1) as i64, run.newest_at().0, run.encode()],
            )
            .map_err(engine)?;
            tx.commit().map_err(engine)?;
            self.repeats.sealed(run);
        }
        for first in self.repeats.forget(now) {
            self.conn.execute("DELETE FROM identity_run WHERE first_seq = ?1", [first as i64]).map_err(engine)?;
        }
        Ok(())
    }

    /// After a failed write or sync: makes sure that what is appended from now on is durable, and learns whether the disk takes writes.
    ///
    /// A failed sync may leave pages that the system takes for clean though they never reached the disk; records appended behind them
    /// would be cut off by the next recovery. So the whole log is written anew into the file, synced there and emptied, before
    /// anything is appended again. If the log itself was deleted, that saves what it held.
    ///
    /// # Errors
    /// When the disk does not take it, a file was deleted, or a reader holds the log; nothing may be acknowledged then.
    pub fn recover(&mut self, now: Millis) -> Result<(), StoreError> {
        let engine = |e| classify("writing the log anew", e);
        self.conn.takes_writes()?;
        let busy: i64 = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0)).map_err(engine)?;
        if busy != 0 {
            return Err(StoreError::LogHeld);
        }
        self.conn.in_place()?;
        self.prove()?;
        self.conn
            .execute(
                "INSERT INTO meta (key, value) VALUES ('probe', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                [now.0.to_string()],
            )
            .map(drop)
            .map_err(engine)
    }

    /// The file still reads as the next start would read it.
    ///
    /// # Errors
    /// [`StoreError::Damaged`]; nothing may be acknowledged then.
    pub fn prove(&self) -> Result<(), StoreError> {
        self.conn.prove("SELECT max(seq) FROM record")
    }

    /// Deletes up to `limit` of the oldest records that arrived before `before` and stand before `cursor`; how many went.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn prune(&mut self, before: Millis, cursor: Seq, limit: usize) -> Result<usize, StoreError> {
        let engine = |e| classify("pruning the inbox", e);
        self.conn.usable()?;
        let tx = self.conn.transaction().map_err(engine)?;
        // Served by the primary key: walks from the old end, at most `limit` rows.
        let upto: Option<i64> = tx
            .query_row(
                "SELECT max(seq) FROM (SELECT seq, received_at FROM record ORDER BY seq LIMIT ?3) WHERE received_at < ?1 AND seq <= ?2",
                params![before.0, cursor as i64, limit as i64],
                |r| r.get(0),
            )
            .map_err(engine)?;
        let Some(upto) = upto else { return Ok(0) };
        let gone = tx.execute("DELETE FROM record WHERE seq <= ?1", [upto]).map_err(engine)?;
        tx.execute("DELETE FROM repeat WHERE seq <= ?1", [upto]).map_err(engine)?;
        // The counter must not fall back when everything was pruned.
        tx.execute(
            "INSERT INTO meta (key, value) VALUES ('pruned_upto', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            [upto.to_string()],
        )
        .map_err(engine)?;
        tx.commit().map_err(engine)?;
        self.pruned_upto = upto as Seq;
        Ok(gone)
    }

    /// Moves the write-ahead log into the file as far as readers allow.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        checkpoint(&self.conn)
    }

    /// Remembers the hash of an API key.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn add_api_key(&mut self, hash: &[u8; 32], name: &str, now: Millis) -> Result<(), StoreError> {
        self.conn
            .execute("INSERT INTO api_key (hash, name, created_at) VALUES (?1, ?2, ?3)", params![hash, name, now.0])
            .map(drop)
            .map_err(|e| classify("storing an API key", e))
    }

    /// The hashes of the API keys made so far.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn api_keys(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        let engine = |e| classify("reading API keys", e);
        let mut all = self.conn.prepare("SELECT hash FROM api_key").map_err(engine)?;
        let rows = all.query_map([], |r| r.get::<_, [u8; 32]>(0)).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }
}

pub(super) fn checkpoint(conn: &Db) -> Result<(), StoreError> {
    conn.takes_writes()?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(|e| classify("checkpointing", e))
}

fn next_seq(conn: &Connection) -> rusqlite::Result<Seq> {
    let last: Option<i64> = conn.query_row("SELECT max(seq) FROM record", [], |r| r.get(0))?;
    Ok((last.unwrap_or(0) as Seq).max(pruned_upto(conn)?) + 1)
}

fn pruned_upto(conn: &Connection) -> rusqlite::Result<Seq> {
    let pruned: Option<String> = conn.query_row("SELECT value FROM meta WHERE key = 'pruned_upto'", [], |r| r.get(0)).optional()?;
    Ok(pruned.and_then(|p| p.parse().ok()).unwrap_or(0))
}

fn read_repeats(conn: &Connection) -> rusqlite::Result<Repeats> {
    let mut repeats = Repeats::default();
    let mut last_sealed = 0i64;
    let mut runs = conn.prepare("SELECT first_seq, last_seq, newest_at, data FROM identity_run ORDER BY first_seq")?;
    let mut rows = runs.query([])?;
    while let Some(row) = rows.next()? {
        last_sealed = row.get(1)?;
        let data = row.get_ref(3)?.as_blob()?;
        repeats.add_run(Run::decode(row.get::<_, i64>(0)? as Seq, Millis(row.get(2)?), data));
    }
    let mut open = conn.prepare("SELECT identity, seq, received_at FROM record WHERE seq > ?1 AND identity IS NOT NULL")?;
    let mut rows = open.query([last_sealed])?;
    while let Some(row) = rows.next()? {
        repeats.add(row.get(0)?, row.get::<_, i64>(1)? as Seq, Millis(row.get(2)?));
    }
    Ok(repeats)
}

fn find_repeat(conn: &Connection, repeats: &Repeats, identity: &Short) -> rusqlite::Result<Option<Seq>> {
    if let Some(seq) = repeats.newest(identity) {
        return Ok(Some(seq));
    }
    for seq in repeats.candidates(identity) {
        let stored: Option<Option<Short>> = conn.prepare_cached(IDENTITY)?.query_row([seq as i64], |r| r.get(0)).optional()?;
        if stored.flatten().as_ref() == Some(identity) {
            return Ok(Some(seq));
        }
    }
    Ok(None)
}

fn add_account(conn: &Connection, id: &AccountId, provider: &str) -> rusqlite::Result<i64> {
    conn.query_row("INSERT INTO account (id, provider) VALUES (?1, ?2) RETURNING no", params![id.as_str(), provider], |r| r.get(0))
}

fn insert_record(insert: &mut rusqlite::CachedStatement<'_>, seq: Seq, account: i64, s: &Submission) -> rusqlite::Result<usize> {
    let (seq, at) = (seq as i64, s.received_at.0);
    let own = |kind: i64, body: Vec<u8>| (kind, body);
    match &s.content {
        Content::Callback(c) => {
            let method = match c.method {
                Method::Get => 0,
                Method::Post => 1,
            };
            let headers = (!c.headers.is_empty()).then(|| encode_headers(&c.headers));
            let query = (!c.query.is_empty()).then_some(&c.query);
            insert.execute(params![seq, account, 0, at, c.source, method, query, c.content_type, headers, c.body, s.identity])
        }
        content => {
            let (kind, body) = match content {
                Content::Registrations(r) => own(1, serde_json::to_vec(r).unwrap_or_default()),
                Content::Answer { target, answer } => own(2, serde_json::to_vec(&(target, answer)).unwrap_or_default()),
                Content::Mark { target, reason } => own(3, serde_json::to_vec(&(target, reason)).unwrap_or_default()),
                Content::Callback(_) | Content::Damaged(_) => return Ok(0),
            };
            insert.execute(params![
                seq,
                account,
                kind,
                at,
                None::<&str>,
                None::<i64>,
                None::<&str>,
                None::<&str>,
                None::<&str>,
                body,
                None::<&[u8]>
            ])
        }
    }
}

fn encode_headers(headers: &[(String, String)]) -> String {
    let map: serde_json::Map<String, serde_json::Value> = headers.iter().map(|(n, v)| (n.clone(), v.as_str().into())).collect();
    serde_json::Value::Object(map).to_string()
}

/// Most bytes of bodies that one batch of records brings into memory, give or take the last one.
pub const READ_BYTES_MAX: usize = 32 << 20;

/// Reading records back.
pub struct InboxReader {
    conn: Db,
}

const RECORD_COLUMNS: &str = "SELECT r.seq, a.id, r.kind, r.received_at, r.source, r.method, r.query, r.content_type, r.headers, r.body
                              FROM record r JOIN account a ON a.no = r.account";

impl InboxReader {
    /// Opens the inbox for reading.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open(place: &Place) -> Result<InboxReader, StoreError> {
        Ok(InboxReader { conn: place.open_reader(Part::Inbox)? })
    }

    /// [`Place::usable`], for this connection's file.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] and [`StoreError::Gone`].
    pub fn usable(&self) -> Result<(), StoreError> {
        self.conn.usable()
    }

    /// The records after a position, at most `limit`, and no further one once their bodies fill [`READ_BYTES_MAX`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn after(&self, cursor: Seq, limit: usize) -> Result<Vec<Record>, StoreError> {
        let engine = |e| self.conn.fault("reading records", e);
        // Served by the primary key.
        let sql = format!("{RECORD_COLUMNS} WHERE r.seq > ?1 ORDER BY r.seq LIMIT ?2");
        let mut all = self.conn.prepare_cached(&sql).map_err(engine)?;
        let mut rows = all.query(params![cursor as i64, limit as i64]).map_err(engine)?;
        let mut records = Vec::new();
        let mut bytes = 0;
        while bytes < READ_BYTES_MAX
            && let Some(row) = rows.next().map_err(engine)?
        {
            bytes += row.get_ref(9).map_err(engine)?.as_blob().map_or(0, <[u8]>::len);
            records.push(read_record(row).map_err(engine)??);
        }
        Ok(records)
    }

    /// One record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, seq: Seq) -> Result<Option<Record>, StoreError> {
        let engine = |e| self.conn.fault("reading a record", e);
        let sql = format!("{RECORD_COLUMNS} WHERE r.seq = ?1");
        let mut one = self.conn.prepare_cached(&sql).map_err(engine)?;
        let found = one.query_row([seq as i64], |row| Ok(read_record(row))).optional().map_err(engine)?;
        match found {
            Some(record) => Ok(Some(record.map_err(engine)??)),
            None => Ok(None),
        }
    }

    /// The position of the last record.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_seq(&self) -> Result<Seq, StoreError> {
        next_seq(&self.conn).map(|n| n - 1).map_err(|e| self.conn.fault("reading the inbox", e))
    }

    /// Every account that ever wrote: number, slug, provider.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accounts(&self) -> Result<Vec<(i64, String, String)>, StoreError> {
        let engine = |e| self.conn.fault("reading accounts", e);
        let mut all = self.conn.prepare_cached("SELECT no, id, provider FROM account ORDER BY no").map_err(engine)?;
        let rows = all.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?))).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }
}

type Decoded = Result<Record, StoreError>;

fn read_record(row: &SqlRow<'_>) -> rusqlite::Result<Decoded> {
    let seq = row.get::<_, i64>(0)? as Seq;
    let id: String = row.get(1)?;
    let kind: i64 = row.get(2)?;
    let received_at = Millis(row.get(3)?);
    let Ok(account) = AccountId::parse(&id) else {
        return Ok(Err(StoreError::Decode { what: "account", detail: id }));
    };
    let content = match kind {
        0 => Content::Callback(Callback {
            account: account.clone(),
            method: if row.get::<_, Option<i64>>(5)? == Some(0) { Method::Get } else { Method::Post },
            query: row.get::<_, Option<String>>(6)?.unwrap_or_default(),
            content_type: row.get(7)?,
            headers: row.get::<_, Option<String>>(8)?.map(|h| decode_headers(&h)).unwrap_or_default(),
            body: row.get(9)?,
            source: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
            received_at,
        }),
        kind => decode_own(kind, row.get_ref(9)?.as_blob()?).unwrap_or_else(Content::Damaged),
    };
    Ok(Ok(Record { seq, account, received_at, content }))
}

fn decode_own(kind: i64, body: &[u8]) -> Result<Content, String> {
    let read = |e: serde_json::Error| e.to_string();
    Ok(match kind {
        1 => Content::Registrations(serde_json::from_slice(body).map_err(read)?),
        2 => {
            let (target, answer) = serde_json::from_slice(body).map_err(read)?;
            Content::Answer { target, answer }
        }
        3 => {
            let (target, reason) = serde_json::from_slice(body).map_err(read)?;
            Content::Mark { target, reason }
        }
        _ => return Err(format!("unknown kind {kind}")),
    })
}

fn decode_headers(text: &str) -> Vec<(String, String)> {
    let map: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    map.into_iter().filter_map(|(n, v)| v.as_str().map(|v| (n, v.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn submission(n: u8, body: &[u8]) -> Submission {
        let account = AccountId::parse("shop").unwrap();
        let callback = Callback {
            account: account.clone(),
            method: Method::Post,
            query: "a=1".into(),
            content_type: Some("text/plain".into()),
            headers: vec![("x-a".into(), "b".into())],
            body: body.to_vec(),
            source: "127.0.0.1".into(),
            received_at: Millis(1_000 + i64::from(n)),
        };
        let received_at = callback.received_at;
        Submission { provider: "zalo", account, received_at, content: Content::Callback(callback), identity: Some([n; 16]) }
    }

    #[test]
    fn records_read_back_as_they_came_and_repeats_are_recognised_across_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("i.db"));
        let mut inbox = InboxWriter::open(&place).unwrap();
        let batch = [submission(1, b"\xff\x00{"), submission(1, b"\xff\x00{"), submission(2, b"two")];
        let receipts = inbox.append(&batch).unwrap();
        assert_eq!(receipts.iter().map(|r| (r.seq, r.repeat)).collect::<Vec<_>>(), [(1, false), (1, true), (2, false)]);
        drop(inbox);
        let mut inbox = InboxWriter::open(&place).unwrap();
        assert_eq!(inbox.append(&[submission(2, b"two")]).unwrap(), [Receipt { seq: 2, repeat: true }]);
        assert_eq!(inbox.append(&[submission(3, b"three")]).unwrap(), [Receipt { seq: 3, repeat: false }]);
        let reader = InboxReader::open(&place).unwrap();
        let records = reader.after(0, 10).unwrap();
        assert_eq!(records.len(), 3);
        assert_eq!(records[0].content, batch[0].content);
        assert_eq!(reader.get(3).unwrap().unwrap().seq, 3);
        assert_eq!(reader.get(4).unwrap(), None);
    }

    #[test]
    fn positions_never_fall_back_when_everything_is_pruned() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::new(dir.path().join("i.db"));
        let mut inbox = InboxWriter::open(&place).unwrap();
        inbox.append(&[submission(1, b"a"), submission(2, b"b")]).unwrap();
        assert_eq!(inbox.prune(Millis(i64::MAX), 1, 100).unwrap(), 1);
        assert_eq!(inbox.prune(Millis(i64::MAX), 9, 100).unwrap(), 1);
        drop(inbox);
        assert_eq!(InboxWriter::open(&place).unwrap().next_seq(), 3);
    }
}
