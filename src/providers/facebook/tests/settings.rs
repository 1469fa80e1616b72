//! What an account block must have, what the console is told, and the facts of the provider that need no callback.

use super::*;

#[test]
fn a_missing_or_blank_setting_is_named_and_no_secret_is_shown() {
    let cases: [(&'static str, &[&str]); 9] = [
        ("app_id", &[]),
        ("app_id", &[""]),
        ("app_id", &["55 00"]),
        ("app_secret", &[]),
        ("app_secret", &["hunter2-secret", " "]),
        ("verify_token", &[]),
        ("verify_token", &[""]),
        ("page_ids", &["104417700031337", ""]),
        ("page_access_tokens", &["EAAB-demo", ""]),
    ];
    for (key, list) in cases {
        let error = configured(&[(key, list)]).err().unwrap_or_else(|| panic!("{key} {list:?} was taken"));
        assert_eq!(error.key, key);
        assert!(!error.to_string().contains("hunter2") && !error.to_string().contains("EAAB"), "{error}");
    }
    assert!(configured(&[("page_ids", &[]), ("page_access_tokens", &["EAAB-demo"])]).is_ok());
}

#[test]
fn the_console_is_told_the_exact_url_first_and_every_field_and_page() {
    let steps = account().console("https://hook.example.vn");
    assert_eq!(steps[0].what, "https://hook.example.vn/webhooks/facebook/shop-page");
    let all: String = steps.iter().map(|s| format!("{} {}\n", s.at, s.what)).collect();
    for word in [
        "messages",
        "message_echoes",
        "message_deliveries",
        "message_reads",
        "messaging_handovers",
        "standby",
        "messaging_policy_enforcement",
        "marketing_message_",
        "subscribed_apps",
        "pages_messaging",
        "pages_manage_metadata",
        "MODERATE",
        PAGE,
        "104417700031338",
        APP,
    ] {
        assert!(all.contains(word), "{word}");
    }
    assert!(!all.contains(SECRET_A) && !all.contains(TOKEN));
}

#[test]
fn only_old_ids_with_thirteen_digits_carry_a_server_time() {
    assert_eq!((SPEC.server_time_of_id)("mid.1457764197618:41d102a3e1ae206a38"), Some(Millis(1_457_764_197_618)));
    for id in [
        "m_1457764197618:x",
        "mid.$cAAF",
        "mid.145776419761:x",
        "mid.14577641976180:x",
        "mid.1457764197618",
        "mid.+457764197618:x",
        "mid.:",
        "",
        "MID.1457764197618:x",
    ] {
        assert_eq!((SPEC.server_time_of_id)(id), None, "{id}");
    }
}

#[test]
fn ids_are_compared_as_given() {
    assert_eq!((SPEC.fold_message_id)("m_aB-_$:="), "m_aB-_$:=");
    assert_eq!((SPEC.fold_recipient)("0912000111"), "0912000111");
}

#[test]
fn every_open_state_has_a_deadline() {
    assert!(SPEC.deadlines.iter().any(|d| d.kind == "*" && d.queued.0 > 0 && d.sent.0 > d.queued.0));
    const { assert!(SPEC.has_threads && !SPEC.token_in_path) };
}
