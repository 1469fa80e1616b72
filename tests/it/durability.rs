//! A 200 is a receipt: what was acknowledged is there after SIGTERM and any number of starts, with the state it had (SIGKILL: `crash`).

use std::os::unix::process::ExitStatusExt;

use serde_json::{Value, json};

use crate::harness::{Request, Server, exchange, sign, until};
use crate::load::{Ledger, during, receipts};

#[test]
fn sigterm_under_load_ends_with_0_and_loses_nothing() {
    let (mut server, ledger) = (Server::start(), Ledger::default());
    for round in 0..3 {
        during(server.address, &ledger, round, || {
            receipts(&ledger, 150);
            let ended = server.stop();
            assert_eq!((ended.code(), ended.signal()), (Some(0), None), "{}", server.log());
        });
        // Everything stands in the files themselves: no write-ahead log is left to be read.
        for name in ["baophat.db-wal", "baophat-state.db-wal"] {
            let left = std::fs::metadata(server.folder().join(name)).map_or(0, |m| m.len());
            assert_eq!(left, 0, "{name}");
        }
        server = server.restart();
        ledger.all_is_there(&server);
    }
}

#[test]
fn a_request_in_progress_is_answered_before_the_end() {
    let mut server = Server::start();
    let body = sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111);
    let head = format!(
        "POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\nx-zevent-signature: {}\r\ncontent-length: {}\r\n\r\n",
        sign::zalo(body.as_bytes(), sign::ZALO_KEY),
        body.len()
    );
    let mut stream = crate::harness::open(server.address).unwrap();
    let write = |stream: &mut std::net::TcpStream, text: &str| std::io::Write::write_all(stream, text.as_bytes()).unwrap();
    write(&mut stream, &head);
    write(&mut stream, &body[..50]);
    // The server has seen the head when it answers another one that came later.
    server.get("/livez").is(200);
    server.get("/livez").is(200);
    server.terminate();
    until("no new connection is taken", || exchange(server.address, &Request::new("GET", "/livez")).is_err().then_some(()));
    write(&mut stream, &body[50..]);
    let answer = crate::harness::read_answer(&mut stream).expect("an answer");
    assert_eq!(server.ended().code(), Some(0));
    let server = server.restart();
    if answer.status == 200 {
        server.message("aa", |m| m["state"] == "delivered");
    } else {
        assert_eq!(answer.status, 503);
    }
}

#[test]
fn a_state_that_is_gone_is_built_again_from_the_inbox() {
    let mut server = Server::start();
    server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "r", "message_id": "aa"})).is(201);
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111))).is(200);
    server.send(&sign::esms_get(&sign::esms_report("bb", 0, 1, "order-1"))).is(200);
    server.message("bb", |m| m["state"] == "failed");
    let details = |server: &Server| -> Vec<Value> { server.find("").iter().map(|m| server.detail(m)).collect() };
    let before = details(&server);
    server.stop();
    for name in ["baophat-state.db", "baophat-state.db-wal", "baophat-state.db-shm"] {
        let _ = std::fs::remove_file(server.folder().join(name));
    }
    let server = server.restart();
    server.message("bb", |m| m["state"] == "failed");
    assert_eq!(details(&server), before, "down to our own ids");
}
