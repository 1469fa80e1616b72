//! From the parameters of a callback to one event: which message, what is stated, what is worth showing. It must not know how
//! events are folded: counters are stated as they stand in this one callback.

use serde_json::{Map, Value};

use super::error_info::{self, ErrorInfo};
use super::payload::{Name, Params, clean};
use crate::domain::event::{Claim, Event, Evidence, Fact, MessageEvent, Parsed, Progress, Report};
use crate::domain::failure::Failure;
use crate::domain::phone;
use crate::domain::record::Callback;
use crate::domain::time::Millis;

/// Longest id that is one; real ones have 31 to 47 characters.
const ID_CHARS_MAX: usize = 128;
/// Parameters we do not know are shown up to this many …
const UNKNOWN_MAX: usize = 16;
/// … and every shown value up to this length.
const SHOWN_CHARS_MAX: usize = 300;

/// What a callback is, before anything is made of it.
enum Reading<'a> {
    /// A report about one message.
    Report(Told<'a>),
    /// The inbound hook of a short code.
    Inbound,
    /// Neither, and why.
    Unusable(&'static str),
}

/// A usable report.
struct Told<'a> {
    params: &'a Params,
    id: String,
    status: i64,
    /// The voice set of parameters: no counters, no SMSID.
    voice: bool,
}

/// Turns a callback into an event.
pub(super) fn parse(callback: &Callback) -> Parsed {
    let params = match Params::read(callback) {
        Ok(params) => params,
        Err(reason) => return Parsed::Unreadable(reason),
    };
    match Reading::of(&params) {
        Reading::Report(told) => Parsed::Events(vec![Event::Message(Box::new(told.event(callback.received_at)))]),
        Reading::Inbound => Parsed::Ignored("inbound message of a short code, not a delivery report".into()),
        Reading::Unusable(reason) => Parsed::Unreadable(reason.into()),
    }
}

/// What makes two callbacks the same: eSMS repeats a report without a number or a time in it, and may change its price or order.
pub(super) fn identity(callback: &Callback) -> Vec<u8> {
    let params = Params::read(callback).unwrap_or_default();
    match Reading::of(&params) {
        Reading::Report(told) => told.identity(),
        // Nothing usable: only the very same request is a repeat.
        Reading::Inbound | Reading::Unusable(_) => [b"raw", &[0][..], callback.query.as_bytes(), &[0], &callback.body].concat(),
    }
}

/// The form in which ids are compared and shown: one call writes a GUID in upper case, another in lower case.
pub(super) fn fold_id(id: &str) -> String {
    clean(id).to_lowercase()
}

/// A folded id, when it can be one.
pub(super) fn id(text: &str) -> Option<String> {
    Some(fold_id(text)).filter(|id| !id.is_empty() && id.chars().count() <= ID_CHARS_MAX)
}

impl<'a> Reading<'a> {
    fn of(params: &'a Params) -> Reading<'a> {
        let status = params.get(Name::SendStatus);
        if status.is_none() && params.has("sign") && (params.has("serviceNumber") || params.has("keyword")) {
            return Reading::Inbound;
        }
        let sms_id = params.get(Name::SmsId);
        let Some(given) = sms_id.or_else(|| params.get(Name::ReferenceId)) else {
            return Reading::Unusable("neither SMSID nor ReferenceId");
        };
        let Some(id) = id(given) else { return Reading::Unusable("the id is longer than 128 characters") };
        let Some(status) = status else { return Reading::Unusable("no SendStatus") };
        let Some(status) = integer(status) else { return Reading::Unusable("SendStatus is no integer") };
        Reading::Report(Told { params, id, status, voice: sms_id.is_none() })
    }
}

/// A whole number of any length; one beyond all bounds is still a number, only none that we list.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    whole.then(|| text.parse().unwrap_or(i64::MAX))
}

/// A count: nothing, a negative value or a word counts as 0.
fn count(text: Option<&str>) -> u32 {
    let Some(text) = text else { return 0 };
    match integer(text) {
        Some(n) => u32::try_from(n.max(0)).unwrap_or(u32::MAX),
        // The vendor writes its prices with decimals. `inf` and `1e9` are words.
        None => text
            .split_once('.')
            .filter(|(_, decimals)| decimals.bytes().all(|b| b.is_ascii_digit()))
            .map_or(0, |(whole, _)| count(Some(whole))),
    }
}

/// The kind of a `TypeId`.
fn kind(type_id: &str) -> Option<String> {
    let slug = match integer(type_id)? {
        1 => "sms_advertising",
        2 => "sms_customer_care",
        8 => "sms_fixed",
        23 => "viber",
        24 => "zns_priority",
        25 => "zns",
        26 => "zalo_consultation",
        27 => "zns_journey",
        other => return Some(format!("type_{other}")),
    };
    Some(slug.into())
}

/// Carriers by `telcoid`. Numbers are portable: told, never derived. 9 comes with Zalo user ids and is unexplained.
fn carrier(telco: &str) -> Option<&'static str> {
    match telco {
        "1" => Some("Viettel"),
        "2" => Some("MobiFone"),
        "3" => Some("VinaPhone"),
        "4" => Some("Vietnamobile"),
        "5" => Some("Gtel"),
        "6" => Some("Itel"),
        "7" => Some("Reddi"),
        _ => None,
    }
}

/// What a statement is: the fact, and how far an open message has come.
type Statement = (Fact, Option<Progress>);

impl Told<'_> {
    fn get(&self, name: Name) -> Option<&str> {
        self.params.get(name)
    }

    fn count(&self, name: Name) -> u32 {
        count(self.get(name))
    }

    /// Recipients under this id, at least one.
    fn total(&self) -> u32 {
        if self.voice { 1 } else { self.count(Name::TotalReceiver).max(1) }
    }

    fn kind(&self) -> Option<String> {
        if self.voice { Some("voice".into()) } else { self.get(Name::TypeId).and_then(kind) }
    }

    /// 1 success, 0 failure, told by the voice set.
    fn sent_result(&self) -> Option<bool> {
        match self.get(Name::SentResult)? {
            "1" => Some(true),
            "0" => Some(false),
            text if text.eq_ignore_ascii_case("true") => Some(true),
            text if text.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }

    fn event(&self, arrival: Millis) -> MessageEvent {
        let error = self.get(Name::ErrorInfo).and_then(error_info::decode).unwrap_or_default();
        let at = error.at.and_then(|at| at.plausible(arrival));
        let (fact, progress) = self.statement(&error, at);
        let mut event = MessageEvent::new(&*self.id, fact, Some(Evidence::Receipt));
        event.at = at;
        event.progress = progress;
        event.kind = self.kind();
        event.sender = self.get(if self.voice { Name::Cid } else { Name::OaId }).map(Into::into);
        event.template_id = self.get(Name::TempId).map(Into::into);
        event.recipient = self.recipient();
        event.claim =
            self.get(Name::RequestId).map(|reference| Claim { reference: reference.into(), at: None, same_recipient: false, shown: true });
        event.detail = self.detail(&error);
        event
    }

    /// The phone as we show it, or what stands in its place (a Zalo user id) as given. One of several is nobody's.
    fn recipient(&self) -> Option<String> {
        if self.voice || self.total() > 1 {
            return None;
        }
        self.get(Name::Phone).map(|given| phone::normalise(given).unwrap_or_else(|| given.to_owned()))
    }

    fn statement(&self, error: &ErrorInfo, at: Option<Millis>) -> Statement {
        match self.status {
            1 => (Fact::Queued, Some(Progress::AwaitingApproval)),
            2 => (Fact::Queued, Some(Progress::AwaitingSending)),
            0 | 3 => (Fact::Queued, None),
            4 => (Fact::Failed(Failure { at, ..Failure::ours("rejected", error.text.clone()) }), None),
            5 if self.voice => self.call_ended(),
            5 => self.counted(error, at),
            7 => (Fact::Sent, Some(Progress::ResultsPending)),
            _ => (Fact::Noted, None),
        }
    }

    fn call_ended(&self) -> Statement {
        match self.sent_result() {
            Some(true) => (Fact::Delivered, None),
            Some(false) => {
                let words = self.get(Name::CallStatus).map(Into::into);
                (Fact::Failed(Failure::ours("no_answer", words)), None)
            }
            None => (Fact::Sent, Some(Progress::ResultsPending)),
        }
    }

    /// 5 says "finished", well or badly: only the counters tell.
    fn counted(&self, error: &ErrorInfo, at: Option<Millis>) -> Statement {
        let (delivered, failed, total) = (self.count(Name::SendSuccess), self.count(Name::SendFailed), self.total());
        let failure = match error.error_code() {
            _ if failed == 0 => None,
            Some(code) => Some(Failure { at, ..Failure::coded(code, error.text.clone()) }),
            // No code at all, but words: they are all there is to say why.
            None if error.code.is_none() => error.text.clone().map(|t| Failure { at, ..Failure::ours("undelivered", Some(t)) }),
            None => None,
        };
        let progress = (delivered == 0 && failed == 0).then_some(Progress::ResultsPending);
        (Fact::Report(Report { delivered, failed, total, failure }), progress)
    }

    fn detail(&self, error: &ErrorInfo) -> Map<String, Value> {
        let mut detail = Map::new();
        detail.insert("event".into(), format!("SendStatus {}", self.get(Name::SendStatus).unwrap_or_default()).into());
        let mut show = |key: &str, value: Option<&str>| {
            if let Some(value) = value {
                detail.insert(key.into(), value.chars().take(SHOWN_CHARS_MAX).collect::<String>().into());
            }
        };
        for (key, name) in SHOWN {
            show(key, self.get(*name));
        }
        show("carrier", self.get(Name::Telco).map(|t| carrier(t).unwrap_or(t)));
        if self.total() > 1 {
            // Which of several receivers this report is about stands nowhere else.
            show("phone", self.get(Name::Phone));
        }
        show("error_code", error.code.as_deref());
        show("error_text", error.text.as_deref());
        show("user_id", error.user_id.as_deref());
        let other: Map<_, _> = self.params.unknown().take(UNKNOWN_MAX).map(|(name, value)| (cut(name), cut(value).into())).collect();
        if !other.is_empty() {
            detail.insert("other".into(), other.into());
        }
        detail
    }

    fn identity(&self) -> Vec<u8> {
        let text = |name| self.get(name).unwrap_or_default().to_owned();
        let parts: Vec<String> = if self.voice {
            vec!["voice".into(), self.id.clone(), self.status.to_string(), text(Name::SentResult), text(Name::CallStatus)]
        } else {
            vec![
                "report".into(),
                self.id.clone(),
                self.kind().unwrap_or_default(),
                text(Name::Phone),
                self.status.to_string(),
                self.count(Name::SendSuccess).to_string(),
                self.count(Name::SendFailed).to_string(),
                self.total().to_string(),
                text(Name::ErrorInfo),
            ]
        };
        // Values hold no control characters, so NUL ends each of them.
        parts.join("\0").into_bytes()
    }
}

/// What is shown of a report as it was given.
const SHOWN: &[(&str, Name)] = &[
    ("type_id", Name::TypeId),
    ("send_success", Name::SendSuccess),
    ("send_failed", Name::SendFailed),
    ("total_receiver", Name::TotalReceiver),
    ("total_sent", Name::TotalSent),
    ("total_price", Name::TotalPrice),
    ("partner_ids", Name::PartnerIds),
    ("switch_sms_id", Name::SwitchSmsId),
    ("telco_id", Name::Telco),
    ("sent_result", Name::SentResult),
    ("call_status", Name::CallStatus),
    ("call_duration", Name::CallDuration),
    ("ivr", Name::Ivr),
    ("price", Name::Price),
];

fn cut(text: &str) -> String {
    text.chars().take(SHOWN_CHARS_MAX).collect()
}
