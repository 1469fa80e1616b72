//! The state file: messages, conversations, outcomes and the cursor, committed together.
//!
//! It keeps what the fold hands over; it must not know what facts mean.

mod feed;
pub(super) mod source;
mod upkeep;

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::keys::{Keys, Sizes};
use super::{Db, Part, Place, classify};
use crate::domain::facts::Facts;
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::message::Timeline;
use crate::domain::projection::{Change, Changed, ThreadKey};
use crate::domain::record::Status;
use crate::domain::state::State;
use crate::domain::thread::{Thread, Watermarks};
use crate::domain::time::Millis;
use crate::store::StoreError;

/// The layout of everything but `marks` that this program writes.
const BLOB_VERSION: u8 = 1;

/// The layout of `marks` that this program writes. The first had watermarks only, and is still read.
const MARKS_VERSION: u8 = 2;

/// Room for an ordinary dossier, so that writing one does not move it.
const BLOB_BYTES_USUAL: usize = 1_024;

/// What became of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The record.
    pub seq: Seq,
    /// Its account.
    pub account: AccountId,
    /// It is a provider's callback.
    pub callback: bool,
    /// When it arrived.
    pub received_at: Millis,
    /// Its status; never `received`.
    pub status: Status,
    /// Why error or ignored.
    pub reason: Option<String>,
}

/// The part of a message that is stored as one value.
#[derive(Serialize, Deserialize)]
struct Dossier {
    facts: Facts,
    timeline: Timeline,
    borrows: Option<Row>,
    lent_to: Option<Row>,
    merged_into: Option<Row>,
    stuck: Option<StoredStuck>,
    due_at: Option<Millis>,
    stamp: u64,
}

#[derive(Serialize, Deserialize)]
struct StoredStuck {
    since: Millis,
    deadline: Millis,
    cause: u8,
}

/// A conversation as the first layout has it.
#[derive(Serialize, Deserialize)]
struct WatermarksOnly {
    delivered: Watermarks,
    read: Watermarks,
}

fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, StoreError> {
    encode_as(BLOB_VERSION, value)
}

fn encode_as<T: Serialize>(version: u8, value: &T) -> Result<Vec<u8>, StoreError> {
    let decode = |e: postcard::Error| StoreError::Decode { what: "message", detail: e.to_string() };
    let mut bytes = Vec::with_capacity(BLOB_BYTES_USUAL);
    bytes.push(version);
    postcard::to_extend(value, bytes).map_err(decode)
}

fn decode<'a, T: Deserialize<'a>>(what: &'static str, bytes: &'a [u8]) -> Result<T, StoreError> {
    decode_as(what, BLOB_VERSION, bytes)
}

fn decode_as<'a, T: Deserialize<'a>>(what: &'static str, version: u8, bytes: &'a [u8]) -> Result<T, StoreError> {
    match bytes.split_first() {
        Some((v, rest)) if *v == version => postcard::from_bytes(rest).map_err(|e| StoreError::Decode { what, detail: e.to_string() }),
        Some((v, _)) => Err(StoreError::Decode { what, detail: format!("its layout, {v}, is unknown") }),
        None => Err(StoreError::Decode { what, detail: "it is empty".into() }),
    }
}

pub(super) fn decode_thread(bytes: &[u8]) -> Result<Thread, StoreError> {
    const WHAT: &str = "conversation";
    if bytes.first() == Some(&BLOB_VERSION) {
        let WatermarksOnly { delivered, read } = decode(WHAT, bytes)?;
        return Ok(Thread { delivered, read, ..Thread::default() });
    }
    decode_as(WHAT, MARKS_VERSION, bytes)
}

/// Numbers of accounts, as the inbox gave them.
#[derive(Clone, Debug, Default)]
pub struct AccountNumbers {
    by_id: HashMap<AccountId, (i64, String)>,
    by_no: HashMap<i64, AccountId>,
}

impl AccountNumbers {
    /// From the inbox's list: number, slug, provider.
    pub fn new(all: Vec<(i64, String, String)>) -> AccountNumbers {
        let mut numbers = AccountNumbers::default();
        for (no, id, provider) in all {
            if let Ok(id) = AccountId::parse(&id) {
                numbers.by_no.insert(no, id.clone());
                numbers.by_id.insert(id, (no, provider));
            }
        }
        numbers
    }

    /// The number and provider of an account.
    pub fn no(&self, id: &AccountId) -> Option<(i64, &str)> {
        self.by_id.get(id).map(|(no, provider)| (*no, provider.as_str()))
    }

    /// The account with a number.
    pub fn id(&self, no: i64) -> Option<&AccountId> {
        self.by_no.get(&no)
    }

    /// Every account: number, slug, provider.
    pub fn iter(&self) -> impl Iterator<Item = (i64, &AccountId, &str)> {
        self.by_id.iter().map(|(id, (no, provider))| (*no, id, provider.as_str()))
    }
}

/// The state file, for its one writer and for readers alike.
pub struct StateFile {
    conn: Db,
    /// What the writer knows of the key index; a reader has none, and neither has a writer after a failure.
    keys: Option<Keys>,
    /// How far retention has walked over the conversations.
    walked: Row,
    /// Numbers of accounts; the owner refreshes them when the inbox has met a new one.
    pub accounts: AccountNumbers,
}

const MESSAGE_COLUMNS: &str = "SELECT row, account, created_at, listed_at, state, recipient, thread, server_time, dossier FROM message";

impl StateFile {
    /// Opens the state for writing.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_writer(place: &Place, accounts: AccountNumbers) -> Result<StateFile, StoreError> {
        Ok(StateFile { conn: place.open_writer(Part::State)?, keys: None, walked: 0, accounts })
    }

    /// Opens the state for reading.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_reader(place: &Place, accounts: AccountNumbers) -> Result<StateFile, StoreError> {
        Ok(StateFile { conn: place.open_reader(Part::State)?, keys: None, walked: 0, accounts })
    }

    /// [`Place::usable`], for this connection's file.
    ///
    /// # Errors
    /// [`StoreError::ReadOnly`] and [`StoreError::Gone`].
    pub fn usable(&self) -> Result<(), StoreError> {
        self.conn.usable()
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// The last record that was folded.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn cursor(&self) -> Result<Seq, StoreError> {
        let engine = |e| self.conn.fault("reading the cursor", e);
        let mut one = self.conn.prepare_cached("SELECT value FROM meta WHERE key = 'cursor'").map_err(engine)?;
        let text: Option<String> = one.query_row([], |r| r.get(0)).optional().map_err(engine)?;
        Ok(text.and_then(|t| t.parse().ok()).unwrap_or(0))
    }

    /// The rows whose deadline has come, oldest first, at most `limit`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn due(&self, now: Millis, limit: usize) -> Result<Vec<Row>, StoreError> {
        let engine = |e| self.conn.fault("reading what is due", e);
        // Served by message_due: costs by what is due, not by what is stored.
        let sql = "SELECT row FROM message WHERE due_at IS NOT NULL AND due_at <= ?1 ORDER BY due_at LIMIT ?2";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map(params![now.0, limit as i64], |r| r.get::<_, i64>(0)).map_err(engine)?;
        rows.map(|r| r.map(|n| n as Row)).collect::<Result<_, _>>().map_err(engine)
    }

    /// The stuck messages of an account behind a row that became known at `since` or later, by rising row, at most `limit`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stuck_rows(&self, account: &AccountId, since: Millis, after: Row, limit: usize) -> Result<Vec<Row>, StoreError> {
        let engine = |e| self.conn.fault("reading what is stuck", e);
        // An account that nothing was ever written for has no number, and no messages.
        let Some((no, _)) = self.accounts.no(account) else { return Ok(Vec::new()) };
        // Served by message_listed: rows rise with time, so what is older is passed over and not read.
        let first = "SELECT row FROM message WHERE listed_at >= ?1 ORDER BY listed_at, row LIMIT 1";
        let first: Option<i64> =
            self.conn.prepare_cached(first).and_then(|mut s| s.query_row([since.0], |r| r.get(0)).optional()).map_err(engine)?;
        let Some(first) = first else { return Ok(Vec::new()) };
        // Served by message_stuck_row.
        let sql = "SELECT row FROM message WHERE stuck_cause IS NOT NULL AND account = ?1 AND row > ?2 AND created_at >= ?3 ORDER BY row LIMIT ?4";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows =
            all.query_map(params![no, (after as i64).max(first - 1), since.0, limit as i64], |r| r.get::<_, i64>(0)).map_err(engine)?;
        rows.map(|r| r.map(|n| n as Row)).collect::<Result<_, _>>().map_err(engine)
    }

    /// Writes a batch: messages, keys, conversations, outcomes and the cursor, or nothing of it.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn commit(&mut self, change: &Change, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError> {
        let engine = |e| classify("committing the state", e);
        let accounts = &self.accounts;
        if self.conn.is_autocommit() {
            self.conn.usable()?;
            self.conn.execute_batch("BEGIN IMMEDIATE").map_err(engine)?;
        }
        let tx = Open(&self.conn);
        for changed in &change.messages {
            write_message(&tx, accounts, changed)?;
        }
        // Put back only when everything is committed; what a rolled back transaction leaves in memory is not to be trusted.
        let mut keys = match self.keys.take() {
            Some(keys) => keys,
            None => Keys::load(&tx, Sizes::USUAL).map_err(engine)?,
        };
        keys.add(&tx, &change.keys, &change.listed_keys).map_err(engine)?;
        for (key, row, thread, new) in &change.threads {
            write_thread(&tx, accounts, key, *row, thread, *new)?;
        }
        feed::write_sheets(&tx, &change.sheets)?;
        feed::append(&tx, &change.feed)?;
        write_outcomes(&tx, accounts, outcomes, cursor)?;
        tx.commit().map_err(engine)?;
        self.keys = Some(keys);
        Ok(())
    }

    /// Begins the transaction that the next [`StateFile::commit`] ends, so that a fold reads what it changes under one lock. Whatever
    /// an earlier fold left open is given up.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.give_up();
        self.conn.usable()?;
        let engine = |e| classify("beginning a fold", e);
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(engine)?;
        if self.keys.is_none() {
            self.keys = Some(Keys::load(&self.conn, Sizes::USUAL).map_err(engine)?);
        }
        Ok(())
    }

    /// Ends what [`StateFile::begin`] began without a change.
    pub fn give_up(&mut self) {
        if !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
    }

    /// Runs a statement inside one read transaction, so that what it reads belongs together.
    ///
    /// # Errors
    /// What `f` returns, or when the engine fails.
    pub fn snapshot<T>(&self, f: impl FnOnce(&StateFile) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let engine = |e| classify("reading the state", e);
        self.conn.execute_batch("BEGIN").map_err(engine)?;
        let result = f(self);
        self.conn.execute_batch("COMMIT").map_err(engine)?;
        result
    }
}

fn write_outcomes(conn: &Connection, accounts: &AccountNumbers, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError> {
    let engine = |e| classify("writing outcomes", e);
    let mut add = conn
        .prepare_cached(
            "INSERT INTO outcome (seq, account, callback, received_at, status, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (seq) DO UPDATE SET status = excluded.status, reason = excluded.reason",
        )
        .map_err(engine)?;
    for o in outcomes {
        let (no, _) = account_no(accounts, &o.account)?;
        add.execute(params![o.seq as i64, no, o.callback, o.received_at.0, o.status as i64, o.reason]).map_err(engine)?;
    }
    let Some(cursor) = cursor else { return Ok(()) };
    conn.prepare_cached("INSERT INTO meta (key, value) VALUES ('cursor', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value")
        .and_then(|mut s| s.execute([cursor.to_string()]))
        .map(drop)
        .map_err(engine)
}

fn account_no<'a>(accounts: &'a AccountNumbers, id: &AccountId) -> Result<(i64, &'a str), StoreError> {
    accounts.no(id).ok_or_else(|| StoreError::Decode { what: "account", detail: format!("{id} has no number") })
}

const INSERT: &str = "INSERT INTO message (row, account, provider, created_at, listed_at, state, message_id, ref, sender, recipient, kind, template_id,
    failure_class, failure_code, failure_subcode, partial, conflict, stuck_cause, stuck_since, stuck_deadline, due_at, thread, server_time, dossier)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)";
const UPDATE: &str = "UPDATE message SET listed_at = ?5, state = ?6, message_id = ?7, ref = ?8, sender = ?9, recipient = ?10, kind = ?11, template_id = ?12,
    failure_class = ?13, failure_code = ?14, failure_subcode = ?15, partial = ?16, conflict = ?17, stuck_cause = ?18, stuck_since = ?19, stuck_deadline = ?20,
    due_at = ?21, thread = ?22, server_time = ?23, dossier = ?24
  WHERE row = ?1 AND account = ?2 AND provider = ?3 AND created_at = ?4";

// Touches the indexes of state, deadline and overlay only; the others stay as they are.
const MOVE: &str =
    "UPDATE message SET state = ?2, stuck_cause = ?3, stuck_since = ?4, stuck_deadline = ?5, due_at = ?6, dossier = ?7 WHERE row = ?1";

fn write_message(conn: &Connection, accounts: &AccountNumbers, changed: &Changed) -> Result<(), StoreError> {
    let engine = |e| classify("writing a message", e);
    let Changed { message: m, summary: s, new, refiled } = changed;
    let (no, provider) = account_no(accounts, &m.account)?;
    let stuck = m.stuck.map(|s| StoredStuck { since: s.since, deadline: s.deadline, cause: s.cause as u8 });
    let dossier = encode(&DossierRef {
        facts: &m.facts,
        timeline: &m.timeline,
        borrows: m.borrows,
        lent_to: m.lent_to,
        merged_into: m.merged_into,
        stuck,
        due_at: m.due_at,
        stamp: m.filed.stamp,
    })?;
    let state = m.filed.state.unwrap_or(State::Queued) as i64;
    if !*new && !*refiled {
        let (cause, since, deadline) = (m.stuck.map(|s| s.cause.as_str()), m.stuck.map(|s| s.since.0), m.stuck.map(|s| s.deadline.0));
        let mut write = conn.prepare_cached(MOVE).map_err(engine)?;
        return write
            .execute(params![m.row as i64, state, cause, since, deadline, m.due_at.map(|t| t.0), dossier])
            .map(drop)
            .map_err(engine);
    }
    let mut write = conn.prepare_cached(if *new { INSERT } else { UPDATE }).map_err(engine)?;
    write
        .execute(params![
            m.row as i64,
            no,
            provider,
            m.created_at.0,
            m.filed.listed.then_some(m.created_at.0),
            state,
            s.message_id,
            s.reference,
            s.sender,
            m.filed.recipient,
            s.kind,
            s.template_id,
            s.failure_class.map(|c| c.as_str()),
            s.failure_code,
            s.failure_subcode,
            s.partial.then_some(1),
            s.conflict.then_some(1),
            m.stuck.map(|s| s.cause.as_str()),
            m.stuck.map(|s| s.since.0),
            m.stuck.map(|s| s.deadline.0),
            m.due_at.map(|t| t.0),
            m.filed.thread.map(|t| t as i64),
            m.filed.server_time.map(|t| t.0),
            dossier,
        ])
        .map(drop)
        .map_err(engine)
}

/// An open transaction; rolled back unless committed.
struct Open<'a>(&'a Connection);

impl Open<'_> {
    fn commit(self) -> rusqlite::Result<()> {
        self.0.execute_batch("COMMIT")
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

impl std::ops::Deref for Open<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.0
    }
}

/// [`Dossier`] by reference, for writing.
#[derive(Serialize)]
struct DossierRef<'a> {
    facts: &'a Facts,
    timeline: &'a Timeline,
    borrows: Option<Row>,
    lent_to: Option<Row>,
    merged_into: Option<Row>,
    stuck: Option<StoredStuck>,
    due_at: Option<Millis>,
    stamp: u64,
}

fn write_thread(
    conn: &Connection,
    accounts: &AccountNumbers,
    key: &ThreadKey,
    row: Row,
    thread: &Thread,
    new: bool,
) -> Result<(), StoreError> {
    let engine = |e| classify("writing a conversation", e);
    let (no, _) = account_no(accounts, &key.account)?;
    let marks = encode_as(MARKS_VERSION, thread)?;
    if new {
        let sql = "INSERT INTO thread (row, account, sender, recipient, marks) VALUES (?1, ?2, ?3, ?4, ?5)";
        let mut add = conn.prepare_cached(sql).map_err(engine)?;
        add.execute(params![row as i64, no, key.sender, key.recipient, marks]).map(drop).map_err(engine)
    } else {
        let mut set = conn.prepare_cached("UPDATE thread SET marks = ?2 WHERE row = ?1").map_err(engine)?;
        set.execute(params![row as i64, marks]).map(drop).map_err(engine)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_of_the_first_layout_is_read_with_nothing_known_of_its_holder() {
        let mut thread = Thread::default();
        thread.delivered.observe(Millis(5), Millis(9));
        let old = WatermarksOnly { delivered: thread.delivered.clone(), read: Watermarks::default() };
        assert_eq!(decode_thread(&encode(&old).unwrap()).unwrap(), thread);
        thread.control.accept(Millis(7));
        thread.control.refuse(Millis(8), Some("1/2".into()));
        assert_eq!(decode_thread(&encode_as(MARKS_VERSION, &thread).unwrap()).unwrap(), thread);
        assert!(decode_thread(&[3, 0, 0]).is_err() && decode_thread(&[]).is_err());
    }
}
