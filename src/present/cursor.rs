//! The text of a cursor: where the next page of a list starts, as clients carry it from one call to the next.
//!
//! One version byte, the time and the number of a [`Spot`] (big endian), and four check bytes, in base64url without padding. The check
//! tells a mistyped or cut-off cursor from one of ours; it is no secret. It must not know which list it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::time::Millis;
use crate::store::sqlite::query::Spot;

/// The form that this program writes.
const VERSION: u8 = 1;

/// Bytes before the check: version, time, number.
const BODY_BYTES: usize = 17;

/// Bytes in all.
const BYTES: usize = BODY_BYTES + 4;

/// A place in a list as text.
pub fn encode(spot: Spot) -> String {
    let mut bytes = [0u8; BYTES];
    bytes[0] = VERSION;
    bytes[1..9].copy_from_slice(&spot.at.0.to_be_bytes());
    bytes[9..BODY_BYTES].copy_from_slice(&spot.n.to_be_bytes());
    let check = fnv1a(&bytes[..BODY_BYTES]);
    bytes[BODY_BYTES..].copy_from_slice(&check.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; `None` when it is none that [`encode`] wrote.
pub fn decode(text: &str) -> Option<Spot> {
    let bytes: [u8; BYTES] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let (body, check) = bytes.split_at(BODY_BYTES);
    if body[0] != VERSION || fnv1a(body).to_be_bytes() != check {
        return None;
    }
    let at = i64::from_be_bytes(body[1..9].try_into().ok()?);
    let n = u64::from_be_bytes(body[9..].try_into().ok()?);
    Some(Spot { at: Millis(at), n })
}

/// FNV-1a with 32 bits.
fn fnv1a(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for (at, n) in [(0, 0), (1_764_000_000_111, 42), (-1, u64::MAX), (i64::MAX, 1), (i64::MIN, 7)] {
            let spot = Spot { at: Millis(at), n };
            let text = encode(spot);
            assert_eq!(text.len(), 28);
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{text}");
            assert_eq!(decode(&text), Some(spot));
        }
    }

    #[test]
    fn the_form_is_fixed() {
        assert_eq!(fnv1a(b""), 0x811c_9dc5);
        assert_eq!(fnv1a(b"a"), 0xe40c_292c);
        assert_eq!(fnv1a(b"foobar"), 0xbf9c_f968);
        assert_eq!(encode(Spot { at: Millis(1_764_000_000_111), n: 42 }), "AQAAAZq2l-hvAAAAAAAAACqrLeZr");
    }

    #[test]
    fn what_was_changed_or_cut_off_is_no_cursor() {
        let text = encode(Spot { at: Millis(1_764_000_000_111), n: 42 });
        for i in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[i] = if other[i] == b'A' { b'B' } else { b'A' };
            assert_eq!(decode(std::str::from_utf8(&other).unwrap()), None, "changed at {i}");
        }
        for bad in ["", "x", &text[1..], &text[..27], &format!("{text}="), &format!("{text}A"), " ", "é", "AAAA AAAA"] {
            assert_eq!(decode(bad), None, "{bad:?}");
        }
    }
}
