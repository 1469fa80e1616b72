//! The sender's own object beside a message. It is kept as the JSON text in which it was given, without the blanks between its
//! parts: a tree of values would lose the digits of long numbers and the order of the members.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object as text.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Metadata(Box<RawValue>);

impl Metadata {
    /// Reads a text; `None` unless it is one JSON object.
    pub fn parse(text: &str) -> Option<Metadata> {
        serde_json::from_str(text).ok()
    }

    /// The text as it was given, on one line.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// Two texts mean the same object: blanks, the order of members and the spelling of a number make no difference.
    pub fn same(one: &str, other: &str) -> bool {
        let value = |text| serde_json::from_str::<Value>(text).ok();
        one == other || value(one).is_some_and(|v| Some(v) == value(other))
    }
}

impl PartialEq for Metadata {
    fn eq(&self, other: &Metadata) -> bool {
        self.text() == other.text()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Metadata, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        if !raw.get().starts_with('{') {
            return Err(D::Error::custom("`metadata` must be an object"));
        }
        RawValue::from_string(without_blanks(raw.get())).map(Metadata).map_err(D::Error::custom)
    }
}

/// A JSON text without the blanks and line ends between its parts: an export has one message a line.
fn without_blanks(text: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = |c: &char| {
        let keep = quoted || !c.is_ascii_whitespace();
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        keep
    };
    text.chars().filter(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_letter_by_letter_and_nothing_else_is_taken() {
        let text = r#"{"b":12345678901234567890123,"a":[1.50,1e400,"\u0111 \" \\","x "]}"#;
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!(metadata.text(), text);
        let spread = text.replace(":", " :\r\n\t").replace("[", "[ ");
        assert_eq!(Metadata::parse(&spread).unwrap().text(), text);
        assert_eq!(serde_json::to_string(&[&metadata]).unwrap(), format!("[{text}]"));
        for other in ["[]", "\"{}\"", "1", "null", "{", "{} x", ""] {
            assert_eq!(Metadata::parse(other), None, "{other}");
        }
    }

    #[test]
    fn what_means_the_same_is_the_same() {
        assert!(Metadata::same(r#"{"a":1.50,"b":"\u0111"}"#, r#"{ "b":"đ", "a":1.5 }"#));
        assert!(Metadata::same(r#"{"a":1e400}"#, r#"{"a":1e400}"#));
        assert!(!Metadata::same(r#"{"a":1}"#, r#"{"a":2}"#));
        assert!(!Metadata::same(r#"{"a":1e400}"#, r#"{"a":2e400}"#), "what is no number of this machine is compared as text");
    }
}
