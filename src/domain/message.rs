//! One message as we keep it: its facts, its timeline, and its ties to other messages.
//!
//! A message registered under a `ref` whose id is unknown may *borrow* the facts of another one that carries the same reference in
//! a provider's event. The tie can be undone when better evidence comes, so both keep their own facts.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::event::{EntryKind, EntrySource, Evidence};
use super::facts::Facts;
use super::failure::Class;
use super::ids::{AccountId, PublicId, Row, Seq};
use super::state::State;
use super::stuck::Stuck;
use super::time::Millis;

/// How many entries a timeline keeps; the earliest stay.
pub const TIMELINE_ENTRIES_MAX: usize = 200;

/// One line of a timeline.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Entry {
    /// The provider's or sender's time, when told.
    pub at: Option<Millis>,
    /// What happened.
    pub kind: EntryKind,
    /// Who told.
    pub source: EntrySource,
    /// Small details, as JSON text of an object.
    pub detail: String,
    /// When it first arrived.
    pub observed_at: Millis,
    /// The record that first told it.
    pub seq: Seq,
}

impl Entry {
    fn says_the_same(&self, other: &Entry) -> bool {
        (self.at, self.kind, self.source, &self.detail) == (other.at, other.kind, other.source, &other.detail)
    }

    /// The place in the timeline: by the told time, else by arrival. No two entries of a timeline have the same one.
    fn place(&self) -> (Millis, EntryKind, EntrySource, &str, bool) {
        (self.at.unwrap_or(self.observed_at), self.kind, self.source, &self.detail, self.at.is_none())
    }
}

/// A set of entries; the same statement stands once, with its first arrival.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline(Vec<Entry>);

impl Timeline {
    /// Adds an entry, unless it says nothing new.
    pub fn add(&mut self, entry: Entry) {
        if let Some(known) = self.0.iter_mut().find(|e| e.says_the_same(&entry)) {
            if (entry.observed_at, entry.seq) < (known.observed_at, known.seq) {
                known.observed_at = entry.observed_at;
                known.seq = entry.seq;
            }
            return;
        }
        self.0.push(entry);
        if self.0.len() > TIMELINE_ENTRIES_MAX {
            let latest = (0..self.0.len()).max_by(|a, b| self.0[*a].place().cmp(&self.0[*b].place()));
            if let Some(i) = latest {
                self.0.swap_remove(i);
            }
        }
    }

    /// Adds every entry of another timeline.
    pub fn join(&mut self, other: &Timeline) {
        for entry in &other.0 {
            self.add(entry.clone());
        }
    }

    /// The entries, oldest first.
    pub fn sorted(&self) -> Vec<&Entry> {
        let mut all: Vec<&Entry> = self.0.iter().collect();
        all.sort_by(|a, b| a.place().cmp(&b.place()));
        all
    }

    /// The records that the entries came from.
    pub fn seqs(&self) -> impl Iterator<Item = Seq> {
        self.0.iter().map(|e| e.seq)
    }
}

/// What is written beside a message so that it can be found, counted and listed. It follows from the facts.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// The part that is compared before and after a change.
    pub filed: Filed,
    /// Origin.
    pub origin: Option<Evidence>,
    /// The provider's id.
    pub message_id: Option<String>,
    /// The sender's id.
    pub reference: Option<String>,
    /// Sender.
    pub sender: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Template.
    pub template_id: Option<String>,
    /// Class of the reported failure.
    pub failure_class: Option<Class>,
    /// Code of the reported failure.
    pub failure_code: Option<String>,
    /// Sub-code of the reported failure.
    pub failure_subcode: Option<String>,
    /// Some recipients delivered, some failed.
    pub partial: bool,
    /// Delivery proven and failure reported.
    pub conflict: bool,
}

/// How a message was last filed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filed {
    /// It is shown in lists: first-hand evidence, neither lent nor merged away.
    pub listed: bool,
    /// Its state; `None` until first settled.
    pub state: Option<State>,
    /// Recipient.
    pub recipient: Option<String>,
    /// The conversation, where the provider has watermarks.
    pub thread: Option<Row>,
    /// The server time by which watermarks reach it.
    pub server_time: Option<Millis>,
    /// A hash over everything it is found by that seldom moves. While it stays, only state, deadline and dossier are written.
    pub stamp: u64,
}

/// What the provider told of how a message travelled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Carriage {
    /// The carrier's name.
    pub carrier: Option<String>,
    /// What it cost, in ten-thousandths of a đồng.
    pub price: Option<i64>,
}

/// By what a message is counted, beside its state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Kind.
    pub kind: Option<String>,
    /// Template.
    pub template_id: Option<String>,
    /// Its carrier, once it is sent, and its price, once it has ended: before that nothing is spent for sure.
    pub carriage: Carriage,
    /// Class of its failure, where it failed.
    pub class: Option<Class>,
}

impl Counted {
    /// Of a message with these facts that stands in a state; `before` where that is the same.
    pub fn of(
        facts: &Facts,
        state: State,
        class: Option<Class>,
        before: Option<Arc<Counted>>,
        told: impl FnOnce() -> Carriage,
    ) -> Arc<Counted> {
        let mut carriage = if state == State::Queued { Carriage::default() } else { told() };
        if !matches!(state, State::Delivered | State::Read | State::Failed) {
            carriage.price = None;
        }
        let class = class.filter(|_| state == State::Failed);
        let (kind, template_id) = (facts.kind.value(), facts.template_id.value());
        let same = |b: &Arc<Counted>| {
            b.kind.as_deref() == kind && b.template_id.as_deref() == template_id && b.carriage == carriage && b.class == class
        };
        let text = |value: Option<&str>| value.map(str::to_owned);
        before.filter(same).unwrap_or_else(|| Arc::new(Counted { kind: text(kind), template_id: text(template_id), carriage, class }))
    }
}

impl Summary {
    /// The hash over everything but the state: FNV-1a over the parts, each closed by its length. It stands in stored files.
    pub fn stamp(&self) -> u64 {
        let numbers = [
            u64::from(self.filed.listed) | u64::from(self.partial) << 1 | u64::from(self.conflict) << 2,
            self.filed.thread.unwrap_or(0),
            self.filed.server_time.map_or(u64::MAX, |t| t.0 as u64),
            self.failure_class.map_or(0, |c| c as u64 + 1),
        ];
        let texts = [
            &self.filed.recipient,
            &self.message_id,
            &self.reference,
            &self.sender,
            &self.kind,
            &self.template_id,
            &self.failure_code,
            &self.failure_subcode,
        ];
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut add = |bytes: &[u8]| {
            for b in bytes {
                hash = (hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        };
        for n in numbers {
            add(&n.to_le_bytes());
        }
        for text in texts {
            add(text.as_deref().unwrap_or_default().as_bytes());
            add(&text.as_ref().map_or(u32::MAX, |t| t.len() as u32).to_le_bytes());
        }
        hash
    }
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// Its row.
    pub row: Row,
    /// Its account.
    pub account: AccountId,
    /// When it became known.
    pub created_at: Millis,
    /// Its own facts.
    pub facts: Facts,
    /// Its own timeline.
    pub timeline: Timeline,
    /// The message whose facts it borrows by a shared reference.
    pub borrows: Option<Row>,
    /// The message that borrows its facts.
    pub lent_to: Option<Row>,
    /// The message it was merged into; then nothing else here counts.
    pub merged_into: Option<Row>,
    /// The overlay.
    pub stuck: Option<Stuck>,
    /// When the sweeper must look at it next.
    pub due_at: Option<Millis>,
    /// How it was last filed.
    pub filed: Filed,
}

impl Message {
    /// A message nobody has told anything about yet.
    pub fn new(row: Row, account: AccountId, created_at: Millis) -> Message {
        Message {
            row,
            account,
            created_at,
            facts: Facts::default(),
            timeline: Timeline::default(),
            borrows: None,
            lent_to: None,
            merged_into: None,
            stuck: None,
            due_at: None,
            filed: Filed::default(),
        }
    }

    /// Its public id.
    pub fn public_id(&self) -> PublicId {
        PublicId { created_at: self.created_at, row: self.row }
    }

    /// Its state, as last settled.
    pub fn state(&self) -> Option<State> {
        self.filed.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(at: Option<i64>, observed_at: i64, detail: &str) -> Entry {
        let (kind, source) = (EntryKind::Read, EntrySource::Webhook);
        Entry { at: at.map(Millis), kind, source, detail: detail.into(), observed_at: Millis(observed_at), seq: observed_at as Seq }
    }

    fn timeline(entries: &[Entry]) -> Timeline {
        let mut timeline = Timeline::default();
        entries.iter().cloned().for_each(|e| timeline.add(e));
        timeline
    }

    #[test]
    fn a_timeline_is_ordered_by_the_told_time_else_by_arrival_whatever_came_first() {
        let mut all = [entry(Some(7), 9, "b"), entry(None, 7, "a"), entry(Some(7), 8, "a"), entry(Some(1), 9, "c"), entry(None, 5, "d")];
        let forwards = timeline(&all);
        let details: Vec<_> = forwards.sorted().iter().map(|e| (e.at.map(|t| t.0), e.detail.as_str())).collect();
        assert_eq!(details, [(Some(1), "c"), (None, "d"), (Some(7), "a"), (None, "a"), (Some(7), "b")]);
        all.reverse();
        assert_eq!(timeline(&all).sorted(), forwards.sorted());
    }

    #[test]
    fn the_same_statement_stands_once_with_its_first_arrival() {
        for all in [[entry(Some(7), 9, "a"), entry(Some(7), 8, "a")], [entry(Some(7), 8, "a"), entry(Some(7), 9, "a")]] {
            assert_eq!(timeline(&all).sorted(), [&entry(Some(7), 8, "a")]);
        }
    }

    #[test]
    fn a_full_timeline_keeps_its_earliest_entries_whatever_came_first() {
        let mut all: Vec<Entry> = (0..TIMELINE_ENTRIES_MAX as i64 + 50).map(|i| entry(Some(i), i, "a")).collect();
        let forwards = timeline(&all);
        all.reverse();
        assert_eq!(timeline(&all).sorted(), forwards.sorted());
        assert_eq!(forwards.sorted().last().and_then(|e| e.at), Some(Millis(TIMELINE_ENTRIES_MAX as i64 - 1)));
    }
}
