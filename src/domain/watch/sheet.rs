//! Sheets: named values that outlive the process. The first byte of each is the version of what follows.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version that this program writes.
const VERSION: u8 = 1;

/// A value to keep under a name, or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name: parts with `/` between them, the kind of sheet first.
    pub name: String,
    /// Its bytes; `None` to forget it.
    pub data: Option<Vec<u8>>,
}

impl Sheet {
    /// A value under a name.
    pub fn of<T: Serialize>(name: String, value: &T) -> Sheet {
        Sheet { name, data: Some(encode(value)) }
    }

    /// A name whose value is forgotten.
    pub fn forgotten(name: String) -> Sheet {
        Sheet { name, data: None }
    }
}

/// A value as bytes.
pub fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    // Nothing that is kept has a shape that cannot be written; an empty value reads back as none.
    postcard::to_extend(value, vec![VERSION]).unwrap_or_default()
}

/// A value from bytes; `None` when they are of another version or damaged.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => postcard::from_bytes(rest).ok(),
        _ => None,
    }
}
