//! What an account's event states, in our words: of a template, an allowance, a right withdrawn, a policy. It must not know a provider's
//! own words but as texts to show.

use serde::{Deserialize, Serialize};

use crate::domain::failure::named;

named! {
    /// Where a template stands with the provider.
    TemplateStatus {
        /// The provider is looking at it.
        Pending = "pending",
        /// It may be used.
        Approved = "approved",
        /// It was turned down.
        Rejected = "rejected",
        /// It may not be used any more, or not for now.
        Disabled = "disabled",
        /// It is gone.
        Deleted = "deleted",
        /// Nothing tells, or in a word that we do not know.
        Unknown = "unknown",
    }
}

named! {
    /// What a provider did to an account for breaking its rules.
    PolicyAction {
        /// It warned.
        Warning = "warning",
        /// It barred the account.
        Block = "block",
        /// It lifted the bar.
        Unblock = "unblock",
        /// Something in a word that we do not know.
        Other = "other",
    }
}

/// A status as it was told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToldStatus {
    /// In our words.
    pub status: TemplateStatus,
    /// In the provider's.
    pub raw: String,
}

/// What changed about a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TemplateChange {
    /// Its status.
    Status {
        /// Before.
        previous: Option<ToldStatus>,
        /// Now.
        status: ToldStatus,
        /// Why, in the provider's words.
        reason: Option<String>,
    },
    /// Its quality, in the provider's word.
    Quality(String),
    /// Its allowance, as the provider told it.
    Quota(String),
    /// Its tags, as the provider told them.
    Tags(String),
}

/// What an account's event is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum About {
    /// A template.
    Template {
        /// Which.
        template_id: String,
        /// What changed.
        change: TemplateChange,
    },
    /// The allowance of a day.
    DailyQuota {
        /// The OA, Page or number that has it, where it is told.
        sender: Option<String>,
        /// Before, as it was written.
        previous: Option<String>,
        /// Now, as it was written.
        value: Option<String>,
    },
    /// The right to act for the account was withdrawn.
    Revoked {
        /// The OA, Page or number that withdrew it, where it is told.
        sender: Option<String>,
    },
    /// The provider warned or barred the account, or lifted the bar.
    Policy {
        /// What it did.
        action: PolicyAction,
        /// Why, in the provider's words.
        reason: Option<String>,
    },
    /// Nothing of these.
    #[default]
    Other,
}

/// What an answer tells of an allowance. Figures are texts: providers write them either way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Which allowance, in the provider's word.
    pub kind: Option<String>,
    /// How many a day.
    pub daily: Option<String>,
    /// How many are left.
    pub remaining: Option<String>,
}
