//! How far a long command is: one line on standard error that is written over, only on a terminal.

use std::io::{self, IsTerminal, Write};

/// A line of progress.
pub struct Progress {
    what: &'static str,
    shown: Option<u64>,
    terminal: bool,
}

impl Progress {
    /// Nothing is shown before the first word.
    pub fn new(what: &'static str) -> Progress {
        Progress { what, shown: None, terminal: io::stderr().is_terminal() }
    }

    /// So much of so much is done. Shown again only when the per mille change.
    pub fn at(&mut self, done: u64, total: u64) {
        let permille = done.min(total).saturating_mul(1_000).checked_div(total).unwrap_or(1_000);
        if !self.terminal || self.shown == Some(permille) {
            return;
        }
        self.shown = Some(permille);
        let (percent, tenth) = (permille / 10, permille % 10);
        let _ = write!(io::stderr().lock(), "\r{} {percent:>3}.{tenth} %  {done} / {total}\u{1b}[K", self.what);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
