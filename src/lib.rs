//! baophat: what happened to every message a Vietnamese business sends.

pub mod domain;
pub mod providers;
pub mod store;
