//! Pages of messages. One index leads; a key (an id, a reference, a recipient) goes before any index.

use std::collections::BTreeSet;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, params_from_iter};

use super::conditions::{Where, id_of, one_of};
use super::{MessageFilter, Page, Spot};
use crate::domain::ids::Row;
use crate::domain::projection::{Key, Source};
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;
use crate::store::sqlite::state::StateFile;

/// How many rows of the leading index one page may walk.
pub const SCAN_ROWS_MAX: usize = 3_000;

/// How many rows one key (a recipient, say) may lead to before the list is walked instead.
const KEY_ROWS_MAX: usize = 20_000;

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
            filter.message_id.iter().map(|id| Key::id(&id.text)).collect()
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
        id_of(&mut w, &f.message_id);
        one_of(&mut w, "recipient", &f.recipient);
        if let Some(reference) = &f.reference {
            w.and("ref = ?", reference.clone());
        }
        w
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
