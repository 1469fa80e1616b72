//! From the settings of an alert or a subscription to what they mean; what cannot be meant is told with its key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Endpoint, Filter, Kind, Mail, Manners, QuietHours, Secret, Security, TargetConfig, Via};
use crate::domain::failure::Lang;
use crate::domain::feed::NAMES;
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::providers::Values;

/// The origin of Telegram's Bot API.
const TELEGRAM_API: &str = "https://api.telegram.org";

/// The events that an alert tells when nothing else is said.
const ALERT_EVENTS: [&str; 1] = ["incident.*"];

/// Most messages of an alert in an hour when nothing else is said.
const PER_HOUR: u64 = 20;

/// Vietnam.
const OFFSET_MINUTES: i16 = 7 * 60;

/// How long a signing secret is, in bytes, by the Standard Webhooks specification.
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A key and what is wrong with it.
type Wrong = (&'static str, String);

/// The target that these settings mean; without a kind it is a subscription.
pub(super) fn target(id: &str, kind: Option<Kind>, values: &Values) -> Result<TargetConfig, Wrong> {
    let lang = match values.first("lang") {
        Some(text) => Some(Lang::parse(text).ok_or(("lang", "must be one of \"vi\" and \"en\"".to_owned()))?),
        None => None,
    };
    let via = match kind {
        Some(Kind::Telegram) => telegram(values)?,
        Some(Kind::Slack) => slack(values)?,
        Some(Kind::Email) => Via::Email(mail(values)?),
        Some(Kind::Webhook) | None => Via::Webhook(endpoint(values)?),
    };
    let mut filter = filter(values)?;
    if kind.is_some() && filter.events.is_empty() {
        filter.events = ALERT_EVENTS.map(str::to_owned).to_vec();
    }
    let manners = kind.is_some().then(|| manners(values)).transpose()?;
    Ok(TargetConfig { id: id.to_owned(), via, filter, lang, manners, line: None, values: Values(Vec::new()) })
}

fn flag(values: &Values, key: &str) -> bool {
    values.first(key) == Some("true")
}

/// The one text of a key; `required` ones are there.
fn text<'v>(values: &'v Values, key: &str) -> &'v str {
    values.first(key).unwrap_or_default()
}

fn one_secret(values: &Values, key: &'static str) -> Result<Secret, Wrong> {
    match values.list(key) {
        [one] => Ok(Secret::new(one.clone())),
        _ => Err((key, "takes one secret, not a list".into())),
    }
}

fn telegram(values: &Values) -> Result<Via, Wrong> {
    let allow_private = flag(values, "allow_private");
    let api = values.first("api").unwrap_or(TELEGRAM_API).trim_end_matches('/').to_owned();
    check_url(&api, allow_private).map_err(|problem| ("api", problem))?;
    let bot_token = one_secret(values, "bot_token")?;
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'_' | b'-');
    if !bot_token.expose().bytes().all(fits) {
        return Err(("bot_token", "is no token of a bot: it looks like 123456:ABC-DEF…".into()));
    }
    Ok(Via::Telegram { bot_token, chat_id: text(values, "chat_id").to_owned(), api, allow_private })
}

fn slack(values: &Values) -> Result<Via, Wrong> {
    let (webhook_url, allow_private) = (one_secret(values, "webhook_url")?, flag(values, "allow_private"));
    check_url(webhook_url.expose(), allow_private).map_err(|problem| ("webhook_url", problem))?;
    Ok(Via::Slack { webhook_url, allow_private })
}

fn mail(values: &Values) -> Result<Mail, Wrong> {
    let security = match values.first("security") {
        Some(word) => Security::parse(word).ok_or(("security", "must be one of \"starttls\", \"tls\" and \"none\"".to_owned()))?,
        None => Security::Starttls,
    };
    let usual = match security {
        Security::Starttls => 587,
        Security::Tls => 465,
        Security::None => 25,
    };
    let credentials = match (values.first("user"), values.list("password").is_empty()) {
        (Some(user), false) => Some((user.to_owned(), one_secret(values, "password")?)),
        (None, true) => None,
        (Some(_), true) => return Err(("user", "has no `password`; give both or neither".into())),
        (None, false) => return Err(("password", "has no `user`; give both or neither".into())),
    };
    for (key, addresses) in [("from", values.list("from")), ("to", values.list("to"))] {
        let fits = |address: &String| address.split_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.trim().is_empty());
        if addresses.is_empty() || !addresses.iter().all(fits) {
            return Err((key, "must hold mail addresses, such as \"ops@example.vn\"".into()));
        }
    }
    Ok(Mail {
        host: text(values, "host").to_owned(),
        port: values.first("port").and_then(|p| p.parse().ok()).unwrap_or(usual),
        security,
        credentials,
        from: text(values, "from").to_owned(),
        to: values.list("to").to_vec(),
    })
}

fn endpoint(values: &Values) -> Result<Endpoint, Wrong> {
    let allow_private = flag(values, "allow_private");
    let url = text(values, "url");
    check_url(url, allow_private).map_err(|problem| ("url", problem))?;
    let secrets = values.list("secrets");
    for secret in secrets {
        let bytes = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok();
        if !bytes.is_some_and(|bytes| SECRET_BYTES.contains(&bytes.len())) {
            let how = "must be whsec_ and 24 to 64 bytes in base64; make one with: echo whsec_$(openssl rand -base64 32)";
            return Err(("secrets", how.into()));
        }
    }
    Ok(Endpoint { url: url.to_owned(), secrets: secrets.iter().map(Secret::new).collect(), allow_private })
}

/// A URL to which something is sent: its scheme, its host, nobody's name in it.
fn check_url(url: &str, allow_private: bool) -> Result<(), String> {
    let lower = url.to_ascii_lowercase();
    let rest = match lower.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if allow_private => rest,
        Some(("http", _)) => return Err("must begin with https:// (http needs allow_private = true)".into()),
        _ => return Err("must begin with https://".into()),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("has a user name in it; a receiver proves who calls by the signature".into());
    }
    if authority.is_empty() || authority.starts_with(':') || rest.contains('#') || !url.bytes().all(|b| b.is_ascii_graphic()) {
        return Err("is no URL of a host (write a name with Vietnamese letters in its xn-- form, and blanks as %20)".into());
    }
    Ok(())
}

fn filter(values: &Values) -> Result<Filter, Wrong> {
    let accounts = values.list("accounts").iter().map(|id| AccountId::parse(id));
    let accounts = accounts.collect::<Result<_, _>>().map_err(|e| ("accounts", e.to_string()))?;
    let states = values.list("states").iter().map(|s| State::parse(s)).collect::<Option<_>>();
    let states = states.ok_or(("states", "must hold queued, sent, delivered, read or failed".to_owned()))?;
    Ok(Filter { events: events(values, "events")?, accounts, kinds: values.list("kinds").to_vec(), states })
}

fn events(values: &Values, key: &'static str) -> Result<Vec<String>, Wrong> {
    for event in values.list(key) {
        let known = match event.strip_suffix('*') {
            Some(beginning) => NAMES.iter().any(|name| name.starts_with(beginning)),
            None => NAMES.contains(&event.as_str()),
        };
        if !known {
            return Err((key, format!("\"{event}\" is no event; there are {}, and beginnings such as \"message.*\"", NAMES.join(", "))));
        }
    }
    Ok(values.list(key).to_vec())
}

fn manners(values: &Values) -> Result<Manners, Wrong> {
    let offset = match values.first("utc_offset") {
        Some(text) => offset(text).ok_or(("utc_offset", "is no offset; write for example \"+07:00\"".to_owned()))?,
        None => OFFSET_MINUTES,
    };
    let quiet = match values.first("quiet_hours") {
        Some(text) => {
            let wrong = || ("quiet_hours", "is no part of a day; write for example \"22:00-06:00\"".to_owned());
            let (from, to) = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?))).ok_or_else(wrong)?;
            if from == to {
                return Err(wrong());
            }
            Some(QuietHours { from, to, offset })
        }
        None => None,
    };
    let per_hour_max = values.first("per_hour_max").and_then(|n| n.parse().ok()).unwrap_or(PER_HOUR);
    Ok(Manners { quiet, offset, urgent: events(values, "urgent")?, per_hour_max })
}

/// The minute of the day of `HH:MM`.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |part: &str| Some(part).filter(|p| p.len() == 2 && p.bytes().all(|b| b.is_ascii_digit()))?.parse::<u16>().ok();
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// The minutes of `+HH:MM`.
fn offset(text: &str) -> Option<i16> {
    let (sign, rest) = match text.trim().split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let minutes = minute(rest).filter(|m| *m <= 14 * 60)?;
    Some(sign * minutes as i16)
}
