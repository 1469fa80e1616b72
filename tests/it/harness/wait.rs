//! Waiting: ask again until the answer is there or the deadline has passed; never a fixed time.

use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up; generous, because several builds may share the machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Gives others a moment; the end of a wait on something that never comes.
fn pause() {
    let (never, nothing) = channel::<()>();
    let _ = nothing.recv_timeout(Duration::from_millis(4));
    drop(never);
}

/// Asks until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "still not so after {PATIENCE:?}: {what}");
        pause();
    }
}
