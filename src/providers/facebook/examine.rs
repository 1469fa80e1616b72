//! Which mistake explains a callback that was refused: an old secret, a body written anew on the way, the old header alone, a cut.
//!
//! Meta signs the text with its `\u` escapes, so whatever writes the JSON anew breaks the signature at the first Vietnamese letter. It
//! accepts nothing; every guess is made whether or not one before it was right.

use super::verify::{AppSecrets, SIGNATURE_HEADER};
use crate::domain::record::Callback;
use crate::providers::clue::{is_cut, is_cut_hex};
use crate::providers::spelling::spellings;
use crate::providers::{Clue, hex32};

/// The header with the older signature over SHA-1.
pub(super) const OLD_SIGNATURE_HEADER: &str = "x-hub-signature";

/// What explains the refusal.
pub(super) fn clues(callback: &Callback, secrets: &AppSecrets, retired: &AppSecrets) -> Vec<Clue> {
    let (header, body) = (callback.header(SIGNATURE_HEADER).map(str::trim).filter(|h| !h.is_empty()), &callback.body);
    let digits = header.and_then(|h| h.strip_prefix("sha256="));
    let Some(claimed) = digits.and_then(|d| hex32(d.as_bytes())) else {
        let old = callback.header(OLD_SIGNATURE_HEADER).is_some_and(|h| !h.trim().is_empty());
        let old = old || header.is_some_and(|h| h.starts_with("sha1="));
        return match digits {
            _ if old => vec![Clue::Sha1Only],
            Some(digits) if is_cut_hex(digits) => vec![Clue::Truncated],
            None if header.is_none() => vec![Clue::Unsigned],
            _ => Vec::new(),
        };
    };
    let all = [
        (retired.signed(body, &claimed), Clue::RetiredSecret),
        (spellings(body).fold(false, |fits, other| fits | secrets.signed(&other, &claimed)), Clue::Reserialised),
        (is_cut(body), Clue::Truncated),
    ];
    all.into_iter().filter_map(|(holds, clue)| holds.then_some(clue)).collect()
}
