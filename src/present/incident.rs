//! An incident as the outside sees it: what happened to how many, why, and what to do.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{Account, FailureClass, MessageId, Moment};
use super::{IncidentSummary, Reader, Report, ReportWish, examples};
use crate::domain::failure::{Failure, Lang};
use crate::domain::ids::AccountId;
use crate::domain::stuck::Cause;
use crate::domain::time::Millis;
use crate::domain::watch::incident::{Incident, Trouble};
use crate::domain::watch::{IncidentId, Reason, decode, words};
use crate::providers::catalogue::catalogue;
use crate::store::StoreError;

/// One page of incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = IncidentPage, example = json!(examples::incident_page()))]
pub struct IncidentPage {
    /// The incidents, newest first.
    pub data: Vec<IncidentView>,
    /// The `before` of the next page; null at the end.
    pub next_before: Option<String>,
}

/// One incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Incident, example = json!(examples::incident()))]
pub struct IncidentView {
    /// Its number.
    pub id: String,
    /// Account slug.
    #[schema(value_type = Account)]
    pub account: String,
    /// What it is about: a cause of stuck messages, a reason of an account, or a class of failures.
    pub trouble: &'static str,
    /// The class of its failures, where it is one of failures.
    #[schema(value_type = Option<FailureClass>)]
    pub class: Option<&'static str>,
    /// The code of its failures.
    pub code: Option<String>,
    /// The sub-code of its failures.
    pub subcode: Option<String>,
    /// The template, where the template is what is wrong.
    pub template_id: Option<String>,
    /// The carrier, where the provider names one.
    pub carrier: Option<String>,
    /// It goes on.
    pub open: bool,
    /// Somebody should be woken up for it.
    pub urgent: bool,
    /// Since when its cause has been there, as far as known.
    #[schema(value_type = Moment)]
    pub since: Millis,
    /// When it opened.
    #[schema(value_type = Moment)]
    pub opened_at: Millis,
    /// When the last message joined.
    #[schema(value_type = Moment)]
    pub last_at: Millis,
    /// When it closed by itself.
    #[schema(value_type = Option<Moment>)]
    pub closed_at: Option<Millis>,
    /// Messages that joined.
    pub size: u64,
    /// Messages that are stuck for it now.
    pub stuck_now: u64,
    /// Different recipients; an estimate beyond 256.
    pub recipients: u64,
    /// The first messages.
    #[schema(value_type = Vec<MessageId>)]
    pub examples: Vec<String>,
    /// What it is, in a few words.
    pub title: String,
    /// Why, where the catalogue or the account tells.
    pub cause: Option<String>,
    /// What to do.
    pub remedy: String,
}

/// Which incidents.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Only open ones, or only closed ones.
    pub open: Option<bool>,
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only those with a smaller number.
    pub before: Option<IncidentId>,
}

impl Reader<'_> {
    /// A page of incidents, newest first, and the number before which the next one goes on.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn incidents(&self, filter: &IncidentFilter, limit: usize) -> Result<IncidentPage, StoreError> {
        let mut sheets = Vec::new();
        for (prefix, open) in [("incident/open/", true), ("incident/closed/", false)] {
            if filter.open.is_none_or(|wanted| wanted == open) {
                sheets.extend(self.state.sheets(prefix)?);
            }
        }
        let all = sheets.iter().filter_map(|(_, data)| decode::<Incident>(data));
        let mut all: Vec<Incident> = all
            .filter(|i| filter.account.as_ref().is_none_or(|id| i.key.account == *id) && filter.before.is_none_or(|n| i.id < n))
            .collect();
        all.sort_by_key(|i| std::cmp::Reverse(i.id));
        let more = all.len() > limit;
        all.truncate(limit);
        let next_before = all.last().filter(|_| more).map(|i| i.id.to_string());
        Ok(IncidentPage { data: all.iter().map(|i| self.incident_view(i)).collect(), next_before })
    }

    /// One incident; `None` when there is none or it is forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn incident(&self, id: IncidentId) -> Result<Option<IncidentView>, StoreError> {
        Ok(self.kept_incident(id)?.map(|incident| self.incident_view(&incident)))
    }

    fn kept_incident(&self, id: IncidentId) -> Result<Option<Incident>, StoreError> {
        for place in ["open", "closed"] {
            if let Some(data) = self.state.sheet(&format!("incident/{place}/{id:012}"))? {
                return Ok(decode(&data));
            }
        }
        Ok(None)
    }

    /// What a provider's support needs to know of an incident; `None` when there is none or it is forgotten.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report_of_incident(&self, id: IncidentId, wish: ReportWish) -> Result<Option<Report>, StoreError> {
        let Some(incident) = self.kept_incident(id)? else { return Ok(None) };
        let view = self.incident_view(&incident);
        let cause = match (&view.code, &view.subcode) {
            (Some(code), Some(subcode)) => format!("{code}.{subcode}"),
            (Some(code), None) => code.clone(),
            (None, _) => view.trouble.to_owned(),
        };
        let summary = IncidentSummary {
            id,
            account: incident.key.account.clone(),
            title: view.title,
            cause,
            opened_at: incident.opened_at,
            closed_at: incident.closed_at,
            size: incident.size,
            recipients: view.recipients,
            examples: incident.examples.iter().map(|m| m.public_id()).collect(),
            remedy: view.remedy,
        };
        self.incident_report(&summary, wish).map(Some)
    }

    fn incident_view(&self, incident: &Incident) -> IncidentView {
        let key = &incident.key;
        let (class, code, subcode) = match &key.trouble {
            Trouble::Failure { class, code, subcode } => (Some(class.as_str()), code.clone(), subcode.clone()),
            Trouble::Cause(_) | Trouble::Account(_) => (None, None, None),
        };
        let Told { title, cause, remedy } = self.told(incident);
        IncidentView {
            id: incident.id.to_string(),
            account: key.account.to_string(),
            trouble: key.trouble.as_str(),
            class,
            code,
            subcode,
            template_id: key.template_id.clone(),
            carrier: key.carrier.clone(),
            open: incident.closed_at.is_none(),
            urgent: key.trouble.is_urgent(),
            since: incident.since,
            opened_at: incident.opened_at,
            last_at: incident.last_at,
            closed_at: incident.closed_at,
            size: incident.size,
            stuck_now: incident.stuck_now,
            recipients: incident.people.count(),
            examples: incident.examples.iter().map(|m| m.public_id().to_string()).collect(),
            title,
            cause,
            remedy,
        }
    }

    /// What a trouble is and what to do: from the catalogue where it has the code, else in general words.
    fn told(&self, incident: &Incident) -> Told {
        let (lang, trouble) = (self.lang, &incident.key.trouble);
        if let Some(reason) = incident.reason {
            let told = words::reason(reason, lang);
            return Told { title: told.title.to_owned(), cause: Some(told.cause.to_owned()), remedy: told.remedy.to_owned() };
        }
        let general = words::trouble(trouble, lang);
        if let Trouble::Failure { code: Some(code), subcode, .. } = trouble
            && let Some(known) = self.rules.get(&incident.key.account)
        {
            let failure = Failure { subcode: subcode.clone(), ..Failure::coded(code.clone(), None) };
            if let Some(found) = catalogue().explain(known.spec, incident.kind.as_deref(), &failure) {
                let texts = match lang {
                    Lang::Vi => &found.entry.vi,
                    Lang::En => &found.entry.en,
                };
                let title = format!("{general}: {} ({code})", texts.title);
                return Told { title, cause: Some(texts.cause.clone()), remedy: texts.remedy.clone() };
            }
        }
        let cause = match trouble {
            Trouble::Account(reason) => Some(words::reason(*reason, lang).cause.to_owned()),
            Trouble::Cause(Cause::WebhookSilent) => Some(words::reason(Reason::WebhookSilent, lang).cause.to_owned()),
            Trouble::Cause(Cause::ReceiptsNotSubscribed) => Some(words::reason(Reason::ReceiptsNotSubscribed, lang).cause.to_owned()),
            Trouble::Cause(Cause::TokenInvalid) => Some(words::reason(Reason::TokenInvalid, lang).cause.to_owned()),
            Trouble::Cause(_) | Trouble::Failure { .. } => None,
        };
        let code = match trouble {
            Trouble::Failure { code: Some(code), .. } => format!(" ({code})"),
            _ => String::new(),
        };
        Told { title: format!("{general}{code}"), cause, remedy: words::remedy(trouble, lang).to_owned() }
    }
}

struct Told {
    title: String,
    cause: Option<String>,
    remedy: String,
}
