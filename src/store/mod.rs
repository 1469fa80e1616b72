//! Where records and what follows from them are kept.
//!
//! The contract, whatever the engine: the inbox appends records and answers only when they are synced to disk; the state commits a
//! batch of changes together with the cursor up to which records were folded, or nothing of it. The store keeps and finds; it never
//! knows what a payload means and decides nothing.
//!
//! The pipeline knows a store only by [`RecordWriter`], [`RecordReader`] and [`StateWriter`]. The running program puts SQLite behind
//! them; tests put [`memory`] there, and [`faulty`] around either.

pub mod faulty;
pub mod memory;
pub mod sqlite;

use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::projection::{Change, MissingRow, Source};
use crate::domain::record::{Content, Record, Status};
use crate::domain::time::Millis;

pub use sqlite::state::Outcome;

/// What can go wrong with a store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process serves this store.
    #[error("the store {path} is in use by another baophat process; stop that one first, or give this one another `database`")]
    InUse {
        /// The store's path.
        path: String,
    },
    /// The file was written by a newer program.
    #[error("the store {path} has version {found}, and this program knows only up to {known}; install the newer program again")]
    Newer {
        /// The file.
        path: String,
        /// Its version.
        found: i64,
        /// Ours.
        known: i64,
    },
    /// The file cannot be opened.
    #[error("the store {path} cannot be opened: {reason}")]
    Open {
        /// The file.
        path: String,
        /// Why, and what to do.
        reason: String,
    },
    /// The file is damaged.
    #[error("the store {path} is damaged ({detail}); restore the latest backup")]
    Damaged {
        /// The file.
        path: String,
        /// What was found.
        detail: String,
    },
    /// The disk is full.
    #[error("the disk is full")]
    Full,
    /// The file or disk is read-only.
    #[error("the store is read-only")]
    ReadOnly,
    /// A file was deleted or replaced while the program has it open.
    #[error(
        "{path} was deleted or replaced under the running program, so nothing is taken in; read \"A file was deleted\" in docs/operations.md \
         before you stop it"
    )]
    Gone {
        /// The file.
        path: String,
    },
    /// The state stands further than the inbox.
    #[error(
        "the state file {path} was made from an inbox with records up to {cursor}, but this inbox ends at {last}; put the inbox that \
         belongs to it back, or make the messages from this one with `baophat rebuild`"
    )]
    Apart {
        /// The state file.
        path: String,
        /// Up to where the state has folded.
        cursor: Seq,
        /// The inbox's last record.
        last: Seq,
    },
    /// A reader keeps the write-ahead log from being written anew.
    #[error("the write-ahead log is being read and cannot be written anew yet")]
    LogHeld,
    /// The engine failed.
    #[error("the database engine failed while {doing}")]
    Engine {
        /// What was being done.
        doing: &'static str,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// A stored value cannot be read back.
    #[error("a stored {what} cannot be read back: {detail}")]
    Decode {
        /// What.
        what: &'static str,
        /// Why.
        detail: String,
    },
    /// The store contradicts itself.
    #[error(transparent)]
    Missing(#[from] MissingRow),
}

impl StoreError {
    /// A short fixed name for metrics and `/readyz`.
    pub fn slug(&self) -> &'static str {
        match self {
            StoreError::InUse { .. } => "in_use",
            StoreError::Newer { .. } => "newer_version",
            StoreError::Open { .. } => "cannot_open",
            StoreError::Damaged { .. } => "damaged",
            StoreError::Full => "disk_full",
            StoreError::ReadOnly => "read_only",
            StoreError::Gone { .. } => "file_gone",
            StoreError::Apart { .. } => "files_apart",
            StoreError::LogHeld => "log_held",
            StoreError::Engine { .. } => "engine",
            StoreError::Decode { .. } => "decode",
            StoreError::Missing(_) => "contradiction",
        }
    }
}

/// What the inbox answers for a submission that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The record; for a repeat, the one stored first.
    pub seq: Seq,
    /// It was there already.
    pub repeat: bool,
}

/// One record to append.
#[derive(Clone, Debug)]
pub struct Submission {
    /// The account's provider slug.
    pub provider: &'static str,
    /// The account.
    pub account: AccountId,
    /// When it arrived.
    pub received_at: Millis,
    /// What it holds.
    pub content: Content,
    /// The identity of a callback; own calls have none (they are folded idempotently).
    pub identity: Option<[u8; 16]>,
}

/// An account as the inbox numbered it: number, slug, provider.
pub type NumberedAccount = (i64, String, String);

/// The one writer of the inbox.
///
/// What is durable survives the death of the process and of the machine's power from the moment a call returns `Ok`.
pub trait RecordWriter {
    /// Appends a batch, all of it or nothing. `Ok`: every record is durable, in the order of the batch, at positions that rise by one
    /// and are never given again; a callback whose identity is on record (also earlier in this batch, also before a restart, for at
    /// least [`sqlite::repeats::REPEAT_WINDOW`]) is counted there as a repeat instead, as durably.
    ///
    /// # Errors
    /// Nothing of the batch may be acknowledged: after an error it may be on disk or not. [`RecordWriter::recover`] must succeed before
    /// the next append, else what is appended behind the failure may be cut off by the next start.
    fn append(&mut self, batch: &[Submission]) -> Result<Vec<Receipt>, StoreError>;

    /// After a failed call: makes sure that what is appended from now on is durable, and learns whether the disk takes writes. Changes no
    /// record.
    ///
    /// # Errors
    /// Appending is still forbidden; call it again later.
    fn recover(&mut self, now: Millis) -> Result<(), StoreError>;

    /// Lets go of identities out of the window and keeps the others findable after a restart. Called between batches.
    ///
    /// # Errors
    /// Repeats are still recognised; call it again later.
    fn tend_repeats(&mut self, now: Millis) -> Result<(), StoreError>;

    /// Deletes the oldest records, at most `limit`, up to the last among them that arrived before `before` and stands at or before
    /// `cursor`, together with their counts of repeats; how many went. Positions never fall back.
    ///
    /// # Errors
    /// All of it happened or nothing.
    fn prune(&mut self, before: Millis, cursor: Seq, limit: usize) -> Result<usize, StoreError>;

    /// What is stored still reads as the next start would read it. Asked now and then.
    ///
    /// # Errors
    /// It does not; nothing may be acknowledged.
    fn prove(&self) -> Result<(), StoreError>;

    /// Tidies up before the end. What was durable is so without it.
    ///
    /// # Errors
    /// Nothing is lost; the next start does it.
    fn checkpoint(&mut self) -> Result<(), StoreError>;
}

/// Reads records back. Sees what was durable when the call began; an error changes nothing.
pub trait RecordReader {
    /// Reading can be tried.
    ///
    /// # Errors
    /// The store cannot be used just now, and no other call may be made.
    fn usable(&self) -> Result<(), StoreError>;

    /// The records after a position, at most `limit`, by rising position.
    ///
    /// # Errors
    /// When they cannot be read.
    fn after(&self, cursor: Seq, limit: usize) -> Result<Vec<Record>, StoreError>;

    /// One record; `None` when there is none or it was pruned.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get(&self, seq: Seq) -> Result<Option<Record>, StoreError>;

    /// The position given last, though its record may have been pruned; 0 before the first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn last_seq(&self) -> Result<Seq, StoreError>;

    /// Every account that ever wrote a record. Numbers are given once and never again.
    ///
    /// # Errors
    /// When they cannot be read.
    fn accounts(&self) -> Result<Vec<NumberedAccount>, StoreError>;
}

/// The one writer of the state, and what the fold reads ([`Source`]). It sees its own commits at once.
///
/// The state may lose its last commits in a power cut, always together with the cursor of those commits: it then is what it was
/// earlier, and folding goes on from there.
pub trait StateWriter: Source<Error = StoreError> {
    /// Reading and committing can be tried.
    ///
    /// # Errors
    /// The store cannot be used just now, and no other call may be made.
    fn usable(&self) -> Result<(), StoreError>;

    /// Where it lies, for people.
    fn place(&self) -> String;

    /// The last record that was folded; 0 before the first.
    ///
    /// # Errors
    /// When it cannot be read.
    fn cursor(&self) -> Result<Seq, StoreError>;

    /// The rows whose deadline is at or before `now`, oldest deadline first, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn due(&self, now: Millis, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// The stuck messages of an account behind a row that became known at `since` or later, by rising row, at most `limit`; none of an
    /// account without a number.
    ///
    /// # Errors
    /// When they cannot be read.
    fn stuck_rows(&self, account: &AccountId, since: Millis, after: Row, limit: usize) -> Result<Vec<Row>, StoreError>;

    /// Begins what the next [`StateWriter::commit`] ends, so that a fold reads what it changes at one time. What an earlier fold left
    /// open is given up.
    ///
    /// # Errors
    /// The store cannot be used just now.
    fn begin(&mut self) -> Result<(), StoreError>;

    /// Ends what [`StateWriter::begin`] began without a change.
    fn give_up(&mut self);

    /// Every sheet whose name begins so, by name.
    ///
    /// # Errors
    /// When they cannot be read.
    fn sheets(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;

    /// Keeps messages, keys, conversations, sheets, outcomes and, where one is given, the cursor, and puts the entries behind the last one
    /// of the feed: all of it or nothing. Of an outcome that is
    /// there already, status and reason are replaced.
    ///
    /// # Errors
    /// All of it was kept, or nothing, and the caller cannot tell. It must forget what it made of the state, and read again before it
    /// folds the same records again; folding what was kept changes nothing.
    fn commit(&mut self, change: &Change, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError>;

    /// The callbacks with a status, by rising position, after one of them, at most `limit`.
    ///
    /// # Errors
    /// When they cannot be read.
    fn callbacks_with(&self, status: Status, after: Seq, limit: usize) -> Result<Vec<Seq>, StoreError>;

    /// Deletes, among the `limit` oldest messages, those that became known before `before` (their keys may stay, and lead nowhere); and among the `limit`
    /// oldest outcomes those of records that arrived before `records_before`; how many went in all. Rows are never given again.
    ///
    /// Each call also looks at the next conversations, one at least and `limit` at most, beginning anew behind the last, and deletes those that
    /// no message belongs to and that were not heard of since `before`; they are not counted.
    ///
    /// # Errors
    /// All of it happened or nothing.
    fn prune(&mut self, before: Millis, records_before: Millis, limit: usize) -> Result<usize, StoreError>;

    /// The account has a number here; without one nothing of it can be committed.
    fn knows_account(&self, account: &AccountId) -> bool;

    /// Takes the inbox's numbers of accounts.
    fn learn_accounts(&mut self, all: Vec<NumberedAccount>);

    /// Makes every commit so far survive a power cut. `false`: a reader stood in the way just now.
    ///
    /// # Errors
    /// Commits may still be lost in a power cut, together with their cursors.
    fn sync(&mut self) -> Result<bool, StoreError>;

    /// What is stored still reads as the next start would read it. Asked now and then.
    ///
    /// # Errors
    /// It does not.
    fn prove(&self) -> Result<(), StoreError>;

    /// Tidies up before the end. Nothing depends on it.
    ///
    /// # Errors
    /// Nothing is lost; the next start does it.
    fn checkpoint(&mut self) -> Result<(), StoreError>;
}
