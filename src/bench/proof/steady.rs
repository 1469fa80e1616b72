//! The projection keeps up: the highest pace at which everything acknowledged is visible at once, then the acknowledgements at half of
//! that, a lone callback, and a flood of forged ones beside the signed.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::edge::bare_round;
use super::row::{Row, load_figures, ms_at, ms_max};
use super::{Course, Offer, Plan, Progress, Proof, Server};
use crate::bench::{BenchError, audit, child, load, pace};

/// The pace is looked for in this part of the sustained run's length, before it begins.
const WARM_UP_PART: u32 = 10;

/// At most so long.
const WARM_UP_MAX: Duration = Duration::from_secs(20);

/// Callbacks a second of the lone sender.
const LONE_RATE: f64 = 20.0;

/// Connections of the forger, each sending as fast as it is answered.
const FORGER_CONNECTIONS: usize = 64;

/// A paced run on a server.
///
/// # Errors
/// When the server fails.
pub(super) fn sustain(proof: &Proof<'_>, server: &Server, length: Duration) -> Result<pace::Paced, BenchError> {
    let progress = Arc::new(Progress::default());
    let warm_up = (length / WARM_UP_PART).clamp(proof.options.length.min(WARM_UP_MAX), WARM_UP_MAX);
    let plan = proof.plan(server, Offer::Paced, length);
    let (traffic, followed) = (proof.traffic(Course::Lives), proof.traffic(Course::Lives));
    let work = pace::run(traffic, plan, followed, warm_up, progress.clone());
    proof.runtime.block_on(proof.shown("sustained", progress.clone(), work))
}

/// The figures of a paced run.
pub(super) fn figures(paced: &pace::Paced) -> serde_json::Value {
    json!({
        "per_second": paced.rate(),
        "lag_max_seconds": paced.lag_max,
        "shown_max_seconds": paced.shown_max,
        "followed": paced.followed,
        "caught_up_seconds": paced.caught_up.as_secs_f64(),
        "load": load_figures(&paced.tally),
    })
}

/// Measures it.
///
/// # Errors
/// When a server fails.
pub(super) fn run(proof: &mut Proof<'_>) -> Result<(), BenchError> {
    let dir = proof.new_dir("steady")?;
    let server = proof.empty_server(&dir)?;
    sustained(proof, &server, &dir)?;
    open_loop(proof, &server)?;
    lone(proof, &server)?;
    forged(proof, &server, &dir)?;
    drop(server);
    Ok(std::fs::remove_dir_all(dir)?)
}

fn sustained(proof: &mut Proof<'_>, server: &Server, dir: &std::path::Path) -> Result<(), BenchError> {
    let o = proof.options;
    proof.screen.say(&format!("steady: the projection keeps up, {:?}", o.steady));
    let before = bare_round(proof, dir)?;
    let paced = sustain(proof, server, o.steady)?;
    let after = bare_round(proof, dir)?;
    let bare = (before.rate() + after.rate()) / 2.0;
    let (rate, ratio) = (paced.rate(), paced.rate() / bare);
    proof.sustained = Some(rate);
    let mut figures = figures(&paced);
    figures["ratio"] = json!(ratio);
    figures["bare_per_second"] = json!([before.rate(), after.rate()]);
    let holds = ratio >= 0.4 && paced.lag_max <= 2.0 && paced.shown_max <= 2.0;
    let reached = format!(
        "{ratio:.2} ({rate:.0}/s of {bare:.0}/s), lag at most {:.2} s, shown after at most {:.2} s",
        paced.lag_max, paced.shown_max
    );
    let what = format!("sustained with the projection keeping up (every state visible) over {:?}", o.steady);
    proof.add(Row::new("sustained", what, "0.4 of bare, lag never above 2 s").reached(Some(holds), reached, figures));
    Ok(())
}

/// Half of the sustained rate, as an open loop.
fn half(proof: &Proof<'_>) -> f64 {
    (proof.sustained.unwrap_or(2.0) / 2.0).max(1.0)
}

fn open_loop(proof: &mut Proof<'_>, server: &Server) -> Result<(), BenchError> {
    let (rate, length) = (half(proof), proof.options.length * 3);
    proof.screen.say(&format!("steady: open loop at {rate:.0}/s, {length:?}"));
    let tally = proof.load(proof.traffic(Course::Lives), proof.plan(server, Offer::Open(rate), length), "open loop")?;
    let p99 = ms_at(&tally, 0.99);
    let reached = format!("{p99:.2} ms at {rate:.0}/s ({:.0}/s acknowledged, slowest {:.1} ms)", tally.rate(), ms_max(&tally));
    let row = Row::new("open_loop", "acknowledgement p99, open loop at half of that sustained rate", "<= 15 ms");
    proof.add(row.reached(Some(p99 <= 15.0 && tally.broken + tally.refused == 0), reached, load_figures(&tally)));
    Ok(())
}

fn lone(proof: &mut Proof<'_>, server: &Server) -> Result<(), BenchError> {
    proof.runtime.block_on(audit::catch_up(server.address))?;
    let length = proof.options.length * 3;
    proof.screen.say(&format!("steady: one connection, {LONE_RATE}/s, {length:?}"));
    let plan = Plan { connections: 1, ..proof.plan(server, Offer::Open(LONE_RATE), length) };
    let tally = proof.load(proof.traffic(Course::Lives), plan, "lone")?;
    let p99 = ms_at(&tally, 0.99);
    let reached = format!("{p99:.2} ms (median {:.2} ms, {} callbacks)", ms_at(&tally, 0.5), tally.acknowledged);
    let row = Row::new("lone", "one lone callback on an idle server", "p99 < 5 ms");
    proof.add(row.reached(Some(p99 < 5.0 && tally.acknowledged > 0), reached, load_figures(&tally)));
    Ok(())
}

/// Signed callbacks at half of the sustained rate; beside them forged ones from another address, as fast as they are answered.
fn forged(proof: &mut Proof<'_>, server: &Server, dir: &std::path::Path) -> Result<(), BenchError> {
    let (rate, length) = (half(proof), proof.options.length * 2);
    proof.screen.say(&format!("steady: signed at {rate:.0}/s without and with a flood of forged, {length:?} each"));
    let signed = || proof.plan(server, Offer::Open(rate), length);
    let alone = proof.load(proof.traffic(Course::Lives), signed(), "signed alone")?;
    proof.runtime.block_on(audit::catch_up(server.address))?;
    let flood = Plan { connections: FORGER_CONNECTIONS, ..proof.plan(server, Offer::Closed, length) };
    let flooding = proof.runtime.spawn(load::run(proof.traffic(Course::Forged), flood, Arc::new(Progress::default())));
    let beside = proof.load(proof.traffic(Course::Lives), signed(), "signed beside forged")?;
    let forged = proof.runtime.block_on(flooding).map_err(|e| BenchError::Audit(e.to_string()))??;
    let ratio = beside.rate() / alone.rate().max(1e-9);
    let forged_rate = forged.refused as f64 / forged.elapsed.as_secs_f64().max(1e-9);
    let figures = json!({
        "ratio": ratio,
        "alone": load_figures(&alone),
        "beside": load_figures(&beside),
        "forged_per_second": forged_rate,
        "forged_acknowledged": forged.acknowledged,
        "forged_broken": forged.broken,
        "log_bytes": std::fs::metadata(dir.join(child::SERVER_LOG)).map_or(0, |m| m.len()),
    });
    let reached = format!(
        "{ratio:.2} ({:.0}/s of {:.0}/s, beside {forged_rate:.0}/s forged; p99 {:.1} ms, alone {:.1} ms)",
        beside.rate(),
        alone.rate(),
        ms_at(&beside, 0.99),
        ms_at(&alone, 0.99)
    );
    let row = Row::new("forged", "a flood of forged signatures beside signed callbacks", "signed rate >= 0.8 of the rate without");
    proof.add(row.reached(Some(ratio >= 0.8 && forged.acknowledged == 0), reached, figures));
    Ok(())
}
