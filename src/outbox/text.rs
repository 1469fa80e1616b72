//! What goes out: a finished body, or a notice that each kind of alert puts into its own form. It must not know how it gets there.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::target::Target;
use super::words;
use crate::domain::failure::Lang;
use crate::domain::feed::event_id;
use crate::domain::time::Millis;
use crate::store::sqlite::outbox::{DeliveryId, Due};

/// Most headlines in a message that gathers several notices.
const HEADLINES_MAX: usize = 10;

/// An alert before it is put into the form of its way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened, in one line.
    pub title: String,
    /// Since when, how many, why, what to do, where to look.
    pub lines: Vec<String>,
    /// The event.
    pub name: String,
    /// When it happened.
    pub at: Millis,
    /// For programs.
    pub data: Value,
}

impl Notice {
    /// Title and lines.
    pub fn text(&self) -> String {
        format!("{}\n{}", self.title, self.lines.join("\n")).trim_end().to_owned()
    }

    /// Several notices as one: how many, their headlines, and how many more.
    pub fn gathered(notices: &[Notice], lang: Lang, now: Millis) -> Notice {
        let shown = notices.iter().take(HEADLINES_MAX).map(|n| format!("• {}", n.title));
        let more = notices.len().saturating_sub(HEADLINES_MAX);
        let lines = shown.chain((more > 0).then(|| words::and_more(more, lang))).collect();
        let data = json!({ "count": notices.len(), "notices": notices.iter().map(|n| &n.data).collect::<Vec<_>>() });
        Notice { title: words::gathered(notices.len(), lang), lines, name: "alert.digest".into(), at: now, data }
    }

    /// The body of a webhook that carries it.
    pub fn event(&self) -> Value {
        let mut data = self.data.clone();
        if let Value::Object(data) = &mut data {
            data.insert("title".into(), self.title.clone().into());
            data.insert("text".into(), self.text().into());
        }
        json!({ "type": self.name, "timestamp": self.at, "data": data })
    }
}

/// What a job carries.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// The bytes of a webhook.
    Bytes(Vec<u8>),
    /// A notice.
    Notice(Notice),
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Job {
    /// The number of its receiver's lane.
    pub lane: usize,
    /// The deliveries that it carries.
    pub ids: Vec<DeliveryId>,
    /// Attempts before this one.
    pub attempts: u32,
    /// What receivers tell repeats by; the same in every attempt that carries the same.
    pub webhook_id: String,
    /// When it is made.
    pub at: Millis,
    /// What it carries.
    pub body: Body,
}

impl Job {
    /// An attempt for one delivery.
    pub(super) fn single(lane: usize, target: &Target, due: Due, now: Millis) -> Job {
        let webhook_id = event_id(due.event, due.mark);
        let body = match target.config.is_subscription() {
            true => Body::Bytes(due.payload),
            false => Body::Notice(notice(&due)),
        };
        Job { lane, ids: vec![due.id], attempts: due.attempts, webhook_id, at: now, body }
    }

    /// An attempt for several notices together.
    pub(super) fn gathered(lane: usize, target: &Target, due: &[Due], now: Millis) -> Option<Job> {
        let first = due.first()?;
        if due.len() == 1 {
            return Some(Job::single(lane, target, first.clone(), now));
        }
        let notices: Vec<Notice> = due.iter().map(notice).collect();
        let body = Body::Notice(Notice::gathered(&notices, target.lang, now));
        // By the newest of them, so that it does not die with the oldest.
        let attempts = due.iter().map(|d| d.attempts).min().unwrap_or_default();
        // Of all that it gathers, so that no other gathering has it.
        let ids = due.iter().fold(Sha256::new(), |hash, d| hash.chain_update(event_id(d.event, d.mark)).chain_update(b" ")).finalize();
        let hash: String = ids.iter().take(4).map(|b| format!("{b:02x}")).collect();
        let webhook_id = format!("evt_{}_{}_{hash}", first.event, due.len());
        Some(Job { lane, ids: due.iter().map(|d| d.id).collect(), attempts, webhook_id, at: now, body })
    }
}

/// The notice of a delivery; one that cannot be read is told as what it is.
fn notice(due: &Due) -> Notice {
    serde_json::from_slice(&due.payload).unwrap_or_else(|_| Notice {
        title: due.name.clone(),
        lines: Vec::new(),
        name: due.name.clone(),
        at: Millis(0),
        data: json!({}),
    })
}

/// A message that tries a receiver out.
pub fn trial(target: &Target, now: Millis) -> Job {
    let (title, line) = words::trial(target.id(), target.lang);
    let notice = Notice { title, lines: vec![line], name: "alert.test".into(), at: now, data: json!({ "test": true }) };
    let body = match target.config.is_subscription() {
        true => Body::Bytes(notice.event().to_string().into_bytes()),
        false => Body::Notice(notice),
    };
    Job { lane: 0, ids: Vec::new(), attempts: 0, webhook_id: format!("test_{}", now.0), at: now, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_back_is_one_message_with_its_headlines_and_the_rest_counted() {
        let one = |n: usize| Notice {
            title: format!("notice {n}"),
            lines: vec!["line".into()],
            name: "incident.opened".into(),
            at: Millis(n as i64),
            data: json!({ "n": n }),
        };
        let all: Vec<Notice> = (1..=22).map(one).collect();
        let text = Notice::gathered(&all, Lang::En, Millis(0)).text();
        assert!(text.contains("22") && text.contains("• notice 1\n") && text.contains("• notice 10\n"), "{text}");
        assert!(!text.contains("notice 11") && text.ends_with("… and 12 more"), "{text}");
        assert!(Notice::gathered(&all, Lang::Vi, Millis(0)).text().ends_with("… và 12 thông báo nữa"));
        assert_eq!(all[0].event()["data"], json!({ "title": "notice 1", "text": "notice 1\nline", "n": 1 }));
    }
}
