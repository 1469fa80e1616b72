//! Zalo's side: chat of an OA and templates to a phone number. Shapes: `docs/providers/zalo.md`.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Answer, Hook, Parcel, Trouble};
use crate::demo::setting::{OA, OA_ID, OA_SECRET_KEY, ZALO_APP_ID};
use crate::domain::time::Millis;

/// `error` 0 and the id.
pub(super) fn accepted(parcel: &Parcel) -> Answer {
    let id = if parcel.template.is_some() { "msg_id" } else { "message_id" };
    let data = json!({ id: parcel.message_id, "sent_time": parcel.server_time.0.to_string() });
    Answer { status: 200, body: json!({ "error": 0, "message": "Success", "data": data }).to_string(), error: None }
}

/// Most errors come with HTTP 200; a status that says it all comes without a code.
pub(super) fn refused(trouble: &Trouble) -> Answer {
    let told = trouble.code.parse::<i64>().ok().map(|code| json!({ "error": code, "message": trouble.words }).to_string());
    Answer { status: trouble.status, body: told.unwrap_or_default(), error: None }
}

/// The OA sent something, from whatever system.
pub(super) fn echo(parcel: &Parcel) -> Hook {
    let message = json!({ "msg_id": parcel.message_id, "text": parcel.text });
    from_oa("oa_send_text", parcel, message, parcel.server_time)
}

/// The phone received it.
pub(super) fn received(parcel: &Parcel, at: Millis) -> Hook {
    match parcel.template {
        None => from_oa("user_received_message", parcel, json!({ "msg_id": parcel.message_id }), at),
        Some(_) => {
            let message = json!({ "msg_id": parcel.message_id, "delivery_time": at.0.to_string(), "tracking_id": parcel.reference });
            of_zns(from_oa("user_received_message", parcel, message, at))
        }
    }
}

/// The customer saw it.
pub(super) fn seen(parcel: &Parcel, at: Millis) -> Hook {
    from_oa("user_seen_message", parcel, json!({ "msg_ids": [parcel.message_id] }), at)
}

/// The customer rated through the template, and so has read it.
pub(super) fn rated(parcel: &Parcel, at: Millis) -> Hook {
    let message = json!({
        "msg_id": parcel.message_id, "tracking_id": parcel.reference, "rate": 5, "note": "Giao nhanh, đóng gói cẩn thận",
        "feedbacks": ["Đúng hẹn"], "submit_time": at.0.to_string(),
    });
    of_zns(hook(json!({
        "event_name": "user_feedback", "app_id": ZALO_APP_ID, "oa_id": OA_ID, "timestamp": at.0.to_string(),
        "sender": { "id": parcel.recipient }, "recipient": { "id": OA_ID }, "message": message,
    })))
}

/// A customer writes; nothing about a message of ours.
pub(in crate::demo) fn inbound(user: &str, id: &str, text: &str, at: Millis) -> Hook {
    hook(json!({
        "event_name": "user_send_text", "app_id": ZALO_APP_ID, "timestamp": at.0.to_string(),
        "sender": { "id": user }, "recipient": { "id": OA_ID }, "message": { "msg_id": id, "text": text },
    }))
}

/// Correctly signed, and a receipt of nothing.
pub(in crate::demo) fn unintelligible(at: Millis) -> Hook {
    hook(json!({
        "event_name": "user_received_message", "app_id": ZALO_APP_ID, "timestamp": at.0.to_string(),
        "sender": { "id": OA_ID }, "message": { "msg_id": null },
    }))
}

/// The same bytes under a signature of somebody who does not know the key.
pub(in crate::demo) fn forged(parcel: &Parcel, at: Millis, digits: String) -> Hook {
    let mut hook = received(parcel, at);
    hook.headers.retain(|(name, _)| *name != "x-zevent-signature");
    hook.headers.push(("x-zevent-signature", format!("mac={digits}")));
    hook
}

fn from_oa(event: &str, parcel: &Parcel, message: Value, at: Millis) -> Hook {
    hook(json!({
        "event_name": event, "app_id": ZALO_APP_ID, "timestamp": at.0.to_string(),
        "sender": { "id": OA_ID }, "recipient": { "id": parcel.recipient }, "message": message,
    }))
}

fn of_zns(mut hook: Hook) -> Hook {
    hook.headers.push(("x-zevent-server", "ZNS".to_owned()));
    hook
}

/// Signed: SHA-256 over app id, body, timestamp and key.
fn hook(body: Value) -> Hook {
    let timestamp = body["timestamp"].as_str().unwrap_or_default().to_owned();
    let body = body.to_string();
    let digest = Sha256::digest(format!("{ZALO_APP_ID}{body}{timestamp}{OA_SECRET_KEY}"));
    let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
    Hook {
        path: format!("/webhooks/zalo/{OA}"),
        query: String::new(),
        headers: vec![("content-type", "application/json".to_owned()), ("x-zevent-signature", format!("mac={hex}"))],
        body: Some(body),
    }
}
