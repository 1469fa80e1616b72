//! The audit: asks the server for every message whose callback it acknowledged, and how far that message is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::child::API_KEY;
use super::load::Progress;
use super::traffic::Traffic;
use super::{BenchError, traffic};
use crate::domain::state::State;

/// Connections of the audit.
const CONNECTIONS: usize = 16;

/// Longest wait for the projection.
const CATCH_UP_MAX: Duration = Duration::from_secs(600);

/// What the audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Audit {
    /// Messages asked for.
    pub asked: u64,
    /// Messages that are not there.
    pub lost: u64,
    /// Messages in a weaker state than acknowledged.
    pub behind: u64,
}

#[derive(Deserialize)]
struct Page {
    data: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    account: String,
    state: State,
}

/// Asks for every message of the callbacks 0 to `next` but those that were not acknowledged.
///
/// # Errors
/// When the server does not answer.
pub async fn run(server: SocketAddr, traffic: Traffic, next: u64, missed: &[u64], progress: Arc<Progress>) -> Result<Audit, BenchError> {
    let mut owed: HashMap<(&'static str, String), (State, bool)> = HashMap::new();
    for i in (0..next).filter(|i| missed.binary_search(i).is_err()) {
        let promise = traffic.promise(i);
        let known = traffic.makes_known(i);
        let entry = owed.entry((promise.account, promise.message_id)).or_insert((promise.at_least, known));
        if promise.at_least.strength() > entry.0.strength() {
            entry.0 = promise.at_least;
        }
        entry.1 |= known;
    }
    let owed: Arc<Vec<_>> = Arc::new(owed.into_iter().filter(|(_, (_, known))| *known).map(|(k, (s, _))| (k, s)).collect());
    let turn = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..CONNECTIONS).map(|_| tokio::spawn(ask_all(server, owed.clone(), turn.clone(), progress.clone()))).collect();
    let mut audit = Audit::default();
    for task in tasks {
        let part = task.await.map_err(|e| BenchError::Audit(e.to_string()))??;
        audit.asked += part.asked;
        audit.lost += part.lost;
        audit.behind += part.behind;
    }
    Ok(audit)
}

async fn ask_all(
    server: SocketAddr,
    owed: Arc<Vec<((&'static str, String), State)>>,
    turn: Arc<AtomicUsize>,
    progress: Arc<Progress>,
) -> Result<Audit, BenchError> {
    let mut stream = TcpStream::connect(server).await?;
    let mut audit = Audit::default();
    while let Some(((account, id), state)) = owed.get(turn.fetch_add(1, Ordering::Relaxed)) {
        let (status, body) = get(&mut stream, &format!("/v1/messages?message_id={id}&limit=5")).await?;
        if status != 200 {
            return Err(BenchError::Audit(format!("HTTP {status}")));
        }
        let page: Page = serde_json::from_slice(&body).map_err(|e| BenchError::Audit(e.to_string()))?;
        audit.asked += 1;
        progress.acknowledged.fetch_add(1, Ordering::Relaxed);
        match page.data.iter().find(|m| m.account == *account) {
            None => audit.lost += 1,
            Some(found) if found.state.strength() < state.strength() => audit.behind += 1,
            Some(_) => {}
        }
    }
    Ok(audit)
}

/// One GET with the API key.
///
/// # Errors
/// When the connection breaks.
pub async fn get(stream: &mut TcpStream, path: &str) -> std::io::Result<(u16, Vec<u8>)> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {API_KEY}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::with_capacity(4_096);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
        let length = text.lines().find_map(|l| l.to_ascii_lowercase().strip_prefix("content-length:").and_then(|v| v.trim().parse().ok()));
        let end = head + 4 + length.unwrap_or(0);
        if bytes.len() >= end {
            let status = text.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
            return Ok((status, bytes[head + 4..end].to_vec()));
        }
    }
}

/// How many durable records are not folded yet, by the server's own gauge.
///
/// # Errors
/// When the server does not answer.
pub async fn lag(server: SocketAddr) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect(server).await?;
    let (_, body) = get(&mut stream, "/metrics").await?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let value = text.lines().find_map(|l| l.strip_prefix("baophat_projection_lag_records "));
    Ok(value.and_then(|v| v.parse().ok()).unwrap_or(0))
}

/// Waits until nothing is left to fold; how long that took.
///
/// # Errors
/// When the server does not answer, or does not get there in ten minutes.
pub async fn catch_up(server: SocketAddr) -> std::io::Result<Duration> {
    let started = Instant::now();
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let mut stream = TcpStream::connect(server).await?;
    while started.elapsed() < CATCH_UP_MAX {
        let (_, body) = get(&mut stream, "/v1/callbacks?status=received&limit=1").await?;
        if body.starts_with(b"{\"data\":[]") {
            return Ok(started.elapsed());
        }
        every.tick().await;
    }
    let accounts = traffic::ACCOUNTS.join(", ");
    Err(std::io::Error::other(format!("the projection of {accounts} did not catch up in time")))
}
