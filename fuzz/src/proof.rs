//! Who signed it, worked out anew and in other words than the program does it: from `docs/providers/`, not from `src/providers/`.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::accounts::{ESMS_TOKEN, FACEBOOK_SECRETS, PROVIDERS, ZALO_APP, ZALO_KEY};
use super::case::Case;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// SHA-256 over app id, body, timestamp and key; the two from the body's top level where it is an object and has them.
fn zalo(body: &[u8]) -> String {
    let top: HashMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| {
        let raw = top.get(name)?.get();
        let number = raw.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        serde_json::from_str::<String>(raw).ok().or_else(|| number.then(|| raw.to_owned()))
    };
    let (app, timestamp) = (text("app_id"), text("timestamp").unwrap_or_default());
    let app = app.unwrap_or_else(|| ZALO_APP.to_owned());
    hex(&Sha256::digest([app.as_bytes(), body, timestamp.as_bytes(), ZALO_KEY.as_bytes()].concat()))
}

fn facebook(body: &[u8], secret: &str) -> String {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    hex(&mac.finalize().into_bytes())
}

/// The signature that a provider would send; empty where it sends none.
pub fn sign(account: usize, body: &[u8]) -> String {
    match PROVIDERS[account] {
        "zalo" => format!("mac={}", zalo(body)),
        "facebook" => format!("sha256={}", facebook(body, FACEBOOK_SECRETS[0])),
        _ => String::new(),
    }
}

/// These headers prove this body.
pub fn signed(provider: &str, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> bool {
    match provider {
        "zalo" => header("x-zevent-signature").is_some_and(|given| {
            let given = given.trim();
            let value = match given.split_once('=') {
                Some((name, value)) if name.trim().eq_ignore_ascii_case("mac") => value.trim(),
                _ => given,
            };
            value.to_ascii_lowercase() == zalo(body)
        }),
        "facebook" => header("x-hub-signature-256").is_some_and(|given| {
            let digits = given.strip_prefix("sha256=").unwrap_or("none").to_ascii_lowercase();
            FACEBOOK_SECRETS.iter().any(|secret| digits == facebook(body, secret))
        }),
        _ => false,
    }
}

/// The case is one that its provider sent.
pub fn holds(case: &Case) -> bool {
    match PROVIDERS[case.account] {
        "esms" => case.token.as_deref().is_some_and(|t| t == ESMS_TOKEN || t.strip_suffix('/') == Some(ESMS_TOKEN)),
        provider => signed(provider, |name| case.header(name).map(str::to_owned), &case.body),
    }
}
