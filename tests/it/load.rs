//! Callers that keep a running program busy, and the ledger of everything it acknowledged, to be held against it later.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::harness::{Answer, KEY, Request, Server, exchange, sign, until};

/// Chance from a seed (SplitMix64).
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    /// A number below a bound.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound.max(1)
    }
}

/// How far a state is.
fn rank(state: &str) -> u8 {
    match state {
        "queued" => 0,
        "sent" => 1,
        "delivered" | "failed" => 2,
        "read" => 3,
        other => panic!("no state: {other}"),
    }
}

/// By what a message is known, `message_id` or `ref`, and its value.
type Name = (&'static str, String);

/// What was answered 200 or 201: each message, and how far it must be at least.
#[derive(Default)]
pub struct Ledger {
    all: Mutex<BTreeMap<Name, u8>>,
    fresh: Mutex<BTreeMap<Name, u8>>,
    /// How many answers were receipts.
    pub receipts: AtomicUsize,
    stories: AtomicU64,
}

impl Ledger {
    /// A ledger of messages that begin at this number.
    pub fn beginning_at(story: u64) -> Ledger {
        Ledger { stories: AtomicU64::new(story), ..Ledger::default() }
    }

    /// How many messages it knows.
    pub fn messages(&self) -> usize {
        self.all.lock().unwrap().len()
    }

    /// What it knows by now.
    pub fn so_far(&self) -> Ledger {
        Ledger { all: Mutex::new(self.all.lock().unwrap().clone()), ..Ledger::default() }
    }

    fn note(&self, name: Name, least: u8) {
        for book in [&self.all, &self.fresh] {
            let mut book = book.lock().unwrap();
            let entry = book.entry(name.clone()).or_default();
            *entry = (*entry).max(least);
        }
        self.receipts.fetch_add(1, Ordering::SeqCst);
    }

    /// Whatever was noted since the last question is there, at least as far as it was acknowledged.
    pub fn fresh_is_there(&self, server: &Server) {
        folded(server);
        for ((by, value), least) in std::mem::take(&mut *self.fresh.lock().unwrap()) {
            let found = server.find(&format!("{by}={value}"));
            assert_eq!(found.len(), 1, "acknowledged and not there once: {by}={value}: {found:?}");
            far_enough(&found[0], &value, least);
        }
    }

    /// Everything that was ever noted is there, at least as far as it was acknowledged; no public id stands twice.
    pub fn all_is_there(&self, server: &Server) {
        folded(server);
        let found = server.walk("/v1/messages?limit=500");
        let mut ids: Vec<&str> = found.iter().map(|m| m["id"].as_str().unwrap()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), found.len(), "a public id stands twice");
        let mut by_name: BTreeMap<(&str, &str), &Value> = BTreeMap::new();
        for message in &found {
            for by in ["message_id", "ref"] {
                if let Some(value) = message[by].as_str() {
                    assert!(by_name.insert((by, value), message).is_none(), "{by}={value} stands twice");
                }
            }
        }
        for ((by, value), least) in self.all.lock().unwrap().iter() {
            let message = by_name.get(&(*by, value.as_str())).unwrap_or_else(|| panic!("acknowledged and lost: {by}={value}"));
            far_enough(message, value, *least);
        }
    }
}

fn far_enough(message: &Value, name: &str, least: u8) {
    let state = message["state"].as_str().unwrap();
    assert!(rank(state) >= least, "{name} is {state}, which is less far than acknowledged ({least})");
}

/// Every durable record is folded.
fn folded(server: &Server) {
    until("every callback is folded", || {
        let waiting = server.get("/v1/callbacks?status=received&limit=1").is(200).json();
        waiting["data"].as_array().unwrap().is_empty().then_some(())
    });
}

/// One caller. Messages of its own live through their callbacks one after the other, some of them twice.
struct Caller<'a> {
    address: SocketAddr,
    ledger: &'a Ledger,
    chance: Chance,
}

impl Caller<'_> {
    /// Sends a request and notes a receipt; `None` without one.
    fn tell(&mut self, request: &Request, name: Name, least: &str) -> Option<Answer> {
        let answer = exchange(self.address, request).ok()?;
        match answer.status {
            200 | 201 => {
                self.ledger.note(name, rank(least));
                Some(answer)
            }
            503 => None,
            other => panic!("{other} {} to {request:?}", answer.text()),
        }
    }

    fn story(&mut self) -> Option<()> {
        let n = self.ledger.stories.fetch_add(1, Ordering::SeqCst);
        let user = format!("47{}", 10_000 + self.chance.below(500));
        match self.chance.below(4) {
            0 => {
                let id = format!("z-{n}");
                let by_id = ("message_id", id.clone());
                self.tell(&sign::zalo_post(sign::zalo_echo(&id, &user, 1_764_000_000_000)), by_id.clone(), "sent")?;
                let receipt = sign::zalo_post(sign::zalo_receipt(&id, &user, 1_764_000_000_111));
                self.tell(&receipt, by_id.clone(), "delivered")?;
                if self.chance.below(4) == 0 {
                    self.tell(&receipt, by_id, "delivered")?;
                }
            }
            1 => {
                let mid = format!("m_{n}");
                let body = sign::facebook_body(&[sign::facebook_delivery(&mid, &user, 1_771_234_567_890)]);
                self.tell(&sign::facebook_post(body), ("message_id", mid), "delivered")?;
            }
            2 => {
                let (id, failed) = (format!("e-{n}"), self.chance.below(2) as u32);
                self.tell(&sign::esms_get(&sign::esms_report(&id, 1 - failed, failed, "")), ("message_id", id), "delivered")?;
            }
            _ => self.registered(n, &user)?,
        }
        Some(())
    }

    /// Registers a message, hands over the send call's answer, and lets the provider report on it.
    fn registered(&mut self, n: u64, user: &str) -> Option<()> {
        let (reference, id) = (format!("order-{n}"), format!("r-{n}"));
        let by_ref = ("ref", reference.clone());
        let told = json!({"account": "shop-oa", "ref": reference, "recipient": user, "kind": "cs"});
        let call = |target: String, body: &Value| Request::new("POST", target).key(KEY).json(body);
        let message = self.tell(&call("/v1/messages".into(), &told), by_ref.clone(), "queued")?.json();
        let body = json!({"status": 200, "body": {"error": 0, "message": "Success", "data": {"message_id": id}}, "duration_ms": 210});
        let target = format!("/v1/messages/{}/response", message["id"].as_str().unwrap());
        self.tell(&call(target, &body), by_ref.clone(), "sent")?;
        self.tell(&sign::zalo_post(sign::zalo_receipt(&id, user, 1_764_000_000_111)), by_ref, "delivered")?;
        Some(())
    }
}

/// Keeps the program busy from several connections while `meanwhile` runs, and stops then.
pub fn during<T>(address: SocketAddr, ledger: &Ledger, seed: u64, meanwhile: impl FnOnce() -> T) -> T {
    /// Stops the callers also when `meanwhile` fails.
    struct Done<'a>(&'a AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for n in 0..6 {
            let mut caller = Caller { address, ledger, chance: Chance::new(seed ^ (n << 56)) };
            let done = &done;
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    caller.story();
                }
            });
        }
        let _done = Done(&done);
        meanwhile()
    })
}

/// Waits until so many more receipts were given.
pub fn receipts(ledger: &Ledger, more: usize) {
    let before = ledger.receipts.load(Ordering::SeqCst);
    until("enough is acknowledged", || (ledger.receipts.load(Ordering::SeqCst) >= before + more).then_some(()));
}

/// SQLite finds both files in order, asked as another program while they are served.
pub fn sound(folder: &std::path::Path) {
    for name in ["baophat.db", "baophat-state.db"] {
        let conn = rusqlite::Connection::open(folder.join(name)).unwrap();
        let found: String = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(found, "ok", "{name}");
    }
}
