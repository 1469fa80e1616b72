//! A town of customers and the shop that writes to them, by seeded dice: what is sent at which hour, what the providers answer and call back,
//! what comes late, twice or never; and outages of a chosen kind and time. It drives the real fold and watch over a store in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use baophat::clock::HandClock;
use baophat::config::{Config, Env, Retention};
use baophat::domain::ids::AccountId;
use baophat::domain::record::{Callback, Content, Method, Registration, SendAnswer, Target};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::{AccountRules, Parts, Projector};
use baophat::store::memory::{Memory, MemoryReader, MemoryState, MemoryWriter};
use baophat::store::{RecordWriter, Submission};
use serde_json::{Value, json};

use crate::harness::{config, sign};

/// Minutes of a step by day and by night.
const STEP_MINUTES: (i64, i64) = (2, 10);
/// How many people there are.
const PEOPLE: u64 = 6_000;
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

/// The accounts.
pub const ACCOUNTS: [&str; 3] = ["shop-oa", "shop-page", "shop-sms"];

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// No callback comes to this account.
    WebhookOff(usize),
    /// No receipt comes to the OA; other callbacks do.
    ReceiptsOff,
    /// The OA's token is dead.
    TokenDead,
    /// The receipts of what the OA sends come an hour late.
    Slow,
    /// The aggregator's balance is empty.
    BalanceEmpty,
    /// One of the OA's templates is disabled.
    TemplateDisabled,
    /// The OA's daily quota is used up.
    QuotaUsedUp,
}

/// An outage.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    pub wrong: Wrong,
    pub from: Millis,
    pub until: Millis,
}

/// Something on its way.
enum Coming {
    /// A callback to an account: its query or its body, and by what its repeats are known. Receipts are marked.
    Call { account: usize, text: String, identity: u64, receipt: bool },
    /// A call of the shop's own.
    Own(usize, Content),
}

/// Dice (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from) as u64) as i64
    }

    fn of_thousand(&mut self, n: u64) -> bool {
        self.below(1_000) < n
    }
}

/// The town.
pub struct Town {
    pub memory: Memory,
    /// How many messages were sent so far.
    pub sent: usize,
    clock: HandClock,
    now: Millis,
    rules: Arc<AccountRules>,
    writer: MemoryWriter,
    projector: Projector<MemoryReader, MemoryState>,
    dice: Dice,
    coming: BTreeMap<(i64, u64), Coming>,
    serial: u64,
    outages: Vec<Outage>,
}

impl Town {
    pub fn new(seed: u64, start: Millis, outages: Vec<Outage>) -> Town {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("baophat.toml");
        std::fs::write(&path, config(folder.path(), "")).unwrap();
        let config = Config::load(Some(&path), &Env::default()).unwrap();
        let rules = Arc::new(AccountRules::new(&config.accounts, config.stuck.deadlines.clone()));
        let (memory, clock) = (Memory::uncut(), HandClock::new(start));
        let retention = Retention { callbacks: Span::days(30), messages: Span::days(400) };
        let (projector, _) = Projector::new(Parts {
            inbox: memory.reader(),
            state: memory.state(),
            rules: rules.clone(),
            clock: Arc::new(clock.clone()),
            health: Arc::default(),
            metrics: Arc::default(),
            retention,
            sweep_every: Span::seconds(1),
        })
        .unwrap();
        let writer = memory.writer();
        let dice = Dice(seed);
        Town { memory, sent: 0, clock, now: start, rules, writer, projector, dice, coming: BTreeMap::new(), serial: 0, outages }
    }

    /// Lives until then.
    pub fn live(&mut self, until: Millis) {
        self.pass(until, true);
    }

    /// Lives until then, and nothing of what comes is folded before.
    pub fn live_unfolded(&mut self, until: Millis) {
        self.pass(until, false);
        while self.projector.step().unwrap() {}
    }

    fn pass(&mut self, until: Millis, folding: bool) {
        while self.now < until {
            let busy = rate(self.now) > 5.0;
            let minutes = if busy { STEP_MINUTES.0 } else { STEP_MINUTES.1 };
            let from = self.now;
            self.now = Millis(from.0 + minutes * MINUTE);
            self.sends(from, minutes);
            self.take_in();
            self.clock.set(self.now);
            while folding && self.projector.step().unwrap() {}
        }
    }

    fn is(&self, wrong: Wrong, at: i64) -> bool {
        self.outages.iter().any(|o| o.wrong == wrong && o.from.0 <= at && at < o.until.0)
    }

    /// What is sent and written in a step.
    fn sends(&mut self, from: Millis, minutes: i64) {
        let expected = rate(from) * minutes as f64 / 60.0;
        let moments = |dice: &mut Dice, expected: f64| -> Vec<i64> {
            let n = expected as u64 + u64::from(dice.of_thousand((expected.fract() * 1_000.0) as u64));
            (0..n).map(|_| from.0 + dice.between(0, minutes * MINUTE)).collect()
        };
        for at in moments(&mut self.dice, expected) {
            self.sent += 1;
            match self.dice.below(100) {
                0..45 => self.zns(at),
                45..65 => self.chat(at),
                65..85 => self.page(at),
                _ => self.sms(at),
            }
        }
        for at in moments(&mut self.dice, expected / 4.0) {
            self.inbound(at);
        }
    }

    fn zns(&mut self, at: i64) {
        let template = ["7895417", "7895418", "1111111"][self.dice.below(3) as usize];
        let code = match self.dice.below(1_000) {
            _ if self.is(Wrong::TokenDead, at) => Some(-216),
            _ if self.is(Wrong::QuotaUsedUp, at) => Some(-144),
            _ if template == "1111111" && self.is(Wrong::TemplateDisabled, at) => Some(-146),
            0..30 => Some(-118),
            30..35 => Some(-119),
            35..38 => Some(-139),
            38..40 => Some(-9_999),
            _ => None,
        };
        let phone = format!("8491{:07}", self.dice.below(PEOPLE));
        self.zalo(at, "zns", Some(template), phone, code);
    }

    fn chat(&mut self, at: i64) {
        let code = match self.dice.below(1_000) {
            _ if self.is(Wrong::TokenDead, at) => Some(-216),
            0..40 => Some(-230),
            40..50 => Some(-213),
            50..52 => Some(-32),
            _ => None,
        };
        let user = format!("47{:015}", self.dice.below(PEOPLE));
        self.zalo(at, "cs", None, user, code);
    }

    fn zalo(&mut self, at: i64, kind: &str, template: Option<&str>, to: String, code: Option<i64>) {
        let refusal = code.map(|code| json!({"error": code, "message": "refused"}));
        let accepted = |id: &str| json!({"error": 0, "data": {"message_id": id}});
        let Some(id) = self.tell(0, at, kind, template, &to, refusal, accepted) else { return };
        if let Some(after) = self.receipt_after(0, at) {
            let got = at + after;
            self.call(0, got, sign::zalo_receipt(&id, &to, got), true);
            if self.dice.of_thousand(400) {
                let seen = got + self.dice.between(MINUTE, 3 * HOUR);
                let parties = json!({"sender": {"id": sign::OA}, "recipient": {"id": to}});
                let body = sign::zalo_event("user_seen_message", &parties, &json!({"msg_ids": [id]}), seen);
                self.call(0, seen, body, true);
            }
        }
    }

    fn page(&mut self, at: i64) {
        let to = format!("77{:010}", self.dice.below(PEOPLE));
        let error = |code: i64, subcode: i64| json!({"error": {"code": code, "error_subcode": subcode, "message": "refused"}});
        let refusal = match self.dice.below(1_000) {
            0..20 => Some(error(10, 2_018_278)),
            20..30 => Some(error(551, 1_545_041)),
            _ => None,
        };
        let accepted = |id: &str| json!({"message_id": id, "recipient_id": "7"});
        let Some(id) = self.tell(1, at, "message", None, &to, refusal, accepted) else { return };
        if let Some(after) = self.receipt_after(1, at) {
            let got = at + after;
            self.call(1, got, sign::facebook_body(&[sign::facebook_delivery(&id, &to, got)]), true);
            if self.dice.of_thousand(600) {
                let seen = got + self.dice.between(MINUTE, 2 * HOUR);
                let read = json!({"sender": {"id": to}, "recipient": {"id": sign::PAGE}, "timestamp": seen, "read": {"watermark": got}});
                self.call(1, seen, sign::facebook_body(&[read]), true);
            }
        }
    }

    fn sms(&mut self, at: i64) {
        let to = format!("8490{:07}", self.dice.below(PEOPLE));
        let empty = self.is(Wrong::BalanceEmpty, at).then(|| json!({"CodeResult": "103", "ErrorMessage": "Balance not enough"}));
        let accepted = |id: &str| json!({"CodeResult": "100", "SMSID": id});
        let Some(id) = self.tell(2, at, "sms_customer_care", None, &to, empty, accepted) else { return };
        let after = match self.dice.below(1_000) {
            0..5 => return,
            5..15 => self.dice.between(20 * MINUTE, 5 * HOUR),
            _ => self.dice.between(2_000, 90_000),
        };
        let failed = u32::from(self.dice.of_thousand(40));
        self.call(2, at + after, sign::esms_report(&id, 1 - failed, failed, ""), true);
    }

    /// After how long a receipt comes; some phones are off for hours or days, and some are never switched on again.
    fn receipt_after(&mut self, account: usize, at: i64) -> Option<i64> {
        let slow = if account == 0 && self.is(Wrong::Slow, at) { HOUR } else { 0 };
        let own = match self.dice.below(100) {
            0..70 => self.dice.between(1_000, 30_000),
            70..88 => self.dice.between(30_000, 5 * MINUTE),
            88..93 => self.dice.between(5 * MINUTE, 3 * HOUR),
            93..96 => self.dice.between(3 * HOUR, 40 * HOUR),
            _ => return None,
        };
        Some(own + slow)
    }

    /// Registers a message, at once with its id, or first without it and then by the answer to its send call, which sometimes is lost before
    /// it is tried again; now and then late. Its id where it was accepted.
    #[allow(clippy::too_many_arguments, reason = "it is what a message consists of")]
    fn tell(
        &mut self,
        account: usize,
        at: i64,
        kind: &str,
        template: Option<&str>,
        to: &str,
        refusal: Option<Value>,
        accepted: impl Fn(&str) -> Value,
    ) -> Option<String> {
        self.serial += 1;
        let (reference, id) = (format!("r{}", self.serial), format!("m{}", self.serial));
        let direct = refusal.is_none() && self.dice.of_thousand(700);
        let late = if direct && self.dice.of_thousand(30) { self.dice.between(MINUTE, 20 * MINUTE) } else { 0 };
        let registration = Registration {
            account: AccountId::parse(ACCOUNTS[account]).ok(),
            reference: Some(reference.clone()),
            message_id: direct.then(|| id.clone()),
            recipient: Some(to.to_owned()),
            kind: Some(kind.to_owned()),
            template_id: template.map(str::to_owned),
            sent_at: direct.then_some(Millis(at)),
            ..Registration::default()
        };
        self.own(account, at + late, Content::Registrations(vec![registration]));
        if !direct {
            let target = Target { reference: Some(reference), message_id: None };
            if self.dice.of_thousand(10) {
                let lost = SendAnswer { error: Some("timed out".into()), ..SendAnswer::default() };
                self.own(account, at + 100, Content::Answer { target: target.clone(), answer: lost });
            }
            let body = refusal.clone().unwrap_or_else(|| accepted(&id)).to_string();
            let answer = SendAnswer { status: Some(200), body, ..SendAnswer::default() };
            self.own(account, at + 300, Content::Answer { target, answer });
        }
        refusal.is_none().then_some(id)
    }

    fn inbound(&mut self, at: i64) {
        let (n, person) = (self.serial + 1, self.dice.below(PEOPLE));
        if self.dice.of_thousand(600) {
            let parties = json!({"sender": {"id": format!("47{person:015}")}, "recipient": {"id": sign::OA}});
            let body = sign::zalo_event("user_send_text", &parties, &json!({"msg_id": format!("in{n}"), "text": "hỏi giá"}), at);
            self.call(0, at, body, false);
        } else {
            let who = json!({"id": format!("77{person:010}")});
            let text = json!({"mid": format!("in{n}"), "text": "còn hàng không ạ"});
            let item = json!({"sender": who, "recipient": {"id": sign::PAGE}, "timestamp": at, "message": text});
            self.call(1, at, sign::facebook_body(&[item]), false);
        }
    }

    fn own(&mut self, account: usize, at: i64, content: Content) {
        self.serial += 1;
        self.coming.insert((at, self.serial), Coming::Own(account, content));
    }

    /// A callback is on its way; three of a hundred come twice.
    fn call(&mut self, account: usize, at: i64, text: String, receipt: bool) {
        self.serial += 1;
        let identity = self.serial;
        if self.dice.of_thousand(30) {
            let again = Coming::Call { account, text: text.clone(), identity, receipt };
            self.coming.insert((at + 2 * MINUTE, self.serial + (1 << 40)), again);
        }
        self.coming.insert((at, self.serial), Coming::Call { account, text, identity, receipt });
    }

    /// What has come until now is made durable, unless an outage keeps it away.
    fn take_in(&mut self) {
        let later = self.coming.split_off(&(self.now.0, 0));
        let come = std::mem::replace(&mut self.coming, later);
        let mut batch = Vec::with_capacity(come.len());
        for ((at, _), coming) in come {
            let (account, content, identity) = match coming {
                Coming::Own(account, content) => (account, content, None),
                Coming::Call { account, receipt, .. }
                    if self.is(Wrong::WebhookOff(account), at) || (account == 0 && receipt && self.is(Wrong::ReceiptsOff, at)) =>
                {
                    continue;
                }
                Coming::Call { account, text, identity, .. } => {
                    let callback = callback(account, text, Millis(at));
                    (account, Content::Callback(callback), Some(u128::from(identity).to_be_bytes()))
                }
            };
            let id = AccountId::parse(ACCOUNTS[account]).unwrap();
            let provider = self.rules.get(&id).unwrap().spec.slug;
            batch.push(Submission { provider, account: id, received_at: Millis(at), content, identity });
        }
        self.writer.append(&batch).unwrap();
    }
}

fn callback(account: usize, text: String, at: Millis) -> Callback {
    let (query, body) = if account == 2 { (text, Vec::new()) } else { (String::new(), text.into_bytes()) };
    Callback {
        account: AccountId::parse(ACCOUNTS[account]).unwrap(),
        method: if account == 2 { Method::Get } else { Method::Post },
        query,
        content_type: None,
        headers: Vec::new(),
        body,
        source: "127.0.0.1".into(),
        received_at: at,
    }
}

/// Messages an hour: a shop that works on weekdays, writes a little in the evening, and rests at the weekend.
fn rate(at: Millis) -> f64 {
    let local = at.0 + 7 * HOUR;
    // 1970-01-01 was a Thursday.
    let (day, hour) = ((local.div_euclid(24 * HOUR) + 3).rem_euclid(7), local.div_euclid(HOUR).rem_euclid(24));
    match (day, hour) {
        (0..5, 8..12 | 14..18) => 200.0,
        (0..5, 12..14) => 110.0,
        (0..5, 18..22) => 60.0,
        (5.., 9..18) => 18.0,
        (_, 22..23) => 4.0,
        _ => 0.0,
    }
}
