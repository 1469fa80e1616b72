//! What a run stands on: a store of either kind, and the accounts.

use std::sync::Arc;

use baophat::config::{Config, Env, Retention};
use baophat::domain::ids::{AccountId, Seq};
use baophat::domain::record::{Callback, Content};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::AccountRules;
use baophat::metrics::Metrics;
use baophat::providers::{Verified, verify};
use baophat::store::memory::{Memory, MemoryReader, MemoryState, MemoryWriter};
use baophat::store::sqlite::Place;
use baophat::store::sqlite::inbox::{InboxReader, InboxWriter};
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use baophat::store::{RecordReader, RecordWriter, StateWriter};
use tempfile::TempDir;

use crate::acts::{ACCOUNTS, Act};
use crate::harness::{TOKEN, config};

/// A store that is opened as often as processes start.
pub trait World {
    /// Appends.
    type Writer: RecordWriter;
    /// Reads records.
    type Reader: RecordReader;
    /// Keeps the state.
    type State: StateWriter;

    /// Opens the inbox for its one writer.
    fn writer(&self) -> Self::Writer;
    /// Opens the inbox for reading.
    fn reader(&self) -> Self::Reader;
    /// Opens the state for its one writer.
    fn state(&self) -> Self::State;
    /// Opens the state for a look.
    fn look(&self) -> Self::State;
    /// How often again a callback came.
    fn repeats(&self, seq: Seq) -> u64;
    /// What a power cut would leave of the state becomes what it is now.
    fn sync_state(&self) {}
    /// A power cut; `false` where there is none.
    fn cut_power(&self) -> bool {
        false
    }
}

impl World for Memory {
    type Writer = MemoryWriter;
    type Reader = MemoryReader;
    type State = MemoryState;

    fn writer(&self) -> MemoryWriter {
        Memory::writer(self)
    }
    fn reader(&self) -> MemoryReader {
        Memory::reader(self)
    }
    fn state(&self) -> MemoryState {
        Memory::state(self)
    }
    fn look(&self) -> MemoryState {
        Memory::state(self)
    }
    fn repeats(&self, seq: Seq) -> u64 {
        Memory::repeats(self, seq)
    }
    fn sync_state(&self) {
        Memory::sync_state(self);
    }
    fn cut_power(&self) -> bool {
        Memory::cut_power(self);
        true
    }
}

/// Real files in a folder that goes with it.
pub struct Files {
    place: Place,
    _folder: TempDir,
}

impl Files {
    /// New files.
    pub fn new() -> Files {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::new(folder.path().join("baophat.db"));
        let files = Files { place, _folder: folder };
        files.state();
        files
    }

    fn numbers(&self) -> AccountNumbers {
        AccountNumbers::new(World::reader(self).accounts().unwrap())
    }
}

impl World for Files {
    type Writer = InboxWriter;
    type Reader = InboxReader;
    type State = StateFile;

    fn writer(&self) -> InboxWriter {
        InboxWriter::open(&self.place).unwrap()
    }
    fn reader(&self) -> InboxReader {
        if !self.place.exists() {
            self.writer();
        }
        InboxReader::open(&self.place).unwrap()
    }
    fn state(&self) -> StateFile {
        StateFile::open_writer(&self.place, self.numbers()).unwrap()
    }
    fn look(&self) -> StateFile {
        StateFile::open_reader(&self.place, self.numbers()).unwrap()
    }
    fn repeats(&self, seq: Seq) -> u64 {
        World::reader(self).callback_line(&self.look(), seq).unwrap().map_or(0, |line| line.repeats)
    }
}

/// What every run shares: accounts, deadlines, counters.
pub struct Setting {
    /// Accounts and deadlines.
    pub rules: Arc<AccountRules>,
    /// Counted and never looked at.
    pub metrics: Arc<Metrics>,
    /// Longer than a run.
    pub retention: Retention,
}

impl Setting {
    /// The accounts of every test.
    pub fn new() -> Setting {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baophat.toml");
        std::fs::write(&path, config(folder.path(), "")).unwrap();
        let config = Config::load(Some(&path), &Env::default()).unwrap();
        Setting {
            rules: Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone())),
            metrics: Arc::default(),
            retention: Retention { callbacks: Span::days(90), messages: Span::days(400) },
        }
    }

    /// An account of the acts and its provider.
    pub fn account(&self, n: usize) -> (AccountId, &'static str) {
        let id = AccountId::parse(ACCOUNTS[n]).unwrap();
        let slug = self.rules.get(&id).unwrap().spec.slug;
        (id, slug)
    }

    /// A callback with its proof.
    pub fn verified(&self, callback: Callback) -> Verified<Callback> {
        let known = self.rules.get(&callback.account).unwrap();
        let token = known.spec.token_in_path.then_some(TOKEN);
        verify(known.account.as_ref(), callback, token).expect("it is signed")
    }

    /// By what repeats of an act are known; calls of our own have nothing.
    pub fn identity(&self, act: &Act) -> Option<[u8; 32]> {
        match act.content(Millis(0)) {
            Content::Callback(callback) => Some(self.verified(callback).into_inner().1),
            _ => None,
        }
    }
}
