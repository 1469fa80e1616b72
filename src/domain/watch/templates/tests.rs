//! Templates: told in any order and any number of times, counted once, bounded, and read back as they were.

use proptest::prelude::*;
use serde_json::Map;

use super::*;
use crate::domain::event::{TemplateChange, TemplateStatus, ToldStatus};
use crate::domain::failure::Lang;

fn account() -> AccountId {
    AccountId::parse("shop").unwrap()
}

fn told(status: TemplateStatus) -> ToldStatus {
    ToldStatus { status, raw: status.as_str().to_uppercase() }
}

fn event(template: &str, at: Option<i64>, change: TemplateChange) -> AccountEvent {
    let about = About::Template { template_id: template.into(), change };
    AccountEvent { kind: "told".into(), at: at.map(Millis), detail: Map::new(), about }
}

fn status(template: &str, at: i64, status: TemplateStatus, reason: Option<&str>) -> AccountEvent {
    event(template, Some(at), TemplateChange::Status { previous: None, status: told(status), reason: reason.map(Into::into) })
}

fn loaded(templates: &mut Templates) -> Templates {
    let sheets = templates.take_changed();
    Templates::load(account(), sheets.iter().map(|s| (s.name.as_str(), s.data.as_deref().unwrap())))
}

#[test]
fn the_latest_status_is_the_one_that_counts_whichever_came_first() {
    let mut templates = Templates::new(account());
    templates.observe(&status("t", 20, TemplateStatus::Rejected, Some("sai định dạng")), Millis(99));
    templates.observe(&status("t", 10, TemplateStatus::Pending, None), Millis(100));
    let facts = templates.get("t").unwrap();
    assert_eq!(facts.status(), TemplateStatus::Rejected);
    assert_eq!(facts.last_change().unwrap().what.reason.as_deref(), Some("sai định dạng"));
    assert_eq!((facts.statuses.len(), facts.told_at()), (2, Some(Millis(20))));
    templates.observe(&event("t", None, TemplateChange::Quality("LOW".into())), Millis(101));
    assert_eq!(templates.get("t").unwrap().told_at(), Some(Millis(101)), "without a time of its own it is that of arrival");
}

#[test]
fn a_refusal_after_the_last_status_may_know_better() {
    let mut templates = Templates::new(account());
    templates.observe(&status("t", 20, TemplateStatus::Approved, None), Millis(20));
    templates.observe_failure("t", "-1", Millis(10));
    templates.observe_failure("t", "-146", Millis(30));
    templates.observe_failure("t", "-146", Millis(25));
    assert_eq!(templates.get("t").unwrap().refusals_since(), [("-146", Millis(30))]);
}

#[test]
fn messages_are_counted_where_they_stand_and_codes_as_often_as_met() {
    let mut templates = Templates::new(account());
    for _ in 0..4 {
        templates.moved("t", None, State::Queued, None);
        templates.moved("t", Some(State::Queued), State::Sent, None);
    }
    templates.moved("t", Some(State::Sent), State::Delivered, None);
    templates.moved("t", Some(State::Delivered), State::Read, None);
    templates.moved("t", Some(State::Sent), State::Failed, Some("-146"));
    templates.moved("t", Some(State::Sent), State::Failed, None);
    templates.moved("t", Some(State::Failed), State::Failed, Some("-9"));
    let counts = &templates.get("t").unwrap().counts;
    assert_eq!((counts.messages, counts.queued, counts.sent, counts.delivered, counts.read, counts.failed), (4, 0, 1, 0, 1, 2));
    assert_eq!(counts.codes.iter().map(|(c, n)| (c.as_str(), *n)).collect::<Vec<_>>(), [("-146", 1), ("other", 1)]);
    assert_eq!(counts.delivered_per_mille(), Some(333));
}

#[test]
fn what_was_kept_reads_back_and_only_what_changed_is_written_again() {
    let mut templates = Templates::new(account());
    templates.observe(&status("a/b ü", 20, TemplateStatus::Rejected, Some("x")), Millis(20));
    templates.moved("c", None, State::Sent, None);
    let mut again = loaded(&mut templates);
    assert_eq!((again.get("a/b ü"), again.get("c")), (templates.get("a/b ü"), templates.get("c")));
    assert!(templates.take_changed().is_empty() && again.take_changed().is_empty());
    again.moved("c", Some(State::Sent), State::Read, None);
    let names: Vec<String> = again.take_changed().into_iter().map(|s| s.name).collect();
    assert_eq!(names, ["templates/shop/c"]);
    assert_eq!(named("templates/shop/a/b"), Some((account(), Some("a/b"))));
    assert_eq!(named("templates/shop/"), Some((account(), None)));
    assert_eq!((named("templates/Shop/x"), named("other/shop/x")), (None, None));
}

#[test]
fn everything_has_a_bound() {
    let mut templates = Templates::new(account());
    for n in 0..TEMPLATES_MAX + 50 {
        templates.moved(&format!("t{n}"), None, State::Sent, None);
    }
    templates.observe(&status("one-more", 1, TemplateStatus::Approved, None), Millis(1));
    templates.moved(&"x".repeat(500), None, State::Sent, None);
    assert_eq!((templates.iter().count(), templates.other().counts.messages), (TEMPLATES_MAX, 51));
    for n in 0..100 {
        templates.observe(&status("t1", n, TemplateStatus::Approved, None), Millis(n));
        templates.observe_failure("t1", &format!("-{n}"), Millis(n));
        templates.moved("t1", None, State::Failed, Some(&format!("-{n}")));
    }
    let facts = templates.get("t1").unwrap();
    assert_eq!((facts.statuses.len(), facts.refusals.len()), (CHANGES_MAX, REFUSALS_MAX));
    assert_eq!(facts.statuses.first().unwrap().at, Millis(80), "the newest stay");
    assert_eq!((facts.counts.codes.len(), facts.counts.codes.values().sum::<u64>()), (FAILURE_CODES_MAX + 1, 100));
    let mut again = loaded(&mut templates);
    assert_eq!(again.other().counts.messages, 51);
    again.moved("another", None, State::Sent, None);
    assert_eq!(again.take_changed().len(), 1);
}

#[test]
fn every_status_has_advice_in_both_languages() {
    for status in TemplateStatus::ALL {
        assert_ne!(template_advice(*status, Lang::Vi), template_advice(*status, Lang::En), "{status}");
    }
}

/// What can be told of a few templates at a few times.
#[derive(Clone, Debug)]
enum Step {
    Told(AccountEvent, Millis),
    Refused(String, String, Millis),
}

fn step() -> impl Strategy<Value = Step> {
    let template = || prop_oneof![Just("a".to_owned()), Just("b".to_owned())];
    let change = prop_oneof![
        (0..TemplateStatus::ALL.len(), prop::option::of("[xy]")).prop_map(|(n, reason)| TemplateChange::Status {
            previous: None,
            status: told(TemplateStatus::ALL[n]),
            reason
        }),
        "[a-c]".prop_map(TemplateChange::Quality),
        "[a-c]".prop_map(TemplateChange::Quota),
        "[a-c]".prop_map(TemplateChange::Tags),
    ];
    let told = (template(), prop::option::of(0i64..40), change, 0i64..40)
        .prop_map(|(t, at, c, arrival)| Step::Told(event(&t, at, c), Millis(arrival)));
    let refused = (template(), 0..30u8, 0i64..40).prop_map(|(t, code, at)| Step::Refused(t, format!("-{code}"), Millis(at)));
    prop_oneof![told, refused]
}

fn folded(steps: &[Step]) -> BTreeMap<String, TemplateFacts> {
    let mut templates = Templates::new(account());
    for step in steps {
        match step {
            Step::Told(event, arrival) => templates.observe(event, *arrival),
            Step::Refused(template, code, at) => templates.observe_failure(template, code, *at),
        }
    }
    templates.each
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (steps, shuffled) in prop::collection::vec(step(), 0..120).prop_flat_map(|s| (Just(s.clone()), Just([s.clone(), s].concat()).prop_shuffle()))
    ) {
        prop_assert_eq!(folded(&steps), folded(&shuffled));
    }
}
