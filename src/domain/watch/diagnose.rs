//! Why a message is stuck, once more: what its own evidence tells, held against what happens around it in its account.
//!
//! One message that waits is most likely a phone that is off. When nobody else of the account gets a receipt either, it is not.

use super::judge::{GRACE_UNLEARNED, Judgement};
use super::pulse::Pulse;
use super::standing::Reason;
use crate::domain::state::State;
use crate::domain::stuck::{Cause, Evidence};
use crate::domain::time::Span;

/// An account that never had a receipt while other callbacks come: so many people must have been sent to for the receipts to be switched
/// off rather than a phone.
const NEVER_A_RECEIPT_MIN: usize = 3;

/// What is known of the account at the time of the question.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// What came in and went out.
    pub pulse: &'a Pulse,
    /// How the account was last judged.
    pub judgement: Option<Judgement>,
    /// How long a receipt usually takes at the most.
    pub grace: Option<Span>,
}

/// The cause, from what the message's own evidence says and from what is around it.
pub fn diagnose(own: Cause, evidence: &Evidence<'_>, around: Around<'_>) -> Cause {
    match own {
        // The message itself says it; nothing around it knows better.
        Cause::Scheduled | Cause::AwaitingApproval | Cause::ThreadControl | Cause::TokenInvalid => own,
        _ if evidence.state == State::Queued => not_accepted(own, evidence, around),
        _ => accepted(own, evidence, around),
    }
}

/// Nobody knows whether the provider took it. With a dead token it did not.
fn not_accepted(own: Cause, evidence: &Evidence<'_>, around: Around<'_>) -> Cause {
    if around.pulse.tokens.is_dead(evidence.sender) { Cause::TokenInvalid } else { own }
}

/// The provider took it, and no receipt has come.
fn accepted(own: Cause, evidence: &Evidence<'_>, around: Around<'_>) -> Cause {
    let pulse = around.pulse;
    let waited = Span(evidence.now.0 - evidence.since.0);
    // Never longer than half of the time that it waits already: its kind may be quicker than its account.
    let grace = Span(around.grace.unwrap_or(GRACE_UNLEARNED).0.min(waited.0 / 2));
    // Sent while receipts were missing: its own is lost, or was never made, though those of later messages come.
    match pulse.silence_at(evidence.since) {
        Some(Reason::ReceiptsNotSubscribed) => return Cause::ReceiptsNotSubscribed,
        Some(_) => return Cause::WebhookSilent,
        None => {}
    }
    if pulse.last_receipt_at.is_some_and(|at| at > evidence.since.plus(grace)) {
        // Others got theirs since: the way is open, so it is this one. An aggregator that reports on others has left this one out.
        return if own == Cause::WebhookSilent { Cause::PollNeeded } else { own };
    }
    match around.judgement.map(|j| j.reason) {
        Some(Reason::WebhookSilent | Reason::TrafficStopped | Reason::SignaturesRefused) => Cause::WebhookSilent,
        Some(Reason::ReceiptsNotSubscribed) => Cause::ReceiptsNotSubscribed,
        // It is not the phone; whether the message is there, only the provider's status call tells by now.
        Some(Reason::ProviderSlow) if own == Cause::RecipientUnreachable => Cause::PollNeeded,
        _ if never_a_receipt(evidence, pulse) => Cause::ReceiptsNotSubscribed,
        _ => own,
    }
}

/// Other callbacks came since, several people wait, and the account never had a single receipt.
fn never_a_receipt(evidence: &Evidence<'_>, pulse: &Pulse) -> bool {
    let others = pulse.last_other_at.is_some_and(|at| at >= evidence.since);
    pulse.last_receipt_at.is_none() && others && pulse.waiting.len() >= NEVER_A_RECEIPT_MIN
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;
    use crate::domain::watch::pulse::Silence;

    const HOUR: i64 = 3_600_000;

    fn cause(pulse: &Pulse, own: Cause, since: i64, now: i64) -> Cause {
        let evidence = Evidence {
            state: State::Sent,
            kind: None,
            outcome_unknown: false,
            awaiting_approval: false,
            awaiting_sending: false,
            results_pending: false,
            held_by_other: false,
            sender: None,
            called_back: false,
            scheduled_at: None,
            since: Millis(since),
            now: Millis(now),
        };
        diagnose(own, &evidence, Around { pulse, judgement: None, grace: None })
    }

    #[test]
    fn what_was_sent_into_a_silence_stays_lost_when_others_get_theirs_again() {
        let silence = Silence { reason: Reason::WebhookSilent, from: Millis(HOUR), until: Some(Millis(3 * HOUR)) };
        let pulse = Pulse { silences: vec![silence], last_receipt_at: Some(Millis(9 * HOUR)), ..Pulse::default() };
        assert_eq!(cause(&pulse, Cause::RecipientUnreachable, 2 * HOUR, 9 * HOUR), Cause::WebhookSilent);
        for outside in [HOUR - 1, 3 * HOUR] {
            assert_eq!(cause(&pulse, Cause::RecipientUnreachable, outside, 9 * HOUR), Cause::RecipientUnreachable);
        }
    }

    #[test]
    fn one_report_that_stays_away_while_others_come_is_asked_for() {
        let quarter = HOUR / 4;
        let pulse = Pulse { last_receipt_at: Some(Millis(quarter - 1)), ..Pulse::default() };
        assert_eq!(cause(&pulse, Cause::WebhookSilent, 0, quarter), Cause::PollNeeded);
        assert_eq!(cause(&Pulse::default(), Cause::WebhookSilent, 0, quarter), Cause::WebhookSilent);
    }
}
