//! Who is let in: wrong, missing, truncated and re-encoded signatures and tokens are refused with 401 and an empty body, nothing is
//! stored, every refusal is counted and can be looked at without its secrets.

use serde_json::{Value, json};

use crate::harness::{Request, Server, TOKEN, sign};

fn zalo(body: &str, signature: &str) -> Request {
    Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", signature).body(body)
}

fn facebook(body: &str, signature: &str) -> Request {
    Request::new("POST", "/webhooks/facebook/shop-page").header("x-hub-signature-256", signature).body(body)
}

/// Each is refused, and nothing is stored.
fn refused(requests: &[(&str, Request)]) {
    let server = Server::start();
    for (name, request) in requests {
        let answer = server.send(request);
        assert_eq!(answer.status, 401, "{name}");
        assert!(answer.body.is_empty(), "{name}");
    }
    assert_eq!(server.callbacks(), Vec::<Value>::new());
    let listed = server.get("/v1/refused").is(200).json();
    assert_eq!(listed["data"].as_array().unwrap().len(), requests.len());
    let counted = server.get("/metrics").is(200).text();
    let total: usize = counted
        .lines()
        .filter(|l| l.starts_with("baophat_refused_total"))
        .map(|l| l.rsplit(' ').next().unwrap().parse::<usize>().unwrap())
        .sum();
    assert_eq!(total, requests.len());
}

#[test]
fn zalo_signatures_that_do_not_fit_are_refused() {
    let body = sign::zalo_receipt("0c1d2e3f405162738495", "4700100200300400500", 1_764_000_000_111);
    let right = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<Value>(&body).unwrap()).unwrap();
    let other_key = sign::zalo(body.as_bytes(), "vector-oa-key-02");
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &right[4..]);
    refused(&[
        ("missing", Request::new("POST", "/webhooks/zalo/shop-oa").body(body.as_str())),
        ("empty", zalo(&body, "")),
        ("only the name", zalo(&body, "mac=")),
        ("of another key", zalo(&body, &other_key)),
        ("truncated", zalo(&body, &right[..right.len() - 1])),
        ("one digit too many", zalo(&body, &format!("{right}0"))),
        ("re-encoded", zalo(&body, &base64)),
        ("no hex", zalo(&body, &right.replace(['a', 'b', 'c', 'd', 'e', 'f'], "x"))),
        ("twice in one value", zalo(&body, &format!("{right}, {right}"))),
        ("of the body before it was made pretty", zalo(&pretty, &right)),
        ("of the body without its last byte", zalo(&format!("{body}\n"), &right)),
        ("an HMAC", zalo(&body, &sign::facebook(body.as_bytes(), sign::ZALO_KEY).replace("sha256", "mac"))),
        (
            "in the header of another provider",
            Request::new("POST", "/webhooks/zalo/shop-oa").header("x-hub-signature-256", &right).body(body.as_str()),
        ),
        ("in the query", Request::new("POST", format!("/webhooks/zalo/shop-oa?{right}")).body(body.as_str())),
    ]);
}

#[test]
fn facebook_signatures_that_do_not_fit_are_refused() {
    let body = sign::facebook_body(&[sign::facebook_delivery("m_A", "7310000000012345", 1_771_234_567_890)]);
    let right = sign::facebook(body.as_bytes(), sign::FB_SECRET);
    let reserialised = body.replace(":", ": ");
    refused(&[
        ("missing", Request::new("POST", "/webhooks/facebook/shop-page").body(body.as_str())),
        ("empty", facebook(&body, "")),
        ("without its prefix", facebook(&body, &right[7..])),
        ("prefix in capitals", facebook(&body, &right.replace("sha256", "SHA256"))),
        ("truncated", facebook(&body, &right[..right.len() - 2])),
        ("too long", facebook(&body, &format!("{right}00"))),
        ("of another secret", facebook(&body, &sign::facebook(body.as_bytes(), "giay-bao-phat-demo-key-C3"))),
        ("of the body with blanks", facebook(&reserialised, &right)),
        (
            "the old header alone",
            Request::new("POST", "/webhooks/facebook/shop-page").header("x-hub-signature", "sha1=00").body(body.as_str()),
        ),
        ("no hex", facebook(&body, &format!("sha256={}", "g".repeat(64)))),
        ("bytes beyond ASCII", facebook(&body, &format!("sha256={}", "é".repeat(32)))),
    ]);
}

#[test]
fn every_configured_facebook_secret_counts() {
    let server = Server::start();
    for (n, secret) in [sign::FB_SECRET, sign::FB_SECRET_2].iter().enumerate() {
        let body = sign::facebook_body(&[sign::facebook_delivery(&format!("m_{n}"), "7310000000012345", 1_771_234_567_890)]);
        server.send(&facebook(&body, &sign::facebook(body.as_bytes(), secret))).is(200);
        server.message(&format!("m_{n}"), |m| m["state"] == "delivered");
    }
}

#[test]
fn esms_tokens_that_do_not_fit_are_refused() {
    let query = sign::esms_report("c0ffee00000000000000000000000001", 1, 0, "");
    let get = |path: &str| Request::new("GET", format!("/webhooks/esms/shop-sms{path}?{query}"));
    refused(&[
        ("missing", get("")),
        ("missing, with its slash", get("/")),
        ("short", get("/fixture")),
        ("truncated", get(&format!("/{}", &TOKEN[..TOKEN.len() - 1]))),
        ("in capitals", get(&format!("/{}", TOKEN.to_uppercase()))),
        ("too long", get(&format!("/{TOKEN}0"))),
        ("with an encoded NUL", get(&format!("/{TOKEN}%00"))),
        ("bytes that are no text", get("/%ff%fe%fd%fc%fb%fa%f9%f8%f7%f6%f5%f4%f3%f2%f1%f0")),
    ]);
}

#[test]
fn the_refused_list_tells_why_and_keeps_no_secret() {
    let server = Server::start();
    let body = sign::zalo_receipt("secret-message-id", "84912345678", 1_764_000_000_111);
    let wrong = sign::zalo(body.as_bytes(), "a-wrong-key");
    server.send(&zalo(&body, &wrong)).is(401);
    server.send(&zalo(&body, "mac=12")).is(401);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").body(body.as_str())).is(401);
    server.send(&Request::new("POST", "/webhooks/zalo/nobody").body(body.as_str())).is(404);
    server.send(&Request::new("GET", "/webhooks/esms/shop-sms/a-wrong-token-0123456789?SMSID=1&phonenumber=0912345678")).is(401);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").header("content-length", "1048577")).is(413);
    let listed = server.get("/v1/refused").is(200);
    let all = listed.json()["data"].as_array().unwrap().clone();
    let reasons: Vec<&str> = all.iter().rev().map(|r| r["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["mismatch", "malformed", "missing", "unknown_account", "mismatch", "too_large"]);
    assert_eq!(all[5]["account"], "shop-oa");
    assert_eq!(all[5]["size"], body.len());
    assert_eq!(all[0]["size"], 1_048_577);
    assert!(all.iter().all(|r| r["source"] == "127.0.0.1" && r["at"].as_str().unwrap().ends_with('Z')));
    let log = server.log();
    for secret in ["a-wrong-token-0123456789", &wrong[4..], "secret-message-id", "84912345678", "0912345678", TOKEN, sign::ZALO_KEY] {
        assert!(!listed.text().contains(secret), "{secret} is listed");
        assert!(!log.contains(secret), "{secret} is logged");
    }
    // The list is bounded.
    for _ in 0..100 {
        server.send(&zalo("{}", "mac=12")).is(401);
    }
    let all = server.get("/v1/refused").is(200).json();
    assert_eq!(all["data"].as_array().unwrap().len(), 100);
    assert!(all["data"].as_array().unwrap().iter().all(|r| r["reason"] == "malformed"));
}

#[test]
fn the_address_in_front_of_a_local_proxy_is_the_one_the_proxy_wrote() {
    let server = Server::start();
    let request = zalo("{}", "mac=1").header("x-forwarded-for", "203.0.113.9, 198.51.100.7");
    server.send(&request).is(401);
    assert_eq!(server.get("/v1/refused").json()["data"][0]["source"], json!("198.51.100.7"));
}
