//! A clock that jumps an hour forth and back, put by hand: ids stay apart, lists stay whole, deadlines and retention go by what each
//! message was told.

use std::collections::BTreeSet;

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::{Inside, sign, until};

/// 2026-01-31T08:15:30.123Z.
const START: Millis = Millis(1_769_847_330_123);

/// Where the clock stands, in hours from the start, one after the other.
const JUMPS: [i64; 9] = [0, 1, 0, -1, 1, 0, 2, 1, 0];

fn jump(service: &Inside, hours: i64) {
    service.clock.set(START.plus(Span::hours(hours)));
}

fn refs(messages: &[Value]) -> Vec<String> {
    messages.iter().map(|m| m["ref"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn ids_stay_apart_and_lists_whole_while_the_clock_jumps() {
    let service = Inside::start(START, "");
    let mut told: Vec<(String, String)> = Vec::new();
    let mut register = |hours: i64| {
        jump(&service, hours);
        let reference = format!("r{}", told.len());
        let answer = service.post("/v1/messages", &json!({"account": "shop-oa", "ref": reference})).is(201).json();
        told.push((reference, answer["id"].as_str().unwrap().to_owned()));
        told.clone()
    };
    for hours in JUMPS.iter().cycle().take(36) {
        register(*hours);
    }
    // What is there when a walk begins stands in it once, though more comes in and the clock jumps between its pages.
    let known = register(0);
    let (mut walked, mut cursor, mut hours) = (Vec::new(), String::new(), JUMPS.iter().cycle());
    loop {
        let page = service.get(&format!("/v1/messages?limit=5{cursor}"));
        walked.extend(page["data"].as_array().unwrap().iter().cloned());
        register(*hours.next().unwrap());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    let all = register(0);
    let ids: BTreeSet<&str> = all.iter().map(|(_, id)| id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "an id was given twice");
    for (reference, id) in &all {
        assert_eq!(&service.get(&format!("/v1/messages/{id}"))["ref"], reference);
    }
    let once = |reference: &str| refs(&walked).iter().filter(|r| *r == reference).count();
    let wrong: Vec<&String> = known.iter().map(|(reference, _)| reference).filter(|r| once(r) != 1).collect();
    assert!(wrong.is_empty(), "not once in the walk: {wrong:?}");
    // An id begins with the time at which its message became known and ends with its row: that is the order of the list.
    let ends = |id: &str| (id[..13].to_owned(), id[id.len() - 10..].to_owned());
    let order: Vec<(String, String)> = walked.iter().map(|m| ends(m["id"].as_str().unwrap())).collect();
    assert!(order.is_sorted_by(|a, b| a > b), "{order:?}");
}

#[test]
fn repeats_are_recognised_while_the_clock_jumps() {
    let service = Inside::start(START, "");
    let receipt = sign::zalo_post(sign::zalo_receipt("aa", "4700100200300400500", 1_764_000_000_111));
    for hours in JUMPS {
        jump(&service, hours);
        service.send(&receipt).is(200);
    }
    let callbacks = service.get("/v1/callbacks");
    assert_eq!(callbacks["data"].as_array().unwrap().len(), 1, "{callbacks}");
    let message = until("it is folded", || service.get("/v1/messages?message_id=aa")["data"].get(0).cloned());
    assert_eq!(message["state"], "delivered");
}

#[test]
fn each_message_is_stuck_by_its_own_deadline_and_stays_so_when_the_clock_goes_back() {
    let service = Inside::start(START, "stuck.sweep_every = \"100ms\"");
    let register = |hours: i64, name: &str| {
        jump(&service, hours);
        let told = json!({"account": "shop-oa", "ref": name, "kind": "zns", "message_id": format!("id-{name}")});
        service.post("/v1/messages", &told).is(201);
    };
    let stuck = || {
        let page = service.get("/v1/messages?stuck=true");
        let mut names = refs(page["data"].as_array().unwrap());
        names.sort();
        names.join(" ")
    };
    // Stuck two hours after each was sent.
    register(0, "a");
    register(1, "b");
    register(0, "c");
    assert_eq!(stuck(), "");
    jump(&service, 2);
    until("those of the start are stuck", || (stuck() == "a c").then_some(()));
    jump(&service, 1);
    register(1, "d");
    assert_eq!(stuck(), "a c", "a clock that goes back takes nothing away");
    jump(&service, 3);
    until("all are stuck", || (stuck() == "a b c d").then_some(()));
    jump(&service, 2);
    service.send(&sign::zalo_post(sign::zalo_receipt("id-b", "4700100200300400500", START.0))).is(200);
    until("a fact clears it", || (stuck() == "a c d").then_some(()));
}

#[test]
fn retention_goes_on_after_the_clock_has_jumped_ahead_and_back() {
    let service = Inside::start(START, "retention.callbacks = \"3d\"");
    let receipt = |id: &str| service.send(&sign::zalo_post(sign::zalo_receipt(id, "4700100200300400500", START.0))).is(200);
    let kept = || service.get("/v1/callbacks")["data"].as_array().unwrap().len();
    receipt("first");
    jump(&service, 1);
    receipt("ahead");
    jump(&service, 0);
    receipt("behind");
    until("all are folded", || (service.get("/v1/messages")["data"].as_array().unwrap().len() == 3).then_some(()));
    assert_eq!(kept(), 3);
    // An hour too early, and back.
    jump(&service, 71);
    receipt("later");
    jump(&service, 70);
    assert_eq!(kept(), 4);
    // The days of the first three are over.
    jump(&service, 74);
    until("old callbacks are gone, and only they", || (kept() == 1).then_some(()));
    receipt("last");
    until("positions go on", || (kept() == 2).then_some(()));
    until("messages are kept for longer", || (service.get("/v1/messages")["data"].as_array().unwrap().len() == 5).then_some(()));
}
