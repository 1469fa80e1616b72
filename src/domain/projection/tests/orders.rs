//! The promise as a property: whatever is told of several messages, in whatever order, in whatever batches and how often, ends in
//! the same messages. Left out is only what is order-dependent by contract: a registration that contradicts an earlier one.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

const REFERENCES: [&str; 3] = ["r0", "r1", "r2"];
/// Ids that may be registered or answered for the reference of the same number; `t…` carry a server time.
const IDS: [[&str; 2]; 3] = [["m0", "t30"], ["m1", "n1"], ["m2", "t60"]];
const ACCOUNTS: [&str; 4] = ["oa-1", "oa-2", "page-1", "sms-1"];

type Record = (AccountId, Millis, Step);

fn id() -> impl Strategy<Value = &'static str> {
    prop::sample::select(IDS.as_flattened())
}

fn time() -> impl Strategy<Value = i64> {
    0i64..120
}

fn fact() -> impl Strategy<Value = Fact> {
    let failure =
        (prop::sample::select(&["-1", "-2"][..]), any::<bool>()).prop_map(|(code, ours)| Failure { ours, ..Failure::coded(code, None) });
    prop_oneof![
        1 => Just(Fact::Queued),
        3 => Just(Fact::Sent),
        3 => Just(Fact::Delivered),
        2 => Just(Fact::Read),
        1 => Just(Fact::Noted),
        1 => failure.prop_map(Fact::Failed),
        1 => (0u32..3, 0u32..3, 1u32..3)
            .prop_map(|(delivered, failed, total)| Fact::Report(Report { delivered, failed, total, failure: None })),
    ]
}

fn message_event(account: &'static str) -> impl Strategy<Value = Event> {
    let evidence = option::weighted(0.8, prop::sample::select(&[Evidence::Echo, Evidence::Receipt][..]));
    let parties = (option::weighted(0.8, 0usize..2), option::weighted(0.8, 0usize..2));
    let claim = option::of(prop::sample::select(&REFERENCES[..]));
    (id(), fact(), option::of(time()), evidence, parties, claim).prop_map(move |(id, fact, at, evidence, (sender, recipient), claim)| {
        let page = account.starts_with("page");
        let timed = at.filter(|_| !account.starts_with("sms")).map(Millis);
        let (sent, delivered) = (fact == Fact::Sent, fact == Fact::Delivered);
        Event::Message(Box::new(MessageEvent {
            at: timed,
            sender: sender.map(|n| format!("s{n}")),
            recipient: recipient.map(|n| format!("p{n}")),
            claim: claim.map(|r| Claim { reference: r.into(), at: timed, same_recipient: page, shown: !page }),
            server_time: timed.filter(|_| page && sent),
            server_time_bound: timed.filter(|_| page && delivered),
            ..MessageEvent::new(id, fact, evidence)
        }))
    })
}

fn mark_event() -> impl Strategy<Value = Event> {
    (0usize..2, 0usize..2, prop::sample::select(WatermarkKind::ALL), time(), time()).prop_map(|(sender, recipient, kind, upto, at)| {
        let (sender, recipient) = (format!("s{sender}"), format!("p{recipient}"));
        Event::Watermark(Watermark { sender, recipient, kind, watermark: Millis(upto), at: Millis(at) })
    })
}

/// What the sender's system says of its message `n` never contradicts itself; it may leave parts out.
fn one_registration(n: usize) -> impl Strategy<Value = Registration> {
    (0usize..3, any::<bool>(), any::<bool>(), any::<bool>(), option::of(time())).prop_map(move |(names, to, from, kind, at)| Registration {
        recipient: to.then(|| format!("p{}", n % 2)),
        sender: from.then(|| "s0".to_owned()),
        kind: kind.then(|| format!("k{n}")),
        queued_at: at.map(Millis),
        sent_at: at.map(|t| Millis(t + 2_005)),
        ..registration((names != 2).then_some(REFERENCES[n]), (names != 0).then_some(IDS[n][0]))
    })
}

fn one_answer(n: usize) -> impl Strategy<Value = Step> {
    let id = || option::of(prop::sample::select(&IDS[n][..]));
    let target = by_reference(REFERENCES[n]);
    prop_oneof![
        3 => (id(), option::of(time())).prop_map(|(id, at)| AnswerOutcome::Accepted { message_id: id.map(str::to_owned), at: at.map(Millis) }),
        1 => id().prop_map(|id| AnswerOutcome::Refused { failure: Failure::coded("-230", None), message_id: id.map(str::to_owned) }),
        1 => Just(AnswerOutcome::Unknown { reason: "time-out".into() }),
    ]
    .prop_map(move |outcome| answer(target.clone(), outcome))
}

/// Mostly of one account, so that its messages meet.
fn step(main: &'static str) -> impl Strategy<Value = (&'static str, Step)> {
    let account = prop_oneof![9 => Just(main), 1 => prop::sample::select(&ACCOUNTS[..])];
    (account, 0usize..3).prop_flat_map(|(account, n)| {
        let event = move || prop_oneof![4 => message_event(account), 1 => mark_event()];
        let step = prop_oneof![
            6 => vec(event(), 1..3).prop_map(Step::Callback),
            3 => vec(one_registration(n), 1..3).prop_map(Step::Register),
            3 => one_answer(n),
            1 => Just(Step::Mark(by_reference(REFERENCES[n]), "gone")),
            1 => id().prop_map(|id| Step::Mark(by_id(id), "lost")),
        ];
        (Just(account), step)
    })
}

fn names(step: &Step) -> Vec<String> {
    match step {
        Step::Callback(events) => {
            events.iter().filter_map(|e| if let Event::Message(m) = e { Some(m.message_id.clone()) } else { None }).collect()
        }
        Step::Register(all) => all.iter().flat_map(|r| [&r.reference, &r.message_id]).flatten().cloned().collect(),
        Step::Answer(_, reading) => match &reading.outcome {
            AnswerOutcome::Accepted { message_id, .. } | AnswerOutcome::Refused { message_id, .. } => message_id.iter().cloned().collect(),
            AnswerOutcome::Unknown { .. } => Vec::new(),
        },
        Step::Mark(..) => Vec::new(),
    }
}

/// What must be known before a record can come: nobody can answer or mark a message that is not there yet.
fn needs(step: &Step) -> Option<&String> {
    match step {
        Step::Answer(target, _) | Step::Mark(target, _) => target.reference.as_ref().or(target.message_id.as_ref()),
        Step::Callback(_) | Step::Register(_) => None,
    }
}

/// Moves every record back until what it names is known; those whose message never becomes known are dropped.
fn possible(records: Vec<Record>) -> Vec<Record> {
    let mut known: BTreeSet<(AccountId, String)> = BTreeSet::new();
    let (mut out, mut waiting) = (Vec::new(), records);
    loop {
        let before = waiting.len();
        let mut later = Vec::new();
        for record in waiting {
            if needs(&record.2).is_none_or(|name| known.contains(&(record.0.clone(), name.clone()))) {
                known.extend(names(&record.2).into_iter().map(|name| (record.0.clone(), name)));
                out.push(record);
            } else {
                later.push(record);
            }
        }
        if later.is_empty() || later.len() == before {
            return out;
        }
        waiting = later;
    }
}

/// Folds records in batches of the given sizes.
fn fold(records: &[Record], sizes: &[usize]) -> Shelf {
    let mut shelf = Shelf::default();
    let (mut rest, mut sizes) = (records, sizes.iter().cycle());
    while !rest.is_empty() {
        let size = sizes.next().copied().unwrap_or(1).clamp(1, rest.len());
        let (batch, after) = rest.split_at(size);
        for (outcome, (_, _, step)) in shelf.fold(batch).iter().zip(batch) {
            assert!(!matches!(outcome, Outcome::Conflict(_) | Outcome::Refused(_)), "{outcome:?} to {step:?}");
        }
        rest = after;
    }
    shelf
}

/// The messages of some records, and the same ones at other places, some of them twice.
fn told() -> impl Strategy<Value = (Vec<Record>, Vec<Record>)> {
    let places = || (any::<u8>(), option::of(any::<u8>()));
    let steps = prop::sample::select(&ACCOUNTS[..]).prop_flat_map(move |main| vec((step(main), places()), 1..24));
    steps.prop_map(|steps| {
        let (mut once, mut placed) = (Vec::new(), Vec::new());
        for (i, ((id, step), (place, again))) in steps.into_iter().enumerate() {
            let record = (account(id), Millis(i as i64 * 7 % 130), step);
            let repeat = (record.0.clone(), record.1.plus(Span(200)), record.2.clone());
            once.push(record.clone());
            placed.push((place, record));
            placed.extend(again.map(|place| (place, repeat)));
        }
        placed.sort_by_key(|(place, _)| *place);
        (once, placed.into_iter().map(|(_, record)| record).collect())
    })
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    vec(1usize..9, 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    /// The time of arrival belongs to the record here, as when one log is folded in another order: everything is the same.
    #[test]
    fn any_order_of_the_same_records_ends_in_the_same_messages((once, shuffled) in told(), a in sizes(), b in sizes()) {
        let (mut first, mut second) = (fold(&possible(once), &a), fold(&possible(shuffled), &b));
        prop_assert_eq!(first.shown(), second.shown());
        for shelf in [&mut first, &mut second] {
            for row in shelf.rows_in_use() {
                shelf.sweep(row, ARRIVAL * 9);
            }
        }
        prop_assert_eq!(first.shown(), second.shown());
    }

    /// Told in another order they also arrive at other times: everything but these is the same.
    #[test]
    fn any_order_of_arrival_ends_in_the_same_messages((once, shuffled) in told(), a in sizes(), b in sizes()) {
        let arriving = |records: Vec<Record>| -> Vec<Record> {
            possible(records).into_iter().zip(ARRIVAL..).map(|((account, _, step), at)| (account, Millis(at), step)).collect()
        };
        let (first, second) = (fold(&arriving(once), &a), fold(&arriving(shuffled), &b));
        let shown = |shelf: &Shelf| shelf.shown().into_iter().map(Shown::without_arrivals).collect::<Vec<_>>();
        prop_assert_eq!(shown(&first), shown(&second));
    }

    /// The same log in other batches and swept at the same moment: the same overlays too, and the same transitions.
    #[test]
    fn batches_change_nothing((_, records) in told(), a in sizes(), b in sizes()) {
        let records = possible(records);
        let (mut first, mut second) = (fold(&records, &a), fold(&records, &b));
        prop_assert_eq!(&first.transitions, &second.transitions);
        prop_assert_eq!(first.rows_in_use(), second.rows_in_use());
        for shelf in [&mut first, &mut second] {
            for row in shelf.rows_in_use() {
                shelf.sweep(row, ARRIVAL * 9);
            }
        }
        prop_assert_eq!(first.overlays(), second.overlays());
        prop_assert_eq!(first.shown(), second.shown());
    }
}
