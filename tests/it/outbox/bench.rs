//! A store with a few messages, a feed that tests write by hand, and an outbox over it that is driven step by step.

use std::path::PathBuf;
use std::sync::Arc;

use baophat::config::{Config, Env};
use baophat::domain::feed::{Entry, MessageAt, Step, What};
use baophat::domain::ids::{AccountId, PublicId};
use baophat::domain::projection::Change;
use baophat::domain::state::State;
use baophat::domain::time::{Millis, Span};
use baophat::ingest::AccountRules;
use baophat::metrics::Metrics;
use baophat::outbox::{Courier, Outbox, Post, Target, Teller};
use baophat::store::sqlite::Place;
use baophat::store::sqlite::inbox::InboxReader;
use baophat::store::sqlite::outbox::OutboxFile;
use baophat::store::sqlite::state::{AccountNumbers, StateFile};
use serde_json::{Value, json};

use crate::harness::{Server, with_key};

pub const T: Millis = Millis(1_790_000_000_000);

pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub struct Bench {
    server: Server,
    folder: PathBuf,
    pub place: Place,
    /// As the API showed them.
    pub messages: Vec<Value>,
    pub metrics: Arc<Metrics>,
}

/// The table of a subscription.
pub fn subscription(url: &str, more: &str) -> String {
    format!("\n[[subscription]]\nid = \"erp\"\nurl = \"{url}\"\nsecrets = \"{SECRET}\"\nallow_private = true\n{more}")
}

/// The table of an alert of the webhook kind.
pub fn alert(url: &str, more: &str) -> String {
    format!("\n[[alert]]\nid = \"ops\"\nkind = \"webhook\"\nurl = \"{url}\"\nsecrets = \"{SECRET}\"\nallow_private = true\n{more}")
}

impl Bench {
    /// With three registered messages, and no server running.
    pub fn new() -> Bench {
        let mut server = Server::start();
        let told: Vec<Value> = (1..=3).map(|n| json!({ "account": "shop-oa", "ref": format!("order-{n}"), "kind": "zns" })).collect();
        for message in &told {
            server.post("/v1/messages", message).is(201);
        }
        let mut messages = server.find("account=shop-oa");
        messages.reverse();
        assert_eq!(messages.len(), 3);
        server.stop();
        let folder = server.folder().to_path_buf();
        Bench { server, place: Place::new(folder.join("baophat.db")), folder, messages, metrics: Arc::default() }
    }

    fn accounts(&self) -> AccountNumbers {
        AccountNumbers::new(InboxReader::open(&self.place).unwrap().accounts().unwrap())
    }

    /// The outbox for these tables, and what sends for it.
    pub fn outbox(&self, tables: &str) -> (Outbox, Courier) {
        let base = Server::write_config(&self.folder, "");
        let text = std::fs::read_to_string(&base).unwrap();
        std::fs::write(&base, format!("{text}{tables}")).unwrap();
        let config = Config::load(Some(&base), &Env::default()).unwrap();
        let targets = Target::all(&config);
        let teller = Teller {
            inbox: InboxReader::open(&self.place).unwrap(),
            state: StateFile::open_reader(&self.place, self.accounts()).unwrap(),
            rules: Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone())),
            public_url: Some("https://hooks.example.vn".into()),
        };
        let courier = Courier::new(&targets);
        let file = OutboxFile::open_writer(&self.place).unwrap();
        (Outbox::new(file, teller, targets, self.metrics.clone(), T).unwrap(), courier)
    }

    /// Writes entries behind the feed, in one commit.
    pub fn feed(&self, what: &[What]) {
        let entry = |what: &What| Entry { account: AccountId::parse("shop-oa").unwrap(), at: T, what: what.clone() };
        let change = Change { feed: what.iter().map(entry).collect(), ..Change::default() };
        StateFile::open_writer(&self.place, self.accounts()).unwrap().commit(&change, &[], None).unwrap();
    }

    /// A message moves on.
    pub fn moved(&self, n: usize, from: State, to: State) -> What {
        let id = PublicId::parse(self.messages[n]["id"].as_str().unwrap()).unwrap();
        What::Moved { id: MessageAt { row: id.row, created_at: id.created_at }, from: Some(from), to }
    }

    pub fn file(&self) -> OutboxFile {
        OutboxFile::open_reader(&self.place).unwrap().unwrap()
    }

    /// The server on this store again, with these tables.
    pub fn into_server(self, tables: &str) -> Server {
        let base = Server::write_config(&self.folder, &with_key(""));
        let text = std::fs::read_to_string(&base).unwrap();
        std::fs::write(&base, format!("{text}{tables}")).unwrap();
        self.server.restart()
    }

    /// The numbers of the deliveries that wait, or of the dead ones.
    pub fn numbers(&self, dead: bool) -> Vec<i64> {
        self.file().deliveries(dead, None, None, 500).unwrap().iter().map(|d| d.id).collect()
    }
}

pub fn incident(id: u64, step: Step) -> What {
    What::Incident { id, step, size: 12 }
}

/// Steps and sends until nothing more is due; how many attempts it took.
pub fn run(outbox: &mut Outbox, post: &dyn Post, now: Millis) -> usize {
    let mut attempts = 0;
    loop {
        let jobs = outbox.step(now);
        if jobs.is_empty() {
            return attempts;
        }
        for job in jobs {
            let answer = post.post(&job);
            outbox.back(job, answer);
            attempts += 1;
        }
    }
}

pub fn after(span: Span) -> Millis {
    T.plus(span)
}
