//! Connections by the thousand, of which most say nothing or never finish what they say. The server ends them by its own limit of
//! time, goes on meanwhile, and a limit of connections that is reached makes others wait and not fail.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use super::wire::{dial, hear, kept_open};
use crate::harness::{KEY, Request, Server, open, read_answer, sign};

/// As many connections as are wanted.
const CROWD: usize = 5_000;

/// Descriptors that this process and the server need besides.
const OTHERS: usize = 400;

/// Raises how many files a process may open to as many as it is allowed, and says how many that are.
fn files_max(pid: u32) -> usize {
    let line = || {
        let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
        let line = limits.lines().find_map(|l| l.strip_prefix("Max open files")).unwrap().to_owned();
        let mut numbers = line.split_whitespace().map(|n| n.parse().unwrap_or(usize::MAX));
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    let (_, hard) = line();
    let raised = format!("--nofile={}:{hard}", hard.min(CROWD * 4));
    // Where there is no such program, what is allowed already has to do.
    let _ = Command::new("prlimit").arg(format!("--pid={pid}")).arg(raised).stdout(Stdio::null()).stderr(Stdio::null()).status();
    line().0
}

#[test]
fn five_thousand_idle_and_dripping_connections_are_ended_while_callbacks_and_questions_go_on() {
    let server = Server::start();
    let possible = files_max(server.pid()).min(files_max(std::process::id())).saturating_sub(OTHERS);
    let crowd: Vec<TcpStream> = (0..CROWD.min(possible))
        .map(|n| {
            let mut stream = open(server.address).unwrap_or_else(|e| panic!("connection {n}: {e}"));
            // Some have begun a head.
            match n % 8 {
                0 => stream.write_all(b"POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: lo").unwrap(),
                1 => stream.write_all(b"G").unwrap(),
                _ => {}
            }
            stream
        })
        .collect();
    assert!(crowd.len() >= 500, "only {} connections are allowed here", crowd.len());
    println!("{} connections", crowd.len());
    let crowd_ended = AtomicBool::new(false);
    let mut taken = 0;
    std::thread::scope(|scope| {
        let (crowd_ended, server) = (&crowd_ended, &server);
        let crowd = scope.spawn(move || {
            // Some drip on: a byte now and then does not buy time.
            let ended = crowd.into_iter().enumerate().map(|(n, mut stream)| {
                if n % 8 == 0 {
                    let _ = stream.write_all(b"c");
                }
                hear(&mut stream)
            });
            let told = ended.map(|heard| (heard.ended, heard.statuses)).collect::<Vec<_>>();
            crowd_ended.store(true, Ordering::SeqCst);
            told
        });
        while !crowd_ended.load(Ordering::SeqCst) {
            server.send(&sign::zalo_post(sign::zalo_receipt(&format!("amid-{taken}"), "47", 1_764_000_000_111))).is(200);
            server.get("/v1/messages?limit=1").is(200);
            taken += 1;
        }
        for (ended, statuses) in crowd.join().unwrap() {
            assert!(ended, "a connection was left open");
            assert!(statuses.is_empty() || statuses == [408], "{statuses:?}");
        }
    });
    assert!(taken > 0, "nothing was taken while they stood there");
    assert_eq!(server.callbacks().len(), taken);
}

#[test]
fn connections_beyond_the_limit_wait_and_are_served_when_others_end() {
    let server = Server::start_with("limits.connections_max = 16\nlimits.workers = 1");
    let question = kept_open(&Request::new("GET", "/v1/messages").key(KEY));
    let mut served: Vec<TcpStream> = (0..16)
        .map(|_| {
            let mut stream = dial(&server);
            stream.write_all(&question).unwrap();
            assert_eq!(read_answer(&mut stream).unwrap().status, 200);
            stream
        })
        .collect();
    // Those behind the limit are taken by the system and wait.
    let mut waiting: Vec<TcpStream> = (0..32)
        .map(|n| {
            let mut stream = dial(&server);
            let callback = sign::zalo_post(sign::zalo_receipt(&format!("waiting-{n}"), "47", 1_764_000_000_111));
            stream.write_all(&callback.bytes()).unwrap();
            stream
        })
        .collect();
    // Those within it are served as before.
    for stream in &mut served {
        stream.write_all(&question).unwrap();
        assert_eq!(read_answer(stream).unwrap().status, 200);
    }
    served.truncate(8);
    for stream in &mut waiting {
        assert_eq!(read_answer(stream).unwrap().status, 200);
    }
    drop((served, waiting));
    assert_eq!(server.callbacks().len(), 32);
}
