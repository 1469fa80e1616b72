//! What may leave the house: callbacks and answers without secrets, without customers' words, and with the numbers of people masked.
//!
//! What is not known to be harmless is left out: a value stays only when it looks like an id, a number, a time or a fixed word. JSON is
//! rewritten level by level so that ids keep every digit. It must not know a provider: it goes by the names of members and the look of values.

mod names;

use serde_json::{Map, Value};

use super::say;
use crate::domain::failure::Lang;
use crate::domain::phone;
use crate::providers::json::{Object, Raw};
pub(super) use names::From;
use names::{EXPLAINS, PERSON, Within, is_id_name, is_name, is_one_of, is_reason, is_secret};

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

/// What can only be a phone number.
fn is_phone(text: &str) -> bool {
    text.starts_with(['0', '8', '+']) && text.len() >= 10 && phone::normalise(text).is_some()
}

/// The two sides that an item of a list names, its own or those of its `value`.
fn parties(item: &Object<'_>) -> Option<[String; 2]> {
    let sides = |o: &Object<'_>| Some([o.object("sender")?.text("id")?, o.object("recipient")?.text("id")?]);
    sides(item).or_else(|| sides(&item.object("value")?))
}

/// Digits and what stands between them in times and numbers.
fn is_time(text: &str) -> bool {
    text.len() <= 40 && text.bytes().all(|b| b.is_ascii_digit() || b" :/.-+TZ".contains(&b))
}

/// A word that tells nobody: no address of a page or of a mailbox.
fn is_word(text: &str, chars_max: usize) -> bool {
    text.len() <= chars_max && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains("://") && !text.contains('@')
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// A text with each of its words changed; what stands between them stays.
fn each_word(text: &str, change: impl Fn(&str) -> String) -> String {
    let between = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '<' | '>');
    let mut out = String::with_capacity(text.len());
    for piece in text.split_inclusive(between) {
        let end = piece.trim_end_matches(between);
        out.push_str(&change(end));
        out.push_str(&piece[end.len()..]);
    }
    out
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

    fn say(&self, vi: &'static str, en: &'static str) -> &'static str {
        say(self.lang, vi, en)
    }

    fn secret(&self) -> &'static str {
        self.say("[đã ẩn]", "[left out]")
    }

    /// A header as `name: value`.
    pub(super) fn header(&self, name: &str, value: &str) -> String {
        let shown =
            if is_secret(name) { self.secret().to_owned() } else { self.scalar(name, Within::whole(From::Callback).under(name), value) };
        format!("{name}: {shown}")
    }

    /// A body or an answer, whatever it is.
    pub(super) fn body(&self, bytes: &[u8], from: From) -> String {
        let Ok(text) = std::str::from_utf8(bytes) else { return self.size(bytes.len()) };
        let text = text.trim_start_matches('\u{feff}').trim();
        if let Ok(object) = Object::parse(text.as_bytes()) {
            return self.object(Within::whole(from), &object, 0);
        }
        // A JSON text that holds the document, as some gateways hand it on.
        if let Ok(inner) = serde_json::from_str::<String>(text)
            && let Ok(object) = Object::parse(inner.as_bytes())
        {
            return self.object(Within::whole(from), &object, 0);
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
            let shown = self.name(&name);
            // What has no such name is no form, but something broken that somebody wrote.
            let under = Within::whole(From::Callback).under(&name);
            let within = Within { hidden: under.hidden || !is_name(&name), ..under };
            format!("{shown}={}", self.scalar(&name, within, &value))
        };
        raw.split('&').filter(|p| !p.is_empty()).map(one).collect::<Vec<_>>().join("&")
    }

    /// The details of a timeline's entry.
    pub(super) fn detail(&self, detail: &Map<String, Value>) -> Map<String, Value> {
        let text = serde_json::to_string(detail).unwrap_or_default();
        let shown = Object::parse(text.as_bytes()).map(|object| self.object(Within::whole(From::Provider), &object, 0)).unwrap_or_default();
        serde_json::from_str(&shown).unwrap_or_default()
    }

    fn object(&self, within: Within, object: &Object<'_>, depth: usize) -> String {
        let members = object
            .members()
            .map(|(name, raw)| format!("{}:{}", Value::from(self.name(name)), self.value(name, within.under(name), raw, depth + 1)));
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// A member's name. Some documents have people's numbers for names.
    fn name(&self, name: &str) -> String {
        match is_name(name) {
            true if is_phone(name) || self.is_recipient(name) => self.person(name),
            true => name.to_owned(),
            false => self.left_out(name),
        }
    }

    fn value(&self, name: &str, within: Within, raw: Raw<'_>, depth: usize) -> String {
        if depth > DEPTH_MAX || is_secret(name) && !matches!(raw.json(), "null" | "true" | "false") {
            return Value::from(self.secret()).to_string();
        }
        if let Some(text) = raw.text() {
            let shown = self.scalar(name, within, &text);
            return if raw.is_number() && shown == text { text } else { Value::from(shown).to_string() };
        }
        if let Some(object) = raw.object() {
            return self.object(within, &object, depth);
        }
        match raw.array() {
            Some(all) => {
                let all: Vec<String> = all.into_iter().map(|one| self.item(name, within, one, depth + 1)).collect();
                format!("[{}]", all.join(","))
            }
            // Whether something is so may be what somebody told of themselves.
            None if within.hidden && raw.json() != "null" => Value::from(self.secret()).to_string(),
            None => raw.json().to_owned(),
        }
    }

    /// A value of a list. One request may tell of several customers: what is another one's does not leave the house at all.
    fn item(&self, name: &str, within: Within, raw: Raw<'_>, depth: usize) -> String {
        if raw.object().is_some_and(|item| self.is_of_another(&item, raw)) {
            return Value::from(self.say("[đã ẩn một mục của khách khác]", "[an item of another customer left out]")).to_string();
        }
        self.value(name, within, raw, depth)
    }

    /// An item that names two sides, neither of which is the message's recipient, and none of the message's own ids beside them.
    fn is_of_another(&self, item: &Object<'_>, raw: Raw<'_>) -> bool {
        let Some(sides) = parties(item).filter(|_| self.recipient.is_some()) else { return false };
        let told = || self.own.iter().filter(|own| sides.iter().all(|side| side != *own)).any(|own| raw.json().contains(own));
        !sides.iter().any(|side| self.is_recipient(side)) && !told()
    }

    /// A text or number under a name.
    fn scalar(&self, name: &str, within: Within, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        if is_secret(name) {
            return self.secret().to_owned();
        }
        if self.is_own(text) {
            return text.to_owned();
        }
        if is_one_of(name, &PERSON) || self.is_recipient(text) || is_hash(text) || (within.party && is_id_name(name)) {
            return self.person(text);
        }
        if within.hidden || within.is_leaf_words(name) {
            return self.left_out(text);
        }
        // A document in a text, as in the query of a report.
        if text.starts_with('{')
            && let Ok(object) = Object::parse(text.as_bytes())
        {
            let from = if is_reason(name) { From::Provider } else { within.from };
            return self.object(Within { from, ..within }, &object, 1);
        }
        if is_reason(name) || (within.from == From::Provider && is_one_of(name, &EXPLAINS)) {
            return self.words(text);
        }
        if is_phone(text) {
            return self.person(text);
        }
        let chars_max = if is_id_name(name) { ID_CHARS_MAX } else { WORD_CHARS_MAX };
        if is_time(text) || is_word(text, chars_max) || (within.from == From::Provider && text.len() <= ID_CHARS_MAX) {
            return self.words(text);
        }
        self.left_out(text)
    }

    /// A text of the provider or of an operator: without phone numbers, mailboxes, tokens and addresses with queries.
    pub(super) fn words(&self, text: &str) -> String {
        let text: String = text.chars().take(WORDS_CHARS_MAX).collect();
        let text = self.numbers(&each_word(&text, |word| self.word(word)));
        // Behind the numbers: the end of one that is written in groups may stand in front of the mailbox's name.
        each_word(&text, |word| if word.contains('@') && !self.is_own(word) { self.secret().to_owned() } else { word.to_owned() })
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
    fn places_mailboxes_and_what_is_built_under_a_customer_s_word_are_left_out_however_deep() {
        for (body, secrets) in [
            (r#"{"payload":{"coordinates":{"lat":10.7769,"long":106.7009}}}"#, &["10.7769", "106.7009"][..]),
            (r#"{"nlp":{"entities":{"wit$email:email":[{"body":"an@gmail.com","confidence":0.91}]}}}"#, &["an@gmail", "0.91"]),
            (r#"{"info":{"city":"Hue","email":"an@x.vn","error":"Hue","x":true,"y":[["Hue"]]}}"#, &["Hue", "an@x", "true"]),
            (r#"{"template_data":{"customer_name":"An","otp":"482911","n":482911}}"#, &["An\"", "482911"]),
            (r#"{"message":{"attachments":[{"type":"location","payload":"{\"lat\":10.7769}"}],"x":"an@x.vn"}}"#, &["10.7769", "an@x"]),
            (r#"{"latitude":"10.7769","homeAddress":{"no":"12B"},"referral":{"ref":"Lan"},"value":"Lan"}"#, &["10.7769", "12B", "Lan"]),
            (r#"{"84912000111":1,"metadata":"{\"ten\":\"Lan\"}","to_id":"an@x.vn"}"#, &["84912000", "Lan", "an@x"]),
            (r#"[{"Content":"k=Lan"}]"#, &["Lan"]),
            (r#"{"Content":"k=Lan"#, &["Lan"]),
            ("customer_name=An&Content=482911&x=an%40x.vn", &["=An", "482911", "an@x"]),
        ] {
            let shown = callback(body);
            assert!(!secrets.iter().any(|secret| shown.contains(secret)), "{body}: {shown}");
        }
        assert_eq!(redactor(false).words("no such user: <an@gmail.com>"), "no such user: <[left out]>");
        let detail = serde_json::json!({"other": {"nlp": {"intent": "buy"}}, "ref": "don-1"});
        let shown = redactor(false).detail(detail.as_object().unwrap());
        assert_eq!((&shown["ref"], &shown["other"]["nlp"]["intent"]), (&"don-1".into(), &"[3 characters left out]".into()));
    }

    #[test]
    fn what_the_support_needs_stays() {
        for body in [
            r#"{"object":"page","entry":[{"changes":[{"field":"x","value":{"message_id":"m_M-1","app_id":"55","event":"APPROVED","timestamp":"1771234567890","delivery":{"mids":["m_M-3"],"watermark":1771234567890}}}]}]}"#,
            r#"{"event_name":"user_received_message","message":{"msg_id":"0c1d2e3f40","delivery_time":"1764000000010","tracking_id":"don-1"},"oa_id":"9100"}"#,
            r#"{"template_id":"204455","status":{"prev_status":"PENDING_REVIEW","new_status":"REJECT"},"quota":{"new_value":"5000"},"error":-118}"#,
        ] {
            assert_eq!(callback(body), body);
        }
    }

    #[test]
    fn other_customers_of_one_batch_are_left_out_also_where_all_was_asked_for() {
        let item = |psid: &str, more: &str| {
            format!(r#"{{"sender":{{"id":"{psid}"}},"recipient":{{"id":"104417700031337"}},"read":{{"watermark":17}}{more}}}"#)
        };
        let (ours, theirs) = (item("7310000000012345", ""), item("7310000000099999", ""));
        let changed = format!(r#"{{"field":"x","value":{theirs}}}"#);
        let told = item("7310000000088888", r#","delivery":{"mids":["0c1d2e3f40"]}"#);
        let body = format!(r#"{{"entry":[{{"messaging":[{ours},{theirs},{told}],"changes":[{changed}]}}]}}"#);
        let wanted = r#""changes":["[an item of another customer left out]"]"#;
        let shown = Redactor { recipient: Some("7310000000012345"), ..redactor(true) }.body(body.as_bytes(), From::Callback);
        assert!(shown.contains("7310000000012345") && shown.contains(wanted) && !shown.contains("999"), "{shown}");
        assert!(shown.contains("xxxxxxxxxxxxx888") && shown.contains("0c1d2e3f40"), "it tells of this message: {shown}");
        let unknown = Redactor { recipient: None, ..redactor(true) }.body(body.as_bytes(), From::Callback);
        assert!(unknown.contains("xxxxxxxxxxxxx345") && unknown.contains("xxxxxxxxxxxxx999"), "nobody knows whose it is: {unknown}");
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
