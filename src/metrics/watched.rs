//! What is measured over whole accounts: standing, silence, stuck messages, incidents, and what is told on. Every label comes from the
//! configuration, from a closed set, or from a bounded number of values.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Kinds that are measured apart; later ones are `other`.
const KINDS_MAX: usize = 32;

/// An account's label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfAccount {
    account: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AccountStanding {
    account: String,
    standing: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, EncodeLabelSet)]
struct AccountCause {
    account: String,
    cause: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfKind {
    provider: String,
    kind: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfClue {
    clue: String,
}

/// Histograms from a quarter of a second to about three days.
#[derive(Clone, Copy)]
struct Delivery;

impl MetricConstructor<Histogram> for Delivery {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(0.25, 4.0, 11))
    }
}

/// Everything that is measured over accounts.
pub struct Watched {
    delivery: Family<OfKind, Histogram, Delivery>,
    kinds: Mutex<BTreeSet<String>>,
    accounts: Family<AccountStanding, Gauge>,
    last_callback: Family<OfAccount, Gauge<f64, AtomicU64>>,
    incidents: Family<OfAccount, Gauge>,
    stuck: Family<AccountCause, Gauge>,
    /// What was told the last time, so that what is gone becomes nought.
    told_stuck: Mutex<BTreeSet<AccountCause>>,
    clues: Family<OfClue, Counter>,
    feed_last: Gauge,
    /// Streams that are open.
    pub streams: Gauge,
}

impl Watched {
    /// Everything at nought, known to a registry.
    pub(super) fn register(r: &mut Registry) -> Watched {
        let w = Watched {
            delivery: Family::new_with_constructor(Delivery),
            kinds: Mutex::default(),
            accounts: Family::default(),
            last_callback: Family::default(),
            incidents: Family::default(),
            stuck: Family::default(),
            told_stuck: Mutex::default(),
            clues: Family::default(),
            feed_last: Gauge::default(),
            streams: Gauge::default(),
        };
        r.register("delivery_seconds", "From sent to delivered", w.delivery.clone());
        r.register("accounts", "1 for the standing that an account has", w.accounts.clone());
        let last = "When the last valid callback of an account came, in seconds since 1970";
        r.register("account_last_callback_seconds", last, w.last_callback.clone());
        r.register("incidents_open", "Incidents that are open", w.incidents.clone());
        r.register("stuck_messages", "Messages that are stuck now", w.stuck.clone());
        r.register("refused_clues", "What was found out about refused callbacks", w.clues.clone());
        r.register("feed_last_id", "Number of the feed's last entry", w.feed_last.clone());
        r.register("streams", "Streams that are open", w.streams.clone());
        w
    }

    /// Measures deliveries: how many seconds each of them took.
    pub fn delivered(&self, provider: &str, kind: &str, seconds: &[f64]) {
        let labels = OfKind { provider: provider.to_owned(), kind: self.known(kind) };
        let delivery = self.delivery.get_or_create(&labels);
        seconds.iter().for_each(|s| delivery.observe(*s));
    }

    fn known(&self, kind: &str) -> String {
        let Ok(mut kinds) = self.kinds.lock() else { return "other".to_owned() };
        if !kinds.contains(kind) {
            if kinds.len() >= KINDS_MAX {
                return "other".to_owned();
            }
            kinds.insert(kind.to_owned());
        }
        kind.to_owned()
    }

    /// How an account stands, among all the ways there are.
    pub fn standing<'s>(&self, account: &str, all: impl IntoIterator<Item = &'s str>, now: &str) {
        for standing in all {
            let labels = AccountStanding { account: account.to_owned(), standing: standing.to_owned() };
            self.accounts.get_or_create(&labels).set(i64::from(standing == now));
        }
    }

    /// When an account's last valid callback came, in milliseconds since 1970.
    pub fn last_callback(&self, account: &str, at: i64) {
        self.last_callback.get_or_create(&OfAccount { account: account.to_owned() }).set(at as f64 / 1_000.0);
    }

    /// How many incidents of an account are open.
    pub fn incidents_open(&self, account: &str, n: u64) {
        self.incidents.get_or_create(&OfAccount { account: account.to_owned() }).set(n as i64);
    }

    /// How many messages are stuck, by account and cause: all there are.
    pub fn stuck<'s>(&self, all: impl IntoIterator<Item = (&'s str, &'s str, u64)>) {
        let Ok(mut told) = self.told_stuck.lock() else { return };
        let mut gone = std::mem::take(&mut *told);
        for (account, cause, n) in all {
            let labels = AccountCause { account: account.to_owned(), cause: cause.to_owned() };
            self.stuck.get_or_create(&labels).set(n as i64);
            gone.remove(&labels);
            told.insert(labels);
        }
        for labels in gone {
            self.stuck.get_or_create(&labels).set(0);
            told.insert(labels);
        }
    }

    /// Something was found out about a refused callback.
    pub fn clue(&self, clue: &str) {
        self.clues.get_or_create(&OfClue { clue: clue.to_owned() }).inc();
    }

    /// Number of the feed's last entry.
    pub fn feed_last(&self, id: u64) {
        self.feed_last.set(id as i64);
    }
}

#[cfg(test)]
mod tests {
    use crate::metrics::Metrics;

    #[test]
    fn labels_are_bounded_and_what_is_gone_becomes_nought() {
        let metrics = Metrics::default();
        for n in 0..super::KINDS_MAX + 10 {
            metrics.watched.delivered("p", &format!("kind-{n}"), &[2.0]);
        }
        metrics.watched.stuck([("a", "unknown", 3), ("b", "unknown", 1)]);
        metrics.watched.stuck([("a", "unknown", 2)]);
        metrics.watched.standing("a", ["connected", "silent"], "silent");
        metrics.watched.standing("a", ["connected", "silent"], "connected");
        let text = metrics.text(0);
        assert_eq!(text.matches("baophat_delivery_seconds_count{").count(), super::KINDS_MAX + 1);
        for line in [
            "baophat_delivery_seconds_count{provider=\"p\",kind=\"other\"} 10",
            "baophat_stuck_messages{account=\"a\",cause=\"unknown\"} 2",
            "baophat_stuck_messages{account=\"b\",cause=\"unknown\"} 0",
            "baophat_accounts{account=\"a\",standing=\"connected\"} 1",
            "baophat_accounts{account=\"a\",standing=\"silent\"} 0",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
