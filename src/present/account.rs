//! An account's health as the outside sees it: how it stands, why, since when, what never came, and what to do.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{Account, AccountReason, AccountState, EventRole, Moment, Provider};
use super::{Reader, examples};
use crate::domain::event::EventGroup;
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::time::{Millis, Span};
use crate::domain::watch::judge::{GRACE_UNLEARNED, Judgement, share};
use crate::domain::watch::pulse::{Pulse, Told};
use crate::domain::watch::tokens::{Token, Tokens};
use crate::domain::watch::{Reason, Standing, Watch, words};
use crate::ingest::Known;
use crate::store::StoreError;

/// Health of every configured account.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AccountList, example = json!(examples::account_list()))]
pub struct AccountList {
    /// By id.
    pub data: Vec<AccountView>,
}

/// One account.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = AccountHealth, example = json!(examples::account()))]
pub struct AccountView {
    /// Account slug.
    #[schema(value_type = Account)]
    pub id: String,
    /// Provider slug.
    #[schema(value_type = Provider)]
    pub provider: &'static str,
    /// How it stands.
    #[schema(value_type = AccountState)]
    pub state: &'static str,
    /// Why.
    #[schema(value_type = AccountReason)]
    pub reason: &'static str,
    /// Since when what the reason names has been so, as far as known.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// The reason for people: what it means and what to do.
    pub explanation: ReasonView,
    /// The first valid callback.
    #[schema(value_type = Option<Moment>)]
    pub first_callback_at: Option<Millis>,
    /// The last valid callback.
    #[schema(value_type = Option<Moment>)]
    pub last_callback_at: Option<Millis>,
    /// The last callback that told of a delivery or a reading.
    #[schema(value_type = Option<Moment>)]
    pub last_receipt_at: Option<Millis>,
    /// The last send that the provider accepted.
    #[schema(value_type = Option<Moment>)]
    pub last_sent_at: Option<Millis>,
    /// Groups of events: what came, and what is expected and never did.
    pub events: Vec<EventGroupView>,
    /// Names of the groups that are expected and never came.
    pub never_seen: Vec<&'static str>,
    /// Refused requests.
    pub refused: RefusedView,
    /// Tokens or keys, by sender.
    pub tokens: Vec<TokenView>,
    /// When the configured token ends.
    #[schema(value_type = Option<Moment>)]
    pub token_ends_at: Option<Millis>,
    /// Quotas and limits as the provider told them.
    pub limits: Vec<FigureView>,
    /// The provider's last word on a bar or a warning.
    pub policy: Option<PolicyView>,
    /// What is counted.
    pub counters: CountersView,
    /// What is usual, as learned.
    pub usual: UsualView,
}

/// A reason for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccountExplanation)]
pub struct ReasonView {
    /// What it is.
    pub title: &'static str,
    /// Why it is so.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// A group of events that the provider's console switches on and off together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventGroup)]
pub struct EventGroupView {
    /// Its name.
    pub group: &'static str,
    /// What it tells.
    #[schema(value_type = EventRole)]
    pub role: &'static str,
    /// How many callbacks of it came.
    pub count: u64,
    /// When the last one came.
    #[schema(value_type = Option<Moment>)]
    pub last_at: Option<Millis>,
    /// Every account should see some.
    pub expected: bool,
    /// It is expected and never came.
    pub missing: bool,
    /// What is lost without it, and where it is switched on.
    pub switch: &'static str,
}

/// Something that is counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Counted)]
pub struct CountView {
    /// How often.
    pub count: u64,
    /// When last.
    #[schema(value_type = Option<Moment>)]
    pub last_at: Option<Millis>,
}

/// Refused requests of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusedRequests)]
pub struct RefusedView {
    /// How many since the last valid callback.
    pub in_a_row: u64,
    /// When those began.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// By reason and by what gives them away.
    pub by_reason: Vec<RefusedReasonView>,
}

/// Refused requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = RefusedReason)]
pub struct RefusedReasonView {
    /// The reason, or the clue.
    pub reason: String,
    /// How often.
    pub count: u64,
    /// When last.
    #[schema(value_type = Moment)]
    pub last_at: Millis,
}

/// What send calls told of one sender's token or key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TokenHealth)]
pub struct TokenView {
    /// The OA, Page or number; null where it is not known.
    pub sender: Option<String>,
    /// `valid`, `refused` or `revoked`.
    pub state: &'static str,
    /// A send was last accepted.
    #[schema(value_type = Option<Moment>)]
    pub accepted_at: Option<Millis>,
    /// A send was last refused for want of a valid token.
    #[schema(value_type = Option<Moment>)]
    pub refused_at: Option<Millis>,
    /// With this code.
    pub code: Option<String>,
    /// The permission was withdrawn.
    #[schema(value_type = Option<Moment>)]
    pub revoked_at: Option<Millis>,
}

/// A quota or limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = LimitFigure)]
pub struct FigureView {
    /// Its name; `limit CODE` for a limit that refused a message.
    pub name: String,
    /// As the provider told it.
    pub value: String,
    /// When.
    #[schema(value_type = Moment)]
    pub at: Millis,
}

/// The provider's word on a bar or a warning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PolicyWord)]
pub struct PolicyView {
    /// When.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// The account is barred since.
    pub barred: bool,
    /// The provider's words.
    pub text: String,
}

/// What is counted of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccountCounters)]
pub struct CountersView {
    /// Callbacks, repeats left out.
    pub callbacks: u64,
    /// Repeats of callbacks that were on record.
    pub duplicates: CountView,
    /// Messages that moved after they had been found stuck.
    pub late: CountView,
    /// Messages that only a receipt told of.
    pub orphans: CountView,
    /// Failures with a code that is not in the catalogue.
    pub unknown_codes: CountView,
    /// Callbacks that could not be understood.
    pub errors: CountView,
    /// Requests that were no readable callbacks.
    pub malformed: CountView,
}

/// What is usual.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Usual)]
pub struct UsualView {
    /// The share of messages that get a receipt; null before enough was seen.
    pub receipt_share: Option<f64>,
    /// Within how many milliseconds a receipt usually comes; null before enough was seen.
    pub receipt_within_ms: Option<i64>,
    /// After how many milliseconds a receipt counts as missing.
    pub missing_after_ms: i64,
}

fn counted(told: Told) -> CountView {
    CountView { count: told.count, last_at: (told.count > 0).then_some(told.last_at) }
}

fn token(all: &Tokens, sender: &str, token: &Token) -> TokenView {
    let state = match all.dead(sender) {
        None => "valid",
        Some((_, Reason::PermissionRevoked)) => "revoked",
        Some(_) => "refused",
    };
    TokenView {
        sender: Some(sender).filter(|s| !s.is_empty()).map(str::to_owned),
        state,
        accepted_at: token.accepted_at,
        refused_at: token.refused_at,
        code: token.code.clone(),
        revoked_at: token.revoked_at,
    }
}

fn group(group: &'static EventGroup, pulse: &Pulse, lang: Lang) -> EventGroupView {
    let told = pulse.groups.get(group.slug).copied().unwrap_or_default();
    EventGroupView {
        group: group.slug,
        role: group.role.as_str(),
        count: told.count,
        last_at: (told.count > 0).then_some(told.last_at),
        expected: group.expected,
        missing: group.expected && told.count == 0,
        switch: match lang {
            Lang::Vi => group.switch.0,
            Lang::En => group.switch.1,
        },
    }
}

fn view(id: &AccountId, known: &Known, watch: &Watch, now: Millis, lang: Lang) -> AccountView {
    let unknown = Judgement { standing: Standing::Draft, reason: Reason::NeverCalled, since: None, deaf: false };
    let judged = watch.judgement(id).unwrap_or(unknown);
    let empty = Pulse::default();
    let pulse = watch.of(id).map_or(&empty, |(pulse, _)| pulse);
    let words = words::reason(judged.reason, lang);
    let events: Vec<EventGroupView> = known.spec.groups.iter().map(|g| group(g, pulse, lang)).collect();
    let learned = pulse.hours.last(Span::days(7), now).sent >= 50;
    let counters = &pulse.counters;
    AccountView {
        id: id.to_string(),
        provider: known.spec.slug,
        state: judged.standing.as_str(),
        reason: judged.reason.as_str(),
        since: judged.since,
        explanation: ReasonView { title: words.title, cause: words.cause, remedy: words.remedy },
        first_callback_at: pulse.first_callback_at,
        last_callback_at: pulse.last_callback_at,
        last_receipt_at: pulse.last_receipt_at,
        last_sent_at: pulse.last_sent_at,
        never_seen: events.iter().filter(|e| e.missing).map(|e| e.group).collect(),
        events,
        refused: RefusedView {
            in_a_row: pulse.refused_run.map_or(0, |(_, n)| n),
            since: pulse.refused_run.map(|(since, _)| since),
            by_reason: pulse
                .refused
                .iter()
                .map(|(reason, told)| RefusedReasonView { reason: reason.clone(), count: told.count, last_at: told.last_at })
                .collect(),
        },
        tokens: pulse.tokens.iter().map(|(sender, t)| token(&pulse.tokens, sender, t)).collect(),
        token_ends_at: known.account.token_ends_at(),
        limits: pulse.figures.iter().map(|(name, (value, at))| FigureView { name: name.clone(), value: value.clone(), at: *at }).collect(),
        policy: pulse.policy.as_ref().map(|(at, text)| PolicyView { at: *at, barred: pulse.barred_since().is_some(), text: text.clone() }),
        counters: CountersView {
            callbacks: counters.callbacks,
            duplicates: counted(counters.duplicates),
            late: counted(counters.late),
            orphans: counted(counters.orphans),
            unknown_codes: counted(counters.unknown_codes),
            errors: counted(counters.errors),
            malformed: counted(counters.malformed),
        },
        usual: UsualView {
            receipt_share: learned.then(|| (share(pulse, now) * 1_000.0).round() / 1_000.0),
            receipt_within_ms: watch.grace(id).map(|_| pulse.recent.usual_ms),
            missing_after_ms: watch.grace(id).unwrap_or(GRACE_UNLEARNED).0,
        },
    }
}

impl Reader<'_> {
    /// What is watched, judged at a moment.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn watch(&self, now: Millis) -> Result<Watch, StoreError> {
        let mut sheets = Vec::new();
        for prefix in Watch::PREFIXES {
            sheets.extend(self.state.sheets(prefix)?);
        }
        let (mut watch, _) = Watch::load(sheets);
        watch.tick(now, self.rules.iter().map(|(id, known)| (id, known.configured())));
        Ok(watch)
    }

    /// Every configured account, by id.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn accounts(&self, now: Millis) -> Result<Vec<AccountView>, StoreError> {
        let watch = self.watch(now)?;
        let mut all: Vec<AccountView> = self.rules.iter().map(|(id, known)| view(id, known, &watch, now, self.lang)).collect();
        all.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(all)
    }

    /// One account; `None` when it is not configured.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn account(&self, id: &AccountId, now: Millis) -> Result<Option<AccountView>, StoreError> {
        let Some(known) = self.rules.get(id) else { return Ok(None) };
        Ok(Some(view(id, known, &self.watch(now)?, now, self.lang)))
    }
}
