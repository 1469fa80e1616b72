//! `baophat reprocess`: stored callbacks processed again, by the server where one holds the store, else here.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out};
use super::{CliError, Globals, Json, Verdict, callbacks, remote, values};
use crate::clock::WallClock;
use crate::domain::ids::Seq;
use crate::domain::record::Status;
use crate::domain::time::Span;
use crate::ingest::{Health, Nudge, Parts, Projector, ReprocessWhat};
use crate::metrics::Metrics;
use crate::store::StoreError;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::StateFile;

/// How often a fault of the disk is looked for while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Statuses that can be processed again.
const AGAIN: &[Status] = &[Status::Error, Status::Ignored, Status::Processed];

/// Options of `reprocess`.
#[derive(Debug, Args)]
pub struct Options {
    /// The number of one callback
    #[arg(required_unless_present = "status", conflicts_with = "status")]
    seq: Option<Seq>,
    /// Every callback with this status
    #[arg(long, value_parser = values::among(AGAIN, Status::as_str))]
    status: Option<Status>,
    #[command(flatten)]
    server: remote::Server,
    #[command(flatten)]
    json: Json,
}

/// Processes callbacks again.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    let what = match (options.seq, options.status) {
        (Some(seq), _) => {
            opened.reader().callback(seq)?.ok_or_else(|| callbacks::no_such(seq, opened.lang))?;
            ReprocessWhat::One(seq)
        }
        (None, status) => ReprocessWhat::All(status.unwrap_or(Status::Error)),
    };
    let (done, by) = match opened.place.lock() {
        Ok(_lock) => (Some(here(&opened, what)?), "store"),
        Err(StoreError::InUse { .. }) => (remote::reprocess(&opened, &options.server, what)?, "server"),
        Err(e) => return Err(e.into()),
    };
    report(globals, options, &opened, done, by)
}

/// Tells how many were processed again, and for a single one what became of it.
fn report(globals: &Globals, options: &Options, opened: &Opened, done: Option<u64>, by: &str) -> Result<Verdict, CliError> {
    let line = match options.seq {
        Some(seq) => opened.reader().callback(seq)?.map(|c| c.callback),
        None => None,
    };
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&json!({ "reprocessed": done, "by": by, "callback": line }))?;
    } else if let Some(c) = line {
        out.line(&[c.seq.to_string().into(), callbacks::status(c.status), c.error.unwrap_or_default().into()])?;
    } else {
        let text = say(opened.lang, "callback đã được xử lý lại", "callbacks processed again");
        out.line(&[Field::from(format!("{} {text}", done.map_or("?".to_owned(), |n| n.to_string())))])?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// Does it in this process, which holds the store.
fn here(opened: &Opened, what: ReprocessWhat) -> Result<u64, CliError> {
    let health = Arc::new(Health::default());
    let (projector, handle) = Projector::new(parts(opened, health.clone())?)?;
    let mut told = handle.reprocess(what);
    let thread = projector.start().map_err(|source| CliError::File { path: "a thread".into(), source })?;
    let waited = wait(&mut told, &health);
    handle.nudge(Nudge::Stop);
    let _ = thread.join();
    waited
}

/// What a projector in this process works with.
pub fn parts(opened: &Opened, health: Arc<Health>) -> Result<Parts<InboxReader, StateFile>, StoreError> {
    Ok(Parts {
        inbox: InboxReader::open(&opened.place)?,
        state: StateFile::open_writer(&opened.place, opened.state.accounts.clone())?,
        rules: opened.rules.clone(),
        clock: Arc::new(WallClock),
        health,
        metrics: Arc::new(Metrics::default()),
        retention: opened.config.retention.clone(),
        sweep_every: Span::seconds(1),
    })
}

/// Waits for the answer, and ends when the disk does not work: the projector would try for ever.
fn wait(told: &mut tokio::sync::oneshot::Receiver<usize>, health: &Health) -> Result<u64, CliError> {
    let failed = |what: String| CliError::No(format!("the callbacks were not processed again: {what}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().map_err(|e| failed(e.to_string()))?;
    runtime.block_on(async {
        loop {
            match tokio::time::timeout(LOOK_EVERY, &mut *told).await {
                Ok(Ok(done)) => return Ok(done as u64),
                Ok(Err(_)) => return Err(failed("the projector ended before it was done".into())),
                Err(_) => {
                    if let Some((_, why)) = health.faults().into_iter().next() {
                        return Err(failed(why));
                    }
                }
            }
        }
    })
}
