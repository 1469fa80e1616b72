//! Cursors: where a page starts, as opaque text that tells a mistyped one from a true one.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::time::Millis;
use crate::store::sqlite::query::Spot;

const VERSION: u8 = 1;

fn check(bytes: &[u8]) -> [u8; 4] {
    let hash = bytes.iter().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(*b)).wrapping_mul(0x0100_0193));
    hash.to_be_bytes()
}

/// The text of a spot.
pub fn encode(spot: Spot) -> String {
    let mut bytes = Vec::with_capacity(21);
    bytes.push(VERSION);
    bytes.extend(spot.at.0.to_be_bytes());
    bytes.extend(spot.n.to_be_bytes());
    let check = check(&bytes);
    bytes.extend(check);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of ours.
pub fn decode(text: &str) -> Option<Spot> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (head, tail) = bytes.split_at_checked(17)?;
    if head[0] != VERSION || tail != check(head) {
        return None;
    }
    let at = i64::from_be_bytes(head[1..9].try_into().ok()?);
    let n = u64::from_be_bytes(head[9..17].try_into().ok()?);
    // Beyond what the store can hold, no cursor of ours has it.
    i64::try_from(n).ok()?;
    Some(Spot { at: Millis(at), n })
}
