//! What an entry of the feed is told as: the body of a webhook, or the notice of an alert. It reads the state and explains; it must not
//! know how anything goes out.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::ground;
use super::target::Target;
use super::text::Notice;
use super::words;
use crate::domain::failure::Lang;
use crate::domain::feed::{Entry, FeedId, Step, What};
use crate::domain::ids::Row;
use crate::domain::state::State;
use crate::domain::time::Millis;
use crate::domain::watch::words::reason as reason_words;
use crate::ingest::AccountRules;
use crate::present::{MessageView, Reader};
use crate::store::StoreError;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::outbox::New;
use crate::store::sqlite::state::StateFile;

/// Tells entries.
pub struct Teller {
    /// Records.
    pub inbox: InboxReader,
    /// Messages, and the feed.
    pub state: StateFile,
    /// Providers and deadlines.
    pub rules: Arc<AccountRules>,
    /// Where people look.
    pub public_url: Option<String>,
}

impl Teller {
    /// The files can be read just now.
    ///
    /// # Errors
    /// When they cannot.
    pub fn usable(&self) -> Result<(), StoreError> {
        self.inbox.usable()?;
        self.state.usable()
    }

    /// What a receiver is told of an entry; `None` when it does not concern it, or its message is gone.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn tell(&self, target: &Target, id: FeedId, entry: &Entry) -> Result<Option<New>, StoreError> {
        if !target.wants(entry) {
            return Ok(None);
        }
        let data = match entry.what.message() {
            Some(at) => match self.message(target, at.row, entry)? {
                Some(data) => data,
                None => return Ok(None),
            },
            None => self.data(target.lang, entry)?,
        };
        let subscription = target.config.is_subscription();
        let payload = match subscription {
            true => serde_json::to_vec(&json!({ "type": entry.what.name(), "timestamp": entry.at, "data": data })),
            false => serde_json::to_vec(&self.notice(target, entry, data)?),
        };
        let payload = payload.map_err(|e| StoreError::Decode { what: "event", detail: e.to_string() })?;
        // Alerts keep their order by being told together.
        let queue = subscription.then(|| queue(entry));
        Ok(Some(New { event: id, mark: ground::mark(entry)?, name: entry.what.name().to_owned(), queue, payload }))
    }

    fn reader(&self, lang: Lang, now: Millis) -> Reader<'_> {
        Reader { inbox: &self.inbox, state: &self.state, rules: &self.rules, lang, now }
    }

    /// A message as the API shows it, without its timeline, and where it was before.
    fn message(&self, target: &Target, row: Row, entry: &Entry) -> Result<Option<Value>, StoreError> {
        let Some(view) = self.reader(target.lang, entry.at).message(row)? else { return Ok(None) };
        if !target.wants_message(view.kind.as_deref(), view.state) {
            return Ok(None);
        }
        let mut data = without_timeline(&view);
        if !target.config.is_subscription() {
            // What people are told goes through other hands.
            data.retain(|name, _| !matches!(name.as_str(), "recipient" | "metadata"));
        }
        if let What::Moved { from, .. } = &entry.what {
            data.insert("previous_state".into(), json!(from.map(State::as_str)));
        }
        Ok(Some(data.into()))
    }

    /// What programs are told of an account or an incident.
    fn data(&self, lang: Lang, entry: &Entry) -> Result<Value, StoreError> {
        Ok(match &entry.what {
            What::Account { from, to, reason } => {
                let told = reason_words(*reason, lang);
                json!({ "account": entry.account, "from": from, "to": to, "reason": reason, "cause": told.cause, "advice": told.remedy })
            }
            What::Incident { id, step, size } => {
                let told = self.reader(lang, entry.at).incident(*id)?;
                json!({
                    "id": id.to_string(), "account": entry.account, "step": step, "size": size, "incident": told
                })
            }
            What::Moved { .. } | What::Stuck { .. } | What::Unstuck { .. } => json!({}),
        })
    }

    /// What people are told.
    fn notice(&self, target: &Target, entry: &Entry, data: Value) -> Result<Notice, StoreError> {
        let lang = target.lang;
        let offset = target.config.manners.as_ref().map_or(0, |m| m.offset);
        let since = |at: Millis| words::since(&words::moment(at, offset), lang);
        let (title, mut lines, path) = match &entry.what {
            What::Account { to, reason, .. } => {
                let told = reason_words(*reason, lang);
                let mut lines = vec![since(entry.at), words::cause(told.cause, lang)];
                if !matches!(to, crate::domain::watch::Standing::Connected) {
                    lines.push(words::remedy(told.remedy, lang));
                }
                (words::account(*to, entry.account.as_str(), lang), lines, format!("/v1/accounts/{}", entry.account))
            }
            What::Incident { id, step, size } => {
                let told = self.reader(lang, entry.at).incident(*id)?;
                let name = told.as_ref().map_or_else(|| words::nameless(*id, lang), |t| t.title.clone());
                let mut lines = vec![since(told.as_ref().map_or(entry.at, |t| t.since)), words::size(*size, lang)];
                if let Some(told) = told.filter(|_| *step != Step::Closed) {
                    lines.extend(told.cause.map(|cause| words::cause(&cause, lang)));
                    lines.push(words::remedy(&told.remedy, lang));
                }
                (words::incident(*step, entry.account.as_str(), &name, lang), lines, format!("/v1/incidents/{id}"))
            }
            What::Moved { .. } | What::Stuck { .. } | What::Unstuck { .. } => message_notice(entry, &data, since(entry.at), lang),
        };
        if let Some(url) = &self.public_url {
            lines.push(words::look(&format!("{url}{path}"), lang));
        }
        Ok(Notice { title, lines, name: entry.what.name().to_owned(), at: entry.at, data })
    }
}

/// An alert may be told of single messages too: the event, the account, and what the failure or the stuck mark says. No recipient.
fn message_notice(entry: &Entry, data: &Value, since: String, lang: Lang) -> (String, Vec<String>, String) {
    let id = data["id"].as_str().unwrap_or_default();
    let mut lines = vec![since];
    let texts = [("/failure/explanation/cause", "/failure/explanation/remedy"), ("/stuck/cause", "/stuck/advice")];
    for (cause, remedy) in texts.map(|(c, r)| (data.pointer(c).and_then(Value::as_str), data.pointer(r).and_then(Value::as_str))) {
        lines.extend(cause.map(|text| words::cause(text, lang)));
        lines.extend(remedy.map(|text| words::remedy(text, lang)));
    }
    (format!("{} · {}: {id}", entry.what.name(), entry.account), lines, format!("/v1/messages/{id}"))
}

/// Of which deliveries one goes out after the other: those of a message, by its row; of an incident, and of an account, by negative numbers
/// that are odd and even. Two accounts of one hash wait for each other, and nothing worse.
fn queue(entry: &Entry) -> i64 {
    match &entry.what {
        What::Moved { id, .. } | What::Stuck { id, .. } | What::Unstuck { id, .. } => id.row as i64,
        What::Incident { id, .. } => -((*id as i64) * 2 + 1),
        What::Account { .. } => {
            let hash = Sha256::digest(entry.account.as_str().as_bytes());
            let hash = hash.iter().take(4).fold(0, |n, byte| n << 8 | i64::from(*byte));
            -(hash * 2 + 2)
        }
    }
}

fn without_timeline(view: &MessageView) -> Map<String, Value> {
    let mut data = match serde_json::to_value(view) {
        Ok(Value::Object(data)) => data,
        _ => Map::new(),
    };
    data.remove("events");
    data
}
