//! Faults under the running program: each is met by 503 and a red readiness, never by a receipt that a restart would not find.

mod clock;
mod damaged;
mod descriptors;
mod disk;
mod gone;
mod shared;
