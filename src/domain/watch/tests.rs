//! The watch as a whole, told of messages of one account by hand.

use super::*;
use crate::domain::failure::Class;
use crate::domain::feed::Step;
use crate::domain::stuck::Stuck;

const MINUTE: i64 = 60_000;

fn at(minutes: i64) -> Millis {
    Millis(1_769_997_600_000 + minutes * MINUTE)
}

/// One account, and messages to ever other people.
struct Shop {
    watch: Watch,
    id: AccountId,
    rows: u64,
}

impl Shop {
    fn new() -> Shop {
        Shop { watch: Watch::default(), id: AccountId::parse("shop").unwrap(), rows: 0 }
    }

    fn told(&mut self, now: Millis, to: State, change: impl FnOnce(&mut MessageMove<'_>)) {
        self.rows += 1;
        let recipient = format!("84{}", self.rows);
        let id = self.id.clone();
        let moved = Moved {
            account: &id,
            now,
            created_at: now,
            from: None,
            to,
            kind: Some("message"),
            template_id: None,
            sender: None,
            carrier: None,
            price: None,
            price_before: None,
            before: None,
            queued_at: Some(now),
            sent_at: Some(now),
            delivered_at: None,
            read_at: None,
            failed_at: Some(now),
            failure_class: None,
            failure_code: None,
            late: false,
        };
        let mut one = MessageMove {
            moved,
            id: MessageAt { row: self.rows, created_at: now },
            registered: true,
            orphan: false,
            scheduled_at: None,
            unpromised: false,
            recipient: Some(&recipient),
            retry: None,
            subcode: None,
        };
        change(&mut one);
        self.watch.moved(&one);
    }

    fn sent(&mut self, now: Millis, sender: Option<&'static str>) {
        self.told(now, State::Sent, |m| m.moved.sender = sender);
    }

    fn failed(&mut self, now: Millis, class: Class, code: &'static str, sender: Option<&'static str>) {
        self.told(now, State::Failed, |m| {
            (m.moved.failure_class, m.moved.failure_code, m.moved.sender) = (Some(class), Some(code), sender);
        });
    }

    fn tick(&mut self, now: Millis) -> Judgement {
        let id = self.id.clone();
        self.watch.tick(now, [(&id, Configured::default())]);
        self.watch.judgement(&id).unwrap()
    }

    /// What incidents did since it was last asked.
    fn steps(&mut self) -> Vec<Step> {
        let of = |e: Entry| if let What::Incident { step, .. } = e.what { Some(step) } else { None };
        self.watch.take_feed().into_iter().filter_map(of).collect()
    }
}

#[test]
fn a_token_that_died_under_its_name_lives_again_when_a_nameless_send_is_accepted_and_the_other_way_round() {
    for (died, revived) in [(Some("oa"), None), (None, Some("oa")), (Some("oa"), Some("oa"))] {
        let mut shop = Shop::new();
        shop.failed(at(0), Class::Authorization, "-216", died);
        assert_eq!(shop.tick(at(1)).reason, Reason::TokenInvalid);
        let tokens = shop.watch.pulse(&shop.id.clone()).tokens.clone();
        assert!(tokens.is_dead(died) && tokens.is_dead(None));
        assert_eq!(tokens.is_dead(Some("another")), died.is_none(), "of another sender only a nameless refusal tells");
        shop.sent(at(2), revived);
        assert_ne!(shop.tick(at(3)).reason, Reason::TokenInvalid, "{died:?} {revived:?}");
        assert_eq!(shop.steps(), [Step::Opened, Step::Closed]);
    }
    let mut shop = Shop::new();
    shop.failed(at(0), Class::Authorization, "-216", Some("oa"));
    shop.sent(at(2), Some("another"));
    assert_eq!(shop.tick(at(3)).reason, Reason::TokenInvalid, "another's token proves nothing");
}

#[test]
fn everything_fails_on_a_large_account_and_is_an_incident_whatever_its_size() {
    for class in [Class::Unknown, Class::Content, Class::Provider, Class::Recipient] {
        let mut shop = Shop::new();
        (0..20_000).for_each(|n| shop.sent(Millis(at(0).0 + n * 180), None));
        assert_eq!(shop.steps(), []);
        (0..15_000).for_each(|n| shop.failed(Millis(at(61).0 + n * 180), class, "-9", None));
        assert_eq!(shop.steps().first(), Some(&Step::Opened), "{class}");
    }
}

#[test]
fn the_noise_of_a_large_account_is_no_incident() {
    let mut shop = Shop::new();
    for n in 0..20_000 {
        let now = Millis(at(0).0 + n * 360);
        if n % 50 == 0 { shop.failed(now, Class::Content, "-9", None) } else { shop.sent(now, None) }
    }
    assert_eq!(shop.steps(), []);
}

#[test]
fn some_sends_are_permitted_and_others_not_and_that_is_one_incident() {
    let mut shop = Shop::new();
    for n in 0..20 {
        shop.failed(at(n * 5), Class::Permission, "100", None);
        shop.told(at(n * 5 + 1), State::Sent, |m| m.unpromised = true);
        shop.tick(at(n * 5 + 2));
    }
    assert_eq!(shop.steps(), [Step::Opened, Step::Grew]);
}

#[test]
fn strangers_with_wrong_signatures_alarm_only_when_they_go_on_and_make_nothing_forgotten() {
    let mut shop = Shop::new();
    let id = shop.id.clone();
    shop.watch.callback(&id, at(0), &[]);
    shop.sent(at(1), None);
    (2..5).for_each(|n| shop.watch.noticed(&id).refused_in_a_row(1, true, at(n)));
    assert_eq!(shop.tick(at(5)).reason, Reason::Well);
    assert_eq!(shop.tick(at(13)).reason, Reason::SignaturesRefused);
    let judged = shop.watch.judgement(&id).unwrap();
    assert!(!judged.deaf && shop.watch.of(&id).unwrap().0.silences.is_empty());
    shop.watch.callback(&id, at(14), &[]);
    assert_eq!(shop.tick(at(14)).reason, Reason::Well);
    assert_eq!(shop.watch.of(&id).unwrap().0.waiting.len(), 1, "who waits for a receipt still does");
    // Where a clue proves them it is at once.
    (15..18).for_each(|n| shop.watch.noticed(&id).refused_for_sure(1, at(n)));
    let judged = shop.tick(at(18));
    assert!(judged.deaf && judged.reason == Reason::SignaturesRefused);
    assert_eq!(shop.watch.of(&id).unwrap().0.silences.len(), 1);
}

#[test]
fn a_clock_that_was_ahead_once_blinds_nobody() {
    let mut shop = Shop::new();
    let id = shop.id.clone();
    let ahead = at(365 * 24 * 60);
    shop.watch.callback(&id, ahead, &[]);
    shop.sent(ahead, None);
    shop.tick(ahead);
    // It is put right.
    shop.tick(at(0));
    let pulse = shop.watch.of(&id).unwrap().0.clone();
    assert_eq!((pulse.last_callback_at, pulse.last_sent_at), (Some(at(0)), Some(at(0))));
    shop.failed(at(1), Class::Authorization, "-216", None);
    assert_eq!(shop.tick(at(2)).reason, Reason::TokenInvalid);
}

#[test]
fn a_bar_is_known_in_any_order_and_ends_when_it_is_lifted_or_a_send_is_accepted() {
    let told = [(Some(true), 10), (None, 20), (Some(false), 5)];
    for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0], [0, 2, 1], [2, 0, 1]] {
        let mut shop = Shop::new();
        let id = shop.id.clone();
        for i in order {
            let (barred, minute) = told[i];
            shop.watch.pulse(&id).policy("word", barred, at(minute));
        }
        assert_eq!(shop.tick(at(30)).reason, Reason::PolicyBlocked);
        let mut lifted = Shop { watch: shop.watch.clone(), id: id.clone(), rows: 0 };
        lifted.watch.pulse(&id).policy("lifted", Some(false), at(31));
        assert_ne!(lifted.tick(at(32)).reason, Reason::PolicyBlocked);
        shop.sent(at(31), None);
        assert_ne!(shop.tick(at(32)).reason, Reason::PolicyBlocked);
    }
}

#[test]
fn who_is_slow_for_good_is_learned_anew() {
    let mut shop = Shop::new();
    let id = shop.id.clone();
    let receipt = |shop: &mut Shop, now: Millis, took: i64| {
        shop.told(now, State::Delivered, |m| (m.moved.from, m.moved.sent_at) = (Some(State::Sent), Some(Millis(now.0 - took))));
    };
    shop.watch.callback(&id, at(0), &[]);
    (0..300).for_each(|n| receipt(&mut shop, at(n), 5_000));
    shop.tick(at(300));
    let usual = |shop: &Shop| shop.watch.late(&id, Some("message"), at(0)).unwrap();
    assert!(usual(&shop).0 < MINUTE);
    let slow = Judgement { standing: Standing::Connected, reason: Reason::ProviderSlow, since: Some(at(300)), deaf: false };
    for day in 0..3 {
        shop.watch.accounts.get_mut(&id).unwrap().judgement = Some(slow);
        (0..200).for_each(|n| receipt(&mut shop, at(301 + day * 1_440 + n), 10 * MINUTE));
        shop.tick(at(301 + day * 1_440 + 200));
        assert_eq!(usual(&shop).0 > MINUTE, day > 0, "day {day}");
    }
}

#[test]
fn who_was_stuck_before_an_incident_does_not_leave_it() {
    let mut shop = Shop::new();
    let id = shop.id.clone();
    let stuck = |shop: &mut Shop, row: u64, now: Millis, before: Option<i64>, after: Option<Cause>| {
        let before = before.map(|deadline| Stuck { since: at(0), deadline: at(deadline), cause: Cause::SendUnconfirmed });
        let recipient = format!("84{row}");
        let id = MessageAt { row, created_at: at(0) };
        let account = shop.id.clone();
        shop.watch.stuck_changed(StuckChange { id, account: &account, now, recipient: Some(&recipient), before, after });
    };
    shop.watch.callback(&id, at(0), &[]);
    let day = 24 * 60;
    (0..6).for_each(|n| stuck(&mut shop, n, at(3 * day), None, Some(Cause::SendUnconfirmed)));
    assert_eq!(shop.steps(), [Step::Opened]);
    (100..106).for_each(|n| stuck(&mut shop, n, at(3 * day + 1), Some(day), None));
    shop.tick(at(3 * day + 2));
    assert_eq!(shop.steps(), [], "those belonged to an incident that is over");
    (0..6).for_each(|n| stuck(&mut shop, n, at(3 * day + 3), Some(3 * day), None));
    shop.tick(at(3 * day + 4));
    assert_eq!(shop.steps(), [Step::Closed]);
}

#[test]
fn an_account_that_is_not_configured_any_more_is_in_no_trouble() {
    let mut shop = Shop::new();
    shop.failed(at(0), Class::Authorization, "-216", None);
    shop.tick(at(1));
    shop.watch.tick(at(2), []);
    shop.watch.tick(at(3 * 24 * 60), []);
    assert_eq!(shop.steps(), [Step::Opened, Step::Closed]);
}

#[test]
fn a_kind_whose_receipts_nobody_promises_makes_no_silence() {
    let mut shop = Shop::new();
    (0..50).for_each(|n| shop.told(at(n), State::Sent, |m| m.unpromised = true));
    assert_eq!(shop.tick(at(300)).reason, Reason::NeverCalled);
    (0..50).for_each(|n| shop.sent(at(n), None));
    assert_eq!(shop.tick(at(300)).reason, Reason::WebhookSilent);
}

#[test]
fn a_kind_that_is_slower_than_the_others_does_not_make_the_provider_slow() {
    let mut shop = Shop::new();
    let id = shop.id.clone();
    let sent = |shop: &mut Shop, minute: i64, kind: &'static str| shop.told(at(minute), State::Sent, |m| m.moved.kind = Some(kind));
    let received = |shop: &mut Shop, now: Millis, minute: i64, kind: &'static str| {
        shop.told(now, State::Delivered, |m| {
            (m.moved.kind, m.moved.from, m.moved.sent_at) = (Some(kind), Some(State::Sent), Some(at(minute)));
        });
    };
    // Chat is answered within seconds, templates take a quarter of an hour. The last two hours are of templates only.
    for minute in 0..720 {
        let templates = if minute < 600 { 1 } else { 5 };
        (0..templates).for_each(|_| sent(&mut shop, minute, "zns"));
        if minute < 600 {
            sent(&mut shop, minute, "cs");
            received(&mut shop, at(minute).plus(Span::seconds(4)), minute, "cs");
        }
        if minute >= 15 {
            let then = minute - 15;
            (0..if then < 600 { 1 } else { 5 }).for_each(|_| received(&mut shop, at(minute).plus(Span::seconds(5)), then, "zns"));
        }
        shop.watch.callback(&id, at(minute).plus(Span::seconds(6)), &[]);
        assert_ne!(shop.tick(at(minute).plus(Span::seconds(7))).reason, Reason::ProviderSlow, "minute {minute}");
    }
}
