//! baophat: what happened to every message a Vietnamese business sends.

pub mod config;
pub mod domain;
pub mod providers;
pub mod store;
