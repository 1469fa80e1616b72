//! Telling on what happened: alerts for people, signed webhooks for programs.
//!
//! One thread follows the feed for every receiver, behind a cursor of its own, and puts what concerns it into the outbox file; the same
//! thread hands what is due to a few senders and keeps what became of it. A delivery has left the outbox only when the receiver has taken
//! it: at least once, under an id that stays. Nothing here is waited for by the inbox or the projector; when the outbox cannot work, its
//! cursors stand, and the feed is kept. It must not know HTTP as a server does, nor SQL.

mod address;
mod ground;
mod lane;
mod mail;
mod post;
mod quiet;
mod running;
mod schedule;
mod sign;
mod step;
mod target;
mod tell;
mod text;
mod words;

pub use address::{NotPublic, is_public};
pub use ground::end;
pub use post::{Answer, Courier, Post};
pub use running::{OutboxHandle, Parts, receivers, start};
pub use sign::Signer;
pub use step::Outbox;
pub use target::Target;
pub use tell::Teller;
pub use text::{Body, Job, Notice, trial};

use crate::domain::time::Span;

/// Most deliveries that wait for one receiver; beyond it the receiver's cursor stands until some are through.
pub const WAITING_MAX: usize = 100_000;

/// Below how many it moves on, so that the feed is not read for every single one that is through.
const WAITING_AGAIN: usize = WAITING_MAX / 10 * 9;

/// Most deliveries of one receiver that are given up in one commit because they have waited too long.
pub const BURIED_MAX: usize = 1_000;

/// Most dead letters kept for one receiver.
pub const DEAD_MAX: usize = 10_000;

/// How long dead letters are kept.
pub const DEAD_KEPT: Span = Span::days(30);

/// Most entries of the feed that are put in for one receiver in one commit.
pub const FOLLOW_ENTRIES_MAX: usize = 256;

/// Threads that send.
pub const SENDERS: usize = 16;

/// Most deliveries on their way to one receiver.
pub const IN_FLIGHT_MAX: usize = 8;

/// Longest time of one attempt, in seconds.
pub const ATTEMPT_SECONDS_MAX: u64 = 15;

/// Longest answer of a receiver that is read.
pub const ANSWER_BYTES_MAX: u64 = 4 << 10;

/// Most alerts told in one message.
pub const GATHERED_MAX: usize = 200;
