//! Zalo Official Account: what it is, its settings, and the account that ties the parts together.
//!
//! Three products call one URL: chat of an OA, templates to a user id, and templates to a phone number (ZNS, since 2026 "ZBS
//! Template Message"). This folder must not know the store, HTTP status codes of ours, or another provider.

mod account;
mod answer;
mod console;
mod examine;
mod groups;
mod parse;
mod payload;
mod support;
mod verify;

#[cfg(test)]
mod tests;

use super::{
    Account, AnswerContext, Clue, ConsoleStep, Conversations, Deadline, Family, Lookup, Refusal, Setting, SettingError, SettingKind, Spec,
    Values,
};
use crate::domain::event::{AnswerReading, Parsed};
use crate::domain::ids::AccountId;
use crate::domain::phone;
use crate::domain::record::{Callback, Method, SendAnswer};
use crate::domain::time::{Millis, Span};

/// Carries the signature of every callback.
const SIGNATURE_HEADER: &str = "x-zevent-signature";
/// Says `ZNS` on events of templates to a phone number.
const SERVER_HEADER: &str = "x-zevent-server";
/// Counts repeats; kept for people, no rule depends on it.
const RETRY_HEADER: &str = "num_retry";
/// The setting with keys that are known and no longer accepted.
const RETIRED_KEYS: &str = "retired_oa_secret_keys";
/// The kind of messages to a phone number.
const KIND_ZNS: &str = "zns";
/// Longest id that is taken from the configuration, in digits; real ones have up to 19.
const ID_DIGITS_MAX: usize = 32;
/// Longest domain check code, in characters; real ones have about 36.
const SITE_CODE_CHARS_MAX: usize = 128;

/// Zalo Official Account.
pub static SPEC: Spec = Spec {
    slug: "zalo",
    title: "Zalo OA",
    families: &[
        Family { slug: "oa", toml: include_str!("catalogue/oa.toml") },
        Family { slug: "oauth", toml: include_str!("catalogue/oauth.toml") },
        Family { slug: "zns", toml: include_str!("catalogue/zns.toml") },
    ],
    settings: SETTINGS,
    token_in_path: false,
    methods: &[Method::Post],
    kept_headers: &[SIGNATURE_HEADER, SERVER_HEADER, RETRY_HEADER],
    examined_headers: &[],
    callback_secret: "oa_secret_key",
    retired_secret: RETIRED_KEYS,
    has_threads: false,
    token_of_sender: true,
    unpromised: &[],
    // The OA may answer for seven days after the user's last act, two of them without a charge.
    conversations: Conversations { window: Some(Span::days(7)), free: Some(Span::hours(48)), ..Conversations::NONE },
    default_kind: None,
    deadlines: DEADLINES,
    groups: groups::GROUPS,
    carriage: None,
    account,
    fold_message_id,
    fold_recipient,
    server_time_of_id: |_| None,
    lookup,
    stuck_cause: crate::domain::stuck::common_cause,
    support: support::SUPPORT,
};

const SETTINGS: &[Setting] = &[
    Setting { key: "app_id", kind: SettingKind::Text, required: true, help: "id of the app in Zalo for Developers (digits)" },
    Setting {
        key: "oa_secret_key",
        kind: SettingKind::Secrets,
        required: true,
        help: "OA secret key from the Webhook page of the app (not the app secret); several for rotation, or for several OAs",
    },
    Setting {
        key: RETIRED_KEYS,
        kind: SettingKind::Secrets,
        required: false,
        help: "OA secret keys of the past; never accepted, but a callback that fits one is refused with that reason",
    },
    Setting { key: "oa_ids", kind: SettingKind::TextList, required: false, help: "ids of the OAs served; events of other OAs are ignored" },
    Setting {
        key: "site_verification",
        kind: SettingKind::TextList,
        required: false,
        help: "code of Zalo's domain check: the part between zalo_verifier and .html",
    },
    Setting { key: "access_token", kind: SettingKind::Secrets, required: false, help: "OA access token, for the status API" },
    Setting {
        key: "token_ends_at",
        kind: SettingKind::Text,
        required: false,
        help: "when the access token ends (RFC 3339); the account is shown as expired from then on until a send is accepted",
    },
    Setting { key: "refresh_token", kind: SettingKind::Secrets, required: false, help: "OA refresh token, for the status API" },
];

/// A send call answers within seconds. A ZNS receipt normally follows at once, and Zalo repeats a lost callback for up to about
/// 1 h 50 min; chat receipts wait for the customer's phone, so a day is ordinary there.
const DEADLINES: &[Deadline] = &[
    Deadline { kind: "*", queued: Span::minutes(15), sent: Span::hours(24) },
    Deadline { kind: KIND_ZNS, queued: Span::minutes(15), sent: Span::hours(2) },
];

/// One configured app with its OAs. Holds secrets, so it has no `Debug`.
struct Zalo {
    id: AccountId,
    app_id: String,
    oa_secret_keys: Vec<String>,
    retired_keys: Vec<String>,
    oa_ids: Vec<String>,
    site_codes: Vec<String>,
    token_ends_at: Option<Millis>,
}

impl Account for Zalo {
    fn verify(&self, callback: &Callback, _token: Option<&str>) -> Result<(), Refusal> {
        verify::check(callback.header(SIGNATURE_HEADER), &callback.body, &self.app_id, &self.oa_secret_keys)
    }

    fn examine(&self, callback: &Callback, _token: Option<&str>) -> Vec<Clue> {
        let known =
            examine::Known { app_id: &self.app_id, keys: &self.oa_secret_keys, retired_keys: &self.retired_keys, oa_ids: &self.oa_ids };
        examine::clues(callback.header(SIGNATURE_HEADER), &callback.body, &known)
    }

    /// Zalo repeats a callback with the same body and the same `timestamp`; only headers differ.
    fn identity(&self, callback: &Callback) -> Vec<u8> {
        callback.body.clone()
    }

    fn groups(&self, callback: &Callback, parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
        groups::groups(callback, parsed, tell);
    }

    fn parse(&self, callback: &Callback) -> Parsed {
        parse::parse(callback, &self.app_id, &self.oa_ids)
    }

    fn read_answer(&self, answer: &SendAnswer, context: AnswerContext<'_>) -> AnswerReading {
        answer::read(answer, context)
    }

    fn token_ends_at(&self) -> Option<Millis> {
        self.token_ends_at
    }

    fn site_verifications(&self) -> &[String] {
        &self.site_codes
    }

    fn console(&self, origin: &str) -> Vec<ConsoleStep> {
        console::steps(origin, &self.id, &self.app_id, &self.oa_ids, &self.site_codes)
    }
}

fn account(id: &AccountId, values: &Values) -> Result<Box<dyn Account>, SettingError> {
    let app_id = values.first("app_id").unwrap_or_default();
    is_id("app_id", app_id)?;
    if values.list("oa_secret_key").is_empty() {
        return Err(problem("oa_secret_key", "missing; copy the OA secret key from the Webhook page of the app"));
    }
    for key in ["oa_secret_key", RETIRED_KEYS, "access_token", "refresh_token"] {
        values.list(key).iter().try_for_each(|secret| is_secret(key, secret))?;
    }
    values.list("oa_ids").iter().try_for_each(|oa| is_id("oa_ids", oa))?;
    values.list("site_verification").iter().try_for_each(|code| is_site_code(code))?;
    Ok(Box::new(Zalo {
        id: id.clone(),
        app_id: app_id.to_owned(),
        oa_secret_keys: values.list("oa_secret_key").to_vec(),
        retired_keys: values.list(RETIRED_KEYS).to_vec(),
        oa_ids: values.list("oa_ids").to_vec(),
        site_codes: values.list("site_verification").to_vec(),
        token_ends_at: super::token_ends_at(values)?,
    }))
}

fn problem(key: &'static str, problem: &str) -> SettingError {
    SettingError { key, problem: problem.to_owned() }
}

/// An id of an app or OA. A name in its place would silently turn every event into one of a foreign OA.
fn is_id(key: &'static str, id: &str) -> Result<(), SettingError> {
    if id.is_empty() {
        return Err(problem(key, "missing or empty; it is a number that Zalo shows beside the name"));
    }
    if id.len() > ID_DIGITS_MAX || !id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(problem(key, "not an id; Zalo's ids are digits only, and written in quotes here"));
    }
    Ok(())
}

fn is_secret(key: &'static str, secret: &str) -> Result<(), SettingError> {
    if secret.is_empty() {
        return Err(problem(key, "empty"));
    }
    if secret.trim() != secret || secret.chars().any(char::is_control) {
        return Err(problem(key, "has blanks or control characters around or in it; copy it again"));
    }
    Ok(())
}

/// The code stands in a path and in an HTML attribute, so only harmless characters are taken.
fn is_site_code(code: &str) -> Result<(), SettingError> {
    const KEY: &str = "site_verification";
    if code.starts_with("zalo_verifier") || code.ends_with(".html") {
        return Err(problem(KEY, "give only the code: the part between zalo_verifier and .html"));
    }
    let harmless = |b: u8| b.is_ascii_alphanumeric() || b"-_.=~+".contains(&b);
    if code.is_empty() || code.len() > SITE_CODE_CHARS_MAX || !code.bytes().all(harmless) {
        return Err(problem(KEY, "not a code of Zalo's domain check"));
    }
    Ok(())
}

/// Ids are opaque, so only blanks around them go.
fn fold_message_id(id: &str) -> String {
    id.trim().to_owned()
}

/// A recipient is a user id, a phone number, a SHA-256 of a phone number, or a group id.
fn fold_recipient(recipient: &str) -> String {
    let text = recipient.trim();
    if super::hex32(text.as_bytes()).is_some() {
        return text.to_ascii_lowercase();
    }
    phone::normalise(text).unwrap_or_else(|| text.to_owned())
}

/// A code has meaning only within its family, and the kind of the message names the family. What is missing there is sought in
/// the other one: the host of phone templates also answers with codes of the OpenAPI.
fn lookup(kind: Option<&str>, code: &str, subcode: Option<&str>) -> Vec<Lookup> {
    let families = if kind == Some(KIND_ZNS) { ["zns", "oa", "oauth"] } else { ["oa", "zns", "oauth"] };
    let at = |family| Lookup { provider: "zalo", family, code: code.to_owned(), subcode: subcode.map(str::to_owned) };
    families.map(at).into()
}
