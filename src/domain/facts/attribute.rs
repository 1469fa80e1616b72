//! One attribute of a message as each kind of evidence told it.

use serde::{Deserialize, Serialize};

use super::seen::smaller;
use crate::domain::event::Evidence;

/// One attribute as each kind of evidence told it; a hashed phone never replaces a known one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub(super) registered: Option<String>,
    pub(super) echo: Option<String>,
    pub(super) receipt: Option<String>,
    /// What holds where nobody tells: the weakest there is.
    pub(super) guess: Option<String>,
}

pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Attribute {
    pub(super) fn slot(&mut self, evidence: Evidence) -> &mut Option<String> {
        match evidence {
            Evidence::Registered => &mut self.registered,
            Evidence::Echo => &mut self.echo,
            Evidence::Receipt => &mut self.receipt,
        }
    }

    /// Joins a value that holds only where nobody tells a better one.
    pub fn guess(&mut self, value: Option<&str>) {
        if let Some(value) = value.filter(|v| !v.is_empty()) {
            smaller(&mut self.guess, Some(value));
        }
    }

    /// Joins a value; of two different ones of equal standing the plain one, then the smaller text counts, whatever came first.
    pub fn observe(&mut self, evidence: Evidence, value: Option<&str>) {
        let Some(value) = value.filter(|v| !v.is_empty()) else { return };
        let slot = self.slot(evidence);
        let better = slot.as_deref().is_none_or(|old| (is_hash(value), value) < (is_hash(old), old));
        if better {
            *slot = Some(value.to_owned());
        }
    }

    pub(super) fn join(&mut self, other: &Attribute) {
        self.observe(Evidence::Registered, other.registered.as_deref());
        self.observe(Evidence::Echo, other.echo.as_deref());
        self.observe(Evidence::Receipt, other.receipt.as_deref());
        self.guess(other.guess.as_deref());
    }

    /// The value that is shown.
    pub fn value(&self) -> Option<&str> {
        let tiers = [&self.registered, &self.echo, &self.receipt, &self.guess];
        let plain = tiers.iter().find_map(|t| t.as_deref().filter(|v| !is_hash(v)));
        plain.or_else(|| tiers.iter().find_map(|t| t.as_deref()))
    }

    /// The value that the sender's system registered.
    pub fn registered(&self) -> Option<&str> {
        self.registered.as_deref()
    }

    /// The value without what receipts alone told.
    pub(super) fn value_without_receipts(&self) -> Option<&str> {
        self.registered.as_deref().or(self.echo.as_deref())
    }
}
