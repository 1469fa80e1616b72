//! Deadlines that are learned from how long receipts took: one late message is found within minutes, a slow hour is one alarm, and neither
//! changes what is usual.

use baophat::domain::time::Span;
use serde_json::json;

use super::stage::{EACH_STEP, Sent, Stage, ZNS};
use super::twice;

/// Fast sweeps and learned deadlines.
const LEARNED: &str = "stuck.mode = \"learned\"\n";

/// How many are sent in each step of the slow hour.
const MANY: usize = 100;

/// An ordinary step in which one phone is off: it is stuck five minutes after its sending, the shortest learned deadline, and no earlier.
fn one_is_late(stage: &mut Stage) -> Sent {
    let sent = stage.send(ZNS, EACH_STEP);
    let due = stage.now().plus(Span::minutes(5));
    stage.inbound("shop-oa");
    stage.advance(Span::minutes(1));
    stage.receipts(&sent[1..]);
    stage.advance(Span::minutes(3));
    assert!(stage.message(&sent[0])["stuck"].is_null(), "{}", stage.message(&sent[0]));
    stage.advance(Span::minutes(2));
    stage.stuck(&sent[0], "recipient_unreachable");
    assert_eq!(stage.message(&sent[0])["stuck"]["deadline"], due.to_string());
    sent[0].clone()
}

#[test]
fn a_learned_deadline_finds_one_late_message_in_minutes_and_a_slow_hour_is_one_alarm() {
    twice(LEARNED, |stage| {
        // Before anything is learned the configured day holds.
        let early = stage.send(ZNS, 1).remove(0);
        stage.history(ZNS);
        assert!(stage.message(&early)["stuck"].is_null());
        let first = one_is_late(stage);
        stage.middle();
        let second = one_is_late(stage);
        assert!(stage.message(&early)["stuck"].is_null(), "a deadline that was set is not drawn nearer");
        assert_eq!(stage.incidents(), Vec::<serde_json::Value>::new());
        // An hour in which no receipt is quick.
        let mut slow = Vec::new();
        for _ in 0..12 {
            slow.push(stage.send(ZNS, MANY));
            stage.inbound("shop-oa");
            stage.pass(Span::minutes(5), Span::minutes(1));
        }
        stage.stands("shop-oa", "connected", "provider_slow");
        let stuck = stage.service.get("/v1/stuck?lang=en")["total"].as_u64().unwrap();
        assert!(stuck >= 10 * MANY as u64, "{stuck}");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "provider_slow", "open": true}));
        assert_eq!(stage.alerts(), ["opened provider_slow"]);
        for sent in &slow {
            stage.receipts(sent);
        }
        (0..14).for_each(|_| stage.ordinary(ZNS));
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"trouble": "provider_slow", "open": false}));
        assert_eq!(stage.alerts(), ["opened provider_slow", "closed provider_slow"]);
        // What was late while the provider was slow is not usual now.
        one_is_late(stage);
        stage.receipts(&[first.clone(), second]);
        stage.advance(Span::minutes(1));
        assert_eq!((&stage.message(&first)["state"], stage.message(&first)["stuck"].is_null()), (&json!("delivered"), true));
    });
}
