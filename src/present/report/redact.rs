//! What may leave the house: callbacks and answers without secrets, without customers' words, and with the numbers of people masked.
//!
//! What is not known to be harmless is left out: a value stays only when it looks like an id, a number, a time or a fixed word. JSON is
//! rewritten level by level so that ids keep every digit. It must not know a provider: it goes by the names of members and the look of values.

use serde_json::{Map, Value};

use crate::domain::failure::Lang;
use crate::domain::phone;
use crate::providers::json::{Object, Raw};

/// How deep a JSON value is followed.
const DEPTH_MAX: usize = 16;

/// Longest word that stays without being known as an id, in characters.
const WORD_CHARS_MAX: usize = 32;

/// Longest id that stays, in characters.
const ID_CHARS_MAX: usize = 400;

/// Longest text of a provider that stays, in characters; the rest is cut.
const WORDS_CHARS_MAX: usize = 2_000;

/// Longest spelling of a phone number that is looked for within a text, in characters.
const PHONE_CHARS_MAX: usize = 32;

/// How many characters of a person's number or id stay, at its end.
const TAIL_CHARS: usize = 3;

/// Parts of member names whose values are secrets.
const SECRET: [&str; 9] = ["token", "secret", "signature", "password", "apikey", "api_key", "authorization", "cookie", "proof"];

/// Member names whose values are people's numbers and ids.
const PERSON: [&str; 14] = [
    "phone",
    "phonenumber",
    "phone_number",
    "msisdn",
    "mobile",
    "tel",
    "recipient",
    "recipient_id",
    "user_id",
    "user_id_by_app",
    "user_ids",
    "userid",
    "psid",
    "uid",
];

/// Member names under which the two sides of a message stand.
const PARTY: [&str; 7] = ["sender", "recipient", "follower", "user", "users", "from", "to"];

/// Member names whose values customers or senders wrote.
const WORDS: [&str; 24] = [
    "text",
    "message",
    "title",
    "payload",
    "name",
    "display_name",
    "user_alias",
    "avatar",
    "url",
    "link",
    "content",
    "description",
    "note",
    "caption",
    "address",
    "metadata",
    "feedback",
    "thumbnail",
    "html",
    "info",
    "template_data",
    "tempdata",
    "params",
    "user_external_id",
];

/// Where a timeline's details keep members of a callback that nobody knows: what stands there may be anybody's.
const UNKNOWN: &str = "other";

/// Who wrote a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum From {
    /// It may hold what a customer or the sender wrote.
    Callback,
    /// It is the provider's own word: an answer, or a detail of a timeline. Its texts explain and stay.
    Provider,
}

/// Makes things fit to be shown to others.
pub(super) struct Redactor<'a> {
    /// Values that stay as they are: the message's own ids.
    pub own: Vec<&'a str>,
    /// The message's recipient.
    pub recipient: Option<&'a str>,
    /// The message's recipient stays.
    pub full: bool,
    /// The language of what stands instead.
    pub lang: Lang,
}

/// Hides all but the end of a person's number or id.
fn tail(text: &str) -> String {
    let n = text.chars().count();
    let keep = if n > 2 * TAIL_CHARS { TAIL_CHARS } else { 0 };
    format!("{}{}", "x".repeat(n.min(ID_CHARS_MAX) - keep.min(n)), text.chars().skip(n - keep).collect::<String>())
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|n| name.eq_ignore_ascii_case(n))
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part)) || name == "key" || name == "sign"
}

/// A name that may stand for itself; another one may be what somebody typed.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

fn is_id_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["id", "ids", "mid", "mids"].iter().any(|end| name.ends_with(end))
}

/// The provider's reasons: what a code means in its own words.
fn is_reason(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains("error") || name == "reason"
}

/// Digits and what stands between them in times and numbers.
fn is_time(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit() || b" :/.-+TZ".contains(&b))
}

fn is_word(text: &str, chars_max: usize) -> bool {
    text.len() <= chars_max && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains("://")
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

impl Redactor<'_> {
    /// The recipient, masked unless all of it was asked for.
    pub(super) fn person(&self, text: &str) -> String {
        if self.full && self.is_recipient(text) { text.to_owned() } else { tail(text) }
    }

    fn is_recipient(&self, text: &str) -> bool {
        self.recipient.is_some_and(|own| own == text || phone::normalise(own).is_some_and(|own| phone::normalise(text) == Some(own)))
    }

    fn is_own(&self, text: &str) -> bool {
        self.own.iter().any(|own| own.eq_ignore_ascii_case(text))
    }

    fn left_out(&self, text: &str) -> String {
        let n = text.chars().count();
        match self.lang {
            Lang::Vi => format!("[đã ẩn {n} ký tự]"),
            Lang::En => format!("[{n} characters left out]"),
        }
    }

    fn secret(&self) -> &'static str {
        match self.lang {
            Lang::Vi => "[đã ẩn]",
            Lang::En => "[left out]",
        }
    }

    /// A header as `name: value`.
    pub(super) fn header(&self, name: &str, value: &str) -> String {
        let shown = if is_secret(name) { self.secret().to_owned() } else { self.scalar(name, false, value, From::Callback) };
        format!("{name}: {shown}")
    }

    /// A body or an answer, whatever it is.
    pub(super) fn body(&self, bytes: &[u8], from: From) -> String {
        let Ok(text) = std::str::from_utf8(bytes) else { return self.size(bytes.len()) };
        let text = text.trim_start_matches('\u{feff}').trim();
        if let Ok(object) = Object::parse(text.as_bytes()) {
            return self.object(false, &object, from, 0);
        }
        // A JSON text that holds the document, as some gateways hand it on.
        if let Ok(inner) = serde_json::from_str::<String>(text)
            && let Ok(object) = Object::parse(inner.as_bytes())
        {
            return self.object(false, &object, from, 0);
        }
        match text {
            "" => String::new(),
            form if form.contains('=') && !form.contains(char::is_whitespace) => self.query(form),
            _ => self.size(text.len()),
        }
    }

    fn size(&self, bytes: usize) -> String {
        match self.lang {
            Lang::Vi => format!("[{bytes} byte, không phải JSON]"),
            Lang::En => format!("[{bytes} bytes, no JSON]"),
        }
    }

    /// A raw query or form, decoded.
    pub(super) fn query(&self, raw: &str) -> String {
        let one = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name), decoded(value));
            let shown = if is_name(&name) { name.clone() } else { self.left_out(&name) };
            format!("{shown}={}", self.scalar(&name, false, &value, From::Callback))
        };
        raw.split('&').filter(|p| !p.is_empty()).map(one).collect::<Vec<_>>().join("&")
    }

    /// The details of a timeline's entry.
    pub(super) fn detail(&self, detail: &Map<String, Value>) -> Map<String, Value> {
        let text = serde_json::to_string(detail).unwrap_or_default();
        let shown = Object::parse(text.as_bytes()).map(|object| self.object(false, &object, From::Provider, 0)).unwrap_or_default();
        serde_json::from_str(&shown).unwrap_or_default()
    }

    fn object(&self, party: bool, object: &Object<'_>, from: From, depth: usize) -> String {
        let members = object.members().map(|(name, raw)| {
            let shown = if is_name(name) { name.to_owned() } else { self.left_out(name) };
            let party = party || is_one_of(name, &PARTY);
            format!("{}:{}", Value::from(shown), self.value(name, party, raw, from, depth + 1))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    fn value(&self, name: &str, party: bool, raw: Raw<'_>, from: From, depth: usize) -> String {
        let from = if name == UNKNOWN { From::Callback } else { from };
        if depth > DEPTH_MAX || is_secret(name) && !matches!(raw.json(), "null" | "true" | "false") {
            return Value::from(self.secret()).to_string();
        }
        if let Some(text) = raw.text() {
            let shown = self.scalar(name, party, &text, from);
            return if raw.is_number() && shown == text { text } else { Value::from(shown).to_string() };
        }
        if let Some(object) = raw.object() {
            return self.object(party, &object, from, depth);
        }
        match raw.array() {
            Some(all) => {
                let all: Vec<String> = all.into_iter().map(|one| self.value(name, party, one, from, depth + 1)).collect();
                format!("[{}]", all.join(","))
            }
            None => raw.json().to_owned(),
        }
    }

    /// A text or number under a name.
    fn scalar(&self, name: &str, party: bool, text: &str, from: From) -> String {
        if text.is_empty() {
            return String::new();
        }
        if is_secret(name) {
            return self.secret().to_owned();
        }
        if self.is_own(text) {
            return text.to_owned();
        }
        if is_one_of(name, &PERSON) || self.is_recipient(text) || is_hash(text) || (party && is_id_name(name)) {
            return self.person(text);
        }
        // A document in a text, as in the query of a report.
        if text.starts_with('{')
            && let Ok(object) = Object::parse(text.as_bytes())
        {
            let from = if is_reason(name) { From::Provider } else { from };
            return self.object(party, &object, from, 1);
        }
        if is_reason(name) || (from == From::Provider && is_one_of(name, &["text", "message", "errormessage", "type", "status", "detail"]))
        {
            return self.words(text);
        }
        if is_one_of(name, &WORDS) {
            return self.left_out(text);
        }
        if text.starts_with(['0', '8', '+']) && text.len() >= 10 && phone::normalise(text).is_some() {
            return self.person(text);
        }
        let chars_max = if is_id_name(name) { ID_CHARS_MAX } else { WORD_CHARS_MAX };
        if is_time(text) || is_word(text, chars_max) || (from == From::Provider && text.len() <= ID_CHARS_MAX) {
            return self.words(text);
        }
        self.left_out(text)
    }

    /// A text of the provider or of an operator: without phone numbers, tokens and addresses with queries.
    pub(super) fn words(&self, text: &str) -> String {
        let text: String = text.chars().take(WORDS_CHARS_MAX).collect();
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '<' | '>')) {
            let end = piece.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '<' | '>'));
            out.push_str(&self.word(end));
            out.push_str(&piece[end.len()..]);
        }
        self.numbers(&out)
    }

    /// One word of a text: what can be a token does not stay.
    fn word(&self, word: &str) -> String {
        if self.is_own(word) {
            return word.to_owned();
        }
        if let Some(at) = word.find(['=', '?'])
            && (word.contains("://") || is_secret(&word[..at]))
        {
            return format!("{}{}", &word[..=at], self.secret());
        }
        let opaque = |part: &str| part.len() > 40 && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.|".contains(&b));
        if word.split(['=', ':', '/']).any(opaque) { self.secret().to_owned() } else { word.to_owned() }
    }

    /// Masks what can be a phone number within a text, also one written in groups.
    fn numbers(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let part = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '.' | '-' | '(' | ')');
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        while at < chars.len() {
            let starts = (chars[at].is_ascii_digit() || chars[at] == '+') && !at.checked_sub(1).is_some_and(|i| chars[i].is_alphanumeric());
            if !starts {
                out.push(chars[at]);
                at += 1;
                continue;
            }
            let run = chars[at..].iter().take(PHONE_CHARS_MAX).take_while(|c| part(**c)).count();
            let (shown, used) = self.number(&chars[at..at + run], chars.get(at + run).is_some_and(|c| c.is_alphanumeric()));
            out.push_str(&shown);
            at += used;
        }
        out
    }

    /// The longest beginning of a run that is a phone number, masked, and its length; else the first number as it is.
    fn number(&self, run: &[char], goes_on: bool) -> (String, usize) {
        for end in (1..=run.len()).rev() {
            let ends_well = run[end - 1].is_ascii_digit() && run.get(end).map_or(!goes_on, |next| !next.is_ascii_digit());
            if !ends_well {
                continue;
            }
            let text: String = run[..end].iter().collect();
            if self.is_own(&text) {
                return (text, end);
            }
            if phone::normalise(&text).is_some() {
                return (self.person(&text), end);
            }
        }
        let digits = run.iter().take_while(|c| c.is_ascii_digit() || **c == '+').count().max(1);
        (run[..digits].iter().collect(), digits)
    }
}

/// Undoes percent-encoding and `+` for a blank; what is no UTF-8 becomes a mark.
fn decoded(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = rest;
        out.push(match (*first, rest) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match ((*high as char).to_digit(16), (*low as char).to_digit(16)) {
                (Some(high), Some(low)) => {
                    bytes = after;
                    (high << 4 | low) as u8
                }
                _ => b'%',
            },
            (byte, _) => byte,
        });
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(full: bool) -> Redactor<'static> {
        Redactor { own: vec!["0c1d2e3f40", "104417700031337", "329410123"], recipient: Some("84912000111"), full, lang: Lang::En }
    }

    fn callback(text: &str) -> String {
        redactor(false).body(text.as_bytes(), From::Callback)
    }

    #[test]
    fn ids_keep_every_digit_and_people_lose_all_but_three() {
        let body = r#"{"app_id":4100200300400500600,"sender":{"id":"104417700031337"},"recipient":{"id":"4700100200300400500"},"timestamp":1764000000111,"message":{"msg_id":"0c1d2e3f40"},"template_id":329410123}"#;
        let wanted = r#"{"app_id":4100200300400500600,"sender":{"id":"104417700031337"},"recipient":{"id":"xxxxxxxxxxxxxxxx500"},"timestamp":1764000000111,"message":{"msg_id":"0c1d2e3f40"},"template_id":329410123}"#;
        assert_eq!(callback(body), wanted);
    }

    #[test]
    fn nothing_that_somebody_wrote_stays() {
        for secret in [
            r#"{"message":{"text":"geheim"}}"#,
            r#"{"message":"geheim"}"#,
            r#"{"x":"ge heim"}"#,
            r#"{"x":["đgeheim"]}"#,
            r#"{"geheim geheim":1}"#,
            r#"{"a":{"b":{"title":"geheim"}}}"#,
            r#"{"x":"https://geheim/"}"#,
            r#"{"name":"geheim"}"#,
            r#"{"access_token":"geheim"}"#,
            r#"{"appSecret":["geheim"]}"#,
            r#"{"url":"geheim","metadata":"geheim","info":{"address":"geheim"}}"#,
            "\"geheim\"",
            "geheim",
        ] {
            assert!(!callback(secret).contains("geheim"), "{secret}: {}", callback(secret));
        }
        let detail = serde_json::json!({"event": "SendStatus 5", "text": "phone off", "other": {"noidung": "ge heim", "x": 1}});
        let shown = redactor(false).detail(detail.as_object().unwrap());
        assert_eq!((&shown["event"], &shown["text"], &shown["other"]["x"]), (&"SendStatus 5".into(), &"phone off".into(), &1.into()));
        assert_eq!(shown["other"]["noidung"], "[7 characters left out]");
        let deep = format!("{}\"geheim\"{}", "{\"a\":".repeat(60), "}".repeat(60));
        assert!(!callback(&deep).contains("geheim"));
        assert_eq!(redactor(false).body(b"\xff\xfe", From::Callback), "[2 bytes, no JSON]");
        assert_eq!(callback(&"[".repeat(100_000)), "[100000 bytes, no JSON]");
        assert_eq!(redactor(false).header("x-hub-signature-256", "sha256=00"), "x-hub-signature-256: [left out]");
        assert_eq!(redactor(false).header("x-zevent-server", "ZNS"), "x-zevent-server: ZNS");
    }

    #[test]
    fn phones_are_masked_in_every_spelling_and_shown_only_where_all_was_asked_for() {
        let query = "SMSID=0c1d2e3f40&phonenumber=0912000111&SendStatus=5&TotalPrice=850.0000&token=geheim&other=%2B84912000222";
        let masked = "SMSID=0c1d2e3f40&phonenumber=xxxxxxx111&SendStatus=5&TotalPrice=850.0000&token=[left out]&other=xxxxxxxxx222";
        assert_eq!(redactor(false).query(query), masked);
        assert!(redactor(true).query(query).contains("phonenumber=0912000111"));
        assert!(redactor(true).query(query).contains("xxxxxxxxx222"), "that of somebody else stays masked");
        assert_eq!(redactor(false).body(br#"{"phone":84912000111}"#, From::Callback), r#"{"phone":"xxxxxxxx111"}"#);
    }

    #[test]
    fn other_customers_of_one_batch_stay_masked_also_where_all_was_asked_for() {
        let item =
            |psid: &str| format!(r#"{{"sender":{{"id":"104417700031337"}},"recipient":{{"id":"{psid}"}},"read":{{"watermark":1}}}}"#);
        let body = format!(r#"{{"entry":[{{"messaging":[{},{}]}}]}}"#, item("7310000000012345"), item("7310000000099999"));
        let shown = Redactor { recipient: Some("7310000000012345"), ..redactor(true) }.body(body.as_bytes(), From::Callback);
        assert!(shown.contains("7310000000012345") && shown.contains("xxxxxxxxxxxxx999") && !shown.contains("99999"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_no_number_stays_in_it(before in any::<String>(), after in "[^0-9+A-Za-z]?[ a-z]{0,20}") {
            let r = redactor(false);
            let text = format!("{before} 0987 654 321{after}");
            prop_assume!(!before.contains("654") && !after.starts_with(|c: char| c.is_alphanumeric()));
            prop_assert!(!r.words(&text).contains("0987 654"), "{}", r.words(&text));
            let body = serde_json::json!({ "a": &before, "error": &text, "phone": "0987654321", "b": ["84987654321"] }).to_string();
            for from in [From::Callback, From::Provider] {
                let shown = r.body(body.as_bytes(), from);
                prop_assert!(!shown.contains("987654") && !shown.contains("0987 654"), "{shown}");
                prop_assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
            }
            let _ = (r.query(&before), r.body(before.as_bytes(), From::Provider), r.header("x", &before));
        }
    }

    #[test]
    fn the_provider_s_words_stay_without_numbers_and_tokens() {
        let r = redactor(false);
        assert_eq!(
            r.words("(#10) This message is sent outside of allowed window."),
            "(#10) This message is sent outside of allowed window."
        );
        assert_eq!(r.words("Số 0912 000 111 không có Zalo"), "Số xxxxxxxxx111 không có Zalo");
        assert_eq!(r.words("to +84 912-000-222, id 0c1d2e3f40"), "to xxxxxxxxxxxx222, id 0c1d2e3f40");
        assert_eq!(r.words("at 2026-01-31T08:15:30.123Z took 1764000000111"), "at 2026-01-31T08:15:30.123Z took 1764000000111");
        assert_eq!(r.words("https://graph.example/me?access_token=EAAB"), "https://graph.example/me?[left out]");
        assert_eq!(r.words(&format!("token EAA{} refused", "x".repeat(60))), "token [left out] refused");
        let answer = r#"{"error":-118,"message":"No account for 84912000111","data":{"user_id":"4700100200300400500"}}"#;
        let wanted = r#"{"error":-118,"message":"No account for xxxxxxxx111","data":{"user_id":"xxxxxxxxxxxxxxxx500"}}"#;
        assert_eq!(r.body(answer.as_bytes(), From::Provider), wanted);
        let info = r#"error_info={"error_code":"-118","error_message":"Zalo account not existed 0912000111"}"#;
        assert_eq!(r.query(info), r#"error_info={"error_code":"-118","error_message":"Zalo account not existed xxxxxxx111"}"#);
    }
}
