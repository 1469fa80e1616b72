//! `GET /v1/stream`: the feed as server-sent events, from a place on and without an end.
//!
//! A stream is pulled: the next piece is read from the store when the last one has gone out, so a slow reader costs no memory, and one who
//! does not read at all is ended as on any line ([`super::line`]). While nothing happens a comment keeps the line alive, and an id says
//! how far was read. It must not know who writes the feed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::{HttpRequest, HttpResponse, get, web};
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until};
use utoipa::IntoParams;

use super::App;
use super::failures::Asked;
use super::messages::lang;
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::domain::failure::Lang;
use crate::domain::feed::{FeedId, NAMES};
use crate::domain::ids::AccountId;
use crate::present::{Reader, schema};
use crate::store::StoreError;

/// Streams that are served at once; one more is answered 503.
pub const STREAMS_MAX: usize = 64;

/// Entries read at once.
const PIECE_ENTRIES_MAX: usize = 100;

/// After so long without a word a comment keeps the line alive; shorter than a line may stand still.
const BEAT: Duration = Duration::from_secs(15);

/// What clients wait before they come back, in milliseconds.
const RETRY_MS: u64 = 3_000;

/// The room for streams, and the word that ends them.
#[derive(Debug)]
pub struct Streams {
    room: Arc<Semaphore>,
    closing: watch::Sender<bool>,
}

impl Default for Streams {
    fn default() -> Streams {
        Streams { room: Arc::new(Semaphore::new(STREAMS_MAX)), closing: watch::Sender::new(false) }
    }
}

impl Streams {
    /// Ends every stream: the process stops.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }
}

/// Which entries.
#[derive(Clone, Debug, Default)]
struct Filter {
    account: Option<AccountId>,
    types: Vec<&'static str>,
}

/// Which entries, and from where on.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct StreamParams {
    /// Account slug.
    #[param(inline)]
    account: Option<schema::Account>,
    /// Only these types, with commas between them.
    #[param(inline, rename = "type", example = "message.failed,message.stuck")]
    types: Option<schema::QueryText>,
    /// Only entries behind this id; the header `Last-Event-ID` goes before it. Without both, what happens from now on.
    #[param(inline, example = 41)]
    after: Option<schema::FeedPlace>,
}

/// Everything that happens, as it happens: server-sent events.
///
/// Each event has an `id`, its type as `event`, and as `data` a JSON document of the schema `Happening`. `Last-Event-ID` goes on where an earlier
/// stream ended. Where that place is no longer kept, or never was, an event `reset` comes first: what lies between must be asked for
/// with GET /v1/messages. At the beginning, and every 15 seconds while nothing is told, comes a block without `data`: it is no event, and its
/// `id` says how far was read, so that a client that comes back goes on from there.
#[utoipa::path(
    tag = "messages",
    operation_id = "stream",
    params(
        StreamParams,
        ("Last-Event-ID" = inline(Option<schema::FeedPlace>), Header, description = "`id` of the last event that came"),
        LangParam,
    ),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "The events, without end",
            example = "id: 42\nevent: message.delivered\ndata: {\"type\":\"message.delivered\"}\n\n"),
        Asked
    ),
    security(("key" = []))
)]
#[get("/stream")]
pub async fn open(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let params = Params::read(request.query_string(), &["account", "type", "after"])?;
    let lang = lang(&request, &params, &app)?;
    let filter = Filter { account: params.account("account")?, types: types(&params)? };
    let place = asked_place(&request, &params)?;
    let taken = Place::take(&app)?;
    // Subscribed before the place is looked up, so that nothing falls between.
    let (fed, closing) = (app.projector.fed(), app.streams.closing.subscribe());
    let (after, first) = app.readers.ask(lang, move |reader| Ok(begin(reader, place)?)).await?;
    let told = Told { app, lang, filter, after, first: Some(first), fed, closing, quiet_since: Instant::now(), _place: taken };
    Ok(HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((HeaderName::from_static("x-accel-buffering"), "no"))
        .content_type("text/event-stream")
        .streaming(pieces(told)))
}

fn types(params: &Params) -> Result<Vec<&'static str>, Problem> {
    let Some(text) = params.text("type")? else { return Ok(Vec::new()) };
    let known = |word: &str| NAMES.iter().copied().find(|name| *name == word.trim());
    let all: Option<Vec<&'static str>> = text.split(',').map(known).collect();
    all.ok_or_else(|| Problem::invalid("type", format!("not among {}", NAMES.join(", "))))
}

/// Where the client wants to go on: what its browser remembers goes before what it once asked for.
fn asked_place(request: &HttpRequest, params: &Params) -> Result<Option<FeedId>, Problem> {
    let header = request.headers().get("last-event-id").map(|v| v.to_str().unwrap_or_default());
    let (at, text) = match header {
        Some(text) => ("Last-Event-ID", Some(text)),
        None => ("after", params.text("after")?),
    };
    let number = |t: &str| t.parse().ok().filter(|n| i64::try_from(*n).is_ok());
    text.map(|t| number(t).ok_or_else(|| Problem::invalid(at, "the id of an event of this stream: a whole number"))).transpose()
}

/// Where to begin, and the first words.
fn begin(reader: &Reader<'_>, asked: Option<FeedId>) -> Result<(FeedId, Bytes), StoreError> {
    let last = reader.state.feed_last()?;
    let hello = |after: FeedId| format!("retry: {RETRY_MS}\n{}", mark(after));
    let Some(asked) = asked else { return Ok((last, hello(last).into())) };
    let next = reader.state.feed_after(asked, 1)?.first().map(|(id, _)| *id);
    let (after, reason) = match next {
        // Read after `last`: it may have come in between.
        Some(id) if id == asked + 1 => return Ok((asked, hello(asked).into())),
        Some(id) => (id - 1, "pruned"),
        None if asked == last => return Ok((asked, hello(asked).into())),
        None if asked > last => (last, "unknown"),
        None => (last, "pruned"),
    };
    // No mark before it: who is cut off in between has not been told, and must be told when it comes back.
    let reset = format!("retry: {RETRY_MS}\nid: {after}\nevent: reset\ndata: {{\"type\":\"reset\",\"reason\":\"{reason}\"}}\n\n");
    Ok((after, reset.into()))
}

/// How far was read. A block with an id and without data is no event, but a client remembers its id: what it has not heard of by then is not
/// lost when it comes back, and what was looked at in vain is not looked at again.
fn mark(after: FeedId) -> String {
    format!("id: {after}\n\n")
}

/// What keeps the line alive: a comment, and how far was read.
fn beat_of(after: FeedId) -> String {
    format!(":\n{}", mark(after))
}

/// One stream.
struct Told {
    app: web::Data<App>,
    lang: Lang,
    filter: Filter,
    after: FeedId,
    first: Option<Bytes>,
    fed: watch::Receiver<u64>,
    closing: watch::Receiver<bool>,
    quiet_since: Instant,
    _place: Place,
}

/// A place among the streams; given back when the stream ends.
struct Place {
    app: web::Data<App>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    fn take(app: &web::Data<App>) -> Result<Place, Problem> {
        let permit = app.streams.room.clone().try_acquire_owned();
        let permit = permit.map_err(|_| Problem::unavailable(format!("{STREAMS_MAX} streams are open, and there is room for no more")))?;
        app.metrics.watched.streams.inc();
        Ok(Place { app: app.clone(), _permit: permit })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.app.metrics.watched.streams.dec();
    }
}

/// What was read of the feed at once.
struct Piece {
    text: String,
    after: FeedId,
    /// There may be more.
    more: bool,
}

/// The pieces of a stream, until it is closed or the store cannot be read.
fn pieces(told: Told) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
    futures_util::stream::unfold(told, |mut told| async move {
        let piece = told.next().await?;
        told.quiet_since = Instant::now();
        Some((Ok(piece), told))
    })
}

impl Told {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            if *self.closing.borrow_and_update() {
                return None;
            }
            self.fed.mark_unchanged();
            let (after, filter) = (self.after, self.filter.clone());
            // The client comes back by itself, to the place where it is, when the store cannot be read.
            let piece = self.app.readers.ask(self.lang, move |reader| Ok(read(reader, after, &filter)?)).await.ok()?;
            self.after = piece.after;
            if !piece.text.is_empty() {
                return Some(piece.text.into());
            }
            let beat_at = self.quiet_since + BEAT;
            if piece.more && Instant::now() < beat_at {
                continue;
            }
            tokio::select! {
                fed = self.fed.changed() => fed.ok()?,
                closing = self.closing.changed() => closing.ok()?,
                () = sleep_until(beat_at) => return Some(beat_of(self.after).into()),
            }
        }
    }
}

/// Reads on from a place.
fn read(reader: &Reader<'_>, after: FeedId, filter: &Filter) -> Result<Piece, StoreError> {
    let mut entries = reader.state.feed_after(after, PIECE_ENTRIES_MAX)?;
    let more = entries.len() >= PIECE_ENTRIES_MAX;
    entries.truncate(PIECE_ENTRIES_MAX);
    let mut piece = Piece { text: String::new(), after, more };
    for (id, entry) in entries {
        piece.after = id;
        let name = entry.what.name();
        let wanted =
            filter.account.as_ref().is_none_or(|a| *a == entry.account) && (filter.types.is_empty() || filter.types.contains(&name));
        if wanted {
            // JSON on one line has no line break that would end the data early. Writing into a String cannot fail.
            let data = serde_json::to_string(&reader.happening(&entry)?).unwrap_or_default();
            let _ = write!(piece.text, "id: {id}\nevent: {name}\ndata: {data}\n\n");
        }
    }
    Ok(piece)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_says_how_far_was_read_and_is_no_event() {
        let beat = beat_of(41);
        assert_eq!(beat, ":\nid: 41\n\n");
        assert!(!beat.lines().any(|l| l.starts_with("data") || l.starts_with("event")));
    }
}
