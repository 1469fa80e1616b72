//! The webhook edge: bytes in, proof, durable row, 200. Nothing is parsed here and nothing is answered that is not on disk.

use std::time::Instant;

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpRequest, HttpResponse, http, web};

use super::App;
use super::body::{self, BodyError};
use super::refused::Refused;
use super::{examine, nothing};
use crate::domain::ids::AccountId;
use crate::domain::record::{Callback, Method};
use crate::ingest::Known;
use crate::metrics::Metrics;
use crate::providers::{self, Handshake, Spec, Unproven};

/// Why a request was refused, its status, how many bytes it had, and what its proof did not fit.
struct Refuse(StatusCode, &'static str, u64, Option<Box<Unproven>>);

fn refuse(status: StatusCode, reason: &'static str, size: u64) -> Refuse {
    Refuse(status, reason, size, None)
}

/// How much of a name in the URL of a refused request is kept: whoever sent it chose it.
const NAME_CHARS_MAX: usize = 40;

/// What stands behind `/webhooks` in a path: provider, account and, where there is one, the token. One slash at the end is fine.
fn parts(path: &str) -> Option<(&str, &str, Option<&str>)> {
    let path = path.strip_prefix('/')?;
    let mut parts = path.strip_suffix('/').unwrap_or(path).split('/');
    let (provider, account, token) = (parts.next()?, parts.next()?, parts.next());
    let whole = parts.next().is_none() && !provider.is_empty() && !account.is_empty() && token != Some("");
    whole.then_some((provider, account, token))
}

/// Takes one request to a webhook URL.
pub async fn receive(request: HttpRequest, mut payload: web::Payload, app: web::Data<App>) -> HttpResponse {
    let Some((provider, account, token)) = parts(request.match_info().unprocessed()) else {
        return nothing::nothing(request.clone()).await;
    };
    match take(&request, &mut payload, &app, provider, account, token).await {
        Ok(response) => response,
        Err(refuse) => {
            let status = refuse.0;
            let mut response = refused(&request, &app, (provider, account, token), refuse);
            if matches!(status, StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT) {
                // The rest of the body is not read. As long as somebody holds it when the answer goes out, actix ends the connection
                // then, and does not read on to the end of chunks that may have none.
                response.extensions_mut().insert(payload);
            }
            response
        }
    }
}

/// Answers a refused request. Whoever floods us with them pays more than we: no disk, a line in a log that is bounded (`logging`),
/// and a moment of one lock.
fn refused(request: &HttpRequest, app: &web::Data<App>, named: (&str, &str, Option<&str>), refuse: Refuse) -> HttpResponse {
    let (Refuse(status, reason, size, unproven), (provider, account, token)) = (refuse, named);
    let source = source(request);
    let shown = |s: &str| s.chars().take(NAME_CHARS_MAX).collect::<String>();
    let refused = Refused { at: app.clock.now(), account: shown(account), provider: shown(provider), reason, source, size };
    let Refused { account: shown_account, provider: shown_provider, source, .. } = &refused;
    tracing::warn!(provider = shown_provider, account = shown_account, reason, source, size, status = status.as_u16(), "callback refused");
    Metrics::count_reason(&app.metrics.refused, reason);
    let number = app.refusals.add(refused);
    if let Some(unproven) = unproven {
        app.signals.refused(&unproven.callback.account, unproven.refusal, unproven.callback.received_at);
        examine::start(request, app, *unproven, number, token);
    } else if let Some((id, _)) = known(app, provider, account, token).filter(|_| status != StatusCode::FORBIDDEN) {
        // A handshake is no callback.
        app.signals.malformed(id);
    }
    let mut response = HttpResponse::build(status);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.insert_header((http::header::ALLOW, allowed(app, account)));
    }
    response.finish()
}

/// The methods of an account's URL: callbacks by POST, or GET where its provider asks or calls back by it.
fn allowed(app: &App, account: &str) -> &'static str {
    match app.rules.find(account) {
        Some((_, k)) if !k.spec.methods.contains(&Method::Get) && k.account.handshake("") == Handshake::None => "POST",
        _ => "GET, POST",
    }
}

/// The configured account of a URL.
fn known<'a>(app: &'a App, provider: &str, account: &str, token: Option<&str>) -> Option<(&'a AccountId, &'a Known)> {
    app.rules.find(account).filter(|(_, k)| k.spec.slug == provider && (k.spec.token_in_path || token.is_none()))
}

async fn take(
    request: &HttpRequest,
    payload: &mut web::Payload,
    app: &App,
    provider: &str,
    account: &str,
    token: Option<&str>,
) -> Result<HttpResponse, Refuse> {
    let announced = || request.headers().get(http::header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok()).unwrap_or(0);
    let Some((id, known)) = known(app, provider, account, token) else {
        return Err(refuse(StatusCode::NOT_FOUND, "unknown_account", announced()));
    };
    let method = match *request.method() {
        http::Method::GET => Method::Get,
        http::Method::POST => Method::Post,
        _ => return Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "method", announced())),
    };
    if !known.spec.methods.contains(&method) {
        return handshake(known.account.handshake(request.query_string()));
    }
    let mut taken = app.bodies.none_yet();
    let body = match body::read(request, payload, app.limits.body_bytes_max, app.body_time_max(), &mut taken).await {
        Ok(body) => body,
        Err(BodyError::TooLarge(n)) => return Err(refuse(StatusCode::PAYLOAD_TOO_LARGE, "too_large", n)),
        Err(BodyError::TooSlow(n)) => return Err(refuse(StatusCode::REQUEST_TIMEOUT, "too_slow", n)),
        Err(BodyError::Compressed(n)) => return Err(refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "compressed", n)),
        Err(BodyError::Broken) => return Err(refuse(StatusCode::BAD_REQUEST, "broken", 0)),
        Err(BodyError::Busy) => return Ok(unavailable(app, "bodies_full")),
    };
    let started = Instant::now();
    let size = body.len() as u64;
    let callback = callback(request, app, id, known.spec, method, body);
    let verified = providers::prove(known.account.as_ref(), callback, token)
        .map_err(|unproven| Refuse(StatusCode::UNAUTHORIZED, unproven.refusal.as_str(), size, Some(unproven)))?;
    match app.inbox.callback(known.spec.slug, verified).await {
        Ok(receipt) => {
            Metrics::count(&app.metrics.callbacks, known.spec.slug, if receipt.repeat { "repeat" } else { "stored" });
            if receipt.repeat {
                app.signals.repeated(id);
            }
            app.metrics.ack_seconds.observe(started.elapsed().as_secs_f64());
            Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")).body("ok"))
        }
        Err(e) => Ok(unavailable(app, e.as_str())),
    }
}

fn unavailable(app: &App, reason: &'static str) -> HttpResponse {
    Metrics::count_reason(&app.metrics.unavailable, reason);
    tracing::error!(reason, "a callback could not be stored and was answered 503");
    HttpResponse::ServiceUnavailable().insert_header((RETRY_AFTER, "5")).finish()
}

fn handshake(answer: Handshake) -> Result<HttpResponse, Refuse> {
    match answer {
        Handshake::Challenge(text) => Ok(HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "text/plain; charset=utf-8"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((CACHE_CONTROL, "no-store"))
            .body(text)),
        Handshake::Refused => Err(refuse(StatusCode::FORBIDDEN, "mismatch", 0)),
        Handshake::None => Err(refuse(StatusCode::METHOD_NOT_ALLOWED, "method", 0)),
    }
}

fn callback(request: &HttpRequest, app: &App, id: &AccountId, spec: &Spec, method: Method, body: Vec<u8>) -> Callback {
    let text = |v: &http::header::HeaderValue| String::from_utf8_lossy(v.as_bytes()).into_owned();
    let header = |name: &str| request.headers().get(name).map(text);
    Callback {
        account: id.clone(),
        method,
        query: request.query_string().to_owned(),
        content_type: header("content-type"),
        headers: spec.kept_headers.iter().filter_map(|n| header(n).map(|v| ((*n).to_owned(), v))).collect(),
        body,
        source: source(request),
        received_at: app.clock.now(),
    }
}

/// The address a request came from. Behind a reverse proxy on this machine it is the last entry of `X-Forwarded-For`, the one that
/// the proxy itself wrote; from anywhere else that header is the sender's own word and counts for nothing.
pub fn source(request: &HttpRequest) -> String {
    let Some(peer) = request.peer_addr().map(|a| a.ip()) else { return String::new() };
    let forwarded = request.headers().get("x-forwarded-for").and_then(|v| v.to_str().ok()).filter(|_| peer.is_loopback());
    let last = forwarded.and_then(|f| f.rsplit(',').next()?.trim().parse::<std::net::IpAddr>().ok());
    last.unwrap_or(peer).to_string()
}
