//! The built-in player: begins messages at a steady rate and sends every step of their scripts when it is due, through HTTP.
//!
//! One thread keeps the time, a few send. What is acknowledged goes into a tally, so that the demo can prove that nothing was
//! lost. It must not read the server's answers for anything but that, and for the id of a message it registered.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::json;

use super::chance::Chance;
use super::client::{Client, ClientError};
use super::script::{self, Action, Call, Proof, Step};
use crate::clock::{Clock, WallClock};

/// Threads that send.
const SENDERS: usize = 4;
/// Steps that wait for a sender; further ones wait for their turn, as in a jam.
const JOBS_MAX: usize = 64;
/// Steps that wait for their time; beyond that no new message begins.
const STEPS_MAX: usize = 100_000;
/// Messages whose proofs are kept for the check at the end.
const PROOFS_MAX: usize = 200_000;
/// Between two messages, at ordinary speed.
const GAP_MS: (u64, u64) = (60, 240);
/// Beside one in so many messages something else happens.
const ASIDE_ONE_IN: u64 = 9;

/// What was sent and how it was answered.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Messages begun.
    pub begun: AtomicU64,
    /// Callbacks answered 200, repeats included.
    pub acknowledged: AtomicU64,
    /// Callbacks answered 200, each counted once.
    pub distinct: AtomicU64,
    /// Forged ones that were refused.
    pub refused: AtomicU64,
    /// Answers other than the story expects.
    pub unexpected: AtomicU64,
    /// The first of these, in words.
    pub first_unexpected: Mutex<Option<String>>,
    /// The strongest proof that was acknowledged of each message.
    pub proofs: Mutex<HashMap<String, Proof>>,
}

/// A step with its time; the heap has the earliest on top.
struct Due {
    at: Instant,
    number: u64,
    action: Action,
}

impl Due {
    fn order(&self) -> Reverse<(Instant, u64)> {
        Reverse((self.at, self.number))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.order() == other.order()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Due) -> std::cmp::Ordering {
        self.order().cmp(&other.order())
    }
}

enum Order {
    /// More steps, counted from now.
    Then(Vec<Step>),
    /// No new steps.
    Stop,
}

/// The running player.
pub(super) struct Player {
    /// What came of it.
    pub tally: Arc<Tally>,
    orders: Sender<Order>,
    threads: Vec<JoinHandle<()>>,
}

impl Player {
    /// Starts it.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(client: &Client, speed: f64, seed: u64) -> io::Result<Player> {
        let tally = Arc::new(Tally::default());
        let (orders, ordered) = channel();
        let (jobs, todo) = sync_channel(JOBS_MAX);
        let todo = Arc::new(Mutex::new(todo));
        let mut threads = Vec::new();
        for n in 0..SENDERS {
            let sender = Sending { client: client.clone(), tally: tally.clone(), orders: orders.clone() };
            let todo = todo.clone();
            threads.push(std::thread::Builder::new().name(format!("demo-send-{n}")).spawn(move || sender.run(&todo))?);
        }
        let mut pacing = Pacing { chance: Chance::new(seed), speed, heap: BinaryHeap::new(), number: 0, jobs, tally: tally.clone() };
        threads.push(std::thread::Builder::new().name("demo-pace".to_owned()).spawn(move || pacing.run(&ordered))?);
        Ok(Player { tally, orders, threads })
    }

    /// Stops: no further steps, those under way are answered.
    pub(super) fn stop(self) -> Arc<Tally> {
        let _ = self.orders.send(Order::Stop);
        for thread in self.threads {
            let _ = thread.join();
        }
        self.tally
    }
}

struct Pacing {
    chance: Chance,
    speed: f64,
    heap: BinaryHeap<Due>,
    number: u64,
    jobs: SyncSender<Action>,
    tally: Arc<Tally>,
}

impl Pacing {
    fn run(&mut self, orders: &Receiver<Order>) {
        let mut next = Instant::now();
        loop {
            let now = Instant::now();
            if next <= now {
                self.begin(now);
                next = now + Duration::from_secs_f64(self.chance.between(GAP_MS.0, GAP_MS.1) as f64 / 1_000.0 / self.speed);
            }
            if !self.send_due(now) {
                return;
            }
            let first = self.heap.peek().map_or(next, |due| next.min(due.at));
            match orders.recv_timeout(first.saturating_duration_since(Instant::now())) {
                Ok(Order::Then(steps)) => self.add(Instant::now(), steps),
                Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn begin(&mut self, now: Instant) {
        if self.heap.len() >= STEPS_MAX {
            return;
        }
        let at = WallClock.now();
        let steps = script::message(&mut self.chance, at, self.speed);
        self.add(now, steps);
        self.tally.begun.fetch_add(1, Ordering::Relaxed);
        if self.chance.one_in(ASIDE_ONE_IN) {
            let steps = script::aside(&mut self.chance, at, self.speed);
            self.add(now, steps);
        }
    }

    fn add(&mut self, from: Instant, steps: Vec<Step>) {
        for step in steps {
            self.number += 1;
            self.heap.push(Due { at: from + step.after, number: self.number, action: step.action });
        }
    }

    /// False when nobody sends any more.
    fn send_due(&mut self, now: Instant) -> bool {
        while self.heap.peek().is_some_and(|due| due.at <= now) {
            let Some(due) = self.heap.pop() else { break };
            if self.jobs.send(due.action).is_err() {
                return false;
            }
        }
        true
    }
}

struct Sending {
    client: Client,
    tally: Arc<Tally>,
    orders: Sender<Order>,
}

impl Sending {
    fn run(&self, todo: &Mutex<Receiver<Action>>) {
        loop {
            let next = todo.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(action) = next else { return };
            if let Err(e) = self.send(action) {
                self.unexpected(e.to_string());
            }
        }
    }

    fn send(&self, action: Action) -> Result<(), ClientError> {
        #[derive(Deserialize)]
        struct Registered {
            id: String,
        }
        match action {
            Action::Register { message, answers } => {
                let Registered { id } = self.client.post("/v1/messages", &message)?;
                let then = |(after, answer)| Step { after, action: Action::Answer { id: id.clone(), answer } };
                let _ = self.orders.send(Order::Then(answers.into_iter().map(then).collect()));
            }
            Action::Answer { id, answer } => {
                let body = json!({ "status": answer.status, "body": answer.body, "error": answer.error, "duration_ms": 180 });
                let _: Registered = self.client.post(&format!("/v1/messages/{id}/response"), &body)?;
            }
            Action::Call(call) => self.answered(&call, self.client.call(&call.hook)?),
        }
        Ok(())
    }

    fn answered(&self, call: &Call, status: u16) {
        if status != call.status {
            return self.unexpected(format!("a callback was answered {status} instead of {}", call.status));
        }
        if status != 200 {
            self.tally.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.tally.acknowledged.fetch_add(1, Ordering::Relaxed);
        if call.acknowledged.fetch_add(1, Ordering::Relaxed) == 0 {
            self.tally.distinct.fetch_add(1, Ordering::Relaxed);
        }
        let mut proofs = self.tally.proofs.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, proof) in &call.proves {
            if let Some(known) = proofs.get_mut(id) {
                *known = (*known).max(*proof);
            } else if proofs.len() < PROOFS_MAX {
                proofs.insert(id.clone(), *proof);
            }
        }
    }

    fn unexpected(&self, what: String) {
        self.tally.unexpected.fetch_add(1, Ordering::Relaxed);
        self.tally.first_unexpected.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(what);
    }
}
