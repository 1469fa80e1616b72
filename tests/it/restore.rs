//! A backup taken under load and served on an empty machine, and messages made anew from the inbox: nothing is missing, nothing differs.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::harness::{KEY, Request, Server, until};
use crate::load::{Ledger, during, receipts, sound};

fn baophat(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_baophat")).args(arguments).arg("--config").arg(folder.join("baophat.toml")).output().unwrap()
}

#[test]
fn a_backup_under_load_is_served_on_an_empty_machine_with_everything_acknowledged_before_it() {
    let (server, ledger) = (Server::start(), Ledger::default());
    let backups = tempfile::tempdir().unwrap();
    for round in 0..4 {
        let to = backups.path().join(format!("copy-{round}"));
        let before = during(server.address, &ledger, round, || {
            receipts(&ledger, 200);
            let before = ledger.so_far();
            let made = baophat(server.folder(), &["backup", to.to_str().unwrap(), "--json"]);
            assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
            receipts(&ledger, 20);
            before
        });
        let machine = tempfile::tempdir().unwrap();
        let names: Vec<_> = std::fs::read_dir(&to).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        assert_eq!(names.len(), 2, "{names:?}");
        for name in names {
            std::fs::copy(to.join(&name), machine.path().join(&name)).unwrap();
        }
        let mut restored = Server::start_on(machine);
        until("it is ready", || (restored.get("/readyz").status == 200).then_some(()));
        before.all_is_there(&restored);
        sound(restored.folder());
        // It goes on from there: a further life, and a further kill.
        let more = Ledger::beginning_at(1_000_000);
        during(restored.address, &more, round, || receipts(&more, 30));
        restored.kill();
        let restored = restored.restart();
        before.all_is_there(&restored);
        more.all_is_there(&restored);
    }
    ledger.all_is_there(&server);
}

/// Everything that the API tells of messages and callbacks, byte for byte: each page of both lists, each entry with its details.
fn told(server: &Server) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (list, name) in [("/v1/messages", "id"), ("/v1/callbacks", "seq")] {
        let mut target = format!("{list}?limit=100");
        loop {
            let answer = server.get(&target).is(200);
            let page: Value = answer.json();
            all.push((target, answer.body));
            for entry in page["data"].as_array().unwrap() {
                let path = format!("{list}/{}", entry[name].as_str().map_or_else(|| entry[name].to_string(), str::to_owned));
                all.push((path.clone(), server.get(&path).is(200).body));
            }
            match page["next_cursor"].as_str() {
                Some(next) => target = format!("{list}?limit=100&cursor={next}"),
                None => break,
            }
        }
    }
    all
}

#[test]
fn a_rebuild_from_the_inbox_gives_identical_messages() {
    let (mut server, ledger) = (Server::start_with("stuck.sweep_every = \"100ms\""), Ledger::default());
    during(server.address, &ledger, 3, || receipts(&ledger, 600));
    ledger.all_is_there(&server);
    // Deadlines long past are looked at once; then nothing moves by itself any more.
    let before = until("nothing moves any more", || {
        let first = told(&server);
        (told(&server) == first).then_some(first)
    });
    assert!(before.len() > 600, "{}", before.len());
    assert_eq!(server.stop().code(), Some(0));
    let made = baophat(server.folder(), &["rebuild", "--json"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let server = server.restart();
    server.send(&Request::new("GET", "/readyz").key(KEY)).is(200);
    let after = told(&server);
    let show = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    for ((target, was), (again, is)) in before.iter().zip(&after) {
        assert_eq!(target, again);
        assert_eq!(show(was), show(is), "{target}");
    }
    assert_eq!(before.len(), after.len());
}
