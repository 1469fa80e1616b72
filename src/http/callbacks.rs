//! The stored callbacks: list, look at, process again.

use std::time::Duration;

use actix_web::{HttpRequest, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::messages::lang;
use super::params::Params;
use super::problem::Problem;
use crate::domain::ids::Seq;
use crate::domain::record::Status;
use crate::ingest::ReprocessWhat;
use crate::present::{CallbackDetail, CallbackPage, cursor};
use crate::store::sqlite::query::CallbackFilter;

/// How long a request waits for its callbacks to be processed again before it answers that the work goes on.
const REPROCESS_SECONDS_MAX: u64 = 20;

/// How many callbacks were processed again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Reprocessed {
    /// How many.
    pub reprocessed: usize,
}

/// The stored callbacks, newest first.
#[utoipa::path(
    tag = "callbacks",
    params(
        ("status" = Option<String>, Query, description = "`received`, `processed`, `error` or `ignored`", example = "error"),
        ("account" = Option<String>, Query, description = "Account slug"),
        ("since" = Option<String>, Query, description = "Arrived from then on (RFC 3339, inclusive)"),
        ("until" = Option<String>, Query, description = "Arrived before then (RFC 3339, exclusive)"),
        ("limit" = Option<String>, Query, description = "1 to 500, default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
    ),
    responses(
        (status = 200, body = CallbackPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
#[get("/callbacks")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<CallbackPage>, Problem> {
    let params = Params::read(request.query_string(), &["status", "account", "since", "until", "limit", "cursor"])?;
    let lang = lang(&request, &params, &app)?;
    let filter = CallbackFilter {
        status: params.one_of("status", &Status::ALL, Status::as_str)?,
        account: params.account("account")?,
        since: params.time("since")?,
        until: params.time("until")?,
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
    params(("seq" = String, Path, description = "Its number")),
    responses(
        (status = 200, body = CallbackDetail),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
#[get("/callbacks/{seq}")]
pub async fn get(request: HttpRequest, seq: web::Path<String>, app: web::Data<App>) -> Result<web::Json<CallbackDetail>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let seq = parse_seq(&seq)?;
    app.readers.ask(lang, move |reader| reader.callback(seq)?.ok_or_else(no_such_callback)).await.map(web::Json)
}

/// Processes one stored callback again.
#[utoipa::path(
    tag = "callbacks",
    params(("seq" = String, Path, description = "Its number")),
    responses(
        (status = 200, body = CallbackDetail),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
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
    params(("status" = String, Query, description = "`error`, `ignored` or `processed`", example = "error")),
    responses(
        (status = 200, body = Reprocessed),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
    security(("key" = []))
)]
#[post("/callbacks/reprocess")]
pub async fn reprocess_all(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<Reprocessed>, Problem> {
    let params = Params::read(request.query_string(), &["status"])?;
    lang(&request, &params, &app)?;
    let all = [Status::Error, Status::Ignored, Status::Processed];
    let Some(status) = params.one_of("status", &all, Status::as_str)? else {
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
