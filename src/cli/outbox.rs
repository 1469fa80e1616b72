//! `baophat outbox`: what waits to be sent on, what was given up, and giving it another try: by the server where one holds the store, else
//! here.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::lang::say;
use super::out::{Field, Out, Tone};
use super::{CliError, Globals, Json, Verdict, open, remote};
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;
use crate::outbox::{self, Target};
use crate::present::{DeliveryPage, DeliveryView};
use crate::store::StoreError;
use crate::store::sqlite::outbox::{Again, DeliveryId, OutboxFile};
use crate::store::sqlite::state::{AccountNumbers, StateFile};

/// Options of `outbox`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    what: Option<What>,
    /// What was given up, instead of what waits
    #[arg(long)]
    dead: bool,
    /// Only of this alert or subscription
    #[arg(long, value_name = "ID")]
    subscription: Option<String>,
    /// Most lines
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    limit: u16,
    #[command(flatten)]
    json: Json,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send what was given up again
    Replay(Replay),
}

#[derive(Debug, Args)]
struct Replay {
    /// The number of one dead letter
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    id: Option<DeliveryId>,
    /// Every dead letter
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: remote::Server,
    #[command(flatten)]
    json: Json,
}

/// Lists or sends again.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    match &options.what {
        Some(What::Replay(replay)) => again(globals, replay),
        None => list(globals, options),
    }
}

fn list(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let config = open::config(globals)?;
    let lang = open::lang(globals, options.json.json, &config);
    let limit = usize::from(options.limit);
    let found = match OutboxFile::open_reader(&open::place(&config))? {
        Some(file) => file.deliveries(options.dead, options.subscription.as_deref(), None, limit)?,
        None => Vec::new(),
    };
    let page = DeliveryPage::new(&found, limit);
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&page)?;
    } else if page.data.is_empty() {
        let text = match options.dead {
            true => say(lang, "Không có gì bị bỏ.", "Nothing was given up."),
            false => say(lang, "Không có gì đang chờ gửi.", "Nothing waits to be sent."),
        };
        out.line(&[Field::new(text, Tone::Good)])?;
    } else {
        let header = match lang {
            Lang::Vi => ["SỐ", "NƠI NHẬN", "SỰ KIỆN", "TIN", "LẦN THỬ", "TẠO LÚC", "GỬI LÚC", "LỖI"],
            Lang::En => ["ID", "TO", "EVENT", "MESSAGE", "ATTEMPTS", "CREATED", "DUE", "ERROR"],
        };
        out.table(&header, page.data.iter().map(row).collect())?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn row(d: &DeliveryView) -> Vec<Field> {
    vec![
        d.id.to_string().into(),
        d.subscription.as_str().into(),
        d.name.as_str().into(),
        Field::maybe(d.message.as_deref()),
        d.attempts.to_string().into(),
        Field::time(d.created_at),
        d.due_at.map_or_else(|| Field::maybe(None), Field::time),
        Field::maybe(d.error.as_deref()),
    ]
}

fn again(globals: &Globals, options: &Replay) -> Result<Verdict, CliError> {
    let config = open::config(globals)?;
    let lang = open::lang(globals, options.json.json, &config);
    let place = open::place(&config);
    let replayed = match place.lock() {
        Ok(_lock) if place.outbox().exists() => {
            let mut file = OutboxFile::open_writer(&place)?;
            // As a start of the server would: receivers that are configured can be sent to.
            let targets = Target::all(&config);
            let last = outbox::end(&StateFile::open_reader(&place, AccountNumbers::default())?)?;
            let now = WallClock.now();
            file.enrol(&targets.iter().map(|t| (t.id(), t.address.as_str())).collect::<Vec<_>>(), last, now)?;
            file.replay(&options.id.map_or(Again::Of(None), Again::One), now)? as u64
        }
        Ok(_lock) => 0,
        Err(StoreError::InUse { .. }) => {
            let path = options.id.map_or("/v1/deliveries/replay".to_owned(), |id| format!("/v1/deliveries/{id}/replay"));
            remote::post(&config, &place, &options.server, &path)?.get("replayed").and_then(Value::as_u64).unwrap_or_default()
        }
        Err(e) => return Err(e.into()),
    };
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&json!({ "replayed": replayed }))?;
    } else {
        out.line(&[format!("{replayed} {}", say(lang, "bản tin được gửi lại", "deliveries are sent again")).into()])?;
    }
    out.finish()?;
    Ok(if replayed == 0 && options.id.is_some() { Verdict::No } else { Verdict::Done })
}
