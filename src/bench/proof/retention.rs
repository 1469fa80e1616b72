//! A day's messages fall due for deletion while callbacks arrive, and their space takes in new ones.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpStream;

use super::row::{Row, load_figures, ms_at, ms_max};
use super::{Course, Offer, Plan, Progress, Proof, Server};
use crate::bench::audit::{self, get};
use crate::bench::child::{INBOX_FILE, file_bytes};
use crate::bench::population::Population;
use crate::bench::{BenchError, load, seed};
use crate::clock::{Clock, WallClock};
use crate::domain::time::{Millis, Span};
use crate::store::sqlite::Place;
use crate::store::sqlite::inbox::InboxReader;

/// How long everything is kept in this part.
const KEEP_DAYS: u32 = 1;

/// Most time that pruning may take.
const PRUNE_MAX: Duration = Duration::from_secs(3 * 3_600);

/// Callbacks that fill the space again, for each pruned message; together they need less room than it did.
const REFILL_PART: f64 = 0.5;

/// What a file may grow and still count as not grown: less than a day's log would add.
const GROWTH_MAX: f64 = 1.02;

/// Half of what arrives while questions are asked, so that pruning is not only a race with new rows.
const BESIDE_PART: f64 = 0.5;

/// Measures it.
///
/// # Errors
/// When a server or the store fails.
pub(super) fn run(proof: &mut Proof<'_>) -> Result<(), BenchError> {
    let day = proof.options.day;
    let dir = proof.new_dir("retention")?;
    let now = WallClock.now();
    let people = Population {
        seed: proof.traffic(Course::Lives).seed,
        messages: day,
        // The day ended more than a day ago: all of it falls due when the server starts.
        from_ms: now.minus(Span::days(2)).minus(Span::hours(2)).0,
        span_ms: Span::days(1).0,
    };
    proof.screen.say(&format!("retention: a store of {day} messages of one day"));
    let filled = seed::fill(&dir, KEEP_DAYS, people, &proof.screen)?;
    let [inbox_before, state_before, _] = file_bytes(&dir);
    proof.screen.say(&format!("  {} records, {:.1} MB; pruning begins", filled.records, filled.bytes as f64 / 1e6));
    let rate = (proof.options.beside * BESIDE_PART).max(1.0);
    let server = Server::serve(&dir.join("bench.toml"))?;
    let started = Instant::now();
    let progress = Arc::new(Progress::default());
    let plan = proof.plan(&server, Offer::Open(rate), PRUNE_MAX * 2);
    let loading = proof.runtime.spawn(load::run(proof.traffic(Course::Lives), plan, progress.clone()));
    let cut = now.minus(Span::days(1));
    let pruning = until_pruned(&server, &dir, cut, proof);
    let pruned = proof.runtime.block_on(pruning);
    let took = started.elapsed().as_secs_f64();
    progress.stop.store(true, Ordering::Relaxed);
    let tally = proof.runtime.block_on(loading).map_err(|e| BenchError::Audit(e.to_string()))??;
    pruned?;
    let [inbox_pruned, state_pruned, _] = file_bytes(&dir);
    let refill = Plan { count: ((day as f64 * REFILL_PART) as u64).max(1), ..proof.plan(&server, Offer::Closed, PRUNE_MAX) };
    proof.screen.say(&format!("  pruned in {took:.0} s; {} new callbacks", refill.count));
    let refilled = proof.load(proof.traffic(Course::Lives), refill, "refill")?;
    proof.runtime.block_on(audit::catch_up(server.address))?;
    let [inbox_after, state_after, _] = file_bytes(&dir);
    drop(server);
    let growth = (inbox_after + state_after) as f64 / ((inbox_before + state_before) as f64).max(1.0);
    let slowest = ms_max(&tally);
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let reached = format!(
        "slowest {slowest:.1} ms (p99 {:.1} ms at {rate:.0}/s) over {took:.0} s; {:.1} MB, then {:.1} MB with {} new callbacks",
        ms_at(&tally, 0.99),
        mb(inbox_before + state_before),
        mb(inbox_after + state_after),
        tally.acknowledged + refilled.acknowledged,
    );
    let figures = json!({
        "load": load_figures(&tally),
        "refill": load_figures(&refilled),
        "pruned_in_seconds": took,
        "growth": growth,
        "inbox_bytes": { "before": inbox_before, "pruned": inbox_pruned, "after": inbox_after },
        "state_bytes": { "before": state_before, "pruned": state_pruned, "after": state_after },
    });
    let holds = slowest <= 50.0 && growth <= GROWTH_MAX && tally.broken + tally.refused == 0;
    let bar = "no acknowledgement slower than 50 ms meanwhile, space reused, file does not grow";
    proof.add(Row::new("retention", format!("retention: pruning a day of {day}"), bar).reached(Some(holds), reached, figures));
    Ok(())
}

/// Waits until neither file holds anything from before a moment.
async fn until_pruned(server: &Server, dir: &Path, cut: Millis, proof: &Proof<'_>) -> Result<(), BenchError> {
    let place = Place::new(dir.join(INBOX_FILE));
    let mut stream = TcpStream::connect(server.address).await?;
    let mut every = tokio::time::interval(Duration::from_millis(500));
    let started = Instant::now();
    loop {
        every.tick().await;
        let oldest = InboxReader::open(&place)?.after(0, 1)?.first().map(|r| (r.seq, r.received_at));
        let mut left = oldest.is_some_and(|(_, at)| at < cut);
        for list in ["messages", "callbacks"] {
            let (_, body) = get(&mut stream, &format!("/v1/{list}?until={cut}&limit=1")).await?;
            left |= !body.starts_with(b"{\"data\":[]");
        }
        if !left {
            return Ok(());
        }
        if started.elapsed() > PRUNE_MAX {
            return Err(std::io::Error::other("pruning did not end in time").into());
        }
        proof.screen.live(&format!("pruning: the oldest record is {}", oldest.map_or(0, |(seq, _)| seq)));
    }
}
