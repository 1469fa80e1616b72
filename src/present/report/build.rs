//! Making a report: the message or the examples, the account around them, how many others fail alike, the checks and the questions.

use super::message::Shown;
use super::snapshot::{QuotaSnapshot, Snapshot, ThreadSnapshot, TokenSnapshot, TokenState};
use super::{Alike, IncidentPart, IncidentSummary, Report, Subject, Wish, checks, say, words};
use crate::domain::failure::{Class, Lang};
use crate::domain::ids::{AccountId, PublicId, Row};
use crate::domain::projection::Source;
use crate::domain::time::Span;
use crate::present::Reader;
use crate::providers::support::{NO_SUPPORT, Support, Text};
use crate::providers::{Spec, find};
use crate::store::StoreError;
use crate::store::sqlite::query::MessageFilter;

/// Over how many hours messages that fail alike are counted.
const ALIKE_HOURS: u32 = 24;

/// Up to how many are counted.
const ALIKE_MAX: usize = 1_000;

/// Most pages that are walked for it; one walks a bounded number of rows.
const ALIKE_PAGES_MAX: usize = 5;

/// Most examples of an incident.
const EXAMPLES_MAX: usize = 5;

impl Reader<'_> {
    /// A report on one message; `None` when there is no such message.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn report(&self, row: Row, wish: Wish) -> Result<Option<Report>, StoreError> {
        let Some(shown) = self.reported(row, wish.full)? else { return Ok(None) };
        let account = shown.message.account.clone();
        let alike = self.alike(&account, &shown, wish)?;
        let id = shown.part.id.clone();
        self.finish(Subject::Message, id, &account, None, vec![shown], alike, wish).map(Some)
    }

    /// A report on an incident, with some of its messages.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn incident_report(&self, incident: &IncidentSummary, wish: Wish) -> Result<Report, StoreError> {
        let mut examples = Vec::new();
        for id in incident.examples.iter().take(EXAMPLES_MAX) {
            if self.knows(*id)? {
                examples.extend(self.reported(id.row, wish.full)?);
            }
        }
        let others = incident.size.saturating_sub(examples.len() as u64);
        let alike = Alike { what: Some(incident.cause.clone()), count: Some(others), more: false, hours: None };
        let part = IncidentPart {
            title: incident.title.clone(),
            cause: incident.cause.clone(),
            opened_at: incident.opened_at,
            closed_at: incident.closed_at,
            size: incident.size,
            recipients: incident.recipients,
            remedy: incident.remedy.clone(),
        };
        self.finish(Subject::Incident, incident.id.to_string(), &incident.account, Some(part), examples, alike, wish)
    }

    /// The id is one that this store gave out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn knows(&self, id: PublicId) -> Result<bool, StoreError> {
        Ok(self.state.message(id.row)?.is_some_and(|m| m.created_at == id.created_at))
    }

    #[allow(clippy::too_many_arguments, reason = "the parts of a report, once")]
    fn finish(
        &self,
        subject: Subject,
        id: String,
        account: &AccountId,
        incident: Option<IncidentPart>,
        messages: Vec<Shown>,
        alike: Alike,
        wish: Wish,
    ) -> Result<Report, StoreError> {
        let provider = self.state.accounts.no(account).map_or("", |(_, p)| p).to_owned();
        let spec = find(&provider);
        let first = messages.first();
        let template_id = first.and_then(|m| m.view.template_id.as_deref());
        let mut snapshot = completed(self.account_snapshot(account, template_id, wish.now)?, first);
        snapshot.thread = self.thread_snapshot(account, first)?;
        let support = spec.map_or(NO_SUPPORT, |s| s.support);
        let checks =
            checks::go_through(support.checks, &checks::Seen { message: first, snapshot: &snapshot, alike: &alike, spec, lang: self.lang });
        Ok(Report {
            subject,
            id,
            lang: self.lang,
            made_at: wish.now,
            masked: !wish.full,
            summary: summary(spec, account, incident.as_ref(), first, self.lang),
            account: account.to_string(),
            provider_title: spec.map_or_else(|| provider.clone(), |s| s.title.to_owned()),
            provider,
            incident,
            snapshot,
            checks,
            questions: questions(support, first, self.lang),
            channels: support.channels.iter().map(|t| t.get(self.lang).to_owned()).collect(),
            alike,
            messages: messages.into_iter().map(|m| m.part).collect(),
        })
    }

    /// Who holds the conversation of a message, where something tells.
    fn thread_snapshot(&self, account: &AccountId, first: Option<&Shown>) -> Result<Option<ThreadSnapshot>, StoreError> {
        let parties = first.and_then(|m| Some((m.view.sender.as_deref(), m.view.recipient.as_deref()?)));
        let Some((sender, recipient)) = parties else { return Ok(None) };
        let holder = self.conversation(account, sender, recipient)?.map(|c| c.holder).filter(|h| matches!(h.who, "ours" | "other"));
        Ok(holder.map(|h| ThreadSnapshot { ours: h.who == "ours", owner: h.name.map(str::to_owned).or(h.app_id), since: h.since }))
    }

    /// How many other messages of the account failed with the same code, or are stuck for the same cause.
    fn alike(&self, account: &AccountId, shown: &Shown, wish: Wish) -> Result<Alike, StoreError> {
        if let Some(stuck) = &shown.view.stuck {
            let groups = self.state.stuck_groups()?;
            let same = groups.iter().filter(|g| g.account == *account && g.cause.as_str() == stuck.cause);
            let count = same.map(|g| g.count).sum::<u64>().saturating_sub(1);
            return Ok(Alike { what: Some(stuck.cause.to_owned()), count: Some(count), more: false, hours: None });
        }
        let Some(failure) = &shown.view.failure else { return Ok(Alike::default()) };
        let code = failure.code.clone().map(|code| (code, failure.subcode.clone()));
        let what = match &code {
            Some((code, Some(subcode))) => format!("{code}.{subcode}"),
            Some((code, None)) => code.clone(),
            None => failure.class.to_owned(),
        };
        let since = Some(wish.now.minus(Span::hours(i64::from(ALIKE_HOURS))));
        let filter = MessageFilter {
            account: Some(account.clone()),
            failure_class: Class::parse(failure.class).filter(|_| code.is_none()),
            failure_code: code,
            since,
            ..MessageFilter::default()
        };
        let own = usize::from(since.is_none_or(|since| shown.message.created_at >= since));
        let (found, more) = self.counted(&filter, ALIKE_MAX + own)?;
        let count = (found - own.min(found)) as u64;
        Ok(Alike { what: Some(what), count: Some(count), more, hours: Some(ALIKE_HOURS) })
    }

    /// How many messages there are of a kind, up to a bound, and whether there are more.
    fn counted(&self, filter: &MessageFilter, most: usize) -> Result<(usize, bool), StoreError> {
        let (mut found, mut after) = (0, None);
        for _ in 0..ALIKE_PAGES_MAX {
            let page = self.state.page(filter, after, most - found)?;
            found += page.items.len();
            after = page.next;
            if after.is_none() || found >= most {
                break;
            }
        }
        Ok((found, after.is_some()))
    }
}

/// What the message's own answers tell of the account, where nobody knows it better.
fn completed(mut snapshot: Snapshot, first: Option<&Shown>) -> Snapshot {
    let Some(shown) = first else { return snapshot };
    let quota = || shown.readings.iter().rev().find_map(|(at, r)| r.quota.clone().map(|q| (*at, q)));
    snapshot.quota = snapshot
        .quota
        .or_else(|| quota().map(|(at, q)| QuotaSnapshot { kind: q.kind, daily: q.daily, remaining: q.remaining, as_of: Some(at) }));
    let token = |state, as_of| TokenSnapshot { state, as_of: Some(as_of), expires_at: None };
    let refused = shown.view.failure.as_ref().and_then(|f| Class::parse(f.class)).zip(shown.view.failed_at);
    snapshot.token = snapshot.token.or_else(|| match (refused, shown.accepted_at()) {
        (Some((Class::Authorization, at)), _) => Some(token(TokenState::Refused, at)),
        (_, Some(at)) => Some(token(TokenState::Accepted, at)),
        (Some((class, at)), None) if !shown.readings.is_empty() && looked_inside(class) => Some(token(TokenState::Accepted, at)),
        _ => None,
    });
    snapshot
}

/// Whoever refuses a message for this had accepted the token before.
fn looked_inside(class: Class) -> bool {
    matches!(
        class,
        Class::Recipient | Class::Window | Class::Quota | Class::Billing | Class::Content | Class::Template | Class::ThreadControl
    )
}

fn questions(support: Support, first: Option<&Shown>, lang: Lang) -> Vec<String> {
    let Some(shown) = first else { return Vec::new() };
    let asked: &[Text] = match (&shown.view.failure, &shown.view.stuck) {
        (Some(_), _) => support.of_failed,
        (None, Some(_)) => support.of_stuck,
        (None, None) => &[],
    };
    let unknown = say(lang, "chưa rõ", "unknown");
    let view = &shown.view;
    let code = match view.failure.as_ref().map(|f| (f.code.as_deref(), f.subcode.as_deref())) {
        Some((Some(code), Some(subcode))) => format!("{code}.{subcode}"),
        Some((Some(code), None)) => code.to_owned(),
        _ => unknown.to_owned(),
    };
    let at = view.failed_at.or(view.sent_at).or(view.queued_at).map_or_else(|| unknown.to_owned(), |at| at.to_string());
    let message_id = view.message_id.as_deref().unwrap_or(unknown);
    let fill = |t: &Text| t.get(lang).replace("{message_id}", message_id).replace("{code}", &code).replace("{at}", &at);
    asked.iter().map(fill).collect()
}

/// All of it in a sentence.
fn summary(spec: Option<&'static Spec>, account: &AccountId, incident: Option<&IncidentPart>, first: Option<&Shown>, lang: Lang) -> String {
    let provider = spec.map_or("", |s| s.title);
    if let Some(i) = incident {
        return match lang {
            Lang::Vi => format!(
                "{provider}, tài khoản {account}: {} ({}), {} tin, {} người nhận, từ {}.",
                i.title, i.cause, i.size, i.recipients, i.opened_at
            ),
            Lang::En => {
                format!(
                    "{provider}, account {account}: {} ({}), {} messages, {} recipients, since {}.",
                    i.title, i.cause, i.size, i.recipients, i.opened_at
                )
            }
        };
    }
    let Some(view) = first.map(|m| &m.view) else { return String::new() };
    let what = match (&view.failure, &view.stuck) {
        (Some(f), _) => {
            let code = f.code.as_deref().unwrap_or(f.class);
            let code = f.subcode.as_deref().map_or_else(|| code.to_owned(), |sub| format!("{code}.{sub}"));
            format!("{} {code}: {}", say(lang, "thất bại với mã", "failed with"), f.explanation.title)
        }
        (None, Some(s)) => match lang {
            Lang::Vi => format!("kẹt ở trạng thái {} từ {}: {}", words::state_of(view.state, lang), s.since, s.cause),
            Lang::En => format!("is stuck in {} since {} ({})", view.state, s.since, s.cause),
        },
        (None, None) => format!("{} {}", say(lang, "đang ở trạng thái", "stands at"), words::state_of(view.state, lang)),
    };
    match lang {
        Lang::Vi => format!("{provider}, tài khoản {account}: tin {what}."),
        Lang::En => format!("{provider}, account {account}: the message {what}."),
    }
}
