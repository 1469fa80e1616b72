//! The environment as the configuration sees it, and the names of its variables. It must not know what a key means.

use std::collections::BTreeMap;

use super::error::Problem;

/// What every variable of ours begins with.
pub const PREFIX: &str = "BAOPHAT__";

/// The end of the name of a variable that gives the path of a file with a secret.
pub const FILE_SUFFIX: &str = "_FILE";

/// Environment variables, taken once so that what is read does not change underneath.
#[derive(Clone, Default)]
pub struct Env(BTreeMap<String, Option<String>>);

impl std::fmt::Debug for Env {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Env {
    /// The environment of this process.
    pub fn of_process() -> Env {
        Env(std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()))).collect())
    }

    /// The value of a variable, if it is set.
    pub(super) fn get(&self, name: &str) -> Option<Result<&str, Problem>> {
        self.0.get(name).map(|value| value.as_deref().ok_or(Problem::NotUnicode))
    }

    /// Whether a variable is set.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The names of every variable of ours, in order.
    pub(super) fn ours(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str).filter(|name| name.starts_with(PREFIX))
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Env {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Env {
        Env(pairs.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
    }
}

/// The variable of a key: `limits.body_bytes_max` is `BAOPHAT__LIMITS__BODY_BYTES_MAX`.
pub(super) fn variable(path: &str) -> String {
    format!("{PREFIX}{}", path.replace('.', "__").replace('-', "_").to_uppercase())
}

/// The variable of a setting of an account: `oa_secret_key` of `shop-oa` is `BAOPHAT__ACCOUNT__SHOP_OA__OA_SECRET_KEY`.
pub(super) fn account_variable(id: &str, key: &str) -> String {
    variable(&format!("account.{id}.{key}"))
}

/// The account id and the key, in lower case, that the name of a variable speaks of. No id has a `_` and no key has two
/// together, so nothing is lost on the way.
pub(super) fn account_of(variable: &str) -> Option<(String, String)> {
    let (id, key) = variable.strip_prefix(PREFIX)?.strip_prefix("ACCOUNT__")?.rsplit_once("__")?;
    Some((id.to_lowercase().replace('_', "-"), key.to_lowercase()))
}

/// Provider, kind and state, in lower case, that the name of a variable such as `BAOPHAT__STUCK__ZALO__ZNS__SENT` speaks of.
pub(super) fn deadline_of(variable: &str) -> Option<(String, String, String)> {
    let (provider, rest) = variable.strip_prefix(PREFIX)?.strip_prefix("STUCK__")?.split_once("__")?;
    let (kind, state) = rest.rsplit_once("__")?;
    Some((provider.to_lowercase(), kind.to_lowercase(), state.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_say_which_key_they_mean() {
        assert_eq!(variable("limits.body_bytes_max"), "BAOPHAT__LIMITS__BODY_BYTES_MAX");
        for id in ["shop-oa", "a--b", "-a-", "7"] {
            let name = account_variable(id, "oa_secret_key");
            assert_eq!(account_of(&name), Some((id.into(), "oa_secret_key".into())), "{name}");
        }
        assert_eq!(deadline_of("BAOPHAT__STUCK__ZALO__ZNS__SENT"), Some(("zalo".into(), "zns".into(), "sent".into())));
        assert_eq!(deadline_of("BAOPHAT__STUCK__SWEEP_EVERY"), None);
    }

    #[test]
    fn an_environment_never_shows_its_values() {
        let env: Env = [("BAOPHAT__API_KEYS", "hidden")].into_iter().collect();
        assert_eq!(format!("{env:?}"), r#"{"BAOPHAT__API_KEYS"}"#);
    }
}
