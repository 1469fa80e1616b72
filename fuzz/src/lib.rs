//! What must hold for any bytes. The targets of cargo-fuzz call these, and so do the ordinary tests (`tests/it/fuzz`), with the kept
//! corpus and with mutations of it. One input is one request as text; `case` says how it is read.

pub mod accounts;
pub mod case;
pub mod edge;
pub mod proof;

use baophat::domain::record::SendAnswer;
use baophat::domain::time::Millis;
use baophat::providers::{self, AnswerContext, Handshake};

use self::case::Case;

/// A callback is accepted exactly when it was signed with the secret (or called with the token), and then always as the same one.
pub fn verify(input: &[u8]) {
    let Some(case) = Case::read(input) else { return };
    let account = &accounts::config().accounts[case.account];
    let callback = case.callback(account);
    let token = case.token.as_deref();
    let outcome = providers::verify(account.account.as_ref(), callback.clone(), token);
    assert_eq!(outcome.is_ok(), proof::holds(&case), "{case:?}");
    assert_eq!(outcome, providers::verify(account.account.as_ref(), callback, token), "{case:?}");
}

/// Every reader of every provider takes the bytes, and twice in the same way.
pub fn parse(input: &[u8]) {
    let Some(case) = Case::read(input) else { return };
    for account in &accounts::config().accounts {
        let callback = case.callback(account);
        assert_eq!(account.account.parse(&callback), account.account.parse(&callback), "{case:?}");
        assert_eq!(account.account.identity(&callback), account.account.identity(&callback), "{case:?}");
        let answer = SendAnswer { status: Some(200), body: String::from_utf8_lossy(&case.body).into_owned(), ..SendAnswer::default() };
        let context = AnswerContext { kind: None, recipient: Some("84912000111"), received_at: Millis(1_764_000_000_000) };
        assert_eq!(account.account.read_answer(&answer, context), account.account.read_answer(&answer, context), "{case:?}");
        if let Handshake::Challenge(text) = account.account.handshake(&case.query) {
            let given = |name: &str, value: &str| form_urlencoded::parse(case.query.as_bytes()).any(|(n, v)| n == name && v == value);
            let known = given("hub.verify_token", accounts::VERIFY_TOKEN) && given("hub.mode", "subscribe");
            assert!(known && given("hub.challenge", &text), "{case:?}");
        }
    }
}

/// The whole program takes the bytes on its socket: what it answers is no 5xx but 503, and what it stores is proven.
pub fn edge(input: &[u8]) {
    edge::Service::shared().check(&case::render(input));
}
