//! Files that are deleted or replaced under the running program. SQLite goes on writing into a file without a name; a receipt for that
//! would be one that no restart honours.

use std::path::PathBuf;

use crate::harness::{KEY, Request, Server, sign, until};

fn receipt(id: &str) -> Request {
    sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))
}

fn faults(server: &Server) -> String {
    server.get("/readyz").text()
}

/// A server that has acknowledged ten callbacks, some in the file and some in its log.
fn with_ten() -> Server {
    let mut server = Server::start();
    for n in 0..5 {
        server.send(&receipt(&format!("a{n}"))).is(200);
    }
    assert_eq!(server.stop().code(), Some(0));
    let server = server.restart();
    for n in 5..10 {
        server.send(&receipt(&format!("a{n}"))).is(200);
    }
    assert_eq!(server.callbacks().len(), 10);
    server
}

fn ten_are_there(server: &Server) {
    server.callbacks();
    for n in 0..10 {
        server.message(&format!("a{n}"), |m| m["state"] == "delivered");
    }
}

/// From the moment at which the file is gone: 503 to callbacks and calls, red with its name, and no end.
fn nothing_is_taken(server: &Server, file: &str) {
    for n in 0..3 {
        let answer = server.send(&receipt(&format!("gone-{n}")));
        assert_eq!(answer.status, 503, "acknowledged into a deleted {file}");
        assert!(answer.header("retry-after").is_some());
    }
    let registered = Request::new("POST", "/v1/messages").key(KEY).body("{\"account\":\"shop-oa\",\"ref\":\"gone\"}");
    assert_eq!(server.send(&registered.header("content-type", "application/json")).status, 503);
    until("it is not ready, and says which file", || faults(server).contains(&format!("{file} was deleted")).then_some(()));
    assert_eq!(server.get("/readyz").status, 503);
    server.get("/livez").is(200);
}

/// The open file behind a deleted name, as the system shows it to whoever may look at the process.
fn still_open(server: &Server, file: &str) -> PathBuf {
    let wanted =
        format!("{} (deleted)", server.folder().join(file).canonicalize().unwrap_or_else(|_| server.folder().join(file)).display());
    let all = std::fs::read_dir(format!("/proc/{}/fd", server.pid())).unwrap();
    let mut found = all.map(|e| e.unwrap().path()).filter(|fd| std::fs::read_link(fd).is_ok_and(|to| to.display().to_string() == wanted));
    found.next().unwrap_or_else(|| panic!("{wanted} is not open"))
}

#[test]
fn a_deleted_inbox_is_acknowledged_no_more_and_can_be_had_back_from_the_process() {
    let mut server = with_ten();
    let path = server.folder().join("baophat.db");
    std::fs::remove_file(&path).unwrap();
    nothing_is_taken(&server, "baophat.db");
    // As docs/operations.md says: the file is copied out of the process, beside its log, before the process ends.
    std::fs::copy(still_open(&server, "baophat.db"), &path).unwrap();
    nothing_is_taken(&server, "baophat.db");
    server.kill();
    let server = server.restart();
    ten_are_there(&server);
    server.send(&receipt("after")).is(200);
}

#[test]
fn a_new_inbox_beside_an_old_state_is_refused_at_the_start() {
    let mut server = with_ten();
    server.kill();
    for name in ["baophat.db", "baophat.db-wal", "baophat.db-shm"] {
        std::fs::remove_file(server.folder().join(name)).unwrap();
    }
    let started = Server::start_in_vain(server.folder());
    assert_eq!(started.status.code(), Some(3), "{}", started.stderr);
    for word in ["baophat-state.db", "up to 10", "rebuild"] {
        assert!(started.stderr.contains(word), "{word}: {}", started.stderr);
    }
}

#[test]
fn a_log_without_its_inbox_is_refused_at_the_start_and_left_alone() {
    let mut server = with_ten();
    let (path, aside) = (server.folder().join("baophat.db"), server.folder().join("aside.db"));
    server.kill();
    std::fs::rename(&path, &aside).unwrap();
    let started = Server::start_in_vain(server.folder());
    assert_eq!(started.status.code(), Some(3), "{}", started.stderr);
    assert!(started.stderr.contains("baophat.db-wal is there"), "{}", started.stderr);
    std::fs::rename(&aside, &path).unwrap();
    ten_are_there(&server.restart());
}

#[test]
fn a_deleted_log_of_the_inbox_is_saved_into_the_file_by_itself() {
    for end in [Server::kill, |server: &mut Server| assert_eq!(server.stop().code(), Some(0))] {
        let mut server = with_ten();
        std::fs::remove_file(server.folder().join("baophat.db-wal")).unwrap();
        nothing_is_taken(&server, "baophat.db-wal");
        end(&mut server);
        let server = server.restart();
        ten_are_there(&server);
        server.send(&receipt("after")).is(200);
    }
}

#[test]
fn a_deleted_log_is_saved_on_an_idle_server_too() {
    let mut server = with_ten();
    std::fs::remove_file(server.folder().join("baophat.db-wal")).unwrap();
    until("it is noticed without a callback", || faults(&server).contains("baophat.db-wal was deleted").then_some(()));
    until("what it held stands in the file", || {
        let log = std::fs::metadata(still_open(&server, "baophat.db-wal")).unwrap();
        (log.len() == 0).then_some(())
    });
    server.kill();
    ten_are_there(&server.restart());
}

#[test]
fn a_deleted_index_of_the_log_is_refused_until_a_restart() {
    let mut server = with_ten();
    std::fs::remove_file(server.folder().join("baophat.db-shm")).unwrap();
    nothing_is_taken(&server, "baophat.db-shm");
    server.kill();
    let server = server.restart();
    ten_are_there(&server);
    server.send(&receipt("after")).is(200);
}

#[test]
fn a_replaced_inbox_is_refused_too() {
    let mut server = with_ten();
    let (path, aside) = (server.folder().join("baophat.db"), server.folder().join("aside.db"));
    std::fs::rename(&path, &aside).unwrap();
    std::fs::copy(&aside, &path).unwrap();
    nothing_is_taken(&server, "baophat.db");
    std::fs::rename(&aside, &path).unwrap();
    until("the file itself is back", || (server.get("/readyz").status == 200).then_some(()));
    server.send(&receipt("after")).is(200);
    server.kill();
    let server = server.restart();
    ten_are_there(&server);
    server.message("after", |m| m["state"] == "delivered");
}

#[test]
fn a_deleted_state_is_red_while_callbacks_are_kept_and_a_restart_makes_it_anew() {
    for file in ["baophat-state.db", "baophat-state.db-wal", "baophat-state.db-shm"] {
        let mut server = with_ten();
        std::fs::remove_file(server.folder().join(file)).unwrap();
        until("it is not ready, and says which file", || faults(&server).contains(&format!("{file} was deleted")).then_some(()));
        for n in 0..5 {
            server.send(&receipt(&format!("kept-{n}"))).is(200);
        }
        assert_eq!(server.get("/v1/messages").problem(503), "unavailable");
        server.kill();
        let server = server.restart();
        ten_are_there(&server);
        for n in 0..5 {
            server.message(&format!("kept-{n}"), |m| m["state"] == "delivered");
        }
        assert_eq!(server.get("/readyz").status, 200);
    }
}
