//! From a story and a fate to timed steps: what is registered, what the send call answers, what the provider calls back and when.
//!
//! Pure: chance and the time come in as values. It must not send anything.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use serde_json::{Value, json};

use super::chance::Chance;
use super::fates;
use super::story::{Fate, INBOUND, STORIES, Story};
use super::wire::{Answer, Carrier, Hook, Parcel, esms, facebook, zalo};
use crate::domain::time::{Millis, Span};

/// Something to do, so long after the script begins.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// When.
    pub after: Duration,
    /// What.
    pub action: Action,
}

/// One request.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// The shop registers a message; then, so much later each, it hands on the answers to its send calls.
    Register {
        /// The body of `POST /v1/messages`.
        message: Value,
        /// The answers.
        answers: Vec<(Duration, Answer)>,
    },
    /// The shop hands on the answer to its send call.
    Answer {
        /// Our id of the message.
        id: String,
        /// The answer.
        answer: Answer,
    },
    /// A provider calls back.
    Call(Arc<Call>),
}

/// A callback, its repeats included, and what must come of it.
#[derive(Debug)]
pub(super) struct Call {
    /// The request.
    pub hook: Hook,
    /// The status that it must be answered with.
    pub status: u16,
    /// What it proves, by the provider's id of a message.
    pub proves: Vec<(String, Proof)>,
    /// How often it was answered 200.
    pub acknowledged: AtomicU32,
}

/// What a callback proves of a message, the weaker first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Proof {
    /// It is known.
    Known,
    /// It failed, unless there is proof of delivery too.
    Failed,
    /// It was delivered.
    Delivered,
    /// It was read.
    Read,
}

/// A script that is being written.
pub(super) struct Draft<'a> {
    /// What happens by chance.
    pub chance: &'a mut Chance,
    now: Millis,
    speed: f64,
    steps: Vec<Step>,
}

/// Writes the script of one message, of whatever story and fate come up.
pub(super) fn message(chance: &mut Chance, now: Millis, speed: f64) -> Vec<Step> {
    let story = chance.weighted(STORIES, |s| s.weight);
    let fate = chance.weighted(story.fates, |f| f.0).1;
    play(story, fate, chance, now, speed)
}

/// Writes the script of one story with one fate.
pub(super) fn play(story: &Story, fate: Fate, chance: &mut Chance, now: Millis, speed: f64) -> Vec<Step> {
    let mut draft = Draft { chance, now, speed, steps: Vec::new() };
    fates::write(&mut draft, story, fate);
    draft.steps
}

/// What happens beside the messages: customers write, somebody forges, something cannot be read.
pub(super) fn aside(chance: &mut Chance, now: Millis, speed: f64) -> Vec<Step> {
    let mut draft = Draft { chance, now, speed, steps: Vec::new() };
    let parcel = draft.parcel(&STORIES[0]);
    let at = draft.time(0);
    let (hook, status) = match draft.chance.between(0, 10) {
        0..=4 => {
            let text = *draft.chance.pick(INBOUND);
            (zalo::inbound(&draft.chance.digits(19), &draft.chance.hex(20), text, at), 200)
        }
        5 => (zalo::unintelligible(at), 200),
        6 | 7 => (zalo::forged(&parcel, at, draft.chance.hex(64)), 401),
        8 => (facebook::unsigned(&parcel, at), 401),
        _ => (esms::wrong_token(&parcel), 401),
    };
    draft.call_answered(0, hook, Vec::new(), status);
    draft.steps
}

impl Draft<'_> {
    /// The moment so many milliseconds of ordinary speed after the beginning.
    pub(super) fn time(&self, after_ms: u64) -> Millis {
        self.now.plus(Span(self.scaled(after_ms).as_millis() as i64))
    }

    fn scaled(&self, ms: u64) -> Duration {
        Duration::from_secs_f64(ms as f64 / 1_000.0 / self.speed)
    }

    /// A message of this story, with ids, a recipient and a text of its own.
    pub(super) fn parcel(&mut self, story: &Story) -> Parcel {
        let order = format!("DH{}", self.chance.digits(5));
        let (recipient, message_id) = match (story.carrier, story.template) {
            (Carrier::Zalo, None) => (format!("47{}", self.chance.digits(17)), self.chance.hex(20)),
            (Carrier::Zalo, Some(_)) => (format!("849000{}", self.chance.digits(5)), self.chance.hex(20)),
            (Carrier::Facebook, _) => (format!("73{}", self.chance.digits(14)), format!("m_Demo{}", self.chance.hex(40))),
            (Carrier::Esms, _) => (format!("09000{}", self.chance.digits(5)), self.chance.hex(32)),
        };
        Parcel {
            carrier: story.carrier,
            kind: story.kind,
            template: story.template,
            reference: format!("{}-{}", order.to_lowercase(), self.chance.hex(6)),
            message_id,
            recipient,
            text: self.text(story, &order),
            server_time: self.time(120),
        }
    }

    fn text(&mut self, story: &Story, order: &str) -> String {
        let money = format!("{}.000đ", self.chance.between(2, 90) * 10);
        let hour = format!("{}:{}0", self.chance.between(14, 20), self.chance.between(0, 6));
        let otp = self.chance.digits(6);
        let text = *self.chance.pick(story.texts);
        text.replace("{order}", order).replace("{money}", &money).replace("{hour}", &hour).replace("{otp}", &otp)
    }

    /// The shop registers it, and hands the answers on so many milliseconds later.
    pub(super) fn register(&mut self, at_ms: u64, parcel: &Parcel, answers: Vec<(u64, Answer)>) {
        self.register_for(at_ms, parcel, answers, None);
    }

    /// As `register`, for a certain hour.
    pub(super) fn register_for(&mut self, at_ms: u64, parcel: &Parcel, answers: Vec<(u64, Answer)>, hour: Option<Millis>) {
        let mut message = json!({
            "account": parcel.carrier.account(), "ref": parcel.reference, "kind": parcel.kind,
            "metadata": { "text": parcel.text }, "queued_at": self.time(at_ms),
        });
        if parcel.kind != "sms_advertising" {
            message["recipient"] = parcel.recipient.as_str().into();
        }
        if let Some(template) = parcel.template {
            message["template_id"] = template.into();
        }
        if let Some(hour) = hour {
            message["scheduled_at"] = json!(hour);
        }
        let answers = answers.into_iter().map(|(ms, answer)| (self.scaled(ms), answer)).collect();
        self.steps.push(Step { after: self.scaled(at_ms), action: Action::Register { message, answers } });
    }

    /// A provider calls back; now and then it does so several times with the same bytes.
    pub(super) fn call(&mut self, at_ms: u64, hook: Hook, proves: Vec<(String, Proof)>) {
        self.call_answered(at_ms, hook, proves, 200);
    }

    fn call_answered(&mut self, at_ms: u64, hook: Hook, proves: Vec<(String, Proof)>, status: u16) {
        let call = Arc::new(Call { hook, status, proves, acknowledged: AtomicU32::new(0) });
        let mut at_ms = at_ms;
        self.steps.push(Step { after: self.scaled(at_ms), action: Action::Call(call.clone()) });
        if status != 200 || !self.chance.one_in(9) {
            return;
        }
        for _ in 0..self.chance.between(1, 4) {
            at_ms += self.chance.between(300, 2_500);
            self.steps.push(Step { after: self.scaled(at_ms), action: Action::Call(call.clone()) });
        }
    }
}
