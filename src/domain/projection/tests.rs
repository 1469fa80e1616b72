//! The fold over a small store in memory: which message every fact belongs to, in every order of arrival.

mod identity;
mod orders;
mod reference;
mod registration;
mod shelf;
mod stuck;
mod watermarks;

use shelf::{ONE_PAGE, Outcome, Shelf, Shown, Step};

use super::*;
use crate::domain::event::{Claim, Evidence, Report, WatermarkKind};
use crate::domain::record::Registration;

const PAGE: &str = "page-1";
const OA: &str = "oa-1";

/// What is told before anything of it arrives here lies before this moment; arrivals are counted from it.
const ARRIVAL: i64 = 1_000_000;

fn account(id: &str) -> AccountId {
    AccountId::parse(id).expect("an account id")
}

fn told(message_id: &str, fact: Fact, at: Option<i64>) -> MessageEvent {
    let evidence = match fact {
        Fact::Sent => Evidence::Echo,
        _ => Evidence::Receipt,
    };
    MessageEvent { at: at.map(Millis), ..MessageEvent::new(message_id, fact, Some(evidence)) }
}

/// A delivery that carries the sender's reference, as the OA's receipts do.
fn receipt(message_id: &str, reference: &str, at: i64) -> MessageEvent {
    let claim = Claim { reference: reference.into(), at: Some(Millis(at)), same_recipient: false, shown: true };
    MessageEvent { claim: Some(claim), ..told(message_id, Fact::Delivered, Some(at)) }
}

/// An echo of the Page, to one customer, with the sender's free text.
fn echo(message_id: &str, customer: &str, metadata: Option<&str>, at: i64) -> MessageEvent {
    let claim = metadata.map(|m| Claim { reference: m.into(), at: Some(Millis(at)), same_recipient: true, shown: false });
    let (sender, recipient) = (Some("page".to_owned()), Some(customer.to_owned()));
    MessageEvent { claim, sender, recipient, server_time: Some(Millis(at)), ..told(message_id, Fact::Sent, Some(at)) }
}

fn callback(event: MessageEvent) -> Step {
    Step::Callback(vec![Event::Message(Box::new(event))])
}

fn watermark(kind: WatermarkKind, sender: &str, recipient: &str, upto: i64, at: i64) -> Step {
    let (sender, recipient) = (sender.to_owned(), recipient.to_owned());
    Step::Callback(vec![Event::Watermark(Watermark { sender, recipient, kind, watermark: Millis(upto), at: Millis(at) })])
}

fn registration(reference: Option<&str>, message_id: Option<&str>) -> Registration {
    Registration { reference: reference.map(str::to_owned), message_id: message_id.map(str::to_owned), ..Registration::default() }
}

fn register(reference: Option<&str>, message_id: Option<&str>) -> Step {
    Step::Register(vec![registration(reference, message_id)])
}

fn by_reference(reference: &str) -> Target {
    Target { reference: Some(reference.into()), message_id: None }
}

fn by_id(message_id: &str) -> Target {
    Target { reference: None, message_id: Some(message_id.into()) }
}

fn answer(target: Target, outcome: AnswerOutcome) -> Step {
    Step::Answer(target, AnswerReading { outcome, recipient: None, detail: serde_json::Map::new(), quota: None })
}

fn accepted(target: Target, message_id: Option<&str>) -> Step {
    answer(target, AnswerOutcome::Accepted { message_id: message_id.map(str::to_owned), at: None })
}

fn refused(target: Target, code: &str, message_id: Option<&str>) -> Step {
    let failure = Failure::coded(code, None);
    answer(target, AnswerOutcome::Refused { failure, message_id: message_id.map(str::to_owned) })
}

/// Folds the steps of one account in every order that `allowed` lets through, each as a record and as a batch of its own, and
/// once more as one single batch; gives what is shown at the end, which must always be the same.
fn every_order(id: &str, steps: &[Step], allowed: impl Fn(&[usize]) -> bool) -> Vec<Shown> {
    let mut end: Option<Vec<Shown>> = None;
    for order in orders_of(steps.len()).into_iter().filter(|o| allowed(o)) {
        for batch in [1, steps.len()] {
            let mut shelf = Shelf::default();
            let records: Vec<_> = order.iter().map(|i| (account(id), Millis(ARRIVAL + *i as i64), steps[*i].clone())).collect();
            for records in records.chunks(batch) {
                shelf.fold(records);
            }
            let shown = shelf.shown();
            match &end {
                Some(end) => assert_eq!(&shown, end, "order {order:?}, {batch} a batch"),
                None => end = Some(shown),
            }
        }
    }
    end.expect("at least one order")
}

fn orders_of(n: usize) -> Vec<Vec<usize>> {
    let mut all = vec![Vec::new()];
    for next in 0..n {
        all = all
            .into_iter()
            .flat_map(|order: Vec<usize>| {
                (0..=order.len()).map(move |place| {
                    let mut longer = order.clone();
                    longer.insert(place, next);
                    longer
                })
            })
            .collect();
    }
    all
}

fn in_any_order(_: &[usize]) -> bool {
    true
}

/// An answer cannot come before the registration that it answers: the first of a pair comes first.
fn before(first: usize, second: usize) -> impl Fn(&[usize]) -> bool {
    move |order| order.iter().position(|i| *i == first) < order.iter().position(|i| *i == second)
}

/// `message id / reference / state` of every shown message, sorted.
fn brief(shown: &[Shown]) -> Vec<String> {
    shown
        .iter()
        .map(|s| {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".into());
            format!("{} {} {}", or_dash(&s.summary.message_id), or_dash(&s.summary.reference), s.derived.state)
        })
        .collect()
}
