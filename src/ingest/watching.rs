//! The watch over accounts beside the fold: what a batch told is noted while it is folded, and given to the watch once the batch is made,
//! so that what follows is committed together with it.
//!
//! After a failed commit everything here is dropped and read again, like everything else that was made of the state.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::rules::AccountRules;
use super::signals::Signals;
use crate::domain::event::{About, AccountEvent, EventGroup, PolicyAction};
use crate::domain::failure::{Class, Failure, Retry};
use crate::domain::feed::MessageAt;
use crate::domain::ids::AccountId;
use crate::domain::message::{Carriage, Counted, Message, Summary, Timeline};
use crate::domain::projection::{ByRow, Change, Changed, Hidden, Rules};
use crate::domain::record::Status;
use crate::domain::state::State;
use crate::domain::stuck::{Cause, Evidence};
use crate::domain::time::{Millis, Span};
use crate::domain::watch::diagnose::{Around, diagnose};
use crate::domain::watch::tally::{ReadSheets, Tally};
use crate::domain::watch::templates::{self, Templates};
use crate::domain::watch::{Before, MessageMove, Moved, Standing, StuckChange, Watch};
use crate::metrics::Metrics;
use crate::providers::Refusal;
use crate::providers::catalogue::catalogue;
use crate::store::{StateWriter, StoreError};

/// How the metrics call messages without a kind.
const NO_KIND: &str = "none";

/// Something that a record told beside its messages.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) account: AccountId,
    pub(super) at: Millis,
    pub(super) what: Noted,
}

/// What it was.
#[derive(Debug)]
pub(super) enum Noted {
    /// A callback with these groups of events (bits over the provider's list), and what became of it.
    Callback { groups: u32, status: Status },
    /// A statement about the account.
    Event(Box<AccountEvent>),
    /// A figure of a quota or a limit.
    Figure { name: String, value: String },
    /// A failure with a code that is not in the catalogue.
    UnknownCode,
}

/// The watch, as the projector holds it.
pub(super) struct Watching {
    watch: Watch,
    tally: Tally,
    /// Seconds to delivery by provider and kind, for the metrics.
    latencies: BTreeMap<&'static str, BTreeMap<String, Vec<f64>>>,
    /// Clues of refused requests, for the metrics.
    clues: Vec<(&'static str, u64)>,
    templates: HashMap<AccountId, Templates>,
    /// The groups of the callback at hand.
    told: Vec<&'static EventGroup>,
}

impl Watching {
    /// Reads what is remembered.
    pub(super) fn load(state: &impl StateWriter) -> Result<Watching, StoreError> {
        let mut sheets = Vec::new();
        for prefix in Watch::PREFIXES {
            sheets.extend(state.sheets(prefix)?);
        }
        let (watch, unreadable) = Watch::load(sheets);
        for name in unreadable {
            tracing::warn!(name, "what was remembered under this name cannot be read; it is learned anew");
        }
        let kept = state.sheets(&templates::prefix(None))?;
        let owners: BTreeSet<AccountId> = kept.iter().filter_map(|(name, _)| Some(templates::named(name)?.0)).collect();
        let sheets = || kept.iter().map(|(name, data)| (name.as_str(), data.as_slice()));
        let templates = owners.into_iter().map(|id| (id.clone(), Templates::load(id, sheets()))).collect();
        Ok(Watching { watch, tally: Tally::new(), latencies: BTreeMap::new(), clues: Vec::new(), templates, told: Vec::new() })
    }

    /// The rules of the fold, with what the watch knows.
    pub(super) fn judge<'a>(&'a self, rules: &'a AccountRules) -> Judge<'a> {
        Judge { rules, watch: &self.watch }
    }

    /// Gives the watch what a batch told, and puts what follows into its change. Of records that were folded before only what they state
    /// counts, not that they came.
    ///
    /// # Errors
    /// When the state cannot be read; then this is dropped.
    pub(super) fn take(
        &mut self,
        rules: &AccountRules,
        notes: Vec<Note>,
        change: &mut Change,
        again: bool,
        state: &impl StateWriter,
    ) -> Result<(), StoreError> {
        for note in notes {
            self.note(rules, note, again);
        }
        self.moves(rules, change, &|prefix| state.sheets(prefix))?;
        self.hand_over(change);
        Ok(())
    }

    fn note(&mut self, rules: &AccountRules, note: Note, again: bool) {
        let Note { account, at, what } = note;
        match what {
            Noted::Callback { groups, status } if !again => {
                let all = rules.get(&account).map_or(&[][..], |k| k.spec.groups);
                self.told.clear();
                self.told.extend(all.iter().enumerate().filter(|(i, _)| groups & (1 << i) != 0).map(|(_, g)| g));
                self.watch.callback(&account, at, &self.told);
                if status == Status::Error {
                    self.watch.pulse(&account).counters.errors.again(1, at);
                }
            }
            Noted::Callback { .. } => {}
            Noted::UnknownCode if again => {}
            Noted::UnknownCode => self.watch.pulse(&account).counters.unknown_codes.again(1, at),
            Noted::Figure { name, value } => self.watch.pulse(&account).figure(&name, &value, at),
            Noted::Event(event) => self.account_event(&account, at, &event),
        }
    }

    fn account_event(&mut self, account: &AccountId, arrival: Millis, event: &AccountEvent) {
        let at = event.at.unwrap_or(arrival);
        let pulse = self.watch.pulse(account);
        match &event.about {
            About::Template { .. } => self.templates(account).observe(event, arrival),
            About::DailyQuota { sender, value: Some(value), .. } => {
                let name = sender.as_ref().map_or_else(|| "daily".to_owned(), |sender| format!("daily of {sender}"));
                pulse.figure(&name, value, at);
            }
            About::Revoked { sender } => pulse.tokens.revoked(sender.as_deref(), at),
            About::Policy { action, reason } => {
                let word = reason.as_ref().map_or_else(|| action.to_string(), |reason| format!("{action}: {reason}"));
                let barred = match action {
                    PolicyAction::Block => Some(true),
                    PolicyAction::Unblock => Some(false),
                    PolicyAction::Warning | PolicyAction::Other => None,
                };
                pulse.policy(&word, barred, at);
            }
            About::DailyQuota { .. } | About::Other => {}
        }
    }

    fn templates(&mut self, account: &AccountId) -> &mut Templates {
        self.templates.entry(account.clone()).or_insert_with(|| Templates::new(account.clone()))
    }

    /// What was noticed at the edge since the last time: requests that were refused, repeats, what was no callback at all.
    fn signals(&mut self, signals: &Signals, now: Millis) {
        for (account, tally) in signals.drain() {
            let pulse = self.watch.noticed(&account);
            for (refusal, counted) in &tally.refused {
                pulse.refused(refusal.as_str(), counted.count, counted.last);
                // Whoever brings no signature at all is a stranger, unless nothing else comes: then it may be lost on the way.
                let stranger = *refusal == Refusal::Missing;
                pulse.refused_in_a_row(counted.count, !stranger, counted.first);
            }
            for (finding, counted) in &tally.found {
                let name = match &finding.account {
                    Some(other) => format!("{} {other}", finding.clue.as_str()),
                    None => finding.clue.as_str().to_owned(),
                };
                pulse.refused(&name, counted.count, counted.last);
                if finding.clue.is_proof() {
                    pulse.refused_for_sure(counted.count, counted.last);
                }
                self.clues.push((finding.clue.as_str(), counted.count));
            }
            if tally.repeats > 0 {
                pulse.counters.duplicates.again(tally.repeats, now);
            }
            if tally.malformed > 0 {
                pulse.counters.malformed.again(tally.malformed, now);
            }
        }
    }

    /// Every message that moved, and every overlay that changed.
    fn moves(&mut self, rules: &AccountRules, change: &Change, read: ReadSheets<'_, StoreError>) -> Result<(), StoreError> {
        let by_row = change.by_row();
        for t in &change.transitions {
            let Some(Changed { message, summary, .. }) = by_row.get(t.row) else { continue };
            let Some(known) = rules.get(&message.account) else { continue };
            let retry = t.class.filter(|_| t.to == State::Failed).and_then(|_| retry(known.spec, summary));
            let after = &t.after;
            let before = t.before.as_deref();
            let moved = Moved {
                account: &message.account,
                now: t.now,
                created_at: message.created_at,
                from: t.from,
                to: t.to,
                kind: after.kind.as_deref(),
                template_id: after.template_id.as_deref(),
                sender: summary.sender.as_deref().filter(|_| known.spec.token_of_sender),
                carrier: after.carriage.carrier.as_deref(),
                price: after.carriage.price,
                price_before: before.and_then(|b| b.carriage.price),
                before: before.map(counted_before),
                queued_at: t.times.queued_at,
                sent_at: t.times.sent_at,
                delivered_at: t.times.delivered_at,
                read_at: t.times.read_at,
                failed_at: t.times.failed_at,
                failure_class: t.class,
                failure_code: summary.failure_code.as_deref(),
                late: t.late,
            };
            self.tally.moved(&moved, read)?;
            self.template_moved(&moved);
            if t.from == Some(t.to) {
                // Only by what it is counted changed.
                continue;
            }
            let first = !matches!(t.from, Some(State::Delivered | State::Read)) && matches!(t.to, State::Delivered | State::Read);
            if let (true, Some(sent), Some(delivered)) = (first, t.times.sent_at, t.times.delivered_at) {
                self.took(known.spec.slug, moved.kind, (delivered.0 - sent.0) as f64 / 1_000.0);
            }
            self.watch.moved(&MessageMove {
                moved,
                id: MessageAt { row: t.row, created_at: message.created_at },
                registered: message.facts.registered,
                orphan: !message.facts.registered && !message.facts.echo,
                scheduled_at: message.facts.scheduled_at,
                unpromised: summary.kind.as_deref().is_some_and(|kind| known.spec.unpromised.contains(&kind)),
                recipient: message.filed.recipient.as_deref(),
                retry,
                subcode: summary.failure_subcode.as_deref(),
            });
        }
        self.overlays(change, &by_row, read)
    }

    fn took(&mut self, provider: &'static str, kind: Option<&str>, seconds: f64) {
        let (kinds, kind) = (self.latencies.entry(provider).or_default(), kind.unwrap_or(NO_KIND));
        match kinds.get_mut(kind) {
            Some(all) => all.push(seconds),
            None => drop(kinds.insert(kind.to_owned(), vec![seconds])),
        }
    }

    /// Every message that is not shown any more, and every overlay that changed.
    fn overlays(&mut self, change: &Change, by_row: &ByRow<'_>, read: ReadSheets<'_, StoreError>) -> Result<(), StoreError> {
        for h in &change.hidden {
            let Some(Changed { message, .. }) = by_row.get(h.row) else { continue };
            let gone = gone(h, message);
            self.tally.gone(&gone, read)?;
            if let Some(template_id) = gone.template_id {
                self.templates(gone.account).left(template_id, h.from);
            }
        }
        for s in &change.stuck_moves {
            let Some(Changed { message, .. }) = by_row.get(s.row) else { continue };
            self.watch.stuck_changed(StuckChange {
                id: MessageAt { row: s.row, created_at: message.created_at },
                account: &message.account,
                now: s.now,
                recipient: message.filed.recipient.as_deref(),
                before: s.before,
                after: s.after,
            });
        }
        Ok(())
    }

    fn template_moved(&mut self, moved: &Moved<'_>) {
        let mut from = moved.from;
        let before = moved.before.map(|b| b.template_id);
        if let (Some(stood), Some(before)) = (from, before)
            && before != moved.template_id
        {
            // It is counted with its own template from now on.
            from = None;
            if let Some(before) = before {
                self.templates(moved.account).left(before, stood);
            }
        }
        let Some(template_id) = moved.template_id else { return };
        let code = moved.failure_code.filter(|_| moved.to == State::Failed);
        let templates = self.templates(moved.account);
        templates.moved(template_id, from, moved.to, code);
        if let (Some(Class::Template), Some(code)) = (moved.failure_class, code) {
            templates.observe_failure(template_id, code, moved.failed_at.unwrap_or(moved.now));
        }
    }

    /// Time passed. The accounts that stand differently now, and what is to be committed.
    ///
    /// # Errors
    /// When the state cannot be read; then this is dropped.
    pub(super) fn tick(
        &mut self,
        rules: &AccountRules,
        now: Millis,
        signals: &Signals,
        state: &impl StateWriter,
    ) -> Result<(Vec<AccountId>, Change), StoreError> {
        self.signals(signals, now);
        self.tally.tend(now, &|prefix| state.sheets(prefix))?;
        let accounts = rules.iter().map(|(id, known)| (id, known.configured()));
        let changed = self.watch.tick(now, accounts);
        let mut change = Change::default();
        self.hand_over(&mut change);
        Ok((changed, change))
    }

    /// Brings the metrics up to what was committed.
    pub(super) fn measure(&mut self, rules: &AccountRules, metrics: &Metrics) {
        let watched = &metrics.watched;
        for (provider, kinds) in std::mem::take(&mut self.latencies) {
            kinds.iter().for_each(|(kind, seconds)| watched.delivered(provider, kind, seconds));
        }
        for (clue, n) in self.clues.drain(..) {
            (0..n).for_each(|_| watched.clue(clue));
        }
        for (id, _) in rules.iter() {
            let now = self.watch.judgement(id).map_or(Standing::Draft, |j| j.standing);
            watched.standing(id.as_str(), Standing::ALL.iter().map(|s| s.as_str()), now.as_str());
            if let Some(at) = self.watch.of(id).and_then(|(pulse, _)| pulse.last_callback_at) {
                watched.last_callback(id.as_str(), at.0);
            }
            let open = self.watch.open_incidents().filter(|i| i.key.account == *id).count();
            watched.incidents_open(id.as_str(), open as u64);
        }
    }

    fn hand_over(&mut self, change: &mut Change) {
        change.sheets.extend(self.watch.take_changed());
        change.sheets.extend(self.tally.take_changed());
        change.sheets.extend(self.templates.values_mut().flat_map(Templates::take_changed));
        change.feed.extend(self.watch.take_feed());
    }
}

/// A message that is not shown any more, as the numbers take it back.
fn gone<'a>(hidden: &'a Hidden, message: &'a Message) -> Moved<'a> {
    let counted = &hidden.counted;
    Moved {
        account: &message.account,
        now: hidden.now,
        created_at: message.created_at,
        from: Some(hidden.from),
        to: hidden.from,
        kind: counted.kind.as_deref(),
        template_id: counted.template_id.as_deref(),
        sender: None,
        carrier: counted.carriage.carrier.as_deref(),
        price: None,
        price_before: counted.carriage.price,
        before: None,
        queued_at: None,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        failed_at: None,
        failure_class: counted.class,
        failure_code: None,
        late: false,
    }
}

/// By what a message was counted before.
fn counted_before(counted: &Counted) -> Before<'_> {
    Before {
        kind: counted.kind.as_deref(),
        template_id: counted.template_id.as_deref(),
        carrier: counted.carriage.carrier.as_deref(),
        failure_class: counted.class,
    }
}

fn retry(spec: &crate::providers::Spec, summary: &Summary) -> Option<Retry> {
    let failure = Failure { subcode: summary.failure_subcode.clone(), ..Failure::coded(summary.failure_code.clone()?, None) };
    Some(catalogue().classify(spec, summary.kind.as_deref(), &failure).1)
}

/// The rules of providers and deadlines, held against what the watch knows of the account.
pub(super) struct Judge<'a> {
    rules: &'a AccountRules,
    watch: &'a Watch,
}

impl Rules for Judge<'_> {
    fn has_threads(&self, account: &AccountId) -> bool {
        self.rules.has_threads(account)
    }

    fn server_time_of_id(&self, account: &AccountId, message_id: &str) -> Option<Millis> {
        self.rules.server_time_of_id(account, message_id)
    }

    fn stay(&self, account: &AccountId, kind: Option<&str>, state: State, since: Millis) -> Option<Span> {
        let fixed = self.rules.stay(account, kind, state, since)?;
        match self.rules.learned_floor().filter(|_| state == State::Sent) {
            Some(floor) => Some(self.watch.late(account, kind, since).map_or(fixed, |late| Span(late.0.max(floor.0)))),
            None => Some(fixed),
        }
    }

    fn learns_deadlines(&self) -> bool {
        self.rules.learns_deadlines()
    }

    fn stuck_cause(&self, account: &AccountId, evidence: &Evidence<'_>) -> Cause {
        let own = self.rules.stuck_cause(account, evidence);
        match self.watch.of(account) {
            Some((pulse, _)) => {
                diagnose(own, evidence, Around { pulse, judgement: self.watch.judgement(account), grace: self.watch.grace(account) })
            }
            None => own,
        }
    }

    fn default_kind(&self, account: &AccountId) -> Option<&'static str> {
        self.rules.default_kind(account)
    }

    fn carriage(&self, account: &AccountId, timeline: &Timeline) -> Carriage {
        self.rules.carriage(account, timeline)
    }

    fn default_sender(&self, account: &AccountId) -> Option<&str> {
        self.rules.default_sender(account)
    }

    fn classify(&self, account: &AccountId, kind: Option<&str>, failure: &Failure) -> Class {
        self.rules.classify(account, kind, failure)
    }
}
