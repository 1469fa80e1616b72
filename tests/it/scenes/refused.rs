//! The provider refuses what is sent: the token is dead, there is no money, the quota is used up, a template is off, it is night, another app
//! holds the conversation.

use baophat::domain::time::Span;
use serde_json::{Value, json};

use super::stage::{CHAT, How, PAGE, SMS, Stage, ZNS};
use super::twice;
use crate::harness::sign;

fn zalo(code: i64) -> Value {
    json!({"error": code, "message": "refused"})
}

#[test]
fn a_token_that_expires_is_named_at_once_and_its_renewal_ends_it() {
    twice("", |stage| {
        stage.history(ZNS);
        let waiting = stage.queue(ZNS, 1);
        let refused = stage.refused(ZNS, 4, &zalo(-216));
        stage.advance(Span::seconds(1));
        stage.failed(&refused[0], "authorization", "-216");
        stage.stands("shop-oa", "expired", "token_invalid");
        let expected = json!({"account": "shop-oa", "trouble": "token_invalid", "open": true, "urgent": true, "size": 4, "recipients": 4});
        stage.only_incident(&expected);
        stage.middle();
        stage.pass(Span::minutes(20), Span::minutes(5));
        stage.stuck(&waiting[0], "token_invalid");
        stage.stands("shop-oa", "expired", "token_invalid");
        // A person who types in the console of the OA proves nothing of the token.
        stage.call(&[crate::harness::sign::zalo_post(crate::harness::sign::zalo_echo("typed", "47", stage.now().0))]);
        stage.advance(Span::minutes(1));
        stage.stands("shop-oa", "expired", "token_invalid");
        // It is renewed.
        stage.ordinary(ZNS);
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened token_invalid", "closed token_invalid"]);
    });
}

#[test]
fn a_permission_that_is_withdrawn_is_named_and_ends_when_the_next_send_is_accepted() {
    twice("", |stage| {
        stage.history(ZNS);
        let revoked = json!({"app_id": sign::ZALO_APP, "oa_id": sign::OA, "event_name": "permission_revoked", "timestamp": stage.now().0.to_string()});
        stage.call(&[sign::zalo_post(revoked.to_string())]);
        stage.advance(Span::seconds(1));
        stage.stands("shop-oa", "expired", "permission_revoked");
        let trouble = stage.only_incident(&json!({"account": "shop-oa", "open": true, "urgent": true}))["trouble"].clone();
        let waiting = stage.queue(ZNS, 1);
        stage.middle();
        stage.pass(Span::minutes(20), Span::minutes(5));
        stage.stuck(&waiting[0], "token_invalid");
        // The OA is authorised again; what is sent now does not say in whose name.
        stage.ordinary(ZNS);
        stage.stands("shop-oa", "connected", "well");
        stage.only_incident(&json!({"open": false}));
        let trouble = trouble.as_str().unwrap();
        assert_eq!(stage.alerts(), [format!("opened {trouble}"), format!("closed {trouble}")]);
        let turns = ["shop-oa connected well", "shop-oa expired permission_revoked", "shop-oa connected well"];
        assert_eq!(stage.turns(), turns);
    });
}

#[test]
fn business_suite_takes_a_conversation_and_done_gives_it_back() {
    twice("", |stage| {
        stage.history(PAGE);
        let held = json!({"error": {"message": "(#10) held", "type": "OAuthException", "code": 10, "error_subcode": 2018300}});
        let refused = stage.refused(PAGE, 2, &held);
        stage.advance(Span::seconds(1));
        stage.failed(&refused[0], "thread_control", "10");
        stage.stands("shop-page", "connected", "well");
        let expected = json!({"account": "shop-page", "trouble": "thread_control", "open": true, "size": 2, "recipients": 2});
        let incident = stage.only_incident(&expected);
        assert!(incident["remedy"].as_str().unwrap().contains("Done"), "{incident}");
        let holder = |stage: &Stage, who: &str| {
            let thread = stage.service.get(&format!("/v1/threads/shop-page/{}", refused[0].recipient));
            assert_eq!(thread["holder"]["who"], who, "{thread}");
        };
        holder(stage, "other");
        stage.ordinary(PAGE);
        stage.middle();
        stage.only_incident(&json!({"open": true}));
        // Done is pressed for the one, and then for the other.
        stage.send_to(PAGE, &refused[0].recipient);
        stage.advance(Span::seconds(1));
        holder(stage, "ours");
        stage.only_incident(&json!({"open": true}));
        stage.send_to(PAGE, &refused[1].recipient);
        stage.advance(Span::seconds(1));
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened thread_control", "closed thread_control"]);
        assert_eq!(stage.turns(), ["shop-page connected well"]);
    });
}

#[test]
fn an_empty_balance_is_one_incident_until_something_is_sent_again() {
    twice("", |stage| {
        stage.history(SMS);
        let empty = json!({"CodeResult": "103", "ErrorMessage": "Balance not enough"});
        let refused = stage.refused(SMS, 3, &empty);
        stage.advance(Span::seconds(1));
        stage.failed(&refused[0], "billing", "103");
        let expected = json!({"account": "shop-sms", "trouble": "billing", "code": "103", "open": true, "urgent": true, "recipients": 3});
        stage.only_incident(&expected);
        stage.middle();
        stage.refused(SMS, 8, &empty);
        stage.refused(SMS, 12, &empty);
        stage.advance(Span::minutes(10));
        stage.only_incident(&json!({"open": true, "size": 23, "recipients": 23}));
        // Money is paid in.
        stage.ordinary(SMS);
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened billing", "grew billing", "closed billing"]);
        assert_eq!(stage.turns(), ["shop-sms connected well"]);
    });
}

#[test]
fn a_template_that_is_disabled_is_an_incident_of_that_template() {
    twice("", |stage| {
        stage.history(ZNS);
        let disabled = How { template: Some("1111111"), ..ZNS };
        let refused = stage.refused(disabled, 2, &zalo(-146));
        stage.advance(Span::seconds(1));
        stage.failed(&refused[0], "template", "-146");
        let expected = json!({"account": "shop-oa", "trouble": "template", "code": "-146", "template_id": "1111111", "open": true});
        stage.only_incident(&expected);
        stage.middle();
        (0..5).for_each(|_| stage.ordinary(ZNS));
        stage.only_incident(&json!({"open": true, "size": 2, "recipients": 2}));
        stage.send(disabled, 1);
        stage.advance(Span::minutes(1));
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened template", "closed template"]);
        assert_eq!(stage.turns(), ["shop-oa connected well"]);
    });
}

#[test]
fn a_daily_quota_that_is_used_up_ends_with_the_next_message_of_its_kind() {
    twice("", |stage| {
        stage.history(ZNS);
        let refused = stage.refused(ZNS, 4, &zalo(-144));
        stage.advance(Span::seconds(1));
        stage.failed(&refused[3], "quota", "-144");
        stage.only_incident(&json!({"account": "shop-oa", "trouble": "quota", "code": "-144", "open": true, "recipients": 4}));
        let limits = stage.account("shop-oa")["limits"].clone();
        assert!(limits.as_array().unwrap().iter().any(|l| l["name"] == "limit -144"), "{limits}");
        stage.middle();
        // Chat has no such quota and goes on.
        (0..5).for_each(|_| stage.ordinary(CHAT));
        stage.only_incident(&json!({"open": true}));
        stage.pass(Span::hours(16), Span::hours(1));
        (0..2).for_each(|_| stage.ordinary(ZNS));
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened quota", "closed quota"]);
        assert_eq!(stage.turns(), ["shop-oa connected well"]);
    });
}

#[test]
fn what_is_refused_at_night_is_an_incident_until_the_morning() {
    twice("", |stage| {
        stage.history(ZNS);
        stage.pass(Span::hours(12), Span::hours(1));
        let refused = stage.refused(ZNS, 5, &zalo(-133));
        stage.advance(Span::seconds(1));
        stage.failed(&refused[0], "window", "-133");
        stage.only_incident(
            &json!({"account": "shop-oa", "trouble": "window", "code": "-133", "open": true, "urgent": false, "recipients": 5}),
        );
        stage.middle();
        stage.pass(Span::hours(8), Span::hours(1));
        stage.only_incident(&json!({"open": true}));
        (0..2).for_each(|_| stage.ordinary(ZNS));
        stage.only_incident(&json!({"open": false}));
        assert_eq!(stage.alerts(), ["opened window", "closed window"]);
        assert_eq!(stage.turns(), ["shop-oa connected well"]);
    });
}
