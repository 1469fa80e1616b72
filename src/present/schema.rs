//! Schemas of values that are plain text in the answers: closed sets, moments, slugs. They are read from the lists that the program
//! itself works with, so that the OpenAPI document cannot fall behind. It must not know HTTP.

use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, ObjectBuilder, Type};
use utoipa::openapi::{RefOr, Schema, SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

use super::report;
use crate::domain::event::{self, EntryKind, EntrySource, Evidence, GroupRole};
use crate::domain::failure::{self, Lang};
use crate::domain::feed::NAMES;
use crate::domain::record::Status;
use crate::domain::thread::control::Sign;
use crate::domain::watch::{Reason, Standing};
use crate::domain::{feed, state, stuck};
use crate::providers::PROVIDERS;

/// Most characters of a text in a query.
pub const QUERY_CHARS_MAX: usize = 1_024;

/// Most characters of a text in a body.
pub const TEXT_CHARS_MAX: usize = 512;

/// Largest page.
pub const PAGE_LINES_MAX: usize = 500;

/// Page length where none is asked for.
pub const PAGE_LINES: usize = 50;

/// What a text in a query may hold: no control characters.
const PLAIN: &str = r"^[^\u0000-\u001F\u007F-\u009F]+$";

/// What a text in a body may hold: no control characters, and not only blanks.
const NOT_BLANK: &str = r"^[^\u0000-\u001F\u007F-\u009F]*[^\s\u0000-\u001F\u007F-\u009F][^\u0000-\u001F\u007F-\u009F]*$";

/// What can be an account id.
const ACCOUNT: &str = "^[a-z0-9-]{1,40}$";

/// Every kind of a timeline entry.
const ENTRY_KINDS: [EntryKind; 12] = [
    EntryKind::Registered,
    EntryKind::Queued,
    EntryKind::AnswerAccepted,
    EntryKind::AnswerRefused,
    EntryKind::AnswerUnknown,
    EntryKind::Sent,
    EntryKind::Delivered,
    EntryKind::Read,
    EntryKind::Failed,
    EntryKind::MarkedFailed,
    EntryKind::Report,
    EntryKind::Noted,
];

/// Every source of a timeline entry.
const ENTRY_SOURCES: [EntrySource; 4] = [EntrySource::Webhook, EntrySource::Api, EntrySource::Operator, EntrySource::Watermark];

fn set<'a>(all: impl IntoIterator<Item = &'a str>) -> ObjectBuilder {
    text().enum_values(Some(all))
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn known(format: KnownFormat) -> ObjectBuilder {
    text().format(Some(SchemaFormat::KnownFormat(format)))
}

macro_rules! schemas {
    ($($(#[doc = $doc:literal])+ $name:ident = $schema:expr;)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.description(Some(concat!($($doc),+).trim())).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

schemas! {
    /// Where a message stands.
    State = set(state::State::ALL.iter().map(|v| v.as_str()));
    /// Who told us of a message first.
    Origin = set(Evidence::ALL.iter().map(|v| v.as_str()));
    /// Whose business a failure is.
    FailureClass = set(failure::Class::ALL.iter().map(|v| v.as_str()));
    /// Whether and when sending again makes sense.
    Retry = set(failure::Retry::ALL.iter().map(|v| v.as_str()));
    /// What happened.
    HappeningType = set(feed::NAMES.iter().copied());
    /// Number of an entry of the feed.
    FeedPlace = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .examples([41]);
    /// What makes a line of the numbers.
    StatsBy = set(super::LinesBy::ALL.iter().map(|v| v.as_str()));
    /// Why a message is stuck.
    StuckCause = set(stuck::Cause::ALL.iter().map(|v| v.as_str()));
    /// What a line of the timeline tells.
    EventKind = set(ENTRY_KINDS.iter().map(|v| v.as_str()));
    /// Who told it.
    EventSource = set(ENTRY_SOURCES.iter().map(|v| v.as_str()));
    /// What became of a stored callback.
    CallbackStatus = set(Status::ALL.iter().map(|v| v.as_str()));
    /// How a callback came.
    CallbackMethod = set(["GET", "POST"]);
    /// Who holds a conversation.
    ThreadHolder = set(super::thread::WHO);
    /// What shows who holds a conversation.
    ThreadSign = set(Sign::ALL.iter().map(|v| v.as_str()));
    /// How an account stands.
    AccountState = set(Standing::ALL.iter().map(|v| v.as_str()));
    /// Why an account stands as it does.
    AccountReason = set(Reason::ALL.iter().map(|v| v.as_str()));
    /// What a group of events tells.
    EventRole = set(GroupRole::ALL.iter().map(|v| v.as_str()));
    /// Number of an incident.
    IncidentNumber = text().pattern(Some("^[1-9][0-9]{0,17}$")).min_length(Some(1)).max_length(Some(18)).examples(["12"]);
    /// Open or closed.
    IncidentState = set(["open", "closed"]);
    /// Where a template stands with the provider.
    TemplateStatus = set(event::TemplateStatus::ALL.iter().map(|v| v.as_str()));
    /// What is known of a token or key.
    TokenState = set(report::TokenState::ALL.iter().map(|v| v.as_str()));
    /// What a report is about.
    ReportSubject = set(report::Subject::ALL.iter().map(|v| v.as_str()));
    /// How a report is written.
    ReportFormat = set(report::Format::ALL.iter().map(|v| v.as_str()));
    /// What came of a check.
    CheckState = set(report::CheckState::ALL.iter().map(|v| v.as_str()));
    /// What was told of a template.
    TemplateChangeKind = set(["status", "quality", "quota", "tags"]);
    /// Provider slug.
    Provider = set(PROVIDERS.iter().map(|p| p.slug));
    /// Family of the failure catalogue.
    Family = set(PROVIDERS.iter().flat_map(|p| p.families).map(|f| f.slug));
    /// Language of texts.
    Language = set(Lang::ALL.iter().map(|v| v.as_str()));
    /// A flag that can only be asked for.
    Flag = set(["true"]);
    /// A moment: RFC 3339; answers are in UTC with milliseconds.
    Moment = known(KnownFormat::DateTime).examples(["2026-01-31T08:15:30.123Z"]);
    /// Our id of a message.
    MessageId = text().format(Some(SchemaFormat::Custom("uuid".to_owned()))).examples(["019c12f4-51eb-7a3d-9c41-6f0000000001"]);
    /// Account slug, as configured.
    Account = text().pattern(Some(ACCOUNT)).min_length(Some(1)).max_length(Some(40)).examples(["shop-oa"]);
    /// Number of a stored callback.
    CallbackSeq = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .examples([1]);
    /// Number of a delivery.
    DeliveryNumber = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(1))
        .examples([1]);
    /// Whether a delivery waits or was given up.
    DeliveryStatus = set(["waiting", "dead"]);
    /// Name of an event.
    EventName = set(NAMES.iter().copied());
    /// How a receiver is reached.
    ReceiverKind = set(["subscription", "telegram", "slack", "email", "webhook"]);
    /// Whether a receiver is sent to.
    ReceiverStatus = set(["active", "disabled"]);
    /// Text of a query.
    QueryText = text().pattern(Some(PLAIN)).min_length(Some(1)).max_length(Some(QUERY_CHARS_MAX));
    /// Text of a body: no control characters, not blank.
    Text = text().pattern(Some(NOT_BLANK)).min_length(Some(1)).max_length(Some(TEXT_CHARS_MAX));
    /// Page length.
    Limit = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(1))
        .maximum(Some(PAGE_LINES_MAX))
        .default(Some(PAGE_LINES.into()));
    /// `next_cursor` of a page, as it is.
    Cursor = text().pattern(Some("^[A-Za-z0-9_-]{28}$")).examples(["AQAAAZwS9FHrAAAAAAAAACrEjR2g"]);
    /// An HTTP status; 0 when there was no answer.
    AnswerStatus = AnyOfBuilder::new()
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(100)).maximum(Some(999)))
        .item(ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(0)));
}

/// The slug of some provider, for examples.
pub fn some_provider() -> &'static str {
    PROVIDERS.first().map_or("", |p| p.slug)
}

/// The slug of some family of that provider, for examples.
pub fn some_family() -> &'static str {
    PROVIDERS.first().and_then(|p| p.families.first()).map_or("", |f| f.slug)
}

/// The name of that provider for people, for examples.
pub fn some_title() -> &'static str {
    PROVIDERS.first().map_or("", |p| p.title)
}
