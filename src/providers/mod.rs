//! The registry you can read: every provider this program knows, and what a provider is.
//!
//! A provider is a map from its words to ours: how it signs, what its events mean, what its send calls answer, what its codes
//! mean. It is pure: no clock, no file, no socket. It must not know the store, HTTP status codes or other providers.
//! **Architecture invariant:** a [`Verified`] callback can only be made here, by [`prove`].

pub mod catalogue;
mod clue;
mod conversations;
pub mod esms;
pub mod facebook;
pub(crate) mod json;
mod spelling;
pub mod support;
pub mod zalo;

use std::fmt;

use crate::domain::event::{AnswerReading, EventGroup, Parsed};
use crate::domain::ids::AccountId;
pub use crate::domain::message::Carriage;
use crate::domain::message::Timeline;
use crate::domain::record::{Callback, Method, SendAnswer};
use crate::domain::time::{Millis, Span};

pub use clue::{Clue, ClueText, Finding, Unproven, examine};
pub use conversations::Conversations;

/// Every provider, in the order in which they are shown.
pub const PROVIDERS: &[&Spec] = &[&zalo::SPEC, &facebook::SPEC, &esms::SPEC];

/// Finds a provider by its slug.
pub fn find(slug: &str) -> Option<&'static Spec> {
    PROVIDERS.iter().copied().find(|s| s.slug == slug)
}

/// What a provider is, before any account is configured.
pub struct Spec {
    /// The name in URLs, configuration and answers.
    pub slug: &'static str,
    /// The name for people.
    pub title: &'static str,
    /// Catalogue families: slug and the TOML file that a non-programmer can edit, in the order of `/v1/errors`.
    pub families: &'static [Family],
    /// The keys an `[[account]]` block of this provider may have besides `id` and `provider`.
    pub settings: &'static [Setting],
    /// The callback secret stands in the path (`/webhooks/{slug}/{account}/{token}`).
    pub token_in_path: bool,
    /// Methods that carry callbacks.
    pub methods: &'static [Method],
    /// Request headers kept with a callback, lower case.
    pub kept_headers: &'static [&'static str],
    /// Request headers that only the examination of a refused callback looks at, lower case. They prove nothing and are not kept.
    pub examined_headers: &'static [&'static str],
    /// The setting with the secrets by which callbacks prove themselves.
    pub callback_secret: &'static str,
    /// The setting with those that are known and no longer accepted.
    pub retired_secret: &'static str,
    /// Its receipts include watermarks over whole conversations.
    pub has_threads: bool,
    /// Each sender of an account has a token of its own; else the account has one.
    pub token_of_sender: bool,
    /// Kinds whose receipts nobody promises at any time: that they stay away says nothing.
    pub unpromised: &'static [&'static str],
    /// Until when a customer may be answered, and how a conversation is got back.
    pub conversations: Conversations,
    /// The kind of a registered message where nobody tells one.
    pub default_kind: Option<&'static str>,
    /// Default deadlines: kind (`*` for every other kind) with the longest ordinary stay in `queued` and in `sent`.
    pub deadlines: &'static [Deadline],
    /// The groups of events that its callbacks belong to, in the order in which they are shown.
    pub groups: &'static [EventGroup],
    /// Reads the carrier and the price (in ten-thousandths of a đồng) out of a message's timeline, where the provider tells them.
    pub carriage: Option<fn(&Timeline) -> Carriage>,
    /// Makes a configured account.
    pub account: MakeAccount,
    /// Brings a message id into the form in which it is compared and shown.
    pub fold_message_id: fn(&str) -> String,
    /// Brings a recipient into the form in which it is compared and shown (phone numbers as `84…`).
    pub fold_recipient: fn(&str) -> String,
    /// The server time inside a message id, where ids carry one.
    pub server_time_of_id: fn(&str) -> Option<Millis>,
    /// Which family and code the catalogue is to be asked for, best first, given kind, code and sub-code.
    pub lookup: fn(kind: Option<&str>, code: &str, subcode: Option<&str>) -> Vec<Lookup>,
    /// The cause of being stuck in an open state, from this message's own evidence.
    pub stuck_cause: fn(&StuckEvidence) -> crate::domain::stuck::Cause,
    /// What to go through before its support is asked, what to ask, and where.
    pub support: support::Support,
}

/// Makes a configured account out of its resolved settings.
pub type MakeAccount = fn(&AccountId, &Values) -> Result<Box<dyn Account>, SettingError>;

impl fmt::Debug for Spec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spec({})", self.slug)
    }
}

pub use crate::domain::stuck::Evidence as StuckEvidence;

/// One place to look in the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// Provider slug (an aggregator may borrow the codes of the provider behind it).
    pub provider: &'static str,
    /// Family slug.
    pub family: &'static str,
    /// The code.
    pub code: String,
    /// The sub-code.
    pub subcode: Option<String>,
}

/// A catalogue family.
pub struct Family {
    /// Its slug.
    pub slug: &'static str,
    /// The catalogue file's text.
    pub toml: &'static str,
}

/// The default deadlines of one kind of message.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// Kind slug, or `*`.
    pub kind: &'static str,
    /// Longest ordinary stay in `queued`.
    pub queued: Span,
    /// Longest ordinary stay in `sent`.
    pub sent: Span,
}

/// What a setting holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// A text.
    Text,
    /// A list of texts (a single text is taken as a list of one).
    TextList,
    /// One or more secrets: each is a text, `{ env = "NAME" }` or `{ file = "PATH" }`; a list is accepted for rotation.
    Secrets,
}

/// One key of an account block.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// The key.
    pub key: &'static str,
    /// What it holds.
    pub kind: SettingKind,
    /// It must be there.
    pub required: bool,
    /// What it is, for `check` and the error messages.
    pub help: &'static str,
}

/// The resolved settings of one account: secrets already read from environment or file.
#[derive(Clone, Default)]
pub struct Values(pub Vec<(&'static str, Vec<String>)>);

impl Values {
    /// Every value of a key.
    pub fn list(&self, key: &str) -> &[String] {
        self.0.iter().find(|(k, _)| *k == key).map_or(&[], |(_, v)| v)
    }

    /// The first value of a key.
    pub fn first(&self, key: &str) -> Option<&str> {
        self.list(key).first().map(String::as_str)
    }
}

/// A setting that cannot be used; `config` adds file, line and account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct SettingError {
    /// The key.
    pub key: &'static str,
    /// What is wrong with it and what to do; never the value of a secret.
    pub problem: String,
}

/// Why a callback was refused. Carries nothing of the request: its answer has no body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// No signature or token.
    Missing,
    /// A signature that cannot be one.
    Malformed,
    /// A well-formed signature or token that does not fit.
    Mismatch,
}

impl Refusal {
    /// The outside name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Refusal::Missing => "missing",
            Refusal::Malformed => "malformed",
            Refusal::Mismatch => "mismatch",
        }
    }
}

/// The answer to a subscription handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// This provider has none.
    None,
    /// Answer this text and nothing else.
    Challenge(String),
    /// Refuse.
    Refused,
}

/// One thing to paste or to switch on in a provider's console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsoleStep {
    /// Where, for example a page of the console.
    pub at: String,
    /// What to put there or do there.
    pub what: String,
}

/// What a reader of a send answer may know of the message.
#[derive(Clone, Copy, Debug, Default)]
pub struct AnswerContext<'a> {
    /// The kind slug.
    pub kind: Option<&'a str>,
    /// The recipient, as we show it.
    pub recipient: Option<&'a str>,
    /// When the answer reached us.
    pub received_at: Millis,
}

/// One configured account of a provider.
pub trait Account: Send + Sync {
    /// Proves that a callback comes from the provider, over the raw bytes. `token` is the path segment, where there is one.
    ///
    /// # Errors
    /// The reason to count; never anything of the request.
    fn verify(&self, callback: &Callback, token: Option<&str>) -> Result<(), Refusal>;

    /// What in the account's own settings explains why a callback was refused; nothing where nothing does. Not asked of others.
    fn examine(&self, _callback: &Callback, _token: Option<&str>) -> Vec<Clue> {
        Vec::new()
    }

    /// What makes two callbacks of this account the same one: they are repeats of each other exactly when these bytes are equal.
    fn identity(&self, callback: &Callback) -> Vec<u8>;

    /// Turns a verified callback into events. Never panics, never refuses: unreadable is an answer.
    fn parse(&self, callback: &Callback) -> Parsed;

    /// Reads the provider's raw answer to a send call.
    fn read_answer(&self, answer: &SendAnswer, context: AnswerContext<'_>) -> AnswerReading;

    /// Tells the groups of events that a callback belongs to, as places in [`Spec::groups`]; each at least once.
    fn groups(&self, callback: &Callback, parsed: &Parsed, tell: &mut dyn FnMut(usize));

    /// The id in whose name every message of the account goes out, where there can be only one.
    fn only_sender(&self) -> Option<&str> {
        None
    }

    /// When the configured token ends, where the configuration says so.
    fn token_ends_at(&self) -> Option<Millis> {
        None
    }

    /// Answers a subscription handshake (a GET on the webhook URL with this raw query).
    fn handshake(&self, _query: &str) -> Handshake {
        Handshake::None
    }

    /// Codes of domain checks that this account has been given.
    fn site_verifications(&self) -> &[String] {
        &[]
    }

    /// What to paste where in the provider's console, given the public origin (`https://…`, no slash at its end).
    fn console(&self, origin: &str) -> Vec<ConsoleStep>;
}

/// A callback that its provider signed. Only [`prove`] makes one; nothing else can enter the inbox as a callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<T>(T, Identity);

/// SHA-256 over account and identity of a callback.
pub type Identity = [u8; 32];

impl<T> Verified<T> {
    /// The callback and its identity.
    pub fn into_inner(self) -> (T, Identity) {
        (self.0, self.1)
    }
}

/// Verifies a callback over its raw bytes.
///
/// # Errors
/// The reason to count.
pub fn verify(account: &dyn Account, callback: Callback, token: Option<&str>) -> Result<Verified<Callback>, Refusal> {
    prove(account, callback, token).map_err(|unproven| unproven.refusal)
}

/// Verifies a callback over its raw bytes, and gives it back when it is refused.
///
/// # Errors
/// The reason to count, and the callback to examine.
pub fn prove(account: &dyn Account, callback: Callback, token: Option<&str>) -> Result<Verified<Callback>, Box<Unproven>> {
    use sha2::{Digest, Sha256};
    if let Err(refusal) = account.verify(&callback, token) {
        return Err(Box::new(Unproven { refusal, callback }));
    }
    let mut hash = Sha256::new();
    hash.update(callback.account.as_str().as_bytes());
    hash.update([0]);
    hash.update(account.identity(&callback));
    let identity = hash.finalize().into();
    Ok(Verified(callback, identity))
}

/// The setting `token_ends_at` of providers that have it.
pub(crate) fn token_ends_at(values: &Values) -> Result<Option<Millis>, SettingError> {
    let read = |text: &str| Millis::parse(text.trim());
    let problem = "is no time; write it as 2026-12-31T08:00:00Z or with another offset".to_owned();
    values.first("token_ends_at").map(read).transpose().map_err(|_| SettingError { key: "token_ends_at", problem })
}

/// Reads exactly 64 hex digits of either case as 32 bytes.
pub(crate) fn hex32(text: &[u8]) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let mut out = [0u8; 32];
    for (byte, pair) in out.iter_mut().zip(text.chunks_exact(2)) {
        let high = (pair[0] as char).to_digit(16)?;
        let low = (pair[1] as char).to_digit(16)?;
        *byte = (high << 4 | low) as u8;
    }
    Some(out)
}
