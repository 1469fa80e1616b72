//! All incidents: the open ones, and the troubles that are not incidents yet.
//!
//! A closed incident is handed over and forgotten here; whoever shows it reads its sheet.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hours::{Hour, Hours};
use super::incident::{Incident, IncidentKey, Threshold, Trouble};
use super::judge::Judgement;
use super::recent::STEP;
use super::{IncidentId, MessageMove, Sheet, StuckChange, decode, recipient_hash};
use crate::domain::failure::Class;
use crate::domain::feed::{Entry, MessageAt, Step, What};
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::stuck::Cause;
use crate::domain::time::{Millis, Span};

/// How many closed incidents are kept.
pub const CLOSED_KEPT: u64 = 1_000;
/// How many troubles of one account are counted at a time before they become incidents; the one that was quiet longest makes room.
const CANDIDATES_MAX: usize = 64;
/// How many people of one such trouble are counted.
const CANDIDATE_PEOPLE_MAX: usize = 512;
/// So many different people are many, whatever the size of the account.
const PEOPLE_ENOUGH: usize = 256;
/// How long a message counts towards an incident that has not opened.
const WINDOW: Span = Span::hours(1);
/// Fewest messages of the hour, and the share of all of them, that no ordinary hour has.
const SHARE_PEOPLE_MIN: usize = 30;
const SHARE_MIN: f64 = 0.3;
/// The noise of a large account: this share of the messages of an hour fails for one reason or another in an ordinary hour, …
const FAILED_NOISE: f64 = 0.05;
/// … and this share of those of a day may become stuck within one hour.
const STUCK_NOISE: f64 = 0.01;

/// A trouble that is no incident yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Candidate {
    key: IncidentKey,
    /// Who, by which message, and when; the oldest first.
    met: Vec<(u64, MessageAt, Millis)>,
    /// How many messages there were, by steps of five minutes.
    counted: Vec<(i64, u32)>,
    /// Messages that are stuck for it now.
    stuck_now: u64,
    failures: bool,
    kind: Option<String>,
}

impl Candidate {
    fn new(key: IncidentKey) -> Candidate {
        Candidate { key, met: Vec::new(), counted: Vec::new(), stuck_now: 0, failures: false, kind: None }
    }

    /// Counts a message; how many there were within the hour.
    fn count(&mut self, at: Millis) -> u32 {
        let step = at.0.div_euclid(STEP.0);
        self.counted.retain(|(n, _)| (step - n).abs() <= WINDOW.0 / STEP.0);
        match self.counted.iter_mut().find(|(n, _)| *n == step) {
            Some((_, count)) => *count = count.saturating_add(1),
            None => self.counted.push((step, 1)),
        }
        self.counted.iter().fold(0, |sum, (_, n)| sum.saturating_add(*n))
    }

    fn people(&self) -> usize {
        let mut hashes: Vec<u64> = self.met.iter().map(|(hash, _, _)| *hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        hashes.len()
    }
}

/// The incidents.
#[derive(Clone, Debug, Default)]
pub(super) struct Incidents {
    last: IncidentId,
    open: BTreeMap<IncidentKey, Incident>,
    candidates: BTreeMap<AccountId, Vec<Candidate>>,
    changed: Vec<IncidentKey>,
    changed_candidates: Vec<AccountId>,
    closed: Vec<Incident>,
    last_changed: bool,
}

/// The name of an open incident's sheet.
fn open_name(id: IncidentId) -> String {
    format!("incident/open/{id:012}")
}

/// The name of a closed incident's sheet.
fn closed_name(id: IncidentId) -> String {
    format!("incident/closed/{id:012}")
}

/// A message that has to do with a trouble.
struct Member<'a> {
    kind: Option<&'a str>,
    id: MessageAt,
    recipient: u64,
    at: Millis,
    since: Millis,
    stuck: bool,
    threshold: Threshold,
    /// How many messages there are among which it counts.
    all: u32,
    /// So many people are none too many.
    noise: usize,
}

/// The part of some messages that is noise.
fn noise(all: u32, share: f64) -> usize {
    (f64::from(all) * share) as usize
}

impl Incidents {
    pub(super) fn take_up(&mut self, name: &str, data: &[u8]) -> bool {
        match name.split_once('/') {
            Some(("open", _)) => decode::<Incident>(data).map(|incident| self.open.insert(incident.key.clone(), incident)).is_some(),
            Some(("candidates", account)) => match (AccountId::parse(account), decode(data)) {
                (Ok(id), Some(candidates)) => {
                    self.candidates.insert(id, candidates);
                    true
                }
                _ => false,
            },
            None if name == "last" => decode(data).map(|last| self.last = last).is_some(),
            _ => false,
        }
    }

    pub(super) fn moved(&mut self, m: &MessageMove<'_>, hours: &Hours, feed: &mut Vec<Entry>) {
        if m.from == Some(m.to) {
            // Only its price became known.
        } else if m.to == State::Failed {
            let class = m.failure_class.unwrap_or(Class::Unknown);
            let trouble = Trouble::of_failure(class, m.failure_code, m.subcode);
            let threshold = trouble.opens_at(m.retry);
            let own = |wanted: bool, value: Option<&str>| value.filter(|_| wanted).map(str::to_owned);
            let by_carrier = matches!(trouble, Trouble::Failure { .. });
            let key = IncidentKey {
                account: m.account.clone(),
                trouble,
                template_id: own(class == Class::Template, m.template_id),
                carrier: own(by_carrier, m.carrier),
            };
            let at = m.now;
            let hour = hours.last(Span::hours(1), m.now);
            let all = hour.sent.saturating_add(hour.failed);
            let noise = noise(all, FAILED_NOISE);
            let recipient = m.recipient_hash();
            let member = Member { kind: m.kind, id: m.id, recipient, at, since: at, stuck: false, threshold, all, noise };
            self.meet(key, member, feed);
        } else if m.to != State::Queued && matches!(m.from, None | Some(State::Queued | State::Failed)) {
            let at = if m.to == State::Sent { m.now } else { m.sent_at.unwrap_or(m.now) };
            self.succeeded(m, at);
        }
    }

    /// A success counts against the incidents that it could not have happened in.
    fn succeeded(&mut self, m: &MessageMove<'_>, at: Millis) {
        let hash = m.recipient_hash();
        for (key, incident) in &mut self.open {
            let same = match &key.trouble {
                _ if key.account != *m.account => false,
                Trouble::Failure { class: Class::Template, .. } => key.template_id.is_none() || key.template_id.as_deref() == m.template_id,
                _ => true,
            };
            if same && incident.failures {
                incident.succeeded(m.kind, hash, at);
                mark(&mut self.changed, key);
            }
        }
    }

    /// `day`: what the account sent in the day before. `lost`: it was silent not long ago.
    pub(super) fn stuck_changed(&mut self, change: StuckChange<'_>, day: Hour, lost: bool, feed: &mut Vec<Entry>) {
        let key = |cause| IncidentKey { account: change.account.clone(), trouble: Trouble::Cause(cause), template_id: None, carrier: None };
        if let Some(before) = change.before {
            self.leave(&key(before.cause), before.deadline);
        }
        if let Some(after) = change.after {
            let threshold = Trouble::Cause(after).opens_at(None);
            let known = self.open.contains_key(&key(after));
            // What an incident of the account explains already, open or just over, opens no second one.
            let explained = match after {
                Cause::WebhookSilent | Cause::ReceiptsNotSubscribed => lost || self.is_standing(change.account),
                Cause::PollNeeded | Cause::Unknown => self.is_standing(change.account),
                _ => false,
            };
            if threshold == Threshold::Never || (explained && !known) {
                return;
            }
            let recipient = recipient_hash(change.recipient, change.id.row);
            let (at, all) = (change.now, day.sent);
            let noise = noise(all, STUCK_NOISE);
            self.meet(key(after), Member { kind: None, id: change.id, recipient, at, since: at, stuck: true, threshold, all, noise }, feed);
        }
    }

    /// The account itself is in a trouble that is an incident.
    fn is_standing(&self, account: &AccountId) -> bool {
        self.open.values().any(|i| i.standing && i.key.account == *account)
    }

    /// Accounts that nobody judges any more are in no trouble.
    pub(super) fn abandon(&mut self, is_gone: impl Fn(&AccountId) -> bool) {
        for (key, incident) in self.open.iter_mut().filter(|(key, i)| i.standing && is_gone(&key.account)) {
            incident.standing = false;
            mark(&mut self.changed, key);
        }
    }

    /// A message is out of a trouble, in which it had been from its deadline on.
    fn leave(&mut self, key: &IncidentKey, deadline: Millis) {
        // Who was stuck before the first of an incident belongs to one that is over.
        if let Some(incident) = self.open.get_mut(key).filter(|i| deadline >= i.since.minus(WINDOW)) {
            incident.stuck_now = incident.stuck_now.saturating_sub(1);
            mark(&mut self.changed, key);
        } else if let Some(candidate) = self.candidates.get_mut(&key.account).and_then(|all| all.iter_mut().find(|c| c.key == *key)) {
            candidate.stuck_now = candidate.stuck_now.saturating_sub(1);
            mark(&mut self.changed_candidates, &key.account);
        }
    }

    /// A message joins the incident of its trouble, or brings the trouble nearer to being one.
    fn meet(&mut self, key: IncidentKey, member: Member<'_>, feed: &mut Vec<Entry>) {
        if let Some(incident) = self.open.get_mut(&key) {
            incident.join(member.id, member.recipient, member.at);
            incident.stuck_now += u64::from(member.stuck);
            incident.failures |= !member.stuck;
            if incident.kind.is_none() {
                incident.kind = member.kind.map(str::to_owned);
            }
            if incident.grew() {
                tell(incident, Step::Grew, member.at, feed);
            }
            mark(&mut self.changed, &key);
            return;
        }
        let account = key.account.clone();
        let at = member.at;
        let candidates = self.candidates.entry(account.clone()).or_default();
        let i = match candidates.iter().position(|c| c.key == key) {
            Some(i) => i,
            None => {
                if candidates.len() >= CANDIDATES_MAX {
                    let quietest = (0..candidates.len()).min_by_key(|i| candidates[*i].met.last().map(|(_, _, at)| *at)).unwrap_or(0);
                    candidates.remove(quietest);
                }
                candidates.push(Candidate::new(key.clone()));
                candidates.len() - 1
            }
        };
        let candidate = &mut candidates[i];
        candidate.met.retain(|(_, _, met)| at.0 - met.0 < WINDOW.0);
        // Beyond the people that are told apart it is the messages that show how large it is.
        let again = candidate.met.iter().any(|(_, id, _)| *id == member.id);
        let messages = if again { candidate.met.len() as u32 } else { candidate.count(at) };
        if !again && candidate.met.len() < CANDIDATE_PEOPLE_MAX {
            candidate.met.push((member.recipient, member.id, at));
        }
        candidate.stuck_now += u64::from(member.stuck);
        candidate.failures |= !member.stuck;
        if candidate.kind.is_none() {
            candidate.kind = member.kind.map(str::to_owned);
        }
        mark(&mut self.changed_candidates, &account);
        let opens = match member.threshold {
            Threshold::Never => false,
            Threshold::People(n) => candidate.people() >= n,
            Threshold::Several(n) => candidate.people() >= n.max(member.noise.min(PEOPLE_ENOUGH)) && messages as usize >= member.noise,
            Threshold::Share => candidate.people() >= SHARE_PEOPLE_MIN && f64::from(messages) / f64::from(member.all.max(1)) >= SHARE_MIN,
        };
        if opens {
            let candidate = candidates.remove(i);
            let since = candidate.met.first().map_or(member.since, |(_, _, at)| *at);
            let incident = self.open_one(key, since, at);
            incident.stuck_now = candidate.stuck_now;
            incident.failures = candidate.failures;
            incident.kind = candidate.kind;
            for (recipient, id, met) in candidate.met {
                incident.join(id, recipient, met);
            }
            incident.told_size = incident.size.max(1);
            tell(incident, Step::Opened, at, feed);
        }
    }

    fn open_one(&mut self, key: IncidentKey, since: Millis, now: Millis) -> &mut Incident {
        self.last += 1;
        self.last_changed = true;
        mark(&mut self.changed, &key);
        let id = self.last;
        self.open.entry(key.clone()).or_insert_with(|| Incident::new(id, key, since, now))
    }

    /// An account is judged differently now: it leaves the trouble it was in and enters the one it is in.
    pub(super) fn judged(&mut self, id: &AccountId, judged: Judgement, now: Millis, feed: &mut Vec<Entry>) {
        let trouble = Trouble::of_reason(judged.reason);
        for (key, incident) in &mut self.open {
            if key.account == *id && incident.standing && Some(&key.trouble) != trouble.as_ref() {
                incident.standing = false;
                mark(&mut self.changed, key);
            }
        }
        let Some(trouble) = trouble else { return };
        let key = IncidentKey { account: id.clone(), trouble, template_id: None, carrier: None };
        if let Some(incident) = self.open.get_mut(&key) {
            (incident.standing, incident.of_account, incident.reason) = (true, true, Some(judged.reason));
            incident.last_at = now;
            mark(&mut self.changed, &key);
            return;
        }
        let candidate = self.take_candidate(&key);
        let since = judged.since.unwrap_or(now);
        let incident = self.open_one(key, since, now);
        (incident.standing, incident.of_account, incident.reason) = (true, true, Some(judged.reason));
        if let Some(candidate) = candidate {
            incident.stuck_now = candidate.stuck_now;
            incident.failures = candidate.failures;
            candidate.met.into_iter().for_each(|(recipient, id, met)| incident.join(id, recipient, met));
        }
        incident.told_size = incident.size.max(1);
        tell(incident, Step::Opened, now, feed);
    }

    fn take_candidate(&mut self, key: &IncidentKey) -> Option<Candidate> {
        let all = self.candidates.get_mut(&key.account)?;
        let i = all.iter().position(|c| c.key == *key)?;
        mark(&mut self.changed_candidates, &key.account);
        Some(all.remove(i))
    }

    /// Time passed: what is over closes.
    pub(super) fn tick(&mut self, now: Millis, feed: &mut Vec<Entry>) {
        let over: Vec<IncidentKey> = self.open.iter().filter(|(_, i)| i.is_over(now)).map(|(key, _)| key.clone()).collect();
        for key in over {
            if let Some(mut incident) = self.open.remove(&key) {
                incident.closed_at = Some(now);
                tell(&incident, Step::Closed, now, feed);
                self.closed.push(incident);
            }
        }
    }

    pub(super) fn take_changed(&mut self, sheets: &mut Vec<Sheet>) {
        for key in std::mem::take(&mut self.changed) {
            if let Some(incident) = self.open.get(&key) {
                sheets.push(Sheet::of(open_name(incident.id), incident));
            }
        }
        for incident in std::mem::take(&mut self.closed) {
            sheets.push(Sheet::forgotten(open_name(incident.id)));
            sheets.push(Sheet::of(closed_name(incident.id), &incident));
            if let Some(old) = incident.id.checked_sub(CLOSED_KEPT) {
                sheets.push(Sheet::forgotten(closed_name(old)));
            }
        }
        for account in std::mem::take(&mut self.changed_candidates) {
            let name = format!("incident/candidates/{account}");
            match self.candidates.get(&account).filter(|all| !all.is_empty()) {
                Some(all) => sheets.push(Sheet::of(name, all)),
                None => sheets.push(Sheet::forgotten(name)),
            }
        }
        if std::mem::take(&mut self.last_changed) {
            sheets.push(Sheet::of("incident/last".to_owned(), &self.last));
        }
    }

    pub(super) fn open(&self) -> impl Iterator<Item = &Incident> {
        self.open.values()
    }
}

fn mark<T: Clone + PartialEq>(changed: &mut Vec<T>, key: &T) {
    if !changed.contains(key) {
        changed.push(key.clone());
    }
}

fn tell(incident: &Incident, step: Step, at: Millis, feed: &mut Vec<Entry>) {
    let what = What::Incident { id: incident.id, step, size: incident.size };
    feed.push(Entry { account: incident.key.account.clone(), at, what });
}
