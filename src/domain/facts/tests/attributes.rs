//! Who is believed about sender, recipient, kind and ids, and the times that are shown.

use super::*;

fn hash() -> String {
    "ab".repeat(32)
}

fn from(evidence: Evidence, recipient: &str) -> Told {
    let mut event = event(Fact::Delivered, Some(20));
    event.evidence = Some(evidence);
    event.recipient = Some(recipient.to_owned());
    Told::Event(event)
}

fn registered(recipient: &str) -> Told {
    Told::Registration(Registration { recipient: Some(recipient.to_owned()), ..registration(None) })
}

fn recipient(all: &[Told]) -> Option<String> {
    let forwards = World::of(all).facts;
    let mut backwards = all.to_vec();
    backwards.reverse();
    assert_eq!(forwards.shown_recipient(), World::of(&backwards).facts.shown_recipient());
    forwards.shown_recipient().map(str::to_owned)
}

#[test]
fn a_registration_is_believed_before_an_echo_and_an_echo_before_a_receipt() {
    let all = [from(Evidence::Receipt, "c"), from(Evidence::Echo, "b"), registered("z")];
    assert_eq!(recipient(&all).as_deref(), Some("z"));
    assert_eq!(recipient(&all[..2]).as_deref(), Some("b"));
    assert_eq!(recipient(&all[..1]).as_deref(), Some("c"));
    assert_eq!(World::of(&all).facts.origin(), Some(Evidence::Registered));
    assert_eq!(World::of(&all[..2]).facts.origin(), Some(Evidence::Echo));
    assert_eq!(World::of(&all[..1]).facts.origin(), Some(Evidence::Receipt));
}

#[test]
fn a_hashed_phone_never_replaces_a_known_one() {
    let hash = hash();
    assert_eq!(recipient(&[from(Evidence::Receipt, &hash), from(Evidence::Receipt, "84901234567")]).as_deref(), Some("84901234567"));
    assert_eq!(recipient(&[from(Evidence::Echo, &hash), from(Evidence::Receipt, "84901234567")]).as_deref(), Some("84901234567"));
    assert_eq!(recipient(&[registered("84901234567"), from(Evidence::Receipt, &hash)]).as_deref(), Some("84901234567"));
    assert_eq!(recipient(&[from(Evidence::Receipt, &hash)]), Some(hash), "better than nothing");
}

#[test]
fn a_phone_named_in_a_report_over_several_recipients_is_not_the_recipient() {
    let mut one = event(Fact::Report(Report { delivered: 1, failed: 0, total: 1, failure: None }), None);
    one.recipient = Some("84901234567".into());
    let one = Told::Event(one);
    assert_eq!(recipient(std::slice::from_ref(&one)).as_deref(), Some("84901234567"));
    assert_eq!(recipient(&[one.clone(), report(1, 0, 2, None)]), None);
    assert_eq!(recipient(&[one, report(1, 0, 2, None), registered("84911111111")]).as_deref(), Some("84911111111"));
}

#[test]
fn one_recipient_is_counted_from_delivery_on_or_from_failure() {
    for (words, delivered, failed) in [("sent", 0, 0), ("delivered", 1, 0), ("read", 1, 0), ("failed", 0, 1), ("failed delivered", 1, 0)] {
        let all: Vec<Told> = words.split(' ').map(word).collect();
        assert_eq!(World::of(&all).derived().recipients, Recipients { total: 1, delivered, failed }, "{words}");
    }
}

#[test]
fn what_nobody_told_first_hand_has_no_origin_and_still_counts_later() {
    let mut reaction = event(Fact::Read, Some(30));
    reaction.evidence = None;
    let reaction = Told::Event(reaction);
    assert_eq!(World::of(std::slice::from_ref(&reaction)).facts.origin(), None);
    let later = World::of(&[reaction, word("with_id")]);
    assert_eq!((later.facts.origin(), later.derived().state), (Some(Evidence::Registered), State::Read));
}

#[test]
fn the_best_founded_id_is_shown_and_then_the_smaller_text() {
    let mut facts = Facts::default();
    facts.add_id("c", IdProof::Refused);
    assert_eq!(facts.message_id(), Some("c"));
    facts.add_id("b", IdProof::Provider);
    facts.add_id("a", IdProof::Refused);
    assert_eq!((facts.message_id(), facts.registered_id()), (Some("b"), None));
    facts.add_id("d", IdProof::Registered);
    assert_eq!((facts.message_id(), facts.registered_id()), (Some("d"), Some("d")));
    facts.add_id("d", IdProof::Refused);
    assert_eq!(facts.message_id(), Some("d"), "nothing weakens an id");
}

#[test]
fn the_earliest_claim_is_effective_and_shown_only_where_it_is_no_free_text() {
    let claim = |reference: &str, at: Option<i64>, shown| {
        let mut event = event(Fact::Delivered, Some(20));
        event.claim = Some(Claim { reference: reference.into(), at: at.map(Millis), same_recipient: false, shown });
        Told::Event(event)
    };
    let facts = World::of(&[claim("a", None, true), claim("c", Some(8), true), claim("b", Some(9), true)]).facts;
    assert_eq!(facts.effective_claim().map(|(r, _)| r), Some("c"), "a dated claim goes before one without a time");
    assert_eq!(facts.shown_reference(), Some("c"));
    assert_eq!(World::of(&[claim("c", Some(8), false)]).facts.shown_reference(), None);
    assert_eq!(World::of(&[claim("c", Some(8), true), word("registered")]).facts.shown_reference(), Some("order-1"));
}

#[test]
fn a_message_was_not_queued_after_it_was_sent_where_only_our_arrival_dates_the_queuing() {
    let derived = |queued_at: Option<i64>, sent: &Told| {
        let r = Registration { queued_at: queued_at.map(Millis), ..registration(None) };
        World::of(&[Told::Registration(r), sent.clone()]).derived()
    };
    assert_eq!(derived(None, &word("sent")).queued_at, Some(Millis(10)), "the arrival gives way");
    assert_eq!(derived(None, &word("accepted")).queued_at, Some(Millis(ARRIVAL)), "an arrival before the sending stays");
    assert_eq!(derived(Some(99), &word("sent")).queued_at, Some(Millis(99)), "the sender's own word is not corrected");
}

#[test]
fn the_providers_time_goes_before_the_senders_and_that_before_our_arrival() {
    let stated = Told::Registration(Registration { sent_at: Some(Millis(12)), ..registration(Some("m1")) });
    assert_eq!(World::of(&[word("accepted")]).derived().sent_at, Some(Millis(ARRIVAL)));
    assert_eq!(World::of(&[word("accepted"), stated.clone()]).derived().sent_at, Some(Millis(12)));
    assert_eq!(World::of(&[word("accepted"), stated, told(Fact::Sent, Some(15))]).derived().sent_at, Some(Millis(15)));
    assert_eq!(World::of(&[told(Fact::Sent, Some(15)), told(Fact::Sent, Some(14))]).derived().sent_at, Some(Millis(14)));
    let unsent = Told::Registration(Registration { sent_at: Some(Millis(12)), ..registration(None) });
    assert_eq!(World::of(&[unsent]).derived().sent_at, None, "without a sent fact there is no such time");
}

#[test]
fn delivered_at_is_the_earliest_over_delivery_and_read_facts() {
    let at = |all: &[Told]| {
        let d = World::of(all).derived();
        (d.delivered_at.map(|t| t.0), d.read_at.map(|t| t.0))
    };
    assert_eq!(at(&[told(Fact::Read, Some(30))]), (Some(30), Some(30)));
    assert_eq!(at(&[told(Fact::Read, Some(30)), told(Fact::Delivered, Some(40))]), (Some(30), Some(30)));
    assert_eq!(at(&[told(Fact::Read, Some(30)), told(Fact::Delivered, Some(20))]), (Some(20), Some(30)));
    assert_eq!(
        at(&[told(Fact::Read, Some(30)), told(Fact::Delivered, None)]),
        (Some(30), Some(30)),
        "the provider's time before our arrival"
    );
}
