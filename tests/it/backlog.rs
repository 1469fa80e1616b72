//! Many calls that register a thousand messages each wait to be folded: no commit holds more of them than memory is meant for.

use std::sync::Arc;

use baophat::clock::HandClock;
use baophat::config::{Config, Env};
use baophat::domain::ids::AccountId;
use baophat::domain::projection::Source;
use baophat::domain::record::{Content, Registration};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::{AccountRules, FOLD_MESSAGES_MAX, Parts, Projector};
use baophat::store::memory::Memory;
use baophat::store::{RecordWriter, StateWriter, Submission};

use crate::harness::config;

const START: Millis = Millis(1_769_997_600_000);
const CALLS: u64 = 12;
const EACH: usize = 1_000;

#[test]
fn a_backlog_of_large_calls_is_folded_in_commits_of_a_bounded_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("baophat.toml");
    std::fs::write(&path, config(folder.path(), "")).unwrap();
    let config = Config::load(Some(&path), &Env::default()).unwrap();
    let account = AccountId::parse("shop-oa").unwrap();
    let memory = Memory::uncut();
    let calls: Vec<Submission> = (0..CALLS)
        .map(|call| {
            let one = |n: usize| Registration { reference: Some(format!("r{call}-{n}")), ..Registration::default() };
            let content = Content::Registrations((0..EACH).map(one).collect());
            Submission { provider: "zalo", account: account.clone(), received_at: START, content, identity: None }
        })
        .collect();
    memory.writer().append(&calls).unwrap();
    let (mut projector, _handle) = Projector::new(Parts {
        inbox: memory.reader(),
        state: memory.state(),
        rules: Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone())),
        // Two days late: what is not folded yet may say more, so nothing is swept before the end.
        clock: Arc::new(HandClock::new(START.plus(Span::days(2)))),
        health: Arc::default(),
        metrics: Arc::default(),
        retention: config.retention.clone(),
        sweep_every: Span::seconds(1),
    })
    .unwrap();
    let stuck = |memory: &Memory| memory.state().stuck_rows(&account, Millis(0), 0, 20_000).unwrap().len();
    let mut before = 0;
    while memory.state().cursor().unwrap() < CALLS {
        projector.step().unwrap();
        let state = memory.state();
        let folded = state.next_rows().unwrap().0 as usize - 1;
        assert!(folded > before && folded - before <= FOLD_MESSAGES_MAX + EACH, "{before} to {folded}");
        assert!(state.cursor().unwrap() == CALLS || stuck(&memory) == 0);
        before = folded;
    }
    assert_eq!(before, CALLS as usize * EACH);
    while projector.step().unwrap() {}
    assert_eq!(stuck(&memory), before, "now all of it is swept");
}
