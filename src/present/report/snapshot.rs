//! The account as it stands when a report is made: what the provider's support asks for first. Every part may be unknown.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::failure::named;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::domain::watch::pulse::Pulse;
use crate::domain::watch::templates::TemplateFacts;
use crate::domain::watch::{Reason, Standing};
use crate::present::Reader;
use crate::present::schema::{self, Moment};
use crate::store::StoreError;
use crate::store::sqlite::query::CallbackFilter;

/// How many callbacks that could not be understood are counted.
const ERRORS_MAX: usize = 100;

named! {
    /// What is known of a token or key.
    TokenState {
        /// The provider accepted it.
        Accepted = "accepted",
        /// The provider refused it.
        Refused = "refused",
        /// It has reached its end.
        Expired = "expired",
        /// The permission behind it was withdrawn.
        Revoked = "revoked",
    }
}

/// The account as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
#[schema(as = ReportSnapshot)]
pub struct Snapshot {
    /// How it stands.
    #[schema(value_type = Option<schema::AccountState>)]
    pub standing: Option<Standing>,
    /// Why.
    #[schema(value_type = Option<schema::AccountReason>)]
    pub reason: Option<Reason>,
    /// Since when.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// When the last callback came.
    #[schema(value_type = Option<Moment>)]
    pub last_callback_at: Option<Millis>,
    /// When the last receipt came.
    #[schema(value_type = Option<Moment>)]
    pub last_receipt_at: Option<Millis>,
    /// Its token or key.
    pub token: Option<TokenSnapshot>,
    /// Its allowance.
    pub quota: Option<QuotaSnapshot>,
    /// The message's template.
    pub template: Option<TemplateSnapshot>,
    /// How many callbacks were lately refused for their signature or token.
    pub signatures_refused: Option<u64>,
    /// How many stored callbacks could not be understood; counted up to a hundred.
    pub callbacks_in_error: Option<u64>,
    /// The app that holds the conversation, and whether it is ours.
    pub thread: Option<ThreadSnapshot>,
}

/// A token or key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportToken)]
pub struct TokenSnapshot {
    /// `accepted`, `refused`, `expired` or `revoked`.
    #[schema(value_type = schema::TokenState)]
    pub state: TokenState,
    /// When that was last seen.
    #[schema(value_type = Option<Moment>)]
    pub as_of: Option<Millis>,
    /// When it ends.
    #[schema(value_type = Option<Moment>)]
    pub expires_at: Option<Millis>,
}

/// An allowance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportQuota)]
pub struct QuotaSnapshot {
    /// Which, in the provider's word.
    pub kind: Option<String>,
    /// How many a day.
    pub daily: Option<String>,
    /// How many are left.
    pub remaining: Option<String>,
    /// When that was told.
    #[schema(value_type = Option<Moment>)]
    pub as_of: Option<Millis>,
}

/// A template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportTemplate)]
pub struct TemplateSnapshot {
    /// The provider's id.
    pub template_id: String,
    /// Where it stands.
    #[schema(value_type = schema::TemplateStatus)]
    pub status: &'static str,
    /// Since when.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// Why, in the provider's words.
    pub reason: Option<String>,
    /// Its quality, in the provider's word.
    pub quality: Option<String>,
    /// Its allowance, as the provider told it.
    pub quota: Option<String>,
}

/// Who holds a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReportThread)]
pub struct ThreadSnapshot {
    /// The app, by the provider's id or name; null where nobody knows.
    pub owner: Option<String>,
    /// It is ours.
    pub ours: bool,
    /// Since when.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
}

impl TemplateSnapshot {
    fn new(template_id: &str, facts: &TemplateFacts) -> TemplateSnapshot {
        let last = facts.last_change();
        TemplateSnapshot {
            template_id: template_id.to_owned(),
            status: facts.status().as_str(),
            since: last.map(|c| c.at),
            reason: last.and_then(|c| c.what.reason.clone()),
            quality: facts.qualities.last().map(|t| t.what.clone()),
            quota: facts.quotas.last().map(|t| t.what.clone()),
        }
    }
}

/// What is known of the account's token: a dead one first, else the last that was accepted.
fn token(pulse: &Pulse, ends_at: Option<Millis>, now: Millis) -> Option<TokenSnapshot> {
    let told = |state, as_of| Some(TokenSnapshot { state, as_of: Some(as_of), expires_at: ends_at });
    if let Some((_, since, reason)) = pulse.tokens.last_dead() {
        return told(if reason == Reason::PermissionRevoked { TokenState::Revoked } else { TokenState::Refused }, since);
    }
    if let Some(end) = ends_at.filter(|end| *end <= now) {
        return told(TokenState::Expired, end);
    }
    let accepted = pulse.tokens.iter().filter_map(|(_, t)| t.accepted_at).max();
    accepted.and_then(|at| told(TokenState::Accepted, at))
}

/// The last figures of an allowance.
fn quota(pulse: &Pulse) -> Option<QuotaSnapshot> {
    let ends = |word: &str| pulse.figures.iter().filter(|(name, _)| name.ends_with(word)).max_by_key(|(_, (_, at))| *at);
    let (daily, remaining) = (ends("daily"), ends("remaining"));
    let as_of = [daily, remaining].into_iter().flatten().map(|(_, (_, at))| *at).max()?;
    let value = |told: Option<(&String, &(String, Millis))>| told.map(|(_, (value, _))| value.clone());
    let kind = remaining.or(daily).and_then(|(name, _)| name.rsplit_once(' ')).map(|(kind, _)| kind.to_owned());
    Some(QuotaSnapshot { kind, daily: value(daily), remaining: value(remaining), as_of: Some(as_of) })
}

impl Reader<'_> {
    /// An account as it stands at a moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn account_snapshot(&self, account: &AccountId, template_id: Option<&str>, now: Millis) -> Result<Snapshot, StoreError> {
        let of_account = CallbackFilter { account: Some(account.clone()), ..CallbackFilter::default() };
        let last = self.inbox.callbacks(self.state, &of_account, None, 1)?;
        let in_error = CallbackFilter { status: Some(crate::domain::record::Status::Error), ..of_account };
        let in_error = self.inbox.callbacks(self.state, &in_error, None, ERRORS_MAX)?;
        let template = match template_id {
            Some(id) => self.template_facts(account, id)?.map(|facts| TemplateSnapshot::new(id, &facts)),
            None => None,
        };
        let watch = self.watch(now)?;
        let judged = watch.judgement(account);
        let pulse = watch.of(account).map(|(pulse, _)| pulse);
        Ok(Snapshot {
            standing: judged.map(|j| j.standing),
            reason: judged.map(|j| j.reason),
            since: judged.and_then(|j| j.since),
            last_receipt_at: pulse.and_then(|p| p.last_receipt_at),
            token: pulse.and_then(|p| token(p, self.rules.get(account).and_then(|k| k.account.token_ends_at()), now)),
            quota: pulse.and_then(quota),
            signatures_refused: pulse.map(|p| p.refused_run.map_or(0, |(_, n)| n)),
            last_callback_at: last.items.first().map(|line| line.received_at),
            callbacks_in_error: Some(in_error.items.len() as u64),
            template,
            ..Snapshot::default()
        })
    }
}
