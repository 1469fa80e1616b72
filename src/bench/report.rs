//! The report of a measurement, for people and for machines.

use std::time::Duration;

use serde::Serialize;
use serde_json::json;

use super::BenchOptions;
use super::audit::Audit;
use super::load::Tally;

/// One round.
#[derive(Clone, Debug, Serialize)]
pub struct Round {
    /// Acknowledged.
    pub acknowledged: u64,
    /// Acknowledged per second.
    pub per_second: f64,
    /// Acknowledged per second until everything was visible in the API.
    pub sustained: f64,
    /// Refused.
    pub refused: u64,
    /// Broken connections.
    pub broken: u64,
    /// Latency in milliseconds: median.
    pub p50_ms: f64,
    /// 99 of 100.
    pub p99_ms: f64,
    /// 999 of 1,000.
    pub p999_ms: f64,
    /// The slowest.
    pub max_ms: f64,
    /// Resident memory at the end, bytes.
    pub memory_bytes: u64,
    /// Resident memory at its highest, bytes.
    pub memory_max_bytes: u64,
    /// Processor seconds of the server.
    pub cpu_seconds: f64,
    /// Durable records not folded yet when the load ended.
    pub lag_records: u64,
}

impl Round {
    /// From a tally and the server's own figures.
    pub fn new(tally: &Tally, (memory_bytes, memory_max_bytes): (u64, u64), cpu_seconds: f64) -> Round {
        let ms = |q: f64| tally.latency.value_at_quantile(q) as f64 / 1_000.0;
        Round {
            acknowledged: tally.acknowledged,
            per_second: tally.rate(),
            sustained: tally.rate(),
            refused: tally.refused,
            broken: tally.broken,
            p50_ms: ms(0.50),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: tally.latency.max() as f64 / 1_000.0,
            memory_bytes,
            memory_max_bytes,
            cpu_seconds,
            lag_records: 0,
        }
    }
}

/// A whole run.
#[derive(Clone, Debug)]
pub struct Report {
    /// How it was run.
    command: String,
    /// Rounds of the server.
    pub rounds: Vec<Round>,
    /// Rounds of the bare handler.
    pub bare: Vec<Round>,
    /// Bytes of the store at the end.
    pub store_bytes: u64,
    /// From SIGKILL to ready again.
    pub restart: Option<Duration>,
    /// The audit.
    pub audit: Option<Audit>,
}

fn mean(rounds: &[Round], of: fn(&Round) -> f64) -> Option<f64> {
    (!rounds.is_empty()).then(|| rounds.iter().map(of).sum::<f64>() / rounds.len() as f64)
}

impl Report {
    /// An empty report.
    pub fn new(options: &BenchOptions) -> Report {
        let rate = options.rate.map(|r| format!(", open loop at {r}/s")).unwrap_or_else(|| ", closed loop".into());
        let command = format!("{} connections, {} rounds of {:?}{rate}", options.connections, options.rounds, options.length);
        Report { command, rounds: Vec::new(), bare: Vec::new(), store_bytes: 0, restart: None, audit: None }
    }

    /// Acknowledged against the bare handler: durable, and durable and visible.
    fn ratios(&self) -> Option<(f64, f64)> {
        let bare = mean(&self.bare, |r| r.per_second)?;
        Some((mean(&self.rounds, |r| r.per_second)? / bare, mean(&self.rounds, |r| r.sustained)? / bare))
    }

    /// As JSON.
    pub fn json(&self) -> String {
        let ratios = self.ratios();
        let value = json!({
            "run": self.command,
            "version": env!("CARGO_PKG_VERSION"),
            "rounds": self.rounds,
            "bare": self.bare,
            "ratio_acknowledged": ratios.map(|r| r.0),
            "ratio_visible": ratios.map(|r| r.1),
            "store_bytes": self.store_bytes,
            "restart_ms": self.restart.map(|d| d.as_millis() as u64),
            "audit": self.audit,
        });
        format!("{value:#}\n")
    }

    /// As text.
    pub fn text(&self) -> String {
        let mut out = format!("baophat bench: {}\n\n", self.command);
        let head = [
            "",
            "acknowledged/s",
            "visible/s",
            "p50 ms",
            "p99 ms",
            "p99.9 ms",
            "max ms",
            "refused",
            "broken",
            "memory MB",
            "cpu s",
            "behind",
        ];
        let mut rows = vec![head.map(str::to_owned)];
        let row = |name: String, r: &Round| {
            let f = |v: f64| format!("{v:.2}");
            [
                name,
                format!("{:.0}", r.per_second),
                format!("{:.0}", r.sustained),
                f(r.p50_ms),
                f(r.p99_ms),
                f(r.p999_ms),
                f(r.max_ms),
                r.refused.to_string(),
                r.broken.to_string(),
                format!("{:.1}", r.memory_max_bytes as f64 / 1e6),
                format!("{:.1}", r.cpu_seconds),
                r.lag_records.to_string(),
            ]
        };
        for (i, round) in self.rounds.iter().enumerate() {
            if let Some(bare) = self.bare.get(i) {
                rows.push(row(format!("bare {}", i + 1), bare));
            }
            rows.push(row(format!("baophat {}", i + 1), round));
        }
        for r in &rows {
            for (i, cell) in r.iter().enumerate() {
                let width = rows.iter().map(|r| r[i].chars().count()).max().unwrap_or(0);
                out.push_str(&if i == 0 { format!("{cell:<width$}") } else { format!("  {cell:>width$}") });
            }
            out.push('\n');
        }
        if let Some((durable, visible)) = self.ratios() {
            out.push_str(&format!("\nagainst the bare handler: {durable:.2} durable, {visible:.2} durable and visible\n"));
        }
        out.push_str(&format!("store: {:.1} MB\n", self.store_bytes as f64 / 1e6));
        if let Some(restart) = self.restart {
            out.push_str(&format!("ready again {} ms after SIGKILL\n", restart.as_millis()));
        }
        if let Some(audit) = &self.audit {
            out.push_str(&format!("audit: {} messages asked for, {} lost, {} behind\n", audit.asked, audit.lost, audit.behind));
        }
        out
    }
}
