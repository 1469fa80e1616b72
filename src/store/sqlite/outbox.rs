//! The outbox file: who is told, how far each has followed the feed, what waits and what was given up.
//!
//! Deliveries and the cursor behind them are committed together, so nothing is put in twice and nothing is left out. Of one queue (a
//! message, an incident, an account) only the first waiting delivery of a receiver is ever due; ending it makes the next one due. It must
//! not know what a payload says or how it goes out.

mod read;

use rusqlite::{OptionalExtension, params};

use super::{Db, Part, Place, classify};
use crate::domain::feed::FeedId;
use crate::domain::time::{Millis, Span};
use crate::store::StoreError;

pub use read::{Standing, Stored, Tally};

/// Most places that are remembered of the feed: a month of minutes.
const FOLLOWED_MAX: usize = 45_000;

/// The number of a delivery.
pub type DeliveryId = i64;

/// A place in the feed, and what the entry there is known by; a number alone can be given anew to another entry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Footing {
    /// The entry.
    pub event: FeedId,
    /// Its hash; `None` where there was none to be read.
    pub mark: Option<u32>,
}

/// Something to be delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct New {
    /// The entry of the feed.
    pub event: FeedId,
    /// What the entry is known by.
    pub mark: u32,
    /// The event's name.
    pub name: String,
    /// Of which one goes out after the other.
    pub queue: Option<i64>,
    /// The body as it goes out; of alerts what the text is made of.
    pub payload: Vec<u8>,
}

/// A delivery that is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its number.
    pub id: DeliveryId,
    /// The entry of the feed.
    pub event: FeedId,
    /// What the entry is known by.
    pub mark: u32,
    /// The event's name.
    pub name: String,
    /// Attempts so far.
    pub attempts: u32,
    /// It was kept back, and is told together with the others.
    pub held: bool,
    /// The body.
    pub payload: Vec<u8>,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It was taken.
    Delivered,
    /// It was not, and is tried again.
    Later {
        /// When.
        due_at: Millis,
        /// Why it failed.
        error: String,
    },
    /// It was not, and is not tried again.
    Dead {
        /// Why it failed.
        error: String,
    },
}

/// What to send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// One dead letter.
    One(DeliveryId),
    /// Every dead letter of a receiver; of all of them without one.
    Of(Option<String>),
}

/// The outbox, for its one writer and for readers alike.
pub struct OutboxFile {
    conn: Db,
}

impl OutboxFile {
    /// Opens the outbox for writing, making it first.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_writer(place: &Place) -> Result<OutboxFile, StoreError> {
        Ok(OutboxFile { conn: place.open_writer(Part::Outbox)? })
    }

    /// Opens the outbox for reading; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_reader(place: &Place) -> Result<Option<OutboxFile>, StoreError> {
        if !place.outbox().exists() {
            return Ok(None);
        }
        Ok(Some(OutboxFile { conn: place.open_reader(Part::Outbox)? }))
    }

    /// Runs statements in one transaction: all of them or none.
    fn at_once<T>(&mut self, doing: &'static str, f: impl FnOnce(&Db) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let engine = |e| classify(doing, e);
        self.conn.usable()?;
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(engine)?;
        let done = f(&self.conn).and_then(|value| self.conn.execute_batch("COMMIT").map(|()| value));
        if done.is_err() && !self.conn.is_autocommit() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        done.map_err(engine)
    }

    /// Takes the receivers of the configuration, each with what its address is known by. A new one begins at `last`, and so does one that was
    /// switched off, when its address became another. What waits for one that is not there any more is given up.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn enrol(&mut self, targets: &[(&str, &str)], last: Footing, now: Millis) -> Result<(), StoreError> {
        self.at_once("enrolling receivers", |conn| {
            let ids = targets.iter().map(|(id, _)| *id).collect::<Vec<_>>();
            let mut known = conn.prepare("SELECT id FROM target")?;
            let known: Vec<String> = known.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
            for gone in known.iter().filter(|id| !ids.contains(&id.as_str())) {
                let error = "it is not configured any more";
                conn.execute(
                    "UPDATE delivery SET dead = 1, since = ?3, due_at = NULL, error = ?2 WHERE target = ?1 AND dead = 0",
                    params![gone, error, now.0],
                )?;
                conn.execute("DELETE FROM target WHERE id = ?1", [gone])?;
            }
            let sql = "INSERT INTO target (id, address, cursor, mark) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (id) DO UPDATE SET address = excluded.address, disabled_at = NULL,
                         cursor = CASE WHEN disabled_at IS NULL THEN cursor ELSE excluded.cursor END,
                         mark = CASE WHEN disabled_at IS NULL THEN mark ELSE excluded.mark END WHERE address <> excluded.address";
            targets.iter().try_for_each(|(id, address)| conn.execute(sql, params![id, address, last.event as i64, last.mark]).map(drop))
        })
    }

    /// Puts deliveries in and moves the cursor of their receiver, at once.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn put(&mut self, target: &str, new: &[New], at: Footing, now: Millis) -> Result<(), StoreError> {
        self.at_once("putting deliveries in", |conn| {
            // Due at once, unless an earlier one of its queue waits: served by delivery_queue.
            let sql = "INSERT INTO delivery (target, event, mark, name, queue, dead, created_at, since, due_at, held, attempts, payload)
                VALUES (?1, ?2, ?7, ?3, ?4, 0, ?5, ?5,
                        CASE WHEN ?4 IS NOT NULL AND EXISTS (SELECT 1 FROM delivery WHERE target = ?1 AND queue = ?4 AND dead = 0)
                             THEN NULL ELSE ?5 END, 0, 0, ?6)";
            let mut add = conn.prepare_cached(sql)?;
            for n in new {
                add.execute(params![target, n.event as i64, n.name, n.queue, now.0, n.payload, n.mark])?;
            }
            if let Some(mark) = at.mark {
                let sql = "INSERT OR IGNORE INTO followed (minute, event, mark) VALUES (?1, ?2, ?3)";
                conn.prepare_cached(sql)?.execute(params![now.0.div_euclid(60_000), at.event as i64, mark])?;
            }
            stand(conn, target, at)
        })
    }

    /// A receiver goes back to an earlier place of the feed; what was followed behind it is not the feed any more.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn go_back(&mut self, target: &str, at: Footing) -> Result<(), StoreError> {
        self.at_once("going back in the feed", |conn| {
            conn.execute("DELETE FROM followed WHERE event > ?1", [at.event as i64])?;
            stand(conn, target, at)
        })
    }

    /// What is due for a receiver, in the order of the feed as far as it is due, at most `limit`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn due(&self, target: &str, now: Millis, limit: usize) -> Result<Vec<Due>, StoreError> {
        let engine = |e| classify("reading what is due", e);
        // Served by delivery_due.
        let sql = "SELECT id, event, mark, name, attempts, held, payload FROM delivery WHERE target = ?1 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        all.query_map(params![target, now.0, limit as i64], due).and_then(Iterator::collect).map_err(engine)
    }

    /// What waits for a receiver, due or not, and was put in before a delivery, in the order of the feed, at most `limit`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn before(&self, target: &str, id: DeliveryId, limit: usize) -> Result<Vec<Due>, StoreError> {
        let engine = |e| classify("reading what waits", e);
        // Served by delivery_due.
        let sql = "SELECT id, event, mark, name, attempts, held, payload FROM delivery
            WHERE target = ?1 AND due_at IS NOT NULL AND id < ?2 ORDER BY id LIMIT ?3";
        let mut all = self.conn.prepare_cached(sql).map_err(engine)?;
        all.query_map(params![target, id, limit as i64], due).and_then(Iterator::collect).map_err(engine)
    }

    /// Keeps what became of attempts, all of them at once. One that has no row any more is passed over.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn end(&mut self, ends: &[(DeliveryId, End)], now: Millis) -> Result<(), StoreError> {
        self.at_once("keeping what became of deliveries", |conn| {
            for (id, end) in ends {
                let found = "SELECT target, queue FROM delivery WHERE id = ?1 AND dead = 0";
                let found = conn.prepare_cached(found)?.query_row([id], |r| Ok((r.get(0)?, r.get(1)?))).optional()?;
                let Some((target, queue)): Option<(String, Option<i64>)> = found else { continue };
                match end {
                    End::Delivered => {
                        conn.prepare_cached("DELETE FROM delivery WHERE id = ?1")?.execute([id])?;
                        let sql = "UPDATE target SET succeeded_at = ?2 WHERE id = ?1";
                        conn.prepare_cached(sql)?.execute(params![target, now.0])?;
                    }
                    End::Later { due_at, error } => {
                        let sql = "UPDATE delivery SET attempts = attempts + 1, first_at = coalesce(first_at, ?3), due_at = ?2, error = ?4 WHERE id = ?1";
                        conn.prepare_cached(sql)?.execute(params![id, due_at.0, now.0, error])?;
                    }
                    End::Dead { error } => {
                        let sql = "UPDATE delivery SET dead = 1, since = ?2, attempts = attempts + 1, first_at = coalesce(first_at, ?2), due_at = NULL,
                                   error = ?3 WHERE id = ?1";
                        conn.prepare_cached(sql)?.execute(params![id, now.0, error])?;
                    }
                }
                if let End::Later { error, .. } | End::Dead { error } = end {
                    let sql = "UPDATE target SET failed_at = ?2, error = ?3 WHERE id = ?1";
                    conn.prepare_cached(sql)?.execute(params![target, now.0, error])?;
                }
                if let (Some(queue), End::Delivered | End::Dead { .. }) = (queue, end) {
                    next_of(conn, &target, queue, now)?;
                }
            }
            Ok(())
        })
    }

    /// Keeps deliveries back until a moment, to be told together.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn hold(&mut self, ids: &[DeliveryId], until: Millis) -> Result<(), StoreError> {
        self.at_once("keeping deliveries back", |conn| {
            let mut hold = conn.prepare_cached("UPDATE delivery SET held = 1, due_at = ?2 WHERE id = ?1 AND dead = 0")?;
            ids.iter().try_for_each(|id| hold.execute(params![id, until.0]).map(drop))
        })
    }

    /// A receiver told that it is gone for good: nothing is tried any more, what waits is given up.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn disable(&mut self, target: &str, why: &str, now: Millis) -> Result<(), StoreError> {
        self.at_once("switching a receiver off", |conn| {
            conn.execute("UPDATE target SET disabled_at = ?2, failed_at = ?2, error = ?3 WHERE id = ?1", params![target, now.0, why])?;
            let sql = "UPDATE delivery SET dead = 1, since = ?3, due_at = NULL, error = ?2 WHERE target = ?1 AND dead = 0";
            conn.execute(sql, params![target, why, now.0]).map(drop)
        })
    }

    /// Gives up what has waited for a receiver since before a moment, oldest first, at most `limit`; the next of its queue goes on. Its
    /// error says `why`, and how the last attempt failed. How many.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn bury(&mut self, target: &str, before: Millis, why: &str, limit: usize, now: Millis) -> Result<usize, StoreError> {
        self.at_once("giving deliveries up", |conn| {
            // Served by delivery_target.
            let sql = "SELECT id, queue FROM delivery WHERE target = ?1 AND dead = 0 AND since < ?2 ORDER BY since, id LIMIT ?3";
            let mut found = conn.prepare_cached(sql)?;
            let found: Vec<(DeliveryId, Option<i64>)> =
                found.query_map(params![target, before.0, limit as i64], |r| Ok((r.get(0)?, r.get(1)?)))?.collect::<Result<_, _>>()?;
            let sql = "UPDATE delivery SET dead = 1, since = ?3, due_at = NULL,
                error = ?2 || coalesce(': ' || coalesce(error, (SELECT error FROM target WHERE id = ?4)), '') WHERE id = ?1";
            for (id, queue) in &found {
                conn.prepare_cached(sql)?.execute(params![id, why, now.0, target])?;
                if let Some(queue) = queue {
                    next_of(conn, target, *queue, now)?;
                }
            }
            Ok(found.len())
        })
    }

    /// Makes dead letters wait again, oldest first, as if they had never been tried, and switches their receivers on. Those of receivers
    /// that are not configured stay. How many.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn replay(&mut self, again: &Again, now: Millis) -> Result<usize, StoreError> {
        self.at_once("sending dead letters again", |conn| {
            let (one, target) = match again {
                Again::One(id) => (Some(*id), None),
                Again::Of(target) => (None, target.as_deref()),
            };
            // Served by the primary key, delivery_target or delivery_dead.
            let sql = "SELECT d.id, d.target, d.queue FROM delivery d JOIN target t ON t.id = d.target
                WHERE d.dead = 1 AND (?1 IS NULL OR d.id = ?1) AND (?2 IS NULL OR d.target = ?2) ORDER BY d.id";
            let mut found = conn.prepare(sql)?;
            let found: Vec<(i64, String, Option<i64>)> =
                found.query_map(params![one, target], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))?.collect::<Result<_, _>>()?;
            let waits = "SELECT 1 FROM delivery WHERE target = ?1 AND queue = ?2 AND dead = 0 LIMIT 1";
            for (id, target, queue) in &found {
                let behind = queue.is_some() && conn.prepare_cached(waits)?.exists(params![target, queue])?;
                let sql = "UPDATE delivery SET dead = 0, since = ?3, attempts = 0, first_at = NULL, held = 0, due_at = ?2 WHERE id = ?1";
                conn.prepare_cached(sql)?.execute(params![id, (!behind).then_some(now.0), now.0])?;
                conn.prepare_cached("UPDATE target SET disabled_at = NULL WHERE id = ?1")?.execute([target])?;
            }
            Ok(found.len())
        })
    }

    /// Deletes dead letters that died before a moment, of each receiver all but the newest `keep`, and the oldest places of the feed.
    ///
    /// # Errors
    /// All of it happened, or nothing.
    pub fn prune(&mut self, before: Millis, keep: usize) -> Result<usize, StoreError> {
        self.at_once("deleting old dead letters", |conn| {
            // Both served by delivery_target.
            let old = conn.execute("DELETE FROM delivery WHERE dead = 1 AND since < ?1", [before.0])?;
            let sql = "DELETE FROM followed WHERE minute <= (SELECT minute FROM followed ORDER BY minute DESC LIMIT 1 OFFSET ?1)";
            conn.execute(sql, [FOLLOWED_MAX as i64])?;
            let mut targets = conn.prepare("SELECT DISTINCT target FROM delivery WHERE dead = 1")?;
            let targets: Vec<String> = targets.query_map([], |r| r.get(0))?.collect::<Result<_, _>>()?;
            let sql = "DELETE FROM delivery WHERE id IN
                (SELECT id FROM delivery WHERE target = ?1 AND dead = 1 ORDER BY since DESC, id DESC LIMIT -1 OFFSET ?2)";
            targets.iter().try_fold(old, |n, target| Ok(n + conn.execute(sql, params![target, keep as i64])?))
        })
    }

    /// Makes due what waits for a moment later than `ahead`: the clock has been put back since.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn mend(&mut self, now: Millis, ahead: Millis) -> Result<usize, StoreError> {
        self.at_once("making deliveries due", |conn| {
            // Served by delivery_due for each receiver.
            let sql = "UPDATE delivery SET due_at = ?1 WHERE target IN (SELECT id FROM target) AND due_at > ?2";
            conn.prepare_cached(sql)?.execute(params![now.0, ahead.0])
        })
    }

    /// Notes that an alert went out, and forgets those of more than `window` ago.
    ///
    /// # Errors
    /// All of it was kept, or nothing.
    pub fn note_told(&mut self, target: &str, now: Millis, window: Span) -> Result<(), StoreError> {
        self.at_once("noting an alert", |conn| {
            conn.execute("DELETE FROM told WHERE target = ?1 AND at <= ?2", params![target, now.minus(window).0])?;
            conn.execute("INSERT INTO told (target, at) VALUES (?1, ?2)", params![target, now.0]).map(drop)
        })
    }

    /// Moves the log into the file before the end.
    ///
    /// # Errors
    /// Nothing is lost; the next start does it.
    pub fn checkpoint(&mut self) -> Result<(), StoreError> {
        let engine = |e| classify("moving the log of the outbox", e);
        self.conn.usable()?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(engine)
    }
}

/// Makes the next delivery of a queue due.
fn next_of(conn: &Db, target: &str, queue: i64, now: Millis) -> rusqlite::Result<()> {
    // Served by delivery_queue.
    let sql = "UPDATE delivery SET due_at = ?3 WHERE due_at IS NULL AND id =
        (SELECT min(id) FROM delivery WHERE target = ?1 AND queue = ?2 AND dead = 0)";
    conn.prepare_cached(sql)?.execute(params![target, queue, now.0]).map(drop)
}

fn stand(conn: &Db, target: &str, at: Footing) -> rusqlite::Result<()> {
    let sql = "UPDATE target SET cursor = ?2, mark = ?3 WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![target, at.event as i64, at.mark]).map(drop)
}

fn due(r: &rusqlite::Row<'_>) -> rusqlite::Result<Due> {
    let event: i64 = r.get(1)?;
    let event = event as FeedId;
    Ok(Due { id: r.get(0)?, event, mark: r.get(2)?, name: r.get(3)?, attempts: r.get(4)?, held: r.get(5)?, payload: r.get(6)? })
}

#[cfg(test)]
mod tests;
