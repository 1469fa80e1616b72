//! One store that things happen to: acts go to the inbox in batches, the projector takes its steps between them, and now and then
//! everything is closed and opened again.

use std::sync::Arc;

use baophat::clock::HandClock;
use baophat::config::{Config, Env, Retention};
use baophat::domain::failure::Lang;
use baophat::domain::ids::{AccountId, PublicId};
use baophat::domain::record::{Content, Status};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::{AccountRules, Nudge, Parts, Projector, ProjectorHandle, ReprocessWhat};
use baophat::present::Reader;
use baophat::providers::verify;
use baophat::store::sqlite::Place;
use baophat::store::sqlite::inbox::{InboxReader, InboxWriter, Submission};
use baophat::store::sqlite::query::MessageFilter;
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use super::acts::{ACCOUNTS, Act, START};
use crate::harness::{TOKEN, config};

/// How the same acts are carried out: in which batches, with which repeats, where it starts anew.
#[derive(Clone, Debug)]
pub struct Plan {
    steps: Vec<(usize, bool, bool, bool)>,
    clock_ahead: bool,
}

impl Plan {
    /// Any plan. A step: acts in one batch, whether they are sent twice, whether they are folded at once, whether it starts anew.
    pub fn any() -> impl Strategy<Value = Plan> {
        let step = (1..5usize, prop::bool::weighted(0.3), prop::bool::weighted(0.7), prop::bool::weighted(0.2));
        (prop::collection::vec(step, 1..40), any::<bool>()).prop_map(|(steps, clock_ahead)| Plan { steps, clock_ahead })
    }
}

/// The parts that a start makes.
struct Open {
    inbox: InboxWriter,
    projector: Projector<InboxReader, StateFile>,
    handle: ProjectorHandle,
}

/// One store.
pub struct Run {
    place: Place,
    rules: Arc<AccountRules>,
    clock: HandClock,
    retention: Retention,
    _folder: TempDir,
}

impl Run {
    /// A new store.
    pub fn new() -> Run {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baophat.toml");
        std::fs::write(&path, config(folder.path(), "")).unwrap();
        let config = Config::load(Some(&path), &Env::default()).unwrap();
        Run {
            place: Place::new(folder.path().join("baophat.db")),
            rules: Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone())),
            clock: HandClock::new(Millis(START)),
            retention: config.retention.clone(),
            _folder: folder,
        }
    }

    fn open(&self) -> Open {
        let mut inbox = InboxWriter::open(&self.place).unwrap();
        inbox.ensure_accounts(self.rules.iter().map(|(id, known)| (id, known.spec.slug))).unwrap();
        let reader = InboxReader::open(&self.place).unwrap();
        let accounts = AccountNumbers::new(reader.accounts().unwrap());
        let (projector, handle) = Projector::new(Parts {
            inbox: reader,
            state: StateFile::open_writer(&self.place, accounts).unwrap(),
            rules: self.rules.clone(),
            clock: Arc::new(self.clock.clone()),
            health: Arc::default(),
            metrics: Arc::default(),
            retention: self.retention.clone(),
            sweep_every: Span::seconds(1),
        })
        .unwrap();
        Open { inbox, projector, handle }
    }

    /// Lets the acts happen in this order, by this plan; the messages at the end, long after every deadline.
    pub fn go(&mut self, acts: &[Act], order: &[usize], plan: &Plan) -> Vec<Value> {
        let end = Millis(START).plus(Span::days(20));
        if plan.clock_ahead {
            self.clock.set(end);
        }
        let mut open = self.open();
        let mut rest = order;
        for (number, twice, fold, anew) in plan.steps.iter().cycle() {
            let (now, later) = rest.split_at((*number).min(rest.len()));
            let batch: Vec<Submission> = now.iter().map(|i| self.submission(acts, *i)).collect();
            open.inbox.append(&batch).unwrap();
            if *twice {
                open.inbox.append(&batch).unwrap();
            }
            if *fold {
                catch_up(&mut open.projector);
            }
            if *anew {
                drop(open);
                open = self.open();
            }
            rest = later;
            if rest.is_empty() {
                break;
            }
        }
        self.clock.set(end);
        catch_up(&mut open.projector);
        drop(open);
        // Why a message is stuck depends on what happened around it; the next start looks at every stuck one again.
        open = self.open();
        catch_up(&mut open.projector);
        drop(open);
        self.messages()
    }

    /// The messages after every callback was processed again.
    pub fn processed_again(&self) -> Vec<Value> {
        let Open { projector, handle, .. } = self.open();
        let running = projector.start().unwrap();
        for status in [Status::Processed, Status::Error, Status::Ignored] {
            handle.reprocess(ReprocessWhat::All(status)).blocking_recv().unwrap();
        }
        handle.nudge(Nudge::Stop);
        running.join().unwrap();
        self.messages()
    }

    /// The messages after the state was thrown away and built from the inbox again.
    pub fn built_again(&self) -> Vec<Value> {
        let state = self.place.state();
        for end in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{end}", state.display()));
        }
        catch_up(&mut self.open().projector);
        self.messages()
    }

    /// What arrives has its own time of arrival, whenever it is its turn; repeats have that of the first of them.
    fn submission(&self, acts: &[Act], i: usize) -> Submission {
        let identity = self.taken(&acts[i], Millis(START)).1;
        let first = identity.and_then(|_| (0..i).find(|j| self.taken(&acts[*j], Millis(START)).1 == identity));
        let at = Millis(START + 500 + 137 * first.unwrap_or(i) as i64);
        let account = AccountId::parse(ACCOUNTS[acts[i].account()]).unwrap();
        let provider = self.rules.get(&account).unwrap().spec.slug;
        Submission { provider, account, received_at: at, content: self.taken(&acts[i], at).0, identity }
    }

    /// An act as the inbox takes it, and by what its repeats are known.
    fn taken(&self, act: &Act, at: Millis) -> (Content, Option<[u8; 16]>) {
        match act.content(at) {
            Content::Callback(callback) => {
                let known = self.rules.get(&callback.account).unwrap();
                let token = known.spec.token_in_path.then_some(TOKEN);
                let (callback, identity) = verify(known.account.as_ref(), callback, token).expect("it is signed").into_inner();
                (Content::Callback(callback), Some(identity[..16].try_into().unwrap()))
            }
            own => (own, None),
        }
    }

    /// Every message with its timeline, without what is our own: ids, and the order in which messages became known.
    fn messages(&self) -> Vec<Value> {
        let inbox = InboxReader::open(&self.place).unwrap();
        let accounts = AccountNumbers::new(inbox.accounts().unwrap());
        let state = StateFile::open_reader(&self.place, accounts).unwrap();
        let reader = Reader { inbox: &inbox, state: &state, rules: &self.rules, lang: Lang::En, now: Millis(0) };
        let (listed, next) = reader.messages(&MessageFilter::default(), None, 500).unwrap();
        assert_eq!(next, None);
        let mut all: Vec<Value> = listed
            .iter()
            .map(|m| {
                let whole = reader.message(PublicId::parse(&m.id).unwrap().row).unwrap().unwrap();
                let text = serde_json::to_string(&whole).unwrap().replace(&m.id, "");
                without_surroundings(serde_json::from_str(&text).unwrap())
            })
            .collect();
        all.sort_by_cached_key(Value::to_string);
        all
    }
}

/// Which of these causes a message without a receipt is stuck for depends on what its account had seen by then. That is learned, from what
/// came in which batch, and no function of the facts (docs/adr/0011); that it is stuck, since when and by which deadline is one.
const SURROUNDINGS: [&str; 4] = ["webhook_silent", "receipts_not_subscribed", "recipient_unreachable", "poll_needed"];

fn without_surroundings(mut message: Value) -> Value {
    if message["stuck"]["cause"].as_str().is_some_and(|cause| SURROUNDINGS.contains(&cause)) {
        message["stuck"]["cause"] = "one of its surroundings".into();
        message["stuck"]["advice"] = Value::Null;
    }
    message
}

fn catch_up(projector: &mut Projector<InboxReader, StateFile>) {
    while projector.step().unwrap() {}
}
