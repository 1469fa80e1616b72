//! The door of the inbox: bounded, and full is an answer. A receipt that comes back means: on disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{mpsc, oneshot};

use super::INBOX_BYTES_MAX;
use super::projector::Projected;
use super::writer::Order;
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Content};
use crate::domain::time::Millis;
use crate::metrics::Metrics;
use crate::providers::Verified;
use crate::store::{Receipt, Submission};

/// Why nothing was taken. Nothing of the submission is on disk, or nobody knows: the sender must send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too much waits already.
    #[error("the inbox is full")]
    Full,
    /// It could not be written.
    #[error("the record could not be written to disk")]
    Storage,
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
}

impl SubmitError {
    /// The name in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            SubmitError::Full => "inbox_full",
            SubmitError::Storage => "storage",
            SubmitError::Stopping => "stopping",
        }
    }
}

/// A record of our own API that is on disk, and the word of what became of it, to come.
pub struct Submitted {
    /// The receipt.
    pub receipt: Receipt,
    /// What the fold made of it.
    pub projected: oneshot::Receiver<Projected>,
}

/// The door of the inbox; cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    pub(super) orders: mpsc::Sender<Order>,
    pub(super) waiting_bytes: Arc<AtomicUsize>,
    pub(super) metrics: Arc<Metrics>,
}

/// Gives back the bytes a submission held when it has been answered, or dropped on the way.
pub(super) struct Held {
    bytes: usize,
    waiting: Arc<AtomicUsize>,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Inbox {
    /// Takes in a verified callback. `Ok` is a receipt for a durable row.
    ///
    /// # Errors
    /// When nothing was taken.
    pub async fn callback(&self, provider: &'static str, callback: Verified<Callback>) -> Result<Receipt, SubmitError> {
        let (callback, identity) = callback.into_inner();
        let mut short = [0u8; 16];
        short.copy_from_slice(&identity[..16]);
        let submission = Submission {
            provider,
            account: callback.account.clone(),
            received_at: callback.received_at,
            content: Content::Callback(callback),
            identity: Some(short),
        };
        let (ack, receipt) = oneshot::channel();
        self.send(submission, ack, None)?;
        receipt.await.map_err(|_| SubmitError::Storage)?
    }

    /// Takes in a call of our own API, as durably as a callback.
    ///
    /// # Errors
    /// When nothing was taken.
    pub async fn own(
        &self,
        provider: &'static str,
        account: AccountId,
        received_at: Millis,
        content: Content,
    ) -> Result<Submitted, SubmitError> {
        let submission = Submission { provider, account, received_at, content, identity: None };
        let (ack, receipt) = oneshot::channel();
        let (tell, projected) = oneshot::channel();
        self.send(submission, ack, Some(tell))?;
        let receipt = receipt.await.map_err(|_| SubmitError::Storage)??;
        Ok(Submitted { receipt, projected })
    }

    /// Lets the writer do its housekeeping; skipped when it is busy.
    pub fn tick(&self, now: Millis) {
        let _ = self.orders.try_send(Order::Tick(now));
    }

    /// Lets no further record in; what waits is still made durable and answered.
    pub fn close(&self) {
        let orders = self.orders.clone();
        // The writer may be behind by a full queue; the word must not get lost, so a thread waits with it.
        if orders.try_send(Order::Close).is_err() {
            std::thread::spawn(move || orders.blocking_send(Order::Close));
        }
    }

    fn send(
        &self,
        submission: Submission,
        ack: oneshot::Sender<Result<Receipt, SubmitError>>,
        projected: Option<oneshot::Sender<Projected>>,
    ) -> Result<(), SubmitError> {
        let bytes = weight(&submission);
        let before = self.waiting_bytes.fetch_add(bytes, Ordering::Relaxed);
        let held = Held { bytes, waiting: self.waiting_bytes.clone() };
        if before + bytes > INBOX_BYTES_MAX {
            return Err(SubmitError::Full);
        }
        let order = Order::Append { submission: Box::new(submission), ack, projected, held };
        self.orders.try_send(order).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => SubmitError::Full,
            mpsc::error::TrySendError::Closed(_) => SubmitError::Stopping,
        })?;
        let waiting = self.orders.max_capacity() - self.orders.capacity();
        self.metrics.inbox_waiting.set(waiting as i64);
        Ok(())
    }
}

/// About how many bytes a submission holds in memory.
fn weight(s: &Submission) -> usize {
    let content = match &s.content {
        Content::Callback(c) => c.body.len() + c.query.len() + c.headers.iter().map(|(n, v)| n.len() + v.len()).sum::<usize>(),
        Content::Registrations(all) => all.len() * 512,
        Content::Answer { answer, .. } => answer.body.len(),
        Content::Mark { reason, .. } => reason.len(),
        Content::Damaged(text) => text.len(),
    };
    content + 256
}
