//! Asking the running server, where only it may write to the store.

use std::time::Duration;

use clap::Args;
use serde_json::Value;
use ureq::http::StatusCode;

use super::CliError;
use super::open::Opened;
use crate::config::Config;
use crate::domain::record::Status;
use crate::ingest::ReprocessWhat;
use crate::store::sqlite::Place;

/// How long the server may take to process everything again.
const ANSWER_SECONDS_MAX: u64 = 600;

/// How long the server may take to accept a connection.
const CONNECT_SECONDS_MAX: u64 = 5;

/// Longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// How to reach the running server.
#[derive(Clone, Debug, Default, Args)]
pub struct Server {
    /// Key of the query API, when a server holds the store [default: the first of `api_keys` in the configuration]
    #[arg(long, value_name = "KEY", env = "BAOPHAT_API_KEY", hide_env_values = true)]
    pub api_key: Option<String>,
    /// Address of the server that holds the store [default: the one it left beside the store, else `listen`]
    #[arg(long, value_name = "HOST:PORT")]
    pub server: Option<String>,
}

/// Has the server process callbacks again; how many, where it tells.
///
/// # Errors
/// When it cannot be reached, does not accept the key, or answers with a problem.
pub fn reprocess(opened: &Opened, server: &Server, what: ReprocessWhat) -> Result<Option<u64>, CliError> {
    let document = post(&opened.config, &opened.place, server, &path(what))?;
    Ok(document.get("reprocessed").and_then(Value::as_u64))
}

/// Has the server do something; its answer.
///
/// # Errors
/// When it cannot be reached, does not accept the key, or answers with a problem.
pub fn post(config: &Config, place: &Place, server: &Server, path: &str) -> Result<Value, CliError> {
    let address = server.server.clone().or_else(|| place.holder()).unwrap_or_else(|| config.listen.clone());
    let address = reachable(&address);
    let url = format!("http://{address}{path}");
    let key = server.api_key.clone().or_else(|| config.api_keys.first().map(|k| k.expose().to_owned()));
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_connect(Some(Duration::from_secs(CONNECT_SECONDS_MAX)))
        .timeout_global(Some(Duration::from_secs(ANSWER_SECONDS_MAX)))
        .build()
        .into();
    let mut request = agent.post(&url).header("Accept", "application/json");
    if let Some(key) = &key {
        request = request.header("Authorization", format!("Bearer {key}"));
    }
    let mut answer = request.send_empty().map_err(|e| unreachable_server(&address, &e.to_string()))?;
    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let body = body.map_err(|e| unreachable_server(&address, &e.to_string()))?;
    read(answer.status(), key.is_some(), &address, &body)
}

fn path(what: ReprocessWhat) -> String {
    match what {
        ReprocessWhat::One(seq) => format!("/v1/callbacks/{seq}/reprocess"),
        ReprocessWhat::All(status) => format!("/v1/callbacks/reprocess?status={}", Status::as_str(status)),
    }
}

/// The address to call for one that is listened on: every address means this machine.
fn reachable(listen: &str) -> String {
    match listen.rsplit_once(':') {
        Some(("0.0.0.0" | "", port)) => format!("127.0.0.1:{port}"),
        Some(("[::]", port)) => format!("[::1]:{port}"),
        _ => listen.to_owned(),
    }
}

fn unreachable_server(address: &str, why: &str) -> CliError {
    CliError::No(format!(
        "a server holds the store, and it does not answer at {address} ({why}). Name its address with --server HOST:PORT, or stop it first."
    ))
}

fn read(status: StatusCode, with_key: bool, address: &str, body: &str) -> Result<Value, CliError> {
    let document: Value = serde_json::from_str(body).unwrap_or_default();
    if status.is_success() {
        return Ok(document);
    }
    if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
        let what = if with_key { "does not accept this API key" } else { "wants an API key" };
        return Err(CliError::Usage(format!("the server at {address} {what}; give one with --api-key or BAOPHAT_API_KEY")));
    }
    let told = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let why = told("detail").or_else(|| told("title")).unwrap_or_else(|| status.to_string());
    Err(CliError::No(format!("the server at {address} refused: {why}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_listened_on_is_called_on_this_machine() {
        let rows = [
            ("127.0.0.1:8080", "127.0.0.1:8080"),
            ("0.0.0.0:80", "127.0.0.1:80"),
            ("[::]:80", "[::1]:80"),
            ("[::1]:80", "[::1]:80"),
            ("localhost:1", "localhost:1"),
        ];
        for (listen, wanted) in rows {
            assert_eq!(reachable(listen), wanted);
        }
    }

    #[test]
    fn routes_are_those_of_the_contract() {
        assert_eq!(path(ReprocessWhat::One(7)), "/v1/callbacks/7/reprocess");
        assert_eq!(path(ReprocessWhat::All(Status::Error)), "/v1/callbacks/reprocess?status=error");
    }

    #[test]
    fn an_answer_is_a_count_or_the_reason_with_its_exit_code() {
        let answer = |status, body| {
            read(status, true, "x:1", body)
                .map(|d| d.get("reprocessed").and_then(Value::as_u64))
                .map_err(|e| (e.exit_code(), e.to_string()))
        };
        assert_eq!(answer(StatusCode::OK, r#"{"reprocessed": 3}"#), Ok(Some(3)));
        assert_eq!(answer(StatusCode::ACCEPTED, "{}"), Ok(None));
        assert_eq!(answer(StatusCode::UNAUTHORIZED, "").unwrap_err().0, 2);
        let (code, text) = answer(StatusCode::NOT_FOUND, r#"{"title": "Not found", "detail": "no callback 7"}"#).unwrap_err();
        assert_eq!((code, text.contains("no callback 7")), (1, true));
    }
}
