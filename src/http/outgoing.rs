//! What is sent on: receivers, what waits for them, what was given up, and giving it another try.

use actix_web::{HttpRequest, get, post, web};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use super::App;
use super::failures::{Asked, AskedOne};
use super::messages::lang;
use super::params::{LangParam, PageParams, Params};
use super::problem::Problem;
use crate::outbox::{OutboxHandle, receivers};
use crate::present::{DeliveryPage, ReceiverList, schema};
use crate::store::sqlite::outbox::{Again, DeliveryId};

/// How many deliveries wait again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "replayed": 3 }))]
pub struct Replayed {
    /// How many.
    pub replayed: usize,
}

/// Which deliveries.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct DeliveryParams {
    /// Those that wait, or those that were given up; without it, those that wait.
    #[param(inline, example = "dead")]
    status: Option<schema::DeliveryStatus>,
    /// Those of one subscription or alert.
    #[param(inline)]
    subscription: Option<schema::Account>,
}

/// The statuses of a delivery.
const STATUSES: [&str; 2] = ["waiting", "dead"];

/// Asks on a blocking thread.
async fn ask<T: Send + 'static>(app: &App, f: impl FnOnce(&OutboxHandle) -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let outbox = app.outbox.clone();
    match web::block(move || f(&outbox)).await {
        Ok(answer) => answer,
        Err(_) => Err(Problem::unavailable("the question was cut short; ask again")),
    }
}

/// Everybody who is told: subscriptions and alerts, and how they fare.
#[utoipa::path(
    tag = "outgoing",
    operation_id = "listSubscriptions",
    params(LangParam),
    responses((status = 200, body = ReceiverList, description = "All of them"), Asked),
    security(("key" = []))
)]
#[get("/subscriptions")]
pub async fn subscriptions(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<ReceiverList>, Problem> {
    lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    let data = ask(&app, |outbox| Ok(receivers(outbox.targets(), outbox.file()?.as_ref())?)).await?;
    Ok(web::Json(ReceiverList { data }))
}

/// The deliveries that wait, or those that were given up, newest first.
#[utoipa::path(
    tag = "outgoing",
    operation_id = "listDeliveries",
    params(DeliveryParams, PageParams, LangParam),
    responses((status = 200, body = DeliveryPage, description = "One page"), Asked),
    security(("key" = []))
)]
#[get("/deliveries")]
pub async fn deliveries(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<DeliveryPage>, Problem> {
    let params = Params::read(request.query_string(), &["status", "subscription", "limit", "cursor"])?;
    lang(&request, &params, &app)?;
    let dead = params.one_of("status", &STATUSES, |name| name)? == Some("dead");
    let target = params.account("subscription")?;
    let (before, limit) = (params.cursor()?.map(|spot| spot.n as DeliveryId), params.limit()?);
    let page = ask(&app, move |outbox| {
        let found = match outbox.file()? {
            Some(file) => file.deliveries(dead, target.as_ref().map(|t| t.as_str()), before, limit)?,
            None => Vec::new(),
        };
        Ok(DeliveryPage::new(&found, limit))
    });
    Ok(web::Json(page.await?))
}

/// Sends one dead letter again.
#[utoipa::path(
    tag = "outgoing",
    operation_id = "replayDelivery",
    params(("id" = inline(schema::DeliveryNumber), Path, description = "Its number", example = 1), LangParam),
    responses((status = 200, body = Replayed, description = "It waits again"), AskedOne),
    security(("key" = []))
)]
#[post("/deliveries/{id}/replay")]
pub async fn replay(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<web::Json<Replayed>, Problem> {
    lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    let none =
        || Problem::not_found("there is no dead letter with this number whose receiver is configured; GET /v1/deliveries?status=dead");
    let id = id.parse().ok().filter(|id: &DeliveryId| *id > 0).ok_or_else(none)?;
    match again(&app, Again::One(id)).await? {
        0 => Err(none()),
        replayed => Ok(web::Json(Replayed { replayed })),
    }
}

/// Sends every dead letter again, or those of one subscription or alert.
#[utoipa::path(
    tag = "outgoing",
    operation_id = "replayDeliveries",
    params(("subscription" = inline(Option<schema::Account>), Query, description = "Of which subscription or alert"), LangParam),
    responses((status = 200, body = Replayed, description = "They wait again"), Asked),
    security(("key" = []))
)]
#[post("/deliveries/replay")]
pub async fn replay_all(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<Replayed>, Problem> {
    let params = Params::read(request.query_string(), &["subscription"])?;
    lang(&request, &params, &app)?;
    let target = params.account("subscription")?.map(|t| t.to_string());
    Ok(web::Json(Replayed { replayed: again(&app, Again::Of(target)).await? }))
}

async fn again(app: &App, what: Again) -> Result<usize, Problem> {
    let done = ask(app, |outbox| Ok(outbox.replay(what))).await?;
    Ok(done.ok_or_else(|| Problem::unavailable("the outbox does not answer just now; ask again"))??)
}
