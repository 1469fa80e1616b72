//! A store that another program holds: nothing is acknowledged that is not on disk, the queue is bounded and says when it is full,
//! and everything goes on when the store is let go.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::harness::{Request, Server, sign, until};

/// As many records as may wait.
const BOUND: usize = 16;

#[test]
fn a_held_store_fills_the_queue_which_answers_503_at_once_and_goes_on_when_let_go() {
    let server = Server::start_with(&format!("limits.inbox_records_max = {BOUND}"));
    let holder = rusqlite::Connection::open(server.folder().join("baophat.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (stored, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for n in 0..3 * BOUND {
            let (server, stored, refused) = (&server, &stored, &refused);
            scope.spawn(move || {
                let answer = server.send(&sign::zalo_post(sign::zalo_receipt(&format!("held-{n}"), "47", 1_764_000_000_111)));
                match answer.status {
                    200 => drop(stored.fetch_add(1, Ordering::SeqCst)),
                    503 => {
                        assert!(answer.header("retry-after").is_some() && answer.body.is_empty());
                        refused.fetch_add(1, Ordering::SeqCst);
                    }
                    other => panic!("{other}"),
                }
            });
        }
        until("the queue is full, and says so", || (refused.load(Ordering::SeqCst) > 0).then_some(()));
        assert_eq!(stored.load(Ordering::SeqCst), 0, "nothing is acknowledged while nothing can be written");
        // Questions and probes are answered meanwhile.
        server.get("/v1/messages").is(200);
        server.send(&Request::new("GET", "/livez")).is(200);
        let counted = server.get("/metrics").text();
        assert!(!counted.contains("baophat_unavailable_total{reason=\"inbox_full\"} 0"), "{counted}");
        holder.execute_batch("ROLLBACK").unwrap();
    });
    let (stored, refused) = (stored.into_inner(), refused.into_inner());
    assert_eq!(stored + refused, 3 * BOUND);
    assert_eq!(server.callbacks().len(), stored, "what was refused is not there, what was acknowledged is");
    server.send(&sign::zalo_post(sign::zalo_receipt("after", "47", 1_764_000_000_111))).is(200);
    server.message("after", |m| m["state"] == "delivered");
    until("it is ready", || (server.send(&Request::new("GET", "/readyz")).status == 200).then_some(()));
}

#[test]
fn a_held_state_keeps_callbacks_coming_in_and_catches_up_when_let_go() {
    let server = Server::start();
    let holder = rusqlite::Connection::open(server.folder().join("baophat-state.db")).unwrap();
    holder.execute_batch("BEGIN IMMEDIATE").unwrap();
    for n in 0..20 {
        server.send(&sign::zalo_post(sign::zalo_receipt(&format!("a{n}"), "47", 1_764_000_000_111))).is(200);
    }
    let waiting = server.walk("/v1/callbacks?limit=500&status=received");
    assert_eq!(waiting.len(), 20, "durable, and not looked at yet");
    assert_eq!(server.find(""), Vec::<Value>::new());
    assert_eq!(server.walk("/v1/callbacks?limit=3").len(), 20, "in pages as well");
    holder.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.callbacks().len(), 20);
    assert_eq!(server.find("").len(), 20);
}

/// SQLite tells by its locks whether anybody uses a store. A server that lost them (closing any descriptor of a file takes them all away)
/// would have its log deleted, and the index that it has mapped emptied, by whoever looks into the store beside it.
#[test]
fn another_program_that_looks_into_the_store_takes_nothing_from_the_server() {
    let mut server = Server::start();
    let files = ["baophat.db", "baophat-state.db"].map(|name| server.folder().join(name));
    for n in 0..12 {
        server.send(&sign::zalo_post(sign::zalo_receipt(&format!("beside-{n}"), "47", 1_764_000_000_111))).is(200);
        server.message(&format!("beside-{n}"), |m| m["state"] == "delivered");
        for file in &files {
            // A program that knows nothing of us: its last connection tidies up behind itself.
            let other = rusqlite::Connection::open(file).unwrap();
            let tables: i64 = other.query_row("SELECT count(*) FROM sqlite_master", [], |r| r.get(0)).unwrap();
            assert!(tables > 0);
        }
    }
    for file in &files {
        assert!(file.with_file_name(format!("{}-wal", file.file_name().unwrap().to_str().unwrap())).exists(), "the log is gone");
    }
    server.kill();
    let server = server.restart();
    assert_eq!(server.callbacks().len(), 12, "acknowledged, and gone after a kill");
}
