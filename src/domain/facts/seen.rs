//! When something was observed, and the failures of one origin.

use serde::{Deserialize, Serialize};

use crate::domain::failure::Failure;
use crate::domain::time::Millis;

/// When something was observed. The provider's own time goes before the sender's, and that before our time of arrival.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Earliest provider time.
    pub provider: Option<Millis>,
    /// Earliest time that the sender's own system stated.
    pub stated: Option<Millis>,
    /// Earliest arrival.
    pub arrival: Option<Millis>,
}

pub(super) fn earliest(mine: &mut Option<Millis>, other: Option<Millis>) {
    if let Some(other) = other {
        *mine = Some(mine.map_or(other, |m| m.min(other)));
    }
}

/// Two texts that differ are refused where they are told; should they ever meet, neither order nor repetition decides.
pub(super) fn smaller(mine: &mut Option<String>, other: Option<&str>) {
    if let Some(other) = other
        && mine.as_deref().is_none_or(|m| other < m)
    {
        *mine = Some(other.to_owned());
    }
}

impl Seen {
    /// Observed at a provider's time, if it told one, arriving now.
    pub fn provider(at: Option<Millis>, arrival: Millis) -> Seen {
        Seen { provider: at, stated: None, arrival: Some(arrival) }
    }

    /// Stated by the sender's system, arriving now.
    pub fn stated(at: Option<Millis>, arrival: Millis) -> Seen {
        Seen { provider: None, stated: at, arrival: Some(arrival) }
    }

    /// Joins another observation of the same thing.
    pub fn join(&mut self, other: Seen) {
        earliest(&mut self.provider, other.provider);
        earliest(&mut self.stated, other.stated);
        earliest(&mut self.arrival, other.arrival);
    }

    /// The time that is shown.
    pub fn time(&self) -> Option<Millis> {
        self.provider.or(self.stated).or(self.arrival)
    }

    /// It was observed.
    pub fn known(&self) -> bool {
        self.time().is_some()
    }
}

/// Failures of one origin: the one that is reported, and when the earliest was seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// The failure that is reported.
    pub chosen: Option<Failure>,
    /// When the earliest was seen.
    pub seen: Seen,
}

impl Failures {
    pub(super) fn observe(&mut self, failure: &Failure, arrival: Millis) {
        Failure::join(&mut self.chosen, Some(failure));
        self.seen.join(Seen::provider(failure.at, arrival));
    }

    pub(super) fn join(&mut self, other: &Failures) {
        Failure::join(&mut self.chosen, other.chosen.as_ref());
        self.seen.join(other.seen);
    }
}
