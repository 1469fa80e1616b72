//! The whole pipeline under everything that can go wrong, deterministic from a seed: callbacks of all providers reordered, repeated and
//! delayed; disks that fail before and after each call; processes that die between any two calls; clocks that jump.
//!
//! Writer and projector take their steps in one thread, in the order that the seed says, so a seed replays exactly:
//! `BAOPHAT_SIM_SEED=7 cargo test --locked --test sim`. `BAOPHAT_SIM_SEEDS=100000` runs more of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected has to fail")]

#[path = "it/pipeline/acts.rs"]
mod acts;
#[path = "sim/checks.rs"]
mod checks;
#[path = "sim/conformance.rs"]
mod conformance;
#[path = "sim/dice.rs"]
mod dice;
#[path = "it/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "only signatures, bodies and the configuration are needed of it")]
mod harness;
#[path = "sim/mended.rs"]
mod mended;
#[path = "sim/planned.rs"]
mod planned;
#[path = "sim/run.rs"]
mod run;
#[path = "sim/stories.rs"]
mod stories;
#[path = "sim/weather.rs"]
mod weather;
#[path = "sim/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use weather::{Tally, simulate};
use world::Setting;

/// How many seeds run when nobody says.
const SEEDS: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// Runs one seed; what it broke, or what it did.
fn try_seed(setting: &Setting, seed: u64) -> Result<Tally, String> {
    match catch_unwind(AssertUnwindSafe(|| simulate(setting, seed))) {
        Ok(result) => result,
        Err(payload) => {
            let said = payload.downcast_ref::<String>().cloned();
            Err(said.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_owned())).unwrap_or_else(|| "it panicked".into()))
        }
    }
}

#[test]
fn every_seed_keeps_the_promises() {
    let setting = Setting::new();
    let (first, last) = match number("BAOPHAT_SIM_SEED") {
        Some(seed) => (seed, seed + 1),
        None => (0, number("BAOPHAT_SIM_SEEDS").unwrap_or(SEEDS)),
    };
    let next = AtomicU64::new(first);
    let stop = AtomicBool::new(false);
    let broken: Mutex<Option<(u64, String)>> = Mutex::new(None);
    let tally = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, |n| n.get()) {
            scope.spawn(|| {
                let mut own = Tally::default();
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= last {
                        break;
                    }
                    match try_seed(&setting, seed) {
                        Ok(did) => own.add(&did),
                        Err(why) => {
                            stop.store(true, Ordering::Relaxed);
                            broken.lock().unwrap().get_or_insert((seed, why));
                        }
                    }
                }
                tally.lock().unwrap().add(&own);
            });
        }
    });
    if let Some((seed, why)) = broken.into_inner().unwrap() {
        panic!(
            "seed {seed} breaks a promise: {why}\n\nreplay it with\n  BAOPHAT_SIM_SEED={seed} cargo test --locked --test sim every_seed -- --nocapture\n"
        );
    }
    let tally = tally.into_inner().unwrap();
    println!("{tally:?}");
    // Else it would be a simulation of fair weather.
    assert!(last - first < 500 || tally.everything_happened(), "{tally:?}");
}
