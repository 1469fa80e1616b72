//! The messages of a seeded store: five accounts, their senders, kinds and templates, customers who come back, and every fate. Message
//! `m` is a pure function of the seed and of `m`, so whoever asks questions later knows what is there without a list.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::child::MORE_ACCOUNTS;
use super::traffic::{ACCOUNTS, ESMS_TOKEN, FACEBOOK_SECRET, ZALO_APP, ZALO_KEY, esms_id, facebook_id, hex, mix, zalo_id};
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Content, Method, Registration, SendAnswer, Target};
use crate::domain::time::Millis;

/// Messages of one registering call; the most that the API takes.
pub const CALL_MESSAGES: u64 = 1_000;

/// Kinds of SMS, and one that goes through Zalo.
const ESMS_KINDS: [(&str, u32); 4] = [("sms_customer_care", 2), ("otp", 2), ("zns", 25), ("sms_advertising", 1)];

/// Codes of refused send calls and of failed reports.
const ZALO_CODES: [i32; 6] = [-118, -119, -124, -132, -144, -230];
const FACEBOOK_CODES: [(u32, u32); 4] = [(551, 1_545_041), (10, 2_018_278), (100, 2_018_001), (613, 0)];
const ESMS_CODES: [i32; 4] = [-118, -119, -108, -147];

/// Which messages a store was filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Population {
    /// Makes its ids differ from those of another.
    pub seed: u64,
    /// How many.
    pub messages: u64,
    /// The first one was sent then, in milliseconds since 1970.
    pub from_ms: i64,
    /// The last one was sent so much later.
    pub span_ms: i64,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Failed,
    /// Delivered to some recipients, failed for others (SMS only; else delivered).
    Partial,
    /// Reported as failed, then as delivered (SMS only; else delivered).
    Conflict,
    Read,
    Delivered,
}

/// One thing the server was told about a message.
pub enum Told {
    /// A callback, and the path token that proves it.
    Callback(Callback, Option<&'static str>),
    /// An answer to its send call.
    Answer(AccountId, Content),
}

fn account(slug: &str) -> AccountId {
    AccountId::parse(slug).unwrap_or_else(|_| unreachable!("a constant slug"))
}

impl Population {
    fn dice(&self, m: u64, what: u64) -> u64 {
        mix(self.seed ^ mix(m.wrapping_mul(8) + what))
    }

    /// When a message was sent.
    pub fn sent_at(&self, m: u64) -> Millis {
        let part = i128::from(self.span_ms) * i128::from(m.min(self.messages)) / i128::from(self.messages.max(1));
        Millis(self.from_ms + part as i64)
    }

    /// The account's slug.
    pub fn account(&self, m: u64) -> &'static str {
        match m % 5 {
            0 => ACCOUNTS[0],
            1 => ACCOUNTS[1],
            2 => ACCOUNTS[2],
            3 => MORE_ACCOUNTS[0],
            _ => MORE_ACCOUNTS[1],
        }
    }

    /// The sender's own id.
    pub fn reference(&self, m: u64) -> String {
        format!("order-{:x}-{m}", self.seed & 0xffff)
    }

    /// The provider's id.
    pub fn message_id(&self, m: u64) -> String {
        let (a, b) = (self.dice(m, 0), self.dice(m, 1));
        match m % 5 {
            0 | 3 => zalo_id(a, b),
            1 => facebook_id(a, b),
            _ => esms_id(a, b),
        }
    }

    /// Whom it went to: a phone number as it is shown, or a reader of the Page. About eight messages go to each.
    pub fn recipient(&self, m: u64) -> String {
        let customer = self.dice(m, 2) % (self.messages / 8 + 1);
        if m % 5 == 1 { format!("{}", 7_310_000_000_000_000 + customer) } else { format!("849{:08}", customer % 100_000_000) }
    }

    /// Who sent it.
    pub fn sender(&self, m: u64) -> String {
        match m % 5 {
            0 | 3 => format!("5797458635083528{:02}", m % 10),
            1 => format!("10441770003133{}", self.dice(m, 3) % 3),
            _ => format!("SHOP{}", self.dice(m, 3) % 4),
        }
    }

    /// Its kind.
    pub fn kind(&self, m: u64) -> &'static str {
        let dice = self.dice(m, 4);
        match m % 5 {
            0 | 3 => ["zns", "zns", "chat"][dice as usize % 3],
            1 => ["response", "utility"][dice as usize % 2],
            _ => ESMS_KINDS[dice as usize % ESMS_KINDS.len()].0,
        }
    }

    /// Its template, where its kind has one.
    pub fn template(&self, m: u64) -> Option<String> {
        let wanted = matches!(self.kind(m), "zns" | "utility");
        wanted.then(|| format!("{}", 310_000 + self.dice(m, 5) % 60))
    }

    fn fate(&self, m: u64) -> Fate {
        match self.dice(m, 6) % 100 {
            0..=9 => Fate::Failed,
            10..=12 => Fate::Partial,
            13..=14 => Fate::Conflict,
            15..=34 => Fate::Read,
            _ => Fate::Delivered,
        }
    }

    /// A failure code that some messages have.
    pub fn failure_code(&self, m: u64) -> String {
        let dice = self.dice(m, 7) as usize;
        match m % 5 {
            0 | 3 => ZALO_CODES[dice % ZALO_CODES.len()].to_string(),
            1 => FACEBOOK_CODES[dice % FACEBOOK_CODES.len()].0.to_string(),
            _ => ESMS_CODES[dice % ESMS_CODES.len()].to_string(),
        }
    }

    /// The message as its sender's system registers it.
    pub fn registration(&self, m: u64) -> Registration {
        // A refused send call has no id; a report about a refused SMS has.
        let refused = self.fate(m) == Fate::Failed && !self.is_esms(m);
        Registration {
            account: Some(account(self.account(m))),
            reference: Some(self.reference(m)),
            message_id: (!refused).then(|| self.message_id(m)),
            sender: Some(self.sender(m)),
            recipient: Some(self.recipient(m)),
            kind: Some(self.kind(m).to_owned()),
            template_id: self.template(m),
            sent_at: Some(self.sent_at(m)),
            ..Registration::default()
        }
    }

    fn is_esms(&self, m: u64) -> bool {
        !matches!(m % 5, 0 | 1 | 3)
    }

    /// What was told about it later, at a moment: one or two things, after which it is closed.
    pub fn told(&self, m: u64, at: Millis) -> Vec<Told> {
        let fate = self.fate(m);
        match m % 5 {
            0 | 3 if fate == Fate::Failed => vec![self.refused(m, format!(r#"{{"error":{},"message":"refused"}}"#, self.failure_code(m)))],
            0 | 3 if fate == Fate::Read => vec![self.zalo(m, at, "user_seen_message")],
            0 | 3 => vec![self.zalo(m, at, "user_received_message")],
            1 if fate == Fate::Failed => {
                let (code, sub) = FACEBOOK_CODES[self.dice(m, 7) as usize % FACEBOOK_CODES.len()];
                vec![self.refused(m, format!(r#"{{"error":{{"message":"refused","code":{code},"error_subcode":{sub}}}}}"#))]
            }
            1 if fate == Fate::Read => {
                vec![self.facebook(m, at, &self.delivery(m, at)), self.facebook(m, at, &format!(r#""read":{{"watermark":{}}}"#, at.0))]
            }
            1 => vec![self.facebook(m, at, &self.delivery(m, at))],
            _ => match fate {
                Fate::Failed => vec![self.esms(m, at, 0, 1, 1)],
                Fate::Partial => vec![self.esms(m, at, 2, 1, 3)],
                Fate::Conflict => vec![self.esms(m, at, 0, 1, 1), self.esms(m, at, 1, 0, 1)],
                Fate::Read | Fate::Delivered => vec![self.esms(m, at, 1, 0, 1)],
            },
        }
    }

    fn refused(&self, m: u64, body: String) -> Told {
        let target = Target { reference: Some(self.reference(m)), message_id: None };
        let answer = SendAnswer { status: Some(200), body, duration_ms: Some(180), error: None };
        Told::Answer(account(self.account(m)), Content::Answer { target, answer })
    }

    fn callback(&self, m: u64, at: Millis, query: String, body: String, header: Option<(&str, String)>) -> Callback {
        Callback {
            account: account(self.account(m)),
            method: if query.is_empty() { Method::Post } else { Method::Get },
            content_type: query.is_empty().then(|| "application/json".to_owned()),
            query,
            headers: header.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
            body: body.into_bytes(),
            source: "127.0.0.1".into(),
            received_at: at,
        }
    }

    fn zalo(&self, m: u64, at: Millis, event: &str) -> Told {
        let (id, oa, user) = (self.message_id(m), self.sender(m), self.recipient(m));
        let ids = if event == "user_seen_message" { format!(r#""msg_ids":["{id}"]"#) } else { format!(r#""msg_id":"{id}""#) };
        let body = format!(
            r#"{{"app_id":"{ZALO_APP}","event_name":"{event}","timestamp":"{}","sender":{{"id":"{oa}"}},"recipient":{{"id":"{user}"}},"message":{{{ids}}}}}"#,
            at.0
        );
        let signed = Sha256::new().chain_update(ZALO_APP).chain_update(&body).chain_update(at.0.to_string()).chain_update(ZALO_KEY);
        let header = ("x-zevent-signature", format!("mac={}", hex(&signed.finalize())));
        Told::Callback(self.callback(m, at, String::new(), body, Some(header)), None)
    }

    fn delivery(&self, m: u64, at: Millis) -> String {
        format!(r#""delivery":{{"mids":["{}"],"watermark":{}}}"#, self.message_id(m), at.0)
    }

    fn facebook(&self, m: u64, at: Millis, what: &str) -> Told {
        use hmac::{Hmac, KeyInit, Mac};
        let (page, psid) = (self.sender(m), self.recipient(m));
        let body = format!(
            r#"{{"object":"page","entry":[{{"id":"{page}","time":{0},"messaging":[{{"sender":{{"id":"{psid}"}},"recipient":{{"id":"{page}"}},"timestamp":{0},{what}}}]}}]}}"#,
            at.0
        );
        let mac = Hmac::<Sha256>::new_from_slice(FACEBOOK_SECRET.as_bytes()).map(|h| hex(&h.chain_update(&body).finalize().into_bytes()));
        let header = ("x-hub-signature-256", format!("sha256={}", mac.unwrap_or_default()));
        Told::Callback(self.callback(m, at, String::new(), body, Some(header)), None)
    }

    fn esms(&self, m: u64, at: Millis, success: u32, failed: u32, total: u32) -> Told {
        let kind = ESMS_KINDS.iter().find(|(kind, _)| *kind == self.kind(m)).map_or(2, |(_, id)| *id);
        let error = if failed > 0 { format!("&error_info={}", self.failure_code(m)) } else { String::new() };
        let query = format!(
            "SMSID={}&SendFailed={failed}&SendStatus=5&SendSuccess={success}&TotalPrice=820.0000&TotalReceiver={total}&TotalSent={success}&RequestId=&TypeId={kind}&telcoid={}&phonenumber=0{}&switchsmsid={error}",
            self.message_id(m),
            m % 6 + 1,
            &self.recipient(m)[2..],
        );
        Told::Callback(self.callback(m, at, query, String::new(), None), Some(ESMS_TOKEN))
    }
}
