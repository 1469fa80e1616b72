//! Durable callbacks against the bare handler: closed loops in turn, on an empty store.

use serde_json::json;

use super::row::{Row, load_figures};
use super::{Course, Offer, Proof, Server};
use crate::bench::{BenchError, audit};

/// What a durable acknowledgement may cost.
const BAR: f64 = 0.6;

/// Measures it.
///
/// # Errors
/// When a server fails.
pub(super) fn run(proof: &mut Proof<'_>) -> Result<(), BenchError> {
    let o = proof.options;
    proof.screen.say(&format!("edge: {} rounds of {:?} against the bare handler, {} connections", o.rounds, o.length, o.connections));
    let dir = proof.new_dir("edge")?;
    let server = proof.empty_server(&dir)?;
    let traffic = proof.traffic(Course::Lives);
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    let mut next = 0;
    for _ in 0..o.rounds {
        bare.push(bare_round(proof, &dir)?);
        let plan = proof.plan(&server, Offer::Closed, o.length);
        let tally = proof.load(traffic, super::Plan { first: next, ..plan }, "durable")?;
        next = tally.next;
        ours.push(tally);
        // The next round must not pay for what this one left to fold.
        proof.runtime.block_on(audit::catch_up(server.address))?;
    }
    let mean = |all: &[super::Tally]| all.iter().map(|t| t.rate()).sum::<f64>() / all.len().max(1) as f64;
    let (of_bare, of_ours) = (mean(&bare), mean(&ours));
    let ratio = of_ours / of_bare;
    let what = format!("durable acknowledged callbacks against the bare handler, alternating, {} connections", o.connections);
    let figures = json!({
        "ratio": ratio,
        "per_second": of_ours,
        "bare_per_second": of_bare,
        "rounds": ours.iter().map(load_figures).collect::<Vec<_>>(),
        "bare_rounds": bare.iter().map(load_figures).collect::<Vec<_>>(),
    });
    let refused: u64 = ours.iter().map(|t| t.refused + t.broken).sum();
    let reached = format!("{ratio:.2} ({of_ours:.0}/s of {of_bare:.0}/s, {refused} not acknowledged)");
    proof.add(Row::new("durable", what, format!("{BAR} of it")).reached(Some(ratio >= BAR), reached, figures));
    drop(server);
    Ok(std::fs::remove_dir_all(dir)?)
}

/// One round of the bare handler.
///
/// # Errors
/// When it fails.
pub(super) fn bare_round(proof: &Proof<'_>, dir: &std::path::Path) -> Result<super::Tally, BenchError> {
    let bare = Server::bare(dir)?;
    proof.load(proof.traffic(Course::Lives), proof.plan(&bare, Offer::Closed, proof.options.length), "bare")
}
