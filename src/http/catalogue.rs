//! The failure catalogue over HTTP.

use actix_web::{HttpRequest, get, web};
use utoipa::IntoParams;

use super::App;
use super::failures::{Told, ToldOne};
use super::messages::lang;
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::present::{EntryList, EntryView, schema};
use crate::providers::catalogue::catalogue;
use crate::providers::{PROVIDERS, find};

/// Which entries.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct EntryParams {
    /// A word in code, title, cause or remedy.
    #[param(inline, example = "token")]
    q: Option<schema::QueryText>,
    /// Provider slug.
    #[param(inline)]
    provider: Option<schema::Provider>,
    /// Family of codes.
    #[param(inline)]
    family: Option<schema::Family>,
}

/// The failure catalogue.
#[utoipa::path(
    tag = "catalogue",
    operation_id = "listErrors",
    params(EntryParams, LangParam),
    responses((status = 200, body = EntryList, description = "The entries, in the order of the catalogue"), Told),
    security(("key" = []))
)]
#[get("/errors")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<EntryList>, Problem> {
    let params = Params::read(request.query_string(), &["q", "provider", "family"])?;
    let lang = lang(&request, &params, &app)?;
    let family = family(&params)?;
    let provider = params.one_of("provider", PROVIDERS, |p| p.slug)?;
    let word = params.text("q")?;
    let data = catalogue()
        .entries()
        .filter(|f| family.is_none_or(|wanted| f.family == wanted) && provider.is_none_or(|p| f.provider == p.slug))
        .map(|f| EntryView::new(f, lang))
        .filter(|e| word.is_none_or(|w| e.mentions(w)))
        .collect();
    Ok(web::Json(EntryList { data }))
}

/// What one code means, in every family that has it.
#[utoipa::path(
    tag = "catalogue",
    operation_id = "getError",
    params(
        ("provider" = inline(schema::Provider), Path, description = "Provider slug"),
        ("code" = inline(schema::QueryText), Path, description = "The code, also without its sign, or `code.subcode`", example = "-230"),
        ("family" = inline(Option<schema::Family>), Query, description = "Only this family"),
        LangParam,
    ),
    responses((status = 200, body = EntryList, description = "The entries of every family that has the code"), ToldOne),
    security(("key" = []))
)]
#[get("/errors/{provider}/{code}")]
pub async fn get(request: HttpRequest, path: web::Path<(String, String)>, app: web::Data<App>) -> Result<web::Json<EntryList>, Problem> {
    let params = Params::read(request.query_string(), &["family"])?;
    let lang = lang(&request, &params, &app)?;
    let family = family(&params)?;
    let (provider, code) = path.into_inner();
    let known: Vec<&str> = PROVIDERS.iter().map(|p| p.slug).collect();
    let Some(spec) = find(&provider) else {
        return Err(Problem::not_found(format!("there is no such provider; known: {}", known.join(", "))));
    };
    let found = catalogue().search(spec.slug, &code);
    let data: Vec<EntryView> =
        found.into_iter().filter(|f| family.is_none_or(|w| f.family == w)).map(|f| EntryView::new(f, lang)).collect();
    if data.is_empty() {
        return Err(Problem::not_found(format!(
            "the catalogue of {} has no such code; search it with GET /v1/errors?q=, read the provider's own text in the message's `failure.text`, \
             and ask the provider's support with the message id",
            spec.title
        )));
    }
    Ok(web::Json(EntryList { data }))
}

fn family(params: &Params) -> Result<Option<&'static str>, Problem> {
    let all: Vec<&'static str> = PROVIDERS.iter().flat_map(|p| p.families).map(|f| f.slug).collect();
    params.one_of("family", &all, |f| f)
}
