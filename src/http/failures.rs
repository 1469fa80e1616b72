//! What can go wrong, for readers of the API: one row for each `code`, and the sets of them that operations document. It must not
//! decide anything; the answers themselves are made where the fault is found.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use serde_json::Value;
use utoipa::IntoResponses;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HeaderBuilder, Ref, RefOr, Response, ResponseBuilder, example::ExampleBuilder};

use super::problem::{Problem, ProblemAt};

/// One kind of problem.
#[derive(Debug)]
pub struct Kind {
    /// The stable name.
    pub code: &'static str,
    /// The status it comes with.
    pub status: StatusCode,
    /// What it means, for the document.
    meaning: &'static str,
    /// A detail that such a problem may carry, for the document.
    detail: &'static str,
    /// The place it may name, and what is wrong there.
    place: Option<(&'static str, &'static str)>,
}

const fn kind(code: &'static str, status: StatusCode, meaning: &'static str, detail: &'static str) -> Kind {
    Kind { code, status, meaning, detail, place: None }
}

const fn at(place: &'static str, what: &'static str, kind: Kind) -> Kind {
    Kind { place: Some((place, what)), ..kind }
}

/// Every code there is.
pub const KINDS: &[Kind] = &[
    at(
        "limit",
        "a whole number from 1 to 500",
        kind(
            "invalid_parameter",
            StatusCode::BAD_REQUEST,
            "A parameter or a member is not as documented, is unknown, or contradicts another",
            "limit: a whole number from 1 to 500",
        ),
    ),
    at(
        "/",
        "not the expected JSON: EOF while parsing a value at line 1 column 0",
        kind(
            "invalid_json",
            StatusCode::BAD_REQUEST,
            "The body is not the expected JSON",
            "/: not the expected JSON: EOF while parsing a value at line 1 column 0",
        ),
    ),
    kind(
        "too_many_messages",
        StatusCode::BAD_REQUEST,
        "More messages than one call may have",
        "1001 messages in one call; send at most 1000",
    ),
    kind("broken_body", StatusCode::BAD_REQUEST, "The connection broke within the body", "the connection broke within the body"),
    kind(
        "unauthorized",
        StatusCode::UNAUTHORIZED,
        "No key, or a wrong one",
        "send `Authorization: Bearer KEY` with one of the configured api_keys, or with the key printed at the first start",
    ),
    kind(
        "not_found",
        StatusCode::NOT_FOUND,
        "There is no such thing",
        "there is no message with this id; ids are given by GET /v1/messages, which also finds by message_id, ref and recipient",
    ),
    kind(
        "method_not_allowed",
        StatusCode::METHOD_NOT_ALLOWED,
        "The path takes other methods only",
        "DELETE is not possible here; possible: GET, POST",
    ),
    kind("body_too_slow", StatusCode::REQUEST_TIMEOUT, "The body did not arrive in time", "the body did not arrive in time"),
    at(
        "/recipient",
        "recipient differs from the message on record",
        kind(
            "message_conflict",
            StatusCode::CONFLICT,
            "It contradicts a message on record; the differences are named, nothing was taken",
            "this name belongs to message 019c12f4-51eb-7a3d-9c41-6f0000000001, which differs in recipient; use another ref for another \
         message. Nothing of this call was taken.",
        ),
    ),
    kind(
        "body_too_large",
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is larger than the configured limit",
        "the body is larger than 8388608 bytes; send fewer messages a call",
    ),
    kind(
        "unsupported_media_type",
        StatusCode::UNSUPPORTED_MEDIA_TYPE,
        "The body is declared as something else than JSON",
        "the body must be JSON, with `Content-Type: application/json`",
    ),
    kind("compressed_body", StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is compressed", "send the body without Content-Encoding"),
    kind(
        "not_folded",
        StatusCode::INTERNAL_SERVER_ERROR,
        "It is on disk and could not be folded: a fault of this program",
        "it is on disk and could not be folded; this is a fault of baophat, see its log",
    ),
    kind(
        "unavailable",
        StatusCode::SERVICE_UNAVAILABLE,
        "It cannot be answered just now; ask again",
        "nothing was taken: the inbox is full; send it again",
    ),
];

impl Kind {
    fn example(&self) -> Value {
        let places = self.place.map(|(at, detail)| ProblemAt { at: at.into(), detail: detail.into(), ..ProblemAt::default() });
        let mut problem = Problem::new(self.status, self.code, self.detail).with(places.into_iter().collect());
        if self.status == StatusCode::CONFLICT {
            for place in &mut problem.errors {
                (place.known, place.given) = (Some("84912000111".into()), Some("84987000222".into()));
            }
        }
        serde_json::to_value(problem).unwrap_or_default()
    }
}

/// The response of one status, given the kinds that share it.
fn response(kinds: &[&Kind]) -> Response {
    let meanings: Vec<&str> = kinds.iter().map(|k| k.meaning).collect();
    let example = |k: &&Kind| (k.code, ExampleBuilder::new().summary(k.meaning).value(Some(k.example())).build());
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).examples_from_iter(kinds.iter().map(example)).build();
    let response = ResponseBuilder::new().description(format!("{}.", meanings.join(". "))).content("application/problem+json", content);
    let Some((name, meaning)) = kinds.first().and_then(|k| header(k.status)) else { return response.build() };
    let schema = ObjectBuilder::new().schema_type(Type::String);
    response.header(name, HeaderBuilder::new().schema(Some(schema)).description(Some(meaning)).build()).build()
}

/// The header that comes with a status.
fn header(status: StatusCode) -> Option<(&'static str, &'static str)> {
    match status {
        StatusCode::UNAUTHORIZED => Some(("WWW-Authenticate", "`Bearer`")),
        StatusCode::METHOD_NOT_ALLOWED => Some(("Allow", "The methods that are possible")),
        StatusCode::SERVICE_UNAVAILABLE => Some(("Retry-After", "Seconds to wait")),
        _ => None,
    }
}

fn responses(codes: &[&str]) -> BTreeMap<String, RefOr<Response>> {
    let mut by_status: BTreeMap<String, Vec<&Kind>> = BTreeMap::new();
    for kind in KINDS.iter().filter(|k| codes.contains(&k.code)) {
        by_status.entry(kind.status.as_u16().to_string()).or_default().push(kind);
    }
    by_status.into_iter().map(|(status, kinds)| (status, response(&kinds).into())).collect()
}

macro_rules! failures {
    ($($(#[$meta:meta])* $name:ident = [$($code:literal),+ $(,)?];)+) => {$(
        $(#[$meta])*
        pub struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                responses(&[$($code),+])
            }
        }
    )+};
}

failures! {
    /// Of a question that is answered from memory.
    Told = ["invalid_parameter", "unauthorized", "method_not_allowed"];
    /// Of a question about one thing that is answered from memory.
    ToldOne = ["invalid_parameter", "unauthorized", "not_found", "method_not_allowed"];
    /// Of a question to the store.
    Asked = ["invalid_parameter", "unauthorized", "method_not_allowed", "unavailable"];
    /// Of a question to the store about one thing.
    AskedOne = ["invalid_parameter", "unauthorized", "not_found", "method_not_allowed", "unavailable"];
    /// Of a body with new messages.
    Registered = [
        "invalid_parameter", "invalid_json", "too_many_messages", "broken_body", "unauthorized", "method_not_allowed", "body_too_slow",
        "message_conflict", "body_too_large", "unsupported_media_type", "compressed_body", "not_folded", "unavailable",
    ];
    /// Of a body about one message.
    Answered = [
        "invalid_parameter", "invalid_json", "broken_body", "unauthorized", "not_found", "method_not_allowed", "body_too_slow",
        "message_conflict", "body_too_large", "unsupported_media_type", "compressed_body", "not_folded", "unavailable",
    ];
    /// Of a mark on one message.
    Marked = [
        "invalid_parameter", "invalid_json", "broken_body", "unauthorized", "not_found", "method_not_allowed", "body_too_slow",
        "body_too_large", "unsupported_media_type", "compressed_body", "not_folded", "unavailable",
    ];
    /// Of a page without a key.
    Open = ["method_not_allowed"];
    /// Of a page without a key that may not be there.
    OpenOne = ["not_found", "method_not_allowed"];
    /// Of a page that may need a key.
    Guarded = ["unauthorized", "method_not_allowed"];
}
