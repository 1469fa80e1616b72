//! What a callback, an answer, a registration or an operator tells about a message or a conversation, in our words.
//!
//! Providers turn their payloads into these events; the projection joins them into [`super::facts::Facts`]. An event is a
//! statement about the past and is never wrong because of when it arrives.

mod about;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::failure::{Failure, named};
use super::time::Millis;

pub use about::{About, PolicyAction, Quota, TemplateChange, TemplateStatus, ToldStatus};

/// One statement out of one record.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// About one message, named by the provider's id.
    Message(Box<MessageEvent>),
    /// About a whole conversation: everything up to a server time was delivered or read (Facebook).
    Watermark(Watermark),
    /// About a whole conversation: who may write in it, and what the customer did.
    Thread(ThreadEvent),
    /// About the account, a template or a conversation's owner; makes no message.
    Account(AccountEvent),
}

named! {
    /// Who told us of a message first-hand; the order is the order in which attributes are believed.
    Evidence {
        /// The sender's own system, by registration or send answer.
        Registered = "registered",
        /// The provider told of a send.
        Echo = "echo",
        /// Only a receipt was seen.
        Receipt = "receipt",
    }
}

/// What a message event states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// The provider holds it and has not handed it over yet.
    Queued,
    /// The provider took or sent it.
    Sent,
    /// It reached the recipient.
    Delivered,
    /// The recipient saw it; implies delivered.
    Read,
    /// The provider reports that it failed.
    Failed(Failure),
    /// A report with counters over all recipients (eSMS); counts are totals, folded by maximum.
    Report(Report),
    /// Nothing for the state; kept in the timeline.
    Noted,
}

/// The counters of one finished report (eSMS SendStatus 5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Recipients that got it.
    pub delivered: u32,
    /// Recipients that did not.
    pub failed: u32,
    /// Recipients in all, at least 1.
    pub total: u32,
    /// The provider's reason, when it tells one other than "no error".
    pub failure: Option<Failure>,
}

/// The sender's own reference found inside a provider's event (Zalo `tracking_id`, Facebook echo `metadata`, eSMS `RequestId`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The reference.
    pub reference: String,
    /// The provider's time by which the earliest claim wins.
    pub at: Option<Millis>,
    /// The claim counts only when the registered recipient equals the event's (Facebook).
    pub same_recipient: bool,
    /// The reference is shown as the message's `ref` even without a registration (Zalo, eSMS; not Facebook, where it is free text).
    pub shown: bool,
}

/// How far the provider has come with a message that it reports as still open; several may have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits for somebody's approval.
    AwaitingApproval,
    /// It waits to be sent, perhaps for its hour.
    AwaitingSending,
    /// It was handed over; results are not pushed any more or not yet, and must be asked for.
    ResultsPending,
}

/// A statement about one message.
#[derive(Clone, Debug, PartialEq)]
pub struct MessageEvent {
    /// The provider's id of the message, in the form in which it is compared and shown.
    pub message_id: String,
    /// What is stated.
    pub fact: Fact,
    /// The provider's time of it.
    pub at: Option<Millis>,
    /// First-hand source; `None` when the event alone must not make a message (a reaction to an unknown id).
    pub evidence: Option<Evidence>,
    /// The sending OA, Page or number.
    pub sender: Option<String>,
    /// The recipient, normalised when it is a phone number.
    pub recipient: Option<String>,
    /// The kind slug.
    pub kind: Option<String>,
    /// The kind is only what a message is that bears no mark of another kind: anything told elsewhere goes before it.
    pub kind_is_guess: bool,
    /// The template.
    pub template_id: Option<String>,
    /// The sender's reference in it.
    pub claim: Option<Claim>,
    /// The exact server time of the message (Facebook echo `timestamp`).
    pub server_time: Option<Millis>,
    /// A time at or after the server time: the watermark of a delivery that names the message (Facebook).
    pub server_time_bound: Option<Millis>,
    /// Where the provider stands with it.
    pub progress: Option<Progress>,
    /// The provider's own name of the event, and what else is worth showing in the timeline. Small; no message text.
    pub detail: Map<String, Value>,
}

impl MessageEvent {
    /// An event about a message with nothing else known.
    pub fn new(message_id: impl Into<String>, fact: Fact, evidence: Option<Evidence>) -> MessageEvent {
        MessageEvent {
            message_id: message_id.into(),
            fact,
            at: None,
            evidence,
            sender: None,
            recipient: None,
            kind: None,
            kind_is_guess: false,
            template_id: None,
            claim: None,
            server_time: None,
            server_time_bound: None,
            progress: None,
            detail: Map::new(),
        }
    }
}

named! {
    /// What a watermark proves.
    WatermarkKind {
        /// Delivered up to here.
        Delivered = "delivered",
        /// Read up to here; proves delivery too.
        Read = "read",
    }
}

/// Everything of one conversation up to a server time was delivered or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The Page, as `sender` of its messages.
    pub sender: String,
    /// The customer, as `recipient` of its messages.
    pub recipient: String,
    /// What it proves.
    pub kind: WatermarkKind,
    /// Server time of the newest message covered (inclusive).
    pub watermark: Millis,
    /// When it happened.
    pub at: Millis,
}

/// A statement about one conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadEvent {
    /// The OA or Page, as `sender` of its messages.
    pub sender: String,
    /// The customer, as `recipient` of its messages.
    pub recipient: String,
    /// When it happened.
    pub at: Option<Millis>,
    /// What happened.
    pub what: ThreadFact,
}

/// What tells who may write in a conversation, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ThreadFact {
    /// It went to another app, or to ours.
    Handover {
        /// The provider's own name of it.
        kind: String,
        /// The app that has it now.
        owner: Option<String>,
        /// That app is ours; `None` where nobody is named.
        ours: Option<bool>,
    },
    /// An app asks for it.
    Wish {
        /// Which.
        app_id: Option<String>,
    },
    /// Something of it was told to us as bystanders.
    Standby {
        /// The other app that acted.
        app_id: Option<String>,
    },
    /// The customer did something.
    Customer {
        /// It came to us directly, not as bystanders.
        direct: bool,
        /// It opens the window in which the customer may be answered.
        opens: bool,
    },
    /// The provider told of a message that was sent in it.
    Echo {
        /// By us.
        ours: bool,
        /// By which app.
        app_id: Option<String>,
    },
}

/// A statement about the account: a template's status, a quota, a thread's owner, a revoked permission.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountEvent {
    /// The provider's own name of the event.
    pub kind: String,
    /// The provider's time of it.
    pub at: Option<Millis>,
    /// What it said, small.
    pub detail: Map<String, Value>,
    /// What it states.
    pub about: About,
}

named! {
    /// What events of a group tell of an account.
    GroupRole {
        /// A message of ours was delivered or read.
        Receipt = "receipt",
        /// A message of ours was sent.
        Echo = "echo",
        /// A customer did something by themselves.
        Inbound = "inbound",
        /// Something about the account, its templates or its conversations.
        Account = "account",
    }
}

/// A group of events that a provider's console switches on and off together.
#[derive(Debug, PartialEq, Eq)]
pub struct EventGroup {
    /// Its fixed name.
    pub slug: &'static str,
    /// What it tells.
    pub role: GroupRole,
    /// What is lost while it is switched off, and where it is switched on: Vietnamese, English.
    pub switch: (&'static str, &'static str),
    /// Every account should have seen one after a while; one that never came is pointed out.
    pub expected: bool,
}

/// What a provider made of a verified callback.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// It stated something about a message, a conversation or the account. Empty: understood, and without a fact for us (a
    /// customer's own message); the callback counts as processed all the same.
    Events(Vec<Event>),
    /// Valid, and nothing for us; the reason goes to the log and the callback's page.
    Ignored(String),
    /// As [`Parsed::Ignored`] for everybody who asks, beside what it tells of conversations.
    Aside {
        /// Why it is nothing for a message.
        reason: String,
        /// What it tells all the same.
        events: Vec<Event>,
    },
    /// Signed and unreadable; kept with status `error` and the reason.
    Unreadable(String),
}

/// What a provider's answer to a send call says.
#[derive(Clone, Debug, PartialEq)]
pub enum AnswerOutcome {
    /// The provider took the message.
    Accepted {
        /// Its id, when the answer has one.
        message_id: Option<String>,
        /// The provider's time.
        at: Option<Millis>,
    },
    /// The provider refused it.
    Refused {
        /// Why.
        failure: Failure,
        /// An id beside the refusal, kept.
        message_id: Option<String>,
    },
    /// Nobody knows: no answer, or one that says nothing.
    Unknown {
        /// Why not, in a few words for the timeline.
        reason: String,
    },
}

/// What an answer says, with the details for the timeline.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerReading {
    /// The outcome.
    pub outcome: AnswerOutcome,
    /// The sending OA or Page and the recipient, where the answer names them.
    pub recipient: Option<String>,
    /// Small details: HTTP status, trace ids, quotas.
    pub detail: Map<String, Value>,
    /// What it tells of an allowance.
    pub quota: Option<Box<Quota>>,
}

/// The outside names of timeline entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntryKind {
    /// The sender's system told us of the message.
    Registered,
    /// Fact: queued.
    Queued,
    /// The send call was accepted.
    AnswerAccepted,
    /// The send call was refused.
    AnswerRefused,
    /// The send call's outcome is not known.
    AnswerUnknown,
    /// Fact: sent.
    Sent,
    /// Fact: delivered.
    Delivered,
    /// Fact: read.
    Read,
    /// Fact: failed.
    Failed,
    /// An operator's mark.
    MarkedFailed,
    /// Counters.
    Report,
    /// Told, without meaning for the state.
    Noted,
}

impl EntryKind {
    /// The outside name.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Registered => "registered",
            EntryKind::Queued => "queued",
            EntryKind::AnswerAccepted => "answer_accepted",
            EntryKind::AnswerRefused => "answer_refused",
            EntryKind::AnswerUnknown => "answer_unknown",
            EntryKind::Sent => "sent",
            EntryKind::Delivered => "delivered",
            EntryKind::Read => "read",
            EntryKind::Failed => "failed",
            EntryKind::MarkedFailed => "marked_failed",
            EntryKind::Report => "report",
            EntryKind::Noted => "noted",
        }
    }
}

/// Where a timeline entry comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum EntrySource {
    /// A provider's callback.
    Webhook,
    /// Our own API.
    Api,
    /// A person.
    Operator,
    /// A conversation's watermark.
    Watermark,
}

impl EntrySource {
    /// The outside name.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntrySource::Webhook => "webhook",
            EntrySource::Api => "api",
            EntrySource::Operator => "operator",
            EntrySource::Watermark => "watermark",
        }
    }
}
