//! Which failure is reported, when it happened, and what outweighs it.

use super::*;

fn failed(code: &str, at: Option<i64>) -> Told {
    told(Fact::Failed(Failure { at: at.map(Millis), ..Failure::coded(code, None) }), at)
}

fn code(all: &[Told]) -> Option<String> {
    let forwards = World::of(all).derived().failure;
    let mut backwards = all.to_vec();
    backwards.reverse();
    assert_eq!(forwards, World::of(&backwards).derived().failure, "the order decided");
    forwards.and_then(|f| f.code)
}

#[test]
fn the_providers_own_code_wins_over_one_of_ours() {
    assert_eq!(code(&[Told::Mark("gone"), failed("-118", None)]).as_deref(), Some("-118"));
    let ours = Told::Refused(Failure { at: Some(Millis(1)), ..Failure::ours("http_401", None) }, None);
    assert_eq!(code(&[ours.clone(), failed("-118", Some(99))]).as_deref(), Some("-118"));
    assert_eq!(code(&[ours, Told::Mark("gone")]).as_deref(), Some("http_401"), "the one with a provider's time");
}

#[test]
fn then_the_earliest_provider_time_and_then_the_smaller_code_decide() {
    assert_eq!(code(&[failed("-118", Some(20)), failed("-230", Some(10))]).as_deref(), Some("-230"));
    assert_eq!(code(&[failed("-118", None), failed("-230", Some(10))]).as_deref(), Some("-230"));
    assert_eq!(code(&[failed("-230", Some(10)), failed("-118", Some(10))]).as_deref(), Some("-118"));
    assert_eq!(code(&[failed("-230", None), failed("-118", None)]).as_deref(), Some("-118"));
}

#[test]
fn a_code_of_ours_and_a_missing_code_of_the_providers_do_not_depend_on_order() {
    let nameless = Failure { code: None, ..Failure::coded("", Some("words".into())) };
    let ours = Failure { ours: true, ..nameless.clone() };
    for (a, b) in [(&nameless, &ours), (&ours, &nameless)] {
        let all = [Told::Refused(a.clone(), None), Told::Refused(b.clone(), None)];
        assert_eq!(World::of(&all).derived().failure.as_ref(), Some(&nameless));
    }
}

#[test]
fn failed_at_is_the_earliest_of_its_kind_whichever_code_is_reported() {
    let mut world = World::default();
    world.tell(&failed("-118", Some(20)), Millis(ARRIVAL));
    world.tell(&failed("-230", Some(10)), Millis(ARRIVAL + 1));
    world.tell(&Told::Mark("gone"), Millis(5));
    assert_eq!(world.derived().failed_at, Some(Millis(10)), "the provider's time before our arrival");
    let mut ours = World::default();
    ours.tell(&Told::Mark("gone"), Millis(7));
    ours.tell(&Told::Refused(Failure::coded("-1", None), None), Millis(6));
    assert_eq!(ours.derived().failed_at, Some(Millis(6)));
}

#[test]
fn an_accepted_attempt_outweighs_the_refused_ones_without_a_conflict() {
    let all = [word("registered"), word("refused"), word("accepted")];
    let d = World::of(&all).derived();
    assert_eq!((d.state, d.failed_at, d.failure, d.conflict), (State::Sent, None, None, false));
}

#[test]
fn an_accepted_attempt_does_not_outweigh_a_mark_or_the_providers_later_report() {
    for bad in ["marked", "failed"] {
        let d = World::of(&[word("refused"), word("accepted"), word(bad)]).derived();
        assert_eq!(d.state, State::Failed);
        assert_ne!(d.failure.and_then(|f| f.code).as_deref(), Some("-230"), "the refusal stays out of it");
    }
}

#[test]
fn a_delivered_message_that_was_reported_failed_keeps_both_times_and_the_code() {
    let d = World::of(&[word("failed"), word("delivered")]).derived();
    assert_eq!((d.state, d.conflict), (State::Delivered, true));
    assert_eq!((d.failed_at, d.delivered_at), (Some(Millis(15)), Some(Millis(20))));
    assert_eq!(d.failure.and_then(|f| f.code).as_deref(), Some("1545041"));
    assert_eq!(d.recipients, Recipients { total: 1, delivered: 1, failed: 0 });
}

#[test]
fn an_unknown_outcome_is_said_only_while_nothing_better_is_known() {
    let unknown = |words: &[&str]| World::of(&words.iter().map(|w| word(w)).collect::<Vec<_>>()).derived().outcome_unknown;
    assert!(unknown(&["registered", "unknown"]));
    for better in ["accepted", "refused", "queued", "sent", "failed", "marked", "delivered", "read", "0/0/1"] {
        assert!(!unknown(&["registered", "unknown", better]), "{better}");
        assert!(!unknown(&[better, "unknown"]), "{better} first");
    }
}
