//! Who may speak: the signature of a callback and the subscription handshake, both over what was received, byte for byte.
//!
//! It must not know what a callback says: one app secret signs for every Page of the app, and the Page is known only from the
//! body, so proving comes first. Rules and vectors: `docs/providers/facebook.md`, `fixtures/facebook/vectors.json`.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::providers::{Handshake, Refusal, hex32};

/// The header with the signature, lower case. The older `X-Hub-Signature` (SHA-1) is not kept: it never counts.
pub(super) const SIGNATURE_HEADER: &str = "x-hub-signature-256";

/// The app secrets that are accepted, ready to sign.
pub(super) struct AppSecrets(Vec<Hmac<Sha256>>);

impl AppSecrets {
    /// Takes every configured secret: after a reset at Meta the old one is void at once, but a callback may be on its way.
    pub(super) fn new(secrets: &[String]) -> AppSecrets {
        AppSecrets(secrets.iter().filter_map(|s| Hmac::new_from_slice(s.as_bytes()).ok()).collect())
    }

    /// Proves that a body was signed with one of the secrets.
    pub(super) fn verify(&self, header: Option<&str>, body: &[u8]) -> Result<(), Refusal> {
        let digits = header.ok_or(Refusal::Missing)?.strip_prefix("sha256=").ok_or(Refusal::Malformed)?;
        let claimed = hex32(digits.as_bytes()).ok_or(Refusal::Malformed)?;
        if self.signed(body, &claimed) { Ok(()) } else { Err(Refusal::Mismatch) }
    }

    /// One of the secrets makes this signature. Every one is tried, so that the time does not tell which.
    pub(super) fn signed(&self, body: &[u8], claimed: &[u8; 32]) -> bool {
        let mut fits = Choice::from(0);
        for secret in &self.0 {
            let mut mac = secret.clone();
            mac.update(body);
            fits |= mac.finalize().into_bytes().as_slice().ct_eq(claimed.as_slice());
        }
        fits.into()
    }
}

/// The verify tokens that are accepted, hashed so that comparing them takes equally long for every length.
pub(super) struct VerifyTokens(Vec<[u8; 32]>);

impl VerifyTokens {
    /// Takes every configured token.
    pub(super) fn new(tokens: &[String]) -> VerifyTokens {
        VerifyTokens(tokens.iter().map(|t| Sha256::digest(t.as_bytes()).into()).collect())
    }

    fn accept(&self, token: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(token).into();
        self.0.iter().fold(Choice::from(0), |fits, known| fits | known.ct_eq(&given)).into()
    }

    /// Answers the handshake. A repeated `hub.` parameter is refused: whoever sends two means no good by one of them.
    pub(super) fn handshake(&self, query: &str) -> Handshake {
        let (mut mode, mut token, mut challenge) = (None, None, None);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let slot = match decoded(name).as_slice() {
                b"hub.mode" => &mut mode,
                b"hub.verify_token" => &mut token,
                b"hub.challenge" => &mut challenge,
                _ => continue,
            };
            if slot.replace(decoded(value)).is_some() {
                return Handshake::Refused;
            }
        }
        let known = token.is_some_and(|token| self.accept(&token));
        match challenge.and_then(|bytes| String::from_utf8(bytes).ok()) {
            Some(text) if known && mode.as_deref() == Some(b"subscribe") && !text.is_empty() => Handshake::Challenge(text),
            _ => Handshake::Refused,
        }
    }
}

/// Undoes percent-encoding and `+` for a blank; a `%` without two hex digits stands for itself.
fn decoded(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        out.push(match (*first, tail) {
            (b'+', _) => b' ',
            (b'%', [high, low, after @ ..]) => match ((*high as char).to_digit(16), (*low as char).to_digit(16)) {
                (Some(high), Some(low)) => {
                    rest = after;
                    (high << 4 | low) as u8
                }
                _ => b'%',
            },
            (byte, _) => byte,
        });
    }
    out
}
