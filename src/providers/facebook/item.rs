//! One item of a callback with what its surroundings say about it: its thread, its time, whether we only stand by.
//!
//! It must not know what the item's keys mean; it only knows how events about them begin.

use serde_json::{Map, Value};

use super::payload::{Thread, time};
use crate::domain::event::{About, AccountEvent, Event, Evidence, Fact, MessageEvent, ThreadEvent, ThreadFact};
use crate::domain::time::Millis;
use crate::providers::json::Object;

/// The kind of every Messenger message that nobody registered with another one.
const KIND: &str = "message";

/// What the items of one entry have in common.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// The entry's id: the Page.
    pub entry_id: Option<&'a str>,
    /// When Meta sent the batch.
    pub sent_at: Option<Millis>,
    /// Told to us as bystanders: another app holds the thread.
    pub standby: bool,
}

/// One item with what was found out about it.
pub(super) struct Item<'a> {
    /// Its members.
    pub object: &'a Object<'a>,
    /// Page and customer.
    pub thread: Thread,
    /// The item's own time.
    pub timestamp: Option<Millis>,
    /// The item's own time, else that of the batch.
    pub at: Option<Millis>,
    /// Told to us as bystanders.
    pub standby: bool,
}

impl<'a> Item<'a> {
    /// Puts an item into its place; `from_page` says that the Page is its sender.
    pub(super) fn new(place: Place<'_>, object: &'a Object<'a>, from_page: bool) -> Item<'a> {
        let timestamp = time(object, "timestamp");
        let thread = Thread::of(object, place.entry_id, from_page);
        Item { object, thread, timestamp, at: timestamp.or(place.sent_at), standby: place.standby }
    }

    /// The beginning of a detail: the provider's name of the event.
    pub(super) fn detail(&self, event: &str) -> Map<String, Value> {
        let mut detail = Map::new();
        detail.insert("event".into(), event.into());
        if self.standby {
            detail.insert("standby".into(), true.into());
        }
        detail
    }

    /// The beginning of an event that names a message of the Page.
    pub(super) fn message(&self, mid: String, fact: Fact, evidence: Evidence, event: &str) -> MessageEvent {
        MessageEvent {
            at: self.at,
            sender: self.thread.page.clone(),
            recipient: self.thread.psid.clone(),
            kind: Some(KIND.into()),
            detail: self.detail(event),
            ..MessageEvent::new(mid, fact, Some(evidence))
        }
    }

    /// What is told of the thread, where both sides are known.
    pub(super) fn in_thread(&self, what: ThreadFact) -> Option<Event> {
        let (sender, recipient) = (self.thread.page.clone()?, self.thread.psid.clone()?);
        Some(Event::Thread(ThreadEvent { sender, recipient, at: self.at, what }))
    }

    /// The beginning of an event about the Page or the owner of the thread.
    pub(super) fn account(&self, kind: &str) -> AccountEvent {
        let mut detail = Map::new();
        for (name, id) in [("page", &self.thread.page), ("psid", &self.thread.psid)] {
            if let Some(id) = id {
                detail.insert(name.into(), id.as_str().into());
            }
        }
        if self.standby {
            detail.insert("standby".into(), true.into());
        }
        AccountEvent { kind: kind.into(), at: self.at, detail, about: About::Other }
    }
}
