//! Files whose pages are overwritten under the running program: 503 and a red readiness within a second, no panic, nothing
//! acknowledged that a restart would not find, and a start that says which file is damaged.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Command;

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::{Inside, Request, Server, sign, until};

fn receipt(id: &str) -> Request {
    sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))
}

/// A server whose files hold what was sent before and whose logs hold what was sent last.
fn served() -> Server {
    let mut server = Server::start();
    for n in 0..200 {
        server.send(&receipt(&format!("old-{n}"))).is(200);
    }
    assert_eq!(server.stop().code(), Some(0));
    let server = server.restart();
    for n in 0..5 {
        server.send(&receipt(&format!("new-{n}"))).is(200);
    }
    assert_eq!(server.callbacks().len(), 205);
    server
}

/// Overwrites pages of a file, as a failing disk or another program does.
fn overwrite(server: &Server, file: &str, from: u64, byte: u8) {
    let file = File::options().write(true).open(server.folder().join(file)).unwrap();
    let length = file.metadata().unwrap().len();
    assert!(length > from);
    file.write_all_at(&vec![byte; (length - from) as usize], from).unwrap();
}

fn faults(server: &Server) -> String {
    server.get("/readyz").text()
}

fn lives(server: &Server) {
    server.get("/livez").is(200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

fn refused(server: &Server, says: &[&str]) {
    let started = Server::start_in_vain(server.folder());
    assert_eq!(started.status.code(), Some(3), "{}", started.stderr);
    for word in says {
        assert!(started.stderr.contains(word), "{word}: {}", started.stderr);
    }
    assert!(!started.stderr.contains("panicked"), "{}", started.stderr);
}

#[test]
fn an_inbox_overwritten_from_its_head_or_behind_it_is_red_and_takes_nothing() {
    for from in [0, 4096] {
        let mut server = served();
        overwrite(&server, "baophat.db", from, b'x');
        until("it is not ready, and says that the file is damaged", || {
            let told = faults(&server);
            (told.contains("\"inbox\"") && told.contains("baophat.db is damaged")).then_some(())
        });
        for n in 0..3 {
            assert_eq!(server.send(&receipt(&format!("refused-{n}"))).status, 503, "overwritten from {from}");
        }
        for path in ["/v1/messages", "/v1/callbacks", "/v1/stuck"] {
            assert!([200, 503].contains(&server.get(path).status), "{path}");
        }
        lives(&server);
        server.kill();
        refused(&server, &["baophat.db", "damaged", "backup"]);
    }
}

#[test]
fn an_overwritten_state_is_red_while_callbacks_are_kept_and_is_made_anew_when_it_is_moved_away() {
    let mut server = served();
    overwrite(&server, "baophat-state.db", 0, b'x');
    until("it is not ready, and says that the file is damaged", || faults(&server).contains("baophat-state.db is damaged").then_some(()));
    for n in 0..3 {
        server.send(&receipt(&format!("kept-{n}"))).is(200);
    }
    lives(&server);
    server.kill();
    refused(&server, &["baophat-state.db", "damaged"]);
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(server.folder().join(format!("baophat-state.db{suffix}")));
    }
    let server = server.restart();
    assert_eq!(server.callbacks().len(), 208);
    for id in ["old-0", "old-199", "new-4", "kept-2"] {
        server.message(id, |m| m["state"] == "delivered");
    }
}

/// The frames of a log are not read again while it is served; the start is where their loss shows, and it must not pass it over.
#[test]
fn an_overwritten_log_of_the_inbox_is_told_at_the_start() {
    let mut server = served();
    overwrite(&server, "baophat.db-wal", 32, b'x');
    for n in 0..3 {
        assert!([200, 503].contains(&server.send(&receipt(&format!("unsure-{n}"))).status));
    }
    lives(&server);
    server.kill();
    refused(&server, &["baophat-state.db", "ends at 200", "rebuild"]);
}

fn rebuild(server: &Server, options: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baophat"));
    let made = command.arg("rebuild").args(options).arg("--config").arg(server.folder().join("baophat.toml")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// One message that cannot be read back costs its own callbacks, not those that are folded in the same commit.
#[test]
fn a_message_that_cannot_be_read_back_sets_its_callbacks_aside_and_no_others() {
    let mut server = Server::start();
    for id in ["before", "damaged", "behind"] {
        server.send(&receipt(id)).is(200);
        server.message(id, |m| m["state"] == "delivered");
    }
    assert_eq!(server.stop().code(), Some(0));
    let state = rusqlite::Connection::open(server.folder().join("baophat-state.db")).unwrap();
    let changed = state.execute("UPDATE message SET dossier = x'ff' WHERE row = 2", []).unwrap();
    assert_eq!(changed, 1);
    drop(state);
    // All three records are folded again, in one commit until that fails.
    rebuild(&server, &["--keep"]);
    let mut server = server.restart();
    for id in ["before", "behind", "later"] {
        let parties = json!({"sender": {"id": "4700100200300400500"}, "recipient": {"id": sign::OA}});
        let seen = sign::zalo_event("user_seen_message", &parties, &json!({"msg_ids": [id]}), 1_764_000_000_222);
        server.send(&sign::zalo_post(seen)).is(200);
        server.message(id, |m| m["state"] == "read");
    }
    server.send(&receipt("damaged-2")).is(200);
    server.message("damaged-2", |m| m["state"] == "delivered");
    let told = server.callbacks();
    let of = |status: &str| told.iter().filter(|c| c["status"] == status).count();
    assert_eq!((of("processed"), of("error")), (6, 1), "{told:?}");
    let aside = told.iter().find(|c| c["status"] == "error").unwrap();
    assert_eq!(aside["seq"], 2, "{aside}");
    assert!(aside["error"].as_str().is_some_and(|r| r.contains("layout, 255,") && r.contains("baophat rebuild")), "{aside}");
    server.get("/readyz").is(200);
    lives(&server);
    // What its error advises mends it.
    assert_eq!(server.stop().code(), Some(0));
    rebuild(&server, &[]);
    let server = server.restart();
    server.message("damaged", |m| m["state"] == "delivered");
    assert!(server.callbacks().iter().all(|c| c["status"] == "processed"));
}

/// Nor does it cost the others their deadlines.
#[test]
fn a_message_that_cannot_be_read_back_keeps_no_other_from_being_found_stuck() {
    let service = Inside::start(Millis(1_769_997_600_000), "");
    let told: Vec<Value> = (0..3)
        .map(|n| json!({"account": "shop-oa", "ref": format!("r{n}"), "kind": "zns", "recipient": format!("8490000000{n}")}))
        .collect();
    service.post("/v1/messages", &json!(told)).is(201);
    let state = rusqlite::Connection::open(service.folder().join("baophat-state.db")).unwrap();
    assert_eq!(state.execute("UPDATE message SET dossier = x'ff' WHERE row = 2", []).unwrap(), 1);
    drop(state);
    service.clock.advance(Span::hours(3));
    until("the others are found stuck", || {
        let stuck = service.get("/v1/stuck?limit=10");
        (stuck["data"].as_array()?.len() == 2).then_some(())
    });
    service.send(&Request::new("GET", "/readyz")).is(200);
    // Nor what comes afterwards.
    service.post("/v1/messages", &json!([{"account": "shop-oa", "ref": "later", "kind": "zns", "recipient": "84900000009"}])).is(201);
    service.clock.advance(Span::hours(3));
    until("so is a later one", || (service.get("/v1/stuck?limit=10")["data"].as_array()?.len() == 3).then_some(()));
}
