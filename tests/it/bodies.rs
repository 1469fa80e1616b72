//! Bodies as they should not be: none, too much, no text, no sense, nested, doubled, of other types, slow, compressed. What is
//! signed is stored and answered 200 whatever it says; the server goes on in every case.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{Request, Server, TOKEN, open, read_answer, sign};

const MIB: usize = 1 << 20;

/// The only stored callback, with its raw bytes.
fn stored(server: &Server) -> Value {
    let all = server.callbacks();
    assert_eq!(all.len(), 1, "{all:?}");
    server.get(&format!("/v1/callbacks/{}", all[0]["seq"])).is(200).json()
}

/// What is signed and cannot be understood is answered 200 and kept with its bytes and the reason.
fn kept_as_error(request: &Request, body: &[u8]) {
    let server = Server::start();
    server.send(request).is(200);
    let callback = stored(&server);
    assert_eq!(callback["status"], "error");
    assert!(callback["error"].as_str().is_some_and(|why| !why.is_empty()));
    assert_eq!(STANDARD.decode(callback["body_base64"].as_str().unwrap()).unwrap(), body);
    assert_eq!(callback["body"].as_str().map(str::as_bytes), std::str::from_utf8(body).ok().map(str::as_bytes));
    assert_eq!(callback["size"], body.len());
    assert_eq!(server.find(""), Vec::<Value>::new());
}

#[test]
fn a_signed_body_of_no_bytes_is_kept_as_an_error() {
    kept_as_error(&sign::zalo_post(""), b"");
    kept_as_error(&sign::facebook_post(""), b"");
}

#[test]
fn a_signed_body_that_is_no_text_is_kept_byte_for_byte() {
    let body = [b"{\"object\":\"".as_slice(), &[0xff, 0x00, 0xc3, 0x28], b"\"}"].concat();
    kept_as_error(&sign::facebook_post(body.clone()), &body);
    let body: Vec<u8> = (0..=255).collect();
    kept_as_error(&sign::zalo_post(body.clone()), &body);
}

#[test]
fn ten_thousand_nested_arrays_are_kept_as_an_error() {
    let body = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    kept_as_error(&sign::zalo_post(body.clone()), &body);
    kept_as_error(&sign::facebook_post(body.clone()), &body);
    let open = vec![b'['; 10_000];
    kept_as_error(&sign::facebook_post(open.clone()), &open);
    let objects = [r#"{"a":"#.repeat(10_000).as_bytes(), &vec![b'}'; 9_999]].concat();
    kept_as_error(&sign::zalo_post(objects.clone()), &objects);
}

#[test]
fn nests_inside_members_that_nobody_reads_do_no_harm() {
    let server = Server::start();
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    let receipt = sign::zalo_receipt("0c1d2e3f405162738495", "4700100200300400500", 1_764_000_000_111);
    let body = format!("{{\"deep\":{},{}", String::from_utf8(deep).unwrap(), &receipt[1..]);
    server.send(&sign::zalo_post(body)).is(200);
    server.message("0c1d2e3f405162738495", |m| m["state"] == "delivered");
}

#[test]
fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let server = Server::start();
    let filled = |length: usize| {
        let head = r#"{"app_id":"4100200300400500600","event_name":"user_send_text","timestamp":"1764000000111","text":""#;
        format!("{head}{}\"}}", "a".repeat(length - head.len() - 2))
    };
    server.send(&sign::zalo_post(filled(MIB))).is(200);
    assert_eq!(stored(&server)["size"], MIB);
    let answer = server.send(&sign::zalo_post(filled(MIB + 1))).is(413);
    assert!(answer.body.is_empty());
    // Announced only.
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").header("content-length", (MIB + 1).to_string())).is(413);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").header("content-length", u64::MAX.to_string())).is(413);
    // Not announced: in chunks.
    let chunk = |bytes: &str| format!("{:x}\r\n{bytes}\r\n0\r\n\r\n", bytes.len()).into_bytes();
    let chunked = |length: usize| {
        let body = filled(length);
        let signature = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
        let request = Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", signature);
        request.header("transfer-encoding", "chunked").body(chunk(&body))
    };
    server.send(&chunked(MIB + 1)).is(413);
    server.send(&chunked(1_000)).is(200);
    assert_eq!(server.callbacks().len(), 2);
}

#[test]
fn the_limit_is_the_configured_one() {
    let server = Server::start_with("limits.body_bytes_max = 1024");
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    server.send(&sign::zalo_post(sign::zalo_receipt(&"a".repeat(1_024), "47", 1_764_000_000_111))).is(413);
}

#[test]
fn a_member_that_stands_twice_counts_with_its_last_value() {
    let server = Server::start();
    let receipt = sign::zalo_receipt("first", "4700100200300400500", 1_764_000_000_111);
    let body = receipt.replace("\"message\":", "\"message\":{\"msg_id\":\"never\"},\"message\":");
    assert_ne!(body, receipt);
    server.send(&sign::zalo_post(body)).is(200);
    server.message("first", |m| m["state"] == "delivered");
    assert_eq!(server.find("").len(), 1);
}

#[test]
fn numbers_for_texts_and_texts_for_numbers_keep_every_digit() {
    let server = Server::start();
    let zalo = r#"{"app_id":4100200300400500600,"event_name":"user_received_message","timestamp":1764000000111,
        "sender":{"id":9100200300400500601},"recipient":{"id":4700100200300400500},"message":{"msg_id":12345678901234567890123}}"#;
    server.send(&sign::zalo_post(zalo)).is(200);
    let message = server.message("12345678901234567890123", |m| m["state"] == "delivered");
    assert_eq!(message["recipient"], "4700100200300400500");
    assert_eq!(message["sender"], "9100200300400500601");
    assert_eq!(message["delivered_at"], "2025-11-24T16:00:00.111Z");
    let echo = json!({"object": "page", "entry": [{"id": 104_417_700_031_337_i64, "messaging": [{
        "sender": {"id": 104_417_700_031_337_i64}, "recipient": {"id": 73_100_000_006_000_657_i64}, "timestamp": 1_771_234_567_890_i64,
        "message": {"mid": "m_Num", "is_echo": true}}]}]});
    server.send(&sign::facebook_post(echo.to_string())).is(200);
    let message = server.message("m_Num", |m| m["state"] == "sent");
    assert_eq!(message["recipient"], "73100000006000657");
    assert_eq!(message["sent_at"], "2026-02-16T09:36:07.890Z");
}

#[test]
fn unknown_events_and_members_are_answered_200_and_ignored() {
    let server = Server::start();
    let zalo = sign::zalo_event("user_did_something_new", &json!({}), &json!({"msg_id": "x"}), 1_764_000_000_111);
    server.send(&sign::zalo_post(zalo)).is(200);
    server.send(&sign::facebook_post(r#"{"object":"page","entry":[{"id":"104417700031337","surprise":[{"a":1}]}]}"#)).is(200);
    let known = sign::facebook_delivery("m_Known", "7310000000012345", 1_771_234_567_890);
    let mut surprising = known.clone();
    surprising["delivery"]["surprise"] = json!({"a": [1, 2]});
    surprising["another"] = json!(null);
    server.send(&sign::facebook_post(sign::facebook_body(&[surprising]))).is(200);
    let statuses: Vec<Value> = server.callbacks().iter().map(|c| c["status"].clone()).collect();
    assert_eq!(statuses, ["ignored", "ignored", "processed"]);
    server.message("m_Known", |m| m["state"] == "delivered");
}

#[test]
fn a_slow_body_is_answered_408_and_the_server_goes_on() {
    let server = Server::start_with("limits.body_seconds_max = 1");
    let mut slow = open(server.address).unwrap();
    slow.write_all(b"POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"app").unwrap();
    // While it waits, others are served.
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    assert_eq!(read_answer(&mut slow).unwrap().status, 408);
    assert_eq!(server.get("/v1/refused").json()["data"][0]["reason"], "too_slow");
    let mut slow = open(server.address).unwrap();
    slow.write_all(b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer integration-key-0123456789\r\n").unwrap();
    slow.write_all(b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{").unwrap();
    assert_eq!(read_answer(&mut slow).unwrap().problem(408), "body_too_slow");
    server.send(&sign::zalo_post(sign::zalo_receipt("bb", "47", 1_764_000_000_111))).is(200);
}

#[test]
fn a_compressed_body_is_answered_415() {
    let server = Server::start();
    let body = sign::zalo_receipt("aa", "47", 1_764_000_000_111);
    for encoding in ["gzip", "br", "deflate", "zstd", "gzip, identity"] {
        server.send(&sign::zalo_post(body.clone()).header("content-encoding", encoding)).is(415);
    }
    server.send(&sign::zalo_post(body).header("content-encoding", "identity")).is(200);
    let request = Request::new("POST", "/v1/messages").key(crate::harness::KEY).header("content-encoding", "gzip");
    assert_eq!(server.send(&request.json(&json!({}))).problem(415), "compressed_body");
}

#[test]
fn esms_is_read_from_a_query_a_form_and_json_in_any_casing() {
    let server = Server::start();
    let path = format!("/webhooks/esms/shop-sms/{TOKEN}");
    let report = |id: &str| sign::esms_report(id, 1, 0, "");
    let form = "application/x-www-form-urlencoded";
    server.send(&Request::new("GET", format!("{path}?{}", report("a1")))).is(200);
    server.send(&Request::new("GET", format!("{path}/?{}", report("a2")))).is(200);
    server.send(&Request::new("POST", path.clone()).header("content-type", form).body(report("a3"))).is(200);
    server
        .send(
            &Request::new("POST", format!("{path}/"))
                .json(&json!({"smsid": "a4", "SENDSTATUS": "5", "sendSuccess": 1, "TotalReceiver": 1})),
        )
        .is(200);
    server.send(&Request::new("POST", format!("{path}?{}", report("a5")))).is(200);
    server.send(&Request::new("GET", format!("{path}?SmSiD=A6&sendstatus=5&SENDSUCCESS=1&totalRECEIVER=1"))).is(200);
    for id in ["a1", "a2", "a3", "a4", "a5", "a6"] {
        server.message(id, |m| m["state"] == "delivered");
    }
    assert_eq!(server.find("message_id=A6").len(), 1, "ids of eSMS are found in any casing");
}
