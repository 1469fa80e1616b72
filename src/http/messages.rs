//! Asking for messages: one, a page, what is stuck.

use actix_web::{HttpRequest, get, web};

use super::App;
use super::params::Params;
use super::problem::Problem;
use crate::domain::failure::{Class, Lang};
use crate::domain::ids::PublicId;
use crate::domain::state::State;
use crate::present::{MessagePage, MessageView, StuckPage, cursor, id_spellings, recipient_spellings};
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
    let since = params.time("since")?;
    let until = params.time("until")?;
    if let (Some(since), Some(until)) = (since, until)
        && since >= until
    {
        return Err(Problem::invalid("until", "not after `since`, so nothing can lie between"));
    }
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

/// Messages, newest first.
///
/// A page may be shorter than `limit` and still have a `next_cursor`: when several filters are combined, a page walks only so far.
#[utoipa::path(
    tag = "messages",
    params(
        ("state" = Option<String>, Query, description = "`queued`, `sent`, `delivered`, `read` or `failed`", example = "failed"),
        ("provider" = Option<String>, Query, description = "`zalo`, `facebook` or `esms`"),
        ("account" = Option<String>, Query, description = "Account slug"),
        ("sender" = Option<String>, Query, description = "The sending OA, Page or number"),
        ("kind" = Option<String>, Query, description = "Kind slug, such as `zns`"),
        ("template_id" = Option<String>, Query, description = "Template"),
        ("recipient" = Option<String>, Query, description = "Recipient; a phone number in any spelling", example = "0912 000 111"),
        ("message_id" = Option<String>, Query, description = "The provider's id"),
        ("ref" = Option<String>, Query, description = "The sender's own id"),
        ("stuck" = Option<String>, Query, description = "`true`: only stuck messages"),
        ("partial" = Option<String>, Query, description = "`true`: only messages delivered to some recipients and failed for others"),
        ("conflict" = Option<String>, Query, description = "`true`: only messages with proof of delivery and a failure report"),
        ("failure_class" = Option<String>, Query, description = "Class of the failure, such as `window`"),
        ("failure_code" = Option<String>, Query, description = "Code of the failure, or `code.subcode`"),
        ("since" = Option<String>, Query, description = "Known from then on (RFC 3339, inclusive)"),
        ("until" = Option<String>, Query, description = "Known before then (RFC 3339, exclusive)"),
        ("limit" = Option<String>, Query, description = "1 to 500, default 50", example = "50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("lang" = Option<String>, Query, description = "Language of texts: `vi` or `en`"),
    ),
    responses(
        (status = 200, body = MessagePage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
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
    params(("id" = String, Path, description = "Our id of the message"), ("lang" = Option<String>, Query, description = "Language of texts: `vi` or `en`")),
    responses(
        (status = 200, body = MessageView),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
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
    params(
        ("account" = Option<String>, Query, description = "Account slug"),
        ("limit" = Option<String>, Query, description = "1 to 500, default 50"),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before"),
        ("lang" = Option<String>, Query, description = "Language of texts: `vi` or `en`"),
    ),
    responses(
        (status = 200, body = StuckPage),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 401, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json"),
    ),
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
