//! A callback as received, and a record: one row of the inbox, whoever wrote it.
//!
//! Callbacks, registrations, send answers and operator's marks enter by the same log; everything else is derived from it.

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, Seq};
use super::metadata::Metadata;
use super::time::Millis;

/// How a callback came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Method {
    /// HTTP GET.
    Get,
    /// HTTP POST.
    Post,
}

/// One request of a provider, as received: bytes are kept as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Callback {
    /// The account whose URL was called.
    pub account: AccountId,
    /// GET or POST.
    pub method: Method,
    /// The raw query, without `?`; empty when there is none.
    pub query: String,
    /// The `Content-Type`, as received.
    pub content_type: Option<String>,
    /// The headers that the provider wants kept: lower-case name and value.
    pub headers: Vec<(String, String)>,
    /// The raw body.
    pub body: Vec<u8>,
    /// The address the request came from.
    pub source: String,
    /// When it arrived.
    pub received_at: Millis,
}

impl Callback {
    /// The value of a kept header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// One registered message, as taken and checked by our API.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// The account; the record's own where it is not told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub account: Option<AccountId>,
    /// The sender's own id.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message_id: Option<String>,
    /// The sending OA, Page or number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sender: Option<String>,
    /// The recipient, normalised when it is a phone number.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub recipient: Option<String>,
    /// The kind slug.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub kind: Option<String>,
    /// The template.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub template_id: Option<String>,
    /// When the sender put it in line.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub queued_at: Option<Millis>,
    /// When the sender sent it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub sent_at: Option<Millis>,
    /// When it is to go out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub scheduled_at: Option<Millis>,
    /// The sender's own object, returned as given.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub metadata: Option<Metadata>,
}

/// The provider's answer to a send call, raw, as our API took it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SendAnswer {
    /// The HTTP status; `None` when there was no answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// The body as text; a JSON value given to us is kept as its text.
    #[serde(default)]
    pub body: String,
    /// How long the call took, in milliseconds.
    #[serde(default)]
    pub duration_ms: Option<u64>,
    /// What went wrong on the way, when there was no answer.
    #[serde(default)]
    pub error: Option<String>,
}

/// How a message is named in a record: by what never changes, not by our row.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The sender's id.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<String>,
    /// The provider's id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub message_id: Option<String>,
}

/// What a record holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A provider's request.
    Callback(Callback),
    /// Messages registered in one call.
    Registrations(Vec<Registration>),
    /// A send answer for one message.
    Answer {
        /// The message.
        target: Target,
        /// The answer.
        answer: SendAnswer,
    },
    /// An operator's mark on one message.
    Mark {
        /// The message.
        target: Target,
        /// The operator's reason.
        reason: String,
    },
    /// A record that cannot be read back, and why.
    Damaged(String),
}

/// One row of the inbox.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its position.
    pub seq: Seq,
    /// The account it belongs to.
    pub account: AccountId,
    /// When it arrived.
    pub received_at: Millis,
    /// What it holds.
    pub content: Content,
}

/// The processing status of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Durable, not looked at yet.
    Received,
    /// It stated a fact.
    Processed,
    /// Signed or accepted, and unreadable.
    Error,
    /// Valid, nothing for us.
    Ignored,
}

impl Status {
    /// Every status.
    pub const ALL: [Status; 4] = [Status::Received, Status::Processed, Status::Error, Status::Ignored];

    /// The outside name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Status::Received => "received",
            Status::Processed => "processed",
            Status::Error => "error",
            Status::Ignored => "ignored",
        }
    }

    /// Reads the outside name.
    pub fn parse(text: &str) -> Option<Status> {
        Status::ALL.into_iter().find(|s| s.as_str() == text)
    }
}
