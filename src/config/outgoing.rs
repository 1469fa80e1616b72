//! `[[alert]]` and `[[subscription]]`: who is told of what, and how. Secrets and variables as everywhere; ids are one set for both, since
//! the outbox keeps its deliveries under them. It must not know how anything is sent.

mod build;
mod keys;

use std::fmt;

use toml::de::DeTable;

use super::env;
use super::error::{Place, Problem};
use super::read::{Loader, account_tables};
use super::secret::Secret;
use super::value::{Raw, found};
use crate::domain::failure::{Lang, named};
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::providers::Values;

pub(super) use keys::{Field, Form, fields};

/// Most receivers: each has a lane of its own in the outbox, and a label of its own in the metrics.
pub const TARGETS_MAX: usize = 64;

/// Somebody who is told.
#[derive(Clone)]
pub struct TargetConfig {
    /// Its id, among alerts and subscriptions.
    pub id: String,
    /// How it is reached.
    pub via: Via,
    /// What it is told of.
    pub filter: Filter,
    /// The language of texts; `None`: the configured one.
    pub lang: Option<Lang>,
    /// How an alert is kept from being a nuisance; `None` for a subscription, which takes everything at once.
    pub manners: Option<Manners>,
    /// The line of its table.
    pub line: Option<usize>,
    /// Its settings as they are shown.
    pub(super) values: Values,
}

impl TargetConfig {
    /// It is a subscription and no alert.
    pub fn is_subscription(&self) -> bool {
        self.manners.is_none()
    }

    /// The list it stands in, and the kind of an alert.
    pub(super) fn list(&self) -> (List, Option<Kind>) {
        match self.is_subscription() {
            true => (List::Subscription, None),
            false => (List::Alert, Kind::parse(self.kind())),
        }
    }

    /// What it is: `subscription`, or the kind of an alert.
    pub fn kind(&self) -> &'static str {
        match &self.via {
            _ if self.is_subscription() => "subscription",
            Via::Telegram { .. } => Kind::Telegram.as_str(),
            Via::Slack { .. } => Kind::Slack.as_str(),
            Via::Email(_) => Kind::Email.as_str(),
            Via::Webhook(_) => Kind::Webhook.as_str(),
        }
    }
}

impl fmt::Debug for TargetConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TargetConfig").field("id", &self.id).field("kind", &self.kind()).field("line", &self.line).finish_non_exhaustive()
    }
}

named! {
    /// How an alert goes out.
    Kind {
        /// A bot writes into a chat.
        Telegram = "telegram",
        /// An incoming webhook of Slack, or of a program that takes the same.
        Slack = "slack",
        /// Mail over SMTP.
        Email = "email",
        /// A signed webhook.
        Webhook = "webhook",
    }
}

/// How somebody is reached.
#[derive(Clone, Debug)]
pub enum Via {
    /// A bot writes into a chat.
    Telegram {
        /// The bot's token.
        bot_token: Secret,
        /// The chat.
        chat_id: String,
        /// The origin of the Bot API.
        api: String,
        /// It may lie at a private address.
        allow_private: bool,
    },
    /// An incoming webhook of Slack.
    Slack {
        /// Its URL, which is its secret.
        webhook_url: Secret,
        /// It may lie at a private address.
        allow_private: bool,
    },
    /// Mail.
    Email(Mail),
    /// A signed webhook.
    Webhook(Endpoint),
}

/// A mail server, and from whom to whom.
#[derive(Clone, Debug)]
pub struct Mail {
    /// The server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// User and password.
    pub credentials: Option<(String, Secret)>,
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

named! {
    /// How a connection to a mail server is protected.
    Security {
        /// TLS after a plain greeting.
        Starttls = "starttls",
        /// TLS from the first byte.
        Tls = "tls",
        /// Not at all.
        None = "none",
    }
}

/// Where webhooks go and how they are signed.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The URL.
    pub url: String,
    /// The secrets, all of which sign.
    pub secrets: Vec<Secret>,
    /// It may lie at a private address, and plain http will do.
    pub allow_private: bool,
}

/// What somebody is told of. An empty list lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Names of events, or beginnings of them (`message.*`).
    pub events: Vec<String>,
    /// Accounts.
    pub accounts: Vec<AccountId>,
    /// Kinds of messages.
    pub kinds: Vec<String>,
    /// States of messages.
    pub states: Vec<State>,
}

/// How an alert is kept from being a nuisance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manners {
    /// When it keeps quiet.
    pub quiet: Option<QuietHours>,
    /// How far the local time of its texts is ahead of UTC, in minutes.
    pub offset: i16,
    /// Events that are told in quiet hours too, as in [`Filter::events`].
    pub urgent: Vec<String>,
    /// Most messages an hour.
    pub per_hour_max: u64,
}

/// A part of every day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// The minute of the day at which it begins.
    pub from: u16,
    /// The minute of the day at which it ends; before `from` when midnight lies between.
    pub to: u16,
    /// How far the local time is ahead of UTC, in minutes.
    pub offset: i16,
}

/// The two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Alert,
    Subscription,
}

impl List {
    pub const ALL: [List; 2] = [List::Alert, List::Subscription];

    pub fn name(self) -> &'static str {
        match self {
            List::Alert => "alert",
            List::Subscription => "subscription",
        }
    }
}

/// A table that is being read.
struct Draft<'a> {
    list: List,
    table: &'a DeTable<'a>,
    place: Place,
    /// `alert[2]`.
    path: String,
    id: String,
}

impl<'a> Loader<'a> {
    /// Reads every alert and subscription.
    pub fn read_outgoing(&mut self, root: &'a DeTable<'a>) {
        for list in List::ALL {
            let Some(value) = root.get(list.name()) else { continue };
            let Some(tables) = account_tables(value.get_ref()) else {
                let wanted = "a list of tables: begin each with [[alert]] or [[subscription]], in two brackets";
                let problem = Problem::WrongType { wanted, found: found(value.get_ref()) };
                self.mistake(self.source.place(value.span().start), list.name(), problem);
                continue;
            };
            for (i, (start, table)) in tables.into_iter().enumerate() {
                let (path, place) = (format!("{}[{}]", list.name(), i + 1), self.source.place(start));
                let Some(id) = self.read_target_id(table, &path, &place) else { continue };
                self.read_target(&Draft { list, table, place, path, id });
            }
        }
    }

    fn read_target_id(&mut self, table: &'a DeTable<'a>, path: &str, place: &Place) -> Option<String> {
        let key = format!("{path}.id");
        let Some(value) = table.get("id") else {
            let help = "a name of your own, such as \"night-watch\"".to_owned();
            self.mistake(place.clone(), key, Problem::Missing { help, or_variable: String::new() });
            return None;
        };
        let at = self.source.place(value.span().start);
        let read = Raw::Written(value).text("a text in quotes").map(str::to_owned);
        let checked = read.and_then(|id| match AccountId::parse(&id) {
            Err(_) => Err(Problem::Refused("is no id: it has 1 to 40 characters out of a-z, 0-9 and '-'".into())),
            Ok(_) if self.config.targets.iter().any(|t| t.id == id) => {
                Err(Problem::Refused(format!("\"{id}\" is taken already; each alert and subscription needs an id of its own")))
            }
            Ok(_) if self.config.targets.len() == TARGETS_MAX => {
                Err(Problem::Refused(format!("there may be {TARGETS_MAX} alerts and subscriptions together")))
            }
            Ok(_) => Ok(id),
        });
        checked.map_err(|problem| self.mistake(at, key, problem)).ok()
    }

    fn read_target(&mut self, draft: &Draft<'a>) {
        let before = self.mistakes();
        let Some(kind) = self.read_alert_kind(draft) else { return };
        let known: Vec<&str> = ["id"].into_iter().chain(kind.map(|_| "kind")).chain(fields(draft.list, kind).map(|f| f.key)).collect();
        self.unknown_keys(draft.table, &draft.path, &known);
        let (mut values, mut places) = (Vec::new(), Vec::new());
        for field in fields(draft.list, kind) {
            if let Some((list, place)) = self.read_field(draft, field) {
                values.push((field.key, list));
                places.push((field.key, place));
            }
        }
        if self.mistakes() > before {
            return;
        }
        let values = Values(values);
        match build::target(&draft.id, kind, &values) {
            Ok(target) => {
                self.warn_of_target(&draft.path, &target);
                for (key, place) in places {
                    self.came_from(format!("{}.{}.{key}", draft.list.name(), draft.id), place);
                }
                let line = match draft.place {
                    Place::At { line, .. } => Some(line),
                    Place::Whole | Place::Variable(_) => None,
                };
                self.config.targets.push(TargetConfig { line, values, ..target });
            }
            Err((key, problem)) => {
                let place = places.into_iter().find(|(k, _)| *k == key).map_or(draft.place.clone(), |(_, place)| place);
                self.mistake(place, format!("{}.{key}", draft.path), Problem::Refused(problem));
            }
        }
    }

    /// The kind of an alert; a subscription has none.
    fn read_alert_kind(&mut self, draft: &Draft<'a>) -> Option<Option<Kind>> {
        if draft.list == List::Subscription {
            return Some(None);
        }
        let key = format!("{}.kind", draft.path);
        let Some(value) = draft.table.get("kind") else {
            let help = "how the alert goes out: \"telegram\", \"slack\", \"email\" or \"webhook\"".to_owned();
            self.mistake(draft.place.clone(), key, Problem::Missing { help, or_variable: String::new() });
            return None;
        };
        let raw = Raw::Written(value);
        let read = raw.text("a text in quotes").and_then(|text| {
            let known = "\"telegram\", \"slack\", \"email\" and \"webhook\"";
            Kind::parse(text).ok_or(Problem::NotOneOf(known))
        });
        read.map(Some).map_err(|problem| self.mistake(raw.place(self.source), key, problem)).ok()
    }

    fn read_field(&mut self, draft: &Draft<'a>, field: &Field) -> Option<(Vec<String>, Place)> {
        let key = format!("{}.{}", draft.path, field.key);
        let variable = env::variable(&format!("{}.{}.{}", draft.list.name(), draft.id, field.key));
        let raw = self.pick(Some(draft.table), field.key, &key, Some(variable.clone()), field.form == Form::Secrets);
        let Some(raw) = raw else {
            if field.required {
                let or_variable = format!(", or set {variable}");
                self.mistake(draft.place.clone(), key, Problem::Missing { help: field.help.into(), or_variable });
            }
            return None;
        };
        let here = |problem| (raw.place(self.source), problem);
        let read = match field.form {
            Form::Text => raw.text("a text in quotes (ids too)").map(|text| vec![text.to_owned()]).map_err(here),
            Form::Texts => raw.texts(self.source),
            Form::Secrets => raw.secrets(self.source, self.env),
            Form::Number { min, max } => raw.number(min, max).map(|n| vec![n.to_string()]).map_err(here),
            Form::Flag => raw.flag().map(|on| vec![on.to_string()]).map_err(here),
        };
        match read {
            Ok(list) => Some((list, raw.place(self.source))),
            Err((place, problem)) => {
                self.mistake(place, key, problem);
                None
            }
        }
    }

    fn warn_of_target(&mut self, path: &str, target: &TargetConfig) {
        if let Via::Email(mail) = &target.via
            && mail.security == Security::None
            && mail.credentials.is_some()
        {
            self.config
                .warnings
                .push(format!("{path}: the password of the mail server goes over the network as plain text; set `security`"));
        }
        let configured = |id: &AccountId| self.config.accounts.iter().any(|a| a.id == *id);
        let unknown: Vec<String> = target.filter.accounts.iter().filter(|id| !configured(id)).map(ToString::to_string).collect();
        if !unknown.is_empty() {
            self.config.warnings.push(format!("{path}.accounts: there is no account {}", unknown.join(", ")));
        }
    }
}
