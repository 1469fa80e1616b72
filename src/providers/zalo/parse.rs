//! What each Zalo event means: which fact, about which message, at which time.
//!
//! Zalo has no event for failure or expiry; a failure is known from the send answer only. Must not fold facts, and must not look
//! at what a message says.

use serde_json::{Map, Value};

use super::account;
use super::payload::{Ids, OaAt, Parties, Payload, cut};
use super::{KIND_ZNS, SERVER_HEADER, fold_recipient};
use crate::domain::event::{AccountEvent, Claim, Event, Evidence, Fact, MessageEvent, Parsed, ThreadEvent, ThreadFact};
use crate::domain::record::Callback;
use crate::domain::time::Millis;

/// Longest member of an account event that is kept in full, in bytes of JSON.
const ACCOUNT_MEMBER_BYTES_MAX: usize = 1_000;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// The OA sent something, from whatever system.
    Echo,
    /// The phone received a message.
    Received,
    /// The user saw messages.
    Seen,
    /// The user put a reaction on a message, perhaps on one of their own.
    Reaction,
    /// The user rated through a template.
    Feedback,
    /// The user pressed a response button of a template.
    Button,
    /// A template, a quota or the app's rights changed.
    Account,
    /// The user wrote or gave their data.
    Inbound,
    /// Known, without a meaning for a message or the account.
    Aside,
    /// Not known.
    Unknown,
}

impl Family {
    fn of(event: &str) -> Family {
        match event {
            "user_received_message" => Family::Received,
            "user_seen_message" => Family::Seen,
            "user_reacted_message" => Family::Reaction,
            "user_feedback" => Family::Feedback,
            "user_click_response_button" => Family::Button,
            "change_template_status"
            | "change_template_quality"
            | "change_template_quota"
            | "change_oa_template_tags"
            | "change_oa_daily_quota"
            | "permission_revoked" => Family::Account,
            // It looks like an echo, and asks for the right to call.
            "oa_send_consent" => Family::Aside,
            _ if event.starts_with("oa_send_") => Family::Echo,
            _ if event.starts_with("user_send_") || event.starts_with("anonymous_send_") => Family::Inbound,
            "user_submit_info" => Family::Inbound,
            "oa_reacted_message" | "user_reply_consent" | "user_call_oa" | "oa_call_user" => Family::Aside,
            "follow" | "unfollow" | "add_user_to_tag" | "remove_user_from_tag" | "remove_tag" => Family::Aside,
            "user_click_chatnow" | "user_withdraw" | "update_user_info" | "extension_purchased" => Family::Aside,
            "widget_interaction_accepted" | "widget_failed_to_sync_user_external_id" => Family::Aside,
            "shop_has_order" | "user_asking_product" => Family::Aside,
            _ if event.starts_with("event_journey_") || event.contains("_group") => Family::Aside,
            _ => Family::Unknown,
        }
    }

    fn oa_at(self) -> OaAt {
        match self {
            Family::Reaction | Family::Feedback | Family::Button | Family::Inbound => OaAt::Recipient,
            Family::Echo | Family::Received | Family::Seen | Family::Account | Family::Aside | Family::Unknown => OaAt::Sender,
        }
    }
}

/// Turns a verified callback into events.
pub(super) fn parse(callback: &Callback, app_id: &str, oa_ids: &[String]) -> Parsed {
    let payload = match Payload::read(&callback.body, callback.received_at) {
        Ok(payload) => payload,
        Err(reason) => return Parsed::Unreadable(reason),
    };
    if payload.top_text("app_id").is_some_and(|id| id != app_id) {
        return Parsed::Ignored("signed for another app".into());
    }
    let Some(event) = payload.top_text("event_name") else {
        return Parsed::Ignored("no event_name: a check of the URL".into());
    };
    let family = Family::of(&event);
    let told = Told { payload, family, from_zns: is_from_zns(callback), event: cut(&event) };
    told.parse(oa_ids)
}

fn is_from_zns(callback: &Callback) -> bool {
    callback.header(SERVER_HEADER).is_some_and(|server| server.trim().eq_ignore_ascii_case("zns"))
}

/// One event, read.
struct Told<'a> {
    payload: Payload<'a>,
    family: Family,
    from_zns: bool,
    event: String,
}

impl Told<'_> {
    fn parse(&self, oa_ids: &[String]) -> Parsed {
        match self.family {
            Family::Unknown => return Parsed::Ignored(format!("unknown event {}", self.event)),
            Family::Inbound => return self.aside("from the user, not about a message of ours", oa_ids),
            Family::Aside => return self.aside("says nothing about a message's fate", oa_ids),
            _ => {}
        }
        if self.payload.is_foreign(oa_ids, self.family.oa_at()) {
            return Parsed::Ignored(format!("{}: of an OA that is not in oa_ids", self.event));
        }
        match self.ids() {
            None => Parsed::Events(vec![Event::Account(self.account_event())]),
            Some(Ids::Probe) => Parsed::Ignored(format!("{}: a sample of the console's test button", self.event)),
            Some(Ids::Missing) => Parsed::Unreadable(format!("{}: no readable message id", self.event)),
            Some(Ids::Named(ids)) => {
                let stated = self.message_event(self.payload.parties(oa_ids, self.family.oa_at()));
                let about = |id| Event::Message(Box::new(MessageEvent { message_id: id, ..stated.clone() }));
                Parsed::Events(ids.into_iter().map(about).chain(self.act(oa_ids)).collect())
            }
        }
    }

    /// Nothing for a message. What a user did opens the OA's window all the same.
    fn aside(&self, why: &str, oa_ids: &[String]) -> Parsed {
        let reason = format!("{}: {why}", self.event);
        let foreign = self.payload.is_foreign(oa_ids, OaAt::Recipient);
        match self.act(oa_ids).filter(|_| !foreign) {
            Some(event) => Parsed::Aside { reason, events: vec![event] },
            None => Parsed::Ignored(reason),
        }
    }

    /// The user's act, where it opens the window for answers and names both sides.
    fn act(&self, oa_ids: &[String]) -> Option<Event> {
        let opens = match self.event.as_str() {
            "follow" | "user_click_chatnow" | "user_reacted_message" | "user_click_response_button" => true,
            // A call opens it once it was taken.
            "user_call_oa" => self.payload.number("call_duration").is_some_and(|seconds| seconds > 0),
            event => event.starts_with("user_send_") && !event.contains("_group"),
        };
        if !opens || self.is_zns() {
            return None;
        }
        let parties = self.payload.parties(oa_ids, OaAt::Recipient);
        let (sender, user) = (parties.oa.or_else(|| self.payload.oa_id())?, parties.user.or_else(|| self.payload.user_id())?);
        let what = ThreadFact::Customer { direct: true, opens: true };
        Some(Event::Thread(ThreadEvent { sender, recipient: fold_recipient(&user), at: self.at(), what }))
    }

    /// The messages that the event is about; none at all for an account's event, which may carry a stray `message`.
    fn ids(&self) -> Option<Ids> {
        match self.family {
            Family::Account | Family::Inbound | Family::Aside | Family::Unknown => None,
            Family::Seen => Some(self.payload.message_ids()),
            Family::Button => Some(self.payload.message_id(true)),
            Family::Echo | Family::Received | Family::Reaction | Family::Feedback => Some(self.payload.message_id(false)),
        }
    }

    /// What the event states, about a message still to be named.
    fn message_event(&self, parties: Parties) -> MessageEvent {
        let (fact, evidence) = match self.family {
            Family::Echo => (Fact::Sent, Some(Evidence::Echo)),
            Family::Received => (Fact::Delivered, Some(Evidence::Receipt)),
            // A reaction may be on the user's own text: alone it must not make a message.
            Family::Reaction => (Fact::Read, None),
            _ => (Fact::Read, Some(Evidence::Receipt)),
        };
        let kind = self.kind();
        MessageEvent {
            at: self.at(),
            sender: parties.oa,
            recipient: parties.user.as_deref().map(fold_recipient),
            kind: kind.map(|(kind, _)| kind.to_owned()),
            kind_is_guess: kind.is_some_and(|(_, guess)| guess),
            claim: self.claim(),
            detail: self.detail(),
            ..MessageEvent::new(String::new(), fact, evidence)
        }
    }

    /// Zalo's time of it. A time that cannot be one falls back to the event's own, and that to our time of arrival.
    fn at(&self) -> Option<Millis> {
        let own = match self.family {
            Family::Received => self.payload.time("delivery_time"),
            Family::Feedback | Family::Button => self.payload.time("submit_time"),
            _ => None,
        };
        own.or_else(|| self.payload.timestamp())
    }

    /// It is about a template to a phone number: the header says so, or a member that only these have.
    fn is_zns(&self) -> bool {
        self.from_zns || ["delivery_time", "tracking_id"].iter().any(|name| self.payload.member(name).is_some())
    }

    /// The kind as far as the event tells, and whether it is only the kind of whatever has no mark of another.
    fn kind(&self) -> Option<(&'static str, bool)> {
        match self.family {
            Family::Echo if self.event.starts_with("oa_send_group") => Some(("group", false)),
            Family::Echo if self.event.starts_with("oa_send_anonymous") => Some(("anonymous", false)),
            Family::Received | Family::Seen | Family::Feedback | Family::Button if self.is_zns() => Some((KIND_ZNS, false)),
            Family::Reaction => None,
            _ => Some(("chat", true)),
        }
    }

    /// The sender's own reference, by which a message without a known id is found.
    fn claim(&self) -> Option<Claim> {
        if !matches!(self.family, Family::Received | Family::Feedback | Family::Button) {
            return None;
        }
        let reference = self.payload.text("tracking_id")?;
        Some(Claim { reference, at: self.at(), same_recipient: false, shown: true })
    }

    fn detail(&self) -> Map<String, Value> {
        let mut detail = Map::new();
        let mut put = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                detail.insert(name.to_owned(), Value::String(value));
            }
        };
        put("event", Some(self.event.clone()));
        match self.family {
            Family::Echo => put("admin_id", self.payload.admin_id()),
            Family::Reaction => put("reaction", self.payload.short_text("react_icon")),
            Family::Feedback => put("rate", self.payload.short_text("rate")),
            Family::Button => put("button_type", self.payload.short_text("button_type")),
            _ => {}
        }
        detail
    }

    /// Payloads of some account events are not documented, so whatever stands there is shown as it is.
    fn account_event(&self) -> AccountEvent {
        let mut detail = Map::new();
        for (name, raw) in self.payload.top_members() {
            if matches!(name, "event_name" | "app_id" | "timestamp" | "message" | "oa_id" | "oaId") {
                continue;
            }
            let small = raw.json().len() <= ACCOUNT_MEMBER_BYTES_MAX;
            let text = || raw.text().map_or_else(|| Value::String(cut(raw.json())), |t| Value::String(cut(&t)));
            let value = if small && !raw.is_number() { raw.value() } else { text() };
            detail.insert(cut(name), value);
        }
        if let Some(oa) = self.payload.oa_id() {
            detail.insert("oa_id".into(), Value::String(cut(&oa)));
        }
        if self.event == "permission_revoked" {
            detail.insert("needs_reauthorization".into(), Value::Bool(true));
        }
        let about = account::about(&self.event, &self.payload);
        AccountEvent { kind: self.event.clone(), at: self.payload.timestamp(), detail, about }
    }
}
