//! Reports for a provider's support: as Markdown, or as JSON where that is asked for.

use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, VARY};
use actix_web::{HttpRequest, HttpResponse, get, web};
use utoipa::IntoParams;

use super::App;
use super::accounts::{no_such_incident, number};
use super::failures::AskedOne;
use super::messages::{lang, no_such_message, parse_id};
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::present::{Report, ReportFormat, ReportWish, schema};

/// The parameters of every report.
pub(super) const PARAMS: &[&str] = &["format", "full"];

/// How the report is to be written.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct ReportParams {
    /// How it is written; without it, JSON where `Accept` asks for JSON, else Markdown.
    #[param(inline, example = "md")]
    format: Option<schema::ReportFormat>,
    /// With the recipient's whole number or id, which is masked otherwise.
    #[param(inline)]
    full: Option<schema::Flag>,
}

/// The format that a request asks for.
pub(super) fn format(request: &HttpRequest, params: &Params) -> Result<ReportFormat, Problem> {
    let accept = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let asked = params.one_of("format", ReportFormat::ALL, ReportFormat::as_str)?;
    Ok(asked.unwrap_or(if accept.contains("application/json") { ReportFormat::Json } else { ReportFormat::Md }))
}

/// The report in a format.
pub(super) fn written(report: &Report, format: ReportFormat) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((CACHE_CONTROL, "no-store")).insert_header((VARY, "accept, accept-language"));
    match format {
        ReportFormat::Json => response.json(report),
        ReportFormat::Md => response.insert_header((CONTENT_TYPE, "text/markdown; charset=utf-8")).body(report.markdown()),
    }
}

/// What a provider's support needs to know of one message.
///
/// State and times, the failure or why it is stuck, the timeline, the raw callbacks and answers, the account, how many others fail alike, what
/// was already checked and what to ask. Secrets and customers' words are left out, people's numbers are masked.
#[utoipa::path(
    tag = "messages",
    operation_id = "getReport",
    params(("id" = inline(schema::MessageId), Path, description = "Our id of the message"), ReportParams, LangParam),
    responses(
        (
            status = 200,
            description = "The report",
            content((Report = "application/json"), (String = "text/markdown", example = json!("# Message report for the provider's support\n"))),
        ),
        AskedOne
    ),
    security(("key" = []))
)]
#[get("/messages/{id}/report")]
pub async fn of_message(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let params = Params::read(request.query_string(), PARAMS)?;
    let lang = lang(&request, &params, &app)?;
    let format = format(&request, &params)?;
    let wish = ReportWish { now: app.clock.now(), full: params.flag("full")? };
    let id = parse_id(&id)?;
    let report = app.readers.ask(lang, move |reader| {
        let found = if reader.knows(id)? { reader.report(id.row, wish)? } else { None };
        found.ok_or_else(no_such_message)
    });
    Ok(written(&report.await?, format))
}

/// What a provider's support needs to know of an incident: its size and some of its messages in full.
#[utoipa::path(
    tag = "accounts",
    operation_id = "getIncidentReport",
    params(("id" = inline(schema::IncidentNumber), Path, description = "Its number"), ReportParams, LangParam),
    responses(
        (
            status = 200,
            description = "The report",
            content((Report = "application/json"), (String = "text/markdown", example = json!("# Incident report for the provider's support\n"))),
        ),
        AskedOne
    ),
    security(("key" = []))
)]
#[get("/incidents/{id}/report")]
pub async fn of_incident(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let params = Params::read(request.query_string(), PARAMS)?;
    let lang = lang(&request, &params, &app)?;
    let format = format(&request, &params)?;
    let wish = ReportWish { now: app.clock.now(), full: params.flag("full")? };
    let id = number("id", &id).map_err(|_| no_such_incident())?;
    let report = app.readers.ask(lang, move |reader| reader.report_of_incident(id, wish)?.ok_or_else(no_such_incident));
    Ok(written(&report.await?, format))
}
