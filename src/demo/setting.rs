//! The shop of the demo: one account of each provider with made-up secrets, and deadlines short enough to watch.
//!
//! Every id, secret and number here is invented. Nothing here is read from a file or the environment.

use std::path::Path;

use super::DemoError;
use crate::config::{AccountConfig, Config, Database, Secret};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::stuck::{ANY_KIND, Deadlines, Limits};
use crate::domain::time::Span;
use crate::providers::{PROVIDERS, Spec, Values};

/// The Zalo account.
pub(super) const OA: &str = "shop-oa";
/// The Facebook account.
pub(super) const PAGE: &str = "shop-page";
/// The eSMS account.
pub(super) const SMS: &str = "shop-sms";

/// The Zalo app.
pub(super) const ZALO_APP_ID: &str = "4200100100100100100";
/// The Official Account.
pub(super) const OA_ID: &str = "2468013579246801357";
/// Signs what Zalo sends.
pub(super) const OA_SECRET_KEY: &str = "demo-oa-secret-key";
/// The Meta app.
pub(super) const META_APP_ID: &str = "700700700700700";
/// The Page.
pub(super) const PAGE_ID: &str = "100200300400500";
/// Signs what Meta sends.
pub(super) const APP_SECRET: &str = "demo-app-secret";
/// Stands in the eSMS CallbackUrl.
pub(super) const CALLBACK_TOKEN: &str = "demo-callback-token-0123456789";

/// Longest ordinary stay in `queued`, at ordinary speed.
const QUEUED: Span = Span(4_000);
/// Longest ordinary stay in `sent`, at ordinary speed.
const SENT: Span = Span(8_000);
/// However fast the demo runs, no deadline is shorter: the answers of a busy machine need their time.
const STAY_MIN: Span = Span(1_000);
/// Threads that serve HTTP; the demo shares the machine with whoever watches.
const WORKERS: usize = 2;

/// The configuration of the demo.
///
/// # Errors
/// When a provider does not take its settings; a test sees to it that they do.
pub(super) fn config(folder: &Path, listen: &str, api_key: &str, speed: f64, lang: Lang) -> Result<Config, DemoError> {
    let mut config = Config { listen: listen.to_owned(), lang, ..Config::default() };
    config.database = Database::Sqlite { path: folder.join("demo.db") };
    config.api_keys = vec![Secret::new(api_key)];
    config.limits.workers = WORKERS;
    config.stuck.sweep_every = Span(500);
    config.stuck.deadlines = deadlines(speed);
    for (id, slug, values) in accounts() {
        config.accounts.push(account(id, slug, values)?);
    }
    Ok(config)
}

fn deadlines(speed: f64) -> Deadlines {
    let scaled = |span: Span| Span(((span.0 as f64 / speed) as i64).max(STAY_MIN.0));
    let mut deadlines = Deadlines::default();
    for spec in PROVIDERS {
        deadlines.set(spec.slug, ANY_KIND, Limits { queued: scaled(QUEUED), sent: scaled(SENT) });
    }
    deadlines
}

fn accounts() -> [(&'static str, &'static str, Values); 3] {
    let values = |pairs: &[(&'static str, &str)]| Values(pairs.iter().map(|(k, v)| (*k, vec![(*v).to_owned()])).collect());
    [
        (OA, "zalo", values(&[("app_id", ZALO_APP_ID), ("oa_secret_key", OA_SECRET_KEY), ("oa_ids", OA_ID)])),
        (
            PAGE,
            "facebook",
            values(&[("app_id", META_APP_ID), ("app_secret", APP_SECRET), ("verify_token", "demo-verify-token"), ("page_ids", PAGE_ID)]),
        ),
        (SMS, "esms", values(&[("callback_token", CALLBACK_TOKEN)])),
    ]
}

fn account(id: &str, slug: &str, values: Values) -> Result<AccountConfig, DemoError> {
    let unusable = |problem: String| DemoError::Setting { account: id.to_owned(), problem };
    let provider: &'static Spec = crate::providers::find(slug).ok_or_else(|| unusable(format!("no provider {slug}")))?;
    let id = AccountId::parse(id).map_err(|e| unusable(e.to_string()))?;
    let account = (provider.account)(&id, &values).map_err(|e| unusable(e.to_string()))?;
    Ok(AccountConfig { id, provider, values, account: account.into(), line: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_an_account_and_deadlines_that_shrink_with_speed() {
        let config = config(Path::new("/nowhere"), "127.0.0.1:0", "demo0123456789ab", 2.0, Lang::En).unwrap();
        let slugs: Vec<&str> = config.accounts.iter().map(|a| a.provider.slug).collect();
        assert_eq!(slugs, PROVIDERS.iter().map(|p| p.slug).collect::<Vec<_>>());
        for spec in PROVIDERS {
            let limits = config.stuck.deadlines.limits(spec.slug, Some("zns")).unwrap();
            assert_eq!((limits.queued, limits.sent), (Span(2_000), Span(4_000)));
        }
        assert_eq!(deadlines(100.0).limits("zalo", None).unwrap().sent, STAY_MIN);
    }
}
