//! `baophat bench --proof` on a tiny scale: every promise has its row with figures, whatever they are. How fast anything is, is not asked here.

use std::io::Read;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::harness::until;

/// Every row of the proof.
const ROWS: [&str; 11] =
    ["durable", "sustained", "open_loop", "lone", "forged", "stored", "sweep", "questions", "memory", "start", "retention"];

/// Runs the proof with more arguments; what it prints.
fn proof(more: &[&str]) -> Value {
    let mut child = Command::new(env!("CARGO_BIN_EXE_baophat"))
        .args(["bench", "--proof", "--quick", "--json"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    let mut err = child.stderr.take().unwrap();
    let logged = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = err.read_to_string(&mut text);
        text
    });
    let printed = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_to_string(&mut text);
        text
    });
    // Longer than one wait may take, since it is many measurements in a row.
    let status = (0..4).find_map(|_| {
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| until("the proof ends", || child.try_wait().unwrap()))).ok()
    });
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (printed, logged) = (printed.join().unwrap(), logged.join().unwrap());
    // 1 is "a row does not hold", which is nothing to this test.
    assert!(status.is_some_and(|s| matches!(s.code(), Some(0 | 1))), "{status:?}\n{logged}");
    serde_json::from_str(&printed).unwrap_or_else(|e| panic!("{e}\n{printed}\n{logged}"))
}

fn number(row: &Value, path: &str) -> f64 {
    row.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} of {row:#}"))
}

#[test]
fn the_proof_has_every_row_with_its_figures() {
    let kept = tempfile::tempdir().unwrap();
    let proof = proof(&["--store-dir", kept.path().to_str().unwrap()]);
    let rows = proof["rows"].as_array().unwrap();
    let ids: Vec<&str> = rows.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ROWS);
    for row in rows {
        assert!(row["holds"].is_boolean(), "{row:#}");
        assert!(["what", "bar", "reached"].iter().all(|m| !row[m].as_str().unwrap().is_empty()), "{row:#}");
    }
    let row = |id: &str| &rows[ROWS.iter().position(|r| *r == id).unwrap()]["figures"];
    for (id, positive) in [
        ("durable", "/per_second"),
        ("sustained", "/per_second"),
        ("sustained", "/followed"),
        ("open_loop", "/acknowledged"),
        ("lone", "/acknowledged"),
        ("forged", "/forged_per_second"),
        ("stored", "/ratio"),
        ("sweep", "/acknowledged"),
        ("memory", "/highest_bytes"),
        ("start", "/ready_seconds"),
        ("retention", "/load/acknowledged"),
        ("retention", "/inbox_bytes/before"),
    ] {
        assert!(number(row(id), positive) > 0.0, "{id} {positive}: {:#}", row(id));
    }
    assert_eq!(number(row("forged"), "/forged_acknowledged"), 0.0, "a forged callback was acknowledged");
    assert_eq!(number(row("questions"), "/wrong"), 0.0, "{:#}", proof["more"]["questions"]);
    let questions = proof["more"]["questions"].as_array().unwrap();
    assert!(questions.len() > 15 && questions.iter().all(|q| number(q, "/asked") > 0.0), "{questions:#?}");

    kept_store_serves_again(kept.path().to_str().unwrap());
}

/// What was kept is used again, with as many messages stuck as the first time.
fn kept_store_serves_again(dir: &str) {
    let again = proof(&["--only", "stored", "--store-dir", dir]);
    assert_eq!(again["more"]["filled"]["records"], 0, "it was filled anew");
    let rows = again["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|r| r["id"].as_str().unwrap()).collect::<Vec<_>>(), ["stored", "sweep", "questions", "memory", "start"]);
    assert!(rows[0]["holds"].is_null(), "without the empty store's rate there is nothing to compare with");
    assert_eq!(number(&rows[2], "/figures/wrong"), 0.0, "{:#}", again["more"]["questions"]);
}
