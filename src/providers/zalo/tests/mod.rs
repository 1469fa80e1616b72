//! Tests of the provider as the rest of the program sees it: through its account.

mod answers;
mod arbitrary;
mod events;
mod examine;
mod fixtures;
mod settings;
mod signature;

use super::*;
use crate::domain::event::{Event, MessageEvent};
use crate::domain::time::Millis;

const APP: &str = "4100200300400500600";
const KEY: &str = "vector-oa-key-01";
const OA: &str = "9100200300400500601";
const OA2: &str = "9100200300400500602";
const USER: &str = "4700100200300400500";
const ARRIVAL: Millis = Millis(1_764_500_000_000);

fn values(lists: &[(&'static str, &[&str])]) -> Values {
    Values(lists.iter().map(|(key, list)| (*key, list.iter().map(|v| (*v).to_owned()).collect())).collect())
}

fn account_of(lists: &[(&'static str, &[&str])]) -> Box<dyn Account> {
    (SPEC.account)(&AccountId::parse("shop-oa").unwrap(), &values(lists)).unwrap()
}

/// The account of the fixtures.
fn shop() -> Box<dyn Account> {
    account_of(&[("app_id", &[APP]), ("oa_secret_key", &[KEY]), ("oa_ids", &[OA, OA2])])
}

/// An account that does not say which OAs it serves.
fn any_oa() -> Box<dyn Account> {
    account_of(&[("app_id", &[APP]), ("oa_secret_key", &[KEY])])
}

fn callback(body: impl AsRef<[u8]>) -> Callback {
    Callback {
        account: AccountId::parse("shop-oa").unwrap(),
        method: Method::Post,
        query: String::new(),
        content_type: None,
        headers: Vec::new(),
        body: body.as_ref().to_vec(),
        source: "203.0.113.7".into(),
        received_at: ARRIVAL,
    }
}

fn with_header(mut callback: Callback, name: &str, value: &str) -> Callback {
    callback.headers.push((name.to_owned(), value.to_owned()));
    callback
}

/// The outside name of the processing status that a parsed callback gets.
fn status(parsed: &Parsed) -> &'static str {
    match parsed {
        Parsed::Events(_) => "processed",
        Parsed::Ignored(_) | Parsed::Aside { .. } => "ignored",
        Parsed::Unreadable(_) => "error",
    }
}

fn messages(parsed: Parsed) -> Vec<MessageEvent> {
    let Parsed::Events(events) = parsed else { return Vec::new() };
    let message = |event| match event {
        Event::Message(message) => Some(*message),
        Event::Watermark(_) | Event::Thread(_) | Event::Account(_) => None,
    };
    events.into_iter().filter_map(message).collect()
}

/// The one message event of a body.
fn one(account: &dyn Account, body: &str) -> MessageEvent {
    let parsed = account.parse(&callback(body));
    let mut found = messages(parsed.clone());
    assert_eq!(found.len(), 1, "{body}: {parsed:?}");
    found.remove(0)
}
