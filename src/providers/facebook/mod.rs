//! Facebook Messenger: what the provider is, its settings, and a configured account (one Meta app, one or more Pages).
//!
//! Pure: it must not know a clock, a file, a socket, the store or another provider. What Meta sends and means is written down,
//! with sources, in `docs/providers/facebook.md`.

mod about;
mod answer;
mod console;
mod examine;
mod groups;
mod item;
mod parse;
mod payload;
mod routing;
mod support;
#[cfg(test)]
mod tests;
mod verify;

use super::{
    Account, AnswerContext, Clue, ConsoleStep, Deadline, Family, Handshake, Refusal, Setting, SettingError, SettingKind, Spec, Values,
};
use crate::domain::event::{AnswerReading, Parsed};
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Method, SendAnswer};
use crate::domain::stuck::ANY_KIND;
use crate::domain::time::{Millis, Span};

/// The name in URLs and configuration.
const SLUG: &str = "facebook";

/// The catalogue family of Graph API and Send API errors.
const FAMILY: &str = "graph";

/// Longest id in the settings, in bytes; Meta's have 15 to 17 digits today.
const ID_BYTES_MAX: usize = 64;

/// The setting with app secrets that are known and no longer accepted.
const RETIRED_SECRETS: &str = "retired_app_secrets";

/// Facebook Messenger.
pub static SPEC: Spec = Spec {
    slug: SLUG,
    title: "Facebook Messenger",
    families: &[Family { slug: FAMILY, toml: include_str!("catalogue/graph.toml") }],
    settings: &[
        Setting {
            key: "app_id",
            kind: SettingKind::Text,
            required: true,
            help: "id of the Meta app (App Dashboard → App settings → Basic)",
        },
        Setting {
            key: "app_secret",
            kind: SettingKind::Secrets,
            required: true,
            help: "app secret, with which Meta signs every callback (App Dashboard → App settings → Basic)",
        },
        Setting {
            key: RETIRED_SECRETS,
            kind: SettingKind::Secrets,
            required: false,
            help: "app secrets of the past; never accepted, but a callback that fits one is refused with that reason",
        },
        Setting {
            key: "verify_token",
            kind: SettingKind::Secrets,
            required: true,
            help: "a text of your own choice, pasted beside the callback URL in the dashboard",
        },
        Setting {
            key: "page_ids",
            kind: SettingKind::TextList,
            required: false,
            help: "the Pages of this account; callbacks of other Pages are stored and ignored (default: every Page of the app). A message registered without a sender is taken as the Page's where there is one",
        },
        Setting {
            key: "token_ends_at",
            kind: SettingKind::Text,
            required: false,
            help: "when the Page access token ends (RFC 3339), where it does; the account is shown as expired from then on until a send is accepted",
        },
        Setting { key: "page_access_tokens", kind: SettingKind::Secrets, required: false, help: "Page access tokens, for health checks" },
    ],
    token_in_path: false,
    methods: &[Method::Post],
    kept_headers: &[verify::SIGNATURE_HEADER],
    examined_headers: &[examine::OLD_SIGNATURE_HEADER],
    callback_secret: "app_secret",
    retired_secret: RETIRED_SECRETS,
    has_threads: true,
    token_of_sender: true,
    unpromised: &[],
    conversations: routing::CONVERSATIONS,
    default_kind: Some("message"),
    // A send call answers within seconds; a receipt follows once the customer's device is online.
    deadlines: &[Deadline { kind: ANY_KIND, queued: Span::minutes(15), sent: Span::hours(24) }],
    groups: groups::GROUPS,
    carriage: None,
    account,
    fold_message_id: str::to_owned,
    fold_recipient: str::to_owned,
    server_time_of_id,
    lookup: answer::lookup,
    stuck_cause: routing::stuck_cause,
    support: support::SUPPORT,
};

/// Older message ids begin with the server time: `mid.<13 digits>:…`.
fn server_time_of_id(mid: &str) -> Option<Millis> {
    let (digits, _) = mid.strip_prefix("mid.")?.split_once(':')?;
    let fits = digits.len() == 13 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|ms| fits && *ms > 0).map(Millis)
}

/// One configured Meta app.
struct Facebook {
    id: AccountId,
    app_secrets: verify::AppSecrets,
    retired_secrets: verify::AppSecrets,
    verify_tokens: verify::VerifyTokens,
    rules: parse::Rules,
    token_ends_at: Option<Millis>,
}

fn account(id: &AccountId, values: &Values) -> Result<Box<dyn Account>, SettingError> {
    let app_id = values.first("app_id").unwrap_or_default();
    plain_id("app_id", app_id)?;
    for page in values.list("page_ids") {
        plain_id("page_ids", page)?;
    }
    for key in ["app_secret", "verify_token"] {
        if values.list(key).is_empty() {
            return Err(SettingError { key, problem: "is missing".into() });
        }
    }
    for key in ["app_secret", RETIRED_SECRETS, "verify_token", "page_access_tokens"] {
        if values.list(key).iter().any(|secret| secret.trim().is_empty()) {
            return Err(SettingError {
                key,
                problem: "is blank; give the secret itself, { env = \"NAME\" } or { file = \"PATH\" }".into(),
            });
        }
    }
    Ok(Box::new(Facebook {
        id: id.clone(),
        app_secrets: verify::AppSecrets::new(values.list("app_secret")),
        retired_secrets: verify::AppSecrets::new(values.list(RETIRED_SECRETS)),
        verify_tokens: verify::VerifyTokens::new(values.list("verify_token")),
        token_ends_at: super::token_ends_at(values)?,
        rules: parse::Rules { app_id: app_id.to_owned(), page_ids: values.list("page_ids").to_vec() },
    }))
}

/// An id as Meta's consoles show it. Ids are compared as texts, so only what can never fit is refused.
fn plain_id(key: &'static str, id: &str) -> Result<(), SettingError> {
    let problem = match id {
        "" => "is empty; copy the id from the console, in quotes".to_owned(),
        id if id.len() > ID_BYTES_MAX => format!("is longer than {ID_BYTES_MAX} characters, so it is no id"),
        id if !id.bytes().all(|b| b.is_ascii_graphic()) => "has a blank or a letter outside ASCII in it; an id is digits only".to_owned(),
        _ => return Ok(()),
    };
    Err(SettingError { key, problem })
}

impl Account for Facebook {
    fn verify(&self, callback: &Callback, _token: Option<&str>) -> Result<(), Refusal> {
        self.app_secrets.verify(callback.header(verify::SIGNATURE_HEADER), &callback.body)
    }

    fn examine(&self, callback: &Callback, _token: Option<&str>) -> Vec<Clue> {
        examine::clues(callback, &self.app_secrets, &self.retired_secrets)
    }

    fn identity(&self, callback: &Callback) -> Vec<u8> {
        callback.body.clone()
    }

    fn groups(&self, _callback: &Callback, parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
        groups::groups(parsed, tell);
    }

    fn parse(&self, callback: &Callback) -> Parsed {
        parse::parse(&self.rules, &callback.body)
    }

    fn read_answer(&self, answer: &SendAnswer, _context: AnswerContext<'_>) -> AnswerReading {
        answer::read(answer)
    }

    fn only_sender(&self) -> Option<&str> {
        match self.rules.page_ids.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    fn token_ends_at(&self) -> Option<Millis> {
        self.token_ends_at
    }

    fn handshake(&self, query: &str) -> Handshake {
        self.verify_tokens.handshake(query)
    }

    fn console(&self, origin: &str) -> Vec<ConsoleStep> {
        console::steps(origin, &self.id, &self.rules)
    }
}
