//! Questions of every kind while callbacks arrive: each kind is asked at a fixed rate on a connection of its own, and its latency counts
//! from when the question was due.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use super::row::{Row, load_figures, ms_at, ms_max};
use super::{Course, Offer, Progress, Proof, Server};
use crate::bench::audit::get;
use crate::bench::population::Population;
use crate::bench::traffic::mix;
use crate::bench::{BenchError, load};
use crate::domain::time::{Millis, Span};

/// Questions a second of each kind.
const ASKED_RATE: f64 = 10.0;

/// What the slowest kind may take at p99.
const P99_MAX_MS: f64 = 10.0;

/// Public ids looked up beforehand.
const IDS: u64 = 200;

/// A kind of question: its name, whether an answer without a message is wrong, and the path for a number.
type Kind = (&'static str, bool, fn(&Asker, u64) -> String);

/// Every kind.
const KINDS: &[Kind] = &[
    ("message by id", true, |a, m| format!("/v1/messages/{}", a.ids[m as usize % a.ids.len()])),
    ("by ref", true, |a, m| format!("/v1/messages?ref={}", a.people.reference(m))),
    ("by phone", true, |a, m| format!("/v1/messages?recipient=0{}", &a.people.recipient(phoned(m))[2..])),
    ("by message_id", true, |a, m| format!("/v1/messages?message_id={}", a.people.message_id(m - m % 5 + 2))),
    ("newest", true, |_, _| "/v1/messages".into()),
    ("state", false, |_, m| format!("/v1/messages?state={}", ["queued", "sent", "delivered", "read", "failed"][m as usize % 5])),
    ("provider", true, |_, m| format!("/v1/messages?provider={}", ["zalo", "facebook", "esms"][m as usize % 3])),
    ("account", true, |a, m| format!("/v1/messages?account={}", a.people.account(m))),
    ("sender", true, |a, m| format!("/v1/messages?sender={}", a.people.sender(m))),
    ("kind", true, |a, m| format!("/v1/messages?kind={}", a.people.kind(m))),
    ("template", false, |a, m| format!("/v1/messages?template_id={}", a.people.template(m).unwrap_or_else(|| "310000".into()))),
    ("stuck", true, |_, _| "/v1/messages?stuck=true".into()),
    ("partial", true, |_, _| "/v1/messages?partial=true".into()),
    ("conflict", true, |_, _| "/v1/messages?conflict=true".into()),
    ("failure class", false, |_, m| format!("/v1/messages?failure_class={}", ["recipient", "window", "template"][m as usize % 3])),
    ("failure code", false, |a, m| format!("/v1/messages?failure_code={}", a.people.failure_code(m))),
    ("an hour long ago", false, |a, m| {
        let since = a.people.sent_at(m);
        format!("/v1/messages?since={since}&until={}", since.plus(Span::hours(1)))
    }),
    ("deep page", false, |a, m| format!("/v1/messages?state=delivered&until={}", a.people.sent_at(m).plus(Span::hours(1)))),
    ("account, state and kind", false, |a, m| {
        format!("/v1/messages?account={}&state=failed&kind={}", a.people.account(m), a.people.kind(m))
    }),
    ("sender and failure class", false, |a, m| format!("/v1/messages?sender={}&failure_class=recipient", a.people.sender(m))),
    ("/v1/stuck", true, |_, _| "/v1/stuck".into()),
    ("/v1/stuck of an account", true, |_, m| format!("/v1/stuck?account={}", crate::bench::traffic::ACCOUNTS[m as usize % 3])),
];

/// A message that went to a phone.
fn phoned(m: u64) -> u64 {
    if m % 5 == 1 { m - 1 } else { m }
}

/// What the askers know.
struct Asker {
    people: Population,
    ids: Vec<String>,
}

/// What one kind came to.
struct Asked {
    name: &'static str,
    latency: Histogram<u64>,
    /// Answers other than 200, and empty ones where there is something.
    wrong: u64,
    /// The path of the last wrong one.
    wrong_path: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    id: String,
}

/// Measures it.
///
/// # Errors
/// When the server fails.
pub(super) fn run(proof: &mut Proof<'_>, server: &Server, people: &Population) -> Result<(), BenchError> {
    let (rate, length) = (proof.options.beside, proof.options.length * 6);
    proof.screen.say(&format!("stored: {} kinds of questions beside {rate:.0} callbacks a second, {length:?}", KINDS.len()));
    let address = server.address;
    let ids = proof.runtime.block_on(public_ids(address, people))?;
    let asker = Arc::new(Asker { people: *people, ids });
    let progress = Arc::new(Progress::default());
    let plan = proof.plan(server, Offer::Open(rate), length + Duration::from_secs(60));
    let loading = proof.runtime.spawn(load::run(proof.traffic(Course::Lives), plan, progress.clone()));
    let asked = proof.runtime.block_on(proof.shown("questions", progress.clone(), ask_all(address, asker, length)));
    progress.stop.store(true, Ordering::Relaxed);
    let tally = proof.runtime.block_on(loading).map_err(|e| BenchError::Audit(e.to_string()))??;
    let asked = asked?;
    let p99 = |a: &Asked| a.latency.value_at_quantile(0.99) as f64 / 1_000.0;
    let wrong: u64 = asked.iter().map(|a| a.wrong).sum();
    let slowest = asked.iter().max_by(|a, b| p99(a).total_cmp(&p99(b)));
    let (name, slowest_ms) = slowest.map_or(("none", 0.0), |a| (a.name, p99(a)));
    let over = asked.iter().filter(|a| p99(a) >= P99_MAX_MS).count();
    let all: Vec<Value> = asked.iter().map(as_figures).collect();
    proof.more.insert("questions".into(), json!(all));
    let what = format!(
        "message by id, by ref, by phone; a page of any filter; /v1/stuck with {} messages and {} stuck",
        proof.options.messages, proof.options.stuck
    );
    let mut reached = format!("{slowest_ms:.2} ms for the slowest kind ({name}); {over} of {} kinds over", asked.len());
    if wrong > 0 {
        reached += &format!("; {wrong} WRONG ANSWERS");
    }
    let figures = json!({ "slowest": name, "p99_ms": slowest_ms, "over": over, "wrong": wrong, "callbacks": load_figures(&tally) });
    proof.screen.say(&format!("  callbacks meanwhile: p99 {:.1} ms, slowest {:.1} ms", ms_at(&tally, 0.99), ms_max(&tally)));
    let bar = format!("p99 < 10 ms while callbacks arrive at {rate:.0}/s");
    proof.add(Row::new("questions", what, bar).reached(Some(over == 0 && wrong == 0), reached, figures));
    Ok(())
}

/// Public ids of messages from all over the store.
async fn public_ids(server: std::net::SocketAddr, people: &Population) -> Result<Vec<String>, BenchError> {
    let mut stream = TcpStream::connect(server).await?;
    let mut ids = Vec::new();
    for n in 0..IDS {
        let until: Millis = people.sent_at(mix(n) % people.messages).plus(Span::hours(1));
        let (status, body) = get(&mut stream, &format!("/v1/messages?until={until}&limit=3")).await?;
        if status != 200 {
            return Err(BenchError::Audit(format!("HTTP {status} for a page")));
        }
        let page: Page = serde_json::from_slice(&body).map_err(|e| BenchError::Audit(e.to_string()))?;
        ids.extend(page.data.into_iter().map(|m| m.id));
    }
    if ids.is_empty() {
        return Err(BenchError::Audit("no message was listed".into()));
    }
    Ok(ids)
}

async fn ask_all(server: std::net::SocketAddr, asker: Arc<Asker>, length: Duration) -> Result<Vec<Asked>, BenchError> {
    let tasks: Vec<_> = KINDS.iter().enumerate().map(|(n, kind)| tokio::spawn(ask(server, asker.clone(), n, kind, length))).collect();
    let mut all = Vec::new();
    for task in tasks {
        all.push(task.await.map_err(|e| BenchError::Audit(e.to_string()))??);
    }
    Ok(all)
}

async fn ask(server: std::net::SocketAddr, asker: Arc<Asker>, n: usize, kind: &'static Kind, length: Duration) -> std::io::Result<Asked> {
    let (name, must_find, path) = *kind;
    let mut asked = Asked { name, latency: load::histogram(), wrong: 0, wrong_path: None };
    let mut stream = TcpStream::connect(server).await?;
    stream.set_nodelay(true)?;
    let started = Instant::now();
    // The kinds take turns within the time between two questions of one.
    let offset = n as f64 / KINDS.len() as f64;
    for i in 0u64.. {
        let due = started + Duration::from_secs_f64((i as f64 + offset) / ASKED_RATE);
        if due.duration_since(started) >= length {
            break;
        }
        let m = mix(i * 64 + n as u64) % (asker.people.messages / 5 * 5).max(5);
        let path = path(&asker, m);
        tokio::time::sleep_until(due.into()).await;
        let (status, body) = get(&mut stream, &path).await?;
        let _ = asked.latency.record((due.elapsed().as_micros() as u64).clamp(1, 60_000_000));
        let empty = must_find && body.windows(11).any(|w| w == b"\"data\":[],\"" || w == b"\"data\":[]}");
        if status != 200 || empty || body.starts_with(b"{\"data\":[]") && must_find {
            asked.wrong += 1;
            asked.wrong_path = Some(format!("{status} {path}"));
        }
    }
    Ok(asked)
}

fn as_figures(asked: &Asked) -> Value {
    let ms = |q: f64| asked.latency.value_at_quantile(q) as f64 / 1_000.0;
    json!({
        "question": asked.name,
        "asked": asked.latency.len(),
        "p50_ms": ms(0.5),
        "p99_ms": ms(0.99),
        "max_ms": asked.latency.max() as f64 / 1_000.0,
        "wrong": asked.wrong,
        "wrong_path": asked.wrong_path,
    })
}

/// The latencies of every kind, for people.
pub(super) fn table(asked: &[Value]) -> String {
    let mut out = format!("\n{:<28} {:>6} {:>9} {:>9} {:>9} {:>6}\n", "question", "asked", "p50 ms", "p99 ms", "max ms", "wrong");
    for a in asked {
        let f = |name: &str| a[name].as_f64().unwrap_or(0.0);
        out += &format!(
            "{:<28} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>6}\n",
            a["question"].as_str().unwrap_or_default(),
            f("asked"),
            f("p50_ms"),
            f("p99_ms"),
            f("max_ms"),
            f("wrong")
        );
    }
    out
}
