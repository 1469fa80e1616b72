//! What the provider answered to the send call, and what an operator says: accepted, refused, nothing; each way a message then goes.

use serde_json::{Value, json};

use crate::harness::{Server, holds, sign};

fn register(server: &Server, account: &str, reference: &str, kind: Option<&str>) -> Value {
    let mut told = json!({"account": account, "ref": reference, "recipient": "0912000111"});
    if let Some(kind) = kind {
        told["kind"] = kind.into();
    }
    server.post("/v1/messages", &told).is(201).json()
}

fn path(message: &Value, action: &str) -> String {
    format!("/v1/messages/{}/{action}", message["id"].as_str().unwrap())
}

/// The message after an answer.
fn answered(server: &Server, message: &Value, answer: &Value) -> Value {
    server.post(&path(message, "response"), answer).is(200).json()
}

#[test]
fn an_accepted_send_moves_the_message_to_sent_with_its_id() {
    let server = Server::start();
    let rows = [
        (
            "shop-oa",
            Some("cs"),
            json!("{\"data\":{\"message_id\":\"aa01\",\"user_id\":\"47\"},\"error\":0,\"message\":\"Success\"}"),
            "aa01",
        ),
        (
            "shop-oa",
            Some("zns"),
            json!({"error": 0, "message": "Success", "data": {"msg_id": "aa02", "sent_time": "1764000000111"}}),
            "aa02",
        ),
        ("shop-oa", Some("uid"), json!({"error": "0", "sent_time": "1764000000111", "data": {"message_id": "aa03"}}), "aa03"),
        ("shop-page", None, json!({"recipient_id": "7310000000012345", "message_id": "m_aa04"}), "m_aa04"),
        ("shop-sms", Some("sms_customer_care"), json!({"CodeResult": "100", "CountRegenerate": 0, "SMSID": "AA05"}), "aa05"),
    ];
    for (n, (account, kind, body, id)) in rows.iter().enumerate() {
        let message = register(&server, account, &format!("r{n}"), *kind);
        let after = answered(&server, &message, &json!({"status": 200, "body": body, "duration_ms": 210}));
        holds(&json!({"id": message["id"], "state": "sent", "message_id": id, "failure": null, "outcome_unknown": false}), &after).unwrap();
        let again = answered(&server, &message, &json!({"status": 200, "body": body, "duration_ms": 210}));
        assert_eq!((&again["state"], &again["message_id"]), (&after["state"], &after["message_id"]));
        assert_eq!(server.find(&format!("message_id={id}")).len(), 1);
        let kinds: Vec<Value> = server.detail(&after)["events"].as_array().unwrap().iter().map(|e| e["kind"].clone()).collect();
        assert_eq!(kinds.iter().filter(|k| **k == "answer_accepted").count(), 1, "{kinds:?}");
    }
    assert_eq!(server.message("aa02", |_| true)["sent_at"], "2025-11-24T16:00:00.111Z");
}

#[test]
fn esms_124_means_sent_without_an_id_and_the_callback_brings_it() {
    let server = Server::start();
    let message = register(&server, "shop-sms", "order-124", None);
    let body = json!({"CodeResult": "124", "ErrorMessage": "RequestId da ton tai", "SendStatus": 5});
    let after = answered(&server, &message, &json!({"status": 200, "body": body}));
    holds(&json!({"state": "sent", "message_id": null, "failure": null}), &after).unwrap();
    server.send(&sign::esms_get(&sign::esms_report("c0ffee01", 1, 0, "order-124"))).is(200);
    let joined = server.message("c0ffee01", |m| m["state"] == "delivered");
    assert_eq!(joined["id"], message["id"]);
    assert_eq!(server.find("").len(), 1);
}

#[test]
fn a_refused_send_fails_with_its_code_explained_in_both_languages() {
    let server = Server::start();
    let graph = json!({"error": {"message": "(#10) outside", "type": "OAuthException", "code": 10, "error_subcode": 2_018_278}});
    let rows = [
        ("shop-oa", Some("cs"), 200, json!({"error": -230, "message": "hết khung giờ", "data": null}), ("window", Some("-230"), None)),
        ("shop-oa", Some("zns"), 200, json!({"error": -118, "message": "Zalo account not existed"}), ("recipient", Some("-118"), None)),
        ("shop-page", None, 400, graph, ("window", Some("10"), Some("2018278"))),
        ("shop-sms", None, 200, json!({"CodeResult": "103", "ErrorMessage": "Balance not enough"}), ("billing", Some("103"), None)),
        ("shop-oa", Some("cs"), 429, json!("<html>slow down</html>"), ("rate_limit", Some("http_429"), None)),
        ("shop-oa", Some("cs"), 200, json!({"error": -987_654, "message": "new"}), ("unknown", Some("-987654"), None)),
    ];
    for (n, (account, kind, status, body, (class, code, subcode))) in rows.iter().enumerate() {
        let message = register(&server, account, &format!("r{n}"), *kind);
        let after = answered(&server, &message, &json!({"status": status, "body": body}));
        holds(&json!({"state": "failed", "failure": {"class": class, "code": code, "subcode": subcode}}), &after).unwrap();
        assert!(after["failed_at"].is_string());
        let id = message["id"].as_str().unwrap();
        let explained = |lang: &str| server.get(&format!("/v1/messages/{id}?lang={lang}")).is(200).json()["failure"]["explanation"].clone();
        let (vi, en) = (explained("vi"), explained("en"));
        for member in ["title", "cause", "remedy"] {
            assert!(vi[member].as_str().unwrap().len() > 10 && vi[member] != en[member], "{class} {member}");
        }
        assert_eq!(vi["retry"], en["retry"]);
    }
    let unknown = server.get("/metrics").text();
    assert!(unknown.contains("baophat_unknown_codes_total{provider=\"zalo\",outcome=\"unknown_code\"} 1"), "{unknown}");
}

#[test]
fn the_language_follows_the_header_where_no_parameter_names_one() {
    let server = Server::start();
    let message = register(&server, "shop-oa", "r", Some("cs"));
    answered(&server, &message, &json!({"status": 200, "body": {"error": -230}}));
    let ask = |accept: &str| {
        let request = crate::harness::Request::new("GET", "/v1/messages").key(crate::harness::KEY).header("accept-language", accept);
        server.send(&request).is(200).json()["data"][0]["failure"]["explanation"]["title"].clone()
    };
    assert_eq!(ask("vi-VN, en;q=0.5"), ask("en;q=0.1, vi"));
    assert_ne!(ask("vi"), ask("en"));
    assert_eq!(ask("fr"), ask("en"), "the configured one");
}

#[test]
fn no_answer_leaves_the_message_queued_with_an_unknown_outcome_until_something_tells() {
    let server = Server::start();
    for (n, answer) in [
        json!({"status": 0, "error": "timed out", "duration_ms": 10_000}),
        json!({"status": null, "error": "connection reset"}),
        json!({"error": "timed out"}),
        json!({"status": 502, "body": "<html>Bad gateway</html>"}),
        json!({"status": 200, "body": ""}),
    ]
    .iter()
    .enumerate()
    {
        for account in ["shop-oa", "shop-page", "shop-sms"] {
            let message = register(&server, account, &format!("r{n}"), None);
            let after = answered(&server, &message, answer);
            holds(&json!({"state": "queued", "outcome_unknown": true, "failure": null, "message_id": null}), &after).unwrap();
        }
    }
    let message = &server.find("ref=r0&account=shop-oa")[0];
    let body = json!({"error": 0, "data": {"message_id": "aa"}});
    let after = answered(&server, message, &json!({"status": 200, "body": body}));
    holds(&json!({"state": "sent", "outcome_unknown": false, "message_id": "aa"}), &after).unwrap();
    let late = answered(&server, message, &json!({"status": 0, "error": "timed out"}));
    holds(&json!({"state": "sent", "outcome_unknown": false}), &late).unwrap();
}

#[test]
fn an_answer_that_accepted_outweighs_those_that_refused_in_any_order() {
    let refused = json!({"status": 200, "body": {"error": -32, "message": "limit"}});
    let accepted = json!({"status": 200, "body": {"error": 0, "data": {"message_id": "aa"}}});
    for order in [[&refused, &accepted], [&accepted, &refused]] {
        let server = Server::start();
        let message = register(&server, "shop-oa", "r", Some("cs"));
        order.iter().for_each(|answer| drop(answered(&server, &message, answer)));
        let after = server.detail(&message);
        holds(&json!({"state": "sent", "conflict": false, "failure": null, "failed_at": null, "message_id": "aa"}), &after).unwrap();
        let told = |e: &&Value| e["kind"] == "answer_refused" && e["detail"]["code"] == "-32" && e["detail"]["text"] == "limit";
        assert_eq!(after["events"].as_array().unwrap().iter().filter(told).count(), 1);
    }
}

#[test]
fn an_id_beside_a_failure_is_kept_and_a_delivery_of_it_wins_with_a_conflict() {
    let server = Server::start();
    let message = register(&server, "shop-sms", "order-146", None);
    let after =
        answered(&server, &message, &json!({"status": 200, "body": {"CodeResult": "146", "SMSID": "c0ffee46", "ErrorMessage": "x"}}));
    holds(&json!({"state": "failed", "message_id": "c0ffee46", "failure": {"code": "146"}}), &after).unwrap();
    server.send(&sign::esms_get(&sign::esms_report("c0ffee46", 1, 0, ""))).is(200);
    let won = server.message("c0ffee46", |m| m["state"] == "delivered");
    holds(&json!({"id": message["id"], "conflict": true}), &won).unwrap();
}

#[test]
fn an_answer_whose_id_belongs_to_another_registered_message_is_refused() {
    let server = Server::start();
    let owner = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "other", "message_id": "aa"})).is(201).json();
    let message = register(&server, "shop-oa", "r", None);
    let answer = json!({"status": 200, "body": {"error": 0, "data": {"message_id": "aa"}}});
    let refused = server.post(&path(&message, "response"), &answer);
    assert_eq!(refused.problem(409), "message_conflict");
    assert!(refused.text().contains(owner["id"].as_str().unwrap()));
    assert_eq!(server.detail(&message)["state"], "queued");
}

#[test]
fn an_answer_joins_the_receipt_that_came_before_it() {
    let server = Server::start();
    let message = register(&server, "shop-oa", "r", Some("cs"));
    server.send(&sign::zalo_post(sign::zalo_echo("aa", "4700100200300400500", 1_764_000_000_000))).is(200);
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111))).is(200);
    let stranger = server.message("aa", |m| m["state"] == "delivered" && m["origin"] == "echo");
    let after = answered(&server, &message, &json!({"status": 200, "body": {"error": 0, "data": {"message_id": "aa"}}}));
    holds(&json!({"id": message["id"], "state": "delivered", "origin": "registered", "ref": "r", "message_id": "aa"}), &after).unwrap();
    assert_eq!(server.find("").len(), 1);
    assert_eq!(server.find("message_id=aa")[0]["id"], message["id"]);
    // The id that was given out before still leads somewhere: to the message, or to a plain 404.
    let old = server.get(&format!("/v1/messages/{}", stranger["id"].as_str().unwrap()));
    assert!(old.status == 404 || old.json()["message_id"] == "aa", "{}", old.text());
}

#[test]
fn a_mark_fails_the_message_and_a_later_proof_of_delivery_wins() {
    let server = Server::start();
    let message = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "r", "message_id": "aa"})).is(201).json();
    let marked = server.post(&path(&message, "mark-failed"), &json!({"reason": "khách gọi: chưa nhận được"})).is(200).json();
    holds(&json!({"state": "failed", "failure": {"code": "marked_failed", "text": "khách gọi: chưa nhận được"}}), &marked).unwrap();
    assert_eq!(server.find("failure_code=marked_failed").len(), 1);
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111))).is(200);
    let won = server.message("aa", |m| m["state"] == "delivered");
    assert_eq!(won["conflict"], true);
    let events = server.detail(&won)["events"].clone();
    assert!(events.as_array().unwrap().iter().any(|e| e["kind"] == "marked_failed" && e["source"] == "operator"), "{events}");
}
