//! Providers for the tests of the configuration: the settings of the three real ones, and accounts that can do nothing.

use crate::domain::event::{AnswerReading, Parsed};
use crate::domain::record::{Callback, SendAnswer};
use crate::domain::stuck::common_cause;
use crate::domain::time::Span;
use crate::providers::support::NO_SUPPORT;
use crate::providers::{Account, AnswerContext, ConsoleStep, Conversations, Deadline, Refusal, Setting, SettingError, SettingKind, Spec};

pub(super) const PROVIDERS: &[&Spec] = &[&ZALO, &FACEBOOK, &ESMS];

const fn setting(key: &'static str, kind: SettingKind, required: bool, help: &'static str) -> Setting {
    Setting { key, kind, required, help }
}

const fn deadline(kind: &'static str, queued: Span, sent: Span) -> Deadline {
    Deadline { kind, queued, sent }
}

const BARE: Spec = Spec {
    slug: "",
    title: "",
    families: &[],
    settings: &[],
    token_in_path: false,
    methods: &[],
    kept_headers: &[],
    examined_headers: &[],
    callback_secret: "",
    retired_secret: "",
    has_threads: false,
    token_of_sender: true,
    unpromised: &[],
    conversations: Conversations::NONE,
    default_kind: None,
    deadlines: &[],
    groups: &[],
    carriage: None,
    account: |_, _| Err(SettingError { key: "provider", problem: "bare".into() }),
    fold_message_id: str::to_owned,
    fold_recipient: str::to_owned,
    server_time_of_id: |_| None,
    lookup: |_, _, _| Vec::new(),
    stuck_cause: common_cause,
    support: NO_SUPPORT,
};

static ZALO: Spec = Spec {
    slug: "zalo",
    title: "Zalo OA",
    settings: &[
        setting("app_id", SettingKind::Text, true, "the app's id"),
        setting("oa_secret_key", SettingKind::Secrets, true, "the OA Secret Key of the app's webhook page"),
        setting("oa_ids", SettingKind::TextList, false, "the OAs that may call"),
        setting("site_verification", SettingKind::TextList, false, "codes of the domain check"),
    ],
    deadlines: &[deadline("zns", Span::minutes(15), Span::hours(2)), deadline("*", Span::minutes(15), Span::hours(24))],
    account: |id, _| Ok(Box::new(Idle(format!("{{origin}}/webhooks/zalo/{id}")))),
    ..BARE
};

static FACEBOOK: Spec = Spec {
    slug: "facebook",
    title: "Facebook Messenger",
    settings: &[
        setting("app_id", SettingKind::Text, true, "the app's id"),
        setting("app_secret", SettingKind::Secrets, true, "the app's secret"),
        setting("verify_token", SettingKind::Secrets, true, "the verify token"),
        setting("page_ids", SettingKind::TextList, false, "the Pages that may call"),
    ],
    deadlines: &[deadline("*", Span::minutes(15), Span::hours(24))],
    account: |id, _| Ok(Box::new(Idle(format!("{{origin}}/webhooks/facebook/{id}")))),
    ..BARE
};

static ESMS: Spec = Spec {
    slug: "esms",
    title: "eSMS",
    settings: &[
        setting("callback_token", SettingKind::Secrets, true, "the last part of the CallbackUrl"),
        setting("api_key", SettingKind::Secrets, false, "the ApiKey"),
        setting("secret_key", SettingKind::Secrets, false, "the SecretKey"),
    ],
    deadlines: &[deadline("*", Span::minutes(15), Span::minutes(15))],
    account: |id, values| match values.list("callback_token").iter().find(|t| t.len() < 16) {
        Some(_) => Err(SettingError { key: "callback_token", problem: "needs at least 16 characters".into() }),
        None => Ok(Box::new(Idle(format!("{{origin}}/webhooks/esms/{id}/{}", values.first("callback_token").unwrap_or_default())))),
    },
    ..BARE
};

/// An account that only knows its URL.
struct Idle(String);

impl Account for Idle {
    fn verify(&self, _: &Callback, _: Option<&str>) -> Result<(), Refusal> {
        Err(Refusal::Missing)
    }

    fn identity(&self, _: &Callback) -> Vec<u8> {
        Vec::new()
    }

    fn parse(&self, _: &Callback) -> Parsed {
        panic!("the configuration parses no callback")
    }

    fn groups(&self, _: &Callback, _: &Parsed, _: &mut dyn FnMut(usize)) {}

    fn read_answer(&self, _: &SendAnswer, _: AnswerContext<'_>) -> AnswerReading {
        panic!("the configuration reads no answer")
    }

    fn console(&self, origin: &str) -> Vec<ConsoleStep> {
        vec![ConsoleStep { at: "Webhook".into(), what: self.0.replace("{origin}", origin) }]
    }
}
