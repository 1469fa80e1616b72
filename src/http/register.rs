//! What the sender's own system tells us: messages it sends, answers to its send calls, an operator's mark.
//!
//! Everything here is made durable in the inbox like a callback, then folded, then answered.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, post, web};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Number, Value};
use utoipa::openapi::schema::{AllOfBuilder, AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder};
use utoipa::openapi::{Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::App;
use super::body::{self, BodyError};
use super::failures;
use super::messages::{lang, no_such_message, parse_id};
use super::params::{LangParam, Params};
use super::problem::{Problem, ProblemAt};
use crate::domain::failure::Lang;
use crate::domain::ids::{AccountId, PublicId, Row};
use crate::domain::metadata::Metadata;
use crate::domain::projection::{Refused, RegistrationConflict, Source};
use crate::domain::record::{Content, Registration, SendAnswer, Target};
use crate::domain::time::Millis;
use crate::ingest::Projected;
use crate::present::schema::{self, TEXT_CHARS_MAX};
use crate::present::{MessageView, shown_message};

/// Most messages in one call.
pub const MESSAGES_MAX: usize = 1_000;

/// Longest `error` of an answer, in characters.
const ERROR_CHARS_MAX: usize = 4_096;

/// Longest call that can be told, in milliseconds: the largest number that every JSON reader keeps.
const DURATION_MS_MAX: u64 = 9_007_199_254_740_991;

/// Longest `metadata`, in bytes of JSON.
const METADATA_BYTES_MAX: usize = 16 << 10;

/// How long a call waits for the fold. What it told is durable long before.
const FOLD_SECONDS_MAX: u64 = 15;

/// A message to register.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = MessageRegistration, example = json!({
    "account": "shop-oa", "ref": "order-123", "recipient": "0912 000 111", "kind": "zns", "template_id": "7895417"
}))]
pub struct Given {
    /// Account slug.
    #[schema(value_type = schema::Account)]
    account: String,
    /// The sender's own id. This or `message_id` must be there.
    #[serde(rename = "ref")]
    #[schema(value_type = Option<schema::Text>)]
    reference: Option<String>,
    /// The provider's id; with it the message counts as sent.
    #[schema(value_type = Option<schema::Text>)]
    message_id: Option<String>,
    /// The sending OA, Page or number.
    #[schema(value_type = Option<schema::Text>)]
    sender: Option<String>,
    /// The recipient; a phone number in any spelling.
    #[schema(value_type = Option<schema::Text>)]
    recipient: Option<String>,
    /// Kind slug.
    #[schema(value_type = Option<schema::Text>)]
    kind: Option<String>,
    /// The template.
    #[schema(value_type = Option<schema::Text>)]
    template_id: Option<String>,
    /// When it was queued (RFC 3339).
    #[schema(value_type = Option<schema::Moment>)]
    queued_at: Option<String>,
    /// When it was sent (RFC 3339).
    #[schema(value_type = Option<schema::Moment>)]
    sent_at: Option<String>,
    /// When it is to go out (RFC 3339).
    #[schema(value_type = Option<schema::Moment>)]
    scheduled_at: Option<String>,
    /// An object of the sender's own, returned as given; at most 16 KiB of JSON.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Metadata>,
}

/// One message, or up to 1,000. It documents the body's two forms; the body is read by hand for exact places of errors.
pub struct GivenBody;

impl PartialSchema for GivenBody {
    fn schema() -> RefOr<Schema> {
        let one = Ref::from_schema_name(Given::name());
        let many = ArrayBuilder::new().items(one.clone()).max_items(Some(MESSAGES_MAX));
        OneOfBuilder::new().item(one).item(many).description(Some("One message, or up to 1,000.")).into()
    }
}

impl ToSchema for GivenBody {
    fn name() -> Cow<'static, str> {
        "Registrations".into()
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Given::schemas(schemas);
        schemas.push((Given::name().into(), named(Given::schema())));
    }
}

/// Says what the derived schema cannot: `ref` or `message_id` must be there.
fn named(given: RefOr<Schema>) -> RefOr<Schema> {
    let name = |name: &str| ObjectBuilder::new().property(name, Ref::from_schema_name(schema::Text::name())).required(name);
    AllOfBuilder::new().item(given).item(AnyOfBuilder::new().item(name("ref")).item(name("message_id"))).into()
}

/// The messages registered: one for one, an array for an array.
#[derive(serde::Serialize, ToSchema)]
#[serde(untagged)]
#[allow(clippy::large_enum_variant, reason = "one a request")]
pub enum Answered {
    /// One.
    One(MessageView),
    /// Several.
    Many(Vec<MessageView>),
}

/// The provider's answer to a send call.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = SendAnswer, example = json!({
    "status": 200, "duration_ms": 210,
    "body": "{\"error\":0,\"message\":\"Success\",\"data\":{\"msg_id\":\"96d3cdf3af150460909f\",\"sent_time\":\"1769847331000\"}}"
}))]
#[allow(dead_code, reason = "it documents the body; the body is read by hand to keep the answer's text unchanged")]
pub struct GivenAnswer {
    /// The HTTP status; 0, null or absent when there was no answer.
    #[schema(value_type = Option<schema::AnswerStatus>)]
    status: Option<u16>,
    /// The answer, as text or as JSON.
    #[schema(value_type = Value, required = false)]
    body: Option<Value>,
    /// How long the call took, in milliseconds.
    #[schema(maximum = 9_007_199_254_740_991_u64)]
    duration_ms: Option<u64>,
    /// What went wrong on the way, when there was no answer.
    #[schema(max_length = 4096)]
    error: Option<String>,
}

/// An operator's mark.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[schema(as = Mark, example = json!({"reason": "customer called: nothing arrived"}))]
pub struct GivenMark {
    /// Why.
    #[schema(min_length = 1, max_length = 512, pattern = r"\S")]
    reason: String,
}

async fn body(request: &HttpRequest, payload: &mut web::Payload, app: &App) -> Result<Vec<u8>, Problem> {
    // Who asks has a key, and shares no room with strangers.
    let mut taken = body::Room::default().none_yet();
    let read = body::read(request, payload, app.limits.api_body_bytes_max, app.body_time_max(), &mut taken).await;
    let bytes = read.map_err(|e| match e {
        BodyError::TooLarge(_) => {
            let detail = format!("the body is larger than {} bytes; send fewer messages a call", app.limits.api_body_bytes_max);
            Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
        }
        BodyError::TooSlow(_) => Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", "the body did not arrive in time"),
        BodyError::Compressed(_) => {
            Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed_body", "send the body without Content-Encoding")
        }
        BodyError::Busy => Problem::unavailable("too many long bodies are being read"),
        BodyError::Broken => Problem::new(StatusCode::BAD_REQUEST, "broken_body", "the connection broke within the body"),
    })?;
    let kind = request.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or("application/json");
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence != "application/json" && !essence.ends_with("+json") {
        let detail = "the body must be JSON, with `Content-Type: application/json`";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail));
    }
    Ok(bytes)
}

fn bad_json(at: &str, e: &serde_json::Error) -> Problem {
    // serde_json tells line, column and what it expected; it shows no values beyond a wrong scalar.
    let detail = format!("not the expected JSON: {e}");
    Problem::new(StatusCode::BAD_REQUEST, "invalid_json", format!("{at}: {detail}")).with(vec![ProblemAt {
        at: at.to_owned(),
        detail,
        ..ProblemAt::default()
    }])
}

/// Registers one message, or up to 1,000: all of them or none.
///
/// Idempotent on `(account, ref)` and on `(account, message_id)`. What was not told before is added; what contradicts is refused.
#[utoipa::path(
    tag = "messages",
    operation_id = "registerMessages",
    params(LangParam),
    request_body = GivenBody,
    responses(
        (status = 200, body = Answered, description = "All of them were known"),
        (status = 201, body = Answered, description = "At least one is new"),
        failures::Registered
    ),
    security(("key" = []))
)]
#[post("/messages")]
pub async fn register(request: HttpRequest, mut payload: web::Payload, app: web::Data<App>) -> Result<HttpResponse, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let bytes = body(&request, &mut payload, &app).await?;
    let many = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'[');
    let registrations = read_registrations(&bytes, many, &app)?;
    let Some(first) = registrations.first().and_then(|r| r.account.clone()) else {
        return Ok(HttpResponse::Ok().json(Answered::Many(Vec::new())));
    };
    let content = Content::Registrations(registrations);
    let registered = match submit(&app, first, content).await? {
        Projected::Registered(all) => all,
        Projected::Conflict(conflict) => return Err(contradiction(&app, lang, conflict, many).await),
        other => return Err(unexpected(other)),
    };
    let status = if registered.iter().any(|r| r.new) { StatusCode::CREATED } else { StatusCode::OK };
    let rows: Vec<Row> = registered.iter().map(|r| r.row).collect();
    let mut views = app
        .readers
        .ask(lang, move |reader| {
            let view = |row: &Row| reader.message(*row)?.ok_or_else(|| Problem::unavailable("the message was pruned at once"));
            rows.iter().map(view).collect::<Result<Vec<_>, Problem>>()
        })
        .await?;
    let answer = match (many, views.len()) {
        (false, 1) => Answered::One(views.remove(0)),
        _ => Answered::Many(views),
    };
    Ok(HttpResponse::build(status).json(answer))
}

fn read_registrations(bytes: &[u8], many: bool, app: &App) -> Result<Vec<Registration>, Problem> {
    if !many {
        let given = serde_json::from_slice(bytes).map_err(|e| bad_json("/", &e))?;
        return Ok(vec![check(given, "", app)?]);
    }
    let items: Vec<&RawValue> = serde_json::from_slice(bytes).map_err(|e| bad_json("/", &e))?;
    if items.len() > MESSAGES_MAX {
        let detail = format!("{} messages in one call; send at most {MESSAGES_MAX}", items.len());
        return Err(Problem::new(StatusCode::BAD_REQUEST, "too_many_messages", detail));
    }
    let read = |(i, item): (usize, &&RawValue)| {
        let at = format!("/{i}");
        let given = serde_json::from_str(item.get()).map_err(|e| bad_json(&at, &e))?;
        check(given, &at, app)
    };
    items.iter().enumerate().map(read).collect()
}

fn check(given: Given, at: &str, app: &App) -> Result<Registration, Problem> {
    let place = |name: &str| format!("{at}/{name}");
    let text = |name: &str, value: Option<String>| match value {
        Some(v) if v.trim().is_empty() => Err(Problem::invalid(place(name), "empty; leave it out instead")),
        Some(v) if v.chars().count() > TEXT_CHARS_MAX => {
            Err(Problem::invalid(place(name), format!("longer than {TEXT_CHARS_MAX} characters")))
        }
        Some(v) if v.chars().any(char::is_control) => Err(Problem::invalid(place(name), "has control characters")),
        v => Ok(v),
    };
    let time = |name: &str, value: Option<String>| {
        value.map(|v| Millis::parse(&v).map_err(|e| Problem::invalid(place(name), e.to_string()))).transpose()
    };
    let Some((account, known)) = app.rules.find(&given.account) else {
        let mut known: Vec<&str> = app.rules.iter().map(|(id, _)| id.as_str()).collect();
        known.sort_unstable();
        return Err(Problem::invalid(place("account"), format!("no such account; configured: {}", known.join(", "))));
    };
    let reference = text("ref", given.reference)?;
    let message_id = text("message_id", given.message_id)?.map(|id| (known.spec.fold_message_id)(&id));
    if reference.is_none() && message_id.is_none() {
        return Err(Problem::invalid(place("ref"), "give `ref` (your own id), `message_id` (the provider's), or both"));
    }
    let metadata = given.metadata;
    if metadata.as_ref().is_some_and(|m| m.text().len() > METADATA_BYTES_MAX) {
        return Err(Problem::invalid(place("metadata"), format!("longer than {METADATA_BYTES_MAX} bytes")));
    }
    Ok(Registration {
        account: Some(account.clone()),
        reference,
        message_id,
        sender: text("sender", given.sender)?,
        recipient: text("recipient", given.recipient)?.map(|r| (known.spec.fold_recipient)(&r)),
        kind: text("kind", given.kind)?,
        template_id: text("template_id", given.template_id)?,
        queued_at: time("queued_at", given.queued_at)?,
        sent_at: time("sent_at", given.sent_at)?,
        scheduled_at: time("scheduled_at", given.scheduled_at)?,
        metadata,
    })
}

/// Makes a call of our own API durable, and waits for what the fold makes of it.
async fn submit(app: &App, account: AccountId, content: Content) -> Result<Projected, Problem> {
    let provider = app.rules.get(&account).map_or("", |k| k.spec.slug);
    let submitted = app.inbox.own(provider, account, app.clock.now(), content).await?;
    match tokio::time::timeout(Duration::from_secs(FOLD_SECONDS_MAX), submitted.projected).await {
        Ok(Ok(projected)) => Ok(projected),
        _ => Err(Problem::unavailable("it is on disk and not folded yet; sending it again is safe, or ask for the message later")),
    }
}

fn unexpected(projected: Projected) -> Problem {
    match projected {
        Projected::Failed(reason) => {
            tracing::error!(reason, "a call of the API could not be folded");
            Problem::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "not_folded",
                "it is on disk and could not be folded; this is a fault of baophat, see its log",
            )
        }
        Projected::Refused(Refused::NoSuchMessage) => no_such_message(),
        other => {
            tracing::error!(?other, "an answer of the fold does not fit its question");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "not_folded", "this is a fault of baophat, see its log")
        }
    }
}

async fn contradiction(app: &App, lang: Lang, conflict: RegistrationConflict, many: bool) -> Problem {
    let at = if many { format!("/{}", conflict.index) } else { String::new() };
    let place = |d: &crate::domain::projection::Difference| ProblemAt {
        at: format!("{at}/{}", d.field),
        detail: format!("{} differs from the message on record", d.field),
        known: Some(d.known.clone()),
        given: Some(d.given.clone()),
    };
    let errors: Vec<ProblemAt> = conflict.differences.iter().map(place).collect();
    let fields: Vec<&str> = conflict.differences.iter().map(|d| d.field).collect();
    let whose = match conflict.row {
        Some(row) => match app.readers.ask(lang, move |reader| Ok(reader.message(row)?)).await {
            Ok(Some(view)) => format!("message {}", view.id),
            _ => "a message on record".to_owned(),
        },
        None => "another message of the same call".to_owned(),
    };
    let detail = format!(
        "this name belongs to {whose}, which differs in {}; use another ref for another message. Nothing of this call was taken.",
        fields.join(", ")
    );
    Problem::new(StatusCode::CONFLICT, "message_conflict", detail).with(errors)
}

/// How a message is named in a record, and its account.
async fn target(app: &App, lang: Lang, id: PublicId) -> Result<(AccountId, Target), Problem> {
    app.readers
        .ask(lang, move |reader| {
            let known = reader.state.message(id.row)?.is_some_and(|m| m.created_at == id.created_at);
            let message = if known { shown_message(reader.state, id.row)? } else { None };
            let Some(message) = message.filter(|m| m.facts.origin().is_some()) else { return Err(no_such_message()) };
            let target = Target { reference: message.facts.reference.clone(), message_id: message.facts.message_id().map(str::to_owned) };
            Ok((message.account, target))
        })
        .await
}

async fn answer_with_message(app: &App, lang: Lang, projected: Projected) -> Result<web::Json<MessageView>, Problem> {
    match projected {
        Projected::Taken(row) => {
            let view = app.readers.ask(lang, move |reader| reader.message(row)?.ok_or_else(no_such_message)).await?;
            Ok(web::Json(view))
        }
        Projected::Refused(Refused::IdTaken { message_id, owner }) => {
            let known = app.readers.ask(lang, move |reader| Ok(reader.message(owner)?)).await?.map(|v| v.id);
            let detail = format!(
                "the answer names message_id {message_id}, which belongs to another registered message{}; nothing was taken",
                known.map(|id| format!(" ({id})")).unwrap_or_default()
            );
            Err(Problem::new(StatusCode::CONFLICT, "message_conflict", detail))
        }
        other => Err(unexpected(other)),
    }
}

/// Takes the provider's own answer to the send call, raw.
#[utoipa::path(
    tag = "messages",
    operation_id = "answerMessage",
    params(("id" = inline(schema::MessageId), Path, description = "Our id of the message"), LangParam),
    request_body = GivenAnswer,
    responses((status = 200, body = MessageView, description = "The message as it stands now"), failures::Answered),
    security(("key" = []))
)]
#[post("/messages/{id}/response")]
pub async fn response(
    request: HttpRequest,
    id: web::Path<String>,
    mut payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<MessageView>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let bytes = body(&request, &mut payload, &app).await?;
    let answer = read_answer(&bytes)?;
    let (account, target) = target(&app, lang, parse_id(&id)?).await?;
    let projected = submit(&app, account, Content::Answer { target, answer }).await?;
    answer_with_message(&app, lang, projected).await
}

/// Reads a whole number; some languages write it as `200.0`.
fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Number>::deserialize(deserializer)? else { return Ok(None) };
    let from_float = |f: f64| (f.fract() == 0.0 && (0.0..=DURATION_MS_MAX as f64).contains(&f)).then_some(f as u64);
    let read = number.as_u64().or_else(|| number.as_f64().and_then(from_float));
    read.map(Some).ok_or_else(|| serde::de::Error::custom(format!("{number} is not a whole number from 0 up")))
}

fn read_answer(bytes: &[u8]) -> Result<SendAnswer, Problem> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(default, deserialize_with = "whole")]
        status: Option<u64>,
        #[serde(borrow)]
        body: Option<&'a RawValue>,
        #[serde(default, deserialize_with = "whole")]
        duration_ms: Option<u64>,
        error: Option<String>,
    }
    let raw: Raw<'_> = serde_json::from_slice(bytes).map_err(|e| bad_json("/", &e))?;
    let status = raw.status.map_or(Some(0), |s| u16::try_from(s).ok()).filter(|s| *s == 0 || (100..=999).contains(s));
    let Some(status) = status else {
        return Err(Problem::invalid("/status", "an HTTP status from 100 to 999, or 0 or null when there was no answer"));
    };
    if raw.error.as_ref().is_some_and(|e| e.chars().count() > ERROR_CHARS_MAX) {
        return Err(Problem::invalid("/error", format!("longer than {ERROR_CHARS_MAX} characters")));
    }
    if raw.duration_ms.is_some_and(|ms| ms > DURATION_MS_MAX) {
        return Err(Problem::invalid("/duration_ms", format!("more than {DURATION_MS_MAX}")));
    }
    // A JSON text is unwrapped; any other value is kept as the very text that was sent.
    let body = match raw.body.map(RawValue::get) {
        None | Some("null") => String::new(),
        Some(text) if text.starts_with('"') => serde_json::from_str(text).map_err(|e| bad_json("/body", &e))?,
        Some(text) => text.to_owned(),
    };
    Ok(SendAnswer { status: Some(status).filter(|s| *s != 0), body, duration_ms: raw.duration_ms, error: raw.error })
}

/// Marks a message as failed by hand; a later proof of delivery still wins.
#[utoipa::path(
    tag = "messages",
    operation_id = "markMessageFailed",
    params(("id" = inline(schema::MessageId), Path, description = "Our id of the message"), LangParam),
    request_body = GivenMark,
    responses((status = 200, body = MessageView, description = "The message as it stands now"), failures::Marked),
    security(("key" = []))
)]
#[post("/messages/{id}/mark-failed")]
pub async fn mark_failed(
    request: HttpRequest,
    id: web::Path<String>,
    mut payload: web::Payload,
    app: web::Data<App>,
) -> Result<web::Json<MessageView>, Problem> {
    let params = Params::read(request.query_string(), &[])?;
    let lang = lang(&request, &params, &app)?;
    let bytes = body(&request, &mut payload, &app).await?;
    let mark: GivenMark = serde_json::from_slice(&bytes).map_err(|e| bad_json("/", &e))?;
    let reason = mark.reason.trim().to_owned();
    if reason.is_empty() || mark.reason.chars().count() > TEXT_CHARS_MAX {
        return Err(Problem::invalid("/reason", format!("say why, in 1 to {TEXT_CHARS_MAX} characters")));
    }
    let (account, target) = target(&app, lang, parse_id(&id)?).await?;
    let projected = submit(&app, account, Content::Mark { target, reason }).await?;
    answer_with_message(&app, lang, projected).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_counts_however_it_is_written() {
        let status = |text: &str| read_answer(format!("{{\"status\":{text}}}").as_bytes()).map(|a| a.status).map_err(|p| p.code);
        for (text, read) in [("200", Some(200)), ("200.0", Some(200)), ("2e2", Some(200)), ("0", None), ("null", None)] {
            assert_eq!(status(text), Ok(read), "{text}");
        }
        for wrong in ["99", "1000", "70000", "-1", "200.5", "1e30", "\"200\"", "[]", "true"] {
            assert!(status(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read_answer(b"{\"duration_ms\":12}").unwrap().duration_ms, Some(12));
        assert_eq!(read_answer(b"{\"duration_ms\":9007199254740992}").unwrap_err().code, "invalid_parameter");
    }
}
