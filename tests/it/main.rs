//! The program seen from outside: one binary of tests over HTTP, files and signals; one module for each part of the promise.
//!
//! It must not lean on the inside except where a test says so (a clock put by hand, the pipeline without HTTP).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that meets the unexpected has to fail")]

mod harness;

mod answers;
mod backlog;
mod bench;
mod bodies;
mod busy;
mod catalogue;
mod crash;
mod disk;
mod document;
mod durability;
mod faults;
mod forensics;
mod fuzz;
mod handshakes;
mod health;
mod hostile;
mod listing;
mod load;
mod measured;
mod numbers;
mod outbox;
mod pipeline;
mod registering;
mod repeats;
mod replay;
mod reports;
mod requests;
mod restore;
mod scenes;
mod signatures;
mod starting;
mod stream;
mod stuck;
mod threads;
