//! What may happen to a handful of messages of each provider: few ids, few references, few people, so that everything meets.

use baophat::domain::ids::AccountId;
use baophat::domain::record::{Callback, Content, Method, Registration, SendAnswer, Target};
use baophat::domain::time::Millis;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::harness::sign;

/// The account of each provider.
pub const ACCOUNTS: [&str; 3] = ["shop-oa", "shop-page", "shop-sms"];

/// When it all happens.
pub const START: i64 = 1_771_234_567_000;

/// A registered message: its account and its number there.
pub type Name = (usize, usize);

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Act {
    /// A callback: account, query, body.
    Callback(usize, String, String),
    /// A registration: with everything or only its names, with its provider's id or without.
    Register { name: Name, whole: bool, id: bool },
    /// An answer to its send call.
    Answer(Name, SendAnswer),
    /// An operator's mark.
    Mark(Name),
}

/// The sender's own id of a message.
pub fn reference((_, n): Name) -> String {
    format!("r{n}")
}

/// The provider's id of a message.
pub fn message_id(account: usize, n: usize) -> String {
    match (account, n) {
        (1, 3) => format!("mid.{}:ab", START + 3_000),
        _ => format!("id-{n}"),
    }
}

/// Whom a message goes to.
pub fn person(account: usize, n: usize) -> String {
    match account {
        0 => ["4700100200300400500", "84912000111"][n % 2].into(),
        1 => format!("731000000000000{}", n % 2),
        _ => format!("8491200011{}", n % 2),
    }
}

/// What a report of eSMS hands back of the send call. It is no part of what makes a report another one, so every report of a message
/// has the same. Two calls may share one.
pub fn request_id(n: usize) -> &'static str {
    ["r0", "r1", "r0", ""][n]
}

impl Act {
    /// The registered message that it speaks of.
    pub fn needs(&self) -> Option<Name> {
        match self {
            Act::Answer(name, _) | Act::Mark(name) => Some(*name),
            _ => None,
        }
    }

    /// The message that it registers.
    pub fn registers(&self) -> Option<Name> {
        match self {
            Act::Register { name, .. } => Some(*name),
            _ => None,
        }
    }

    /// The number of its account.
    pub fn account(&self) -> usize {
        match self {
            Act::Callback(account, _, _) => *account,
            Act::Register { name, .. } | Act::Answer(name, _) | Act::Mark(name) => name.0,
        }
    }

    /// What the inbox is handed.
    pub fn content(&self, at: Millis) -> Content {
        let target = |name: &Name| Target { reference: Some(reference(*name)), message_id: None };
        match self {
            Act::Callback(account, query, body) => Content::Callback(callback(*account, query, body, at)),
            Act::Register { name, whole, id } => Content::Registrations(vec![registration(*name, *whole, *id)]),
            Act::Answer(name, answer) => Content::Answer { target: target(name), answer: answer.clone() },
            Act::Mark(name) => Content::Mark { target: target(name), reason: "test".into() },
        }
    }
}

fn callback(account: usize, query: &str, body: &str, at: Millis) -> Callback {
    let header = match account {
        0 => Some(("x-zevent-signature", sign::zalo(body.as_bytes(), sign::ZALO_KEY))),
        1 => Some(("x-hub-signature-256", sign::facebook(body.as_bytes(), sign::FB_SECRET))),
        _ => None,
    };
    Callback {
        account: AccountId::parse(ACCOUNTS[account]).unwrap(),
        method: if account == 2 { Method::Get } else { Method::Post },
        query: query.into(),
        content_type: None,
        headers: header.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        body: body.into(),
        source: "127.0.0.1".into(),
        received_at: at,
    }
}

fn registration(name: Name, whole: bool, id: bool) -> Registration {
    let (account, n) = name;
    let mut r = Registration {
        account: Some(AccountId::parse(ACCOUNTS[account]).unwrap()),
        reference: Some(reference(name)),
        message_id: id.then(|| message_id(account, n)),
        ..Registration::default()
    };
    if whole {
        r.recipient = Some(person(account, n));
        r.sender = (account == 1).then(|| sign::PAGE.to_owned());
        r.kind = (n == 1).then(|| "care".to_owned());
        r.queued_at = Some(Millis(START + 50 * n as i64));
        r.sent_at = (n == 2).then_some(Millis(START + 2_000));
        r.scheduled_at = (n == 0).then_some(Millis(START + 86_400_000));
        r.metadata = baophat::domain::metadata::Metadata::parse(&json!({"n": n}).to_string());
    }
    r
}

/// Everything that may happen, in some order.
pub fn acts() -> impl Strategy<Value = Vec<Act>> {
    prop::collection::vec(prop_oneof![3 => zalo(), 3 => facebook(), 3 => esms(), 2 => register(), 2 => answer(), 1 => mark()], 1..40)
}

fn name() -> impl Strategy<Value = Name> {
    (0..3usize, 0..3usize)
}

fn register() -> impl Strategy<Value = Act> {
    (name(), any::<bool>(), prop::bool::weighted(0.3)).prop_map(|(name, whole, id)| Act::Register { name, whole, id })
}

fn mark() -> impl Strategy<Value = Act> {
    name().prop_map(Act::Mark)
}

fn answer() -> impl Strategy<Value = Act> {
    (name(), 0..5usize).prop_map(|(name, what)| {
        let id = message_id(name.0, name.1);
        let said = |status: u16, body: Value| SendAnswer { status: Some(status), body: body.to_string(), ..SendAnswer::default() };
        let answer = match (what, name.0) {
            (0, 0) => said(200, json!({"error": 0, "data": {"message_id": id, "sent_time": (START + 700).to_string()}})),
            (0, 1) => said(200, json!({"recipient_id": person(1, name.1), "message_id": id})),
            (0, _) => said(200, json!({"CodeResult": "100", "SMSID": id})),
            (1, 0) => said(200, json!({"error": -230, "message": "window"})),
            (1, 1) => said(400, json!({"error": {"message": "no", "code": 10, "error_subcode": 2_018_278}})),
            (1, _) => said(200, json!({"CodeResult": "103", "ErrorMessage": "no money"})),
            (2, 0) => said(200, json!({"error": -114, "message": "inactive", "data": {"msg_id": id}})),
            (2, 2) => said(200, json!({"CodeResult": "146", "SMSID": id})),
            (3, 2) => said(200, json!({"CodeResult": "124"})),
            (3, _) => said(502, json!("<html>")),
            _ => SendAnswer { status: None, body: String::new(), duration_ms: Some(10_000), error: Some("timed out".into()) },
        };
        Act::Answer(name, answer)
    })
}

fn zalo() -> impl Strategy<Value = Act> {
    (0..8usize, 0..4usize, 0..4usize, 0..3usize, 0..5i64).prop_map(|(what, n, other, person_n, late)| {
        let (id, user, at) = (message_id(0, n), person(0, person_n), START + n as i64 * 1_000 + late * 300);
        let parties = json!({"sender": {"id": sign::OA}, "recipient": {"id": user}});
        let body = match what {
            0 => sign::zalo_echo(&id, &user, at),
            1 => sign::zalo_receipt(&id, &user, at),
            2 => {
                let message = json!({"msg_id": id, "tracking_id": format!("r{}", other % 3), "delivery_time": (at + 5).to_string()});
                sign::zalo_event("user_received_message", &parties, &message, at)
            }
            3 => sign::zalo_event("user_seen_message", &parties, &json!({"msg_ids": [id, message_id(0, other)]}), at),
            4 => sign::zalo_event(
                "user_reacted_message",
                &json!({"sender": {"id": user}, "recipient": {"id": sign::OA}}),
                &json!({"msg_id": id}),
                at,
            ),
            5 => sign::zalo_event(
                "user_feedback",
                &json!({}),
                &json!({"msg_id": id, "rate": 5, "submit_time": at.to_string(), "tracking_id": format!("r{}", other % 3)}),
                at,
            ),
            6 => sign::zalo_event(
                "user_send_text",
                &json!({"sender": {"id": user}, "recipient": {"id": sign::OA}}),
                &json!({"msg_id": id}),
                at,
            ),
            _ => format!("{{\"app_id\":\"{}\",\"event_name\":\"user_received_message\",\"timestamp\":\"{at}\"}}", sign::ZALO_APP),
        };
        Act::Callback(0, String::new(), body)
    })
}

fn facebook() -> impl Strategy<Value = Act> {
    prop::collection::vec(facebook_item(), 1..4).prop_map(|items| Act::Callback(1, String::new(), sign::facebook_body(&items)))
}

fn facebook_item() -> impl Strategy<Value = Value> {
    (0..7usize, 0..4usize, 0..3usize, 0..6i64, select(vec![true, false])).prop_map(|(what, n, other, late, told)| {
        // A message belongs to one conversation.
        let (id, customer, sent) = (message_id(1, n), person(1, n), START + n as i64 * 1_000);
        let mark = START + other as i64 * 1_000 + late * 200;
        let seen = mark + 10_000 - late * 700;
        let from = json!({"sender": {"id": customer}, "recipient": {"id": sign::PAGE}, "timestamp": seen});
        let with = |name: &str, value: Value| {
            let mut item = from.clone();
            item[name] = value;
            item
        };
        match what {
            0 | 1 => {
                let mut message = json!({"mid": id, "is_echo": true, "app_id": 550_011_122_233_344_i64});
                if told {
                    message["metadata"] = format!("r{other}").into();
                }
                json!({"sender": {"id": sign::PAGE}, "recipient": {"id": customer}, "timestamp": sent, "message": message})
            }
            2 => with("delivery", json!({"mids": [id], "watermark": sent.max(mark)})),
            3 => with("delivery", json!({"watermark": mark})),
            4 => with("read", json!({"watermark": mark})),
            5 => json!({"sender": {"id": customer}, "recipient": {"id": sign::PAGE}, "timestamp": seen,
                "marketing_message_delivery_failed": {"message_id": id, "timestamp": seen, "error_message": "no"}}),
            _ => with("reaction", json!({"mid": id, "action": "react"})),
        }
    })
}

fn esms() -> impl Strategy<Value = Act> {
    let status = select(vec![1, 2, 4, 5, 5, 5, 5, 7]);
    (0..4usize, status, 0..3u32, 0..3u32, 1..3u32, any::<bool>()).prop_map(|(n, status, s, f, r, reason)| {
        let request = request_id(n);
        let reason = if reason && f > 0 { "&error_info=%7B%22error%22%3A-118%2C%22message%22%3A%22x%22%7D" } else { "" };
        let (id, phone) = (message_id(2, n), format!("091200011{}", n % 2));
        let query = format!(
            "SMSID={id}&SendStatus={status}&SendSuccess={s}&SendFailed={f}&TotalReceiver={r}&RequestId={request}&TypeId=2&phonenumber={phone}{reason}"
        );
        Act::Callback(2, query, String::new())
    })
}
