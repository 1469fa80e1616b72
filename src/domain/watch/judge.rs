//! How an account stands, judged from its pulse at a moment: a function of what is remembered and of the time, and of nothing else.
//!
//! Silence is a matter of odds. Of the messages of an account a known share gets its receipt within a known time; when so many people were
//! sent to since the last receipt that silence by chance is out of the question, it is no chance.

use super::latency::USUAL_SHARE;
use super::pulse::{PROVEN_GAP, Proven, Pulse, WAITING_MAX};
use super::recent::Step;
use super::standing::{Reason, Standing};
use super::traffic::Traffic;
use crate::domain::time::{Millis, Span};

/// How unlikely silence by chance must be: one in a million.
const ODDS: f64 = 1e-6;
/// Fewest people that must have been sent to without a receipt, whatever the odds.
const WAITING_MIN: usize = 5;
/// The share of messages that is taken to get a receipt in time, before enough was seen.
const SHARE_UNLEARNED: f64 = 0.5;
/// From how many sent messages on the account's own share counts.
const LEARNED_FROM: u32 = 50;
/// The share is never taken to be better than this.
const SHARE_MAX: f64 = 0.95;
/// How long a receipt may take before it counts as missing, before enough was seen.
pub const GRACE_UNLEARNED: Span = Span::minutes(30);
/// It is never taken to be shorter, …
pub const GRACE_MIN: Span = Span::minutes(10);
/// … nor longer.
pub const GRACE_MAX: Span = Span::hours(6);
/// Receipts that used to come and stopped while other callbacks go on: this long the provider is taken to be slow.
const SLOW_MAX: Span = Span::hours(3);
/// Usual traffic must be missing for at least this long.
const STOPPED_MIN: Span = Span::minutes(30);
/// How many callbacks that could surely be expected must be missing: the odds of none are one in a million.
const STOPPED_CALLBACKS: f64 = 14.0;
/// Refused requests in a row, without a valid one between them, that make a secret wrong rather than a stranger curious; and so many that
/// are proven to be the provider's, whatever comes between them.
const REFUSED_MIN: u64 = 3;
/// Refusals in a row that nothing proves must go on for so long.
const REFUSED_FOR: Span = Span::minutes(10);
/// Fewest messages of an hour whose delay says something of the provider.
const SLOW_MESSAGES_MIN: u32 = 30;
/// By how much the share of slow messages must rise.
const SLOW_RISE: f64 = 0.25;
/// By how much it must still be risen for the provider to stay slow: less, so that nothing flickers.
const SLOW_STILL: f64 = 0.12;
/// An account that never had a receipt and whose last other callback is no older than this lacks receipts, not its webhook.
const OTHERS_LATELY: Span = Span::days(1);
/// By how many standard deviations it must rise.
const SLOW_SIGMAS: f64 = 5.0;

/// What a judgement needs to know.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a> {
    /// What happened.
    pub pulse: &'a Pulse,
    /// What usually comes.
    pub traffic: &'a Traffic,
    /// How long a receipt usually takes at the most; [`GRACE_UNLEARNED`] before that is known.
    pub grace: Span,
    /// When the configured token ends.
    pub token_ends_at: Option<Millis>,
}

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The standing.
    pub standing: Standing,
    /// Why.
    pub reason: Reason,
    /// Since when what is named has been so.
    pub since: Option<Millis>,
    /// Nothing comes in while it lasts, as far as is known for sure: what was sent meanwhile may never be heard of.
    pub deaf: bool,
}

const fn found(standing: Standing, reason: Reason, since: Option<Millis>) -> Judgement {
    Judgement { standing, reason, since, deaf: reason.is_deaf() }
}

/// Judges an account; the worst that is known goes first.
pub fn judge(case: Case<'_>, now: Millis) -> Judgement {
    let pulse = case.pulse;
    if let Some((_, since, reason)) = pulse.tokens.last_dead() {
        return found(Standing::Expired, reason, Some(since));
    }
    if let Some(end) = case.token_ends_at.filter(|end| *end <= now && !pulse.tokens.accepted_after(*end)) {
        return found(Standing::Expired, Reason::TokenExpired, Some(end));
    }
    if let Some(at) = pulse.barred_since() {
        return found(Standing::Error, Reason::PolicyBlocked, Some(at));
    }
    if let Some((since, proven)) = refused_since(pulse, now) {
        // Anybody can send wrong signatures: they name a fault, and prove no silence.
        let deaf = proven || quiet(case, now).is_some();
        return Judgement { deaf, ..found(Standing::Error, Reason::SignaturesRefused, Some(since)) };
    }
    if let Some(judgement) = quiet(case, now) {
        return judgement;
    }
    match pulse.first_callback_at {
        None => found(Standing::Draft, Reason::NeverCalled, None),
        Some(_) => match slow_since(case, now) {
            Some(since) => found(Standing::Connected, Reason::ProviderSlow, Some(since)),
            None => found(Standing::Connected, Reason::Well, pulse.first_callback_at),
        },
    }
}

/// Since when requests are refused that are the provider's beyond doubt (`true`), or as good as that: they go on for a while, and none that
/// fits comes between them. An account that never had a valid callback is being set up: there is nobody whom a stranger could alarm.
fn refused_since(pulse: &Pulse, now: Millis) -> Option<(Millis, bool)> {
    let lasts = |since: Millis| pulse.last_callback_at.is_none() || now.0 - since.0 >= REFUSED_FOR.0;
    let run = pulse.refused_run.filter(|(since, _)| pulse.signed_run >= REFUSED_MIN && lasts(*since)).map(|(since, _)| (since, false));
    // What is rewritten on the way comes between callbacks that fit: calm for an hour, and one that fits, end it.
    let mended = |p: &Proven| now.0 - p.last_at.0 >= PROVEN_GAP.0 && pulse.last_callback_at.is_some_and(|at| at > p.last_at);
    let proven = pulse.proven.filter(|p| p.count >= REFUSED_MIN && !mended(p)).map(|p| (p.since, true));
    proven.or(run)
}

/// Something that should come in does not.
fn quiet(case: Case<'_>, now: Millis) -> Option<Judgement> {
    let (silence, stopped) = (silence(case, now), stopped(case, now));
    let all = match silence {
        // That other callbacks came at first says nothing once they stop too.
        Some(j) if j.reason != Reason::WebhookSilent => stopped.or(silence),
        _ => silence.or(stopped),
    }?;
    // Everything is silent, and what does come in is refused: that is why.
    let deaf = matches!(all.reason, Reason::WebhookSilent | Reason::TrafficStopped);
    match case.pulse.refused_run {
        Some((since, count)) if deaf && count >= REFUSED_MIN => Some(found(Standing::Error, Reason::SignaturesRefused, Some(since))),
        _ => Some(all),
    }
}

/// Our own sends should have brought receipts, and none came.
fn silence(case: Case<'_>, now: Millis) -> Option<Judgement> {
    let pulse = case.pulse;
    let first = pulse.waiting.iter().map(|(_, at)| *at).min()?;
    let needed = needed(pulse, first);
    if pulse.waiting_before(now.minus(case.grace)) < needed {
        return None;
    }
    // Other callbacks clear the webhook only where receipts were missing beyond chance already when they came.
    let others = pulse.last_other_at.is_some_and(|at| pulse.waiting_before(at.minus(case.grace)) >= needed);
    let never = pulse.last_receipt_at.is_none() && pulse.last_other_at.is_some_and(|at| at >= first.minus(OTHERS_LATELY));
    if never || others && now >= first.plus(SLOW_MAX) {
        return Some(found(Standing::Silent, Reason::ReceiptsNotSubscribed, Some(first)));
    }
    if others {
        return Some(found(Standing::Connected, Reason::ProviderSlow, Some(first)));
    }
    // Nothing at all came for as many as that. Until then it is open which of the two it is.
    let since = pulse.unheard.iter().map(|(_, at)| *at).min()?;
    let dead = pulse.unheard_before(now.minus(case.grace)) >= needed;
    dead.then(|| found(Standing::Silent, Reason::WebhookSilent, Some(since)))
}

/// How many people must wait before silence is no chance. An account that never had a receipt is more likely set up wrongly than unlucky.
fn needed(pulse: &Pulse, first: Millis) -> usize {
    if pulse.last_receipt_at.is_none() {
        return WAITING_MIN;
    }
    let share = (share(pulse, first) * USUAL_SHARE).min(SHARE_MAX);
    let odds = ODDS.ln() / (1.0 - share).ln();
    // A share so small that the memory of those who wait cannot prove anything: then only traffic can tell.
    if odds > WAITING_MAX as f64 { usize::MAX } else { WAITING_MIN.max(odds.ceil() as usize) }
}

/// The share of messages sent before a moment that got their receipt.
pub fn share(pulse: &Pulse, before: Millis) -> f64 {
    let seen = pulse.hours.between(before.minus(Span::days(7)), before);
    if seen.sent < LEARNED_FROM { SHARE_UNLEARNED } else { f64::from(seen.receipted.min(seen.sent)) / f64::from(seen.sent) }
}

/// What usually comes at these hours has stopped.
fn stopped(case: Case<'_>, now: Millis) -> Option<Judgement> {
    let last = case.pulse.last_callback_at?;
    let missing = now.0 - last.0 >= STOPPED_MIN.0 && case.traffic.expected(last, now) >= STOPPED_CALLBACKS;
    missing.then(|| found(Standing::Silent, Reason::TrafficStopped, Some(last)))
}

/// The share of slow messages among those sent in an hour that is just old enough to tell has risen beyond chance.
fn slow_since(case: Case<'_>, now: Millis) -> Option<Millis> {
    let recent = &case.pulse.recent;
    let usual = Span(recent.usual_ms).0;
    if usual == 0 {
        return None;
    }
    let to = Millis(now.0 - usual);
    let from = to.minus(Span::hours(1));
    let Step { sent, fast, .. } = recent.between(from, to);
    if sent < SLOW_MESSAGES_MIN {
        return None;
    }
    let n = f64::from(sent);
    let slow = 1.0 - f64::from(fast.min(sent)) / n;
    let usual_slow = (1.0 - share(case.pulse, from) * USUAL_SHARE).clamp(0.01, 0.99);
    let sigma = (usual_slow * (1.0 - usual_slow) / n).sqrt();
    let risen = slow - usual_slow;
    match case.pulse.standing {
        Some((_, Reason::ProviderSlow, at)) => (risen > SLOW_STILL).then(|| from.min(at)),
        _ => (risen > SLOW_RISE.max(SLOW_SIGMAS * sigma)).then_some(from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::{EventGroup, GroupRole};

    static RECEIPT: EventGroup = EventGroup { slug: "receipt", role: GroupRole::Receipt, switch: ("", ""), expected: true };
    static WRITTEN: EventGroup = EventGroup { slug: "written", role: GroupRole::Inbound, switch: ("", ""), expected: true };

    fn minute(n: i64) -> Millis {
        Millis(1_769_997_600_000 + n * 60_000)
    }

    fn judged(pulse: &Pulse, now: Millis) -> (Standing, Reason) {
        let traffic = Traffic::default();
        let j = judge(Case { pulse, traffic: &traffic, grace: GRACE_MIN, token_ends_at: None }, now);
        (j.standing, j.reason)
    }

    /// An account that gets nine receipts for ten messages, last at minute 0, and sends to so many people from then on, one a minute.
    fn sending(people: u64) -> Pulse {
        let mut pulse = Pulse::default();
        for n in 0..100 {
            pulse.hours.sent(minute(-120 - n));
            (n % 10 > 0).then(|| pulse.hours.receipted(minute(-120 - n)));
        }
        pulse.callback(minute(0), &[&RECEIPT]);
        for n in 1..=people {
            let at = minute(n as i64);
            pulse.waiting.push((n, at));
            pulse.unheard.push((n, at));
        }
        pulse
    }

    #[test]
    fn silence_is_named_when_chance_is_out_of_the_question_and_not_before() {
        let pulse = sending(20);
        let first = (0..60).find(|n| judged(&pulse, minute(*n)).1 == Reason::WebhookSilent);
        assert_eq!(first, Some(21), "eleven people, and ten minutes for the last of them");
        let few = sending(10);
        assert_eq!(judged(&few, minute(600)), (Standing::Connected, Reason::Well), "ten may be out of luck");
    }

    #[test]
    fn a_callback_before_receipts_were_due_does_not_clear_a_dead_webhook() {
        let mut pulse = sending(0);
        for n in 1..=40u64 {
            let at = minute(n as i64);
            if n == 2 {
                pulse.callback(at, &[&WRITTEN]);
            }
            pulse.waiting.push((n, at));
            pulse.unheard.push((n, at));
        }
        assert_eq!(judged(&pulse, minute(40)), (Standing::Silent, Reason::WebhookSilent));
    }

    #[test]
    fn where_others_come_when_receipts_are_overdue_the_provider_is_slow_first_and_receipts_are_off_after_hours() {
        let mut pulse = sending(20);
        pulse.callback(minute(40), &[&WRITTEN]);
        assert_eq!(judged(&pulse, minute(41)), (Standing::Connected, Reason::ProviderSlow));
        assert_eq!(judged(&pulse, minute(182)), (Standing::Silent, Reason::ReceiptsNotSubscribed));
        pulse.callback(minute(183), &[&RECEIPT]);
        assert_eq!(judged(&pulse, minute(184)), (Standing::Connected, Reason::Well));
    }

    #[test]
    fn a_stranger_without_a_signature_is_no_wrong_secret_unless_nothing_else_comes() {
        let mut pulse = sending(3);
        pulse.refused_in_a_row(500, false, minute(5));
        assert_eq!(judged(&pulse, minute(6)), (Standing::Connected, Reason::Well));
        pulse.refused_in_a_row(2, true, minute(6));
        assert_eq!(judged(&pulse, minute(7)), (Standing::Connected, Reason::Well));
        pulse.refused_in_a_row(1, true, minute(7));
        assert_eq!(judged(&pulse, minute(8)), (Standing::Connected, Reason::Well), "not before it goes on for a while");
        assert_eq!(judged(&pulse, minute(15)), (Standing::Error, Reason::SignaturesRefused));
        pulse.callback(minute(16), &[&WRITTEN]);
        assert_eq!(judged(&pulse, minute(16)), (Standing::Connected, Reason::Well));
        let mut lost = sending(20);
        lost.refused_in_a_row(3, false, minute(5));
        assert_eq!(judged(&lost, minute(40)), (Standing::Error, Reason::SignaturesRefused), "a proxy takes the signature away");
    }

    #[test]
    fn a_proven_refusal_counts_among_valid_ones_until_an_hour_of_calm() {
        let mut pulse = sending(0);
        for n in 1..=3 {
            pulse.refused_for_sure(1, minute(n * 10));
            pulse.callback(minute(n * 10 + 1), &[&RECEIPT]);
        }
        assert_eq!(judged(&pulse, minute(32)).1, Reason::SignaturesRefused);
        pulse.callback(minute(80), &[&RECEIPT]);
        assert_eq!(judged(&pulse, minute(89)).1, Reason::SignaturesRefused);
        assert_eq!(judged(&pulse, minute(90)).1, Reason::Well);
    }

    #[test]
    fn a_configured_end_counts_until_a_send_is_accepted_behind_it() {
        let mut pulse = sending(0);
        let traffic = Traffic::default();
        let at =
            |pulse: &Pulse| judge(Case { pulse, traffic: &traffic, grace: GRACE_MIN, token_ends_at: Some(minute(5)) }, minute(6)).reason;
        assert_eq!(at(&pulse), Reason::TokenExpired);
        pulse.tokens.accepted(None, minute(6));
        assert_eq!(at(&pulse), Reason::Well);
    }
}
