//! A 200 is a receipt: what was acknowledged is there after SIGKILL, SIGTERM and any number of starts, with the state it had.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{KEY, Request, Server, exchange, sign, until};

/// What was answered 200.
#[derive(Default)]
struct Acknowledged {
    receipts: Mutex<BTreeSet<String>>,
    registered: Mutex<BTreeSet<String>>,
}

impl Acknowledged {
    fn number(&self) -> usize {
        self.receipts.lock().unwrap().len() + self.registered.lock().unwrap().len()
    }
}

/// Sends callbacks of every provider, and registrations, from several connections until told to stop; what is not answered 200 is
/// not noted. Then ends the server in the middle of it.
fn load_and_end(server: &mut Server, round: usize, known: &Acknowledged, end: impl FnOnce(&mut Server)) {
    let (address, done, next, before) = (server.address, AtomicBool::new(false), AtomicUsize::new(0), known.number());
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let id = format!("{round}-{n}");
                    let request = match n % 4 {
                        0 => sign::zalo_post(sign::zalo_receipt(&id, "4700100200300400500", 1_764_000_000_111)),
                        1 => {
                            sign::facebook_post(sign::facebook_body(&[sign::facebook_delivery(&id, "7310000000012345", 1_771_234_567_890)]))
                        }
                        2 => sign::esms_get(&sign::esms_report(&id, 1, 0, "")),
                        _ => Request::new("POST", "/v1/messages").key(KEY).json(&json!({"account": "shop-oa", "ref": id})),
                    };
                    if exchange(address, &request).is_ok_and(|a| a.status == 200 || a.status == 201) {
                        let list = if n % 4 == 3 { &known.registered } else { &known.receipts };
                        list.lock().unwrap().insert(id);
                    }
                }
            });
        }
        until("enough is acknowledged", || (known.number() > before + 150).then_some(()));
        end(server);
        done.store(true, Ordering::SeqCst);
    });
}

/// Everything acknowledged is there, at least as far as it was.
fn nothing_is_lost(server: &Server, known: &Acknowledged) {
    server.callbacks();
    let all = server.walk("/v1/messages?limit=500");
    let names = |member: &str, state: &str| -> BTreeSet<String> {
        all.iter().filter(|m| m["state"] == state).filter_map(|m| m[member].as_str().map(str::to_owned)).collect()
    };
    let missing: Vec<String> = known.receipts.lock().unwrap().difference(&names("message_id", "delivered")).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "acknowledged receipts are lost");
    let missing: Vec<String> = known.registered.lock().unwrap().difference(&names("ref", "queued")).cloned().collect();
    assert_eq!(missing, Vec::<String>::new(), "acknowledged registrations are lost");
    let ids: BTreeSet<&str> = all.iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), all.len());
}

#[test]
fn what_was_acknowledged_is_there_after_sigkill_under_load() {
    let (mut server, known) = (Server::start(), Acknowledged::default());
    for round in 0..4 {
        load_and_end(&mut server, round, &known, Server::kill);
        server = server.restart();
        nothing_is_lost(&server, &known);
    }
    assert!(known.number() > 600);
}

#[test]
fn sigterm_under_load_ends_with_0_and_loses_nothing() {
    let (mut server, known) = (Server::start(), Acknowledged::default());
    for round in 0..3 {
        load_and_end(&mut server, round, &known, |server| {
            let ended = server.stop();
            assert_eq!((ended.code(), ended.signal()), (Some(0), None), "{}", server.log());
        });
        // Everything stands in the files themselves: no write-ahead log is left to be read.
        for name in ["baophat.db-wal", "baophat-state.db-wal"] {
            let left = std::fs::metadata(server.folder().join(name)).map_or(0, |m| m.len());
            assert_eq!(left, 0, "{name}");
        }
        server = server.restart();
        nothing_is_lost(&server, &known);
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
