//! The keys of alerts and subscriptions: loading, `check` and the test of the example file walk these tables.

use super::{Kind, List};

/// One key.
#[derive(Debug)]
pub(in crate::config) struct Field {
    pub key: &'static str,
    pub form: Form,
    pub required: bool,
    /// What it is, in a few words.
    pub help: &'static str,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Form {
    Text,
    Texts,
    Secrets,
    Number { min: u64, max: u64 },
    Flag,
}

const fn must(key: &'static str, form: Form, help: &'static str) -> Field {
    Field { key, form, required: true, help }
}

const fn may(key: &'static str, form: Form, help: &'static str) -> Field {
    Field { key, form, required: false, help }
}

const PRIVATE: Field = may("allow_private", Form::Flag, "it may lie at a private address, and http will do");

const TELEGRAM: &[Field] = &[
    must("bot_token", Form::Secrets, "the token that BotFather gave"),
    must("chat_id", Form::Text, "the chat, such as \"-1001234567890\" or \"@channel\""),
    may("api", Form::Text, "origin of the Bot API"),
    PRIVATE,
];

const SLACK: &[Field] = &[must("webhook_url", Form::Secrets, "the URL of the incoming webhook"), PRIVATE];

const EMAIL: &[Field] = &[
    must("host", Form::Text, "the mail server"),
    may("port", Form::Number { min: 1, max: 65_535 }, "its port"),
    may("security", Form::Text, "starttls, tls or none"),
    may("user", Form::Text, "the user at the mail server"),
    may("password", Form::Secrets, "the user's password"),
    must("from", Form::Text, "the sender's address"),
    must("to", Form::Texts, "the recipients' addresses"),
];

const WEBHOOK: &[Field] = &[
    must("url", Form::Text, "where it goes"),
    must("secrets", Form::Secrets, "the signing secrets: whsec_ and base64; all of them sign"),
    PRIVATE,
];

const ALERT: &[Field] = &[
    may("lang", Form::Text, "language of texts: vi or en"),
    may("accounts", Form::Texts, "the accounts it is about"),
    may("events", Form::Texts, "the events it tells"),
    may("quiet_hours", Form::Text, "when it keeps quiet, such as \"22:00-06:00\""),
    may("utc_offset", Form::Text, "of which local time, such as \"+07:00\""),
    may("urgent", Form::Texts, "events that are told in quiet hours too"),
    may("per_hour_max", Form::Number { min: 1, max: 1_000 }, "most messages an hour"),
];

const SUBSCRIPTION: &[Field] = &[
    may("events", Form::Texts, "the events it is told"),
    may("accounts", Form::Texts, "the accounts it is about"),
    may("kinds", Form::Texts, "the kinds of messages"),
    may("states", Form::Texts, "the states of messages"),
    may("lang", Form::Text, "language of texts: vi or en"),
];

/// The keys of a table, besides `id` and `kind`.
pub(in crate::config) fn fields(list: List, kind: Option<Kind>) -> impl Iterator<Item = &'static Field> {
    let own = match kind {
        Some(Kind::Telegram) => TELEGRAM,
        Some(Kind::Slack) => SLACK,
        Some(Kind::Email) => EMAIL,
        Some(Kind::Webhook) | None => WEBHOOK,
    };
    own.iter().chain(if list == List::Alert { ALERT } else { SUBSCRIPTION })
}
