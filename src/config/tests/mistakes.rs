//! Every mistake is told with its line, its key and what to do, all of them at once, and none with a secret in it.

use super::*;

/// The one mistake of a file.
#[track_caller]
fn only(toml: &str) -> String {
    let mistakes = given(toml).mistakes();
    assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
    mistakes[0].clone()
}

#[track_caller]
fn rows(rows: &[(&str, &str)]) {
    for (toml, begins) in rows {
        let line = only(toml);
        assert!(line.starts_with(begins), "\n  given  {toml:?}\n  wanted {begins}\n  told   {line}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told_as_such() {
    let error = Config::load_for(Some(Path::new("/nowhere/b.toml")), &Env::default(), PROVIDERS).unwrap_err();
    assert!(error.to_string().starts_with("/nowhere/b.toml: the configuration file cannot be read: there is no such file."), "{error}");
}

#[test]
fn broken_toml_names_its_place_and_does_not_show_the_line() {
    let line = only("listen = \"127.0.0.1:1\"\napi_keys = hidden-word\n");
    assert!(line.starts_with("baophat.toml:2:12: this is no valid TOML: "), "{line}");
    assert!(!line.contains("hidden"), "{line}");
}

#[test]
fn a_key_that_does_not_exist_is_told_at_every_level() {
    rows(&[
        ("lisen = \"a\"", "baophat.toml:1:1: lisen: there is no such key; did you mean `listen`?"),
        ("[[accounts]]\n", "baophat.toml:1:3: accounts: there is no such key; did you mean `account`?"),
        ("body_bytes_max = 5", "baophat.toml:1:1: body_bytes_max: there is no such key; it belongs under [limits]"),
        (
            "[log]\nlisten = \"a:1\"",
            "baophat.toml:2:1: log.listen: there is no such key; it belongs at the top of the file, before the first [table]",
        ),
        ("[limits]\nbody_byte_max = 1", "baophat.toml:2:1: limits.body_byte_max: there is no such key; did you mean `body_bytes_max`?"),
        ("[retention]\ncolour = 1", "baophat.toml:2:1: retention.colour: there is no such key; the keys here are callbacks, messages"),
        ("[stuck]\nzallo = 1", "baophat.toml:2:1: stuck.zallo: there is no such key; did you mean `zalo`?"),
        ("[stuck.zalo]\nqueued = \"1m\"", "baophat.toml:2:1: stuck.zalo.queued: there is no such key; put it under [stuck.zalo.default]"),
        ("[stuck.zalo.zns]\nsend = \"1m\"", "baophat.toml:2:1: stuck.zalo.zns.send: there is no such key; did you mean `sent`?"),
        ("[stuck.zalo.\"z n s\"]\nsent = \"1m\"", "baophat.toml:1:13: stuck.zalo.z n s: is no kind of message"),
    ]);
    let account = |extra: &str| only(&format!("{ZALO}{extra}"));
    assert_eq!(
        account("oa_secert_key = 1"),
        "baophat.toml:6:1: account[1].oa_secert_key: there is no such key; did you mean `oa_secret_key`?"
    );
    assert_eq!(
        account("app_secret = 1"),
        "baophat.toml:6:1: account[1].app_secret: there is no such key; it is a key of facebook accounts"
    );
}

#[test]
fn a_value_of_another_type_is_told_with_what_it_should_be() {
    rows(&[
        ("listen = 8080", "baophat.toml:1:10: listen: must be a text in quotes, and is a number without quotes"),
        ("limits = 3", "baophat.toml:1:10: limits: must be a table that begins with its name in [brackets], and is a number"),
        (
            "[limits]\nbody_bytes_max = \"1\"",
            "baophat.toml:2:18: limits.body_bytes_max: must be a whole number, without quotes, and is a text",
        ),
        (
            "[retention]\ncallbacks = 30",
            "baophat.toml:2:13: retention.callbacks: must be a length of time in quotes, such as \"15m\", and is a number",
        ),
        (
            "api_keys = 7",
            "baophat.toml:1:12: api_keys: a secret is a text, { env = \"NAME\" } or { file = \"PATH\" }, or a list of these; here is a number",
        ),
        (
            "api_keys = [{ path = \"x\" }]",
            "baophat.toml:1:13: api_keys: a secret is a text, { env = \"NAME\" } or { file = \"PATH\" }, or a list of these; here is a table",
        ),
        (
            "account = 3",
            "baophat.toml:1:11: account: must be a list of tables: begin each with [[account]], in two brackets, and is a number",
        ),
        ("[account]\nid = \"a\"", "baophat.toml:1:1: account: must be a list of tables"),
        (
            &ZALO.replace("\"42\"", "42"),
            "baophat.toml:4:10: account[1].app_id: must be a text in quotes (ids and codes too), and is a number",
        ),
        (
            &format!("{ZALO}oa_ids = [\"1\", 2]"),
            "baophat.toml:6:16: account[1].oa_ids: must be a text in quotes, or a list of such texts, and is a number",
        ),
    ]);
}

#[test]
fn what_must_be_there_and_is_not_is_told_with_its_meaning() {
    let without = |key: &str, toml: &str| toml.lines().filter(|l| !l.starts_with(key)).map(|l| format!("{l}\n")).collect::<String>();
    rows(&[
        (
            &without("oa_secret_key", ZALO),
            "baophat.toml:1:1: account[1].oa_secret_key: is missing (the OA Secret Key of the app's webhook page). Add it, or set BAOPHAT__ACCOUNT__SHOP_OA__OA_SECRET_KEY.",
        ),
        (&without("app_id", ZALO), "baophat.toml:1:1: account[1].app_id: is missing (the app's id)."),
        (&without("id", ZALO), "baophat.toml:1:1: account[1].id: is missing"),
        (
            &without("provider", ZALO),
            "baophat.toml:1:1: account[1].provider: is missing (who calls this account: \"zalo\", \"facebook\", \"esms\")",
        ),
        (&ZALO.replace("\"k3y\"", "[]"), "baophat.toml:5:17: account[1].oa_secret_key: is missing"),
    ]);
}

#[test]
fn a_secret_that_cannot_be_had_is_told() {
    let with = |secret: &str| ZALO.replace("\"k3y\"", secret);
    rows(&[
        (&with("{ env = \"NOT_SET\" }"), "baophat.toml:5:17: account[1].oa_secret_key: environment variable NOT_SET is not set; set it"),
        (&with("\" \""), "baophat.toml:5:17: account[1].oa_secret_key: the secret is empty"),
        (&with("[\"a\", { file = \"no.key\" }]"), "baophat.toml:5:23: account[1].oa_secret_key: secret file "),
    ]);
    assert!(only(&with("{ file = \"no.key\" }")).contains("no.key cannot be read: there is no such file."));
    let empty = given(&with("{ file = \"a.key\" }")).secret_file("a.key", "\n").mistakes();
    assert!(
        empty[0].starts_with("baophat.toml:5:17: account[1].oa_secret_key: the secret in file ") && empty[0].contains("is empty"),
        "{empty:?}"
    );
    let empty = given(&with("{ env = \"A\" }")).env(&[("A", "")]).mistakes();
    assert!(empty[0].contains("the secret in environment variable A is empty"), "{empty:?}");
}

#[test]
fn accounts_that_cannot_be_told_apart_or_made_are_told() {
    rows(&[
        (&format!("{ZALO}{ZALO}"), "baophat.toml:7:6: account[2].id: account id \"shop-oa\" is taken already by the account at line 1"),
        (&ZALO.replace("shop-oa", "Shop_OA"), "baophat.toml:2:6: account[1].id: is no account id"),
        (&ZALO.replace("shop-oa", ""), "baophat.toml:2:6: account[1].id: is empty"),
        (
            &ZALO.replace("\"zalo\"", "\"zaloo\""),
            "baophat.toml:3:12: account[1].provider: there is no such provider; did you mean \"zalo\"? It may be \"zalo\", \"facebook\", \"esms\".",
        ),
        (&ZALO.replace("\"zalo\"", "\"smtp\""), "baophat.toml:3:12: account[1].provider: there is no such provider. It may be"),
        (&ESMS.replace("89abcdef", ""), "baophat.toml:4:18: account[1].callback_token: needs at least 16 characters"),
    ]);
}

#[test]
fn values_that_cannot_be_used_are_told_with_an_example() {
    rows(&[
        ("listen = \"8080\"", "baophat.toml:1:10: listen: is no address with a port; write for example \"127.0.0.1:8080\""),
        ("listen = \"a b:80\"", "baophat.toml:1:10: listen: is no address"),
        ("listen = \"::1:80:x\"", "baophat.toml:1:10: listen: is no address"),
        ("listen = \"0.0.0.0:70000\"", "baophat.toml:1:10: listen: is no address"),
        ("listen = \"\"", "baophat.toml:1:10: listen: is empty"),
        ("public_url = \"hooks.example.vn\"", "baophat.toml:1:14: public_url: has no https:// at its beginning; write the origin alone"),
        (
            "public_url = \"http://hooks.example.vn\"",
            "baophat.toml:1:14: public_url: must begin with https:// (http is only for localhost)",
        ),
        ("public_url = \"https://a.vn/webhooks\"", "baophat.toml:1:14: public_url: has a path"),
        ("public_url = \"https://a:b@c.vn\"", "baophat.toml:1:14: public_url: has a user name in it"),
        ("public_url = \"https://a.vn:0\"", "baophat.toml:1:14: public_url: has a port that is none"),
        ("public_url = \"https://\"", "baophat.toml:1:14: public_url: has no valid host"),
        ("public_url = \"ftp://a.vn\"", "baophat.toml:1:14: public_url: must begin with https://"),
    ]);
}

#[test]
fn times_and_databases_that_cannot_be_used_are_told_with_an_example() {
    rows(&[
        ("stuck.sweep_every = \"often\"", "baophat.toml:1:21: stuck.sweep_every: is no length of time"),
        ("stuck.zalo.zns.sent = \"0s\"", "baophat.toml:1:23: stuck.zalo.zns.sent: must be between 1s and 365d"),
        ("[stuck.zalo.\"*\"]\nsent = \"-1h\"", "baophat.toml:2:8: stuck.zalo.*.sent: is no length of time"),
        ("retention.callbacks = \"1h\"", "baophat.toml:1:23: retention.callbacks: must be between 1d and 36525d"),
        (
            "database = \"postgres://u:p@h/db\"",
            "baophat.toml:1:12: database: PostgreSQL is not built into this version; use \"sqlite:PATH\"",
        ),
        (
            "database = \"baophat.db\"",
            "baophat.toml:1:12: database: does not say which kind of database it is; write for example \"sqlite:",
        ),
        ("database = \"mysql://h/db\"", "baophat.toml:1:12: database: is of a kind that this program does not know"),
        ("database = \"sqlite::memory:\"", "baophat.toml:1:12: database: would forget every receipt"),
        ("database = \"sqlite:\"", "baophat.toml:1:12: database: names no file"),
        ("lang = \"fr\"", "baophat.toml:1:8: lang: must be one of \"vi\" and \"en\""),
        ("log.format = \"xml\"", "baophat.toml:1:14: log.format: must be one of \"auto\", \"pretty\" and \"json\""),
        ("log.level = \"loud\"", "baophat.toml:1:13: log.level: is no log level"),
        ("limits.body_bytes_max = -1", "baophat.toml:1:25: limits.body_bytes_max: must be a whole number between 1024 and 67108864"),
        ("limits.workers = 0", "baophat.toml:1:18: limits.workers: must be a whole number between 1 and 1024"),
        ("limits.workers = 99999999999999999999", "baophat.toml:1:18: limits.workers: must be a whole number between 1 and 1024"),
    ]);
}

#[test]
fn a_deadline_of_one_kind_in_two_spellings_is_told() {
    let line = only("[stuck.zalo.\"*\"]\nsent = \"1h\"\n[stuck.zalo.default]\nsent = \"2h\"\n");
    assert!(line.contains("is given twice"), "{line}");
}

#[test]
fn all_mistakes_are_told_at_once_in_the_order_of_their_lines() {
    let mistakes =
        given("lang = \"fr\"\nlisten = \"x\"\n[limits]\nworkers = 0\n[[account]]\nid = \"a\"\nprovider = \"zalo\"\nap_id = \"1\"\n")
            .env(&[("BAOPHAT__DATABASE", "oracle:x")])
            .mistakes();
    let places: Vec<&str> = mistakes.iter().map(|m| m.split(": ").next().unwrap()).collect();
    let file = ["1:8", "2:10", "4:11", "5:1", "5:1", "8:1"].map(|place| format!("baophat.toml:{place}"));
    assert_eq!(places[..6], file, "{mistakes:#?}");
    assert_eq!(places[6..], ["environment variable BAOPHAT__DATABASE"]);
}

#[test]
fn no_mistake_shows_a_secret() {
    let toml = "api_keys = \"hush-hush\"\n[[account]]\nid = \"a\"\nprovider = \"esms\"\ncallback_token = \"hush-hush\"\n";
    let text = given(toml).env(&[("BAOPHAT__ACCOUNT__A__API_KEYS", "hush-hush")]).mistakes().join("\n");
    assert!(!text.contains("hush"), "{text}");
}
