//! The outbox file alone: what is put in once, what is due when, what order is kept.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::*;

const T: Millis = Millis(1_764_000_000_000);

fn outbox() -> (tempfile::TempDir, OutboxFile) {
    let dir = tempfile::tempdir().unwrap();
    let mut file = OutboxFile::open_writer(&Place::new(dir.path().join("a.db"))).unwrap();
    file.enrol(&[("erp", "x"), ("ops", "y")], at(10), T).unwrap();
    (dir, file)
}

fn at(event: FeedId) -> Footing {
    Footing { event, mark: Some(event as u32) }
}

fn new(event: FeedId, queue: Option<i64>) -> New {
    New { event, mark: event as u32, name: "message.sent".into(), queue, payload: b"{}".to_vec() }
}

fn due(file: &OutboxFile, now: Millis) -> Vec<FeedId> {
    file.due("erp", now, 10).unwrap().iter().map(|d| d.event).collect()
}

fn id_of(file: &OutboxFile, event: FeedId) -> DeliveryId {
    let all = [false, true].map(|dead| file.deliveries(dead, None, None, 100).unwrap()).concat();
    all.iter().find(|d| d.event == event).unwrap().id
}

#[test]
fn of_one_message_one_delivery_after_the_other_is_due_and_others_go_on() {
    let (_dir, mut file) = outbox();
    file.put("erp", &[new(11, Some(1)), new(12, Some(1)), new(13, Some(2)), new(14, Some(1)), new(15, None)], at(15), T).unwrap();
    assert_eq!(due(&file, T), [11, 13, 15]);
    let first = id_of(&file, 11);
    file.end(&[(first, End::Later { due_at: Millis(T.0 + 5_000), error: "no".into() })], T).unwrap();
    assert_eq!(due(&file, T), [13, 15]);
    assert_eq!(due(&file, Millis(T.0 + 5_000)), [13, 15, 11]);
    file.end(&[(first, End::Delivered)], T).unwrap();
    assert_eq!(due(&file, T), [12, 13, 15]);
    file.put("erp", &[new(16, Some(2))], at(16), T).unwrap();
    assert_eq!(due(&file, T), [12, 13, 15]);
    file.end(&[(id_of(&file, 12), End::Dead { error: "gone".into() })], T).unwrap();
    assert_eq!(due(&file, T), [13, 14, 15]);
    assert_eq!(file.standings().unwrap()[0].error.as_deref(), Some("gone"));
}

#[test]
fn a_dead_letter_is_sent_again_behind_what_waits_of_its_message() {
    let (_dir, mut file) = outbox();
    file.put("erp", &[new(11, Some(1)), new(12, Some(1))], at(12), T).unwrap();
    let (first, second) = (id_of(&file, 11), id_of(&file, 12));
    file.end(&[(first, End::Dead { error: "no".into() })], T).unwrap();
    assert_eq!(file.replay(&Again::Of(Some("ops".into())), T).unwrap(), 0);
    assert_eq!(file.replay(&Again::One(first), T).unwrap(), 1);
    assert_eq!(file.replay(&Again::One(first), T).unwrap(), 0, "it is no dead letter any more");
    assert_eq!(due(&file, T), [12]);
    file.end(&[(second, End::Delivered)], T).unwrap();
    assert_eq!(due(&file, T), [11]);
}

#[test]
fn a_receiver_begins_where_it_is_enrolled_and_keeps_its_place() {
    let (_dir, mut file) = outbox();
    file.put("erp", &[new(11, None)], at(11), T).unwrap();
    file.disable("ops", "gone", T).unwrap();
    file.enrol(&[("erp", "x"), ("ops", "y"), ("late", "z")], at(40), T).unwrap();
    let places =
        |file: &OutboxFile| file.standings().unwrap().into_iter().map(|s| (s.id, s.at.event, s.disabled_at.is_some())).collect::<Vec<_>>();
    assert_eq!(places(&file), [("erp".into(), 11, false), ("late".into(), 40, false), ("ops".into(), 10, true)]);
    file.enrol(&[("late", "z"), ("ops", "elsewhere")], at(50), T).unwrap();
    assert_eq!(places(&file), [("late".into(), 40, false), ("ops".into(), 50, false)], "another address is another start");
    let dead = file.deliveries(true, None, None, 9).unwrap();
    assert_eq!((dead.len(), dead[0].error.as_deref()), (1, Some("it is not configured any more")));
    assert_eq!(file.replay(&Again::Of(None), T).unwrap(), 0, "nobody is there to take it");
}

#[test]
fn what_goes_out_is_counted_and_old_dead_letters_go() {
    let (_dir, mut file) = outbox();
    file.put("erp", &(11..16).map(|n| new(n, None)).collect::<Vec<_>>(), at(15), T).unwrap();
    for event in 11..15 {
        file.end(&[(id_of(&file, event), End::Dead { error: "no".into() })], T).unwrap();
    }
    let tally = Tally { target: "erp".into(), waiting: 1, oldest_at: Some(T), dead: 4 };
    assert_eq!((file.tallies().unwrap(), file.waiting("erp").unwrap()), (vec![tally], 1));
    assert_eq!(file.prune(T, 3).unwrap(), 1, "all but the newest three");
    assert_eq!(file.prune(Millis(T.0 + 1), 3).unwrap(), 3);
    for at in [0, 10, 3_600_005] {
        file.note_told("ops", Millis(T.0 + at), Span::hours(1)).unwrap();
    }
    assert_eq!(file.told_between("ops", Millis(T.0 + 5), Millis(T.0 + 3_600_005)).unwrap(), (2, Some(Millis(T.0 + 10))));
}

#[test]
fn what_waited_too_long_dies_and_waits_anew_when_it_is_sent_again() {
    let (_dir, mut file) = outbox();
    file.put("erp", &[new(11, Some(1)), new(12, Some(1)), new(13, None)], at(13), T).unwrap();
    let later = Millis(T.0 + 100);
    file.put("erp", &[new(14, Some(1))], at(14), later).unwrap();
    assert_eq!(file.bury("erp", later, "too long", 2, later).unwrap(), 2);
    assert_eq!(due(&file, later), [13, 14], "the next of its message goes on");
    assert_eq!(file.deliveries(true, None, None, 9).unwrap()[0].error.as_deref(), Some("too long"));
    assert_eq!(file.prune(later, 9).unwrap(), 0, "they died just now");
    assert_eq!(file.replay(&Again::One(id_of(&file, 11)), later).unwrap(), 1);
    assert_eq!(file.bury("erp", later, "too long", 9, later).unwrap(), 1, "what is sent again has its days before it");
    assert_eq!(due(&file, later), [14]);
}

#[test]
fn places_of_the_feed_are_remembered_by_the_minute_and_forgotten_when_it_is_another_one() {
    let (_dir, mut file) = outbox();
    for (event, minute) in [(11, 0), (12, 0), (13, 1), (14, 2)] {
        file.put("erp", &[], at(event), T.plus(Span::minutes(minute))).unwrap();
    }
    assert_eq!(file.followed(13).unwrap(), [at(11), at(13)]);
    file.go_back("ops", at(11)).unwrap();
    assert_eq!((file.followed(99).unwrap(), file.standings().unwrap()[1].at), (vec![at(11)], at(11)));
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn of_every_message_what_ends_ends_in_the_order_of_the_feed(acts in prop::collection::vec((0u8..4, 0i64..3, any::<prop::sample::Index>()), 1..60)) {
        let (_dir, mut file) = outbox();
        let (mut event, mut now) = (10, T);
        let mut ended: Vec<(i64, FeedId)> = Vec::new();
        for (act, message, which) in acts {
            now = now.plus(Span::seconds(1));
            if act == 0 {
                event += 2;
                file.put("erp", &[new(event - 1, Some(message)), new(event, Some(message))], at(event), now).unwrap();
                continue;
            }
            let all = file.deliveries(false, None, None, 500).unwrap();
            let due = file.due("erp", now, 500).unwrap();
            if due.is_empty() {
                continue;
            }
            let due = which.get(&due);
            let end = match act {
                1 => End::Delivered,
                2 => End::Later { due_at: now.plus(Span::seconds(3)), error: "no".into() },
                _ => End::Dead { error: "no".into() },
            };
            if act != 2 {
                let first = all.iter().filter(|d| same_message(&file, d.id, due.id)).map(|d| d.event).min();
                prop_assert_eq!(first, Some(due.event), "an earlier one of its message waits");
                ended.push((message_of(&file, due.id), due.event));
            }
            file.end(&[(due.id, end)], now).unwrap();
        }
        for message in 0..3 {
            let of_it: Vec<FeedId> = ended.iter().filter(|(m, _)| *m == message).map(|(_, event)| *event).collect();
            prop_assert!(of_it.is_sorted(), "{:?}", of_it);
        }
        // Nothing is left behind that nobody makes due.
        while let Some(due) = file.due("erp", now.plus(Span::hours(1)), 1).unwrap().pop() {
            file.end(&[(due.id, End::Delivered)], now).unwrap();
        }
        prop_assert_eq!(file.waiting("erp").unwrap(), 0);
    }
}

fn message_of(file: &OutboxFile, id: DeliveryId) -> i64 {
    file.conn.query_row("SELECT queue FROM delivery WHERE id = ?1", [id], |r| r.get(0)).unwrap()
}

fn same_message(file: &OutboxFile, a: DeliveryId, b: DeliveryId) -> bool {
    message_of(file, a) == message_of(file, b)
}
