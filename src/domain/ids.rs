//! Names of things: accounts, rows, and the public id of a message. Nothing here knows where they are kept.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::time::Millis;

/// Position of a record in the inbox: 1, 2, 3 … in the order in which records became durable.
pub type Seq = u64;

/// Our row number of a message: 1, 2, 3 … in the order in which messages became known.
pub type Row = u64;

/// The id of a configured account: a slug of 1 to 40 characters out of `a-z`, `0-9` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct AccountId(Arc<str>);

/// The text is no account id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an account id has 1 to 40 characters out of a-z, 0-9 and '-'")]
pub struct NotAnAccountId;

impl AccountId {
    /// Reads an account id.
    ///
    /// # Errors
    /// [`NotAnAccountId`] when the length or a character does not fit.
    pub fn parse(text: &str) -> Result<AccountId, NotAnAccountId> {
        let fits = (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits { Ok(AccountId(text.into())) } else { Err(NotAnAccountId) }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AccountId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        AccountId::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The public id of a message: a version 7 UUID that carries when the message became known and its row, so that it sorts by
/// time and is found without an index of its own. Fourteen check bits tell a mistyped id from an unknown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PublicId {
    /// When the message became known to us.
    pub created_at: Millis,
    /// Its row; at most 2^40 - 1.
    pub row: Row,
}

const ROW_BITS: u32 = 40;
const UUID_MS_MASK: u64 = (1 << 48) - 1;

impl PublicId {
    fn check(self) -> u64 {
        // A fixed mix (splitmix64): no secret, only a guard against typing errors and stray UUIDs.
        let mut z = (self.created_at.0 as u64 & UUID_MS_MASK) ^ self.row.rotate_left(23) ^ 0x9e37_79b9_7f4a_7c15;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bits(self) -> u128 {
        let check = self.check();
        let ms = u128::from(self.created_at.0 as u64 & UUID_MS_MASK);
        let rand_a = u128::from(check & 0xfff);
        let rand_b = u128::from((check >> 12) & 0x3f_ffff) << ROW_BITS | u128::from(self.row & ((1 << ROW_BITS) - 1));
        ms << 80 | 0x7 << 76 | rand_a << 64 | 0b10 << 62 | rand_b
    }

    /// Reads an id that this program gave out.
    pub fn parse(text: &str) -> Option<PublicId> {
        let bytes = text.as_bytes();
        if bytes.len() != 36 || [8, 13, 18, 23].iter().any(|&i| bytes[i] != b'-') {
            return None;
        }
        let mut bits: u128 = 0;
        for (i, b) in bytes.iter().enumerate() {
            if ![8, 13, 18, 23].contains(&i) {
                bits = bits << 4 | u128::from((*b as char).to_digit(16)?);
            }
        }
        let id = PublicId { created_at: Millis((bits >> 80) as i64), row: (bits & ((1 << ROW_BITS) - 1)) as u64 };
        (id.bits() == bits).then_some(id)
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let b = self.bits();
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            (b >> 96) as u32,
            (b >> 80) as u16,
            (b >> 64) as u16,
            (b >> 48) as u16,
            b & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_is_a_version_7_uuid_and_reads_back() {
        let id = PublicId { created_at: Millis(1_764_000_000_111), row: 987_654_321 };
        let text = id.to_string();
        assert_eq!(text.as_bytes()[14], b'7');
        assert!(matches!(text.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
        assert_eq!(PublicId::parse(&text), Some(id));
        assert_eq!(PublicId::parse(&text.to_uppercase()), Some(id));
    }

    #[test]
    fn a_mistyped_or_foreign_uuid_is_not_ours() {
        let text = PublicId { created_at: Millis(1_764_000_000_111), row: 12 }.to_string();
        let mut other = text.clone().into_bytes();
        other[35] = if other[35] == b'0' { b'1' } else { b'0' };
        assert_eq!(PublicId::parse(std::str::from_utf8(&other).unwrap()), None);
        assert_eq!(PublicId::parse("0190f6c2-0000-7000-8000-000000000000"), None);
        assert_eq!(PublicId::parse("not an id"), None);
        assert_eq!(PublicId::parse("é190f6c2-0000-7000-8000-00000000000"), None);
    }

    #[test]
    fn an_account_id_is_a_slug() {
        assert!(AccountId::parse("shop-oa-1").is_ok());
        for bad in ["", "Shop", "a b", "a/b", &"x".repeat(41)] {
            assert!(AccountId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
