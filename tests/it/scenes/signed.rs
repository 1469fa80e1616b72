//! Secrets and signatures: one is rotated with both in use, and a proxy writes bodies anew.

use baophat::domain::time::Span;
use serde_json::json;

use super::stage::{PAGE, Stage, ZNS};
use super::twice;
use crate::harness::{Request, sign, until};

#[test]
fn a_secret_that_is_rotated_with_both_in_use_alarms_nobody() {
    twice("", |stage| {
        stage.history(PAGE);
        let sent = stage.send(PAGE, 40);
        stage.advance(Span::minutes(1));
        let at = stage.now().0;
        let signed = |i: usize, secret: &str| {
            let body = sign::facebook_body(&[sign::facebook_delivery(&sent[i].message_id, &sent[i].recipient, at)]);
            let signature = sign::facebook(body.as_bytes(), secret);
            Request::new("POST", "/webhooks/facebook/shop-page").header("x-hub-signature-256", signature).body(body)
        };
        let by_turns = |range: std::ops::Range<usize>| -> Vec<Request> {
            range.map(|i| signed(i, if i % 2 == 0 { sign::FB_SECRET } else { sign::FB_SECRET_2 })).collect()
        };
        stage.call(&by_turns(0..20));
        stage.middle();
        stage.call(&by_turns(20..40));
        stage.advance(Span::minutes(1));
        let delivered = sent.iter().filter(|m| stage.message(m)["state"] == "delivered").count();
        assert_eq!(delivered, 40);
        stage.stands("shop-page", "connected", "well");
        assert_eq!(stage.account("shop-page")["refused"]["by_reason"], json!([]));
        assert_eq!(stage.alerts(), Vec::<String>::new());
        assert_eq!(stage.turns(), ["shop-page connected well"]);
    });
}

/// Callbacks as they come through a proxy that writes JSON anew: refused, and examined.
fn rewritten(stage: &mut Stage, n: usize) {
    for sent in stage.send(ZNS, n) {
        let body = sign::zalo_receipt(&sent.message_id, &sent.recipient, stage.now().0);
        let signature = sign::zalo(body.as_bytes(), sign::ZALO_KEY);
        let request = Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", signature).body(body.replace(',', ", "));
        assert!(stage.service.send(&request).is(401).body.is_empty());
        until("the refusal is examined", || {
            let newest = stage.service.get("/v1/refused?lang=en")["data"][0].clone();
            newest["clues"][0].is_object().then_some(())
        });
    }
}

#[test]
fn a_proxy_that_writes_bodies_anew_is_named_though_others_pass() {
    twice("", |stage| {
        stage.history(ZNS);
        // Some go through it and some do not.
        for _ in 0..4 {
            rewritten(stage, 1);
            stage.ordinary(ZNS);
        }
        stage.stands("shop-oa", "error", "signatures_refused");
        let clue = stage.service.get("/v1/refused?lang=en")["data"][0]["clues"][0].clone();
        assert_eq!(clue["clue"], "reserialised", "{clue}");
        assert!(clue["remedy"].as_str().unwrap().len() > 30, "{clue}");
        let by_reason = stage.account("shop-oa")["refused"]["by_reason"].clone();
        assert!(by_reason.as_array().unwrap().iter().any(|r| r["reason"] == "reserialised" && r["count"] == 4), "{by_reason}");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "signatures_refused", "open": true, "urgent": true}));
        stage.middle();
        stage.stands("shop-oa", "error", "signatures_refused");
        // The proxy is put right: an hour later it is over.
        (0..13).for_each(|_| stage.ordinary(ZNS));
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened signatures_refused", "closed signatures_refused"]);
        let turns = ["shop-oa connected well", "shop-oa error signatures_refused", "shop-oa connected well"];
        assert_eq!(stage.turns(), turns);
    });
}
