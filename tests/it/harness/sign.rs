//! Signatures as the providers make them, and callbacks ready to send. Secrets and ids are those of the fixtures' READMEs.

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Request, TOKEN};

/// The Zalo app.
pub const ZALO_APP: &str = "4100200300400500600";
/// The OA secret key.
pub const ZALO_KEY: &str = "vector-oa-key-01";
/// The first OA.
pub const OA: &str = "9100200300400500601";
/// The first Facebook app secret.
pub const FB_SECRET: &str = "giay-bao-phat-demo-key-A1";
/// The second Facebook app secret.
pub const FB_SECRET_2: &str = "giay-bao-phat-demo-key-B2";
/// The first Page.
pub const PAGE: &str = "104417700031337";

/// Lower-case hex digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `mac=…` over app id, body, timestamp and key; app id and timestamp from the body's top level where it has them.
pub fn zalo(body: &[u8], key: &str) -> String {
    // One level only, numbers as they are written, the last of members that stand twice.
    let top: HashMap<String, &RawValue> = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| {
        let raw = top.get(name)?.get();
        let number = raw.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        serde_json::from_str::<String>(raw).ok().or_else(|| number.then(|| raw.to_owned()))
    };
    let app = text("app_id").unwrap_or_else(|| ZALO_APP.into());
    let parts = [app.as_bytes(), body, text("timestamp").unwrap_or_default().as_bytes(), key.as_bytes()].concat();
    format!("mac={}", hex(&Sha256::digest(parts)))
}

/// `sha256=…`, the HMAC of the body.
pub fn facebook(body: &[u8], secret: &str) -> String {
    let mut mac: Hmac<Sha256> = Hmac::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex(&mac.finalize().into_bytes()))
}

/// A signed Zalo callback.
pub fn zalo_post(body: impl Into<Vec<u8>>) -> Request {
    let body = body.into();
    Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", zalo(&body, ZALO_KEY)).body(body)
}

/// A signed Facebook callback.
pub fn facebook_post(body: impl Into<Vec<u8>>) -> Request {
    let body = body.into();
    let request = Request::new("POST", "/webhooks/facebook/shop-page").header("content-type", "application/json");
    request.header("x-hub-signature-256", facebook(&body, FB_SECRET)).body(body)
}

/// An eSMS callback.
pub fn esms_get(query: &str) -> Request {
    Request::new("GET", format!("/webhooks/esms/shop-sms/{TOKEN}?{query}"))
}

/// The body of a Zalo receipt of a chat message.
pub fn zalo_receipt(message_id: &str, user: &str, at_ms: i64) -> String {
    let parties = json!({"sender": {"id": OA}, "recipient": {"id": user}});
    zalo_event("user_received_message", &parties, &json!({"msg_id": message_id}), at_ms)
}

/// The body of a Zalo echo.
pub fn zalo_echo(message_id: &str, user: &str, at_ms: i64) -> String {
    let parties = json!({"sender": {"id": OA}, "recipient": {"id": user}});
    zalo_event("oa_send_text", &parties, &json!({"msg_id": message_id, "text": "Đơn của bạn"}), at_ms)
}

/// The body of a Zalo event.
pub fn zalo_event(name: &str, parties: &Value, message: &Value, at_ms: i64) -> String {
    json!({
        "app_id": ZALO_APP, "event_name": name, "timestamp": at_ms.to_string(),
        "sender": parties["sender"], "recipient": parties["recipient"], "message": message,
    })
    .to_string()
}

/// The body of a Facebook callback with these items of one Page.
pub fn facebook_body(items: &[Value]) -> String {
    json!({"object": "page", "entry": [{"id": PAGE, "time": 1_771_234_568_790_i64, "messaging": items}]}).to_string()
}

/// A Facebook delivery of one message.
pub fn facebook_delivery(mid: &str, customer: &str, at_ms: i64) -> Value {
    json!({"sender": {"id": customer}, "recipient": {"id": PAGE}, "timestamp": at_ms, "delivery": {"mids": [mid], "watermark": at_ms}})
}

/// The query of an eSMS report on one receiver.
pub fn esms_report(sms_id: &str, delivered: u32, failed: u32, request_id: &str) -> String {
    format!(
        "SMSID={sms_id}&SendFailed={failed}&SendStatus=5&SendSuccess={delivered}&TotalPrice=850.0000&TotalReceiver=1&TotalSent=1\
         &RequestId={request_id}&TypeId=2&telcoid=2&phonenumber=0912000111"
    )
}
