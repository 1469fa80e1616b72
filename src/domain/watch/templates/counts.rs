//! How the messages of one template fared. Counts, not a join: each move is told once. It must not know who tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::state::State;

/// How many failure codes are counted apart; the rest count under `other`.
pub const FAILURE_CODES_MAX: usize = 16;

/// What failures count under whose code has no place of its own.
const OTHER: &str = "other";

/// Messages of a template by where they stand now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TemplateCounts {
    /// Every message.
    pub messages: u64,
    /// Queued.
    pub queued: u64,
    /// Sent, and no more is known.
    pub sent: u64,
    /// Delivered, not read.
    pub delivered: u64,
    /// Read.
    pub read: u64,
    /// Failed.
    pub failed: u64,
    /// How often each failure code was met. A message that failed and was delivered after all stays counted here.
    pub codes: BTreeMap<String, u64>,
}

impl TemplateCounts {
    /// Counts a message into a state, and out of the one before.
    pub fn moved(&mut self, from: Option<State>, to: State, code: Option<&str>) {
        if from == Some(to) {
            return;
        }
        match from {
            Some(from) => *self.of(from) = self.of(from).saturating_sub(1),
            None => self.messages += 1,
        }
        *self.of(to) += 1;
        if to == State::Failed {
            let code = code.unwrap_or(OTHER);
            let place = if self.codes.contains_key(code) || self.codes.len() < FAILURE_CODES_MAX { code } else { OTHER };
            *self.codes.entry(place.to_owned()).or_default() += 1;
        }
    }

    /// Takes a message out of the state in which it stood.
    pub fn left(&mut self, from: State) {
        self.messages = self.messages.saturating_sub(1);
        *self.of(from) = self.of(from).saturating_sub(1);
    }

    fn of(&mut self, state: State) -> &mut u64 {
        match state {
            State::Queued => &mut self.queued,
            State::Sent => &mut self.sent,
            State::Delivered => &mut self.delivered,
            State::Read => &mut self.read,
            State::Failed => &mut self.failed,
        }
    }

    /// Of the messages whose fate is known, how many of a thousand arrived.
    pub fn delivered_per_mille(&self) -> Option<u64> {
        let arrived = self.delivered + self.read;
        let known = arrived + self.failed;
        (known > 0).then(|| arrived * 1_000 / known)
    }
}
