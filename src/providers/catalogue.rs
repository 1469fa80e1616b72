//! The failure catalogue: every known code of every provider, read once from the TOML files beside each provider.
//!
//! The files are data for people who do not program; the tests below hold them to their form.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::{Lookup, PROVIDERS, Spec};
use crate::domain::failure::{Class, Entry, Failure, Retry};

/// Every family of every provider, in the order of the registry.
pub struct Catalogue {
    families: Vec<FamilyEntries>,
    index: HashMap<FamilyKey, HashMap<CodeKey, usize>>,
}

/// Provider and family.
type FamilyKey = (&'static str, &'static str);

/// Code and sub-code.
type CodeKey = (String, Option<String>);

/// The entries of one family, sorted.
pub struct FamilyEntries {
    /// Provider slug.
    pub provider: &'static str,
    /// Family slug.
    pub family: &'static str,
    /// The entries.
    pub entries: Vec<Entry>,
}

/// A found entry and where it stands.
#[derive(Clone, Copy)]
pub struct Found {
    /// Provider slug.
    pub provider: &'static str,
    /// Family slug.
    pub family: &'static str,
    /// The entry.
    pub entry: &'static Entry,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    family: String,
    entry: Vec<Entry>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::read);

/// The catalogue of this build.
pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

impl Catalogue {
    /// Reads the compiled-in files. They are checked by this build's tests; a family that does not parse would be empty.
    fn read() -> Catalogue {
        let mut families = Vec::new();
        let mut index: HashMap<_, HashMap<_, _>> = HashMap::new();
        for spec in PROVIDERS {
            for family in spec.families {
                let file = parse_file(family.toml).ok().filter(|f| f.family == family.slug);
                let entries = file.map(|f| f.entry).unwrap_or_default();
                let by_code = entries.iter().enumerate().map(|(i, e)| ((e.code.clone(), e.subcode.clone()), i)).collect();
                index.insert((spec.slug, family.slug), by_code);
                families.push(FamilyEntries { provider: spec.slug, family: family.slug, entries });
            }
        }
        Catalogue { families, index }
    }

    /// Every family.
    pub fn families(&'static self) -> impl Iterator<Item = &'static FamilyEntries> {
        self.families.iter()
    }

    /// Every entry.
    pub fn entries(&'static self) -> impl Iterator<Item = Found> {
        self.families.iter().flat_map(|f| f.entries.iter().map(move |entry| Found { provider: f.provider, family: f.family, entry }))
    }

    /// The entry at one place.
    pub fn get(&'static self, at: &Lookup) -> Option<Found> {
        let i = *self.index.get(&(at.provider, at.family))?.get(&(at.code.clone(), at.subcode.clone()))?;
        let f = self.families.iter().find(|f| f.provider == at.provider && f.family == at.family)?;
        Some(Found { provider: f.provider, family: f.family, entry: &f.entries[i] })
    }

    /// The entry that explains a failure of a message of this kind.
    pub fn explain(&'static self, spec: &Spec, kind: Option<&str>, failure: &Failure) -> Option<Found> {
        let code = failure.code.as_deref()?;
        (spec.lookup)(kind, code, failure.subcode.as_deref()).iter().find_map(|at| self.get(at))
    }

    /// Class and retry of a failure: the catalogue's, else what the answer itself suggested, else unknown and later.
    pub fn classify(&'static self, spec: &Spec, kind: Option<&str>, failure: &Failure) -> (Class, Retry) {
        let known = self.explain(spec, kind, failure).and_then(|f| f.entry.judge(failure.text.as_deref()));
        known.or(failure.fallback).unwrap_or((Class::Unknown, Retry::Later))
    }

    /// Every entry of a provider that a person may mean by `code`: `code`, `code.subcode`, a sub-code alone, with or without its sign.
    pub fn search(&'static self, provider: &str, code: &str) -> Vec<Found> {
        let (base, sub) = match code.split_once('.') {
            Some((base, sub)) => (base, Some(sub)),
            None => (code, None),
        };
        let exact: Vec<Found> =
            self.entries().filter(|f| f.provider == provider && f.entry.code == base && f.entry.subcode.as_deref() == sub).collect();
        if !exact.is_empty() || base.starts_with('-') {
            return exact;
        }
        if sub.is_none() {
            // Providers put a sub-code into `code` at times, so a message may show it there.
            let alone: Vec<Found> = self.entries().filter(|f| f.provider == provider && f.entry.subcode.as_deref() == Some(base)).collect();
            if !alone.is_empty() {
                return alone;
            }
        }
        let signed = format!("-{base}");
        self.entries().filter(|f| f.provider == provider && f.entry.code == signed && f.entry.subcode.as_deref() == sub).collect()
    }
}

fn parse_file(text: &str) -> Result<File, toml::de::Error> {
    toml::from_str(text)
}

/// The order of entries in a file: whole numbers by absolute value (negative first), then words; sub-codes after none.
pub fn entry_order(a: &Entry, b: &Entry) -> Ordering {
    fn key(code: &str) -> (bool, u64, bool, &str) {
        match code.parse::<i64>() {
            Ok(n) => (false, n.unsigned_abs(), n > 0, ""),
            Err(_) => (true, 0, false, code),
        }
    }
    fn sub(e: &Entry) -> Option<(bool, u64, bool, &str)> {
        e.subcode.as_deref().map(key)
    }
    key(&a.code).cmp(&key(&b.code)).then_with(|| sub(a).cmp(&sub(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::failure::Lang;

    #[test]
    fn every_file_parses_and_names_its_own_family() {
        for spec in PROVIDERS {
            for family in spec.families {
                let file = parse_file(family.toml).unwrap_or_else(|e| panic!("{}/{}: {e}", spec.slug, family.slug));
                assert_eq!(file.family, family.slug);
                assert!(!file.entry.is_empty());
            }
        }
    }

    #[test]
    fn every_file_is_sorted_and_without_repeats() {
        for family in catalogue().families() {
            for pair in family.entries.windows(2) {
                let order = entry_order(&pair[0], &pair[1]);
                let place = format!("{}/{}: {:?} before {:?}", family.provider, family.family, pair[0].code, pair[1].code);
                assert_eq!(order, Ordering::Less, "{place}");
            }
        }
    }

    #[test]
    fn every_entry_is_complete_in_both_languages() {
        let vietnamese = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ";
        for f in catalogue().entries() {
            let place = format!("{}/{} {}", f.provider, f.family, f.entry.code);
            for lang in Lang::ALL {
                let t = f.entry.texts(*lang);
                for text in [&t.title, &t.cause, &t.remedy] {
                    assert!(text.trim().len() >= 6 && text.trim() == text, "{place}: {lang}: {text:?}");
                }
                assert!(t.cause.len() >= 12 && t.remedy.len() >= 12, "{place}: {lang}");
            }
            let vi = format!("{}{}{}", f.entry.vi.title, f.entry.vi.cause, f.entry.vi.remedy).to_lowercase();
            assert!(vi.chars().any(|c| vietnamese.contains(c)), "{place}: no Vietnamese letters");
            assert_ne!(f.entry.vi, f.entry.en, "{place}");
            assert_eq!(f.entry.class.is_some(), f.entry.retry.is_some(), "{place}");
            assert!(!f.entry.standing.is_empty(), "{place}");
            if let Some(other) = &f.entry.by_words {
                assert!(!other.words.is_empty() && other.words.iter().all(|w| !w.trim().is_empty() && *w == w.to_lowercase()), "{place}");
            }
        }
    }

    #[test]
    fn a_code_is_found_with_its_sub_code_and_without_its_sign() {
        let c = catalogue();
        assert!(c.search("zalo", "230").iter().any(|f| f.entry.code == "-230"));
        assert_eq!(c.search("zalo", "-100").len(), 2);
        assert_eq!(c.search("facebook", "10.2018300").len(), 1);
        assert!(c.search("facebook", "10").iter().all(|f| f.entry.subcode.is_none()));
        let alone: Vec<_> = c.search("facebook", "2018300").iter().map(|f| f.entry.code.as_str()).collect();
        assert_eq!(alone, ["10"], "a sub-code that stands in `code`");
        assert!(c.search("facebook", "10.9").is_empty());
        assert!(c.search("zalo", "-99999").is_empty());
    }
}
