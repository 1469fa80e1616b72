//! eSMS's side: reports by GET with everything in the query. Shapes: `docs/providers/esms.md`.

use serde_json::{Value, json};

use super::{Answer, Hook, Parcel, Trouble};
use crate::demo::setting::{CALLBACK_TOKEN, OA_ID, SMS};

/// How a report counts: delivered, failed, and of how many.
#[derive(Clone, Copy, Debug)]
pub(in crate::demo) struct Count {
    /// Delivered.
    pub delivered: u32,
    /// Failed.
    pub failed: u32,
    /// Recipients.
    pub total: u32,
}

/// Code 100 says no more than that eSMS took it.
pub(super) fn accepted(parcel: &Parcel) -> Answer {
    let body = json!({ "CodeResult": "100", "CountRegenerate": 0, "SMSID": parcel.message_id });
    Answer { status: 200, body: body.to_string(), error: None }
}

/// An earlier request of the same `RequestId` was taken; there is no id in it.
pub(in crate::demo) fn already_taken() -> Answer {
    let body = json!({ "CodeResult": "124", "CountRegenerate": 0, "ErrorMessage": "RequestId was existed" });
    Answer { status: 200, body: body.to_string(), error: None }
}

/// Errors come with HTTP 200.
pub(super) fn refused(trouble: &Trouble) -> Answer {
    let body = json!({ "CodeResult": trouble.code, "CountRegenerate": 0, "ErrorMessage": trouble.words });
    Answer { status: trouble.status, body: body.to_string(), error: None }
}

/// Finished, and delivered.
pub(super) fn delivered(parcel: &Parcel) -> Hook {
    counted(parcel, Count { delivered: 1, failed: 0, total: 1 }, None)
}

/// Finished, and failed; the reason is Zalo's, as eSMS hands it on.
pub(in crate::demo) fn failed(parcel: &Parcel, trouble: &Trouble) -> Hook {
    let code = trouble.code.parse::<i64>().map_or(Value::from(trouble.code), Value::from);
    let info = json!({ "error": code, "message": trouble.words }).to_string();
    // JSON inside a JSON text: the form that ZNS reports have.
    let info = (!trouble.code.is_empty()).then(|| Value::from(info).to_string());
    counted(parcel, Count { delivered: 0, failed: 1, total: 1 }, info.as_deref())
}

/// Finished for so many.
pub(in crate::demo) fn counted(parcel: &Parcel, count: Count, error_info: Option<&str>) -> Hook {
    report(parcel, "5", count, error_info)
}

/// Not finished: 1 awaits approval, 2 awaits sending, 4 rejected, 7 handed over.
pub(in crate::demo) fn status(parcel: &Parcel, send_status: &str) -> Hook {
    report(parcel, send_status, Count { delivered: 0, failed: 0, total: 1 }, None)
}

/// A report under a token that is not ours.
pub(in crate::demo) fn wrong_token(parcel: &Parcel) -> Hook {
    Hook { path: format!("/webhooks/esms/{SMS}/somebody-guessed-this-token"), ..delivered(parcel) }
}

fn type_id(kind: &str) -> &'static str {
    match kind {
        "sms_advertising" => "1",
        "zns" => "25",
        _ => "2",
    }
}

fn report(parcel: &Parcel, send_status: &str, count: Count, error_info: Option<&str>) -> Hook {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query
        .append_pair("SMSID", &parcel.message_id)
        .append_pair("SendFailed", &count.failed.to_string())
        .append_pair("SendStatus", send_status)
        .append_pair("SendSuccess", &count.delivered.to_string())
        .append_pair("TotalPrice", if count.delivered == 0 { "0.0000" } else { "850.0000" })
        .append_pair("TotalReceiver", &count.total.to_string())
        .append_pair("TotalSent", &count.delivered.to_string())
        .append_pair("RequestId", &parcel.reference)
        .append_pair("TypeId", type_id(parcel.kind));
    if count.total == 1 {
        query.append_pair("telcoid", "1").append_pair("phonenumber", &parcel.recipient);
    }
    if let Some(template) = parcel.template {
        query.append_pair("oaid", OA_ID).append_pair("tempid", template).append_pair("partnerids", "");
        query.append_pair("error_info", error_info.unwrap_or_default());
    }
    let path = format!("/webhooks/esms/{SMS}/{CALLBACK_TOKEN}");
    Hook { path, query: query.finish(), headers: Vec::new(), body: None }
}
