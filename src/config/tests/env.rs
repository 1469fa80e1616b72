//! The environment goes over the file, names its variables in mistakes, and takes nothing that belongs to no key.

use super::*;

#[test]
fn a_variable_wins_over_the_file() {
    let toml = format!("listen = \"127.0.0.1:1\"\ndatabase = \"sqlite:a.db\"\n[limits]\nworkers = 2\n{ZALO}");
    let config = given(&toml)
        .env(&[
            ("BAOPHAT__LISTEN", "0.0.0.0:80"),
            ("BAOPHAT__LIMITS__WORKERS", "1_0"),
            ("BAOPHAT__API_KEYS", "sixteen-letters-1, sixteen-letters-2"),
            ("BAOPHAT__RETENTION__CALLBACKS", "9d"),
            ("BAOPHAT__STUCK__SWEEP_EVERY", "2s"),
            ("BAOPHAT__STUCK__ZALO__ZNS__SENT", "3h"),
            ("BAOPHAT__STUCK__ZALO__DEFAULT__QUEUED", "4m"),
            ("BAOPHAT__STUCK__ZALO__PROMO__SENT", "5h"),
            ("BAOPHAT__ACCOUNT__SHOP_OA__OA_SECRET_KEY", "new,old"),
            ("BAOPHAT__ACCOUNT__SHOP_OA__OA_IDS", "1,2"),
            ("BAOPHAT_CONFIG", "is none of ours"),
        ])
        .load()
        .unwrap();
    assert_eq!((config.listen.as_str(), config.limits.workers, config.api_keys.len()), ("0.0.0.0:80", 10, 2));
    assert_eq!(config.database, Database::Sqlite { path: "a.db".into() });
    assert_eq!((config.retention.callbacks, config.stuck.sweep_every), (Span::days(9), Span::seconds(2)));
    let limits = |kind| config.stuck.deadlines.limits("zalo", Some(kind)).map(|l| (l.queued, l.sent)).unwrap();
    assert_eq!(limits("zns"), (Span::minutes(15), Span::hours(3)));
    assert_eq!(limits("promo"), (Span::minutes(4), Span::hours(5)));
    assert_eq!(limits("other"), (Span::minutes(4), Span::hours(24)));
    assert_eq!(config.accounts[0].values.list("oa_secret_key"), ["new", "old"]);
    assert_eq!(config.accounts[0].values.list("oa_ids"), ["1", "2"]);
    assert_eq!(config.origins.get("listen"), Some(&Origin::Variable("BAOPHAT__LISTEN".into())));
    assert_eq!(config.origins.get("database"), Some(&Origin::Line(2)));
    assert_eq!(config.origins.get("stuck.zalo.*.queued"), Some(&Origin::Variable("BAOPHAT__STUCK__ZALO__DEFAULT__QUEUED".into())));
}

#[test]
fn a_secret_may_come_from_a_file_named_by_a_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, "with,comma and sixteen letters\n").unwrap();
    let env = [("BAOPHAT__API_KEYS_FILE", path.to_str().unwrap())];
    let config = given("").env(&env).load().unwrap();
    assert_eq!(config.api_keys, [Secret::new("with,comma and sixteen letters")]);
}

#[test]
fn an_account_may_stand_in_the_environment_alone() {
    let env: Env = [("BAOPHAT__ACCOUNT__SHOP_SMS__PROVIDER", "esms"), ("BAOPHAT__ACCOUNT__SHOP_SMS__CALLBACK_TOKEN", "0123456789abcdef")]
        .into_iter()
        .collect();
    let config = Config::load_for(None, &env, PROVIDERS).unwrap();
    let account = config.account("shop-sms").unwrap();
    assert_eq!((account.provider.slug, account.line), ("esms", None));
    assert!(config.warnings.is_empty());
}

#[test]
fn a_variable_that_belongs_to_no_key_is_told_by_name() {
    let rows = [
        ("BAOPHAT__LISTENN", "no key belongs to this variable; did you mean BAOPHAT__LISTEN?"),
        ("BAOPHAT__listen", "no key belongs to this variable; did you mean BAOPHAT__LISTEN?"),
        ("BAOPHAT__COLOUR", "no key belongs to this variable; its name is the key's path in capitals"),
        ("BAOPHAT__LISTEN_FILE", "no key belongs to this variable; its name is"),
        ("BAOPHAT__STUCK__ZALLO__DEFAULT__SENT", "no key belongs to this variable; did you mean BAOPHAT__STUCK__ZALO__DEFAULT__SENT?"),
        ("BAOPHAT__ACCOUNT__SHOP_OA__ID", "no key belongs to this variable"),
        ("BAOPHAT__ACCOUNT__SHOP_OA__APP_IDD", "no key belongs to this variable; did you mean BAOPHAT__ACCOUNT__SHOP_OA__APP_ID?"),
        (
            "BAOPHAT__ACCOUNT__OTHER__OA_SECRET_KEY",
            "no key belongs to this variable; there is no account \"other\". BAOPHAT__ACCOUNT__OTHER__PROVIDER would make one.",
        ),
    ];
    for (name, told) in rows {
        let mistakes = given(ZALO).env(&[(name, "hidden")]).mistakes();
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert!(mistakes[0].starts_with(&format!("environment variable {name}: {told}")), "{}", mistakes[0]);
        assert!(!mistakes[0].contains("hidden"));
    }
}

#[test]
fn a_mistake_in_a_variable_names_variable_and_key() {
    let rows = [
        ("BAOPHAT__LIMITS__WORKERS", "many", "limits.workers: must be a whole number between 1 and 1024"),
        ("BAOPHAT__LIMITS__BODY_BYTES_MAX", "-5", "limits.body_bytes_max: must be a whole number between 1024 and"),
        ("BAOPHAT__LISTEN", "", "listen: is empty"),
        ("BAOPHAT__API_KEYS", "sixteen-letters-1,", "api_keys: the secret is empty"),
        ("BAOPHAT__STUCK__ZALO__ZNS__SENT", "soon", "stuck.zalo.zns.sent: is no length of time"),
        ("BAOPHAT__ACCOUNT__SHOP_OA__OA_SECRET_KEY", "", "account[1].oa_secret_key: the secret is empty"),
        (
            "BAOPHAT__ACCOUNT__SHOP_OA__OA_SECRET_KEY_FILE",
            "/nowhere/key",
            "account[1].oa_secret_key: secret file /nowhere/key cannot be read",
        ),
        ("BAOPHAT__ACCOUNT__SHOP_OA__PROVIDER", "smtp", "account[1].provider: there is no such provider."),
        (
            "BAOPHAT__ACCOUNT__NEW__PROVIDER",
            "zalo",
            "account[new].app_id: is missing (the app's id). Add it, or set BAOPHAT__ACCOUNT__NEW__APP_ID.",
        ),
    ];
    for (name, value, told) in rows {
        let mistakes = given(ZALO).env(&[(name, value)]).mistakes();
        assert!(mistakes[0].starts_with(&format!("environment variable {name}: {told}")), "{mistakes:#?}");
    }
}

#[test]
fn a_secret_given_as_text_and_as_file_is_told() {
    let mistakes = given("").env(&[("BAOPHAT__API_KEYS", "sixteen-letters-1"), ("BAOPHAT__API_KEYS_FILE", "/a")]).mistakes();
    assert_eq!(
        mistakes,
        ["environment variable BAOPHAT__API_KEYS_FILE: api_keys: is given twice, here and as BAOPHAT__API_KEYS; keep one of them"]
    );
}
