//! Every order of every subset of a message's facts, each told twice, ends in the same facts.

use std::collections::HashMap;

use super::*;

fn claimed(fact: Fact, at: i64, reference: &str) -> Told {
    let mut event = event(fact, Some(at));
    event.claim = Some(Claim { reference: reference.into(), at: Some(Millis(at)), same_recipient: false, shown: true });
    event.recipient = Some("84901234567".into());
    Told::Event(event)
}

fn zalo() -> Vec<Told> {
    let registration = Registration { queued_at: Some(Millis(3)), recipient: Some("84901234567".into()), ..registration(None) };
    let echo = Told::Event(Box::new(MessageEvent { kind: Some("zns".into()), sender: Some("oa".into()), ..*event(Fact::Sent, Some(9)) }));
    let (refused, unknown) = (Failure::coded("-230", Some("no".into())), Told::Unknown);
    let (delivered, read) = (claimed(Fact::Delivered, 20, "order-1"), claimed(Fact::Read, 18, "order-2"));
    vec![
        Told::Registration(registration),
        echo,
        Told::Refused(refused, None),
        Told::Accepted(Some("m1"), Some(Millis(8))),
        unknown,
        delivered,
        read,
    ]
}

fn facebook() -> Vec<Told> {
    let mut echo = event(Fact::Sent, Some(900_500));
    echo.server_time = Some(Millis(900_500));
    let mut delivery = event(Fact::Delivered, Some(900_900));
    delivery.server_time_bound = Some(Millis(900_600));
    let marketing = told(Fact::Failed(Failure { at: Some(Millis(900_700)), ..Failure::ours("x", None) }), Some(900_700));
    let registration = Registration { sent_at: Some(Millis(902_400)), ..registration(Some("m1")) };
    let (reached, seen) = (watermark(WatermarkKind::Delivered, 900_450, 950_000), watermark(WatermarkKind::Read, 900_550, 960_000));
    vec![Told::Registration(registration), Told::Event(echo), Told::Event(delivery), marketing, Told::Mark("gone"), reached, seen]
}

fn esms() -> Vec<Told> {
    let (waiting, handed_over) = (told(Fact::Queued, None), told(Fact::Sent, None));
    let rejected = told(Fact::Failed(Failure::ours("rejected", None)), None);
    let (some, mixed, all) = (report(1, 0, 2, None), report(1, 1, 2, Some("-124")), report(2, 0, 2, None));
    vec![waiting, handed_over, rejected, some, mixed, all, Told::Mark("gone")]
}

/// Tells every permutation of every subset and compares with the first that had the same members.
fn every_order(all: &[Told]) {
    let mut ends: HashMap<u32, (World, String, Derived)> = HashMap::new();
    let mut order = Vec::new();
    permute(all, &mut order, &mut ends);
    assert_eq!(ends.len(), 1 << all.len());
}

fn permute(all: &[Told], order: &mut Vec<usize>, ends: &mut HashMap<u32, (World, String, Derived)>) {
    let members = order.iter().fold(0u32, |set, i| set | 1 << i);
    let mut world = World::default();
    // Each is told when it happened, and once more later and in the opposite order.
    for i in order.iter() {
        world.tell(&all[*i], Millis(ARRIVAL + *i as i64));
    }
    for i in order.iter().rev() {
        world.tell(&all[*i], Millis(ARRIVAL + 100 + *i as i64));
    }
    let text = serde_json::to_string(&(&world.facts, &world.thread)).expect("facts can be written");
    let derived = world.derived();
    match ends.get(&members) {
        Some((first, first_text, first_derived)) => {
            assert_eq!(&text, first_text, "{order:?}");
            assert_eq!(&world, first, "{order:?}");
            assert_eq!(&derived, first_derived, "{order:?}");
        }
        None => {
            ends.insert(members, (world, text, derived));
        }
    }
    for i in 0..all.len() {
        if members & 1 << i == 0 {
            order.push(i);
            permute(all, order, ends);
            order.pop();
        }
    }
}

#[test]
fn every_order_of_a_zns_message_ends_the_same() {
    every_order(&zalo());
}

#[test]
fn every_order_of_a_page_message_and_its_watermarks_ends_the_same() {
    every_order(&facebook());
}

#[test]
fn every_order_of_a_carrier_message_and_its_counters_ends_the_same() {
    every_order(&esms());
}
