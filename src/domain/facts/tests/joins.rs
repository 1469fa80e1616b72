//! `observe` and `join` by property: commutative, associative, idempotent, and blind to how facts were split.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

fn time() -> impl Strategy<Value = Option<Millis>> {
    option::of((0i64..6).prop_map(Millis))
}

fn failure() -> impl Strategy<Value = Failure> {
    (any::<bool>(), time(), option::of("[ab]"), option::of("[12]"), option::of("[xy]"))
        .prop_map(|(ours, at, code, subcode, text)| Failure { ours, at, code, subcode, text, fallback: None })
}

fn fact() -> impl Strategy<Value = Fact> {
    prop_oneof![
        Just(Fact::Queued),
        Just(Fact::Sent),
        Just(Fact::Delivered),
        Just(Fact::Read),
        Just(Fact::Noted),
        failure().prop_map(Fact::Failed),
        (0u32..4, 0u32..4, 0u32..4, option::of(failure())).prop_map(|(delivered, failed, total, failure)| Fact::Report(Report {
            delivered,
            failed,
            total,
            failure
        })),
    ]
}

fn attribute() -> impl Strategy<Value = Option<String>> {
    option::of(prop_oneof!["[ab]".boxed(), Just("ab".repeat(32)).boxed(), Just("cd".repeat(32)).boxed(), Just(String::new()).boxed()])
}

fn claim() -> impl Strategy<Value = Option<Claim>> {
    option::of(("[rs]", time(), any::<bool>(), any::<bool>()).prop_map(|(reference, at, same_recipient, shown)| Claim {
        reference,
        at,
        same_recipient,
        shown,
    }))
}

fn message_event() -> impl Strategy<Value = Told> {
    let evidence = option::of(prop::sample::select(Evidence::ALL));
    let progress =
        option::of(prop_oneof![Just(Progress::AwaitingApproval), Just(Progress::AwaitingSending), Just(Progress::ResultsPending)]);
    (("[mn]", fact(), time(), evidence), (attribute(), attribute()), claim(), (time(), time(), progress)).prop_map(
        |((id, fact, at, evidence), (recipient, kind), claim, (server_time, server_time_bound, progress))| {
            let event = MessageEvent::new(id, fact, evidence);
            Told::Event(Box::new(MessageEvent { at, recipient, kind, claim, server_time, server_time_bound, progress, ..event }))
        },
    )
}

fn any_registration() -> impl Strategy<Value = Told> {
    let names = (option::of("[rs]"), option::of("[mn]"), attribute());
    (names, (time(), time(), time()), option::of("[kl]")).prop_map(
        |((reference, message_id, recipient), (queued_at, sent_at, scheduled_at), key)| {
            let metadata = key.and_then(|k| crate::domain::metadata::Metadata::parse(&format!("{{\"{k}\":1}}")));
            Told::Registration(Registration {
                reference,
                message_id,
                recipient,
                queued_at,
                sent_at,
                scheduled_at,
                metadata,
                ..Registration::default()
            })
        },
    )
}

fn any_told() -> impl Strategy<Value = Told> {
    let id = || option::of(prop::sample::select(&["m", "n"][..]));
    prop_oneof![
        6 => message_event(),
        2 => any_registration(),
        1 => (id(), time()).prop_map(|(id, at)| Told::Accepted(id, at)),
        1 => (failure(), id()).prop_map(|(failure, id)| Told::Refused(failure, id)),
        1 => Just(Told::Unknown),
        1 => prop::sample::select(&["a", "b"][..]).prop_map(Told::Mark),
        2 => (prop::sample::select(WatermarkKind::ALL), 0i64..8, 0i64..8).prop_map(|(kind, mark, at)| watermark(kind, mark, at)),
    ]
}

fn dated() -> impl Strategy<Value = Vec<(Told, i64)>> {
    vec((any_told(), 0i64..8), 0..14)
}

fn facts(all: impl IntoIterator<Item = (Told, i64)>) -> Facts {
    let mut world = World::default();
    for (told, arrival) in all {
        world.tell(&told, Millis(arrival));
    }
    world.facts
}

fn joined(mut a: Facts, b: &Facts) -> Facts {
    a.join(b);
    a
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joining_parts_is_the_same_as_observing_everything_one_by_one(all in dated(), parts in vec(0usize..3, 14)) {
        let part = |n: usize| facts(all.iter().zip(&parts).filter(|(_, p)| **p == n).map(|(t, _)| t.clone()));
        let whole = facts(all.clone());
        prop_assert_eq!(&joined(joined(part(0), &part(1)), &part(2)), &whole);
        prop_assert_eq!(&joined(part(2), &joined(part(1), &part(0))), &whole);
    }

    #[test]
    fn joining_is_commutative_associative_and_idempotent(a in dated(), b in dated(), c in dated()) {
        let (a, b, c) = (facts(a), facts(b), facts(c));
        prop_assert_eq!(joined(a.clone(), &b), joined(b.clone(), &a));
        prop_assert_eq!(joined(joined(a.clone(), &b), &c), joined(a.clone(), &joined(b.clone(), &c)));
        prop_assert_eq!(joined(a.clone(), &a), a.clone());
        prop_assert_eq!(joined(Facts::default(), &a), a);
    }

    #[test]
    fn order_and_repetition_change_neither_facts_nor_what_follows(
        (all, shuffled) in dated().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        again in vec(any::<bool>(), 14),
    ) {
        let repeats = all.iter().zip(&again).filter(|(_, again)| **again).map(|((told, at), _)| (told.clone(), at + 3));
        let mut first = World::default();
        for (told, at) in &all { first.tell(told, Millis(*at)); }
        let mut second = World::default();
        for (told, at) in repeats.chain(shuffled) { second.tell(&told, Millis(at)); }
        prop_assert_eq!(&first, &second);
        prop_assert_eq!(first.derived(), second.derived());
    }

    #[test]
    fn facts_read_back_as_they_were_written(all in dated()) {
        let facts = facts(all);
        let text = serde_json::to_string(&facts).unwrap();
        prop_assert_eq!(&serde_json::from_str::<Facts>(&text).unwrap(), &facts);
        let bytes = postcard::to_stdvec(&facts).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Facts>(&bytes).unwrap(), facts);
    }

    #[test]
    fn what_follows_keeps_its_own_rules(all in dated()) {
        let mut world = World::default();
        for (told, at) in &all { world.tell(told, Millis(*at)); }
        let d = world.derived();
        prop_assert_eq!(d.state == State::Read, d.read_at.is_some());
        prop_assert_eq!(matches!(d.state, State::Read | State::Delivered), d.delivered_at.is_some());
        prop_assert!(d.state != State::Failed || (d.failed_at.is_some() && d.failure.is_some()));
        prop_assert!(d.state != State::Sent || d.sent_at.is_some());
        prop_assert!(d.recipients.delivered + d.recipients.failed <= d.recipients.total);
        prop_assert!(!d.outcome_unknown || d.state == State::Queued);
        prop_assert!(d.failed_at.is_none() == d.failure.is_none());
    }
}
