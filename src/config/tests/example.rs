//! `config.example.toml` loads, names every key there is, and tells the truth about the defaults.

use super::*;
use crate::config::keys::{KEYS, Shape};

const EXAMPLE: &str = include_str!("../../../config.example.toml");

/// The providers of this program.
fn specs() -> Vec<&'static Spec> {
    // A provider without settings is not written yet.
    let real = |slug: &str| crate::providers::PROVIDERS.iter().copied().find(|s| s.slug == slug && !s.settings.is_empty());
    PROVIDERS.iter().map(|fixture| real(fixture.slug).unwrap_or(fixture)).collect()
}

/// The example with every key switched on that is switched off (`#key = …`).
fn switched_on() -> String {
    let on = |line: &str| match line.strip_prefix('#') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_lowercase() || c == '[') => format!("{rest}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(on).collect()
}

/// An environment in which every `{ env = "NAME" }` of the example is set.
fn environment() -> Vec<(String, String)> {
    let names = EXAMPLE.split("{ env = \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name);
    let value = |name: &str| if name.ends_with("_URL") { "https://hooks.example.vn/x".to_owned() } else { format!("{:0<32}", "abc123") };
    names.map(|name| (name.to_owned(), value(name))).collect()
}

fn load(toml: &str) -> Config {
    let given = given(toml);
    let env = environment().into_iter().collect();
    Config::load_for(Some(&given.path()), &env, &specs()).unwrap_or_else(|error| panic!("config.example.toml:\n{error}"))
}

#[test]
fn it_loads_as_it_is_and_with_everything_switched_on() {
    for toml in [EXAMPLE.to_owned(), switched_on()] {
        let config = load(&toml);
        assert_eq!(config.warnings, Vec::<String>::new());
        let providers: Vec<&str> = config.accounts.iter().map(|a| a.provider.slug).collect();
        assert_eq!(providers, specs().iter().map(|s| s.slug).collect::<Vec<_>>());
    }
}

#[test]
fn it_names_every_key() {
    let config = load(&switched_on());
    for key in KEYS {
        assert!(config.origins.contains_key(key.path), "config.example.toml has no {}", key.path);
    }
    for account in &config.accounts {
        for setting in account.provider.settings {
            let (id, slug) = (&account.id, account.provider.slug);
            assert!(
                config.origins.contains_key(&format!("account.{id}.{}", setting.key)),
                "config.example.toml has no {} of {slug}",
                setting.key
            );
        }
    }
    for (provider, kind, _) in config.stuck.deadlines.iter() {
        for state in ["queued", "sent"] {
            let key = format!("stuck.{provider}.{kind}.{state}");
            assert!(config.origins.contains_key(&key), "config.example.toml has no {key}");
        }
    }
}

#[test]
fn it_names_every_key_of_alerts_and_subscriptions() {
    let config = load(&switched_on());
    let targets: Vec<_> = config.targets.iter().map(|t| (t.id.as_str(), t.kind())).collect();
    let wanted = [("on-call", "telegram"), ("team", "slack"), ("mail", "email"), ("pager", "webhook"), ("order-system", "subscription")];
    assert_eq!(targets, wanted);
    for target in &config.targets {
        let (list, kind) = target.list();
        let written = switched_on();
        for field in crate::config::outgoing::fields(list, kind) {
            assert!(written.contains(&format!("\n{} = ", field.key)), "config.example.toml has no {} of {}", field.key, target.id);
        }
    }
    // Whatever the first alert and the subscription can have, they show.
    for target in [&config.targets[0], &config.targets[4]] {
        let (list, kind) = target.list();
        for field in crate::config::outgoing::fields(list, kind) {
            assert!(!target.values.list(field.key).is_empty(), "config.example.toml has no {} of {}", field.key, target.id);
        }
    }
}

#[test]
fn what_it_writes_is_the_default() {
    let (config, default) = (load(EXAMPLE), Config::load_for(None, &Env::default(), &specs()).unwrap());
    for key in KEYS {
        let same = match &key.shape {
            Shape::Text { get, .. } => get(&config) == get(&default),
            Shape::Number { get, .. } => get(&config) == get(&default),
            Shape::Time { get, .. } => get(&config) == get(&default),
            Shape::Secrets { get, .. } => get(&config) == get(&default),
        };
        assert!(same, "config.example.toml writes {} otherwise than the default", key.path);
    }
    assert_eq!(config.stuck.deadlines, default.stuck.deadlines, "config.example.toml writes other deadlines than the providers");
}

#[test]
fn it_holds_no_secret_that_somebody_could_forget_to_change() {
    let secrets = specs().into_iter().flat_map(|s| s.settings).filter(|s| s.kind == crate::providers::SettingKind::Secrets).map(|s| s.key);
    for key in secrets.chain(["api_keys"]) {
        let written = switched_on().lines().filter_map(|l| l.strip_prefix(&format!("{key} = ")).map(str::to_owned)).collect::<Vec<_>>();
        assert!(written.iter().all(|value| value.contains("{ env = ")), "{key}: {written:?}");
    }
}
