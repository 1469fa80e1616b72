//! What the fold must know of providers and deadlines, looked up by account.

use std::sync::Arc;

use crate::config::AccountConfig;
use crate::domain::failure::{Class, Failure};
use crate::domain::ids::AccountId;
use crate::domain::message::{Carriage, Timeline};
use crate::domain::projection::Rules;
use crate::domain::quick::QuickMap;
use crate::domain::state::State;
use crate::domain::stuck::{Cause, Deadlines, Evidence, common_cause};
use crate::domain::time::{Millis, Span};
use crate::domain::watch::Configured;
use crate::providers::catalogue::catalogue;
use crate::providers::{Account, Spec};

/// One configured account.
#[derive(Clone)]
pub struct Known {
    /// Its provider.
    pub spec: &'static Spec,
    /// The account itself.
    pub account: Arc<dyn Account>,
}

impl Known {
    /// What a judgement of the account needs of its configuration.
    pub fn configured(&self) -> Configured {
        Configured { token_ends_at: self.account.token_ends_at() }
    }
}

/// Every configured account, and the deadlines.
#[derive(Clone, Default)]
pub struct AccountRules {
    accounts: QuickMap<AccountId, Known>,
    deadlines: Deadlines,
    learned_floor: Option<Span>,
}

impl AccountRules {
    /// From the configuration.
    pub fn new(accounts: &[AccountConfig], deadlines: Deadlines) -> AccountRules {
        let accounts = accounts.iter().map(|a| (a.id.clone(), Known { spec: a.provider, account: a.account.clone() })).collect();
        AccountRules { accounts, deadlines, learned_floor: None }
    }

    /// Deadlines in `sent` are learned, and never shorter than this.
    #[must_use]
    pub fn learning(self, floor: Option<Span>) -> AccountRules {
        AccountRules { learned_floor: floor, ..self }
    }

    /// The shortest learned deadline; `None` where deadlines are fixed.
    pub fn learned_floor(&self) -> Option<Span> {
        self.learned_floor
    }

    /// A configured account.
    pub fn get(&self, id: &AccountId) -> Option<&Known> {
        self.accounts.get(id)
    }

    /// A configured account by its slug.
    pub fn find(&self, slug: &str) -> Option<(&AccountId, &Known)> {
        let id = AccountId::parse(slug).ok()?;
        self.accounts.get_key_value(&id)
    }

    /// Every configured account.
    pub fn iter(&self) -> impl Iterator<Item = (&AccountId, &Known)> {
        self.accounts.iter()
    }

    /// Every deadline.
    pub fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }
}

impl Rules for AccountRules {
    fn has_threads(&self, account: &AccountId) -> bool {
        self.get(account).is_some_and(|k| k.spec.has_threads)
    }

    fn server_time_of_id(&self, account: &AccountId, message_id: &str) -> Option<Millis> {
        self.get(account).and_then(|k| (k.spec.server_time_of_id)(message_id))
    }

    fn stay(&self, account: &AccountId, kind: Option<&str>, state: State, _since: Millis) -> Option<Span> {
        self.get(account).and_then(|k| self.deadlines.stay(k.spec.slug, kind, state))
    }

    fn learns_deadlines(&self) -> bool {
        self.learned_floor.is_some()
    }

    fn stuck_cause(&self, account: &AccountId, evidence: &Evidence<'_>) -> Cause {
        self.get(account).map_or_else(|| common_cause(evidence), |k| (k.spec.stuck_cause)(evidence))
    }

    fn default_kind(&self, account: &AccountId) -> Option<&'static str> {
        self.get(account).and_then(|k| k.spec.default_kind)
    }

    fn carriage(&self, account: &AccountId, timeline: &Timeline) -> Carriage {
        self.get(account).and_then(|k| k.spec.carriage).map_or_else(Carriage::default, |read| read(timeline))
    }

    fn default_sender(&self, account: &AccountId) -> Option<&str> {
        self.get(account).and_then(|k| k.account.only_sender())
    }

    fn classify(&self, account: &AccountId, kind: Option<&str>, failure: &Failure) -> Class {
        self.get(account).map_or(Class::Unknown, |k| catalogue().classify(k.spec, kind, failure).0)
    }
}
