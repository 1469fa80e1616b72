//! What is told of conversations: handovers, standby traffic, the customer's acts, and the answers to our own sends.
//!
//! It touches no message: who holds a conversation writes no state, and is asked for when a deadline passes.

use super::{Context, Rules, Source, ThreadKey, Workbench};
use crate::domain::event::{AnswerOutcome, AnswerReading, ThreadEvent};
use crate::domain::facts::Facts;
use crate::domain::failure::{Class, Failure};
use crate::domain::ids::{AccountId, Row};
use crate::domain::thread::control::Control;
use crate::domain::time::{Millis, Span};

/// A time further ahead of the record's arrival than this is none, or it would go before everything that follows.
const AHEAD_MAX: Span = Span::days(1);

/// Longest code kept with a refusal, in characters.
const CODE_CHARS_MAX: usize = 40;

impl<S: Source> Workbench<'_, S> {
    /// Joins what a callback tells of a conversation.
    pub(super) fn told_of_thread(&mut self, cx: Context<'_>, told: &ThreadEvent) -> Result<(), S::Error> {
        let key = ThreadKey { account: cx.account.clone(), sender: told.sender.clone(), recipient: told.recipient.clone() };
        self.control(&key, |control| control.observe(&told.what, moment(told.at, cx)))
    }

    /// Joins what the answer to a send of ours tells of the conversation of its message, where both sides are known.
    pub(super) fn answered_in_thread(&mut self, cx: Context<'_>, row: Row, reading: &AnswerReading) -> Result<(), S::Error> {
        let rules = self.rules();
        let facts = &self.view(row)?.facts;
        let Some(key) = thread_key(rules, cx.account, facts) else { return Ok(()) };
        match &reading.outcome {
            AnswerOutcome::Accepted { at, .. } => self.control(&key, |control| control.accept(moment(*at, cx))),
            AnswerOutcome::Refused { failure, .. } if rules.classify(cx.account, facts.kind.value(), failure) == Class::ThreadControl => {
                self.control(&key, |control| control.refuse(moment(failure.at, cx), code(failure)))
            }
            AnswerOutcome::Refused { .. } | AnswerOutcome::Unknown { .. } => Ok(()),
        }
    }

    /// A message was registered with the provider's id: its send was accepted, so the conversation was ours then.
    pub(super) fn registered_in_thread(&mut self, cx: Context<'_>, row: Row, sent_at: Option<Millis>) -> Result<(), S::Error> {
        let rules = self.rules();
        let Some(key) = thread_key(rules, cx.account, &self.view(row)?.facts) else { return Ok(()) };
        self.control(&key, |control| control.accept(moment(sent_at, cx)))
    }

    /// Changes who holds a conversation; one that does not move is not written.
    fn control(&mut self, key: &ThreadKey, change: impl FnOnce(&mut Control) -> bool) -> Result<(), S::Error> {
        self.thread_row(key)?;
        let Some(mut control) = self.thread(key).map(|thread| thread.control.clone()) else { return Ok(()) };
        if change(&mut control)
            && let Some(thread) = self.edit_thread(key)
        {
            thread.control = control;
        }
        Ok(())
    }
}

/// The conversation that facts belong to, where the provider has conversations.
pub(super) fn thread_key(rules: &dyn Rules, account: &AccountId, facts: &Facts) -> Option<ThreadKey> {
    let (sender, recipient) = (facts.shown_sender()?, facts.shown_recipient()?);
    let of = || ThreadKey { account: account.clone(), sender: sender.to_owned(), recipient: recipient.to_owned() };
    rules.has_threads(account).then(of)
}

fn moment(told: Option<Millis>, cx: Context<'_>) -> Millis {
    told.filter(|at| *at <= cx.received_at.plus(AHEAD_MAX)).unwrap_or(cx.received_at)
}

fn code(failure: &Failure) -> Option<String> {
    let code = failure.code.as_deref()?;
    let full = failure.subcode.as_deref().map_or_else(|| code.to_owned(), |subcode| format!("{code}/{subcode}"));
    Some(full.chars().take(CODE_CHARS_MAX).collect())
}
