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
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::present::schema::{Account, Moment, some_provider};
use crate::providers::{self, Clue, ClueText, Finding, Refusal};

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

/// One refused callback, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// When it came.
    pub at: Millis,
    /// The account in the URL.
    pub account: String,
    /// The provider in the URL.
    pub provider: String,
    /// Why.
    pub reason: &'static str,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or as many as it announced.
    pub size: u64,
}

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
    /// What explains it, the surest first. Empty where it was not examined: so often in a minute only, and shortly after the refusal.
    pub clues: Vec<ClueView>,
}

/// What explains a refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusalClue)]
pub struct ClueView {
    /// The mistake.
    #[schema(schema_with = clues)]
    pub clue: Clue,
    /// The other account whose secret fits, for `other_account`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Account>)]
    pub account: Option<AccountId>,
    /// What happened, in the language asked for.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

impl RefusedView {
    /// For people of a language.
    fn new(refused: &Refused, found: &[Finding], lang: Lang) -> RefusedView {
        let Refused { at, account, provider, reason, source, size } = refused.clone();
        let spec = providers::find(&provider);
        let clue = |f: &Finding| {
            let ClueText { cause, remedy } = f.text(lang, spec?);
            Some(ClueView { clue: f.clue, account: f.account.clone(), cause, remedy })
        };
        let clues = found.iter().filter_map(clue).collect();
        RefusedView { at, account, provider, reason, source, size, clues }
    }
}

/// The schema of `clue`.
fn clues() -> Object {
    let all = Clue::ALL.iter().map(|c| c.as_str());
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(all)).description(Some("The mistake that explains it.")).build()
}

/// The schema of `reason`.
fn reasons() -> Object {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(REASONS)).description(Some("Why it was refused.")).build()
}

/// The last refused callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({ "data": [{
    "at": "2026-01-31T08:15:30.123Z", "account": "shop-oa", "provider": some_provider(), "reason": "mismatch", "source": "203.0.113.9",
    "size": 412, "clues": [{
        "clue": "reserialised", "cause": "It fits the same JSON in another spelling.", "remedy": "Pass the body through byte for byte."
    }]
}]}))]
pub struct RefusedList {
    /// Newest first.
    pub data: Vec<RefusedView>,
}

/// Keeps the last refused callbacks.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// How many there were ever: the number of the next one.
    ever: u64,
    /// Newest first: number, refusal, and what explains it.
    last: VecDeque<(u64, Refused, Vec<Finding>)>,
}

impl Refusals {
    /// Keeps one; the answer is its number.
    pub fn add(&self, refused: Refused) -> u64 {
        let Ok(mut kept) = self.0.lock() else { return 0 };
        kept.last.truncate(REFUSALS_MAX - 1);
        let number = kept.ever;
        kept.ever += 1;
        kept.last.push_front((number, refused, Vec::new()));
        number
    }

    /// Adds what explains one, if it is still kept.
    pub fn explain(&self, number: u64, found: Vec<Finding>) {
        if let Ok(mut kept) = self.0.lock()
            && let Some((_, _, explained)) = kept.last.iter_mut().find(|(n, _, _)| *n == number)
        {
            *explained = found;
        }
    }

    /// All of them, newest first.
    pub fn all(&self, lang: Lang) -> Vec<RefusedView> {
        let kept: Vec<_> = self.0.lock().map(|kept| kept.last.iter().cloned().collect()).unwrap_or_default();
        kept.iter().map(|(_, refused, found)| RefusedView::new(refused, found, lang)).collect()
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
    let lang = lang(&request, &Params::read(request.query_string(), &[])?, &app)?;
    Ok(web::Json(RefusedList { data: app.refusals.all(lang) }))
}
