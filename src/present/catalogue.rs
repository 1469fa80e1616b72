//! Catalogue entries as the outside sees them.

use serde::Serialize;
use utoipa::ToSchema;

use super::examples;
use super::schema::{FailureClass, Family, Provider, Retry};
use crate::domain::failure::Lang;
use crate::providers::catalogue::Found;

/// One entry of the failure catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CatalogueEntry, example = json!(examples::entry()))]
pub struct EntryView {
    /// Provider slug.
    #[schema(value_type = Provider)]
    pub provider: &'static str,
    /// Family slug.
    #[schema(value_type = Family)]
    pub family: &'static str,
    /// The code.
    pub code: &'static str,
    /// The sub-code.
    pub subcode: Option<&'static str>,
    /// Whose business it is; null for a code that is no failure.
    #[schema(value_type = Option<FailureClass>)]
    pub class: Option<&'static str>,
    /// Whether and when sending again makes sense; null for a code that is no failure.
    #[schema(value_type = Option<Retry>)]
    pub retry: Option<&'static str>,
    /// What it is.
    pub title: &'static str,
    /// Why it happens.
    pub cause: &'static str,
    /// What to do, and who does it.
    pub remedy: &'static str,
    /// Kinds of messages or calls it concerns; empty for all.
    pub applies_to: &'static [String],
}

/// Entries of the failure catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CatalogueList, example = json!(examples::entry_list()))]
pub struct EntryList {
    /// The entries.
    pub data: Vec<EntryView>,
}

impl EntryView {
    /// An entry in a language.
    pub fn new(found: Found, lang: Lang) -> EntryView {
        let e = found.entry;
        let texts = e.texts(lang);
        EntryView {
            provider: found.provider,
            family: found.family,
            code: &e.code,
            subcode: e.subcode.as_deref(),
            class: e.class.map(|c| c.as_str()),
            retry: e.retry.map(|r| r.as_str()),
            title: &texts.title,
            cause: &texts.cause,
            remedy: &texts.remedy,
            applies_to: &e.applies_to,
        }
    }

    /// A word stands in it, without regard to case.
    pub fn mentions(&self, word: &str) -> bool {
        let word = word.to_lowercase();
        let texts = [self.code, self.title, self.cause, self.remedy, self.subcode.unwrap_or_default()];
        texts.iter().any(|t| t.to_lowercase().contains(&word))
    }
}
