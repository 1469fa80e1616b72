//! The key index against a plain map, with small sizes so that every part of it works: sealing, merging, deleting, an interrupted
//! merge, a transaction that is rolled back, keys of pruned messages.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::store::sqlite::{Db, Part, Place};

const SMALL: Sizes = Sizes { seal_keys: 40, fanout: 3, merge_factor: 1 };

struct Bench {
    conn: Db,
    keys: Keys,
    known: BTreeMap<(bool, u64), BTreeSet<Row>>,
    _dir: tempfile::TempDir,
}

fn hash(n: u64, listed: bool) -> u64 {
    if listed { Key::recipient(&n.to_string()).0 } else { Key::id(&n.to_string()).0 }
}

impl Bench {
    fn new() -> Bench {
        let dir = tempfile::tempdir().unwrap();
        let conn = Place::new(dir.path().join("a.db")).open_writer(Part::State).unwrap();
        let keys = Keys::load(&conn, SMALL).unwrap();
        Bench { conn, keys, known: BTreeMap::new(), _dir: dir }
    }

    fn message(&self, row: Row) {
        let sql = "INSERT OR IGNORE INTO message (row, account, provider, created_at, state, dossier) VALUES (?1, 1, 'zalo', 0, 0, x'01')";
        self.conn.execute(sql, [row as i64]).unwrap();
    }

    /// Adds keys in one transaction, which is rolled back where `keep` is not set.
    fn add(&mut self, all: &[(u64, bool, Row)], keep: bool) {
        self.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
        let of = |wanted: bool| -> Vec<(Key, Row)> {
            all.iter().filter(|(_, listed, _)| *listed == wanted).map(|(n, listed, row)| (Key(hash(*n, *listed)), *row)).collect()
        };
        all.iter().for_each(|(_, _, row)| self.message(*row));
        self.keys.add(&self.conn, &of(false), &of(true)).unwrap();
        if keep {
            self.conn.execute_batch("COMMIT").unwrap();
            for (n, listed, row) in all {
                self.known.entry((*listed, *n)).or_default().insert(*row);
            }
        } else {
            self.conn.execute_batch("ROLLBACK").unwrap();
            self.keys = Keys::load(&self.conn, SMALL).unwrap();
        }
    }

    fn prune(&mut self, below: Row) {
        self.conn.execute("DELETE FROM message WHERE row < ?1", [below as i64]).unwrap();
        self.known.values_mut().for_each(|rows| *rows = rows.split_off(&below));
    }

    fn alive(&self, found: Vec<Row>) -> Vec<Row> {
        let first = first_row(&self.conn).unwrap();
        found.into_iter().filter(|row| *row >= first).collect()
    }

    fn agrees(&self, numbers: u64) {
        for n in 0..numbers {
            for listed in [false, true] {
                let expected: Vec<Row> = self.known.get(&(listed, n)).into_iter().flatten().copied().collect();
                let key = Key(hash(n, listed));
                assert_eq!(self.alive(rows(&self.conn, key, usize::MAX).unwrap()), expected, "a reader, {n}, {listed}");
                if !listed {
                    assert_eq!(self.alive(self.keys.rows(&self.conn, key, usize::MAX).unwrap()), expected, "the writer, {n}");
                }
            }
        }
    }

    fn count(&self, what: &str) -> i64 {
        self.conn.query_row(&format!("SELECT count(*) FROM {what}"), [], |r| r.get(0)).unwrap()
    }
}

#[derive(Clone, Debug)]
enum Act {
    Add(Vec<(u64, bool, u8)>, bool),
    Restart,
    Prune(u8),
}

fn act() -> impl Strategy<Value = Act> {
    let key = (0u64..300, prop::bool::ANY, 1u8..200);
    prop_oneof![
        8 => (prop::collection::vec(key, 0..60), prop::bool::weighted(0.9)).prop_map(|(keys, keep)| Act::Add(keys, keep)),
        1 => Just(Act::Restart),
        1 => (0u8..40).prop_map(Act::Prune),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn any_keys_in_any_batches_are_found_like_in_a_map(acts in prop::collection::vec(act(), 1..40)) {
        let mut bench = Bench::new();
        let mut floor = 0u64;
        for act in acts {
            match act {
                // Rows of pruned messages are never given again.
                Act::Add(keys, keep) => {
                    let keys: Vec<_> = keys.into_iter().map(|(n, listed, row)| (n, listed, u64::from(row) + floor)).collect();
                    bench.add(&keys, keep);
                }
                Act::Restart => bench.keys = Keys::load(&bench.conn, SMALL).unwrap(),
                Act::Prune(by) => {
                    floor += u64::from(by);
                    bench.prune(floor);
                }
            }
        }
        bench.agrees(300);
    }
}

#[test]
fn full_tables_are_sealed_and_runs_are_merged_level_by_level() {
    let mut bench = Bench::new();
    for row in 1..=3_000u64 {
        bench.add(&[(row, false, row), (row % 7, true, row)], true);
    }
    bench.agrees(400);
    let highest: i64 = bench.conn.query_row("SELECT max(level) FROM key_run", [], |r| r.get(0)).unwrap();
    assert!(highest >= 2, "{highest}");
    assert!(bench.count("key_run") < 30, "runs are merged: {}", bench.count("key_run"));
    assert!(bench.count("message_key") < 40);
    // What merged runs left is gone after a while.
    (0..200).for_each(|_| bench.add(&[], true));
    assert_eq!(bench.count("key_page WHERE page >> 24 NOT IN (SELECT run FROM key_run)"), 0);
}

#[test]
fn keys_of_pruned_messages_go_when_their_runs_are_merged() {
    let mut bench = Bench::new();
    for row in 1..=1_000u64 {
        bench.add(&[(row, false, row)], true);
    }
    bench.prune(1_000);
    for row in 1_001..=4_000u64 {
        bench.add(&[(row, false, row)], true);
        bench.prune(row);
    }
    let kept: i64 = bench.conn.query_row("SELECT coalesce(sum(keys), 0) FROM key_run", [], |r| r.get(0)).unwrap();
    assert!(kept < 2_000, "{kept} keys of one living message");
    assert_eq!(bench.alive(bench.keys.rows(&bench.conn, Key(hash(4_000, false)), 9).unwrap()), [4_000]);
}

#[test]
fn a_merge_that_was_cut_off_is_begun_again_and_its_pages_are_deleted() {
    let mut bench = Bench::new();
    // Large runs, so that a merge takes several commits.
    bench.keys.sizes = Sizes { seal_keys: 4_000, fanout: 3, merge_factor: 0 };
    let mut row = 0;
    while bench.keys.folded.merges.is_empty() {
        let keys: Vec<_> = (0..1_000)
            .map(|_| {
                row += 1;
                (row, false, row)
            })
            .collect();
        bench.add(&keys, true);
    }
    bench.add(&[(row + 1, false, row + 1)], true);
    assert!(!bench.keys.folded.merges.is_empty(), "it is not done");
    bench.keys = Keys::load(&bench.conn, SMALL).unwrap();
    assert_eq!(bench.keys.doomed.len(), 1, "the half-written run");
    assert_eq!(bench.keys.rows(&bench.conn, Key(hash(77, false)), 9).unwrap(), [77]);
    for n in 0..200 {
        bench.add(&[(row + 2 + n, false, row + 2 + n)], true);
    }
    assert!(bench.keys.doomed.is_empty());
    assert_eq!(bench.count("key_page WHERE page >> 24 NOT IN (SELECT run FROM key_run)"), 0);
    bench.agrees(300);
}

#[test]
fn many_messages_under_one_key_are_all_found() {
    let mut bench = Bench::new();
    for row in 1..=2_000u64 {
        bench.add(&[(5, true, row), (5, false, row)], true);
    }
    bench.agrees(10);
    assert_eq!(rows(&bench.conn, Key(hash(5, true)), 3).unwrap(), [1, 2, 3]);
}

#[test]
fn a_run_without_a_living_key_keeps_its_number_over_a_restart() {
    let mut bench = Bench::new();
    let young: Vec<_> = (1..=39).map(|row| (row, false, row)).collect();
    bench.add(&young, true);
    bench.prune(40);
    bench.message(1_000);
    // The table is full with this one, and none of its keys leads anywhere.
    bench.conn.execute_batch("BEGIN IMMEDIATE").unwrap();
    bench.keys.add(&bench.conn, &[(Key(hash(40, false)), 40)], &[]).unwrap();
    bench.conn.execute_batch("COMMIT").unwrap();
    assert_eq!((bench.count("key_run"), bench.count("key_page")), (1, 0));
    bench.keys = Keys::load(&bench.conn, SMALL).unwrap();
    let next: Vec<_> = (1_000..1_050).map(|row| (row, false, row)).collect();
    bench.add(&next, true);
    assert_eq!(bench.count("key_run"), 2);
}
