//! Which language an answer is in.

use crate::config::Config;
use crate::domain::failure::Lang;

/// The language of an answer, first that is told: `--lang`; `lang` of the configuration, where it is written; for people, the locale
/// (LC_ALL, else LC_MESSAGES, else LANG: `vi…` is Vietnamese, `C` and `POSIX` tell nothing, any other is English); Vietnamese.
///
/// JSON is for programs, so it does not hang on the terminal's locale: it is in the language in which the HTTP API would answer.
pub fn language(asked: Option<Lang>, json: bool, config: &Config, variable: impl Fn(&str) -> Option<String>) -> Lang {
    let written = config.origins.contains_key("lang");
    match asked {
        Some(lang) => lang,
        None if json || written => config.lang,
        None => locale(variable).unwrap_or(config.lang),
    }
}

/// The language of this process's locale, where it tells one.
fn locale(variable: impl Fn(&str) -> Option<String>) -> Option<Lang> {
    let name = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(|name| variable(name).filter(|value| !value.is_empty()))?;
    match name.split(['_', '.', '@']).next().unwrap_or_default() {
        "vi" => Some(Lang::Vi),
        "C" | "POSIX" => None,
        _ => Some(Lang::En),
    }
}

/// The text of a language.
pub fn say<'t>(lang: Lang, vi: &'t str, en: &'t str) -> &'t str {
    match lang {
        Lang::Vi => vi,
        Lang::En => en,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    #[test]
    fn the_language_is_the_first_that_is_told() {
        let plain = Config::default();
        let mut written = Config { lang: Lang::En, ..Config::default() };
        written.origins.insert("lang".into(), Origin::Line(3));
        let in_locale = |value: &'static str| move |name: &str| (name == "LANG").then(|| value.to_owned());
        let rows = [
            (Some(Lang::En), false, &plain, "vi_VN.UTF-8", Lang::En),
            (None, false, &written, "vi_VN.UTF-8", Lang::En),
            (None, false, &plain, "vi_VN.UTF-8", Lang::Vi),
            (None, false, &plain, "en_US.UTF-8", Lang::En),
            (None, false, &plain, "de_DE", Lang::En),
            (None, false, &plain, "C.UTF-8", Lang::Vi),
            (None, false, &plain, "", Lang::Vi),
            (None, true, &plain, "en_US.UTF-8", Lang::Vi),
            (None, true, &written, "vi_VN.UTF-8", Lang::En),
            (Some(Lang::En), true, &plain, "", Lang::En),
        ];
        for (asked, json, config, value, wanted) in rows {
            assert_eq!(language(asked, json, config, in_locale(value)), wanted, "{asked:?} {json} {value}");
        }
    }
}
