//! The last refused callbacks: enough to find a wrong secret or a wrong URL, never a secret or a body.

use std::collections::VecDeque;
use std::sync::Mutex;

use actix_web::{HttpRequest, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::App;
use super::params::Params;
use super::problem::Problem;
use crate::domain::time::Millis;

/// How many are kept.
pub const REFUSALS_MAX: usize = 100;

/// One refused callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusedCallback)]
pub struct RefusedView {
    /// When it came.
    #[schema(value_type = String, format = "date-time")]
    pub at: Millis,
    /// The account in the URL.
    pub account: String,
    /// The provider in the URL.
    pub provider: String,
    /// `missing`, `malformed`, `mismatch`, `unknown_account`, `too_large`, `too_slow`, `compressed` or `method`.
    #[schema(example = "mismatch")]
    pub reason: &'static str,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or as many as it announced.
    pub size: u64,
}

/// The last refused callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
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
    responses((status = 200, body = RefusedList), (status = 400, body = Problem, content_type = "application/problem+json"), (status = 401, body = Problem, content_type = "application/problem+json")),
    security(("key" = []))
)]
#[get("/refused")]
pub async fn list(request: HttpRequest, app: web::Data<App>) -> Result<web::Json<RefusedList>, Problem> {
    Params::read(request.query_string(), &[])?;
    Ok(web::Json(RefusedList { data: app.refusals.all() }))
}
