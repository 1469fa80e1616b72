//! Configurations with mistakes: each is told with its key and line, the exit code is 2, and nothing is started or made.

use std::path::Path;

use crate::harness::Server;

/// A start with this text in place of the whole configuration.
fn start(folder: &Path, text: &str) -> (Option<i32>, String) {
    std::fs::write(folder.join("baophat.toml"), text).unwrap();
    let started = Server::start_in_vain(folder);
    (started.status.code(), started.stderr)
}

const ACCOUNT: &str = "[[account]]\nid = \"shop-sms\"\nprovider = \"esms\"\ncallback_token = \"fixture-token-0123456789\"\n";

#[test]
fn each_kind_of_mistake_is_named_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("listen = \"127.0.0.1:0\"\ndatabase = \"sqlite:{}\"\n", folder.path().join("b.db").display());
    let with = |text: &str| format!("{database}{text}");
    for (text, says) in [
        (with("lissten = \"127.0.0.1:1\"\n"), vec![":3:", "lissten"]),
        (with("[limits]\nbody_bytes_max = \"1 MiB\"\n"), vec![":4:", "limits.body_bytes_max"]),
        (with("[limits]\nbody_bytes_max = -1\n"), vec![":4:", "limits.body_bytes_max"]),
        (with("[stuck.zalo.zns]\nsent = \"2 fortnights\"\n"), vec![":4:", "sent"]),
        (with("[stuck.viber.default]\nsent = \"2h\"\n"), vec!["viber"]),
        (with("api_keys = [7]\n"), vec![":3:", "api_keys"]),
        (with("lang = \"fr\"\n"), vec![":3:", "lang"]),
        (with(&ACCOUNT.replace("shop-sms", "Shop SMS")), vec![":4:", "id"]),
        (with(&ACCOUNT.replace("esms", "viber")), vec![":5:", "provider"]),
        (with(&ACCOUNT.replace("fixture-token-0123456789", "short")), vec![":6:", "callback_token"]),
        (with(&ACCOUNT.replace("callback_token", "calback_token")), vec![":6:", "calback_token", "callback_token"]),
        (with(&format!("{ACCOUNT}{ACCOUNT}")), vec![":8:", "shop-sms"]),
        (with("[[account]]\nid = \"a\"\nprovider = \"zalo\"\napp_id = \"1\"\n"), vec!["oa_secret_key"]),
        (with("[[account]]\nid = \"a\"\nprovider = \"zalo\"\napp_id = 1\noa_secret_key = \"k\"\n"), vec![":6:", "app_id"]),
        (
            with(&ACCOUNT.replace("\"fixture-token-0123456789\"", "{ env = \"NO_SUCH_VARIABLE_OF_BAOPHAT\" }")),
            vec![":6:", "NO_SUCH_VARIABLE_OF_BAOPHAT"],
        ),
        (with(&ACCOUNT.replace("\"fixture-token-0123456789\"", "{ file = \"no-such-file\" }")), vec![":6:", "no-such-file"]),
        (with("listen = \"127.0.0.1:1\"\n"), vec![":3:", "duplicate"]),
        (with("[limits\n"), vec![":3:"]),
        ("database = \"mysql://x\"\n".to_owned(), vec![":1:", "database"]),
    ] {
        let (code, stderr) = start(folder.path(), &text);
        assert_eq!(code, Some(2), "{text}\n{stderr}");
        for word in says {
            assert!(stderr.contains(word), "{word} is not told of\n{text}\n{stderr}");
        }
        assert!(!stderr.contains("fixture-token"), "a secret is shown: {stderr}");
        assert!(!folder.path().join("b.db").exists(), "a store was made");
    }
}

#[test]
fn every_mistake_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (code, stderr) = start(folder.path(), "lang = \"fr\"\nsurprise = 1\n[limits]\nworkers = 0\n");
    assert_eq!(code, Some(2));
    for word in ["lang", "surprise", "limits.workers"] {
        assert!(stderr.contains(word), "{word}: {stderr}");
    }
}
