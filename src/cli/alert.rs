//! `baophat alert`: who is told, and a message to each of them that shows whether it arrives.

use std::sync::Arc;

use clap::{Args, Subcommand};
use serde_json::json;

use super::lang::say;
use super::out::{Field, Out, Tone};
use super::{CliError, Globals, Json, Verdict, open};
use crate::clock::{Clock, WallClock};
use crate::outbox::{Answer, Courier, Job, Post, Target, receivers, trial};
use crate::store::sqlite::outbox::OutboxFile;

/// Options of `alert`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send a test message to an alert now, and tell what happened
    Test(Test),
    /// List alerts and subscriptions, and how they fare
    List(Json),
}

#[derive(Debug, Args)]
struct Test {
    /// The id of one alert or subscription [default: every alert]
    #[arg(value_name = "ID", conflicts_with = "all")]
    id: Option<String>,
    /// Every alert and every subscription
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    json: Json,
}

/// Tries or lists.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    match &options.what {
        What::Test(test) => try_out(globals, test),
        What::List(json) => list(globals, json.json),
    }
}

fn try_out(globals: &Globals, options: &Test) -> Result<Verdict, CliError> {
    let config = open::config(globals)?;
    let lang = open::lang(globals, options.json.json, &config);
    let targets = Target::all(&config);
    let wanted = |t: &Target| match &options.id {
        Some(id) => t.id() == id,
        None => options.all || !t.config.is_subscription(),
    };
    if !targets.iter().any(wanted) {
        return Err(CliError::No(match &options.id {
            Some(id) => format!("there is no [[alert]] or [[subscription]] with the id \"{id}\" in the configuration"),
            None => "no [[alert]] is configured; config.example.toml shows how".to_owned(),
        }));
    }
    let courier = Arc::new(Courier::new(&targets));
    let (mut out, mut well, mut told) = (Out::stdout(globals.no_color), true, Vec::new());
    for (lane, target) in targets.iter().enumerate().filter(|(_, t)| wanted(t)) {
        let job = Job { lane, ..trial(target, WallClock.now()) };
        let error = match courier.post(&job) {
            Answer::Taken => None,
            Answer::Failed { error, .. } => Some(error),
            Answer::Gone => Some("answered 410 Gone".to_owned()),
        };
        well &= error.is_none();
        if options.json.json {
            told.push(json!({ "id": target.id(), "kind": target.config.kind(), "sent": error.is_none(), "error": error }));
            continue;
        }
        let (word, tone) = match error {
            None => (say(lang, "đã gửi", "sent"), Tone::Good),
            Some(_) => (say(lang, "không gửi được", "not sent"), Tone::Bad),
        };
        let name = format!("{} ({})", target.id(), target.config.kind());
        out.line(&[name.into(), Field::new(word, tone), error.unwrap_or_default().into()])?;
    }
    if options.json.json {
        out.json(&json!({ "data": told }))?;
    }
    out.finish()?;
    Ok(if well { Verdict::Done } else { Verdict::No })
}

fn list(globals: &Globals, json: bool) -> Result<Verdict, CliError> {
    let config = open::config(globals)?;
    let lang = open::lang(globals, json, &config);
    let file = OutboxFile::open_reader(&open::place(&config))?;
    let all = receivers(&Target::all(&config), file.as_ref())?;
    let mut out = Out::stdout(globals.no_color);
    if json {
        out.json(&json!({ "data": all }))?;
    } else if all.is_empty() {
        out.line(&[
            say(lang, "Chưa cấu hình [[alert]] hay [[subscription]] nào.", "No [[alert]] or [[subscription]] is configured.").into()
        ])?;
    } else {
        let header = match lang {
            crate::domain::failure::Lang::Vi => ["MÃ", "LOẠI", "TÌNH TRẠNG", "CHỜ", "CHẾT", "LẦN GỬI ĐƯỢC CUỐI", "LỖI CUỐI"],
            crate::domain::failure::Lang::En => ["ID", "KIND", "STATUS", "WAITING", "DEAD", "LAST SUCCESS", "LAST ERROR"],
        };
        let rows = all.iter().map(|r| {
            let tone = if r.status == "active" { Tone::Good } else { Tone::Bad };
            vec![
                r.id.as_str().into(),
                r.kind.into(),
                Field::new(r.status, tone),
                r.waiting.to_string().into(),
                r.dead.to_string().into(),
                r.last_success_at.map_or_else(|| Field::maybe(None), Field::time),
                Field::maybe(r.last_error.as_deref()),
            ]
        });
        out.table(&header, rows.collect())?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}
