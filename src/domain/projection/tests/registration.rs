//! Registration: idempotent by either name; contradictions are named member by member and refuse the whole call.

use super::*;

fn full() -> Registration {
    Registration {
        sender: Some("oa".into()),
        recipient: Some("84901234567".into()),
        kind: Some("zns".into()),
        template_id: Some("7".into()),
        scheduled_at: Some(Millis(5)),
        metadata: crate::domain::metadata::Metadata::parse(r#"{"a":1}"#),
        ..registration(Some("r"), Some("m"))
    }
}

fn conflict(outcome: Outcome) -> RegistrationConflict {
    match outcome {
        Outcome::Conflict(conflict) => conflict,
        other => panic!("taken: {other:?}"),
    }
}

fn fields(conflict: &RegistrationConflict) -> Vec<&str> {
    conflict.differences.iter().map(|d| d.field).collect()
}

#[test]
fn the_same_registration_again_is_known_and_changes_nothing() {
    let mut shelf = Shelf::of(OA, [Step::Register(vec![full()])]);
    let before = shelf.shown();
    for again in [full(), registration(Some("r"), None), registration(None, Some("m")), registration(Some("r"), Some("m"))] {
        let outcome = shelf.step(OA, ARRIVAL + 9, Step::Register(vec![again]));
        assert_eq!(outcome, Outcome::Registered(vec![Registered { row: 1, new: false }]));
        let (now, then) = (shelf.only(), &before[0]);
        assert_eq!((now.summary, now.derived, now.facts), (then.summary.clone(), then.derived.clone(), then.facts.clone()));
    }
}

#[test]
fn a_message_of_which_a_callback_told_before_is_known() {
    let new = |steps: Vec<Step>, r: Registration| match Shelf::of(OA, steps).step(OA, ARRIVAL + 9, Step::Register(vec![r])) {
        Outcome::Registered(all) => all[0].new,
        other => panic!("{other:?}"),
    };
    assert!(new(vec![], registration(Some("r"), None)));
    assert!(!new(vec![callback(receipt("m", "r", 10))], registration(Some("r"), None)));
    assert!(!new(vec![callback(receipt("m", "r", 10))], registration(None, Some("m"))));
    let told = |reference| vec![callback(receipt("m", "r", 10)), register(reference, Some("m"))];
    assert!(!new(told(None), registration(Some("r"), None)), "registered by its id alone, m may be r");
    assert!(new(told(Some("s")), registration(Some("r"), None)), "m is somebody else");
}

#[test]
fn later_registrations_fill_in_what_was_not_told_before() {
    let steps = [register(Some("r"), None), register(None, Some("m")), Step::Register(vec![full()])];
    let shown = every_order(OA, &steps, in_any_order);
    assert_eq!(brief(&shown), ["m r sent"]);
    assert_eq!(shown[0].summary.filed.recipient.as_deref(), Some("84901234567"));
}

#[test]
fn a_contradiction_is_named_member_by_member_with_both_values() {
    let mut shelf = Shelf::of(OA, [Step::Register(vec![full()])]);
    let other = Registration {
        sender: Some("ob".into()),
        recipient: Some("84911111111".into()),
        kind: Some("cs".into()),
        template_id: Some("8".into()),
        scheduled_at: Some(Millis(6)),
        metadata: crate::domain::metadata::Metadata::parse(r#"{"a":2}"#),
        ..registration(Some("r"), Some("n"))
    };
    let found = conflict(shelf.step(OA, ARRIVAL + 1, Step::Register(vec![other])));
    assert_eq!((found.index, found.row), (0, Some(1)));
    assert_eq!(fields(&found), ["message_id", "sender", "recipient", "kind", "template_id", "scheduled_at", "metadata"]);
    let recipient = &found.differences[2];
    assert_eq!((recipient.known.as_str(), recipient.given.as_str()), ("84901234567", "84911111111"));
    let by_the_id = conflict(shelf.step(OA, ARRIVAL + 1, register(Some("s"), Some("m"))));
    assert_eq!(fields(&by_the_id), ["ref"]);
}

#[test]
fn what_a_callback_told_is_no_contradiction() {
    let event = MessageEvent { recipient: Some("84911111111".into()), kind: Some("chat".into()), ..told("m", Fact::Sent, Some(9)) };
    let mut shelf = Shelf::of(OA, [callback(event)]);
    assert!(matches!(shelf.step(OA, ARRIVAL + 1, Step::Register(vec![full()])), Outcome::Registered(_)));
    assert_eq!(shelf.only().summary.kind.as_deref(), Some("zns"));
}

#[test]
fn a_contradiction_inside_one_call_refuses_all_of_it() {
    let to = |r: Registration, recipient: &str| Registration { recipient: Some(recipient.into()), ..r };
    let by_ref = || registration(Some("r"), None);
    let by_id = || registration(None, Some("m"));
    let calls = [
        (vec![registration(Some("z"), None), to(by_ref(), "a"), to(by_ref(), "b")], 2, "recipient"),
        (vec![registration(Some("r"), Some("m")), registration(Some("r"), Some("n"))], 1, "message_id"),
        (vec![registration(Some("r"), Some("m")), registration(Some("s"), Some("m"))], 1, "ref"),
        // The two names are found to be one message only by the third.
        (vec![to(by_ref(), "a"), to(by_id(), "b"), registration(Some("r"), Some("m"))], 2, "recipient"),
        (vec![registration(Some("r"), Some("m")), to(by_ref(), "a"), to(by_id(), "b")], 2, "recipient"),
    ];
    for (call, index, field) in calls {
        let mut shelf = Shelf::default();
        let found = conflict(shelf.step(OA, ARRIVAL, Step::Register(call)));
        assert_eq!((found.index, found.row, fields(&found)), (index, None, vec![field]));
        assert!(shelf.rows_in_use().is_empty(), "nothing was taken");
    }
}

#[test]
fn a_contradiction_with_what_is_on_record_refuses_all_of_the_call() {
    let mut shelf = Shelf::of(OA, [Step::Register(vec![full()])]);
    let before = shelf.shown();
    let call = vec![registration(Some("new"), None), registration(Some("r"), Some("n"))];
    let found = conflict(shelf.step(OA, ARRIVAL + 1, Step::Register(call)));
    assert_eq!((found.index, found.row), (1, Some(1)));
    assert_eq!(shelf.shown(), before);
}

#[test]
fn two_messages_on_record_that_contradict_each_other_are_not_made_one() {
    let to = |r: Registration, recipient: &str| Step::Register(vec![Registration { recipient: Some(recipient.into()), ..r }]);
    let mut shelf = Shelf::of(OA, [to(registration(Some("r"), None), "a"), to(registration(None, Some("m")), "b")]);
    let found = conflict(shelf.step(OA, ARRIVAL + 2, register(Some("r"), Some("m"))));
    assert_eq!(fields(&found), ["recipient"]);
    let refused = shelf.step(OA, ARRIVAL + 3, accepted(by_reference("r"), Some("m")));
    assert_eq!(refused, Outcome::Refused(Refused::IdTaken { message_id: "m".into(), owner: 2 }));
    // The same within one call: the first member gives the message of the second one its id.
    let mut shelf = Shelf::of(OA, [register(Some("r"), None), accepted(by_reference("r"), Some("y"))]);
    let call = Step::Register(vec![registration(Some("r"), Some("x")), registration(None, Some("y"))]);
    assert_eq!(fields(&conflict(shelf.step(OA, ARRIVAL + 2, call))), ["message_id"]);
}

#[test]
fn a_call_that_joins_its_own_members_answers_with_the_message_they_became() {
    let mut shelf = Shelf::default();
    let call = vec![registration(None, Some("m")), registration(Some("r"), None), registration(Some("r"), Some("m"))];
    let Outcome::Registered(taken) = shelf.step(OA, ARRIVAL, Step::Register(call)) else { panic!("refused") };
    assert!(taken.iter().all(|t| t.row == taken[0].row), "{taken:?}");
    assert_eq!(brief(&shelf.shown()), ["m r sent"]);
}
