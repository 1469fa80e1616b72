//! Pages of callbacks: folded ones from the state, the newest from the inbox itself.

use rusqlite::{OptionalExtension, params, params_from_iter};

use super::conditions::Where;
use super::{CallbackFilter, CallbackLine, Page, Spot};
use crate::domain::ids::{AccountId, Seq};
use crate::domain::record::Status;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::StateFile;

/// A callback as first found: record, account, arrival, status, reason.
type Listed = (Seq, AccountId, Millis, Status, Option<String>);

impl StateFile {
    /// One page of callbacks that were folded, newest first: record, account, arrival, status and reason.
    fn outcomes(&self, filter: &CallbackFilter, after: Option<Spot>, limit: usize) -> Result<Vec<Listed>, StoreError> {
        let engine = |e| classify("listing callbacks", e);
        let no = match &filter.account {
            Some(account) => match self.accounts.no(account) {
                Some((no, _)) => Some(no),
                None => return Ok(Vec::new()),
            },
            None => None,
        };
        let rare = matches!(filter.status, Some(Status::Error | Status::Ignored));
        let index = match (rare, no) {
            (true, _) => "outcome_status",
            (false, Some(_)) => "outcome_account",
            (false, None) if filter.status.is_some() => "outcome_status",
            (false, None) => "outcome_time",
        };
        let mut w = Where::default();
        if let Some(status) = filter.status {
            w.and("status = ?", status as i64);
        }
        if let Some(no) = no {
            w.and("account = ?", no);
        }
        if let Some(since) = filter.since {
            w.and("received_at >= ?", since.0);
        }
        if let Some(until) = filter.until {
            w.and("received_at < ?", until.0);
        }
        if let Some(p) = after {
            w.values.push(p.at.0.into());
            w.values.push((p.n as i64).into());
            w.sql.push(format!("(received_at, seq) < (?{}, ?{})", w.values.len() - 1, w.values.len()));
        }
        let sql = format!(
            "SELECT seq, account, received_at, status, reason FROM outcome INDEXED BY {index} WHERE callback = 1 AND {}
             ORDER BY received_at DESC, seq DESC LIMIT {limit}",
            w.text()
        );
        let mut all = self.conn().prepare_cached(&sql).map_err(engine)?;
        let mut rows = all.query(params_from_iter(&w.values)).map_err(engine)?;
        let mut lines = Vec::new();
        while let Some(r) = rows.next().map_err(engine)? {
            let read = || -> rusqlite::Result<_> { Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?, r.get::<_, i64>(3)?, r.get(4)?)) };
            let (seq, no, at, status, reason) = read().map_err(engine)?;
            if let Some(account) = self.accounts.id(no) {
                lines.push((seq as Seq, account.clone(), Millis(at), status_of(status), reason));
            }
        }
        Ok(lines)
    }

    /// What became of a record; `None` while it was not folded yet.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn outcome(&self, seq: Seq) -> Result<Option<(Status, Option<String>)>, StoreError> {
        let engine = |e| classify("reading an outcome", e);
        let mut one = self.conn().prepare_cached("SELECT status, reason FROM outcome WHERE seq = ?1").map_err(engine)?;
        one.query_row([seq as i64], |r| Ok((status_of(r.get(0)?), r.get(1)?))).optional().map_err(engine)
    }

    /// The callbacks with a status, in the order of their records, after one of them: for processing them again in batches.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn callbacks_with(&self, status: Status, after: Seq, limit: usize) -> Result<Vec<Seq>, StoreError> {
        let engine = |e| classify("finding callbacks", e);
        let sql = "SELECT seq FROM outcome INDEXED BY outcome_status WHERE callback = 1 AND status = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map(params![status as i64, after as i64, limit as i64], |r| r.get::<_, i64>(0)).map_err(engine)?;
        rows.map(|r| r.map(|n| n as Seq)).collect::<Result<_, _>>().map_err(engine)
    }
}

impl InboxReader {
    /// One page of callbacks, newest first. Those not folded yet come from the inbox itself, with status `received`.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn callbacks(
        &self,
        state: &StateFile,
        filter: &CallbackFilter,
        after: Option<Spot>,
        limit: usize,
    ) -> Result<Page<CallbackLine>, StoreError> {
        let mut found = Vec::new();
        if filter.status.is_none_or(|s| s == Status::Received) {
            found.extend(self.unfolded(state.cursor()?, filter, after, limit + 1)?);
        }
        if filter.status != Some(Status::Received) {
            found.extend(state.outcomes(filter, after, limit + 1)?);
        }
        found.sort_by_key(|line| std::cmp::Reverse((line.2, line.0)));
        found.dedup_by_key(|line| line.0);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = if more { found.last().map(|(seq, _, at, _, _)| Spot { at: *at, n: *seq }) } else { None };
        let mut items = Vec::with_capacity(found.len());
        for (seq, account, received_at, status, reason) in found {
            let Some((provider, source, size, repeats)) = self.facts_of_callback(seq)? else { continue };
            items.push(CallbackLine { seq, account, provider, received_at, status, reason, source, size, repeats });
        }
        Ok(Page { items, next })
    }

    /// One callback as listed.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn callback_line(&self, state: &StateFile, seq: Seq) -> Result<Option<CallbackLine>, StoreError> {
        let Some((provider, source, size, repeats)) = self.facts_of_callback(seq)? else { return Ok(None) };
        let Some(record) = self.get(seq)? else { return Ok(None) };
        let (status, reason) = state.outcome(seq)?.unwrap_or((Status::Received, None));
        let (account, received_at) = (record.account, record.received_at);
        Ok(Some(CallbackLine { seq, account, provider, received_at, status, reason, source, size, repeats }))
    }

    fn unfolded(&self, cursor: Seq, filter: &CallbackFilter, after: Option<Spot>, limit: usize) -> Result<Vec<Listed>, StoreError> {
        let engine = |e| classify("listing callbacks", e);
        let sql = "SELECT r.seq, a.id, r.received_at FROM record r JOIN account a ON a.no = r.account
                   WHERE r.seq > ?1 AND r.kind = 0 AND (?2 IS NULL OR a.id = ?2) AND (?3 IS NULL OR r.received_at >= ?3)
                     AND (?4 IS NULL OR r.received_at < ?4) AND (?5 IS NULL OR (r.received_at, r.seq) < (?5, ?6))
                   ORDER BY r.seq DESC LIMIT ?7";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let rows = all
            .query_map(
                params![
                    cursor as i64,
                    filter.account.as_ref().map(AccountId::as_str),
                    filter.since.map(|t| t.0),
                    filter.until.map(|t| t.0),
                    after.map(|p| p.at.0),
                    after.map(|p| p.n as i64),
                    limit as i64
                ],
                |r| Ok((r.get::<_, i64>(0)? as Seq, r.get::<_, String>(1)?, Millis(r.get(2)?))),
            )
            .map_err(engine)?;
        let mut lines = Vec::new();
        for row in rows {
            let (seq, id, at) = row.map_err(engine)?;
            if let Ok(account) = AccountId::parse(&id) {
                lines.push((seq, account, at, Status::Received, None));
            }
        }
        Ok(lines)
    }

    fn facts_of_callback(&self, seq: Seq) -> Result<Option<(String, String, u64, u64)>, StoreError> {
        let engine = |e| classify("reading a callback", e);
        let sql = "SELECT a.provider, r.source, CASE WHEN length(r.body) > 0 THEN length(r.body) ELSE length(coalesce(r.query, '')) END, coalesce(p.count, 0)
                   FROM record r JOIN account a ON a.no = r.account LEFT JOIN repeat p ON p.seq = r.seq WHERE r.seq = ?1 AND r.kind = 0";
        let mut one = self.conn().prepare_cached(sql).map_err(engine)?;
        one.query_row([seq as i64], |r| {
            Ok((r.get(0)?, r.get::<_, Option<String>>(1)?.unwrap_or_default(), r.get::<_, i64>(2)? as u64, r.get::<_, i64>(3)? as u64))
        })
        .optional()
        .map_err(engine)
    }
}

fn status_of(n: i64) -> Status {
    match n {
        1 => Status::Processed,
        2 => Status::Error,
        3 => Status::Ignored,
        _ => Status::Received,
    }
}
