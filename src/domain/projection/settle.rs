//! After the facts are joined: what follows from them. Summaries, conversations, deadlines and transitions of the messages touched.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::thread::thread_key;
use super::{Key, Source, StuckMove, Times, Transition, Workbench};
use crate::domain::facts::Facts;
use crate::domain::ids::{AccountId, Row};
use crate::domain::message::{Counted, Filed, Summary};
use crate::domain::state::{Derived, State};
use crate::domain::stuck::{Cause, Evidence, Stuck};
use crate::domain::thread::control::Holder;
use crate::domain::time::Millis;

impl<S: Source> Workbench<'_, S> {
    /// Settles every touched message and whoever borrows its facts.
    pub(super) fn settle_touched(&mut self, now: Millis) -> Result<(), S::Error> {
        let mut settling = BTreeSet::new();
        while let Some(row) = self.touched.pop_first() {
            if settling.insert(row) {
                self.bind_around(row)?;
            }
        }
        let borrowers: Vec<Row> =
            settling.iter().map(|row| self.view(*row).map(|m| m.lent_to)).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect();
        settling.extend(borrowers);
        for row in settling {
            self.settle(row, now)?;
        }
        Ok(())
    }

    fn settle(&mut self, row: Row, now: Millis) -> Result<(), S::Error> {
        let message = self.view(row)?;
        if message.lent_to.is_some() && message.merged_into.is_none() {
            self.hide(row, now)?;
        }
        let was_dirty = self.is_dirty(row);
        let message = self.edit(row)?;
        let account = message.account.clone();
        let hidden = message.merged_into.is_some() || message.lent_to.is_some();
        let before = std::mem::take(&mut message.filed);
        let (was_stuck, was_due_at) = (message.stuck, message.due_at);
        // Taken out while others are looked at, and put back at the end: facts are too large to copy each time.
        let own = std::mem::take(&mut message.facts);
        let joined = match message.borrows {
            None => None,
            Some(lender) => {
                let mut facts = own.clone();
                facts.join(&self.view(lender)?.facts);
                Some(facts)
            }
        };
        let facts = joined.as_ref().unwrap_or(&own);
        let (summary, derived) = self.summarise(&account, facts, hidden)?;
        let unmoved = was_stuck.filter(|_| before.state == Some(derived.state));
        let (stuck, due_at) = if summary.filed.listed { self.overlay(row, &account, facts, &derived, unmoved, now)? } else { (None, None) };
        let counted = self.counted(row, &account, facts, &derived, &summary)?;
        let filed = &summary.filed;
        if let Some(recipient) = &filed.recipient
            && filed.listed
            && (!before.listed || filed.recipient != before.recipient)
        {
            self.index_only(Key::recipient(recipient), row);
        }
        let from = before.state.filter(|_| before.listed);
        let was_counted = if from.is_some() { self.was_counted(row) } else { None };
        if filed.listed && (from != Some(derived.state) || was_counted.as_ref() != Some(&counted)) {
            let times = Times {
                queued_at: derived.queued_at,
                sent_at: derived.sent_at,
                delivered_at: derived.delivered_at,
                read_at: derived.read_at,
                failed_at: derived.failed_at,
            };
            let late = was_stuck.is_some();
            let (class, after) = (summary.failure_class, counted.clone());
            self.transitions.push(Transition { row, from, to: derived.state, now, late, times, class, before: was_counted, after });
        }
        let causes = (was_stuck.map(|s| s.cause), stuck.map(|s| s.cause));
        if causes.0 != causes.1 {
            self.stuck_moves.push(StuckMove { row, now, before: was_stuck, after: causes.1 });
        }
        self.note_thread(row, before.thread, summary.filed.thread);
        // What was only looked at is not written.
        let as_before = !was_dirty && summary.filed == before && (stuck, due_at) == (was_stuck, was_due_at);
        self.count(row, filed_as(&summary, counted));
        let message = self.edit(row)?;
        message.facts = own;
        message.filed = summary.filed.clone();
        message.stuck = stuck;
        message.due_at = due_at;
        if as_before {
            self.clean(row);
        }
        self.summaries.insert(row, Box::new(summary));
        Ok(())
    }

    /// By what a message is counted from now on; what it was counted by before, where that is the same.
    fn counted(
        &mut self,
        row: Row,
        account: &AccountId,
        facts: &Facts,
        derived: &Derived,
        summary: &Summary,
    ) -> Result<Arc<Counted>, S::Error> {
        let rules = self.rules();
        let before = self.was_counted(row);
        let timeline = &self.view(row)?.timeline;
        Ok(Counted::of(facts, derived.state, summary.failure_class, before, || rules.carriage(account, timeline)))
    }

    fn summarise(&mut self, account: &AccountId, facts: &Facts, hidden: bool) -> Result<(Summary, Derived), S::Error> {
        let sender = facts.shown_sender();
        let recipient = facts.shown_recipient();
        let key = if hidden { None } else { thread_key(self.rules(), account, facts) };
        let thread = match &key {
            Some(key) => Some(self.thread_row(key)?),
            None => None,
        };
        let derived = facts.derive(key.as_ref().and_then(|k| self.thread(k)));
        let kind = facts.kind.value();
        let failure_class = derived.failure.as_ref().map(|f| self.rules().classify(account, kind, f));
        let filed = Filed {
            listed: !hidden && facts.origin().is_some(),
            state: Some(derived.state),
            recipient: recipient.map(str::to_owned),
            thread,
            server_time: thread.and_then(|_| facts.server_time()),
            stamp: 0,
        };
        let failure = derived.failure.as_ref();
        let mut summary = Summary {
            filed,
            origin: facts.origin(),
            message_id: facts.message_id().map(str::to_owned),
            reference: facts.shown_reference().map(str::to_owned),
            sender: sender.map(str::to_owned),
            kind: kind.map(str::to_owned),
            template_id: facts.template_id.value().map(str::to_owned),
            failure_class,
            failure_code: failure.and_then(|f| f.code.clone()),
            failure_subcode: failure.and_then(|f| f.subcode.clone()),
            partial: derived.partial,
            conflict: derived.conflict,
        };
        summary.filed.stamp = summary.stamp();
        Ok((summary, derived))
    }

    /// Another app took the conversation before that moment, and holds it still. Once that was found it stays so until the conversation is
    /// ours: that it fell idle explains nothing else.
    fn held_by_other(&self, account: &AccountId, facts: &Facts, since: Millis, now: Millis, still: Option<Stuck>) -> bool {
        let key = thread_key(self.rules(), account, facts);
        let holder = key.as_ref().and_then(|key| self.thread(key)).map(|thread| thread.control.holder(now));
        match holder {
            Some(Holder::Other { since: taken, .. }) if taken <= since => true,
            Some(Holder::Ours { .. }) => false,
            _ => still.is_some_and(|s| s.cause == Cause::ThreadControl),
        }
    }

    /// The stuck overlay and when to look again.
    fn overlay(
        &mut self,
        row: Row,
        account: &AccountId,
        facts: &Facts,
        derived: &Derived,
        unmoved: Option<Stuck>,
        now: Millis,
    ) -> Result<(Option<Stuck>, Option<Millis>), S::Error> {
        if !derived.state.is_open() {
            return Ok((None, None));
        }
        let kind = facts.kind.value();
        let entered = match derived.state {
            State::Sent => derived.sent_at,
            _ => derived.queued_at,
        };
        let since = match entered {
            Some(at) => at,
            None => self.view(row)?.created_at,
        };
        let Some(stay) = self.rules().stay(account, kind, derived.state, since) else { return Ok((None, None)) };
        let deadline = since.plus(stay);
        // A clock that went back, an old record that is folded again or a deadline that was learned anew take nothing away: only a move
        // does, or another deadline by what is known of the message now.
        let learned = self.rules().learns_deadlines();
        let still = unmoved.filter(|s| s.since == since && (s.deadline == deadline || learned && s.deadline < deadline));
        if now < deadline {
            // Why it is stuck is not worked out anew at a moment at which it would not be; the sweep does that at its own.
            return Ok((still, Some(deadline)));
        }
        let deadline = still.map_or(deadline, |s| s.deadline);
        let evidence = Evidence {
            state: derived.state,
            kind,
            outcome_unknown: derived.outcome_unknown,
            awaiting_approval: facts.awaiting_approval,
            awaiting_sending: facts.awaiting_sending,
            results_pending: facts.results_pending,
            called_back: facts.called_back,
            held_by_other: self.held_by_other(account, facts, since, now, still),
            sender: facts.shown_sender(),
            scheduled_at: facts.scheduled_at,
            since,
            now,
        };
        let cause = self.rules().stuck_cause(account, &evidence);
        let again = facts.scheduled_at.filter(|at| cause == Cause::Scheduled && *at > now);
        Ok((Some(Stuck { since, deadline, cause }), again))
    }
}

/// What is not listed is not counted.
fn filed_as(summary: &Summary, counted: Arc<Counted>) -> Option<Arc<Counted>> {
    summary.filed.listed.then_some(counted)
}
