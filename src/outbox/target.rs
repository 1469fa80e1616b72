//! A receiver as the outbox works with it, and which events concern it. It must not know the store.

use sha2::{Digest, Sha256};

use crate::config::{Config, TargetConfig, Via};
use crate::domain::failure::Lang;
use crate::domain::feed::{Entry, What};
use crate::domain::state::State;
use crate::domain::watch::Standing;

/// A receiver.
#[derive(Clone, Debug)]
pub struct Target {
    /// As configured.
    pub config: TargetConfig,
    /// The language of its texts.
    pub lang: Lang,
    /// What its address is known by: the same for the same address, and nothing can be read from it.
    pub address: String,
}

impl Target {
    /// Every receiver of a configuration.
    pub fn all(config: &Config) -> Vec<Target> {
        config.targets.iter().map(|t| Target::new(t.clone(), t.lang.unwrap_or(config.lang))).collect()
    }

    /// A receiver.
    pub fn new(config: TargetConfig, lang: Lang) -> Target {
        let address = match &config.via {
            Via::Telegram { chat_id, api, .. } => format!("{api} {chat_id}"),
            Via::Slack { webhook_url, .. } => webhook_url.expose().to_owned(),
            Via::Email(mail) => format!("{} {}", mail.host, mail.to.join(" ")),
            Via::Webhook(endpoint) => endpoint.url.clone(),
        };
        let hash = Sha256::digest(address.as_bytes());
        Target { config, lang, address: hash.iter().take(8).map(|b| format!("{b:02x}")).collect() }
    }

    /// Its id.
    pub fn id(&self) -> &str {
        &self.config.id
    }

    /// An entry concerns it, as far as the entry alone tells.
    pub fn wants(&self, entry: &Entry) -> bool {
        let filter = &self.config.filter;
        let account = filter.accounts.is_empty() || filter.accounts.contains(&entry.account);
        // An account that begins to work is no news to be woken by.
        let first_call = matches!(entry.what, What::Account { from: Standing::Draft, to: Standing::Connected, .. });
        account && names(&filter.events, entry.what.name()) && (self.config.is_subscription() || !first_call)
    }

    /// A message concerns it.
    pub fn wants_message(&self, kind: Option<&str>, state: &str) -> bool {
        let filter = &self.config.filter;
        let kind_fits = filter.kinds.is_empty() || kind.is_some_and(|kind| filter.kinds.iter().any(|k| k == kind));
        kind_fits && (filter.states.is_empty() || State::parse(state).is_some_and(|state| filter.states.contains(&state)))
    }
}

/// A name is among names and beginnings (`message.*`); among none every name is.
pub(super) fn names(list: &[String], name: &str) -> bool {
    let fits = |wanted: &String| match wanted.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => wanted == name,
    };
    list.is_empty() || list.iter().any(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_whole_or_by_its_beginning() {
        let list = ["message.*".to_owned(), "incident.opened".to_owned()];
        for (name, wanted) in [("message.sent", true), ("incident.opened", true), ("incident.closed", false), ("account.changed", false)] {
            assert_eq!(names(&list, name), wanted, "{name}");
            assert!(names(&[], name));
        }
    }
}
