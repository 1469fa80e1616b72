//! What every test stands on: a server in a process of its own, a server in this process with a clock put by hand, a plain HTTP
//! client, signatures, and waiting with a deadline. It must not know what any test is about.

mod client;
mod inside;
mod server;
pub mod sign;
mod wait;

pub use client::{Answer, Request, exchange, open, read_answer};
pub use inside::Inside;
pub use server::{Server, config, with_key};
pub use wait::{PATIENCE, until};

use serde_json::Value;

/// The key of the query API in every test.
pub const KEY: &str = "integration-key-0123456789";

/// The eSMS callback token in every test.
pub const TOKEN: &str = "fixture-token-0123456789";

/// Every member that `expected` names is in `found`, with an equal value; lists are compared in full.
pub fn holds(expected: &Value, found: &Value) -> Result<(), String> {
    match (expected, found) {
        (Value::Object(e), Value::Object(f)) => {
            for (name, value) in e {
                let inner = f.get(name).ok_or_else(|| format!("{name} is missing"))?;
                holds(value, inner).map_err(|why| format!("{name}: {why}"))?;
            }
            Ok(())
        }
        _ if expected == found => Ok(()),
        _ => Err(format!("expected {expected}, found {found}")),
    }
}
