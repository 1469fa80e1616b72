//! The workbench: copies of the messages and conversations that a batch of records touches, and what changed on them.
//!
//! It must not know what facts mean; it loads, keeps and hands over.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::{CLAIMS_MAX, MissingRow, Rules, Source};
use crate::domain::failure::Class;
use crate::domain::feed::Entry;
use crate::domain::ids::{AccountId, Row};
use crate::domain::message::{Counted, Message, Summary};
use crate::domain::quick::QuickMap;
use crate::domain::state::State;
use crate::domain::stuck::{Cause, Stuck};
use crate::domain::thread::{Affected, Thread};
use crate::domain::time::Millis;
use crate::domain::watch::Sheet;

/// What a key finds a message by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum KeyKind {
    /// The provider's id.
    Id = 1,
    /// The registered reference.
    Reference = 2,
    /// A reference found in a provider's event.
    Claim = 3,
    /// The recipient.
    Recipient = 4,
}

/// A 64-bit hash under which a message is found. What is found is compared in full, so a collision costs time, never truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

impl Key {
    /// Hashes a value of a kind. Stable for ever: it stands in stored files (FNV-1a, then the splitmix64 finish).
    pub fn new(kind: KeyKind, value: &str) -> Key {
        let mut h: u64 = 0xcbf2_9ce4_8422_2325;
        for b in std::iter::once(&(kind as u8)).chain(value.as_bytes()) {
            h = (h ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        h = (h ^ (h >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        h = (h ^ (h >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Key(h ^ (h >> 31))
    }

    /// The key of a provider's id.
    pub fn id(message_id: &str) -> Key {
        Key::new(KeyKind::Id, message_id)
    }

    /// The key of a registered reference.
    pub fn reference(reference: &str) -> Key {
        Key::new(KeyKind::Reference, reference)
    }

    /// The key of a claimed reference.
    pub fn claim(reference: &str) -> Key {
        Key::new(KeyKind::Claim, reference)
    }

    /// The key of a recipient.
    pub fn recipient(recipient: &str) -> Key {
        Key::new(KeyKind::Recipient, recipient)
    }
}

/// What names a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ThreadKey {
    /// The account.
    pub account: AccountId,
    /// The Page.
    pub sender: String,
    /// The customer.
    pub recipient: String,
}

/// A message's state moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The message.
    pub row: Row,
    /// From; `None` for a message that just became visible.
    pub from: Option<State>,
    /// To.
    pub to: State,
    /// Arrival of what moved it.
    pub now: Millis,
    /// It was stuck before.
    pub late: bool,
    /// Its times after the move.
    pub times: Times,
    /// Class of its failure, also of one that a proof of delivery beat.
    pub class: Option<Class>,
    /// By what it was counted before; `None` where it was not.
    pub before: Option<Arc<Counted>>,
    /// By what it is counted now.
    pub after: Arc<Counted>,
}

/// When a message entered its states.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// Queued.
    pub queued_at: Option<Millis>,
    /// Sent.
    pub sent_at: Option<Millis>,
    /// Delivered.
    pub delivered_at: Option<Millis>,
    /// Read.
    pub read_at: Option<Millis>,
    /// Failed.
    pub failed_at: Option<Millis>,
}

/// A message that was shown and is not any more: merged into another one, or lent to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// The message.
    pub row: Row,
    /// When.
    pub now: Millis,
    /// Where it stood.
    pub from: State,
    /// By what it was counted.
    pub counted: Arc<Counted>,
}

/// A message's stuck overlay changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StuckMove {
    /// The message.
    pub row: Row,
    /// When.
    pub now: Millis,
    /// As it was before.
    pub before: Option<Stuck>,
    /// The cause now.
    pub after: Option<Cause>,
}

/// Everything that a batch changed, for one commit.
#[derive(Debug, Default)]
pub struct Change {
    /// Messages to write, by row.
    pub messages: Vec<Changed>,
    /// Keys to add, by which the fold finds messages.
    pub keys: Vec<(Key, Row)>,
    /// Keys to add that only lists ask for.
    pub listed_keys: Vec<(Key, Row)>,
    /// Conversations to write; `true` for new ones.
    pub threads: Vec<(ThreadKey, Row, Thread, bool)>,
    /// Transitions, in order.
    pub transitions: Vec<Transition>,
    /// Overlays that changed, in order.
    pub stuck_moves: Vec<StuckMove>,
    /// Messages that are not shown any more.
    pub hidden: Vec<Hidden>,
    /// What the watch over accounts remembers.
    pub sheets: Vec<Sheet>,
    /// What is told on.
    pub feed: Vec<Entry>,
}

impl Change {
    /// The messages by their rows.
    pub fn by_row(&self) -> ByRow<'_> {
        ByRow { rows: self.messages.iter().map(|c| c.message.row).collect(), messages: &self.messages }
    }
}

/// The messages of a change, to be looked up by row: each lookup reads rows that lie side by side, and then the one message.
pub struct ByRow<'a> {
    rows: Vec<Row>,
    messages: &'a [Changed],
}

impl<'a> ByRow<'a> {
    /// The message of a row.
    pub fn get(&self, row: Row) -> Option<&'a Changed> {
        self.rows.binary_search(&row).ok().and_then(|i| self.messages.get(i))
    }
}

/// A message to write.
#[derive(Debug)]
pub struct Changed {
    /// The message; boxed, since a batch is sorted and handed on.
    pub message: Box<Message>,
    /// What it is found by.
    pub summary: Box<Summary>,
    /// It was not stored before.
    pub new: bool,
    /// Something that it is found by moved, besides its state and deadline.
    pub refiled: bool,
}

struct Held {
    message: Box<Message>,
    new: bool,
    dirty: bool,
    /// How it was filed when it was loaded.
    stamp: u64,
    /// By what it was counted the last time; `None` while it is not.
    counted: Option<Arc<Counted>>,
}

struct HeldThread {
    row: Row,
    thread: Thread,
    new: bool,
    dirty: bool,
}

/// Copies of what a batch touches.
pub struct Workbench<'a, S: Source> {
    source: &'a S,
    rules: &'a dyn Rules,
    messages: QuickMap<Row, Held>,
    keys: HashMap<Key, Vec<Row>>,
    new_keys: Vec<(Key, Row)>,
    new_listed_keys: Vec<(Key, Row)>,
    threads: HashMap<ThreadKey, HeldThread>,
    pub(super) touched: BTreeSet<Row>,
    pub(super) transitions: Vec<Transition>,
    pub(super) stuck_moves: Vec<StuckMove>,
    pub(super) hidden: Vec<Hidden>,
    pub(super) summaries: QuickMap<Row, Box<Summary>>,
    /// Messages on the bench by conversation; what left its conversation since is still named here.
    in_thread: QuickMap<Row, Vec<Row>>,
    next_message: Row,
    next_thread: Row,
}

impl<'a, S: Source> Workbench<'a, S> {
    /// An empty workbench over what is known.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(source: &'a S, rules: &'a dyn Rules) -> Result<Self, S::Error> {
        let (next_message, next_thread) = source.next_rows()?;
        Ok(Workbench {
            source,
            rules,
            messages: QuickMap::default(),
            keys: HashMap::new(),
            new_keys: Vec::new(),
            new_listed_keys: Vec::new(),
            threads: HashMap::new(),
            touched: BTreeSet::new(),
            transitions: Vec::new(),
            stuck_moves: Vec::new(),
            hidden: Vec::new(),
            summaries: QuickMap::default(),
            in_thread: QuickMap::default(),
            next_message,
            next_thread,
        })
    }

    /// How many messages are on the bench.
    pub fn messages_held(&self) -> usize {
        self.messages.len()
    }

    /// What changed, in row order.
    pub fn finish(self) -> Change {
        let mut summaries = self.summaries;
        let mut held: Vec<(Row, Held)> = self.messages.into_iter().filter(|(_, h)| h.dirty).collect();
        // By the row beside the message: reading it out of each one again and again would cost more than folding them.
        held.sort_unstable_by_key(|(row, _)| *row);
        let messages = held.into_iter().map(|(row, h)| Changed {
            summary: summaries.remove(&row).unwrap_or_default(),
            new: h.new,
            refiled: h.message.filed.stamp != h.stamp,
            message: h.message,
        });
        let messages: Vec<Changed> = messages.collect();
        let mut threads: Vec<_> = self.threads.into_iter().filter(|(_, h)| h.dirty).map(|(k, h)| (k, h.row, h.thread, h.new)).collect();
        threads.sort_by_key(|(_, row, _, _)| *row);
        Change {
            messages,
            keys: self.new_keys,
            listed_keys: self.new_listed_keys,
            threads,
            transitions: self.transitions,
            stuck_moves: self.stuck_moves,
            hidden: self.hidden,
            ..Change::default()
        }
    }

    pub(super) fn rules(&self) -> &'a dyn Rules {
        self.rules
    }

    pub(super) fn create(&mut self, account: &AccountId, now: Millis) -> Row {
        let row = self.next_message;
        self.next_message += 1;
        let message = Box::new(Message::new(row, account.clone(), now));
        self.messages.insert(row, Held { message, new: true, dirty: true, stamp: 0, counted: None });
        row
    }

    fn load(&mut self, row: Row) -> Result<bool, S::Error> {
        if self.messages.contains_key(&row) {
            return Ok(true);
        }
        let Some(message) = self.source.message(row)? else { return Ok(false) };
        let ties = [message.borrows, message.lent_to, message.merged_into];
        let stamp = message.filed.stamp;
        self.note_thread(row, None, message.filed.thread);
        self.messages.insert(row, Held { message: Box::new(message), new: false, dirty: false, stamp, counted: None });
        for tie in ties.into_iter().flatten() {
            if !self.load(tie)? {
                self.forget_tie(row, tie);
            }
        }
        let counted = self.count_of(row);
        self.count(row, counted);
        Ok(true)
    }

    /// By what a message was counted when it was stored: it follows from what is stored, with the facts that it borrows.
    fn count_of(&self, row: Row) -> Option<Arc<Counted>> {
        let message = &self.messages.get(&row)?.message;
        let state = message.filed.state.filter(|_| message.filed.listed)?;
        let joined = message.borrows.and_then(|lender| self.messages.get(&lender)).map(|lender| {
            let mut facts = message.facts.clone();
            facts.join(&lender.message.facts);
            facts
        });
        let facts = joined.as_ref().unwrap_or(&message.facts);
        let failure = if state == State::Failed { facts.derive(None).failure } else { None };
        let class = failure.map(|failure| self.rules.classify(&message.account, facts.kind.value(), &failure));
        Some(Counted::of(facts, state, class, None, || self.rules.carriage(&message.account, &message.timeline)))
    }

    /// By what a message was counted the last time.
    pub(super) fn was_counted(&self, row: Row) -> Option<Arc<Counted>> {
        self.messages.get(&row)?.counted.clone()
    }

    /// Remembers by what a message is counted.
    pub(super) fn count(&mut self, row: Row, counted: Option<Arc<Counted>>) {
        if let Some(held) = self.messages.get_mut(&row) {
            held.counted = counted;
        }
    }

    /// A message on the bench went from one conversation into another.
    pub(super) fn note_thread(&mut self, row: Row, before: Option<Row>, thread: Option<Row>) {
        if let Some(thread) = thread.filter(|_| thread != before) {
            self.in_thread.entry(thread).or_default().push(row);
        }
    }

    /// Retention took the other end of a tie.
    fn forget_tie(&mut self, row: Row, gone: Row) {
        if let Some(held) = self.messages.get_mut(&row) {
            for tie in [&mut held.message.borrows, &mut held.message.lent_to, &mut held.message.merged_into] {
                if *tie == Some(gone) {
                    *tie = None;
                }
            }
        }
    }

    /// A message, if there is one (pruned messages leave keys behind).
    pub fn get(&mut self, row: Row) -> Result<Option<&Message>, S::Error> {
        Ok(if self.load(row)? { self.messages.get(&row).map(|h| &*h.message) } else { None })
    }

    /// A message that is known to exist.
    pub(super) fn view(&mut self, row: Row) -> Result<&Message, S::Error> {
        Ok(&self.hold(row)?.message)
    }

    pub(super) fn edit(&mut self, row: Row) -> Result<&mut Message, S::Error> {
        let held = self.hold(row)?;
        held.dirty = true;
        Ok(&mut held.message)
    }

    pub(super) fn is_dirty(&self, row: Row) -> bool {
        self.messages.get(&row).is_some_and(|h| h.dirty)
    }

    /// A message that was edited and is as it was before.
    pub(super) fn clean(&mut self, row: Row) {
        if let Some(held) = self.messages.get_mut(&row) {
            held.dirty = false;
        }
    }

    fn hold(&mut self, row: Row) -> Result<&mut Held, S::Error> {
        self.load(row)?;
        self.messages.get_mut(&row).ok_or_else(|| MissingRow(row).into())
    }

    /// The message that a merged one went into.
    pub(super) fn follow(&mut self, mut row: Row) -> Result<Row, S::Error> {
        while let Some(into) = self.view(row)?.merged_into {
            row = into;
        }
        Ok(row)
    }

    pub(super) fn rows(&mut self, key: Key) -> Result<Vec<Row>, S::Error> {
        if let Some(rows) = self.keys.get(&key) {
            return Ok(rows.clone());
        }
        let rows = self.source.rows(key, CLAIMS_MAX)?;
        self.keys.insert(key, rows.clone());
        Ok(rows)
    }

    /// Makes a row findable under a key, once.
    pub(super) fn index(&mut self, key: Key, row: Row) -> Result<(), S::Error> {
        let known = match self.keys.get(&key) {
            Some(rows) => rows.contains(&row),
            None => self.rows(key)?.contains(&row),
        };
        if !known {
            self.keys.entry(key).or_default().push(row);
            self.new_keys.push((key, row));
        }
        Ok(())
    }

    /// Makes a row findable under a key that is only listed, never folded by: what is stored is not read first.
    pub(super) fn index_only(&mut self, key: Key, row: Row) {
        self.new_listed_keys.push((key, row));
    }

    pub(super) fn touch(&mut self, row: Row) {
        self.touched.insert(row);
    }

    pub(super) fn thread_row(&mut self, key: &ThreadKey) -> Result<Row, S::Error> {
        if let Some(held) = self.threads.get(key) {
            return Ok(held.row);
        }
        let held = match self.source.thread(key)? {
            Some((row, thread)) => HeldThread { row, thread, new: false, dirty: false },
            None => {
                let row = self.next_thread;
                self.next_thread += 1;
                HeldThread { row, thread: Thread::default(), new: true, dirty: true }
            }
        };
        let row = held.row;
        self.threads.insert(key.clone(), held);
        Ok(row)
    }

    pub(super) fn thread(&self, key: &ThreadKey) -> Option<&Thread> {
        self.threads.get(key).map(|h| &h.thread)
    }

    pub(super) fn edit_thread(&mut self, key: &ThreadKey) -> Option<&mut Thread> {
        let held = self.threads.get_mut(key)?;
        held.dirty = true;
        Some(&mut held.thread)
    }

    /// The messages of a conversation within the affected server times: stored ones and those on the bench.
    pub(super) fn thread_messages(&mut self, thread: Row, affected: Affected) -> Result<BTreeSet<Row>, S::Error> {
        let mut rows: BTreeSet<Row> = self.source.thread_messages(thread, affected.above, affected.upto)?.into_iter().collect();
        let within = |at: Millis| at > affected.above && at <= affected.upto;
        let here = self.in_thread.get(&thread).into_iter().flatten().filter_map(|row| self.messages.get(row)).map(|h| &h.message);
        rows.extend(here.filter_map(|m| (m.filed.thread == Some(thread) && m.filed.server_time.is_some_and(within)).then_some(m.row)));
        Ok(rows)
    }
}
