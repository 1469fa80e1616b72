//! References inside callbacks: who may take whose id, and what undoes it.

use super::*;

#[test]
fn a_claim_joins_a_registration_in_every_order_and_an_unknown_outcome_is_over() {
    let unknown = answer(by_reference("r"), AnswerOutcome::Unknown { reason: "time-out".into() });
    let steps = [register(Some("r"), None), unknown, callback(receipt("m", "r", 20)), callback(told("m", Fact::Read, Some(30)))];
    let shown = every_order(OA, &steps, before(0, 1));
    assert_eq!(brief(&shown), ["m r read"]);
    assert_eq!(shown[0].origin(), Some(Evidence::Registered));
    assert!(!shown[0].derived.outcome_unknown);
    assert_eq!(shown[0].timeline.len(), 4);
}

#[test]
fn a_receipt_after_a_refused_attempt_is_a_conflict_in_every_order() {
    let steps = [register(Some("r"), None), refused(by_reference("r"), "-230", None), callback(receipt("m", "r", 20))];
    let shown = every_order(OA, &steps, before(0, 1));
    assert_eq!(brief(&shown), ["m r delivered"]);
    assert!(shown[0].derived.conflict);
}

#[test]
fn of_two_candidates_the_earliest_claim_wins_and_the_other_stands_alone() {
    let steps = [
        register(Some("r"), None),
        callback(receipt("x", "r", 20)),
        callback(receipt("y", "r", 10)),
        callback(told("x", Fact::Read, Some(40))),
    ];
    let shown = every_order(OA, &steps, in_any_order);
    assert_eq!(brief(&shown), ["x r read", "y r delivered"]);
    let origins: Vec<_> = shown.iter().map(|s| (s.summary.message_id.as_deref(), s.origin())).collect();
    assert_eq!(origins, [(Some("x"), Some(Evidence::Receipt)), (Some("y"), Some(Evidence::Registered))]);
}

#[test]
fn of_two_claims_at_the_same_time_or_without_one_the_smaller_id_wins() {
    for at in [Some(Millis(10)), None] {
        let timed = |id| {
            let mut event = receipt(id, "r", 10);
            if let Some(claim) = &mut event.claim {
                claim.at = at;
            }
            callback(event)
        };
        let shown = every_order(OA, &[register(Some("r"), None), timed("y"), timed("x")], in_any_order);
        let registered: Vec<_> = shown.iter().filter(|s| s.facts.registered).map(|s| s.summary.message_id.as_deref()).collect();
        assert_eq!(registered, [Some("x")]);
    }
}

#[test]
fn an_id_from_an_answer_undoes_the_tie() {
    let steps = [register(Some("r"), None), callback(receipt("x", "r", 10)), accepted(by_reference("r"), Some("y"))];
    let shown = every_order(OA, &steps, before(0, 2));
    assert_eq!(brief(&shown), ["x r delivered", "y r sent"]);
    assert_eq!(shown[0].origin(), Some(Evidence::Receipt), "what had been lent stands alone again");
}

#[test]
fn an_answer_that_names_the_tied_id_makes_the_tie_final() {
    let steps = [
        register(Some("r"), None),
        callback(receipt("x", "r", 20)),
        callback(receipt("y", "r", 10)),
        accepted(by_reference("r"), Some("x")),
    ];
    let shown = every_order(OA, &steps, before(0, 3));
    assert_eq!(brief(&shown), ["x r delivered", "y r delivered"]);
    let registered: Vec<_> = shown.iter().filter(|s| s.facts.registered).map(|s| s.summary.message_id.as_deref()).collect();
    assert_eq!(registered, [Some("x")], "the answer outweighs the earlier claim");
}

#[test]
fn an_accepted_answer_without_an_id_leaves_the_tie() {
    let steps = [register(Some("r"), None), callback(receipt("x", "r", 20)), accepted(by_reference("r"), None)];
    assert_eq!(brief(&every_order(OA, &steps, before(0, 2))), ["x r delivered"]);
}

#[test]
fn a_candidate_registered_by_its_own_id_belongs_to_nobody_else() {
    let steps =
        [register(Some("r"), None), callback(receipt("x", "r", 10)), register(Some("s"), Some("x")), callback(receipt("y", "r", 20))];
    let shown = every_order(OA, &steps, in_any_order);
    assert_eq!(brief(&shown), ["y r delivered", "x s delivered"]);
}

#[test]
fn a_registration_by_id_alone_does_not_take_a_receipt_away_from_its_reference() {
    let steps = [register(Some("r"), None), callback(receipt("x", "r", 10)), register(None, Some("x"))];
    let shown = every_order(OA, &steps, in_any_order);
    assert_eq!(brief(&shown), ["x r delivered"]);
    let told_apart = |reference: Option<&str>, id: Option<&str>, kind: &str| {
        Step::Register(vec![Registration { kind: Some(kind.into()), ..registration(reference, id) }])
    };
    let steps = [told_apart(Some("r"), None, "zns"), callback(receipt("x", "r", 10)), told_apart(None, Some("x"), "uid")];
    assert_eq!(brief(&every_order(OA, &steps, in_any_order)), ["- r queued", "x r delivered"], "registered as another message");
}

#[test]
fn a_message_that_claims_two_references_goes_with_the_earlier_one() {
    let steps = [register(Some("r"), None), register(Some("s"), None), callback(receipt("x", "r", 20)), callback(receipt("x", "s", 10))];
    assert_eq!(brief(&every_order(OA, &steps, in_any_order)), ["- r queued", "x s delivered"]);
}

#[test]
fn a_lent_message_that_another_answer_names_goes_there_and_the_next_candidate_follows() {
    let steps = [
        register(Some("r"), None),
        register(Some("s"), None),
        callback(receipt("x", "r", 10)),
        callback(receipt("y", "r", 20)),
        accepted(by_reference("s"), Some("x")),
    ];
    let shown = every_order(OA, &steps, before(1, 4));
    assert_eq!(brief(&shown), ["y r delivered", "x s delivered"]);
}

#[test]
fn a_lent_message_is_taken_back_even_where_its_new_owner_claims_another_reference() {
    let steps = [
        register(Some("r"), None),
        register(Some("s"), None),
        accepted(by_reference("s"), Some("w")),
        callback(receipt("w", "q", 5)),
        callback(receipt("x", "r", 10)),
        accepted(by_reference("s"), Some("x")),
    ];
    let shown = every_order(OA, &steps, |o| before(1, 2)(o) && before(1, 5)(o));
    assert_eq!(brief(&shown), ["- r queued", "w s delivered"]);
    let mut with_another = steps.to_vec();
    with_another.insert(5, callback(receipt("y", "r", 20)));
    assert_eq!(brief(&Shelf::of(OA, with_another).shown()), ["y r delivered", "w s delivered"], "the next candidate follows");
}

#[test]
fn an_unregistered_claim_is_shown_where_it_is_no_free_text() {
    assert_eq!(brief(&Shelf::of(OA, [callback(receipt("x", "r", 10))]).shown()), ["x r delivered"]);
    assert_eq!(brief(&Shelf::of(PAGE, [callback(echo("x", "anna", Some("r"), 10))]).shown()), ["x - sent"]);
}

#[test]
fn free_text_joins_only_with_the_same_recipient() {
    let register = |recipient: Option<&str>| {
        Step::Register(vec![Registration { recipient: recipient.map(str::to_owned), ..registration(Some("r"), None) }])
    };
    let steps = [register(Some("anna")), callback(echo("x", "binh", Some("r"), 10)), callback(echo("y", "anna", Some("r"), 20))];
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["x - sent", "y r sent"]);
    let nobody = [register(None), callback(echo("x", "binh", Some("r"), 10))];
    assert_eq!(brief(&every_order(PAGE, &nobody, in_any_order)), ["x - sent", "- r queued"]);
    let told_later = [register(None), callback(echo("x", "binh", Some("r"), 10)), register(Some("binh"))];
    assert_eq!(brief(&every_order(PAGE, &told_later, in_any_order)), ["x r sent"]);
}

#[test]
fn equal_free_text_on_two_ids_without_a_registration_stays_two_messages() {
    let steps = [callback(echo("x", "anna", Some("campaign"), 10)), callback(echo("y", "anna", Some("campaign"), 20))];
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["x - sent", "y - sent"]);
}
