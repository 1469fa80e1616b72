//! Lists: each filter alone and together, phones in any spelling, pages that neither repeat nor skip while new messages arrive.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{Request, Server, sign};

fn ids(messages: &[Value]) -> BTreeSet<String> {
    messages.iter().map(|m| m["id"].as_str().unwrap().to_owned()).collect()
}

/// Messages of every account and state; what each filter finds is computed from the whole list.
fn filled() -> Server {
    let server = Server::start();
    for n in 0..12 {
        let (account, kind) = (["shop-oa", "shop-page", "shop-sms"][n % 3], ["zns", "cs"][n % 2]);
        let told = json!({
            "account": account, "ref": format!("r{n}"), "sender": format!("s{}", n % 2), "recipient": format!("091200011{}", n % 4),
            "kind": kind, "template_id": format!("t{}", n % 5), "message_id": format!("id{n}"),
        });
        let message = server.post("/v1/messages", &told).is(201).json();
        if n % 4 == 0 {
            let path = format!("/v1/messages/{}/mark-failed", message["id"].as_str().unwrap());
            server.post(&path, &json!({"reason": "test"})).is(200);
        }
    }
    server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "queued"})).is(201);
    server.send(&sign::zalo_post(sign::zalo_receipt("id3", "4700100200300400500", 1_764_000_000_111))).is(200);
    server.send(&sign::esms_get(&sign::esms_report("id8", 1, 0, ""))).is(200);
    server.send(&sign::esms_get("SMSID=id5&SendFailed=1&SendStatus=5&SendSuccess=2&TotalReceiver=3&TypeId=1")).is(200);
    let reaction = json!({"sender": {"id": "4700100200300400500"}, "recipient": {"id": sign::OA}});
    server
        .send(&sign::zalo_post(sign::zalo_event("user_reacted_message", &reaction, &json!({"msg_id": "id9"}), 1_764_000_000_111)))
        .is(200);
    server.callbacks();
    server
}

#[test]
fn each_filter_finds_exactly_what_it_says() {
    let server = filled();
    let all = server.find("limit=500");
    assert_eq!(all.len(), 13);
    let states: BTreeSet<&str> = all.iter().map(|m| m["state"].as_str().unwrap()).collect();
    assert_eq!(states.len(), 5, "{states:?}");
    type Fits = fn(&Value) -> bool;
    let filters: [(&str, Fits); 22] = [
        ("state=queued", |m| m["state"] == "queued"),
        ("state=sent", |m| m["state"] == "sent"),
        ("state=delivered", |m| m["state"] == "delivered"),
        ("state=read", |m| m["state"] == "read"),
        ("state=failed", |m| m["state"] == "failed"),
        ("provider=zalo", |m| m["provider"] == "zalo"),
        ("provider=esms", |m| m["provider"] == "esms"),
        ("account=shop-page", |m| m["account"] == "shop-page"),
        ("sender=s1", |m| m["sender"] == "s1"),
        ("kind=zns", |m| m["kind"] == "zns"),
        ("template_id=t2", |m| m["template_id"] == "t2"),
        ("message_id=id7", |m| m["message_id"] == "id7"),
        ("ref=r7", |m| m["ref"] == "r7"),
        ("partial=true", |m| m["partial"] == true),
        ("conflict=true", |m| m["conflict"] == true),
        ("failure_class=unknown", |m| m["failure"]["class"] == "unknown"),
        ("failure_code=marked_failed", |m| m["failure"]["code"] == "marked_failed"),
        ("stuck=true", |m| !m["stuck"].is_null()),
        ("state=failed&provider=zalo", |m| m["state"] == "failed" && m["provider"] == "zalo"),
        ("kind=cs&sender=s1&account=shop-sms", |m| m["kind"] == "cs" && m["sender"] == "s1" && m["account"] == "shop-sms"),
        ("message_id=id7&state=failed", |_| false),
        ("recipient=0912000111&kind=cs", |m| m["recipient"].as_str().is_some_and(|r| r.ends_with("912000111")) && m["kind"] == "cs"),
    ];
    for (query, fits) in filters {
        let expected: Vec<Value> = all.iter().filter(|m| fits(m)).cloned().collect();
        assert_eq!(server.find(query), expected, "{query}");
        let paged = server.walk(&format!("/v1/messages?limit=1&{query}"));
        assert_eq!(paged, expected, "{query}, page by page");
    }
    for class in all.iter().filter_map(|m| m["failure"]["class"].as_str()) {
        assert!(!server.find(&format!("failure_class={class}")).is_empty());
    }
}

#[test]
fn since_and_until_cut_the_list_at_the_time_it_became_known() {
    let server = filled();
    let all = server.find("");
    let events = server.detail(&all[0])["events"][0]["observed_at"].as_str().unwrap().to_owned();
    assert_eq!(server.find("since=2020-01-01T00:00:00Z&until=2100-01-01T00:00:00Z").len(), 13);
    assert_eq!(server.find("until=2020-01-01T00:00:00Z"), Vec::<Value>::new());
    assert_eq!(server.find("since=2100-01-01T00:00:00%2B07:00"), Vec::<Value>::new());
    let newer = server.find(&format!("since={events}"));
    let older = server.find(&format!("until={events}"));
    assert!(newer.contains(&all[0]), "since includes its moment");
    assert_eq!(newer.len() + older.len(), 13, "until does not");
    assert_eq!(
        server.walk(&format!("/v1/callbacks?since={events}&limit=1")).len()
            + server.walk(&format!("/v1/callbacks?until={events}&limit=1")).len(),
        4
    );
}

#[test]
fn a_phone_is_found_in_any_spelling() {
    let server = Server::start();
    let told = json!({"account": "shop-sms", "ref": "r", "recipient": "0912 000 111"});
    let id = server.post("/v1/messages", &told).is(201).json()["id"].clone();
    for spelling in [
        "0912000111",
        "84912000111",
        "%2B84912000111",
        "+84 912 000 111",
        "0912.000.111",
        "0912-000-111",
        "(091)2000111",
        "0084912000111",
        "912000111",
        "84 0912 000 111",
    ] {
        let found = server.find(&format!("recipient={}", spelling.replace(' ', "%20")));
        assert_eq!(found.len(), 1, "{spelling}");
        assert_eq!(found[0]["id"], id);
        assert_eq!(found[0]["recipient"], "84912000111");
    }
    for other in ["0912000112", "091200011", "7310000000012345", "x"] {
        assert_eq!(server.find(&format!("recipient={other}")).len(), 0, "{other}");
    }
}

#[test]
fn ids_that_differ_in_case_are_two_messages_where_the_provider_tells_them_apart() {
    let server = Server::start();
    for id in ["m_AbC", "m_abc"] {
        server.post("/v1/messages", &json!({"account": "shop-page", "message_id": id})).is(201);
    }
    server.post("/v1/messages", &json!({"account": "shop-sms", "message_id": "C0FFEE01"})).is(201);
    for (asked, found) in [("m_AbC", vec!["m_AbC"]), ("m_abc", vec!["m_abc"]), ("M_ABC", vec![]), ("C0ffee01", vec!["c0ffee01"])] {
        let ids: Vec<Value> = server.find(&format!("message_id={asked}")).iter().map(|m| m["message_id"].clone()).collect();
        assert_eq!(ids, found, "{asked}");
    }
}

#[test]
fn pages_neither_repeat_nor_skip_while_new_messages_arrive() {
    let server = Server::start();
    let told: Vec<Value> =
        (0..300).map(|n| json!({"account": "shop-oa", "ref": format!("old-{n}"), "message_id": format!("old{n}")})).collect();
    let old = ids(server.post("/v1/messages", &json!(told)).is(201).json().as_array().unwrap());
    let done = AtomicBool::new(false);
    let walked = std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if done.load(Ordering::SeqCst) {
                    break;
                }
                server.send(&sign::zalo_post(sign::zalo_receipt(&format!("new{n}"), "47", 1_764_000_000_111))).is(200);
                // What is on an earlier or a later page moves too.
                server.send(&sign::zalo_post(sign::zalo_receipt(&format!("old{}", n % 300), "47", 1_764_000_000_111))).is(200);
            }
        });
        let walked: Vec<Vec<Value>> = ["limit=7", "limit=50&provider=zalo", "limit=13&account=shop-oa"]
            .iter()
            .map(|query| server.walk(&format!("/v1/messages?{query}")))
            .collect();
        done.store(true, Ordering::SeqCst);
        walked
    });
    for all in walked {
        let found = ids(&all);
        assert_eq!(found.len(), all.len(), "one stands twice");
        assert!(old.is_subset(&found), "one is missing");
        // The first digits of an id are the time when the message became known.
        assert!(all.is_sorted_by_key(|m| std::cmp::Reverse(m["id"].as_str().unwrap()[..13].to_owned())), "newest first");
    }
    let callbacks = server.callbacks();
    let seqs: BTreeSet<u64> = callbacks.iter().map(|c| c["seq"].as_u64().unwrap()).collect();
    assert_eq!(server.walk("/v1/callbacks?limit=7").len(), seqs.len());
}

#[test]
fn callbacks_are_listed_by_status_and_account_and_processed_again() {
    let server = Server::start();
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    server.send(&sign::zalo_post("no json")).is(200);
    server.send(&sign::zalo_post("no json either")).is(200);
    server.send(&sign::facebook_post(r#"{"object":"instagram","entry":[]}"#)).is(200);
    server.send(&sign::esms_get("SendStatus=5")).is(200);
    let all = server.callbacks();
    assert_eq!(all.len(), 5);
    for (query, number) in [
        ("status=processed", 1),
        ("status=error", 3),
        ("status=ignored", 1),
        ("status=received", 0),
        ("account=shop-oa", 3),
        ("account=shop-oa&status=error", 2),
        ("account=nobody", 0),
    ] {
        assert_eq!(server.walk(&format!("/v1/callbacks?limit=1&{query}")).len(), number, "{query}");
    }
    let before = server.find("");
    let again = |path: &str| server.send(&Request::new("POST", path).key(crate::harness::KEY));
    assert_eq!(again("/v1/callbacks/reprocess?status=error").is(200).json(), json!({"reprocessed": 3}));
    assert_eq!(again("/v1/callbacks/reprocess?status=ignored").is(200).json(), json!({"reprocessed": 1}));
    assert_eq!(again("/v1/callbacks/reprocess?status=processed").is(200).json(), json!({"reprocessed": 1}));
    for bad in ["", "?status=received", "?status=all"] {
        assert_eq!(again(&format!("/v1/callbacks/reprocess{bad}")).problem(400), "invalid_parameter");
    }
    for callback in &all {
        let after = again(&format!("/v1/callbacks/{}/reprocess", callback["seq"])).is(200).json();
        assert_eq!((&after["status"], &after["error"]), (&callback["status"], &callback["error"]));
    }
    assert_eq!(server.find(""), before, "processing again changes nothing");
    assert_eq!(server.callbacks(), all);
}
