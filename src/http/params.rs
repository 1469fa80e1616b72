//! Query parameters, read strictly: what is misspelt, given twice or badly escaped is an answer of 400, never a guess.

use utoipa::IntoParams;

use super::problem::Problem;
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::present::cursor;
use crate::present::schema::{Cursor, Language, Limit, Moment, PAGE_LINES, PAGE_LINES_MAX, QUERY_CHARS_MAX};
use crate::store::sqlite::query::Spot;

/// The language of texts; every operation of the API takes it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct LangParam {
    /// Language of texts; without it, `Accept-Language`, then the configured one.
    #[param(inline, example = "en")]
    lang: Option<Language>,
}

/// Which page.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct PageParams {
    /// Page length.
    #[param(inline, example = 50)]
    limit: Option<Limit>,
    /// `next_cursor` of the page before.
    #[param(inline)]
    cursor: Option<Cursor>,
}

/// Which span of time.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "it documents what Params reads")]
pub struct SpanParams {
    /// From then on (inclusive): messages by when they became known, callbacks by when they arrived.
    #[param(inline, example = "2026-01-31T00:00:00.000Z")]
    since: Option<Moment>,
    /// Before then (exclusive); must lie after `since`.
    #[param(inline, example = "2026-02-01T00:00:00.000Z")]
    until: Option<Moment>,
}

/// The parameters of one request.
#[derive(Debug)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a raw query; `lang` is always allowed.
    ///
    /// # Errors
    /// 400 for a broken escape, an unknown name, or a name given twice.
    pub fn read(raw: &str, allowed: &[&str]) -> Result<Params, Problem> {
        let mut all: Vec<(String, String)> = Vec::new();
        for piece in raw.split('&').filter(|p| !p.is_empty()) {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            let name = decode(name).ok_or_else(|| Problem::invalid("query", "a parameter's name has a broken percent-escape"))?;
            if !allowed.contains(&name.as_str()) && name != "lang" {
                let shown: String = name.chars().take(40).collect();
                let detail = format!("there is no such parameter here; known: {}, lang", allowed.join(", "));
                return Err(Problem::invalid(shown, detail));
            }
            let value = decode(value).ok_or_else(|| Problem::invalid(&name, "the value has a broken percent-escape or is not UTF-8"))?;
            if value.chars().count() > QUERY_CHARS_MAX {
                return Err(Problem::invalid(&name, format!("the value is longer than {QUERY_CHARS_MAX} characters")));
            }
            if value.chars().any(char::is_control) {
                return Err(Problem::invalid(&name, "the value has control characters"));
            }
            if all.iter().any(|(n, _)| *n == name) {
                return Err(Problem::invalid(&name, "given twice"));
            }
            all.push((name, value));
        }
        Ok(Params(all))
    }

    /// A parameter, as text; an empty one is an error.
    ///
    /// # Errors
    /// 400 when it is there and empty.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.iter().find(|(n, _)| n == name) {
            Some((_, value)) if value.is_empty() => Err(Problem::invalid(name, "the value is empty; leave the parameter out instead")),
            Some((_, value)) => Ok(Some(value)),
            None => Ok(None),
        }
    }

    /// A parameter out of a closed set.
    ///
    /// # Errors
    /// 400 with the set.
    pub fn one_of<T: Copy>(&self, name: &str, all: &[T], name_of: fn(T) -> &'static str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        all.iter().copied().find(|v| name_of(*v) == text).map(Some).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|v| name_of(*v)).collect();
            Problem::invalid(name, format!("not one of {}", names.join(", ")))
        })
    }

    /// A flag that can only be asked for: `name=true`.
    ///
    /// # Errors
    /// 400 for any other value.
    pub fn flag(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name)? {
            None => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Problem::invalid(name, "only `true` can be asked for; leave it out for all")),
        }
    }

    /// A moment.
    ///
    /// # Errors
    /// 400 when it is no RFC 3339 time.
    fn time(&self, name: &str) -> Result<Option<Millis>, Problem> {
        // A `+` of an offset that was not escaped arrives as a blank.
        let text = self.text(name)?.map(|t| t.replace(' ', "+"));
        text.map(|t| Millis::parse(&t).map_err(|e| Problem::invalid(name, e.to_string()))).transpose()
    }

    /// A span of time, from `since` until before `until`.
    ///
    /// # Errors
    /// 400 when one is no time, or nothing can lie between them.
    pub fn span(&self) -> Result<(Option<Millis>, Option<Millis>), Problem> {
        let (since, until) = (self.time("since")?, self.time("until")?);
        match (since, until) {
            (Some(from), Some(to)) if from >= to => Err(Problem::invalid("until", "not after `since`, so nothing can lie between")),
            _ => Ok((since, until)),
        }
    }

    /// An account id.
    ///
    /// # Errors
    /// 400 when it can be none.
    pub fn account(&self, name: &str) -> Result<Option<AccountId>, Problem> {
        self.text(name)?.map(|t| AccountId::parse(t).map_err(|e| Problem::invalid(name, e.to_string()))).transpose()
    }

    /// The page length.
    ///
    /// # Errors
    /// 400 outside 1 to 500.
    pub fn limit(&self) -> Result<usize, Problem> {
        let Some(text) = self.text("limit")? else { return Ok(PAGE_LINES) };
        match text.parse() {
            Ok(n) if (1..=PAGE_LINES_MAX).contains(&n) => Ok(n),
            _ => Err(Problem::invalid("limit", format!("a whole number from 1 to {PAGE_LINES_MAX}"))),
        }
    }

    /// Where the page starts.
    ///
    /// # Errors
    /// 400 for a text that is no cursor of ours.
    pub fn cursor(&self) -> Result<Option<Spot>, Problem> {
        let Some(text) = self.text("cursor")? else { return Ok(None) };
        let detail = "not a cursor of this API; take `next_cursor` of a page as it is, or leave it out to start anew";
        cursor::decode(text).map(Some).ok_or_else(|| Problem::invalid("cursor", detail))
    }

    /// The language: `?lang=`, else `Accept-Language`, else the configured one.
    ///
    /// # Errors
    /// 400 for a language there is not.
    pub fn lang(&self, accept: Option<&str>, default: Lang) -> Result<Lang, Problem> {
        match self.one_of("lang", Lang::ALL, Lang::as_str)? {
            Some(lang) => Ok(lang),
            None => Ok(accept.and_then(preferred).unwrap_or(default)),
        }
    }
}

/// The language with the highest weight in an `Accept-Language` header, among ours.
fn preferred(header: &str) -> Option<Lang> {
    let mut best: Option<(f32, Lang)> = None;
    for item in header.split(',').take(20) {
        let mut parts = item.split(';');
        let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let weight = parts.find_map(|p| p.trim().strip_prefix("q=")?.trim().parse::<f32>().ok()).unwrap_or(1.0);
        let primary = tag.split('-').next().unwrap_or_default();
        if let Some(lang) = Lang::parse(primary)
            && weight > 0.0
            && best.is_none_or(|(w, _)| weight > w)
        {
            best = Some((weight, lang));
        }
    }
    best.map(|(_, lang)| lang)
}

/// Percent-decodes one piece; `None` for a broken escape or bytes that are not UTF-8.
fn decode(piece: &str) -> Option<String> {
    let mut out = Vec::with_capacity(piece.len());
    let mut bytes = piece.bytes();
    while let Some(b) = bytes.next() {
        match b {
            b'+' => out.push(b' '),
            b'%' => {
                let high = (bytes.next()? as char).to_digit(16)?;
                let low = (bytes.next()? as char).to_digit(16)?;
                out.push((high << 4 | low) as u8);
            }
            other => out.push(other),
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_escapes_unknown_names_and_repeats_are_named() {
        assert_eq!(Params::read("state=%zz", &["state"]).unwrap_err().errors[0].at, "state");
        assert_eq!(Params::read("stat=sent", &["state"]).unwrap_err().errors[0].at, "stat");
        assert!(Params::read("a=1&a=2", &["a"]).is_err());
        assert!(Params::read("a=%ff", &["a"]).is_err());
        assert!(Params::read(&format!("a={}", "%".repeat(8_192)), &["a"]).is_err());
        assert_eq!(Params::read("a=b+c%20d&", &["a"]).unwrap().text("a").unwrap(), Some("b c d"));
    }

    #[test]
    fn the_language_is_asked_for_then_preferred_then_configured() {
        let none = Params::read("", &[]).unwrap();
        assert_eq!(none.lang(None, Lang::Vi).unwrap(), Lang::Vi);
        assert_eq!(none.lang(Some("fr, en;q=0.8, vi-VN;q=0.9"), Lang::En).unwrap(), Lang::Vi);
        assert_eq!(none.lang(Some("*"), Lang::Vi).unwrap(), Lang::Vi);
        let asked = Params::read("lang=en", &[]).unwrap();
        assert_eq!(asked.lang(Some("vi"), Lang::Vi).unwrap(), Lang::En);
        assert!(Params::read("lang=fr", &[]).unwrap().lang(None, Lang::Vi).is_err());
    }

    #[test]
    fn a_page_has_1_to_500_lines() {
        for (text, ok) in [("1", true), ("500", true), ("0", false), ("501", false), ("-1", false), ("x", false)] {
            assert_eq!(Params::read(&format!("limit={text}"), &["limit"]).unwrap().limit().is_ok(), ok, "{text}");
        }
    }
}
