//! What one callback costs in each of the four steps behind the web server: verify, parse, fold (in memory), projection (into the file).
//!
//! Compare two states of the program on one machine with `just bench-micro`; the figures belong to the machine.

#![allow(missing_docs, reason = "the macros of criterion make a public function without any")]
#![allow(clippy::unwrap_used, reason = "a measurement that meets the unexpected has to stop")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baophat::bench::population::{Population, Told};
use baophat::bench::{child, store};
use baophat::clock::HandClock;
use baophat::config::Config;
use baophat::domain::facts::Facts;
use baophat::domain::ids::Seq;
use baophat::domain::record::{Callback, Content};
use baophat::domain::time::Millis;
use baophat::ingest::FOLD_RECORDS_MAX;
use baophat::providers;
use baophat::store::sqlite::Place;
use baophat::store::sqlite::inbox::{InboxWriter, Submission};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};

/// Records of one measured projection: as many as the program folds in one commit.
const RECORDS: usize = FOLD_RECORDS_MAX;

const NOW: i64 = 1_764_000_000_000;

fn people() -> Population {
    Population { seed: 7, messages: 1_000_000, from_ms: NOW, span_ms: 86_400_000 }
}

fn config(dir: &std::path::Path) -> Config {
    store::load_config(&child::write_config(dir, child::KEEP_ALL).unwrap()).unwrap()
}

/// Signed callbacks of every account, with the path token where one is needed.
fn callbacks() -> Vec<(Callback, Option<&'static str>)> {
    let people = people();
    let told = (0..).flat_map(move |m| people.told(m, Millis(NOW + m as i64)));
    let callbacks = told.filter_map(|told| match told {
        Told::Callback(callback, token) => Some((callback, token)),
        Told::Answer(..) => None,
    });
    callbacks.take(RECORDS).collect()
}

fn by_provider(config: &Config) -> BTreeMap<&'static str, Vec<(Callback, Option<&'static str>)>> {
    let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (callback, token) in callbacks() {
        let account = config.accounts.iter().find(|a| a.id == callback.account).unwrap();
        all.entry(account.provider.slug).or_default().push((callback, token));
    }
    all
}

fn verify(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    for (provider, all) in by_provider(&config) {
        let mut turn = all.iter().cycle();
        c.bench_function(&format!("verify/{provider}"), |b| {
            b.iter_batched(
                || turn.next().unwrap().clone(),
                |(callback, token)| {
                    let account = config.accounts.iter().find(|a| a.id == callback.account).unwrap();
                    assert!(providers::verify(account.account.as_ref(), callback, token).is_ok());
                },
                BatchSize::SmallInput,
            );
        });
    }
}

fn parse(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    for (provider, all) in by_provider(&config) {
        let mut turn = all.iter().cycle();
        let account = |callback: &Callback| config.accounts.iter().find(|a| a.id == callback.account).unwrap();
        c.bench_function(&format!("parse/{provider}"), |b| {
            b.iter(|| {
                let (callback, _) = turn.next().unwrap();
                account(callback).account.parse(callback)
            });
        });
    }
}

/// Joining one event into its message's facts and deriving the state, without any store.
fn fold(c: &mut Criterion) {
    let dir = tempfile::tempdir().unwrap();
    let config = config(dir.path());
    let mut events = Vec::new();
    for (callback, _) in callbacks() {
        let account = config.accounts.iter().find(|a| a.id == callback.account).unwrap();
        if let baophat::domain::event::Parsed::Events(all) = account.account.parse(&callback) {
            events.extend(all.into_iter().filter_map(|e| match e {
                baophat::domain::event::Event::Message(event) => Some(event),
                _ => None,
            }));
        }
    }
    let mut turn = events.iter().cycle();
    c.bench_function("fold/observe and derive", |b| {
        b.iter(|| {
            let mut facts = Facts::default();
            facts.observe(turn.next().unwrap(), Millis(NOW));
            facts.derive(None)
        });
    });
}

/// A store whose inbox holds registrations and callbacks that nobody has folded yet.
fn unfolded(dir: &std::path::Path, config: &Config) -> Place {
    let place = Place::new(dir.join(child::INBOX_FILE));
    let mut writer = InboxWriter::open(&place).unwrap();
    writer.ensure_accounts(config.accounts.iter().map(|a| (&a.id, a.provider.slug))).unwrap();
    let batch: Vec<Submission> = callbacks()
        .into_iter()
        .enumerate()
        .map(|(n, (callback, _))| {
            let account = config.accounts.iter().find(|a| a.id == callback.account).unwrap();
            let identity = (n as u128).to_le_bytes();
            let (provider, id, received_at) = (account.provider.slug, callback.account.clone(), callback.received_at);
            Submission { provider, account: id, received_at, content: Content::Callback(callback), identity: Some(identity) }
        })
        .collect();
    writer.append(&batch).unwrap();
    place
}

/// Reading records back, folding them and committing the state: the projector's whole work, a record.
fn projection(c: &mut Criterion) {
    c.bench_function("projection/record", |b| {
        b.iter_custom(|wanted| {
            let mut measured = Duration::ZERO;
            let mut folded: Seq = 0;
            while folded < wanted {
                let dir = tempfile::tempdir().unwrap();
                let config = config(dir.path());
                let place = unfolded(dir.path(), &config);
                let (mut projector, handle) = store::projector(&place, &config, Arc::new(HandClock::new(Millis(NOW)))).unwrap();
                let started = Instant::now();
                while projector.step().unwrap() {}
                measured += started.elapsed();
                assert_eq!(handle.cursor(), RECORDS as Seq);
                folded += handle.cursor();
            }
            measured.mul_f64(wanted as f64 / folded as f64)
        });
    });
}

criterion_group!(micro, verify, parse, fold, projection);
criterion_main!(micro);
