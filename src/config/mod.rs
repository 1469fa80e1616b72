//! The resolved configuration: one TOML file, overlaid by `BAOPHAT__…` variables, checked as a whole before anything starts.
//!
//! A value comes from the environment, else from the file, else from [`Config::default`]. Everything that is wrong is told at
//! once, with line, key and what to do. It must not know the store, HTTP or a clock, and of providers only their `Spec`.
//!
//! `keys` is the table of every key; `read` loads; `accounts`, `outgoing` and `stuck` read their tables; `value` types and `place` lines.

mod accounts;
mod env;
mod error;
mod keys;
mod outgoing;
mod place;
mod read;
mod secret;
mod show;
mod stuck;
mod value;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use env::Env;
pub use error::{ConfigError, Mistake, Place, Problem};
pub use outgoing::{Endpoint, Filter, Kind as AlertKind, Mail, Manners, QuietHours, Security, TARGETS_MAX, TargetConfig, Via};
pub use secret::{Secret, Shown};
pub use show::{show, show_json};

use crate::domain::failure::{Lang, named};
use crate::domain::ids::AccountId;
use crate::domain::stuck::Deadlines;
use crate::domain::time::Span;
use crate::providers::{Account, PROVIDERS, Spec, Values};

/// A key of the query API with fewer characters is taken with a warning.
pub const API_KEY_CHARACTERS_ADVISED: usize = 16;

/// Everything that can be configured, resolved and checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file it came from; `None` when there was none.
    pub file: Option<PathBuf>,
    /// Where the server listens: `host:port`.
    pub listen: String,
    /// The origin that providers call, without a slash at its end.
    pub public_url: Option<String>,
    /// Where everything is kept.
    pub database: Database,
    /// The keys of the query API; empty means that one is to be made at the first start.
    pub api_keys: Vec<Secret>,
    /// The language of texts where the asker names none.
    pub lang: Lang,
    /// What is logged and how.
    pub log: Log,
    /// The bounds of queues, bodies and connections.
    pub limits: Limits,
    /// When a message counts as stuck.
    pub stuck: Stuck,
    /// How long things are kept.
    pub retention: Retention,
    /// The webhook endpoints, in the order in which they were written.
    pub accounts: Vec<AccountConfig>,
    /// Who is told: alerts, then subscriptions, each in the order in which they were written.
    pub targets: Vec<TargetConfig>,
    /// What is allowed and probably not meant.
    pub warnings: Vec<String>,
    /// Where each value that is no default was written, by the path of its key (`account.shop-oa.app_id` for accounts).
    pub origins: BTreeMap<String, Origin>,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// In the configuration file, at this line.
    Line(usize),
    /// In this environment variable.
    Variable(String),
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite {
        /// Its path; a relative one counts from the working directory.
        path: PathBuf,
    },
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Database::Sqlite { path } => write!(f, "sqlite:{}", path.display()),
        }
    }
}

/// What is logged and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The form of a line.
    pub format: LogFormat,
    /// A level, or several directives such as `info,baophat=debug`.
    pub level: String,
}

named! {
    /// The form of a log line.
    LogFormat {
        /// Pretty on a terminal, JSON elsewhere.
        Auto = "auto",
        /// For people.
        Pretty = "pretty",
        /// For machines.
        Json = "json",
    }
}

/// The bounds of queues, bodies and connections, each with its unit last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest body of a callback.
    pub body_bytes_max: usize,
    /// Longest time in which the body of a request must have arrived.
    pub body_seconds_max: u64,
    /// Longest body of a request to the query API.
    pub api_body_bytes_max: usize,
    /// Most records that wait to be made durable; one more is answered 503.
    pub inbox_records_max: usize,
    /// Most open connections of each worker.
    pub connections_max: usize,
    /// Threads that serve HTTP.
    pub workers: usize,
}

named! {
    /// Where the deadlines of sent messages come from.
    StuckMode {
        /// From the configuration.
        Fixed = "fixed",
        /// From how long receipts took so far; from the configuration until enough was seen.
        Learned = "learned",
    }
}

impl Stuck {
    /// The shortest learned deadline; `None` where deadlines are fixed.
    pub fn learned_floor(&self) -> Option<Span> {
        (self.mode == StuckMode::Learned).then_some(self.learned_floor)
    }
}

/// When a message counts as stuck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// How often deadlines are looked at.
    pub sweep_every: Span,
    /// Where the deadlines of sent messages come from.
    pub mode: StuckMode,
    /// The shortest learned deadline.
    pub learned_floor: Span,
    /// The deadlines of every provider, those of the file over its own.
    pub deadlines: Deadlines,
}

/// How long things are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Raw callbacks.
    pub callbacks: Span,
    /// Messages with their timelines.
    pub messages: Span,
}

/// One configured webhook endpoint.
#[derive(Clone)]
pub struct AccountConfig {
    /// Its id, as in the URL.
    pub id: AccountId,
    /// Its provider.
    pub provider: &'static Spec,
    /// Its settings, secrets resolved.
    pub values: Values,
    /// The account that the provider made of them.
    pub account: Arc<dyn Account>,
    /// The line of its `[[account]]`; `None` when it stands in the environment alone.
    pub line: Option<usize>,
}

impl fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccountConfig")
            .field("id", &self.id)
            .field("provider", &self.provider)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

impl Default for Config {
    fn default() -> Config {
        let workers = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Config {
            file: None,
            listen: "127.0.0.1:8080".into(),
            public_url: None,
            database: Database::Sqlite { path: "baophat.db".into() },
            api_keys: Vec::new(),
            lang: Lang::Vi,
            log: Log { format: LogFormat::Auto, level: "info".into() },
            limits: Limits {
                body_bytes_max: 1 << 20,
                body_seconds_max: 10,
                api_body_bytes_max: 8 << 20,
                inbox_records_max: 8_192,
                connections_max: 10_000,
                workers,
            },
            stuck: Stuck {
                sweep_every: Span::seconds(1),
                mode: StuckMode::Fixed,
                learned_floor: Span::minutes(5),
                deadlines: Deadlines::default(),
            },
            retention: Retention { callbacks: Span::days(30), messages: Span::days(400) },
            accounts: Vec::new(),
            targets: Vec::new(),
            warnings: Vec::new(),
            origins: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Loads the file (none: the defaults) under the environment, with every provider of this program.
    ///
    /// # Errors
    /// Everything that is wrong, at once; nothing may be started then.
    pub fn load(path: Option<&Path>, env: &Env) -> Result<Config, ConfigError> {
        Config::load_for(path, env, PROVIDERS)
    }

    /// As [`Config::load`], for some providers.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_for(path: Option<&Path>, env: &Env, providers: &[&'static Spec]) -> Result<Config, ConfigError> {
        read::load(path, env, providers)
    }

    /// Finds an account by its id.
    pub fn account(&self, id: &str) -> Option<&AccountConfig> {
        self.accounts.iter().find(|a| a.id.as_str() == id)
    }

    /// The origin to show in URLs, and whether it is only a stand-in because `public_url` is not set.
    pub fn shown_origin(&self) -> (&str, bool) {
        self.public_url.as_deref().map_or(("https://YOUR-HOST", true), |url| (url, false))
    }
}
