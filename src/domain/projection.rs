//! The pure fold: from records to messages. It reads what is known through [`Source`], changes copies on a [`Workbench`], and
//! leaves the writing to the store.
//!
//! It must not know SQL, a clock or a provider: time comes in with the record, provider rules come in through [`Rules`].
//! Which message a fact belongs to is decided by ids, then by references, never by the order of arrival.

mod binding;
mod register;
mod settle;
mod thread;
mod workbench;

use super::event::{AnswerOutcome, AnswerReading, EntryKind, EntrySource, Event, Fact, MessageEvent, Watermark};
use super::failure::{Class, Failure};
use super::ids::{AccountId, Row, Seq};
use super::message::{Carriage, Entry, Message, Timeline};
use super::record::Target;
use super::state::State;
use super::stuck::{Cause, Evidence as StuckEvidence};
use super::thread::Thread;
use super::time::{Millis, Span};

use register::differences;
pub use register::{Difference, Registered, RegistrationConflict};
pub use workbench::{ByRow, Change, Changed, Hidden, Key, KeyKind, StuckMove, ThreadKey, Times, Transition, Workbench};

/// What is already known; implemented by the store.
pub trait Source {
    /// What can go wrong when reading.
    type Error: From<MissingRow>;
    /// The rows under a key, oldest first, at most `limit`. May hold rows that do not fit (hash collisions): the fold checks.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn rows(&self, key: Key, limit: usize) -> Result<Vec<Row>, Self::Error>;
    /// A message.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn message(&self, row: Row) -> Result<Option<Message>, Self::Error>;
    /// A conversation: its row and what is known of it.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn thread(&self, key: &ThreadKey) -> Result<Option<(Row, Thread)>, Self::Error>;
    /// The messages of a conversation with a server time after `above` and up to `upto`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn thread_messages(&self, thread: Row, above: Millis, upto: Millis) -> Result<Vec<Row>, Self::Error>;
    /// The next free rows: of messages, of conversations.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn next_rows(&self) -> Result<(Row, Row), Self::Error>;
}

/// A tie or a key led to a message that is not there: the store contradicts itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("message row {0} is referred to and missing")]
pub struct MissingRow(pub Row);

/// What the fold must be told about providers and deadlines.
pub trait Rules {
    /// The account's provider has watermarks over conversations, and apps that take them from each other.
    fn has_threads(&self, account: &AccountId) -> bool;
    /// The server time inside a message id.
    fn server_time_of_id(&self, account: &AccountId, message_id: &str) -> Option<Millis>;
    /// The longest ordinary stay in an open state that was entered then.
    fn stay(&self, account: &AccountId, kind: Option<&str>, state: State, since: Millis) -> Option<Span>;
    /// What [`Rules::stay`] answers moves with what is learned.
    fn learns_deadlines(&self) -> bool;
    /// Why a message is stuck.
    fn stuck_cause(&self, account: &AccountId, evidence: &StuckEvidence<'_>) -> Cause;
    /// The kind of a registered message where nobody tells one.
    fn default_kind(&self, account: &AccountId) -> Option<&'static str>;
    /// The sender of a registered message where nobody tells one: the account has only this one.
    fn default_sender(&self, account: &AccountId) -> Option<&str>;
    /// What a message's timeline tells of how it travelled.
    fn carriage(&self, account: &AccountId, timeline: &Timeline) -> Carriage;
    /// The class of a failure.
    fn classify(&self, account: &AccountId, kind: Option<&str>, failure: &Failure) -> Class;
}

/// The record that is being folded.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The account.
    pub account: &'a AccountId,
    /// The record.
    pub seq: Seq,
    /// When it arrived.
    pub received_at: Millis,
}

/// Why a statement about a named message could not be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such message.
    NoSuchMessage,
    /// The id in the answer belongs to another registered message.
    IdTaken {
        /// The id.
        message_id: String,
        /// The message it belongs to.
        owner: Row,
    },
}

impl<S: Source> Workbench<'_, S> {
    /// Folds the events of one callback.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn events(&mut self, cx: Context<'_>, events: &[Event]) -> Result<(), S::Error> {
        for event in events {
            match event {
                Event::Message(event) => self.message_event(cx, event)?,
                Event::Watermark(mark) => self.watermark(cx, mark)?,
                Event::Thread(told) => self.told_of_thread(cx, told)?,
                Event::Account(_) => {}
            }
        }
        self.settle_touched(cx.received_at)
    }

    fn message_event(&mut self, cx: Context<'_>, event: &MessageEvent) -> Result<(), S::Error> {
        let row = match self.find_by_id(cx.account, &event.message_id)? {
            Some(row) => row,
            None => self.create(cx.account, cx.received_at),
        };
        let in_id = self.rules().server_time_of_id(cx.account, &event.message_id);
        let message = self.edit(row)?;
        message.facts.observe(event, cx.received_at);
        if let Some(at) = in_id {
            let known = message.facts.server_time.in_id;
            message.facts.server_time.in_id = Some(known.map_or(at, |k| k.min(at)));
        }
        let kind = match event.fact {
            Fact::Queued => EntryKind::Queued,
            Fact::Sent => EntryKind::Sent,
            Fact::Delivered => EntryKind::Delivered,
            Fact::Read => EntryKind::Read,
            Fact::Failed(_) => EntryKind::Failed,
            Fact::Report(_) => EntryKind::Report,
            Fact::Noted => EntryKind::Noted,
        };
        message.timeline.add(entry(cx, event.at, kind, EntrySource::Webhook, &event.detail));
        self.index(Key::id(&event.message_id), row)?;
        if let Some(claim) = &event.claim {
            self.index(Key::claim(&claim.reference), row)?;
        }
        self.touch(row);
        Ok(())
    }

    fn watermark(&mut self, cx: Context<'_>, mark: &Watermark) -> Result<(), S::Error> {
        let key = ThreadKey { account: cx.account.clone(), sender: mark.sender.clone(), recipient: mark.recipient.clone() };
        let thread = self.thread_row(&key)?;
        let Some(affected) = self.edit_thread(&key).and_then(|t| t.of(mark.kind).observe(mark.watermark, mark.at)) else {
            return Ok(());
        };
        for row in self.thread_messages(thread, affected)? {
            self.touch(row);
        }
        Ok(())
    }

    /// Folds a send answer.
    ///
    /// # Errors
    /// When the store cannot be read. The inner error says why the answer was not taken.
    pub fn answer(&mut self, cx: Context<'_>, target: &Target, reading: &AnswerReading) -> Result<Result<Row, Refused>, S::Error> {
        let Some(row) = self.find_target(cx.account, target)? else { return Ok(Err(Refused::NoSuchMessage)) };
        let id = match &reading.outcome {
            AnswerOutcome::Accepted { message_id, .. } | AnswerOutcome::Refused { message_id, .. } => message_id.as_deref(),
            AnswerOutcome::Unknown { .. } => None,
        };
        if let Some(id) = id {
            match self.find_by_id(cx.account, id)? {
                Some(other) if other != row => {
                    let target = self.view(row)?.facts.clone();
                    let owner = &self.view(other)?.facts;
                    // Registered by its id alone it may be the same message; registered as another one it is not.
                    if owner.registered && !differences(owner, &target).is_empty() {
                        return Ok(Err(Refused::IdTaken { message_id: id.to_owned(), owner: other }));
                    }
                    self.merge(other, row, cx.received_at)?;
                }
                _ => {}
            }
        }
        let in_id = id.and_then(|id| self.rules().server_time_of_id(cx.account, id));
        let message = self.edit(row)?;
        let facts = &mut message.facts;
        facts.recipient.observe(super::event::Evidence::Receipt, reading.recipient.as_deref());
        let kind = match &reading.outcome {
            AnswerOutcome::Accepted { message_id, at } => {
                facts.observe_accepted(message_id.as_deref(), *at, cx.received_at);
                EntryKind::AnswerAccepted
            }
            AnswerOutcome::Refused { failure, message_id } => {
                facts.observe_refused(failure, message_id.as_deref(), cx.received_at);
                EntryKind::AnswerRefused
            }
            AnswerOutcome::Unknown { .. } => {
                facts.answer_unknown = true;
                EntryKind::AnswerUnknown
            }
        };
        if let Some(at) = in_id {
            facts.server_time.in_id = Some(facts.server_time.in_id.map_or(at, |k| k.min(at)));
        }
        let at = match &reading.outcome {
            AnswerOutcome::Accepted { at, .. } => *at,
            AnswerOutcome::Refused { failure, .. } => failure.at,
            AnswerOutcome::Unknown { .. } => None,
        };
        message.timeline.add(entry(cx, at, kind, EntrySource::Api, &answer_detail(reading)));
        if let Some(id) = id {
            self.index(Key::id(id), row)?;
        }
        self.touch(row);
        self.answered_in_thread(cx, row, reading)?;
        self.settle_touched(cx.received_at)?;
        Ok(Ok(row))
    }

    /// Folds an operator's mark.
    ///
    /// # Errors
    /// When the store cannot be read. The inner error says why the mark was not taken.
    pub fn mark(&mut self, cx: Context<'_>, target: &Target, reason: &str) -> Result<Result<Row, Refused>, S::Error> {
        let Some(row) = self.find_target(cx.account, target)? else { return Ok(Err(Refused::NoSuchMessage)) };
        let message = self.edit(row)?;
        message.facts.observe_mark(reason, cx.received_at);
        let detail = serde_json::Map::from_iter([("reason".to_owned(), reason.into())]);
        message.timeline.add(entry(cx, None, EntryKind::MarkedFailed, EntrySource::Operator, &detail));
        self.touch(row);
        self.settle_touched(cx.received_at)?;
        Ok(Ok(row))
    }

    /// Looks again at a message whose deadline came.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn sweep(&mut self, row: Row, now: Millis) -> Result<(), S::Error> {
        self.touch(row);
        self.settle_touched(now)
    }

    /// Kind and recipient of the message that a record names, for reading an answer to its send call.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn kind_and_recipient(&mut self, account: &AccountId, target: &Target) -> Result<(Option<String>, Option<String>), S::Error> {
        let Some(row) = self.find_target(account, target)? else { return Ok((None, None)) };
        let facts = &self.view(row)?.facts;
        Ok((facts.kind.value().map(str::to_owned), facts.shown_recipient().map(str::to_owned)))
    }

    /// The message that a record names: by the sender's id first, then by the provider's.
    fn find_target(&mut self, account: &AccountId, target: &Target) -> Result<Option<Row>, S::Error> {
        if let Some(reference) = &target.reference
            && let Some(row) = self.find_registered(account, reference)?
        {
            return Ok(Some(row));
        }
        match &target.message_id {
            Some(id) => self.find_by_id(account, id),
            None => Ok(None),
        }
    }

    /// The message with a provider's id.
    fn find_by_id(&mut self, account: &AccountId, message_id: &str) -> Result<Option<Row>, S::Error> {
        for row in self.rows(Key::id(message_id))? {
            let Some(message) = self.get(row)? else { continue };
            // A merged message left its ids, and the keys of them, to the one it went into.
            if message.account == *account && message.facts.ids.contains_key(message_id) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The message registered under a reference.
    fn find_registered(&mut self, account: &AccountId, reference: &str) -> Result<Option<Row>, S::Error> {
        for row in self.rows(Key::reference(reference))? {
            let Some(message) = self.get(row)? else { continue };
            if message.account == *account && message.merged_into.is_none() && message.facts.reference.as_deref() == Some(reference) {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// Notes that a message which was shown is not any more, while its facts still tell what it was.
    fn hide(&mut self, row: Row, now: Millis) -> Result<(), S::Error> {
        let filed = &self.view(row)?.filed;
        if let (true, Some(from), Some(counted)) = (filed.listed, filed.state, self.was_counted(row)) {
            self.hidden.push(Hidden { row, now, from, counted });
        }
        Ok(())
    }

    /// Merges a message into another one: they are the same, and this is final (an id proves it).
    fn merge(&mut self, from: Row, into: Row, now: Millis) -> Result<(), S::Error> {
        self.untie(from)?;
        self.untie(into)?;
        self.hide(from, now)?;
        let gone = self.edit(from)?;
        let facts = std::mem::take(&mut gone.facts);
        let timeline = std::mem::take(&mut gone.timeline);
        gone.merged_into = Some(into);
        let stuck = gone.stuck.take();
        gone.due_at = None;
        if let Some(stuck) = stuck {
            self.stuck_moves.push(StuckMove { row: from, now, before: Some(stuck), after: None });
        }
        let kept = self.edit(into)?;
        kept.facts.join(&facts);
        kept.timeline.join(&timeline);
        for id in facts.ids.keys() {
            self.index(Key::id(id), into)?;
        }
        if let Some(reference) = &facts.reference {
            self.index(Key::reference(reference), into)?;
        }
        for reference in facts.claims.keys() {
            self.index(Key::claim(reference), into)?;
        }
        self.touch(from);
        self.touch(into);
        Ok(())
    }
}

/// What the timeline keeps of an answer. A refusal keeps its code and words, since a later attempt may hide it everywhere else.
fn answer_detail(reading: &AnswerReading) -> serde_json::Map<String, serde_json::Value> {
    let mut detail = reading.detail.clone();
    if let AnswerOutcome::Refused { failure, .. } = &reading.outcome {
        for (name, value) in [("code", &failure.code), ("subcode", &failure.subcode), ("text", &failure.text)] {
            if let Some(value) = value {
                let shown: String = value.chars().take(DETAIL_CHARS_MAX).collect();
                detail.entry(name).or_insert_with(|| shown.into());
            }
        }
    }
    detail
}

pub(super) fn entry(
    cx: Context<'_>,
    at: Option<Millis>,
    kind: EntryKind,
    source: EntrySource,
    detail: &serde_json::Map<String, serde_json::Value>,
) -> Entry {
    let detail = serde_json::to_string(detail).unwrap_or_else(|_| "{}".to_owned());
    Entry { at, kind, source, detail, observed_at: cx.received_at, seq: cx.seq }
}

/// Longest text of a failure that the timeline repeats, in characters.
const DETAIL_CHARS_MAX: usize = 300;

/// How many messages may share a reference before further ones are left to stand alone.
pub const CLAIMS_MAX: usize = 64;

#[cfg(test)]
mod tests;
