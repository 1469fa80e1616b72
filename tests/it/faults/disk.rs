//! A disk that fails a write or a sync under the running program, and one that forgets what it failed to sync. `disk.c` plays it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use tempfile::TempDir;

use crate::harness::{Request, Server, sign, until};
use crate::load::{Chance, Ledger, during, receipts, sound};

/// The library that plays the disk, compiled once.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let (source, own) = (folder.join("disk.c"), folder.join(format!("disk-{}.so", std::process::id())));
        std::fs::write(&source, include_str!("disk.c")).unwrap();
        let made = Command::new("cc").args(["-O1", "-shared", "-fPIC", "-o"]).arg(&own).arg(&source).arg("-ldl").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let library = folder.join("disk.so");
        std::fs::rename(&own, &library).unwrap();
        library
    })
}

/// The folder in which files say what fails.
struct Disk(TempDir);

impl Disk {
    fn new() -> Disk {
        Disk(tempfile::tempdir().unwrap())
    }

    /// One that remembers what was synced.
    fn remembering() -> Disk {
        let disk = Disk::new();
        std::fs::create_dir(disk.0.path().join("disk")).unwrap();
        disk
    }

    fn environment(&self) -> [(&'static str, &Path); 2] {
        [("LD_PRELOAD", library()), ("BAOPHAT_FAULTS", self.0.path())]
    }

    fn fails(&self, what: &str) {
        std::fs::write(self.0.path().join(what), "").unwrap();
    }

    fn works(&self, what: &str) {
        std::fs::remove_file(self.0.path().join(what)).unwrap();
    }

    /// The store's files as a power cut leaves them.
    fn power_cut(&self, store: &Path) {
        for name in ["baophat.db", "baophat-state.db"] {
            for suffix in ["", "-wal", "-shm", "-journal"] {
                let _ = std::fs::remove_file(store.join(format!("{name}{suffix}")));
            }
        }
        for left in std::fs::read_dir(self.0.path().join("disk")).unwrap() {
            let left = left.unwrap();
            std::fs::copy(left.path(), store.join(left.file_name())).unwrap();
        }
    }
}

fn receipt(id: &str) -> Request {
    sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", 1_764_000_000_111))
}

fn ready(server: &Server) -> bool {
    server.get("/readyz").status == 200
}

/// What became of a callback that was answered 503: nothing, or all of it. Never half.
fn nothing_or_all(server: &Server, ids: &[String]) {
    let raw: Vec<String> =
        server.callbacks().iter().map(|c| server.get(&format!("/v1/callbacks/{}", c["seq"])).is(200).json()["body"].to_string()).collect();
    for id in ids {
        let stored = raw.iter().filter(|r| r.contains(id.as_str())).count();
        let found = server.find(&format!("message_id={id}"));
        assert!(stored <= 1 && found.len() == stored, "{id}: {stored} callbacks, {} messages", found.len());
        assert!(found.iter().all(|m| m["state"] == "delivered"), "{id}: {found:?}");
    }
}

fn meets(what: &str) {
    let disk = Disk::new();
    let mut server = Server::start_in(&disk.environment());
    for n in 0..20 {
        server.send(&receipt(&format!("before-{n}-"))).is(200);
    }
    disk.fails(what);
    let refused: Vec<String> = (0..10).map(|n| format!("refused-{n}-")).collect();
    for id in &refused {
        let answer = server.send(&receipt(id));
        assert_eq!(answer.status, 503, "acknowledged while {what} fails");
        assert!(answer.header("retry-after").is_some() && answer.body.is_empty());
    }
    until("it is not ready, with the reason", || {
        let answer = server.get("/readyz");
        (answer.status == 503 && answer.text().contains("\"inbox\"") && answer.text().contains("I/O")).then_some(())
    });
    server.get("/livez").is(200);
    disk.works(what);
    until("it heals by itself", || ready(&server).then_some(()));
    nothing_or_all(&server, &refused);
    // The provider tries again, as it was told.
    server.send(&receipt(&refused[0])).is(200);
    server.message(&refused[0], |m| m["state"] == "delivered");
    // Again, and killed in the middle of it.
    disk.fails(what);
    assert_eq!(server.send(&receipt("refused-at-last-")).status, 503);
    server.kill();
    disk.works(what);
    let server = server.restart();
    nothing_or_all(&server, &refused[1..]);
    nothing_or_all(&server, &["refused-at-last-".into()]);
    for id in (0..20).map(|n| format!("before-{n}-")).chain([refused[0].clone()]) {
        server.message(&id, |m| m["state"] == "delivered");
    }
    sound(server.folder());
}

#[test]
fn a_failed_sync_is_503_and_red_and_heals_and_nothing_acknowledged_is_lost() {
    meets("sync");
}

#[test]
fn a_failed_write_is_503_and_red_and_heals_and_nothing_acknowledged_is_lost() {
    meets("write");
}

/// After a failed sync the system takes the pages for clean, so a later sync succeeds without them. A receipt given on top of that
/// would not outlive a power cut; here the power is cut while syncs fail and work in turn.
#[test]
fn what_is_acknowledged_between_failing_syncs_outlives_a_power_cut() {
    let (ledger, mut chance) = (Ledger::default(), Chance::new(7));
    let disk = Disk::remembering();
    let mut server = Server::start_in(&disk.environment());
    for round in 0..6 {
        during(server.address, &ledger, round, || {
            for what in ["sync", "write", "sync"] {
                receipts(&ledger, 10 + chance.below(30) as usize);
                disk.fails(what);
                until("it is not ready", || (!ready(&server)).then_some(()));
                disk.works(what);
            }
            receipts(&ledger, 1 + chance.below(40) as usize);
            if round % 2 == 0 {
                disk.fails("sync");
                until("it is not ready", || (!ready(&server)).then_some(()));
            }
            server.kill();
        });
        disk.power_cut(server.folder());
        if round % 2 == 0 {
            disk.works("sync");
        }
        server = server.restart_in(&disk.environment());
        until("it is ready", || ready(&server).then_some(()));
        ledger.all_is_there(&server);
        sound(server.folder());
    }
}
