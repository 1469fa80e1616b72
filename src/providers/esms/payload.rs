//! The parameters of an eSMS callback, however they came: query, form or JSON. Reads names and bytes; it must not know what a
//! value means for a message.
//!
//! eSMS glues its parameters to whatever URL the sender gave, spells names differently from call to call and escapes values once
//! or several times, so reading is lenient: what cannot be decoded stays as it is, and only the meaning may be an error.

use crate::domain::record::{Callback, Method};
use crate::providers::json::Object;

/// More pairs than this are not read; a real callback has about twenty.
const PAIRS_MAX: usize = 512;

/// The parameters we know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    SmsId,
    SendStatus,
    SendSuccess,
    SendFailed,
    TotalReceiver,
    TotalSent,
    TotalPrice,
    RequestId,
    TypeId,
    Telco,
    Phone,
    SwitchSmsId,
    PartnerIds,
    ErrorInfo,
    OaId,
    TempId,
    ReferenceId,
    SentResult,
    CallStatus,
    CallDuration,
    Ivr,
    Price,
    Cid,
}

/// Every spelling seen in the vendor's pages and status answers; compared without case.
const SPELLINGS: &[(&str, Name)] = &[
    ("SMSID", Name::SmsId),
    ("RefId", Name::SmsId),
    ("SendStatus", Name::SendStatus),
    ("SendSuccess", Name::SendSuccess),
    ("SendFailed", Name::SendFailed),
    ("TotalReceiver", Name::TotalReceiver),
    ("TotalSent", Name::TotalSent),
    ("TotalPrice", Name::TotalPrice),
    ("RequestId", Name::RequestId),
    ("TypeId", Name::TypeId),
    ("SmsType", Name::TypeId),
    ("telcoid", Name::Telco),
    ("NetworkName", Name::Telco),
    ("phonenumber", Name::Phone),
    ("Phone", Name::Phone),
    ("switchsmsid", Name::SwitchSmsId),
    ("partnerids", Name::PartnerIds),
    ("ZaloMsgId", Name::PartnerIds),
    ("error_info", Name::ErrorInfo),
    ("error_infor", Name::ErrorInfo),
    ("ErrorInfo", Name::ErrorInfo),
    ("oaid", Name::OaId),
    ("tempid", Name::TempId),
    ("ZnsTempId", Name::TempId),
    ("ReferenceId", Name::ReferenceId),
    ("SentResult", Name::SentResult),
    ("CallStatus", Name::CallStatus),
    ("CallDuration", Name::CallDuration),
    ("Ivr", Name::Ivr),
    ("Price", Name::Price),
    ("CID", Name::Cid),
];

/// Length of the longest spelling.
const SPELLING_BYTES_MAX: usize = 13;

fn known(name: &str) -> Option<Name> {
    SPELLINGS.iter().find(|(spelling, _)| spelling.eq_ignore_ascii_case(name)).map(|(_, name)| *name)
}

/// One parameter, decoded and trimmed, and which of ours it is.
#[derive(Clone, Debug)]
struct Param {
    name: String,
    value: String,
    known: Option<Name>,
}

impl Param {
    fn new(name: String, value: String) -> Param {
        Param { known: known(&name), name, value }
    }
}

/// The parameters of one callback, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Params(Vec<Param>);

impl Params {
    /// Reads a callback.
    ///
    /// # Errors
    /// Why a body cannot be read; a query always can.
    pub(super) fn read(callback: &Callback) -> Result<Params, String> {
        let body = callback.body.trim_ascii();
        match callback.method {
            Method::Post if !body.is_empty() => Params::from_body(callback, body),
            Method::Get | Method::Post => Ok(Params::from_pairs(callback.query.as_bytes())),
        }
    }

    /// A body is JSON when it looks like it, whatever its label says; a form never begins with a bracket.
    fn from_body(callback: &Callback, body: &[u8]) -> Result<Params, String> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
        let labelled = callback.content_type.as_deref().is_some_and(|t| t.to_ascii_lowercase().contains("json"));
        match body.first() {
            Some(b'{') => Params::from_json(body),
            Some(b'[' | b'"') if labelled => Params::from_json(body),
            _ => Ok(Params::from_pairs(body)),
        }
    }

    fn from_json(body: &[u8]) -> Result<Params, String> {
        let object = Object::parse(body)?;
        let pairs = object.members().take(PAIRS_MAX).map(|(name, raw)| {
            let name = clean(name);
            let value = match raw.json() {
                "true" => "1".to_owned(),
                "false" => "0".to_owned(),
                // Only error_info is ever JSON inside JSON; an object as an id is nothing.
                json if json.starts_with(['{', '[']) && known(&name) != Some(Name::ErrorInfo) => String::new(),
                json if json.starts_with(['{', '[']) => json.to_owned(),
                _ => raw.text().unwrap_or_default(),
            };
            Param::new(name, clean(&value))
        });
        Ok(Params(pairs.collect()))
    }

    fn from_pairs(raw: &[u8]) -> Params {
        let raw = with_question_marks_read(raw);
        let pieces = raw.split(|b| *b == b'&').filter(|piece| !piece.is_empty()).take(PAIRS_MAX);
        Params(pieces.map(pair).filter(|p| !(p.name.is_empty() && p.value.is_empty())).collect())
    }

    /// The first non-empty value of a parameter under any of its spellings.
    pub(super) fn get(&self, name: Name) -> Option<&str> {
        self.0.iter().find(|p| p.known == Some(name) && !p.value.is_empty()).map(|p| p.value.as_str())
    }

    /// There is a parameter of this name (none of ours), without case, empty or not.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// Parameters we do not know, with a value.
    pub(super) fn unknown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter(|p| !p.value.is_empty() && p.known.is_none()).map(|p| (p.name.as_str(), p.value.as_str()))
    }
}

fn pair(piece: &[u8]) -> Param {
    let (name, value) = match piece.iter().position(|b| *b == b'=') {
        Some(at) => (&piece[..at], &piece[at + 1..]),
        None => (piece, &[][..]),
    };
    Param::new(clean(&form_decode(name)), clean(&form_decode(value)))
}

/// How eSMS joins its parameters to a URL that has a query already is not published: a `?` before a name we know separates.
fn with_question_marks_read(raw: &[u8]) -> Vec<u8> {
    let start = raw.iter().position(|b| *b != b'?').unwrap_or(raw.len());
    let mut out = raw[start..].to_vec();
    for at in 0..out.len() {
        if out[at] == b'?' && begins_with_known_name(&out[at + 1..]) {
            out[at] = b'&';
        }
    }
    out
}

fn begins_with_known_name(rest: &[u8]) -> bool {
    let near = &rest[..rest.len().min(SPELLING_BYTES_MAX + 1)];
    let name = near.iter().position(|b| *b == b'=').and_then(|end| std::str::from_utf8(&near[..end]).ok());
    name.is_some_and(|n| known(n).is_some())
}

fn form_decode(raw: &[u8]) -> String {
    if !raw.iter().any(|b| matches!(b, b'%' | b'+')) {
        return String::from_utf8_lossy(raw).into_owned();
    }
    let spaced: Vec<u8> = raw.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    percent_decode(&spaced)
}

/// Decodes `%XX` once. A broken sequence stays as it is; invalid UTF-8 becomes U+FFFD.
pub(super) fn percent_decode(raw: &[u8]) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut at = 0;
    while at < raw.len() {
        match escaped(&raw[at..]) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(raw[at]);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned())
}

fn escaped(raw: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = raw else { return None };
    let digit = |b: &u8| char::from(*b).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Without control characters (stores refuse NUL) and without space around it.
pub(super) fn clean(text: &str) -> String {
    if !text.chars().any(char::is_control) {
        return text.trim().to_owned();
    }
    let kept: String = text.chars().filter(|c| !c.is_control()).collect();
    kept.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::esms::tests::{get, post};

    fn query(q: &str) -> Params {
        Params::read(&get(q)).unwrap()
    }

    #[test]
    fn names_are_matched_without_case_and_by_every_spelling() {
        assert!(SPELLINGS.iter().all(|(s, _)| s.len() <= SPELLING_BYTES_MAX));
        for (spelling, name) in SPELLINGS {
            for written in [spelling.to_string(), spelling.to_lowercase(), spelling.to_uppercase(), format!("+{spelling}%20")] {
                assert_eq!(query(&format!("{written}=v1")).get(*name), Some("v1"), "{written}");
                assert_eq!(query(&format!("k=v?{spelling}=v1")).get(*name), Some("v1"), "{spelling}");
            }
        }
        let p = query("smsid=a1&Totalprice=12.0000&ZnsTempId=77&TEMPID=88");
        assert_eq!(p.get(Name::TotalPrice), Some("12.0000"));
        assert_eq!(p.get(Name::TempId), Some("77"));
    }

    #[test]
    fn a_question_mark_separates_only_before_a_name_we_know() {
        let p = query("??k=v?SMSID=ab&why=what?&x=a?b=c&RequestId=r?sendstatus=5");
        assert_eq!(p.get(Name::SmsId), Some("ab"));
        assert_eq!(p.get(Name::SendStatus), Some("5"));
        assert_eq!(p.get(Name::RequestId), Some("r"));
        let rest: Vec<_> = p.unknown().collect();
        assert_eq!(rest, [("k", "v"), ("why", "what?"), ("x", "a?b=c")]);
        assert_eq!(query("k=v%3FSMSID=ab").get(Name::SmsId), None, "an escaped question mark is text");
        assert_eq!(query("a=1?SMSID").get(Name::SmsId), None);
    }

    #[test]
    fn the_first_value_that_is_not_empty_counts() {
        let p = query("SMSID=&&&RefId=%20&smsid=one&SMSID=two");
        assert_eq!(p.get(Name::SmsId), Some("one"));
        let p = Params::read(&post("application/json", br#"{"SMSID":null,"smsid":"","SmsId":"one","RefId":"two"}"#)).unwrap();
        assert_eq!(p.get(Name::SmsId), Some("one"));
    }

    #[test]
    fn values_are_decoded_once_and_cleaned() {
        let p = query("a=%2541+b%2Bc&b=%zz%4&c=%ff%C4%90&d=%00x%0Ay%7F&e=+%20trim+&f=a=b&g&=nameless&h=%E1%BB");
        let all: Vec<_> = p.0.iter().map(|p| (p.name.as_str(), p.value.as_str())).collect();
        let expected = [
            ("a", "%41 b+c"),
            ("b", "%zz%4"),
            ("c", "\u{fffd}Đ"),
            ("d", "xy"),
            ("e", "trim"),
            ("f", "a=b"),
            ("g", ""),
            ("", "nameless"),
            ("h", "\u{fffd}"),
        ];
        assert_eq!(all, expected);
    }

    #[test]
    fn a_form_a_json_object_and_an_empty_body_all_read() {
        let form = Params::read(&post("application/x-www-form-urlencoded", b"SMSID=a%20b&SendStatus=5")).unwrap();
        assert_eq!((form.get(Name::SmsId), form.get(Name::SendStatus)), (Some("a b"), Some("5")));
        let body = br#" {"SMSID":"A1","SendStatus":5,"SendSuccess":true,"SendFailed":false,"RequestId":null,"OAID":12345678901234567890}"#;
        let json = Params::read(&post("application/json; charset=utf-8", body)).unwrap();
        assert_eq!(json.get(Name::SendStatus), Some("5"));
        assert_eq!((json.get(Name::SendSuccess), json.get(Name::SendFailed)), (Some("1"), Some("0")));
        assert_eq!(json.get(Name::RequestId), None);
        assert_eq!(json.get(Name::OaId), Some("12345678901234567890"));
        let mut empty = post("application/json", b" \r\n");
        empty.query = "SMSID=q".into();
        assert_eq!(Params::read(&empty).unwrap().get(Name::SmsId), Some("q"));
        let unlabelled = Params::read(&post("text/plain", br#"{"SMSID":"A1"}"#)).unwrap();
        assert_eq!(unlabelled.get(Name::SmsId), Some("A1"));
    }

    #[test]
    fn json_of_another_shape_is_unreadable_and_odd_values_are_empty() {
        for body in [&b"[1]"[..], b"\"SMSID=1\"", b"{", b"{\"a\":1} x", b"{\"a\":\xff}"] {
            assert!(Params::read(&post("application/json", body)).is_err(), "{body:?}");
        }
        let body = br#"{"SMSID":["a"],"RequestId":{"a":1},"error_info":{"error":-118}}"#;
        let p = Params::read(&post("application/json", body)).unwrap();
        assert_eq!((p.get(Name::SmsId), p.get(Name::RequestId)), (None, None));
        assert_eq!(p.get(Name::ErrorInfo), Some(r#"{"error":-118}"#));
    }

    #[test]
    fn a_flood_of_pairs_is_read_only_so_far() {
        let p = query(&"a=1&".repeat(5_000));
        assert_eq!(p.0.len(), PAIRS_MAX);
    }
}
