//! Meta's side: echoes, receipts and watermarks of a Page. Shapes: `docs/providers/facebook.md`.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Answer, Hook, Parcel, Trouble};
use crate::demo::setting::{APP_SECRET, META_APP_ID, PAGE, PAGE_ID};
use crate::domain::time::Millis;

/// The ids of customer and message.
pub(super) fn accepted(parcel: &Parcel) -> Answer {
    let body = json!({ "recipient_id": parcel.recipient, "message_id": parcel.message_id });
    Answer { status: 200, body: body.to_string(), error: None }
}

/// An error object with code, sub-code and trace.
pub(super) fn refused(trouble: &Trouble) -> Answer {
    let number = |text: &str| text.parse::<i64>().map_or(Value::Null, Value::from);
    let mut error = json!({
        "message": trouble.words, "type": "OAuthException", "code": number(trouble.code), "fbtrace_id": "ADemoTraceOfNobody",
    });
    if !trouble.subcode.is_empty() {
        error["error_subcode"] = number(trouble.subcode);
    }
    Answer { status: trouble.status, body: json!({ "error": error }).to_string(), error: None }
}

/// Messages that were sent to one customer, in one callback.
pub(in crate::demo) fn echo(parcels: &[&Parcel]) -> Hook {
    let item = |p: &&Parcel| {
        json!({
            "sender": { "id": PAGE_ID }, "recipient": { "id": p.recipient }, "timestamp": p.server_time.0,
            "message": { "mid": p.message_id, "is_echo": true, "app_id": number(META_APP_ID), "metadata": p.reference, "text": p.text },
        })
    };
    let last = parcels.iter().map(|p| p.server_time).max().unwrap_or_default();
    hook(parcels.iter().map(item).collect(), last)
}

/// The receipt of messages to one customer.
pub(in crate::demo) fn delivered(parcels: &[&Parcel], at: Millis) -> Hook {
    let mids: Vec<&str> = parcels.iter().map(|p| p.message_id.as_str()).collect();
    about(parcels, at, "delivery", |watermark| json!({ "mids": mids, "watermark": watermark }))
}

/// Everything up to this message was read; a read names no message.
pub(in crate::demo) fn read(parcel: &Parcel, at: Millis) -> Hook {
    about(&[parcel], at, "read", |watermark| json!({ "watermark": watermark }))
}

/// A body that was not signed by Meta.
pub(in crate::demo) fn unsigned(parcel: &Parcel, at: Millis) -> Hook {
    let mut hook = delivered(&[parcel], at);
    hook.headers.retain(|(name, _)| *name != "x-hub-signature-256");
    hook
}

fn about(parcels: &[&Parcel], at: Millis, key: &str, receipt: impl Fn(i64) -> Value) -> Hook {
    let newest = parcels.iter().map(|p| p.server_time.0).max().unwrap_or_default();
    let customer = parcels.first().map(|p| p.recipient.as_str()).unwrap_or_default();
    let mut item = json!({ "sender": { "id": customer }, "recipient": { "id": PAGE_ID }, "timestamp": at.0 });
    item[key] = receipt(newest);
    hook(vec![item], at)
}

fn number(digits: &str) -> Value {
    digits.parse::<u64>().map_or(Value::Null, Value::from)
}

/// Signed: HMAC-SHA256 over the body, which Meta writes in ASCII.
fn hook(items: Vec<Value>, at: Millis) -> Hook {
    let body = json!({ "object": "page", "entry": [{ "id": PAGE_ID, "time": at.0, "messaging": items }] });
    let body = in_ascii(&body.to_string());
    let mut headers = vec![("content-type", "application/json".to_owned())];
    if let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()) {
        mac.update(body.as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        headers.push(("x-hub-signature-256", format!("sha256={hex}")));
    }
    Hook { path: format!("/webhooks/facebook/{PAGE}"), query: String::new(), headers, body: Some(body) }
}

/// Everything outside ASCII as `\u` and four digits, as Meta writes it and signs it.
fn in_ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            let mut units = [0u16; 2];
            c.encode_utf16(&mut units).iter().for_each(|u| out.push_str(&format!("\\u{u:04x}")));
        }
    }
    out
}
