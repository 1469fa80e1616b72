//! Every row of the protocol as a callback: ids, statuses, counters, kinds, voice, repeats, settings, lookups, causes. The
//! fixtures are replayed in `fixtures`; hostile bytes come last.

mod examine;
mod fixtures;
mod hostile;
mod rules;
mod stuck;

use super::*;
use crate::domain::event::{Event, Fact, MessageEvent, Report};
use crate::domain::time::Millis;

/// The token of the fixtures.
pub(super) const TOKEN: &str = "fixture-token-0123456789";
/// 2025-11-24T16:00:00Z.
pub(super) const ARRIVAL: Millis = Millis(1_764_000_000_000);

pub(super) fn get(query: &str) -> Callback {
    Callback {
        account: AccountId::parse("sms").unwrap(),
        method: Method::Get,
        query: query.into(),
        content_type: None,
        headers: Vec::new(),
        body: Vec::new(),
        source: "192.0.2.7".into(),
        received_at: ARRIVAL,
    }
}

pub(super) fn post(content_type: &str, body: &[u8]) -> Callback {
    Callback { method: Method::Post, content_type: Some(content_type.into()), body: body.into(), ..get("") }
}

fn values(pairs: &[(&'static str, &[&str])]) -> Values {
    Values(pairs.iter().map(|(k, v)| (*k, v.iter().map(|s| s.to_string()).collect())).collect())
}

fn esms() -> Box<dyn Account> {
    (SPEC.account)(&AccountId::parse("sms").unwrap(), &values(&[("callback_token", &[TOKEN])])).unwrap()
}

/// The one event of a usable query.
fn told(query: &str) -> MessageEvent {
    told_by(&get(query))
}

fn told_by(callback: &Callback) -> MessageEvent {
    match esms().parse(callback) {
        Parsed::Events(events) => match <[Event; 1]>::try_from(events) {
            Ok([Event::Message(event)]) => *event,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn is_error(callback: &Callback) -> bool {
    matches!(esms().parse(callback), Parsed::Unreadable(_))
}

fn report(delivered: u32, failed: u32, total: u32) -> Fact {
    Fact::Report(Report { delivered, failed, total, failure: None })
}
