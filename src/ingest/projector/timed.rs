//! What the projector does by the clock: it looks at deadlines that have come, judges the accounts, and looks again at the stuck messages of
//! accounts that stand differently, and it lets go of what is old.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use super::{PRUNE_AGAIN, Projector, is_of_the_record};
use crate::domain::ids::{AccountId, Row};
use crate::domain::projection::{Change, Workbench};
use crate::domain::time::{Millis, Span};
use crate::ingest::watching::Watching;
use crate::ingest::writer::describe;
use crate::ingest::{PRUNE_ROWS_MAX, SWEEP_MESSAGES_MAX};
use crate::store::{RecordReader, StateWriter, StoreError};

/// How often accounts are judged.
const WATCH_EVERY: Span = Span::seconds(1);

/// How often all stuck messages are looked at again: what came late may tell more of why they are.
const REVIEW_EVERY: Span = Span::hours(1);

/// Why an older message is stuck is settled: nothing that happens now tells more of it.
const REVIEWED_FOR: Span = Span::days(3);

/// How often old rows are looked for.
const PRUNE_EVERY: Span = Span::seconds(1);

/// How often the state is synced for the sake of retention.
const SYNC_EVERY: Span = Span::seconds(10);

impl<I: RecordReader, S: StateWriter> Projector<I, S> {
    /// Looks at messages whose deadline has come. Costs by what is due.
    pub(super) fn sweep(&mut self) -> Result<bool, StoreError> {
        let now = self.clock.now();
        let mut due = self.state.due(now, SWEEP_MESSAGES_MAX + self.unreadable.len())?;
        due.retain(|row| !self.unreadable.contains(row));
        if due.is_empty() {
            return Ok(false);
        }
        self.look_at(&due, now)?;
        self.metrics.sweeps.inc_by(due.len() as u64);
        Ok(due.len() >= SWEEP_MESSAGES_MAX)
    }

    /// Settles messages anew at a moment: their deadlines and why they are stuck. One that cannot be read back costs the others nothing; it is
    /// told of once, and passed over until the next start.
    fn look_at(&mut self, rows: &[Row], now: Millis) -> Result<(), StoreError> {
        match self.settle(rows, now) {
            Err(e) if is_of_the_record(&e) => {}
            settled => return settled,
        }
        for row in rows {
            match self.settle(&[*row], now) {
                Err(e) if is_of_the_record(&e) => {
                    tracing::error!(
                        row,
                        error = describe(&e),
                        "a message is no longer watched; `baophat rebuild` makes the messages anew from what is kept"
                    );
                    self.unreadable.insert(*row);
                }
                settled => settled?,
            }
        }
        Ok(())
    }

    fn settle(&mut self, rows: &[Row], now: Millis) -> Result<(), StoreError> {
        let rules = self.rules.clone();
        let mut watching = self.take_watching()?;
        let judge = watching.judge(&rules);
        let mut bench = Workbench::new(&self.state, &judge)?;
        for row in rows {
            bench.sweep(*row, now)?;
        }
        let mut change = bench.finish();
        watching.take(&rules, Vec::new(), &mut change, false, &self.state)?;
        self.hush(&mut change);
        self.state.commit(&change, &[], None)?;
        self.tell_fed(&change);
        self.watching = Some(watching);
        Ok(())
    }

    /// Judges the accounts now and then, and looks again at the stuck messages of those that stand differently, once an hour at all. The moment at which it
    /// judged last, and `true` when there are more messages to look at.
    pub(super) fn watch(&mut self) -> Result<(Millis, bool), StoreError> {
        let now = self.clock.now();
        let waits = now < self.watch_after && now.plus(WATCH_EVERY) >= self.watch_after;
        if !waits {
            let rules = self.rules.clone();
            let mut watching = self.take_watching()?;
            let (changed, mut change) = watching.tick(&rules, now, &self.signals, &self.state)?;
            self.hush(&mut change);
            if !change.sheets.is_empty() || !change.feed.is_empty() {
                self.state.commit(&change, &[], None)?;
                self.tell_fed(&change);
            }
            watching.measure(&rules, &self.metrics);
            self.watching = Some(watching);
            self.watch_after = now.plus(WATCH_EVERY);
            for account in changed.into_iter().filter(|id| self.state.knows_account(id)) {
                self.reviews.retain(|(id, _)| *id != account);
                self.reviews.push_back((account, 0));
            }
        }
        let rests = now < self.review_after && now.plus(REVIEW_EVERY) >= self.review_after;
        if !rests {
            self.review_after = now.plus(REVIEW_EVERY);
            let waiting: HashSet<AccountId> = self.reviews.iter().map(|(id, _)| id.clone()).collect();
            let others = self.rules.iter().map(|(id, _)| id).filter(|id| self.state.knows_account(id) && !waiting.contains(id));
            self.reviews.extend(others.map(|id| (id.clone(), 0)));
        }
        let watched_at = self.watch_after.minus(WATCH_EVERY);
        Ok((watched_at, self.review(now)?))
    }

    /// Looks again at one batch of an account's stuck messages.
    fn review(&mut self, now: Millis) -> Result<bool, StoreError> {
        let Some((account, after)) = self.reviews.front().cloned() else { return Ok(false) };
        let rows = self.state.stuck_rows(&account, now.minus(REVIEWED_FOR), after, SWEEP_MESSAGES_MAX)?;
        let readable: Vec<Row> = rows.iter().copied().filter(|row| !self.unreadable.contains(row)).collect();
        if !readable.is_empty() {
            self.look_at(&readable, now)?;
        }
        match rows.last() {
            Some(last) if rows.len() == SWEEP_MESSAGES_MAX => {
                if let Some(front) = self.reviews.front_mut() {
                    front.1 = *last;
                }
            }
            _ => drop(self.reviews.pop_front()),
        }
        Ok(!self.reviews.is_empty())
    }

    /// The watch, taken out so that what is folded may read it; put back once what follows is committed. An error on the way drops it, and
    /// it is read again.
    pub(super) fn take_watching(&mut self) -> Result<Watching, StoreError> {
        match self.watching.take() {
            Some(watching) => Ok(watching),
            None => Watching::load(&self.state),
        }
    }

    /// Where the past is made again nobody is told.
    pub(super) fn hush(&self, change: &mut Change) {
        if self.past.is_some() {
            change.feed.clear();
        }
    }

    /// Now and then: lets the writer know up to where a power cut cannot take the fold back, which is what it may delete.
    fn sync(&mut self, now: Millis) -> Result<(), StoreError> {
        let cursor = self.cursor.load(Ordering::Acquire);
        let waits = now < self.sync_after && now.plus(SYNC_EVERY) >= self.sync_after;
        if !waits && cursor > self.synced.load(Ordering::Acquire) && self.state.sync()? {
            self.synced.store(cursor, Ordering::Release);
            self.sync_after = now.plus(SYNC_EVERY);
        }
        Ok(())
    }

    /// One small step of retention.
    pub(super) fn prune(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        // At most one step at a time; a clock that jumped back must not stop it for long.
        if now < self.prune_after && now.plus(PRUNE_EVERY) >= self.prune_after {
            return Ok(());
        }
        self.state.prove()?;
        self.sync(now)?;
        let gone = self.state.prune(now.minus(self.retention.messages), now.minus(self.retention.callbacks), PRUNE_ROWS_MAX)?;
        // More is there: go on soon.
        self.pruning = gone >= PRUNE_ROWS_MAX;
        self.prune_after = now.plus(if self.pruning { PRUNE_AGAIN } else { PRUNE_EVERY });
        if gone > 0 {
            tracing::debug!(rows = gone, "old messages pruned");
        }
        Ok(())
    }
}
