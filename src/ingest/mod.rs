//! The pipeline: from a verified callback to a durable record, and from records to messages.
//!
//! Two threads with one file each: the *writer* appends whatever arrived while the last commit was syncing and answers every
//! waiter; the *projector* folds records after its cursor and commits messages and cursor together. It must not know HTTP.

mod fold;
mod health;
mod inbox;
mod projector;
mod rules;
mod signals;
mod watching;
mod writer;

pub use health::Health;
pub use inbox::{Inbox, SubmitError, Submitted};
pub use projector::{Nudge, Parts, Projected, Projector, ProjectorHandle, ReprocessWhat};
pub use rules::{AccountRules, Known};
pub use signals::{Counted, Signals, Tally};
pub use writer::Writer;

/// Most records in one commit of the inbox.
pub const BATCH_RECORDS_MAX: usize = 1_024;

/// Most records in one commit of the projection.
pub const FOLD_RECORDS_MAX: usize = 8_192;

/// Most messages that one commit of the projection holds in memory, give or take those of one record: a record may register a thousand.
/// Callbacks of one message that come close together share its copy, so ordinary batches stay below.
pub const FOLD_MESSAGES_MAX: usize = 5_000;

/// Most messages that one sweep looks at before records go on.
pub const SWEEP_MESSAGES_MAX: usize = 500;

/// Most rows that one step of retention deletes: a step is a commit that others wait for.
pub const PRUNE_ROWS_MAX: usize = 500;

/// Most steps of retention in one housekeeping of the inbox; the first is done always, the others only while nobody waits.
pub const PRUNE_STEPS_MAX: usize = 20;

/// Most bytes that wait to be made durable; one more record is answered 503.
pub const INBOX_BYTES_MAX: usize = 64 << 20;
