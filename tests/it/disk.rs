//! The store as it should not be: in use, of a newer version, damaged, not there, full. Clear errors at the start, 503 while
//! serving, never a crash, and back to work when there is room again.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{KEY, Request, Server, sign, until};

/// A start in this folder ends with exit code 3 and says all of this.
fn refused(folder: &std::path::Path, says: &[&str]) {
    let started = Server::start_in_vain(folder);
    assert_eq!(started.status.code(), Some(3), "{}", started.stderr);
    for word in says {
        assert!(started.stderr.contains(word), "{word}: {}", started.stderr);
    }
    assert!(!started.stderr.contains("panicked"), "{}", started.stderr);
}

#[test]
fn a_second_start_on_a_store_in_use_ends_with_3_and_the_first_goes_on() {
    let server = Server::start();
    refused(server.folder(), &["in use", "baophat.db"]);
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    server.message("aa", |m| m["state"] == "delivered");
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_as_it_is() {
    for name in ["baophat.db", "baophat-state.db"] {
        let mut server = Server::start();
        server.stop();
        let path = server.folder().join(name);
        let version = |to: Option<i64>| -> i64 {
            let conn = rusqlite::Connection::open(&path).unwrap();
            if let Some(to) = to {
                conn.pragma_update(None, "user_version", to).unwrap();
            }
            conn.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap()
        };
        let ours = version(None);
        version(Some(99));
        refused(server.folder(), &["99", name, "newer"]);
        assert_eq!(version(None), 99);
        version(Some(ours));
        server.restart().get("/readyz").is(200);
    }
}

#[test]
fn a_store_that_is_no_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    Server::write_config(folder.path(), "");
    std::fs::write(folder.path().join("baophat.db"), vec![b'x'; 9_000]).unwrap();
    refused(folder.path(), &["damaged", "baophat.db"]);
    let folder = tempfile::tempdir().unwrap();
    Server::write_config(folder.path(), "");
    std::fs::create_dir(folder.path().join("baophat.db")).unwrap();
    refused(folder.path(), &["baophat.db"]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = Server::write_config(folder.path(), "");
    let text = std::fs::read_to_string(&path).unwrap().replace("baophat.db", "nowhere/baophat.db");
    std::fs::write(&path, text).unwrap();
    refused(folder.path(), &["nowhere"]);
}

#[test]
fn an_address_in_use_is_told() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let path = Server::write_config(folder.path(), "");
    let text = std::fs::read_to_string(&path).unwrap().replace("127.0.0.1:0", &server.address.to_string());
    std::fs::write(&path, text).unwrap();
    let started = Server::start_in_vain(folder.path());
    assert!(started.status.code().is_some_and(|c| c != 0) && started.stderr.contains("cannot listen"), "{}", started.stderr);
}

/// A callback with a large body.
fn large(n: usize) -> Request {
    let text = format!("{n} {}", "đ".repeat(10_000));
    let message = json!({"msg_id": format!("large-{n}"), "text": text});
    let parties = json!({"sender": {"id": sign::OA}, "recipient": {"id": "4700100200300400500"}});
    sign::zalo_post(sign::zalo_event("oa_send_text", &parties, &message, 1_764_000_000_000 + n as i64))
}

/// Sends callbacks until none can be stored any more; those that were acknowledged. A single refusal is not the end: the write-ahead
/// log is written anew into the file, and what that frees is used.
fn fill(server: &Server) -> Vec<usize> {
    let mut acknowledged = Vec::new();
    let mut refused = 0;
    for n in 0..1_000 {
        let answer = server.send(&large(n));
        if answer.status == 503 {
            assert!(answer.header("retry-after").is_some_and(|v| v.parse::<u32>().is_ok()));
            assert!(answer.body.is_empty());
            refused += 1;
            if refused == 5 {
                return acknowledged;
            }
        } else {
            assert_eq!(answer.status, 200);
            acknowledged.push(n);
            refused = 0;
        }
    }
    panic!("the limit of the file size has no effect");
}

fn readiness(server: &Server) -> (u16, Value) {
    let answer = server.send(&Request::new("GET", "/readyz"));
    (answer.status, answer.json())
}

fn there(server: &Server, acknowledged: &[usize]) {
    server.callbacks();
    for n in acknowledged {
        assert_eq!(server.find(&format!("message_id=large-{n}")).len(), 1, "large-{n}");
    }
}

#[test]
fn a_full_disk_is_answered_503_and_heals_by_itself() {
    let server = Server::start_limited(512);
    let acknowledged = fill(&server);
    assert!(acknowledged.len() > 3, "{acknowledged:?}");
    until("it is not ready, with the reason", || {
        let (status, body) = readiness(&server);
        let told = body["faults"].as_array().is_some_and(|f| f.iter().any(|f| f["reason"].as_str().is_some_and(|r| !r.is_empty())));
        (status == 503 && body["status"] == "not_ready" && told).then_some(())
    });
    // It lives, it answers questions, and it takes nothing that it cannot keep.
    server.get("/livez").is(200);
    server.get("/v1/messages").is(200);
    assert_eq!(server.send(&large(1_001)).status, 503);
    let told = json!({"account": "shop-oa", "ref": "r".repeat(500), "metadata": {"a": "x".repeat(15_000)}});
    let answer = server.post("/v1/messages", &json!(vec![told; 40]));
    assert_eq!(answer.problem(503), "unavailable");
    assert!(answer.header("retry-after").is_some());
    let counted = server.get("/metrics").text();
    assert!(!counted.contains("baophat_unavailable_total{reason=\"storage\"} 0"), "{counted}");
    assert!(counted.contains("baophat_healthy{part=\"inbox\"}"), "{counted}");
    // Room again.
    let lifted = Command::new("prlimit").arg("--pid").arg(server.pid().to_string()).arg("--fsize=unlimited").status();
    let server = if lifted.is_ok_and(|s| s.success()) { server } else { server.restart() };
    until("it is ready again", || (readiness(&server).0 == 200).then_some(()));
    there(&server, &acknowledged);
    server.send(&large(2_000)).is(200);
    server.message("large-2000", |m| m["state"] == "sent");
    assert_eq!(server.find("message_id=large-1001"), Vec::<Value>::new(), "what was answered 503 is not there");
}

#[test]
fn a_full_disk_and_a_kill_lose_nothing_acknowledged() {
    let mut server = Server::start_limited(512);
    let acknowledged = fill(&server);
    server.kill();
    let server = server.restart();
    server.send(&Request::new("GET", "/v1/messages").key(KEY)).is(200);
    there(&server, &acknowledged);
    server.send(&large(2_000)).is(200);
}

#[test]
fn a_full_disk_does_not_keep_the_program_from_ending() {
    let mut server = Server::start_limited(512);
    fill(&server);
    assert_eq!(server.stop().code(), Some(0));
}

/// Makes one of the two databases read-only under the running server, with all its files, or writable again. Where the file system
/// and our rights allow it the files become immutable, which is what a disk that failed looks like: writing a mapped page of them is a
/// bus error. Elsewhere their permissions say it.
fn read_only(server: &Server, name: &str, on: bool) {
    let files = ["", "-wal", "-shm"].map(|suffix| server.folder().join(format!("{name}{suffix}")));
    let immutable = |flag: &str| Command::new("chattr").arg(flag).args(&files).output().is_ok_and(|o| o.status.success());
    // Mapped pages that are on disk already fault when they are written next.
    let synced = Command::new("sync").args(&files).status();
    assert!(synced.is_ok_and(|s| s.success()));
    if on && immutable("+i") {
        return;
    }
    immutable("-i");
    for file in files {
        let mode = if on { 0o444 } else { 0o644 };
        std::fs::set_permissions(file, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
}

/// Writable again, however the test ends: the folder could not be deleted otherwise.
struct Healed<'a>(&'a Server, &'static str);

impl Drop for Healed<'_> {
    fn drop(&mut self) {
        read_only(self.0, self.1, false);
    }
}

fn reasons(server: &Server) -> String {
    readiness(server).1["faults"].to_string()
}

#[test]
fn an_inbox_that_becomes_read_only_is_503_and_red_and_heals_by_itself() {
    let server = Server::start_bound();
    server.send(&large(1)).is(200);
    there(&server, &[1]);
    let healed = Healed(&server, "baophat.db");
    read_only(&server, "baophat.db", true);
    for n in 2..6 {
        let answer = server.send(&large(n));
        assert_eq!(answer.status, 503, "{n}");
        assert!(answer.header("retry-after").is_some());
    }
    until("it is not ready, with the reason", || reasons(&server).contains("read-only").then_some(()));
    for path in ["/v1/messages", "/v1/stuck", "/v1/callbacks"] {
        assert_eq!(server.get(path).problem(503), "unavailable");
    }
    let answer = server.post("/v1/messages", &json!({"account": "shop-oa", "ref": "order-1"}));
    assert_eq!(answer.problem(503), "unavailable");
    server.get("/livez").is(200);
    drop(healed);
    until("it is ready again", || (readiness(&server).0 == 200).then_some(()));
    there(&server, &[1]);
    server.send(&large(7)).is(200);
    server.message("large-7", |m| m["state"] == "sent");
    for n in 2..6 {
        assert_eq!(server.find(&format!("message_id=large-{n}")), Vec::<Value>::new(), "what was answered 503 is not there");
    }
}

#[test]
fn a_state_that_becomes_read_only_is_red_while_callbacks_are_still_taken_in() {
    let server = Server::start_bound();
    server.send(&large(1)).is(200);
    there(&server, &[1]);
    let healed = Healed(&server, "baophat-state.db");
    read_only(&server, "baophat-state.db", true);
    for n in 2..6 {
        server.send(&large(n)).is(200);
    }
    until("it is not ready, with the reason", || reasons(&server).contains("read-only").then_some(()));
    assert_eq!(server.get("/v1/messages").problem(503), "unavailable");
    drop(healed);
    until("it is ready again", || (readiness(&server).0 == 200).then_some(()));
    there(&server, &[1, 2, 3, 4, 5]);
}

#[test]
fn read_only_files_do_not_keep_the_program_from_ending() {
    let mut server = Server::start_bound();
    server.send(&large(1)).is(200);
    there(&server, &[1]);
    for name in ["baophat.db", "baophat-state.db"] {
        read_only(&server, name, true);
    }
    let ended = server.stop();
    for name in ["baophat.db", "baophat-state.db"] {
        read_only(&server, name, false);
    }
    assert_eq!(ended.code(), Some(0));
    there(&server.restart(), &[1]);
}
