//! Millions of messages in the store: the sustained rate again, a sweep of what falls due at once, questions beside callbacks, memory, and
//! the start after a kill.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::row::{Row, load_figures, ms_at, ms_max};
use super::{Course, Offer, Plan, Progress, Proof, Server, questions, steady};
use crate::bench::child::{API_KEY, KEEP_ALL};
use crate::bench::pace::Gauges;
use crate::bench::population::{CALL_MESSAGES, Population};
use crate::bench::traffic::Traffic;
use crate::bench::{BenchError, audit, load, seed, store};
use crate::clock::{Clock, WallClock};
use crate::config::Config;
use crate::domain::state::State;
use crate::domain::time::{Millis, Span};

/// A seeded store's messages were sent over so many days, the last one an hour ago.
const DAYS: i64 = 10;

/// Time for registering the messages that fall due together: at least this, and so much for each.
const REGISTER_MIN: Span = Span::seconds(2);
const REGISTER_MICROS_EACH: i64 = 300;

/// How long a sweep may take.
const SWEEP_MAX: Duration = Duration::from_secs(600);

/// The load goes on so long after the sweep.
const AFTER_SWEEP: Duration = Duration::from_millis(500);

/// Memory that the server may take.
const MEMORY_MAX_BYTES: u64 = 256_000_000;

/// Kinds under which the messages of the three accounts of the traffic fall due.
const KINDS: [&[&str]; 3] = [&["zns", "chat"], &["response", "utility"], &["sms_customer_care", "otp", "zns"]];

/// Measures it.
///
/// # Errors
/// When a server or the store fails.
pub(super) fn run(proof: &mut Proof<'_>) -> Result<(), BenchError> {
    let dir = seeded_dir(proof)?;
    let now = WallClock.now();
    let span = Span::days(DAYS);
    let wanted = Population {
        seed: proof.traffic(Course::Lives).seed,
        messages: proof.options.messages,
        from_ms: now.minus(span).minus(Span::hours(1)).0,
        span_ms: span.0,
    };
    proof.screen.say(&format!("stored: a store of {} messages in {}", wanted.messages, dir.display()));
    let filled = seed::fill(&dir, KEEP_ALL, wanted, &proof.screen)?;
    proof.screen.say(&format!("  {} records in {:.0} s, {:.1} MB", filled.records, filled.seconds, filled.bytes as f64 / 1e6));
    proof.more.insert("filled".into(), serde_json::to_value(&filled).unwrap_or_default());
    let config_file = dir.join("bench.toml");
    let config = store::load_config(&config_file)?;
    let server = Server::serve(&config_file)?;
    // Resident memory after each step: now, and at its highest so far.
    let mut steps = vec![("start", server.memory())];
    sustained(proof, &server)?;
    steps.push(("sustained", server.memory()));
    let late = sweep(proof, &server, &config)?;
    steps.push(("sweep", server.memory()));
    questions::run(proof, &server, &filled.population)?;
    steps.push(("questions", server.memory()));
    close(proof, &server, late)?;
    memory(proof, &server, &steps);
    after_kill(proof, server, &config_file)
}

/// Kept where the options say so, else gone with the run's folder.
fn seeded_dir(proof: &Proof<'_>) -> std::io::Result<PathBuf> {
    match &proof.options.store_dir {
        Some(dir) => {
            let dir = dir.join(format!("messages-{}", proof.options.messages));
            std::fs::create_dir_all(&dir)?;
            Ok(dir)
        }
        None => proof.new_dir("stored"),
    }
}

fn sustained(proof: &mut Proof<'_>, server: &Server) -> Result<(), BenchError> {
    let length = (proof.options.steady / 5).max(proof.options.length);
    proof.screen.say(&format!("stored: the projection keeps up, {length:?}"));
    let paced = steady::sustain(proof, server, length)?;
    let ratio = proof.sustained.map(|empty| paced.rate() / empty);
    let mut figures = steady::figures(&paced);
    figures["ratio"] = json!(ratio);
    figures["empty_per_second"] = json!(proof.sustained);
    let share = ratio.map_or_else(|| "not compared, part steady was left out".to_owned(), |r| format!("{r:.2}"));
    let reached = format!("{share} ({:.0}/s, lag at most {:.2} s)", paced.rate(), paced.lag_max);
    let what = format!("the same sustained rate with {} messages already stored", proof.options.messages);
    let holds = ratio.map(|r| r >= 0.8 && paced.lag_max <= 2.0 && paced.shown_max <= 2.0);
    proof.add(Row::new("stored", what, ">= 0.8 of the empty store's").reached(holds, reached, figures));
    Ok(())
}

/// Registers messages over the API that all fall due at one moment, and offers callbacks until they have been swept.
fn sweep(proof: &mut Proof<'_>, server: &Server, config: &Config) -> Result<Traffic, BenchError> {
    let stuck = proof.options.stuck;
    let late = proof.traffic(Course::Receipts);
    let lead = Span(REGISTER_MIN.0 + stuck as i64 * REGISTER_MICROS_EACH / 1_000);
    let due = WallClock.now().plus(lead);
    proof.screen.say(&format!("stored: {stuck} messages registered to fall due in {} ms", lead.0));
    let address = server.address;
    let before = proof.runtime.block_on(async {
        let mut stream = TcpStream::connect(address).await?;
        let before = Gauges::ask(&mut stream).await?;
        for first in (0..stuck).step_by(CALL_MESSAGES as usize) {
            let all: Vec<Value> = (first..(first + CALL_MESSAGES).min(stuck)).map(|m| registration(&late, config, m, due)).collect();
            post(&mut stream, "/v1/messages", &Value::from(all).to_string()).await?;
        }
        std::io::Result::Ok(before)
    })?;
    let left = due.0 - WallClock.now().0;
    proof.screen.say(&format!("  registered {left} ms before the moment"));
    let progress = Arc::new(Progress::default());
    let plan = Plan { length: SWEEP_MAX, ..proof.plan(server, Offer::Open(proof.options.beside), SWEEP_MAX) };
    let loading = proof.runtime.spawn(load::run(proof.traffic(Course::Lives), plan, progress.clone()));
    let wanted = before.swept + stuck as f64;
    let swept = proof.runtime.block_on(proof.shown("sweeping", progress.clone(), until_swept(address, wanted)));
    progress.stop.store(true, Ordering::Relaxed);
    let tally = proof.runtime.block_on(loading).map_err(|e| BenchError::Audit(e.to_string()))??;
    let ended = swept?;
    let took = ended.0 - due.0;
    let mut figures = load_figures(&tally);
    figures["swept_after_ms"] = json!(took);
    figures["registered_before_due_ms"] = json!(left);
    let slowest = ms_max(&tally);
    let reached = format!(
        "slowest {slowest:.1} ms (p99 {:.1} ms at {:.0}/s), swept {took} ms after the moment",
        ms_at(&tally, 0.99),
        proof.options.beside
    );
    let what = format!("sweeping {stuck} messages that fall due at once");
    let row = Row::new("sweep", what, "no acknowledgement slower than 50 ms meanwhile");
    proof.add(row.reached(Some(slowest <= 50.0 && tally.broken + tally.refused == 0), reached, figures));
    Ok(late)
}

/// When so many messages had been looked at.
async fn until_swept(server: std::net::SocketAddr, wanted: f64) -> std::io::Result<Millis> {
    let mut stream = TcpStream::connect(server).await?;
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let started = Instant::now();
    while Gauges::ask(&mut stream).await?.swept < wanted {
        if started.elapsed() > SWEEP_MAX {
            return Err(std::io::Error::other("the sweep did not end in time"));
        }
        every.tick().await;
    }
    let ended = WallClock.now();
    tokio::time::sleep(AFTER_SWEEP).await;
    Ok(ended)
}

/// A message that was sent just so long ago that it falls due at a moment.
fn registration(late: &Traffic, config: &Config, m: u64, due: Millis) -> Value {
    let (account, message_id) = late.message(m);
    let kinds = KINDS[m as usize % 3];
    let kind = kinds[(m / 3) as usize % kinds.len()];
    let provider = config.accounts.iter().find(|a| a.id.as_str() == account).map_or("", |a| a.provider.slug);
    let stay = config.stuck.deadlines.stay(provider, Some(kind), State::Sent).unwrap_or(Span::hours(1));
    json!({
        "account": account, "message_id": message_id, "ref": format!("late-{:x}-{m}", late.seed), "kind": kind,
        "recipient": format!("849{:08}", m % 100_000_000), "sent_at": due.minus(stay).to_string(),
    })
}

async fn post(stream: &mut TcpStream, path: &str, body: &str) -> std::io::Result<()> {
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {API_KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(status) = load::whole_answer(&bytes) {
            return if status == 201 { Ok(()) } else { Err(std::io::Error::other(format!("POST {path} was answered {status}"))) };
        }
    }
}

/// Receipts for what fell due, so that a store that is kept is as before.
fn close(proof: &mut Proof<'_>, server: &Server, late: Traffic) -> Result<(), BenchError> {
    let plan = Plan { count: proof.options.stuck, ..proof.plan(server, Offer::Closed, SWEEP_MAX) };
    let tally = proof.load(late, plan, "receipts for what was stuck")?;
    let caught_up = proof.runtime.block_on(audit::catch_up(server.address))?;
    proof.more.insert("receipts".into(), json!({ "load": load_figures(&tally), "caught_up_seconds": caught_up.as_secs_f64() }));
    Ok(())
}

fn memory(proof: &mut Proof<'_>, server: &Server, steps: &[(&str, (u64, u64))]) {
    let (now, highest) = server.memory();
    let reached = format!("{:.1} MB at its highest, {:.1} MB at the end", highest as f64 / 1e6, now as f64 / 1e6);
    let what = format!("resident memory with {} messages, under load", proof.options.messages);
    let steps: Vec<Value> =
        steps.iter().map(|(after, (now, highest))| json!({ "after": after, "bytes": now, "highest_bytes": highest })).collect();
    let figures = json!({ "highest_bytes": highest, "bytes": now, "steps": steps });
    proof.add(Row::new("memory", what, "< 256 MB").reached(Some(highest > 0 && highest < MEMORY_MAX_BYTES), reached, figures));
}

/// Kills the server under a closed loop, and starts it again.
fn after_kill(proof: &mut Proof<'_>, server: Server, config: &Path) -> Result<(), BenchError> {
    proof.screen.say("stored: SIGKILL under load, and a new start");
    let progress = Arc::new(Progress::default());
    let length = proof.options.length;
    let plan = proof.plan(&server, Offer::Closed, length * 2);
    let loading = proof.runtime.spawn(load::run(proof.traffic(Course::Lives), plan, progress.clone()));
    proof.runtime.block_on(proof.shown("before the kill", progress.clone(), async { tokio::time::sleep(length).await }));
    progress.stop.store(true, Ordering::Relaxed);
    server.kill();
    // Connections that were cut off are no failure here.
    let cut = proof.runtime.block_on(loading).map_err(|e| BenchError::Audit(e.to_string()))??;
    let [_, _, log_bytes] = crate::bench::child::file_bytes(config.parent().unwrap_or(config));
    let server = Server::serve(config)?;
    let ready = server.ready_after.as_secs_f64();
    let caught_up = proof.runtime.block_on(audit::catch_up(server.address))?.as_secs_f64();
    let reached = format!("{ready:.2} s, everything visible {caught_up:.1} s later");
    let what = format!("start to ready with {} messages, after kill -9", proof.options.messages);
    let figures =
        json!({ "ready_seconds": ready, "caught_up_seconds": caught_up, "log_bytes": log_bytes, "acknowledged_before": cut.acknowledged });
    proof.add(Row::new("start", what, "< 3 s").reached(Some(ready < 3.0), reached, figures));
    Ok(())
}
