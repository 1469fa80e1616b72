//! The kinds, templates and carriers of one account that are counted apart, so that their number has a bound.

use serde::{Deserialize, Serialize};

use super::place::By;
use crate::domain::quick::QuickMap;

/// Kinds of an account that are counted apart.
pub const KINDS_MAX: usize = 24;

/// Templates of an account that are counted apart.
pub const TEMPLATES_MAX: usize = 200;

/// Carriers of an account that are counted apart.
pub const CARRIERS_MAX: usize = 16;

/// A longer value counts among the others.
pub const VALUE_BYTES_MAX: usize = 64;

/// A value that was not met for so many days makes room for another one.
const FORGOTTEN_DAYS: i64 = 40;

/// Number of "has none".
pub(super) const NOTHING: u32 = 0;

/// Number of "one of the others".
pub(super) const OTHERS: u32 = 1;

/// First number of a value.
pub(super) const FIRST: u32 = 2;

/// A value: a number that stands for it while this process runs, and the last day it was met.
#[derive(Clone, Copy, Debug)]
struct Known {
    number: u32,
    day: i64,
}

/// The values of one account.
#[derive(Debug, Default)]
pub(super) struct Names {
    of: [QuickMap<Box<str>, Known>; 3],
    pub(super) changed: bool,
}

/// As they are kept.
#[derive(Serialize, Deserialize)]
struct Kept(Vec<(u8, String, i64)>);

const fn at(by: By) -> usize {
    match by {
        By::Kind => 0,
        By::Template => 1,
        By::Carrier => 2,
    }
}

const fn room(by: By) -> usize {
    match by {
        By::Kind => KINDS_MAX,
        By::Template => TEMPLATES_MAX,
        By::Carrier => CARRIERS_MAX,
    }
}

impl Names {
    /// The number of a value; `next` is the next free one.
    pub(super) fn number(&mut self, by: By, value: Option<&str>, day: i64, next: &mut u32) -> u32 {
        let Some(value) = value.filter(|v| !v.is_empty()) else { return NOTHING };
        let of = &mut self.of[at(by)];
        if let Some(known) = of.get_mut(value) {
            if known.day < day {
                known.day = day;
                self.changed = true;
            }
            return known.number;
        }
        if value.len() > VALUE_BYTES_MAX {
            return OTHERS;
        }
        if of.len() >= room(by) {
            let oldest = of.iter().min_by_key(|(_, known)| known.day).filter(|(_, known)| known.day < day - FORGOTTEN_DAYS);
            let Some(oldest) = oldest.map(|(text, _)| text.clone()) else { return OTHERS };
            of.remove(&oldest);
        }
        let number = *next;
        *next += 1;
        of.insert(value.into(), Known { number, day });
        self.changed = true;
        number
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut kept: Vec<_> =
            (0u8..).zip(&self.of).flat_map(|(i, of)| of.iter().map(move |(text, k)| (i, text.to_string(), k.day))).collect();
        kept.sort();
        postcard::to_stdvec(&Kept(kept)).unwrap_or_default()
    }

    pub(super) fn decode(bytes: &[u8], next: &mut u32) -> Names {
        let mut names = Names::default();
        let kept = postcard::from_bytes::<Kept>(bytes).map(|k| k.0).unwrap_or_default();
        for (i, text, day) in kept {
            if let Some(of) = names.of.get_mut(usize::from(i)) {
                of.insert(text.into(), Known { number: *next, day });
                *next += 1;
            }
        }
        names
    }
}
