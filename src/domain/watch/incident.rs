//! Incidents: failures, stuck messages and accounts in trouble of one cause, folded into one thing that opens, grows and closes by itself.
//!
//! What is part of ordinary life (a phone that is off, a number without an account) opens none; what somebody can mend opens one at once.
//! It must not know how incidents are kept or told.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::IncidentId;
use super::standing::Reason;
use crate::domain::failure::{Class, Retry};
use crate::domain::feed::MessageAt;
use crate::domain::ids::AccountId;
use crate::domain::stuck::Cause;
use crate::domain::time::{Millis, Span};

/// How many example messages an incident keeps: the first ones.
pub const EXAMPLES_MAX: usize = 5;
/// How many hashes of recipients the estimate of their number keeps.
const RECIPIENTS_KEPT: usize = 256;
/// For how long no new message may join before a success closes an incident.
pub const CALM: Span = Span::minutes(15);
/// After how long without a new message an incident of failures closes without any success.
pub const FADED: Span = Span::hours(24);
/// Growth by this factor is told.
const GROWTH: u64 = 10;

/// What an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trouble {
    /// A cause of stuck messages, or the failures and the account's trouble that are the same thing.
    Cause(Cause),
    /// An account's trouble that is no cause of its own.
    Account(Reason),
    /// Failures of one code.
    Failure {
        /// The class.
        class: Class,
        /// The code.
        code: Option<String>,
        /// The sub-code.
        subcode: Option<String>,
    },
}

impl Trouble {
    /// What an account's reason is as an incident; `None` where all is well.
    pub fn of_reason(reason: Reason) -> Option<Trouble> {
        match reason {
            Reason::Well | Reason::NeverCalled => None,
            Reason::WebhookSilent | Reason::TrafficStopped => Some(Trouble::Cause(Cause::WebhookSilent)),
            Reason::ReceiptsNotSubscribed => Some(Trouble::Cause(Cause::ReceiptsNotSubscribed)),
            Reason::TokenInvalid | Reason::TokenExpired | Reason::PermissionRevoked => Some(Trouble::Cause(Cause::TokenInvalid)),
            Reason::ProviderSlow | Reason::SignaturesRefused | Reason::PolicyBlocked => Some(Trouble::Account(reason)),
        }
    }

    /// What a failure is as an incident.
    pub fn of_failure(class: Class, code: Option<&str>, subcode: Option<&str>) -> Trouble {
        match class {
            Class::Authorization => Trouble::Cause(Cause::TokenInvalid),
            Class::ThreadControl => Trouble::Cause(Cause::ThreadControl),
            class => Trouble::Failure { class, code: code.map(str::to_owned), subcode: subcode.map(str::to_owned) },
        }
    }

    /// Somebody should be woken up for it.
    pub fn is_urgent(&self) -> bool {
        match self {
            Trouble::Cause(cause) => matches!(cause, Cause::WebhookSilent | Cause::TokenInvalid),
            Trouble::Account(reason) => matches!(reason, Reason::SignaturesRefused | Reason::PolicyBlocked),
            Trouble::Failure { class, .. } => matches!(class, Class::Billing),
        }
    }

    /// The fixed outside name: the cause, the reason, or the class of failures.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Trouble::Cause(cause) => cause.as_str(),
            Trouble::Account(reason) => reason.as_str(),
            Trouble::Failure { class, .. } => class.as_str(),
        }
    }

    /// How many different people within an hour make it an incident.
    pub fn opens_at(&self, retry: Option<Retry>) -> Threshold {
        match self {
            Trouble::Account(_) => Threshold::People(1),
            Trouble::Cause(cause) => match cause {
                Cause::TokenInvalid | Cause::ThreadControl | Cause::AwaitingApproval => Threshold::People(1),
                // Where a whole account is silent the account itself opens it; a few messages alone prove nothing.
                Cause::WebhookSilent | Cause::ReceiptsNotSubscribed | Cause::SendUnconfirmed | Cause::PollNeeded | Cause::Unknown => {
                    Threshold::Several(5)
                }
                Cause::Scheduled | Cause::RecipientUnreachable => Threshold::Never,
            },
            Trouble::Failure { class, .. } => match class {
                Class::Billing | Class::Permission | Class::Template | Class::Authorization | Class::ThreadControl => Threshold::People(1),
                Class::Quota => Threshold::People(3),
                Class::Window if retry == Some(Retry::Later) => Threshold::People(3),
                Class::Content | Class::RateLimit | Class::Provider | Class::Network => Threshold::Several(5),
                Class::Recipient | Class::Window | Class::Unknown => Threshold::Share,
            },
        }
    }
}

/// When messages of one trouble are more than ordinary life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threshold {
    /// So many different people within an hour.
    People(usize),
    /// So many different people within an hour, and more than the noise of a large account.
    Several(usize),
    /// A share of the account's messages of the hour that no ordinary hour has.
    Share,
    /// Never by itself.
    Never,
}

/// What makes two messages part of the same incident.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct IncidentKey {
    /// The account.
    pub account: AccountId,
    /// What it is about.
    pub trouble: Trouble,
    /// The template, where the template is what is wrong.
    pub template_id: Option<String>,
    /// The carrier, where the provider names one.
    pub carrier: Option<String>,
}

/// An estimate of how many different people there are: the smallest hashes that were seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People(BTreeSet<u64>);

impl People {
    /// Adds one.
    pub fn add(&mut self, hash: u64) {
        self.0.insert(hash);
        if self.0.len() > RECIPIENTS_KEPT {
            self.0.pop_last();
        }
    }

    /// Whether one may be among them; sure while they are few.
    pub fn holds(&self, hash: u64) -> bool {
        self.0.contains(&hash)
    }

    /// How many; exact up to 256, within some six per cent beyond.
    pub fn count(&self) -> u64 {
        match self.0.last() {
            Some(largest) if self.0.len() == RECIPIENTS_KEPT => {
                let part = (*largest as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE);
                ((RECIPIENTS_KEPT - 1) as f64 / part) as u64
            }
            _ => self.0.len() as u64,
        }
    }
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number.
    pub id: IncidentId,
    /// What it is.
    pub key: IncidentKey,
    /// The kind of its first failed message, by which its code is explained.
    pub kind: Option<String>,
    /// When it opened.
    pub opened_at: Millis,
    /// Since when its cause has been there, as far as known.
    pub since: Millis,
    /// When the last message joined, or the account was last found so.
    pub last_at: Millis,
    /// When it closed.
    pub closed_at: Option<Millis>,
    /// Messages that ever joined.
    pub size: u64,
    /// Messages that are stuck for it now.
    pub stuck_now: u64,
    /// Different recipients.
    pub people: People,
    /// The first messages.
    pub examples: Vec<MessageAt>,
    /// The account itself is in this trouble now.
    pub standing: bool,
    /// The account itself was in this trouble, now or before.
    pub of_account: bool,
    /// Why the account stood as it did, where it was in this trouble itself: more exact than the trouble.
    pub reason: Option<Reason>,
    /// Failures have joined.
    pub failures: bool,
    /// A success since the last failure, that counts against it.
    pub succeeded_at: Option<Millis>,
    /// Those who failed and did not succeed since, where each has to by itself; the smallest hashes.
    pub unsettled: BTreeSet<u64>,
    /// Its size when it was last told of.
    pub told_size: u64,
}

impl Incident {
    /// An incident that opens now.
    pub fn new(id: IncidentId, key: IncidentKey, since: Millis, now: Millis) -> Incident {
        Incident {
            id,
            key,
            kind: None,
            opened_at: now,
            since: since.min(now),
            last_at: now,
            closed_at: None,
            size: 0,
            stuck_now: 0,
            people: People::default(),
            examples: Vec::new(),
            standing: false,
            of_account: false,
            reason: None,
            unsettled: BTreeSet::new(),
            failures: false,
            succeeded_at: None,
            told_size: 1,
        }
    }

    /// A message joins.
    pub fn join(&mut self, id: MessageAt, recipient: u64, at: Millis) {
        self.size += 1;
        self.people.add(recipient);
        self.last_at = self.last_at.max(at);
        if self.key.trouble.is_of_each() && self.unsettled.len() < RECIPIENTS_KEPT {
            self.unsettled.insert(recipient);
        }
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(id);
        }
    }

    /// It has grown so much that it is told of again; from then on the new size counts.
    pub fn grew(&mut self) -> bool {
        let grew = self.size >= self.told_size.saturating_mul(GROWTH);
        if grew {
            self.told_size = self.size;
        }
        grew
    }

    /// A success that counts against it came: a message of that kind to that recipient was sent then.
    pub fn succeeded(&mut self, kind: Option<&str>, recipient: u64, at: Millis) {
        let same_kind = match (&self.key.trouble, &self.kind) {
            (Trouble::Failure { .. }, Some(failed)) => kind == Some(failed),
            _ => true,
        };
        if !self.failures || at <= self.last_at || !same_kind {
            return;
        }
        if self.key.trouble.is_of_each() && (!self.unsettled.remove(&recipient) || !self.unsettled.is_empty()) {
            return;
        }
        self.succeeded_at = Some(self.succeeded_at.map_or(at, |t| t.max(at)));
    }

    /// It is over: the account is not in it, and failures have made way for successes or faded. Whoever is stuck for it keeps it open for
    /// a day: some of those may never move. Where the account itself was in it, its end is the end: what was lost meanwhile stays stuck.
    pub fn is_over(&self, now: Millis) -> bool {
        let faded = now.0 - self.last_at.0 >= FADED.0;
        let succeeded = self.succeeded_at.is_some_and(|at| at > self.last_at);
        let calm = now.0 - self.last_at.0 >= CALM.0 || self.heals_at_once();
        let failing = self.failures && !(succeeded && calm) && !faded;
        let stuck = self.stuck_now > 0 && !self.of_account && !faded;
        !self.standing && !stuck && !failing
    }
}

impl Incident {
    /// One success proves that it is over. Not where some sends are permitted and others are not.
    fn heals_at_once(&self) -> bool {
        match &self.key.trouble {
            Trouble::Cause(cause) => matches!(cause, Cause::TokenInvalid | Cause::ThreadControl),
            Trouble::Failure { class: Class::Template, .. } => self.key.template_id.is_some(),
            Trouble::Failure { class, .. } => matches!(class, Class::Billing),
            Trouble::Account(_) => false,
        }
    }
}

impl Trouble {
    /// Every recipient has it by itself: that one is out of it says nothing of the others.
    fn is_of_each(&self) -> bool {
        matches!(self, Trouble::Cause(Cause::ThreadControl))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Millis {
        Millis(minutes * 60_000)
    }

    fn one(trouble: Trouble) -> Incident {
        let key = IncidentKey { account: AccountId::parse("a").unwrap(), trouble, template_id: None, carrier: None };
        Incident::new(1, key, at(0), at(0))
    }

    fn failing(trouble: Trouble, people: u64) -> Incident {
        let mut incident = one(trouble);
        incident.failures = true;
        incident.kind = Some("zns".into());
        (0..people).for_each(|n| incident.join(MessageAt { row: n, created_at: at(0) }, n, at(0)));
        incident
    }

    fn class(class: Class) -> Trouble {
        Trouble::Failure { class, code: None, subcode: None }
    }

    #[test]
    fn a_success_of_another_kind_ends_nothing_and_one_of_the_same_after_a_calm_does() {
        let mut quota = failing(class(Class::Quota), 3);
        quota.succeeded(Some("cs"), 9, at(5));
        assert!(!quota.is_over(at(60)));
        quota.succeeded(Some("zns"), 9, at(5));
        assert!(!quota.is_over(at(14)) && quota.is_over(at(15)));
        let mut billing = failing(class(Class::Billing), 3);
        billing.succeeded(Some("zns"), 9, at(5));
        assert!(billing.is_over(at(5)), "money is there or it is not");
    }

    #[test]
    fn a_conversation_that_is_given_back_says_nothing_of_the_others() {
        let mut held = failing(Trouble::Cause(Cause::ThreadControl), 2);
        held.succeeded(Some("zns"), 0, at(5));
        held.succeeded(Some("zns"), 7, at(6));
        assert!(!held.is_over(at(7)));
        held.succeeded(Some("zns"), 1, at(8));
        assert!(held.is_over(at(8)));
    }

    #[test]
    fn those_who_never_move_keep_no_incident_open_for_ever() {
        let mut stuck = one(Trouble::Cause(Cause::PollNeeded));
        stuck.stuck_now = 5;
        assert!(!stuck.is_over(at(60)) && stuck.is_over(Millis(FADED.0)));
        let mut silent = one(Trouble::Cause(Cause::WebhookSilent));
        (silent.stuck_now, silent.standing, silent.of_account) = (5, true, true);
        assert!(!silent.is_over(at(60)));
        silent.standing = false;
        assert!(silent.is_over(at(61)), "the webhook is back; what was lost stays stuck");
    }

    #[test]
    fn tenfold_growth_is_told_once() {
        let mut incident = failing(class(Class::Content), 5);
        incident.told_size = 5;
        let grown = (5..500).filter(|n| {
            incident.join(MessageAt { row: *n, created_at: at(0) }, *n, at(1));
            incident.grew()
        });
        assert_eq!(grown.collect::<Vec<u64>>(), [49, 499]);
    }
}
