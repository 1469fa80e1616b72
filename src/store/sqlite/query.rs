//! Questions of the query API: pages of messages and callbacks, groups of what is stuck, counts.
//!
//! Every page is newest first over a key that never changes (`listed_at`, `row` for messages; `received_at`, `seq` for callbacks), so a
//! cursor stays true while the list moves. One index leads; other filters are checked along it, at most [`SCAN_ROWS_MAX`] rows a page:
//! a page may be shorter than asked and still have a cursor.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params, params_from_iter};

use super::classify;
use super::inbox::InboxReader;
use super::state::{StateFile, state_of};
use crate::domain::failure::Class;
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::projection::{Key, Source};
use crate::domain::record::Status;
use crate::domain::state::State;
use crate::domain::stuck::Cause;
use crate::domain::time::Millis;
use crate::store::StoreError;

/// How many rows of the leading index one page may walk.
pub const SCAN_ROWS_MAX: usize = 20_000;

/// How many rows one key (a recipient, say) may lead to before the list is walked instead.
const KEY_ROWS_MAX: usize = 20_000;

/// Which messages are wanted; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageFilter {
    /// In this state.
    pub state: Option<State>,
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// From this OA, Page or number.
    pub sender: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this template.
    pub template_id: Option<String>,
    /// To this recipient, in any of these spellings.
    pub recipient: Vec<String>,
    /// With this provider's id, in any of these spellings.
    pub message_id: Vec<String>,
    /// With this reference.
    pub reference: Option<String>,
    /// Stuck.
    pub stuck: bool,
    /// Delivered to some and failed for others.
    pub partial: bool,
    /// Delivery proven and failure reported.
    pub conflict: bool,
    /// Failed with this class.
    pub failure_class: Option<Class>,
    /// Failed with this code.
    pub failure_code: Option<(String, Option<String>)>,
    /// Known from then on (inclusive).
    pub since: Option<Millis>,
    /// Known before then (exclusive).
    pub until: Option<Millis>,
}

/// A place in the list of messages: after this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// `listed_at` or `received_at`.
    pub at: Millis,
    /// `row` or `seq`.
    pub n: u64,
}

/// One page of rows, and where the next one starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// After which the next page starts; `None` at the end.
    pub next: Option<Spot>,
}

/// Stuck messages of one account, kind, state and cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StuckGroup {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: Option<String>,
    /// The state.
    pub state: State,
    /// The cause.
    pub cause: Cause,
    /// How many.
    pub count: u64,
    /// Since when the oldest is in its state.
    pub oldest_since: Millis,
}

/// One callback as listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackLine {
    /// Its record.
    pub seq: Seq,
    /// The account.
    pub account: AccountId,
    /// The provider.
    pub provider: String,
    /// When it arrived.
    pub received_at: Millis,
    /// Its status.
    pub status: Status,
    /// Why error or ignored.
    pub reason: Option<String>,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or of the query where there is no body.
    pub size: u64,
    /// How often it came again.
    pub repeats: u64,
}

/// Which callbacks are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackFilter {
    /// With this status.
    pub status: Option<Status>,
    /// Of this account.
    pub account: Option<AccountId>,
    /// Arrived from then on (inclusive).
    pub since: Option<Millis>,
    /// Arrived before then (exclusive).
    pub until: Option<Millis>,
}

/// A callback as first found: record, account, arrival, status, reason.
type Listed = (Seq, AccountId, Millis, Status, Option<String>);

/// Conditions and their values.
#[derive(Default)]
struct Where {
    sql: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    fn and(&mut self, sql: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push(sql.replace('?', &format!("?{}", self.values.len())));
    }

    fn plain(&mut self, sql: &str) {
        self.sql.push(sql.to_owned());
    }

    fn text(&self) -> String {
        if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") }
    }
}

impl StateFile {
    /// One page of messages, newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn page(&self, filter: &MessageFilter, after: Option<Spot>, limit: usize) -> Result<Page<Row>, StoreError> {
        if let Some(account) = &filter.account
            && self.accounts.no(account).is_none()
        {
            return Ok(Page { items: Vec::new(), next: None });
        }
        match self.keyed(filter)? {
            Some(rows) => self.page_of(&rows, filter, after, limit),
            None => self.walk(filter, after, limit),
        }
    }

    /// The rows that the most telling key leads to; `None` when no key is asked for, or one leads to too many.
    fn keyed(&self, filter: &MessageFilter) -> Result<Option<BTreeSet<Row>>, StoreError> {
        let keys: Vec<Key> = if !filter.message_id.is_empty() {
            filter.message_id.iter().map(|id| Key::id(id)).collect()
        } else if let Some(reference) = &filter.reference {
            vec![Key::reference(reference), Key::claim(reference)]
        } else {
            filter.recipient.iter().map(|r| Key::recipient(r)).collect()
        };
        if keys.is_empty() {
            return Ok(None);
        }
        let mut rows = BTreeSet::new();
        for key in keys {
            let found = self.rows(key, KEY_ROWS_MAX + 1)?;
            if found.len() > KEY_ROWS_MAX {
                return Ok(None);
            }
            for row in found {
                rows.insert(self.shown_instead_of(row)?);
            }
        }
        Ok(Some(rows))
    }

    /// A merged or lent message is shown as the one that took it in.
    fn shown_instead_of(&self, row: Row) -> Result<Row, StoreError> {
        let engine = |e| classify("finding messages", e);
        let mut listed = self.conn().prepare_cached("SELECT listed_at IS NOT NULL FROM message WHERE row = ?1").map_err(engine)?;
        let listed: Option<bool> = listed.query_row([row as i64], |r| r.get(0)).optional().map_err(engine)?;
        if listed != Some(false) {
            return Ok(row);
        }
        let message = self.message(row)?;
        let into = message.and_then(|m| m.merged_into.or(m.lent_to));
        into.map_or(Ok(row), |into| if into == row { Ok(row) } else { self.shown_instead_of(into) })
    }

    fn page_of(&self, rows: &BTreeSet<Row>, filter: &MessageFilter, after: Option<Spot>, limit: usize) -> Result<Page<Row>, StoreError> {
        let engine = |e| classify("finding messages", e);
        let mut conditions = self.conditions(filter, None);
        conditions.and("row = ?", 0i64);
        let at = conditions.values.len() - 1;
        let sql = format!("SELECT listed_at FROM message WHERE listed_at IS NOT NULL AND {}", conditions.text());
        let mut one = self.conn().prepare_cached(&sql).map_err(engine)?;
        let mut found: Vec<(Millis, Row)> = Vec::new();
        for row in rows {
            conditions.values[at] = Value::Integer(*row as i64);
            let listed: Option<i64> = one.query_row(params_from_iter(&conditions.values), |r| r.get(0)).optional().map_err(engine)?;
            found.extend(listed.map(|at| (Millis(at), *row)));
        }
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut rest = found.into_iter().filter(|(at, row)| after.is_none_or(|p| (*at, *row) < (p.at, p.n)));
        let items: Vec<(Millis, Row)> = rest.by_ref().take(limit).collect();
        let next = if rest.next().is_some() { items.last().map(|(at, row)| Spot { at: *at, n: *row }) } else { None };
        Ok(Page { items: items.into_iter().map(|(_, row)| row).collect(), next })
    }

    /// Walks the index of the most telling filter.
    fn walk(&self, filter: &MessageFilter, after: Option<Spot>, limit: usize) -> Result<Page<Row>, StoreError> {
        let engine = |e| classify("listing messages", e);
        let (index, lead) = leading(filter);
        let base = self.conditions(filter, Some(lead));
        let mut led = Where::default();
        self.lead(&mut led, filter, lead);
        if let Some(p) = after {
            led.values.push(p.at.0.into());
            led.values.push((p.n as i64).into());
            led.sql.push(format!("(listed_at, row) < (?{}, ?{})", led.values.len() - 1, led.values.len()));
        }
        if let Some(until) = filter.until {
            led.and("listed_at < ?", until.0);
        }
        if let Some(since) = filter.since {
            led.and("listed_at >= ?", since.0);
        }
        let floor = if base.sql.is_empty() { None } else { self.scan_floor(index, &led)? };
        let mut all = led;
        if let Some(p) = floor {
            all.values.push(p.at.0.into());
            all.values.push((p.n as i64).into());
            all.sql.push(format!("(listed_at, row) >= (?{}, ?{})", all.values.len() - 1, all.values.len()));
        }
        for (sql, value) in base.numbered(all.values.len()) {
            all.sql.push(sql);
            all.values.extend(value);
        }
        let sql = format!(
            "SELECT listed_at, row FROM message INDEXED BY {index} WHERE listed_at IS NOT NULL AND {} ORDER BY listed_at DESC, row DESC LIMIT {}",
            all.text(),
            limit + 1
        );
        let mut page = self.conn().prepare_cached(&sql).map_err(engine)?;
        let rows =
            page.query_map(params_from_iter(&all.values), |r| Ok((Millis(r.get(0)?), r.get::<_, i64>(1)? as Row))).map_err(engine)?;
        let mut items: Vec<(Millis, Row)> = rows.collect::<Result<_, _>>().map_err(engine)?;
        let next = if items.len() > limit {
            items.truncate(limit);
            items.last().map(|(at, row)| Spot { at: *at, n: *row })
        } else {
            floor
        };
        Ok(Page { items: items.into_iter().map(|(_, row)| row).collect(), next })
    }

    /// The last row that this page may walk to; `None` when the end is nearer.
    fn scan_floor(&self, index: &str, led: &Where) -> Result<Option<Spot>, StoreError> {
        let engine = |e| classify("listing messages", e);
        let sql = format!(
            "SELECT listed_at, row FROM message INDEXED BY {index} WHERE listed_at IS NOT NULL AND {} ORDER BY listed_at DESC, row DESC LIMIT 1 OFFSET {}",
            led.text(),
            SCAN_ROWS_MAX - 1
        );
        let mut one = self.conn().prepare_cached(&sql).map_err(engine)?;
        one.query_row(params_from_iter(&led.values), |r| Ok(Spot { at: Millis(r.get(0)?), n: r.get::<_, i64>(1)? as u64 }))
            .optional()
            .map_err(engine)
    }

    fn lead(&self, w: &mut Where, filter: &MessageFilter, lead: Lead) {
        match lead {
            Lead::Stuck => w.plain("stuck_cause IS NOT NULL"),
            Lead::Conflict => w.plain("conflict IS NOT NULL"),
            Lead::Partial => w.plain("partial IS NOT NULL"),
            Lead::Code => {
                if let Some((code, _)) = &filter.failure_code {
                    w.and("failure_code = ?", code.clone());
                }
            }
            Lead::Class => {
                if let Some(class) = filter.failure_class {
                    w.and("failure_class = ?", class.as_str().to_owned());
                }
            }
            Lead::Template => w.and("template_id = ?", filter.template_id.clone()),
            Lead::Sender => w.and("sender = ?", filter.sender.clone()),
            Lead::Kind => w.and("kind = ?", filter.kind.clone()),
            Lead::Account => {
                let no = filter.account.as_ref().and_then(|a| self.accounts.no(a)).map(|(no, _)| no);
                w.and("account = ?", no);
            }
            Lead::State => w.and("state = ?", filter.state.map(|s| s as i64)),
            Lead::Provider => w.and("provider = ?", filter.provider.clone()),
            Lead::All => {}
        }
    }

    /// Every condition but the leading one, the times and the keys' own.
    fn conditions(&self, f: &MessageFilter, lead: Option<Lead>) -> Where {
        let mut w = Where::default();
        let asked = [
            (Lead::Stuck, f.stuck),
            (Lead::Conflict, f.conflict),
            (Lead::Partial, f.partial),
            (Lead::Class, f.failure_class.is_some()),
            (Lead::Template, f.template_id.is_some()),
            (Lead::Sender, f.sender.is_some()),
            (Lead::Kind, f.kind.is_some()),
            (Lead::Account, f.account.is_some()),
            (Lead::State, f.state.is_some()),
            (Lead::Provider, f.provider.is_some()),
        ];
        for (one, _) in asked.into_iter().filter(|(one, asked)| *asked && Some(*one) != lead) {
            self.lead(&mut w, f, one);
        }
        if let Some((code, subcode)) = &f.failure_code {
            if lead != Some(Lead::Code) {
                w.and("failure_code = ?", code.clone());
            }
            if let Some(subcode) = subcode {
                w.and("failure_subcode = ?", subcode.clone());
            }
        }
        if lead.is_none() {
            if let Some(since) = f.since {
                w.and("listed_at >= ?", since.0);
            }
            if let Some(until) = f.until {
                w.and("listed_at < ?", until.0);
            }
        }
        one_of(&mut w, "message_id", &f.message_id);
        one_of(&mut w, "recipient", &f.recipient);
        if let Some(reference) = &f.reference {
            w.and("ref = ?", reference.clone());
        }
        w
    }

    /// The groups of stuck messages, largest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn stuck_groups(&self) -> Result<Vec<StuckGroup>, StoreError> {
        let engine = |e| classify("grouping stuck messages", e);
        // Served by message_stuck_group alone (covering).
        let sql = "SELECT account, kind, state, stuck_cause, count(*), min(stuck_since) FROM message INDEXED BY message_stuck_group
                   WHERE stuck_cause IS NOT NULL GROUP BY account, kind, state, stuck_cause";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let mut rows = all.query([]).map_err(engine)?;
        let mut groups = Vec::new();
        while let Some(r) = rows.next().map_err(engine)? {
            let read = || -> rusqlite::Result<_> {
                Ok((r.get::<_, i64>(0)?, r.get(1)?, r.get(2)?, r.get::<_, String>(3)?, r.get::<_, i64>(4)?, r.get(5)?))
            };
            let (no, kind, state, cause, count, since) = read().map_err(engine)?;
            if let (Some(account), Some(cause)) = (self.accounts.id(no), Cause::parse(&cause)) {
                let (account, state) = (account.clone(), state_of(state));
                groups.push(StuckGroup { account, kind, state, cause, count: count as u64, oldest_since: Millis(since) });
            }
        }
        groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| (&a.account, &a.kind, a.state).cmp(&(&b.account, &b.kind, b.state))));
        Ok(groups)
    }

    /// How many listed messages there are by state, of one account or of all.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn counts(&self) -> Result<Vec<(State, u64)>, StoreError> {
        let engine = |e| classify("counting messages", e);
        let sql = "SELECT state, count(*) FROM message INDEXED BY message_state WHERE listed_at IS NOT NULL GROUP BY state";
        let mut all = self.conn().prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map([], |r| Ok((state_of(r.get(0)?), r.get::<_, i64>(1)? as u64))).map_err(engine)?;
        rows.collect::<Result<_, _>>().map_err(engine)
    }

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

impl Where {
    /// The conditions with their parameters numbered after `offset` others.
    fn numbered(self, offset: usize) -> Vec<(String, Vec<Value>)> {
        let mut out = Vec::new();
        let mut values = self.values.into_iter();
        let mut n = offset;
        for sql in self.sql {
            let own = sql.matches('?').count();
            let mut text = String::with_capacity(sql.len());
            let mut rest = sql.as_str();
            while let Some(i) = rest.find('?') {
                text.push_str(&rest[..i]);
                n += 1;
                text.push_str(&format!("?{n}"));
                rest = rest[i + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
            }
            text.push_str(rest);
            out.push((text, values.by_ref().take(own).collect()));
        }
        out
    }
}

fn one_of(w: &mut Where, column: &str, values: &[String]) {
    match values {
        [] => {}
        [one] => w.and(&format!("{column} = ?"), one.clone()),
        many => {
            let mut names = Vec::new();
            for value in many {
                w.values.push(value.clone().into());
                names.push(format!("?{}", w.values.len()));
            }
            w.sql.push(format!("{column} IN ({})", names.join(", ")));
        }
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

/// The filter whose index is walked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Stuck,
    Conflict,
    Partial,
    Code,
    Class,
    Template,
    Sender,
    Kind,
    Account,
    State,
    Provider,
    All,
}

/// The most telling filter that is asked for, and its index.
fn leading(f: &MessageFilter) -> (&'static str, Lead) {
    if f.stuck {
        ("message_stuck", Lead::Stuck)
    } else if f.conflict {
        ("message_conflict", Lead::Conflict)
    } else if f.partial {
        ("message_partial", Lead::Partial)
    } else if f.failure_code.is_some() {
        ("message_code", Lead::Code)
    } else if f.failure_class.is_some() {
        ("message_class", Lead::Class)
    } else if f.template_id.is_some() {
        ("message_template", Lead::Template)
    } else if f.sender.is_some() {
        ("message_sender", Lead::Sender)
    } else if f.kind.is_some() {
        ("message_kind", Lead::Kind)
    } else if f.account.is_some() {
        ("message_account", Lead::Account)
    } else if f.state.is_some() {
        ("message_state", Lead::State)
    } else if f.provider.is_some() {
        ("message_provider", Lead::Provider)
    } else {
        ("message_listed", Lead::All)
    }
}
