//! Requests that are not as agreed: wrong methods, paths and content types, broken queries, no key, impossible filters, forged
//! cursors, too many messages. Each is answered with what is wrong, and the server goes on.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::harness::{KEY, Request, Server, open, sign, until};

#[test]
fn a_wrong_method_on_a_webhook_is_answered_405_with_the_right_ones() {
    let server = Server::start();
    for method in ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let answer = server.send(&Request::new(method, "/webhooks/zalo/shop-oa")).is(405);
        assert!(answer.header("allow").is_some_and(|a| a.contains("POST")), "{method}");
    }
    server.send(&Request::new("PUT", "/webhooks/facebook/shop-page")).is(405);
    server.send(&Request::new("DELETE", "/webhooks/esms/shop-sms/fixture-token-0123456789")).is(405);
    assert_eq!(server.callbacks(), Vec::<Value>::new());
}

#[test]
fn an_unknown_account_or_path_is_answered_404() {
    let server = Server::start();
    let body = sign::zalo_receipt("aa", "47", 1_764_000_000_111);
    let signature = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
    for path in [
        "/webhooks/zalo/nobody",
        "/webhooks/zalo/shop-page",
        "/webhooks/facebook/shop-oa",
        "/webhooks/esms/shop-oa/fixture-token-0123456789",
        "/webhooks/zalo/shop-oa/fixture-token-0123456789",
        "/webhooks/viber/shop-oa",
        "/webhooks/zalo/SHOP-OA",
        "/webhooks/zalo/..%2fshop-oa",
        "/webhooks/zalo",
        "/webhooks",
        "/webhooks/zalo/shop-oa/a/b",
        "/nothing",
        "/v2/messages",
    ] {
        server.send(&Request::new("POST", path).header("x-zevent-signature", &signature).body(body.as_str())).is(404);
    }
    assert_eq!(server.callbacks(), Vec::<Value>::new());
    assert_eq!(server.send(&Request::new("POST", "/nothing")).problem(404), "not_found");
    assert_eq!(server.get("/v1/nothing").problem(404), "not_found");
}

#[test]
fn the_content_type_of_a_webhook_does_not_matter_and_that_of_the_api_does() {
    let server = Server::start();
    for (n, kind) in ["application/json", "text/plain", "application/x-www-form-urlencoded", "no type at all"].iter().enumerate() {
        let body = sign::zalo_receipt(&format!("a{n}"), "47", 1_764_000_000_111);
        server.send(&sign::zalo_post(body).header("content-type", *kind)).is(200);
        server.message(&format!("a{n}"), |m| m["state"] == "delivered");
    }
    let register = Request::new("POST", "/v1/messages").key(KEY).header("content-type", "text/xml").body("<a/>");
    assert_eq!(server.send(&register).problem(415), "unsupported_media_type");
}

#[test]
fn a_question_without_the_right_key_is_answered_401_and_says_how() {
    let server = Server::start();
    let ask = |value: Option<&str>| {
        let request = Request::new("GET", "/v1/messages");
        server.send(&value.into_iter().fold(request, |r, v| r.header("authorization", v)))
    };
    for wrong in [
        None,
        Some(""),
        Some("Bearer"),
        Some("Bearer "),
        Some("Bearer another-key-0123456789"),
        Some("Basic aW50ZWdyYXRpb24ta2V5LTAxMjM0NTY3ODk="),
        Some("integration-key-0123456789"),
        Some("Bearer integration-key-0123456789x"),
        Some("Bearer integration-key-012345678"),
        Some("Bearer INTEGRATION-KEY-0123456789"),
    ] {
        let answer = ask(wrong);
        assert_eq!(answer.problem(401), "unauthorized");
        assert!(answer.header("www-authenticate").is_some_and(|v| v.starts_with("Bearer")), "{wrong:?}");
    }
    ask(Some("bearer integration-key-0123456789")).is(200);
    for (method, path) in
        [("POST", "/v1/messages"), ("GET", "/v1/stuck"), ("GET", "/v1/refused"), ("GET", "/v1/nothing"), ("GET", "/v1/errors")]
    {
        assert_eq!(server.send(&Request::new(method, path)).problem(401), "unauthorized");
    }
}

#[test]
fn a_key_is_made_at_the_first_start_shown_once_and_kept() {
    let server = Server::start_without_key();
    let line = server.printed().expect("a second line");
    let key = line.strip_prefix("API key, shown only now: ").expect("a key").to_owned();
    server.send(&Request::new("GET", "/v1/messages").key(&key)).is(200);
    assert!(!server.log().contains(&key), "the key is in the log");
    let kept = std::fs::read(server.folder().join("baophat.db")).unwrap();
    assert!(!kept.windows(key.len()).any(|w| w == key.as_bytes()), "the key is in the store");
    let mut server = server.restart();
    server.send(&Request::new("GET", "/v1/messages").key(&key)).is(200);
    server.stop();
    assert_eq!(server.printed(), None, "it is not shown again");
}

#[test]
fn impossible_filters_are_answered_400_and_named() {
    let server = Server::start();
    for (query, at) in [
        ("state=lost", "state"),
        ("state=", "state"),
        ("provider=viber", "provider"),
        ("account=Shop%20OA", "account"),
        ("stuck=maybe", "stuck"),
        ("partial=1", "partial"),
        ("conflict=false", "conflict"),
        ("failure_class=bad", "failure_class"),
        ("since=yesterday", "since"),
        ("until=2026-13-01T00:00:00Z", "until"),
        ("since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=-1", "limit"),
        ("limit=1e3", "limit"),
        ("limit=99999999999999999999", "limit"),
        ("lang=fr", "lang"),
        ("stat=sent", "stat"),
        ("ref=a&ref=b", "ref"),
        ("ref=%00", "ref"),
        ("ref=%ff", "ref"),
        ("ref=%zz", "ref"),
    ] {
        let answer = server.get(&format!("/v1/messages?{query}"));
        assert_eq!(answer.problem(400), "invalid_parameter", "{query}");
        assert_eq!(answer.json()["errors"][0]["at"], at, "{query}");
    }
    for target in ["/v1/callbacks?status=lost", "/v1/callbacks?state=sent", "/v1/stuck?limit=x", "/v1/errors?family=x", "/v1/refused?a=1"] {
        assert_eq!(server.get(target).problem(400), "invalid_parameter", "{target}");
    }
    assert_eq!(server.find("account=unknown-account"), Vec::<Value>::new());
}

#[test]
fn a_query_of_8_kb_with_broken_escapes_is_answered_400_or_taken_at_a_webhook() {
    let server = Server::start();
    let broken = "%zz%".repeat(2_048);
    for target in ["/v1/messages", "/v1/callbacks", "/v1/stuck", "/v1/errors", "/v1/refused"] {
        assert_eq!(server.get(&format!("{target}?ref={broken}")).problem(400), "invalid_parameter", "{target}");
        assert_eq!(server.get(&format!("{target}?{broken}")).problem(400), "invalid_parameter", "{target}");
    }
    server.get(&format!("/livez?{broken}")).is(200);
    let report = sign::esms_report("aa", 1, 0, &broken);
    server.send(&sign::esms_get(&report)).is(200);
    server.message("aa", |m| m["state"] == "delivered");
    server.send(&sign::zalo_post(sign::zalo_receipt("bb", "47", 1_764_000_000_111))).is(200);
}

#[test]
fn a_forged_cursor_is_answered_400() {
    let server = Server::start();
    for n in 0..3 {
        server.post("/v1/messages", &json!({"account": "shop-oa", "ref": format!("r{n}")})).is(201);
    }
    let next = server.get("/v1/messages?limit=1").json()["next_cursor"].as_str().unwrap().to_owned();
    server.get(&format!("/v1/messages?limit=1&cursor={next}")).is(200);
    let flipped = if next.ends_with('A') { "B" } else { "A" };
    for forged in [
        "x".to_owned(),
        "AAAA".to_owned(),
        "%2B%2F".to_owned(),
        format!("{next}AA"),
        next[1..].to_owned(),
        next[..next.len() - 4].to_owned(),
        format!("{}{flipped}", &next[..next.len() - 1]),
        "A".repeat(28),
        "_".repeat(1_000),
    ] {
        for list in ["messages", "callbacks", "stuck"] {
            let answer = server.get(&format!("/v1/{list}?cursor={forged}"));
            assert_eq!(answer.problem(400), "invalid_parameter", "{list} {forged}");
            assert_eq!(answer.json()["errors"][0]["at"], "cursor");
        }
    }
}

#[test]
fn a_thousand_and_one_messages_are_too_many_and_a_thousand_are_not() {
    let server = Server::start();
    let many = |n: usize| Value::Array((0..n).map(|i| json!({"account": "shop-oa", "ref": format!("many-{i}")})).collect());
    assert_eq!(server.post("/v1/messages", &many(1_001)).problem(400), "too_many_messages");
    assert_eq!(server.find(""), Vec::<Value>::new());
    assert_eq!(server.post("/v1/messages", &many(1_000)).is(201).json().as_array().unwrap().len(), 1_000);
    assert_eq!(server.walk("/v1/messages?limit=500").len(), 1_000);
    assert_eq!(server.post("/v1/messages", &many(0)).is(200).json(), json!([]));
}

#[test]
fn bodies_of_the_api_that_make_no_sense_are_answered_400_with_the_place() {
    let server = Server::start();
    let post =
        |body: &str| server.send(&Request::new("POST", "/v1/messages").key(KEY).header("content-type", "application/json").body(body));
    for body in ["", "{", "[{]", "null", "\"text\"", "7", "\u{feff}{}", "[[]]", "[null]", "{\"account\":7}", "{\"ref\":\"a\"}"] {
        assert_eq!(post(body).problem(400), "invalid_json", "{body}");
    }
    post(&format!("{}{}", "[".repeat(10_000), "]".repeat(10_000))).problem(400);
    post(&format!("{{\"account\":\"shop-oa\",\"ref\":\"a\",\"metadata\":{{\"a\":{}{}}}}}", "[".repeat(10_000), "]".repeat(10_000)))
        .problem(400);
    for (body, at) in [
        (json!({"account": "nobody", "ref": "a"}), "/account"),
        (json!({"account": "shop-oa"}), "/ref"),
        (json!({"account": "shop-oa", "ref": " "}), "/ref"),
        (json!({"account": "shop-oa", "ref": "a\u{0}b"}), "/ref"),
        (json!({"account": "shop-oa", "ref": "a".repeat(513)}), "/ref"),
        (json!({"account": "shop-oa", "ref": "a", "queued_at": "soon"}), "/queued_at"),
        (json!({"account": "shop-oa", "ref": "a", "metadata": {"a": "x".repeat(17 << 10)}}), "/metadata"),
        (json!([{"account": "shop-oa", "ref": "a"}, {"account": "shop-oa", "ref": ""}]), "/1/ref"),
    ] {
        let answer = server.post("/v1/messages", &body);
        answer.problem(400);
        assert_eq!(answer.json()["errors"][0]["at"], at, "{body}");
    }
    assert_eq!(server.find(""), Vec::<Value>::new(), "all or nothing");
    let id = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "a", "surprise": 1})).is(201).json()["id"].clone();
    let id = id.as_str().unwrap();
    for (path, body) in [
        ("response", json!({"status": 99})),
        ("response", json!({"status": "200"})),
        ("response", json!([])),
        ("mark-failed", json!({})),
        ("mark-failed", json!({"reason": "  "})),
    ] {
        server.post(&format!("/v1/messages/{id}/{path}"), &body).problem(400);
    }
    let other = format!("{}{}", if id.starts_with('0') { '1' } else { '0' }, &id[1..]);
    for unknown in ["x", "0190f6c2-0000-7000-8000-000000000000", &other] {
        assert_eq!(server.get(&format!("/v1/messages/{unknown}")).problem(404), "not_found");
        assert_eq!(server.post(&format!("/v1/messages/{unknown}/response"), &json!({"status": 200})).problem(404), "not_found");
        assert_eq!(server.post(&format!("/v1/messages/{unknown}/mark-failed"), &json!({"reason": "a"})).problem(404), "not_found");
    }
    for unknown in ["0", "-1", "999999", "x", "99999999999999999999"] {
        assert_eq!(server.get(&format!("/v1/callbacks/{unknown}")).problem(404), "not_found");
        assert_eq!(server.post(&format!("/v1/callbacks/{unknown}/reprocess"), &json!({})).problem(404), "not_found");
    }
}

#[test]
fn bytes_that_are_no_http_end_their_own_connection_only() {
    let server = Server::start();
    for garbage in [b"\x16\x03\x01\x02\x00\x01\x00".as_slice(), b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n", b"GET /livez HTTP/9.9\r\n\r\n"] {
        let mut stream = open(server.address).unwrap();
        let _ = stream.write_all(garbage);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&answer));
    }
    let long = format!("/livez?{}", "a".repeat(200 << 10));
    let answer = crate::harness::exchange(server.address, &Request::new("GET", long));
    assert!(answer.map_or(true, |a| a.status >= 400));
    server.get("/livez").is(200);
}

#[test]
fn requests_that_reach_no_handler_are_counted() {
    let server = Server::start();
    let counted = || server.send(&Request::new("GET", "/metrics").key(KEY)).text();
    assert!(counted().contains("\nbaophat_malformed_requests_total 0\n"), "{}", counted());
    for refused in [b"GET /webhooks/zalo/\xc3\x28 HTTP/1.1\r\nhost: a\r\n\r\n".as_slice(), b"GET /livez HTTP/9.9\r\n\r\n"] {
        let mut stream = open(server.address).unwrap();
        stream.write_all(refused).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));
    }
    until("both are counted", || counted().contains("\nbaophat_malformed_requests_total 2\n").then_some(()));
}
