//! Speaking to the projector: words for it, and what it answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;

use tokio::sync::{oneshot, watch};

use crate::domain::ids::{Row, Seq};
use crate::domain::projection::{Refused, Registered, RegistrationConflict};
use crate::domain::record::Status;

/// What became of a call of our own API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Projected {
    /// The messages registered, in the order of the call.
    Registered(Vec<Registered>),
    /// The registration contradicts what is on record; nothing of the call was taken.
    Conflict(RegistrationConflict),
    /// The statement was taken for this message.
    Taken(Row),
    /// The statement was not taken.
    Refused(Refused),
    /// The record could not be folded; it is kept.
    Failed(String),
}

/// Which callbacks to process again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReprocessWhat {
    /// One.
    One(Seq),
    /// Every one with a status.
    All(Status),
}

/// A word to the projector.
pub enum Nudge {
    /// There are new records; these are waited for.
    Appended(Vec<(Seq, oneshot::Sender<Projected>)>),
    /// Process callbacks again; the answer is how many were.
    Reprocess(ReprocessWhat, oneshot::Sender<usize>),
    /// Look whether something is due.
    Tick,
    /// Fold what is there and end.
    Stop,
}

/// Speaks to the projector; cheap to clone.
#[derive(Clone)]
pub struct ProjectorHandle {
    pub(super) nudges: Sender<Nudge>,
    pub(super) cursor: Arc<AtomicU64>,
    pub(super) synced: Arc<AtomicU64>,
    pub(super) fed: Arc<watch::Sender<u64>>,
}

impl ProjectorHandle {
    /// Gives it a word. Lost when the projector has ended, which loses nothing: the cursor stands.
    pub fn nudge(&self, nudge: Nudge) {
        let _ = self.nudges.send(nudge);
    }

    /// The last record folded and committed.
    pub fn cursor(&self) -> Seq {
        self.cursor.load(Ordering::Acquire)
    }

    /// The last record folded whose commit survives a power cut too; records up to here may be deleted.
    pub fn synced(&self) -> Seq {
        self.synced.load(Ordering::Acquire)
    }

    /// Changes whenever entries were committed to the feed; the number means nothing.
    pub fn fed(&self) -> watch::Receiver<u64> {
        self.fed.subscribe()
    }

    /// Processes callbacks again.
    pub fn reprocess(&self, what: ReprocessWhat) -> oneshot::Receiver<usize> {
        let (tell, told) = oneshot::channel();
        self.nudge(Nudge::Reprocess(what, tell));
        told
    }
}
