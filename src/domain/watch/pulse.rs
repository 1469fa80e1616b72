//! The pulse of one account: what came in, what was sent and waits for a receipt, which tokens are refused, what was counted.
//!
//! Times and flags are maxima and unions, counters are sums over records that are each told once. It remembers; what it means is judged
//! in `judge`. It must not know how it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MessageMove;
use super::hours::Hours;
use super::recent::Recent;
use super::standing::{Reason, Standing};
use super::tokens::Tokens;
use crate::domain::event::{EventGroup, GroupRole};
use crate::domain::failure::Class;
use crate::domain::state::State;
use crate::domain::time::{Millis, Span};

/// Most different groups of events that an account remembers; providers have about a dozen.
const GROUPS_MAX: usize = 64;
/// Most recipients that are remembered as waiting since the last receipt.
pub const WAITING_MAX: usize = 64;
/// A send that becomes known later than this says nothing of what comes in now: its receipt may have come before we knew of it.
const NEWS_MAX: Span = Span::hours(2);
/// How many past silences are remembered, so that messages that were sent in one keep its cause.
const SILENCES_MAX: usize = 32;
/// For so long after a silence what was sent in it may still pass its deadline.
const LOST_FOR: Span = Span::days(3);
/// Refusals that are proven to be the provider's belong together while no longer than this lies between them.
pub const PROVEN_GAP: Span = Span::hours(1);
/// A time further ahead than this comes from a clock that was wrong.
const AHEAD_MAX: Span = Span::minutes(5);
/// Most kinds of limits and quota figures that are remembered.
const FIGURES_MAX: usize = 32;
/// Longest text of such a figure, in characters.
const FIGURE_CHARS_MAX: usize = 64;

/// How often something was told, and when last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// How often.
    pub count: u64,
    /// When last, by arrival.
    pub last_at: Millis,
}

impl Told {
    /// Once more.
    pub fn again(&mut self, n: u64, at: Millis) {
        self.count += n;
        self.last_at = self.last_at.max(at);
    }
}

/// Refusals that are proven to be the provider's own, by a clue: somebody changed a secret, or rewrites bodies on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proven {
    /// The first of them.
    pub since: Millis,
    /// The last one.
    pub last_at: Millis,
    /// How many.
    pub count: u64,
}

/// A time in which receipts or callbacks were missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silence {
    /// What was wrong.
    pub reason: Reason,
    /// Since when, as far as known.
    pub from: Millis,
    /// Until when; `None` while it goes on.
    pub until: Option<Millis>,
}

/// What is counted of an account beside its messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Callbacks, repeats left out.
    pub callbacks: u64,
    /// Repeats of callbacks that were on record already.
    pub duplicates: Told,
    /// Messages that moved after they had been found stuck.
    pub late: Told,
    /// Messages that only a receipt told of: nobody registered them and no echo came.
    pub orphans: Told,
    /// Failures with a code that is not in the catalogue.
    pub unknown_codes: Told,
    /// Callbacks that could not be understood.
    pub errors: Told,
    /// Requests that could not be read as HTTP callbacks at all.
    pub malformed: Told,
}

/// The pulse of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pulse {
    /// The first valid callback.
    pub first_callback_at: Option<Millis>,
    /// The last valid callback.
    pub last_callback_at: Option<Millis>,
    /// The last callback that told of a message's delivery or reading.
    pub last_receipt_at: Option<Millis>,
    /// The last callback that was no receipt.
    pub last_other_at: Option<Millis>,
    /// Callbacks by group of events.
    pub groups: BTreeMap<String, Told>,
    /// The last send that the provider accepted.
    pub last_sent_at: Option<Millis>,
    /// The last message that we were told of by registration.
    pub last_registered_at: Option<Millis>,
    /// Whom we sent to since the last receipt, as hashes, and when first.
    pub waiting: Vec<(u64, Millis)>,
    /// Whom we sent to since the last callback of any kind.
    pub unheard: Vec<(u64, Millis)>,
    /// The silences of the past, oldest first.
    pub silences: Vec<Silence>,
    /// Sends and receipts by hour, seven days back.
    pub hours: Hours,
    /// The last two hours in steps of five minutes.
    pub recent: Recent,
    /// Tokens by sender.
    pub tokens: Tokens,
    /// Refused requests by reason and clue.
    pub refused: BTreeMap<String, Told>,
    /// When refusals since the last valid callback began, and how many they are.
    pub refused_run: Option<(Millis, u64)>,
    /// How many of them brought a signature or token, if a wrong one.
    pub signed_run: u64,
    /// Refusals that a clue proves to be the provider's, whatever valid callbacks come between them.
    pub proven: Option<Proven>,
    /// Limits and quota figures: value and when it was told.
    pub figures: BTreeMap<String, (String, Millis)>,
    /// The provider's last word on a bar or a warning: when, and what.
    pub policy: Option<(Millis, String)>,
    /// When it last barred the account.
    pub barred_at: Option<Millis>,
    /// When it last lifted a bar.
    pub unbarred_at: Option<Millis>,
    /// What is counted.
    pub counters: Counters,
    /// How it was last told to stand, why, and since when.
    pub standing: Option<(Standing, Reason, Millis)>,
}

impl Pulse {
    /// A callback came and is on record; `events` are the groups of events in it.
    pub fn callback(&mut self, at: Millis, groups: &[&'static EventGroup]) {
        self.counters.callbacks += 1;
        self.first_callback_at = Some(self.first_callback_at.map_or(at, |t| t.min(at)));
        later(&mut self.last_callback_at, at);
        self.refused_run = None;
        self.signed_run = 0;
        self.unheard.retain(|(_, sent)| *sent > at);
        // The first callback after a silence: the receipts of whoever was sent to meanwhile are lost, and prove nothing against those to come.
        let was = self.standing.map(|(_, reason, _)| reason);
        if self.is_deaf() {
            self.waiting.clear();
            self.recent.forget();
        }
        for group in groups {
            if group.role == GroupRole::Receipt {
                if was == Some(Reason::ReceiptsNotSubscribed) {
                    self.recent.forget();
                }
                later(&mut self.last_receipt_at, at);
                // By time, not by what was folded first: whoever was sent to later still waits.
                self.waiting.retain(|(_, sent)| *sent > at);
            } else {
                later(&mut self.last_other_at, at);
            }
            if let Some(told) = self.groups.get_mut(group.slug) {
                told.again(1, at);
            } else if self.groups.len() < GROUPS_MAX {
                self.groups.insert(group.slug.to_owned(), Told { count: 1, last_at: at });
            }
        }
    }

    /// A message moved; `usual` is the time in which a receipt of its kind usually comes, where that is known.
    pub fn moved(&mut self, m: &MessageMove<'_>, usual: Option<Span>) {
        if m.late {
            self.counters.late.again(1, m.now);
        }
        if m.from.is_none() && m.orphan {
            self.counters.orphans.again(1, m.now);
        }
        if m.from.is_none() && m.registered {
            later(&mut self.last_registered_at, m.now);
        }
        match m.to {
            State::Sent => self.sent(m, usual),
            State::Delivered | State::Read => {
                // Of a message that only a receipt told of it is not known when it was sent: it counts for nothing here.
                let Some(sent_at) = m.sent_at.map(|at| at.min(m.now)) else { return };
                if matches!(m.from, None | Some(State::Queued)) {
                    self.accepted(m, sent_at);
                    self.went_out(m, sent_at, usual);
                }
                if !matches!(m.from, Some(State::Delivered | State::Read)) {
                    self.hours.receipted(sent_at);
                    if let (false, Some(usual)) = (m.is_planned(), usual) {
                        // By arrival: what counts is when we are told, not when the phone rang.
                        self.recent.receipted(sent_at, m.now.0 - sent_at.0 <= usual.0);
                    }
                }
            }
            State::Failed => self.failed(m),
            State::Queued => {}
        }
    }

    fn sent(&mut self, m: &MessageMove<'_>, usual: Option<Span>) {
        let at = m.sent_at.unwrap_or(m.now).min(m.now);
        self.accepted(m, at);
        self.went_out(m, at, usual);
        // An older send that becomes known late says nothing about what comes in now, nor does one that waits for its hour.
        if m.is_planned() || m.now.0 - at.0 > NEWS_MAX.0 {
            return;
        }
        let hash = m.recipient_hash();
        if self.last_receipt_at.is_none_or(|last| last < m.now) {
            wait(&mut self.waiting, hash, m.now);
        }
        if self.last_callback_at.is_none_or(|last| last < m.now) {
            wait(&mut self.unheard, hash, m.now);
        }
    }

    fn went_out(&mut self, m: &MessageMove<'_>, at: Millis, usual: Option<Span>) {
        self.hours.sent(at);
        if !m.is_planned() && usual.is_some() {
            self.recent.sent(at);
        }
    }

    fn accepted(&mut self, m: &MessageMove<'_>, at: Millis) {
        later(&mut self.last_sent_at, at);
        // What somebody else sent in the account's name (a person in the console) proves nothing of our token.
        if !m.registered && self.last_registered_at.is_some() {
            return;
        }
        self.tokens.accepted(m.sender, at);
    }

    fn failed(&mut self, m: &MessageMove<'_>) {
        let at = m.failed_at.unwrap_or(m.now);
        self.hours.failed(at);
        if m.failure_class == Some(Class::Authorization) {
            self.tokens.refused(m.sender, m.failure_code, at);
        }
        if matches!(m.failure_class, Some(Class::Quota | Class::RateLimit | Class::Billing))
            && let Some(code) = m.failure_code
        {
            self.figure(&format!("limit {code}"), code, at);
        }
    }

    /// A figure of a quota or limit, as the provider told it.
    pub fn figure(&mut self, name: &str, value: &str, at: Millis) {
        let cut: String = value.chars().take(FIGURE_CHARS_MAX).collect();
        let room = self.figures.len() < FIGURES_MAX;
        match self.figures.get_mut(name) {
            Some(known) if (known.1, &known.0) < (at, &cut) => *known = (cut, at),
            None if room => drop(self.figures.insert(name.chars().take(FIGURE_CHARS_MAX).collect(), (cut, at))),
            Some(_) | None => {}
        }
    }

    /// The provider's word on a bar or a warning; `barred` where it bars the account or lifts that.
    pub fn policy(&mut self, word: &str, barred: Option<bool>, at: Millis) {
        let told = (at, word.chars().take(FIGURE_CHARS_MAX).collect());
        if self.policy.as_ref().is_none_or(|known| *known < told) {
            self.policy = Some(told);
        }
        match barred {
            Some(true) => later(&mut self.barred_at, at),
            Some(false) => later(&mut self.unbarred_at, at),
            None => {}
        }
    }

    /// Since when the provider bars the account. That it takes a send later proves that it does not any more, though nobody told.
    pub fn barred_since(&self) -> Option<Millis> {
        self.barred_at.filter(|at| self.unbarred_at.is_none_or(|lifted| lifted < *at) && !self.tokens.accepted_after(*at))
    }

    /// Requests were refused.
    pub fn refused(&mut self, name: &str, n: u64, at: Millis) {
        self.refused.entry(name.to_owned()).or_default().again(n, at);
    }

    /// Refused requests since the last valid callback: how many came, whether they were signed, and when the first of them.
    pub fn refused_in_a_row(&mut self, n: u64, signed: bool, first_at: Millis) {
        if self.last_callback_at.is_none_or(|at| at <= first_at) {
            let (since, count) = self.refused_run.unwrap_or((first_at, 0));
            self.refused_run = Some((since.min(first_at), count + n));
            self.signed_run += if signed { n } else { 0 };
        }
    }

    /// A refusal was proven to be of a callback of the provider's.
    pub fn refused_for_sure(&mut self, n: u64, at: Millis) {
        let fresh = self.proven.filter(|p| at.0 - p.last_at.0 < PROVEN_GAP.0);
        let (since, last_at, count) = fresh.map_or((at, at, 0), |p| (p.since, p.last_at, p.count));
        self.proven = Some(Proven { since: since.min(at), last_at: last_at.max(at), count: count + n });
    }

    /// The account is judged anew: a silence begins, goes on or ends. `true` when it did not go on as before.
    pub(super) fn judged(&mut self, silence: Option<(Reason, Millis)>, now: Millis) -> bool {
        let last = self.silences.last_mut().filter(|s| s.until.is_none());
        match (last, silence) {
            (Some(last), Some((reason, _))) if last.reason == reason => return false,
            (None, None) => return false,
            (Some(last), _) => {
                last.until = Some(now);
                self.silence_begins(silence);
            }
            (None, _) => self.silence_begins(silence),
        }
        true
    }

    /// Nothing comes in at all just now, as it was last judged.
    pub fn is_deaf(&self) -> bool {
        self.silences.last().is_some_and(|s| s.until.is_none() && s.reason.is_deaf())
    }

    /// Brings back to now what lies ahead of it: a clock that was ahead once must not blind an account until that time is reached. `true`
    /// when there was anything.
    pub(super) fn come_back_to(&mut self, now: Millis) -> bool {
        let limit = now.plus(AHEAD_MAX);
        let mut moved = false;
        let mut back = |at: &mut Millis| {
            if *at > limit {
                (*at, moved) = (now, true);
            }
        };
        let own = [
            &mut self.first_callback_at,
            &mut self.last_callback_at,
            &mut self.last_receipt_at,
            &mut self.last_other_at,
            &mut self.last_sent_at,
            &mut self.last_registered_at,
        ];
        own.into_iter().flatten().chain(self.tokens.times()).for_each(&mut back);
        self.waiting.iter_mut().chain(&mut self.unheard).for_each(|(_, at)| back(at));
        self.refused_run.iter_mut().for_each(|(since, _)| back(since));
        self.proven.iter_mut().for_each(|p| {
            back(&mut p.since);
            back(&mut p.last_at);
        });
        self.silences.iter_mut().for_each(|s| {
            back(&mut s.from);
            s.until.iter_mut().for_each(&mut back);
        });
        if moved {
            self.hours.forget_after(now);
            self.recent.forget();
        }
        moved
    }

    fn silence_begins(&mut self, silence: Option<(Reason, Millis)>) {
        if let Some((reason, from)) = silence {
            if self.silences.len() >= SILENCES_MAX {
                self.silences.remove(0);
            }
            self.silences.push(Silence { reason, from, until: None });
        }
    }

    /// What kept receipts away at a moment; what was found out last knows best.
    pub fn silence_at(&self, at: Millis) -> Option<Reason> {
        let within = |s: &&Silence| s.from <= at && s.until.is_none_or(|until| at < until);
        self.silences.iter().rev().find(within).map(|s| s.reason)
    }

    /// A silence ended not long ago: what was sent in it is lost, and still becomes stuck.
    pub fn was_silent(&self, now: Millis) -> bool {
        self.silences.iter().any(|s| s.until.is_some_and(|until| now.0 - until.0 < LOST_FOR.0))
    }

    /// How many recipients wait since the last receipt, of those who were sent to at or before a moment.
    pub fn waiting_before(&self, at: Millis) -> usize {
        self.waiting.iter().filter(|(_, sent)| *sent <= at).count()
    }

    /// How many recipients were sent to at or before a moment, of those sent to since the last callback of any kind.
    pub fn unheard_before(&self, at: Millis) -> usize {
        self.unheard.iter().filter(|(_, sent)| *sent <= at).count()
    }
}

/// Somebody waits, once; whoever waited longest is kept.
fn wait(waiting: &mut Vec<(u64, Millis)>, hash: u64, at: Millis) {
    if waiting.len() < WAITING_MAX && waiting.iter().all(|(known, _)| *known != hash) {
        waiting.push((hash, at));
    }
}

/// The later of two times.
pub fn later(mine: &mut Option<Millis>, at: Millis) {
    if mine.is_none_or(|t| t < at) {
        *mine = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Millis {
        Millis(minutes * 60_000)
    }

    #[test]
    fn a_silence_that_changes_its_reason_ends_and_begins_and_the_oldest_are_forgotten() {
        let mut pulse = Pulse::default();
        pulse.judged(Some((Reason::WebhookSilent, at(1))), at(10));
        pulse.judged(Some((Reason::WebhookSilent, at(2))), at(11));
        assert_eq!(pulse.silence_at(at(500)), Some(Reason::WebhookSilent));
        pulse.judged(Some((Reason::ReceiptsNotSubscribed, at(12))), at(20));
        pulse.judged(None, at(30));
        let seen: Vec<_> = [0, 5, 15, 30].iter().map(|n| pulse.silence_at(at(*n))).collect();
        assert_eq!(seen, [None, Some(Reason::WebhookSilent), Some(Reason::ReceiptsNotSubscribed), None]);
        assert!(pulse.was_silent(at(31)) && !pulse.was_silent(at(31 + 3 * 1_440)));
        for n in 0..SILENCES_MAX as i64 + 3 {
            pulse.judged(Some((Reason::TrafficStopped, at(100 + n))), at(100 + n));
            pulse.judged(None, at(100 + n));
        }
        assert_eq!(pulse.silences.len(), SILENCES_MAX);
    }

    #[test]
    fn refusals_that_lie_far_apart_are_not_added_up() {
        let mut pulse = Pulse::default();
        pulse.refused_for_sure(1, at(0));
        pulse.refused_for_sure(1, at(59));
        assert_eq!(pulse.proven.map(|p| (p.since, p.count)), Some((at(0), 2)));
        pulse.refused_for_sure(1, at(119));
        assert_eq!(pulse.proven.map(|p| (p.since, p.count)), Some((at(119), 1)));
    }
}
