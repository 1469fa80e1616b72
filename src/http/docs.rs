//! The OpenAPI document, generated from the handlers, and a page for it that works offline.

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpResponse, get, web};
use utoipa::openapi::RefOr;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

use super::{callbacks, catalogue, messages, probes, refused, register};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "baophat",
        description = "What happened to every message a Vietnamese business sends. Times are RFC 3339, UTC, with milliseconds; ids, codes and phone numbers are texts; errors are RFC 9457 problem documents with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/")),
    tags(
        (name = "messages", description = "What was sent and what became of it"),
        (name = "callbacks", description = "What the providers told, as it came"),
        (name = "catalogue", description = "What every failure code means and what to do"),
        (name = "operations", description = "Health and metrics"),
    ),
    modifiers(&Finish),
)]
struct Document;

/// What the macros cannot say: the base path and the key.
struct Finish;

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("One of the configured api_keys")).build();
        openapi.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

#[derive(OpenApi)]
#[openapi(paths(
    messages::list,
    register::register,
    messages::get,
    register::response,
    register::mark_failed,
    messages::stuck,
    callbacks::list,
    callbacks::get,
    callbacks::reprocess,
    callbacks::reprocess_all,
    catalogue::list,
    catalogue::get,
    refused::list,
))]
struct V1;

#[derive(OpenApi)]
#[openapi(paths(probes::livez, probes::readyz, probes::metrics))]
struct Root;

/// The OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut api = Document::openapi().nest("/v1", V1::openapi()).merge_from(Root::openapi());
    describe_responses(&mut api);
    api
}

/// OpenAPI 3.1 wants a description of every response; where a handler gives none, the status in words is one.
fn describe_responses(api: &mut utoipa::openapi::OpenApi) {
    for path in api.paths.paths.values_mut() {
        let operations = [path.get.as_mut(), path.post.as_mut()];
        for (status, response) in operations.into_iter().flatten().flat_map(|o| o.responses.responses.iter_mut()) {
            if let RefOr::T(response) = response
                && response.description.is_empty()
            {
                let words = status.parse().ok().and_then(|s| StatusCode::from_u16(s).ok()?.canonical_reason());
                response.description = words.unwrap_or("An answer").to_owned();
            }
        }
    }
}

/// The OpenAPI document.
#[get("/openapi.json")]
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(openapi())
}

/// The page; everything it needs is in the binary.
pub fn page(config: &mut web::ServiceConfig) {
    let policy = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";
    let headers = DefaultHeaders::new()
        .add((HeaderName::from_static("content-security-policy"), HeaderValue::from_static(policy)))
        .add((HeaderName::from_static("x-content-type-options"), HeaderValue::from_static("nosniff")));
    let ui = SwaggerUi::new("/docs/{_:.*}").config(utoipa_swagger_ui::Config::from("/openapi.json"));
    config.service(web::redirect("/docs", "/docs/")).service(web::scope("").wrap(headers).service(ui));
}
