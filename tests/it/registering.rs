//! Telling of messages: one, many, again, with more than before, with a contradiction; before and after the provider's receipt.

use serde_json::{Value, json};

use crate::harness::{KEY, Request, Server, holds, sign};

fn full() -> Value {
    json!({
        "account": "shop-oa", "ref": "order-1", "sender": sign::OA, "recipient": "0912 000 111", "kind": "zns", "template_id": "7895417",
        "queued_at": "2025-11-24T16:00:00Z", "scheduled_at": "2025-11-24T17:00:00+07:00", "metadata": {"b": [1, {"c": null}], "a": "đ", "n": 1.50},
    })
}

/// The message as a list shows it: without its timeline.
fn listed(mut message: Value) -> Value {
    message["events"] = json!([]);
    message
}

#[test]
fn a_registered_message_is_shown_as_it_was_told() {
    let server = Server::start();
    let message = server.post("/v1/messages", &full()).is(201).json();
    let expected = json!({
        "provider": "zalo", "account": "shop-oa", "sender": sign::OA, "message_id": null, "ref": "order-1", "kind": "zns",
        "recipient": "84912000111", "template_id": "7895417", "state": "queued", "origin": "registered",
        "queued_at": "2025-11-24T16:00:00.000Z", "sent_at": null, "delivered_at": null, "read_at": null, "failed_at": null,
        "scheduled_at": "2025-11-24T10:00:00.000Z", "recipients": {"total": 1, "delivered": 0, "failed": 0},
        "partial": false, "conflict": false, "outcome_unknown": false, "failure": null,
        "metadata": {"b": [1, {"c": null}], "a": "đ", "n": 1.5},
    });
    holds(&expected, &message).unwrap();
    let detail = server.detail(&message);
    assert_eq!(detail["events"].as_array().unwrap().len(), 1);
    assert_eq!((&detail["events"][0]["kind"], &detail["events"][0]["source"]), (&json!("registered"), &json!("api")));
    assert_eq!(server.find("ref=order-1"), [listed(message)]);
}

#[test]
fn registering_again_is_answered_200_and_changes_nothing() {
    let server = Server::start();
    let first = server.post("/v1/messages", &full()).is(201).json();
    assert_eq!(server.post("/v1/messages", &full()).is(200).json(), first);
    // Less than before, or the same in another spelling, stands in the timeline and changes nothing else.
    let less = json!({"account": "shop-oa", "ref": "order-1"});
    let spelt = json!({"account": "shop-oa", "ref": "order-1", "recipient": "+84 912.000.111", "metadata": {"n": 1.5, "a": "đ", "b": [1, {"c": null}]}});
    for again in [less, spelt] {
        assert_eq!(listed(server.post("/v1/messages", &again).is(200).json()), listed(first.clone()), "{again}");
    }
    let server = server.restart();
    assert_eq!(listed(server.post("/v1/messages", &full()).is(200).json()), listed(first));
    assert_eq!(server.find("").len(), 1);
}

#[test]
fn metadata_comes_back_letter_by_letter() {
    let server = Server::start();
    let metadata = r#"{"z":12345678901234567890123,"a":[1.50,1e3],"đ":"\u0111"}"#;
    let told = format!(r#"{{"account":"shop-page","ref":"order-1","metadata":{metadata}}}"#);
    let register = || server.send(&Request::new("POST", "/v1/messages").key(KEY).body(told.clone()));
    let answer = register().is(201);
    assert!(answer.text().contains(&format!(r#""metadata":{metadata}"#)), "{}", answer.text());
    assert_eq!(register().is(200).text(), answer.text());
    let server = server.restart();
    assert!(server.get("/v1/messages").is(200).text().contains(metadata));
    let other = json!({"account": "shop-page", "ref": "order-1", "metadata": {"z": 1}});
    assert_eq!(server.post("/v1/messages", &other).problem(409), "message_conflict");
    let no_object = json!({"account": "shop-page", "ref": "order-2", "metadata": [1]});
    assert_eq!(server.post("/v1/messages", &no_object).problem(400), "invalid_json");
}

#[test]
fn what_was_not_told_before_is_added() {
    let server = Server::start();
    let first = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "order-1"})).is(201).json();
    let more = json!({"account": "shop-oa", "ref": "order-1", "message_id": "ab", "recipient": "0912000111", "kind": "zns"});
    let known = server.post("/v1/messages", &more).is(200).json();
    assert_eq!(known["id"], first["id"]);
    holds(&json!({"message_id": "ab", "recipient": "84912000111", "kind": "zns", "state": "sent"}), &known).unwrap();
    let by_id = server.post("/v1/messages", &json!({"account": "shop-oa", "message_id": "ab"})).is(200).json();
    assert_eq!(by_id["id"], first["id"]);
}

#[test]
fn a_message_with_a_provider_id_counts_as_sent() {
    let server = Server::start();
    let told = json!({"account": "shop-page", "message_id": "m_A", "sent_at": "2026-02-16T09:36:07.890Z"});
    let message = server.post("/v1/messages", &told).is(201).json();
    holds(&json!({"state": "sent", "sent_at": "2026-02-16T09:36:07.890Z", "ref": null}), &message).unwrap();
    let message = server.post("/v1/messages", &json!({"account": "shop-sms", "message_id": " C0FFEE01 "})).is(201).json();
    assert_eq!(message["message_id"], "c0ffee01", "folded as the callback's");
}

#[test]
fn an_array_is_answered_by_an_array_in_its_order() {
    let server = Server::start();
    let told: Vec<Value> = (0..20).map(|n| json!({"account": "shop-oa", "ref": format!("r{}", n % 10)})).collect();
    let all = server.post("/v1/messages", &json!(told)).is(201).json();
    let refs: Vec<&str> = all.as_array().unwrap().iter().map(|m| m["ref"].as_str().unwrap()).collect();
    assert_eq!(refs, (0..20).map(|n| format!("r{}", n % 10)).collect::<Vec<_>>());
    assert_eq!(server.find("").len(), 10);
    server.post("/v1/messages", &json!(told)).is(200);
    let mixed = json!([{"account": "shop-oa", "ref": "r1"}, {"account": "shop-sms", "ref": "r1"}]);
    let all = server.post("/v1/messages", &mixed).is(201).json();
    assert_ne!(all[0]["id"], all[1]["id"], "a ref is a name within its account");
    let one = server.post("/v1/messages", &json!([{"account": "shop-oa", "ref": "r1"}])).is(200).json();
    assert!(one.is_array(), "an array of one is an array");
}

#[test]
fn two_different_messages_under_one_name_are_answered_409_with_the_difference() {
    let server = Server::start();
    let first = server.post("/v1/messages", &full()).is(201).json();
    for (member, value, known) in [
        ("recipient", json!("0912000112"), "84912000111"),
        ("kind", json!("cs"), "zns"),
        ("template_id", json!("1"), "7895417"),
        ("sender", json!("9100200300400500602"), sign::OA),
        ("scheduled_at", json!("2025-11-24T18:00:00+07:00"), "2025-11-24T10:00:00.000Z"),
    ] {
        let mut other = full();
        other[member] = value;
        let answer = server.post("/v1/messages", &other);
        assert_eq!(answer.problem(409), "message_conflict");
        let problem = answer.json();
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1, "{problem}");
        assert_eq!((&problem["errors"][0]["at"], &problem["errors"][0]["known"]), (&json!(format!("/{member}")), &json!(known)));
        assert!(problem["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()));
    }
    let ids = |id: &str| json!({"account": "shop-oa", "ref": "order-1", "message_id": id});
    server.post("/v1/messages", &ids("ab")).is(200);
    assert_eq!(server.post("/v1/messages", &ids("cd")).problem(409), "message_conflict");
    let other_ref = json!({"account": "shop-oa", "ref": "order-2", "message_id": "ab"});
    assert_eq!(server.post("/v1/messages", &other_ref).problem(409), "message_conflict");
    // All or nothing, and the place within the call is told.
    let call = json!([{"account": "shop-oa", "ref": "new-1"}, {"account": "shop-oa", "ref": "order-1", "kind": "cs"}]);
    let answer = server.post("/v1/messages", &call);
    answer.problem(409);
    assert_eq!(answer.json()["errors"][0]["at"], "/1/kind");
    let within = json!([{"account": "shop-oa", "ref": "new-1", "kind": "a"}, {"account": "shop-oa", "ref": "new-1", "kind": "b"}]);
    server.post("/v1/messages", &within).problem(409);
    assert_eq!(server.find("").len(), 1);
    let server = server.restart();
    assert_eq!(server.find("")[0]["kind"], "zns", "nothing of the refused calls comes back after a restart");
    assert_eq!(server.find("").len(), 1);
}

#[test]
fn a_receipt_joins_its_registration_in_either_order() {
    let told = json!({"account": "shop-oa", "ref": "order-1", "message_id": "aa", "recipient": "0912000111", "kind": "zns"});
    let receipt = sign::zalo_post(sign::zalo_receipt("aa", "84912000111", 1_764_000_000_111));
    let expected =
        json!({"state": "delivered", "origin": "registered", "ref": "order-1", "kind": "zns", "delivered_at": "2025-11-24T16:00:00.111Z"});
    let server = Server::start();
    let first = server.post("/v1/messages", &told).is(201).json();
    server.send(&receipt).is(200);
    let after = server.message("aa", |m| m["state"] == "delivered");
    holds(&expected, &after).unwrap();
    assert_eq!(first["id"], after["id"]);

    let server = Server::start();
    server.send(&receipt).is(200);
    let before = server.message("aa", |m| m["origin"] == "receipt" && m["kind"] == "chat");
    let joined = server.post("/v1/messages", &told).is(200).json();
    holds(&expected, &joined).unwrap();
    assert_eq!(before["id"], joined["id"]);
    assert_eq!(server.find("").len(), 1);
    assert_eq!(server.detail(&joined)["events"].as_array().unwrap().len(), 2);
}

#[test]
fn a_reference_in_a_receipt_joins_a_registration_without_an_id_in_either_order() {
    let told = json!({"account": "shop-oa", "ref": "order-2041", "recipient": "0912000111", "kind": "zns"});
    let message = json!({"msg_id": "a0", "tracking_id": "order-2041", "delivery_time": "1764000000111"});
    let parties = json!({"sender": {"id": sign::OA}, "recipient": {"id": "84912000111"}});
    let zalo = sign::zalo_post(sign::zalo_event("user_received_message", &parties, &message, 1_764_000_000_222));
    let esms_told = json!({"account": "shop-sms", "ref": "order-2041", "recipient": "0912000111"});
    let esms = sign::esms_get(&sign::esms_report("c0ffee01", 1, 0, "order-2041"));
    for (told, receipt, id) in [(&told, &zalo, "a0"), (&esms_told, &esms, "c0ffee01")] {
        for registration_first in [true, false] {
            let server = Server::start();
            if registration_first {
                server.post("/v1/messages", told).is(201);
            }
            server.send(receipt).is(200);
            server.message(id, |m| m["state"] == "delivered");
            if !registration_first {
                server.post("/v1/messages", told).is(200);
            }
            let all = server.find("");
            assert_eq!(all.len(), 1, "{all:?}");
            holds(&json!({"state": "delivered", "origin": "registered", "ref": "order-2041", "message_id": id}), &all[0]).unwrap();
            assert_eq!(server.find("ref=order-2041"), all);
        }
    }
}

#[test]
fn facebook_watermarks_reach_exactly_what_they_cover() {
    let server = Server::start();
    let at = 1_771_234_567_000_i64;
    let customer = "7310000000012345";
    let echo = |mid: &str, customer: &str, ms: i64| json!({"sender": {"id": sign::PAGE}, "recipient": {"id": customer}, "timestamp": ms, "message": {"mid": mid, "is_echo": true}});
    let read =
        |ms: i64| json!({"sender": {"id": customer}, "recipient": {"id": sign::PAGE}, "timestamp": ms + 60_000, "read": {"watermark": ms}});
    // The watermark comes first and outlives a restart; the message exactly at it is covered, the one behind it is not.
    server.send(&sign::facebook_post(sign::facebook_body(&[read(at + 1_000)]))).is(200);
    server.callbacks();
    let server = server.restart();
    let items = [
        echo("m_1", customer, at),
        echo("m_2", customer, at + 1_000),
        echo("m_3", customer, at + 1_001),
        echo("m_4", "7310000000099999", at),
    ];
    server.send(&sign::facebook_post(sign::facebook_body(&items))).is(200);
    for (mid, state) in [("m_1", "read"), ("m_2", "read"), ("m_3", "sent"), ("m_4", "sent")] {
        server.message(mid, |m| m["state"] == state);
    }
    let reached = server.message("m_2", |_| true);
    assert_eq!(reached["read_at"], reached["delivered_at"]);
    assert_eq!(server.detail(&reached)["events"].as_array().unwrap().iter().filter(|e| e["source"] == "watermark").count(), 1);
    // An older one changes nothing; a later one reaches the rest of this conversation only.
    server.send(&sign::facebook_post(sign::facebook_body(&[read(at - 1)]))).is(200);
    server.send(&sign::facebook_post(sign::facebook_body(&[read(at + 5_000)]))).is(200);
    server.message("m_3", |m| m["state"] == "read");
    assert_eq!(server.message("m_2", |_| true), reached);
    server.message("m_4", |m| m["state"] == "sent");
}
