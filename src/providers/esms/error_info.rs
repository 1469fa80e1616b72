//! One decoder for every form in which eSMS passes Zalo's result on: JSON, JSON inside a JSON text, escaped once more, with a time
//! behind it, with an exception's text behind it, cut short, or a bare number. It must not know what a code does to a message.

use crate::domain::time::Millis;
use crate::providers::json::Object;

use super::payload::percent_decode;

/// How often a value is percent-decoded again at most.
const DECODINGS_MAX: usize = 4;
/// How often a JSON text is read as JSON again at most.
const LEVELS_MAX: usize = 3;
/// A code is a number or one word; a sentence in its place is a text.
const CODE_CHARS_MAX: usize = 64;
/// What is kept of a value without any code.
const RAW_CHARS_MAX: usize = 300;

/// What an `error_info` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ErrorInfo {
    /// The code as text; `0` is "no error".
    pub(super) code: Option<String>,
    /// The message unchanged; without a code the raw value.
    pub(super) text: Option<String>,
    /// The time behind the value, Vietnamese local time there.
    pub(super) at: Option<Millis>,
    /// The whole Zalo user id; `phonenumber` holds only its first 15 digits.
    pub(super) user_id: Option<String>,
}

impl ErrorInfo {
    /// The code, when it is one of an error.
    pub(super) fn error_code(&self) -> Option<&str> {
        self.code.as_deref().filter(|c| *c != "0")
    }
}

/// One JSON value as far as it matters here.
enum Value<'a> {
    Text(String),
    Object(Object<'a>),
    Code(String),
    Null,
}

/// Reads a value as it stands after the one decoding of its parameter; `None` when it is empty or `null`.
pub(super) fn decode(value: &str) -> Option<ErrorInfo> {
    if value.trim().is_empty() {
        return None;
    }
    let mut info = ErrorInfo::default();
    let mut text = peeled(value, &mut info);
    let outermost = text.clone();
    for _ in 0..LEVELS_MAX {
        match first_value(&text) {
            Some(Value::Text(inner)) => text = peeled(&inner, &mut info),
            _ => break,
        }
    }
    match first_value(&text) {
        Some(Value::Object(object)) => read_object(&object, &mut info),
        Some(Value::Code(code)) => info.code = Some(code),
        Some(Value::Null) => return None,
        Some(Value::Text(_)) | None => {}
    }
    if info.code.is_none() {
        info.code = code_behind_error(&text).or_else(|| code_behind_error(&outermost));
    }
    if info.code.is_none() && info.text.is_none() {
        info.text = Some(text.chars().filter(|c| !c.is_control()).take(RAW_CHARS_MAX).collect()).filter(|t: &String| !t.is_empty());
    }
    Some(info)
}

/// Takes off escapes and the time behind the value.
fn peeled(value: &str, info: &mut ErrorInfo) -> String {
    let mut text = value.trim().to_owned();
    for _ in 0..DECODINGS_MAX {
        if text.starts_with(['{', '"']) {
            break;
        }
        let decoded = percent_decode(text.as_bytes()).trim().to_owned();
        if decoded == text {
            break;
        }
        text = decoded;
    }
    if let Some((rest, tail)) = text.rsplit_once("____")
        && let Some(at) = local_time(tail)
    {
        info.at = info.at.or(Some(at));
        text = rest.trim_end().trim_end_matches('_').to_owned();
    }
    text
}

fn local_time(tail: &str) -> Option<Millis> {
    let mut tail = tail.trim().replace('+', " ");
    for _ in 0..DECODINGS_MAX {
        if !tail.contains('%') {
            break;
        }
        tail = percent_decode(tail.as_bytes());
    }
    Millis::parse_vietnam(tail.trim(), "%d/%m/%Y %H:%M:%S")
}

/// The first JSON value of a text; what follows it (an exception's text) is ignored.
fn first_value(text: &str) -> Option<Value<'_>> {
    match text.as_bytes().first()? {
        b'"' => serde_json::Deserializer::from_str(text).into_iter::<String>().next()?.ok().map(Value::Text),
        b'{' => Object::parse_first(text).map(Value::Object),
        b'n' if text.strip_prefix("null").is_some_and(|rest| !rest.starts_with(char::is_alphanumeric)) => Some(Value::Null),
        _ => leading_integer(text).map(Value::Code),
    }
}

fn read_object(object: &Object<'_>, info: &mut ErrorInfo) {
    let message = object.get_any_case("message").filter(|raw| raw.is_text()).and_then(|raw| raw.text());
    info.text = message.map(|t| t.replace('\0', "")).filter(|t| !t.is_empty());
    let data = object.get_any_case("data").and_then(|raw| raw.object());
    info.user_id = data.and_then(|d| d.get_any_case("user_id")?.text()).map(|t| super::payload::clean(&t)).filter(|t| !t.is_empty());
    let Some(code) = object.get_any_case("error").and_then(|raw| raw.text()) else { return };
    let code = super::payload::clean(&code);
    if let Some(number) = whole_number(&code) {
        info.code = Some(number);
    } else if !code.is_empty() && code.chars().count() <= CODE_CHARS_MAX && !code.contains(char::is_whitespace) {
        info.code = Some(code);
    } else if !code.is_empty() && info.text.is_none() {
        info.text = Some(code);
    }
}

/// A whole number in its one form: no plus sign, no leading zeros, no empty decimals.
fn whole_number(text: &str) -> Option<String> {
    let whole = match text.split_once('.') {
        Some((whole, decimals)) if !decimals.is_empty() && decimals.bytes().all(|b| b == b'0') => whole,
        _ => text,
    };
    whole.parse::<i64>().ok().map(|n| n.to_string())
}

/// An integer at the very beginning that is not the beginning of a word or of another number.
fn leading_integer(text: &str) -> Option<String> {
    let digits_from = usize::from(text.starts_with(['-', '+']));
    let end = text[digits_from..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |n| n + digits_from);
    let rest = &text[end..];
    if rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | ':' | '-')) {
        return None;
    }
    text[..end].parse::<i64>().ok().map(|n| n.to_string())
}

/// In a value cut short: the first integer right behind the word `error`, with nothing but JSON's own signs between.
fn code_behind_error(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    lower.match_indices("error").find_map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\\' | ':' | '='));
        let sign = usize::from(rest.starts_with(['-', '+']));
        let end = rest[sign..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| n + sign);
        rest[..end].parse::<i64>().ok().map(|n| n.to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(value: &str) -> Option<String> {
        decode(value).and_then(|i| i.code)
    }

    fn info(code: &str, text: Option<&str>) -> ErrorInfo {
        ErrorInfo { code: Some(code.into()), text: text.map(Into::into), ..ErrorInfo::default() }
    }

    #[test]
    fn form_a_is_json_inside_a_json_text() {
        let value = r#""{\"error\":-118,\"message\":\"Zalo account not exist\"}""#;
        assert_eq!(decode(value), Some(info("-118", Some("Zalo account not exist"))));
        let numbers_as_text = r#""{\"error\":\"-118\"}""#;
        assert_eq!(decode(numbers_as_text), Some(info("-118", None)));
    }

    #[test]
    fn form_b_is_escaped_again_and_tells_vietnamese_time() {
        let value = "%7B%22error%22%3A-213%2C%22message%22%3A%22User%20has%20not%20followed%22%2C%22data%22%3A%7B%22user_id%22%3A%2212345678901234567890%22%7D%7D____09/11/2025%2008:15:40";
        let got = decode(value).unwrap();
        assert_eq!((got.code.as_deref(), got.text.as_deref()), (Some("-213"), Some("User has not followed")));
        assert_eq!(got.at.unwrap().to_string(), "2025-11-09T01:15:40.000Z");
        assert_eq!(got.user_id.as_deref(), Some("12345678901234567890"));
    }

    #[test]
    fn form_b_is_read_at_every_depth_of_escaping_and_with_every_tail() {
        let plain = r#"{"error":0,"message":"Success"}____09/11/2025 08:15:40"#;
        let mut value = plain.to_owned();
        for depth in 0..=4 {
            let got = decode(&value).unwrap();
            assert_eq!((got.code.as_deref(), got.error_code()), (Some("0"), None), "{depth}");
            assert_eq!(got.at.unwrap().to_string(), "2025-11-09T01:15:40.000Z", "{depth}");
            value = value.bytes().map(|b| format!("%{b:02X}")).collect();
        }
        assert_eq!(code(&value), None, "five times is too often");
        for tail in
            ["____09/11/2025%2008:15:40", "____09/11/2025+08:15:40", "____09%2F11%2F2025%2008%3A15%3A40", "_____09/11/2025 08:15:40 "]
        {
            assert!(decode(&format!("{{\"error\":0}}{tail}")).unwrap().at.is_some(), "{tail}");
        }
        assert_eq!(decode(r#"{"error":-1}____yesterday"#), Some(info("-1", None)));
    }

    #[test]
    fn form_c_is_an_object_and_zero_is_no_error() {
        let got = decode(r#"{"error":0,"message":"Success","data":{"delivery_time":null,"message":"ok","status":1}}"#).unwrap();
        assert_eq!((got.code.as_deref(), got.error_code(), got.text.as_deref()), (Some("0"), None, Some("Success")));
        for zero in ["0", "-0", "00", "\"0\"", r#"{"error":"0"}"#, r#"{"Error":0.0}"#] {
            assert_eq!(decode(zero).unwrap().error_code(), None, "{zero}");
        }
    }

    #[test]
    fn form_d_has_raw_quotes_inside_quotes() {
        assert_eq!(code(r#""{"error":-118,"message":"Zalo account not exist"}""#).as_deref(), Some("-118"));
    }

    #[test]
    fn form_e_has_an_exception_behind_the_object() {
        let value = r#"{"error":-131,"message":"Template not approved"}Value was null. Parameter name: error 5"#;
        assert_eq!(decode(value), Some(info("-131", Some("Template not approved"))));
    }

    #[test]
    fn form_f_is_a_bare_number_or_null() {
        for (value, expected) in [("1001", "1001"), ("-114", "-114"), (" 0 ", "0"), ("\"-114\"", "-114"), ("-114 text", "-114")] {
            assert_eq!(decode(value), Some(info(expected, None)), "{value}");
        }
        for value in ["", " ", "null", "\"null\"", " null "] {
            assert_eq!(decode(value), None, "{value:?}");
        }
    }

    #[test]
    fn a_value_cut_short_still_gives_its_code() {
        for value in [
            r#"{"error":-118,"mess"#,
            r#""{\"error\":-118,\"mess"#,
            r#""{\"error\":\"-118\",\"mess"#,
            "%7B%22error%22%3A-118%2C%22mes%E",
            r#"[{"ERROR" : -118}]"#,
            "error=-118",
            r#"{"error_time":5,"error":-118,"#,
        ] {
            assert_eq!(code(value).as_deref(), Some("-118"), "{value}");
        }
    }

    #[test]
    fn without_a_code_the_raw_text_is_kept() {
        for value in ["Zalo refused", "\"Zalo refused\"", "\"\\\"Zalo refused\\\"\""] {
            let got = decode(value).unwrap();
            assert_eq!((got.code, got.text.as_deref()), (None, Some("Zalo refused")), "{value}");
        }
        let sentence = decode(r#"{"error":"the request failed"}"#).unwrap();
        assert_eq!((sentence.code, sentence.text.as_deref()), (None, Some("the request failed")));
        assert_eq!(code(r#"{"error":"E_TIMEOUT"}"#).as_deref(), Some("E_TIMEOUT"));
        assert_eq!(code("96d3cdf3af15"), None);
        assert_eq!(code("99999999999999999999"), None);
        assert_eq!(code(r#"{"error":{"error":null}}"#), None);
    }

    #[test]
    fn four_levels_of_text_are_one_too_many_but_never_a_panic() {
        let mut value = r#"{"error":-118}"#.to_owned();
        for level in 1..=3 {
            value = serde_json::to_string(&value).unwrap();
            assert_eq!(code(&value).as_deref(), Some("-118"), "{level}");
        }
        for hostile in ["\"".repeat(5_000), "[".repeat(10_000), "{\"error\":".repeat(5_000), "%".repeat(9_000), "error".repeat(9_000)] {
            let _ = decode(&hostile);
        }
    }
}
