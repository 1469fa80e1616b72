//! The service with its outbox: routes, commands, and a receiver that is slow or not there.

use std::process::Command;
use std::time::Instant;

use baophat::clock::{Clock, WallClock};
use baophat::domain::state::State;
use serde_json::json;

use super::bench::{Bench, SECRET, run, subscription};
use super::receiver::Receiver;
use crate::harness::{Request, Server, sign, until};

fn baophat(server: &Server, line: &[&str]) -> (i32, String) {
    let config = server.folder().join("baophat.toml");
    let out = Command::new(env!("CARGO_BIN_EXE_baophat")).args(line).arg("--config").arg(config).output().unwrap();
    (out.status.code().unwrap(), String::from_utf8_lossy(&out.stdout).into_owned() + &String::from_utf8_lossy(&out.stderr))
}

/// A server with these tables behind its configuration.
fn server(tables: &str) -> Server {
    let mut server = Server::start();
    server.stop();
    let path = server.folder().join("baophat.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{tables}")).unwrap();
    server.restart()
}

#[test]
fn a_slow_receiver_keeps_no_callback_waiting() {
    let receiver = Receiver::start();
    let server = server(&subscription(&receiver.url("/"), ""));
    let gate = receiver.hold();
    let started = Instant::now();
    for n in 0..20 {
        server.send(&sign::zalo_post(sign::zalo_receipt(&format!("m{n}"), "47", 1_764_000_000_111))).is(200);
    }
    assert_eq!(server.callbacks().len(), 20);
    assert!(started.elapsed().as_secs() < 15, "{:?}", started.elapsed());
    assert_eq!(server.get("/readyz").is(200).json()["status"], "ready");
    drop(gate);
}

#[test]
fn an_outbox_that_cannot_be_written_keeps_no_callback_from_being_taken() {
    let receiver = Receiver::start();
    let server = server(&subscription(&receiver.url("/"), ""));
    for name in ["baophat-outbox.db", "baophat-outbox.db-wal", "baophat-outbox.db-shm"] {
        std::fs::remove_file(server.folder().join(name)).unwrap();
    }
    let sick = "baophat_healthy{part=\"outbox\"} 0";
    until("the outbox is known to be gone", || server.send(&Request::new("GET", "/metrics")).text().contains(sick).then_some(()));
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    assert_eq!(server.callbacks().len(), 1);
    assert_eq!(server.get("/readyz").is(200).json()["status"], "ready");
}

#[test]
fn receivers_and_dead_letters_are_listed_and_replayed_over_http_and_by_command() {
    let receiver = Receiver::start();
    let bench = Bench::new();
    let tables = subscription(&receiver.url("/"), "");
    let (mut outbox, courier) = bench.outbox(&tables);
    // The server that follows has a clock of its own, and lets old dead letters go.
    let now = WallClock.now();
    run(&mut outbox, &courier, now);
    receiver.plan(&["410"]);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    run(&mut outbox, &courier, now);
    drop(outbox);
    let dead = bench.numbers(true)[0];
    let server = bench.into_server(&tables);
    let subscriptions = server.get("/v1/subscriptions").is(200).json();
    let wanted =
        json!({ "id": "erp", "kind": "subscription", "status": "disabled", "waiting": 0, "dead": 1, "last_error": "it answered 410 Gone" });
    crate::harness::holds(&wanted, &subscriptions["data"][0]).unwrap();
    assert!(!subscriptions.to_string().contains(SECRET));
    let listed = server.get("/v1/deliveries?status=dead&subscription=erp").is(200).json();
    crate::harness::holds(&json!({ "id": dead, "type": "message.sent", "status": "dead", "created_at": now }), &listed["data"][0]).unwrap();
    assert!(listed["data"][0]["message"].is_string());
    assert_eq!(server.get("/v1/deliveries?status=gone").problem(400), "invalid_parameter");
    assert_eq!(server.post(&format!("/v1/deliveries/{}/replay", dead + 1), &json!({})).problem(404), "not_found");
    let (code, text) = baophat(&server, &["outbox", "--dead", "--json"]);
    assert!(code == 0 && text.contains("message.sent"), "{text}");
    let before = receiver.taken().len();
    assert_eq!(server.post(&format!("/v1/deliveries/{dead}/replay"), &json!({})).is(200).json(), json!({ "replayed": 1 }));
    until("the dead letter arrives", || (receiver.taken().len() > before).then_some(()));
    until("nothing is dead", || (server.get("/v1/subscriptions").json()["data"][0]["dead"] == 0).then_some(()));
    let (code, text) = baophat(&server, &["outbox", "replay", "--all"]);
    assert!(code == 0 && text.starts_with('0'), "{text}");
    let (code, text) = baophat(&server, &["alert", "list", "--json"]);
    assert!(code == 0 && text.contains("\"erp\""), "{text}");
    assert!(
        server.send(&Request::new("GET", "/metrics")).text().contains("baophat_deliveries_total{target=\"erp\",outcome=\"delivered\"} 1")
    );
}

#[test]
fn a_test_message_tells_plainly_whether_it_arrived() {
    let receiver = Receiver::start();
    let server = server(&subscription(&receiver.url("/"), ""));
    let (code, text) = baophat(&server, &["alert", "test", "erp", "--lang", "en"]);
    assert!(code == 0 && text.contains("erp (subscription)  sent"), "{code} {text}");
    assert_eq!(receiver.types(), ["alert.test"]);
    receiver.plan(&["403"]);
    let (code, text) = baophat(&server, &["alert", "test", "--all", "--lang", "en"]);
    assert!(code == 1 && text.contains("not sent  answered 403"), "{code} {text}");
    assert_eq!(baophat(&server, &["alert", "test"]).0, 1, "there is no alert");
    // A receiver that speaks no TLS is told as that.
    let config = server.folder().join("baophat.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let mail =
        "\n[[alert]]\nid = \"mail\"\nkind = \"email\"\nhost = \"127.0.0.1\"\nsecurity = \"tls\"\nfrom = \"a@b.vn\"\nto = \"a@b.vn\"\n";
    let more = format!("{mail}port = {}\n", receiver.address.port());
    std::fs::write(&config, text.replace("http://", "https://") + &more).unwrap();
    let (code, text) = baophat(&server, &["alert", "test", "--all", "--lang", "en"]);
    assert!(code == 1 && text.contains("erp (subscription)  not sent") && text.contains("mail (email)  not sent"), "{code} {text}");
    assert!(!text.contains("panicked") && !text.contains("within 15 s"), "{text}");
    assert_eq!(baophat(&server, &["alert", "test", "nobody"]).0, 1);
}

#[test]
fn without_anybody_to_tell_there_is_no_outbox() {
    let server = Server::start();
    assert_eq!(server.get("/v1/subscriptions").is(200).json(), json!({ "data": [] }));
    assert_eq!(server.get("/v1/deliveries").is(200).json(), json!({ "data": [], "next_cursor": null }));
    assert_eq!(server.post("/v1/deliveries/replay", &json!({})).is(200).json(), json!({ "replayed": 0 }));
    assert!(!server.folder().join("baophat-outbox.db").exists());
}
