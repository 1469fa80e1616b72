//! The store alone: appending in batches, and folding what was appended, without a web server.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::child;
use super::traffic::{ACCOUNTS, Course, Traffic};
use super::{BenchError, BenchOptions};
use crate::clock::{Clock, WallClock};
use crate::config::{Config, Env};
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Content, Method};
use crate::domain::time::Span;
use crate::ingest::{AccountRules, FOLD_RECORDS_MAX, Health, Parts, Projector, ProjectorHandle};
use crate::metrics::Metrics;
use crate::store::sqlite::Place;
use crate::store::sqlite::inbox::{InboxReader, InboxWriter, Submission};
use crate::store::sqlite::state::{AccountNumbers, StateFile};

/// Records of one measured commit.
const BATCH_RECORDS: u64 = 256;

/// What the store alone does.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StoreReport {
    records: u64,
    append_per_second: f64,
    fold_per_second: f64,
    append_cpu_micros: f64,
    fold_cpu_micros: f64,
    batch_records: u64,
    fold_records: usize,
    store_bytes: u64,
}

impl StoreReport {
    /// As text.
    pub fn text(&self) -> String {
        format!(
            "the store alone, {} records\n  append, synced, batches of {}: {:.0}/s, {:.1} µs of processor each\n  fold, batches of {}: {:.0}/s, {:.1} µs of processor each\n  store: {:.1} MB\n",
            self.records,
            self.batch_records,
            self.append_per_second,
            self.append_cpu_micros,
            self.fold_records,
            self.fold_per_second,
            self.fold_cpu_micros,
            self.store_bytes as f64 / 1e6
        )
    }

    /// As JSON.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Appends for the length of a round, then folds everything.
///
/// # Errors
/// When the store fails.
pub fn run(dir: &Path, options: &BenchOptions) -> Result<StoreReport, BenchError> {
    let config = load_config(&child::write_config(dir, child::KEEP_ALL)?)?;
    let place = Place::new(dir.join("bench.db"));
    let _lock = place.lock()?;
    let mut writer = InboxWriter::open(&place)?;
    writer.ensure_accounts(config.accounts.iter().map(|a| (&a.id, a.provider.slug)))?;
    let traffic = Traffic { seed: WallClock.now().0 as u64, start_ms: WallClock.now().0, course: Course::Lives };
    let started = Instant::now();
    let mut records = 0;
    let mut appending = std::time::Duration::ZERO;
    let mut append_cpu = 0.0;
    while started.elapsed() < options.length {
        let batch: Vec<Submission> = (records..records + BATCH_RECORDS).map(|i| submission(&traffic, &config, i)).collect();
        let (one, cpu) = (Instant::now(), child::cpu_seconds("self"));
        writer.append(&batch)?;
        appending += one.elapsed();
        append_cpu += child::cpu_seconds("self") - cpu;
        records += BATCH_RECORDS;
    }
    let cpu = child::cpu_seconds("self");
    let folding = fold_all(&place, &config)?;
    let fold_cpu = child::cpu_seconds("self") - cpu;
    Ok(StoreReport {
        records,
        append_per_second: records as f64 / appending.as_secs_f64(),
        fold_per_second: records as f64 / folding.as_secs_f64(),
        append_cpu_micros: append_cpu * 1e6 / records as f64,
        fold_cpu_micros: fold_cpu * 1e6 / records as f64,
        batch_records: BATCH_RECORDS,
        fold_records: FOLD_RECORDS_MAX,
        store_bytes: child::store_bytes(dir),
    })
}

/// A projector of its own over the store in a place.
///
/// # Errors
/// When the store cannot be opened.
pub fn projector(
    place: &Place,
    config: &Config,
    clock: Arc<dyn Clock>,
) -> Result<(Projector<InboxReader, StateFile>, ProjectorHandle), BenchError> {
    let inbox = InboxReader::open(place)?;
    let accounts = AccountNumbers::new(inbox.accounts()?);
    Ok(Projector::new(Parts {
        inbox,
        state: StateFile::open_writer(place, accounts)?,
        rules: Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone())),
        clock,
        health: Arc::new(Health::default()),
        metrics: Arc::new(Metrics::default()),
        retention: config.retention.clone(),
        sweep_every: Span::seconds(1),
    })?)
}

fn fold_all(place: &Place, config: &Config) -> Result<std::time::Duration, BenchError> {
    let (mut projector, _handle) = projector(place, config, Arc::new(WallClock))?;
    let started = Instant::now();
    while projector.step()? {}
    Ok(started.elapsed())
}

/// The configuration in a file, whatever the environment says.
///
/// # Errors
/// When it has mistakes.
pub fn load_config(path: &Path) -> Result<Config, BenchError> {
    let env: Env = std::iter::empty::<(String, String)>().collect();
    Ok(Config::load(Some(path), &env).map_err(|e| std::io::Error::other(e.to_string()))?)
}

fn submission(traffic: &Traffic, config: &Config, i: u64) -> Submission {
    let mut request = Vec::new();
    traffic.request(i, &mut request);
    let head = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or(0);
    let line = String::from_utf8_lossy(&request[..head]).into_owned();
    let (path, query) = line.split(' ').nth(1).map(|t| t.split_once('?').unwrap_or((t, ""))).unwrap_or(("", ""));
    let slug = ACCOUNTS.iter().find(|a| path.contains(**a)).copied().unwrap_or(ACCOUNTS[0]);
    let provider = config.accounts.iter().find(|a| a.id.as_str() == slug).map_or("", |a| a.provider.slug);
    let account = AccountId::parse(slug).unwrap_or_else(|_| unreachable!("a constant slug"));
    let received_at = WallClock.now();
    let mut identity = [0u8; 16];
    identity[..8].copy_from_slice(&(i ^ traffic.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    identity[8..].copy_from_slice(&i.wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes());
    Submission {
        provider,
        account: account.clone(),
        received_at,
        content: Content::Callback(Callback {
            account,
            method: if query.is_empty() { Method::Post } else { Method::Get },
            query: query.to_owned(),
            content_type: None,
            headers: Vec::new(),
            body: request[head + 4..].to_vec(),
            source: "127.0.0.1".into(),
            received_at,
        }),
        identity: Some(identity),
    }
}
