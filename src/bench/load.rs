//! The load: closed loop (each connection sends its next callback when the last was answered) or open loop (callbacks are due at a
//! rate, and latency counts from when one was due, so that a stalled server is not flattered). The rate of an open loop is fixed, or set
//! by whoever watches (`Offer::Paced`).

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::traffic::{Course, Traffic};

/// Longest wait for one answer before the connection counts as broken.
const ANSWER_MAX: Duration = Duration::from_secs(30);

/// From where forged callbacks come: another machine would have another address too.
const FORGER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// When callbacks are sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Offer {
    /// The next one when the last was answered.
    Closed,
    /// So many a second, from the first one on.
    Open(f64),
    /// As many a second as `Progress::rate` says at the moment.
    Paced,
}

/// How far a paced load may lie behind its pace before it forgets about it.
const PACE_DEBT_MAX: Duration = Duration::from_millis(50);

/// How the load is offered.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// The server.
    pub server: SocketAddr,
    /// Connections, each with one request in flight.
    pub connections: usize,
    /// When.
    pub offer: Offer,
    /// How long at most.
    pub length: Duration,
    /// The first callback's number.
    pub first: u64,
    /// How many at most.
    pub count: u64,
}

/// What came of it.
#[derive(Debug)]
pub struct Tally {
    /// Answered 200.
    pub acknowledged: u64,
    /// Answered anything else.
    pub refused: u64,
    /// Not answered.
    pub broken: u64,
    /// Latencies in microseconds.
    pub latency: Histogram<u64>,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// The numbers that were not acknowledged, sorted.
    pub missed: Vec<u64>,
    /// The number after the last one sent.
    pub next: u64,
}

impl Tally {
    /// Acknowledged per second.
    pub fn rate(&self) -> f64 {
        self.acknowledged as f64 / self.elapsed.as_secs_f64().max(1e-9)
    }
}

/// Counters for whoever watches while it runs.
#[derive(Debug, Default)]
pub struct Progress {
    /// Answered 200 so far.
    pub acknowledged: AtomicU64,
    /// The load has ended.
    pub done: AtomicBool,
    /// The load is to end.
    pub stop: AtomicBool,
    rate: AtomicU64,
}

impl Progress {
    /// Callbacks a second of a paced load.
    pub fn rate(&self) -> f64 {
        f64::from_bits(self.rate.load(Ordering::Relaxed))
    }

    /// Sets the pace.
    pub fn set_rate(&self, rate: f64) {
        self.rate.store(rate.to_bits(), Ordering::Relaxed);
    }
}

struct Shared {
    traffic: Traffic,
    plan: Plan,
    next: AtomicU64,
    start: Instant,
    /// When the next callback of a paced load is due.
    slot: Mutex<Instant>,
    progress: Arc<Progress>,
}

impl Shared {
    /// When callback `i` is due.
    fn due(&self, i: u64) -> Instant {
        match self.plan.offer {
            Offer::Closed => Instant::now(),
            Offer::Open(rate) => self.start + Duration::from_secs_f64((i - self.plan.first) as f64 / rate),
            Offer::Paced => {
                let now = Instant::now();
                let Ok(mut slot) = self.slot.lock() else { return now };
                // What could not be sent is not caught up: the pace is a pace, not a debt.
                let due = (*slot).max(now.checked_sub(PACE_DEBT_MAX).unwrap_or(now));
                *slot = due + Duration::from_secs_f64(1.0 / self.progress.rate().max(0.1));
                due
            }
        }
    }

    fn ended(&self) -> bool {
        self.start.elapsed() >= self.plan.length || self.progress.stop.load(Ordering::Relaxed)
    }
}

struct Part {
    acknowledged: u64,
    refused: u64,
    broken: u64,
    latency: Histogram<u64>,
    missed: Vec<u64>,
}

/// An empty histogram of microseconds.
pub fn histogram() -> Histogram<u64> {
    // Three digits between 1 µs and 60 s: a few hundred kilobytes, constant.
    Histogram::new_with_bounds(1, 60_000_000, 3).unwrap_or_else(|_| unreachable!("the bounds are constants"))
}

/// Offers the load.
///
/// # Errors
/// When no connection can be made at all.
pub async fn run(traffic: Traffic, plan: Plan, progress: Arc<Progress>) -> std::io::Result<Tally> {
    let streams = connect_all(traffic, plan).await?;
    let start = Instant::now();
    let shared = Arc::new(Shared { traffic, plan, next: AtomicU64::new(plan.first), start, slot: Mutex::new(start), progress });
    let tasks: Vec<_> = streams.into_iter().map(|s| tokio::spawn(connection(shared.clone(), s))).collect();
    let mut tally = Tally {
        acknowledged: 0,
        refused: 0,
        broken: 0,
        latency: histogram(),
        elapsed: Duration::ZERO,
        missed: Vec::new(),
        next: plan.first,
    };
    for task in tasks {
        let Ok(part) = task.await else { continue };
        tally.acknowledged += part.acknowledged;
        tally.refused += part.refused;
        tally.broken += part.broken;
        tally.missed.extend(part.missed);
        let _ = tally.latency.add(&part.latency);
    }
    tally.missed.sort_unstable();
    tally.elapsed = shared.start.elapsed();
    tally.next = shared.next.load(Ordering::Relaxed);
    shared.progress.done.store(true, Ordering::Relaxed);
    Ok(tally)
}

/// Opens every connection before the first callback is due: hundreds at once are a load of another kind.
async fn connect_all(traffic: Traffic, plan: Plan) -> std::io::Result<Vec<TcpStream>> {
    let source = source_of(traffic);
    let tasks: Vec<_> = (0..plan.connections).map(|_| tokio::spawn(connect(plan.server, source))).collect();
    let mut streams = Vec::with_capacity(tasks.len());
    for task in tasks {
        streams.push(task.await.map_err(std::io::Error::other)??);
    }
    Ok(streams)
}

fn source_of(traffic: Traffic) -> Option<Ipv4Addr> {
    (traffic.course == Course::Forged).then_some(FORGER)
}

async fn connection(shared: Arc<Shared>, stream: TcpStream) -> Part {
    let mut part = Part { acknowledged: 0, refused: 0, broken: 0, latency: histogram(), missed: Vec::new() };
    let mut stream = Some(stream);
    let (mut out, mut inn) = (Vec::with_capacity(2_048), Vec::with_capacity(2_048));
    let source = source_of(shared.traffic);
    let forged = source.is_some();
    while !shared.ended() {
        let i = shared.next.fetch_add(1, Ordering::Relaxed);
        if i - shared.plan.first >= shared.plan.count {
            break;
        }
        let due = shared.due(i);
        if shared.plan.offer != Offer::Closed {
            tokio::time::sleep_until(due.into()).await;
        }
        shared.traffic.request(i, &mut out);
        let answered = tokio::time::timeout(ANSWER_MAX, exchange(&mut stream, shared.plan.server, source, &out, &mut inn)).await;
        let micros = due.elapsed().as_micros() as u64;
        match answered {
            Ok(Ok(200)) => {
                part.acknowledged += 1;
                shared.progress.acknowledged.fetch_add(1, Ordering::Relaxed);
                let _ = part.latency.record(micros.clamp(1, 60_000_000));
            }
            Ok(Ok(_)) => {
                part.refused += 1;
                // That one is refused is the point of a forged one: nobody asks for it later.
                part.missed.extend((!forged).then_some(i));
            }
            _ => {
                part.broken += 1;
                part.missed.push(i);
                stream = None;
            }
        }
    }
    part
}

/// Sends a request and reads its answer; the status.
pub async fn exchange(
    stream: &mut Option<TcpStream>,
    server: SocketAddr,
    source: Option<Ipv4Addr>,
    out: &[u8],
    inn: &mut Vec<u8>,
) -> std::io::Result<u16> {
    let connected = match stream.take() {
        Some(open) => open,
        None => connect(server, source).await?,
    };
    let stream = stream.insert(connected);
    stream.write_all(out).await?;
    inn.clear();
    loop {
        if stream.read_buf(inn).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(status) = whole_answer(inn) {
            return Ok(status);
        }
    }
}

async fn connect(server: SocketAddr, source: Option<Ipv4Addr>) -> std::io::Result<TcpStream> {
    let new = match source {
        Some(from) => {
            let socket = TcpSocket::new_v4()?;
            socket.bind((from, 0).into())?;
            socket.connect(server).await?
        }
        None => TcpStream::connect(server).await?,
    };
    new.set_nodelay(true)?;
    Ok(new)
}

/// The status, once head and body are there.
pub fn whole_answer(bytes: &[u8]) -> Option<u16> {
    let head = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..head]).ok()?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    if bytes.len() < head + 4 + length.unwrap_or(0) {
        return None;
    }
    text.split(' ').nth(1)?.parse().ok()
}
