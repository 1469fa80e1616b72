//! Registration: the sender's own system tells which messages it sends. Idempotent on `ref` and on `message_id`; two different
//! messages under one name are refused with the difference, and nothing of that call is taken.

use super::{Context, Key, Source, Workbench, entry};
use crate::domain::event::{EntryKind, EntrySource};
use crate::domain::facts::Facts;
use crate::domain::ids::{AccountId, Row};
use crate::domain::record::Registration;

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
        Ok(Ok(taken))
    }

    fn first_conflict(&mut self, cx: Context<'_>, all: &[Registration]) -> Result<Option<RegistrationConflict>, S::Error> {
        // The call's own messages first joined among themselves: name → what the call said so far.
        let mut said: std::collections::HashMap<(&str, bool, &str), Facts> = std::collections::HashMap::new();
        for (index, r) in all.iter().enumerate() {
            let account = r.account.as_ref().unwrap_or(cx.account);
            let slug = account.as_str();
            let names = [r.reference.as_deref().map(|n| (slug, true, n)), r.message_id.as_deref().map(|n| (slug, false, n))];
            for name in names.iter().flatten() {
                let facts = said.entry(*name).or_default();
                let differences = differences(facts, r);
                if !differences.is_empty() {
                    return Ok(Some(RegistrationConflict { index, row: None, differences }));
                }
                facts.observe_registration(r, crate::domain::time::Millis(0));
            }
            for row in self.known_under(account, r)? {
                let differences = differences(&self.view(row)?.facts, r);
                if !differences.is_empty() {
                    return Ok(Some(RegistrationConflict { index, row: Some(row), differences }));
                }
            }
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
                self.merge(b, a)?;
                a
            }
            (Some(row), _) | (None, Some(row)) => row,
            (None, None) => self.create(cx.account, cx.received_at),
        };
        let in_id = r.message_id.as_deref().and_then(|id| self.rules().server_time_of_id(cx.account, id));
        let known = self.view(row)?.facts.origin().is_some();
        let message = self.edit(row)?;
        message.facts.observe_registration(r, cx.received_at);
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
        }
        self.touch(row);
        let joined = match &r.reference {
            // A registered message without an id may at once borrow what a receipt told of its reference.
            Some(reference) if !known => !self.rows(Key::claim(reference))?.is_empty(),
            _ => false,
        };
        Ok(Registered { row, new: !known && !joined })
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

/// Where a registration contradicts an earlier one of the same message. What was not told before contradicts nothing.
fn differences(known: &Facts, given: &Registration) -> Vec<Difference> {
    let metadata = given.metadata.as_ref().and_then(|m| serde_json::to_string(m).ok());
    let scheduled = (known.scheduled_at.map(|t| t.to_string()), given.scheduled_at.map(|t| t.to_string()));
    let pairs: [(&'static str, Option<&str>, Option<&str>); 8] = [
        ("ref", known.reference.as_deref(), given.reference.as_deref()),
        ("message_id", known.registered_id(), given.message_id.as_deref()),
        ("sender", known.sender.registered(), given.sender.as_deref()),
        ("recipient", known.recipient.registered(), given.recipient.as_deref()),
        ("kind", known.kind.registered(), given.kind.as_deref()),
        ("template_id", known.template_id.registered(), given.template_id.as_deref()),
        ("scheduled_at", scheduled.0.as_deref(), scheduled.1.as_deref()),
        ("metadata", known.metadata.as_deref(), metadata.as_deref()),
    ];
    pairs
        .into_iter()
        .filter_map(|(field, known, given)| match (known, given) {
            (Some(k), Some(g)) if k != g => Some(Difference { field, known: k.to_owned(), given: g.to_owned() }),
            _ => None,
        })
        .collect()
}
