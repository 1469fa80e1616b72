//! From a callback's body to events: entries, their items and changes, and what each key of an item states.
//!
//! It must not know signatures, clocks or earlier callbacks. Order is never assumed, a malformed item never stops its
//! neighbours, and unknown keys cost nothing. Shapes and their sources: `docs/providers/facebook.md`.

use std::collections::HashSet;

use serde_json::Value;

use super::about;
use super::item::{Item, Place};
use super::payload::{id, shown, text, time, without_bom};
use super::routing;
use crate::domain::event::{Claim, Event, Evidence, Fact, MessageEvent, Parsed, ThreadFact, Watermark, WatermarkKind};
use crate::domain::failure::{Class, Failure, Retry};
use crate::providers::json::{Object, Raw};

/// The one event that reports a failure: of a paid marketing message. Field of a change, or key of an item.
const MARKETING_FAILED: &str = "marketing_message_delivery_failed";

/// How the field of a template's review ends; Meta's pages spell its beginning in several ways.
const TEMPLATE_STATUS: &str = "template_status_update";

/// Keys that Meta documents and that state nothing about a message of the Page.
const FACTLESS: [&str; 10] = [
    "message_edit",
    "postback",
    "optin",
    "referral",
    "account_linking",
    "order",
    "messaging_feedback",
    "app_roles",
    "reaction",
    "response_feedback",
];

/// Most attachment types named in a detail.
const ATTACHMENTS_SHOWN_MAX: usize = 10;

/// What parsing has to know of the account.
pub(super) struct Rules {
    /// Our app, to tell our own sends and threads from those of others.
    pub app_id: String,
    /// The Pages that belong to this account; empty for every Page of the app.
    pub page_ids: Vec<String>,
}

/// Reads a verified body.
pub(super) fn parse(rules: &Rules, body: &[u8]) -> Parsed {
    let envelope = match Object::parse(without_bom(body)) {
        Ok(envelope) => envelope,
        Err(why) => return Parsed::Unreadable(shown(&why)),
    };
    if text(&envelope, "object").as_deref() != Some("page") {
        return Parsed::Ignored("its object is not a Page".into());
    }
    let mut reading = Reading { rules, events: Vec::new(), understood: false, foreign_page: false };
    for entry in envelope.array("entry").into_iter().filter_map(Raw::object) {
        reading.entry(&entry);
    }
    reading.finish()
}

struct Reading<'a> {
    rules: &'a Rules,
    events: Vec<Event>,
    /// Something we know was there, even if it states no fact.
    understood: bool,
    /// Something about a Page of another account was there.
    foreign_page: bool,
}

impl Reading<'_> {
    fn finish(self) -> Parsed {
        if self.understood || !self.events.is_empty() {
            Parsed::Events(self.events)
        } else if self.foreign_page {
            Parsed::Ignored("its Page is not in page_ids".into())
        } else {
            Parsed::Ignored("nothing in it concerns a message of the Page".into())
        }
    }

    fn entry(&mut self, entry: &Object<'_>) {
        let page = id(entry, "id");
        let place = Place { entry_id: page.as_deref(), sent_at: time(entry, "time"), standby: false };
        for item in entry.array("messaging").into_iter().filter_map(Raw::object) {
            self.item(place, &item);
        }
        for item in entry.array("standby").into_iter().filter_map(Raw::object) {
            self.item(Place { standby: true, ..place }, &item);
        }
        for change in entry.array("changes").into_iter().filter_map(Raw::object) {
            self.change(place, &change);
        }
    }

    /// Of the many Page fields only those of paid marketing messages concern a message: a failure, or an item as in `messaging`; one more
    /// tells of a template.
    fn change(&mut self, place: Place<'_>, change: &Object<'_>) {
        let (Some(field), Some(value)) = (text(change, "field"), change.object("value")) else { return };
        let page_id = id(&value, "page_id");
        let place = Place { entry_id: place.entry_id.or(page_id.as_deref()), ..place };
        if field == MARKETING_FAILED {
            if let Some(item) = self.admitted(place, &value) {
                self.marketing_failure(&item, &value);
            }
        } else if field.starts_with("marketing_message_") {
            self.item(place, &value);
        } else if field.ends_with(TEMPLATE_STATUS)
            && let Some(item) = self.admitted(place, &value)
        {
            self.template(&item, &shown(&field));
        }
    }

    /// An item of a Page that belongs to this account.
    fn admitted<'i>(&mut self, place: Place<'_>, object: &'i Object<'i>) -> Option<Item<'i>> {
        let from_page = object.object("message").is_some_and(|m| is_echo(&m));
        let item = Item::new(place, object, from_page);
        let pages = &self.rules.page_ids;
        let ours = pages.is_empty() || item.thread.page.as_ref().is_some_and(|page| pages.contains(page));
        self.foreign_page |= !ours;
        ours.then_some(item)
    }

    fn item(&mut self, place: Place<'_>, object: &Object<'_>) {
        let Some(item) = self.admitted(place, object) else { return };
        if place.standby {
            self.standby(&item);
        }
        if let Some(message) = object.object("message") {
            self.message(&item, &message);
        }
        self.tell(&item, routing::act(&item));
        for (key, kind) in [("delivery", WatermarkKind::Delivered), ("read", WatermarkKind::Read)] {
            if let Some(receipt) = object.object(key) {
                self.receipt(&item, &receipt, kind);
            }
        }
        for (key, event) in [("reaction", "message_reactions"), ("response_feedback", "response_feedback")] {
            if let Some(remark) = object.object(key) {
                self.remark(&item, &remark, event);
            }
        }
        for kind in routing::HANDOVERS {
            if let Some(control) = object.object(kind) {
                self.handover(&item, &control, kind);
            }
        }
        for key in ["policy_enforcement", "policy-enforcement"] {
            if let Some(policy) = object.object(key) {
                self.policy(&item, &policy);
            }
        }
        if let Some(failed) = object.object(MARKETING_FAILED) {
            self.marketing_failure(&item, &failed);
        }
        self.understood |= FACTLESS.iter().any(|key| object.object(key).is_some());
    }

    /// A message of the Page, whoever sent it (an echo), or one of the customer, which states nothing.
    fn message(&mut self, item: &Item<'_>, message: &Object<'_>) {
        if !is_echo(message) {
            self.understood = true;
            return;
        }
        let Some(mid) = id(message, "mid") else { return };
        let mut event = item.message(mid, Fact::Sent, Evidence::Echo, "message_echoes");
        // The exact server time; the time of the batch would be a guess and must not pass for it.
        event.at = item.timestamp;
        event.server_time = item.timestamp;
        event.claim =
            text(message, "metadata").map(|reference| Claim { reference, at: item.timestamp, same_recipient: true, shown: false });
        let app_id = id(message, "app_id");
        event.detail.insert("foreign".into(), (app_id.as_deref() != Some(self.rules.app_id.as_str())).into());
        if let Some(app_id) = &app_id {
            event.detail.insert("app_id".into(), app_id.as_str().into());
        }
        if message.get("ai_generated").and_then(Raw::boolean) == Some(true) {
            event.detail.insert("ai_generated".into(), true.into());
        }
        let types: Vec<Value> = message.array("attachments").into_iter().filter_map(attachment_type).take(ATTACHMENTS_SHOWN_MAX).collect();
        if !types.is_empty() {
            event.detail.insert("attachments".into(), types.into());
        }
        let ours = app_id.as_deref() == Some(self.rules.app_id.as_str());
        self.events.push(Event::Message(Box::new(event)));
        self.tell(item, Some(ThreadFact::Echo { ours, app_id: app_id.filter(|_| !ours).map(|id| shown(&id)) }));
    }

    /// What is told of the thread, beside everything else.
    fn tell(&mut self, item: &Item<'_>, what: Option<ThreadFact>) {
        self.events.extend(what.and_then(|what| item.in_thread(what)));
    }

    /// A receipt names messages, or everything of the thread up to a server time, or both; with neither it says nothing.
    fn receipt(&mut self, item: &Item<'_>, receipt: &Object<'_>, kind: WatermarkKind) {
        let watermark = time(receipt, "watermark");
        let at = item.at.or(watermark);
        let (fact, name) = match kind {
            WatermarkKind::Delivered => (Fact::Delivered, "message_deliveries"),
            WatermarkKind::Read => (Fact::Read, "message_reads"),
        };
        // Only a delivery's watermark bounds the server time of the messages that it names.
        let server_time_bound = watermark.filter(|_| kind == WatermarkKind::Delivered);
        let mut seen = HashSet::new();
        for mid in receipt.array("mids").into_iter().filter_map(Raw::text) {
            if mid.trim().is_empty() || !seen.insert(mid.clone()) {
                continue;
            }
            let event = item.message(mid, fact.clone(), Evidence::Receipt, name);
            self.events.push(Event::Message(Box::new(MessageEvent { at, server_time_bound, ..event })));
        }
        if let (Some(watermark), Some(at), Some(page), Some(psid)) = (watermark, at, &item.thread.page, &item.thread.psid) {
            self.events.push(Event::Watermark(Watermark { sender: page.clone(), recipient: psid.clone(), kind, watermark, at }));
        }
    }

    /// A customer's reaction or rating: for the timeline of a known message; the mid may well be one of the customer's own.
    fn remark(&mut self, item: &Item<'_>, remark: &Object<'_>, event: &str) {
        let Some(mid) = id(remark, "mid") else { return };
        let mut noted = MessageEvent { at: item.at, detail: item.detail(event), ..MessageEvent::new(mid, Fact::Noted, None) };
        for name in ["action", "reaction", "emoji", "feedback"] {
            if let Some(text) = text(remark, name) {
                noted.detail.insert(name.into(), shown(&text).into());
            }
        }
        self.events.push(Event::Message(Box::new(noted)));
    }

    fn marketing_failure(&mut self, item: &Item<'_>, failed: &Object<'_>) {
        let Some(mid) = id(failed, "message_id") else { return };
        let at = time(failed, "timestamp").or(item.at);
        let failure = Failure {
            ours: false,
            at,
            code: None,
            subcode: None,
            text: text(failed, "error_message"),
            fallback: Some((Class::Unknown, Retry::AfterFix)),
        };
        let mut event = item.message(mid, Fact::Failed(failure), Evidence::Receipt, MARKETING_FAILED);
        if let Some(app_id) = id(failed, "app_id") {
            event.detail.insert("app_id".into(), app_id.into());
        }
        self.events.push(Event::Message(Box::new(MessageEvent { at, ..event })));
    }

    /// Whatever comes as standby also says that another app holds the thread.
    fn standby(&mut self, item: &Item<'_>) {
        if item.thread.psid.is_none() {
            return;
        }
        let mut event = item.account("standby");
        // The app behind an echo is most likely the one that holds the thread.
        let app_id = item.object.object("message").filter(is_echo).and_then(|message| id(&message, "app_id"));
        if let Some(app_id) = &app_id {
            event.detail.insert("app_id".into(), app_id.as_str().into());
        }
        self.events.push(Event::Account(event));
        let app_id = app_id.filter(|app| *app != self.rules.app_id).map(|app| shown(&app));
        self.tell(item, Some(ThreadFact::Standby { app_id }));
    }

    fn handover(&mut self, item: &Item<'_>, control: &Object<'_>, kind: &str) {
        let mut event = item.account(kind);
        for name in ["previous_owner_app_id", "new_owner_app_id", "requested_owner_app_id"] {
            if let Some(owner) = id(control, name) {
                event.detail.insert(name.into(), owner.into());
            }
        }
        // A hint for health: who is told of a take-over differs between Meta's own pages, so the ids are compared, not the kind.
        if let Some(owner) = id(control, "new_owner_app_id") {
            event.detail.insert("ours".into(), (owner == self.rules.app_id).into());
        }
        self.events.push(Event::Account(event));
        self.tell(item, Some(routing::handover(control, kind, &self.rules.app_id)));
    }

    fn policy(&mut self, item: &Item<'_>, policy: &Object<'_>) {
        let mut event = item.account("policy_enforcement");
        for name in ["action", "reason"] {
            if let Some(text) = text(policy, name) {
                event.detail.insert(name.into(), shown(&text).into());
            }
        }
        event.about = about::policy(policy);
        self.events.push(Event::Account(event));
    }

    /// The review of a message template. One that names no template tells nothing.
    fn template(&mut self, item: &Item<'_>, field: &str) {
        let Some((about, detail)) = about::template(item.object) else { return };
        let mut event = item.account(field);
        event.detail.extend(detail);
        event.about = about;
        self.events.push(Event::Account(event));
    }
}

/// Only a true boolean makes an echo; the sides do not, for they are swapped in places.
pub(super) fn is_echo(message: &Object<'_>) -> bool {
    message.get("is_echo").and_then(Raw::boolean) == Some(true)
}

fn attachment_type(raw: Raw<'_>) -> Option<Value> {
    text(&raw.object()?, "type").map(|kind| shown(&kind).into())
}
