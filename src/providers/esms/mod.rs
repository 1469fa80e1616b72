//! eSMS.vn (ViHAT): SMS, ZNS, Viber, OA and voice messages reported by GET with everything in the query.
//!
//! Holds what the provider is and its configured account; what the vendor's words mean is described in
//! `docs/providers/esms.md`. It must not know a clock, a store or how events are folded; of other providers it names only the
//! catalogue families whose codes eSMS hands on.

mod answer;
mod error_info;
mod groups;
mod parse;
mod payload;
mod support;
#[cfg(test)]
mod tests;
mod verify;

use super::{
    Account, AnswerContext, Clue, ConsoleStep, Conversations, Deadline, Family, Lookup, Refusal, Setting, SettingError, SettingKind, Spec,
    StuckEvidence, Values,
};
use crate::domain::event::{AnswerReading, Parsed};
use crate::domain::ids::AccountId;
use crate::domain::phone;
use crate::domain::record::{Callback, Method, SendAnswer};
use crate::domain::state::State;
use crate::domain::stuck::{Cause, common_cause};
use crate::domain::time::Span;
use verify::{Shapes, TOKEN_CHARS_MIN, Tokens, is_possible};

/// The setting with tokens that are known and no longer accepted.
const RETIRED_TOKENS: &str = "retired_callback_tokens";

/// eSMS.
pub static SPEC: Spec = Spec {
    slug: "esms",
    title: "eSMS",
    families: &[
        Family { slug: "esms", toml: include_str!("catalogue/esms.toml") },
        Family { slug: "error_info", toml: include_str!("catalogue/error_info.toml") },
    ],
    settings: SETTINGS,
    token_in_path: true,
    methods: &[Method::Get, Method::Post],
    kept_headers: &[],
    examined_headers: &[],
    callback_secret: "callback_token",
    retired_secret: RETIRED_TOKENS,
    has_threads: false,
    token_of_sender: false,
    // They wait for approval and go out when the carrier lets them.
    unpromised: &["sms_advertising"],
    conversations: Conversations::NONE,
    default_kind: None,
    deadlines: DEADLINES,
    groups: groups::GROUPS,
    carriage: Some(groups::carriage),
    account,
    fold_message_id: parse::fold_id,
    fold_recipient,
    server_time_of_id: |_| None,
    lookup,
    stuck_cause,
    support: support::SUPPORT,
};

const SETTINGS: &[Setting] = &[
    Setting {
        key: "callback_token",
        kind: SettingKind::Secrets,
        required: true,
        help: "secret part of the CallbackUrl: 16 characters or more out of A-Z a-z 0-9 - . _ ~; with a list every one is accepted",
    },
    Setting {
        key: RETIRED_TOKENS,
        kind: SettingKind::Secrets,
        required: false,
        help: "tokens of the past; never accepted, but a callback that brings one is refused with that reason",
    },
    Setting { key: "api_key", kind: SettingKind::Secrets, required: false, help: "ApiKey of the eSMS account, for the status calls" },
    Setting { key: "secret_key", kind: SettingKind::Secrets, required: false, help: "SecretKey of the eSMS account, for the status calls" },
];

/// First deadlines. A care message or call that is silent for a quarter of an hour is worth a look; a ZNS template may wait up to
/// two hours for the phone; advertising waits for people to approve it.
const DEADLINES: &[Deadline] = &[
    Deadline { kind: "sms_customer_care", queued: Span::minutes(15), sent: Span::minutes(15) },
    Deadline { kind: "sms_fixed", queued: Span::minutes(15), sent: Span::minutes(15) },
    Deadline { kind: "otp", queued: Span::minutes(15), sent: Span::minutes(15) },
    Deadline { kind: "voice", queued: Span::minutes(15), sent: Span::minutes(15) },
    Deadline { kind: "zns", queued: Span::minutes(15), sent: Span::hours(2) },
    Deadline { kind: "zns_priority", queued: Span::minutes(15), sent: Span::hours(2) },
    Deadline { kind: "zns_journey", queued: Span::minutes(15), sent: Span::hours(2) },
    Deadline { kind: "sms_advertising", queued: Span::hours(24), sent: Span::hours(24) },
    Deadline { kind: "*", queued: Span::minutes(15), sent: Span::hours(2) },
];

/// Codes of Zalo's OA API that eSMS is known to hand on for OA messages; every other code of the `error_info` family is of ZNS.
const OA_CODES: [&str; 11] = ["-124", "-201", "-213", "-216", "-217", "-218", "-220", "-221", "-230", "-232", "-234"];

/// A configured account.
struct Esms {
    id: AccountId,
    tokens: Tokens,
    retired_tokens: Tokens,
    /// For the examination of tokens that are nearly right.
    shapes: Shapes,
    /// The token to put into new URLs: the first of the list.
    token: String,
}

fn account(id: &AccountId, values: &Values) -> Result<Box<dyn Account>, SettingError> {
    let tokens = values.list("callback_token");
    let Some(token) = tokens.first() else {
        return Err(SettingError {
            key: "callback_token",
            problem: "is missing; make one, for example with `openssl rand -hex 24`".into(),
        });
    };
    for key in ["callback_token", RETIRED_TOKENS] {
        if values.list(key).iter().any(|t| !is_possible(t)) {
            let problem =
                format!("must have {TOKEN_CHARS_MIN} characters or more, all out of A-Z a-z 0-9 - . _ ~ (it is a part of the URL)");
            return Err(SettingError { key, problem });
        }
    }
    for key in ["api_key", "secret_key"] {
        if values.list(key).iter().any(|v| v.trim().is_empty()) {
            return Err(SettingError { key, problem: "is empty; leave the key out when there is none".into() });
        }
    }
    Ok(Box::new(Esms {
        id: id.clone(),
        tokens: Tokens::new(tokens),
        retired_tokens: Tokens::new(values.list(RETIRED_TOKENS)),
        shapes: Shapes::new(tokens),
        token: token.clone(),
    }))
}

impl Account for Esms {
    fn verify(&self, _callback: &Callback, token: Option<&str>) -> Result<(), Refusal> {
        self.tokens.check(token)
    }

    fn examine(&self, _callback: &Callback, token: Option<&str>) -> Vec<Clue> {
        let found = [
            (self.retired_tokens.check(token).is_ok(), Clue::RetiredSecret),
            (token.is_some_and(|t| self.shapes.resemble(t)), Clue::TokenShape),
            (self.tokens.check(token) == Err(Refusal::Missing), Clue::Unsigned),
        ];
        found.into_iter().filter_map(|(holds, clue)| holds.then_some(clue)).collect()
    }

    fn identity(&self, callback: &Callback) -> Vec<u8> {
        parse::identity(callback)
    }

    fn groups(&self, _callback: &Callback, parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
        groups::groups(parsed, tell);
    }

    fn parse(&self, callback: &Callback) -> Parsed {
        parse::parse(callback)
    }

    fn read_answer(&self, answer: &SendAnswer, context: AnswerContext<'_>) -> AnswerReading {
        answer::read(answer, context)
    }

    fn console(&self, origin: &str) -> Vec<ConsoleStep> {
        let url = format!("{origin}/webhooks/esms/{}/{}", self.id, self.token);
        let voice = format!("{url}?ReferenceId=&CallDuration=&CallStatus=&Ivr=&Price=&SentResult=&CID=&SendStatus=");
        let step = |at: &str, what: String| ConsoleStep { at: at.into(), what };
        vec![
            step("CallbackUrl of every send request (SMS, ZNS, OA, Viber, journey)", url),
            step("callback URL of voice calls (MakeCallTemplate_V2, MakeCallRecord_V2); eSMS fills in the names", voice),
            step(
                "your sending system",
                "eSMS has no page to register a webhook: the URL travels with each request, and a request without it is never reported. \
                 Replace the example URL of the documentation. The OTP generator calls have no CallbackUrl, so nothing comes for them."
                    .into(),
            ),
            step(
                "RequestId of every send request",
                "Give each message an id of its own (up to 50 characters) and register the same text as `ref`. It blocks repeats for 24 hours: \
                 use a new one for a resend, and one per leg of MultiChannelMessage, where each leg carries its own CallbackUrl too."
                    .into(),
            ),
            step(
                "reverse proxy and firewall",
                "Take GET, HTTPS from any address (eSMS publishes none) and request lines of 16 KiB. Keep this path out of access logs: the token \
                 in it is the only proof of origin."
                    .into(),
            ),
            step(
                "advertising and scheduled messages",
                "Reports of advertising are not promised any more and nothing is sent before SendDate: ask the status call where the report stays away."
                    .into(),
            ),
        ]
    }
}

/// Phones as `84…`; what is no phone (a Zalo user id, a hash) as given.
fn fold_recipient(text: &str) -> String {
    phone::normalise(text).unwrap_or_else(|| text.trim().to_owned())
}

/// eSMS numbers its own codes from 99 up; Zalo's, which it hands on in `error_info`, are negative, 1001 excepted.
fn lookup(kind: Option<&str>, code: &str, _subcode: Option<&str>) -> Vec<Lookup> {
    let at = |provider, family| Lookup { provider, family, code: code.to_owned(), subcode: None };
    let (own, passed_on) = (at("esms", "esms"), at("esms", "error_info"));
    if !code.starts_with('-') {
        return vec![own, passed_on];
    }
    let (oa, zns) = (at("zalo", "oa"), at("zalo", "zns"));
    match kind {
        // The same number means another thing in Zalo's OA table (-100, for example).
        Some("zalo_consultation") if OA_CODES.contains(&code) => vec![passed_on, oa, own],
        Some("zalo_consultation") => vec![oa, passed_on, own],
        Some("zns" | "zns_priority" | "zns_journey") => vec![passed_on, zns, own],
        _ => vec![passed_on, zns, oa, own],
    }
}

/// The furthest word of eSMS counts, wherever our own state stands: an accepted answer says nothing of approval or results.
fn stuck_cause(evidence: &StuckEvidence<'_>) -> Cause {
    let scheduled = evidence.scheduled_at.is_some_and(|at| at > evidence.now);
    match evidence.state {
        _ if evidence.results_pending => Cause::PollNeeded,
        _ if evidence.awaiting_sending && scheduled => Cause::Scheduled,
        _ if evidence.awaiting_approval && !evidence.awaiting_sending => Cause::AwaitingApproval,
        State::Queued if evidence.outcome_unknown => Cause::SendUnconfirmed,
        // Before its hour nothing is called back.
        State::Sent if !evidence.called_back && !scheduled => Cause::WebhookSilent,
        // eSMS has it and said no more than that: the recipient's phone was not reached yet, and nothing is unconfirmed.
        State::Queued if evidence.called_back && !scheduled => Cause::PollNeeded,
        State::Sent if evidence.awaiting_sending && !scheduled => Cause::PollNeeded,
        _ => common_cause(evidence),
    }
}
