//! What the edge notices of an account beside its callbacks: refusals, why, repeats. It is counted here and taken away by whoever draws
//! conclusions. Bounded: accounts are those of the configuration, and every count has a closed set of names. It must not know HTTP.

use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::providers::{Finding, Refusal};

/// How often something came, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counted {
    /// How often.
    pub count: u64,
    /// When first.
    pub first: Millis,
    /// When last.
    pub last: Millis,
}

/// What was noticed of one account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Callbacks without the right proof.
    pub refused: BTreeMap<Refusal, Counted>,
    /// What explains them, where they were examined: the first of a minute only, so compare these with each other, not with `refused`.
    pub found: BTreeMap<Finding, Counted>,
    /// Callbacks that had come before, answered 200.
    pub repeats: u64,
    /// Requests that were turned away before any proof was looked at: method, size, time, encoding, a broken body.
    pub malformed: u64,
}

/// The tallies of every configured account.
#[derive(Debug, Default)]
pub struct Signals(HashMap<AccountId, Mutex<Tally>>);

impl Signals {
    /// For these accounts. What is noticed of any other one is dropped.
    pub fn new(accounts: impl IntoIterator<Item = AccountId>) -> Signals {
        Signals(accounts.into_iter().map(|id| (id, Mutex::default())).collect())
    }

    /// A callback was refused.
    pub fn refused(&self, account: &AccountId, refusal: Refusal, at: Millis) {
        self.note(account, |tally| count(&mut tally.refused, refusal, at));
    }

    /// A refusal was explained.
    pub fn found(&self, account: &AccountId, findings: &[Finding], at: Millis) {
        self.note(account, |tally| findings.iter().for_each(|f| count(&mut tally.found, f.clone(), at)));
    }

    /// A callback came again.
    pub fn repeated(&self, account: &AccountId) {
        self.note(account, |tally| tally.repeats += 1);
    }

    /// A request was turned away before any proof was looked at.
    pub fn malformed(&self, account: &AccountId) {
        self.note(account, |tally| tally.malformed += 1);
    }

    /// Takes away what was noticed since the last time: accounts of which there is anything, in order.
    pub fn drain(&self) -> Vec<(AccountId, Tally)> {
        let take = |tally: &Mutex<Tally>| tally.lock().map(|mut t| std::mem::take(&mut *t)).unwrap_or_default();
        let taken = self.0.iter().map(|(id, tally)| (id.clone(), take(tally)));
        let mut all: Vec<_> = taken.filter(|(_, tally)| *tally != Tally::default()).collect();
        all.sort_by(|(a, _), (b, _)| a.as_str().cmp(b.as_str()));
        all
    }

    fn note(&self, account: &AccountId, how: impl FnOnce(&mut Tally)) {
        if let Some(Ok(mut tally)) = self.0.get(account).map(Mutex::lock) {
            how(&mut tally);
        }
    }
}

fn count<K: Ord>(all: &mut BTreeMap<K, Counted>, key: K, at: Millis) {
    let counted = all.entry(key).or_insert(Counted { count: 0, first: at, last: at });
    counted.count += 1;
    // Examinations end in any order.
    counted.first = counted.first.min(at);
    counted.last = counted.last.max(at);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Clue;

    fn id(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    #[test]
    fn what_is_taken_away_was_counted_once() {
        let signals = Signals::new([id("b"), id("a"), id("idle")]);
        assert_eq!(signals.drain(), []);
        signals.refused(&id("b"), Refusal::Mismatch, Millis(20));
        signals.refused(&id("b"), Refusal::Mismatch, Millis(30));
        signals.refused(&id("b"), Refusal::Missing, Millis(40));
        let other = Finding { clue: Clue::OtherAccount, account: Some(id("a")) };
        signals.found(&id("b"), &[other.clone(), Clue::Truncated.into()], Millis(30));
        signals.found(&id("b"), std::slice::from_ref(&other), Millis(20));
        signals.repeated(&id("a"));
        signals.malformed(&id("a"));
        let taken = signals.drain();
        let counted = |count, first, last| Counted { count, first: Millis(first), last: Millis(last) };
        assert_eq!(taken[0], (id("a"), Tally { repeats: 1, malformed: 1, ..Tally::default() }));
        let b = &taken[1].1;
        assert_eq!(b.refused, [(Refusal::Missing, counted(1, 40, 40)), (Refusal::Mismatch, counted(2, 20, 30))].into());
        assert_eq!(b.found, [(other, counted(2, 20, 30)), (Clue::Truncated.into(), counted(1, 30, 30))].into());
        assert_eq!((taken.len(), signals.drain()), (2, Vec::new()));
    }

    #[test]
    fn strangers_get_no_entry() {
        let signals = Signals::new([id("a")]);
        for n in 0..1_000 {
            signals.refused(&id(&format!("stranger-{n}")), Refusal::Missing, Millis(n));
            signals.malformed(&id("b"));
        }
        assert_eq!((signals.drain(), signals.0.len()), (Vec::new(), 1));
    }
}
