//! One move of one message, as those who watch and count are told of it.

use crate::domain::failure::Class;
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::time::Millis;

/// By what a message was counted before it moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Before<'a> {
    /// Kind.
    pub kind: Option<&'a str>,
    /// Template.
    pub template_id: Option<&'a str>,
    /// The carrier.
    pub carrier: Option<&'a str>,
    /// Class of its failure, where it had failed.
    pub failure_class: Option<Class>,
}

/// A message whose state moved in a batch that is about to be committed. The times and properties are those after the move.
#[derive(Clone, Copy, Debug)]
pub struct Moved<'a> {
    /// Its account.
    pub account: &'a AccountId,
    /// Arrival of the record that moved it.
    pub now: Millis,
    /// When the message became known. Never changes.
    pub created_at: Millis,
    /// From; `None` for a message that just became known.
    pub from: Option<State>,
    /// To. The same as `from` where only by what it is counted became known, or something else.
    pub to: State,
    /// Kind.
    pub kind: Option<&'a str>,
    /// Template.
    pub template_id: Option<&'a str>,
    /// The sending OA, Page or number.
    pub sender: Option<&'a str>,
    /// The carrier.
    pub carrier: Option<&'a str>,
    /// Its price in ten-thousandths of a dong.
    pub price: Option<i64>,
    /// The price with which it was counted the last time, in ten-thousandths of a dong.
    pub price_before: Option<i64>,
    /// By what else it was counted the last time; `None` where that is the same as now, or nothing.
    pub before: Option<Before<'a>>,
    /// When it was queued.
    pub queued_at: Option<Millis>,
    /// When it was sent.
    pub sent_at: Option<Millis>,
    /// When it was delivered.
    pub delivered_at: Option<Millis>,
    /// When it was read.
    pub read_at: Option<Millis>,
    /// When it failed.
    pub failed_at: Option<Millis>,
    /// Class of the reported failure, also of one that a proof of delivery beat.
    pub failure_class: Option<Class>,
    /// Code of the reported failure.
    pub failure_code: Option<&'a str>,
    /// It was stuck before.
    pub late: bool,
}
