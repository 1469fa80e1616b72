//! The templates of one account: what the provider told of each, what was refused because of it, and how its messages fared.
//!
//! What is told is a join, so that neither order nor repetition matters; what is counted is counted once, in the commit of what it comes
//! from. Each template is a sheet of its own: a change costs by the templates that it touches. It must not know a provider or a store.

mod advice;
mod counts;
mod facts;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::event::{About, AccountEvent};
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::time::Millis;

use super::Sheet;

pub use advice::template_advice;
pub use counts::{FAILURE_CODES_MAX, TemplateCounts};
pub use facts::{CHANGES_MAX, Change, REFUSALS_MAX, TemplateFacts, Told};

/// How many templates of one account are told apart; those that come later are counted together and not described.
pub const TEMPLATES_MAX: usize = 2_000;

/// Longest template id that is told apart, in bytes.
const ID_BYTES_MAX: usize = 200;

/// The first part of every sheet's name.
const KIND: &str = "templates";

/// Where the sheets of an account's templates begin; of every account's without one.
pub fn prefix(account: Option<&AccountId>) -> String {
    account.map_or_else(|| format!("{KIND}/"), |account| format!("{KIND}/{account}/"))
}

/// Account and template of a sheet's name; the template is `None` for those that are counted together.
pub fn named(name: &str) -> Option<(AccountId, Option<&str>)> {
    let (account, template) = name.strip_prefix(KIND)?.strip_prefix('/')?.split_once('/')?;
    Some((AccountId::parse(account).ok()?, Some(template).filter(|t| !t.is_empty())))
}

/// The templates of one account.
#[derive(Clone, Debug)]
pub struct Templates {
    account: AccountId,
    each: BTreeMap<String, TemplateFacts>,
    /// What is counted together, beyond [`TEMPLATES_MAX`].
    other: TemplateFacts,
    /// Changed since the sheets were last taken; the empty id stands for `other`.
    changed: BTreeSet<String>,
}

impl Templates {
    /// None yet.
    pub fn new(account: AccountId) -> Templates {
        Templates { account, each: BTreeMap::new(), other: TemplateFacts::default(), changed: BTreeSet::new() }
    }

    /// What was kept; sheets of other accounts and such as cannot be read are passed over.
    pub fn load<'a>(account: AccountId, sheets: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Templates {
        let mut templates = Templates::new(account);
        for (name, data) in sheets {
            let (Some((owner, template)), Some(facts)) = (named(name), TemplateFacts::decode(data)) else { continue };
            match template {
                _ if owner != templates.account => {}
                Some(template) => drop(templates.each.insert(template.to_owned(), facts)),
                None => templates.other = facts,
            }
        }
        templates
    }

    /// Every template by its id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &TemplateFacts)> {
        self.each.iter().map(|(id, facts)| (id.as_str(), facts))
    }

    /// One template.
    pub fn get(&self, template_id: &str) -> Option<&TemplateFacts> {
        self.each.get(template_id)
    }

    /// What is counted together, beyond [`TEMPLATES_MAX`].
    pub fn other(&self) -> &TemplateFacts {
        &self.other
    }

    /// Joins what an event says of a template; events about anything else change nothing.
    pub fn observe(&mut self, event: &AccountEvent, arrival: Millis) {
        let About::Template { template_id, change } = &event.about else { return };
        let at = event.at.unwrap_or(arrival);
        if let Some(facts) = self.edit(template_id, false) {
            facts.observe(change, at);
        }
    }

    /// Joins that a message was refused because of its template.
    pub fn observe_failure(&mut self, template_id: &str, code: &str, at: Millis) {
        if let Some(facts) = self.edit(template_id, false) {
            facts.observe_failure(code, at);
        }
    }

    /// Counts a message of a template into the state that it entered and out of the one that it left; `code` is that of the failure, where
    /// it failed.
    pub fn moved(&mut self, template_id: &str, from: Option<State>, to: State, code: Option<&str>) {
        if let Some(facts) = self.edit(template_id, true) {
            facts.counts.moved(from, to, code);
        }
    }

    /// Takes out a message that turned out to be of another template, or another message.
    pub fn left(&mut self, template_id: &str, from: State) {
        if let Some(facts) = self.edit(template_id, true) {
            facts.counts.left(from);
        }
    }

    /// The sheets of what changed since they were last taken.
    pub fn take_changed(&mut self) -> Vec<Sheet> {
        let changed = std::mem::take(&mut self.changed);
        let facts = |id: &str| if id.is_empty() { Some(&self.other) } else { self.each.get(id) };
        let sheet =
            |id: String| Sheet { name: format!("{}{id}", prefix(Some(&self.account))), data: facts(&id).map(TemplateFacts::encode) };
        changed.into_iter().map(sheet).collect()
    }

    /// A template to change. Beyond the bound there is none, or the common one where that will do.
    fn edit(&mut self, template_id: &str, or_other: bool) -> Option<&mut TemplateFacts> {
        let fits = (1..=ID_BYTES_MAX).contains(&template_id.len());
        let known = self.each.contains_key(template_id);
        if fits && (known || self.each.len() < TEMPLATES_MAX) {
            self.changed.insert(template_id.to_owned());
            return Some(self.each.entry(template_id.to_owned()).or_default());
        }
        or_other.then(|| {
            self.changed.insert(String::new());
            &mut self.other
        })
    }
}
