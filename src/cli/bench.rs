//! `baophat bench`: what it can take, measured on this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{CliError, Globals, Verdict, values};
use crate::bench::{self, BenchOptions};

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
    match bench::run(&options) {
        Ok(true) => Ok(Verdict::Done),
        Ok(false) => Ok(Verdict::No),
        Err(e) => Err(CliError::Demo(Box::new(e))),
    }
}

/// Serves the bare handler that `--bare` compares with.
pub fn bare() -> Result<Verdict, CliError> {
    bench::bare::run().map_err(|e| CliError::Demo(Box::new(e)))?;
    Ok(Verdict::Done)
}
