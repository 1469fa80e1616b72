//! Loading seen from outside: files and environments in, a configuration or its mistakes out.

mod env;
mod example;
mod mistakes;
mod outgoing;
mod show;

use std::path::PathBuf;

use super::fixture::PROVIDERS;
use super::*;

const ZALO: &str = "[[account]]\nid = \"shop-oa\"\nprovider = \"zalo\"\napp_id = \"42\"\noa_secret_key = \"k3y\"\n";
const ESMS: &str = "[[account]]\nid = \"shop-sms\"\nprovider = \"esms\"\ncallback_token = \"0123456789abcdef\"\n";

/// A configuration file in a folder of its own, removed at the end.
struct Given {
    folder: tempfile::TempDir,
    env: Env,
}

fn given(toml: &str) -> Given {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("baophat.toml"), toml).unwrap();
    Given { folder, env: Env::default() }
}

impl Given {
    fn env(mut self, pairs: &[(&str, &str)]) -> Given {
        self.env = pairs.iter().copied().collect();
        self
    }

    fn secret_file(self, name: &str, text: &str) -> Given {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("baophat.toml")
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::load_for(Some(&self.path()), &self.env, PROVIDERS)
    }

    /// Every mistake as a line, the folder left out.
    fn mistakes(&self) -> Vec<String> {
        let text = self.load().expect_err("it should not load").to_string();
        text.lines().map(|line| line.replace(&format!("{}/", self.folder.path().display()), "")).collect()
    }
}

#[test]
fn without_a_file_there_are_the_defaults_and_a_warning_that_no_account_is_there() {
    let config = Config::load_for(None, &Env::default(), PROVIDERS).unwrap();
    assert_eq!(config.listen, "127.0.0.1:8080");
    assert_eq!(config.limits.body_bytes_max, 1_048_576);
    assert_eq!(config.retention, Retention { callbacks: Span::days(30), messages: Span::days(400) });
    assert_eq!(config.stuck.deadlines.limits("zalo", Some("zns")).unwrap().sent, Span::hours(2));
    assert!(config.origins.is_empty());
    assert_eq!(config.warnings.len(), 1, "{:?}", config.warnings);
}

#[test]
fn every_value_of_the_file_arrives() {
    let config = given(&format!(
        "listen = \"[::1]:9000\"\npublic_url = \"https://Hooks.example.vn:8443/\"\ndatabase = \"sqlite:/srv/b.db\"\nlang = \"en\"\n\
         api_keys = [\"sixteen-letters-1\", \"sixteen-letters-2\"]\n[log]\nformat = \"json\"\nlevel = \"info, baophat=debug\"\n\
         [limits]\nbody_bytes_max = 2_048\nworkers = 3\n[retention]\ncallbacks = \"7d\"\n{ZALO}oa_ids = \"7\"\n{ESMS}"
    ))
    .load()
    .unwrap();
    assert_eq!(config.listen, "[::1]:9000");
    assert_eq!(config.public_url.as_deref(), Some("https://hooks.example.vn:8443"));
    assert_eq!(config.database, Database::Sqlite { path: "/srv/b.db".into() });
    assert_eq!(config.api_keys, ["sixteen-letters-1", "sixteen-letters-2"].map(Secret::new));
    assert_eq!((config.lang, config.log.format), (Lang::En, LogFormat::Json));
    assert_eq!((config.limits.body_bytes_max, config.limits.workers), (2_048, 3));
    assert_eq!(config.retention, Retention { callbacks: Span::days(7), messages: Span::days(400) });
    let shop = config.account("shop-oa").unwrap();
    assert_eq!((shop.provider.slug, shop.line), ("zalo", Some(14)));
    assert_eq!(shop.values.list("oa_ids"), ["7"]);
    assert_eq!(shop.values.list("site_verification"), [""; 0]);
    assert!(config.warnings.is_empty());
    assert_eq!(config.origins.get("account.shop-oa.oa_secret_key"), Some(&Origin::Line(18)));
}

#[test]
fn a_secret_is_a_text_a_variable_a_file_or_a_list_of_these() {
    let zalo = ZALO.replace("\"k3y\"", "[\"plain\", { env = \"OLD_KEY\" }, { file = \"new.key\" }]");
    let config = given(&zalo).env(&[("OLD_KEY", "from env")]).secret_file("new.key", "from file\r\n").load().unwrap();
    assert_eq!(config.accounts[0].values.list("oa_secret_key"), ["plain", "from env", "from file"]);
    assert!(!format!("{config:?}").contains("from"), "{config:?}");
}

#[test]
fn a_short_api_key_is_taken_with_a_warning() {
    let config = given(&format!("api_keys = [\"k1\", \"sixteen-letters-1\"]\n{ZALO}")).load().unwrap();
    assert_eq!(config.api_keys, ["k1", "sixteen-letters-1"].map(Secret::new));
    assert_eq!(config.warnings, ["api_keys: key 1 has 2 characters and can be guessed; make one with `openssl rand -hex 24`"]);
}

#[test]
fn a_blank_around_a_secret_is_kept_and_told() {
    let config = given(&ZALO.replace("k3y", "k3y ")).load().unwrap();
    assert_eq!(config.accounts[0].values.first("oa_secret_key"), Some("k3y "));
    assert_eq!(config.warnings, ["account[1].oa_secret_key: a secret begins or ends with a blank; it is taken as it stands"]);
}

#[test]
fn a_deadline_that_is_left_open_comes_from_the_kind_then_from_every_other_kind() {
    let config = given("[stuck.zalo.default]\nsent = \"5h\"\n[stuck.zalo.zns]\nqueued = \"1m\"\n[stuck.zalo.promo]\nqueued = \"2m\"\n")
        .load()
        .unwrap();
    let limits = |kind| config.stuck.deadlines.limits("zalo", Some(kind)).map(|l| (l.queued, l.sent)).unwrap();
    assert_eq!(limits("zns"), (Span::minutes(1), Span::hours(2)));
    assert_eq!(limits("promo"), (Span::minutes(2), Span::hours(5)));
    assert_eq!(limits("anything else"), (Span::minutes(15), Span::hours(5)));
}

#[test]
fn http_is_allowed_for_this_machine_and_a_database_may_have_two_slashes() {
    for url in ["http://localhost:8080", "http://127.0.0.1", "http://[::1]:80", "https://[2001:db8::1]"] {
        assert_eq!(given(&format!("public_url = \"{url}\"")).load().unwrap().public_url.as_deref(), Some(url));
    }
    for (text, path) in [("sqlite:a.db", "a.db"), ("sqlite:///var/a.db", "/var/a.db"), ("sqlite://a.db", "a.db")] {
        assert_eq!(given(&format!("database = \"{text}\"")).load().unwrap().database, Database::Sqlite { path: path.into() });
    }
}

#[test]
fn a_file_of_a_windows_editor_loads_too() {
    let config = given("\u{feff}listen = \"127.0.0.1:1\"\r\nlang = \"en\"\r\n").load().unwrap();
    assert_eq!((config.listen.as_str(), config.lang), ("127.0.0.1:1", Lang::En));
}
