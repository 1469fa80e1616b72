//! Asking for message templates: where they stand with the provider and how their messages fare.

use actix_web::{HttpRequest, get, web};

use super::App;
use super::failures::{Asked, AskedOne};
use super::messages::lang;
use super::params::{LangParam, PageParams, Params};
use super::problem::Problem;
use crate::domain::event::TemplateStatus;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::present::{TemplateFilter, TemplatePage, TemplateView, cursor, schema};
use crate::store::sqlite::query::Spot;

/// Templates, those that need somebody first.
#[utoipa::path(
    tag = "accounts",
    operation_id = "listTemplates",
    params(
        ("account" = inline(Option<schema::Account>), Query, description = "Account slug"),
        ("status" = inline(Option<schema::TemplateStatus>), Query, description = "Where it stands", example = "rejected"),
        PageParams,
        LangParam,
    ),
    responses((status = 200, body = TemplatePage, description = "One page"), Asked),
    security(("key" = []))
)]
#[get("/templates")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<TemplatePage>, Problem> {
    let params = Params::read(request.query_string(), &["account", "status", "limit", "cursor"])?;
    let lang = lang(&request, &params, &app)?;
    let status = params.one_of("status", TemplateStatus::ALL, TemplateStatus::as_str)?;
    let filter = TemplateFilter { account: params.account("account")?, status };
    let (after, limit) = (params.cursor()?, params.limit()?);
    let skip = after.map_or(0, |spot| usize::try_from(spot.n).unwrap_or(usize::MAX));
    let page = app.readers.ask(lang, move |reader| {
        let (data, total) = reader.templates(&filter, skip, limit)?;
        // The list has no times to go by: a place in it is how many come before.
        let seen = skip.saturating_add(data.len());
        let next_cursor = (seen < total).then(|| cursor::encode(Spot { at: Millis(0), n: seen as u64 }));
        Ok(TemplatePage { total: total as u64, data, next_cursor })
    });
    Ok(web::Json(page.await?))
}

/// One template with everything told of it.
#[utoipa::path(
    tag = "accounts",
    operation_id = "getTemplate",
    params(
        ("account" = inline(schema::Account), Path, description = "Account slug"),
        ("template_id" = inline(schema::QueryText), Path, description = "The provider's id of the template", example = "7895417"),
        LangParam,
    ),
    responses((status = 200, body = TemplateView, description = "The template"), AskedOne),
    security(("key" = []))
)]
#[get("/templates/{account}/{template_id}")]
pub async fn get(request: HttpRequest, path: web::Path<(String, String)>, app: web::Data<App>) -> Result<web::Json<TemplateView>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let (account, template_id) = path.into_inner();
    let account = AccountId::parse(&account).map_err(|_| no_such_template())?;
    app.readers.ask(lang, move |reader| reader.template(&account, &template_id)?.ok_or_else(no_such_template)).await.map(web::Json)
}

fn no_such_template() -> Problem {
    Problem::not_found("nothing is known of such a template; GET /v1/templates lists those that the provider or a message has named")
}
