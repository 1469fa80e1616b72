//! `baophat demo`: a whole service in a temporary folder, a player that sends it a believable afternoon, and a table to watch.
//!
//! The player and the table speak to the service over HTTP only, as providers and clients do. `story` is the afternoon as data,
//! `fates` and `script` turn it into timed requests, `wire` writes them as the providers do, `player` sends them; `watch` asks
//! what came of it, `screen` and `plain` show it, `summary` proves at the end that nothing acknowledged was lost.

mod chance;
mod client;
mod fates;
mod folder;
mod frame;
mod plain;
mod player;
mod screen;
mod script;
mod seen;
mod serving;
mod setting;
mod story;
mod summary;
#[cfg(test)]
mod tests;
mod watch;
mod wire;
mod words;

use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

pub use client::ClientError;
use frame::Look;
use player::Player;
use screen::{Head, Screen};
use serving::Serving;
use summary::Summary;
use watch::{Picture, Watch};

use crate::app::AppError;
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;

/// Slowest and fastest that the afternoon is played.
const SPEED: (f64, f64) = (0.1, 50.0);
/// Between two looks at the service, live and otherwise.
const LOOK_LIVE: Duration = Duration::from_millis(250);
const LOOK_ELSE: Duration = Duration::from_millis(500);
/// Between two blocks of text.
const BLOCK: Duration = Duration::from_secs(2);
/// Between two lines of JSON.
const JSON_LINE: Duration = Duration::from_secs(1);
/// Columns of a line where there is no terminal to ask.
const PLAIN_COLUMNS: usize = 120;

/// How the demo runs.
#[derive(Clone, Debug)]
pub struct DemoOptions {
    /// Ends by itself after this time; `None` for Ctrl-C.
    pub for_: Option<Duration>,
    /// How fast: 1 is about seven messages a second. Kept between 0.1 and 50.
    pub speed: f64,
    /// Address to listen on; port 0 lets the system choose.
    pub listen: String,
    /// One line of JSON every second instead of text.
    pub json: bool,
    /// The language.
    pub lang: Lang,
    /// With colours.
    pub color: bool,
}

/// What can go wrong in the demo.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The service.
    #[error(transparent)]
    App(#[from] AppError),
    /// The temporary folder, or randomness for its name.
    #[error("cannot make a folder for the demo in the system's temporary folder: {0}")]
    Folder(io::Error),
    /// The built-in configuration.
    #[error("account {account} of the demo cannot be used: {problem}")]
    Setting {
        /// Which.
        account: String,
        /// Why.
        problem: String,
    },
    /// A thread.
    #[error("cannot start a thread: {0}")]
    Thread(io::Error),
    /// The service ended before it was told to.
    #[error("the service of the demo ended by itself")]
    Ended,
    /// The service did not answer as it should.
    #[error("the service of the demo did not answer: {0}")]
    Client(#[from] ClientError),
    /// The terminal or pipe.
    #[error("cannot write: {0}")]
    Output(#[from] io::Error),
    /// The check at the end failed.
    #[error("{0} acknowledged callbacks cannot be found; this is a fault of baophat")]
    Lost(u64),
}

/// Runs the demo until its time is over or somebody ends it.
///
/// # Errors
/// When something cannot be started or written, or when an acknowledged callback was lost.
pub fn run(options: DemoOptions) -> Result<(), DemoError> {
    let live = io::stdout().is_terminal() && !options.json;
    match perform(&options, live, &mut io::stdout()) {
        // Whoever reads has seen enough, as with `| head`.
        Err(DemoError::Output(e)) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

fn perform(options: &DemoOptions, live: bool, out: &mut dyn Write) -> Result<(), DemoError> {
    let speed = if options.speed.is_finite() { options.speed.clamp(SPEED.0, SPEED.1) } else { 1.0 };
    let folder = folder::Folder::make().map_err(DemoError::Folder)?;
    let key = format!("demo{}", folder::random_hex::<6>().map_err(DemoError::Folder)?);
    let config = setting::config(folder.path(), &options.listen, &key, speed, options.lang)?;
    let serving = Serving::start(config)?;
    let client = client::Client::new(serving.origin.clone(), key);
    let mut watch = Watch::new(client.clone(), options.lang);
    let seed = WallClock.now().0.unsigned_abs();
    let player = Player::start(&client, speed, seed).map_err(DemoError::Thread)?;
    let head = Head { origin: client.origin(), key: client.key(), lang: options.lang, color: options.color };
    let shown = show(options, live, &head, &mut watch, &serving, out);
    let tally = player.stop();
    shown?;
    let summary = Summary::take(&client, &tally, options.lang, watch.elapsed(), &serving.told)?;
    serving.stop()?;
    drop(folder);
    conclude(options, live, &summary, out)
}

/// Shows what happens until the time is over or somebody ends it.
fn show(
    options: &DemoOptions,
    live: bool,
    head: &Head<'_>,
    watch: &mut Watch,
    serving: &Serving,
    out: &mut dyn Write,
) -> Result<(), DemoError> {
    let mut shower = Shower::begin(options, live, head, out)?;
    let end = options.for_.and_then(|d| Instant::now().checked_add(d));
    let every = if live { LOOK_LIVE } else { LOOK_ELSE };
    loop {
        let next = Instant::now() + every;
        let picture = watch.look(WallClock.now())?;
        shower.show(&picture)?;
        let until = end.map_or(next, |end| end.min(next));
        match serving.told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) if end.is_none_or(|end| Instant::now() < end) => {}
            _ => return Ok(()),
        }
    }
}

/// Where pictures go.
enum Shower<'a> {
    Live(Screen<'a>, Head<'a>),
    Text { out: &'a mut dyn Write, look: Look, next: Duration },
    Json { out: &'a mut dyn Write, next: Duration },
}

impl<'a> Shower<'a> {
    fn begin(options: &DemoOptions, live: bool, head: &Head<'a>, out: &'a mut dyn Write) -> io::Result<Shower<'a>> {
        if live {
            return Ok(Shower::Live(Screen::open(out)?, *head));
        }
        if options.json {
            let start = serde_json::json!({ "type": "start", "url": head.origin, "api_key": head.key });
            writeln!(out, "{start}")?;
            return Ok(Shower::Json { out, next: JSON_LINE });
        }
        let look = Look { width: PLAIN_COLUMNS, lang: options.lang, color: options.color };
        for line in frame::header(&look, head.origin, head.key, true) {
            writeln!(out, "{line}")?;
        }
        writeln!(out)?;
        Ok(Shower::Text { out, look, next: BLOCK })
    }

    fn show(&mut self, picture: &Picture) -> io::Result<()> {
        match self {
            Shower::Live(screen, head) => screen.show(picture, head),
            Shower::Text { out, look, next } if picture.elapsed >= *next => {
                *next = picture.elapsed + BLOCK;
                plain::block(look, picture).iter().try_for_each(|line| writeln!(out, "{line}"))?;
                out.flush()
            }
            Shower::Json { out, next } if picture.elapsed >= *next => {
                *next += JSON_LINE;
                writeln!(out, "{}", plain::status(picture))?;
                out.flush()
            }
            Shower::Text { .. } | Shower::Json { .. } => Ok(()),
        }
    }
}

/// The last words.
fn conclude(options: &DemoOptions, live: bool, summary: &Summary, out: &mut dyn Write) -> Result<(), DemoError> {
    if options.json {
        writeln!(out, "{}", summary.json())?;
    } else {
        let width = if live { screen::size().0 } else { PLAIN_COLUMNS };
        let look = Look { width, lang: options.lang, color: options.color };
        summary.lines(&look).iter().try_for_each(|line| writeln!(out, "{line}"))?;
        writeln!(out, "{}", words::words(options.lang).gone)?;
    }
    out.flush()?;
    match summary.check().lost() {
        0 => Ok(()),
        lost => Err(DemoError::Lost(lost)),
    }
}
