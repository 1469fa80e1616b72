//! Reading JSON without losing a digit: objects are read one level at a time, numbers keep the text in which they were written.
//!
//! Providers send ids beyond 2^53, sometimes as numbers; a float would change them. Nothing is read before it is asked for, so
//! unknown members cost a scan and nothing else. A member that stands twice counts with its last value.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// One level of a JSON object.
#[derive(Clone, Debug, Default)]
pub struct Object<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

/// A value that has not been read yet.
#[derive(Clone, Copy, Debug)]
pub struct Raw<'a>(&'a RawValue);

impl<'de: 'a, 'a> Deserialize<'de> for Object<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Level<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Level<'a> {
            type Value = Object<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::with_capacity(8);
                while let Some(Name(name)) = map.next_key()? {
                    members.push((name, map.next_value()?));
                }
                Ok(Object(members))
            }
        }
        deserializer.deserialize_map(Level(std::marker::PhantomData))
    }
}

/// A member name, borrowed where it has no escapes.
struct Name<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Name<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<'a>(std::marker::PhantomData<&'a ()>);
        impl<'de: 'a, 'a> Visitor<'de> for Text<'a> {
            type Value = Name<'a>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member name")
            }
            fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(v)))
            }
            fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(v.to_owned())))
            }
        }
        deserializer.deserialize_str(Text(std::marker::PhantomData))
    }
}

impl<'a> Object<'a> {
    /// Reads a body whose whole content is one JSON object (white space around it is fine).
    pub fn parse(body: &'a [u8]) -> Result<Object<'a>, String> {
        serde_json::from_slice(body).map_err(|e| format!("not a JSON object: {e}"))
    }

    /// Reads a text whose **first** value is an object and ignores what follows.
    pub fn parse_first(text: &'a str) -> Option<Object<'a>> {
        serde_json::Deserializer::from_str(text).into_iter::<Object<'a>>().next()?.ok()
    }

    /// A member that is there and not null.
    pub fn get(&self, name: &str) -> Option<Raw<'a>> {
        let (_, raw) = self.0.iter().rev().find(|(n, _)| n == name)?;
        (raw.get() != "null").then_some(Raw(raw))
    }

    /// A member whose name is equal without regard to case.
    pub fn get_any_case(&self, name: &str) -> Option<Raw<'a>> {
        let (_, raw) = self.0.iter().rev().find(|(n, r)| n.eq_ignore_ascii_case(name) && r.get() != "null")?;
        Some(Raw(raw))
    }

    /// Every member in order, nulls included.
    pub fn members(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.0.iter().map(|(n, r)| (n.as_ref(), Raw(r)))
    }

    /// A member that is an object.
    pub fn object(&self, name: &str) -> Option<Object<'a>> {
        self.get(name)?.object()
    }

    /// A member that is an array; empty where it is missing or something else.
    pub fn array(&self, name: &str) -> Vec<Raw<'a>> {
        self.get(name).and_then(|r| r.array()).unwrap_or_default()
    }

    /// A member that is a text, or a number as it was written.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.text()
    }

    /// A member that is an integer, or a text that holds one.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.get(name)?.integer()
    }
}

impl<'a> Raw<'a> {
    /// The JSON text itself.
    pub fn json(self) -> &'a str {
        self.0.get()
    }

    /// It is a JSON text.
    pub fn is_text(self) -> bool {
        self.json().starts_with('"')
    }

    /// It is a JSON number.
    pub fn is_number(self) -> bool {
        self.json().starts_with(|c: char| c == '-' || c.is_ascii_digit())
    }

    /// The value as an object.
    pub fn object(self) -> Option<Object<'a>> {
        serde_json::from_str(self.0.get()).ok()
    }

    /// The value as an array.
    pub fn array(self) -> Option<Vec<Raw<'a>>> {
        let items: Vec<&'a RawValue> = serde_json::from_str(self.0.get()).ok()?;
        Some(items.into_iter().map(Raw).collect())
    }

    /// A text, or the digits of a number exactly as written. `None` for everything else.
    pub fn text(self) -> Option<String> {
        if self.is_number() { Some(self.json().to_owned()) } else { serde_json::from_str(self.json()).ok() }
    }

    /// A boolean.
    pub fn boolean(self) -> Option<bool> {
        serde_json::from_str(self.json()).ok()
    }

    /// An integer, or a text that holds one.
    pub fn integer(self) -> Option<i64> {
        self.text()?.trim().parse().ok()
    }

    /// The value as a tree, for the details shown in a timeline (numbers beyond 2^53 may lose digits there).
    pub fn value(self) -> serde_json::Value {
        serde_json::from_str(self.json()).unwrap_or(serde_json::Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_every_digit_and_texts_are_unescaped() {
        let o = Object::parse(br#" {"id": 123456789012345678901234567890, "t":"\u0110\/", "n":null, "f":1.50, "a":[1,{"b":2}]} "#).unwrap();
        assert_eq!(o.text("id").as_deref(), Some("123456789012345678901234567890"));
        assert_eq!(o.text("t").as_deref(), Some("Đ/"));
        assert_eq!(o.text("f").as_deref(), Some("1.50"));
        assert!(o.get("n").is_none());
        assert_eq!(o.array("a")[1].object().unwrap().integer("b"), Some(2));
    }

    #[test]
    fn the_last_of_a_repeated_member_counts() {
        let o = Object::parse(br#"{"a":1,"a":2,"\u0061":3}"#).unwrap();
        assert_eq!(o.integer("a"), Some(3));
    }

    #[test]
    fn what_is_no_object_is_an_error_however_deep() {
        for body in [&b""[..], b"[]", b"1", b"null", b"{\"a\":1} x", b"\xff{}", b"{\"a\":\xff}"] {
            assert!(Object::parse(body).is_err(), "{body:?}");
        }
        let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
        assert!(Object::parse(&deep).is_err());
        let inside = [&b"{\"a\":"[..], &deep, b",\"b\":1}"].concat();
        let o = Object::parse(&inside).unwrap();
        assert_eq!(o.integer("b"), Some(1));
        assert!(o.get("a").unwrap().array().is_none_or(|a| a.len() == 1));
    }

    #[test]
    fn the_first_value_is_read_and_the_rest_ignored() {
        let o = Object::parse_first("{\"error\":-131}Value was null").unwrap();
        assert_eq!(o.integer("error"), Some(-131));
    }
}
