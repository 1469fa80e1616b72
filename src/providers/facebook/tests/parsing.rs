//! What each kind of item states, which time it carries, and which side of it is the customer.

use serde_json::Value;

use super::*;
use crate::domain::event::{About, Evidence, Fact, PolicyAction, TemplateChange, TemplateStatus, WatermarkKind};
use crate::domain::failure::{Class, Failure, Retry};

fn watermark(kind: WatermarkKind, watermark: i64, at: i64) -> Watermark {
    Watermark { sender: PAGE.into(), recipient: PSID.into(), kind, watermark: Millis(watermark), at: Millis(at) }
}

fn detail<'a>(event: &'a MessageEvent, name: &str) -> Option<&'a Value> {
    event.detail.get(name)
}

#[test]
fn an_echo_is_sent_at_its_exact_server_time_with_its_metadata_as_a_claim() {
    let item =
        echo(r#""mid":"m_1","app_id":550011122233344,"metadata":" đơn 7 ","text":"x","attachments":[{"type":"template","payload":null}]"#);
    let events = of_item(&item);
    let [m] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!((m.message_id.as_str(), &m.fact, m.evidence), ("m_1", &Fact::Sent, Some(Evidence::Echo)));
    assert_eq!((m.at, m.server_time, m.server_time_bound), (Some(Millis(T)), Some(Millis(T)), None));
    assert_eq!((m.sender.as_deref(), m.recipient.as_deref(), m.kind.as_deref()), (Some(PAGE), Some(PSID), Some("message")));
    let claim = m.claim.clone().unwrap();
    assert_eq!((claim.reference.as_str(), claim.at, claim.same_recipient, claim.shown), (" đơn 7 ", Some(Millis(T)), true, false));
    assert_eq!(detail(m, "foreign"), Some(&false.into()));
    assert_eq!(detail(m, "attachments"), Some(&serde_json::json!(["template"])));
    assert!(!serde_json::to_string(&m.detail).unwrap().contains('đ'), "metadata and text stay out of the timeline");
}

#[test]
fn an_echo_without_our_app_id_is_foreign_and_without_a_time_has_none() {
    for members in [r#""mid":"m_1""#, r#""mid":"m_1","app_id":99"#, r#""mid":"m_1","app_id":null,"metadata":5"#] {
        let item = echo(members).replace(&format!("\"timestamp\":{T}"), "\"timestamp\":0");
        let events = of_item(&item);
        let [m] = messages(&events)[..] else { panic!("{members}") };
        assert_eq!(detail(m, "foreign"), Some(&true.into()));
        assert_eq!((m.at, m.server_time, &m.claim), (None, None, &None), "the time of the batch is no server time");
    }
}

#[test]
fn a_delivery_moves_each_named_message_and_the_thread() {
    let events = of_item(&from_customer(&format!(r#""delivery":{{"mids":["m_1",22,"m_1","",null,{{}}],"watermark":{T},"seq":0}}"#)));
    let named = messages(&events);
    assert_eq!(named.iter().map(|m| m.message_id.as_str()).collect::<Vec<_>>(), ["m_1", "22"]);
    for m in named {
        assert_eq!((&m.fact, m.evidence, m.at), (&Fact::Delivered, Some(Evidence::Receipt), Some(Millis(T + 500))));
        assert_eq!((m.server_time, m.server_time_bound), (None, Some(Millis(T))));
        assert_eq!((m.sender.as_deref(), m.recipient.as_deref()), (Some(PAGE), Some(PSID)));
    }
    assert_eq!(watermarks(&events), [&watermark(WatermarkKind::Delivered, T, T + 500)]);
}

#[test]
fn the_time_of_a_receipt_is_its_own_then_that_of_the_batch_then_the_watermark() {
    let item = |own: &str| format!(r#"{{"sender":{{"id":"{PSID}"}},"recipient":{{"id":"{PAGE}"}},{own}"read":{{"watermark":{T}}}}}"#);
    let entry = |time: &str, item: &str| format!(r#"{{"object":"page","entry":[{{"id":"{PAGE}",{time}"messaging":[{item}]}}]}}"#);
    let batch = format!("\"time\":{},", T + 900);
    for (time, own, at) in [
        (batch.as_str(), format!("\"timestamp\":{},", T + 500), T + 500),
        (&batch, String::new(), T + 900),
        (&batch, "\"timestamp\":0,".into(), T + 900),
        (&batch, "\"timestamp\":-5,".into(), T + 900),
        (&batch, "\"timestamp\":null,".into(), T + 900),
        (&batch, "\"timestamp\":{},".into(), T + 900),
        (&batch, "\"timestamp\":\"soon\",".into(), T + 900),
        (&batch, format!("\"timestamp\":\"{}\",", T + 500), T + 900),
        (&batch, "\"timestamp\":99999999999999999,".into(), T + 900),
        (&batch, format!("\"timestamp\":{},", T / 1000), T / 1000 * 1000),
        ("\"time\":0,", String::new(), T),
        ("", String::new(), T),
    ] {
        let events = events(&entry(time, &item(&own)));
        assert_eq!(watermarks(&events), [&watermark(WatermarkKind::Read, T, at)], "{time} {own}");
        assert!(messages(&events).is_empty());
    }
}

#[test]
fn seconds_end_and_milliseconds_begin_at_ten_to_the_twelfth() {
    for (written, meant) in
        [("999999999999", None), ("1000000000000", Some(1_000_000_000_000)), ("1771234567", Some(1_771_234_567_000)), ("1", Some(1_000))]
    {
        let parsed = parsed(&envelope("messaging", &from_customer(&format!(r#""read":{{"watermark":{written}}}"#))));
        let found = if let Parsed::Events(events) = &parsed { watermarks(events).first().map(|w| w.watermark.0) } else { None };
        assert_eq!(found, meant, "{written}: what no calendar shows counts as absent");
    }
}

#[test]
fn mids_without_a_watermark_and_a_watermark_without_mids_both_count() {
    let events = of_item(&from_customer(r#""delivery":{"mids":["m_1"]}"#));
    assert_eq!((messages(&events).len(), watermarks(&events).len(), messages(&events)[0].server_time_bound), (1, 0, None));
    for mids in ["", r#""mids":null,"#, r#""mids":[],"#, r#""mids":{},"#, r#""mids":"m_1","#, r#""mids":[null,true,[]],"#] {
        let events = of_item(&from_customer(&format!(r#""delivery":{{{mids}"watermark":{T}}}"#)));
        assert_eq!((messages(&events).len(), watermarks(&events).len()), (0, 1), "{mids}");
    }
}

#[test]
fn a_receipt_with_neither_gives_nothing() {
    for member in [
        r#""delivery":{}"#,
        r#""delivery":{"watermark":0,"mids":[]}"#,
        r#""read":{"seq":1}"#,
        r#""read":{"watermark":null}"#,
        r#""read":5"#,
    ] {
        assert!(matches!(parsed(&envelope("messaging", &from_customer(member))), Parsed::Ignored(_)), "{member}");
    }
}

#[test]
fn the_customer_is_the_side_that_is_not_the_page() {
    let read = format!(r#""read":{{"watermark":{T}}}"#);
    for sides in [
        format!(r#""sender":{{"id":"{PSID}"}},"recipient":{{"id":"{PAGE}"}}"#),
        format!(r#""sender":{{"id":"{PAGE}"}},"recipient":{{"id":"{PSID}"}}"#),
        format!(r#""sender":{{"id":{PSID}}},"recipient":{{"id":{PAGE}}}"#),
        format!(r#""sender":{{"id":"{PSID}"}}"#),
        format!(r#""sender":{{"id":"{PSID}"}},"recipient":{{"id":"somebody"}}"#),
        format!(r#""sender":null,"recipient":{{"id":"{PSID}"}}"#),
    ] {
        let events = of_item(&format!("{{{sides},{read}}}"));
        assert_eq!(watermarks(&events)[0].recipient, PSID, "{sides}");
        assert_eq!(watermarks(&events)[0].sender, PAGE, "{sides}");
    }
    let nobody = format!(r#"{{"sender":{{"id":"{PAGE}"}},"recipient":{{"id":"{PAGE}"}},"delivery":{{"mids":["m_1"],"watermark":{T}}}}}"#);
    let events = of_item(&nobody);
    assert_eq!((messages(&events)[0].recipient.as_deref(), watermarks(&events).len()), (None, 0), "no customer, no thread");
}

#[test]
fn without_an_entry_id_the_sides_are_believed_as_they_stand() {
    for item in [echo(r#""mid":"m_1""#), from_customer(r#""delivery":{"mids":["m_1"]}"#)] {
        let events = events(&format!(r#"{{"object":"page","entry":[{{"messaging":[{item}]}}]}}"#));
        assert_eq!((messages(&events)[0].sender.as_deref(), messages(&events)[0].recipient.as_deref()), (Some(PAGE), Some(PSID)));
    }
}

#[test]
fn a_reaction_or_rating_is_only_noted_and_makes_no_message() {
    for (member, shown) in [
        (r#""reaction":{"mid":"m_1","action":"react","reaction":"love","emoji":"❤"}"#, ("reaction", "love")),
        (r#""reaction":{"mid":"m_1","action":"unreact"}"#, ("action", "unreact")),
        (r#""response_feedback":{"mid":"m_1","feedback":"Good response"}"#, ("feedback", "Good response")),
    ] {
        let events = of_item(&from_customer(member));
        let [m] = messages(&events)[..] else { panic!("{member}") };
        assert_eq!((&m.fact, m.evidence, m.at), (&Fact::Noted, None, Some(Millis(T + 500))));
        assert_eq!(detail(m, shown.0), Some(&shown.1.into()));
    }
}

#[test]
fn what_a_customer_does_is_understood_and_states_nothing() {
    for member in [
        r#""message":{"mid":"m_1","text":"x"}"#,
        r#""message":{"mid":"m_1","is_echo":false,"reply_to":{"mid":"m_2"}}"#,
        r#""message":{}"#,
        r#""message_edit":{"mid":"m_1","text":"x","num_edit":1}"#,
        r#""postback":{"mid":"m_1","title":"x"}"#,
        r#""optin":{"ref":"x"}"#,
        r#""referral":{"ref":"x"}"#,
        r#""account_linking":{"status":"linked"}"#,
        r#""order":{"products":[]}"#,
        r#""messaging_feedback":{"feedback_screens":[]}"#,
        r#""app_roles":{"1":["primary_receiver"]}"#,
        r#""reaction":{"action":"react"}"#,
    ] {
        let told = of_item(&from_customer(member));
        assert!(told.iter().all(|e| matches!(e, Event::Thread(_))), "{member}: {told:?}");
    }
}

#[test]
fn a_handover_tells_the_thread_and_its_owners() {
    let events = of_item(&from_customer(
        r#""pass_thread_control":{"previous_owner_app_id":99,"new_owner_app_id":"550011122233344","metadata":"{}"}"#,
    ));
    let [a] = accounts(&events)[..] else { panic!("{events:?}") };
    assert_eq!((a.kind.as_str(), a.at), ("pass_thread_control", Some(Millis(T + 500))));
    let expected = serde_json::json!({"page": PAGE, "psid": PSID, "previous_owner_app_id": "99", "new_owner_app_id": APP, "ours": true});
    assert_eq!(Value::Object(a.detail.clone()), expected);
    let taken = of_item(&from_customer(r#""take_thread_control":{"previous_owner_app_id":null,"new_owner_app_id":"99"}"#));
    assert_eq!(
        Value::Object(accounts(&taken)[0].detail.clone()),
        serde_json::json!({"page": PAGE, "psid": PSID, "new_owner_app_id": "99", "ours": false})
    );
    let wish = of_item(&from_customer(r#""request_thread_control":{"requested_owner_app_id":"99","metadata":null}"#));
    assert_eq!(
        Value::Object(accounts(&wish)[0].detail.clone()),
        serde_json::json!({"page": PAGE, "psid": PSID, "requested_owner_app_id": "99"})
    );
}

#[test]
fn policy_is_told_of_the_page_in_both_spellings() {
    for key in ["policy_enforcement", "policy-enforcement"] {
        let events = of_item(&format!(r#"{{"recipient":{{"id":"{PAGE}"}},"timestamp":{T},"{key}":{{"action":"block","reason":"spam"}}}}"#));
        let [a] = accounts(&events)[..] else { panic!("{events:?}") };
        assert_eq!((a.kind.as_str(), a.at), ("policy_enforcement", Some(Millis(T))));
        assert_eq!(Value::Object(a.detail.clone()), serde_json::json!({"page": PAGE, "action": "block", "reason": "spam"}));
    }
}

#[test]
fn a_standby_item_states_the_same_and_that_another_app_holds_the_thread() {
    let item = echo(r#""mid":"m_1","app_id":99"#);
    let (direct, standby) = (of_item(&item), events(&envelope("standby", &item)));
    let [a] = accounts(&standby)[..] else { panic!("{standby:?}") };
    assert_eq!((a.kind.as_str(), a.at), ("standby", Some(Millis(T))));
    assert_eq!(Value::Object(a.detail.clone()), serde_json::json!({"page": PAGE, "psid": PSID, "standby": true, "app_id": "99"}));
    let mut told = messages(&standby)[0].clone();
    assert_eq!(told.detail.remove("standby"), Some(true.into()));
    assert_eq!(&told, messages(&direct)[0]);
}

#[test]
fn a_marketing_failure_fails_its_message_with_metas_words() {
    let value = format!(
        r#"{{"app_id":1,"page_id":{PAGE},"messenger_subscription_token":"demo","timestamp":{T},"error_message":"Đã tắt","message_id":"m_1"}}"#
    );
    let change = format!(r#"{{"field":"marketing_message_delivery_failed","value":{value}}}"#);
    let no_id = format!(r#"{{"object":"page","entry":[{{"changes":[{change}]}}]}}"#);
    for events in [
        events(&envelope("changes", &change)),
        of_item(&from_customer(&format!(r#""marketing_message_delivery_failed":{value}"#))),
        events(&no_id),
    ] {
        let [m] = messages(&events)[..] else { panic!("{events:?}") };
        let failure = Failure {
            ours: false,
            at: Some(Millis(T)),
            code: None,
            subcode: None,
            text: Some("Đã tắt".into()),
            fallback: Some((Class::Unknown, Retry::AfterFix)),
        };
        assert_eq!(
            (m.message_id.as_str(), &m.fact, m.at, m.evidence),
            ("m_1", &Fact::Failed(failure), Some(Millis(T)), Some(Evidence::Receipt))
        );
        assert_eq!(m.sender.as_deref(), Some(PAGE));
        assert!(!serde_json::to_string(&m.detail).unwrap().contains("demo"), "the subscription token stays out");
    }
}

#[test]
fn other_marketing_fields_are_read_as_items_and_other_fields_are_not() {
    let value = from_customer(r#""delivery":{"mids":["m_1"]}"#);
    let change = |field: &str| envelope("changes", &format!(r#"{{"field":"{field}","value":{value}}}"#));
    assert_eq!(messages(&events(&change("marketing_message_deliveries"))).len(), 1);
    for field in ["message_deliveries", "feed", "messenger_template_status_update", ""] {
        assert!(matches!(parsed(&change(field)), Parsed::Ignored(_)), "{field}");
    }
}

#[test]
fn a_template_s_review_and_a_policy_are_told_in_our_words() {
    let change = |field: &str, value: &str| envelope("changes", &format!(r#"{{"field":"{field}","value":{value}}}"#));
    for field in ["messenger_template_status_update", "message_template_status_update", "template_status_update"] {
        let body = change(field, r#"{"event":"REJECTED","message_template_id":594425479261596,"reason":"ABUSIVE_CONTENT"}"#);
        let events = events(&body);
        let [told] = accounts(&events)[..] else { panic!("{events:?}") };
        let About::Template { template_id, change: TemplateChange::Status { status, reason, .. } } = &told.about else {
            panic!("{told:?}")
        };
        assert_eq!((template_id.as_str(), status.status), ("594425479261596", TemplateStatus::Rejected));
        assert_eq!((reason.as_deref(), told.at), (Some("ABUSIVE_CONTENT"), Some(Millis(T + 900))));
    }
    assert!(matches!(parsed(&change("template_status_update", r#"{"event":"APPROVED"}"#)), Parsed::Ignored(_)), "of no template");
    for (word, action) in [("block", PolicyAction::Block), ("unblock", PolicyAction::Unblock), ("warning", PolicyAction::Warning)] {
        let events = of_item(&from_customer(&format!(r#""policy_enforcement":{{"action":"{word}","reason":"spam"}}"#)));
        assert_eq!(accounts(&events)[0].about, About::Policy { action, reason: Some("spam".into()) });
    }
}

#[test]
fn every_entry_and_item_counts_and_a_malformed_one_stops_nobody() {
    let good = |n: u32| echo(&format!(r#""mid":"m_{n}""#));
    let entries: Vec<String> = (0..40)
        .map(|e| {
            format!(
                r#"null,{{"id":"{PAGE}","messaging":[{},{{"message":{{"is_echo":1}}}},7,{}],"standby":[{}],"changes":[null]}}"#,
                good(3 * e),
                good(3 * e + 1),
                good(3 * e + 2)
            )
        })
        .collect();
    let events = events(&format!(r#"{{"object":"page","entry":[{}]}}"#, entries.join(",")));
    let ids: Vec<&str> = messages(&events).iter().map(|m| m.message_id.as_str()).collect();
    assert_eq!(ids, (0..120).map(|n| format!("m_{n}")).collect::<Vec<_>>());
}

#[test]
fn a_page_that_is_not_ours_is_ignored_unless_every_page_is() {
    let body = envelope("messaging", &echo(r#""mid":"m_1""#)).replace(PAGE, "104417700099999");
    assert!(matches!(parsed(&body), Parsed::Ignored(why) if why.contains("page_ids")));
    let open = configured(&[("page_ids", &[])]).unwrap_or_else(|e| panic!("{e}"));
    assert!(matches!(open.parse(&callback(body.as_bytes(), &[])), Parsed::Events(events) if messages(&events).len() == 1));
}

#[test]
fn what_is_no_json_object_is_unreadable_with_a_short_reason() {
    let long = format!("\"{}\"", "x".repeat(100_000));
    for body in ["", " ", "null", "[]", "5", "{", "{} {}", "{\"object\":\"page\",}", "\u{feff}\u{feff}{}", long.as_str()] {
        assert!(matches!(parsed(body), Parsed::Unreadable(why) if why.len() < 2_000 && !why.is_empty()), "{:.20}", body);
    }
    assert!(matches!(account().parse(&callback(b"{\"object\":\"page\xff\"}", &[])), Parsed::Unreadable(_)));
    assert!(matches!(parsed("\u{feff}{}"), Parsed::Ignored(_)));
}
