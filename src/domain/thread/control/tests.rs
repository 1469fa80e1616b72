//! Control as a join, and who holds a conversation by the rules of the protocol note.

use proptest::prelude::*;

use super::*;

const DAY: i64 = 86_400_000;

#[derive(Clone, Debug)]
enum Told {
    Fact(ThreadFact, i64),
    Accepted(i64),
    Refused(i64, Option<&'static str>),
}

fn of(all: &[Told]) -> Control {
    let mut control = Control::default();
    for told in all {
        match told {
            Told::Fact(fact, at) => control.observe(fact, Millis(*at)),
            Told::Accepted(at) => control.accept(Millis(*at)),
            Told::Refused(at, code) => control.refuse(Millis(*at), code.map(str::to_owned)),
        };
    }
    control
}

fn app(name: &str) -> Option<String> {
    Some(name.to_owned())
}

fn handover(owner: Option<&str>, ours: Option<bool>) -> ThreadFact {
    ThreadFact::Handover { kind: "pass".into(), owner: owner.map(str::to_owned), ours }
}

const fn customer(direct: bool) -> ThreadFact {
    ThreadFact::Customer { direct, opens: true }
}

fn told() -> impl Strategy<Value = Told> {
    let app = || prop::option::of(prop::sample::select(&["a", "b"][..]).prop_map(str::to_owned));
    let fact = prop_oneof![
        (app(), prop::option::of(any::<bool>())).prop_map(|(owner, ours)| ThreadFact::Handover { kind: "take".into(), owner, ours }),
        app().prop_map(|app_id| ThreadFact::Wish { app_id }),
        app().prop_map(|app_id| ThreadFact::Standby { app_id }),
        (any::<bool>(), any::<bool>()).prop_map(|(direct, opens)| ThreadFact::Customer { direct, opens }),
        (any::<bool>(), app()).prop_map(|(ours, app_id)| ThreadFact::Echo { ours, app_id }),
    ];
    // Few moments, so that they meet; over more hours than are kept.
    let at = || (0i64..40, 0i64..3).prop_map(|(hour, n)| hour * HOUR + n);
    prop_oneof![
        4 => (fact, at()).prop_map(|(fact, at)| Told::Fact(fact, at)),
        1 => at().prop_map(Told::Accepted),
        1 => (at(), prop::option::of(prop::sample::select(&["1", "2"][..]))).prop_map(|(at, code)| Told::Refused(at, code)),
    ]
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (all, mixed) in prop::collection::vec(told(), 0..60).prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        again in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut twice = mixed.clone();
        if !mixed.is_empty() {
            twice.extend(again.iter().map(|i| i.get(&mixed).clone()));
        }
        prop_assert_eq!(of(&all), of(&twice));
    }

    #[test]
    fn what_moves_nothing_says_so(all in prop::collection::vec(told(), 1..60)) {
        let mut control = of(&all);
        let before = control.clone();
        for told in &all {
            let moved = match told {
                Told::Fact(fact, at) => control.observe(fact, Millis(*at)),
                Told::Accepted(at) => control.accept(Millis(*at)),
                Told::Refused(at, code) => control.refuse(Millis(*at), code.map(str::to_owned)),
            };
            prop_assert!(!moved);
        }
        prop_assert_eq!(control, before);
    }

    #[test]
    fn nobody_holds_a_conversation_before_anything_was_heard_of_it_or_a_day_later(all in prop::collection::vec(told(), 1..30)) {
        let control = of(&all);
        let Some(last) = control.last_activity() else { return Ok(()) };
        prop_assert_eq!(control.holder(last.plus(IDLE_AFTER)), Holder::Idle { since: last.plus(IDLE_AFTER) });
        match control.holder(last) {
            Holder::Ours { since, .. } | Holder::Other { since, .. } => prop_assert!(since <= last),
            Holder::Unknown => {}
            Holder::Idle { .. } => prop_assert!(false, "idle at its last moment"),
        }
    }
}

#[test]
fn a_refusal_says_that_another_holds_it_until_something_of_ours_goes_through() {
    use Told::{Accepted, Fact, Refused};
    let other = |since, sign, app_id| Holder::Other { app_id, since: Millis(since), sign };
    let ours = |since, sign| Holder::Ours { since: Millis(since), sign };
    let refused = [Fact(customer(true), 100), Accepted(110), Refused(200, Some("10/2018300"))];
    assert_eq!(of(&refused).holder(Millis(300)), other(200, Sign::Refusal, None));
    let standby = |app_id, at| Fact(ThreadFact::Standby { app_id }, at);
    let named = [&refused[..], &[standby(None, 150), standby(app("inbox"), 170), standby(None, 180)]].concat();
    assert_eq!(of(&named).holder(Millis(300)), other(150, Sign::Refusal, app("inbox")), "standby dates and names it");
    for (back, sign) in [
        (Fact(customer(true), 250), Sign::Customer),
        (Accepted(250), Sign::Accepted),
        (Fact(handover(Some("us"), Some(true)), 250), Sign::Handover),
        (Fact(ThreadFact::Echo { ours: true, app_id: None }, 250), Sign::Echo),
    ] {
        assert_eq!(of(&[&named[..], &[back]].concat()).holder(Millis(300)), ours(250, sign));
    }
    for nothing in
        [customer(false), handover(None, None), ThreadFact::Wish { app_id: None }, ThreadFact::Echo { ours: false, app_id: None }]
    {
        let still = of(&[&named[..], &[Fact(nothing.clone(), 250)]].concat()).holder(Millis(300));
        assert!(matches!(still, Holder::Other { .. }), "{nothing:?}");
    }
}

#[test]
fn handovers_are_hints_and_their_absence_proves_nothing() {
    use Told::{Accepted, Fact};
    let to_other = || Fact(handover(Some("x"), Some(false)), 100);
    assert_eq!(of(&[to_other()]).holder(Millis(200)), Holder::Other { app_id: app("x"), since: Millis(100), sign: Sign::Handover });
    assert_eq!(of(&[to_other(), Accepted(100)]).holder(Millis(200)), Holder::Ours { since: Millis(100), sign: Sign::Accepted });
    let taken = of(&[Accepted(90), Fact(ThreadFact::Standby { app_id: None }, 90)]);
    assert!(matches!(taken.holder(Millis(200)), Holder::Other { sign: Sign::Standby, .. }));
    assert_eq!(of(&[Fact(ThreadFact::Wish { app_id: app("x") }, 100)]).holder(Millis(200)), Holder::Unknown);
    assert_eq!(Control::default().holder(Millis(200)), Holder::Unknown);
}

#[test]
fn a_hold_of_many_hours_is_dated_by_its_first_sign() {
    let standby = |hour: i64| Told::Fact(ThreadFact::Standby { app_id: None }, hour * HOUR + 7);
    let all: Vec<Told> = [Told::Accepted(HOUR)].into_iter().chain((2..20).map(standby)).collect();
    let holder = of(&all).holder(Millis(20 * HOUR));
    assert_eq!(holder, Holder::Other { app_id: None, since: Millis(2 * HOUR + 7), sign: Sign::Standby });
}

#[test]
fn the_window_follows_the_customers_last_act() {
    let control = of(&[Told::Fact(customer(false), 100), Told::Fact(customer(true), 50)]);
    let until = Millis(100 + DAY);
    assert_eq!(control.window(Millis(until.0 - 1), Span::hours(24)), Some(Window { until, open: true }));
    assert_eq!(control.window(until, Span::hours(24)), Some(Window { until, open: false }));
    assert_eq!(of(&[Told::Accepted(5)]).window(until, Span::hours(24)), None);
}

#[test]
fn a_take_over_is_not_dated_before_a_day_of_silence() {
    let standby = |at| Told::Fact(ThreadFact::Standby { app_id: None }, at);
    let taken = of(&[standby(0), standby(150 * DAY), standby(150 * DAY + 2 * HOUR)]);
    let holder = taken.holder(Millis(150 * DAY + 3 * HOUR));
    assert_eq!(holder, Holder::Other { app_id: None, since: Millis(150 * DAY), sign: Sign::Standby });
}

#[test]
fn an_app_that_held_it_before_us_is_not_named_for_what_came_after_us() {
    let told = [
        Told::Fact(ThreadFact::Standby { app_id: app("inbox") }, HOUR),
        Told::Fact(ThreadFact::Echo { ours: false, app_id: app("inbox") }, HOUR),
        Told::Accepted(2 * HOUR),
        Told::Refused(3 * HOUR, Some("10/2018300")),
    ];
    let holder = of(&told).holder(Millis(4 * HOUR));
    assert_eq!(holder, Holder::Other { app_id: None, since: Millis(3 * HOUR), sign: Sign::Refusal });
}
