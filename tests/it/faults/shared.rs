//! Files that another program opens while they are served: an operator's `sqlite3`, a backup tool, a virus scanner.

use crate::harness::{Server, sign};

fn receipt(server: &Server, id: &str) {
    server.send(&sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))).is(200);
}

/// Whoever closes a file last moves SQLite's log into it and deletes the log. The locks of the running program must tell the other one
/// that it is not the last; a process loses them when any of its threads opens and closes such a file beside SQLite.
#[test]
fn another_program_that_opens_and_closes_the_files_takes_nothing_away() {
    let mut server = Server::start();
    for round in 0..5 {
        receipt(&server, &format!("before-{round}"));
        server.message(&format!("before-{round}"), |m| m["state"] == "delivered");
        for name in ["baophat.db", "baophat-state.db"] {
            let other = rusqlite::Connection::open(server.folder().join(name)).unwrap();
            let tables: i64 = other.query_row("SELECT count(*) FROM sqlite_schema", [], |r| r.get(0)).unwrap();
            assert!(tables > 0);
            other.close().unwrap();
            for suffix in ["-wal", "-shm"] {
                assert!(server.folder().join(format!("{name}{suffix}")).exists(), "{name}{suffix} was deleted under the server");
            }
        }
        receipt(&server, &format!("after-{round}"));
    }
    server.kill();
    let server = server.restart();
    server.callbacks();
    for round in 0..5 {
        server.message(&format!("before-{round}"), |m| m["state"] == "delivered");
        server.message(&format!("after-{round}"), |m| m["state"] == "delivered");
    }
}
