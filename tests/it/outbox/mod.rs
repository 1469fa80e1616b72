//! What is sent on: to whom, once, in order, again, and no more; and that nothing waits for it.

mod alerts;
pub mod bench;
mod ground;
pub mod receiver;
mod running;
mod sending;
