//! Settings that cannot be used, what is folded, and what an operator is told to paste.

use super::*;

type Lists<'a> = &'a [(&'static str, &'a [&'a str])];

fn refused(lists: Lists<'_>) -> SettingError {
    match (SPEC.account)(&AccountId::parse("shop-oa").unwrap(), &values(lists)) {
        Ok(_) => panic!("{lists:?} was taken"),
        Err(error) => error,
    }
}

#[test]
fn a_setting_that_cannot_be_used_is_named_and_a_secret_never_shown() {
    let key: &[&str] = &["a-secret-key"];
    let rows: &[(&str, Lists<'_>)] = &[
        ("app_id", &[("oa_secret_key", key)]),
        ("app_id", &[("app_id", &[""]), ("oa_secret_key", key)]),
        ("app_id", &[("app_id", &["my-app"]), ("oa_secret_key", key)]),
        ("app_id", &[("app_id", &["123456789012345678901234567890123"]), ("oa_secret_key", key)]),
        ("oa_secret_key", &[("app_id", &[APP])]),
        ("oa_secret_key", &[("app_id", &[APP]), ("oa_secret_key", &["good", ""])]),
        ("oa_secret_key", &[("app_id", &[APP]), ("oa_secret_key", &[" a-secret-key"])]),
        ("oa_secret_key", &[("app_id", &[APP]), ("oa_secret_key", &["a-secret-key\n"])]),
        ("oa_ids", &[("app_id", &[APP]), ("oa_secret_key", key), ("oa_ids", &[OA, "My shop"])]),
        ("oa_ids", &[("app_id", &[APP]), ("oa_secret_key", key), ("oa_ids", &[""])]),
        ("access_token", &[("app_id", &[APP]), ("oa_secret_key", key), ("access_token", &[""])]),
        ("refresh_token", &[("app_id", &[APP]), ("oa_secret_key", key), ("refresh_token", &["a-secret-key "])]),
        ("site_verification", &[("app_id", &[APP]), ("oa_secret_key", key), ("site_verification", &["zalo_verifierAb12.html"])]),
        ("site_verification", &[("app_id", &[APP]), ("oa_secret_key", key), ("site_verification", &["a/../b"])]),
        ("site_verification", &[("app_id", &[APP]), ("oa_secret_key", key), ("site_verification", &["\"><script>"])]),
    ];
    for (named, lists) in rows {
        let error = refused(lists);
        assert_eq!(error.key, *named, "{lists:?}");
        assert!(!error.to_string().contains("a-secret-key"), "{error}");
        assert!(SPEC.settings.iter().any(|s| s.key == error.key));
    }
}

#[test]
fn recipients_are_folded_and_message_ids_are_opaque() {
    let hash = "AB12".repeat(16);
    assert_eq!((SPEC.fold_recipient)(&hash), hash.to_lowercase());
    assert_eq!((SPEC.fold_recipient)(&hash[1..]), hash[1..]);
    for as_given in [USER, "anon-77", "f414c8f76fa586fbdfb4", "84912000111"] {
        assert_eq!((SPEC.fold_recipient)(as_given), as_given);
    }
    assert_eq!((SPEC.fold_message_id)(" 0C1d "), "0C1d");
}

#[test]
fn every_other_kind_has_a_deadline_too() {
    assert!(SPEC.deadlines.iter().any(|d| d.kind == "*"));
    assert!(SPEC.deadlines.iter().all(|d| d.queued.0 > 0 && d.sent >= Span::hours(2)), "Zalo repeats a lost receipt for almost two hours");
}

#[test]
fn the_console_advice_begins_with_the_exact_url_and_names_every_switch() {
    let steps = account_of(&[("app_id", &[APP]), ("oa_secret_key", &[KEY]), ("oa_ids", &[OA]), ("site_verification", &["Ab12", "Cd34"])])
        .console("https://hook.example.vn");
    assert_eq!(steps[0].what, "https://hook.example.vn/webhooks/zalo/shop-oa");
    let all: String = steps.iter().map(|s| format!("{}: {}\n", s.at, s.what)).collect();
    for needed in [
        "oa_send_",
        "user_received_message",
        "user_seen_message",
        "user_send_",
        "follow",
        "unfollow",
        "user_reacted_message",
        "user_feedback",
        "user_click_response_button",
        "change_template_status",
        "change_template_quality",
        "change_template_quota",
        "change_oa_daily_quota",
        "permission_revoked",
        "Webhook Retry",
        "oa_secret_key",
        "Message Template",
        OA,
        APP,
        "https://hook.example.vn/zalo_verifierAb12.html",
        "https://hook.example.vn/zalo_verifierCd34.html",
    ] {
        assert!(all.contains(needed), "{needed}");
    }
    assert!(!all.contains(KEY));
    assert!(!all.contains("without a port"));
    for origin in ["http://127.0.0.1:8080", "http://hook.example.vn", "https://hook.example.vn:8443", "https://203.0.113.7"] {
        assert!(shop().console(origin)[1].what.contains("without a port"), "{origin}");
    }
}

#[test]
fn the_codes_of_the_domain_check_are_told_and_there_is_no_handshake() {
    let account = account_of(&[("app_id", &[APP]), ("oa_secret_key", &[KEY]), ("site_verification", &["Ab12"])]);
    assert_eq!(account.site_verifications(), ["Ab12"]);
    assert_eq!(account.handshake("hub.challenge=1"), crate::providers::Handshake::None);
}
