//! Errors of the query API: RFC 9457 problem documents with a stable `code`.
//!
//! What a client reads here and what the log reads are never the same string.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ContentType, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::failures::KINDS;
use crate::ingest::SubmitError;
use crate::store::StoreError;

/// A problem document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`; `code` tells the kind.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// The status in words.
    #[schema(example = "Bad Request")]
    pub title: &'static str,
    /// The HTTP status.
    #[schema(example = 400, minimum = 400, maximum = 599)]
    pub status: u16,
    /// The stable name of the problem.
    #[schema(schema_with = codes)]
    pub code: &'static str,
    /// What is wrong and what to do.
    pub detail: String,
    /// The places that are wrong, where there are several or one can be named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ProblemAt>,
}

/// One place that is wrong.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct ProblemAt {
    /// A JSON pointer into the request's body, or the name of a parameter.
    pub at: String,
    /// What is wrong there.
    pub detail: String,
    /// The value on record, in a contradiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub known: Option<String>,
    /// The value given now, in a contradiction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<String>,
}

/// The schema of `code`: every code there is.
fn codes() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(KINDS.iter().map(|k| k.code)))
        .description(Some("The stable name of the problem."))
        .build()
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.detail)
    }
}

impl Problem {
    /// A problem of a documented kind.
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Problem {
        debug_assert!(KINDS.iter().any(|k| k.code == code && k.status == status), "{code} with {status} is not documented");
        Problem {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            code,
            detail: detail.into(),
            errors: Vec::new(),
        }
    }

    /// 400 for one parameter or member.
    pub fn invalid(at: impl Into<String>, detail: impl Into<String>) -> Problem {
        let (at, detail) = (at.into(), detail.into());
        let text = format!("{at}: {detail}");
        Problem::new(StatusCode::BAD_REQUEST, "invalid_parameter", text).with(vec![ProblemAt { at, detail, ..ProblemAt::default() }])
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }

    /// 503.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// With places.
    pub fn with(mut self, errors: Vec<ProblemAt>) -> Problem {
        self.errors = errors;
        self
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((HeaderName::from_static("cache-control"), HeaderValue::from_static("no-store")));
        match self.status_code() {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"baophat\"")));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, HeaderValue::from_static("2")));
            }
            _ => {}
        }
        let body = serde_json::to_vec(self).unwrap_or_default();
        response.insert_header(ContentType("application/problem+json".parse().unwrap_or(mime::APPLICATION_JSON))).body(body)
    }
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Problem {
        tracing::error!(error = %e, source = ?std::error::Error::source(&e).map(ToString::to_string), "a question could not be answered");
        Problem::unavailable(format!("the store cannot be read just now ({}); try again, and look at /readyz", e.slug()))
    }
}

impl From<SubmitError> for Problem {
    fn from(e: SubmitError) -> Problem {
        Problem::unavailable(format!("nothing was taken: {e}; send it again"))
    }
}
