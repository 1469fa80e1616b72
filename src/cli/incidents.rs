//! `baophat incidents`: what is wrong with many messages at once, or with an account; newest first.

use std::io;

use clap::Args;

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, label_width};
use super::{CliError, Globals, Json, Verdict, values};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::watch::IncidentId;
use crate::present::{IncidentFilter, IncidentView};

/// Options of `incidents`.
#[derive(Debug, Args)]
pub struct Options {
    /// One incident in full
    #[arg(value_name = "NUMBER")]
    number: Option<IncidentId>,
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    account: Option<AccountId>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    json: Json,
    /// Exit with 1 when any is open: for cron and monitoring
    #[arg(long)]
    fail_if_any: bool,
}

/// Tells of incidents.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, options.account.as_ref());
    let lang = opened.lang;
    let mut out = Out::stdout(globals.no_color);
    let shown = match options.number {
        Some(number) => {
            let Some(incident) = opened.reader().incident(number)? else {
                let text = say(
                    lang,
                    "Không có sự cố mang số này; `baophat incidents --all` liệt kê các sự cố còn lưu.",
                    "There is no incident with this number; `baophat incidents --all` lists those that are kept.",
                );
                return Err(CliError::No(text.to_owned()));
            };
            if options.json.json {
                out.json(&incident)?;
            } else {
                page(&mut out, &incident, lang)?;
            }
            vec![incident]
        }
        None => {
            let open = (!options.all).then_some(true);
            let filter = IncidentFilter { open, account: options.account.clone(), before: None };
            let page = opened.reader().incidents(&filter, usize::from(options.limit))?;
            if options.json.json {
                out.json(&page)?;
            } else {
                table(&mut out, &page.data, lang)?;
            }
            page.data
        }
    };
    out.finish()?;
    Ok(if options.fail_if_any && shown.iter().any(|i| i.open) { Verdict::No } else { Verdict::Done })
}

fn tone(incident: &IncidentView) -> Tone {
    match (incident.open, incident.urgent) {
        (true, true) => Tone::Bad,
        (true, false) => Tone::Warn,
        (false, _) => Tone::Dim,
    }
}

fn table(out: &mut Out<'_>, incidents: &[IncidentView], lang: Lang) -> io::Result<()> {
    if incidents.is_empty() {
        return out.line(&[Field::new(say(lang, "Không có sự cố nào.", "No incidents."), Tone::Good)]);
    }
    let header = match lang {
        Lang::Vi => ["SỐ", "TÀI KHOẢN", "SỰ CỐ", "TỪ LÚC", "ĐÓNG LÚC", "SỐ TIN", "NGƯỜI NHẬN"],
        Lang::En => ["NO.", "ACCOUNT", "INCIDENT", "SINCE", "CLOSED", "MESSAGES", "RECIPIENTS"],
    };
    let row = |i: &IncidentView| {
        vec![
            i.id.as_str().into(),
            i.account.as_str().into(),
            Field::new(i.title.as_str(), tone(i)).prose(),
            Field::time(i.since),
            i.closed_at.map_or(Field::maybe(None), Field::time),
            i.size.to_string().into(),
            i.recipients.to_string().into(),
        ]
    };
    out.table(&header, incidents.iter().map(row).collect())?;
    let open: Vec<&IncidentView> = incidents.iter().filter(|i| i.open).collect();
    if !open.is_empty() {
        out.gap()?;
        out.line(&[Field::new(say(lang, "Cần làm gì", "What to do"), Tone::Strong)])?;
        let width = label_width(open.iter().map(|i| i.id.as_str()));
        for incident in open {
            out.prose(&incident.id, width, &incident.remedy.replace("{id}", "ID"))?;
        }
    }
    Ok(())
}

fn page(out: &mut Out<'_>, i: &IncidentView, lang: Lang) -> io::Result<()> {
    let fields = [
        (say(lang, "sự cố", "incident"), Field::new(format!("{}  {}", i.id, i.title), tone(i))),
        (say(lang, "tài khoản", "account"), i.account.as_str().into()),
        (say(lang, "mẫu tin", "template"), Field::maybe(i.template_id.as_deref())),
        (say(lang, "nhà mạng", "carrier"), Field::maybe(i.carrier.as_deref())),
        (say(lang, "từ lúc", "since"), Field::time(i.since)),
        (say(lang, "mở lúc", "opened"), Field::time(i.opened_at)),
        (say(lang, "đóng lúc", "closed"), i.closed_at.map_or(Field::maybe(None), Field::time)),
        (say(lang, "số tin", "messages"), i.size.to_string().into()),
        (say(lang, "đang kẹt", "stuck now"), i.stuck_now.to_string().into()),
        (say(lang, "người nhận", "recipients"), i.recipients.to_string().into()),
    ];
    out.fields(&fields)?;
    out.gap()?;
    let (why, what) = (say(lang, "vì sao", "why"), say(lang, "cần làm gì", "what to do"));
    let width = label_width([why, what].into_iter());
    if let Some(cause) = &i.cause {
        out.prose(why, width, cause)?;
    }
    out.prose(what, width, &i.remedy.replace("{id}", "ID"))?;
    if !i.examples.is_empty() {
        out.gap()?;
        out.line(&[Field::new(say(lang, "Tin ví dụ", "Examples"), Tone::Strong)])?;
        for id in &i.examples {
            out.line(&[id.as_str().into()])?;
        }
    }
    Ok(())
}
