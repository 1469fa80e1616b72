//! What the service's API answers, as far as the demo reads it. It must not ask for anything itself.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::domain::state::State;
use crate::providers::PROVIDERS;

/// Messages by provider (in the order of the registry) and state.
pub(super) type Counts = [[u64; State::ALL.len()]; PROVIDERS.len()];

/// A message, as far as the demo shows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    /// Our id; sorts by time.
    pub id: String,
    /// Provider slug.
    pub provider: String,
    /// The provider's id.
    pub message_id: Option<String>,
    /// Kind slug.
    pub kind: Option<String>,
    /// The recipient.
    pub recipient: Option<String>,
    /// State.
    pub state: String,
    /// Delivered to some only.
    pub partial: bool,
    /// The failure.
    pub failure: Option<Failure>,
    /// Set while it is stuck.
    pub stuck: Option<Stuck>,
    /// The shop's own words about it.
    pub metadata: Option<Metadata>,
}

/// A failure.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    /// The code.
    pub code: Option<String>,
    /// The sub-code.
    pub subcode: Option<String>,
    /// What it means.
    pub explanation: Explanation,
}

impl Failure {
    /// `code` or `code.subcode`.
    pub(super) fn shown_code(&self) -> String {
        let code = self.code.as_deref().unwrap_or("–");
        self.subcode.as_deref().map_or(code.to_owned(), |sub| format!("{code}.{sub}"))
    }
}

/// What a failure means.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Explanation {
    /// In a few words.
    pub title: String,
}

/// Why a message is stuck.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stuck {
    /// Cause slug.
    pub cause: String,
}

/// What the demo registers with a message.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Metadata {
    /// What the message says.
    #[serde(default)]
    pub text: String,
}

/// One page of messages.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Newest first.
    pub data: Vec<Message>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
}

/// Stuck messages of one sort.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Group {
    /// Account slug.
    pub account: String,
    /// Kind slug.
    pub kind: Option<String>,
    /// State.
    pub state: String,
    /// Cause slug.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// What to do.
    pub advice: String,
}

/// What is stuck.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct StuckList {
    /// How many messages.
    pub total: u64,
    /// The groups, largest first.
    pub groups: Vec<Group>,
}

/// What the service counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Callbacks stored.
    pub stored: u64,
    /// Repeats recognised.
    pub repeats: u64,
    /// Forged requests refused.
    pub refused: u64,
    /// Signed and not understood, and kept.
    pub errors: u64,
    /// Records that are durable and not folded yet.
    pub lag: u64,
}

/// Where a message is counted.
pub(super) fn place(message: &Message) -> Option<(usize, usize)> {
    let provider = PROVIDERS.iter().position(|p| p.slug == message.provider)?;
    let state = State::ALL.iter().position(|s| s.as_str() == message.state)?;
    Some((provider, state))
}

/// Reads the counters out of the OpenMetrics text.
pub(super) fn counters(metrics: &str) -> Counters {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for line in metrics.lines().filter(|l| !l.starts_with('#')) {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let key = match name.split('{').next().unwrap_or_default() {
            "baophat_callbacks_total" if name.contains("outcome=\"repeat\"") => "repeats",
            "baophat_callbacks_total" => "stored",
            "baophat_refused_total" => "refused",
            "baophat_records_total" if name.contains("outcome=\"error\"") => "errors",
            "baophat_projection_lag_records" => "lag",
            _ => continue,
        };
        *sums.entry(key).or_default() += value.parse::<f64>().map_or(0, |n| n as u64);
    }
    let sum = |key| sums.get(key).copied().unwrap_or_default();
    Counters { stored: sum("stored"), repeats: sum("repeats"), refused: sum("refused"), errors: sum("errors"), lag: sum("lag") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_summed_over_providers() {
        let metrics = "# TYPE baophat_callbacks counter\n\
            baophat_callbacks_total{provider=\"zalo\",outcome=\"stored\"} 3\n\
            baophat_callbacks_total{provider=\"esms\",outcome=\"stored\"} 4\n\
            baophat_callbacks_total{provider=\"esms\",outcome=\"repeat\"} 2\n\
            baophat_refused_total{reason=\"mismatch\"} 1\n\
            baophat_records_total{provider=\"zalo\",outcome=\"error\"} 1\n\
            baophat_projection_lag_records 5\n# EOF\n";
        assert_eq!(counters(metrics), Counters { stored: 7, repeats: 2, refused: 1, errors: 1, lag: 5 });
    }
}
