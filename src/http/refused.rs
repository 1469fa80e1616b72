//! The last refused callbacks: enough to find a wrong secret or a wrong URL, never a secret or a body.

use std::collections::VecDeque;
use std::sync::Mutex;

use actix_web::{HttpRequest, get, web};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use super::App;
use super::failures::Told;
use super::messages::lang;
use super::params::{LangParam, Params};
use super::problem::Problem;
use crate::domain::time::Millis;
use crate::present::schema::{Moment, some_provider};
use crate::providers::Refusal;

/// How many are kept.
pub const REFUSALS_MAX: usize = 100;

/// Every reason there is: those of a provider's proof, then those of the edge.
const REASONS: [&str; 9] = [
    Refusal::Missing.as_str(),
    Refusal::Malformed.as_str(),
    Refusal::Mismatch.as_str(),
    "unknown_account",
    "method",
    "too_large",
    "too_slow",
    "compressed",
    "broken",
];

/// One refused callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusedCallback)]
pub struct RefusedView {
    /// When it came.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// The account in the URL.
    pub account: String,
    /// The provider in the URL.
    pub provider: String,
    /// Why: no signature or token, one that cannot be one, one that does not fit, or a request that was not even looked at.
    #[schema(schema_with = reasons)]
    pub reason: &'static str,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or as many as it announced.
    pub size: u64,
}

/// The schema of `reason`.
fn reasons() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(REASONS)).description(Some("Why it was refused.")).build()
}

/// The last refused callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{
    "at": "2026-01-31T08:15:30.123Z", "account": "shop-oa", "provider": some_provider(), "reason": "mismatch", "source": "203.0.113.9",
    "size": 412
}]}))]
pub struct RefusedList {
    /// Newest first.
    pub data: Vec<RefusedView>,
}

/// Keeps the last refused callbacks.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<RefusedView>>);

impl Refusals {
    /// Keeps one.
    pub fn add(&self, refused: RefusedView) {
        if let Ok(mut all) = self.0.lock() {
            if all.len() == REFUSALS_MAX {
                all.pop_back();
            }
            all.push_front(refused);
        }
    }

    /// All of them, newest first.
    pub fn all(&self) -> Vec<RefusedView> {
        self.0.lock().map(|all| all.iter().cloned().collect()).unwrap_or_default()
    }
}

/// The last 100 refused callbacks.
#[utoipa::path(
    tag = "callbacks",
    operation_id = "listRefused",
    params(LangParam),
    responses((status = 200, body = RefusedList, description = "The refused callbacks, newest first"), Told),
    security(("key" = []))
)]
#[get("/refused")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<RefusedList>, Problem> {
    lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    Ok(web::Json(RefusedList { data: app.refusals.all() }))
}
