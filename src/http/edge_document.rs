//! What the OpenAPI document says of the webhook edge. One handler answers all of it; the path and the methods that an account
//! really has depend on its provider. Nothing here runs.
#![allow(dead_code, reason = "it documents edge::receive")]

use std::collections::BTreeMap;

use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{HeaderBuilder, RefOr, Response, ResponseBuilder, Schema};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::present::schema;
use crate::providers::PROVIDERS;

/// Providers by whether their callbacks prove themselves by a token in the path.
fn providers(token_in_path: bool) -> RefOr<Schema> {
    let slugs = PROVIDERS.iter().filter(|p| p.token_in_path == token_in_path).map(|p| p.slug);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(slugs)).into()
}

/// A provider that signs.
struct Signing;

impl PartialSchema for Signing {
    fn schema() -> RefOr<Schema> {
        providers(false)
    }
}

impl ToSchema for Signing {}

/// A provider that is known by a token.
struct Naming;

impl PartialSchema for Naming {
    fn schema() -> RefOr<Schema> {
        providers(true)
    }
}

impl ToSchema for Naming {}

/// Status, meaning, and the header that comes with it.
type Refusal = (&'static str, &'static str, Option<(&'static str, &'static str)>);

const ALLOW: Option<(&str, &str)> = Some(("Allow", "The methods that are possible"));

const REFUSALS: &[Refusal] = &[
    ("400", "The connection broke within the body", None),
    ("401", "No signature or token, or a wrong one; nothing is stored", None),
    ("404", "No such account", None),
    ("405", "The account takes other methods only", ALLOW),
    ("408", "The body did not arrive in time", None),
    ("413", "The body is larger than the configured limit", None),
    ("415", "The body is compressed", None),
    ("503", "It could not be stored; send it again", Some(("Retry-After", "Seconds to wait"))),
];

const HANDSHAKE_REFUSALS: &[Refusal] = &[
    ("403", "The verify token does not fit, or the question is incomplete", None),
    ("404", "No such account", None),
    ("405", "The provider has no handshake", ALLOW),
];

/// None of them has a body.
fn responses(refusals: &[Refusal]) -> BTreeMap<String, RefOr<Response>> {
    let response = |(status, meaning, header): &Refusal| {
        let response = ResponseBuilder::new().description(*meaning);
        let text = ObjectBuilder::new().schema_type(Type::String);
        let response = match header {
            Some((name, what)) => response.header(*name, HeaderBuilder::new().schema(Some(text)).description(Some(*what)).build()),
            None => response,
        };
        ((*status).to_owned(), response.build().into())
    };
    refusals.iter().map(response).collect()
}

/// Of a callback.
struct Refused;

impl IntoResponses for Refused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(REFUSALS)
    }
}

/// Of a handshake.
struct HandshakeRefused;

impl IntoResponses for HandshakeRefused {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(HANDSHAKE_REFUSALS)
    }
}

/// Takes a signed callback.
///
/// The body is kept as it came; its content type does not matter. A 200 is a receipt: the callback is on disk before it leaves. Refusals
/// have no body.
#[utoipa::path(
    post,
    path = "/webhooks/{provider}/{account}",
    operation_id = "takeCallback",
    tag = "webhooks",
    params(
        ("provider" = inline(Signing), Path, description = "Provider slug"),
        ("account" = inline(schema::Account), Path, description = "Account slug", example = "shop-oa"),
    ),
    request_body(
        content = Option<Value>, content_type = "application/json", description = "What the provider tells, signed as it signs",
        example = json!({ "event_name": "user_received_message", "timestamp": "1764000000111" })
    ),
    responses(
        (status = 200, body = String, description = "It is on disk, or was already", example = json!("ok")),
        Refused
    )
)]
fn take_signed() {}

/// Answers a provider's handshake.
///
/// The query is the provider's own. Providers without a handshake are answered 405.
#[utoipa::path(
    get,
    path = "/webhooks/{provider}/{account}",
    operation_id = "answerHandshake",
    tag = "webhooks",
    params(
        ("provider" = inline(Signing), Path, description = "Provider slug"),
        ("account" = inline(schema::Account), Path, description = "Account slug", example = "shop-page"),
    ),
    responses(
        (status = 200, body = String, description = "The challenge", example = json!("1158201444")),
        HandshakeRefused
    )
)]
fn handshake() {}

/// Takes a callback whose proof is the token in its path.
///
/// Everything it tells is in the query, which is kept as it came. A 200 is a receipt: the callback is on disk before it leaves. Refusals
/// have no body.
#[utoipa::path(
    get,
    path = "/webhooks/{provider}/{account}/{callback_token}",
    operation_id = "takeCallbackByToken",
    tag = "webhooks",
    params(
        ("provider" = inline(Naming), Path, description = "Provider slug"),
        ("account" = inline(schema::Account), Path, description = "Account slug", example = "shop-sms"),
        ("callback_token" = String, Path, description = "The configured `callback_token`", example = "a-token-of-16-characters-or-more"),
    ),
    responses(
        (status = 200, body = String, description = "It is on disk, or was already", example = json!("ok")),
        Refused
    )
)]
fn take_named() {}

/// Takes a callback whose proof is the token in its path, with a body.
///
/// As the GET; what it tells may stand in the query or in the body, as a form or as JSON.
#[utoipa::path(
    post,
    path = "/webhooks/{provider}/{account}/{callback_token}",
    operation_id = "takeCallbackByTokenWithBody",
    tag = "webhooks",
    params(
        ("provider" = inline(Naming), Path, description = "Provider slug"),
        ("account" = inline(schema::Account), Path, description = "Account slug", example = "shop-sms"),
        ("callback_token" = String, Path, description = "The configured `callback_token`", example = "a-token-of-16-characters-or-more"),
    ),
    request_body(
        description = "What the provider tells",
        content(
            (Option<Value> = "application/json", example = json!({ "SMSID": "a-1", "SendStatus": "5" })),
            (Option<Object> = "application/x-www-form-urlencoded", example = json!({ "SMSID": "a-1", "SendStatus": "5" })),
        )
    ),
    responses(
        (status = 200, body = String, description = "It is on disk, or was already", example = json!("ok")),
        Refused
    )
)]
fn take_named_with_body() {}
