//! Signatures of webhooks that go out, by the Standard Webhooks specification: HMAC-SHA256 over id, time and body, one for each secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The secrets of one receiver, keyed once.
#[derive(Clone)]
pub struct Signer(Vec<Hmac<Sha256>>);

impl Signer {
    /// From secrets as they are written: `whsec_` and base64. What is no base64 was refused by the configuration and signs nothing.
    pub fn new<'s>(secrets: impl Iterator<Item = &'s str>) -> Signer {
        let key = |secret: &str| STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok();
        Signer(secrets.filter_map(key).filter_map(|key| Hmac::new_from_slice(&key).ok()).collect())
    }

    /// The value of `webhook-signature`: a signature by each secret, so that a receiver that knows one of them is content.
    pub fn signatures(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let one = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            mac.update(format!("{id}.{seconds}.").as_bytes());
            mac.update(body);
            format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
        };
        self.0.iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_vector_of_the_specification_holds() {
        let body = br#"{"test": 2432232314}"#;
        let signed = Signer::new([SECRET].into_iter()).signatures("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_secret_signs_and_any_change_changes_the_signature() {
        let other = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";
        let (one, two) = (Signer::new([SECRET].into_iter()), Signer::new([other].into_iter()));
        let both = Signer::new([SECRET, other].into_iter()).signatures("evt_1", 7, b"{}");
        assert_eq!(both, format!("{} {}", one.signatures("evt_1", 7, b"{}"), two.signatures("evt_1", 7, b"{}")));
        for (id, at, body) in [("evt_2", 7, &b"{}"[..]), ("evt_1", 8, b"{}"), ("evt_1", 7, b"{ }")] {
            assert_ne!(one.signatures(id, at, body), one.signatures("evt_1", 7, b"{}"));
        }
    }
}
