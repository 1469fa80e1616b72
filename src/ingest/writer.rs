//! The writer thread: commits whatever arrived while the last commit was syncing, in one transaction, then answers every waiter.
//!
//! No timer makes a lone record wait. A failed batch answers every one of its waiters with an error; nothing of it is on disk.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};

use super::inbox::{Held, Inbox, SubmitError};
use super::projector::{Nudge, Projected, ProjectorHandle};
use super::{BATCH_RECORDS_MAX, Health, PRUNE_ROWS_MAX, PRUNE_STEPS_MAX};
use crate::domain::time::{Millis, Span};
use crate::metrics::Metrics;
use crate::store::{Receipt, RecordWriter, StoreError, Submission};

/// How long after a step of retention the next one may follow under traffic.
const PRUNE_PAUSE: Duration = Duration::from_millis(50);

/// What the writer is asked to do.
pub enum Order {
    /// Make a record durable.
    Append {
        /// The record.
        submission: Box<Submission>,
        /// Whom to answer.
        ack: oneshot::Sender<Result<Receipt, SubmitError>>,
        /// Whom to tell what became of it.
        projected: Option<oneshot::Sender<Projected>>,
        /// The memory it holds.
        held: Held,
    },
    /// Do the housekeeping.
    Tick(Millis),
    /// Take in what waits already, then end.
    Close,
}

/// The writer thread.
pub struct Writer<W> {
    orders: mpsc::Receiver<Order>,
    store: W,
    projector: ProjectorHandle,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    keep: Span,
    ill: bool,
    /// There is more to prune than the last step took: everything that was old at this time.
    prune_on: Option<Millis>,
}

struct Waiter {
    ack: oneshot::Sender<Result<Receipt, SubmitError>>,
    projected: Option<oneshot::Sender<Projected>>,
    _held: Held,
}

impl<W: RecordWriter> Writer<W> {
    /// A writer and the door that leads to it.
    pub fn new(
        store: W,
        projector: ProjectorHandle,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        records_max: usize,
        keep: Span,
    ) -> (Writer<W>, Inbox) {
        let (tx, orders) = mpsc::channel(records_max);
        let inbox = Inbox { orders: tx, waiting_bytes: Arc::default(), metrics: metrics.clone() };
        (Writer { orders, store, projector, health, metrics, keep, ill: false, prune_on: None }, inbox)
    }

    /// Starts the thread. It ends when every [`Inbox`] is dropped and what waits is answered.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(
        store: W,
        projector: ProjectorHandle,
        health: Arc<Health>,
        metrics: Arc<Metrics>,
        records_max: usize,
        keep: Span,
    ) -> std::io::Result<(Inbox, JoinHandle<()>)>
    where
        W: Send + 'static,
    {
        let (writer, inbox) = Writer::new(store, projector, health, metrics, records_max, keep);
        let thread = std::thread::Builder::new().name("inbox-writer".into()).spawn(move || writer.run())?;
        Ok((inbox, thread))
    }

    fn run(mut self) {
        let mut orders = Vec::with_capacity(BATCH_RECORDS_MAX);
        let mut pruned = Instant::now();
        while self.orders.blocking_recv_many(&mut orders, BATCH_RECORDS_MAX) > 0 {
            self.carry_out(&mut orders);
            // Between batches, and not after each: what is old must go faster than new comes in, and receipts must not wait for it.
            if let Some(now) = self.prune_on
                && pruned.elapsed() >= PRUNE_PAUSE
                && !self.ill
            {
                self.prune(now).unwrap_or_else(|e| self.failed(&e));
                pruned = Instant::now();
            }
        }
        if let Err(e) = self.store.checkpoint() {
            tracing::warn!(error = %e, "the inbox's write-ahead log stays for the next start");
        }
    }

    /// Carries out what waits, as one batch, without waiting for more; `false` when nothing did. What the thread does, one round at a
    /// time and in the hands of the caller.
    pub fn step(&mut self) -> bool {
        let mut orders: Vec<Order> = std::iter::from_fn(|| self.orders.try_recv().ok()).take(BATCH_RECORDS_MAX).collect();
        let any = !orders.is_empty();
        self.carry_out(&mut orders);
        any
    }

    fn carry_out(&mut self, orders: &mut Vec<Order>) {
        let mut batch = Vec::with_capacity(orders.len());
        let mut waiters = Vec::with_capacity(orders.len());
        let mut tick = None;
        for order in orders.drain(..) {
            match order {
                Order::Append { submission, ack, projected, held } => {
                    batch.push(*submission);
                    waiters.push(Waiter { ack, projected, _held: held });
                }
                Order::Tick(now) => tick = Some(now),
                Order::Close => self.orders.close(),
            }
        }
        if !batch.is_empty() {
            self.commit(&batch, waiters);
        }
        if let Some(now) = tick {
            self.keep_house(now);
        }
    }

    fn commit(&mut self, batch: &[Submission], waiters: Vec<Waiter>) {
        self.metrics.batch_records.observe(batch.len() as f64);
        let now = batch.first().map_or(Millis(0), |s| s.received_at);
        // After a failure nothing is appended behind what may not have reached the disk.
        let ready = if self.ill { self.store.recover(now) } else { Ok(()) };
        match ready.and_then(|()| self.store.append(batch)) {
            Ok(receipts) => {
                self.healed();
                let last = receipts.iter().filter(|r| !r.repeat).map(|r| r.seq).max();
                // Before anybody is answered, so that whoever asks next sees what is still to be folded.
                if let Some(last) = last {
                    self.metrics.durable_seq.fetch_max(last, Ordering::AcqRel);
                }
                let mut told = Vec::new();
                for (waiter, receipt) in waiters.into_iter().zip(receipts) {
                    if let Some(projected) = waiter.projected {
                        told.push((receipt.seq, projected));
                    }
                    // A waiter that went away (its connection broke) loses nothing: the record is on disk.
                    let _ = waiter.ack.send(Ok(receipt));
                }
                if last.is_some() {
                    self.projector.nudge(Nudge::Appended(told));
                }
            }
            Err(e) => {
                self.failed(&e);
                for waiter in waiters {
                    let _ = waiter.ack.send(Err(SubmitError::Storage));
                }
            }
        }
    }

    fn keep_house(&mut self, now: Millis) {
        if self.ill {
            match self.store.recover(now) {
                Ok(()) => self.healed(),
                Err(e) => return self.failed(&e),
            }
        }
        let tended = self.store.prove().and_then(|()| self.store.tend_repeats(now));
        if let Err(e) = tended.and_then(|()| self.prune(now)) {
            self.failed(&e);
        }
    }

    /// Deletes old records as long as nobody waits, one step at least.
    fn prune(&mut self, now: Millis) -> Result<(), StoreError> {
        for _ in 0..PRUNE_STEPS_MAX {
            let rows = self.store.prune(now.minus(self.keep), self.projector.synced(), PRUNE_ROWS_MAX)?;
            self.prune_on = (rows == PRUNE_ROWS_MAX).then_some(now);
            if rows > 0 {
                tracing::debug!(rows, "old records pruned");
            }
            if self.prune_on.is_none() || !self.orders.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn failed(&mut self, e: &StoreError) {
        self.ill = true;
        self.health.ill("inbox", &describe(e));
    }

    fn healed(&mut self) {
        if self.ill {
            self.ill = false;
            self.health.well("inbox");
        }
    }
}

/// An error with its chain, for the log and `/readyz`.
pub(super) fn describe(e: &StoreError) -> String {
    let mut text = e.to_string();
    let mut source = std::error::Error::source(e);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
