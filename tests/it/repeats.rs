//! The same callback again: fifty times, at once, in one batch and across a restart it is one row and one message. A failure and a
//! delivery of one message end the same in either order.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::harness::{Request, Server, sign};

/// Sends a request so many times at once; each is answered 200.
fn at_once(server: &Server, request: &Request, times: usize) {
    let barrier = Barrier::new(times);
    std::thread::scope(|scope| {
        for _ in 0..times {
            scope.spawn(|| {
                barrier.wait();
                server.send(request).is(200);
            });
        }
    });
}

fn repeated_fifty_times(request: &Request, message_id: &str) {
    let server = Server::start();
    for _ in 0..10 {
        server.send(request).is(200);
    }
    at_once(&server, request, 30);
    let server = server.restart();
    for _ in 0..10 {
        server.send(request).is(200);
    }
    let all = server.callbacks();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0]["repeats"], 49);
    assert_eq!(all[0]["status"], "processed");
    let message = server.message(message_id, |m| m["state"] == "delivered");
    assert_eq!(server.find("").len(), 1);
    let events = server.detail(&message)["events"].clone();
    // What the conversation's watermark tells beside it (Facebook) is a statement of its own.
    assert_eq!(events.as_array().unwrap().iter().filter(|e| e["source"] == "webhook").count(), 1, "{events}");
}

#[test]
fn fifty_equal_zalo_callbacks_are_one() {
    let body = sign::zalo_receipt("0c1d2e3f405162738495", "4700100200300400500", 1_764_000_000_111);
    repeated_fifty_times(&sign::zalo_post(body), "0c1d2e3f405162738495");
}

#[test]
fn fifty_equal_facebook_callbacks_are_one() {
    let body = sign::facebook_body(&[sign::facebook_delivery("m_A", "7310000000012345", 1_771_234_567_890)]);
    repeated_fifty_times(&sign::facebook_post(body), "m_A");
}

#[test]
fn fifty_equal_esms_callbacks_are_one() {
    repeated_fifty_times(&sign::esms_get(&sign::esms_report("c0ffee01", 1, 0, "order-1")), "c0ffee01");
}

#[test]
fn fifty_equal_callbacks_at_once_in_a_new_store_are_one() {
    let server = Server::start();
    let body = sign::zalo_receipt("0c1d2e3f405162738495", "4700100200300400500", 1_764_000_000_111);
    at_once(&server, &sign::zalo_post(body), 50);
    let all = server.callbacks();
    assert_eq!((all.len(), &all[0]["repeats"]), (1, &json!(49)));
    let counted = server.get("/metrics").text();
    assert!(counted.contains("baophat_callbacks_total{provider=\"zalo\",outcome=\"repeat\"} 49"), "{counted}");
}

#[test]
fn a_retry_that_zalo_marks_in_a_header_is_the_same_callback() {
    let server = Server::start();
    let request = sign::zalo_post(sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111));
    server.send(&request).is(200);
    server.send(&request.header("num_retry", "1")).is(200);
    assert_eq!(server.callbacks()[0]["repeats"], 1);
}

#[test]
fn an_equal_body_at_another_account_is_another_callback() {
    let more =
        "[[account]]\nid = \"shop-oa-2\"\nprovider = \"zalo\"\napp_id = \"4100200300400500600\"\noa_secret_key = \"vector-oa-key-01\"";
    let server = Server::start_with(more);
    let body = sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111);
    server.send(&sign::zalo_post(body.clone())).is(200);
    let signature = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa-2").header("x-zevent-signature", signature).body(body)).is(200);
    assert_eq!(server.callbacks().len(), 2);
    assert_eq!(server.find("message_id=aa").len(), 2, "accounts are kept apart");
}

/// The message without what differs between two stores: our id and times of arrival.
fn comparable(server: &Server, message_id: &str) -> Value {
    let mut message = server.detail(&server.find(&format!("message_id={message_id}"))[0]);
    message["id"] = Value::Null;
    for name in ["failed_at", "queued_at", "delivered_at"] {
        message[name] = json!(message[name].is_string());
    }
    for event in message["events"].as_array_mut().unwrap() {
        event["observed_at"] = Value::Null;
        event["at"] = Value::Null;
    }
    message["events"].as_array_mut().unwrap().sort_by_key(Value::to_string);
    message
}

#[test]
fn a_failure_and_a_delivery_end_delivered_with_a_conflict_in_both_orders() {
    let failed = sign::esms_get(&sign::esms_report("c0ffee01", 0, 1, "order-1"));
    let delivered = sign::esms_get(&sign::esms_report("c0ffee01", 1, 0, "order-1"));
    let run = |order: [&Request; 2]| {
        let server = Server::start();
        for request in order {
            server.send(request).is(200);
            server.callbacks();
        }
        server.message("c0ffee01", |m| m["conflict"] == true);
        comparable(&server, "c0ffee01")
    };
    let one = run([&failed, &delivered]);
    assert_eq!(one, run([&delivered, &failed]));
    assert_eq!((&one["state"], &one["conflict"], &one["partial"]), (&json!("delivered"), &json!(true), &json!(false)));
    assert_eq!(one["failure"]["code"], "undelivered");
    assert_eq!(one["events"].as_array().unwrap().len(), 2);
}

#[test]
fn a_failed_marketing_message_that_was_delivered_is_a_conflict_in_both_orders() {
    let value = json!({"app_id": 550_011_122_233_344_i64, "page_id": 104_417_700_031_337_i64, "timestamp": 1_771_234_560_000_i64,
        "error_message": "Không gửi được", "message_id": "m_Paid"});
    let failed = json!({"object": "page", "entry": [{"id": sign::PAGE, "time": 1_771_234_568_790_i64,
        "changes": [{"field": "marketing_message_delivery_failed", "value": value}]}]});
    let failed = sign::facebook_post(failed.to_string());
    let delivered = sign::facebook_body(&[sign::facebook_delivery("m_Paid", "7310000000012345", 1_771_234_567_890)]);
    let delivered = sign::facebook_post(delivered);
    let run = |order: [&Request; 2]| {
        let server = Server::start();
        order.iter().for_each(|request| drop(server.send(request).is(200)));
        server.message("m_Paid", |m| m["conflict"] == true);
        comparable(&server, "m_Paid")
    };
    let one = run([&failed, &delivered]);
    assert_eq!(one, run([&delivered, &failed]));
    assert_eq!(one["state"], "delivered");
    assert_eq!(one["failure"]["text"], "Không gửi được");
}
