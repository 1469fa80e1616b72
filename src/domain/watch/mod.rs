//! What is watched over whole accounts: their callbacks, receipts, tokens, templates and incidents.
//!
//! Pure: it is told what was folded and what time it is, and says what follows. What it remembers it hands over as *sheets*, named values
//! that the store keeps in the commit of the records they come from, so that neither a crash nor a restart counts twice or forgets.
//! It must not know SQL, HTTP, a clock or a provider.

pub mod diagnose;
pub mod hours;
pub mod incident;
mod incidents;
pub mod judge;
mod latency;
mod moved;
pub mod pulse;
pub mod recent;
mod sheet;
pub mod sketch;
mod standing;
pub mod tally;
pub mod templates;
pub mod tokens;
pub mod traffic;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use moved::{Before, Moved};
pub use sheet::{Sheet, decode, encode};
pub use standing::{Reason, Standing};

use incidents::Incidents;
use judge::{Case, GRACE_UNLEARNED, Judgement, judge};
use latency::Latency;
use pulse::Pulse;
use traffic::Traffic;

use crate::domain::event::{EventGroup, GroupRole};
use crate::domain::failure::Retry;
use crate::domain::feed::{Entry, MessageAt, What};
use crate::domain::ids::AccountId;
use crate::domain::projection::{Key, KeyKind};
use crate::domain::state::State;
use crate::domain::stuck::{Cause, Stuck};
use crate::domain::time::{Millis, Span};

/// The number of an incident: 1, 2, 3 … in the order in which they opened.
pub type IncidentId = u64;

/// How often what was noticed of strangers is kept.
const NOTICED_EVERY: Span = Span::minutes(1);

/// Who is slow for so long is learned anew: that is how it is now.
const SLOW_FOR_GOOD: Span = Span::days(1);

/// A receipt within this time never counts as slow, however quick the others are.
const SLOW_MIN: Span = Span::minutes(2);

/// Kinds whose receipts usually take longer than this say nothing of whether the provider is slow just now.
const SLOW_MAX: Span = Span::minutes(20);

/// The time beyond which a receipt of a kind is slow, where the kind is quick enough to tell: a tenth above what is usual, which is known
/// within a few per cent only.
fn quick(usual: Span) -> Option<Span> {
    (usual.0 <= SLOW_MAX.0).then_some(Span((usual.0 + usual.0 / 10).max(SLOW_MIN.0)))
}

/// A message that moved into another state, with what is needed to know more of it than to count it.
#[derive(Clone, Copy, Debug)]
pub struct MessageMove<'a> {
    /// What is counted of it.
    pub moved: Moved<'a>,
    /// The message.
    pub id: MessageAt,
    /// Somebody registered it.
    pub registered: bool,
    /// Only a receipt told of it.
    pub orphan: bool,
    /// The sender's own hour for it.
    pub scheduled_at: Option<Millis>,
    /// Its kind gets its receipts whenever.
    pub unpromised: bool,
    /// The recipient.
    pub recipient: Option<&'a str>,
    /// Whether and when sending again makes sense, where it failed.
    pub retry: Option<Retry>,
    /// Sub-code of its failure.
    pub subcode: Option<&'a str>,
}

impl<'a> std::ops::Deref for MessageMove<'a> {
    type Target = Moved<'a>;
    fn deref(&self) -> &Moved<'a> {
        &self.moved
    }
}

impl MessageMove<'_> {
    /// It goes out at an hour of its own, not when it was handed over, or its receipt comes whenever: how long that takes says nothing.
    pub fn is_planned(&self) -> bool {
        self.unpromised || self.scheduled_at.is_some_and(|at| at > self.sent_at.unwrap_or(self.now))
    }

    /// The recipient as a hash; a message without one counts as a person of its own.
    pub fn recipient_hash(&self) -> u64 {
        recipient_hash(self.recipient, self.id.row)
    }
}

/// A recipient as a hash; a message without one counts as a person of its own.
pub fn recipient_hash(recipient: Option<&str>, row: u64) -> u64 {
    match recipient {
        Some(recipient) => Key::recipient(recipient).0,
        None => Key::new(KeyKind::Recipient, &row.to_string()).0,
    }
}

/// A message whose stuck overlay changed.
#[derive(Clone, Copy, Debug)]
pub struct StuckChange<'a> {
    /// The message.
    pub id: MessageAt,
    /// Its account.
    pub account: &'a AccountId,
    /// When.
    pub now: Millis,
    /// The recipient.
    pub recipient: Option<&'a str>,
    /// As it was before.
    pub before: Option<Stuck>,
    /// The cause now.
    pub after: Option<Cause>,
}

/// What the configuration says of an account, as far as a judgement needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Configured {
    /// When the configured token ends.
    pub token_ends_at: Option<Millis>,
}

/// One account under watch.
#[derive(Clone, Debug, Default)]
struct Watched {
    pulse: Pulse,
    traffic: Traffic,
    latency: Latency,
    judgement: Option<Judgement>,
    pulse_changed: bool,
    /// Something was noticed that is no reason to write at once.
    pulse_noticed: bool,
    /// When what was noticed was last kept.
    noticed_kept_at: Option<Millis>,
    traffic_changed: bool,
}

impl Watched {
    /// How it was judged when the pulse was kept is how it stands until the first look.
    fn take_up(&mut self, pulse: Pulse) {
        let deaf = pulse.is_deaf();
        self.judgement = pulse.standing.map(|(standing, reason, at)| Judgement { standing, reason, since: Some(at), deaf });
        self.pulse = pulse;
    }
}

/// Every account under watch, and the incidents.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    accounts: BTreeMap<AccountId, Watched>,
    incidents: Incidents,
    feed: Vec<Entry>,
}

impl Watch {
    /// Takes up what was remembered; the names of sheets that cannot be read, whose memory begins anew.
    pub fn load(sheets: impl IntoIterator<Item = (String, Vec<u8>)>) -> (Watch, Vec<String>) {
        let (mut watch, mut unreadable) = (Watch::default(), Vec::new());
        for (name, data) in sheets {
            if !watch.take_up(&name, &data) {
                unreadable.push(name);
            }
        }
        // What is asked before the first look must have the answer that it had before the restart.
        watch.accounts.values_mut().for_each(|watched| watched.latency.work_out());
        (watch, unreadable)
    }

    /// The beginnings of the names of the sheets that [`Watch::load`] wants.
    pub const PREFIXES: &'static [&'static str] =
        &["pulse/", "traffic/", "latency/", "incident/open/", "incident/last", "incident/candidates/"];

    fn take_up(&mut self, name: &str, data: &[u8]) -> bool {
        let mut parts = name.splitn(2, '/');
        let (kind, rest) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        match (kind, AccountId::parse(rest)) {
            ("pulse", Ok(id)) => decode(data).map(|pulse| self.accounts.entry(id).or_default().take_up(pulse)).is_some(),
            ("traffic", Ok(id)) => decode(data).map(|traffic| self.accounts.entry(id).or_default().traffic = traffic).is_some(),
            ("latency", _) => {
                let Some((account, rest)) = rest.split_once('/') else { return false };
                let Ok(id) = AccountId::parse(account) else { return false };
                self.accounts.entry(id).or_default().latency.take_up(rest, data)
            }
            ("incident", _) => self.incidents.take_up(rest, data),
            _ => false,
        }
    }

    fn account(&mut self, id: &AccountId) -> &mut Watched {
        self.accounts.entry(id.clone()).or_default()
    }

    /// The pulse of an account, to tell it something.
    pub fn pulse(&mut self, id: &AccountId) -> &mut Pulse {
        let watched = self.account(id);
        watched.pulse_changed = true;
        &mut watched.pulse
    }

    /// The pulse of an account, to tell it what came and is not on record. Strangers can make it change as often as they like, so it is
    /// kept once a minute, or with the next change that counts.
    pub fn noticed(&mut self, id: &AccountId) -> &mut Pulse {
        let watched = self.account(id);
        watched.pulse_noticed = true;
        &mut watched.pulse
    }

    /// A callback came and is on record.
    pub fn callback(&mut self, id: &AccountId, at: Millis, groups: &[&'static EventGroup]) {
        let watched = self.account(id);
        watched.pulse_changed = true;
        watched.pulse.callback(at, groups);
        // Receipts and echoes follow our own sends; where we know of those, only what comes by itself is usual traffic.
        let registers = watched.pulse.last_registered_at.is_some_and(|t| at.0 - t.0 < Span::days(7).0);
        let by_itself = groups.iter().any(|g| g.role == GroupRole::Inbound);
        if by_itself || !registers {
            watched.traffic_changed |= watched.traffic.came(at, 1);
        }
    }

    /// A message moved.
    pub fn moved(&mut self, m: &MessageMove<'_>) {
        let watched = self.accounts.entry(m.account.clone()).or_default();
        watched.pulse_changed = true;
        watched.pulse.moved(m, watched.latency.usual_of(m.kind).and_then(quick));
        let first = !matches!(m.from, Some(State::Delivered | State::Read)) && matches!(m.to, State::Delivered | State::Read);
        // What comes late while the provider is in trouble must not become what is usual, unless it stays so.
        let stays = |j: Judgement| j.reason == Reason::ProviderSlow && j.since.is_some_and(|since| m.now.0 - since.0 >= SLOW_FOR_GOOD.0);
        let well = watched.judgement.is_none_or(|j| j.reason == Reason::Well || stays(j));
        if let (true, true, false, Some(sent)) = (first, well, m.is_planned(), m.sent_at) {
            watched.latency.receipted(m.kind, sent, m.now);
        }
        self.feed.push(Entry { account: m.account.clone(), at: m.now, what: What::Moved { id: m.id, from: m.from, to: m.to } });
        self.incidents.moved(m, &watched.pulse.hours, &mut self.feed);
    }

    /// A message became stuck, is stuck for another cause, or is stuck no more.
    pub fn stuck_changed(&mut self, change: StuckChange<'_>) {
        let what = match (change.before, change.after) {
            (_, Some(cause)) => What::Stuck { id: change.id, cause },
            (Some(before), None) => What::Unstuck { id: change.id, cause: before.cause },
            (None, None) => return,
        };
        self.feed.push(Entry { account: change.account.clone(), at: change.now, what });
        let watched = self.accounts.get(change.account);
        let day = watched.map(|w| w.pulse.hours.last(Span::hours(24), change.now)).unwrap_or_default();
        let lost = watched.is_some_and(|w| w.pulse.was_silent(change.now));
        self.incidents.stuck_changed(change, day, lost, &mut self.feed);
    }

    /// Time passed: judges every configured account anew. The accounts whose standing changed, so that their stuck messages may have
    /// another cause now.
    pub fn tick<'c>(&mut self, now: Millis, configured: impl IntoIterator<Item = (&'c AccountId, Configured)>) -> Vec<AccountId> {
        let (mut changed, mut judged_accounts) = (Vec::new(), BTreeSet::new());
        for (id, configured) in configured {
            judged_accounts.insert(id);
            let watched = self.account(id);
            if watched.latency.refresh(now) {
                watched.pulse.recent.usual_ms = watched.latency.usual_of_kinds().filter_map(quick).max().unwrap_or(Span(0)).0;
                watched.pulse_changed = true;
            }
            watched.pulse_changed |= watched.pulse.come_back_to(now);
            let case = Case {
                pulse: &watched.pulse,
                traffic: &watched.traffic,
                grace: watched.latency.usual().map_or(GRACE_UNLEARNED, |(grace, _)| grace),
                token_ends_at: configured.token_ends_at,
            };
            let judged = judge(case, now);
            let soon = watched.noticed_kept_at.is_some_and(|at| at <= now && now.0 - at.0 < NOTICED_EVERY.0);
            if watched.pulse_noticed && !soon {
                (watched.pulse_changed, watched.noticed_kept_at) = (true, Some(now));
            }
            watched.judgement = Some(judged);
            if judged.deaf {
                watched.traffic.forget(now);
            } else {
                watched.traffic_changed |= watched.traffic.pass(now);
            }
            let before = watched.pulse.standing.map(|(standing, reason, _)| (standing, reason));
            let silent = judged.deaf || judged.reason == Reason::ReceiptsNotSubscribed;
            watched.pulse_changed |= watched.pulse.judged(silent.then(|| (judged.reason, judged.since.unwrap_or(now))), now);
            if before != Some((judged.standing, judged.reason)) {
                watched.pulse.standing = Some((judged.standing, judged.reason, now));
                watched.pulse_changed = true;
                // The first look at a new account tells nobody anything.
                if let Some((from, _)) = before {
                    let what = What::Account { from, to: judged.standing, reason: judged.reason };
                    self.feed.push(Entry { account: id.clone(), at: now, what });
                }
                self.incidents.judged(id, judged, now, &mut self.feed);
                changed.push(id.clone());
            }
        }
        self.incidents.abandon(|id| !judged_accounts.contains(id));
        self.incidents.tick(now, &mut self.feed);
        changed
    }

    /// How long a receipt of an account usually takes at the most, once that is known.
    pub fn grace(&self, id: &AccountId) -> Option<Span> {
        self.accounts.get(id).and_then(|w| w.latency.usual()).map(|(grace, _)| grace)
    }

    /// The incidents that are open.
    pub fn open_incidents(&self) -> impl Iterator<Item = &incident::Incident> {
        self.incidents.open()
    }

    /// How an account was last judged.
    pub fn judgement(&self, id: &AccountId) -> Option<Judgement> {
        self.accounts.get(id).and_then(|w| w.judgement)
    }

    /// What is remembered of an account.
    pub fn of(&self, id: &AccountId) -> Option<(&Pulse, &Traffic)> {
        self.accounts.get(id).map(|w| (&w.pulse, &w.traffic))
    }

    /// When a message of this kind that was sent then is late, as learned; `None` before enough was seen.
    pub fn late(&self, id: &AccountId, kind: Option<&str>, sent_at: Millis) -> Option<Span> {
        self.accounts.get(id).and_then(|w| w.latency.late(kind, sent_at))
    }

    /// What happened since it was last asked.
    pub fn take_feed(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.feed)
    }

    /// What must be kept since it was last asked.
    pub fn take_changed(&mut self) -> Vec<Sheet> {
        let mut sheets = Vec::new();
        for (id, watched) in &mut self.accounts {
            if std::mem::take(&mut watched.pulse_changed) {
                watched.pulse_noticed = false;
                sheets.push(Sheet::of(format!("pulse/{id}"), &watched.pulse));
            }
            watched.latency.take_changed(id, &mut sheets);
            if std::mem::take(&mut watched.traffic_changed) {
                sheets.push(Sheet::of(format!("traffic/{id}"), &watched.traffic));
            }
        }
        self.incidents.take_changed(&mut sheets);
        sheets
    }
}

#[cfg(test)]
mod tests;
