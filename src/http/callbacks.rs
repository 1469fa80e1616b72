//! The stored callbacks: list, look at, process again.

use std::time::Duration;

use actix_web::{HttpRequest, get, post, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::failures::{Asked, AskedOne};
use super::messages::lang;
use super::params::{LangParam, PageParams, Params, SpanParams};
use super::problem::Problem;
use crate::domain::ids::Seq;
use crate::domain::record::Status;
use crate::ingest::ReprocessWhat;
use crate::present::{CallbackDetail, CallbackPage, cursor, schema};
use crate::store::sqlite::query::CallbackFilter;

/// How long a request waits for its callbacks to be processed again before it answers that the work goes on.
const REPROCESS_SECONDS_MAX: u64 = 20;

/// How many callbacks were processed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "reprocessed": 3 }))]
pub struct Reprocessed {
    /// How many.
    pub reprocessed: usize,
}

/// Which callbacks.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct CallbackParams {
    /// What became of it.
    #[param(inline, example = "error")]
    status: Option<schema::CallbackStatus>,
    /// Account slug.
    #[param(inline)]
    account: Option<schema::Account>,
}

/// The statuses from which callbacks can be processed again.
const AGAIN: [Status; 3] = [Status::Error, Status::Ignored, Status::Processed];

/// The schema of [`AGAIN`].
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
#[allow(dead_code, reason = "it documents what Params reads")]
pub enum Again {
    /// Signed and unreadable.
    Error,
    /// Valid, and nothing for us.
    Ignored,
    /// It stated a fact.
    Processed,
}

/// The stored callbacks, newest first.
#[utoipa::path(
    tag = "callbacks",
    operation_id = "listCallbacks",
    params(CallbackParams, SpanParams, PageParams, LangParam),
    responses((status = 200, body = CallbackPage, description = "One page"), Asked),
    security(("key" = []))
)]
#[get("/callbacks")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<CallbackPage>, Problem> {
    let params = Params::read(request.query_string(), &["status", "account", "since", "until", "limit", "cursor"])?;
    let lang = lang(&request, &params, &app)?;
    let (since, until) = params.span()?;
    let filter = CallbackFilter {
        status: params.one_of("status", &Status::ALL, Status::as_str)?,
        account: params.account("account")?,
        since,
        until,
    };
    let (after, limit) = (params.cursor()?, params.limit()?);
    let page = app.readers.ask(lang, move |reader| {
        let (data, next) = reader.callbacks(&filter, after, limit)?;
        Ok(CallbackPage { data, next_cursor: next.map(cursor::encode) })
    });
    Ok(web::Json(page.await?))
}

fn parse_seq(text: &str) -> Result<Seq, Problem> {
    let seq = text.parse().ok().filter(|n: &u64| (1..=i64::MAX as u64).contains(n));
    seq.ok_or_else(no_such_callback)
}

fn no_such_callback() -> Problem {
    Problem::not_found(
        "there is no stored callback with this number; numbers are given by GET /v1/callbacks, and retention may have taken it",
    )
}

/// One stored callback with its raw bytes.
#[utoipa::path(
    tag = "callbacks",
    operation_id = "getCallback",
    params(("seq" = inline(schema::CallbackSeq), Path, description = "Its number", example = 1), LangParam),
    responses((status = 200, body = CallbackDetail, description = "The callback"), AskedOne),
    security(("key" = []))
)]
#[get("/callbacks/{seq:-?[0-9]+}")]
pub async fn get(request: HttpRequest, seq: web::Path<String>, app: web::Data<App>) -> Result<web::Json<CallbackDetail>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let seq = parse_seq(&seq)?;
    app.readers.ask(lang, move |reader| reader.callback(seq)?.ok_or_else(no_such_callback)).await.map(web::Json)
}

/// Processes one stored callback again.
#[utoipa::path(
    tag = "callbacks",
    operation_id = "reprocessCallback",
    params(("seq" = inline(schema::CallbackSeq), Path, description = "Its number", example = 1), LangParam),
    responses((status = 200, body = CallbackDetail, description = "The callback as it stands now"), AskedOne),
    security(("key" = []))
)]
#[post("/callbacks/{seq}/reprocess")]
pub async fn reprocess(request: HttpRequest, seq: web::Path<String>, app: web::Data<App>) -> Result<web::Json<CallbackDetail>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let seq = parse_seq(&seq)?;
    app.readers.ask(lang, move |reader| reader.callback(seq)?.map(drop).ok_or_else(no_such_callback)).await?;
    wait(&app, ReprocessWhat::One(seq)).await?;
    app.readers.ask(lang, move |reader| reader.callback(seq)?.ok_or_else(no_such_callback)).await.map(web::Json)
}

/// Processes every callback with a status again.
#[utoipa::path(
    tag = "callbacks",
    operation_id = "reprocessCallbacks",
    params(("status" = inline(Again), Query, description = "Which callbacks", example = "error"), LangParam),
    responses((status = 200, body = Reprocessed, description = "They were processed again"), Asked),
    security(("key" = []))
)]
#[post("/callbacks/reprocess")]
pub async fn reprocess_all(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<Reprocessed>, Problem> {
    let params = Params::read(request.query_string(), &["status"])?;
    lang(&request, &params, &app)?;
    let Some(status) = params.one_of("status", &AGAIN, Status::as_str)? else {
        return Err(Problem::invalid("status", "say which: error, ignored or processed"));
    };
    let reprocessed = wait(&app, ReprocessWhat::All(status)).await?;
    Ok(web::Json(Reprocessed { reprocessed }))
}

async fn wait(app: &App, what: ReprocessWhat) -> Result<usize, Problem> {
    let done = app.projector.reprocess(what);
    match tokio::time::timeout(Duration::from_secs(REPROCESS_SECONDS_MAX), done).await {
        Ok(Ok(n)) => Ok(n),
        Ok(Err(_)) => Err(Problem::unavailable("the program is stopping; ask again after its start")),
        Err(_) => Err(Problem::unavailable("it goes on in the background; look at GET /v1/callbacks?status=error")),
    }
}
