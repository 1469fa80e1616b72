//! Signed callbacks of all three providers, each one unique, in the proportions of ordinary traffic.
//!
//! Every message lives through three callbacks; its later ones come some thousand callbacks after its first, as they do in life. Callback
//! number `i` is a pure function of the seed and of `i`, so the audit knows what was acknowledged without keeping bodies.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::domain::state::State;

/// The account slugs of the generated configuration.
pub const ACCOUNTS: [&str; 3] = ["bench-zalo", "bench-facebook", "bench-esms"];

/// Made-up secrets of the generated configuration.
pub const ZALO_APP: &str = "4100000000000000001";
/// OA secret key.
pub const ZALO_KEY: &str = "bench-oa-secret-key";
/// App secret.
pub const FACEBOOK_SECRET: &str = "bench-facebook-app-secret";
/// Path token.
pub const ESMS_TOKEN: &str = "bench-callback-token-0001";

/// How many callbacks of other messages lie between two callbacks of one message.
const APART: u64 = 3_000;

/// How many customers the Page writes to.
const CUSTOMERS: u64 = 200_000;

/// The generator.
#[derive(Clone, Copy, Debug)]
pub struct Traffic {
    /// Makes the ids of one run differ from those of another.
    pub seed: u64,
    /// The time of the first callback, milliseconds since 1970.
    pub start_ms: i64,
    /// What the numbers of the callbacks mean.
    pub course: Course,
}

/// In which order callbacks come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// As in life: three for each message, some thousand callbacks apart.
    Lives,
    /// Callback `i` proves the delivery of message `i`, and there is no other.
    Receipts,
    /// As in life, and every signature is wrong.
    Forged,
}

/// What an acknowledged callback promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Account slug.
    pub account: &'static str,
    /// The provider's id.
    pub message_id: String,
    /// The message is at least this far.
    pub at_least: State,
}

pub(super) fn mix(mut z: u64) -> u64 {
    z = z.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Traffic {
    /// Which message callback `i` speaks of, and which of its three it is.
    fn place(&self, i: u64) -> (u64, u64) {
        if self.course == Course::Receipts {
            return (i, if i % 3 == 2 { 2 } else { 1 });
        }
        let step = i % 3;
        (i / 3 + (2 - step) * (APART / 3), step)
    }

    /// The account and the provider's id of a message.
    pub fn message(&self, message: u64) -> (&'static str, String) {
        let (a, b) = self.id(message);
        match message % 3 {
            0 => (ACCOUNTS[0], zalo_id(a, b)),
            1 => (ACCOUNTS[1], facebook_id(a, b)),
            _ => (ACCOUNTS[2], esms_id(a, b)),
        }
    }

    fn id(&self, message: u64) -> (u64, u64) {
        (mix(self.seed ^ message), mix(self.seed.rotate_left(17) ^ message))
    }

    /// The secret that signs, or one of the same length that does not.
    fn key(&self, key: &'static str) -> &'static str {
        const WRONG: &str = "not-the-key-that-anybody-has-configured";
        if self.course == Course::Forged { &WRONG[..key.len().min(WRONG.len())] } else { key }
    }

    /// Writes the whole HTTP request of callback `i`.
    pub fn request(&self, i: u64, out: &mut Vec<u8>) {
        use std::io::Write;
        out.clear();
        let (message, step) = self.place(i);
        let (a, b) = self.id(message);
        let ms = self.start_ms + message as i64;
        // Writing into a Vec cannot fail.
        let _ = match message % 3 {
            0 => {
                let body = zalo(a, b, ms, step);
                let mac = hex(&Sha256::new()
                    .chain_update(ZALO_APP)
                    .chain_update(&body)
                    .chain_update(ms.to_string())
                    .chain_update(self.key(ZALO_KEY))
                    .finalize());
                write!(
                    out,
                    "POST /webhooks/zalo/{} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-ZEvent-Signature: mac={mac}\r\nContent-Length: {}\r\n\r\n{body}",
                    ACCOUNTS[0],
                    body.len()
                )
            }
            1 => {
                let body = facebook(a, b, ms, message % CUSTOMERS, step);
                let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(self.key(FACEBOOK_SECRET).as_bytes()) else { return };
                hmac.update(body.as_bytes());
                let mac = hex(&hmac.finalize().into_bytes());
                write!(
                    out,
                    "POST /webhooks/facebook/{} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nX-Hub-Signature-256: sha256={mac}\r\nContent-Length: {}\r\n\r\n{body}",
                    ACCOUNTS[1],
                    body.len()
                )
            }
            _ => {
                let query = esms(a, b, message, step);
                write!(out, "GET /webhooks/esms/{}/{}?{query} HTTP/1.1\r\nHost: bench\r\n\r\n", ACCOUNTS[2], self.key(ESMS_TOKEN))
            }
        };
    }

    /// What the server owes once it acknowledged callback `i`.
    pub fn promise(&self, i: u64) -> Promise {
        let (message, step) = self.place(i);
        let (account, message_id) = self.message(message);
        let states = match message % 3 {
            0 => [State::Sent, State::Delivered, State::Read],
            1 => [State::Sent, State::Delivered, State::Queued],
            _ => [State::Queued, State::Sent, State::Delivered],
        };
        // A Facebook read is a watermark: it moves the message only once an echo or a delivery told of it, so alone it promises nothing.
        Promise { account, message_id, at_least: states[step as usize] }
    }

    /// Callback `i` alone makes its message known.
    pub fn makes_known(&self, i: u64) -> bool {
        let (message, step) = self.place(i);
        !(message % 3 == 1 && step == 2)
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|b| [DIGITS[(b >> 4) as usize] as char, DIGITS[(b & 15) as usize] as char]).collect()
}

pub(super) fn zalo_id(a: u64, b: u64) -> String {
    format!("{a:016x}{:04x}", b as u16)
}

pub(super) fn facebook_id(a: u64, b: u64) -> String {
    format!("m_{a:016x}{b:016x}{:016x}", a.rotate_left(21) ^ b)
}

pub(super) fn esms_id(a: u64, b: u64) -> String {
    format!("{a:016x}{b:016x}")
}

fn zalo(a: u64, b: u64, ms: i64, step: u64) -> String {
    let id = zalo_id(a, b);
    let user = 4_000_000_000_000_000_000 + (b >> 4);
    match step {
        0 => format!(
            r#"{{"app_id":"{ZALO_APP}","sender":{{"id":"579745863508352884"}},"recipient":{{"id":"{user}"}},"event_name":"oa_send_text","message":{{"text":"Đơn hàng {} đã được xác nhận, dự kiến giao trong ngày mai.","msg_id":"{id}"}},"timestamp":"{ms}"}}"#,
            b % 1_000_000
        ),
        1 => format!(
            r#"{{"app_id":"{ZALO_APP}","event_name":"user_received_message","timestamp":"{ms}","sender":{{"id":"579745863508352884"}},"recipient":{{"id":"{user}"}},"message":{{"msg_id":"{id}"}}}}"#
        ),
        _ => format!(
            r#"{{"app_id":"{ZALO_APP}","event_name":"user_seen_message","timestamp":"{ms}","sender":{{"id":"579745863508352884"}},"recipient":{{"id":"{user}"}},"message":{{"msg_ids":["{id}"]}}}}"#
        ),
    }
}

fn facebook(a: u64, b: u64, ms: i64, customer: u64, step: u64) -> String {
    let id = facebook_id(a, b);
    let psid = 7_310_000_000_000_000 + customer;
    let head = format!(r#"{{"object":"page","entry":[{{"id":"104417700031337","time":{},"messaging":[{{"#, ms + 40);
    let item = match step {
        0 => format!(
            r#""sender":{{"id":"104417700031337"}},"recipient":{{"id":"{psid}"}},"timestamp":{ms},"message":{{"mid":"{id}","is_echo":true,"app_id":1517776481860111,"text":"\u0110\u01a1n {} \u0111ang giao"}}"#,
            b % 1_000_000
        ),
        1 => format!(
            r#""sender":{{"id":"{psid}"}},"recipient":{{"id":"104417700031337"}},"timestamp":{},"delivery":{{"mids":["{id}"],"watermark":{ms}}}"#,
            ms + 900
        ),
        _ => format!(
            r#""sender":{{"id":"{psid}"}},"recipient":{{"id":"104417700031337"}},"timestamp":{},"read":{{"watermark":{ms}}}"#,
            ms + 5_000
        ),
    };
    format!("{head}{item}}}]}}]}}")
}

fn esms(a: u64, b: u64, message: u64, step: u64) -> String {
    let (status, success) = match step {
        0 => (2, 0),
        1 => (7, 0),
        _ => (5, 1),
    };
    format!(
        "SMSID={}&SendFailed=0&SendStatus={status}&SendSuccess={success}&TotalPrice=820.0000&TotalReceiver=1&TotalSent={success}&RequestId=&TypeId=2&telcoid={}&phonenumber=09{:08}&switchsmsid=",
        esms_id(a, b),
        message % 6 + 1,
        b % 100_000_000
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_callback_is_unique_and_every_message_gets_three() {
        let traffic = Traffic { seed: 7, start_ms: 1_764_000_000_000, course: Course::Lives };
        let mut seen = HashSet::new();
        let mut ids = std::collections::HashMap::new();
        let mut out = Vec::new();
        for i in 0..12_000 {
            traffic.request(i, &mut out);
            assert!(seen.insert(out.clone()), "{i}");
            *ids.entry(traffic.promise(i).message_id).or_insert(0) += 1;
        }
        assert!(ids.values().filter(|n| **n == 3).count() > 1_500);
        assert!(ids.values().all(|n| *n <= 3));
    }
}
