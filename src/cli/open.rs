//! The configuration and the store that a command works with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::lang::language;
use super::{CliError, Globals};
use crate::clock::{Clock, WallClock};
use crate::config::{Config, Database, Env};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::ingest::AccountRules;
use crate::present::Reader;
use crate::store::sqlite::Place;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::{AccountNumbers, StateFile};

/// The configuration file that is taken when none is named.
const USUAL_FILE: &str = "baophat.toml";

/// The file to read: the one named, else the usual one where there is one.
pub fn config_file(globals: &Globals) -> Option<PathBuf> {
    globals.config.clone().or_else(|| Path::new(USUAL_FILE).exists().then(|| USUAL_FILE.into()))
}

/// The configuration.
///
/// # Errors
/// Everything that is wrong with it.
pub fn config(globals: &Globals) -> Result<Config, CliError> {
    Config::load(config_file(globals).as_deref(), &Env::of_process()).map_err(CliError::Config)
}

/// The language of an answer.
pub fn lang(globals: &Globals, json: bool, config: &Config) -> Lang {
    language(globals.lang, json, config, |name| std::env::var(name).ok())
}

/// Where the store lies.
pub fn place(config: &Config) -> Place {
    let Database::Sqlite { path } = &config.database;
    Place::new(path.clone())
}

/// A store opened for questions; the server may be running.
pub struct Opened {
    /// The configuration.
    pub config: Config,
    /// Where the store lies.
    pub place: Place,
    /// Records.
    pub inbox: InboxReader,
    /// Messages.
    pub state: StateFile,
    /// Providers and deadlines.
    pub rules: Arc<AccountRules>,
    /// The language of the answer.
    pub lang: Lang,
}

impl Opened {
    /// Opens the configured store for reading.
    ///
    /// # Errors
    /// When the configuration has mistakes or the store cannot be opened.
    pub fn new(globals: &Globals, json: bool) -> Result<Opened, CliError> {
        let config = config(globals)?;
        let lang = lang(globals, json, &config);
        let place = place(&config);
        let inbox = InboxReader::open(&place)?;
        let state = StateFile::open_reader(&place, AccountNumbers::new(inbox.accounts()?))?;
        let rules = Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone()).learning(config.stuck.learned_floor()));
        Ok(Opened { config, place, inbox, state, rules, lang })
    }

    /// Answers questions.
    pub fn reader(&self) -> Reader<'_> {
        Reader { inbox: &self.inbox, state: &self.state, rules: &self.rules, lang: self.lang, now: WallClock.now() }
    }

    /// Whether an account is configured or has ever written.
    pub fn knows(&self, account: &AccountId) -> bool {
        self.rules.get(account).is_some() || self.state.accounts.no(account).is_some()
    }
}
