//! A store in memory that keeps the promises of the seam, for tests and simulations. What stands in [`Memory`] is what a disk would hold;
//! handles are dropped and opened anew as files are.
//!
//! It must behave as SQLite does: one suite of tests runs over both. It must not know what a payload means.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{NumberedAccount, Outcome, Receipt, RecordReader, RecordWriter, StateWriter, StoreError, Submission};
use crate::domain::feed::Entry;
use crate::domain::ids::{AccountId, Row, Seq};
use crate::domain::message::{Filed, Message};
use crate::domain::projection::{Change, Changed, Key, Source, ThreadKey};
use crate::domain::record::{Record, Status};
use crate::domain::state::State;
use crate::domain::thread::Thread;
use crate::domain::time::Millis;

/// What a disk would hold; cheap to clone, and every clone is the same disk.
#[derive(Clone, Debug, Default)]
pub struct Memory(Arc<Mutex<Disk>>);

#[derive(Debug, Default)]
struct Disk {
    inbox: Records,
    state: Messages,
    /// The state as it would come back after a power cut.
    synced: Messages,
    /// No power cut will come, so nothing is kept for one.
    uncut: bool,
}

#[derive(Debug, Default)]
struct Records {
    accounts: Vec<NumberedAccount>,
    records: BTreeMap<Seq, (Record, Option<[u8; 16]>)>,
    repeats: BTreeMap<Seq, u64>,
    pruned_upto: Seq,
}

#[derive(Clone, Debug, Default)]
struct Messages {
    messages: BTreeMap<Row, Arc<Message>>,
    /// Messages by the moment at which they are looked at again.
    due: BTreeSet<(Millis, Row)>,
    /// Messages of a conversation by their server time.
    in_thread: BTreeSet<(Row, Millis, Row)>,
    keys: BTreeMap<Key, BTreeSet<Row>>,
    threads: HashMap<ThreadKey, (Row, Thread)>,
    by_row: BTreeMap<Row, ThreadKey>,
    outcomes: BTreeMap<Seq, Outcome>,
    sheets: BTreeMap<String, Vec<u8>>,
    feed: Vec<Entry>,
    cursor: Seq,
    pruned_row: Row,
}

impl Memory {
    /// A disk whose power is never cut: it keeps no copy of what was synced, which a long simulation would pay for at every sync.
    pub fn uncut() -> Memory {
        Memory(Arc::new(Mutex::new(Disk { uncut: true, ..Disk::default() })))
    }

    /// Opens the inbox for its one writer.
    pub fn writer(&self) -> MemoryWriter {
        let identities = self.disk().inbox.records.values().filter_map(|(r, identity)| identity.map(|i| (i, r.seq))).collect();
        MemoryWriter { disk: self.clone(), identities }
    }

    /// Opens the inbox for reading.
    pub fn reader(&self) -> MemoryReader {
        MemoryReader(self.clone())
    }

    /// Opens the state.
    pub fn state(&self) -> MemoryState {
        let known = self.disk().inbox.account_ids();
        MemoryState { disk: self.clone(), known, walked: 0 }
    }

    /// How often again the callback of a record came.
    pub fn repeats(&self, seq: Seq) -> u64 {
        self.disk().inbox.repeats.get(&seq).copied().unwrap_or(0)
    }

    /// From now on a power cut leaves the state as it is at this moment.
    pub fn sync_state(&self) {
        let mut disk = self.disk();
        if !disk.uncut {
            disk.synced = disk.state.clone();
        }
    }

    /// Takes from the state what was committed since [`Memory::sync_state`]. Records stay: they were synced one by one.
    pub fn cut_power(&self) {
        let mut disk = self.disk();
        disk.state = disk.synced.clone();
    }

    /// Throws the state away, for a rebuild.
    pub fn clear_state(&self) {
        let mut disk = self.disk();
        (disk.state, disk.synced) = Default::default();
    }

    /// Everything that was told on, in order.
    pub fn feed(&self) -> Vec<Entry> {
        self.disk().state.feed.clone()
    }

    fn disk(&self) -> MutexGuard<'_, Disk> {
        // A test that panicked elsewhere leaves whole values: each call changes them after its last check.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    fn last_seq(&self) -> Seq {
        self.records.keys().next_back().copied().unwrap_or(0).max(self.pruned_upto)
    }

    fn account_ids(&self) -> HashSet<AccountId> {
        self.accounts.iter().filter_map(|(_, id, _)| AccountId::parse(id).ok()).collect()
    }
}

/// The one writer of the inbox.
#[derive(Debug)]
pub struct MemoryWriter {
    disk: Memory,
    /// Lost when it is dropped, and read back from the records.
    identities: HashMap<[u8; 16], Seq>,
}

impl RecordWriter for MemoryWriter {
    fn append(&mut self, batch: &[Submission]) -> Result<Vec<Receipt>, StoreError> {
        let mut disk = self.disk.disk();
        let inbox = &mut disk.inbox;
        let mut receipts = Vec::with_capacity(batch.len());
        for s in batch {
            if let Some(first) = s.identity.and_then(|i| self.identities.get(&i)).filter(|first| **first > inbox.pruned_upto) {
                *inbox.repeats.entry(*first).or_default() += 1;
                receipts.push(Receipt { seq: *first, repeat: true });
                continue;
            }
            let seq = inbox.last_seq() + 1;
            if !inbox.accounts.iter().any(|(_, id, _)| id == s.account.as_str()) {
                let no = inbox.accounts.len() as i64 + 1;
                inbox.accounts.push((no, s.account.as_str().to_owned(), s.provider.to_owned()));
            }
            let record = Record { seq, account: s.account.clone(), received_at: s.received_at, content: s.content.clone() };
            inbox.records.insert(seq, (record, s.identity));
            self.identities.extend(s.identity.map(|i| (i, seq)));
            receipts.push(Receipt { seq, repeat: false });
        }
        Ok(receipts)
    }

    fn recover(&mut self, _: Millis) -> Result<(), StoreError> {
        Ok(())
    }

    fn tend_repeats(&mut self, _: Millis) -> Result<(), StoreError> {
        Ok(())
    }

    fn prove(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn prune(&mut self, before: Millis, cursor: Seq, limit: usize) -> Result<usize, StoreError> {
        let mut disk = self.disk.disk();
        let inbox = &mut disk.inbox;
        let oldest = inbox.records.values().take(limit).map(|(r, _)| r);
        let Some(upto) = oldest.filter(|r| r.received_at < before && r.seq <= cursor).map(|r| r.seq).max() else { return Ok(0) };
        let all = inbox.records.len();
        inbox.records.retain(|seq, _| *seq > upto);
        inbox.repeats.retain(|seq, _| *seq > upto);
        inbox.pruned_upto = upto;
        Ok(all - inbox.records.len())
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Reads records back.
#[derive(Debug)]
pub struct MemoryReader(Memory);

impl RecordReader for MemoryReader {
    fn usable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn after(&self, cursor: Seq, limit: usize) -> Result<Vec<Record>, StoreError> {
        Ok(self.0.disk().inbox.records.range(cursor + 1..).take(limit).map(|(_, (r, _))| r.clone()).collect())
    }

    fn get(&self, seq: Seq) -> Result<Option<Record>, StoreError> {
        Ok(self.0.disk().inbox.records.get(&seq).map(|(r, _)| r.clone()))
    }

    fn last_seq(&self) -> Result<Seq, StoreError> {
        Ok(self.0.disk().inbox.last_seq())
    }

    fn accounts(&self) -> Result<Vec<NumberedAccount>, StoreError> {
        Ok(self.0.disk().inbox.accounts.clone())
    }
}

/// The state, for its one writer and for readers alike.
#[derive(Debug)]
pub struct MemoryState {
    disk: Memory,
    known: HashSet<AccountId>,
    /// How far retention has walked over the conversations.
    walked: Row,
}

fn contradiction(what: &'static str, row: Row) -> StoreError {
    StoreError::Decode { what, detail: format!("row {row} is there already") }
}

impl MemoryState {
    fn known(&self, id: &AccountId) -> Result<(), StoreError> {
        let detail = || format!("{id} has no number");
        if self.known.contains(id) { Ok(()) } else { Err(StoreError::Decode { what: "account", detail: detail() }) }
    }

    /// Everything that would make a commit fail half-way.
    fn check(&self, state: &Messages, change: &Change, outcomes: &[Outcome]) -> Result<(), StoreError> {
        for c in &change.messages {
            self.known(&c.message.account)?;
            if c.new && state.messages.contains_key(&c.message.row) {
                return Err(contradiction("message", c.message.row));
            }
        }
        for (key, row, _, new) in &change.threads {
            self.known(&key.account)?;
            if *new && (state.threads.contains_key(key) || state.threads.values().any(|(r, _)| r == row)) {
                return Err(contradiction("conversation", *row));
            }
        }
        outcomes.iter().try_for_each(|o| self.known(&o.account))
    }
}

impl Messages {
    fn write(&mut self, changed: &Changed) {
        let mut message = Message::clone(&changed.message);
        message.filed.state.get_or_insert(State::Queued);
        if !changed.new {
            let Some(old) = self.messages.get(&message.row) else { return };
            if !changed.refiled {
                // Only the state and the deadline are written then; the rest stays as it was filed.
                let (state, stamp) = (message.filed.state, message.filed.stamp);
                message.filed = Filed { state, stamp, ..old.filed.clone() };
            }
        }
        self.take_out(message.row);
        self.due.extend(message.due_at.map(|at| (at, message.row)));
        self.in_thread.extend(message.filed.thread.zip(message.filed.server_time).map(|(thread, at)| (thread, at, message.row)));
        self.messages.insert(message.row, Arc::new(message));
    }

    fn take_out(&mut self, row: Row) {
        let Some(old) = self.messages.remove(&row) else { return };
        if let Some(at) = old.due_at {
            self.due.remove(&(at, row));
        }
        if let (Some(thread), Some(at)) = (old.filed.thread, old.filed.server_time) {
            self.in_thread.remove(&(thread, at, row));
        }
    }
}

impl StateWriter for MemoryState {
    fn usable(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn place(&self) -> String {
        "in memory".to_owned()
    }

    fn cursor(&self) -> Result<Seq, StoreError> {
        Ok(self.disk.disk().state.cursor)
    }

    fn due(&self, now: Millis, limit: usize) -> Result<Vec<Row>, StoreError> {
        let disk = self.disk.disk();
        Ok(disk.state.due.iter().take_while(|(at, _)| *at <= now).take(limit).map(|(_, row)| *row).collect())
    }

    fn stuck_rows(&self, account: &AccountId, since: Millis, after: Row, limit: usize) -> Result<Vec<Row>, StoreError> {
        let disk = self.disk.disk();
        let stuck =
            disk.state.messages.range(after + 1..).filter(|(_, m)| m.stuck.is_some() && m.account == *account && m.created_at >= since);
        Ok(stuck.take(limit).map(|(row, _)| *row).collect())
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn give_up(&mut self) {}

    fn sheets(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        let disk = self.disk.disk();
        let all = disk.state.sheets.range(prefix.to_owned()..).take_while(|(name, _)| name.starts_with(prefix));
        Ok(all.map(|(name, data)| (name.clone(), data.clone())).collect())
    }

    fn commit(&mut self, change: &Change, outcomes: &[Outcome], cursor: Option<Seq>) -> Result<(), StoreError> {
        let mut disk = self.disk.disk();
        let state = &mut disk.state;
        self.check(state, change, outcomes)?;
        change.messages.iter().for_each(|c| state.write(c));
        for (key, row) in change.keys.iter().chain(&change.listed_keys) {
            state.keys.entry(*key).or_default().insert(*row);
        }
        for (key, row, thread, _) in &change.threads {
            state.by_row.insert(*row, key.clone());
            state.threads.insert(key.clone(), (*row, thread.clone()));
        }
        for sheet in &change.sheets {
            match &sheet.data {
                Some(data) => drop(state.sheets.insert(sheet.name.clone(), data.clone())),
                None => drop(state.sheets.remove(&sheet.name)),
            }
        }
        state.feed.extend_from_slice(&change.feed);
        for o in outcomes {
            let kept = state.outcomes.entry(o.seq).or_insert_with(|| o.clone());
            (kept.status, kept.reason) = (o.status, o.reason.clone());
        }
        state.cursor = cursor.unwrap_or(state.cursor);
        Ok(())
    }

    fn callbacks_with(&self, status: Status, after: Seq, limit: usize) -> Result<Vec<Seq>, StoreError> {
        let disk = self.disk.disk();
        let all = disk.state.outcomes.range(after + 1..).filter(|(_, o)| o.callback && o.status == status);
        Ok(all.take(limit).map(|(seq, _)| *seq).collect())
    }

    fn prune(&mut self, before: Millis, records_before: Millis, limit: usize) -> Result<usize, StoreError> {
        let mut disk = self.disk.disk();
        let state = &mut disk.state;
        let gone: Vec<Row> = state.messages.values().take(limit).filter(|m| m.created_at < before).map(|m| m.row).collect();
        let old: Vec<Seq> = state.outcomes.values().take(limit).filter(|o| o.received_at < records_before).map(|o| o.seq).collect();
        for row in &gone {
            state.take_out(*row);
            state.keys.retain(|_, rows| !(rows.remove(row) && rows.is_empty()));
        }
        old.iter().for_each(|seq| drop(state.outcomes.remove(seq)));
        let next: Vec<(Row, ThreadKey)> = state.by_row.range(self.walked + 1..).take(limit).map(|(row, key)| (*row, key.clone())).collect();
        self.walked = next.get(limit - 1).map_or(0, |(row, _)| *row);
        for (row, key) in next {
            let heard = state.threads.get(&key).and_then(|(_, thread)| thread.last_heard());
            if heard.is_none_or(|at| at < before) && !state.messages.values().any(|m| m.filed.thread == Some(row)) {
                state.threads.remove(&key);
                state.by_row.remove(&row);
            }
        }
        state.pruned_row = gone.last().copied().unwrap_or(state.pruned_row);
        Ok(gone.len() + old.len())
    }

    fn sync(&mut self) -> Result<bool, StoreError> {
        self.disk.sync_state();
        Ok(true)
    }

    fn prove(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn knows_account(&self, account: &AccountId) -> bool {
        self.known.contains(account)
    }

    fn learn_accounts(&mut self, all: Vec<NumberedAccount>) {
        self.known = all.iter().filter_map(|(_, id, _)| AccountId::parse(id).ok()).collect();
    }

    fn checkpoint(&mut self) -> Result<(), StoreError> {
        self.disk.sync_state();
        Ok(())
    }
}

impl Source for MemoryState {
    type Error = StoreError;

    fn rows(&self, key: Key, limit: usize) -> Result<Vec<Row>, StoreError> {
        Ok(self.disk.disk().state.keys.get(&key).into_iter().flatten().copied().take(limit).collect())
    }

    fn message(&self, row: Row) -> Result<Option<Message>, StoreError> {
        let found = self.disk.disk().state.messages.get(&row).cloned();
        found.map(|m| self.known(&m.account).map(|()| Message::clone(&m))).transpose()
    }

    fn thread(&self, key: &ThreadKey) -> Result<Option<(Row, Thread)>, StoreError> {
        Ok(self.disk.disk().state.threads.get(key).cloned())
    }

    fn thread_messages(&self, thread: Row, above: Millis, upto: Millis) -> Result<Vec<Row>, StoreError> {
        let disk = self.disk.disk();
        let mut rows: Vec<Row> = match above < upto {
            true => {
                disk.state.in_thread.range((thread, Millis(above.0 + 1), 0)..=(thread, upto, Row::MAX)).map(|(_, _, row)| *row).collect()
            }
            false => Vec::new(),
        };
        rows.sort_unstable();
        Ok(rows)
    }

    fn next_rows(&self) -> Result<(Row, Row), StoreError> {
        let disk = self.disk.disk();
        let state = &disk.state;
        let last = state.messages.keys().next_back().copied().unwrap_or(0).max(state.pruned_row);
        Ok((last + 1, state.by_row.keys().next_back().copied().unwrap_or(0) + 1))
    }
}
