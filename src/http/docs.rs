//! The OpenAPI document, generated from the handlers, and a page for it that works offline.

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::DefaultHeaders;
use actix_web::{HttpResponse, get, web};
use utoipa::openapi::RefOr;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};
use utoipa_swagger_ui::SwaggerUi;

use super::failures::Open;
use super::problem::{Problem, ProblemAt};
use super::{
    accounts, callbacks, catalogue, edge_document, messages, outgoing, probes, refused, register, reports, stats, stream, templates,
    threads, verification,
};
use crate::present::HappeningView;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "baophat",
        description = "What happened to every message a Vietnamese business sends. Times are RFC 3339, UTC, with milliseconds; ids, codes and phone numbers are texts; errors are RFC 9457 problem documents with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "messages", description = "What was sent and what became of it"),
        (name = "callbacks", description = "What the providers told, as it came"),
        (name = "accounts", description = "How the accounts and their templates stand, and what is wrong with many messages at once"),
        (name = "catalogue", description = "What every failure code means and what to do"),
        (name = "outgoing", description = "Who is told of what happens: subscriptions, alerts, deliveries"),
        (name = "webhooks", description = "What the providers call: callbacks, handshakes, domain checks"),
        (name = "operations", description = "Health, metrics, this document"),
    ),
    components(schemas(Problem, ProblemAt, HappeningView)),
)]
struct Document;

#[derive(OpenApi)]
#[openapi(paths(
    messages::list,
    register::register,
    messages::get,
    reports::of_message,
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
    accounts::list,
    accounts::get,
    accounts::incidents,
    accounts::incident,
    reports::of_incident,
    templates::list,
    templates::get,
    threads::get,
    stats::get,
    stream::open,
    outgoing::subscriptions,
    outgoing::deliveries,
    outgoing::replay,
    outgoing::replay_all,
))]
struct V1;

#[derive(OpenApi)]
#[openapi(paths(
    edge_document::take_signed,
    edge_document::handshake,
    edge_document::take_named,
    edge_document::take_named_with_body,
    verification::home,
    verification::verifier,
    probes::livez,
    probes::readyz,
    probes::metrics,
    document,
))]
struct Root;

/// What the macros cannot say: the key, and how a HEAD differs from its GET.
struct Finish;

impl Modify for Finish {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("One of the configured api_keys")).build();
        openapi.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
        openapi.paths.paths.values_mut().filter_map(head).for_each(without_body);
    }
}

fn head(item: &mut PathItem) -> Option<&mut Operation> {
    item.head.as_mut()
}

/// A HEAD is its GET without a body, under a name of its own.
fn without_body(operation: &mut Operation) {
    operation.operation_id = operation.operation_id.take().map(|id| id + "Head");
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.content.clear();
        }
    }
}

/// The OpenAPI document.
pub fn openapi() -> utoipa::openapi::OpenApi {
    let mut openapi = Document::openapi().nest("/v1", V1::openapi()).merge_from(Root::openapi());
    Finish.modify(&mut openapi);
    openapi
}

/// This document.
#[utoipa::path(
    operation_id = "document",
    tag = "operations",
    responses(
        (status = 200, body = Object, content_type = "application/json", description = "It", example = json!({ "openapi": "3.1.0" })),
        Open
    )
)]
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

#[cfg(test)]
mod tests;
