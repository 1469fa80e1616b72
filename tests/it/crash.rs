//! SIGKILL at random moments under load of every provider, many times over one store: what was answered 200 is there, at least as far
//! as it was acknowledged, and both files are sound. `just crash 200` does it two hundred times.

use std::hash::{BuildHasher, Hasher};
use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::harness::{Request, Server, exchange, open, read_answer, sign, until};
use crate::load::{Chance, Ledger, during, receipts, sound};

/// Rounds where nobody says otherwise.
const ROUNDS: u64 = 20;

/// Every so many rounds the whole store is held against the ledger, in between what is new.
const WHOLE_EVERY: u64 = 20;

fn told(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

/// A seed that differs from run to run, or the one that is told; shown when the test fails.
struct Seed(u64);

impl Seed {
    fn new() -> Seed {
        let chance = || std::collections::hash_map::RandomState::new().build_hasher().finish() >> 16;
        Seed(told("BAOPHAT_CRASH_SEED").unwrap_or_else(chance))
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("again with BAOPHAT_CRASH_SEED={}", self.0);
        }
    }
}

/// Lets a moment pass that no signal marks: the point of the kill.
fn spin(moment: Duration) {
    let started = Instant::now();
    while started.elapsed() < moment {
        std::thread::yield_now();
    }
}

#[test]
fn nothing_acknowledged_is_lost_however_often_and_whenever_it_is_killed() {
    let (seed, rounds) = (Seed::new(), told("BAOPHAT_CRASH_ROUNDS").unwrap_or(ROUNDS));
    let (mut chance, ledger, began) = (Chance::new(seed.0), Ledger::default(), Instant::now());
    let mut server = Server::start();
    let mut slowest = Duration::ZERO;
    for round in 1..=rounds {
        during(server.address, &ledger, seed.0 ^ round, || {
            receipts(&ledger, chance.below(120) as usize);
            spin(Duration::from_micros(chance.below(3_000)));
            server.kill();
        });
        let started = Instant::now();
        server = server.restart();
        until("it is ready", || (server.get("/readyz").status == 200).then_some(()));
        slowest = slowest.max(started.elapsed());
        ledger.fresh_is_there(&server);
        sound(server.folder());
        if round % WHOLE_EVERY == 0 || round == rounds {
            ledger.all_is_there(&server);
            println!(
                "round {round} of {rounds}: {} receipts for {} messages, nothing lost, nothing behind, both files sound",
                ledger.receipts.load(Ordering::SeqCst),
                ledger.messages()
            );
        }
    }
    println!("slowest start to ready: {} ms; {} s in all; seed {}", slowest.as_millis(), began.elapsed().as_secs(), seed.0);
    assert!(ledger.messages() as u64 > rounds);
}

/// A callback whose head is with the program and whose body is not yet whole: the program has asked for it.
fn in_progress(server: &Server, body: &str) -> TcpStream {
    let mut stream = open(server.address).unwrap();
    let head = format!(
        "POST /webhooks/zalo/shop-oa HTTP/1.1\r\nhost: localhost\r\nx-zevent-signature: {}\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        sign::zalo(body.as_bytes(), sign::ZALO_KEY),
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut word = [0u8; 25];
    std::io::Read::read_exact(&mut stream, &mut word).unwrap();
    assert_eq!(&word, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[test]
fn sigterm_under_load_cuts_no_request_off_that_is_in_progress() {
    let (mut server, ledger) = (Server::start(), Ledger::default());
    let bodies: Vec<String> = (0..12).map(|n| sign::zalo_receipt(&format!("slow-{n}"), "4700100200300400500", 1_764_000_000_111)).collect();
    let address = server.address;
    let answers: Vec<u16> = during(address, &ledger, 1, || {
        receipts(&ledger, 20);
        let mut streams: Vec<TcpStream> = bodies.iter().map(|body| in_progress(&server, body)).collect();
        for (stream, body) in streams.iter_mut().zip(&bodies) {
            stream.write_all(&body.as_bytes()[..40]).unwrap();
        }
        server.terminate();
        until("no new connection is taken", || exchange(address, &Request::new("GET", "/livez")).is_err().then_some(()));
        let finish = |(stream, body): (&mut TcpStream, &String)| {
            stream.write_all(&body.as_bytes()[40..]).expect("the rest of the body is taken");
            read_answer(stream).expect("a whole answer").status
        };
        streams.iter_mut().zip(&bodies).map(finish).collect()
    });
    assert_eq!(server.ended().code(), Some(0), "{}", server.log());
    assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    let server = server.restart();
    ledger.all_is_there(&server);
    for (n, _) in answers.iter().enumerate().filter(|(_, status)| **status == 200) {
        server.message(&format!("slow-{n}"), |m| m["state"] == "delivered");
    }
    sound(server.folder());
}
