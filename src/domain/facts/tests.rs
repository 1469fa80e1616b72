//! Facts are a set: whatever the order, the repetition or the split in which they are told, the same message stands at the end.

mod attributes;
mod failures;
mod joins;
mod permutations;
mod reports;
mod server_time;
mod table;

use super::*;
use crate::domain::event::{Watermark, WatermarkKind};

/// A time at which nothing in these tests happens before: arrivals are counted from here.
const ARRIVAL: i64 = 1_000_000;

/// One thing that is told of a message or of its conversation.
#[derive(Clone, Debug)]
enum Told {
    Event(Box<MessageEvent>),
    Watermark(Watermark),
    Registration(Registration),
    Accepted(Option<&'static str>, Option<Millis>),
    Refused(Failure, Option<&'static str>),
    Unknown,
    Mark(&'static str),
}

/// A message and its conversation.
#[derive(Clone, Debug, Default, PartialEq)]
struct World {
    facts: Facts,
    thread: Thread,
}

impl World {
    fn tell(&mut self, told: &Told, arrival: Millis) {
        match told {
            Told::Event(event) => self.facts.observe(event, arrival),
            Told::Watermark(mark) => {
                self.thread.of(mark.kind).observe(mark.watermark, mark.at);
            }
            Told::Registration(registration) => self.facts.observe_registration(registration, arrival),
            Told::Accepted(id, at) => self.facts.observe_accepted(*id, *at, arrival),
            Told::Refused(failure, id) => self.facts.observe_refused(failure, *id, arrival),
            Told::Unknown => self.facts.answer_unknown = true,
            Told::Mark(reason) => self.facts.observe_mark(reason, arrival),
        }
    }

    fn of(all: &[Told]) -> World {
        let mut world = World::default();
        for (told, arrival) in all.iter().zip(ARRIVAL..) {
            world.tell(told, Millis(arrival));
        }
        world
    }

    fn derived(&self) -> Derived {
        self.facts.derive(Some(&self.thread))
    }
}

fn event(fact: Fact, at: Option<i64>) -> Box<MessageEvent> {
    let evidence = match fact {
        Fact::Sent => Some(Evidence::Echo),
        Fact::Noted => None,
        _ => Some(Evidence::Receipt),
    };
    let mut event = MessageEvent::new("m1", fact, evidence);
    event.at = at.map(Millis);
    Box::new(event)
}

fn told(fact: Fact, at: Option<i64>) -> Told {
    Told::Event(event(fact, at))
}

fn report(delivered: u32, failed: u32, total: u32, code: Option<&str>) -> Told {
    told(Fact::Report(Report { delivered, failed, total, failure: code.map(|c| Failure::coded(c, None)) }), None)
}

fn watermark(kind: WatermarkKind, watermark: i64, at: i64) -> Told {
    let (sender, recipient) = ("page".to_owned(), "customer".to_owned());
    Told::Watermark(Watermark { sender, recipient, kind, watermark: Millis(watermark), at: Millis(at) })
}

fn registration(message_id: Option<&str>) -> Registration {
    Registration { reference: Some("order-1".into()), message_id: message_id.map(str::to_owned), ..Registration::default() }
}

/// What a word of the tables tells. Watermarks lie after every time in these tests, so they cover whatever can be covered.
fn word(word: &str) -> Told {
    match word {
        "nothing" => told(Fact::Noted, None),
        "registered" => Told::Registration(registration(None)),
        "with_id" => Told::Registration(registration(Some("m1"))),
        "queued" => told(Fact::Queued, None),
        "accepted" => Told::Accepted(Some("m1"), None),
        "refused" => Told::Refused(Failure::coded("-230", None), None),
        "unknown" => Told::Unknown,
        "sent" => {
            let mut echo = event(Fact::Sent, Some(10));
            echo.server_time = echo.at;
            Told::Event(echo)
        }
        "failed" => told(Fact::Failed(Failure::coded("1545041", None)), Some(15)),
        "marked" => Told::Mark("the customer called"),
        "delivered" => told(Fact::Delivered, Some(20)),
        "reached" => watermark(WatermarkKind::Delivered, ARRIVAL * 2, 25),
        "read" => told(Fact::Read, Some(30)),
        "seen" => watermark(WatermarkKind::Read, ARRIVAL * 2, 35),
        counters => {
            let mut n = counters.split('/').map(|n| n.parse().expect("a word of the tables"));
            let mut next = || n.next().expect("three counters");
            report(next(), next(), next(), None)
        }
    }
}

/// The state, `!` for a conflict, `~` for partial, `?` for an unknown outcome.
fn shown(derived: &Derived) -> String {
    let mut text = derived.state.to_string();
    for (holds, sign) in [(derived.conflict, '!'), (derived.partial, '~'), (derived.outcome_unknown, '?')] {
        if holds {
            text.push(sign);
        }
    }
    text
}

/// Reads lines such as `sent delivered -> delivered` and compares them with what follows from the facts, in either direction.
fn check_scenarios(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (words, expected) = line.split_once("->").expect("words -> state");
        let mut all: Vec<Told> = words.split_whitespace().map(word).collect();
        assert_eq!(shown(&World::of(&all).derived()), expected.trim(), "{line}");
        all.reverse();
        assert_eq!(shown(&World::of(&all).derived()), expected.trim(), "backwards: {line}");
    }
}
