//! `baophat export`: every matching message, newest first, streamed page by page.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::csv;
use super::filter::{Filters, warn_of_unknown};
use super::lang::say;
use super::open::Opened;
use super::out::{Out, hint};
use super::{CliError, Globals, Verdict};
use crate::clock::{Clock, WallClock};
use crate::present::MessageView;
use crate::store::sqlite::query::MessageFilter;

/// Messages that are held in memory at a time.
const PAGE_MESSAGES: usize = 500;

/// Options of `export`.
#[derive(Debug, Args)]
pub struct Options {
    /// The form of a message
    #[arg(long, value_enum, default_value_t = Format::Jsonl)]
    format: Format,
    /// Write into this file, which appears only when it is complete [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    filters: Filters,
}

/// The form of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object on each line, as in the HTTP API
    Jsonl,
    /// Comma-separated, UTF-8, with a heading
    Csv,
}

/// Writes every matching message.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, true)?;
    warn_of_unknown(globals, &opened, options.filters.account.as_ref());
    let filter = options.filters.filter(WallClock.now());
    let Some(path) = &options.output else {
        let mut out = Out::stdout(true);
        write(&opened, &filter, options.format, out.raw(), CliError::Output)?;
        out.finish()?;
        return Ok(Verdict::Done);
    };
    if path.exists() && !options.force {
        return Err(CliError::Usage(format!("{} exists; name another file, or add --force to replace it", path.display())));
    }
    let count = into_file(&opened, &filter, options.format, path)?;
    hint(&format!("{count} {} {}", say(opened.lang, "tin đã được ghi vào", "messages written to"), path.display()));
    Ok(Verdict::Done)
}

/// Writes beside the file and renames at the end, so that nobody reads half of it.
fn into_file(opened: &Opened, filter: &MessageFilter, format: Format, path: &Path) -> Result<u64, CliError> {
    let failed = |source| CliError::File { path: path.display().to_string(), source };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = path.with_file_name(format!(".{name}.part-{}", std::process::id()));
    let fill = || -> Result<u64, CliError> {
        let mut to = BufWriter::with_capacity(1 << 20, File::create(&part).map_err(failed)?);
        let count = write(opened, filter, format, &mut to, failed)?;
        to.into_inner().map_err(|e| failed(e.into_error()))?.sync_all().map_err(failed)?;
        fs::rename(&part, path).map_err(failed)?;
        Ok(count)
    };
    fill().inspect_err(|_| drop(fs::remove_file(&part)))
}

fn write(
    opened: &Opened,
    filter: &MessageFilter,
    format: Format,
    to: &mut dyn Write,
    failed: impl Fn(io::Error) -> CliError,
) -> Result<u64, CliError> {
    let reader = opened.reader();
    let (mut after, mut count) = (None, 0);
    if format == Format::Csv {
        csv::heading(to).map_err(&failed)?;
    }
    loop {
        let (messages, next) = reader.messages(filter, after, PAGE_MESSAGES)?;
        for message in &messages {
            one(message, format, to).map_err(&failed)?;
        }
        count += messages.len() as u64;
        if next.is_none() {
            return Ok(count);
        }
        after = next;
    }
}

fn one(message: &MessageView, format: Format, to: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Csv => csv::row(to, message),
        Format::Jsonl => {
            serde_json::to_writer(&mut *to, message)?;
            to.write_all(b"\n")
        }
    }
}
