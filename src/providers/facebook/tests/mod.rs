//! Tests of the Facebook provider through its public seam, and what they share: one configured account and short ways to ask it.

mod answers;
mod examine;
mod fixtures;
mod noise;
mod parsing;
mod routing;
mod settings;
mod signing;

use super::SPEC;
use crate::domain::event::{AccountEvent, Event, MessageEvent, Parsed, Watermark};
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Method};
use crate::domain::time::Millis;
use crate::providers::{Account, SettingError, Values};

const APP: &str = "550011122233344";
const PAGE: &str = "104417700031337";
const PSID: &str = "7310000000012345";
const SECRET_A: &str = "giay-bao-phat-demo-key-A1";
const SECRET_B: &str = "giay-bao-phat-demo-key-B2";
const TOKEN: &str = "xac-nhan-demo-2026";
const T: i64 = 1_771_234_567_890;

/// The settings of the fixtures, with changes.
fn configured(changes: &[(&'static str, &[&str])]) -> Result<Box<dyn Account>, SettingError> {
    let fixed: [(&'static str, &[&str]); 4] =
        [("app_id", &[APP]), ("app_secret", &[SECRET_A, SECRET_B]), ("verify_token", &[TOKEN]), ("page_ids", &[PAGE, "104417700031338"])];
    let kept = fixed.into_iter().filter(|(key, _)| !changes.iter().any(|(changed, _)| changed == key));
    let all = kept.chain(changes.iter().copied()).map(|(key, list)| (key, list.iter().map(|v| (*v).to_owned()).collect()));
    (SPEC.account)(&AccountId::parse("shop-page").unwrap(), &Values(all.collect()))
}

fn account() -> Box<dyn Account> {
    configured(&[]).unwrap_or_else(|e| panic!("{e}"))
}

fn callback(body: &[u8], headers: &[(&str, &str)]) -> Callback {
    Callback {
        account: AccountId::parse("shop-page").unwrap(),
        method: Method::Post,
        query: String::new(),
        content_type: Some("application/json".into()),
        headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
        body: body.to_vec(),
        source: "127.0.0.1".into(),
        received_at: Millis(T + 5_000),
    }
}

fn parsed(body: &str) -> Parsed {
    account().parse(&callback(body.as_bytes(), &[]))
}

fn events(body: &str) -> Vec<Event> {
    match parsed(body) {
        Parsed::Events(events) => events,
        other => panic!("{body}: {other:?}"),
    }
}

/// The events of one item in `messaging` of the usual Page, with a batch time of T + 900.
fn of_item(item: &str) -> Vec<Event> {
    events(&envelope("messaging", item))
}

fn envelope(list: &str, item: &str) -> String {
    format!(r#"{{"object":"page","entry":[{{"id":"{PAGE}","time":{},"{list}":[{item}]}}]}}"#, T + 900)
}

/// An item from the customer at T + 500 with one more member.
fn from_customer(member: &str) -> String {
    format!(r#"{{"sender":{{"id":"{PSID}"}},"recipient":{{"id":"{PAGE}"}},"timestamp":{},{member}}}"#, T + 500)
}

/// An echo at T with these members in its message.
fn echo(members: &str) -> String {
    format!(r#"{{"sender":{{"id":"{PAGE}"}},"recipient":{{"id":"{PSID}"}},"timestamp":{T},"message":{{"is_echo":true,{members}}}}}"#)
}

fn messages(events: &[Event]) -> Vec<&MessageEvent> {
    events.iter().filter_map(|e| if let Event::Message(m) = e { Some(&**m) } else { None }).collect()
}

fn watermarks(events: &[Event]) -> Vec<&Watermark> {
    events.iter().filter_map(|e| if let Event::Watermark(w) = e { Some(w) } else { None }).collect()
}

fn accounts(events: &[Event]) -> Vec<&AccountEvent> {
    events.iter().filter_map(|e| if let Event::Account(a) = e { Some(a) } else { None }).collect()
}
