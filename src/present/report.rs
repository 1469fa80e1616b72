//! A report for a provider's support: one message, or an incident by its examples. One document; the Markdown is written from it, so both say
//! the same.
//!
//! It follows what operators go through before they escalate: who and what, the state and its times, what the provider said, the raw callbacks
//! and answers, the account as it stands, how many others fail alike, what was already checked, and what to ask. Secrets, customers' words and
//! people's numbers are left out or masked (`redact`). It must not know HTTP or a terminal.

mod build;
mod checks;
mod markdown;
mod message;
mod redact;
mod snapshot;
mod words;

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::examples;
use super::message::{FailureView, RecipientsView, StuckView};
use super::schema::{self, EventKind, EventSource, MessageId, Moment, State};
use crate::domain::failure::{Lang, named};
use crate::domain::ids::{AccountId, PublicId};
use crate::domain::time::Millis;

pub use checks::CheckState;
pub use snapshot::{QuotaSnapshot, Snapshot, TemplateSnapshot, ThreadSnapshot, TokenSnapshot, TokenState};

named! {
    /// What a report is about.
    Subject {
        /// One message.
        Message = "message",
        /// Messages that fail, or are stuck, for one cause.
        Incident = "incident",
    }
}

named! {
    /// How a report is written.
    Format {
        /// Markdown.
        Md = "md",
        /// JSON.
        Json = "json",
    }
}

/// How a report is to be made.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish {
    /// Now.
    pub now: Millis,
    /// With the recipient's whole number or id.
    pub full: bool,
}

/// An incident, as far as a report needs it.
#[derive(Clone, Debug)]
pub struct IncidentSummary {
    /// Its number.
    pub id: u64,
    /// The account.
    pub account: AccountId,
    /// What it is, in the language of the report.
    pub title: String,
    /// The failure code or the cause of being stuck that its messages share.
    pub cause: String,
    /// When it opened.
    pub opened_at: Millis,
    /// When it closed.
    pub closed_at: Option<Millis>,
    /// How many messages it took in.
    pub size: u64,
    /// How many recipients they had.
    pub recipients: u64,
    /// Some of its messages.
    pub examples: Vec<PublicId>,
    /// What to do, in the language of the report.
    pub remedy: String,
}

/// A report for a provider's support.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!(examples::report()))]
pub struct Report {
    /// `message` or `incident`.
    #[schema(value_type = schema::ReportSubject)]
    pub subject: Subject,
    /// Our id of the message, or the number of the incident.
    pub id: String,
    /// The language of its texts.
    #[schema(value_type = schema::Language)]
    pub lang: Lang,
    /// When it was made.
    #[schema(value_type = Moment)]
    pub made_at: Millis,
    /// The recipient's number or id is masked.
    pub masked: bool,
    /// All of it in a sentence.
    pub summary: String,
    /// Account slug.
    pub account: String,
    /// Provider slug.
    #[schema(value_type = schema::Provider)]
    pub provider: String,
    /// The provider's name.
    pub provider_title: String,
    /// The incident, where it is about one.
    pub incident: Option<IncidentPart>,
    /// The message, or some of the incident's.
    pub messages: Vec<MessagePart>,
    /// The account as it stood when the report was made.
    pub snapshot: Snapshot,
    /// How many others fail alike.
    pub alike: Alike,
    /// What was already checked.
    pub checks: Vec<CheckPart>,
    /// What to ask.
    pub questions: Vec<String>,
    /// Where to ask.
    pub channels: Vec<String>,
}

/// An incident in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportIncident)]
pub struct IncidentPart {
    /// What it is.
    pub title: String,
    /// The code or cause that its messages share.
    pub cause: String,
    /// When it opened.
    #[schema(value_type = Moment)]
    pub opened_at: Millis,
    /// When it closed; null while it goes on.
    #[schema(value_type = Option<Moment>)]
    pub closed_at: Option<Millis>,
    /// How many messages it took in.
    pub size: u64,
    /// How many recipients they had.
    pub recipients: u64,
    /// What to do.
    pub remedy: String,
}

/// A message in a report.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportMessage)]
pub struct MessagePart {
    /// Our id.
    #[schema(value_type = MessageId)]
    pub id: String,
    /// The provider's id.
    pub message_id: Option<String>,
    /// The sender's own id.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// The sending OA, Page or number.
    pub sender: Option<String>,
    /// The recipient; masked unless all of it was asked for.
    pub recipient: Option<String>,
    /// Kind slug.
    pub kind: Option<String>,
    /// The template.
    pub template_id: Option<String>,
    /// Where it stands.
    #[schema(value_type = State)]
    pub state: &'static str,
    /// When it was queued.
    #[schema(value_type = Option<Moment>)]
    pub queued_at: Option<Millis>,
    /// When it was sent.
    #[schema(value_type = Option<Moment>)]
    pub sent_at: Option<Millis>,
    /// When it was delivered.
    #[schema(value_type = Option<Moment>)]
    pub delivered_at: Option<Millis>,
    /// When it was read.
    #[schema(value_type = Option<Moment>)]
    pub read_at: Option<Millis>,
    /// When it failed.
    #[schema(value_type = Option<Moment>)]
    pub failed_at: Option<Millis>,
    /// When it was to go out.
    #[schema(value_type = Option<Moment>)]
    pub scheduled_at: Option<Millis>,
    /// How the recipients fared.
    pub recipients: RecipientsView,
    /// Proof of delivery and a failure report, both seen.
    pub conflict: bool,
    /// Nobody knows how the send call ended.
    pub outcome_unknown: bool,
    /// Why it failed.
    pub failure: Option<FailureView>,
    /// Why it is stuck.
    pub stuck: Option<StuckView>,
    /// Its timeline, oldest first.
    pub timeline: Vec<EntryPart>,
    /// The provider's answers to its send calls, redacted.
    pub answers: Vec<AnswerPart>,
    /// The callbacks that told of it, redacted.
    pub callbacks: Vec<CallbackPart>,
    /// Callbacks and answers that are not shown: too many, or deleted by retention.
    pub not_shown: u64,
}

/// A line of the timeline in a report.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportEvent)]
pub struct EntryPart {
    /// When it happened.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// When it first reached us.
    #[schema(value_type = Moment)]
    pub observed_at: Millis,
    /// What happened.
    #[schema(value_type = EventKind)]
    pub kind: &'static str,
    /// Who told.
    #[schema(value_type = EventSource)]
    pub source: &'static str,
    /// Details, redacted.
    #[schema(value_type = Object)]
    pub detail: Map<String, Value>,
}

/// An answer of the provider in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportAnswer)]
pub struct AnswerPart {
    /// When it reached us.
    #[schema(value_type = Moment)]
    pub received_at: Millis,
    /// The HTTP status; null when there was no answer.
    pub status: Option<u16>,
    /// How long the call took, in milliseconds.
    pub duration_ms: Option<u64>,
    /// What went wrong on the way, redacted.
    pub error: Option<String>,
    /// The body, redacted.
    pub body: String,
    /// Not all of the body is shown.
    pub cut: bool,
}

/// A callback in a report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportCallback)]
pub struct CallbackPart {
    /// Its record.
    #[schema(value_type = schema::CallbackSeq)]
    pub seq: u64,
    /// When it arrived.
    #[schema(value_type = Moment)]
    pub received_at: Millis,
    /// What became of it.
    #[schema(value_type = schema::CallbackStatus)]
    pub status: &'static str,
    /// `GET` or `POST`.
    #[schema(value_type = schema::CallbackMethod)]
    pub method: &'static str,
    /// How often the same came again.
    pub repeats: u64,
    /// Bytes of the body as it came.
    pub size: u64,
    /// The kept headers as `name: value`, redacted.
    pub headers: Vec<String>,
    /// The query, decoded and redacted.
    pub query: String,
    /// The body, redacted.
    pub body: String,
    /// Not all of it is shown.
    pub cut: bool,
}

/// How many others fail alike.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportAlike)]
pub struct Alike {
    /// What they have in common: a failure code or class, or a cause of being stuck.
    pub what: Option<String>,
    /// How many others; null where nothing can be compared.
    pub count: Option<u64>,
    /// There are more than `count`.
    pub more: bool,
    /// Counted over the last so many hours; null for all that are stuck now, or for an incident.
    pub hours: Option<u32>,
}

/// A line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportCheck)]
pub struct CheckPart {
    /// What should be so.
    pub what: String,
    /// `done`: it is so; `not_done`: it is not so; `unknown`: it cannot be told from here.
    #[schema(value_type = schema::CheckState)]
    pub state: CheckState,
    /// What tells.
    pub evidence: String,
    /// Where to look, or what to do; null where it is done.
    pub how: Option<String>,
}

impl Report {
    /// The report as Markdown, in its language.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }
}

/// The text of a language.
const fn say(lang: Lang, vi: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Vi => vi,
        Lang::En => en,
    }
}
