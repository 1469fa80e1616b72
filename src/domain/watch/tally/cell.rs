//! The numbers of one place: how many messages stand in each state, how many ever entered it, how long they took, what they cost.

use serde::{Deserialize, Serialize};

use crate::domain::failure::Class;
use crate::domain::state::State;
use crate::domain::time::{Millis, Span};
use crate::domain::watch::Moved;
use crate::domain::watch::sketch::{Sketch, bucket};

/// First byte of a kept cell.
const VERSION: u8 = 1;

/// How many states there are.
const STATES: usize = State::ALL.len();

/// The numbers of the messages of one place. Adding up two cells is the cell of both sets of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    now: [i64; STATES],
    entered: [u64; STATES],
    money: [i64; STATES],
    failures: Vec<(Class, i64)>,
    late: u64,
    /// From queued to sent.
    pub queued_to_sent: Sketch,
    /// From sent to delivered, of messages whose delivery has a time of its own.
    pub sent_to_delivered: Sketch,
    /// From delivered to read.
    pub delivered_to_read: Sketch,
}

const fn at(state: State) -> usize {
    match state {
        State::Queued => 0,
        State::Sent => 1,
        State::Delivered => 2,
        State::Read => 3,
        State::Failed => 4,
    }
}

/// How far on its way a message was before it moved. A failed one was sent before, unless it only now becomes sent.
fn passed(m: &Moved<'_>) -> usize {
    match (m.from, m.to) {
        (None | Some(State::Queued), _) | (Some(State::Failed), State::Queued | State::Sent) => 0,
        (Some(State::Sent | State::Failed), _) => 1,
        (Some(State::Delivered), _) => 2,
        (Some(State::Read), _) => 3,
    }
}

/// The buckets of the times that a move ended. They are the same for every place in which the message is counted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Took {
    queued_to_sent: Option<u16>,
    sent_to_delivered: Option<u16>,
    delivered_to_read: Option<u16>,
}

impl Took {
    pub(super) fn of(m: &Moved<'_>) -> Took {
        let (from, to) = (passed(m), at(m.to));
        if m.to == State::Failed || m.from == Some(m.to) {
            return Took::default();
        }
        // A read alone proves the delivery and does not say when it was.
        let told = m.delivered_at != m.read_at;
        Took {
            queued_to_sent: between(m.queued_at.filter(|_| from < 1 && to >= 1), m.sent_at),
            sent_to_delivered: between(m.sent_at.filter(|_| from < 2 && to >= 2 && told), m.delivered_at),
            delivered_to_read: between(m.delivered_at.filter(|_| from < 3 && to == 3 && told), m.read_at),
        }
    }
}

fn between(from: Option<Millis>, to: Option<Millis>) -> Option<u16> {
    Some(bucket(Span(to?.0.saturating_sub(from?.0))))
}

impl Cell {
    /// Counts a move.
    pub(super) fn count(&mut self, m: &Moved<'_>, took: Took) {
        if m.from != Some(m.to) {
            self.count_states(m);
            self.measure(took);
        }
        self.count_failure(m);
        // What is known of the price may change while the state does.
        if let Some(from) = m.from {
            self.money[at(from)] -= m.price_before.unwrap_or(0);
        }
        self.money[at(m.to)] += m.price.unwrap_or(0);
    }

    /// Takes a message out that is shown no more, since it turned out to be another one: `from` is where it stood. How long it took stays.
    pub(super) fn uncount(&mut self, m: &Moved<'_>, _: Took) {
        let Some(from) = m.from else { return };
        self.now[at(from)] -= 1;
        self.entered[at(from)] = self.entered[at(from)].saturating_sub(1);
        self.money[at(from)] -= m.price_before.unwrap_or(0);
        if from == State::Failed {
            self.fail(m.failure_class.unwrap_or(Class::Unknown), -1);
        }
    }

    fn count_states(&mut self, m: &Moved<'_>) {
        self.now[at(m.to)] += 1;
        self.entered[at(m.to)] += 1;
        self.late += u64::from(m.late);
        if let Some(from) = m.from {
            self.now[at(from)] -= 1;
        }
    }

    /// Failures stand under the class that is known of them, out of which they go when it becomes another one.
    fn count_failure(&mut self, m: &Moved<'_>) {
        let of = |class: Option<Class>| class.unwrap_or(Class::Unknown);
        if m.from == Some(State::Failed) {
            self.fail(of(m.before.map_or(m.failure_class, |b| b.failure_class)), -1);
        }
        if m.to == State::Failed {
            self.fail(of(m.failure_class), 1);
        }
    }

    fn fail(&mut self, class: Class, n: i64) {
        match self.failures.iter_mut().find(|(c, _)| *c == class) {
            Some((_, sum)) => *sum += n,
            None => self.failures.push((class, n)),
        }
    }

    fn measure(&mut self, took: Took) {
        let Took { queued_to_sent, sent_to_delivered, delivered_to_read } = took;
        queued_to_sent.into_iter().for_each(|b| self.queued_to_sent.add_to(b, 1));
        sent_to_delivered.into_iter().for_each(|b| self.sent_to_delivered.add_to(b, 1));
        delivered_to_read.into_iter().for_each(|b| self.delivered_to_read.add_to(b, 1));
    }

    /// Adds another cell's numbers.
    pub fn merge(&mut self, other: &Cell) {
        for i in 0..STATES {
            self.now[i] += other.now[i];
            self.entered[i] += other.entered[i];
            self.money[i] += other.money[i];
        }
        other.failures.iter().for_each(|(class, n)| self.fail(*class, *n));
        self.late += other.late;
        self.queued_to_sent.merge(&other.queued_to_sent);
        self.sent_to_delivered.merge(&other.sent_to_delivered);
        self.delivered_to_read.merge(&other.delivered_to_read);
    }

    /// How many stand in a state. Never less than none, though a message may have been counted under another kind when it entered.
    pub fn now(&self, state: State) -> u64 {
        self.now[at(state)].max(0) as u64
    }

    /// How many ever entered a state.
    pub fn entered(&self, state: State) -> u64 {
        self.entered[at(state)]
    }

    /// How many moved only after they had been stuck.
    pub fn late(&self) -> u64 {
        self.late
    }

    /// How many failed, by class, the largest first.
    pub fn failures(&self) -> Vec<(Class, u64)> {
        let mut some: Vec<_> = self.failures.iter().filter(|(_, n)| *n > 0).map(|(class, n)| (*class, *n as u64)).collect();
        some.sort_by_key(|(class, n)| (std::cmp::Reverse(*n), *class));
        some
    }

    /// What the messages cost, in ten-thousandths of a dong.
    pub fn spent(&self) -> i64 {
        self.money.iter().sum::<i64>().max(0)
    }

    /// What those cost that failed, in ten-thousandths of a dong.
    pub fn spent_on_failed(&self) -> i64 {
        self.money[at(State::Failed)].max(0)
    }

    /// The share of those with an outcome that were delivered; `None` where there is no outcome yet.
    pub fn delivery_rate(&self) -> Option<f64> {
        self.share(self.reached())
    }

    /// The share of those with an outcome that failed; `None` where there is no outcome yet.
    pub fn failure_rate(&self) -> Option<f64> {
        self.share(self.now(State::Failed))
    }

    fn reached(&self) -> u64 {
        self.now(State::Delivered) + self.now(State::Read)
    }

    fn share(&self, of: u64) -> Option<f64> {
        let settled = self.reached() + self.now(State::Failed);
        (settled > 0).then(|| of as f64 / settled as f64)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // Writing into memory has no way to fail; an empty value is read as no value.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Reads a kept cell; `None` of bytes that are none of this version.
    pub fn decode(bytes: &[u8]) -> Option<Cell> {
        match bytes.split_first() {
            Some((&VERSION, rest)) => postcard::from_bytes(rest).ok(),
            _ => None,
        }
    }
}
