//! Questions to the outbox.

use rusqlite::{OptionalExtension, params};

use super::{DeliveryId, Footing, OutboxFile};
use crate::domain::feed::FeedId;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::classify;

/// How a receiver fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its id.
    pub id: String,
    /// The last entry of the feed that was looked at.
    pub at: Footing,
    /// Since when it is switched off.
    pub disabled_at: Option<Millis>,
    /// When something was delivered last.
    pub succeeded_at: Option<Millis>,
    /// When an attempt failed last.
    pub failed_at: Option<Millis>,
    /// Why.
    pub error: Option<String>,
}

/// How much a receiver has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its id.
    pub target: String,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    pub oldest_at: Option<Millis>,
    /// Dead letters.
    pub dead: u64,
}

/// A delivery as it lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number.
    pub id: DeliveryId,
    /// Its receiver.
    pub target: String,
    /// The entry of the feed.
    pub event: FeedId,
    /// What the entry is known by.
    pub mark: u32,
    /// The event's name.
    pub name: String,
    /// It was given up.
    pub dead: bool,
    /// When it was put in.
    pub created_at: Millis,
    /// When it is tried next; `None` behind an earlier one of its message, and when it was given up.
    pub due_at: Option<Millis>,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was tried first.
    pub first_at: Option<Millis>,
    /// Why the last attempt failed.
    pub error: Option<String>,
    /// The body.
    pub payload: Vec<u8>,
}

impl OutboxFile {
    /// Every receiver, by id.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn standings(&self) -> Result<Vec<Standing>, StoreError> {
        let engine = |e| classify("reading receivers", e);
        let sql = "SELECT id, cursor, disabled_at, succeeded_at, failed_at, error, mark FROM target ORDER BY id";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map([], |r| {
            let at = |i| r.get::<_, Option<i64>>(i).map(|t| t.map(Millis));
            let cursor: i64 = r.get(1)?;
            let (disabled_at, succeeded_at, failed_at) = (at(2)?, at(3)?, at(4)?);
            let at = Footing { event: cursor as FeedId, mark: r.get(6)? };
            Ok(Standing { id: r.get(0)?, at, disabled_at, succeeded_at, failed_at, error: r.get(5)? })
        });
        rows.and_then(Iterator::collect).map_err(engine)
    }

    /// How much every receiver has, by id.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn tallies(&self) -> Result<Vec<Tally>, StoreError> {
        let engine = |e| classify("counting deliveries", e);
        // Served by delivery_target alone.
        let sql = "SELECT target, dead, count(*), min(since) FROM delivery GROUP BY target, dead ORDER BY target";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let mut rows = all.query([]).map_err(engine)?;
        let mut tallies: Vec<Tally> = Vec::new();
        while let Some(r) = rows.next().map_err(engine)? {
            let read = || Ok((r.get::<_, String>(0)?, r.get::<_, bool>(1)?, r.get::<_, i64>(2)?, r.get::<_, i64>(3)?));
            let (target, dead, count, oldest) = read().map_err(engine)?;
            if tallies.last().is_none_or(|t| t.target != target) {
                tallies.push(Tally { target, ..Tally::default() });
            }
            let Some(tally) = tallies.last_mut() else { continue };
            match dead {
                true => tally.dead = count as u64,
                false => (tally.waiting, tally.oldest_at) = (count as u64, Some(Millis(oldest))),
            }
        }
        Ok(tallies)
    }

    /// How many deliveries wait for a receiver.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn waiting(&self, target: &str) -> Result<usize, StoreError> {
        let engine = |e| classify("counting deliveries", e);
        // Served by delivery_target alone.
        let mut one = self.conn.prepare_cached("SELECT count(*) FROM delivery WHERE target = ?1 AND dead = 0").map_err(engine)?;
        one.query_row([target], |r| r.get::<_, i64>(0)).map(|n| n as usize).map_err(engine)
    }

    /// How many alerts went out after a moment and up to another one, and when the first of them did.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn told_between(&self, target: &str, after: Millis, upto: Millis) -> Result<(u64, Option<Millis>), StoreError> {
        let engine = |e| classify("counting alerts", e);
        // Served by told_at.
        let mut one =
            self.conn.prepare_cached("SELECT count(*), min(at) FROM told WHERE target = ?1 AND at > ?2 AND at <= ?3").map_err(engine)?;
        one.query_row(params![target, after.0, upto.0], |r| Ok((r.get::<_, i64>(0)? as u64, r.get::<_, Option<i64>>(1)?.map(Millis))))
            .map_err(engine)
    }

    /// The places of the feed that were followed up to an entry, in its order.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn followed(&self, upto: FeedId) -> Result<Vec<Footing>, StoreError> {
        let engine = |e| classify("reading what was followed", e);
        // Read at a start only, where the feed has become another one.
        let mut all = self.conn.prepare("SELECT event, mark FROM followed WHERE event <= ?1 ORDER BY event").map_err(engine)?;
        let rows = all.query_map([upto as i64], |r| {
            let event: i64 = r.get(0)?;
            Ok(Footing { event: event as FeedId, mark: r.get(1)? })
        });
        rows.and_then(Iterator::collect).map_err(engine)
    }

    /// The deliveries, newest first, before a number, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn deliveries(
        &self,
        dead: bool,
        target: Option<&str>,
        before: Option<DeliveryId>,
        limit: usize,
    ) -> Result<Vec<Stored>, StoreError> {
        let engine = |e| classify("reading deliveries", e);
        // Served by delivery_dead.
        let sql = "SELECT id, target, event, mark, name, dead, created_at, due_at, attempts, first_at, error, payload FROM delivery
            WHERE dead = ?1 AND (?2 IS NULL OR target = ?2) AND id < ?3 ORDER BY id DESC LIMIT ?4";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        let rows = all.query_map(params![dead, target, before.unwrap_or(i64::MAX), limit as i64], stored);
        rows.and_then(Iterator::collect).map_err(engine)
    }

    /// One delivery.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn delivery(&self, id: DeliveryId) -> Result<Option<Stored>, StoreError> {
        let engine = |e| classify("reading a delivery", e);
        let sql = "SELECT id, target, event, mark, name, dead, created_at, due_at, attempts, first_at, error, payload FROM delivery WHERE id = ?1";
        let mut one = self.conn.prepare_cached(sql).map_err(engine)?;
        one.query_row([id], stored).optional().map_err(engine)
    }
}

fn stored(r: &rusqlite::Row<'_>) -> rusqlite::Result<Stored> {
    let at = |i| r.get::<_, Option<i64>>(i).map(|t| t.map(Millis));
    let event: i64 = r.get(2)?;
    Ok(Stored {
        id: r.get(0)?,
        target: r.get(1)?,
        event: event as FeedId,
        mark: r.get(3)?,
        name: r.get(4)?,
        dead: r.get(5)?,
        created_at: Millis(r.get(6)?),
        due_at: at(7)?,
        attempts: r.get(8)?,
        first_at: at(9)?,
        error: r.get(10)?,
        payload: r.get(11)?,
    })
}
