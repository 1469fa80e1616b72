//! The edge: the only floor that knows HTTP. It takes bytes under limits, finds the account, and leaves the rest to the pipeline.

mod accounts;
mod auth;
mod body;
mod callbacks;
mod catalogue;
mod docs;
mod edge;
mod edge_document;
mod examine;
mod failures;
mod line;
mod messages;
mod nothing;
mod outgoing;
mod params;
mod probes;
mod problem;
mod readers;
mod refused;
mod register;
mod reports;
mod serve;
mod stats;
mod stream;
mod templates;
mod threads;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::web;

pub use auth::{ApiKeys, new_key};
pub use body::{LONG_BYTES_MAX, Room};
pub use docs::openapi;
pub use examine::{EXAMINED_AT_ONCE_MAX, EXAMINED_PER_MINUTE_MAX, Examiner};
pub use problem::{Problem, ProblemAt};
pub use readers::Readers;
pub use refused::Refusals;
pub use serve::{Times, listen, serve};
pub use stream::{STREAMS_MAX, Streams};

use crate::clock::Clock;
use crate::config::Limits;
use crate::domain::failure::Lang;
use crate::ingest::{AccountRules, Health, Inbox, ProjectorHandle, Signals};
use crate::metrics::Metrics;
use crate::outbox::OutboxHandle;

/// Everything a handler works with.
pub struct App {
    /// The door of the inbox.
    pub inbox: Inbox,
    /// The projector, for processing again.
    pub projector: ProjectorHandle,
    /// What is sent on.
    pub outbox: OutboxHandle,
    /// Accounts.
    pub rules: Arc<AccountRules>,
    /// Connections for reading.
    pub readers: Readers,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What does not work.
    pub health: Arc<Health>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The last refused callbacks.
    pub refusals: Refusals,
    /// Looks why they were refused.
    pub examiner: Examiner,
    /// What is noticed of the accounts.
    pub signals: Arc<Signals>,
    /// The room of callbacks' long bodies.
    pub bodies: Room,
    /// The room for streams.
    pub streams: Arc<Streams>,
    /// Who may ask.
    pub keys: ApiKeys,
    /// Bounds.
    pub limits: Limits,
    /// The language where nobody asks for one.
    pub lang: Lang,
    /// The listener takes connections of this machine only.
    pub loopback: bool,
}

impl App {
    fn body_time_max(&self) -> Duration {
        Duration::from_secs(self.limits.body_seconds_max)
    }
}

/// The table of routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        // A plain prefix: a pattern would run a regular expression over every callback's path (measured: 15 % of the edge's time).
        .service(web::scope("/webhooks").default_service(web::to(edge::receive)))
        .service(
            web::scope("/v1")
                .wrap(from_fn(auth::require_key))
                .service(messages::list)
                .service(register::register)
                .service(messages::get)
                .service(reports::of_message)
                .service(register::response)
                .service(register::mark_failed)
                .service(messages::stuck)
                .service(callbacks::list)
                .service(callbacks::reprocess_all)
                .service(callbacks::get)
                .service(callbacks::reprocess)
                .service(catalogue::list)
                .service(catalogue::get)
                .service(refused::list)
                .service(accounts::list)
                .service(accounts::get)
                .service(accounts::incidents)
                .service(accounts::incident)
                .service(reports::of_incident)
                .service(templates::list)
                .service(templates::get)
                .service(threads::get)
                .service(stats::get)
                .service(stream::open)
                .service(outgoing::subscriptions)
                .service(outgoing::deliveries)
                .service(outgoing::replay_all)
                .service(outgoing::replay)
                .default_service(web::to(nothing::nothing)),
        )
        .service(probes::livez)
        .service(probes::readyz)
        .service(probes::metrics)
        .service(docs::document)
        .service(verification::home)
        .service(verification::verifier)
        .configure(docs::page)
        .default_service(web::to(nothing::nothing));
}
