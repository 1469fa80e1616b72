//! A store in memory and provider rules for tests: it applies every change as a real store does and checks what it is given.

use std::collections::{BTreeSet, HashMap};

use super::*;
use crate::domain::event::Evidence;
use crate::domain::facts::Facts;
use crate::domain::message::{Entry, Summary};
use crate::domain::state::Derived;
use crate::domain::stuck::{Stuck, common_cause};

/// One record, without its account and time.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Callback(Vec<Event>),
    Register(Vec<Registration>),
    Answer(Target, AnswerReading),
    Mark(Target, &'static str),
}

/// What the fold said to a record.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    Folded,
    Registered(Vec<Registered>),
    Conflict(RegistrationConflict),
    Took(Row),
    Refused(Refused),
}

/// An account with one sender only.
pub(super) const ONE_PAGE: &str = "page-alone";

/// Accounts whose name starts with `page` have conversations; an id that starts with `t` carries its server time.
pub(super) struct Provider;

impl Rules for Provider {
    fn has_threads(&self, account: &AccountId) -> bool {
        account.as_str().starts_with("page")
    }
    fn server_time_of_id(&self, _: &AccountId, message_id: &str) -> Option<Millis> {
        message_id.strip_prefix('t').and_then(|t| t.parse().ok()).map(Millis)
    }
    fn stay(&self, _: &AccountId, kind: Option<&str>, state: State, _: Millis) -> Option<Span> {
        if kind == Some("leisurely") {
            return state.is_open().then_some(Span(50_000));
        }
        state.is_open().then_some(Span(if state == State::Queued { 1_000 } else { 5_000 }))
    }
    fn learns_deadlines(&self) -> bool {
        false
    }
    fn stuck_cause(&self, _: &AccountId, evidence: &StuckEvidence<'_>) -> Cause {
        common_cause(evidence)
    }
    fn default_kind(&self, _: &AccountId) -> Option<&'static str> {
        None
    }
    fn carriage(&self, _: &AccountId, _: &Timeline) -> Carriage {
        Carriage::default()
    }
    fn default_sender(&self, account: &AccountId) -> Option<&str> {
        (account.as_str() == ONE_PAGE).then_some("page")
    }
    fn classify(&self, _: &AccountId, _: Option<&str>, failure: &Failure) -> Class {
        if failure.ours { Class::Unknown } else { Class::Recipient }
    }
}

/// Everything folded so far.
#[derive(Default)]
pub(super) struct Shelf {
    messages: HashMap<Row, (Message, Summary)>,
    keys: HashMap<Key, Vec<Row>>,
    threads: HashMap<ThreadKey, (Row, Thread)>,
    seq: Seq,
    pub(super) transitions: Vec<(Option<State>, State)>,
}

/// A message as a reader sees it, without what depends on when we were told: its row and when it became known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    pub(super) account: AccountId,
    pub(super) summary: Summary,
    pub(super) derived: Derived,
    pub(super) facts: Facts,
    pub(super) timeline: Vec<Entry>,
}

impl Source for Shelf {
    type Error = MissingRow;

    fn rows(&self, key: Key, limit: usize) -> Result<Vec<Row>, MissingRow> {
        Ok(self.keys.get(&key).map(|rows| rows.iter().copied().take(limit).collect()).unwrap_or_default())
    }
    fn message(&self, row: Row) -> Result<Option<Message>, MissingRow> {
        Ok(self.messages.get(&row).map(|(m, _)| m.clone()))
    }
    fn thread(&self, key: &ThreadKey) -> Result<Option<(Row, Thread)>, MissingRow> {
        Ok(self.threads.get(key).cloned())
    }
    fn thread_messages(&self, thread: Row, above: Millis, upto: Millis) -> Result<Vec<Row>, MissingRow> {
        let within = |m: &Message| m.filed.thread == Some(thread) && m.filed.server_time.is_some_and(|t| t > above && t <= upto);
        Ok(self.messages.values().filter(|(m, _)| within(m)).map(|(m, _)| m.row).collect())
    }
    fn next_rows(&self) -> Result<(Row, Row), MissingRow> {
        Ok((self.messages.len() as Row + 1, self.threads.len() as Row + 1))
    }
}

impl Shelf {
    /// Folds one batch of records and keeps the change.
    pub(super) fn fold(&mut self, records: &[(AccountId, Millis, Step)]) -> Vec<Outcome> {
        let mut seq = self.seq;
        let (change, outcomes) = {
            let mut bench = Workbench::new(self, &Provider).expect("the shelf reads");
            let mut outcomes = Vec::new();
            for (account, received_at, step) in records {
                seq += 1;
                let cx = Context { account, seq, received_at: *received_at };
                outcomes.push(fold_one(&mut bench, cx, step));
            }
            (bench.finish(), outcomes)
        };
        self.seq = seq;
        self.apply(change);
        outcomes
    }

    /// Folds one record.
    pub(super) fn step(&mut self, id: &str, received_at: i64, step: Step) -> Outcome {
        self.fold(&[(account(id), Millis(received_at), step)]).pop().expect("one outcome")
    }

    /// Folds records of one account, one by one, arriving one after the other.
    pub(super) fn of(id: &str, steps: impl IntoIterator<Item = Step>) -> Shelf {
        let mut shelf = Shelf::default();
        for (step, at) in steps.into_iter().zip(ARRIVAL..) {
            shelf.step(id, at, step);
        }
        shelf
    }

    pub(super) fn sweep(&mut self, row: Row, now: i64) {
        let change = {
            let mut bench = Workbench::new(self, &Provider).expect("the shelf reads");
            bench.sweep(row, Millis(now)).expect("the shelf reads");
            bench.finish()
        };
        self.apply(change);
    }

    fn apply(&mut self, change: Change) {
        for changed in change.messages {
            let row = changed.message.row;
            assert_eq!(changed.new, !self.messages.contains_key(&row), "row {row} is new only once");
            assert_eq!(changed.summary.filed, changed.message.filed, "row {row} was changed and not settled");
            self.messages.insert(row, (*changed.message, *changed.summary));
        }
        for (key, row) in change.keys {
            let rows = self.keys.entry(key).or_default();
            if !rows.contains(&row) {
                rows.push(row);
                rows.sort_unstable();
            }
        }
        for (key, row, thread, new) in change.threads {
            assert_eq!(new, !self.threads.contains_key(&key), "a conversation is new only once");
            self.threads.insert(key, (row, thread));
        }
        self.transitions.extend(change.transitions.iter().map(|t| (t.from, t.to)));
        self.check();
    }

    /// Ties lead both ways, and nothing lent or merged is listed.
    fn check(&self) {
        let get = |row: &Row| &self.messages[row].0;
        for (message, _) in self.messages.values() {
            if let Some(lender) = &message.borrows {
                assert_eq!(get(lender).lent_to, Some(message.row));
            }
            if let Some(borrower) = &message.lent_to {
                assert_eq!(get(borrower).borrows, Some(message.row));
            }
            let hidden = message.lent_to.is_some() || message.merged_into.is_some();
            assert!(!(hidden && message.filed.listed));
            assert!(message.merged_into.is_none() || message.facts == Facts::default());
        }
    }

    /// Every listed message in an order that does not depend on rows; what is filed is compared with what follows anew.
    pub(super) fn shown(&self) -> Vec<Shown> {
        let listed = self.messages.values().filter(|(m, _)| m.filed.listed);
        let mut shown: Vec<Shown> = listed.map(|(message, summary)| self.show(message, summary)).collect();
        shown.sort_by_key(|s| (s.account.clone(), s.summary.reference.clone(), s.summary.message_id.clone()));
        shown
    }

    fn show(&self, message: &Message, summary: &Summary) -> Shown {
        let (mut facts, mut timeline) = (message.facts.clone(), message.timeline.clone());
        if let Some(lender) = message.borrows {
            facts.join(&self.messages[&lender].0.facts);
            timeline.join(&self.messages[&lender].0.timeline);
        }
        let named = facts.sender.value().zip(facts.shown_recipient());
        let thread = named.filter(|_| Provider.has_threads(&message.account)).and_then(|(sender, recipient)| {
            let key = ThreadKey { account: message.account.clone(), sender: sender.into(), recipient: recipient.into() };
            self.threads.get(&key)
        });
        assert_eq!(thread.map(|(row, _)| *row), message.filed.thread);
        let derived = facts.derive(thread.map(|(_, t)| t));
        assert_eq!(Some(derived.state), message.filed.state, "filed state of row {}", message.row);
        assert_eq!((derived.partial, derived.conflict), (summary.partial, summary.conflict));
        let timeline = timeline.sorted().into_iter().map(|e| Entry { seq: 0, ..e.clone() }).collect();
        let mut summary = summary.clone();
        // Numbers of our own, in order of arrival.
        summary.filed.thread = None;
        summary.filed.stamp = 0;
        Shown { account: message.account.clone(), summary, derived, facts, timeline }
    }

    /// The one message that is shown.
    pub(super) fn only(&self) -> Shown {
        let mut shown = self.shown();
        assert_eq!(shown.len(), 1, "{shown:#?}");
        shown.remove(0)
    }

    pub(super) fn message(&self, row: Row) -> &Message {
        &self.messages[&row].0
    }

    /// The overlays of the listed messages, by reference and id.
    pub(super) fn overlays(&self) -> BTreeSet<(Option<String>, Option<String>, String)> {
        let listed = self.messages.values().filter(|(m, _)| m.filed.listed);
        listed.map(|(m, s)| (s.reference.clone(), s.message_id.clone(), format!("{:?} {:?}", m.stuck, m.due_at))).collect()
    }

    pub(super) fn rows_in_use(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.messages.keys().copied().collect();
        rows.sort_unstable();
        rows
    }

    pub(super) fn stuck(&self, row: Row) -> Option<Stuck> {
        self.message(row).stuck
    }
}

fn fold_one(bench: &mut Workbench<'_, Shelf>, cx: Context<'_>, step: &Step) -> Outcome {
    let took = |result: Result<Row, Refused>| match result {
        Ok(row) => Outcome::Took(row),
        Err(refused) => Outcome::Refused(refused),
    };
    match step {
        Step::Callback(events) => bench.events(cx, events).map(|()| Outcome::Folded),
        Step::Register(all) => bench.register(cx, all).map(|result| match result {
            Ok(rows) => Outcome::Registered(rows),
            Err(conflict) => Outcome::Conflict(conflict),
        }),
        Step::Answer(target, reading) => bench.answer(cx, target, reading).map(took),
        Step::Mark(target, reason) => bench.mark(cx, target, reason).map(took),
    }
    .expect("the shelf reads")
}

impl Shown {
    pub(super) fn origin(&self) -> Option<Evidence> {
        self.summary.origin
    }

    /// Without times of arrival: everything from `ARRIVAL` on.
    pub(super) fn without_arrivals(mut self) -> Shown {
        let d = &mut self.derived;
        for time in [&mut d.queued_at, &mut d.sent_at, &mut d.delivered_at, &mut d.read_at, &mut d.failed_at] {
            *time = time.filter(|t| t.0 < ARRIVAL);
        }
        self.summary.filed.server_time = self.summary.filed.server_time.filter(|t| t.0 < ARRIVAL / 2);
        self.facts = Facts::default();
        for entry in &mut self.timeline {
            entry.observed_at = Millis(0);
        }
        self.timeline.sort();
        self
    }
}
