//! Templates and incident reports as a reader of a real store shows them.

use serde_json::Map;

use super::*;
use crate::domain::event::{About, AccountEvent, TemplateChange, TemplateStatus, ToldStatus};
use crate::domain::ids::{AccountId, PublicId};
use crate::domain::projection::Change;
use crate::domain::state::State;
use crate::domain::time::Millis;
use crate::domain::watch::Sheet;
use crate::domain::watch::templates::Templates;
use crate::providers::PROVIDERS;
use crate::store::sqlite::Place;
use crate::store::sqlite::inbox::InboxWriter;
use crate::store::sqlite::state::AccountNumbers;

fn account(id: &str) -> AccountId {
    AccountId::parse(id).unwrap()
}

/// Asks a store that holds these sheets, of two accounts of the first provider.
fn ask<T>(sheets: Vec<Sheet>, lang: Lang, question: impl FnOnce(&Reader<'_>) -> T) -> T {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::new(dir.path().join("baophat.db"));
    let accounts = [account("shop"), account("other")];
    InboxWriter::open(&place).unwrap().ensure_accounts(accounts.iter().map(|a| (a, PROVIDERS[0].slug))).unwrap();
    let inbox = InboxReader::open(&place).unwrap();
    let numbers = AccountNumbers::new(inbox.accounts().unwrap());
    let mut state = StateFile::open_writer(&place, numbers).unwrap();
    state.commit(&Change { sheets, ..Change::default() }, &[], None).unwrap();
    let rules = AccountRules::default();
    question(&Reader { inbox: &inbox, state: &state, rules: &rules, lang, now: Millis(0) })
}

fn told(template: &str, at: i64, status: TemplateStatus, reason: Option<&str>) -> AccountEvent {
    let status = ToldStatus { status, raw: status.as_str().to_uppercase() };
    let change = TemplateChange::Status { previous: None, status, reason: reason.map(Into::into) };
    let about = About::Template { template_id: template.into(), change };
    AccountEvent { kind: "told".into(), at: Some(Millis(at)), detail: Map::new(), about }
}

fn sheets() -> Vec<Sheet> {
    let mut shop = Templates::new(account("shop"));
    shop.observe(&told("a", 10, TemplateStatus::Approved, None), Millis(10));
    shop.observe(&told("b", 10, TemplateStatus::Pending, None), Millis(10));
    shop.observe(&told("b", 20, TemplateStatus::Rejected, Some("Sai định dạng")), Millis(20));
    shop.observe_failure("a", "-146", Millis(30));
    for state in [State::Delivered, State::Read, State::Failed] {
        shop.moved("a", None, State::Sent, None);
        shop.moved("a", Some(State::Sent), state, (state == State::Failed).then_some("-146"));
    }
    let mut other = Templates::new(account("other"));
    other.moved("c/ü", None, State::Queued, None);
    [shop.take_changed(), other.take_changed()].concat()
}

#[test]
fn templates_that_need_somebody_come_first_and_say_why() {
    ask(sheets(), Lang::Vi, |reader| {
        let (all, total) = reader.templates(&TemplateFilter::default(), 0, 10).unwrap();
        let names: Vec<(&str, &str, &str)> = all.iter().map(|t| (t.account.as_str(), t.template_id.as_str(), t.status)).collect();
        assert_eq!(total, 3);
        assert_eq!(names, [("shop", "b", "rejected"), ("other", "c/ü", "unknown"), ("shop", "a", "approved")]);
        assert_eq!(all[0].reason.as_deref(), Some("Sai định dạng"));
        assert!(all[0].advice.contains("gửi duyệt lại") && all[0].history.is_empty());
        let (rest, total) = reader.templates(&TemplateFilter { account: Some(account("shop")), status: None }, 1, 10).unwrap();
        assert_eq!((rest.len(), total, rest[0].template_id.as_str()), (1, 2, "a"));
        let rejected = TemplateFilter { status: Some(TemplateStatus::Rejected), ..TemplateFilter::default() };
        assert_eq!(reader.templates(&rejected, 0, 10).unwrap().1, 1);
    });
}

#[test]
fn one_template_has_its_history_its_refusals_and_its_numbers() {
    ask(sheets(), Lang::En, |reader| {
        let rejected = reader.template(&account("shop"), "b").unwrap().unwrap();
        let history: Vec<(&str, &str)> = rejected.history.iter().map(|c| (c.kind, c.value.as_str())).collect();
        assert_eq!(history, [("status", "rejected"), ("status", "pending")]);
        let refused = reader.template(&account("shop"), "a").unwrap().unwrap();
        assert_eq!((refused.refusals[0].code.as_str(), refused.refusals[0].last_at), ("-146", Millis(30)));
        assert!(refused.refusals[0].title.as_deref().is_some_and(|t| t.len() > 5), "the catalogue explains it");
        let m = &refused.messages;
        assert_eq!((m.total, m.delivered, m.read, m.failed, m.delivery_rate), (3, 1, 1, 1, Some(0.666)));
        assert_eq!((m.failures[0].code.as_str(), m.failures[0].count), ("-146", 1));
        assert_eq!(reader.template(&account("other"), "a").unwrap(), None);
    });
}

#[test]
fn an_incident_is_reported_by_its_examples_and_without_any_too() {
    for lang in Lang::ALL {
        let report = ask(Vec::new(), *lang, |reader| {
            let incident = IncidentSummary {
                id: 7,
                account: account("shop"),
                title: "Mã truy cập | bị từ chối".into(),
                cause: "-216".into(),
                opened_at: Millis(1_764_000_000_000),
                closed_at: None,
                size: 1_200,
                recipients: 1_100,
                examples: vec![PublicId { created_at: Millis(1), row: 99 }],
                remedy: "Kết nối lại.".into(),
            };
            reader.incident_report(&incident, ReportWish { now: Millis(1_764_000_600_000), full: false }).unwrap()
        });
        assert!(report.messages.is_empty(), "an example that retention took is passed over");
        assert_eq!((report.alike.count, report.subject.as_str(), report.id.as_str()), (Some(1_200), "incident", "7"));
        assert!(!report.checks.is_empty() && report.checks.iter().all(|c| c.state.as_str() == "done" || c.how.is_some()));
        let text = report.markdown();
        for part in [r"Mã truy cập \| bị từ chối", "`-216`", "2025-11-24T16:00:00.000Z", "1200", "1100", "Kết nối lại."] {
            assert!(text.contains(part), "{part}\n{text}");
        }
        let json = serde_json::to_value(&report).unwrap();
        assert_eq!((&json["lang"], &json["incident"]["size"]), (&lang.as_str().into(), &1_200.into()));
    }
}
