//! `[stuck.PROVIDER.KIND]`: the deadlines of the file and the environment over those of each provider.

use std::collections::{BTreeMap, BTreeSet};

use toml::de::DeTable;

use super::env;
use super::error::{Place, Problem, nearest};
use super::keys::keys_of;
use super::read::{Loader, span};
use super::value::Raw;
use crate::domain::stuck::{ANY_KIND, Limits};
use crate::domain::time::Span;
use crate::providers::Spec;

const STATES: [&str; 2] = ["queued", "sent"];
const SHORTEST: Span = Span::seconds(1);
const LONGEST: Span = Span::days(365);

/// Deadlines that were written, by kind; `queued` and `sent`, each with its place.
type Written = BTreeMap<String, [Option<Span>; 2]>;

/// The kind as it is kept: `default` and `any` stand for `*`.
fn kind_of(name: &str) -> Option<&str> {
    match name {
        "*" | "default" | "any" => Some(ANY_KIND),
        other if !other.is_empty() && other.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-')) => {
            Some(other)
        }
        _ => None,
    }
}

impl<'a> Loader<'a> {
    /// Reads every deadline.
    pub fn read_stuck(&mut self, root: &'a DeTable<'a>) {
        let table = root.get("stuck").and_then(|t| t.get_ref().as_table());
        let providers = self.providers;
        for spec in providers.iter().copied() {
            let path = format!("stuck.{}", spec.slug);
            let kinds = table.and_then(|t| self.table(t, spec.slug, &path));
            let written = self.read_kinds(spec, &path, kinds);
            self.apply(spec, written);
        }
        if let Some(table) = table {
            let known: Vec<&str> = keys_of("stuck").chain(providers.iter().map(|p| p.slug)).collect();
            self.unknown_keys(table, "stuck", &known);
        }
    }

    fn read_kinds(&mut self, spec: &'static Spec, path: &str, table: Option<&'a DeTable<'a>>) -> Written {
        let mut tables: BTreeMap<String, &'a DeTable<'a>> = BTreeMap::new();
        for (key, _) in table.into_iter().flatten() {
            let name = &**key.get_ref();
            let key_path = format!("{path}.{name}");
            let place = self.source.place(key.span().start);
            if STATES.contains(&name) {
                self.mistake(place, key_path, Problem::UnknownKey(format!("; put it under [{path}.default] or a kind of its own")));
                continue;
            }
            let Some(kind) = kind_of(name) else {
                self.mistake(place, key_path, Problem::BadKind);
                continue;
            };
            let Some(entry) = table.and_then(|t| self.table(t, name, &key_path)) else { continue };
            if tables.insert(kind.to_owned(), entry).is_some() {
                self.mistake(place, key_path.clone(), Problem::Twice(format!("{path}.{ANY_KIND}")));
            }
            self.unknown_keys(entry, &key_path, &STATES);
        }
        let kinds = self.kinds(spec, &tables);
        kinds.into_iter().map(|kind| (kind.clone(), self.read_kind(path, &kind, tables.get(&kind).copied()))).collect()
    }

    /// Every kind that anything is said of: by the provider, the file or a variable.
    fn kinds(&mut self, spec: &'static Spec, tables: &BTreeMap<String, &'a DeTable<'a>>) -> BTreeSet<String> {
        let mut kinds: BTreeSet<String> = spec.deadlines.iter().map(|d| d.kind.to_owned()).chain(tables.keys().cloned()).collect();
        let env = self.env;
        for (provider, name, state) in env.ours().filter_map(env::deadline_of) {
            let known = kinds.iter().any(|kind| kind.replace('-', "_") == name);
            if provider == spec.slug.replace('-', "_") && STATES.contains(&state.as_str()) && !known {
                kinds.extend(kind_of(&name).map(str::to_owned));
            }
        }
        kinds
    }

    fn read_kind(&mut self, path: &str, kind: &str, table: Option<&'a DeTable<'a>>) -> [Option<Span>; 2] {
        STATES.map(|state| {
            let key = format!("{path}.{kind}.{state}");
            // No shell takes a `*` in the name of a variable.
            let mut spellings = if kind == ANY_KIND { vec!["default", "any", ANY_KIND] } else { vec![kind] };
            let set = |spelling: &&str| self.env.has(&env::variable(&format!("{path}.{spelling}.{state}")));
            let spelling = spellings.iter().position(set).map_or(spellings[0], |at| spellings.swap_remove(at));
            let raw = self.pick(table, state, &key, Some(env::variable(&format!("{path}.{spelling}.{state}"))), false)?;
            self.read_deadline(&key, &raw)
        })
    }

    fn read_deadline(&mut self, key: &str, raw: &Raw<'a>) -> Option<Span> {
        let place = raw.place(self.source);
        match span(raw, SHORTEST, LONGEST) {
            Ok(span) => {
                self.came_from(key, place);
                Some(span)
            }
            Err(problem) => {
                self.mistake(place, key, problem);
                None
            }
        }
    }

    /// Puts the written deadlines over the provider's own. What a kind leaves open is taken from the provider's line of that
    /// kind, else from the line for every other kind.
    fn apply(&mut self, spec: &'static Spec, mut written: Written) {
        let deadlines = &mut self.config.stuck.deadlines;
        for own in spec.deadlines {
            deadlines.set(spec.slug, own.kind, Limits { queued: own.queued, sent: own.sent });
        }
        let any = written.remove_entry(ANY_KIND);
        let mut open = Vec::new();
        for (kind, [queued, sent]) in any.into_iter().chain(written) {
            let fallback = deadlines.limits(spec.slug, Some(&kind));
            match (queued.or(fallback.map(|l| l.queued)), sent.or(fallback.map(|l| l.sent))) {
                (Some(queued), Some(sent)) => deadlines.set(spec.slug, &kind, Limits { queued, sent }),
                (None, None) => {}
                (queued, _) => open.push((kind, if queued.is_none() { "queued" } else { "sent" })),
            }
        }
        for (kind, state) in open {
            let help = "nothing else says how long this kind may stay in it".to_owned();
            self.mistake(
                Place::Whole,
                format!("stuck.{}.{kind}.{state}", spec.slug),
                Problem::Missing { help, or_variable: String::new() },
            );
        }
    }

    /// A provider's slug that is near a word.
    pub fn provider_hint(&self, word: &str) -> String {
        nearest(word, self.providers.iter().map(|p| p.slug)).map_or(".".into(), |slug| format!("; did you mean \"{slug}\"?"))
    }
}
