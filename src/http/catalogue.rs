//! The failure catalogue over HTTP.

use actix_web::{HttpRequest, get, web};

use super::App;
use super::messages::lang;
use super::params::Params;
use super::problem::Problem;
use crate::present::{EntryList, EntryView};
use crate::providers::catalogue::catalogue;
use crate::providers::{PROVIDERS, find};

/// The failure catalogue.
#[utoipa::path(
    tag = "catalogue",
    params(
        ("q" = Option<String>, Query, description = "A word in code, title, cause or remedy"),
        ("provider" = Option<String>, Query, description = "`zalo`, `facebook` or `esms`"),
        ("family" = Option<String>, Query, description = "`oa`, `oauth`, `zns`, `graph`, `esms` or `error_info`"),
        ("lang" = Option<String>, Query, description = "Language of texts: `vi` or `en`"),
    ),
    responses(
        (status = 200, body = EntryList),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
    ),
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
    params(
        ("provider" = String, Path, description = "`zalo`, `facebook` or `esms`", example = "zalo"),
        ("code" = String, Path, description = "The code; Facebook also `code.subcode`; Zalo also without its sign", example = "-230"),
        ("family" = Option<String>, Query, description = "Only this family"),
        ("lang" = Option<String>, Query, description = "Language of texts: `vi` or `en`"),
    ),
    responses(
        (status = 200, body = EntryList),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
    ),
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
