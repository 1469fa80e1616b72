//! Loading: the file as TOML with places, the environment over it, every key of the table, and what is left over. It collects
//! mistakes and goes on, so that one run tells them all.

use std::collections::BTreeSet;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use super::env::{self, Env, FILE_SUFFIX};
use super::error::{ConfigError, Mistake, Place, Problem, nearest};
use super::keys::{KEYS, Key, SECTIONS, Shape, keys_of};
use super::place::Source;
use super::value::{Raw, found, origin};
use super::{API_KEY_CHARACTERS_ADVISED, Config, Secret};
use crate::domain::time::Span;
use crate::providers::Spec;

/// Loads a configuration for these providers.
pub(super) fn load(path: Option<&Path>, env: &Env, providers: &[&'static Spec]) -> Result<Config, ConfigError> {
    let source = match path {
        None => Source::none(),
        Some(path) => match std::fs::read_to_string(path) {
            Ok(text) => Source::file(path, text),
            Err(e) => return Err(one(path.display().to_string(), Place::Whole, Problem::Unreadable(e.kind()))),
        },
    };
    let root = match DeTable::parse(&source.text) {
        Ok(root) => root,
        Err(e) => {
            let place = e.span().map_or(Place::Whole, |span| source.place(span.start));
            return Err(one(source.name.clone(), place, Problem::Syntax(e.message().into())));
        }
    };
    let mut loader = Loader::new(&source, env, providers);
    loader.config.file = path.map(Path::to_path_buf);
    loader.read_keys(root.get_ref());
    loader.read_stuck(root.get_ref());
    loader.read_accounts(root.get_ref());
    loader.read_outgoing(root.get_ref());
    loader.read_leftovers(root.get_ref());
    loader.finish()
}

fn one(file: String, place: Place, problem: Problem) -> ConfigError {
    ConfigError { file, mistakes: vec![Mistake { place, key: String::new(), problem }] }
}

/// The configuration as far as it has been read, and what was wrong so far.
pub(super) struct Loader<'a> {
    pub source: &'a Source,
    pub env: &'a Env,
    pub providers: &'a [&'static Spec],
    pub config: Config,
    /// Variables that belong to a key.
    pub claimed: BTreeSet<String>,
    /// Variables that a key would have listened to, for guesses.
    pub known_variables: BTreeSet<String>,
    /// The ids of every account, also of those with mistakes.
    pub account_ids: BTreeSet<String>,
    mistakes: Vec<Mistake>,
}

impl<'a> Loader<'a> {
    fn new(source: &'a Source, env: &'a Env, providers: &'a [&'static Spec]) -> Loader<'a> {
        let (claimed, known_variables, account_ids) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        Loader { source, env, providers, config: Config::default(), claimed, known_variables, account_ids, mistakes: Vec::new() }
    }

    /// Notes a mistake.
    pub fn mistake(&mut self, place: Place, key: impl Into<String>, problem: Problem) {
        self.mistakes.push(Mistake { place, key: key.into(), problem });
    }

    /// How many mistakes there are so far.
    pub fn mistakes(&self) -> usize {
        self.mistakes.len()
    }

    /// Notes where a value that is no default was written.
    pub fn came_from(&mut self, key: impl Into<String>, place: Place) {
        if let Some(origin) = origin(place) {
            self.config.origins.insert(key.into(), origin);
        }
    }

    fn finish(mut self) -> Result<Config, ConfigError> {
        if self.mistakes.is_empty() {
            if self.config.accounts.is_empty() {
                let warning = "no [[account]] is configured: the query API answers, and no callback is taken";
                self.config.warnings.push(warning.into());
            }
            return Ok(self.config);
        }
        self.mistakes.sort_by(|a, b| a.place.cmp(&b.place));
        Err(ConfigError { file: self.source.name.clone(), mistakes: self.mistakes })
    }

    /// The table of this name, if it is one.
    pub fn table(&mut self, parent: &'a DeTable<'a>, name: &str, path: &str) -> Option<&'a DeTable<'a>> {
        let value = parent.get(name)?;
        if value.get_ref().as_table().is_none() {
            let problem = Problem::WrongType { wanted: "a table that begins with its name in [brackets]", found: found(value.get_ref()) };
            self.mistake(self.source.place(value.span().start), path, problem);
        }
        value.get_ref().as_table()
    }

    /// A value from its variable, where it has one that is set, else from the file.
    pub fn pick(
        &mut self,
        table: Option<&'a DeTable<'a>>,
        name: &str,
        key: &str,
        variable: Option<String>,
        secret: bool,
    ) -> Option<Raw<'a>> {
        let written = table.and_then(|t| t.get(name)).map(Raw::Written);
        let Some(variable) = variable else { return written };
        let file_variable = format!("{variable}{FILE_SUFFIX}");
        let (plain, with_file) = (self.env.has(&variable), secret && self.env.has(&file_variable));
        self.known_variables.insert(variable.clone());
        if secret {
            self.known_variables.insert(file_variable.clone());
        }
        if plain {
            self.claimed.insert(variable.clone());
        }
        if with_file {
            self.claimed.insert(file_variable.clone());
        }
        match (plain, with_file) {
            (false, false) => written,
            (true, false) => self.variable(&variable, key).map(|text| Raw::Variable { name: variable, text }),
            (false, true) => self.variable(&file_variable, key).map(|path| Raw::FileVariable { name: file_variable, path }),
            (true, true) => {
                self.mistake(Place::Variable(file_variable), key, Problem::Twice(variable));
                None
            }
        }
    }

    fn variable(&mut self, name: &str, key: &str) -> Option<String> {
        match self.env.get(name)? {
            Ok(text) => Some(text.to_owned()),
            Err(problem) => {
                self.mistake(Place::Variable(name.into()), key, problem);
                None
            }
        }
    }

    fn read_keys(&mut self, root: &'a DeTable<'a>) {
        let sections: Vec<_> = SECTIONS.iter().map(|name| (*name, self.table(root, name, name))).collect();
        for key in KEYS {
            let (table, name) = match key.path.split_once('.') {
                None => (Some(root), key.path),
                Some((section, name)) => (sections.iter().find(|(s, _)| *s == section).and_then(|(_, t)| *t), name),
            };
            let secret = matches!(key.shape, Shape::Secrets { .. });
            let Some(raw) = self.pick(table, name, key.path, Some(env::variable(key.path)), secret) else { continue };
            match self.set(key, &raw) {
                Ok(()) => self.came_from(key.path, raw.place(self.source)),
                Err((place, problem)) => self.mistake(place, key.path, problem),
            }
        }
    }

    fn set(&mut self, key: &Key, raw: &Raw<'a>) -> Result<(), (Place, Problem)> {
        let here = |problem| (raw.place(self.source), problem);
        match &key.shape {
            Shape::Text { set, .. } => set(&mut self.config, raw.text("a text in quotes").map_err(here)?).map_err(here),
            Shape::Number { set, min, max, .. } => {
                set(&mut self.config, raw.number(*min, *max).map_err(here)?);
                Ok(())
            }
            Shape::Time { set, min, max, .. } => {
                set(&mut self.config, span(raw, *min, *max).map_err(here)?);
                Ok(())
            }
            Shape::Secrets { set, .. } => {
                let keys = raw.secrets(self.source, self.env)?;
                self.warn_of_blanks(key.path, &keys);
                self.warn_of_short(key.path, &keys);
                set(&mut self.config, keys.into_iter().map(Secret::new).collect());
                Ok(())
            }
        }
    }

    /// A blank at an end of a secret is nearly always a slip of pasting.
    pub fn warn_of_blanks(&mut self, key: &str, secrets: &[String]) {
        if secrets.iter().any(|s| s.trim().len() != s.len()) {
            self.config.warnings.push(format!("{key}: a secret begins or ends with a blank; it is taken as it stands"));
        }
    }

    /// A short key can be guessed. It is taken all the same: how long a key is, is its owner's choice.
    fn warn_of_short(&mut self, key: &str, secrets: &[String]) {
        for (i, characters) in secrets.iter().map(|s| s.chars().count()).enumerate().filter(|(_, n)| *n < API_KEY_CHARACTERS_ADVISED) {
            self.config
                .warnings
                .push(format!("{key}: key {} has {characters} characters and can be guessed; make one with `openssl rand -hex 24`", i + 1));
        }
    }

    fn read_leftovers(&mut self, root: &'a DeTable<'a>) {
        let top: Vec<&str> = keys_of("").chain(SECTIONS.iter().copied()).chain(["account", "alert", "subscription"]).collect();
        self.unknown_keys(root, "", &top);
        for section in SECTIONS.iter().filter(|s| **s != "stuck") {
            if let Some(table) = root.get(*section).and_then(|t| t.get_ref().as_table()) {
                self.unknown_keys(table, section, &keys_of(section).collect::<Vec<_>>());
            }
        }
        let env = self.env;
        for name in env.ours().filter(|name| !self.claimed.contains(*name)).collect::<Vec<_>>() {
            let hint = self.variable_hint(name);
            self.mistake(Place::Variable(name.into()), "", Problem::UnknownVariable(hint));
        }
    }

    /// Notes each key of a table that is not among the known ones.
    pub fn unknown_keys(&mut self, table: &'a DeTable<'a>, path: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&&**key.get_ref())) {
            let name = &**key.get_ref();
            let full = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            let hint = self.key_hint(name, known);
            self.mistake(self.source.place(key.span().start), full, Problem::UnknownKey(hint));
        }
    }

    fn key_hint(&self, name: &str, known: &[&str]) -> String {
        if keys_of("").any(|k| k == name) {
            return "; it belongs at the top of the file, before the first [table]".into();
        }
        if let Some(section) = SECTIONS.iter().find(|s| keys_of(s).any(|k| k == name)) {
            return format!("; it belongs under [{section}]");
        }
        let owners: Vec<_> = self.providers.iter().filter(|p| p.settings.iter().any(|s| s.key == name)).map(|p| p.slug).collect();
        if let Some(guess) = nearest(name, known.iter().copied()) {
            return format!("; did you mean `{guess}`?");
        }
        if !owners.is_empty() {
            return format!("; it is a key of {} accounts", owners.join(" and "));
        }
        format!("; the keys here are {}", known.join(", "))
    }

    fn variable_hint(&self, name: &str) -> String {
        if let Some(guess) = nearest(name, self.known_variables.iter().map(String::as_str)) {
            return format!("; did you mean {guess}?");
        }
        match env::account_of(name) {
            Some((id, _)) if !self.account_ids.contains(&id) => {
                format!("; there is no account \"{id}\". {} would make one.", env::account_variable(&id, "provider"))
            }
            _ => "; its name is the key's path in capitals with two underscores between levels, such as BAOPHAT__LIMITS__BODY_BYTES_MAX"
                .into(),
        }
    }
}

/// A length of time within bounds.
pub(super) fn span(raw: &Raw<'_>, min: Span, max: Span) -> Result<Span, Problem> {
    let span = Span::parse(raw.text("a length of time in quotes, such as \"15m\"")?).map_err(|_| Problem::BadSpan)?;
    if span < min || span > max { Err(Problem::SpanOutOfBounds { min, max }) } else { Ok(span) }
}

/// The entries of `[[account]]`, with their places; `None` when it is no list of tables.
pub(super) fn account_tables<'a>(value: &'a DeValue<'a>) -> Option<Vec<(usize, &'a DeTable<'a>)>> {
    value.as_array()?.iter().map(|item| Some((item.span().start, item.get_ref().as_table()?))).collect()
}
