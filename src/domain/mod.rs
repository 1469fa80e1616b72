//! The ground floor: the words of the field and the pure rules over them.
//!
//! Holds what a callback, an event, facts, a state, a watermark, a failure and a stuck message *are*, and how facts are
//! joined. It must not know a clock, a file, a socket, a thread, SQL, HTTP or any provider's name: time comes in as a value.

pub mod event;
pub mod facts;
pub mod failure;
pub mod feed;
pub mod ids;
pub mod message;
pub mod metadata;
pub mod phone;
pub mod projection;
pub mod quick;
pub mod record;
pub mod state;
pub mod stuck;
pub mod thread;
pub mod time;
pub mod watch;
