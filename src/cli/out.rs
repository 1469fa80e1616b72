//! Standard output: JSON, tables, pages and prose; coloured and fitted to the width on a terminal, plain and aligned in a pipe.
//!
//! Text of providers and senders is shown without its control characters, so that no callback can steer a terminal. It must not know
//! what it prints.

use std::io::{self, BufWriter, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use comfy_table::presets::{NOTHING, UTF8_HORIZONTAL_ONLY};
use comfy_table::{Attribute, Cell, Color, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use owo_colors::Style;
use serde::Serialize;

pub use super::field::{Field, Tone};
use super::text::{clean, wrap};

/// The widest prose, in characters.
const PROSE_CHARACTERS_MAX: usize = 100;

/// The narrowest cell that running text is broken into, in characters.
const PROSE_CELL_MIN: usize = 20;

/// A table on a terminal: a line below the heading, none between rows.
const TERMINAL: TableStyle =
    UTF8_HORIZONTAL_ONLY.top_border(LineStyle::none()).row_separator(LineStyle::none()).bottom_border(LineStyle::none());

/// Where an answer goes.
pub struct Out<'a> {
    to: Box<dyn Write + 'a>,
    terminal: bool,
    color: bool,
    width: Option<usize>,
}

impl Out<'static> {
    /// Standard output.
    pub fn stdout(no_color: bool) -> Out<'static> {
        let stdout = io::stdout();
        let (terminal, color) = (stdout.is_terminal(), colored(no_color));
        let width = if terminal { Table::new().width().map(usize::from).or(Some(80)) } else { None };
        Out { to: Box::new(BufWriter::with_capacity(64 << 10, stdout)), terminal, color, width }
    }
}

impl<'a> Out<'a> {
    /// A pipe.
    #[cfg(test)]
    pub fn plain(to: impl Write + 'a) -> Out<'a> {
        Out { to: Box::new(to), terminal: false, color: false, width: None }
    }

    /// The bytes as they are, for files and programs.
    pub fn raw(&mut self) -> &mut dyn Write {
        &mut *self.to
    }

    /// Writes what is still held back.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.to.flush()
    }

    /// One document: for people on a terminal, on one line elsewhere.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn json<T: Serialize>(&mut self, document: &T) -> io::Result<()> {
        if self.terminal {
            serde_json::to_writer_pretty(&mut self.to, document)?;
        } else {
            serde_json::to_writer(&mut self.to, document)?;
        }
        self.to.write_all(b"\n")
    }

    /// An empty line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn gap(&mut self) -> io::Result<()> {
        self.to.write_all(b"\n")
    }

    /// One line.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn line(&mut self, pieces: &[Field]) -> io::Result<()> {
        let text: Vec<String> = pieces.iter().map(|p| self.paint(p.tone, &clean(&p.text))).collect();
        writeln!(self.to, "{}", text.join("  ").trim_end())
    }

    /// Running text behind a label, broken at the width of the terminal.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn prose(&mut self, label: &str, label_width: usize, text: &str) -> io::Result<()> {
        let room = self.width.map(|w| w.min(PROSE_CHARACTERS_MAX).saturating_sub(label_width).max(20));
        let text = clean(text);
        let lines = room.map_or_else(|| vec![text.clone()], |room| wrap(&text, room));
        for (i, line) in lines.iter().enumerate() {
            let label = if i == 0 { label } else { "" };
            let pad = " ".repeat(label_width.saturating_sub(label.chars().count()));
            writeln!(self.to, "{}", format!("{}{pad}{line}", self.paint(Tone::Dim, label)).trim_end())?;
        }
        Ok(())
    }

    /// Labels and values below each other.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn fields(&mut self, rows: &[(&str, Field)]) -> io::Result<()> {
        let width = label_width(rows.iter().map(|(label, _)| *label));
        for (label, value) in rows {
            let pad = " ".repeat(width - label.chars().count());
            writeln!(self.to, "{}{pad}{}", self.paint(Tone::Dim, label), self.paint(value.tone, &clean(&value.text)))?;
        }
        Ok(())
    }

    /// A table with a heading; nothing when it has no rows.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn table(&mut self, header: &[&str], rows: Vec<Vec<Field>>) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let prose: Vec<bool> = (0..header.len()).map(|i| rows.iter().any(|row| row.get(i).is_some_and(|f| f.prose))).collect();
        let mut table = Table::new();
        table.set_header(header.iter().map(|h| if self.color { Cell::new(h).add_attribute(Attribute::Bold) } else { Cell::new(h) }));
        for row in rows {
            table.add_row(row.into_iter().map(|field| self.cell(field)));
        }
        if self.terminal {
            table.load_style(TERMINAL);
            self.fit(&mut table, &prose);
        } else {
            table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled).force_no_tty();
            for column in table.column_iter_mut() {
                column.set_padding((0, 2));
            }
        }
        if self.color {
            table.enforce_styling();
        }
        writeln!(self.to, "{}", table.trim_fmt())
    }

    /// Breaks running text so that the table fits. Where even that does not help, lines are as long as they are.
    fn fit(&self, table: &mut Table, prose: &[bool]) {
        let widths = table.column_max_content_widths();
        let rigid: usize =
            widths.iter().zip(prose).map(|(w, prose)| if *prose { PROSE_CELL_MIN.min(usize::from(*w)) } else { usize::from(*w) } + 3).sum();
        let width = self.width.and_then(|w| u16::try_from(w).ok()).unwrap_or(80);
        if rigid > usize::from(width) {
            table.set_content_arrangement(ContentArrangement::Disabled);
            return;
        }
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        for (column, _) in table.column_iter_mut().zip(prose).filter(|(_, prose)| !**prose) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }

    fn cell(&self, field: Field) -> Cell {
        let text = field.brief.filter(|_| self.terminal).unwrap_or(field.text);
        let cell = Cell::new_owned(clean(&text).replace('\n', " "));
        match field.tone {
            _ if !self.color => cell,
            Tone::Plain => cell,
            Tone::Strong => cell.add_attribute(Attribute::Bold),
            Tone::Good => cell.fg(Color::Green),
            Tone::Bad => cell.fg(Color::Red),
            Tone::Warn => cell.fg(Color::Yellow),
            Tone::Dim => cell.add_attribute(Attribute::Dim),
        }
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        let style = match tone {
            _ if !self.color || text.is_empty() => return text.to_owned(),
            Tone::Plain => return text.to_owned(),
            Tone::Strong => Style::new().bold(),
            Tone::Good => Style::new().green(),
            Tone::Bad => Style::new().red(),
            Tone::Warn => Style::new().yellow(),
            Tone::Dim => Style::new().dimmed(),
        };
        style.style(text).to_string()
    }
}

/// Whether standard output takes colours.
pub fn colored(no_color: bool) -> bool {
    let stdout = io::stdout();
    !no_color && stdout.is_terminal() && AutoStream::choice(&stdout) != ColorChoice::Never
}

/// The width of a column of labels with the gap behind it.
pub fn label_width<'l>(labels: impl Iterator<Item = &'l str>) -> usize {
    labels.map(|l| l.chars().count()).max().unwrap_or(0) + 2
}

/// One word of warning or error on standard error. There is nobody to tell when that cannot be written.
pub fn complain(no_color: bool, word: &str, text: &str) {
    let stderr = io::stderr();
    let color = !no_color && stderr.is_terminal() && AutoStream::choice(&stderr) != ColorChoice::Never;
    let style = if word == "error" { Style::new().red().bold() } else { Style::new().yellow().bold() };
    let word = if color { style.style(word).to_string() } else { word.to_owned() };
    let _ = writeln!(stderr.lock(), "{word}: {}", clean(text));
}

/// A hint on standard error: what to type next.
pub fn hint(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", clean(text));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;

    fn written(f: impl FnOnce(&mut Out<'_>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        f(&mut out).unwrap();
        out.finish().unwrap();
        drop(out);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_table_in_a_pipe_is_plain_and_aligned() {
        let text = written(|out| {
            let row = |a: &str, b: &str| vec![Field::new(a, Tone::Bad), b.into()];
            out.table(&["STATE", "Tài khoản"], vec![row("failed", "cửa-hàng"), row("queued", "x\ny\u{1b}[2J")])
        });
        assert_eq!(text, "STATE   Tài khoản\nfailed  cửa-hàng\nqueued  x y\\u{1b}[2J\n");
        assert_eq!(written(|out| out.table(&["A"], Vec::new())), "");
    }

    #[test]
    fn fields_are_aligned_and_prose_stays_on_one_line_in_a_pipe() {
        let text = written(|out| {
            out.fields(&[("id", "1".into()), ("nguồn", Field::maybe(None))])?;
            out.prose("Cause", 8, "one two\tthree")
        });
        assert_eq!(text, "id     1\nnguồn  -\nCause   one two three\n");
    }

    #[test]
    fn json_in_a_pipe_is_one_line() {
        assert_eq!(written(|out| out.json(&serde_json::json!({"a": ["\u{1b}"]}))), "{\"a\":[\"\\u001b\"]}\n");
    }

    #[test]
    fn on_a_terminal_times_are_brief_and_only_running_text_is_broken() {
        let shown = |width| {
            let mut bytes = Vec::new();
            let mut out = Out { to: Box::new(&mut bytes), terminal: true, color: false, width: Some(width) };
            let prose = Field::from("one two three four five six seven").prose();
            out.table(&["AT", "ID", "NOTE"], vec![vec![Field::time(Millis(1_764_000_000_111)), "0123-456".into(), prose]]).unwrap();
            drop(out);
            String::from_utf8(bytes).unwrap()
        };
        let (fits, narrow) = (shown(60), shown(30));
        assert!(fits.contains(" 2025-11-24 16:00:00Z   0123-456   one two three four five"), "{fits}");
        assert_eq!((fits.lines().count(), narrow.lines().count()), (4, 3), "{fits}{narrow}");
        assert!(fits.lines().all(|l| l.chars().count() <= 60), "{fits}");
    }

    #[test]
    fn colour_is_used_only_where_it_is_wanted() {
        let mut out = Out::plain(io::sink());
        assert_eq!(out.paint(Tone::Bad, "x"), "x");
        out.color = true;
        assert_eq!(out.paint(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
