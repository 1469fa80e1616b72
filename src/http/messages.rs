//! Asking for messages: one, a page, what is stuck.

use actix_web::{HttpRequest, get, web};
use utoipa::IntoParams;

use super::App;
use super::failures::{Asked, AskedOne};
use super::params::{LangParam, PageParams, Params, SpanParams};
use super::problem::Problem;
use crate::domain::failure::{Class, Lang};
use crate::domain::ids::PublicId;
use crate::domain::state::State;
use crate::present::{MessagePage, MessageView, StuckPage, cursor, id_spellings, recipient_spellings, schema};
use crate::providers::PROVIDERS;
use crate::store::sqlite::query::MessageFilter;

const FILTERS: &[&str] = &[
    "state",
    "provider",
    "account",
    "sender",
    "kind",
    "template_id",
    "recipient",
    "message_id",
    "ref",
    "stuck",
    "partial",
    "conflict",
    "failure_class",
    "failure_code",
    "since",
    "until",
    "limit",
    "cursor",
];

/// The language a request asks for.
pub(super) fn lang(request: &HttpRequest, params: &Params, app: &App) -> Result<Lang, Problem> {
    let accept = request.headers().get("accept-language").and_then(|v| v.to_str().ok());
    params.lang(accept, app.lang)
}

fn filter(params: &Params) -> Result<MessageFilter, Problem> {
    let owned = |name| params.text(name).map(|t| t.map(str::to_owned));
    let (since, until) = params.span()?;
    let provider = params.text("provider")?;
    if let Some(slug) = provider
        && crate::providers::find(slug).is_none()
    {
        let known: Vec<&str> = PROVIDERS.iter().map(|p| p.slug).collect();
        return Err(Problem::invalid("provider", format!("not one of {}", known.join(", "))));
    }
    Ok(MessageFilter {
        state: params.one_of("state", State::ALL, State::as_str)?,
        provider: provider.map(str::to_owned),
        account: params.account("account")?,
        sender: owned("sender")?,
        kind: owned("kind")?,
        template_id: owned("template_id")?,
        recipient: params.text("recipient")?.map(recipient_spellings).unwrap_or_default(),
        message_id: params.text("message_id")?.map(id_spellings).unwrap_or_default(),
        reference: owned("ref")?,
        stuck: params.flag("stuck")?,
        partial: params.flag("partial")?,
        conflict: params.flag("conflict")?,
        failure_class: params.one_of("failure_class", Class::ALL, Class::as_str)?,
        failure_code: params.text("failure_code")?.map(|code| match code.split_once('.') {
            Some((code, sub)) => (code.to_owned(), Some(sub.to_owned())),
            None => (code.to_owned(), None),
        }),
        since,
        until,
    })
}

/// Which messages.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct MessageParams {
    /// Where it stands.
    #[param(inline, example = "failed")]
    state: Option<schema::State>,
    /// Provider slug.
    #[param(inline)]
    provider: Option<schema::Provider>,
    /// Account slug.
    #[param(inline)]
    account: Option<schema::Account>,
    /// The sending OA, Page or number.
    #[param(inline)]
    sender: Option<schema::QueryText>,
    /// Kind slug.
    #[param(inline, example = "zns")]
    kind: Option<schema::QueryText>,
    /// The template.
    #[param(inline)]
    template_id: Option<schema::QueryText>,
    /// The recipient; a phone number in any spelling.
    #[param(inline, example = "0912 000 111")]
    recipient: Option<schema::QueryText>,
    /// The provider's id.
    #[param(inline)]
    message_id: Option<schema::QueryText>,
    /// The sender's own id.
    #[param(inline, rename = "ref", example = "order-123")]
    reference: Option<schema::QueryText>,
    /// Only stuck messages.
    #[param(inline)]
    stuck: Option<schema::Flag>,
    /// Only messages delivered to some recipients and failed for others.
    #[param(inline)]
    partial: Option<schema::Flag>,
    /// Only messages with proof of delivery and a failure report.
    #[param(inline)]
    conflict: Option<schema::Flag>,
    /// Class of the failure.
    #[param(inline, example = "window")]
    failure_class: Option<schema::FailureClass>,
    /// Code of the failure, or `code.subcode`.
    #[param(inline, example = "-230")]
    failure_code: Option<schema::QueryText>,
}

/// Messages, newest first.
///
/// A page may be shorter than `limit` and still have a `next_cursor`: when several filters are combined, a page walks only so far.
#[utoipa::path(
    tag = "messages",
    operation_id = "listMessages",
    params(MessageParams, SpanParams, PageParams, LangParam),
    responses((status = 200, body = MessagePage, description = "One page"), Asked),
    security(("key" = []))
)]
#[get("/messages")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<MessagePage>, Problem> {
    let params = Params::read(request.query_string(), FILTERS)?;
    let lang = lang(&request, &params, &app)?;
    let (filter, after, limit) = (filter(&params)?, params.cursor()?, params.limit()?);
    let page = app.readers.ask(lang, move |reader| {
        let (data, next) = reader.messages(&filter, after, limit)?;
        Ok(MessagePage { data, next_cursor: next.map(cursor::encode) })
    });
    Ok(web::Json(page.await?))
}

/// One message with its timeline.
#[utoipa::path(
    tag = "messages",
    operation_id = "getMessage",
    params(("id" = inline(schema::MessageId), Path, description = "Our id of the message"), LangParam),
    responses((status = 200, body = MessageView, description = "The message"), AskedOne),
    security(("key" = []))
)]
#[get("/messages/{id}")]
pub async fn get(request: HttpRequest, id: web::Path<String>, app: web::Data<App>) -> Result<web::Json<MessageView>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let id = parse_id(&id)?;
    app.readers.ask(lang, move |reader| message(reader, id)).await.map(web::Json)
}

/// Reads an id of ours; what can be none leads to the same answer as one that is unknown.
pub(super) fn parse_id(text: &str) -> Result<PublicId, Problem> {
    PublicId::parse(text).ok_or_else(no_such_message)
}

pub(super) fn no_such_message() -> Problem {
    Problem::not_found(
        "there is no message with this id; ids are given by GET /v1/messages, which also finds by message_id, ref and recipient",
    )
}

pub(super) fn message(reader: &crate::present::Reader<'_>, id: PublicId) -> Result<MessageView, Problem> {
    use crate::domain::projection::Source;
    let known = reader.state.message(id.row)?.is_some_and(|m| m.created_at == id.created_at);
    match if known { reader.message(id.row)? } else { None } {
        Some(view) => Ok(view),
        None => Err(no_such_message()),
    }
}

/// What is stuck, in groups and as a list.
#[utoipa::path(
    tag = "messages",
    operation_id = "listStuck",
    params(("account" = inline(Option<schema::Account>), Query, description = "Account slug"), PageParams, LangParam),
    responses((status = 200, body = StuckPage, description = "The groups, and one page of messages"), Asked),
    security(("key" = []))
)]
#[get("/stuck")]
pub async fn stuck(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<StuckPage>, Problem> {
    let params = Params::read(request.query_string(), &["account", "limit", "cursor"])?;
    let lang = lang(&request, &params, &app)?;
    let filter = MessageFilter { stuck: true, account: params.account("account")?, ..MessageFilter::default() };
    let (after, limit) = (params.cursor()?, params.limit()?);
    let page = app.readers.ask(lang, move |reader| {
        let mut groups = reader.stuck_groups()?;
        if let Some(account) = &filter.account {
            groups.retain(|g| g.account == account.as_str());
        }
        let (data, next) = reader.messages(&filter, after, limit)?;
        let total = groups.iter().map(|g| g.count).sum();
        Ok(StuckPage { total, groups, data, next_cursor: next.map(cursor::encode) })
    });
    Ok(web::Json(page.await?))
}
