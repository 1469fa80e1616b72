//! Liveness, readiness, metrics.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, get, route, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::failures::{Guarded, Open};
use super::problem::Problem;

/// The program runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "status": "ok" }))]
pub struct Live {
    /// `ok`.
    #[schema(pattern = "^ok$")]
    pub status: &'static str,
}

/// Whether the program can take callbacks.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({ "status": "ready", "faults": [] }))]
pub struct Ready {
    /// `ready` or `not_ready`.
    #[schema(pattern = "^(ready|not_ready)$")]
    pub status: &'static str,
    /// What does not work; told to callers of this machine and to those with a key.
    pub faults: Vec<FaultView>,
}

/// One part that does not work.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Fault)]
pub struct FaultView {
    /// The part.
    pub part: &'static str,
    /// Why.
    pub reason: String,
}

/// Details are for callers of this machine, and for those with a key.
fn trusted(request: &HttpRequest, app: &App) -> bool {
    let local = request.peer_addr().is_some_and(|a| a.ip().is_loopback()) && !request.headers().contains_key("x-forwarded-for");
    (app.loopback && !request.headers().contains_key("x-forwarded-for")) || local || app.keys.allow(request)
}

/// The process is alive.
#[utoipa::path(
    method(get, head),
    path = "/livez",
    operation_id = "live",
    tag = "operations",
    responses((status = 200, body = Live, description = "It runs"), Open)
)]
#[route("/livez", method = "GET", method = "HEAD")]
pub async fn livez() -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(Live { status: "ok" })
}

/// The process can make callbacks durable and fold them.
#[utoipa::path(
    method(get, head),
    path = "/readyz",
    operation_id = "ready",
    tag = "operations",
    responses(
        (status = 200, body = Ready, description = "It can"),
        (status = 503, body = Ready, description = "It cannot", example = json!({
            "status": "not_ready", "faults": [{ "part": "inbox", "reason": "the disk is full" }]
        })),
        Open
    )
)]
#[route("/readyz", method = "GET", method = "HEAD")]
pub async fn readyz(request: HttpRequest, app: web::Data<App>) -> HttpResponse {
    let mut faults: Vec<FaultView> = app.health.faults().into_iter().map(|(part, reason)| FaultView { part, reason }).collect();
    if app.health.stopping() {
        faults.push(FaultView { part: "process", reason: "stopping".into() });
    }
    let (status, word) = if faults.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    if !trusted(&request, &app) {
        faults.clear();
    }
    HttpResponse::build(status).insert_header((CACHE_CONTROL, "no-store")).json(Ready { status: word, faults })
}

/// Metrics in the OpenMetrics text format.
///
/// No key is needed from this machine; from others it is.
#[utoipa::path(
    operation_id = "metrics",
    tag = "operations",
    responses(
        (
            status = 200, body = String, content_type = "application/openmetrics-text", description = "The metrics",
            example = json!("# TYPE baophat_callbacks counter
baophat_callbacks_total{outcome=\"stored\"} 1
# EOF
")
        ),
        Guarded
    ),
    security((), ("key" = []))
)]
#[get("/metrics")]
pub async fn metrics(request: HttpRequest, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    if !trusted(&request, &app) {
        let detail = "this listener is reachable from other machines, so /metrics needs `Authorization: Bearer KEY`";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail));
    }
    // Counted by the store with every change; what cannot be read now is shown as it was last.
    let asked = app.readers.ask(app.lang, |reader| Ok((reader.state.stuck_groups()?, reader.state.feed_last()?)));
    if let Ok((groups, last)) = asked.await {
        let watched = &app.metrics.watched;
        let mut stuck = BTreeMap::<_, u64>::new();
        for group in &groups {
            *stuck.entry((group.account.as_str(), group.cause.as_str())).or_default() += group.count;
        }
        watched.stuck(stuck.into_iter().map(|((account, cause), n)| (account, cause, n)));
        watched.feed_last(last);
    }
    let text = app.metrics.text(app.clock.now().0);
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")).body(text))
}
