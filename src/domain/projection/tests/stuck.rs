//! The overlay of messages that stay too long: set when the deadline passes, gone when the message moves.

use super::*;

fn queued() -> Shelf {
    Shelf::of(OA, [register(Some("r"), None)])
}

#[test]
fn an_open_message_waits_until_its_deadline_and_is_stuck_from_then_on() {
    let mut shelf = queued();
    assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, Some(Millis(ARRIVAL + 1_000))));
    shelf.sweep(1, ARRIVAL + 999);
    assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, Some(Millis(ARRIVAL + 1_000))));
    shelf.sweep(1, ARRIVAL + 1_000);
    let stuck = shelf.stuck(1).expect("stuck");
    assert_eq!((stuck.since, stuck.deadline, stuck.cause), (Millis(ARRIVAL), Millis(ARRIVAL + 1_000), Cause::SendUnconfirmed));
    assert_eq!(shelf.message(1).due_at, None);
    assert_eq!(shelf.transitions, [(None, State::Queued)], "an overlay moves nothing");
}

#[test]
fn a_stuck_message_that_moves_gets_the_deadline_of_its_new_state_or_none() {
    let mut shelf = queued();
    shelf.sweep(1, ARRIVAL + 2_000);
    assert!(shelf.stuck(1).is_some());
    shelf.step(OA, ARRIVAL + 2_001, accepted(by_reference("r"), Some("m")));
    assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, Some(Millis(ARRIVAL + 7_001))));
    shelf.sweep(1, ARRIVAL + 7_001);
    assert_eq!(shelf.stuck(1).map(|s| s.cause), Some(Cause::RecipientUnreachable));
    shelf.step(OA, ARRIVAL + 9_000, callback(told("m", Fact::Delivered, Some(20))));
    assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, None));
}

#[test]
fn a_scheduled_message_is_looked_at_again_at_its_hour() {
    let r = Registration { scheduled_at: Some(Millis(ARRIVAL + 60_000)), ..registration(Some("r"), None) };
    let mut shelf = Shelf::of(OA, [Step::Register(vec![r])]);
    shelf.sweep(1, ARRIVAL + 1_000);
    assert_eq!(shelf.stuck(1).map(|s| s.cause), Some(Cause::Scheduled));
    assert_eq!(shelf.message(1).due_at, Some(Millis(ARRIVAL + 60_000)));
    shelf.sweep(1, ARRIVAL + 60_000);
    assert_eq!((shelf.stuck(1).map(|s| s.cause), shelf.message(1).due_at), (Some(Cause::SendUnconfirmed), None));
}

#[test]
fn what_was_lent_or_merged_is_never_stuck_itself() {
    let mut lent = Shelf::of(
        OA,
        [callback(MessageEvent { claim: receipt("m", "r", 9).claim, ..told("m", Fact::Sent, Some(9)) }), register(Some("r"), None)],
    );
    let mut merged =
        Shelf::of(OA, [callback(told("m", Fact::Sent, Some(9))), register(Some("r"), None), accepted(by_reference("r"), Some("m"))]);
    for shelf in [&mut lent, &mut merged] {
        shelf.sweep(1, ARRIVAL * 9);
        assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, None));
        shelf.sweep(2, ARRIVAL * 9);
        assert!(shelf.stuck(2).is_some());
    }
}

#[test]
fn a_fact_older_than_its_deadline_is_stuck_at_once_and_a_hearsay_message_never() {
    let r = Registration { queued_at: Some(Millis(5)), ..registration(Some("r"), None) };
    assert!(Shelf::of(OA, [Step::Register(vec![r])]).stuck(1).is_some());
    let hearsay = MessageEvent { evidence: None, ..told("m", Fact::Noted, None) };
    let mut shelf = Shelf::of(OA, [callback(hearsay)]);
    shelf.sweep(1, ARRIVAL * 9);
    assert_eq!(shelf.stuck(1), None);
}

#[test]
fn a_kind_that_is_told_later_brings_its_own_deadline_also_for_what_was_stuck_by_another() {
    let mut shelf = queued();
    shelf.sweep(1, ARRIVAL + 1_000);
    assert!(shelf.stuck(1).is_some());
    let told = Registration { kind: Some("leisurely".into()), ..registration(Some("r"), None) };
    shelf.step(OA, ARRIVAL + 1_100, Step::Register(vec![told]));
    assert_eq!((shelf.stuck(1), shelf.message(1).due_at), (None, Some(Millis(ARRIVAL + 50_000))));
    shelf.sweep(1, ARRIVAL + 50_000);
    assert_eq!(shelf.stuck(1).map(|s| s.deadline), Some(Millis(ARRIVAL + 50_000)));
}
