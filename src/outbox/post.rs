//! Posting: a job put into the form of its way, sent, and the answer read. Redirects are not followed, proxies not used, answers bounded,
//! and no error text holds an address, since addresses of bots and of incoming webhooks are secrets.

use std::time::Duration;

use serde_json::{Value, json};
use ureq::Agent;
use ureq::unversioned::transport::DefaultConnector;

use super::address::{NotPublic, PublicOnly};
use super::mail::{self, Mailer};
use super::sign::Signer;
use super::target::Target;
use super::text::{Body, Job};
use super::{ANSWER_BYTES_MAX, ATTEMPT_SECONDS_MAX, schedule};
use crate::config::Via;
use crate::domain::time::{Millis, Span};

/// Longest text that Telegram takes, in UTF-16 units; Slack takes more.
const TEXT_UNITS_MAX: usize = 4_096;

/// Most characters of a receiver's own words in an error.
const WORDS_CHARS_MAX: usize = 200;

/// Shorter pieces of an address are words such as `hooks` and `services`.
const SECRET_BYTES_MIN: usize = 9;

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken.
    Taken,
    /// It was not; the receiver may have asked for a pause.
    Failed {
        /// Why, without a secret.
        error: String,
        /// The pause.
        asked: Option<Span>,
    },
    /// The receiver wants nothing more, ever.
    Gone,
}

impl Answer {
    fn failed(error: impl Into<String>) -> Answer {
        Answer::Failed { error: error.into(), asked: None }
    }
}

/// Sends jobs; a test puts its own behind it.
pub trait Post: Send + Sync {
    /// Makes one attempt, within [`ATTEMPT_SECONDS_MAX`].
    fn post(&self, job: &Job) -> Answer;
}

/// Sends jobs over the network.
pub struct Courier(Vec<Way>);

enum Way {
    Telegram {
        agent: Agent,
        url: String,
        chat_id: String,
        secrets: Secrets,
    },
    Slack {
        agent: Agent,
        url: String,
        secrets: Secrets,
    },
    Email(Box<Mailer>),
    Webhook {
        agent: Agent,
        url: String,
        signer: Signer,
    },
    /// It cannot be made: why.
    None(String),
}

/// What a receiver's words may repeat of the address that it was called by, and nobody is to read: longest first.
struct Secrets(Vec<String>);

impl Secrets {
    /// Of a token, or of an address: all of it, all behind its host, and each of its longer pieces, however they are put together again.
    fn new(whole: &str) -> Secrets {
        let path = whole.split_once("://").map_or(whole, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let pieces = path.split(['/', '?', '&', '=', ':']).filter(|piece| piece.len() >= SECRET_BYTES_MIN);
        let all = [whole, path, path.trim_start_matches('/')].into_iter().chain(pieces);
        let mut all: Vec<String> = all.filter(|text| text.len() >= SECRET_BYTES_MIN).map(str::to_owned).collect();
        all.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Secrets(all)
    }

    fn hidden(&self, words: &str) -> String {
        self.0.iter().fold(words.to_owned(), |words, secret| words.replace(secret.as_str(), "…"))
    }
}

impl Courier {
    /// For these receivers; a job's lane is the number of its receiver here.
    pub fn new(targets: &[Target]) -> Courier {
        Courier(targets.iter().map(way).collect())
    }
}

fn way(target: &Target) -> Way {
    match &target.config.via {
        Via::Telegram { bot_token, chat_id, api, allow_private } => {
            let url = format!("{api}/bot{}/sendMessage", bot_token.expose());
            Way::Telegram { agent: agent(*allow_private), url, chat_id: chat_id.clone(), secrets: Secrets::new(bot_token.expose()) }
        }
        Via::Slack { webhook_url, allow_private } => {
            let url = webhook_url.expose().to_owned();
            Way::Slack { agent: agent(*allow_private), secrets: Secrets::new(&url), url }
        }
        Via::Email(config) => mail::mailer(config).map_or_else(Way::None, |mailer| Way::Email(Box::new(mailer))),
        Via::Webhook(endpoint) => Way::Webhook {
            agent: agent(endpoint.allow_private),
            url: endpoint.url.clone(),
            signer: Signer::new(endpoint.secrets.iter().map(|s| s.expose())),
        },
    }
}

fn agent(allow_private: bool) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .https_only(!allow_private)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("baophat/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(Duration::from_secs(ATTEMPT_SECONDS_MAX)))
        .build();
    match allow_private {
        true => Agent::new_with_config(config),
        false => Agent::with_parts(config, DefaultConnector::default(), PublicOnly::default()),
    }
}

impl Post for Courier {
    fn post(&self, job: &Job) -> Answer {
        match (self.0.get(job.lane), &job.body) {
            (Some(Way::Telegram { agent, url, chat_id, secrets }), Body::Notice(notice)) => {
                let text = shortened(&notice.text(), TEXT_UNITS_MAX);
                let body = json!({ "chat_id": chat_id, "text": text, "link_preview_options": { "is_disabled": true } });
                json_post(agent, url, secrets, &body, job.at)
            }
            (Some(Way::Slack { agent, url, secrets }), Body::Notice(notice)) => {
                // The three characters that Slack gives a meaning to.
                let text = notice.text().replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                json_post(agent, url, secrets, &json!({ "text": text }), job.at)
            }
            (Some(Way::Email(mailer)), Body::Notice(notice)) => match mailer.send(notice, &job.webhook_id) {
                Ok(()) => Answer::Taken,
                Err(error) => Answer::failed(error),
            },
            (Some(Way::Webhook { agent, url, signer }), body) => {
                let bytes = match body {
                    Body::Bytes(bytes) => bytes.clone(),
                    Body::Notice(notice) => notice.event().to_string().into_bytes(),
                };
                webhook(agent, url, signer, job, &bytes)
            }
            (Some(Way::None(why)), _) => Answer::failed(why.clone()),
            (_, _) => Answer::failed("this kind of receiver takes no such body"),
        }
    }
}

fn webhook(agent: &Agent, url: &str, signer: &Signer, job: &Job, body: &[u8]) -> Answer {
    let seconds = job.at.0.div_euclid(1_000);
    let request = agent
        .post(url)
        .header("content-type", "application/json")
        .header("webhook-id", &job.webhook_id)
        .header("webhook-timestamp", seconds.to_string())
        .header("webhook-signature", signer.signatures(&job.webhook_id, seconds, body));
    match request.send(body) {
        Err(e) => Answer::failed(why(&e)),
        Ok(mut answer) => {
            let status = answer.status().as_u16();
            let asked = header(&answer, "retry-after").filter(|_| matches!(status, 429 | 503)).and_then(|h| schedule::asked(&h, job.at));
            // Read to its end where it is short, so that the connection can be used again; its words are the receiver's own business.
            let _ = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec();
            match status {
                200..=299 => Answer::Taken,
                410 => Answer::Gone,
                300..=399 => Answer::failed(format!("answered {status}; redirects are not followed, so configure the final address")),
                _ => Answer::Failed { error: format!("answered {status}"), asked },
            }
        }
    }
}

/// Posts to somebody else's API; its own words tell what is wrong.
fn json_post(agent: &Agent, url: &str, secrets: &Secrets, body: &Value, now: Millis) -> Answer {
    match agent.post(url).header("content-type", "application/json").send(body.to_string().as_bytes()) {
        Err(e) => Answer::failed(why(&e)),
        Ok(mut answer) => {
            let status = answer.status().as_u16();
            let asked = header(&answer, "retry-after").and_then(|h| schedule::asked(&h, now));
            let words = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().unwrap_or_default();
            if (200..300).contains(&status) {
                return Answer::Taken;
            }
            let told: Value = serde_json::from_str(&words).unwrap_or(Value::Null);
            let asked =
                told.pointer("/parameters/retry_after").and_then(Value::as_i64).map(|s| Span::seconds(s.clamp(0, 86_400))).or(asked);
            let words = told["description"].as_str().unwrap_or(&words);
            let words: String = words.chars().filter(|c| !c.is_control()).collect();
            // Before they are cut, so that no half of a secret is left at the end.
            let words: String = secrets.hidden(&words).chars().take(WORDS_CHARS_MAX).collect();
            Answer::Failed { error: format!("answered {status}: {words}"), asked }
        }
    }
}

fn header(answer: &ureq::http::Response<ureq::Body>, name: &str) -> Option<String> {
    answer.headers().get(name)?.to_str().ok().map(str::to_owned)
}

/// Why nothing came back. Never with the address.
fn why(e: &ureq::Error) -> String {
    match e {
        ureq::Error::Timeout(_) => format!("no answer within {ATTEMPT_SECONDS_MAX} s"),
        ureq::Error::HostNotFound => "the host was not found".into(),
        ureq::Error::ConnectionFailed => "no connection".into(),
        ureq::Error::Io(e) => format!("the connection failed: {}", e.kind()),
        ureq::Error::Rustls(e) => format!("TLS failed: {e}"),
        ureq::Error::Tls(e) => format!("TLS failed: {e}"),
        ureq::Error::RequireHttpsOnly(_) => "plain http is not allowed; set allow_private = true if it is meant".into(),
        ureq::Error::Other(e) => match e.downcast_ref::<NotPublic>() {
            Some(refused) => refused.to_string(),
            None => "the request failed".into(),
        },
        _ => "the request failed".into(),
    }
}

/// A text of at most so many UTF-16 units.
fn shortened(text: &str, units_max: usize) -> String {
    if text.encode_utf16().count() <= units_max {
        return text.to_owned();
    }
    let mut left = units_max - 1;
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left = left.saturating_sub(c.len_utf16());
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_receiver_do_not_repeat_the_address_that_it_was_called_by() {
        let slack = Secrets::new("https://hooks.slack.example/services/T0123456789/B0123456789/AbCdEfGhIjKlMnOp");
        for told in [
            "no https://hooks.slack.example/services/T0123456789/B0123456789/AbCdEfGhIjKlMnOp here",
            "no /services/T0123456789/B0123456789/AbCdEfGhIjKlMnOp here",
            "no services/T0123456789/B0123456789/AbCdEfGhIjKlMnOp here",
            "no AbCdEfGhIjKlMnOp here",
        ] {
            assert_eq!(slack.hidden(told), "no … here");
        }
        assert_eq!(slack.hidden(r"\/services\/T0123456789\/B0123456789\/AbCdEfGhIjKlMnOp"), r"\/services\/…\/…\/…");
        assert_eq!(slack.hidden("no_service"), "no_service");
        let telegram = Secrets::new("123456789:AAbbCCddEEff");
        assert_eq!(telegram.hidden("/bot123456789:AAbbCCddEEff/sendMessage, AAbbCCddEEff"), "/bot…/sendMessage, …");
    }

    #[test]
    fn a_long_text_is_cut_at_what_the_receiver_takes() {
        assert_eq!(shortened("ngắn", 4), "ngắn");
        let cut = shortened(&"🔴".repeat(3_000), TEXT_UNITS_MAX);
        assert!(cut.encode_utf16().count() <= TEXT_UNITS_MAX && cut.ends_with("🔴…"));
    }
}
