//! What was told of one template: changes with their times, and refusals. Sets and maxima, each bounded so that the newest stay, which is
//! a join still: what was dropped once is older than all that stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::counts::TemplateCounts;
use crate::domain::event::{TemplateChange, TemplateStatus, ToldStatus};
use crate::domain::time::Millis;

/// How many changes of one kind are kept of a template; the newest stay.
pub const CHANGES_MAX: usize = 20;

/// How many codes of refusals are kept of a template; those seen last stay.
pub const REFUSALS_MAX: usize = 16;

/// Something told at a time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Told<T> {
    /// When it was so: the provider's time, else that of arrival.
    pub at: Millis,
    /// What was told.
    pub what: T,
}

/// A change of status.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// The status from then on.
    pub status: ToldStatus,
    /// The one before.
    pub previous: Option<ToldStatus>,
    /// Why, in the provider's words.
    pub reason: Option<String>,
}

/// Everything known of one template.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateFacts {
    /// Its statuses.
    pub statuses: BTreeSet<Told<Change>>,
    /// Its qualities.
    pub qualities: BTreeSet<Told<String>>,
    /// Its allowances, as they were told.
    pub quotas: BTreeSet<Told<String>>,
    /// Its tags, as they were told.
    pub tags: BTreeSet<Told<String>>,
    /// Codes with which messages were refused because of it, and when last.
    pub refusals: BTreeMap<String, Millis>,
    /// How its messages fared.
    pub counts: TemplateCounts,
}

impl TemplateFacts {
    /// Joins a change.
    pub fn observe(&mut self, change: &TemplateChange, at: Millis) {
        match change {
            TemplateChange::Status { previous, status, reason } => {
                let what = Change { status: status.clone(), previous: previous.clone(), reason: reason.clone() };
                keep(&mut self.statuses, Told { at, what });
            }
            TemplateChange::Quality(text) => keep(&mut self.qualities, Told { at, what: text.clone() }),
            TemplateChange::Quota(text) => keep(&mut self.quotas, Told { at, what: text.clone() }),
            TemplateChange::Tags(text) => keep(&mut self.tags, Told { at, what: text.clone() }),
        }
    }

    /// Joins a refusal.
    pub fn observe_failure(&mut self, code: &str, at: Millis) {
        let last = self.refusals.entry(code.to_owned()).or_insert(at);
        *last = (*last).max(at);
        if self.refusals.len() > REFUSALS_MAX {
            let oldest = self.refusals.iter().min_by(|a, b| (a.1, a.0).cmp(&(b.1, b.0))).map(|(code, _)| code.clone());
            if let Some(oldest) = oldest {
                self.refusals.remove(&oldest);
            }
        }
    }

    /// Where it stands, as last told.
    pub fn status(&self) -> TemplateStatus {
        self.last_change().map_or(TemplateStatus::Unknown, |c| c.what.status.status)
    }

    /// The last change of its status.
    pub fn last_change(&self) -> Option<&Told<Change>> {
        self.statuses.last()
    }

    /// When anything was last told of it.
    pub fn told_at(&self) -> Option<Millis> {
        let texts = [&self.qualities, &self.quotas, &self.tags].into_iter().filter_map(|all| all.last()).map(|t| t.at);
        texts.chain(self.last_change().map(|c| c.at)).chain(self.refusals.values().copied()).max()
    }

    /// The refusals that came after everything told of its status, newest first: they may know better.
    pub fn refusals_since(&self) -> Vec<(&str, Millis)> {
        let since = self.last_change().map(|c| c.at);
        let mut all: Vec<(&str, Millis)> = self.refusals.iter().map(|(code, at)| (code.as_str(), *at)).collect();
        all.retain(|(_, at)| since.is_none_or(|since| *at >= since));
        all.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        all
    }

    /// As the bytes of a sheet.
    pub fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads the bytes of a sheet.
    pub fn decode(bytes: &[u8]) -> Option<TemplateFacts> {
        serde_json::from_slice(bytes).ok()
    }
}

fn keep<T: Ord>(all: &mut BTreeSet<Told<T>>, one: Told<T>) {
    all.insert(one);
    if all.len() > CHANGES_MAX {
        all.pop_first();
    }
}
