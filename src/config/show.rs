//! The resolved configuration for people and for programs: every value, where it was written, no secret, and for each account what to
//! put into its provider's console. The steps name the callback URLs as the console needs them, tokens included; they say so.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::keys::{KEYS, Key, Shape};
use super::outgoing::{Form, fields};
use super::{AccountConfig, Config, Origin, Shown, TargetConfig};
use crate::domain::ids::AccountId;
use crate::providers::{ConsoleStep, SettingKind};

/// The column in which the comments with the origins begin.
const COMMENT_COLUMN: usize = 44;

/// The resolved configuration as TOML with comments: a value without a comment is the default.
pub fn show(config: &Config) -> String {
    let mut out = String::new();
    let file = config.file.as_ref().map_or("no file: defaults and environment".to_owned(), |f| f.display().to_string());
    line(&mut out, &format!("# Resolved configuration ({file}). A value without a comment is the default; secrets are not shown."));
    for warning in &config.warnings {
        line(&mut out, &format!("# WARNING: {warning}"));
    }
    let mut section = "";
    for key in KEYS {
        let (its_section, name) = key.path.split_once('.').unwrap_or(("", key.path));
        if its_section != section {
            section = its_section;
            line(&mut out, &format!("\n[{section}]"));
        }
        match written(config, key) {
            Some(value) => assign(&mut out, name, &value, config.origins.get(key.path), config),
            None => line(&mut out, &format!("# {name} is not set ({})", key.help)),
        }
        if key.path == "stuck.learned_floor" {
            deadlines(&mut out, config);
        }
    }
    for account in &config.accounts {
        settings(&mut out, config, account);
    }
    for target in &config.targets {
        outgoing(&mut out, config, target);
    }
    console(&mut out, config);
    out
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// `name = value  # where it was written`.
fn assign(out: &mut String, name: &str, value: &str, origin: Option<&Origin>, config: &Config) {
    let left = format!("{name} = {value}");
    match origin {
        Some(origin) => line(out, &format!("{left:<COMMENT_COLUMN$}  # {}", place(origin, config))),
        None => line(out, &left),
    }
}

fn place(origin: &Origin, config: &Config) -> String {
    match origin {
        Origin::Variable(name) => name.clone(),
        Origin::Line(number) => format!("{}:{number}", config.file.as_ref().map_or("line".into(), |f| f.display().to_string())),
    }
}

/// A text as TOML writes it. JSON's escapes are a subset of TOML's.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list_of<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    format!("[{}]", texts.map(quoted).collect::<Vec<_>>().join(", "))
}

fn masked<'s>(secrets: impl Iterator<Item = &'s str>) -> String {
    let shown: Vec<String> = secrets.map(|s| format!("({})", Shown::of(s))).collect();
    list_of(shown.iter().map(String::as_str))
}

fn written(config: &Config, key: &Key) -> Option<String> {
    match &key.shape {
        Shape::Text { get, .. } => get(config).map(|text| quoted(&text)),
        Shape::Number { get, .. } => Some(get(config).to_string()),
        Shape::Time { get, .. } => Some(quoted(&get(config).to_string())),
        Shape::Secrets { get, .. } => Some(masked(get(config).iter().map(|s| s.expose()))),
    }
}

fn deadlines(out: &mut String, config: &Config) {
    for (provider, kind, limits) in config.stuck.deadlines.iter() {
        line(out, &format!("\n[stuck.{provider}.{}]", if kind == "*" { "default" } else { kind }));
        for (state, span) in [("queued", limits.queued), ("sent", limits.sent)] {
            let origin = config.origins.get(&format!("stuck.{provider}.{kind}.{state}"));
            assign(out, state, &quoted(&span.to_string()), origin, config);
        }
    }
}

fn settings(out: &mut String, config: &Config, account: &AccountConfig) {
    let at = account.line.map(|number| format!("  # {}", place(&Origin::Line(number), config)));
    line(out, &format!("\n[[account]]{}", at.unwrap_or_default()));
    assign(out, "id", &quoted(account.id.as_str()), None, config);
    assign(out, "provider", &quoted(account.provider.slug), None, config);
    for setting in account.provider.settings {
        let values = account.values.list(setting.key);
        if values.is_empty() {
            line(out, &format!("# {} is not set ({})", setting.key, setting.help));
            continue;
        }
        let texts = values.iter().map(String::as_str);
        let value = match setting.kind {
            SettingKind::Text => quoted(&values[0]),
            SettingKind::TextList => list_of(texts),
            SettingKind::Secrets => masked(texts),
        };
        assign(out, setting.key, &value, config.origins.get(&origin_key(&account.id, setting.key)), config);
    }
}

fn outgoing(out: &mut String, config: &Config, target: &TargetConfig) {
    let (list, kind) = target.list();
    let at = target.line.map(|number| format!("  # {}", place(&Origin::Line(number), config)));
    line(out, &format!("\n[[{}]]{}", list.name(), at.unwrap_or_default()));
    assign(out, "id", &quoted(&target.id), None, config);
    if let Some(kind) = kind {
        assign(out, "kind", &quoted(kind.as_str()), None, config);
    }
    for field in fields(list, kind) {
        let values = target.values.list(field.key);
        let texts = values.iter().map(String::as_str);
        let value = match (field.form, values.first()) {
            (_, None) => {
                line(out, &format!("# {} is not set ({})", field.key, field.help));
                continue;
            }
            (Form::Text, Some(text)) => quoted(text),
            (Form::Number { .. } | Form::Flag, Some(text)) => text.clone(),
            (Form::Texts, _) => list_of(texts),
            (Form::Secrets, _) => masked(texts),
        };
        let origin = config.origins.get(&format!("{}.{}.{}", list.name(), target.id, field.key));
        assign(out, field.key, &value, origin, config);
    }
}

fn outgoing_json(target: &TargetConfig) -> Value {
    let (list, kind) = target.list();
    let settings = fields(list, kind).map(|field| {
        let values = target.values.list(field.key);
        let value = match field.form {
            Form::Text => json!(values.first()),
            Form::Texts => json!(values),
            Form::Number { .. } => json!(values.first().and_then(|n| n.parse::<u64>().ok())),
            Form::Flag => json!(values.first().map(|f| f == "true")),
            Form::Secrets => values.iter().map(|s| json!(Shown::of(s))).collect(),
        };
        (field.key.to_owned(), value)
    });
    json!({ "id": target.id, "kind": target.kind(), "line": target.line, "settings": settings.collect::<Map<_, _>>() })
}

fn origin_key(id: &AccountId, key: &str) -> String {
    format!("account.{id}.{key}")
}

fn console(out: &mut String, config: &Config) {
    if config.accounts.is_empty() {
        return;
    }
    let (origin, stand_in) = config.shown_origin();
    line(out, "\n# What to put into the consoles of the providers");
    if stand_in {
        line(
            out,
            "# public_url is not set: put your own https origin in the place of https://YOUR-HOST, or set public_url and run this again.",
        );
    }
    let steps: Vec<_> = config.accounts.iter().map(|a| (a, a.account.console(origin))).collect();
    if steps.iter().any(|(account, steps)| steps.iter().any(|step| holds_secret(account, step))) {
        line(out, "# The steps below hold tokens as the consoles need them: keep them out of tickets and chats.");
    }
    for (account, steps) in steps {
        line(out, &format!("#\n# {} ({})", account.id, account.provider.title));
        for (i, step) in steps.iter().enumerate() {
            // A step may run over several lines; each stays a comment.
            let text = format!("{}: {}", step.at, step.what).replace('\n', "\n#     ");
            let _ = writeln!(out, "#  {}. {text}", i + 1);
        }
    }
}

fn holds_secret(account: &AccountConfig, step: &ConsoleStep) -> bool {
    let keys = account.provider.settings.iter().filter(|s| s.kind == SettingKind::Secrets);
    keys.flat_map(|s| account.values.list(s.key)).any(|secret| step.what.contains(secret.as_str()) || step.at.contains(secret.as_str()))
}

/// The resolved configuration as JSON: the keys as in the file, secrets as `{ characters, sha256_starts }`, then `origins`,
/// `warnings` and, for each account, `console`.
pub fn show_json(config: &Config) -> Value {
    let mut root = Map::new();
    root.insert("file".into(), json!(config.file.as_ref().map(|f| f.display().to_string())));
    for key in KEYS {
        let value = key_json(config, key);
        match key.path.split_once('.') {
            None => drop(root.insert(key.path.into(), value)),
            Some((section, name)) => {
                if let Some(table) = root.entry(section).or_insert_with(|| json!({})).as_object_mut() {
                    table.insert(name.into(), value);
                }
            }
        }
    }
    if let Some(stuck) = root.get_mut("stuck").and_then(Value::as_object_mut) {
        stuck.insert("deadlines".into(), json!(config.stuck.deadlines));
    }
    let (origin, stand_in) = config.shown_origin();
    root.insert("console_origin".into(), json!({ "origin": origin, "stand_in": stand_in }));
    root.insert("accounts".into(), config.accounts.iter().map(|a| account_json(a, origin)).collect());
    let targets = |subscriptions: bool| -> Value {
        config.targets.iter().filter(|t| t.is_subscription() == subscriptions).map(outgoing_json).collect()
    };
    root.insert("alerts".into(), targets(false));
    root.insert("subscriptions".into(), targets(true));
    let origins = config.origins.iter().map(|(key, origin)| (key.clone(), Value::from(place(origin, config))));
    root.insert("origins".into(), origins.collect::<Map<_, _>>().into());
    root.insert("warnings".into(), json!(config.warnings));
    root.into()
}

fn key_json(config: &Config, key: &Key) -> Value {
    match &key.shape {
        Shape::Text { get, .. } => json!(get(config)),
        Shape::Number { get, .. } => json!(get(config)),
        Shape::Time { get, .. } => json!(get(config).to_string()),
        Shape::Secrets { get, .. } => get(config).iter().map(|s| json!(s.shown())).collect(),
    }
}

fn account_json(account: &AccountConfig, origin: &str) -> Value {
    let settings = account.provider.settings.iter().map(|setting| {
        let values = account.values.list(setting.key);
        let value = match setting.kind {
            SettingKind::Text => json!(values.first()),
            SettingKind::TextList => json!(values),
            SettingKind::Secrets => values.iter().map(|s| json!(Shown::of(s))).collect(),
        };
        (setting.key.to_owned(), value)
    });
    let console = account.account.console(origin);
    json!({
        "id": account.id,
        "provider": account.provider.slug,
        "line": account.line,
        "settings": settings.collect::<Map<_, _>>(),
        "console": console.iter().map(|step| json!({ "at": step.at, "what": step.what })).collect::<Vec<_>>(),
    })
}
