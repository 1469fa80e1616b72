//! The projector thread: takes records after its cursor, parses, folds, and commits messages, outcomes and cursor together.
//!
//! One loop does all writing to the state: records first, then what was asked to be processed again, then what is due, then old rows.
//! A record that cannot be folded is set aside with status `error`; it never stops the ones behind it.

mod counting;
mod handle;
mod timed;

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

pub use handle::{Nudge, Projected, ProjectorHandle, ReprocessWhat};

use super::fold::{fold_record, is_own, outcome};
use super::rules::AccountRules;
use super::signals::Signals;
use super::watching::Watching;
use super::writer::describe;
use super::{BATCH_RECORDS_MAX, FOLD_MESSAGES_MAX, FOLD_RECORDS_MAX, Health};
use crate::clock::Clock;
use crate::config::Retention;
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::projection::{Change, Workbench};
use crate::domain::record::{Record, Status};
use crate::domain::time::{Millis, Span};
use crate::metrics::Metrics;
use crate::store::{RecordReader, StateWriter, StoreError};

/// How long the projector waits before it tries a failed commit again.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// How long a batch may grow after a small one.
const GATHER: Duration = Duration::from_millis(5);

/// A batch of fewer records is a small one.
const GATHER_BELOW_RECORDS: usize = 256;

/// By how much this thread stands back behind those that take callbacks in (Linux counts it by thread).
const NICE: i32 = 5;

/// Records that wait longer than this are old.
const BEHIND: Span = Span::minutes(1);

/// How soon after a full step of retention the next one may follow.
const PRUNE_AGAIN: Span = Span(100);

struct Job {
    what: ReprocessWhat,
    after: Seq,
    done: usize,
    tell: oneshot::Sender<usize>,
}

/// The projector.
pub struct Projector<I, S> {
    nudges: Receiver<Nudge>,
    cursor: Arc<AtomicU64>,
    synced: Arc<AtomicU64>,
    /// Wakes those who follow the feed.
    fed: Arc<watch::Sender<u64>>,
    sync_after: Millis,
    /// There are more old rows than the last step took.
    pruning: bool,
    /// Old records wait to be folded.
    behind: bool,
    /// What is watched over accounts; read again after anything failed.
    watching: Option<Watching>,
    watch_after: Millis,
    /// Accounts whose stuck messages are looked at again, and behind which row.
    reviews: VecDeque<(AccountId, Row)>,
    review_after: Millis,
    /// Messages that could not be read back when they were to be looked at.
    unreadable: HashSet<Row>,
    /// Nothing is told on: the past is only made again. `Some(true)`: what is remembered of these records is kept already.
    past: Option<bool>,
    /// What was noticed at the edge.
    signals: Arc<Signals>,
    inbox: I,
    state: S,
    rules: Arc<AccountRules>,
    clock: Arc<dyn Clock>,
    health: Arc<Health>,
    metrics: Arc<Metrics>,
    retention: Retention,
    sweep_every: Span,
    waiting: HashMap<Seq, oneshot::Sender<Projected>>,
    /// What became of own calls whose waiters are not known yet: the fold may be quicker than the writer's word.
    unclaimed: VecDeque<(Seq, Projected)>,
    jobs: VecDeque<Job>,
    prune_after: Millis,
    last_records: usize,
    stopping: bool,
}

/// Everything a projector works with.
pub struct Parts<I, S> {
    /// Records.
    pub inbox: I,
    /// Messages.
    pub state: S,
    /// Providers and deadlines.
    pub rules: Arc<AccountRules>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where to say that something does not work.
    pub health: Arc<Health>,
    /// Where to count.
    pub metrics: Arc<Metrics>,
    /// How long things are kept.
    pub retention: Retention,
    /// How often to look for what is due.
    pub sweep_every: Span,
}

impl<I: RecordReader, S: StateWriter> Projector<I, S> {
    /// A projector and the handle to speak to it.
    ///
    /// # Errors
    /// When the cursor cannot be read, or points behind the last record.
    pub fn new(parts: Parts<I, S>) -> Result<(Projector<I, S>, ProjectorHandle), StoreError> {
        let (tx, nudges) = channel();
        let (cursor, last) = (parts.state.cursor()?, parts.inbox.last_seq()?);
        if cursor > last {
            // An inbox that begins anew would give out numbers that count as folded already.
            return Err(StoreError::Apart { path: parts.state.place(), cursor, last });
        }
        parts.metrics.durable_seq.fetch_max(last, Ordering::AcqRel);
        parts.metrics.folded_seq.store(cursor, Ordering::Release);
        let cursor = Arc::new(AtomicU64::new(cursor));
        let synced = Arc::new(AtomicU64::new(0));
        let fed = Arc::new(watch::Sender::new(0));
        let handle = ProjectorHandle { nudges: tx, cursor: cursor.clone(), synced: synced.clone(), fed: fed.clone() };
        let Parts { inbox, state, rules, clock, health, metrics, retention, sweep_every } = parts;
        let projector = Projector {
            nudges,
            cursor,
            synced,
            fed,
            sync_after: Millis(0),
            pruning: false,
            behind: false,
            watching: None,
            watch_after: Millis(0),
            // The first look is at once: what changed shortly before the end may not have been looked at.
            reviews: VecDeque::new(),
            review_after: Millis(0),
            unreadable: HashSet::new(),
            past: None,
            signals: Arc::default(),
            inbox,
            state,
            rules,
            clock,
            health,
            metrics,
            retention,
            sweep_every,
            waiting: HashMap::new(),
            unclaimed: VecDeque::new(),
            jobs: VecDeque::new(),
            prune_after: Millis(0),
            last_records: 0,
            stopping: false,
        };
        Ok((projector, handle))
    }

    /// Takes in what the edge notices.
    #[must_use]
    pub fn noticing(mut self, signals: Arc<Signals>) -> Self {
        self.signals = signals;
        self
    }

    /// Tells nothing on of what it folds: the past is only made again. `remembered`: its records were counted before and are not again.
    #[must_use]
    pub fn past(mut self, remembered: bool) -> Self {
        self.past = Some(remembered);
        self
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(mut self) -> std::io::Result<JoinHandle<()>>
    where
        I: Send + 'static,
        S: Send + 'static,
    {
        std::thread::Builder::new().name("projector".into()).spawn(move || {
            // Receipts go before what follows from them: where the processor is short, folding waits and catches up.
            let _ = rustix::process::nice(NICE);
            self.run();
            if let Err(e) = self.state.checkpoint() {
                tracing::warn!(error = %e, "the state's write-ahead log stays for the next start");
            }
        })
    }

    /// Works until told to stop and nothing is left.
    pub fn run(&mut self) {
        loop {
            let worked = match self.step() {
                Ok(worked) => {
                    self.health.well("projection");
                    worked
                }
                Err(e) => {
                    self.watching = None;
                    self.health.ill("projection", &describe(&e));
                    if self.stopping {
                        return;
                    }
                    self.wait(RETRY_AFTER);
                    continue;
                }
            };
            if worked && self.last_records > 0 && self.last_records < GATHER_BELOW_RECORDS && !self.stopping {
                self.gather();
            } else if worked {
                self.wait(Duration::ZERO);
            } else if self.stopping {
                return;
            } else {
                let pause = if self.pruning { PRUNE_AGAIN } else { self.sweep_every };
                self.wait(Duration::from_millis(u64::try_from(pause.0).unwrap_or(1_000).clamp(10, 60_000)));
            }
        }
    }

    /// Takes the words that wait, and waits up to `longest` for a first one.
    fn wait(&mut self, longest: Duration) {
        let mut next = if longest.is_zero() {
            self.nudges.try_recv().ok()
        } else {
            match self.nudges.recv_timeout(longest) {
                Ok(nudge) => Some(nudge),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    self.stopping = true;
                    None
                }
            }
        };
        while let Some(nudge) = next {
            self.take(nudge);
            next = self.nudges.try_recv().ok();
        }
    }

    /// Takes the words that wait, for whoever drives it step by step.
    pub fn hear(&mut self) {
        self.wait(Duration::ZERO);
    }

    /// After a small batch: lets the next one grow for a moment, unless somebody waits for it. A lone record never waits for this,
    /// and under steady traffic a commit is shared by many records.
    fn gather(&mut self) {
        let until = Instant::now() + GATHER;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.nudges.recv_timeout(left) {
                Ok(nudge) => {
                    let urgent = match &nudge {
                        Nudge::Appended(told) => !told.is_empty(),
                        Nudge::Reprocess(..) | Nudge::Stop => true,
                        Nudge::Tick => false,
                    };
                    self.take(nudge);
                    if urgent {
                        return;
                    }
                }
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => {
                    self.stopping = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, nudge: Nudge) {
        match nudge {
            Nudge::Appended(told) => told.into_iter().for_each(|(seq, tell)| self.await_fold(seq, tell)),
            Nudge::Reprocess(what, tell) => self.jobs.push_back(Job { what, after: 0, done: 0, tell }),
            Nudge::Tick => {}
            Nudge::Stop => self.stopping = true,
        }
    }

    /// Somebody waits for what becomes of a record; it may have been folded already.
    fn await_fold(&mut self, seq: Seq, tell: oneshot::Sender<Projected>) {
        match self.unclaimed.iter().position(|(folded, _)| *folded == seq).and_then(|i| self.unclaimed.remove(i)) {
            Some((_, answer)) => drop(tell.send(answer)),
            None => drop(self.waiting.insert(seq, tell)),
        }
    }

    /// Tells whoever waits for a record what became of it, or keeps it until the writer says who that is. The writer speaks after each
    /// commit, so no more than one batch of records can be ahead of its word.
    fn tell(&mut self, seq: Seq, answer: Projected) {
        match self.waiting.remove(&seq) {
            Some(tell) => drop(tell.send(answer)),
            None => {
                if self.unclaimed.len() == BATCH_RECORDS_MAX {
                    self.unclaimed.pop_front();
                }
                self.unclaimed.push_back((seq, answer));
            }
        }
    }

    /// One round of each kind of work; `true` when there may be more.
    ///
    /// # Errors
    /// When a file fails; nothing of the failed part was committed.
    pub fn step(&mut self) -> Result<bool, StoreError> {
        self.inbox.usable()?;
        self.state.usable()?;
        let records = self.catch_up()?;
        if self.stopping {
            return Ok(records);
        }
        // Before the sweep: folding an old record again puts its message back to the time of that record, and the sweep brings it forward.
        let reprocessed = self.reprocess()?;
        if self.behind {
            self.prune()?;
            return Ok(true);
        }
        let swept = self.sweep()?;
        let (watched_at, reviewed) = self.watch()?;
        self.prune()?;
        let more = records || swept || reprocessed || reviewed;
        if !more {
            self.metrics.watched_at.store(watched_at.0, Ordering::Release);
        }
        Ok(more)
    }

    fn catch_up(&mut self) -> Result<bool, StoreError> {
        let cursor = self.cursor.load(Ordering::Acquire);
        let records = self.inbox.after(cursor, FOLD_RECORDS_MAX)?;
        self.last_records = records.len();
        let (Some(first), Some(newest)) = (records.first(), records.last()) else {
            self.behind = false;
            self.metrics.projection_oldest.store(0, Ordering::Relaxed);
            return Ok(false);
        };
        // While much of what came long ago is not folded, a receipt that is missing may be among it: nothing is swept or judged.
        let old = newest.received_at < self.clock.now().minus(BEHIND);
        let newest = newest.seq;
        self.behind = old && records.len() == FOLD_RECORDS_MAX;
        self.metrics.projection_oldest.store(first.received_at.0, Ordering::Relaxed);
        self.learn_accounts(&records)?;
        // Each is let go of as soon as it is folded: what it led to is held until the commit, and takes the room.
        match self.fold(records, false) {
            Ok(last) => {
                self.behind |= old && last < newest;
                self.advance(last);
            }
            Err(e) if is_of_the_record(&e) => self.fold_one_by_one(cursor)?,
            Err(e) => return Err(e),
        }
        Ok(true)
    }

    fn advance(&self, to: Seq) {
        self.cursor.store(to, Ordering::Release);
        self.metrics.folded_seq.store(to, Ordering::Release);
    }

    /// Reads the records of a batch again and commits each by itself, since one of them cannot be folded.
    fn fold_one_by_one(&mut self, cursor: Seq) -> Result<(), StoreError> {
        for record in self.inbox.after(cursor, FOLD_RECORDS_MAX)? {
            match self.fold([&record], false) {
                Ok(last) => self.advance(last),
                Err(e) if is_of_the_record(&e) => self.set_aside(&record, &e)?,
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Keeps a record that cannot be folded out of the way, with its reason.
    fn set_aside(&mut self, record: &Record, e: &StoreError) -> Result<(), StoreError> {
        let reason = format!("{}; the record is kept, and `baophat rebuild` makes the messages anew from what is kept", describe(e));
        tracing::error!(seq = record.seq, reason, "a record cannot be folded and is set aside");
        let outcome = outcome(record, Status::Error, Some(reason.clone()));
        self.state.commit(&Change::default(), &[outcome], Some(record.seq))?;
        self.advance(record.seq);
        if is_own(record) {
            self.tell(record.seq, Projected::Failed(reason));
        }
        Ok(())
    }

    /// Folds records, as many of them as one commit may hold, and commits everything that follows. Records that were not folded before
    /// take the cursor along. The last one that was folded.
    fn fold<R: Borrow<Record>>(&mut self, records: impl IntoIterator<Item = R>, again: bool) -> Result<Seq, StoreError> {
        self.state.begin()?;
        let folded = self.fold_begun(records, again);
        if folded.is_err() {
            self.watching = None;
            self.state.give_up();
        }
        folded
    }

    fn fold_begun<R: Borrow<Record>>(&mut self, records: impl IntoIterator<Item = R>, again: bool) -> Result<Seq, StoreError> {
        let rules = self.rules.clone();
        let mut outcomes = Vec::new();
        let mut answers = Vec::new();
        let mut last = self.cursor.load(Ordering::Acquire);
        let mut watching = self.take_watching()?;
        let judge = watching.judge(&rules);
        let mut notes = Vec::new();
        let mut bench = Workbench::new(&self.state, &judge)?;
        for record in records {
            let record = record.borrow();
            let folded = fold_record(&mut bench, &rules, &self.metrics, record, &mut notes)?;
            outcomes.push(outcome(record, folded.status, folded.reason));
            answers.extend(folded.answer.filter(|_| is_own(record)).map(|a| (record.seq, a)));
            last = record.seq;
            if bench.messages_held() >= FOLD_MESSAGES_MAX {
                break;
            }
        }
        let mut change = bench.finish();
        let remembered = again || self.past == Some(true);
        watching.take(&rules, notes, &mut change, remembered, &self.state)?;
        self.hush(&mut change);
        self.state.commit(&change, &outcomes, (!again).then_some(last))?;
        self.tell_fed(&change);
        self.watching = Some(watching);
        counting::count(&self.metrics, &self.rules, &change, &outcomes);
        answers.into_iter().for_each(|(seq, answer)| self.tell(seq, answer));
        Ok(last)
    }

    /// Wakes those who follow the feed, where something was committed to it.
    fn tell_fed(&self, change: &Change) {
        if !change.feed.is_empty() {
            self.fed.send_modify(|n| *n += change.feed.len() as u64);
        }
    }

    fn learn_accounts(&mut self, records: &[Record]) -> Result<(), StoreError> {
        if records.iter().any(|r| !self.state.knows_account(&r.account)) {
            self.state.learn_accounts(self.inbox.accounts()?);
        }
        Ok(())
    }

    /// One batch of what was asked to be processed again.
    fn reprocess(&mut self) -> Result<bool, StoreError> {
        let Some(job) = self.jobs.front() else { return Ok(false) };
        let (what, after) = (job.what, job.after);
        let seqs = match what {
            ReprocessWhat::One(seq) if after == 0 => vec![seq],
            ReprocessWhat::One(_) => Vec::new(),
            ReprocessWhat::All(status) => self.state.callbacks_with(status, after, FOLD_RECORDS_MAX)?,
        };
        let mut done = 0;
        for seq in &seqs {
            // One at a time: thousands of bodies of a mebibyte would not fit.
            let Some(record) = self.inbox.get(*seq)? else { continue };
            self.learn_accounts(std::slice::from_ref(&record))?;
            match self.fold([record], true) {
                Err(e) if is_of_the_record(&e) => tracing::error!(seq, reason = describe(&e), "cannot be processed again"),
                other => drop(other?),
            }
            done += 1;
        }
        let more = matches!(what, ReprocessWhat::All(_)) && seqs.len() == FOLD_RECORDS_MAX;
        if let Some(job) = self.jobs.front_mut() {
            job.done += done;
            job.after = seqs.last().copied().unwrap_or(after);
        }
        if !more && let Some(job) = self.jobs.pop_front() {
            let _ = job.tell.send(job.done);
        }
        Ok(more || !self.jobs.is_empty())
    }
}

/// The fault lies in this record or in what it leads to, not in the disk: the others can go on.
fn is_of_the_record(e: &StoreError) -> bool {
    matches!(e, StoreError::Decode { .. } | StoreError::Missing(_))
}
