//! Registration: the sender's own system tells which messages it sends. Idempotent on `ref` and on `message_id`; two different
//! messages under one name are refused with the difference, and nothing of that call is taken.

use std::collections::{BTreeSet, HashMap};

use super::{Context, Key, Source, Workbench, entry};
use crate::domain::event::{EntryKind, EntrySource};
use crate::domain::facts::Facts;
use crate::domain::ids::{AccountId, Row};
use crate::domain::metadata::Metadata;
use crate::domain::record::Registration;
use crate::domain::time::Millis;

/// A message as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// Its row.
    pub row: Row,
    /// Nothing was known of it before.
    pub new: bool,
}

/// One member in which two registrations of one message differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The member's name.
    pub field: &'static str,
    /// The value on record.
    pub known: String,
    /// The value given now.
    pub given: String,
}

/// Two different messages under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationConflict {
    /// Which of the call's messages, from 0.
    pub index: usize,
    /// The message on record, when it was known before this call.
    pub row: Option<Row>,
    /// Where they differ.
    pub differences: Vec<Difference>,
}

/// What a message of a call is known by.
#[derive(PartialEq, Eq, Hash)]
enum Name<'a> {
    Reference(&'a AccountId, &'a str),
    Id(&'a AccountId, &'a str),
    Row(Row),
}

impl<S: Source> Workbench<'_, S> {
    /// Folds the registrations of one call: all of them or, when one contradicts what is on record, none.
    ///
    /// # Errors
    /// When the store cannot be read. The inner error names the contradiction.
    pub fn register(
        &mut self,
        cx: Context<'_>,
        registrations: &[Registration],
    ) -> Result<Result<Vec<Registered>, RegistrationConflict>, S::Error> {
        if let Some(conflict) = self.first_conflict(cx, registrations)? {
            return Ok(Err(conflict));
        }
        let mut taken = Vec::with_capacity(registrations.len());
        for registration in registrations {
            let account = registration.account.as_ref().unwrap_or(cx.account);
            taken.push(self.register_one(Context { account, ..cx }, registration)?);
        }
        self.settle_touched(cx.received_at)?;
        for one in &mut taken {
            // A later member of the call may have joined two of them; a receipt may have told of the reference before.
            one.row = self.follow(one.row)?;
            one.new &= self.view(one.row)?.borrows.is_none();
        }
        Ok(Ok(taken))
    }

    fn first_conflict(&mut self, cx: Context<'_>, all: &[Registration]) -> Result<Option<RegistrationConflict>, S::Error> {
        // The messages of the call as they will be: what is on record and what the call says of them, joined by every name.
        let mut messages: Vec<Facts> = Vec::with_capacity(all.len());
        let mut named: HashMap<Name<'_>, usize> = HashMap::with_capacity(all.len());
        for (index, r) in all.iter().enumerate() {
            let account = r.account.as_ref().unwrap_or(cx.account);
            let mut whole = Facts::default();
            whole.observe_registration(r, Millis(0));
            let known = self.known_under(account, r)?;
            for row in &known {
                let facts = &self.view(*row)?.facts;
                let differences = differences(facts, &whole);
                if !differences.is_empty() {
                    return Ok(Some(RegistrationConflict { index, row: Some(*row), differences }));
                }
                whole.join(facts);
            }
            let reference = r.reference.as_deref().map(|n| Name::Reference(account, n));
            let own = [reference, r.message_id.as_deref().map(|n| Name::Id(account, n))];
            let names: Vec<Name<'_>> = own.into_iter().flatten().chain(known.into_iter().map(Name::Row)).collect();
            let earlier: BTreeSet<usize> = names.iter().filter_map(|name| named.get(name).copied()).collect();
            for &place in &earlier {
                let differences = differences(&messages[place], &whole);
                if !differences.is_empty() {
                    return Ok(Some(RegistrationConflict { index, row: None, differences }));
                }
                whole.join(&messages[place]);
            }
            if !earlier.is_empty() {
                named.values_mut().filter(|place| earlier.contains(place)).for_each(|place| *place = messages.len());
            }
            named.extend(names.into_iter().map(|name| (name, messages.len())));
            messages.push(whole);
        }
        Ok(None)
    }

    fn known_under(&mut self, account: &AccountId, r: &Registration) -> Result<Vec<Row>, S::Error> {
        let mut rows = Vec::new();
        if let Some(reference) = &r.reference {
            rows.extend(self.find_registered(account, reference)?);
        }
        if let Some(id) = &r.message_id {
            rows.extend(self.find_by_id(account, id)?);
        }
        rows.dedup();
        Ok(rows)
    }

    fn register_one(&mut self, cx: Context<'_>, r: &Registration) -> Result<Registered, S::Error> {
        let by_reference = match &r.reference {
            Some(reference) => self.find_registered(cx.account, reference)?,
            None => None,
        };
        let by_id = match &r.message_id {
            Some(id) => self.find_by_id(cx.account, id)?,
            None => None,
        };
        let row = match (by_reference, by_id) {
            (Some(a), Some(b)) if a != b => {
                self.merge(b, a, cx.received_at)?;
                a
            }
            (Some(row), _) | (None, Some(row)) => row,
            (None, None) => self.create(cx.account, cx.received_at),
        };
        let in_id = r.message_id.as_deref().and_then(|id| self.rules().server_time_of_id(cx.account, id));
        let known = self.view(row)?.facts.origin().is_some();
        let rules = self.rules();
        let message = self.edit(row)?;
        message.facts.observe_registration(r, cx.received_at);
        message.facts.kind.guess(rules.default_kind(cx.account));
        message.facts.sender.guess(rules.default_sender(cx.account));
        if let Some(at) = in_id {
            let known = message.facts.server_time.in_id;
            message.facts.server_time.in_id = Some(known.map_or(at, |k| k.min(at)));
        }
        let detail = timeline_detail(r);
        message.timeline.add(entry(cx, r.queued_at, EntryKind::Registered, EntrySource::Api, &detail));
        if let Some(reference) = &r.reference {
            self.index(Key::reference(reference), row)?;
        }
        if let Some(id) = &r.message_id {
            self.index(Key::id(id), row)?;
            self.registered_in_thread(cx, row, r.sent_at)?;
        }
        self.touch(row);
        Ok(Registered { row, new: !known })
    }
}

fn timeline_detail(r: &Registration) -> serde_json::Map<String, serde_json::Value> {
    let mut detail = serde_json::Map::new();
    for (name, value) in [("ref", &r.reference), ("message_id", &r.message_id)] {
        if let Some(value) = value {
            detail.insert(name.to_owned(), value.clone().into());
        }
    }
    for (name, value) in [("sent_at", r.sent_at), ("scheduled_at", r.scheduled_at)] {
        if let Some(at) = value {
            detail.insert(name.to_owned(), at.to_string().into());
        }
    }
    detail
}

/// Where two sets of facts contradict each other in what the sender's system registered. What only one was told contradicts nothing.
pub(super) fn differences(known: &Facts, given: &Facts) -> Vec<Difference> {
    let scheduled = (known.scheduled_at.map(|t| t.to_string()), given.scheduled_at.map(|t| t.to_string()));
    let pairs: [(&'static str, Option<&str>, Option<&str>); 8] = [
        ("ref", known.reference.as_deref(), given.reference.as_deref()),
        ("message_id", known.registered_id(), given.registered_id()),
        ("sender", known.sender.registered(), given.sender.registered()),
        ("recipient", known.recipient.registered(), given.recipient.registered()),
        ("kind", known.kind.registered(), given.kind.registered()),
        ("template_id", known.template_id.registered(), given.template_id.registered()),
        ("scheduled_at", scheduled.0.as_deref(), scheduled.1.as_deref()),
        ("metadata", known.metadata.as_deref(), given.metadata.as_deref()),
    ];
    pairs
        .into_iter()
        .filter_map(|(field, known, given)| match (known, given) {
            (Some(k), Some(g)) if k != g && !(field == "metadata" && Metadata::same(k, g)) => {
                Some(Difference { field, known: k.to_owned(), given: g.to_owned() })
            }
            _ => None,
        })
        .collect()
}
