//! Who may write in one conversation, as far as handovers, standby traffic, refusals and accepted sends tell.
//!
//! Every part of [`Control`] is a maximum (or, for the hours, the highest of a union), so neither order nor repetition matters, and
//! ties in time are broken by value. It must not know which provider tells, nor what a person should do about it.

use serde::{Deserialize, Serialize};

use crate::domain::event::ThreadFact;
use crate::domain::failure::named;
use crate::domain::time::{Millis, Span};

/// Nobody holds a conversation in which nothing happened for so long (protocol: Facebook 8).
pub const IDLE_AFTER: Span = Span::hours(24);

/// How many hours with a sign of another holder are kept; the oldest go. They only date the take-over.
pub const HOURS_MAX: usize = 24;

const HOUR: i64 = 3_600_000;

named! {
    /// What shows who holds a conversation.
    Sign {
        /// A send was refused because another app holds it: the truth at its time.
        Refusal = "refusal",
        /// Its events came to us as bystanders.
        Standby = "standby",
        /// The provider told of a handover: a hint.
        Handover = "handover",
        /// The customer's act came to us directly.
        Customer = "customer",
        /// A send of ours was accepted.
        Accepted = "accepted",
        /// The provider told of a send of ours.
        Echo = "echo",
    }
}

/// A handover, as the provider told it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Handover {
    /// When.
    pub at: Millis,
    /// The provider's own name of it.
    pub kind: String,
    /// The app that holds the conversation from then on.
    pub owner: Option<String>,
    /// That app is ours; `None` where nobody is named.
    pub ours: Option<bool>,
}

/// An act of an app that may be named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub at: Millis,
    /// The app.
    pub app_id: Option<String>,
}

/// A send that was refused because another app holds the conversation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// When.
    pub at: Millis,
    /// The provider's code, with its sub-code behind a slash.
    pub code: Option<String>,
}

/// The latest of everything that tells who holds a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The latest handover.
    pub handover: Option<Handover>,
    /// The latest wish to get it.
    pub wish: Option<Act>,
    /// When something last came to us as bystanders.
    pub standby: Option<Millis>,
    /// The latest of it that names an app.
    pub standby_app: Option<Act>,
    /// When an act of the customer last came to us directly.
    pub direct: Option<Millis>,
    /// When a send of ours was last accepted.
    pub accepted: Option<Millis>,
    /// The latest refusal.
    pub refusal: Option<Refusal>,
    /// When the provider last told of a send of ours.
    pub own_echo: Option<Millis>,
    /// The latest send of somebody else.
    pub foreign_echo: Option<Act>,
    /// The customer's latest act that opens the window for answers.
    pub wrote_at: Option<Millis>,
    /// The first sign of another holder in each hour that had one, rising.
    others: Vec<Millis>,
}

/// Who holds a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// We may write.
    Ours {
        /// Since when, at the latest.
        since: Millis,
        /// What shows it.
        sign: Sign,
    },
    /// Somebody else.
    Other {
        /// The app, where one is named.
        app_id: Option<String>,
        /// Since when, at the latest.
        since: Millis,
        /// What shows it.
        sign: Sign,
    },
    /// Nobody: nothing happened for a day.
    Idle {
        /// Since when.
        since: Millis,
    },
    /// Nothing tells.
    Unknown,
}

/// Until when the customer may be answered freely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its end.
    pub until: Millis,
    /// It is open.
    pub open: bool,
}

/// Keeps the greater; whether it moved.
fn latest<T: Ord>(mine: &mut Option<T>, told: T) -> bool {
    let moves = mine.as_ref().is_none_or(|known| *known < told);
    if moves {
        *mine = Some(told);
    }
    moves
}

impl Control {
    /// Joins what was told; whether anything moved.
    pub fn observe(&mut self, fact: &ThreadFact, at: Millis) -> bool {
        match fact {
            ThreadFact::Handover { kind, owner, ours } => {
                let told = Handover { at, kind: kind.clone(), owner: owner.clone(), ours: *ours };
                let dated = *ours == Some(false) && self.other(at);
                latest(&mut self.handover, told) || dated
            }
            ThreadFact::Wish { app_id } => latest(&mut self.wish, Act { at, app_id: app_id.clone() }),
            ThreadFact::Standby { app_id } => {
                let dated = self.other(at);
                let named = app_id.is_some() && latest(&mut self.standby_app, Act { at, app_id: app_id.clone() });
                latest(&mut self.standby, at) || named || dated
            }
            ThreadFact::Customer { direct, opens } => {
                let came = *direct && latest(&mut self.direct, at);
                (*opens && latest(&mut self.wrote_at, at)) || came
            }
            ThreadFact::Echo { ours: true, .. } => latest(&mut self.own_echo, at),
            ThreadFact::Echo { ours: false, app_id } => latest(&mut self.foreign_echo, Act { at, app_id: app_id.clone() }),
        }
    }

    /// A send of ours was accepted; whether anything moved.
    pub fn accept(&mut self, at: Millis) -> bool {
        latest(&mut self.accepted, at)
    }

    /// A send was refused because another app holds the conversation; whether anything moved.
    pub fn refuse(&mut self, at: Millis, code: Option<String>) -> bool {
        let dated = self.other(at);
        latest(&mut self.refusal, Refusal { at, code }) || dated
    }

    fn other(&mut self, at: Millis) -> bool {
        let hour = |t: Millis| t.0.div_euclid(HOUR);
        match self.others.binary_search_by_key(&hour(at), |t| hour(*t)) {
            Ok(i) => {
                let earlier = at < self.others[i];
                self.others[i] = self.others[i].min(at);
                earlier
            }
            Err(0) if self.others.len() >= HOURS_MAX => false,
            Err(i) => {
                self.others.insert(i, at);
                if self.others.len() > HOURS_MAX {
                    self.others.remove(0);
                }
                true
            }
        }
    }

    /// The signs that we hold it, strongest first.
    fn ours(&self) -> impl Iterator<Item = (Millis, Sign)> {
        let handover = self.handover.as_ref().filter(|h| h.ours == Some(true)).map(|h| h.at);
        let signs =
            [(self.accepted, Sign::Accepted), (self.own_echo, Sign::Echo), (self.direct, Sign::Customer), (handover, Sign::Handover)];
        signs.into_iter().filter_map(|(at, sign)| Some((at?, sign)))
    }

    /// The signs that somebody else holds it, strongest first.
    fn theirs(&self) -> impl Iterator<Item = (Millis, Sign)> {
        let handover = self.handover.as_ref().filter(|h| h.ours == Some(false)).map(|h| h.at);
        let signs = [(self.refusal.as_ref().map(|r| r.at), Sign::Refusal), (self.standby, Sign::Standby), (handover, Sign::Handover)];
        signs.into_iter().filter_map(|(at, sign)| Some((at?, sign)))
    }

    /// When anything was last heard.
    pub fn last_activity(&self) -> Option<Millis> {
        let handover = self.handover.as_ref().map(|h| h.at);
        let acts = [&self.wish, &self.foreign_echo].into_iter().flatten().map(|act| act.at);
        let signs = self.ours().chain(self.theirs()).map(|(at, _)| at);
        signs.chain(acts).chain(handover).chain(self.wrote_at).max()
    }

    /// Who holds it at a moment. Later signs go before earlier ones; at one moment the stronger, and refusals and standby before our own.
    pub fn holder(&self, now: Millis) -> Holder {
        let Some(last) = self.last_activity() else { return Holder::Unknown };
        if last.plus(IDLE_AFTER) <= now {
            return Holder::Idle { since: last.plus(IDLE_AFTER) };
        }
        let lost = self.theirs().map(|(at, _)| at).max();
        let held = self.ours().map(|(at, _)| at).max();
        // A hint has to be later than what we saw ourselves.
        let after = |(at, sign): &(Millis, Sign)| held.is_none_or(|h| if *sign == Sign::Handover { *at > h } else { *at >= h });
        if let Some((at, sign)) = self.theirs().find(after) {
            let first = self.taken(held, last);
            let known = self.theirs().filter(after).map(|(at, _)| at).min();
            let since = first.or(known).unwrap_or(at);
            return Holder::Other { app_id: self.other_app(since, held), since, sign };
        }
        let back = |(at, _): &(Millis, Sign)| lost.is_none_or(|l| *at >= l);
        match self.ours().find(back) {
            Some((at, sign)) => Holder::Ours { since: self.ours().filter(back).map(|(at, _)| at).min().unwrap_or(at), sign },
            None => Holder::Unknown,
        }
    }

    /// When somebody else took it: the first of their signs since ours, without a day of silence between them, in which it would have been
    /// nobody's. What the customer did in between is not kept by the hour, so a take-over may be dated too late, never too early.
    fn taken(&self, held: Option<Millis>, last: Millis) -> Option<Millis> {
        let mut first = None;
        let mut next = last;
        for at in self.others.iter().rev().copied().filter(|t| held.is_none_or(|h| *t >= h)) {
            if at.plus(IDLE_AFTER) <= next {
                break;
            }
            (first, next) = (Some(at), at);
        }
        first
    }

    /// The app that was last named as another holder from that moment on, and not before we held it ourselves: by a handover, on standby, or as the sender of an echo
    /// that is not ours, which took the conversation by answering in it.
    fn other_app(&self, since: Millis, held: Option<Millis>) -> Option<String> {
        let handover = self.handover.as_ref().filter(|h| h.ours == Some(false)).map(|h| (h.at, h.owner.as_ref()));
        let acts = [&self.standby_app, &self.foreign_echo].into_iter().flatten().map(|act| (act.at, act.app_id.as_ref()));
        let since = held.into_iter().chain([since.minus(IDLE_AFTER)]).max().unwrap_or(since);
        acts.chain(handover).filter_map(|(at, app)| Some((at, app?))).filter(|(at, _)| *at >= since).max().map(|(_, app)| app.clone())
    }

    /// Somebody else holds it, or was lately the reason for a refusal.
    pub fn lost_lately(&self, now: Millis) -> bool {
        let since = now.minus(IDLE_AFTER);
        let refused = self.refusal.as_ref().is_some_and(|r| r.at >= since);
        refused || self.standby.is_some_and(|at| at >= since) || matches!(self.holder(now), Holder::Other { .. })
    }

    /// The window that the customer's last act opened.
    pub fn window(&self, now: Millis, span: Span) -> Option<Window> {
        let until = self.wrote_at?.plus(span);
        Some(Window { until, open: now < until })
    }
}

#[cfg(test)]
mod tests;
