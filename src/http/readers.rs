//! Connections for reading: a small pool, used on the blocking threads only.

use std::sync::{Arc, Mutex};

use actix_web::web;

use super::problem::Problem;
use crate::clock::Clock;
use crate::domain::failure::Lang;
use crate::ingest::AccountRules;
use crate::present::Reader;
use crate::store::StoreError;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::{AccountNumbers, StateFile};
use crate::store::sqlite::{Part, Place};

/// Most idle connections kept.
const IDLE_MAX: usize = 16;

/// A pair of connections, one to each file.
pub struct Pair {
    /// Records.
    pub inbox: InboxReader,
    /// Messages.
    pub state: StateFile,
}

/// The pool; cheap to clone.
#[derive(Clone)]
pub struct Readers {
    place: Place,
    rules: Arc<AccountRules>,
    clock: Arc<dyn Clock>,
    idle: Arc<Mutex<Vec<Pair>>>,
}

impl Readers {
    /// A pool over a store.
    pub fn new(place: Place, rules: Arc<AccountRules>, clock: Arc<dyn Clock>) -> Readers {
        Readers { place, rules, clock, idle: Arc::default() }
    }

    fn take(&self) -> Result<Pair, StoreError> {
        if let Some(pair) = self.idle.lock().ok().and_then(|mut idle| idle.pop()) {
            pair.inbox.usable()?;
            pair.state.usable()?;
            return Ok(pair);
        }
        self.place.usable(Part::Inbox)?;
        self.place.usable(Part::State)?;
        let inbox = InboxReader::open(&self.place)?;
        let accounts = AccountNumbers::new(inbox.accounts()?);
        Ok(Pair { state: StateFile::open_reader(&self.place, accounts)?, inbox })
    }

    /// Answers a question on a blocking thread.
    ///
    /// # Errors
    /// What `f` answers, or 503 when the store cannot be read.
    pub async fn ask<T, F>(&self, lang: Lang, f: F) -> Result<T, Problem>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, Problem> + Send + 'static,
    {
        let readers = self.clone();
        let asked = move || {
            let pair = readers.take()?;
            let reader = Reader { inbox: &pair.inbox, state: &pair.state, rules: &readers.rules, lang, now: readers.clock.now() };
            let answer = f(&reader)?;
            // A pair that met an error is dropped: its connection may be in an odd state.
            if let Ok(mut idle) = readers.idle.lock()
                && idle.len() < IDLE_MAX
            {
                idle.push(pair);
            }
            Ok(answer)
        };
        match web::block(asked).await {
            Ok(answer) => answer,
            Err(_) => Err(Problem::unavailable("the question was cut short; ask again")),
        }
    }
}
