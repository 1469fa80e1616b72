//! The demo's way to its own server: plain HTTP, like any other client. It must not reach into the server behind it.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::wire::Hook;

/// How long one request may take.
const REQUEST_SECONDS_MAX: u64 = 20;
/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// A request that got no usable answer.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {problem}")]
pub struct ClientError {
    what: String,
    problem: String,
}

/// Speaks to one server with one key; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Client {
    agent: ureq::Agent,
    origin: String,
    key: String,
}

impl Client {
    /// A client of a server.
    pub(super) fn new(origin: String, key: String) -> Client {
        let agent = ureq::Agent::config_builder()
            // Whatever proxy the environment names, this stays on the machine.
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(REQUEST_SECONDS_MAX)))
            .build()
            .new_agent();
        Client { agent, origin, key }
    }

    /// Where the server is.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The key of its API.
    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// The text at a path.
    pub(super) fn text(&self, path: &str) -> Result<String, ClientError> {
        let request = self.agent.get(format!("{}{path}", self.origin)).header("authorization", format!("Bearer {}", self.key));
        read(path, request.call()).and_then(|(status, text)| ok(path, status, text))
    }

    /// The JSON at a path.
    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        parse(path, &self.text(path)?)
    }

    /// Posts JSON to a path of the API.
    pub(super) fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Result<T, ClientError> {
        let request = self.agent.post(format!("{}{path}", self.origin)).header("authorization", format!("Bearer {}", self.key));
        let sent = request.header("content-type", "application/json").send(body.to_string());
        let (status, text) = read(path, sent)?;
        parse(path, &ok(path, status, text)?)
    }

    /// Calls back as a provider does; the status of the answer.
    pub(super) fn call(&self, hook: &Hook) -> Result<u16, ClientError> {
        let join = if hook.query.is_empty() { "" } else { "?" };
        let url = format!("{}{}{join}{}", self.origin, hook.path, hook.query);
        let answer = match &hook.body {
            Some(body) => hook.headers.iter().fold(self.agent.post(url), |r, (name, value)| r.header(*name, value)).send(body),
            None => hook.headers.iter().fold(self.agent.get(url), |r, (name, value)| r.header(*name, value)).call(),
        };
        // The token of a path is a secret, even an invented one.
        read("webhook", answer).map(|(status, _)| status)
    }
}

fn read(what: &str, answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<(u16, String), ClientError> {
    let error = |e: ureq::Error| ClientError { what: what.to_owned(), problem: e.to_string() };
    let mut answer = answer.map_err(error)?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string().map_err(error)?;
    Ok((status, text))
}

fn ok(what: &str, status: u16, text: String) -> Result<String, ClientError> {
    match status {
        200..=299 => Ok(text),
        _ => Err(ClientError { what: what.to_owned(), problem: format!("HTTP {status} {}", text.chars().take(600).collect::<String>()) }),
    }
}

fn parse<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(|e| ClientError { what: what.to_owned(), problem: e.to_string() })
}
