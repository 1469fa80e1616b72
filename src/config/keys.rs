//! The table of every key outside `[[account]]` and the deadlines: name, meaning, type, bounds, where it goes and how it is
//! shown. Loading, `check`, the variables and the test of the example file all walk this table.

use std::path::PathBuf;

use super::error::Problem;
use super::{Config, Database, LogFormat, Secret, StuckMode};
use crate::domain::failure::Lang;
use crate::domain::time::Span;

/// One key.
pub(super) struct Key {
    /// Its path, levels parted by a dot.
    pub path: &'static str,
    /// What it is, in a few words.
    pub help: &'static str,
    /// What it holds.
    pub shape: Shape,
}

/// What a key holds, how it is put into the configuration and how it is taken out to be shown.
pub(super) enum Shape {
    /// A text, checked by its setter; `None` where it is not set.
    Text { get: fn(&Config) -> Option<String>, set: fn(&mut Config, &str) -> Result<(), Problem> },
    /// A whole number within bounds.
    Number { get: fn(&Config) -> u64, set: fn(&mut Config, u64), min: u64, max: u64 },
    /// A length of time within bounds.
    Time { get: fn(&Config) -> Span, set: fn(&mut Config, Span), min: Span, max: Span },
    /// Secrets.
    Secrets { get: fn(&Config) -> &[Secret], set: fn(&mut Config, Vec<Secret>) },
}

/// The tables that stand at the top level besides `[[account]]`.
pub(super) const SECTIONS: &[&str] = &["log", "limits", "stuck", "retention"];

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Every key, in the order of the example file.
pub(super) const KEYS: &[Key] = &[
    Key { path: "listen", help: "address and port of the server", shape: Shape::Text { get: |c| Some(c.listen.clone()), set: listen } },
    Key {
        path: "public_url",
        help: "the https origin that providers call",
        shape: Shape::Text { get: |c| c.public_url.clone(), set: public_url },
    },
    Key { path: "database", help: "where everything is kept", shape: Shape::Text { get: |c| Some(c.database.to_string()), set: database } },
    Key {
        path: "api_keys",
        help: "keys of the query API",
        shape: Shape::Secrets { get: |c| &c.api_keys, set: |c, keys| c.api_keys = keys },
    },
    Key { path: "lang", help: "language of texts: vi or en", shape: Shape::Text { get: |c| Some(c.lang.to_string()), set: lang } },
    Key {
        path: "log.format",
        help: "auto, pretty or json",
        shape: Shape::Text { get: |c| Some(c.log.format.to_string()), set: log_format },
    },
    Key { path: "log.level", help: "what is logged", shape: Shape::Text { get: |c| Some(c.log.level.clone()), set: log_level } },
    Key {
        path: "limits.body_bytes_max",
        help: "longest body of a callback",
        shape: Shape::Number {
            get: |c| c.limits.body_bytes_max as u64,
            set: |c, n| c.limits.body_bytes_max = n as usize,
            min: KIB,
            max: 64 * MIB,
        },
    },
    Key {
        path: "limits.body_seconds_max",
        help: "longest time for a body to arrive",
        shape: Shape::Number { get: |c| c.limits.body_seconds_max, set: |c, n| c.limits.body_seconds_max = n, min: 1, max: 300 },
    },
    Key {
        path: "limits.api_body_bytes_max",
        help: "longest body of a request to the query API",
        shape: Shape::Number {
            get: |c| c.limits.api_body_bytes_max as u64,
            set: |c, n| c.limits.api_body_bytes_max = n as usize,
            min: KIB,
            max: 256 * MIB,
        },
    },
    Key {
        path: "limits.inbox_records_max",
        help: "most records waiting to be made durable",
        shape: Shape::Number {
            get: |c| c.limits.inbox_records_max as u64,
            set: |c, n| c.limits.inbox_records_max = n as usize,
            min: 16,
            max: MIB,
        },
    },
    Key {
        path: "limits.connections_max",
        help: "most open connections of each worker",
        shape: Shape::Number {
            get: |c| c.limits.connections_max as u64,
            set: |c, n| c.limits.connections_max = n as usize,
            min: 16,
            max: MIB,
        },
    },
    Key {
        path: "limits.workers",
        help: "threads that serve HTTP",
        shape: Shape::Number { get: |c| c.limits.workers as u64, set: |c, n| c.limits.workers = n as usize, min: 1, max: 1_024 },
    },
    Key {
        path: "stuck.sweep_every",
        help: "how often deadlines are looked at",
        shape: Shape::Time { get: |c| c.stuck.sweep_every, set: |c, s| c.stuck.sweep_every = s, min: Span(100), max: Span::hours(1) },
    },
    Key {
        path: "stuck.mode",
        help: "fixed or learned deadlines",
        shape: Shape::Text { get: |c| Some(c.stuck.mode.to_string()), set: stuck_mode },
    },
    Key {
        path: "stuck.learned_floor",
        help: "the shortest learned deadline",
        shape: Shape::Time {
            get: |c| c.stuck.learned_floor,
            set: |c, s| c.stuck.learned_floor = s,
            min: Span::seconds(1),
            max: Span::days(30),
        },
    },
    Key {
        path: "retention.callbacks",
        help: "how long raw callbacks are kept",
        shape: Shape::Time {
            get: |c| c.retention.callbacks,
            set: |c, s| c.retention.callbacks = s,
            min: Span::days(1),
            max: Span::days(36_525),
        },
    },
    Key {
        path: "retention.messages",
        help: "how long messages are kept",
        shape: Shape::Time {
            get: |c| c.retention.messages,
            set: |c, s| c.retention.messages = s,
            min: Span::days(1),
            max: Span::days(36_525),
        },
    },
];

/// The names of the keys of one section (`""`: the top level).
pub(super) fn keys_of(section: &str) -> impl Iterator<Item = &'static str> {
    KEYS.iter().filter_map(move |key| match key.path.split_once('.') {
        Some((s, name)) => (s == section).then_some(name),
        None => section.is_empty().then_some(key.path),
    })
}

fn listen(config: &mut Config, text: &str) -> Result<(), Problem> {
    let named = |host: &str| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    let fits = text.parse::<std::net::SocketAddr>().is_ok()
        || text
            .rsplit_once(':')
            .is_some_and(|(host, port)| named(host) && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok());
    if !fits {
        return Err(Problem::BadListen);
    }
    config.listen = text.into();
    Ok(())
}

fn public_url(config: &mut Config, text: &str) -> Result<(), Problem> {
    let lower = text.to_ascii_lowercase();
    let (scheme, rest) = lower.split_once("://").ok_or(Problem::BadPublicUrl("has no https:// at its beginning"))?;
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    if rest.contains(['/', '?', '#']) {
        return Err(Problem::BadPublicUrl("has a path; this program adds the paths itself"));
    }
    if rest.contains('@') {
        return Err(Problem::BadPublicUrl("has a user name in it"));
    }
    // A bracketed IPv6 address has colons of its own.
    let port_at = rest.rfind(':').filter(|&at| !rest[at..].contains(']'));
    let (host, port) = port_at.map_or((rest, None), |at| (&rest[..at], Some(&rest[at + 1..])));
    if port.is_some_and(|p| !p.bytes().all(|b| b.is_ascii_digit()) || !p.parse::<u16>().is_ok_and(|n| n > 0)) {
        return Err(Problem::BadPublicUrl("has a port that is none"));
    }
    let bracketed = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).is_some_and(|h| h.parse::<std::net::Ipv6Addr>().is_ok());
    let named = !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-');
    if !bracketed && !named {
        return Err(Problem::BadPublicUrl("has no valid host (write a name with Vietnamese letters in its xn-- form)"));
    }
    match scheme {
        "https" => {}
        "http" if matches!(host, "localhost" | "127.0.0.1" | "[::1]") => {}
        "http" => return Err(Problem::BadPublicUrl("must begin with https:// (http is only for localhost)")),
        _ => return Err(Problem::BadPublicUrl("must begin with https://")),
    }
    config.public_url = Some(format!("{scheme}://{rest}"));
    Ok(())
}

fn database(config: &mut Config, text: &str) -> Result<(), Problem> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(Problem::BadDatabase("does not say which kind of database it is"));
    };
    match scheme {
        "sqlite" => {}
        "postgres" | "postgresql" => return Err(Problem::PostgresNotBuilt),
        _ => return Err(Problem::BadDatabase("is of a kind that this program does not know")),
    }
    // `sqlite://PATH`, as other programs write it, is taken too.
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.ends_with('/') {
        return Err(Problem::BadDatabase("names no file"));
    }
    if path.contains(":memory:") {
        return Err(Problem::BadDatabase("would forget every receipt at the next stop; it must be a file"));
    }
    if path.contains('?') {
        return Err(Problem::BadDatabase("takes no options after a '?'"));
    }
    config.database = Database::Sqlite { path: PathBuf::from(path) };
    Ok(())
}

fn lang(config: &mut Config, text: &str) -> Result<(), Problem> {
    config.lang = Lang::parse(text).ok_or(Problem::NotOneOf("\"vi\" and \"en\""))?;
    Ok(())
}

fn stuck_mode(config: &mut Config, text: &str) -> Result<(), Problem> {
    config.stuck.mode = StuckMode::parse(text).ok_or(Problem::NotOneOf("\"fixed\" and \"learned\""))?;
    Ok(())
}

fn log_format(config: &mut Config, text: &str) -> Result<(), Problem> {
    config.log.format = LogFormat::parse(text).ok_or(Problem::NotOneOf("\"auto\", \"pretty\" and \"json\""))?;
    Ok(())
}

fn log_level(config: &mut Config, text: &str) -> Result<(), Problem> {
    let level = |word: &str| matches!(word, "off" | "error" | "warn" | "info" | "debug" | "trace");
    let target = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-'));
    let fits = text.split(',').map(str::trim).all(|part| match part.split_once('=') {
        Some((name, word)) => target(name) && level(word),
        None => level(part),
    });
    if !fits {
        return Err(Problem::BadLevel);
    }
    config.log.level = text.into();
    Ok(())
}
