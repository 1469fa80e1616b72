//! Proof that a callback comes from Zalo: a SHA-256 over app id, raw body, timestamp and OA secret key.
//!
//! Source: developers.zalo.me, webhook verification (read 2026). Must not re-serialise anything: blanks, key order, escapes and
//! the spelling of numbers are part of what Zalo signed. There is no freshness window: Zalo repeats old callbacks unchanged.

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::providers::json::Object;
use crate::providers::{Refusal, hex32};

/// Accepts the callback when any of the keys fits.
///
/// # Errors
/// Why it is refused; nothing of the request.
pub(super) fn check(header: Option<&str>, body: &[u8], app_id: &str, keys: &[String]) -> Result<(), Refusal> {
    let claimed = claimed_digest(header)?;
    let signed = unkeyed(body, app_id);
    if any_fits(&signed, keys, &claimed) { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// One of the keys makes this digest. Every key is tried even after one has fitted, so that the time does not tell which.
pub(super) fn any_fits(unkeyed: &Sha256, keys: &[String], claimed: &[u8; 32]) -> bool {
    let fits = keys.iter().fold(Choice::from(0), |fits, key| {
        let digest: [u8; 32] = unkeyed.clone().chain_update(key.as_bytes()).finalize().into();
        fits | digest.ct_eq(claimed)
    });
    fits.into()
}

/// Reads `mac=<64 hex digits>`, with or without `mac=`.
pub(super) fn claimed_digest(header: Option<&str>) -> Result<[u8; 32], Refusal> {
    hex32(claimed_text(header)?.as_bytes()).ok_or(Refusal::Malformed)
}

/// The value of the header without its `mac=`.
pub(super) fn claimed_text(header: Option<&str>) -> Result<&str, Refusal> {
    let text = header.map(str::trim).filter(|h| !h.is_empty()).ok_or(Refusal::Missing)?;
    Ok(match text.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("mac") => value.trim(),
        _ => text,
    })
}

/// The hash of everything before the key. Only members at the top level count. A body that is no JSON object has none: it then
/// stands with the configured app and an empty timestamp, and parsing finds it unreadable.
fn unkeyed(body: &[u8], configured_app_id: &str) -> Sha256 {
    let top = Object::parse(body).unwrap_or_default();
    let app_id = top.text("app_id");
    let timestamp = top.text("timestamp").unwrap_or_default();
    Sha256::new()
        .chain_update(app_id.as_deref().unwrap_or(configured_app_id).as_bytes())
        .chain_update(body)
        .chain_update(timestamp.as_bytes())
}

/// What Zalo would send as the value of its header; for tests of this folder.
#[cfg(test)]
pub(super) fn sign(body: &[u8], configured_app_id: &str, key: &str) -> String {
    let digest = unkeyed(body, configured_app_id).chain_update(key.as_bytes()).finalize();
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    format!("mac={hex}")
}
