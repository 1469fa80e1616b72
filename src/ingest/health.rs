//! What `/readyz` answers: which part cannot work just now, and why.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// The state of the parts.
#[derive(Debug, Default)]
pub struct Health {
    faults: Mutex<BTreeMap<&'static str, String>>,
    stopping: AtomicBool,
}

impl Health {
    /// A part works.
    pub fn well(&self, part: &'static str) {
        if let Ok(mut faults) = self.faults.lock()
            && faults.remove(part).is_some()
        {
            tracing::info!(part, "works again");
        }
    }

    /// A part does not work.
    pub fn ill(&self, part: &'static str, why: &str) {
        if let Ok(mut faults) = self.faults.lock()
            && faults.insert(part, why.to_owned()).is_none_or(|old| old != why)
        {
            tracing::error!(part, why, "does not work");
        }
    }

    /// What does not work: part and reason.
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        let faults = self.faults.lock().map(|f| f.iter().map(|(p, w)| (*p, w.clone())).collect());
        faults.unwrap_or_default()
    }

    /// The process is about to end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// The process is about to end.
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }
}
