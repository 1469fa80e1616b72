//! A week of ten thousand ordinary messages alarms nobody, and in the week behind it each outage is named as soon as
//! docs/operations.md promises.

use baophat::domain::feed::{Entry, Step, What};
use baophat::domain::time::{Millis, Span};
use baophat::domain::watch::incident::Incident;
use baophat::domain::watch::{Reason, decode};
use baophat::store::StateWriter;
use baophat::store::memory::Memory;

use super::stage::MONDAY_NINE;
use super::town::{Outage, Town, Wrong};

const HOUR: i64 = 3_600_000;
/// Midnight of the Monday in Vietnam.
const MONDAY: i64 = MONDAY_NINE.0 - 9 * HOUR;

/// What should have been told of an outage at first, and what else may be told of it.
struct Expected {
    outage: Outage,
    account: &'static str,
    first: &'static str,
    then: &'static [&'static str],
    promise: Span,
}

fn at(day: i64, minutes: i64) -> Millis {
    Millis(MONDAY + day * 24 * HOUR + minutes * 60_000)
}

/// The outages of the second week, each at a busy minute that the dice chose.
fn outages(seed: i64) -> Vec<Expected> {
    let one = |wrong, day: i64, hour: i64, minutes: i64, account, first, then, promise| {
        let from = at(7 + day, hour * 60 + (seed * 17 + day * 23) % 55);
        Expected { outage: Outage { wrong, from, until: Millis(from.0 + minutes * 60_000) }, account, first, then, promise }
    };
    vec![
        one(Wrong::WebhookOff(0), 0, 9, 150, "shop-oa", "webhook_silent", &["provider_slow"], Span::minutes(30)),
        one(Wrong::BalanceEmpty, 0, 15, 60, "shop-sms", "billing", &[], Span::minutes(15)),
        one(Wrong::ReceiptsOff, 1, 8, 260, "shop-oa", "provider_slow", &["receipts_not_subscribed"], Span::minutes(45)),
        one(Wrong::WebhookOff(2), 1, 14, 120, "shop-sms", "webhook_silent", &["poll_needed"], Span::minutes(60)),
        one(Wrong::TemplateDisabled, 1, 16, 60, "shop-oa", "template", &[], Span::minutes(15)),
        one(Wrong::TokenDead, 2, 8, 60, "shop-oa", "token_invalid", &[], Span::minutes(5)),
        one(Wrong::WebhookOff(1), 2, 9, 150, "shop-page", "webhook_silent", &["provider_slow"], Span::minutes(60)),
        one(Wrong::Slow, 2, 11, 60, "shop-oa", "provider_slow", &[], Span::minutes(45)),
        one(Wrong::QuotaUsedUp, 2, 16, 60, "shop-oa", "quota", &[], Span::minutes(15)),
    ]
}

/// What was told: when, of which account, what.
fn told(memory: &Memory, entries: &[Entry]) -> Vec<(Millis, String, Step, String)> {
    let state = memory.state();
    let trouble = |id: u64| {
        let named = |place: &str| state.sheets(&format!("incident/{place}/{id:012}")).unwrap().pop();
        let data = named("open").or_else(|| named("closed")).unwrap().1;
        decode::<Incident>(&data).unwrap().key.trouble.as_str().to_owned()
    };
    let of = |entry: &Entry| match &entry.what {
        What::Incident { id, step, .. } => Some((entry.at, entry.account.to_string(), *step, trouble(*id))),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

/// Turns of an account for the worse.
fn alarms(entries: &[Entry]) -> Vec<String> {
    let of = |entry: &Entry| match &entry.what {
        What::Account { reason, .. } if *reason != Reason::Well => Some(format!("{} {reason} {}", entry.account, hours(entry.at))),
        _ => None,
    };
    entries.iter().filter_map(of).collect()
}

fn hours(at: Millis) -> String {
    let minutes = (at.0 - MONDAY) / 60_000;
    format!("day {} {:02}:{:02}", minutes / 1_440, minutes / 60 % 24, minutes % 60)
}

fn play(seed: u64) {
    let expected = outages(seed as i64);
    let mut town = Town::new(seed, Millis(MONDAY), expected.iter().map(|e| e.outage).collect());
    town.live(at(7, 0));
    let week = town.memory.feed();
    let (incidents, turns) = (told(&town.memory, &week), alarms(&week));
    println!("seed {seed}: {} ordinary messages, {} incidents, {} alarms", town.sent, incidents.len(), turns.len());
    assert!(town.sent >= 10_000, "{}", town.sent);
    assert!(incidents.is_empty() && turns.is_empty(), "seed {seed}: {incidents:?} {turns:?}");
    town.live(at(11, 0));
    let feed = town.memory.feed();
    let told = told(&town.memory, &feed);
    let mut seen = vec![false; told.len()];
    for e in &expected {
        let within = |at: Millis| at.0 >= e.outage.from.0 && at.0 < e.outage.until.0 + 4 * HOUR;
        let mut first = None;
        for (i, (at, account, step, trouble)) in told.iter().enumerate() {
            if account == e.account && within(*at) && (trouble == e.first || e.then.contains(&trouble.as_str())) {
                seen[i] = true;
                if *step == Step::Opened && trouble == e.first && first.is_none() {
                    first = Some(Span(at.0 - e.outage.from.0));
                }
            }
        }
        println!("seed {seed}: {:?} named after {:?} min (promised {})", e.outage.wrong, first.map(|s| s.0 / 60_000), e.promise.0 / 60_000);
        assert!(first.is_some_and(|s| s <= e.promise), "seed {seed}: {:?} {first:?}\n{told:#?}", e.outage);
    }
    let off = expected.iter().find(|e| e.outage.wrong == Wrong::ReceiptsOff).unwrap().outage;
    let named = told.iter().find(|(_, _, step, trouble)| *step == Step::Opened && trouble == "receipts_not_subscribed").unwrap();
    assert!(named.0.0 - off.from.0 <= 7 * HOUR / 2, "seed {seed}: {}", hours(named.0));
    let strangers: Vec<_> = told.iter().zip(&seen).filter(|(_, seen)| !**seen).map(|(t, _)| (hours(t.0), &t.1, t.2, &t.3)).collect();
    assert!(strangers.is_empty(), "seed {seed}: {strangers:?}");
    let open = town.memory.state().sheets("incident/open/").unwrap();
    assert!(open.is_empty(), "seed {seed}: {} are still open", open.len());
}

#[test]
fn days_that_are_folded_late_alarm_nobody() {
    let mut town = Town::new(1, Millis(MONDAY), Vec::new());
    town.live(at(2, 0));
    let before = town.sent;
    town.live_unfolded(at(4, 11 * 60));
    assert!(town.sent - before > 4_000, "several batches, and busy hours at the end");
    town.live(at(4, 18 * 60));
    let feed = town.memory.feed();
    assert_eq!((told(&town.memory, &feed), alarms(&feed)), (Vec::new(), Vec::new()));
}

#[test]
fn ten_thousand_ordinary_messages_alarm_nobody_and_each_outage_is_named_in_time() {
    play(1);
}
