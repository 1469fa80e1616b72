//! Any store behind the seam, failing by plan: before a call has its effect, or after it, with the errors of a real disk.
//!
//! The plan is data, so a failure is the same each time. It also notices when a caller breaks the contract of the seam after an
//! error. It must not know what is behind it, and costs nothing where it is not used.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::{NumberedAccount, Outcome, Receipt, RecordReader, RecordWriter, StateWriter, StoreError, Submission};
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::message::Message;
use crate::domain::projection::{Change, Key, Source, ThreadKey};
use crate::domain::record::{Record, Status};
use crate::domain::thread::Thread;
use crate::domain::time::Millis;

/// One call of the seam.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// [`RecordWriter::append`].
    Append,
    /// [`RecordWriter::recover`].
    Recover,
    /// [`RecordWriter::tend_repeats`].
    TendRepeats,
    /// [`RecordWriter::prune`].
    PruneRecords,
    /// [`RecordWriter::prove`].
    ProveInbox,
    /// [`RecordWriter::checkpoint`].
    CheckpointInbox,
    /// [`RecordReader::usable`].
    InboxUsable,
    /// [`RecordReader::after`].
    After,
    /// [`RecordReader::get`].
    Get,
    /// [`RecordReader::last_seq`].
    LastSeq,
    /// [`RecordReader::accounts`].
    Accounts,
    /// [`StateWriter::usable`].
    StateUsable,
    /// [`StateWriter::cursor`].
    Cursor,
    /// [`StateWriter::due`].
    Due,
    /// [`StateWriter::stuck_rows`].
    StuckRows,
    /// [`StateWriter::begin`].
    Begin,
    /// [`StateWriter::sheets`].
    Sheets,
    /// [`StateWriter::commit`].
    Commit,
    /// [`StateWriter::callbacks_with`].
    CallbacksWith,
    /// [`StateWriter::prune`].
    PruneState,
    /// [`StateWriter::sync`].
    SyncState,
    /// [`StateWriter::prove`].
    ProveState,
    /// [`StateWriter::checkpoint`].
    CheckpointState,
    /// [`Source::rows`].
    Rows,
    /// [`Source::message`].
    Message,
    /// [`Source::thread`].
    Thread,
    /// [`Source::thread_messages`].
    ThreadMessages,
    /// [`Source::next_rows`].
    NextRows,
}

impl Call {
    /// It changes what is stored, so that failing before and after its effect are two things.
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Call::Append
                | Call::Recover
                | Call::TendRepeats
                | Call::PruneRecords
                | Call::CheckpointInbox
                | Call::Commit
                | Call::PruneState
                | Call::CheckpointState
                | Call::SyncState
        )
    }
}

/// When a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Nothing happened.
    Before,
    /// It happened, and an error is returned all the same.
    After,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full.
    Full,
    /// The files became read-only.
    ReadOnly,
    /// The engine reports an error of the disk.
    Engine,
    /// A reader holds the write-ahead log.
    LogHeld,
    /// The process dies: every later call fails too, until [`Faults::revive`].
    Death,
}

impl Fault {
    /// What a disk does while the process lives.
    pub const OF_A_DISK: [Fault; 4] = [Fault::Full, Fault::ReadOnly, Fault::Engine, Fault::LogHeld];

    fn error(self) -> StoreError {
        match self {
            Fault::Full => StoreError::Full,
            Fault::ReadOnly => StoreError::ReadOnly,
            Fault::LogHeld => StoreError::LogHeld,
            Fault::Engine | Fault::Death => StoreError::Engine {
                doing: "failing by plan",
                source: rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR), None),
            },
        }
    }
}

/// One call that is to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Only calls of this kind count.
    pub call: Option<Call>,
    /// Which of them, counted from 0.
    pub n: u64,
    /// When.
    pub moment: Moment,
    /// How.
    pub fault: Fault,
}

/// Which calls fail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// None.
    #[default]
    Nothing,
    /// These, one after the other: each is counted from where the one before it failed.
    Calls(VecDeque<Planned>),
    /// So many of a thousand, chosen by the seed; before or after their effect by chance.
    Rate {
        /// Equal seeds choose equally.
        seed: u64,
        /// How many of a thousand calls.
        per_mille: u64,
        /// Only calls that write.
        writes_only: bool,
        /// One of these, by chance.
        faults: Vec<Fault>,
    },
}

/// A fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Happened {
    /// The number of the call since the beginning.
    pub number: u64,
    /// The call.
    pub call: Call,
    /// When it failed.
    pub moment: Moment,
    /// How.
    pub fault: Fault,
}

#[derive(Debug, Default)]
struct Inner {
    plan: Plan,
    calls: u64,
    dead: bool,
    /// An append failed, and the log was not recovered since.
    torn: bool,
    /// A commit failed, and the state was not read since.
    stale: bool,
    happened: Vec<Happened>,
    breaches: Vec<&'static str>,
}

/// The plan, shared by every part that fails by it; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Faults(Arc<Mutex<Inner>>);

impl Faults {
    /// From now on calls fail by this plan.
    pub fn plan(&self, plan: Plan) {
        self.inner().plan = plan;
    }

    /// How many calls there were.
    pub fn calls(&self) -> u64 {
        self.inner().calls
    }

    /// What failed so far.
    pub fn happened(&self) -> Vec<Happened> {
        self.inner().happened.clone()
    }

    /// How the contract of the seam was broken: appending behind a failure, committing what was made before a failed commit.
    pub fn breaches(&self) -> Vec<&'static str> {
        self.inner().breaches.clone()
    }

    /// The process is dead.
    pub fn dead(&self) -> bool {
        self.inner().dead
    }

    /// A new process opens the store: nothing is torn or stale for it.
    pub fn revive(&self) {
        let mut inner = self.inner();
        (inner.dead, inner.torn, inner.stale) = (false, false, false);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a call by the plan.
    fn run<T>(&self, call: Call, effect: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        let planned = self.inner().next(call)?;
        let result = match planned {
            None => effect(),
            Some((Moment::Before, fault)) => Err(fault.error()),
            Some((Moment::After, fault)) => effect().and(Err(fault.error())),
        };
        self.inner().ended(call, result.is_ok());
        result
    }

    fn breach(&self, why: &'static str, broken: impl FnOnce(&Inner) -> bool) {
        let mut inner = self.inner();
        if !inner.dead && broken(&inner) {
            inner.breaches.push(why);
        }
    }
}

impl Inner {
    /// What this call is planned to do.
    fn next(&mut self, call: Call) -> Result<Option<(Moment, Fault)>, StoreError> {
        if self.dead {
            return Err(Fault::Death.error());
        }
        let number = self.calls;
        self.calls += 1;
        let planned = match &mut self.plan {
            Plan::Nothing => None,
            Plan::Calls(planned) => match planned.front_mut() {
                Some(next) if next.call.is_some_and(|only| only != call) => None,
                Some(next) if next.n > 0 => {
                    next.n -= 1;
                    None
                }
                _ => planned.pop_front().map(|next| (next.moment, next.fault)),
            },
            Plan::Rate { seed, per_mille, writes_only, faults } => {
                let hit = scatter(seed) % 1_000 < *per_mille && (call.writes() || !*writes_only) && !faults.is_empty();
                hit.then(|| {
                    let chance = scatter(seed);
                    let moment = if call.writes() && chance % 2 == 1 { Moment::After } else { Moment::Before };
                    (moment, faults[(chance / 2) as usize % faults.len()])
                })
            }
        };
        if let Some((moment, fault)) = planned {
            self.dead = fault == Fault::Death;
            self.happened.push(Happened { number, call, moment, fault });
        }
        Ok(planned)
    }

    fn ended(&mut self, call: Call, ok: bool) {
        match call {
            Call::Append => self.torn |= !ok,
            Call::Recover => self.torn &= !ok,
            Call::Commit => self.stale |= !ok,
            Call::NextRows => self.stale &= !ok,
            _ => {}
        }
    }
}

/// The next number of a seeded sequence (splitmix64).
fn scatter(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *seed;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A part of a store that fails by plan.
#[derive(Debug)]
pub struct Faulty<T> {
    inner: T,
    faults: Faults,
}

impl<T> Faulty<T> {
    /// Puts the plan around a part.
    pub fn new(inner: T, faults: &Faults) -> Faulty<T> {
        Faulty { inner, faults: faults.clone() }
    }
}

impl<T: RecordWriter> RecordWriter for Faulty<T> {
    fn append(&mut self, batch: &[Submission]) -> Result<Vec<Receipt>, StoreError> {
        self.faults.breach("appended behind a failed append, without recovering first", |i| i.torn);
        self.faults.run(Call::Append, || self.inner.append(batch))
    }

    fn recover(&mut self, now: Millis) -> Result<(), StoreError> {
        self.faults.run(Call::Recover, || self.inner.recover(now))
    }

    fn tend_repeats(&mut self, now: Millis) -> Result<(), StoreError> {
        self.faults.run(Call::TendRepeats, || self.inner.tend_repeats(now))
    }

    fn prune(&mut self, before: Millis, cursor: Seq, limit: usize) -> Result<usize, StoreError> {
        self.faults.run(Call::PruneRecords, || self.inner.prune(before, cursor, limit))
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.faults.run(Call::ProveInbox, || self.inner.prove())
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.faults.run(Call::CheckpointInbox, || self.inner.checkpoint())
    }
}

impl<T: RecordReader> RecordReader for Faulty<T> {
    fn usable(&self) -> Result<(), StoreError> {
        self.faults.run(Call::InboxUsable, || self.inner.usable())
    }

    fn after(&self, cursor: Seq, limit: usize) -> Result<Vec<Record>, StoreError> {
        self.faults.run(Call::After, || self.inner.after(cursor, limit))
    }

    fn get(&self, seq: Seq) -> Result<Option<Record>, StoreError> {
        self.faults.run(Call::Get, || self.inner.get(seq))
    }

    fn last_seq(&self) -> Result<Seq, StoreError> {
        self.faults.run(Call::LastSeq, || self.inner.last_seq())
    }

    fn accounts(&self) -> Result<Vec<NumberedAccount>, StoreError> {
        self.faults.run(Call::Accounts, || self.inner.accounts())
    }
}

impl<T: StateWriter> StateWriter for Faulty<T> {
    fn usable(&self) -> Result<(), StoreError> {
        self.faults.run(Call::StateUsable, || self.inner.usable())
    }

    fn place(&self) -> String {
        self.inner.place()
    }

    fn cursor(&self) -> Result<Seq, StoreError> {
        self.faults.run(Call::Cursor, || self.inner.cursor())
    }

    fn due(&self, now: Millis, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.faults.run(Call::Due, || self.inner.due(now, limit))
    }

    fn stuck_rows(&self, account: &AccountId, since: Millis, after: Row, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.faults.run(Call::StuckRows, || self.inner.stuck_rows(account, since, after, limit))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        self.faults.run(Call::Begin, || self.inner.begin())
    }

    fn give_up(&mut self) {
        self.inner.give_up();
    }

    fn sheets(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        self.faults.run(Call::Sheets, || self.inner.sheets(prefix))
    }

    fn commit(&mut self, change: &Change, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError> {
        let made = !change.messages.is_empty();
        self.faults.breach("committed what was made before a failed commit, without reading again", |i| i.stale && made);
        self.faults.run(Call::Commit, || self.inner.commit(change, outcomes, cursor))
    }

    fn callbacks_with(&self, status: Status, after: Seq, limit: usize) -> Result<Vec<Seq>, StoreError> {
        self.faults.run(Call::CallbacksWith, || self.inner.callbacks_with(status, after, limit))
    }

    fn prune(&mut self, before: Millis, records_before: Millis, limit: usize) -> Result<usize, StoreError> {
        self.faults.run(Call::PruneState, || self.inner.prune(before, records_before, limit))
    }

    fn knows_account(&self, account: &AccountId) -> bool {
        self.inner.knows_account(account)
    }

    fn learn_accounts(&mut self, all: Vec<NumberedAccount>) {
        self.inner.learn_accounts(all);
    }

    fn sync(&mut self) -> Result<bool, StoreError> {
        self.faults.run(Call::SyncState, || self.inner.sync())
    }

    fn prove(&self) -> Result<(), StoreError> {
        self.faults.run(Call::ProveState, || self.inner.prove())
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.faults.run(Call::CheckpointState, || self.inner.checkpoint())
    }
}

impl<T: StateWriter> Source for Faulty<T> {
    type Error = StoreError;

    fn rows(&self, key: Key, limit: usize) -> Result<Vec<Row>, StoreError> {
        self.faults.run(Call::Rows, || self.inner.rows(key, limit))
    }

    fn message(&self, row: Row) -> Result<Option<Message>, StoreError> {
        self.faults.run(Call::Message, || self.inner.message(row))
    }

    fn thread(&self, key: &ThreadKey) -> Result<Option<(Row, Thread)>, StoreError> {
        self.faults.run(Call::Thread, || self.inner.thread(key))
    }

    fn thread_messages(&self, thread: Row, above: Millis, upto: Millis) -> Result<Vec<Row>, StoreError> {
        self.faults.run(Call::ThreadMessages, || self.inner.thread_messages(thread, above, upto))
    }

    fn next_rows(&self) -> Result<(Row, Row), StoreError> {
        self.faults.run(Call::NextRows, || self.inner.next_rows())
    }
}
