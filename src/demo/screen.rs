//! The live table in a terminal: a page of its own, redrawn line by line where something changed, and left as it was found.

use std::io::{self, Write};

use owo_colors::Style;
use terminal_size::{Height, Width};

use super::frame::{self, Line, Look};
use super::watch::Picture;
use super::words::words;
use crate::domain::failure::Lang;

/// From this height on there is room for a line that only invites.
const ROOMY_ROWS: usize = 28;
/// Taken where the terminal does not tell its size.
const SIZE: (usize, usize) = (80, 24);
/// Narrower or lower than this nothing useful fits; lines are cut by the terminal then.
const SIZE_MIN: (usize, usize) = (40, 12);
/// Most groups of stuck messages that are shown.
const GROUPS_MAX: usize = 8;
/// Most lines of "just happened" that are shown.
const FEED_MAX: usize = 10;

/// Another page, no cursor, no line breaks of the terminal's own.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[2J";
/// All of that taken back.
const LEAVE: &str = "\x1b[?7h\x1b[?25h\x1b[?1049l";

/// The page; dropping it gives the terminal back.
pub(super) struct Screen<'a> {
    out: &'a mut dyn Write,
    shown: Vec<String>,
    size: (usize, usize),
}

impl<'a> Screen<'a> {
    /// Opens the page.
    ///
    /// # Errors
    /// When the terminal takes nothing.
    pub(super) fn open(out: &'a mut dyn Write) -> io::Result<Screen<'a>> {
        let screen = Screen { out, shown: Vec::new(), size: (0, 0) };
        screen.out.write_all(ENTER.as_bytes())?;
        Ok(screen)
    }

    /// Shows a picture.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub(super) fn show(&mut self, picture: &Picture, head: &Head<'_>) -> io::Result<()> {
        let (width, height) = size();
        let mut text = String::new();
        if self.size != (width, height) {
            self.size = (width, height);
            self.shown.clear();
            text.push_str("\x1b[2J");
        }
        let lines = page(&Look { width, lang: head.lang, color: head.color }, height, picture, head);
        // A line that did not change is left alone, so that what a person has marked for copying stays marked.
        for row in 0..lines.len().max(self.shown.len()) {
            let (new, old) = (lines.get(row), self.shown.get(row));
            if new != old {
                let line = new.map(String::as_str).unwrap_or_default();
                text.push_str(&format!("\x1b[{};1H\x1b[2K{line}", row + 1));
            }
        }
        self.shown = lines;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        let _ = self.out.write_all(LEAVE.as_bytes());
        let _ = self.out.flush();
    }
}

/// What stands at the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    /// Where the server is.
    pub origin: &'a str,
    /// The key of its API.
    pub key: &'a str,
    /// The language.
    pub lang: Lang,
    /// With colours.
    pub color: bool,
}

/// Columns and rows of the terminal.
pub(super) fn size() -> (usize, usize) {
    let found = terminal_size::terminal_size().map(|(Width(w), Height(h))| (usize::from(w), usize::from(h)));
    let (width, height) = found.filter(|(w, h)| *w > 0 && *h > 0).unwrap_or(SIZE);
    (width.max(SIZE_MIN.0), height.max(SIZE_MIN.1))
}

/// The whole page, no higher than the terminal: what is stuck goes first, what just happened has the rest.
fn page(look: &Look, height: usize, picture: &Picture, head: &Head<'_>) -> Vec<String> {
    let w = words(look.lang);
    let mut lines = vec![title(look, picture)];
    lines.extend(frame::header(look, head.origin, head.key, height >= ROOMY_ROWS));
    lines.push(String::new());
    lines.extend(frame::table(look, &picture.counts));
    lines.push(frame::counters(look, picture));
    lines.push(String::new());
    let left = height.saturating_sub(lines.len() + 3);
    let groups = picture.stuck.groups.len().clamp(1, GROUPS_MAX).min(left.div_ceil(2).max(1));
    let feed = left.saturating_sub(groups).min(FEED_MAX);
    lines.push(frame::heading(w.happened).text(look));
    let mut happened = frame::feed(look, picture, feed);
    happened.resize(feed, String::new());
    lines.extend(happened);
    lines.push(String::new());
    lines.push(frame::heading(&format!("{} ({})", w.stuck, picture.stuck.total)).text(look));
    lines.extend(frame::stuck(look, &picture.stuck.groups, groups));
    lines.truncate(height);
    lines
}

fn title(look: &Look, picture: &Picture) -> String {
    let w = words(look.lang);
    let line = Line::of(w.title, Style::new().bold().cyan()).plain(format!(" · {}", clock(picture.elapsed.as_secs())));
    line.and(format!(" · {}", w.stop), frame::faint()).text(look)
}

/// Minutes and seconds.
pub(super) fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::seen::{Group, StuckList};

    fn crowded() -> Picture {
        let advice = "Nhà cung cấp đã nhận tin nhưng chưa có biên nhận: thường là máy người nhận đang tắt. ".repeat(3);
        let group = |n: u64| Group {
            account: "shop-oa".into(),
            kind: Some("sms_customer_care".into()),
            state: "sent".into(),
            cause: "recipient_unreachable".into(),
            count: n,
            advice: advice.clone(),
        };
        Picture { stuck: StuckList { total: 55, groups: (1..=10).map(group).collect() }, ..Picture::default() }
    }

    #[test]
    fn every_line_fits_the_terminal_and_the_line_to_paste_is_whole() {
        for (lang, width, height) in [(Lang::Vi, 100, 30), (Lang::En, 80, 24), (Lang::Vi, 80, 24), (Lang::En, 40, 12)] {
            let head = Head { origin: "http://127.0.0.1:45123", key: "demo0123456789ab", lang, color: false };
            let lines = page(&Look { width, lang, color: false }, height, &crowded(), &head);
            assert!(lines.len() <= height, "{width}x{height}");
            let long: Vec<&String> = lines.iter().filter(|l| l.chars().count() > width && !l.starts_with("curl ")).collect();
            assert!(long.is_empty(), "{width}: {long:?}");
            let pasted = lines.join("\n").replace(" \\\n ", "");
            assert!(pasted.contains("curl -H 'Authorization: Bearer demo0123456789ab' http://127.0.0.1:45123/v1/stuck"), "{pasted}");
        }
    }

    #[test]
    fn the_terminal_is_given_back_as_it_was() {
        let mut out = Vec::new();
        let head = Head { origin: "http://127.0.0.1:1", key: "demo0123456789ab", lang: Lang::En, color: true };
        let mut screen = Screen::open(&mut out).unwrap();
        screen.show(&crowded(), &head).unwrap();
        screen.show(&crowded(), &head).unwrap();
        drop(screen);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(ENTER) && text.ends_with(LEAVE));
        assert_eq!(text.matches("JUST HAPPENED").count(), 1, "an unchanged line is not drawn again");
    }
}
