//! Floods: forged signatures by the thousand and one callback ten thousand times, on kept connections, many requests in one piece.
//! The store, the list of the refused, the log and the memory stay as small as they were; the counters are exact.

use std::io::Write;

use serde_json::{Value, json};

use super::wire::{dial, kept_open};
use crate::harness::{Request, Server, read_answer, sign, until};

/// Requests that go out in one piece.
const PIECE: usize = 50;

/// Sends a request so many times over so many connections; every answer has this status.
fn flood(server: &Server, connections: usize, times: usize, request: impl Fn(usize) -> Vec<u8> + Sync, status: u16) {
    std::thread::scope(|scope| {
        for connection in 0..connections {
            let request = &request;
            scope.spawn(move || {
                let mut stream = dial(server);
                for piece in 0..times / PIECE {
                    let first = (connection * times / PIECE + piece) * PIECE;
                    let bytes: Vec<u8> = (first..first + PIECE).flat_map(request).collect();
                    stream.write_all(&bytes).unwrap();
                    (0..PIECE).for_each(|_| assert_eq!(next_status(&mut stream), status));
                }
            });
        }
    });
}

/// The status of the next answer; what stands behind it stays to be read.
fn next_status(stream: &mut std::net::TcpStream) -> u16 {
    use std::io::Read;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0u8; 1];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0usize);
    stream.read_exact(&mut vec![0; length]).unwrap();
    head.split(' ').nth(1).unwrap().parse().unwrap()
}

fn counted(server: &Server, line: &str) -> u64 {
    let text = server.get("/metrics").text();
    text.lines().find_map(|l| l.strip_prefix(line)?.trim().parse().ok()).unwrap_or(0)
}

/// Bytes of the store's files, logs among them.
fn store_bytes(server: &Server) -> u64 {
    let files = std::fs::read_dir(server.folder()).unwrap().map(|f| f.unwrap());
    files.filter(|f| f.file_name().to_string_lossy().contains(".db")).map(|f| f.metadata().unwrap().len()).sum()
}

/// Resident memory of the server, in KiB.
fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.pid())).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn forged_callbacks_by_the_thousand_leave_nothing_behind() {
    let server = Server::start();
    server.send(&sign::zalo_post(sign::zalo_receipt("first", "47", 1_764_000_000_111))).is(200);
    server.message("first", |m| m["state"] == "delivered");
    let forged = |n: usize| {
        let body = sign::zalo_receipt(&format!("forged-{n}"), "4700100200300400500", 1_764_000_000_111);
        let signature = sign::zalo(body.as_bytes(), "a-key-that-is-not-ours");
        let padded = format!("{body}{}", " ".repeat(600));
        kept_open(&Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", signature).body(padded))
    };
    flood(&server, 2, 500, forged, 401);
    let (bytes, memory) = (store_bytes(&server), resident_kib(&server));
    flood(&server, 4, 2_000, forged, 401);
    // How many they were is kept now and then, and that the account stands in error: a few pages, however many they are.
    let kept = store_bytes(&server).saturating_sub(bytes);
    assert!(kept < 512 << 10, "the store has grown by {kept} bytes");
    let grown = resident_kib(&server).saturating_sub(memory);
    assert!(grown < 32 << 10, "the server has grown by {grown} KiB");
    assert_eq!(counted(&server, "baophat_refused_total{reason=\"mismatch\"} "), 9_000);
    assert_eq!(server.get("/v1/refused").json()["data"].as_array().unwrap().len(), 100);
    assert_eq!(server.callbacks().len(), 1);
    // The log says that they come, and what it leaves out, and is not filled by them.
    let lines = until("each is in the log, or counted as left out of it", || {
        let log = server.log();
        let left_out = log.lines().filter(|l| l.contains("left out"));
        let left_out: u64 = left_out.map(|l| serde_json::from_str::<Value>(l).unwrap()["lines"].as_u64().unwrap()).sum();
        let written = log.matches("callback refused").count() as u64;
        (written + left_out == 9_000).then_some(written)
    });
    assert!((100..1_000).contains(&lines), "{lines} lines");
}

#[test]
fn signed_callbacks_are_taken_while_forged_ones_pour_in() {
    let server = Server::start();
    let forged = |_: usize| kept_open(&Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", "mac=12").body("{}"));
    std::thread::scope(|scope| {
        scope.spawn(|| flood(&server, 4, 1_000, forged, 401));
        for n in 0..100 {
            server.send(&sign::zalo_post(sign::zalo_receipt(&format!("amid-{n}"), "47", 1_764_000_000_111))).is(200);
        }
    });
    assert_eq!(server.callbacks().len(), 100);
    assert_eq!(server.walk("/v1/messages?limit=500&state=delivered").len(), 100);
}

#[test]
fn one_callback_ten_thousand_times_is_one_row_and_ten_thousand_answers() {
    let server = Server::start();
    let body = sign::zalo_receipt("again", "4700100200300400500", 1_764_000_000_111);
    let request = sign::zalo_post(body);
    server.send(&request).is(200);
    let first = server.message("again", |m| m["state"] == "delivered");
    let timeline = server.detail(&first);
    let again = kept_open(&request);
    flood(&server, 8, 1_250, |_| again.clone(), 200);
    let stored = server.callbacks();
    assert_eq!((stored.len(), &stored[0]["repeats"]), (1, &json!(10_000)));
    assert_eq!(counted(&server, "baophat_callbacks_total{provider=\"zalo\",outcome=\"repeat\"} "), 10_000);
    assert_eq!(counted(&server, "baophat_callbacks_total{provider=\"zalo\",outcome=\"stored\"} "), 1);
    assert_eq!(server.detail(&first), timeline);
    // A new one between repeats, and both again, in one piece.
    let other = kept_open(&sign::zalo_post(sign::zalo_receipt("other", "4700100200300400500", 1_764_000_000_111)));
    let mut stream = dial(&server);
    stream.write_all(&[again.as_slice(), &other, &again, &other, &other].concat()).unwrap();
    (0..5).for_each(|_| assert_eq!(next_status(&mut stream), 200));
    drop(stream);
    let repeats: Vec<Value> = server.callbacks().iter().map(|c| c["repeats"].clone()).collect();
    assert_eq!(repeats, [json!(10_002), json!(2)]);
    let mut stream = dial(&server);
    stream.write_all(&again).unwrap();
    assert_eq!(read_answer(&mut stream).unwrap().status, 200);
}
