//! Examples of answers for the OpenAPI document. All ids, numbers and addresses are invented. It must not know HTTP.

use serde_json::{Value, json};

use super::schema::{some_family, some_provider, some_title};

/// A message that is sent and stuck, with its timeline.
pub fn message() -> Value {
    json!({
        "id": "019c12f4-51eb-7a3d-9c41-6f0000000001", "provider": some_provider(), "account": "shop-oa", "sender": "246845883529197922",
        "message_id": "96d3cdf3af150460909f", "ref": "order-123", "kind": "zns", "recipient": "84912000111", "template_id": "7895417",
        "state": "sent", "origin": "registered", "queued_at": "2026-01-31T08:15:30.123Z", "sent_at": "2026-01-31T08:15:31.000Z",
        "delivered_at": null, "read_at": null, "failed_at": null, "scheduled_at": null,
        "recipients": { "total": 1, "delivered": 0, "failed": 0 }, "partial": false, "conflict": false, "outcome_unknown": false,
        "failure": null, "stuck": stuck(), "metadata": { "shop": "Hue" },
        "events": [{
            "at": "2026-01-31T08:15:31.000Z", "observed_at": "2026-01-31T08:15:31.210Z", "kind": "answer_accepted", "source": "api",
            "detail": { "http_status": 200 }
        }]
    })
}

fn stuck() -> Value {
    json!({
        "since": "2026-01-31T08:15:31.000Z", "deadline": "2026-01-31T10:15:31.000Z", "cause": "recipient_unreachable",
        "advice": "The provider took it and the recipient's phone has not shown it yet."
    })
}

/// A message as it stands in a list: without its timeline.
fn listed() -> Value {
    let mut message = message();
    message["events"] = json!([]);
    message
}

/// One page of messages.
pub fn message_page() -> Value {
    json!({ "data": [listed()], "next_cursor": null })
}

/// What is stuck.
pub fn stuck_page() -> Value {
    json!({ "total": 1, "groups": [stuck_group()], "data": [listed()], "next_cursor": null })
}

/// One group of stuck messages.
pub fn stuck_group() -> Value {
    json!({
        "account": "shop-oa", "kind": "zns", "state": "sent", "cause": "recipient_unreachable", "count": 1,
        "oldest_since": "2026-01-31T08:15:31.000Z", "advice": "The provider took it and the recipient's phone has not shown it yet."
    })
}

/// A failure, explained.
pub fn failure() -> Value {
    json!({
        "class": "window", "code": "-230", "subcode": null, "text": "User has not interacted with the OA in the past 7 days",
        "explanation": {
            "title": "The customer has not written for 7 days",
            "cause": "A free message may follow only within 7 days of the customer's last one.",
            "remedy": "Wait until the customer writes again, or send a template.", "retry": "after_customer_writes"
        }
    })
}

/// One line of the list of callbacks.
pub fn callback() -> Value {
    json!({
        "seq": 42, "account": "shop-oa", "provider": some_provider(), "received_at": "2026-01-31T08:15:30.123Z", "status": "error",
        "error": "the body is no JSON object", "source": "203.0.113.9", "size": 2, "repeats": 0
    })
}

/// One page of callbacks.
pub fn callback_page() -> Value {
    json!({ "data": [callback()], "next_cursor": null })
}

/// One callback with its raw bytes.
pub fn callback_detail() -> Value {
    let mut line = callback();
    if let (Some(line), Value::Object(raw)) = (
        line.as_object_mut(),
        json!({
            "method": "POST", "query": "", "content_type": "application/json", "headers": {}, "body": "[]", "body_base64": "W10="
        }),
    ) {
        line.extend(raw);
    }
    line
}

/// One entry of the failure catalogue.
pub fn entry() -> Value {
    json!({
        "provider": some_provider(), "family": some_family(), "code": "-230", "subcode": null, "class": "window",
        "retry": "after_customer_writes", "title": "The customer has not written for 7 days",
        "cause": "A free message may follow only within 7 days of the customer's last one.",
        "remedy": "Wait until the customer writes again, or send a template.", "applies_to": []
    })
}

/// A rejected template with its history.
pub fn template() -> Value {
    json!({
        "account": "shop-oa", "provider": some_provider(), "template_id": "7895417", "status": "rejected", "status_raw": "REJECT",
        "since": "2026-01-31T08:15:30.123Z", "reason": "Sai định dạng", "quality": "HIGH", "quota": null, "tags": null,
        "told_at": "2026-01-31T08:15:30.123Z", "refusals": [],
        "advice": "Read the provider's reason, edit the template in its console and submit it again.",
        "messages": {
            "total": 120, "queued": 0, "sent": 10, "delivered": 40, "read": 60, "failed": 10, "delivery_rate": 0.909,
            "failures": [{ "code": "-118", "title": "No such account", "count": 10 }]
        },
        "history": [{
            "at": "2026-01-31T08:15:30.123Z", "kind": "status", "previous": "pending", "value": "rejected", "reason": "Sai định dạng"
        }]
    })
}

/// A report on a message that failed.
pub fn report() -> Value {
    json!({
        "subject": "message", "id": "019c12f4-51eb-7a3d-9c41-6f0000000001", "lang": "en", "made_at": "2026-01-31T09:00:00.000Z", "masked": true,
        "summary": "Account shop-oa: the message failed with -230: The customer has not written for 7 days.",
        "account": "shop-oa", "provider": some_provider(), "provider_title": some_title(), "incident": null,
        "messages": [{
            "id": "019c12f4-51eb-7a3d-9c41-6f0000000001", "message_id": null, "ref": "order-123", "sender": "246845883529197922",
            "recipient": "xxxxxxxx111", "kind": "cs", "template_id": null, "state": "failed", "queued_at": "2026-01-31T08:15:30.123Z",
            "sent_at": null, "delivered_at": null, "read_at": null, "failed_at": "2026-01-31T08:15:31.210Z", "scheduled_at": null,
            "recipients": { "total": 1, "delivered": 0, "failed": 1 }, "conflict": false, "outcome_unknown": false, "failure": failure(),
            "stuck": null,
            "timeline": [{
                "at": "2026-01-31T08:15:31.210Z", "observed_at": "2026-01-31T08:15:31.210Z", "kind": "answer_refused", "source": "api",
                "detail": { "code": "-230", "http_status": 200 }
            }],
            "answers": [{
                "received_at": "2026-01-31T08:15:31.210Z", "status": 200, "duration_ms": 210, "error": null,
                "body": "{\"error\":-230,\"message\":\"User has not interacted with the OA in the past 7 days\"}", "cut": false
            }],
            "callbacks": [], "not_shown": 0
        }],
        "snapshot": {
            "standing": "connected", "reason": "well", "since": "2026-01-01T00:00:00.000Z", "last_callback_at": "2026-01-31T08:59:00.000Z",
            "last_receipt_at": "2026-01-31T08:58:00.000Z",
            "token": { "state": "accepted", "as_of": "2026-01-31T08:59:00.000Z", "expires_at": null },
            "quota": null, "template": null, "signatures_refused": 0, "callbacks_in_error": 0, "thread": null
        },
        "alike": { "what": "-230", "count": 41, "more": false, "hours": 24 },
        "checks": [{ "what": "The access token is accepted", "state": "done", "evidence": "accepted at 2026-01-31T08:59:00.000Z", "how": null }],
        "questions": ["Why did the send call at 2026-01-31T08:15:31.210Z answer -230?"],
        "channels": ["Support in the provider's console."]
    })
}

/// One page of templates.
pub fn template_page() -> Value {
    let mut listed = template();
    listed["history"] = json!([]);
    json!({ "total": 1, "data": [listed], "next_cursor": null })
}

/// A conversation that another app holds.
pub fn thread() -> Value {
    json!({
        "account": "shop-page", "sender": "104417700031337", "recipient": "7310000000012345",
        "holder": {
            "who": "other", "app_id": "990011122233344", "name": null, "since": "2026-01-31T08:16:30.123Z", "evidence": "refusal"
        },
        "last_customer_message_at": "2026-01-31T08:16:40.123Z",
        "window": { "until": "2026-02-01T08:16:40.123Z", "open": true, "free_until": null },
        "last_standby_at": "2026-01-31T08:16:40.123Z", "last_handover": null,
        "last_refusal": { "at": "2026-01-31T08:17:30.123Z", "code": "10/2018300" },
        "advice": ["Make your app the default in the Page's conversation routing.", "Take the conversation, then send again."]
    })
}

/// Something that happened.
pub fn happening() -> Value {
    json!({
        "type": "message.sent", "timestamp": "2026-01-31T08:15:31.210Z", "account": "shop-oa", "message": listed(),
        "previous_state": "queued", "cause": null, "standing": null, "incident": null
    })
}

/// The numbers of a day.
pub fn stats() -> Value {
    let quantiles = |p50: i64, count: u64| json!({ "p50": p50, "p90": p50 * 2, "p99": p50 * 5, "count": count });
    json!({
        "data": [{
            "account": "shop-oa", "kind": "zns", "template_id": null, "carrier": null, "hour": null,
            "queued": 0, "sent": 4, "delivered": 120, "read": 860, "failed": 16,
            "entered": { "queued": 1_000, "sent": 990, "delivered": 980, "read": 860, "failed": 16 }, "late": 2,
            "delivery_rate": 0.984, "failure_rate": 0.016,
            "latency": {
                "queued_to_sent": quantiles(310, 990), "sent_to_delivered": quantiles(1_900, 980), "delivered_to_read": quantiles(95_000, 860)
            },
            "failures": { "recipient": 15, "quota": 1 }, "money": { "currency": "VND", "spent": 0.0, "on_failed": 0.0 }
        }],
        "since": "2026-01-31T00:00:00.000Z", "until": "2026-02-01T00:00:00.000Z"
    })
}

/// Entries of the failure catalogue.
pub fn entry_list() -> Value {
    json!({ "data": [entry()] })
}

/// An account whose webhook fell silent.
pub fn account() -> Value {
    let counted =
        |count: u64| json!({ "count": count, "last_at": if count > 0 { json!("2026-01-31T08:15:30.123Z") } else { Value::Null } });
    json!({
        "id": "shop-oa", "provider": some_provider(), "state": "silent", "reason": "webhook_silent", "since": "2026-01-31T08:20:00.000Z",
        "explanation": {
            "title": "Webhook silent", "cause": "Many people were sent to and not one callback came back.",
            "remedy": "Check that this server can be reached, and that the webhook is still switched on in the console."
        },
        "first_callback_at": "2026-01-01T01:00:00.000Z", "last_callback_at": "2026-01-31T08:19:58.000Z",
        "last_receipt_at": "2026-01-31T08:19:58.000Z", "last_sent_at": "2026-01-31T08:58:00.000Z",
        "events": [{
            "group": "user_seen_message", "role": "receipt", "count": 0, "last_at": null, "expected": true, "missing": true,
            "switch": "Read receipts. Switch on user_seen_message on the app's Webhook page."
        }],
        "never_seen": ["user_seen_message"],
        "refused": { "in_a_row": 0, "since": null, "by_reason": [{ "reason": "mismatch", "count": 2, "last_at": "2026-01-20T03:00:00.000Z" }] },
        "tokens": [{
            "sender": "246845883529197922", "state": "valid", "accepted_at": "2026-01-31T08:58:00.000Z", "refused_at": null, "code": null,
            "revoked_at": null
        }],
        "token_ends_at": null, "limits": [{ "name": "remaining", "value": "4210", "at": "2026-01-31T08:58:00.000Z" }], "policy": null,
        "counters": {
            "callbacks": 18_204, "duplicates": counted(12), "late": counted(3), "orphans": counted(0), "unknown_codes": counted(0),
            "errors": counted(0), "malformed": counted(0)
        },
        "usual": { "receipt_share": 0.91, "receipt_within_ms": 21_000, "missing_after_ms": 600_000 }
    })
}

/// Every account.
pub fn account_list() -> Value {
    json!({ "data": [account()] })
}

/// An incident that goes on.
pub fn incident() -> Value {
    json!({
        "id": "12", "account": "shop-oa", "trouble": "webhook_silent", "class": null, "code": null, "subcode": null, "template_id": null,
        "carrier": null, "open": true, "urgent": true, "since": "2026-01-31T08:20:00.000Z", "opened_at": "2026-01-31T08:41:12.000Z",
        "last_at": "2026-01-31T08:58:00.000Z", "closed_at": null, "size": 41, "stuck_now": 41, "recipients": 39,
        "examples": ["019c12f4-51eb-7a3d-9c41-6f0000000001"], "title": "Webhook silent", "cause": null,
        "remedy": "Check that this server can be reached, and that the webhook is still switched on in the console."
    })
}

/// One page of incidents.
pub fn incident_page() -> Value {
    json!({ "data": [incident()], "next_before": null })
}
