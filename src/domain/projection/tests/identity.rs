//! Ids decide: answers before and after receipts, merged messages, ids of others, accounts.

use super::*;

#[test]
fn an_answer_and_a_receipt_join_on_the_id_in_every_order() {
    let steps = [register(Some("r"), None), accepted(by_reference("r"), Some("m")), callback(told("m", Fact::Delivered, Some(20)))];
    let shown = every_order(OA, &steps, before(0, 1));
    assert_eq!(brief(&shown), ["m r delivered"]);
    assert_eq!(shown[0].origin(), Some(Evidence::Registered));
    assert_eq!(shown[0].timeline.len(), 3);
}

#[test]
fn a_registration_with_an_id_joins_what_was_seen_of_it() {
    let steps = [callback(told("m", Fact::Read, Some(30))), callback(told("m", Fact::Sent, Some(10))), register(Some("r"), Some("m"))];
    let shown = every_order(OA, &steps, in_any_order);
    assert_eq!(brief(&shown), ["m r read"]);
    assert_eq!(shown[0].derived.sent_at, Some(Millis(10)));
}

#[test]
fn one_message_registered_by_id_and_by_reference_becomes_one_when_an_answer_or_a_registration_says_so() {
    let answer = [register(Some("r"), None), register(None, Some("m")), accepted(by_reference("r"), Some("m"))];
    assert_eq!(brief(&every_order(OA, &answer, before(0, 2))), ["m r sent"]);
    let both = [register(Some("r"), None), register(None, Some("m")), register(Some("r"), Some("m"))];
    assert_eq!(brief(&every_order(OA, &both, in_any_order)), ["m r sent"]);
    let aimed_at_the_id =
        [register(None, Some("m")), register(Some("r"), None), accepted(by_reference("r"), Some("n")), accepted(by_id("m"), Some("n"))];
    let allowed = |o: &[usize]| before(0, 3)(o) && before(1, 2)(o);
    assert_eq!(brief(&every_order(OA, &aimed_at_the_id, allowed)), ["m r sent"]);
}

#[test]
fn a_merged_message_keeps_everything() {
    let mut shelf = Shelf::of(
        OA,
        [
            callback(MessageEvent { kind: Some("zns".into()), ..told("m", Fact::Delivered, Some(20)) }),
            callback(told("m", Fact::Read, Some(30))),
            Step::Mark(by_id("m"), "the customer called"),
            register(Some("r"), None),
            refused(by_reference("r"), "-230", None),
            accepted(by_reference("r"), Some("m")),
        ],
    );
    let one = shelf.only();
    assert_eq!(brief(std::slice::from_ref(&one)), ["m r read"]);
    assert_eq!((one.derived.delivered_at, one.derived.read_at, one.derived.conflict), (Some(Millis(20)), Some(Millis(30)), true));
    assert_eq!(one.summary.kind.as_deref(), Some("zns"));
    assert_eq!(one.timeline.len(), 6);
    assert_eq!(shelf.message(1).merged_into, Some(2));
    shelf.step(OA, ARRIVAL + 9, callback(told("m", Fact::Sent, Some(5))));
    assert_eq!(shelf.only().derived.sent_at, Some(Millis(5)), "the id leads to the message it went into");
    assert_eq!(shelf.step(OA, ARRIVAL + 10, Step::Mark(by_id("m"), "again")), Outcome::Took(2));
}

#[test]
fn a_reference_stays_findable_after_its_message_was_merged_away() {
    let mut shelf = Shelf::of(
        OA,
        [register(None, Some("m")), register(Some("r"), None), accepted(by_reference("r"), Some("n")), accepted(by_id("m"), Some("n"))],
    );
    assert_eq!(shelf.step(OA, ARRIVAL + 9, Step::Mark(by_reference("r"), "found")), Outcome::Took(1));
    assert!(
        matches!(shelf.step(OA, ARRIVAL + 10, register(Some("r"), None)), Outcome::Registered(all) if all == [Registered { row: 1, new: false }])
    );
}

#[test]
fn every_id_of_a_merged_message_leads_to_the_one_it_went_into() {
    let two_ids =
        [register(None, Some("m")), accepted(by_id("m"), Some("n")), register(Some("r"), None), accepted(by_reference("r"), Some("m"))];
    let mut shelf = Shelf::of(OA, two_ids);
    shelf.step(OA, ARRIVAL + 9, callback(told("n", Fact::Delivered, Some(20))));
    assert_eq!(brief(&shelf.shown()), ["m r delivered"]);
}

#[test]
fn an_answer_that_names_the_id_of_another_registered_message_is_refused_and_changes_nothing() {
    let mut shelf = Shelf::of(OA, [register(Some("a"), Some("m")), register(Some("b"), None)]);
    let before = shelf.shown();
    for answer in [accepted(by_reference("b"), Some("m")), refused(by_reference("b"), "-1", Some("m"))] {
        let outcome = shelf.step(OA, ARRIVAL + 5, answer);
        assert_eq!(outcome, Outcome::Refused(Refused::IdTaken { message_id: "m".into(), owner: 1 }));
        assert_eq!(shelf.shown(), before);
    }
}

#[test]
fn an_answer_or_a_mark_for_an_unknown_message_is_refused() {
    let mut shelf = Shelf::of(OA, [register(Some("a"), Some("m"))]);
    for step in [accepted(by_reference("b"), None), Step::Mark(by_id("n"), "gone"), Step::Mark(Target::default(), "gone")] {
        assert_eq!(shelf.step(OA, ARRIVAL + 5, step), Outcome::Refused(Refused::NoSuchMessage));
    }
    assert_eq!(
        shelf.step("oa-2", ARRIVAL + 5, Step::Mark(by_reference("a"), "another account's")),
        Outcome::Refused(Refused::NoSuchMessage)
    );
}

#[test]
fn a_reaction_alone_makes_nothing_listed_and_counts_once_the_message_is_known() {
    let mut reaction = told("m", Fact::Read, Some(30));
    reaction.evidence = None;
    assert_eq!(Shelf::of(OA, [callback(reaction.clone())]).shown(), []);
    let shown = every_order(OA, &[callback(reaction), callback(told("m", Fact::Sent, Some(10)))], in_any_order);
    assert_eq!(brief(&shown), ["m - read"]);
    assert_eq!(shown[0].origin(), Some(Evidence::Echo));
}

#[test]
fn a_reaction_before_anything_else_is_no_known_message_to_a_registration() {
    let mut reaction = told("m", Fact::Read, Some(30));
    reaction.evidence = None;
    let mut shelf = Shelf::of(OA, [callback(reaction)]);
    assert_eq!(shelf.step(OA, ARRIVAL + 2, register(None, Some("m"))), Outcome::Registered(vec![Registered { row: 1, new: true }]));
    assert_eq!(shelf.transitions, [(None, State::Read)]);
}

#[test]
fn two_accounts_with_the_same_ids_and_references_are_kept_apart() {
    let mut shelf = Shelf::default();
    for (id, fact) in [("oa-1", Fact::Delivered), ("oa-2", Fact::Read), ("page-1", Fact::Sent)] {
        shelf.step(id, ARRIVAL, callback(told("m", fact, Some(20))));
    }
    shelf.step("oa-2", ARRIVAL, callback(receipt("n", "r", 5)));
    for id in ["oa-1", "oa-2", "page-1"] {
        let taken = shelf.step(id, ARRIVAL + 1, register(Some("r"), None));
        let Outcome::Registered(taken) = taken else { panic!("{taken:?}") };
        assert_eq!(taken[0].new, id != "oa-2", "{id}: a receipt of another account tells nothing of this one");
    }
    shelf.step("page-1", ARRIVAL + 2, accepted(by_reference("r"), Some("m")));
    let shown: Vec<String> = shelf.shown().iter().map(|s| format!("{} {}", s.account, brief(std::slice::from_ref(s))[0])).collect();
    assert_eq!(shown, ["oa-1 m - delivered", "oa-1 - r queued", "oa-2 m - read", "oa-2 n r delivered", "page-1 m r sent"]);
}

#[test]
fn transitions_tell_every_move_once_and_none_for_repeats() {
    let delivered = callback(told("m", Fact::Delivered, Some(20)));
    let steps = [
        register(Some("r"), None),
        accepted(by_reference("r"), Some("m")),
        delivered.clone(),
        delivered,
        callback(told("m", Fact::Sent, Some(9))),
    ];
    let shelf = Shelf::of(OA, steps);
    let moves = [(None, State::Queued), (Some(State::Queued), State::Sent), (Some(State::Sent), State::Delivered)];
    assert_eq!(shelf.transitions, moves);
}

#[test]
fn the_counters_of_one_id_fold_over_several_callbacks() {
    let report = |delivered, failed| {
        let report = Report { delivered, failed, total: 3, failure: None };
        callback(told("m", Fact::Report(report), None))
    };
    let shown = every_order(OA, &[report(1, 0), report(2, 0), report(0, 1), callback(told("m", Fact::Queued, None))], in_any_order);
    assert_eq!((shown[0].derived.state, shown[0].summary.partial), (State::Delivered, true));
}
