//! Which mistake explains a callback that was refused: an old key, a body written anew on the way, an HMAC, the id of another app, a
//! cut. It accepts nothing; every guess is made whether or not one before it was right.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::verify::{any_fits, claimed_text};
use crate::providers::clue::{is_cut, is_cut_hex};
use crate::providers::json::Object;
use crate::providers::spelling::spellings;
use crate::providers::{Clue, hex32};

/// Most OA ids that are tried in the place of the app's.
const OA_IDS_TRIED_MAX: usize = 16;

/// What the account has.
pub(super) struct Known<'a> {
    pub(super) app_id: &'a str,
    pub(super) keys: &'a [String],
    pub(super) retired_keys: &'a [String],
    pub(super) oa_ids: &'a [String],
}

/// What explains the refusal.
pub(super) fn clues(header: Option<&str>, body: &[u8], known: &Known<'_>) -> Vec<Clue> {
    let Ok(text) = claimed_text(header) else { return vec![Clue::Unsigned] };
    let Some(claimed) = hex32(text.as_bytes()) else {
        let cut = is_cut_hex(text) || is_cut(body);
        return if cut { vec![Clue::Truncated] } else { Vec::new() };
    };
    let top = Object::parse(body).unwrap_or_default();
    let named = top.text("app_id");
    let timestamp = top.text("timestamp").unwrap_or_default();
    let app_id = named.as_deref().unwrap_or(known.app_id);
    let unkeyed = |id: &str, body: &[u8]| Sha256::new().chain_update(id).chain_update(body).chain_update(&timestamp);

    let retired = any_fits(&unkeyed(app_id, body), known.retired_keys, &claimed);
    let respelled = spellings(body).fold(false, |fits, other| fits | any_fits(&unkeyed(app_id, &other), known.keys, &claimed));
    let parts = [app_id.as_bytes(), body, timestamp.as_bytes()];
    let hmac = known.keys.iter().fold(false, |fits, key| fits | is_hmac(key, &[body], &claimed) | is_hmac(key, &parts, &claimed));
    let oa_ids = known.oa_ids.iter().take(OA_IDS_TRIED_MAX);
    let in_other_name = oa_ids.fold(false, |fits, oa| fits | any_fits(&unkeyed(oa, body), known.keys, &claimed));
    let other_app = named.is_some_and(|named| named != known.app_id);
    let all = [
        (retired, Clue::RetiredSecret),
        (respelled, Clue::Reserialised),
        (hmac, Clue::HmacUsed),
        (in_other_name | other_app, Clue::WrongAppId),
        (is_cut(body), Clue::Truncated),
    ];
    all.into_iter().filter_map(|(holds, clue)| holds.then_some(clue)).collect()
}

fn is_hmac(key: &str, parts: &[&[u8]], claimed: &[u8; 32]) -> bool {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else { return false };
    parts.iter().for_each(|part| mac.update(part));
    mac.verify_slice(claimed).is_ok()
}
