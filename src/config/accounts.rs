//! `[[account]]`: one block for each webhook endpoint, its settings typed by its provider's table, variables over them by id.
//! An account may also stand in the environment alone: its `…__PROVIDER` variable makes it.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::AccountConfig;
use super::env;
use super::error::{Place, Problem};
use super::read::{Loader, account_tables};
use super::value::{Raw, found};
use crate::domain::ids::AccountId;
use crate::providers::{Setting, SettingKind, Spec, Values};

/// An account of which nothing but its id is known yet.
struct Draft<'a> {
    table: Option<&'a DeTable<'a>>,
    place: Place,
    /// `None` when the id is missing or wrong; its settings are still looked at.
    id: Option<AccountId>,
    /// `account[2]`, or `account[shop-oa]` for one of the environment alone.
    path: String,
}

impl Draft<'_> {
    fn line(&self) -> Option<usize> {
        match self.place {
            Place::At { line, .. } => Some(line),
            Place::Whole | Place::Variable(_) => None,
        }
    }

    /// The variable of a key; without an id there is none.
    fn variable(&self, key: &str) -> Option<String> {
        self.id.as_ref().map(|id| env::account_variable(id.as_str(), key))
    }
}

impl<'a> Loader<'a> {
    /// Reads every account.
    pub fn read_accounts(&mut self, root: &'a DeTable<'a>) {
        let mut drafts: Vec<Draft<'a>> = Vec::new();
        if let Some(value) = root.get("account") {
            self.draft_written(value, &mut drafts);
        }
        self.draft_of_variables(&mut drafts);
        self.account_ids.extend(drafts.iter().filter_map(|d| d.id.as_ref()).map(ToString::to_string));
        for draft in &drafts {
            match self.read_provider(draft) {
                Some(spec) => self.read_account(draft, spec),
                None => self.claim_all(draft),
            }
        }
    }

    /// Takes the variables of an account whose provider is not known: what they would mean cannot be told.
    fn claim_all(&mut self, draft: &Draft<'a>) {
        let Some(id) = &draft.id else { return };
        let env = self.env;
        let its = env.ours().filter(|name| env::account_of(name).is_some_and(|(known, _)| known == id.as_str()));
        self.claimed.extend(its.map(str::to_owned));
    }

    fn draft_written(&mut self, value: &'a Spanned<DeValue<'a>>, drafts: &mut Vec<Draft<'a>>) {
        let Some(tables) = account_tables(value.get_ref()) else {
            let problem = Problem::WrongType {
                wanted: "a list of tables: begin each with [[account]], in two brackets",
                found: found(value.get_ref()),
            };
            return self.mistake(self.source.place(value.span().start), "account", problem);
        };
        for (i, (start, table)) in tables.into_iter().enumerate() {
            let path = format!("account[{}]", i + 1);
            let place = self.source.place(start);
            let id = self.read_id(table, &path, &place);
            let first = id.as_ref().and_then(|id| drafts.iter().find(|d| d.id.as_ref() == Some(id)));
            if let (Some(id), Some(first_line)) = (&id, first.and_then(Draft::line)) {
                let at = table.get("id").map_or(place.clone(), |v| self.source.place(v.span().start));
                self.mistake(at, format!("{path}.id"), Problem::DuplicateAccount { id: id.to_string(), first_line });
            }
            drafts.push(Draft { table: Some(table), place, id, path });
        }
    }

    fn read_id(&mut self, table: &'a DeTable<'a>, path: &str, place: &Place) -> Option<AccountId> {
        let key = format!("{path}.id");
        let Some(value) = table.get("id") else {
            let help = "the account's name in the webhook URL, such as \"shop-oa\"".to_owned();
            self.mistake(place.clone(), key, Problem::Missing { help, or_variable: String::new() });
            return None;
        };
        let read = Raw::Written(value).text("a text in quotes").and_then(|text| AccountId::parse(text).map_err(|_| Problem::BadAccountId));
        read.map_err(|problem| self.mistake(self.source.place(value.span().start), key, problem)).ok()
    }

    fn draft_of_variables(&mut self, drafts: &mut Vec<Draft<'a>>) {
        let env = self.env;
        for name in env.ours() {
            let Some((id, key)) = env::account_of(name) else { continue };
            if key != "provider" || drafts.iter().any(|d| d.id.as_ref().is_some_and(|known| known.as_str() == id)) {
                continue;
            }
            let (place, path) = (Place::Variable(name.into()), format!("account[{id}]"));
            match AccountId::parse(&id) {
                Ok(id) => drafts.push(Draft { table: None, place, id: Some(id), path }),
                Err(_) => {
                    self.claimed.insert(name.into());
                    self.mistake(place, path, Problem::BadAccountId);
                }
            }
        }
    }

    fn read_provider(&mut self, draft: &Draft<'a>) -> Option<&'static Spec> {
        let key = format!("{}.provider", draft.path);
        let known = self.providers.iter().map(|p| format!("\"{}\"", p.slug)).collect::<Vec<_>>().join(", ");
        let Some(raw) = self.pick(draft.table, "provider", &key, draft.variable("provider"), false) else {
            let help = format!("who calls this account: {known}");
            self.mistake(draft.place.clone(), key, Problem::Missing { help, or_variable: String::new() });
            return None;
        };
        let found = raw.text("a text in quotes").and_then(|slug| {
            let hint = || self.provider_hint(slug);
            self.providers.iter().copied().find(|p| p.slug == slug).ok_or_else(|| Problem::UnknownProvider { hint: hint(), known })
        });
        found.map_err(|problem| self.mistake(raw.place(self.source), key, problem)).ok()
    }

    fn read_account(&mut self, draft: &Draft<'a>, spec: &'static Spec) {
        let before = self.mistakes();
        if let Some(table) = draft.table {
            let known: Vec<&str> = ["id", "provider"].into_iter().chain(spec.settings.iter().map(|s| s.key)).collect();
            self.unknown_keys(table, &draft.path, &known);
        }
        let mut values = Vec::new();
        let mut places = Vec::new();
        for setting in spec.settings {
            if let Some((list, place)) = self.read_setting(draft, setting) {
                values.push((setting.key, list));
                places.push((setting.key, place));
            }
        }
        let Some(id) = draft.id.as_ref().filter(|_| self.mistakes() == before) else { return };
        let values = Values(values);
        match (spec.account)(id, &values) {
            Ok(account) => {
                for (key, place) in places {
                    self.came_from(format!("account.{id}.{key}"), place);
                }
                let account = account.into();
                self.config.accounts.push(AccountConfig { id: id.clone(), provider: spec, values, account, line: draft.line() });
            }
            Err(error) => {
                let place = places.into_iter().find(|(key, _)| *key == error.key).map_or(draft.place.clone(), |(_, place)| place);
                self.mistake(place, format!("{}.{}", draft.path, error.key), Problem::Refused(error.problem));
            }
        }
    }

    /// The values of a setting; `None` when it is not there or wrong.
    fn read_setting(&mut self, draft: &Draft<'a>, setting: &Setting) -> Option<(Vec<String>, Place)> {
        let key = format!("{}.{}", draft.path, setting.key);
        let secret = setting.kind == SettingKind::Secrets;
        let raw = self.pick(draft.table, setting.key, &key, draft.variable(setting.key), secret);
        let place = raw.as_ref().map_or(draft.place.clone(), |raw| raw.place(self.source));
        let list = match raw.as_ref().map(|raw| self.read_list(raw, setting.kind)) {
            Some(Err((place, problem))) => {
                self.mistake(place, key, problem);
                return None;
            }
            Some(Ok(list)) => list,
            None => Vec::new(),
        };
        if secret {
            self.warn_of_blanks(&key, &list);
        }
        if list.is_empty() && setting.required {
            let or_variable = draft.variable(setting.key).map_or(String::new(), |variable| format!(", or set {variable}"));
            self.mistake(place, key, Problem::Missing { help: setting.help.to_owned(), or_variable });
            return None;
        }
        (!list.is_empty()).then_some((list, place))
    }

    fn read_list(&self, raw: &Raw<'a>, kind: SettingKind) -> Result<Vec<String>, (Place, Problem)> {
        match kind {
            SettingKind::Text => match raw.text("a text in quotes (ids and codes too)") {
                Ok(text) => Ok(vec![text.to_owned()]),
                Err(problem) => Err((raw.place(self.source), problem)),
            },
            SettingKind::TextList => raw.texts(self.source),
            SettingKind::Secrets => raw.secrets(self.source, self.env),
        }
    }
}
