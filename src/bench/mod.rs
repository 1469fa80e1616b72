//! `baophat bench`: a load generator inside the binary, and the numbers it publishes.
//!
//! It starts servers as processes of their own, offers signed callbacks over loopback, and says what was acknowledged, how fast, and,
//! with `--audit`, whether everything acknowledged is there. Ratios are taken between rounds of one run on one machine.

pub mod audit;
pub mod bare;
pub mod child;
pub mod load;
pub mod pace;
pub mod population;
pub mod proof;
pub mod report;
pub mod seed;
pub mod store;
pub mod traffic;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::clock::{Clock, WallClock};
use child::{KEEP_ALL, Server};
use load::{Offer, Plan, Progress, Tally};
use report::{Report, Round};
use traffic::{Course, Traffic};

/// What to measure.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// Length of one round.
    pub length: Duration,
    /// Rounds of the server (and as many of the bare handler, alternating, with `bare`).
    pub rounds: u32,
    /// Connections.
    pub connections: usize,
    /// Open loop at so many callbacks a second.
    pub rate: Option<f64>,
    /// Alternate with a handler that only reads the body and answers 200.
    pub bare: bool,
    /// Ask for every acknowledged message afterwards.
    pub audit: bool,
    /// Kill the server with SIGKILL before the audit, and start it again.
    pub kill: bool,
    /// Where the store lies; a temporary folder without it.
    pub dir: Option<PathBuf>,
    /// Measure the store alone.
    pub store: bool,
    /// Print JSON.
    pub json: bool,
}

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A server or a connection.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The store alone.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// The audit's questions.
    #[error("the server did not answer the audit: {0}")]
    Audit(String),
    /// A store that was kept does not fit.
    #[error("the store in {0} holds something else than asked for; name another folder with --store-dir, or remove this one")]
    OtherStore(String),
}

/// Runs it and prints the report; `false` when something acknowledged was lost.
///
/// # Errors
/// When a server cannot be started or reached.
pub fn run(options: &BenchOptions) -> Result<bool, BenchError> {
    let folder = Folder::new(options.dir.as_deref())?;
    if options.store {
        let report = store::run(&folder.path, options)?;
        println_all(&if options.json { report.json() } else { report.text() });
        return Ok(true);
    }
    let report = serve_and_load(options, &folder.path)?;
    println_all(&if options.json { report.json() } else { report.text() });
    Ok(report.audit.as_ref().is_none_or(|a| a.lost == 0 && a.behind == 0))
}

fn println_all(text: &str) {
    // A closed pipe is no failure of the measurement.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes());
}

fn serve_and_load(options: &BenchOptions, dir: &Path) -> Result<Report, BenchError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let config = child::write_config(dir, KEEP_ALL)?;
    let start = || Server::serve(&config);
    let server = start()?;
    let traffic = Traffic { seed: WallClock.now().0 as u64, start_ms: WallClock.now().0, course: Course::Lives };
    let mut report = Report::new(options);
    let mut next = 0;
    let mut missed = Vec::new();
    for round in 0..options.rounds {
        if options.bare {
            let bare = Server::bare(dir)?;
            let plan = plan(options, bare.address, 0);
            let tally = watch(&runtime, traffic, plan, &format!("bare {}", round + 1), options)?;
            report.bare.push(Round::new(&tally, bare.memory(), bare.cpu_seconds()));
        }
        let cpu = server.cpu_seconds();
        let plan = plan(options, server.address, next);
        let tally = watch(&runtime, traffic, plan, &format!("baophat {}", round + 1), options)?;
        let behind = runtime.block_on(audit::lag(server.address)).unwrap_or(0);
        let caught_up = runtime.block_on(audit::catch_up(server.address))?;
        let mut done = Round::new(&tally, server.memory(), server.cpu_seconds() - cpu);
        done.lag_records = behind;
        done.sustained = tally.acknowledged as f64 / (tally.elapsed + caught_up).as_secs_f64();
        report.rounds.push(done);
        next = tally.next;
        missed.extend(tally.missed);
    }
    report.store_bytes = child::store_bytes(dir);
    let server = if options.kill {
        server.kill();
        let again = start()?;
        report.restart = Some(again.ready_after);
        again
    } else {
        server
    };
    if options.audit {
        runtime.block_on(audit::catch_up(server.address))?;
        let progress = Arc::new(Progress::default());
        report.audit = Some(runtime.block_on(audit::run(server.address, traffic, next, &missed, progress))?);
    }
    Ok(report)
}

fn plan(options: &BenchOptions, server: std::net::SocketAddr, first: u64) -> Plan {
    let offer = options.rate.map_or(Offer::Closed, Offer::Open);
    Plan { server, connections: options.connections, offer, length: options.length, first, count: u64::MAX }
}

/// Runs one round and shows how it goes.
fn watch(runtime: &tokio::runtime::Runtime, traffic: Traffic, plan: Plan, name: &str, options: &BenchOptions) -> Result<Tally, BenchError> {
    let progress = Arc::new(Progress::default());
    let watcher = progress.clone();
    let show = !options.json && std::io::stderr().is_terminal();
    let name = name.to_owned();
    Ok(runtime.block_on(async move {
        let showing = tokio::spawn(async move {
            let mut every = tokio::time::interval(Duration::from_secs(1));
            let mut last = 0;
            every.tick().await;
            while show && !watcher.done.load(Ordering::Relaxed) {
                every.tick().await;
                let now = watcher.acknowledged.load(Ordering::Relaxed);
                eprint!("\r{name}: {now} acknowledged, {}/s   ", now - last);
                last = now;
            }
        });
        let tally = load::run(traffic, plan, progress).await;
        showing.abort();
        if show {
            eprint!("\r\x1b[2K");
        }
        tally
    })?)
}

/// A folder for the store, removed at the end when it was made here.
struct Folder {
    path: PathBuf,
    made: bool,
}

impl Folder {
    fn new(given: Option<&Path>) -> std::io::Result<Folder> {
        if let Some(path) = given {
            std::fs::create_dir_all(path)?;
            return Ok(Folder { path: path.to_path_buf(), made: false });
        }
        let mut bytes = [0u8; 8];
        getrandom::fill(&mut bytes).map_err(|_| std::io::Error::other("no randomness"))?;
        let path = std::env::temp_dir().join(format!("baophat-bench-{:016x}", u64::from_le_bytes(bytes)));
        std::fs::create_dir(&path)?;
        Ok(Folder { path, made: true })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.made {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
