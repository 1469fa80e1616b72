//! Where records and what follows from them are kept.
//!
//! The contract, whatever the engine: the inbox appends records and answers only when they are synced to disk; the state commits a
//! batch of changes together with the cursor up to which records were folded, or nothing of it. The store keeps and finds; it never
//! knows what a payload means and decides nothing.

pub mod sqlite;

use crate::domain::ids::Seq;
use crate::domain::projection::MissingRow;

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
