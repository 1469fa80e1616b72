//! `baophat bench --proof`: every promise about speed and size as a row of one table, measured in one run.
//!
//! Four parts, each with servers and stores of its own: *edge* (durable against bare), *steady* (the projection keeps up), *stored* (ten
//! million messages), *retention* (a day's messages fall due for deletion).

mod edge;
mod questions;
mod retention;
mod row;
pub mod screen;
mod steady;
mod stored;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::child::{KEEP_ALL, Server, write_config};
use super::load::{self, Offer, Plan, Progress, Tally};
use super::traffic::{Course, Traffic};
use super::{BenchError, Folder, println_all};
use crate::clock::{Clock, WallClock};
use row::Row;
use screen::Screen;

/// A part of the proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Durable callbacks against the bare handler.
    Edge,
    /// The projection keeps up; open loop; a lone callback; a flood of forged ones.
    Steady,
    /// Ten million messages.
    Stored,
    /// A day falls due for deletion.
    Retention,
}

impl Part {
    /// Every part.
    pub const ALL: &'static [Part] = &[Part::Edge, Part::Steady, Part::Stored, Part::Retention];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Part::Edge => "edge",
            Part::Steady => "steady",
            Part::Stored => "stored",
            Part::Retention => "retention",
        }
    }
}

/// What to prove, and on which scale.
#[derive(Clone, Debug)]
pub struct ProofOptions {
    /// Length of one round.
    pub length: Duration,
    /// Rounds against the bare handler.
    pub rounds: u32,
    /// Connections.
    pub connections: usize,
    /// Length of the sustained run.
    pub steady: Duration,
    /// Messages in the seeded store.
    pub messages: u64,
    /// Messages that become stuck at once.
    pub stuck: u64,
    /// Messages of the day that is pruned.
    pub day: u64,
    /// Callbacks a second while questions are asked and sweeping goes on.
    pub beside: f64,
    /// Where the seeded store is kept; removed with the rest when there is none.
    pub store_dir: Option<PathBuf>,
    /// Which parts.
    pub parts: Vec<Part>,
    /// Print JSON.
    pub json: bool,
}

impl ProofOptions {
    /// A scale on which every row comes out within seconds and none means anything.
    pub fn quick(self) -> ProofOptions {
        let length = Duration::from_millis(400);
        ProofOptions {
            length,
            rounds: 1,
            connections: 16,
            steady: length * 2,
            messages: 3_000,
            stuck: 300,
            day: 1_200,
            beside: 50.0,
            ..self
        }
    }
}

/// A proof that runs.
struct Proof<'a> {
    options: &'a ProofOptions,
    runtime: tokio::runtime::Runtime,
    screen: Screen,
    folder: PathBuf,
    rows: Vec<Row>,
    /// Figures that belong to no row.
    more: serde_json::Map<String, Value>,
    /// Acknowledged and visible, a second, on the empty store.
    sustained: Option<f64>,
}

/// Measures and prints; `false` when a row does not hold.
///
/// # Errors
/// When a server or a store fails.
pub fn run(options: &ProofOptions) -> Result<bool, BenchError> {
    let folder = Folder::new(None)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let mut proof = Proof {
        options,
        runtime,
        screen: Screen::default(),
        folder: folder.path.clone(),
        rows: Vec::new(),
        more: serde_json::Map::new(),
        sustained: None,
    };
    for part in Part::ALL.iter().filter(|p| options.parts.contains(p)) {
        match part {
            Part::Edge => edge::run(&mut proof)?,
            Part::Steady => steady::run(&mut proof)?,
            Part::Stored => stored::run(&mut proof)?,
            Part::Retention => retention::run(&mut proof)?,
        }
    }
    println_all(&if options.json { proof.json() } else { proof.text() });
    Ok(proof.rows.iter().all(|r| r.holds != Some(false)))
}

impl Proof<'_> {
    fn scale(&self) -> Value {
        let o = self.options;
        json!({
            "length_seconds": o.length.as_secs_f64(),
            "rounds": o.rounds,
            "connections": o.connections,
            "steady_seconds": o.steady.as_secs_f64(),
            "messages": o.messages,
            "stuck": o.stuck,
            "day": o.day,
            "beside_per_second": o.beside,
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
        })
    }

    fn json(&self) -> String {
        let value = json!({ "version": env!("CARGO_PKG_VERSION"), "scale": self.scale(), "rows": self.rows, "more": self.more });
        format!("{value:#}\n")
    }

    fn text(&self) -> String {
        let mut out = format!("baophat {} bench --proof\n{}\n\n{}", env!("CARGO_PKG_VERSION"), self.scale(), row::table(&self.rows));
        if let Some(asked) = self.more.get("questions").and_then(Value::as_array) {
            out += &questions::table(asked);
        }
        out
    }

    /// A row is done.
    fn add(&mut self, row: Row) {
        self.screen.say(&format!("  {}: {}", row.what, row.reached));
        self.rows.push(row);
    }

    /// A new folder inside the run's own.
    fn new_dir(&self, name: &str) -> std::io::Result<PathBuf> {
        let dir = self.folder.join(name);
        std::fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    /// A server on a new, empty store.
    fn empty_server(&self, dir: &Path) -> std::io::Result<Server> {
        Server::serve(&write_config(dir, KEEP_ALL)?)
    }

    /// Callbacks of messages that no other traffic speaks of.
    fn traffic(&self, course: Course) -> Traffic {
        let mut seed = [0u8; 8];
        // Without randomness the clock parts the runs well enough.
        let _ = getrandom::fill(&mut seed);
        let now = WallClock.now().0;
        Traffic { seed: u64::from_le_bytes(seed) ^ now as u64, start_ms: now, course }
    }

    fn plan(&self, server: &Server, offer: Offer, length: Duration) -> Plan {
        Plan { server: server.address, connections: self.options.connections, offer, length, first: 0, count: u64::MAX }
    }

    /// Offers a load and shows how it goes.
    fn load(&self, traffic: Traffic, plan: Plan, name: &str) -> Result<Tally, BenchError> {
        let progress = Arc::new(Progress::default());
        Ok(self.runtime.block_on(self.shown(name, progress.clone(), load::run(traffic, plan, progress)))?)
    }

    /// Runs something and shows meanwhile how many callbacks were acknowledged.
    async fn shown<T>(&self, name: &str, progress: Arc<Progress>, work: impl Future<Output = T>) -> T {
        let mut every = tokio::time::interval(Duration::from_secs(1));
        every.tick().await;
        let mut last = 0;
        tokio::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return done,
                _ = every.tick() => {
                    let now = progress.acknowledged.load(Ordering::Relaxed);
                    self.screen.live(&format!("{name}: {now} acknowledged, {}/s", now.saturating_sub(last)));
                    last = now;
                }
            }
        }
    }
}
