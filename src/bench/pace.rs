//! Holding a load back so that the projection keeps up: it watches the server's own gauge, and asks from outside how long a callback
//! takes from its acknowledgement until its message is shown.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use super::BenchError;
use super::audit::{self, get};
use super::load::{self, Offer, Plan, Progress, Tally, exchange};
use super::traffic::Traffic;

/// How often the gauge is read and the pace is set.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How often a callback is followed until it is shown.
const FOLLOW_EVERY: Duration = Duration::from_millis(200);

/// How often it is asked for meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// A followed callback that is not shown by then has its message lost.
const SHOWN_MAX: Duration = Duration::from_secs(60);

/// The pace rises below this lag …
const LAG_LOW: f64 = 0.25;
/// … falls above this one …
const LAG_HIGH: f64 = 0.5;
/// … and falls steeply above this one. The bar is 2 s.
const LAG_DANGER: f64 = 1.0;

/// The pace at the start.
const RATE_FIRST: f64 = 1_000.0;

/// What the server's gauges say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gauges {
    /// Age of the oldest durable record that is not visible.
    pub lag_seconds: f64,
    /// Messages whose deadline was looked at so far.
    pub swept: f64,
}

impl Gauges {
    fn read(text: &str) -> Gauges {
        let value = |name: &str| {
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
            found.unwrap_or(0.0)
        };
        Gauges { lag_seconds: value("baophat_projection_lag_seconds "), swept: value("baophat_swept_messages_total ") }
    }

    /// Asks the server.
    ///
    /// # Errors
    /// When it does not answer.
    pub async fn ask(stream: &mut TcpStream) -> std::io::Result<Gauges> {
        let (_, body) = get(stream, "/metrics").await?;
        Ok(Gauges::read(&String::from_utf8_lossy(&body)))
    }
}

/// What a paced load came to.
#[derive(Debug)]
pub struct Paced {
    /// The load.
    pub tally: Tally,
    /// The longest lag that the gauge showed, in seconds.
    pub lag_max: f64,
    /// The longest time from an acknowledgement until the message was shown, in seconds.
    pub shown_max: f64,
    /// How many callbacks were followed that far.
    pub followed: u64,
    /// From the end of the load until everything was visible.
    pub caught_up: Duration,
}

impl Paced {
    /// Acknowledged and visible, a second.
    pub fn rate(&self) -> f64 {
        self.tally.acknowledged as f64 / (self.tally.elapsed + self.caught_up).as_secs_f64().max(1e-9)
    }
}

/// Finds the pace that the projection can hold for the time of `warm_up`, then holds it for the length of the plan.
///
/// # Errors
/// When the server does not answer, or a followed message is never shown.
pub async fn run(traffic: Traffic, plan: Plan, followed: Traffic, warm_up: Duration, progress: Arc<Progress>) -> Result<Paced, BenchError> {
    progress.set_rate(RATE_FIRST);
    let keeper = tokio::spawn(keep_pace(plan.server, progress.clone()));
    let before = Plan { offer: Offer::Paced, length: warm_up, ..plan };
    let warm = load::run(traffic, before, progress.clone()).await?;
    let quiet = Arc::new(Progress::default());
    let watcher = tokio::spawn(watch_lag(plan.server, quiet.clone()));
    let follower = tokio::spawn(follow(plan.server, followed, quiet.clone()));
    let tally = load::run(traffic, Plan { offer: Offer::Paced, first: warm.next, ..plan }, progress.clone()).await?;
    keeper.abort();
    let caught_up = audit::catch_up(plan.server).await?;
    quiet.stop.store(true, Ordering::Relaxed);
    let broken = |e: tokio::task::JoinError| BenchError::Audit(e.to_string());
    let lag_max = watcher.await.map_err(broken)??;
    let (shown_max, followed) = follower.await.map_err(broken)??;
    Ok(Paced { tally, lag_max, shown_max, followed, caught_up })
}

/// Sets the pace by the lag, and never far above what is acknowledged.
async fn keep_pace(server: SocketAddr, progress: Arc<Progress>) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(server).await?;
    let mut every = tokio::time::interval(LOOK_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut found = false;
    let (mut at, mut seen) = (Instant::now(), progress.acknowledged.load(Ordering::Relaxed));
    let mut taken = RATE_FIRST;
    loop {
        every.tick().await;
        let lag = Gauges::ask(&mut stream).await?.lag_seconds;
        let now = progress.acknowledged.load(Ordering::Relaxed);
        let per_second = now.saturating_sub(seen) as f64 / at.elapsed().as_secs_f64().max(1e-3);
        (at, seen) = (Instant::now(), now);
        // A running mean over about ten looks.
        taken += (per_second - taken) * 0.1;
        found |= lag > LAG_LOW;
        let rate = progress.rate();
        let next = match lag {
            lag if lag > LAG_DANGER => rate * 0.85,
            lag if lag > LAG_HIGH => rate * 0.97,
            lag if lag > LAG_LOW => rate,
            _ if found => rate * 1.01,
            _ => rate * 1.1,
        };
        progress.set_rate(next.min(taken * 1.5 + RATE_FIRST).max(10.0));
    }
}

/// The longest lag until told to stop.
async fn watch_lag(server: SocketAddr, progress: Arc<Progress>) -> std::io::Result<f64> {
    let mut stream = TcpStream::connect(server).await?;
    let mut every = tokio::time::interval(LOOK_EVERY);
    let mut longest = 0f64;
    while !progress.stop.load(Ordering::Relaxed) {
        every.tick().await;
        longest = longest.max(Gauges::ask(&mut stream).await?.lag_seconds);
    }
    Ok(longest)
}

/// Sends a callback from time to time and asks for its message until it is shown: the longest time that took, and how many there were.
async fn follow(server: SocketAddr, traffic: Traffic, progress: Arc<Progress>) -> Result<(f64, u64), BenchError> {
    let mut asking = TcpStream::connect(server).await?;
    let mut sending = None;
    let (mut out, mut inn) = (Vec::new(), Vec::new());
    let mut every = tokio::time::interval(FOLLOW_EVERY);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let (mut longest, mut followed) = (0f64, 0);
    while !progress.stop.load(Ordering::Relaxed) {
        every.tick().await;
        // The first callback of each message.
        let i = followed * 3;
        traffic.request(i, &mut out);
        if exchange(&mut sending, server, None, &out, &mut inn).await? != 200 {
            continue;
        }
        let acknowledged = Instant::now();
        let path = format!("/v1/messages?message_id={}&limit=1", traffic.promise(i).message_id);
        loop {
            let (_, body) = get(&mut asking, &path).await?;
            if !body.starts_with(b"{\"data\":[]") {
                break;
            }
            if acknowledged.elapsed() > SHOWN_MAX {
                return Err(BenchError::Audit("an acknowledged callback did not become visible within a minute".into()));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        longest = longest.max(acknowledged.elapsed().as_secs_f64());
        followed += 1;
    }
    Ok((longest, followed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gauges_are_read_as_the_server_writes_them() {
        let metrics = crate::metrics::Metrics::default();
        metrics.sweeps.inc_by(7);
        metrics.projection_oldest.store(1_000, Ordering::Relaxed);
        assert_eq!(Gauges::read(&metrics.text(3_500)), Gauges { lag_seconds: 2.5, swept: 7.0 });
        metrics.projection_oldest.store(0, Ordering::Relaxed);
        assert_eq!(Gauges::read(&metrics.text(3_500)).lag_seconds, 0.0);
    }
}
