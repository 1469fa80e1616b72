//! Templates as the outside sees them: where each stands, what the provider told of it, and how its messages fare.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Reader;
use super::examples;
use super::schema::{self, Moment};
use crate::domain::event::TemplateStatus;
use crate::domain::failure::{Failure, Lang};
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::domain::watch::templates::{self, TemplateCounts, TemplateFacts, Told, template_advice};
use crate::providers::catalogue::catalogue;
use crate::providers::{Spec, find};
use crate::store::StoreError;

/// One template.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Template, example = json!(examples::template()))]
pub struct TemplateView {
    /// Account slug.
    pub account: String,
    /// Provider slug.
    #[schema(value_type = schema::Provider)]
    pub provider: String,
    /// The provider's id of the template.
    pub template_id: String,
    /// `pending`, `approved`, `rejected`, `disabled`, `deleted` or `unknown`.
    #[schema(value_type = schema::TemplateStatus)]
    pub status: &'static str,
    /// The provider's own word for it.
    pub status_raw: Option<String>,
    /// Since when.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// Why, in the provider's words.
    pub reason: Option<String>,
    /// Its quality, in the provider's word.
    pub quality: Option<String>,
    /// Its allowance, as the provider told it.
    #[schema(value_type = Option<Object>)]
    pub quota: Option<Value>,
    /// Its tags, as the provider told them.
    #[schema(value_type = Option<Object>)]
    pub tags: Option<Value>,
    /// When anything was last told of it.
    #[schema(value_type = Option<Moment>)]
    pub told_at: Option<Millis>,
    /// Refusals that name the template, since its status was last told, newest first: they may know better.
    pub refusals: Vec<RefusalView>,
    /// What to do.
    pub advice: String,
    /// How its messages fare.
    pub messages: TemplateMessages,
    /// Everything told of it, newest first; filled for a single template, empty in lists.
    pub history: Vec<TemplateChangeView>,
}

/// A code with which messages were refused because of their template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TemplateRefusal)]
pub struct RefusalView {
    /// The code.
    pub code: String,
    /// What it is.
    pub title: Option<String>,
    /// When it was last met.
    #[schema(value_type = Moment)]
    pub last_at: Millis,
}

/// How the messages of a template fare: by where they stand now.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub struct TemplateMessages {
    /// All of them.
    pub total: u64,
    /// Queued.
    pub queued: u64,
    /// Sent, and no more is known.
    pub sent: u64,
    /// Delivered, not read.
    pub delivered: u64,
    /// Read.
    pub read: u64,
    /// Failed.
    pub failed: u64,
    /// Of those whose fate is known, the share that arrived; null while none is known.
    pub delivery_rate: Option<f64>,
    /// How often each failure code was met, the most frequent first.
    pub failures: Vec<TemplateFailure>,
}

/// How often one failure code was met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateFailure {
    /// The code; `other` for all that have no place of their own.
    pub code: String,
    /// What it is.
    pub title: Option<String>,
    /// How often.
    pub count: u64,
}

/// Something the provider told of a template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TemplateChange)]
pub struct TemplateChangeView {
    /// When.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// `status`, `quality`, `quota` or `tags`.
    #[schema(value_type = schema::TemplateChangeKind)]
    pub kind: &'static str,
    /// What it was before, where that was told.
    pub previous: Option<String>,
    /// What it is from then on.
    pub value: String,
    /// Why, in the provider's words.
    pub reason: Option<String>,
}

/// One page of templates.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!(examples::template_page()))]
pub struct TemplatePage {
    /// How many match.
    pub total: u64,
    /// The templates: those that need somebody first, then by account and id.
    pub data: Vec<TemplateView>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

/// Which templates.
#[derive(Clone, Debug, Default)]
pub struct TemplateFilter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// That stand so.
    pub status: Option<TemplateStatus>,
}

/// What needs somebody comes first.
fn urgency(status: TemplateStatus) -> u8 {
    match status {
        TemplateStatus::Disabled => 0,
        TemplateStatus::Rejected => 1,
        TemplateStatus::Pending => 2,
        TemplateStatus::Unknown => 3,
        TemplateStatus::Approved => 4,
        TemplateStatus::Deleted => 5,
    }
}

impl Reader<'_> {
    /// Templates, at most `limit` after the first `skip`, and how many match in all.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn templates(&self, filter: &TemplateFilter, skip: usize, limit: usize) -> Result<(Vec<TemplateView>, usize), StoreError> {
        let mut found: Vec<(AccountId, String, TemplateFacts)> = Vec::new();
        for (name, data) in self.state.sheets(&templates::prefix(filter.account.as_ref()))? {
            let (Some((account, Some(id))), Some(facts)) = (templates::named(&name), TemplateFacts::decode(&data)) else { continue };
            if filter.status.is_none_or(|wanted| facts.status() == wanted) {
                found.push((account, id.to_owned(), facts));
            }
        }
        found.sort_by(|a, b| (urgency(a.2.status()), &a.0, &a.1).cmp(&(urgency(b.2.status()), &b.0, &b.1)));
        let total = found.len();
        let page = found.into_iter().skip(skip).take(limit);
        Ok((page.map(|(account, id, facts)| self.template_view(&account, &id, &facts, false)).collect(), total))
    }

    /// One template with its history.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn template(&self, account: &AccountId, template_id: &str) -> Result<Option<TemplateView>, StoreError> {
        let facts = self.template_facts(account, template_id)?;
        Ok(facts.map(|facts| self.template_view(account, template_id, &facts, true)))
    }

    /// What is known of one template.
    pub(super) fn template_facts(&self, account: &AccountId, template_id: &str) -> Result<Option<TemplateFacts>, StoreError> {
        let data = self.state.sheet(&format!("{}{template_id}", templates::prefix(Some(account))))?;
        Ok(data.and_then(|data| TemplateFacts::decode(&data)))
    }

    fn template_view(&self, account: &AccountId, template_id: &str, facts: &TemplateFacts, with_history: bool) -> TemplateView {
        let provider = self.state.accounts.no(account).map_or("", |(_, p)| p);
        let spec = find(provider);
        let last = facts.last_change();
        let refusals = facts.refusals_since().into_iter();
        TemplateView {
            account: account.to_string(),
            provider: provider.to_owned(),
            template_id: template_id.to_owned(),
            status: facts.status().as_str(),
            status_raw: last.map(|c| c.what.status.raw.clone()),
            since: last.map(|c| c.at),
            reason: last.and_then(|c| c.what.reason.clone()),
            quality: facts.qualities.last().map(|t| t.what.clone()),
            quota: facts.quotas.last().map(as_told),
            tags: facts.tags.last().map(as_told),
            told_at: facts.told_at(),
            refusals: refusals
                .map(|(code, last_at)| RefusalView { code: code.to_owned(), title: title(spec, code, self.lang), last_at })
                .collect(),
            advice: template_advice(facts.status(), self.lang).to_owned(),
            messages: messages(&facts.counts, spec, self.lang),
            history: if with_history { history(facts) } else { Vec::new() },
        }
    }
}

/// What the provider told as JSON, where it is that.
fn as_told(told: &Told<String>) -> Value {
    serde_json::from_str(&told.what).unwrap_or_else(|_| told.what.as_str().into())
}

fn title(spec: Option<&'static Spec>, code: &str, lang: Lang) -> Option<String> {
    let found = catalogue().explain(spec?, None, &Failure::coded(code, None))?;
    Some(found.entry.texts(lang).title.clone())
}

fn messages(counts: &TemplateCounts, spec: Option<&'static Spec>, lang: Lang) -> TemplateMessages {
    let one = |(code, count): (&String, &u64)| TemplateFailure { code: code.clone(), title: title(spec, code, lang), count: *count };
    let mut failures: Vec<TemplateFailure> = counts.codes.iter().map(one).collect();
    failures.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.code.cmp(&b.code)));
    let states = [counts.queued, counts.sent, counts.delivered, counts.read, counts.failed];
    TemplateMessages {
        // Some messages were known before their template: they have a state in its counts and never came to it as new.
        total: counts.messages.max(states.into_iter().sum()),
        queued: counts.queued,
        sent: counts.sent,
        delivered: counts.delivered,
        read: counts.read,
        failed: counts.failed,
        delivery_rate: counts.delivered_per_mille().map(|n| n as f64 / 1_000.0),
        failures,
    }
}

fn history(facts: &TemplateFacts) -> Vec<TemplateChangeView> {
    let statuses = facts.statuses.iter().map(|c| TemplateChangeView {
        at: c.at,
        kind: "status",
        previous: c.what.previous.as_ref().map(|p| p.status.as_str().to_owned()),
        value: c.what.status.status.as_str().to_owned(),
        reason: c.what.reason.clone(),
    });
    let texts = [("quality", &facts.qualities), ("quota", &facts.quotas), ("tags", &facts.tags)];
    let texts = texts.into_iter().flat_map(|(kind, all)| {
        all.iter().map(move |t| TemplateChangeView { at: t.at, kind, previous: None, value: t.what.clone(), reason: None })
    });
    let mut all: Vec<TemplateChangeView> = statuses.chain(texts).collect();
    all.sort_by(|a, b| b.at.cmp(&a.at).then(a.kind.cmp(b.kind)));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_fewer_messages_than_stand_in_a_state() {
        let of = |messages, delivered| TemplateCounts { messages, delivered, failed: 2, ..TemplateCounts::default() };
        let total = |counts| super::messages(&counts, None, Lang::En).total;
        assert_eq!((total(of(3, 5)), total(of(9, 5)), total(TemplateCounts::default())), (7, 9, 0));
    }
}
