//! Folding one record: which reader it needs, what it states, and what its caller is told.
//!
//! A parser that breaks costs a callback its facts for now, never the callback.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::projector::Projected;
use super::rules::{AccountRules, Known};
use super::watching::{Note, Noted};
use crate::domain::event::{AnswerOutcome, Event, Fact, Parsed};
use crate::domain::failure::Failure;
use crate::domain::ids::Row;
use crate::domain::projection::{Context, Refused, Source, Workbench};
use crate::domain::record::{Callback, Content, Record, SendAnswer, Status, Target};
use crate::metrics::Metrics;
use crate::providers::catalogue::catalogue;
use crate::providers::{AnswerContext, Spec};
use crate::store::{Outcome, StoreError};

/// What folding one record came to.
pub(super) struct Folded {
    pub(super) status: Status,
    pub(super) reason: Option<String>,
    pub(super) answer: Option<Projected>,
}

impl Folded {
    fn processed(answer: Option<Projected>) -> Folded {
        Folded { status: Status::Processed, reason: None, answer }
    }
    fn error(reason: impl Into<String>) -> Folded {
        let reason = reason.into();
        Folded { status: Status::Error, answer: Some(Projected::Failed(reason.clone())), reason: Some(reason) }
    }
}

pub(super) fn fold_record<S: Source<Error = StoreError>>(
    bench: &mut Workbench<'_, S>,
    rules: &AccountRules,
    metrics: &Metrics,
    record: &Record,
    notes: &mut Vec<Note>,
) -> Result<Folded, StoreError> {
    let cx = Context { account: &record.account, seq: record.seq, received_at: record.received_at };
    let Some(known) = rules.get(&record.account) else {
        let reason = format!("the account {} is not configured any more; configure it, then process this again", record.account);
        return Ok(Folded::error(reason));
    };
    match &record.content {
        Content::Callback(callback) => {
            let parsed = parse(|| known.account.parse(callback), callback);
            let mut groups = 0u32;
            known.account.groups(callback, &parsed, &mut |i| groups |= 1 << i.min(31));
            let mut note = |what| notes.push(Note { account: record.account.clone(), at: record.received_at, what });
            let status = match &parsed {
                Parsed::Events(_) => Status::Processed,
                Parsed::Ignored(_) | Parsed::Aside { .. } => Status::Ignored,
                Parsed::Unreadable(_) => Status::Error,
            };
            note(Noted::Callback { groups, status });
            match parsed {
                Parsed::Events(events) => {
                    for event in &events {
                        if count_unknown_code(metrics, known.spec, event) {
                            note(Noted::UnknownCode);
                        }
                        if let Event::Account(event) = event {
                            note(Noted::Event(Box::new(event.clone())));
                        }
                    }
                    bench.events(cx, &events)?;
                    Ok(Folded::processed(None))
                }
                Parsed::Aside { reason, events } => {
                    bench.events(cx, &events)?;
                    Ok(Folded { status: Status::Ignored, reason: Some(reason), answer: None })
                }
                Parsed::Ignored(reason) => Ok(Folded { status: Status::Ignored, reason: Some(reason), answer: None }),
                Parsed::Unreadable(reason) => Ok(Folded { status: Status::Error, reason: Some(reason), answer: None }),
            }
        }
        Content::Registrations(all) => Ok(match bench.register(cx, all)? {
            Ok(registered) => Folded::processed(Some(Projected::Registered(registered))),
            Err(conflict) => Folded {
                status: Status::Error,
                reason: Some("it contradicts a message on record".into()),
                answer: Some(Projected::Conflict(conflict)),
            },
        }),
        Content::Answer { target, answer } => fold_answer(bench, metrics, known, cx, (target, answer), notes),
        Content::Mark { target, reason } => Ok(taken(bench.mark(cx, target, reason)?)),
        Content::Damaged(detail) => Ok(Folded::error(format!("the record cannot be read back: {detail}"))),
    }
}

fn fold_answer<S: Source<Error = StoreError>>(
    bench: &mut Workbench<'_, S>,
    metrics: &Metrics,
    known: &Known,
    cx: Context<'_>,
    (target, answer): (&Target, &SendAnswer),
    notes: &mut Vec<Note>,
) -> Result<Folded, StoreError> {
    let (kind, recipient) = bench.kind_and_recipient(cx.account, target)?;
    let context = AnswerContext { kind: kind.as_deref(), recipient: recipient.as_deref(), received_at: cx.received_at };
    let reading = match catch_unwind(AssertUnwindSafe(|| known.account.read_answer(answer, context))) {
        Ok(reading) => reading,
        Err(_) => return Ok(Folded::error("the answer's reader broke on it; the answer is kept")),
    };
    let mut note = |what| notes.push(Note { account: cx.account.clone(), at: cx.received_at, what });
    if let AnswerOutcome::Refused { failure, .. } = &reading.outcome
        && count_unknown(metrics, known.spec, kind.as_deref(), failure)
    {
        note(Noted::UnknownCode);
    }
    if let Some(quota) = &reading.quota {
        let name = |figure: &str| quota.kind.as_ref().map_or_else(|| figure.to_owned(), |kind| format!("{kind} {figure}"));
        for (figure, value) in [("daily", &quota.daily), ("remaining", &quota.remaining)] {
            if let Some(value) = value {
                note(Noted::Figure { name: name(figure), value: value.clone() });
            }
        }
    }
    Ok(taken(bench.answer(cx, target, &reading)?))
}

fn taken(result: Result<Row, Refused>) -> Folded {
    match result {
        Ok(row) => Folded::processed(Some(Projected::Taken(row))),
        Err(refused) => {
            let reason = match &refused {
                Refused::NoSuchMessage => "there is no such message any more".to_owned(),
                Refused::IdTaken { .. } => "the id in it belongs to another registered message".to_owned(),
            };
            Folded { status: Status::Error, reason: Some(reason), answer: Some(Projected::Refused(refused)) }
        }
    }
}

/// Runs a parser; one that breaks costs this callback its facts for now, never the callback.
fn parse(parser: impl FnOnce() -> Parsed, callback: &Callback) -> Parsed {
    catch_unwind(AssertUnwindSafe(parser)).unwrap_or_else(|_| {
        tracing::error!(account = %callback.account, "the parser broke on a callback; it is kept");
        Parsed::Unreadable("the parser broke on it; this is a fault of baophat, and the callback is kept".into())
    })
}

/// Whether the event has a code that the catalogue does not know.
fn count_unknown_code(metrics: &Metrics, spec: &Spec, event: &Event) -> bool {
    let Event::Message(event) = event else { return false };
    let failure = match &event.fact {
        Fact::Failed(failure) => Some(failure),
        Fact::Report(report) => report.failure.as_ref(),
        _ => None,
    };
    failure.is_some_and(|failure| count_unknown(metrics, spec, event.kind.as_deref(), failure))
}

fn count_unknown(metrics: &Metrics, spec: &Spec, kind: Option<&str>, failure: &Failure) -> bool {
    let unknown = failure.code.is_some() && catalogue().explain(spec, kind, failure).is_none();
    if unknown {
        Metrics::count(&metrics.unknown_codes, spec.slug, "unknown_code");
    }
    unknown
}

/// A call of our own API, whose caller waits for the fold.
pub(super) fn is_own(record: &Record) -> bool {
    !matches!(record.content, Content::Callback(_))
}

/// What is kept of a record beside what it led to.
pub(super) fn outcome(record: &Record, status: Status, reason: Option<String>) -> Outcome {
    Outcome {
        seq: record.seq,
        account: record.account.clone(),
        callback: matches!(record.content, Content::Callback(_)),
        received_at: record.received_at,
        status,
        reason,
    }
}
