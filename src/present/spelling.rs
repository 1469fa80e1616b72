//! What is asked for, in every spelling under which it may be on record: phone numbers and ids. It must not know where it was asked.

use crate::domain::phone;
use crate::providers::PROVIDERS;
use crate::store::sqlite::query::IdSpelling;

/// A recipient as given, then as a phone number and as each provider compares it.
pub fn recipient_spellings(given: &str) -> Vec<String> {
    let mut all = vec![given.to_owned()];
    for other in phone::normalise(given).into_iter().chain(PROVIDERS.iter().map(|p| (p.fold_recipient)(given))) {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

/// A provider's id as each provider compares it: some fold letters, others tell them apart.
pub fn id_spellings(given: &str) -> Vec<IdSpelling> {
    let mut all: Vec<IdSpelling> = Vec::new();
    for provider in PROVIDERS {
        let text = (provider.fold_message_id)(given);
        match all.iter_mut().find(|s| s.text == text) {
            Some(known) => known.providers.push(provider.slug),
            None => all.push(IdSpelling { text, providers: vec![provider.slug] }),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_looked_for_in_any_spelling_and_as_given() {
        assert_eq!(recipient_spellings("0901234567"), ["0901234567", "84901234567"]);
        assert_eq!(recipient_spellings("+84-90-123-4567"), ["+84-90-123-4567", "84901234567"]);
        assert_eq!(recipient_spellings("84901234567"), ["84901234567"]);
        assert_eq!(recipient_spellings("6871234567890123"), ["6871234567890123"]);
    }

    #[test]
    fn an_id_is_looked_for_as_each_provider_compares_it() {
        let all = id_spellings("4F6B6A1D-0E57-4C1B-8E0C-8D4F2E2B7A11");
        let of = |provider: &str| all.iter().find(|s| s.providers.contains(&provider)).map(|s| s.text.as_str());
        assert_eq!(of("facebook"), Some("4F6B6A1D-0E57-4C1B-8E0C-8D4F2E2B7A11"), "told apart by case");
        assert_eq!(of("esms"), Some("4f6b6a1d-0e57-4c1b-8e0c-8d4f2e2b7a11"));
        assert_eq!(all.iter().map(|s| s.providers.len()).sum::<usize>(), PROVIDERS.len());
    }
}
