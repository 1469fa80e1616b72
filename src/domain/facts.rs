//! What was ever observed of one message, joined so that neither order nor repetition matters.
//!
//! Every part of [`Facts`] is a join-semilattice (a minimum, a maximum, a union or a logical or), so `observe` is commutative,
//! associative and idempotent; [`Facts::derive`] is the one place where a state comes from. It must not know how facts are kept.

mod attribute;
mod counters;
mod seen;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{Claim, Evidence, Fact, MessageEvent, Progress, Report};
use super::failure::{Failure, MARKED_FAILED};
use super::metadata::Metadata;
use super::record::Registration;
use super::state::{Derived, Recipients, State};
use super::thread::Thread;
use super::time::{Millis, Span};

pub use attribute::Attribute;
pub use counters::{Count, Counters};
pub use seen::{Failures, Seen};

use counters::Verdict;
use seen::{earliest, smaller};

/// How much earlier than a local time the provider may have stamped a message (protocol: Facebook, captures of 2026).
const LOCAL_TIME_LEAD: Span = Span::seconds(2);

/// How well an id of a message is founded; the smaller value is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum IdProof {
    /// The sender registered it.
    Registered,
    /// The provider accepted under it, or called back about it.
    Provider,
    /// It stood beside a refusal.
    Refused,
}

/// A reference that the provider's events carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimProof {
    /// Earliest provider time of the claim.
    pub at: Option<Millis>,
    /// It counts only with an equal recipient.
    pub same_recipient: bool,
    /// It is shown as `ref`.
    pub shown: bool,
}

/// The server time of a message by source (protocol: Facebook 6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerTime {
    /// Told by an echo; the smallest, should several differ.
    pub exact: Option<Millis>,
    /// The smallest watermark of the deliveries that name the message.
    pub bound: Option<Millis>,
    /// Inside the id.
    pub in_id: Option<Millis>,
    /// When our side learned that it was sent: an answer or a registration with an id came. The arrival of a callback is none.
    pub learned: Option<Millis>,
}

/// Everything ever observed of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The sender's system registered it.
    pub registered: bool,
    /// The provider told of the send.
    pub echo: bool,
    /// A receipt was seen.
    pub receipt: bool,
    /// A callback about it was seen.
    pub called_back: bool,
    /// Queued.
    pub queued: Seen,
    /// Sent.
    pub sent: Seen,
    /// When the sender's system says it sent it. Shows and dates the sending, but alone does not prove it.
    pub stated_sent_at: Option<Millis>,
    /// Delivered.
    pub delivered: Seen,
    /// Read.
    pub read: Seen,
    /// A send call was accepted.
    pub answer_accepted: bool,
    /// A send call's outcome is not known.
    pub answer_unknown: bool,
    /// Send calls that were refused.
    pub refused: Failures,
    /// Failures that the provider reported afterwards.
    pub failed: Failures,
    /// Marks of operators.
    pub marked: Failures,
    /// Counters.
    pub counters: Option<Counters>,
    /// The provider said it waits for approval.
    pub awaiting_approval: bool,
    /// The provider said it waits to be sent.
    pub awaiting_sending: bool,
    /// The provider said results are pending.
    pub results_pending: bool,
    /// The provider's ids.
    pub ids: BTreeMap<String, IdProof>,
    /// The sender's own id, as registered.
    pub reference: Option<String>,
    /// References found in the provider's events.
    pub claims: BTreeMap<String, ClaimProof>,
    /// The sending OA, Page or number.
    pub sender: Attribute,
    /// The recipient.
    pub recipient: Attribute,
    /// The kind.
    pub kind: Attribute,
    /// The template.
    pub template_id: Attribute,
    /// When it is to go out.
    pub scheduled_at: Option<Millis>,
    /// The sender's own object, as JSON text.
    pub metadata: Option<String>,
    /// Server time by source.
    pub server_time: ServerTime,
}

impl Facts {
    /// Joins what a provider's event states.
    pub fn observe(&mut self, event: &MessageEvent, arrival: Millis) {
        self.called_back = true;
        self.add_id(&event.message_id, IdProof::Provider);
        match event.evidence {
            Some(Evidence::Registered) => self.registered = true,
            Some(Evidence::Echo) => self.echo = true,
            Some(Evidence::Receipt) => self.receipt = true,
            None => {}
        }
        let tier = event.evidence.unwrap_or(Evidence::Receipt);
        self.sender.observe(tier, event.sender.as_deref());
        self.recipient.observe(tier, event.recipient.as_deref());
        if event.kind_is_guess {
            self.kind.guess(event.kind.as_deref());
        } else {
            self.kind.observe(tier, event.kind.as_deref());
        }
        self.template_id.observe(tier, event.template_id.as_deref());
        if let Some(claim) = &event.claim {
            self.add_claim(claim);
        }
        earliest(&mut self.server_time.exact, event.server_time);
        earliest(&mut self.server_time.bound, event.server_time_bound);
        match event.progress {
            Some(Progress::AwaitingApproval) => self.awaiting_approval = true,
            Some(Progress::AwaitingSending) => self.awaiting_sending = true,
            Some(Progress::ResultsPending) => self.results_pending = true,
            None => {}
        }
        let seen = Seen::provider(event.at, arrival);
        match &event.fact {
            Fact::Queued => self.queued.join(seen),
            Fact::Sent => self.sent.join(seen),
            Fact::Delivered => self.delivered.join(seen),
            Fact::Read => self.read.join(seen),
            Fact::Failed(failure) => {
                let dated = Failure { at: failure.at.or(event.at), ..failure.clone() };
                self.failed.observe(&dated, arrival);
            }
            Fact::Report(report) => self.observe_report(report, seen),
            Fact::Noted => {}
        }
    }

    fn observe_report(&mut self, report: &Report, seen: Seen) {
        let total = report.total.max(1);
        if u64::from(report.delivered) + u64::from(report.failed) < u64::from(total) {
            // Finished at the provider with results outstanding: it was sent.
            self.sent.join(seen);
        }
        let counters = Counters {
            delivered: Count { n: report.delivered, seen },
            failed: Count { n: report.failed, seen },
            total,
            failure: report.failure.clone().filter(|_| report.failed > 0),
        };
        match &mut self.counters {
            Some(mine) => mine.join(&counters),
            None => self.counters = Some(counters),
        }
    }

    /// Joins a registration.
    pub fn observe_registration(&mut self, r: &Registration, arrival: Millis) {
        self.registered = true;
        smaller(&mut self.reference, r.reference.as_deref());
        self.sender.observe(Evidence::Registered, r.sender.as_deref());
        self.recipient.observe(Evidence::Registered, r.recipient.as_deref());
        self.kind.observe(Evidence::Registered, r.kind.as_deref());
        self.template_id.observe(Evidence::Registered, r.template_id.as_deref());
        self.queued.join(Seen::stated(r.queued_at, arrival));
        earliest(&mut self.scheduled_at, r.scheduled_at);
        smaller(&mut self.metadata, r.metadata.as_ref().map(Metadata::text));
        if let Some(id) = &r.message_id {
            self.add_id(id, IdProof::Registered);
            self.sent.join(Seen::provider(None, arrival));
            earliest(&mut self.server_time.learned, Some(arrival));
        }
        earliest(&mut self.stated_sent_at, r.sent_at);
    }

    /// Joins an answer that accepted the message.
    pub fn observe_accepted(&mut self, message_id: Option<&str>, at: Option<Millis>, arrival: Millis) {
        self.answer_accepted = true;
        self.sent.join(Seen::provider(at, arrival));
        earliest(&mut self.server_time.learned, Some(arrival));
        if let Some(id) = message_id {
            self.add_id(id, IdProof::Provider);
        }
    }

    /// Joins an answer that refused the message.
    pub fn observe_refused(&mut self, failure: &Failure, message_id: Option<&str>, arrival: Millis) {
        self.refused.observe(failure, arrival);
        if let Some(id) = message_id {
            self.add_id(id, IdProof::Refused);
        }
    }

    /// Joins an operator's mark.
    pub fn observe_mark(&mut self, reason: &str, arrival: Millis) {
        self.marked.observe(&Failure::ours(MARKED_FAILED, Some(reason.to_owned())), arrival);
    }

    /// Joins an id.
    pub fn add_id(&mut self, id: &str, proof: IdProof) {
        match self.ids.get_mut(id) {
            Some(mine) => *mine = (*mine).min(proof),
            None => {
                self.ids.insert(id.to_owned(), proof);
            }
        }
    }

    fn add_claim(&mut self, claim: &Claim) {
        let proof = ClaimProof { at: claim.at, same_recipient: claim.same_recipient, shown: claim.shown };
        join_claim(&mut self.claims, &claim.reference, proof);
    }

    /// Joins everything another set of facts holds about the same message.
    pub fn join(&mut self, other: &Facts) {
        self.registered |= other.registered;
        self.echo |= other.echo;
        self.receipt |= other.receipt;
        self.called_back |= other.called_back;
        self.queued.join(other.queued);
        self.sent.join(other.sent);
        earliest(&mut self.stated_sent_at, other.stated_sent_at);
        self.delivered.join(other.delivered);
        self.read.join(other.read);
        self.answer_accepted |= other.answer_accepted;
        self.answer_unknown |= other.answer_unknown;
        self.refused.join(&other.refused);
        self.failed.join(&other.failed);
        self.marked.join(&other.marked);
        match (&mut self.counters, &other.counters) {
            (Some(mine), Some(theirs)) => mine.join(theirs),
            (mine @ None, theirs) => mine.clone_from(theirs),
            (Some(_), None) => {}
        }
        self.awaiting_approval |= other.awaiting_approval;
        self.awaiting_sending |= other.awaiting_sending;
        self.results_pending |= other.results_pending;
        for (id, proof) in &other.ids {
            self.add_id(id, *proof);
        }
        smaller(&mut self.reference, other.reference.as_deref());
        for (reference, proof) in &other.claims {
            join_claim(&mut self.claims, reference, *proof);
        }
        self.sender.join(&other.sender);
        self.recipient.join(&other.recipient);
        self.kind.join(&other.kind);
        self.template_id.join(&other.template_id);
        earliest(&mut self.scheduled_at, other.scheduled_at);
        smaller(&mut self.metadata, other.metadata.as_deref());
        earliest(&mut self.server_time.exact, other.server_time.exact);
        earliest(&mut self.server_time.bound, other.server_time.bound);
        earliest(&mut self.server_time.in_id, other.server_time.in_id);
        earliest(&mut self.server_time.learned, other.server_time.learned);
    }

    /// The id that is shown: the best founded, then the smaller text.
    pub fn message_id(&self) -> Option<&str> {
        self.ids.iter().min_by_key(|(id, proof)| (**proof, id.as_str())).map(|(id, _)| id.as_str())
    }

    /// The id that the sender registered.
    pub fn registered_id(&self) -> Option<&str> {
        self.ids.iter().find(|(_, p)| **p == IdProof::Registered).map(|(id, _)| id.as_str())
    }

    /// The reference by which a registered message may take this one's id: the earliest claim, then the smaller text.
    pub fn effective_claim(&self) -> Option<(&str, ClaimProof)> {
        self.claims.iter().min_by_key(|(r, p)| (p.at.is_none(), p.at, r.as_str())).map(|(r, p)| (r.as_str(), *p))
    }

    /// The reference that is shown.
    pub fn shown_reference(&self) -> Option<&str> {
        self.reference.as_deref().or_else(|| self.effective_claim().filter(|(_, p)| p.shown).map(|(r, _)| r))
    }

    /// Receipts name the two sides the other way round: one of theirs is what first-hand evidence calls the other side. Which side
    /// a receipt's `sender` is differs between sources (protocol: Zalo 4), so ids decide, not positions.
    fn receipts_are_swapped(&self) -> bool {
        let (sender, recipient) = (self.sender.value_without_receipts(), self.recipient.value_without_receipts());
        let same = |told: &Option<String>, known: Option<&str>| known.is_some() && told.as_deref() == known;
        same(&self.sender.receipt, recipient) || same(&self.recipient.receipt, sender)
    }

    /// The sender that is shown.
    pub fn shown_sender(&self) -> Option<&str> {
        let known = self.sender.value_without_receipts();
        if known.is_none() && self.receipts_are_swapped() { self.recipient.receipt.as_deref() } else { self.sender.value() }
    }

    /// The recipient that is shown: one of several named in a report is not *the* recipient.
    pub fn shown_recipient(&self) -> Option<&str> {
        let several = self.counters.as_ref().is_some_and(|c| c.total > 1);
        let known = self.recipient.value_without_receipts();
        if several || (known.is_some() && self.receipts_are_swapped()) {
            known
        } else if self.receipts_are_swapped() {
            self.sender.receipt.as_deref()
        } else {
            self.recipient.value()
        }
    }

    /// First-hand evidence, the best there is; `None` for a message that only hearsay names (it is not shown).
    pub fn origin(&self) -> Option<Evidence> {
        match (self.registered, self.echo, self.receipt) {
            (true, _, _) => Some(Evidence::Registered),
            (_, true, _) => Some(Evidence::Echo),
            (_, _, true) => Some(Evidence::Receipt),
            _ => None,
        }
    }

    /// The message's server time from its strongest source; `None` when no watermark can reach it.
    pub fn server_time(&self) -> Option<Millis> {
        let s = &self.server_time;
        let local = || self.stated_sent_at.or(s.learned).map(|at| at.minus(LOCAL_TIME_LEAD));
        s.exact.or(s.bound).or(s.in_id).or_else(local)
    }

    /// A failure that the provider reported, outweighed answers left out.
    fn provider_failures(&self) -> impl Iterator<Item = &Failures> {
        let refused = (!self.answer_accepted).then_some(&self.refused);
        [Some(&self.failed), refused].into_iter().flatten().filter(|f| f.chosen.is_some())
    }

    /// The times at which the conversation's watermarks reached this message: delivered, read.
    pub fn reached_by(&self, thread: Option<&Thread>) -> (Option<Millis>, Option<Millis>) {
        let Some(thread) = thread else { return (None, None) };
        let named = self.delivered.known() || self.read.known();
        let in_thread = named || self.sent.known();
        if !in_thread || (!named && self.provider_failures().next().is_some()) {
            return (None, None);
        }
        match self.server_time() {
            Some(t) => (thread.delivered.reached(t), thread.read.reached(t)),
            None => (None, None),
        }
    }

    /// The outside state: a pure function of these facts and of the conversation's watermarks.
    pub fn derive(&self, thread: Option<&Thread>) -> Derived {
        let (reach_delivered, reach_read) = self.reached_by(thread);
        let mut read = self.read;
        read.join(Seen { provider: reach_read, ..Seen::default() });
        let mut delivered = self.delivered;
        delivered.join(Seen { provider: reach_delivered, ..Seen::default() });
        delivered.join(read);

        let mut failure: Option<Failure> = None;
        let mut failed = Seen::default();
        for failures in self.provider_failures().chain(self.marked.chosen.is_some().then_some(&self.marked)) {
            Failure::join(&mut failure, failures.chosen.as_ref());
            failed.join(failures.seen);
        }
        let failed_elsewhere = failed.known();
        let mut partial = false;
        let mut conflict = false;
        let mut report_failed = false;
        if let Some(counters) = &self.counters {
            match counters.verdict() {
                Verdict::Open => {}
                Verdict::Delivered { partial: p, conflict: c } => {
                    delivered.join(counters.delivered.seen);
                    partial = p;
                    conflict = c;
                    report_failed = counters.failed.n > 0 && (!p || counters.failure.is_some());
                }
                Verdict::Failed { conflict: c } => {
                    conflict = c;
                    report_failed = true;
                }
            }
            if report_failed {
                let reason = counters.failure.clone().unwrap_or_else(|| Failure::ours("undelivered", None));
                Failure::join(&mut failure, Some(&reason));
                failed.join(counters.failed.seen);
            }
        }
        let proof = delivered.known();
        conflict |= proof && (failed_elsewhere || (report_failed && !partial));
        let state = match (read.known(), proof, failed.known(), self.sent.known()) {
            (true, _, _, _) => State::Read,
            (_, true, _, _) => State::Delivered,
            (_, _, true, _) => State::Failed,
            (_, _, _, true) => State::Sent,
            _ => State::Queued,
        };
        let sent_at = self.sent.known().then(|| self.sent.provider.or(self.stated_sent_at).or(self.sent.arrival)).flatten();
        Derived {
            state,
            queued_at: self.queued_at(sent_at),
            sent_at,
            delivered_at: delivered.time(),
            read_at: read.time(),
            failed_at: failed.time(),
            recipients: self.recipients(state),
            partial,
            conflict,
            failure,
            // A callback about it proves that the provider has it, whatever became of the answer.
            outcome_unknown: self.answer_unknown && state == State::Queued && !self.answer_accepted && !self.called_back,
        }
    }

    /// A message cannot have been queued after it was sent; where only our arrival stands for the queuing, it gives way.
    fn queued_at(&self, sent_at: Option<Millis>) -> Option<Millis> {
        let q = &self.queued;
        q.provider.or(q.stated).or_else(|| q.arrival.map(|a| sent_at.map_or(a, |s| a.min(s))))
    }

    fn recipients(&self, state: State) -> Recipients {
        match &self.counters {
            Some(counters) => counters.recipients(),
            None => Recipients {
                total: 1,
                delivered: u32::from(matches!(state, State::Delivered | State::Read)),
                failed: u32::from(state == State::Failed),
            },
        }
    }
}

fn join_claim(claims: &mut BTreeMap<String, ClaimProof>, reference: &str, proof: ClaimProof) {
    match claims.get_mut(reference) {
        Some(mine) => {
            earliest(&mut mine.at, proof.at);
            mine.same_recipient |= proof.same_recipient;
            mine.shown |= proof.shown;
        }
        None => {
            claims.insert(reference.to_owned(), proof);
        }
    }
}

#[cfg(test)]
mod tests;
