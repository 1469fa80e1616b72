//! Small requests that want to become large ones: compressed bodies, nests, thousands of parameters, long bodies all at once.

use std::io::Write;

use serde_json::{Value, json};

use super::wire::{dial, kept_open};
use crate::harness::{KEY, Request, Server, TOKEN, read_answer, sign, until};

/// The beginning of a gzip file whose one block says "repeat". What it would become does not matter: nobody may look.
const BOMB: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xed\xc1\x01\x0d\x00\x00\x00\xc2\xa0\xf7Om\x0e7\xa0";

#[test]
fn whatever_says_that_it_is_compressed_is_refused_unread() {
    let server = Server::start();
    for encoding in ["GZIP", "Br", "DEFLATE", "Zstd", "x-gzip", "compress", "identity, gzip", "gzip,gzip,gzip", "*", ""] {
        let bomb = sign::zalo_post(BOMB).header("content-encoding", encoding);
        let answer = server.send(&bomb).is(415);
        assert!(answer.body.is_empty(), "{encoding:?}");
        let answer = server.send(&sign::facebook_post(BOMB).header("Content-Encoding", encoding));
        assert_eq!(answer.status, 415, "{encoding:?}");
        let told = Request::new("POST", "/v1/messages").key(KEY).header("content-encoding", encoding);
        assert_eq!(server.send(&told.json(&json!([]))).problem(415), "compressed_body", "{encoding:?}");
    }
    // In a second header.
    let two = sign::zalo_post(BOMB).header("content-encoding", "identity").header("content-encoding", "gzip");
    server.send(&two).is(415);
    assert_eq!(server.callbacks(), Vec::<Value>::new());
    // Without the word for it these are bytes like any others.
    server.send(&sign::zalo_post(BOMB)).is(200);
    assert_eq!(server.callbacks()[0]["status"], "error");
    assert_eq!(server.callbacks()[0]["size"], BOMB.len());
}

#[test]
fn nests_in_every_place_do_no_harm() {
    let server = Server::start();
    let esms = format!("/webhooks/esms/shop-sms/{TOKEN}");
    let nest = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
    let form = "application/x-www-form-urlencoded";
    let mut taken = 0;
    for nest in [nest("[", "]"), nest("{\"a\":", "}"), "[".repeat(100_000), "{\"SMSID\":".repeat(50_000), nest("[{\"a\":", "}]")] {
        server.send(&Request::new("POST", &esms).header("content-type", "application/json").body(nest.as_str())).is(200);
        server.send(&Request::new("POST", &esms).header("content-type", form).body(format!("SMSID={nest}"))).is(200);
        let member = format!("{{\"SMSID\":\"n{taken}\",\"SendStatus\":5,\"x\":{nest}}}");
        server.send(&Request::new("POST", &esms).header("content-type", "application/json").body(member)).is(200);
        taken += 3;
        let short = &nest[..nest.len().min(50_000)];
        let escaped = short.replace('"', "%22").replace('{', "%7B").replace('}', "%7D").replace('[', "%5B").replace(']', "%5D");
        server.send(&Request::new("GET", format!("{esms}?SMSID={}", &escaped[..60_000]))).is(200);
        taken += 1;
        let problem = server.send(&Request::new("POST", "/v1/messages").key(KEY).header("content-type", "application/json").body(nest));
        assert_eq!(problem.status, 400);
    }
    assert_eq!(server.callbacks().len(), taken);
    let id = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "a"})).is(201).json()["id"].as_str().unwrap().to_owned();
    // An answer to a send call is kept as text, whatever it is.
    let nested = json!({"status": 200, "body": "[".repeat(50_000)});
    let status = server.post(&format!("/v1/messages/{id}/response"), &nested).status;
    assert!(status < 500, "{status}");
}

#[test]
fn thousands_of_parameters_are_one_callback() {
    let server = Server::start();
    let esms = format!("/webhooks/esms/shop-sms/{TOKEN}");
    let report = sign::esms_report("many", 1, 0, "");
    let form = |body: String| Request::new("POST", &esms).header("content-type", "application/x-www-form-urlencoded").body(body);
    let floods = ["&".repeat(60_000), "a=1&".repeat(15_000), "SMSID=x&".repeat(7_000), "%41".repeat(20_000), "=".repeat(60_000)];
    for (n, flood) in floods.iter().enumerate() {
        server.send(&Request::new("GET", format!("{esms}?{report}&{flood}"))).is(200);
        server.send(&form(format!("{report}&{}", flood.repeat(15)))).is(200);
        // Only separators are no parameters at all.
        let status = server.get(&format!("/v1/messages?{flood}")).status;
        assert_eq!(status, if n == 0 { 200 } else { 400 });
    }
    // The first value that is not empty counts, however many follow.
    assert!(server.callbacks().iter().all(|c| c["status"] == "processed"));
    server.message("many", |m| m["state"] == "delivered");
    assert_eq!(server.find("").len(), 1);
}

#[test]
fn long_bodies_of_strangers_share_a_bound_and_short_callbacks_need_none_of_it() {
    let server = Server::start_with("limits.body_seconds_max = 60");
    let long = "a".repeat(1 << 20);
    let head = format!("POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n", long.len());
    // Each wants a mebibyte and keeps its last byte back; there is room for 64 of them.
    let mut strangers: Vec<_> = (0..70)
        .map(|_| {
            let mut stream = dial(&server);
            stream.write_all(head.as_bytes()).unwrap();
            // One that is turned away may be ended before all is written.
            let _ = stream.write_all(&long.as_bytes()[1..]);
            stream
        })
        .collect();
    let turned_away = |at_least: u32| {
        let counted = server.get("/metrics").text();
        let n = counted.lines().find_map(|l| l.strip_prefix("baophat_unavailable_total{reason=\"bodies_full\"} ")?.parse::<u32>().ok());
        n.filter(|n| *n >= at_least)
    };
    until("some are turned away", || turned_away(1));
    server.send(&sign::zalo_post(sign::zalo_receipt("short", "47", 1_764_000_000_111))).is(200);
    // A long one is told to come again, even if it is signed.
    let filled = |id: &str| format!("{}{}", sign::zalo_receipt(id, "47", 1_764_000_000_111), " ".repeat(900 << 10));
    // Whoever is turned away gives back what it took, so there is room now and then until the strangers' bodies have come in.
    let mut taken = 0;
    until("a long one is told to come again", || {
        let answer = server.send(&sign::zalo_post(filled(&format!("early-{taken}"))));
        taken += usize::from(answer.status == 200);
        (answer.status == 503 && answer.header("retry-after").is_some()).then_some(())
    });
    strangers.clear();
    until("there is room again", || (server.send(&sign::zalo_post(filled("long"))).status == 200).then_some(()));
    server.message("long", |m| m["state"] == "delivered");
    assert_eq!(server.callbacks().len(), 2 + taken);
}

#[test]
fn a_long_signed_body_goes_on_over_a_connection_that_is_kept() {
    let server = Server::start();
    let mut stream = dial(&server);
    // More of them, one after the other, than there is room for at once: each gives back what it took.
    for n in 0..80 {
        let body = format!("{}{}", sign::zalo_receipt(&format!("kept-{n}"), "47", 1_764_000_000_111), " ".repeat(1_000_000));
        stream.write_all(&kept_open(&sign::zalo_post(body))).unwrap();
        assert_eq!(read_answer(&mut stream).unwrap().status, 200, "{n}");
    }
}
