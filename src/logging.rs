//! Logs: JSON for machines, pretty for people, always to standard error. No bodies, no queries, no full phone numbers.
//!
//! Warnings and errors can be caused from outside, a line for each bad request. So each place in the code may write only so many
//! of them, or a flood of forged callbacks would become a flood of lines and a full disk.

use std::collections::HashMap;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::subscriber::Interest;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, filter::FilterExt, fmt, registry};

use crate::config::{Log, LogFormat};

/// Warnings or errors that one place may write at once.
const LINES_AT_ONCE_MAX: u32 = 100;

/// After them, one line of that place in this time.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Lines left out since it was last told.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

/// Starts logging, once; a second call (in tests) changes nothing.
pub fn start(log: &Log) {
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let pretty = match log.format {
        LogFormat::Auto => std::io::stderr().is_terminal(),
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    let lines = fmt::layer().with_writer(std::io::stderr).with_target(false);
    let filter = filter.and(Quota::default());
    let _ = if pretty {
        registry().with(lines.with_filter(filter)).try_init()
    } else {
        registry().with(lines.json().flatten_event(true).with_filter(filter)).try_init()
    };
}

/// Tells how many lines were left out since the last time, where any were.
pub fn tell_left_out() {
    let lines = LEFT_OUT.swap(0, Ordering::Relaxed);
    if lines > 0 {
        tracing::warn!(lines, "lines were left out of this log: too many of one kind; the metrics count what they were about");
    }
}

/// Lets every place in the code write so many warnings and errors, and no more.
#[derive(Default)]
struct Quota(Mutex<HashMap<Identifier, Bucket>>);

impl<S: Subscriber> Filter<S> for Quota {
    fn enabled(&self, place: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        let allowed = *place.level() > Level::WARN || self.take(place.callsite(), Instant::now());
        if !allowed {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        }
        allowed
    }

    fn callsite_enabled(&self, place: &'static Metadata<'static>) -> Interest {
        // What is less than a warning is asked about once and never again.
        if *place.level() > Level::WARN { Interest::always() } else { Interest::sometimes() }
    }
}

impl Quota {
    fn take(&self, place: Identifier, now: Instant) -> bool {
        let Ok(mut buckets) = self.0.lock() else { return true };
        buckets.entry(place).or_insert(Bucket { lines: LINES_AT_ONCE_MAX, since: now }).take(now)
    }
}

/// What one place may still write.
struct Bucket {
    lines: u32,
    /// Since when no line was added.
    since: Instant,
}

impl Bucket {
    fn take(&mut self, now: Instant) -> bool {
        let earned = now.saturating_duration_since(self.since).as_secs() / LINE_EVERY.as_secs();
        if earned > 0 {
            self.lines = self.lines.saturating_add(u32::try_from(earned).unwrap_or(u32::MAX)).min(LINES_AT_ONCE_MAX);
            self.since = now;
        }
        let allowed = self.lines > 0;
        self.lines = self.lines.saturating_sub(1);
        allowed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_writes_a_hundred_lines_at_once_then_one_a_second() {
        let start = Instant::now();
        let mut bucket = Bucket { lines: LINES_AT_ONCE_MAX, since: start };
        let mut written = |after_ms: u64| (0..1_000).filter(|_| bucket.take(start + Duration::from_millis(after_ms))).count();
        assert_eq!(written(0), 100);
        assert_eq!(written(999), 0);
        assert_eq!(written(1_000), 1);
        assert_eq!(written(4_500), 3);
        assert_eq!(written(3_600_000), 100, "and never more at once");
    }
}
