//! Asking for the numbers.

use actix_web::{HttpRequest, get, web};
use utoipa::IntoParams;

use super::App;
use super::failures::Asked;
use super::messages::lang;
use super::params::{LangParam, Params, SpanParams};
use super::problem::Problem;
use crate::present::{LinesBy, StatsAsked, StatsView, schema};

/// Which numbers, in which lines.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct StatsParams {
    /// Account slug.
    #[param(inline)]
    account: Option<schema::Account>,
    /// Kind slug. Only one of `kind`, `template_id` and `carrier` can be asked for at once.
    #[param(inline, example = "zns")]
    kind: Option<schema::QueryText>,
    /// The template.
    #[param(inline)]
    template_id: Option<schema::QueryText>,
    /// The carrier as the provider names it.
    #[param(inline)]
    carrier: Option<schema::QueryText>,
    /// What makes a line, beside the account; without it the kind, or whatever is filtered by. Hours go with kinds only.
    #[param(inline, example = "kind")]
    by: Option<schema::StatsBy>,
}

/// The numbers of a span of time: what became of its messages so far.
///
/// A message belongs to the hour in which it became known. Without `since` and `until` it is the last 24 hours; 400 days at most, 31 by
/// hour. Both are widened to whole hours; to whole days (in Vietnam) for templates and carriers, and where the span touches days whose
/// hours are no longer kept apart. The answer says what was counted.
#[utoipa::path(
    tag = "messages",
    operation_id = "getStats",
    params(StatsParams, SpanParams, LangParam),
    responses((status = 200, body = StatsView, description = "The numbers"), Asked),
    security(("key" = []))
)]
#[get("/stats")]
pub async fn get(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<StatsView>, Problem> {
    let params = Params::read(request.query_string(), &["account", "kind", "template_id", "carrier", "by", "since", "until"])?;
    let lang = lang(&request, &params, &app)?;
    let owned = |name| params.text(name).map(|t| t.map(str::to_owned));
    let (since, until) = params.span()?;
    let asked = StatsAsked {
        account: params.account("account")?,
        kind: owned("kind")?,
        template_id: owned("template_id")?,
        carrier: owned("carrier")?,
        since,
        until,
        by: params.one_of("by", LinesBy::ALL, LinesBy::as_str)?,
    };
    let query = asked.question(app.clock.now()).map_err(|e| Problem::invalid(e.at, e.why))?;
    app.readers.ask(lang, move |reader| Ok(reader.stats(&query)?)).await.map(web::Json)
}
