//! What is shown on standard error while the proof runs: one line for each step, and below it, on a terminal, how it goes.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often the moving line is written.
const EVERY: Duration = Duration::from_millis(500);

/// The screen.
pub struct Screen {
    started: Instant,
    moving: bool,
    last: Mutex<Instant>,
}

impl Default for Screen {
    fn default() -> Screen {
        let started = Instant::now();
        Screen { started, moving: std::io::stderr().is_terminal(), last: Mutex::new(started) }
    }
}

impl Screen {
    /// A step begins, or a figure is there.
    pub fn say(&self, text: &str) {
        let clear = if self.moving { "\r\x1b[2K" } else { "" };
        let seconds = self.started.elapsed().as_secs();
        eprintln!("{clear}{:>4}:{:02}  {text}", seconds / 60, seconds % 60);
    }

    /// How it goes, at most twice a second.
    pub fn live(&self, text: &str) {
        if !self.moving {
            return;
        }
        if let Ok(mut last) = self.last.lock()
            && last.elapsed() > EVERY
        {
            *last = Instant::now();
            eprint!("\r\x1b[2K         {text}");
        }
    }
}
