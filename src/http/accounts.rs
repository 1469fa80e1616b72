//! Asking how accounts stand, and for incidents.

use actix_web::{HttpRequest, get, web};

use super::App;
use super::failures::{Asked, AskedOne, Told};
use super::messages::lang;
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::domain::ids::AccountId;
use crate::domain::watch::IncidentId;
use crate::present::{AccountList, AccountView, IncidentFilter, IncidentPage, IncidentView, schema};

/// Health of every configured account.
#[utoipa::path(
    tag = "accounts",
    operation_id = "listAccounts",
    params(LangParam),
    responses((status = 200, body = AccountList, description = "The accounts, by id"), Told),
    security(("key" = []))
)]
#[get("/accounts")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<AccountList>, Problem> {
    let lang = lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    let now = app.clock.now();
    let data = app.readers.ask(lang, move |reader| Ok(reader.accounts(now)?)).await?;
    Ok(web::Json(AccountList { data }))
}

/// Health of one account.
#[utoipa::path(
    tag = "accounts",
    operation_id = "getAccount",
    params(("id" = inline(schema::Account), Path, description = "Account slug"), LangParam),
    responses((status = 200, body = AccountView, description = "The account"), AskedOne),
    security(("key" = []))
)]
#[get("/accounts/{id}")]
pub async fn get(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<web::Json<AccountView>, Problem> {
    let lang = lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    let now = app.clock.now();
    let unknown = || Problem::not_found("there is no such account in the configuration; GET /v1/accounts lists those there are");
    let id = AccountId::parse(&id).map_err(|_| unknown())?;
    let found = app.readers.ask(lang, move |reader| Ok(reader.account(&id, now)?)).await?;
    found.map(web::Json).ok_or_else(unknown)
}

pub(super) fn number(name: &'static str, text: &str) -> Result<IncidentId, Problem> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| Problem::invalid(name, "the number of an incident, as in `id`"))
}

pub(super) fn no_such_incident() -> Problem {
    Problem::not_found("there is no incident with this number; GET /v1/incidents lists those that are kept")
}

/// Incidents, newest first.
#[utoipa::path(
    tag = "accounts",
    operation_id = "listIncidents",
    params(
        ("state" = inline(Option<schema::IncidentState>), Query, description = "Only open ones, or only closed ones"),
        ("account" = inline(Option<schema::Account>), Query, description = "Account slug"),
        ("before" = inline(Option<schema::IncidentNumber>), Query, description = "`next_before` of the page before"),
        ("limit" = inline(Option<schema::Limit>), Query, description = "Page length"),
        LangParam
    ),
    responses((status = 200, body = IncidentPage, description = "One page"), Asked),
    security(("key" = []))
)]
#[get("/incidents")]
pub async fn incidents(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<IncidentPage>, Problem> {
    let params = Params::read(request.query_string(), &["state", "account", "before", "limit"])?;
    let lang = lang(&request, &params, &app)?;
    let filter = IncidentFilter {
        open: params.one_of("state", &["open", "closed"], |s| s)?.map(|s| s == "open"),
        account: params.account("account")?,
        before: params.text("before")?.map(|text| number("before", text)).transpose()?,
    };
    let limit = params.limit()?;
    let page = app.readers.ask(lang, move |reader| Ok(reader.incidents(&filter, limit)?));
    Ok(web::Json(page.await?))
}

/// One incident.
#[utoipa::path(
    tag = "accounts",
    operation_id = "getIncident",
    params(("id" = inline(schema::IncidentNumber), Path, description = "Its number"), LangParam),
    responses((status = 200, body = IncidentView, description = "The incident"), AskedOne),
    security(("key" = []))
)]
#[get("/incidents/{id}")]
pub async fn incident(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<web::Json<IncidentView>, Problem> {
    let lang = lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    let id = number("id", &id).map_err(|_| no_such_incident())?;
    let found = app.readers.ask(lang, move |reader| Ok(reader.incident(id)?)).await?;
    found.map(web::Json).ok_or_else(no_such_incident)
}
