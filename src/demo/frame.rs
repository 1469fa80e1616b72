//! A picture as lines of text: cut to a width, with colours or without. It must not know where the lines go.

use chrono::{DateTime, Local, Utc};
use owo_colors::{OwoColorize, Style};

use super::seen::{Counts, Group, Message, place};
use super::watch::{Happened, Picture};
use super::words::{Words, cause, words};
use crate::domain::failure::Lang;
use crate::domain::state::State;
use crate::domain::time::Millis;
use crate::providers::PROVIDERS;

/// Width of the first column of the table of counts.
const NAME_COLUMNS: usize = 20;
/// Width of a count.
const COUNT_COLUMNS: usize = 10;
/// From this width on there is room for everything.
const WIDE_COLUMNS: usize = 100;

/// How lines are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// Columns of a line.
    pub width: usize,
    /// The language.
    pub lang: Lang,
    /// With colours.
    pub color: bool,
}

/// One line in pieces, each with its style.
#[derive(Debug, Default)]
pub(super) struct Line(Vec<(String, Style)>);

impl Line {
    /// A line of one piece.
    pub(super) fn of(text: impl Into<String>, style: Style) -> Line {
        Line::default().and(text, style)
    }

    /// One more piece.
    pub(super) fn and(mut self, text: impl Into<String>, style: Style) -> Line {
        self.0.push((text.into(), style));
        self
    }

    /// One more piece without a style.
    pub(super) fn plain(self, text: impl Into<String>) -> Line {
        self.and(text, Style::new())
    }

    /// The text, cut to the width. Vietnamese stands in composed letters here, so a letter is one column.
    pub(super) fn text(&self, look: &Look) -> String {
        let mut left = look.width;
        let mut out = String::new();
        for (text, style) in &self.0 {
            let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let cut = cut(&clean, left);
            left -= cut.chars().count();
            if look.color { out.push_str(&cut.style(*style).to_string()) } else { out.push_str(&cut) }
        }
        out
    }
}

/// A text in so many columns at most.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.chars().count() <= columns {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(columns.saturating_sub(1)).collect();
    if columns > 0 {
        short.push('…');
    }
    short
}

fn padded(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let blanks = columns - text.chars().count();
    format!("{text}{}", " ".repeat(blanks))
}

fn right(text: &str, columns: usize) -> String {
    let text = cut(text, columns);
    let blanks = columns - text.chars().count();
    format!("{}{text}", " ".repeat(blanks))
}

/// A heading.
pub(super) fn heading(text: &str) -> Line {
    Line::of(text, Style::new().bold().cyan())
}

/// Quieter text.
pub(super) fn faint() -> Style {
    Style::new().dimmed()
}

/// The colour of a state, by its place in the order of the states.
fn state_style(state: usize) -> Style {
    match state {
        0 => Style::new().yellow(),
        1 => Style::new().blue(),
        2 => Style::new().green(),
        3 => Style::new().bright_green().bold(),
        _ => Style::new().red(),
    }
}

/// The address, the key, and a line to paste. The line is never cut: too long for the width, it goes on in a second one.
pub(super) fn header(look: &Look, origin: &str, key: &str, roomy: bool) -> Vec<String> {
    let w = words(look.lang);
    let command = format!("curl -H 'Authorization: Bearer {key}'");
    let url = format!("{origin}/v1/stuck");
    let address = Line::of(format!("{origin}/docs"), Style::new().bold()).plain(format!("   {}: {key}", w.key));
    let mut lines = vec![address.text(look)];
    if roomy {
        lines.push(Line::of(w.explore, faint()).text(look));
    }
    if command.chars().count() + 1 + url.chars().count() <= look.width {
        lines.push(format!("{command} {url}"));
    } else {
        lines.extend([format!("{command} \\"), format!("  {url}")]);
    }
    lines
}

/// Messages by provider and state.
pub(super) fn table(look: &Look, counts: &Counts) -> Vec<String> {
    let w = words(look.lang);
    let columns = COUNT_COLUMNS.min(look.width.saturating_sub(NAME_COLUMNS) / 6).max(5);
    let cell = |text: &str| right(text, columns);
    let mut head = Line::of(padded("", NAME_COLUMNS), faint());
    for (state, name) in w.states.iter().enumerate() {
        head = head.and(cell(name), state_style(state));
    }
    let mut lines = vec![head.and(cell(w.total), faint()).text(look)];
    for (spec, row) in PROVIDERS.iter().zip(counts) {
        lines.push(row_line(spec.title, row, columns).text(look));
    }
    let sums: [u64; 5] = std::array::from_fn(|state| counts.iter().map(|row| row[state]).sum());
    lines.push(row_line(w.total, &sums, columns).text(look));
    lines
}

fn row_line(name: &str, row: &[u64; 5], columns: usize) -> Line {
    let mut line = Line::default().plain(padded(name, NAME_COLUMNS));
    for (state, count) in row.iter().enumerate() {
        let style = if *count == 0 { faint() } else { state_style(state) };
        line = line.and(right(&count.to_string(), columns), style);
    }
    line.and(right(&row.iter().sum::<u64>().to_string(), columns), Style::new().bold())
}

/// The last things that happened, the newest last.
pub(super) fn feed(look: &Look, picture: &Picture, rows: usize) -> Vec<String> {
    let skipped = picture.feed.len().saturating_sub(rows);
    picture.feed.iter().skip(skipped).map(|(at, happened)| happened_line(look, *at, happened).text(look)).collect()
}

fn happened_line(look: &Look, at: Millis, happened: &Happened) -> Line {
    let w = words(look.lang);
    let time = DateTime::<Utc>::from_timestamp_millis(at.0).map(|t| t.with_timezone(&Local).format("%H:%M:%S").to_string());
    let line = Line::of(format!("{}  ", time.unwrap_or_default()), faint());
    match happened {
        Happened::Refused(provider, reason) => {
            line.plain(padded(provider, 9)).and(w.forged, Style::new().magenta().bold()).and(format!(": {reason}"), faint())
        }
        Happened::Moved(message) => moved_line(line, look, w, message),
    }
}

fn moved_line(line: Line, look: &Look, w: &Words, message: &Message) -> Line {
    let kind = message.kind.as_deref().unwrap_or_default().replace("sms_", "");
    let whom = message.recipient.as_deref().map_or("→ …".to_owned(), |r| format!("→ {}", masked(r)));
    let line = line.plain(padded(&message.provider, 9)).plain(padded(&kind, 14)).plain(padded(&whom, 14));
    let text = message.metadata.as_ref().map(|m| m.text.as_str()).unwrap_or_default();
    if let Some(stuck) = &message.stuck {
        let why = format!("{}: {}  ", w.got_stuck, cause(&stuck.cause, look.lang));
        return line.and(why, Style::new().yellow().bold()).and(text, faint());
    }
    let state = place(message).map_or(0, |(_, state)| state);
    match &message.failure {
        Some(failure) if state == 4 => {
            let why = format!("{} {}: {}", w.states[4], failure.shown_code(), failure.explanation.title);
            line.and(why, state_style(4))
        }
        _ => {
            let part = if message.partial { format!(" ({})", w.partial) } else { String::new() };
            line.and(padded(&format!("{}{part}", w.states[state]), 10), state_style(state)).and(format!("  {text}"), faint())
        }
    }
}

/// Enough of a number to tell two apart: nobody's screen needs the rest.
pub(super) fn masked(recipient: &str) -> String {
    let all: Vec<char> = recipient.chars().collect();
    if all.len() <= 8 {
        return recipient.to_owned();
    }
    let (head, tail): (String, String) = (all[..4].iter().collect(), all[all.len() - 3..].iter().collect());
    format!("{head}…{tail}")
}

/// What is stuck: so many, where, why, and what to do, as far as the width goes.
pub(super) fn stuck(look: &Look, groups: &[Group], rows: usize) -> Vec<String> {
    let w = words(look.lang);
    if groups.is_empty() {
        return vec![Line::of(w.nothing_stuck, faint()).text(look)];
    }
    let shown = &groups[..groups.len().min(rows)];
    let why = shown.iter().map(|g| cause(&g.cause, look.lang).chars().count()).max().unwrap_or_default();
    shown.iter().map(|group| stuck_line(look, w, group, why + 2).text(look)).collect()
}

/// A narrow line leaves the state out: the cause tells most of it, and the advice needs the room.
fn stuck_line(look: &Look, w: &Words, group: &Group, why_columns: usize) -> Line {
    let kind = group.kind.as_deref().unwrap_or_default().replace("sms_", "");
    let state = State::ALL.iter().position(|s| s.as_str() == group.state).unwrap_or_default();
    let line = Line::of(right(&group.count.to_string(), 4), Style::new().bold());
    let line = line.plain(format!("  {}", padded(&group.account, 10))).plain(padded(&kind, 14));
    let line = if look.width < WIDE_COLUMNS { line } else { line.and(padded(w.states[state], 9), state_style(state)) };
    line.and(padded(cause(&group.cause, look.lang), why_columns), Style::new().yellow()).and(group.advice.as_str(), faint())
}

/// What was counted.
pub(super) fn counters(look: &Look, picture: &Picture) -> String {
    let (w, c) = (words(look.lang), &picture.counters);
    let line = Line::of(c.stored.to_string(), Style::new().bold()).plain(format!(" {} · ", w.stored));
    let line = line.and(c.repeats.to_string(), Style::new().bold()).plain(format!(" {} · ", w.repeats[0]));
    let line = line.and(c.refused.to_string(), Style::new().bold()).plain(format!(" {} · ", w.refused));
    line.and(c.errors.to_string(), Style::new().bold()).plain(format!(" {}", w.errors[0])).text(look)
}
