//! Heads that are too long: a line, a header, all headers together, too many of them. 4xx, the end of the connection, and no more.

use super::wire::say;
use crate::harness::{KEY, Request, Server, sign};

fn refused(head: &str) {
    let server = Server::start();
    let heard = say(&server, head.as_bytes());
    // Whoever still writes when the end comes may lose the answer, never get another.
    assert!(heard.ended && heard.statuses.len() <= 1, "{heard:?}");
    assert!(heard.statuses.iter().all(|s| [400, 414, 431].contains(s)), "{heard:?}");
    server.send(&sign::zalo_post(sign::zalo_receipt("after", "47", 1_764_000_000_111))).is(200);
    assert_eq!(server.callbacks().len(), 1);
}

#[test]
fn a_header_of_a_quarter_of_a_mebibyte_is_refused() {
    refused(&format!("GET /livez HTTP/1.1\r\nhost: a\r\nx-a: {}\r\n\r\n", "a".repeat(256 << 10)));
}

#[test]
fn a_request_line_of_a_quarter_of_a_mebibyte_is_refused() {
    refused(&format!("GET /livez?{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(256 << 10)));
    refused(&format!("{} /livez HTTP/1.1\r\nhost: a\r\n\r\n", "A".repeat(256 << 10)));
}

#[test]
fn a_thousand_headers_are_refused() {
    refused(&format!("GET /livez HTTP/1.1\r\nhost: a\r\n{}\r\n", "x-a: b\r\n".repeat(1_000)));
}

#[test]
fn headers_without_end_are_refused() {
    refused(&format!("GET /livez HTTP/1.1\r\nhost: a\r\nx-a: {}", "a\tb".repeat(100 << 10)));
    refused(&format!("GET /livez HTTP/1.1\r\nhost: a\r\nx-a{}", "a".repeat(300 << 10)));
}

#[test]
fn long_heads_within_the_limit_are_answered() {
    let server = Server::start();
    let callback = sign::zalo_post(sign::zalo_receipt("long", "47", 1_764_000_000_111));
    let callback = (0..80).fold(callback, |r, n| r.header(&format!("x-{n}"), "a".repeat(1_000)));
    server.send(&callback).is(200);
    server.message("long", |m| m["state"] == "delivered");
    let long = "a".repeat(60_000);
    server.send(&Request::new("GET", format!("/livez?{long}"))).is(200);
    server.send(&Request::new("GET", format!("/webhooks/zalo/{long}"))).is(404);
    server.send(&Request::new("GET", "/v1/messages").header("authorization", format!("Bearer {long}"))).is(401);
    server.send(&Request::new("GET", "/v1/messages").key(KEY).header("x-request-id", &long)).is(200);
    // What is kept of names that strangers chose is short, in the list and in the log.
    let listed = server.get("/v1/refused").text();
    assert!(listed.len() < 1_000, "{} bytes", listed.len());
    assert!(server.log().len() < 10_000, "{} bytes", server.log().len());
}
