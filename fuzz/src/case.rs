//! An input: one request as text, a head and, behind an empty line, a body. In the head `{sign}` stands for the right signature of
//! the body, `{token}` for the right token, `{length}` for the body's length; so a changed body can still be a signed one.
//! A head whose lines end in LF alone stands for one with CRLF; with any CR in it, it goes out as it is.

use baophat::config::AccountConfig;
use baophat::domain::record::{Callback, Method};
use baophat::domain::time::Millis;

use super::accounts::{ESMS_TOKEN, PROVIDERS};
use super::proof;

/// A request as the providers' code sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    pub post: bool,
    /// Which of the accounts.
    pub account: usize,
    pub token: Option<String>,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// Head and body: everything before the first empty line, and behind it.
fn split(input: &[u8]) -> (&[u8], &[u8]) {
    let crlf = input.windows(4).position(|w| w == b"\r\n\r\n").map(|at| (at, at + 4));
    let lf = input.windows(2).position(|w| w == b"\n\n").map(|at| (at, at + 2));
    match [crlf, lf].into_iter().flatten().min() {
        Some((end, body)) => (&input[..end], &input[body..]),
        None => (input, &[]),
    }
}

/// The account of a path.
fn account(path: &str) -> usize {
    let provider = path.trim_start_matches("/webhooks/").split('/').next().unwrap_or_default();
    PROVIDERS.iter().position(|p| *p == provider).unwrap_or(path.len() % PROVIDERS.len())
}

/// The head with its words put in.
fn filled(head: &str, body: &[u8]) -> String {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let head = head.replace("{token}", ESMS_TOKEN).replace("{length}", &body.len().to_string());
    if head.contains("{sign}") { head.replace("{sign}", &proof::sign(account(path), body)) } else { head }
}

/// The bytes of an input as they go out.
pub fn render(input: &[u8]) -> Vec<u8> {
    let (head, body) = split(input);
    let Ok(text) = std::str::from_utf8(head) else { return input.to_vec() };
    let head = filled(text, body);
    if head.contains('\r') {
        let gap = &input[text.len()..input.len() - body.len()];
        return [head.as_bytes(), gap, body].concat();
    }
    [head.replace('\n', "\r\n").as_bytes(), b"\r\n\r\n", body].concat()
}

impl Case {
    /// Reads an input; `None` when its head is no text.
    pub fn read(input: &[u8]) -> Option<Case> {
        let (head, body) = split(input);
        let head = filled(std::str::from_utf8(head).ok()?, body);
        let mut lines = head.lines();
        let mut first = lines.next()?.split(' ');
        let (method, target) = (first.next()?, first.next()?);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let token = path.trim_start_matches("/webhooks/").splitn(3, '/').nth(2).map(str::to_owned);
        let headers = lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim().to_lowercase(), v.trim().to_owned())).collect();
        Some(Case { post: method == "POST", account: account(path), token, query: query.to_owned(), headers, body: body.to_vec() })
    }

    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// As the edge hands it to an account.
    pub fn callback(&self, account: &AccountConfig) -> Callback {
        let kept = account.provider.kept_headers.iter();
        Callback {
            account: account.id.clone(),
            method: if self.post { Method::Post } else { Method::Get },
            query: self.query.clone(),
            content_type: self.header("content-type").map(str::to_owned),
            headers: kept.filter_map(|n| self.header(n).map(|v| ((*n).to_owned(), v.to_owned()))).collect(),
            body: self.body.clone(),
            source: "192.0.2.1".to_owned(),
            received_at: Millis(1_764_000_000_000),
        }
    }
}
