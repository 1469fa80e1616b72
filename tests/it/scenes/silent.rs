//! Nothing comes back: the webhook is off, receipts are not subscribed, the provider is slow, one phone is off, nobody sent anything.

use baophat::domain::time::Span;
use serde_json::json;

use super::stage::{CHAT, EACH_STEP, PAGE, ZNS};
use super::twice;

#[test]
fn a_webhook_that_is_switched_off_is_named_and_what_was_lost_stays_known() {
    twice("", |stage| {
        stage.history(ZNS);
        stage.stands("shop-oa", "connected", "well");
        let mut lost = Vec::new();
        let named = stage.until_reason("shop-oa", "webhook_silent", Span::minutes(40), |stage, minute| {
            if minute % 5 == 0 {
                lost.extend(stage.send(ZNS, EACH_STEP));
            }
        });
        assert!(named <= Span::minutes(15), "{named:?}");
        stage.stands("shop-oa", "silent", "webhook_silent");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "webhook_silent", "open": true, "urgent": true, "size": 0}));
        stage.middle();
        stage.pass(Span::hours(3), Span::minutes(10));
        stage.stuck(&lost[0], "webhook_silent");
        let open = stage.only_incident(&json!({"open": true, "trouble": "webhook_silent"}));
        assert!(open["stuck_now"].as_u64().unwrap() >= lost.len() as u64, "{open}");
        // It is switched on again: what is sent now comes back, what was sent meanwhile does not.
        (0..4).for_each(|_| stage.ordinary(ZNS));
        stage.stands("shop-oa", "connected", "well");
        stage.stuck(&lost[0], "webhook_silent");
        stage.only_incident(&json!({"open": false}));
        let alerts = stage.alerts();
        assert_eq!(alerts.first().unwrap(), "opened webhook_silent");
        assert_eq!(alerts.last().unwrap(), "closed webhook_silent");
        assert_eq!(alerts.iter().filter(|a| a.starts_with("opened")).count(), 1, "{alerts:?}");
        assert_eq!(stage.turns(), expected_turns("webhook_silent"));
    });
}

/// From nothing known to well, into a silence and out of it.
fn expected_turns(reason: &str) -> Vec<String> {
    vec!["shop-oa connected well".to_owned(), format!("shop-oa silent {reason}"), "shop-oa connected well".to_owned()]
}

#[test]
fn receipts_that_are_not_subscribed_are_told_from_a_dead_webhook() {
    twice("", |stage| {
        let mut sent = Vec::new();
        for _ in 0..8 {
            sent.extend(stage.send(ZNS, 3));
            stage.inbound("shop-oa");
            stage.advance(Span::minutes(5));
        }
        stage.stands("shop-oa", "silent", "receipts_not_subscribed");
        let account = stage.account("shop-oa");
        let missing: Vec<&str> = account["never_seen"].as_array().unwrap().iter().map(|g| g.as_str().unwrap()).collect();
        assert!(missing.contains(&"user_received_message") && missing.contains(&"user_seen_message"), "{missing:?}");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "receipts_not_subscribed", "open": true, "urgent": false}));
        stage.middle();
        stage.pass(Span::hours(2), Span::minutes(10));
        stage.stuck(&sent[0], "receipts_not_subscribed");
        // They are switched on.
        (0..3).for_each(|_| stage.ordinary(ZNS));
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"open": false, "trouble": "receipts_not_subscribed"}));
        assert_eq!(stage.turns(), expected_turns("receipts_not_subscribed"));
    });
}

#[test]
fn a_provider_that_is_slow_for_an_hour_is_called_slow_and_nothing_else() {
    twice("", |stage| {
        stage.history(ZNS);
        let (mut late, mut named) = (Vec::new(), None);
        for minute in 0..60 {
            if minute % 5 == 0 {
                late.push(stage.send(ZNS, EACH_STEP));
                stage.inbound("shop-oa");
            }
            if minute == 30 {
                stage.middle();
            }
            stage.advance(Span::minutes(1));
            if named.is_none() && stage.account("shop-oa")["reason"] == "provider_slow" {
                named = Some(minute);
            }
        }
        assert!(named.is_some_and(|minute| minute <= 30), "{named:?}");
        stage.stands("shop-oa", "connected", "provider_slow");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "provider_slow", "open": true, "urgent": false}));
        // The receipts come, each an hour late; what is sent from now on is quick.
        for sent in &late {
            stage.receipts(&sent[..EACH_STEP * 9 / 10]);
            stage.ordinary(ZNS);
        }
        (0..6).for_each(|_| stage.ordinary(ZNS));
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened provider_slow", "closed provider_slow"]);
        assert_eq!(stage.turns(), ["shop-oa connected well", "shop-oa connected provider_slow", "shop-oa connected well"]);
    });
}

#[test]
fn one_phone_that_is_off_for_days_is_no_incident_among_thousands() {
    twice("", |stage| {
        stage.history(ZNS);
        let sent = stage.send(PAGE, 1_500);
        stage.advance(Span::minutes(1));
        let (off, on) = sent.split_last().unwrap();
        stage.receipts(on);
        let zns = stage.send(ZNS, 1);
        stage.send_to(ZNS, &zns[0].recipient);
        (0..3).for_each(|_| stage.ordinary(ZNS));
        stage.pass(Span::hours(26), Span::hours(1));
        stage.middle();
        stage.stuck(off, "recipient_unreachable");
        stage.stuck(&zns[0], "recipient_unreachable");
        let id = stage.message(&zns[0])["id"].as_str().unwrap().to_owned();
        let one = stage.service.get(&format!("/v1/messages/{id}?lang=en"));
        let advice = one["stuck"]["advice"].as_str().unwrap();
        assert!(advice.contains("Of the last 1 other messages to this recipient 1 have no receipt either"), "{advice}");
        stage.pass(Span::days(2), Span::hours(6));
        stage.stands("shop-page", "connected", "well");
        assert_eq!(stage.incidents(), Vec::<serde_json::Value>::new());
        assert_eq!(stage.alerts(), Vec::<String>::new());
        // The phone is switched on.
        stage.receipts(std::slice::from_ref(off));
        stage.advance(Span::minutes(1));
        assert_eq!(stage.message(off)["state"], "delivered");
        assert!(stage.message(off)["stuck"].is_null());
    });
}

#[test]
fn usual_traffic_that_stops_on_a_weekday_is_named_and_a_weekend_without_any_is_not() {
    twice("", |stage| {
        // Customers write by day, from Monday to Friday; nobody sends anything.
        for day in 0..5 {
            for _ in 0..9 * 3 {
                stage.written_to(20);
                stage.advance(Span::minutes(20));
            }
            let rest = if day == 4 { 24 * 3 - 9 } else { 24 - 9 };
            stage.pass(Span::hours(rest), Span::hours(1));
        }
        assert_eq!(stage.turns(), ["shop-page connected well"], "no night and no weekend is a silence");
        for _ in 0..2 * 3 {
            stage.written_to(20);
            stage.advance(Span::minutes(20));
        }
        let named = stage.until_reason("shop-page", "traffic_stopped", Span::hours(3), |_, _| {});
        assert!(named <= Span::minutes(90), "{named:?}");
        stage.stands("shop-page", "silent", "traffic_stopped");
        let incident = stage.only_incident(&json!({"account": "shop-page", "trouble": "webhook_silent", "open": true}));
        assert!(incident["cause"].as_str().unwrap().contains("callbacks usually came"), "it says what is missing: {incident}");
        stage.middle();
        stage.pass(Span::minutes(30), Span::minutes(10));
        stage.stands("shop-page", "silent", "traffic_stopped");
        stage.written_to(5);
        stage.advance(Span::minutes(1));
        stage.stands("shop-page", "connected", "well");
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened webhook_silent", "closed webhook_silent"]);
        let turns = ["shop-page connected well", "shop-page silent traffic_stopped", "shop-page connected well"];
        assert_eq!(stage.turns(), turns);
    });
}

#[test]
fn a_weekend_on_which_nobody_sends_anything_alarms_nobody() {
    twice("", |stage| {
        stage.pass(Span::hours(101), Span::hours(3));
        stage.history(ZNS);
        (0..6).for_each(|_| stage.ordinary(CHAT));
        // From Friday afternoon to Monday morning.
        stage.pass(Span::hours(32), Span::hours(1));
        stage.middle();
        stage.pass(Span::hours(32), Span::hours(1));
        stage.stands("shop-oa", "connected", "well");
        (0..6).for_each(|_| stage.ordinary(ZNS));
        assert_eq!(stage.turns(), ["shop-oa connected well"]);
        assert_eq!(stage.alerts(), Vec::<String>::new());
    });
}
