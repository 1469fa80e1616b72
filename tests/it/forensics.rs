//! Why callbacks were refused, through HTTP: each mistake of a setup is named in `GET /v1/refused` with its remedy, none is accepted, no
//! secret and no body leaves, and a flood is examined so often and no more.

use baophat::domain::time::{Millis, Span};
use serde_json::Value;

use crate::harness::{Inside, KEY, Request, TOKEN, sign, until};

const OLD_KEY: &str = "last-years-oa-key";
const OLD_TOKEN: &str = "last-years-token-0123456789";
const OTHER_KEY: &str = "the-other-shops-oa-key";

/// Accounts beside those of every test: one with a past, and the shop next door.
fn accounts() -> String {
    format!(
        r#"
[[account]]
id = "old-oa"
provider = "zalo"
app_id = "{}"
oa_secret_key = "the-new-oa-key"
retired_oa_secret_keys = ["{OLD_KEY}"]

[[account]]
id = "next-door"
provider = "zalo"
app_id = "777"
oa_secret_key = "{OTHER_KEY}"

[[account]]
id = "old-sms"
provider = "esms"
callback_token = "the-new-token-0123456789"
retired_callback_tokens = ["{OLD_TOKEN}"]
"#,
        sign::ZALO_APP
    )
}

fn start() -> Inside {
    Inside::start(Millis(1_771_234_568_000), &accounts())
}

/// Sends what is refused, and waits for what explains it.
fn explained(server: &Inside, request: &Request) -> Value {
    let answer = server.send(request).is(401);
    assert!(answer.body.is_empty());
    until("an explanation", || Some(server.get("/v1/refused")["data"][0].take()).filter(|r| r["clues"][0].is_object()))
}

fn zalo(account: &str, body: &str, signature: &str) -> Request {
    Request::new("POST", format!("/webhooks/zalo/{account}")).header("x-zevent-signature", signature).body(body)
}

fn facebook(body: &str, header: &str, signature: &str) -> Request {
    Request::new("POST", "/webhooks/facebook/shop-page").header(header, signature).body(body)
}

#[test]
fn each_mistake_of_a_setup_is_named_with_its_remedy() {
    let server = start();
    let receipt = sign::zalo_receipt("secret-message-id", "84912345678", 1_764_000_000_111);
    let echo = sign::zalo_echo("aa", "84912345678", 1_764_000_000_111);
    let foreign = receipt.replace(sign::ZALO_APP, "777");
    let right = |body: &str| sign::zalo(body.as_bytes(), sign::ZALO_KEY);
    let escaped = r#"{"object":"page","entry":[{"id":"104417700031337","note":"\u0110\u00e3 g\u1eedi \ud83d\udce6 a\/b"}]}"#;
    let letters = r#"{"object":"page","entry":[{"id":"104417700031337","note":"Đã gửi 📦 a/b"}]}"#;
    let meta = |body: &str| sign::facebook(body.as_bytes(), sign::FB_SECRET);
    let esms = |account: &str, token: &str| Request::new("GET", format!("/webhooks/esms/{account}/{token}?SMSID=1"));
    let cases = [
        ("retired_secret", zalo("old-oa", &receipt, &sign::zalo(receipt.as_bytes(), OLD_KEY))),
        ("other_account", zalo("shop-oa", &foreign, &sign::zalo(foreign.as_bytes(), OTHER_KEY))),
        ("reserialised", zalo("shop-oa", &echo.replace(',', ", "), &right(&echo))),
        ("hmac_used", zalo("shop-oa", &receipt, &sign::facebook(receipt.as_bytes(), sign::ZALO_KEY).replace("sha256=", "mac="))),
        ("wrong_app_id", zalo("shop-oa", &foreign, &sign::zalo(foreign.as_bytes(), "nobodys-key"))),
        ("truncated", zalo("shop-oa", &receipt[..receipt.len() - 9], &right(&receipt))),
        ("unsigned", Request::new("POST", "/webhooks/zalo/shop-oa").body(receipt.as_str())),
        ("unknown", zalo("shop-oa", &receipt, &sign::zalo(receipt.as_bytes(), "nobodys-key"))),
        ("reserialised", facebook(letters, "x-hub-signature-256", &meta(escaped))),
        ("reserialised", facebook(escaped, "x-hub-signature-256", &meta(letters))),
        ("sha1_only", facebook(escaped, "x-hub-signature", "sha1=0000000000000000000000000000000000000000")),
        ("truncated", facebook(&escaped[..30], "x-hub-signature-256", &meta(escaped))),
        ("retired_secret", esms("old-sms", OLD_TOKEN)),
        ("other_account", esms("old-sms", TOKEN)),
        ("token_shape", esms("shop-sms", &TOKEN.to_uppercase())),
    ];
    for (clue, request) in &cases {
        let refused = explained(&server, request);
        let first = &refused["clues"][0];
        assert_eq!(first["clue"], *clue, "{refused}");
        assert!(first["cause"].as_str().unwrap().len() > 20 && first["remedy"].as_str().unwrap().len() > 20, "{first}");
        let other = if refused["provider"] == "zalo" { "next-door" } else { "shop-sms" };
        assert_eq!(first["account"].as_str(), (*clue == "other_account").then_some(other), "{first}");
    }
    assert_eq!(server.get("/v1/callbacks")["data"], Value::Array(Vec::new()));
    let listed = server.get("/v1/refused").to_string();
    for secret in
        [OLD_KEY, OLD_TOKEN, OTHER_KEY, TOKEN, sign::ZALO_KEY, sign::FB_SECRET, "the-new", "secret-message-id", "84912345678", "Đã gửi"]
    {
        assert!(!listed.contains(secret), "{secret}");
    }
}

#[test]
fn causes_and_remedies_come_in_the_language_asked_for() {
    let server = start();
    let receipt = sign::zalo_receipt("aa", "47", 1_764_000_000_111);
    explained(&server, &zalo("old-oa", &receipt, &sign::zalo(receipt.as_bytes(), OLD_KEY)));
    let remedy = |target: &str| server.get(target)["data"][0]["clues"][0]["remedy"].as_str().unwrap().to_owned();
    assert!(remedy("/v1/refused").contains("in the list of oa_secret_key"));
    assert!(remedy("/v1/refused?lang=vi").contains("trong danh sách oa_secret_key"));
    let accepted = Request::new("GET", "/v1/refused").key(KEY).header("accept-language", "vi");
    assert!(server.send(&accepted).is(200).text().contains("khóa cũ"));
}

#[test]
fn a_flood_is_examined_so_often_in_a_minute() {
    let server = start();
    let receipt = sign::zalo_receipt("aa", "47", 1_764_000_000_111);
    let forged = zalo("shop-oa", &receipt, &sign::zalo(receipt.as_bytes(), "nobodys-key"));
    let explained = || {
        let all = server.get("/v1/refused")["data"].take();
        all.as_array().unwrap().iter().filter(|r| r["clues"][0].is_object()).count()
    };
    for n in 1..=20 {
        server.send(&forged).is(401);
        until("an explanation", || (explained() == n).then_some(()));
    }
    for _ in 0..30 {
        server.send(&forged).is(401);
    }
    // A minute later there is room again; whatever came before would have been explained by then.
    server.clock.set(Millis(1_771_234_568_000 + 60_000));
    server.send(&forged).is(401);
    until("an explanation", || (explained() == 21).then_some(()));
    let newest = server.get("/v1/refused")["data"].take();
    let unexamined = newest.as_array().unwrap()[1..31].iter().all(|r| r["clues"].as_array().unwrap().is_empty());
    assert!(unexamined, "{newest}");
}

#[test]
fn what_is_noticed_of_an_account_is_counted_for_it() {
    let server = start();
    let receipt = sign::zalo_receipt("aa", "47", 1_764_000_000_111);
    explained(&server, &zalo("old-oa", &receipt, &sign::zalo(receipt.as_bytes(), OLD_KEY)));
    explained(&server, &zalo("old-oa", &receipt, "mac=12"));
    for _ in 0..3 {
        server.send(&sign::zalo_post(receipt.as_str())).is(200);
    }
    server.send(&Request::new("PUT", "/webhooks/zalo/shop-oa")).is(405);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").header("content-length", "1048577")).is(413);
    server.send(&Request::new("POST", "/webhooks/zalo/nobody").body("{}")).is(404);
    let handshake = "/webhooks/facebook/shop-page?hub.mode=subscribe&hub.verify_token=x&hub.challenge=1";
    server.send(&Request::new("GET", handshake)).is(403);
    let account = |id: &str| server.get(&format!("/v1/accounts/{id}"));
    let refused = |id: &str| {
        let all = account(id)["refused"]["by_reason"].take();
        let told = |r: &Value| (r["reason"].as_str().unwrap().to_owned(), r["count"].as_u64().unwrap());
        all.as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    until("what the edge noticed is counted", || {
        server.clock.advance(Span::seconds(1));
        let counters = account("shop-oa")["counters"].take();
        // What strangers can make change is kept once a minute.
        let all = refused("old-oa").len() == 4;
        (all && counters["duplicates"]["count"] == 2 && counters["malformed"]["count"] == 2).then_some(())
    });
    let named = |name: &str| (name.to_owned(), 1);
    assert_eq!(refused("old-oa"), [named("malformed"), named("mismatch"), named("retired_secret"), named("truncated")]);
    assert_eq!(refused("shop-oa"), []);
}
