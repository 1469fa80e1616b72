//! What the fold reads of the state: messages by row and by key, conversations.

use rusqlite::{OptionalExtension, Row as SqlRow, params};

use super::{AccountNumbers, Dossier, MESSAGE_COLUMNS, StateFile, decode, decode_thread};
use crate::domain::ids::Row;
use crate::domain::message::{Filed, Message};
use crate::domain::projection::{Key, Source, ThreadKey};
use crate::domain::state::State;
use crate::domain::stuck::Stuck;
use crate::domain::thread::Thread;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::{classify, keys};

pub(in crate::store::sqlite) fn state_of(n: i64) -> State {
    match n {
        1 => State::Sent,
        2 => State::Delivered,
        3 => State::Read,
        4 => State::Failed,
        _ => State::Queued,
    }
}

fn read_message(accounts: &AccountNumbers, row: &SqlRow<'_>) -> rusqlite::Result<Result<Message, StoreError>> {
    let no: i64 = row.get(1)?;
    let Some(account) = accounts.id(no) else {
        return Ok(Err(StoreError::Decode { what: "account", detail: format!("number {no}") }));
    };
    let dossier: Dossier = match decode("message", row.get_ref(8)?.as_blob()?) {
        Ok(dossier) => dossier,
        Err(e) => return Ok(Err(e)),
    };
    let stuck = dossier.stuck.and_then(|s| {
        let cause = *crate::domain::stuck::Cause::ALL.get(s.cause as usize)?;
        Some(Stuck { since: s.since, deadline: s.deadline, cause })
    });
    Ok(Ok(Message {
        row: row.get::<_, i64>(0)? as Row,
        account: account.clone(),
        created_at: Millis(row.get(2)?),
        facts: dossier.facts,
        timeline: dossier.timeline,
        borrows: dossier.borrows,
        lent_to: dossier.lent_to,
        merged_into: dossier.merged_into,
        stuck,
        due_at: dossier.due_at,
        filed: Filed {
            listed: row.get::<_, Option<i64>>(3)?.is_some(),
            state: Some(state_of(row.get(4)?)),
            recipient: row.get(5)?,
            thread: row.get::<_, Option<i64>>(6)?.map(|t| t as Row),
            server_time: row.get::<_, Option<i64>>(7)?.map(Millis),
            stamp: dossier.stamp,
        },
    }))
}

impl Source for StateFile {
    type Error = StoreError;

    fn rows(&self, key: Key, limit: usize) -> Result<Vec<Row>, StoreError> {
        let engine = |e| classify("finding messages", e);
        match &self.keys {
            Some(keys) => keys.rows(&self.conn, key, limit),
            None => keys::rows(&self.conn, key, limit),
        }
        .map_err(engine)
    }

    fn message(&self, row: Row) -> Result<Option<Message>, StoreError> {
        let engine = |e| classify("reading a message", e);
        let sql = format!("{MESSAGE_COLUMNS} WHERE row = ?1");
        let mut one = self.conn.prepare_cached(&sql).map_err(engine)?;
        let found = one.query_row([row as i64], |r| Ok(read_message(&self.accounts, r))).optional().map_err(engine)?;
        found.map(|m| m.map_err(engine)?).transpose()
    }

    fn thread(&self, key: &ThreadKey) -> Result<Option<(Row, Thread)>, StoreError> {
        let engine = |e| classify("reading a conversation", e);
        let Some((no, _)) = self.accounts.no(&key.account) else { return Ok(None) };
        // Served by the unique index over account, sender, recipient.
        let sql = "SELECT row, marks FROM thread WHERE account = ?1 AND sender = ?2 AND recipient = ?3";
        let mut one = self.conn.prepare_cached(sql).map_err(engine)?;
        let found = one
            .query_row(params![no, key.sender, key.recipient], |r| {
                Ok((r.get::<_, i64>(0)? as Row, decode_thread(r.get_ref(1)?.as_blob()?)))
            })
            .optional()
            .map_err(engine)?;
        found.map(|(row, thread)| thread.map(|t| (row, t))).transpose()
    }

    fn thread_messages(&self, thread: Row, above: Millis, upto: Millis) -> Result<Vec<Row>, StoreError> {
        let engine = |e| classify("reading a conversation", e);
        // Served by message_thread.
        let sql = "SELECT row FROM message WHERE thread = ?1 AND server_time > ?2 AND server_time <= ?3";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map(params![thread as i64, above.0, upto.0], |r| r.get::<_, i64>(0)).map_err(engine)?;
        rows.map(|r| r.map(|n| n as Row)).collect::<Result<_, _>>().map_err(engine)
    }

    fn next_rows(&self) -> Result<(Row, Row), StoreError> {
        let engine = |e| classify("reading the state", e);
        let last = |sql| -> rusqlite::Result<Option<i64>> { self.conn.prepare_cached(sql)?.query_row([], |r| r.get(0)) };
        let message = last("SELECT max(row) FROM message").map_err(engine)?;
        let thread = last("SELECT max(row) FROM thread").map_err(engine)?;
        let mut pruned = self.conn.prepare_cached("SELECT value FROM meta WHERE key = 'pruned_row'").map_err(engine)?;
        let pruned: Option<String> = pruned.query_row([], |r| r.get(0)).optional().map_err(engine)?;
        let pruned = pruned.and_then(|p| p.parse::<i64>().ok());
        Ok((message.max(pruned).unwrap_or(0) as Row + 1, thread.unwrap_or(0) as Row + 1))
    }
}
