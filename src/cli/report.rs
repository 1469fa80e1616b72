//! `baophat report`: what a provider's support needs to know of one message, as Markdown or JSON.

use clap::Args;

use super::lang::say;
use super::open::Opened;
use super::out::{Out, hint};
use super::pages::{self, Paging};
use super::text::clean;
use super::{CliError, Globals, Verdict, messages, values};
use crate::clock::{Clock, WallClock};
use crate::domain::ids::PublicId;
use crate::domain::watch::IncidentId;
use crate::present::{MessagePage, MessageView, Reader, ReportFormat, ReportWish, cursor, id_spellings};
use crate::store::StoreError;
use crate::store::sqlite::query::MessageFilter;

/// Most messages that are listed where an id fits several.
const SEVERAL_MAX: u16 = 50;

/// Options of `report`.
#[derive(Debug, Args)]
pub struct Options {
    /// Our id; also tried as the provider's id and as the sender's
    #[arg(value_name = "ID", required_unless_present = "incident", conflicts_with = "incident", allow_hyphen_values = true)]
    id: Option<String>,
    /// Of a whole incident, by its number
    #[arg(long, value_name = "NUMBER")]
    incident: Option<IncidentId>,
    /// How it is written
    #[arg(long, value_name = "FORMAT", default_value = "md", value_parser = values::among(ReportFormat::ALL, ReportFormat::as_str))]
    format: ReportFormat,
    /// Print JSON: the same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// With the recipient's whole number or id, which is masked otherwise
    #[arg(long)]
    full: bool,
}

/// Writes a report.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let json = options.json || options.format == ReportFormat::Json;
    let opened = Opened::new(globals, json)?;
    let reader = opened.reader();
    let mut out = Out::stdout(globals.no_color);
    let wish = ReportWish { now: WallClock.now(), full: options.full };
    let (one, several) = match &options.id {
        Some(id) => find(&reader, id)?,
        None => (None, None),
    };
    if let Some((data, next)) = several {
        if json {
            out.json(&MessagePage { data, next_cursor: next.map(cursor::encode) })?;
        } else {
            messages::table(&mut out, &data, opened.lang)?;
        }
        out.finish()?;
        hint(say(opened.lang, "Có nhiều tin khớp: hãy chọn một id ở trên.", "Several messages match: name one by its id above."));
        return Ok(Verdict::No);
    }
    let report = match (one, options.incident) {
        (Some(id), _) => reader.report(id.row, wish)?,
        (None, Some(number)) => reader.report_of_incident(number, wish)?,
        (None, None) => None,
    };
    let Some(report) = report else {
        let text = match options.incident {
            None => {
                say(opened.lang, "Không tìm thấy tin này; hãy thử `baophat messages`.", "There is no such message; try `baophat messages`.")
            }
            Some(_) => say(
                opened.lang,
                "Không có sự cố mang số này; hãy thử `baophat incidents --all`.",
                "There is no incident with this number; try `baophat incidents --all`.",
            ),
        };
        return Err(CliError::No(text.to_owned()));
    };
    if json {
        out.json(&report)?;
    } else {
        out.raw().write_all(clean(&report.markdown()).as_bytes())?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// The message that an id names, or those that it may name.
fn find(reader: &Reader<'_>, id: &str) -> Result<(Option<PublicId>, Option<pages::Listed<MessageView>>), StoreError> {
    if let Some(id) = PublicId::parse(id) {
        return Ok((reader.knows(id)?.then_some(id), None));
    }
    let by_id = MessageFilter { message_id: id_spellings(id), ..MessageFilter::default() };
    let by_reference = MessageFilter { reference: Some(id.to_owned()), ..MessageFilter::default() };
    for filter in [by_id, by_reference] {
        let (found, next) = pages::messages(reader, &filter, Paging { limit: SEVERAL_MAX, cursor: None })?;
        match found.as_slice() {
            [] => {}
            [one] => return Ok((PublicId::parse(&one.id), None)),
            _ => return Ok((None, Some((found, next)))),
        }
    }
    Ok((None, None))
}
