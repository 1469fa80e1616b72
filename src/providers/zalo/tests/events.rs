//! Events whose meaning depends on more than one fixture can show.

use super::*;
use crate::domain::event::{About, AccountEvent, Evidence, Fact, TemplateChange, TemplateStatus};

fn account_event(body: &str) -> AccountEvent {
    let Parsed::Events(events) = shop().parse(&callback(body)) else { panic!("{body}") };
    let [Event::Account(event)] = &events[..] else { panic!("{events:?}") };
    event.clone()
}

#[test]
fn without_a_known_oa_the_position_decides() {
    let body = format!(
        r#"{{"event_name":"user_received_message","sender":{{"id":"{USER}"}},"recipient":{{"id":"{OA}"}},"message":{{"msg_id":"ab"}}}}"#
    );
    let unknown = one(&*any_oa(), &body);
    assert_eq!((unknown.sender.as_deref(), unknown.recipient.as_deref()), (Some(USER), Some(OA)));
    let known = one(&*shop(), &body);
    assert_eq!((known.sender.as_deref(), known.recipient.as_deref()), (Some(OA), Some(USER)));
}

#[test]
fn the_oa_in_the_body_decides_without_any_configuration() {
    for name in ["oa_id", "oaId"] {
        let body = format!(
            r#"{{"event_name":"user_seen_message","{name}":{OA},"sender":"{USER}","recipient":"{OA}","message":{{"msg_ids":["ab"]}}}}"#
        );
        let event = one(&*any_oa(), &body);
        assert_eq!((event.sender.as_deref(), event.recipient.as_deref()), (Some(OA), Some(USER)), "{name}");
    }
}

#[test]
fn an_event_of_an_oa_that_is_not_configured_is_ignored_where_it_names_one() {
    let receipt = |parties: &str| format!(r#"{{"event_name":"user_received_message",{parties}"message":{{"msg_id":"ab"}}}}"#);
    let foreign = [
        r#""sender":{"id":"55"},"recipient":{"id":"66"},"#,
        r#""sender":{"id":"55"},"#,
        r#""oa_id":"55","#,
        r#""oa_id":"55","sender":{"id":"55"},"recipient":{"id":"84912000111"},"#,
    ];
    for parties in foreign {
        assert_eq!(status(&shop().parse(&callback(receipt(parties)))), "ignored", "{parties}");
        assert_eq!(status(&any_oa().parse(&callback(receipt(parties)))), "processed", "{parties}");
    }
    for parties in ["", r#""recipient":{"id":"84912000111"},"#, r#""sender":{},"recipient":null,"#] {
        assert_eq!(status(&shop().parse(&callback(receipt(parties)))), "processed", "{parties}");
    }
    let either = format!(r#""sender":{{"id":"55"}},"recipient":{{"id":"{OA2}"}},"#);
    assert_eq!(one(&*shop(), &receipt(&either)).sender.as_deref(), Some(OA2));
}

#[test]
fn the_app_scoped_user_id_is_never_a_recipient() {
    let body = format!(r#"{{"event_name":"oa_send_text","sender":{{"id":"{OA}"}},"user_id_by_app":"8","message":{{"msg_id":"ab"}}}}"#);
    assert_eq!(one(&*shop(), &body).recipient, None);
}

#[test]
fn a_reaction_states_read_and_alone_makes_no_message() {
    let body = format!(
        r#"{{"event_name":"user_reacted_message","sender":{{"id":"{USER}"}},"recipient":{{"id":"{OA}"}},"message":{{"msg_id":"ab","react_icon":":>"}},"timestamp":"1764000000060"}}"#
    );
    let event = one(&*shop(), &body);
    assert_eq!((event.fact, event.evidence, event.at), (Fact::Read, None, Some(Millis(1_764_000_000_060))));
    assert_eq!((event.sender.as_deref(), event.recipient.as_deref(), event.kind), (Some(OA), Some(USER), None));
    assert_eq!(event.detail["reaction"], ":>");
    assert_eq!(one(&*any_oa(), &body).sender.as_deref(), Some(OA), "the user is the sender of what the user did");
}

#[test]
fn a_seen_event_states_each_distinct_id_once_and_in_order() {
    let body =
        r#"{"event_name":"user_seen_message","message":{"msg_ids":["b",7,"a","b",7,"c d"],"msg_id":"z"},"timestamp":"1764000000030"}"#;
    let events = messages(shop().parse(&callback(body)));
    let ids: Vec<_> = events.iter().map(|e| e.message_id.as_str()).collect();
    assert_eq!(ids, ["b", "7", "a"]);
    assert!(events.iter().all(|e| e.fact == Fact::Read && e.evidence == Some(Evidence::Receipt) && e.claim.is_none()));
}

#[test]
fn a_kind_without_a_mark_is_a_guess_and_a_marked_one_is_not() {
    let kind = |event: MessageEvent| (event.kind.unwrap_or_default(), event.kind_is_guess);
    let body = |event: &str, more: &str| format!(r#"{{"event_name":"{event}","message":{{"msg_id":"ab"{more}}}}}"#);
    for event in ["user_received_message", "user_seen_message", "user_feedback", "user_click_response_button"] {
        assert_eq!(kind(one(&*shop(), &body(event, ""))), ("chat".into(), true), "{event}");
        assert_eq!(kind(one(&*shop(), &body(event, r#","tracking_id":"r""#))), ("zns".into(), false), "{event}");
        let by_header = shop().parse(&with_header(callback(body(event, "")), SERVER_HEADER, "ZNS"));
        assert_eq!(kind(messages(by_header).remove(0)), ("zns".into(), false), "{event}");
    }
    assert_eq!(kind(one(&*shop(), &body("oa_send_text", r#","tracking_id":"r""#))), ("chat".into(), true));
    assert_eq!(kind(one(&*shop(), &body("oa_send_group_image", ""))), ("group".into(), false));
    assert_eq!(kind(one(&*shop(), &body("oa_send_anonymous_file", ""))), ("anonymous".into(), false));
}

#[test]
fn a_tracking_id_claims_the_message_for_its_registration() {
    let body = |event: &str, reference: &str| {
        let message =
            format!(r#"{{"msg_id":"ab","tracking_id":{reference},"delivery_time":"1764000000010","submit_time":"1764000000020"}}"#);
        format!(r#"{{"event_name":"{event}","message":{message},"timestamp":"1764000000005"}}"#)
    };
    for (event, at) in [("user_received_message", 10), ("user_feedback", 20), ("user_click_response_button", 20)] {
        let claim = one(&*shop(), &body(event, "\"order 1\"")).claim.unwrap();
        assert_eq!((claim.reference.as_str(), claim.at), ("order 1", Some(Millis(1_764_000_000_000 + at))), "{event}");
        assert!(claim.shown && !claim.same_recipient);
        assert_eq!(one(&*shop(), &body(event, "901234567890123456789")).claim.unwrap().reference, "901234567890123456789");
        for none in ["\"\"", "null", "{}", "[\"a\"]"] {
            assert_eq!(one(&*shop(), &body(event, none)).claim, None, "{event} {none}");
        }
    }
    assert_eq!(one(&*shop(), &body("oa_send_text", "\"order 1\"")).claim, None);
}

#[test]
fn a_time_counts_only_between_2015_and_thirty_days_after_arrival() {
    let at = |timestamp: &str| {
        one(&*shop(), &format!(r#"{{"event_name":"oa_send_text","message":{{"msg_id":"ab"}},"timestamp":{timestamp}}}"#)).at
    };
    assert_eq!(at("\"1420070400000\""), Some(Millis(1_420_070_400_000)));
    assert_eq!(at(" 1764000000111 "), Some(Millis(1_764_000_000_111)));
    assert_eq!(at("\" 1764000000111 \""), Some(Millis(1_764_000_000_111)));
    let latest = ARRIVAL.plus(Span::days(30)).0;
    assert_eq!(at(&latest.to_string()), Some(Millis(latest)));
    for none in [
        "\"1420070399999\"",
        &(latest + 1).to_string(),
        "\"154390853474\"",
        "4321",
        "\"\"",
        "null",
        "true",
        "{}",
        "-1",
        "1e400",
        "\"9999999999999999999999\"",
    ] {
        assert_eq!(at(none), None, "{none}");
    }
}

#[test]
fn a_button_has_its_id_at_the_top_and_a_receipt_in_its_message() {
    let body = |event: &str| format!(r#"{{"event_name":"{event}","msg_id":"top","message":{{"msg_id":"inner"}}}}"#);
    assert_eq!(one(&*shop(), &body("user_click_response_button")).message_id, "top");
    for event in ["user_received_message", "user_feedback", "user_reacted_message", "oa_send_text", "user_seen_message"] {
        assert_eq!(one(&*shop(), &body(event)).message_id, "inner", "{event}");
    }
}

#[test]
fn no_words_of_a_message_or_a_customer_enter_the_timeline() {
    let inner = r#"{"msg_id":"ab","text":"geheim","note":"geheim","option":"geheim","feedbacks":["geheim"],"data":"geheim","attachments":[{"payload":"geheim"}]}"#;
    for event in [
        "oa_send_text",
        "user_received_message",
        "user_seen_message",
        "user_reacted_message",
        "user_feedback",
        "user_click_response_button",
    ] {
        let parsed = shop().parse(&callback(format!(r#"{{"event_name":"{event}","message":{inner}}}"#)));
        assert_eq!(status(&parsed), "processed");
        assert!(!format!("{parsed:?}").contains("geheim"), "{event}");
    }
    let event = account_event(r#"{"event_name":"change_template_quality","quality":"LOW","message":{"text":"geheim"}}"#);
    assert!(!format!("{event:?}").contains("geheim"));
}

#[test]
fn an_account_event_says_what_changed() {
    let status = account_event(&format!(
        r#"{{"app_id":"{APP}","timestamp":"1764000000090","oa_id":"{OA}","event_name":"change_template_status","template_id":204455,"status":{{"prev_status":"PENDING_REVIEW","new_status":"REJECT"}},"reason":"x"}}"#
    ));
    assert_eq!((status.kind.as_str(), status.at), ("change_template_status", Some(Millis(1_764_000_000_090))));
    assert_eq!(status.detail["template_id"], "204455");
    assert_eq!(status.detail["status"]["new_status"], "REJECT");
    assert_eq!((&status.detail["reason"], &status.detail["oa_id"]), (&"x".into(), &OA.into()));
    let quota =
        account_event(&format!(r#"{{"oaId":"{OA}","event_name":"change_oa_daily_quota","quota":{{"prev_value":500,"new_value":5000}}}}"#));
    assert_eq!((&quota.detail["quota"]["new_value"], &quota.detail["oa_id"]), (&5000.into(), &OA.into()));
    let revoked = account_event(r#"{"event_name":"permission_revoked"}"#);
    assert_eq!(revoked.detail["needs_reauthorization"], true);
    let huge = account_event(&format!(r#"{{"event_name":"change_template_quota","x":[{}1]}}"#, "1,".repeat(50_000)));
    assert!(huge.detail["x"].as_str().unwrap().len() <= 200);
}

#[test]
fn an_account_event_states_it_in_our_words() {
    let about = |members: &str| account_event(&format!(r#"{{"oa_id":"{OA}",{members}}}"#)).about;
    for (word, status) in [
        ("PENDING_REVIEW", TemplateStatus::Pending),
        ("ENABLE", TemplateStatus::Approved),
        ("REJECT", TemplateStatus::Rejected),
        ("DISABLE", TemplateStatus::Disabled),
        ("DELETE", TemplateStatus::Deleted),
        ("ON_HOLD", TemplateStatus::Unknown),
    ] {
        let told = about(&format!(
            r#""event_name":"change_template_status","template_id":204455,"status":{{"prev_status":"ENABLE","new_status":"{word}"}},"reason":"x""#
        ));
        let About::Template { template_id, change: TemplateChange::Status { previous, status: now, reason } } = told else {
            panic!("{told:?}")
        };
        assert_eq!((template_id.as_str(), now.status, now.raw.as_str(), reason.as_deref()), ("204455", status, word, Some("x")));
        assert_eq!(previous.unwrap().status, TemplateStatus::Approved);
    }
    let quality = about(r#""event_name":"change_template_quality","template_id":"t","quality":"LOW""#);
    assert_eq!(quality, About::Template { template_id: "t".into(), change: TemplateChange::Quality("LOW".into()) });
    let quota = about(r#""event_name":"change_template_quota","template_id":"t","new":{"n":5}"#);
    assert_eq!(quota, About::Template { template_id: "t".into(), change: TemplateChange::Quota(r#"{"new":{"n":5}}"#.into()) });
    let daily = r#"{"oaId":"9100200300400500601","event_name":"change_oa_daily_quota","quota":{"prev_value":500,"new_value":5000}}"#;
    let expected = About::DailyQuota { sender: Some(OA.into()), previous: Some("500".into()), value: Some("5000".into()) };
    assert_eq!(account_event(daily).about, expected);
    assert_eq!(about(r#""event_name":"permission_revoked""#), About::Revoked { sender: Some(OA.into()) });
    for odd in [r#""event_name":"change_template_status","template_id":"t""#, r#""event_name":"change_oa_template_tags","tags":[1]"#] {
        assert_eq!(about(odd), About::Other, "{odd}");
    }
}

#[test]
fn an_unknown_event_is_named_shortly_in_its_reason() {
    let Parsed::Ignored(reason) = shop().parse(&callback(format!(r#"{{"event_name":"{}"}}"#, "é".repeat(5_000)))) else { panic!() };
    assert!(reason.chars().count() < 250);
    let Parsed::Unreadable(reason) = shop().parse(&callback(format!("\"{}\"", "x".repeat(5_000)))) else { panic!() };
    assert!(reason.chars().count() < 250);
}

#[test]
fn an_id_with_control_characters_is_no_id() {
    for id in [r"\u0000", r"ab\u0007"] {
        assert_eq!(status(&shop().parse(&callback(format!(r#"{{"event_name":"oa_send_text","message":{{"msg_id":"{id}"}}}}"#)))), "error");
    }
    for id in ["a b", r"a\nb", r"\u00a0"] {
        assert_eq!(
            status(&shop().parse(&callback(format!(r#"{{"event_name":"oa_send_text","message":{{"msg_id":"{id}"}}}}"#)))),
            "ignored"
        );
    }
}

#[test]
fn a_users_acts_open_the_window_of_their_conversation() {
    let opened = |body: &str| match shop().parse(&callback(body)) {
        Parsed::Aside { events, .. } | Parsed::Events(events) => {
            events.into_iter().filter_map(|e| if let Event::Thread(t) = e { Some((t.sender, t.recipient)) } else { None }).collect()
        }
        Parsed::Ignored(_) | Parsed::Unreadable(_) => Vec::new(),
    };
    let sides = |event: &str, more: &str| format!(r#"{{"event_name":"{event}","sender":{{"id":"47"}},"recipient":{{"id":"{OA}"}}{more}}}"#);
    let both = vec![(OA.to_owned(), "47".to_owned())];
    for body in [
        sides("user_send_text", r#","message":{"msg_id":"x","text":"y"}"#),
        sides("user_send_sticker", ""),
        sides("user_reacted_message", r#","message":{"msg_id":"x","react_icon":"/-heart"}"#),
        format!(r#"{{"event_name":"follow","oa_id":"{OA}","follower":{{"id":"47"}}}}"#),
        format!(r#"{{"event_name":"user_click_chatnow","oa_id":"{OA}","user_id":"47"}}"#),
        format!(r#"{{"event_name":"user_call_oa","oa_id":"{OA}","user_id":"47","call_duration":12}}"#),
    ] {
        assert_eq!(opened(&body), both, "{body}");
    }
    for body in [
        format!(r#"{{"event_name":"unfollow","oa_id":"{OA}","follower":{{"id":"47"}}}}"#),
        format!(r#"{{"event_name":"user_call_oa","oa_id":"{OA}","user_id":"47","call_duration":0}}"#),
        format!(r#"{{"event_name":"follow","oa_id":"{OA}"}}"#),
        sides("user_send_group_text", ""),
        sides("user_submit_info", ""),
        sides("user_received_message", r#","message":{"msg_id":"x"}"#),
        sides("user_send_text", "").replace(OA, "9999"),
    ] {
        assert_eq!(opened(&body), [], "{body}");
    }
}
