//! Receivers and deliveries of the outbox as the outside sees them. Never a secret, and never a body: bodies hold what receivers may know.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::schema::{DeliveryNumber, DeliveryStatus, EventName, Moment, ReceiverKind, ReceiverStatus};
use crate::domain::feed::event_id;
use crate::domain::time::Millis;
use crate::store::sqlite::outbox::{Standing, Stored, Tally};
use crate::store::sqlite::query::Spot;

/// One receiver: a subscription or an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Receiver)]
pub struct ReceiverView {
    /// Its id, as configured.
    pub id: String,
    /// `subscription`, or the kind of an alert.
    #[schema(value_type = ReceiverKind)]
    pub kind: &'static str,
    /// The events it is told, as configured; empty: all.
    pub events: Vec<String>,
    /// The accounts it is about; empty: all.
    pub accounts: Vec<String>,
    /// `active`, or `disabled` since it answered 410 Gone.
    #[schema(value_type = ReceiverStatus)]
    pub status: &'static str,
    /// Deliveries that wait.
    pub waiting: u64,
    /// Since when the oldest of them waits.
    #[schema(value_type = Option<Moment>)]
    pub oldest_at: Option<Millis>,
    /// Dead letters.
    pub dead: u64,
    /// When it took something last.
    #[schema(value_type = Option<Moment>)]
    pub last_success_at: Option<Millis>,
    /// When an attempt failed last.
    #[schema(value_type = Option<Moment>)]
    pub last_failure_at: Option<Millis>,
    /// Why.
    pub last_error: Option<String>,
}

impl ReceiverView {
    /// A receiver with what the outbox knows of it.
    pub fn new(
        (id, kind): (&str, &'static str),
        events: &[String],
        accounts: Vec<String>,
        standing: Option<&Standing>,
        tally: Option<&Tally>,
    ) -> ReceiverView {
        ReceiverView {
            id: id.to_owned(),
            kind,
            events: events.to_vec(),
            accounts,
            status: if standing.is_some_and(|s| s.disabled_at.is_some()) { "disabled" } else { "active" },
            waiting: tally.map_or(0, |t| t.waiting),
            oldest_at: tally.and_then(|t| t.oldest_at),
            dead: tally.map_or(0, |t| t.dead),
            last_success_at: standing.and_then(|s| s.succeeded_at),
            last_failure_at: standing.and_then(|s| s.failed_at),
            last_error: standing.and_then(|s| s.error.clone()),
        }
    }
}

/// Every receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{
    "id": "order-system", "kind": "subscription", "events": ["message.*"], "accounts": [], "status": "active", "waiting": 3,
    "oldest_at": "2026-01-31T08:15:30.123Z", "dead": 0, "last_success_at": "2026-01-31T08:15:00.000Z",
    "last_failure_at": "2026-01-31T08:15:30.200Z", "last_error": "answered 503"
}]}))]
pub struct ReceiverList {
    /// Alerts, then subscriptions, as configured.
    pub data: Vec<ReceiverView>,
}

/// One delivery that waits or was given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct DeliveryView {
    /// Its number.
    #[schema(value_type = DeliveryNumber)]
    pub id: i64,
    /// The receiver.
    pub subscription: String,
    /// The id under which it goes out, the same in every attempt.
    pub webhook_id: String,
    /// The event.
    #[serde(rename = "type")]
    #[schema(value_type = EventName)]
    pub name: String,
    /// Our id of the message that it is about.
    pub message: Option<String>,
    /// `waiting` or `dead`.
    #[schema(value_type = DeliveryStatus)]
    pub status: &'static str,
    /// When it was put in.
    #[schema(value_type = Moment)]
    pub created_at: Millis,
    /// When it is tried next; null behind an earlier one of its message, incident or account, and when it is dead.
    #[schema(value_type = Option<Moment>)]
    pub due_at: Option<Millis>,
    /// Attempts so far.
    pub attempts: u32,
    /// When it was tried first.
    #[schema(value_type = Option<Moment>)]
    pub first_attempt_at: Option<Millis>,
    /// Why the last attempt failed.
    pub error: Option<String>,
}

impl From<&Stored> for DeliveryView {
    fn from(d: &Stored) -> DeliveryView {
        let payload: Value = serde_json::from_slice(&d.payload).unwrap_or(Value::Null);
        let message = payload.pointer("/data/id").and_then(Value::as_str).filter(|_| d.name.starts_with("message."));
        DeliveryView {
            id: d.id,
            subscription: d.target.clone(),
            webhook_id: event_id(d.event, d.mark),
            name: d.name.clone(),
            message: message.map(str::to_owned),
            status: if d.dead { "dead" } else { "waiting" },
            created_at: d.created_at,
            due_at: d.due_at,
            attempts: d.attempts,
            first_attempt_at: d.first_at,
            error: d.error.clone(),
        }
    }
}

/// One page of deliveries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{
    "id": 12, "subscription": "order-system", "webhook_id": "evt_4711_9c0d5f3a", "type": "message.delivered",
    "message": "019c12f4-51eb-7a3d-9c41-6f0000000001", "status": "dead", "created_at": "2026-01-31T08:15:30.123Z", "due_at": null,
    "attempts": 10, "first_attempt_at": "2026-01-31T08:15:30.200Z", "error": "answered 500"
}], "next_cursor": null }))]
pub struct DeliveryPage {
    /// The deliveries, newest first.
    pub data: Vec<DeliveryView>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

impl DeliveryPage {
    /// A page out of at most `limit` deliveries.
    pub fn new(found: &[Stored], limit: usize) -> DeliveryPage {
        let spot = |d: &Stored| super::cursor::encode(Spot { at: d.created_at, n: d.id as u64 });
        let next_cursor = found.last().filter(|_| found.len() == limit).map(spot);
        DeliveryPage { data: found.iter().map(DeliveryView::from).collect(), next_cursor }
    }
}
