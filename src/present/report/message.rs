//! One message as it stands in a report: what is shown of it anyway, and behind that the records that its timeline came from, redacted and
//! bounded.

use std::collections::BTreeSet;

use super::redact::{From, Redactor};
use super::{AnswerPart, CallbackPart, EntryPart, MessagePart};
use crate::domain::event::{AnswerOutcome, AnswerReading};
use crate::domain::failure::Lang;
use crate::domain::ids::{Row, Seq};
use crate::domain::message::Message;
use crate::domain::projection::Source;
use crate::domain::record::{Callback, Content, Method, SendAnswer};
use crate::domain::time::Millis;
use crate::present::message::MessageView;
use crate::present::{Reader, shown_message};
use crate::providers::AnswerContext;
use crate::store::StoreError;

/// Most records of one message that are shown.
const RECORDS_MAX: usize = 20;

/// Most characters of one body that are shown.
const BODY_CHARS_MAX: usize = 4_000;

/// Most characters of all bodies of one message.
const BODIES_CHARS_MAX: usize = 40_000;

/// A message and what its answers said.
pub(super) struct Shown {
    /// The message itself.
    pub message: Message,
    /// As lists and pages show it.
    pub view: MessageView,
    /// As the report shows it.
    pub part: MessagePart,
    /// What its answers say, each with its time of arrival.
    pub readings: Vec<(Millis, AnswerReading)>,
}

impl Shown {
    /// When a send call was last accepted.
    pub(super) fn accepted_at(&self) -> Option<Millis> {
        let accepted = self.readings.iter().filter(|(_, r)| matches!(r.outcome, AnswerOutcome::Accepted { .. }));
        accepted.map(|(at, _)| *at).max()
    }
}

impl Reader<'_> {
    /// A message for a report; `None` when it is not there or not shown.
    pub(super) fn reported(&self, row: Row, full: bool) -> Result<Option<Shown>, StoreError> {
        let Some(message) = shown_message(self.state, row)?.filter(|m| m.facts.origin().is_some()) else { return Ok(None) };
        let view = self.view(&message, true)?;
        let mut seqs: BTreeSet<Seq> = message.timeline.seqs().collect();
        if let Some(lender) = message.borrows.map(|row| self.state.message(row)).transpose()?.flatten() {
            seqs.extend(lender.timeline.seqs());
        }
        let redactor = redactor(&view, full, self.lang);
        let mut part = part(&view, &redactor);
        let mut readings = Vec::new();
        let mut room = BODIES_CHARS_MAX;
        // Watermarks have no record of their own.
        for (n, seq) in seqs.into_iter().filter(|seq| *seq > 0).enumerate() {
            let record = if n < RECORDS_MAX { self.inbox.get(seq)? } else { None };
            match record.map(|r| (r.received_at, r.content)) {
                Some((_, Content::Callback(callback))) => part.callbacks.push(self.callback_part(seq, &callback, &redactor, &mut room)?),
                Some((received_at, Content::Answer { answer, .. })) => {
                    part.answers.push(answer_part(received_at, &answer, &redactor, &mut room));
                    readings.extend(self.reading(&message, &view, received_at, &answer).map(|r| (received_at, r)));
                }
                Some(_) => {}
                None => part.not_shown += 1,
            }
        }
        Ok(Some(Shown { message, view, part, readings }))
    }

    fn reading(&self, message: &Message, view: &MessageView, received_at: Millis, answer: &SendAnswer) -> Option<AnswerReading> {
        let known = self.rules.get(&message.account)?;
        let context = AnswerContext { kind: view.kind.as_deref(), recipient: view.recipient.as_deref(), received_at };
        Some(known.account.read_answer(answer, context))
    }

    fn callback_part(&self, seq: Seq, callback: &Callback, r: &Redactor<'_>, room: &mut usize) -> Result<CallbackPart, StoreError> {
        let line = self.inbox.callback_line(self.state, seq)?;
        let (query, cut_query) = bounded(r.query(&callback.query), room);
        let (body, cut_body) = bounded(r.body(&callback.body, From::Callback), room);
        Ok(CallbackPart {
            seq,
            received_at: callback.received_at,
            status: line.as_ref().map_or("received", |l| l.status.as_str()),
            method: match callback.method {
                Method::Get => "GET",
                Method::Post => "POST",
            },
            repeats: line.map_or(0, |l| l.repeats),
            size: callback.body.len() as u64,
            headers: callback.headers.iter().map(|(name, value)| r.header(name, value)).collect(),
            query,
            body,
            cut: cut_query || cut_body,
        })
    }
}

fn redactor(view: &MessageView, full: bool, lang: Lang) -> Redactor<'_> {
    let own = [&view.message_id, &view.sender, &view.template_id].into_iter().flatten().map(String::as_str).collect();
    Redactor { own, recipient: view.recipient.as_deref(), full, lang }
}

fn answer_part(received_at: Millis, answer: &SendAnswer, r: &Redactor<'_>, room: &mut usize) -> AnswerPart {
    let (body, cut) = bounded(r.body(answer.body.as_bytes(), From::Provider), room);
    AnswerPart {
        received_at,
        status: answer.status.filter(|s| *s != 0),
        duration_ms: answer.duration_ms,
        error: answer.error.as_deref().map(|e| r.words(e)),
        body,
        cut,
    }
}

/// As much of a text as there is room for.
fn bounded(text: String, room: &mut usize) -> (String, bool) {
    let most = BODY_CHARS_MAX.min(*room);
    let n = text.chars().count();
    *room -= n.min(most);
    if n <= most { (text, false) } else { (text.chars().take(most).collect(), true) }
}

fn part(view: &MessageView, r: &Redactor<'_>) -> MessagePart {
    let timeline = view.events.iter().map(|e| EntryPart {
        at: e.at,
        observed_at: e.observed_at,
        kind: e.kind,
        source: e.source,
        detail: r.detail(&e.detail),
    });
    let mut failure = view.failure.clone();
    if let Some(failure) = &mut failure {
        failure.text = failure.text.as_deref().map(|t| r.words(t));
    }
    MessagePart {
        id: view.id.clone(),
        message_id: view.message_id.clone(),
        reference: view.reference.as_deref().map(|t| r.words(t)),
        sender: view.sender.clone(),
        recipient: view.recipient.as_deref().map(|t| r.person(t)),
        kind: view.kind.clone(),
        template_id: view.template_id.clone(),
        state: view.state,
        queued_at: view.queued_at,
        sent_at: view.sent_at,
        delivered_at: view.delivered_at,
        read_at: view.read_at,
        failed_at: view.failed_at,
        scheduled_at: view.scheduled_at,
        recipients: view.recipients.clone(),
        conflict: view.conflict,
        outcome_unknown: view.outcome_unknown,
        failure,
        stuck: view.stuck.clone(),
        timeline: timeline.collect(),
        answers: Vec::new(),
        callbacks: Vec::new(),
        not_shown: 0,
    }
}
