//! What is shown on standard error while the proof runs: one line for each step, and below it how it goes; on a terminal a line that
//! moves, elsewhere one more line from time to time.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How often the moving line is written.
const EVERY: Duration = Duration::from_millis(500);

/// How often a line is written where none can move.
const EVERY_PLAIN: Duration = Duration::from_secs(30);

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

    /// How it goes; most calls show nothing.
    pub fn live(&self, text: &str) {
        let every = if self.moving { EVERY } else { EVERY_PLAIN };
        let Ok(mut last) = self.last.lock() else { return };
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        drop(last);
        if self.moving {
            eprint!("\r\x1b[2K         {text}");
        } else {
            self.say(&format!("  {text}"));
        }
    }
}
