//! Counters, gauges and histograms of `/metrics`. Every label comes from a closed set: never a phone number, an id or raw text.

mod watched;

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

pub use watched::Watched;

/// One label called `provider` and one that says what happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ProviderAnd {
    /// Provider slug.
    pub provider: String,
    /// From a closed set.
    pub outcome: String,
}

/// One label from a closed set.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Reason {
    /// From a closed set.
    pub reason: String,
}

/// One label for a part of the program.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct Part {
    /// From a closed set.
    pub part: String,
}

/// One label for a receiver of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TargetOnly {
    /// The id of an alert or a subscription.
    pub target: String,
}

/// One label for a receiver of the configuration and one that says what happened.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct TargetAnd {
    /// The id of an alert or a subscription.
    pub target: String,
    /// From a closed set.
    pub outcome: String,
}

/// Everything that is counted.
pub struct Metrics {
    registry: Registry,
    /// Callbacks acknowledged with 200, by provider: `stored` or `repeat`.
    pub callbacks: Family<ProviderAnd, Counter>,
    /// Callbacks refused, by reason.
    pub refused: Family<Reason, Counter>,
    /// Requests that were no HTTP: refused before anybody knew for whom they were.
    pub malformed_requests: Counter,
    /// Requests answered 503 because nothing could be stored, by reason.
    pub unavailable: Family<Reason, Counter>,
    /// Records folded, by provider and status.
    pub records: Family<ProviderAnd, Counter>,
    /// Messages that entered a state, by provider.
    pub transitions: Family<ProviderAnd, Counter>,
    /// Failures whose code is not in the catalogue, by provider.
    pub unknown_codes: Family<ProviderAnd, Counter>,
    /// Seconds from the end of a callback's body to its 200.
    pub ack_seconds: Histogram,
    /// Records in one commit of the inbox.
    pub batch_records: Histogram,
    /// Records that wait to be made durable.
    pub inbox_waiting: Gauge,
    /// Records that are durable and not folded yet.
    projection_lag: Gauge,
    /// The last record that is durable.
    pub durable_seq: AtomicU64,
    /// The last record that is folded.
    pub folded_seq: AtomicU64,
    /// When the oldest record that is being folded arrived, in milliseconds since 1970; 0 when nothing waits.
    pub projection_oldest: AtomicI64,
    /// The age of that record, as of the last question.
    projection_lag_seconds: Gauge<f64, AtomicU64>,
    /// Messages found stuck so far by the sweeper.
    pub sweeps: Counter,
    /// Up to when everything was folded, swept and judged, in milliseconds since 1970; 0 before the first time.
    pub watched_at: AtomicI64,
    /// The same, in seconds.
    watched_at_seconds: Gauge<f64, AtomicU64>,
    /// The named bounds of the configuration.
    pub limits: Family<Part, Gauge>,
    /// Bytes of the store's files.
    pub store_bytes: Family<Part, Gauge>,
    /// 1 while a part is healthy, else 0.
    pub healthy: Family<Part, Gauge<i64, AtomicI64>>,
    /// What is measured over accounts.
    pub watched: Watched,
    /// Attempts to send something on, by receiver: `delivered`, `failed`, `dead` or `gone`.
    pub deliveries: Family<TargetAnd, Counter>,
    /// Deliveries that wait, by receiver.
    pub outbox_waiting: Family<TargetOnly, Gauge>,
    /// Dead letters, by receiver.
    pub outbox_dead: Family<TargetOnly, Gauge>,
    /// Age of the oldest delivery that waits, by receiver.
    pub outbox_oldest_seconds: Family<TargetOnly, Gauge<f64, AtomicU64>>,
    /// Entries of the feed that retention took before a receiver had followed them.
    pub outbox_lost: Family<TargetOnly, Counter>,
    /// 1 while a receiver is switched off because it answered that it is gone.
    pub outbox_disabled: Family<TargetOnly, Gauge>,
    /// Build information.
    build: Family<Build, Gauge<u64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Build {
    version: String,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let mut r = Registry::with_prefix("baophat");
        let m = Metrics {
            callbacks: Family::default(),
            refused: Family::default(),
            malformed_requests: Counter::default(),
            unavailable: Family::default(),
            records: Family::default(),
            transitions: Family::default(),
            unknown_codes: Family::default(),
            ack_seconds: Histogram::new(exponential_buckets(0.000_25, 2.0, 16)),
            batch_records: Histogram::new(exponential_buckets(1.0, 2.0, 12)),
            inbox_waiting: Gauge::default(),
            projection_lag: Gauge::default(),
            durable_seq: AtomicU64::new(0),
            folded_seq: AtomicU64::new(0),
            projection_oldest: AtomicI64::new(0),
            projection_lag_seconds: Gauge::default(),
            sweeps: Counter::default(),
            watched_at: AtomicI64::new(0),
            watched_at_seconds: Gauge::default(),
            limits: Family::default(),
            store_bytes: Family::default(),
            healthy: Family::default(),
            watched: Watched::register(&mut r),
            deliveries: Family::default(),
            outbox_waiting: Family::default(),
            outbox_dead: Family::default(),
            outbox_oldest_seconds: Family::default(),
            outbox_lost: Family::default(),
            outbox_disabled: Family::default(),
            build: Family::default(),
            registry: Registry::default(),
        };
        r.register("callbacks", "Callbacks acknowledged", m.callbacks.clone());
        r.register("refused", "Callbacks refused", m.refused.clone());
        r.register("malformed_requests", "Requests that were no HTTP", m.malformed_requests.clone());
        r.register("unavailable", "Requests answered 503", m.unavailable.clone());
        r.register("records", "Records folded", m.records.clone());
        r.register("transitions", "Messages that entered a state", m.transitions.clone());
        r.register("unknown_codes", "Failures with a code that is not in the catalogue", m.unknown_codes.clone());
        r.register("ack_seconds", "From the end of a callback's body to its 200", m.ack_seconds.clone());
        r.register("batch_records", "Records in one commit of the inbox", m.batch_records.clone());
        r.register("inbox_waiting_records", "Records that wait to be made durable", m.inbox_waiting.clone());
        r.register("projection_lag_records", "Durable records that are not folded yet", m.projection_lag.clone());
        let oldest = "Age of the oldest durable record that is not folded yet";
        r.register("projection_lag_seconds", oldest, m.projection_lag_seconds.clone());
        r.register("swept_messages", "Messages whose deadline was looked at", m.sweeps.clone());
        let watched = "Up to when every account was judged, in seconds since 1970";
        r.register("watched_at_seconds", watched, m.watched_at_seconds.clone());
        r.register("limit", "Named bounds of the configuration", m.limits.clone());
        r.register("store_bytes", "Bytes of the store's files", m.store_bytes.clone());
        r.register("healthy", "1 while a part is healthy", m.healthy.clone());
        r.register("deliveries", "Attempts to send something on", m.deliveries.clone());
        r.register("outbox_waiting", "Deliveries that wait", m.outbox_waiting.clone());
        r.register("outbox_dead", "Dead letters", m.outbox_dead.clone());
        r.register("outbox_oldest_seconds", "Age of the oldest delivery that waits", m.outbox_oldest_seconds.clone());
        let lost = "Entries of the feed that retention took before a receiver had followed them";
        r.register("outbox_lost_entries", lost, m.outbox_lost.clone());
        r.register("outbox_disabled", "1 while a receiver is switched off", m.outbox_disabled.clone());
        r.register("build_info", "Version of the program", m.build.clone());
        m.build.get_or_create(&Build { version: env!("CARGO_PKG_VERSION").to_owned() }).set(1);
        Metrics { registry: r, ..m }
    }
}

/// Every reason for which a callback is answered 503.
const UNAVAILABLE: [&str; 4] = ["inbox_full", "storage", "stopping", "bodies_full"];

impl Metrics {
    /// Begins counting at nought what alarms look at: a series that begins with its first event has no increase to be seen.
    pub fn begin<'p>(&self, providers: impl IntoIterator<Item = &'p str>) {
        for reason in UNAVAILABLE {
            let _ = self.unavailable.get_or_create(&Reason { reason: reason.to_owned() });
        }
        for provider in providers {
            Metrics::add(&self.callbacks, provider, "stored", 0);
            Metrics::add(&self.records, provider, "error", 0);
            Metrics::add(&self.unknown_codes, provider, "unknown_code", 0);
            Metrics::add(&self.transitions, provider, "delivered", 0);
            Metrics::add(&self.transitions, provider, "failed", 0);
        }
    }

    /// Counts a provider's event.
    pub fn count(family: &Family<ProviderAnd, Counter>, provider: &str, outcome: &str) {
        Metrics::add(family, provider, outcome, 1);
    }

    /// Counts several of a provider's events at once.
    pub fn add(family: &Family<ProviderAnd, Counter>, provider: &str, outcome: &str, n: u64) {
        family.get_or_create(&ProviderAnd { provider: provider.to_owned(), outcome: outcome.to_owned() }).inc_by(n);
    }

    /// Counts by reason.
    pub fn count_reason(family: &Family<Reason, Counter>, reason: &str) {
        family.get_or_create(&Reason { reason: reason.to_owned() }).inc();
    }

    /// How many durable records are not folded yet.
    pub fn behind(&self) -> u64 {
        // Both rise; read in this order the difference is never too small.
        let folded = self.folded_seq.load(Ordering::Acquire);
        self.durable_seq.load(Ordering::Acquire).saturating_sub(folded)
    }

    /// The OpenMetrics text, at a moment in milliseconds since 1970.
    pub fn text(&self, now: i64) -> String {
        self.projection_lag.set(self.behind() as i64);
        let oldest = self.projection_oldest.load(Ordering::Relaxed);
        let age = if oldest == 0 { 0 } else { now.saturating_sub(oldest).max(0) };
        self.projection_lag_seconds.set(age as f64 / 1_000.0);
        self.watched_at_seconds.set(self.watched_at.load(Ordering::Relaxed) as f64 / 1_000.0);
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = prometheus_client::encoding::text::encode(&mut out, &self.registry);
        out
    }
}
