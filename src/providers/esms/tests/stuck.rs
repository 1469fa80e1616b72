//! Where codes are looked up, when a message is overdue, and why.

use super::*;
use crate::domain::stuck::{Cause, Evidence};

fn families(kind: Option<&str>, code: &str) -> Vec<String> {
    (SPEC.lookup)(kind, code, None).into_iter().map(|at| format!("{}/{}", at.provider, at.family)).collect()
}

#[test]
fn zalos_codes_are_looked_up_in_error_info_and_then_at_zalo_by_kind() {
    for own in ["100", "146", "rejected", "http_401", "1001"] {
        assert_eq!(families(None, own)[..2], ["esms/esms", "esms/error_info"], "{own}");
    }
    for kind in ["zns", "zns_priority", "zns_journey"] {
        assert_eq!(families(Some(kind), "-118")[..2], ["esms/error_info", "zalo/zns"], "{kind}");
    }
    assert_eq!(families(Some("zalo_consultation"), "-213")[0], "esms/error_info");
    assert_eq!(families(Some("zalo_consultation"), "-100")[..2], ["zalo/oa", "esms/error_info"]);
    assert_eq!(families(None, "-118")[..3], ["esms/error_info", "zalo/zns", "zalo/oa"]);
}

#[test]
fn the_oa_codes_are_those_the_catalogue_names() {
    let file: toml::Table = toml::from_str(SPEC.families[1].toml).unwrap();
    let entries = file["entry"].as_array().unwrap();
    let named = entries.iter().filter(|e| e["applies_to"].as_array().unwrap().iter().any(|a| a.as_str() == Some("zalo_consultation")));
    let named: Vec<&str> = named.map(|e| e["code"].as_str().unwrap()).collect();
    assert_eq!(named, OA_CODES);
}

#[test]
fn every_code_of_ours_is_in_the_catalogue() {
    let file: toml::Table = toml::from_str(SPEC.families[0].toml).unwrap();
    let codes: Vec<&str> = file["entry"].as_array().unwrap().iter().filter_map(|e| e["code"].as_str()).collect();
    for ours in ["rejected", "undelivered", "no_answer", "invalid_request", "http_401", "http_403", "http_429"] {
        assert!(codes.contains(&ours), "{ours}");
    }
}

#[test]
fn every_kind_has_a_deadline() {
    let of = |kind| DEADLINES.iter().find(|d| d.kind == kind).map(|d| d.sent);
    assert_eq!(of("sms_customer_care"), Some(Span::minutes(15)));
    assert_eq!(of("zns"), Some(Span::hours(2)));
    assert_eq!(of("sms_advertising"), Some(Span::hours(24)));
    assert!(of("*").is_some());
}

fn evidence(state: State) -> Evidence<'static> {
    Evidence {
        state,
        kind: None,
        outcome_unknown: false,
        awaiting_approval: false,
        awaiting_sending: false,
        results_pending: false,
        called_back: false,
        held_by_other: false,
        sender: None,
        scheduled_at: None,
        since: ARRIVAL,
        now: ARRIVAL,
    }
}

#[test]
fn the_cause_is_the_furthest_word_of_the_provider() {
    let cause = SPEC.stuck_cause;
    let (queued, sent) = (evidence(State::Queued), evidence(State::Sent));
    let future = Some(ARRIVAL.plus(Span::hours(1)));
    let past = Some(ARRIVAL.minus(Span::hours(1)));
    assert_eq!(cause(&Evidence { outcome_unknown: true, ..queued }), Cause::SendUnconfirmed);
    assert_eq!(cause(&Evidence { outcome_unknown: true, scheduled_at: future, ..queued }), Cause::SendUnconfirmed);
    assert_eq!(cause(&queued), Cause::SendUnconfirmed);
    assert_eq!(cause(&Evidence { scheduled_at: future, ..queued }), Cause::Scheduled);
    for state in [queued, sent] {
        let called = Evidence { called_back: true, ..state };
        assert_eq!(cause(&Evidence { awaiting_approval: true, ..called }), Cause::AwaitingApproval);
        assert_eq!(cause(&Evidence { awaiting_approval: true, outcome_unknown: true, ..called }), Cause::AwaitingApproval);
        assert_eq!(cause(&Evidence { awaiting_sending: true, scheduled_at: future, ..called }), Cause::Scheduled);
        assert_eq!(cause(&Evidence { awaiting_approval: true, awaiting_sending: true, scheduled_at: future, ..called }), Cause::Scheduled);
        assert_eq!(cause(&Evidence { results_pending: true, awaiting_approval: true, ..called }), Cause::PollNeeded);
    }
    let called = Evidence { called_back: true, ..queued };
    assert_eq!(cause(&called), Cause::PollNeeded, "a draft: eSMS has it, so nothing is unconfirmed");
    assert_eq!(cause(&Evidence { scheduled_at: future, ..called }), Cause::Scheduled);
    for state in [queued, sent] {
        let overdue = Evidence { called_back: true, awaiting_sending: true, scheduled_at: past, ..state };
        assert_eq!(cause(&overdue), Cause::PollNeeded, "not handed over yet: no phone is to blame");
    }
    assert_eq!(cause(&sent), Cause::WebhookSilent);
    assert_eq!(cause(&Evidence { scheduled_at: past, ..sent }), Cause::WebhookSilent);
    assert_eq!(cause(&Evidence { scheduled_at: future, ..sent }), Cause::Scheduled, "before its hour nothing is called back");
    assert_eq!(cause(&Evidence { called_back: true, ..sent }), Cause::RecipientUnreachable);
}
