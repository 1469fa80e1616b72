//! What must hold, whatever happened.

use std::collections::BTreeMap;

use baophat::domain::facts::Facts;
use baophat::domain::ids::{AccountId, Row, Seq};
use baophat::domain::message::{Entry, Message};
use baophat::domain::projection::{Rules, Source, ThreadKey};
use baophat::domain::record::{Content, Status};
use baophat::domain::state::{Derived, State};
use baophat::domain::stuck::{Cause, Stuck};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::{AccountRules, Parts, Projector};
use baophat::store::memory::Memory;
use baophat::store::{RecordWriter, StateWriter, StoreError, Submission};

use crate::run::{END, Run};
use crate::world::{Setting, World};

/// What a broken promise is called.
pub fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

/// A message as a reader sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its own names: row and moment of becoming known. Not told where orders are compared.
    own: Option<(Row, Millis)>,
    account: AccountId,
    listed: bool,
    merged_into: Option<Row>,
    derived: Derived,
    facts: Facts,
    timeline: Vec<Entry>,
    stuck: Option<Stuck>,
    due_at: Option<Millis>,
}

impl Shown {
    /// Without what depends on the order of arrival alone.
    fn without_order(mut self) -> Shown {
        self.own = None;
        self.timeline.iter_mut().for_each(|e| e.seq = 0);
        self
    }
}

/// Facts with those it borrows, the timeline likewise, and what follows from them.
fn show(state: &impl Source<Error = StoreError>, rules: &AccountRules, message: Message) -> Result<Shown, String> {
    let (mut facts, mut timeline) = (message.facts.clone(), message.timeline.clone());
    if let Some(lender) = message.borrows {
        let lender = state.message(lender).unwrap().ok_or_else(|| format!("the lender of {} is missing", message.row))?;
        ensure(lender.lent_to == Some(message.row), || format!("a tie of {} leads one way", message.row))?;
        facts.join(&lender.facts);
        timeline.join(&lender.timeline);
    }
    let parties = facts.shown_sender().zip(facts.shown_recipient()).filter(|_| rules.has_threads(&message.account));
    let key = parties.map(|(s, r)| ThreadKey { account: message.account.clone(), sender: s.to_owned(), recipient: r.to_owned() });
    let thread = key.and_then(|key| state.thread(&key).unwrap());
    let derived = facts.derive(thread.as_ref().map(|(_, t)| t));
    ensure(!message.filed.listed || message.filed.state == Some(derived.state), || {
        format!("message {} is filed as {:?} and is {:?}", message.row, message.filed.state, derived.state)
    })?;
    Ok(Shown {
        own: Some((message.row, message.created_at)),
        account: message.account,
        listed: message.filed.listed,
        merged_into: message.merged_into,
        derived,
        facts,
        timeline: timeline.sorted().into_iter().cloned().collect(),
        stuck: message.stuck.map(without_surroundings),
        due_at: message.due_at,
    })
}

fn rows(state: &impl Source<Error = StoreError>) -> impl Iterator<Item = Message> + '_ {
    (1..state.next_rows().unwrap().0).filter_map(|row| state.message(row).unwrap())
}

/// Every message, hidden ones too.
pub fn everything(state: &impl Source<Error = StoreError>, rules: &AccountRules) -> Result<Vec<Shown>, String> {
    rows(state).map(|m| show(state, rules, m)).collect()
}

/// What a reader sees, in an order that does not depend on arrival.
pub fn listed(state: &impl Source<Error = StoreError>, rules: &AccountRules) -> Result<Vec<Shown>, String> {
    let mut all: Vec<Shown> = everything(state, rules)?.into_iter().filter(|s| s.listed).map(Shown::without_order).collect();
    all.sort_by_cached_key(|s| format!("{s:?}"));
    Ok(all)
}

/// How far a message is, and all that may take it back from there: another tie, a better server time, more recipients, a send call
/// that was accepted after one that was refused, a failure of its own where only a watermark over its conversation spoke for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    state: State,
    evidence: Option<Evidence>,
}

#[derive(Clone, Debug, PartialEq)]
struct Evidence {
    borrows: Option<Row>,
    thread: Option<Row>,
    server_time: Option<Millis>,
    recipients: Option<u32>,
    accepted: bool,
    refused: bool,
    failed: bool,
}

impl Standing {
    /// It did not go back to a weaker state without evidence.
    pub fn follows(&self, before: &Standing) -> Result<(), String> {
        ensure(self.state.strength() >= before.state.strength() || self.evidence != before.evidence, || {
            format!("went back from {before:?} to {self:?}")
        })
    }
}

/// How far every listed message is.
pub fn standing(state: &impl Source<Error = StoreError>, rules: &AccountRules) -> Result<BTreeMap<Row, Standing>, String> {
    let (mut all, nothing) = (BTreeMap::new(), Facts::default());
    for message in rows(state) {
        let (row, borrows, thread, server_time) = (message.row, message.borrows, message.filed.thread, message.filed.server_time);
        let Shown { listed, derived, facts, .. } = show(state, rules, message)?;
        let evidence = Evidence {
            borrows,
            thread,
            server_time,
            recipients: facts.counters.as_ref().map(|c| c.total),
            accepted: facts.answer_accepted,
            refused: facts.refused != nothing.refused,
            failed: facts.failed != nothing.failed,
        };
        // A hidden message is as good as new when it comes out again.
        let standing = Standing { state: derived.state, evidence: Some(evidence) };
        all.insert(row, if listed { standing } else { Standing { state: State::Queued, evidence: None } });
    }
    Ok(all)
}

/// Each callback stands once, whatever was answered; it was counted at least as often as it was acknowledged, and no more often than
/// it was sent.
pub fn counted_once<W: World>(setting: &Setting, run: &Run<'_, W>) -> Result<(), String> {
    let mut stored: BTreeMap<[u8; 32], Vec<Seq>> = BTreeMap::new();
    let mut own = 0;
    for record in &run.records {
        match &record.content {
            Content::Callback(callback) => {
                stored.entry(setting.verified(callback.clone()).into_inner().1).or_default().push(record.seq);
            }
            _ => own += 1,
        }
    }
    let (mut own_acknowledged, mut own_unknown) = (0, 0);
    for (act, owed) in &run.owed {
        let Some(identity) = setting.identity(&run.acts[*act]) else {
            own_acknowledged += owed.acknowledged;
            own_unknown += owed.unknown;
            continue;
        };
        let seqs = stored.remove(&identity).unwrap_or_default();
        ensure(seqs.len() == 1 || (seqs.is_empty() && owed.acknowledged == 0), || format!("act {act} stands at {seqs:?}"))?;
        let times = seqs.iter().map(|seq| 1 + run.world.repeats(*seq)).sum::<u64>();
        ensure((owed.acknowledged..=owed.acknowledged + owed.unknown).contains(&times), || {
            format!("act {act} was counted {times} times; {owed:?}")
        })?;
    }
    ensure(stored.is_empty(), || format!("records of nobody: {:?}", stored.values()))?;
    ensure((own_acknowledged..=own_acknowledged + own_unknown).contains(&own), || {
        format!("{own} records of our own API; {own_acknowledged} were acknowledged, {own_unknown} answered with an error")
    })
}

/// The state is the pure fold over every record that ever was, from the first one.
pub fn pure_fold<W: World>(setting: &Setting, run: &Run<'_, W>, outcomes: bool) -> Result<(), String> {
    let fresh = Memory::default();
    let batch: Vec<Submission> = run
        .records
        .iter()
        .map(|r| {
            let provider = setting.rules.get(&r.account).unwrap().spec.slug;
            Submission { provider, account: r.account.clone(), received_at: r.received_at, content: r.content.clone(), identity: None }
        })
        .collect();
    fresh.writer().append(&batch).unwrap();
    let mut projector = Projector::new(Parts {
        inbox: fresh.reader(),
        state: fresh.state(),
        rules: setting.rules.clone(),
        clock: std::sync::Arc::new(baophat::clock::HandClock::new(END)),
        health: std::sync::Arc::default(),
        metrics: setting.metrics.clone(),
        retention: baophat::config::Retention { callbacks: Span::days(9_000), messages: Span::days(9_000) },
        sweep_every: Span::seconds(1),
    })
    .unwrap()
    .0;
    while projector.step().unwrap() {}
    let (built, kept) = (fresh.state(), run.eyes().1);
    same("built anew from the first record", &everything(kept, &setting.rules)?, &everything(&built, &setting.rules)?)?;
    ensure(built.cursor().unwrap() == kept.cursor().unwrap(), || "the cursor differs from a rebuild".into())?;
    if !outcomes {
        return Ok(());
    }
    for status in [Status::Processed, Status::Error, Status::Ignored] {
        let (here, there) = (kept.callbacks_with(status, 0, 10_000).unwrap(), built.callbacks_with(status, 0, 10_000).unwrap());
        ensure(here == there, || format!("callbacks with {status:?}: {here:?}, built anew {there:?}"))?;
    }
    Ok(())
}

/// Which of these causes a message without a receipt is stuck for depends on what its account had seen by then, and that on what came in
/// which batch (docs/adr/0011). That it is stuck, since when and by which deadline is a function of the facts.
fn without_surroundings(stuck: Stuck) -> Stuck {
    match stuck.cause {
        Cause::WebhookSilent | Cause::ReceiptsNotSubscribed | Cause::RecipientUnreachable | Cause::PollNeeded => {
            Stuck { cause: Cause::Unknown, ..stuck }
        }
        _ => stuck,
    }
}

/// Two lists of messages are equal; else the first difference is told.
pub fn same(what: &str, here: &[Shown], there: &[Shown]) -> Result<(), String> {
    if here == there {
        return Ok(());
    }
    let only = |these: &[Shown], those: &[Shown]| -> Vec<String> {
        these.iter().filter(|m| !those.contains(m)).flat_map(|m| format!("{m:#?}").lines().map(str::to_owned).collect::<Vec<_>>()).collect()
    };
    let (mine, theirs) = (only(here, there), only(there, here));
    let lines = |these: &[String], those: &[String]| these.iter().filter(|l| !those.contains(l)).cloned().collect::<Vec<_>>().join("\n");
    Err(format!("{what}, messages differ.\nonly here:\n{}\nonly there:\n{}", lines(&mine, &theirs), lines(&theirs, &mine)))
}
