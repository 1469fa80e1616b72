//! `baophat bench`: what it can take, measured on this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CliError, Globals, Verdict, values};
use crate::bench::proof::{self, Part, ProofOptions};
use crate::bench::{self, BenchOptions};

/// One round against the bare handler says little.
const PROOF_ROUNDS_MIN: u32 = 3;

/// Options of `bench`.
#[derive(Debug, Args)]
pub struct Options {
    /// Length of one round
    #[arg(long, value_name = "SPAN", default_value = "10s", value_parser = values::duration)]
    length: Duration,
    /// Rounds
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Connections, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    connections: u32,
    /// Open loop: so many callbacks a second, latency counted from when each was due [default: closed loop]
    #[arg(long, value_name = "PER_SECOND")]
    rate: Option<f64>,
    /// Alternate with a handler that only reads the body and answers 200, and print the ratio
    #[arg(long)]
    bare: bool,
    /// Ask for every acknowledged message afterwards
    #[arg(long)]
    audit: bool,
    /// SIGKILL the server after the load, start it again, and time that
    #[arg(long)]
    kill: bool,
    /// Keep the store in this folder [default: a temporary one]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Measure the store alone, without a web server
    #[arg(long)]
    store: bool,
    /// Measure every promise and print them as one table: what, bar, reached, holds
    #[arg(long, conflicts_with_all = ["rate", "bare", "audit", "kill", "dir", "store"])]
    proof: bool,
    /// Proof: messages in the seeded store
    #[arg(long, value_name = "N", default_value_t = 10_000_000, requires = "proof", value_parser = clap::value_parser!(u64).range(1_000..=1_000_000_000))]
    messages: u64,
    /// Proof: messages that become stuck at once
    #[arg(long, value_name = "N", default_value_t = 100_000, requires = "proof", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    stuck: u64,
    /// Proof: messages of the day that is pruned
    #[arg(long, value_name = "N", default_value_t = 1_000_000, requires = "proof", value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    day: u64,
    /// Proof: length of the sustained run
    #[arg(long, value_name = "SPAN", default_value = "5m", requires = "proof", value_parser = values::duration)]
    steady: Duration,
    /// Proof: callbacks a second beside questions and sweeping
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1_000, requires = "proof", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    beside: u32,
    /// Proof: keep the seeded store in this folder, and use it again [default: a temporary one]
    #[arg(long, value_name = "DIR", requires = "proof")]
    store_dir: Option<PathBuf>,
    /// Proof: only these parts
    #[arg(long, value_name = "PART", requires = "proof", value_delimiter = ',', value_parser = values::among(Part::ALL, Part::as_str))]
    only: Vec<Part>,
    /// Proof: on a tiny scale, to see that it works
    #[arg(long, requires = "proof")]
    quick: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Measures.
pub fn run(_globals: &Globals, o: &Options) -> Result<Verdict, CliError> {
    if o.rate.is_some_and(|r| !(0.1..=10_000_000.0).contains(&r)) {
        return Err(CliError::Usage("--rate: a number between 0.1 and 10000000".into()));
    }
    let options = BenchOptions {
        length: o.length,
        rounds: o.rounds,
        connections: o.connections as usize,
        rate: o.rate,
        bare: o.bare,
        audit: o.audit,
        kill: o.kill,
        dir: o.dir.clone(),
        store: o.store,
        json: o.json,
    };
    let measured = if o.proof { proof::run(&proof_options(o)) } else { bench::run(&options) };
    match measured {
        Ok(true) => Ok(Verdict::Done),
        Ok(false) => Ok(Verdict::No),
        Err(e) => Err(CliError::Demo(Box::new(e))),
    }
}

fn proof_options(o: &Options) -> ProofOptions {
    let options = ProofOptions {
        length: o.length,
        rounds: o.rounds.max(PROOF_ROUNDS_MIN),
        connections: o.connections as usize,
        steady: o.steady,
        messages: o.messages,
        stuck: o.stuck,
        day: o.day,
        beside: f64::from(o.beside),
        store_dir: o.store_dir.clone(),
        parts: if o.only.is_empty() { Part::ALL.to_vec() } else { o.only.clone() },
        json: o.json,
    };
    if o.quick { options.quick() } else { options }
}

/// Serves the bare handler that `--bare` compares with.
pub fn bare() -> Result<Verdict, CliError> {
    bench::bare::run().map_err(|e| CliError::Demo(Box::new(e)))?;
    Ok(Verdict::Done)
}
