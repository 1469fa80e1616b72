//! Moves in, numbers out: by place, over restarts, and through the folding of hours into days.

use std::collections::BTreeMap;
use std::convert::Infallible;

use proptest::prelude::*;

use super::*;
use crate::domain::failure::Class;
use crate::domain::state::State;
use crate::domain::time::Span;

/// The sheets as the store would keep them.
#[derive(Default)]
struct Shelf(BTreeMap<String, Vec<u8>>);

impl Shelf {
    fn read(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, Infallible> {
        Ok(self.0.range(prefix.to_owned()..).take_while(|(n, _)| n.starts_with(prefix)).map(|(n, d)| (n.clone(), d.clone())).collect())
    }

    fn keep(&mut self, tally: &mut Tally) -> usize {
        let sheets = tally.take_changed();
        let n = sheets.len();
        for sheet in sheets {
            match sheet.data {
                Some(data) => drop(self.0.insert(sheet.name, data)),
                None => drop(self.0.remove(&sheet.name)),
            }
        }
        n
    }

    fn moved(&self, tally: &mut Tally, m: &Moved<'_>) {
        let Ok(()) = tally.moved(m, &|prefix| self.read(prefix));
    }

    /// The sum of every place by a property, whatever the hour.
    fn sum(&self, by: By, value: Option<&str>) -> Cell {
        let mut sum = Cell::default();
        for (name, data) in &self.0 {
            if place::read(name).is_some_and(|p| p.by == by && p.value.as_deref() == value) {
                sum.merge(&Cell::decode(data).unwrap());
            }
        }
        sum
    }

    fn tend(&mut self, tally: &mut Tally, now: Millis) {
        for _ in 0..100_000 {
            let Ok(more) = tally.tend(now, &|prefix| self.read(prefix));
            self.keep(tally);
            if !more {
                return;
            }
        }
        panic!("upkeep does not end");
    }
}

const T0: Millis = Millis(1_764_000_000_000);

fn account() -> AccountId {
    AccountId::parse("shop-oa").unwrap()
}

fn moved(account: &AccountId, from: Option<State>, to: State) -> Moved<'_> {
    Moved {
        account,
        now: T0,
        created_at: T0,
        from,
        to,
        kind: Some("zns"),
        template_id: Some("7895417"),
        sender: None,
        carrier: None,
        price: None,
        price_before: None,
        before: None,
        queued_at: None,
        sent_at: Some(T0),
        delivered_at: None,
        read_at: None,
        failed_at: None,
        failure_class: None,
        failure_code: None,
        late: false,
    }
}

#[test]
fn a_message_stands_in_one_state_and_has_entered_several() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    shelf.moved(&mut tally, &moved(&account, None, State::Sent));
    let delivered = Moved { delivered_at: Some(T0.plus(Span::seconds(3))), ..moved(&account, Some(State::Sent), State::Delivered) };
    shelf.moved(&mut tally, &delivered);
    let read = Moved { from: Some(State::Delivered), to: State::Read, read_at: Some(T0.plus(Span::seconds(63))), late: true, ..delivered };
    shelf.moved(&mut tally, &read);
    shelf.keep(&mut tally);
    for sum in [shelf.sum(By::Kind, Some("zns")), shelf.sum(By::Template, Some("7895417"))] {
        assert_eq!(State::ALL.iter().map(|s| sum.now(*s)).collect::<Vec<_>>(), [0, 0, 0, 1, 0]);
        assert_eq!(State::ALL.iter().map(|s| sum.entered(*s)).collect::<Vec<_>>(), [0, 1, 1, 1, 0]);
        assert_eq!((sum.delivery_rate(), sum.late()), (Some(1.0), 1));
        assert!((sum.sent_to_delivered.quantile(0.5).unwrap().0 - 3_000).abs() <= 60);
        assert!((sum.delivered_to_read.quantile(0.5).unwrap().0 - 60_000).abs() <= 1_200);
    }
}

#[test]
fn a_failure_that_was_a_delivery_after_all_does_not_count_twice() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    let class = Some(Class::Recipient);
    let failed = Moved { failure_class: class, price: Some(8_500_000), ..moved(&account, None, State::Failed) };
    shelf.moved(&mut tally, &failed);
    shelf.keep(&mut tally);
    let sum = shelf.sum(By::Kind, Some("zns"));
    assert_eq!((sum.failures(), sum.spent(), sum.spent_on_failed()), (vec![(Class::Recipient, 1)], 8_500_000, 8_500_000));
    let better = Moved { from: Some(State::Failed), to: State::Delivered, price_before: failed.price, delivered_at: Some(T0), ..failed };
    shelf.moved(&mut tally, &better);
    shelf.keep(&mut tally);
    let sum = shelf.sum(By::Kind, Some("zns"));
    assert_eq!((sum.now(State::Failed), sum.now(State::Delivered), sum.failures()), (0, 1, vec![]));
    assert_eq!((sum.spent(), sum.spent_on_failed(), sum.delivery_rate()), (8_500_000, 0, Some(1.0)));
}

#[test]
fn a_price_that_comes_later_is_counted_once() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    shelf.moved(&mut tally, &moved(&account, None, State::Failed));
    for (price_before, price) in [(None, Some(10)), (Some(10), Some(12))] {
        shelf.moved(&mut tally, &Moved { price_before, price, ..moved(&account, Some(State::Failed), State::Failed) });
    }
    shelf.keep(&mut tally);
    let sum = shelf.sum(By::Kind, Some("zns"));
    assert_eq!((sum.spent_on_failed(), sum.now(State::Failed), sum.entered(State::Failed)), (12, 1, 1));
}

#[test]
fn a_message_that_was_another_one_is_counted_once() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    shelf.moved(&mut tally, &moved(&account, None, State::Queued));
    let receipt = Moved { price: Some(7), ..moved(&account, None, State::Delivered) };
    shelf.moved(&mut tally, &receipt);
    shelf.moved(&mut tally, &Moved { price: Some(7), ..moved(&account, Some(State::Queued), State::Delivered) });
    let Ok(()) = tally.gone(&Moved { from: Some(State::Delivered), price_before: Some(7), ..receipt }, &|prefix| shelf.read(prefix));
    shelf.keep(&mut tally);
    let sum = shelf.sum(By::Kind, Some("zns"));
    assert_eq!(State::ALL.iter().map(|s| sum.now(*s)).collect::<Vec<_>>(), [0, 0, 1, 0, 0]);
    assert_eq!((sum.entered(State::Delivered), sum.spent()), (1, 7));
}

#[test]
fn a_read_alone_says_nothing_of_how_long_the_delivery_took() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    let at = Some(T0.plus(Span::hours(5)));
    shelf.moved(&mut tally, &Moved { delivered_at: at, read_at: at, ..moved(&account, Some(State::Sent), State::Read) });
    shelf.keep(&mut tally);
    let sum = shelf.sum(By::Kind, Some("zns"));
    assert!(sum.sent_to_delivered.is_empty() && sum.delivered_to_read.is_empty());
}

#[test]
fn a_lone_move_writes_few_small_sheets() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    for i in 0..5_000i64 {
        let at = Some(T0.plus(Span(500 + i * i % 900_000)));
        shelf.moved(&mut tally, &Moved { delivered_at: at, carrier: Some("1"), ..moved(&account, Some(State::Sent), State::Delivered) });
    }
    shelf.keep(&mut tally);
    shelf.moved(&mut tally, &moved(&account, None, State::Sent));
    assert_eq!(tally.dirty.len(), 2);
    assert_eq!(shelf.keep(&mut tally), 2);
    assert_eq!(shelf.keep(&mut tally), 0);
    let largest = shelf.0.values().map(Vec::len).max().unwrap();
    assert!(largest < 1_000, "{largest} bytes");
}

#[test]
fn after_a_restart_it_goes_on_where_it_was() {
    let (account, mut shelf) = (account(), Shelf::default());
    for _ in 0..3 {
        let mut tally = Tally::new();
        shelf.moved(&mut tally, &moved(&account, None, State::Sent));
        shelf.keep(&mut tally);
        // Not committed: as if it had never been.
        shelf.moved(&mut tally, &moved(&account, None, State::Sent));
    }
    assert_eq!(shelf.sum(By::Kind, Some("zns")).now(State::Sent), 3);
}

#[test]
fn values_beyond_the_bound_are_counted_together() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    let long = "x".repeat(VALUE_BYTES_MAX + 1);
    for i in 0..KINDS_MAX + 5 {
        let kind = format!("kind-{i}");
        shelf.moved(&mut tally, &Moved { kind: Some(&kind), ..moved(&account, None, State::Sent) });
    }
    shelf.moved(&mut tally, &Moved { kind: Some(&long), ..moved(&account, None, State::Sent) });
    shelf.moved(&mut tally, &Moved { kind: None, ..moved(&account, None, State::Sent) });
    shelf.keep(&mut tally);
    let mut again = Tally::new();
    shelf.moved(&mut again, &Moved { kind: Some("kind-28"), ..moved(&account, None, State::Sent) });
    shelf.keep(&mut again);
    let kinds = shelf.0.keys().filter_map(|n| place::read(n)).filter(|p| p.by == By::Kind).count();
    assert_eq!(kinds, KINDS_MAX + 2);
    assert_eq!(shelf.sum(By::Kind, Some("other")).now(State::Sent), 7);
    assert_eq!(shelf.sum(By::Kind, None).now(State::Sent), 1);
}

#[test]
fn a_value_of_long_ago_makes_room() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    for i in 0..KINDS_MAX {
        let kind = format!("kind-{i}");
        shelf.moved(&mut tally, &Moved { kind: Some(&kind), ..moved(&account, None, State::Sent) });
    }
    let later = T0.plus(Span::days(50));
    shelf.moved(&mut tally, &Moved { kind: Some("new"), created_at: later, now: later, ..moved(&account, None, State::Sent) });
    shelf.keep(&mut tally);
    assert_eq!(shelf.sum(By::Kind, Some("new")).now(State::Sent), 1);
}

#[test]
fn old_hours_are_folded_into_days_and_old_days_forgotten() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    for hour in 0..72 {
        let created_at = T0.plus(Span::hours(hour));
        shelf.moved(&mut tally, &Moved { created_at, now: created_at, ..moved(&account, None, State::Sent) });
        shelf.keep(&mut tally);
    }
    let now = T0.plus(Span::days(HOURS_KEPT_DAYS + 10));
    shelf.tend(&mut tally, now);
    assert!(shelf.0.keys().all(|n| !n.starts_with("tally/hour/")), "{:?}", shelf.0.keys());
    assert_eq!(shelf.sum(By::Kind, Some("zns")).now(State::Sent), 72);
    // A receipt that is later than that finds the day of its message.
    for mut tally in [tally, Tally::new()] {
        let delivered = moved(&account, Some(State::Sent), State::Delivered);
        shelf.moved(&mut tally, &Moved { now, ..delivered });
        shelf.keep(&mut tally);
        let days = shelf.0.keys().filter(|n| n.starts_with("tally/day/") && n.contains("/kind/")).count();
        assert!((3..=4).contains(&days), "{days} days");
    }
    assert_eq!(shelf.sum(By::Kind, Some("zns")).now(State::Sent), 70);
    let mut tally = Tally::new();
    let much_later = T0.plus(Span::days(DAYS_KEPT + 10));
    shelf.tend(&mut tally, much_later);
    assert!(shelf.0.keys().all(|n| place::read(n).is_none()), "{:?}", shelf.0.keys());
    shelf.moved(&mut tally, &Moved { now: much_later, ..moved(&account, Some(State::Sent), State::Read) });
    shelf.keep(&mut tally);
    assert_eq!(shelf.sum(By::Kind, Some("zns")), Cell::default());
}

#[test]
fn the_usual_latency_is_that_of_the_same_hour_on_days_before() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    for (hours, ms) in [(0, 90_000), (-24, 1_000), (-47, 2_000), (-12, 50_000), (-24 * 20, 70_000)] {
        let created_at = T0.plus(Span::hours(hours));
        let m = moved(&account, Some(State::Sent), State::Delivered);
        let m = Moved { created_at, sent_at: Some(created_at), delivered_at: Some(created_at.plus(Span(ms))), ..m };
        shelf.moved(&mut tally, &m);
    }
    shelf.keep(&mut tally);
    let Ok(cell) = usual(&account, Some("zns"), T0, 14, &|prefix| shelf.read(prefix));
    assert_eq!(cell.sent_to_delivered.count(), 2);
    assert!((cell.sent_to_delivered.quantile(1.0).unwrap().0 - 2_000).abs() <= 40);
}

proptest! {
    #[test]
    fn the_sum_of_the_states_is_the_number_of_messages(
        ways in prop::collection::vec((prop::collection::vec(0usize..5, 1..6), 0i64..200), 1..60),
        cuts in 1usize..20,
    ) {
        let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
        let mut last = [0u64; 5];
        for (n, (way, hours)) in ways.iter().enumerate() {
            let mut from = None;
            for to in way.iter().map(|i| State::ALL[*i]) {
                if from != Some(to) {
                    shelf.moved(&mut tally, &Moved { created_at: T0.plus(Span::hours(*hours)), ..moved(&account, from, to) });
                    from = Some(to);
                }
            }
            last[way[way.len() - 1]] += 1;
            if n % cuts == 0 {
                shelf.keep(&mut tally);
                tally = Tally::new();
            }
        }
        shelf.keep(&mut tally);
        for by in [By::Kind, By::Template] {
            let sum = shelf.sum(by, Some(if by == By::Kind { "zns" } else { "7895417" }));
            prop_assert_eq!(State::ALL.iter().map(|s| sum.now(*s)).collect::<Vec<_>>(), last.to_vec());
        }
    }
}

#[test]
fn what_becomes_known_later_goes_from_one_place_to_the_other() {
    let (account, mut shelf, mut tally) = (account(), Shelf::default(), Tally::new());
    let plain = Moved { kind: None, template_id: None, ..moved(&account, None, State::Failed) };
    shelf.moved(&mut tally, &Moved { price: Some(5), ..plain });
    let before = Some(Before { kind: None, template_id: None, carrier: None, failure_class: None });
    let class = Some(Class::Quota);
    let known = Moved {
        price: Some(5),
        price_before: Some(5),
        before,
        failure_class: class,
        ..moved(&account, Some(State::Failed), State::Failed)
    };
    shelf.moved(&mut tally, &known);
    shelf.keep(&mut tally);
    for sum in [shelf.sum(By::Kind, Some("zns")), shelf.sum(By::Template, Some("7895417"))] {
        assert_eq!((sum.now(State::Failed), sum.entered(State::Failed), sum.failures(), sum.spent()), (1, 1, vec![(Class::Quota, 1)], 5));
    }
    let left = shelf.sum(By::Kind, None);
    assert_eq!((left.now(State::Failed), left.entered(State::Failed), left.failures(), left.spent()), (0, 0, vec![], 0));
}
