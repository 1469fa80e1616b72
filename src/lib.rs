//! baophat: what happened to every message a Vietnamese business sends.
//!
//! What a provider signed (or our own API took) is made durable before we say 200. Everything after that is a pure, replayable
//! function of those records and of a clock that is handed in. See ARCHITECTURE.md for the floors.

pub mod app;
pub mod bench;
pub mod cli;
pub mod clock;
pub mod config;
pub mod demo;
pub mod domain;
pub mod http;
pub mod ingest;
pub mod logging;
pub mod metrics;
pub mod outbox;
pub mod present;
pub mod providers;
pub mod store;
