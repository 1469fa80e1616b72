//! `baophat explain`: what a provider's code means and what to do. Needs no configuration and no store.

use std::io;

use clap::Args;
use serde_json::json;

use super::lang::say;
use super::out::{Field, Out, Tone, label_width};
use super::{CliError, Globals, Json, Verdict, messages, open, values};
use crate::config::{Config, Env};
use crate::domain::failure::Lang;
use crate::present::{EntryList, EntryView};
use crate::providers::catalogue::catalogue;
use crate::providers::find;

/// Options of `explain`.
#[derive(Debug, Args)]
pub struct Options {
    /// The provider; with none, every known code is listed
    #[arg(value_parser = values::provider())]
    pub provider: Option<String>,
    /// The code, such as -230 or 10.2018300; with none, the codes of the provider are listed
    #[arg(allow_negative_numbers = true)]
    pub code: Option<String>,
    /// Only of this family, such as zns
    #[arg(long)]
    family: Option<String>,
    /// Only entries that mention this
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Explains a code, or lists the catalogue.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let lang = open::lang(globals, options.json.json, &configuration(globals)?);
    let mut out = Out::stdout(globals.no_color);
    let data = entries(options, lang);
    if data.is_empty() {
        let text = unknown(options, lang);
        if options.json.json {
            out.json(&json!({ "type": "about:blank", "title": "Not found", "code": "not_found", "detail": text }))?;
            out.finish()?;
        }
        return Err(CliError::No(text));
    }
    if options.json.json {
        out.json(&EntryList { data })?;
    } else if options.code.is_some() {
        for (i, entry) in data.iter().enumerate() {
            if i > 0 {
                out.gap()?;
            }
            page(&mut out, entry, lang)?;
        }
    } else {
        list(&mut out, &data, lang)?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// The configuration, only for its language. A file that lies around with mistakes does not keep a code from being explained; one
/// that was named does.
fn configuration(globals: &Globals) -> Result<Config, CliError> {
    let usual = || Config::load(open::config_file(globals).as_deref(), &Env::of_process()).unwrap_or_default();
    if globals.config.is_some() { open::config(globals) } else { Ok(usual()) }
}

fn entries(options: &Options, lang: Lang) -> Vec<EntryView> {
    let found = match (&options.provider, &options.code) {
        (Some(provider), Some(code)) => catalogue().search(provider, code),
        (provider, _) => catalogue().entries().filter(|f| provider.as_deref().is_none_or(|p| p == f.provider)).collect(),
    };
    let views = found.into_iter().map(|f| EntryView::new(f, lang));
    let of_family = |e: &EntryView| options.family.as_deref().is_none_or(|family| family == e.family);
    let mentions = |e: &EntryView| options.search.as_deref().is_none_or(|text| e.mentions(text));
    views.filter(|e| of_family(e) && mentions(e)).collect()
}

/// That nothing was found, and what to do next.
fn unknown(options: &Options, lang: Lang) -> String {
    let families =
        |provider: &str| catalogue().families().filter(|f| f.provider == provider).map(|f| f.family).collect::<Vec<_>>().join(", ");
    match (&options.provider, &options.code) {
        (Some(provider), Some(code)) => {
            let (title, families) = (find(provider).map_or("", |p| p.title), families(provider));
            match lang {
                Lang::Vi => format!(
                    "danh mục chưa có mã {code} của {title} (các nhóm: {families}). Hãy thử `baophat explain {provider} --search TỪ` với vài chữ trong \
                     thông báo lỗi, tra tài liệu của nhà cung cấp, hoặc hỏi bộ phận hỗ trợ kèm mã tin nhắn. Hãy báo mã này cho nhóm phát triển baophat."
                ),
                Lang::En => format!(
                    "the catalogue does not list code {code} of {title} (families: {families}). Try `baophat explain {provider} --search WORD` with a word of \
                     the error's text, look in the provider's documentation, or ask its support with the message id. Tell the maintainers of baophat of it."
                ),
            }
        }
        _ => say(
            lang,
            "không có mục nào khớp. `baophat explain` liệt kê toàn bộ danh mục.",
            "no entry matches. `baophat explain` lists the whole catalogue.",
        )
        .to_owned(),
    }
}

/// One entry as a page.
fn page(out: &mut Out<'_>, e: &EntryView, lang: Lang) -> io::Result<()> {
    let provider = find(e.provider).map_or(e.provider, |p| p.title);
    let code = messages::code_of(Some(e.code), e.subcode);
    out.line(&[Field::new(format!("{provider} {code}"), Tone::Strong), Field::new(e.title, Tone::Strong)])?;
    let no_failure = say(lang, "(không phải lỗi)", "(no failure)");
    let applies_to = e.applies_to.join(", ");
    let rows = [
        (say(lang, "nhóm", "family"), e.family),
        (say(lang, "phân loại", "class"), e.class.unwrap_or(no_failure)),
        (say(lang, "gửi lại", "retry"), e.retry.unwrap_or(no_failure)),
        (say(lang, "dùng cho", "applies to"), applies_to.as_str()),
        (say(lang, "nguyên nhân", "cause"), e.cause),
        (say(lang, "cách xử lý", "remedy"), e.remedy),
    ];
    let width = label_width(rows.iter().map(|(label, _)| *label)) + 2;
    rows.iter().filter(|(_, text)| !text.is_empty()).try_for_each(|(label, text)| out.prose(&format!("  {label}"), width, text))
}

/// Entries as a table.
fn list(out: &mut Out<'_>, entries: &[EntryView], lang: Lang) -> io::Result<()> {
    let header = match lang {
        Lang::Vi => ["NHÀ CUNG CẤP", "NHÓM", "MÃ", "PHÂN LOẠI", "GỬI LẠI", "LÀ GÌ"],
        Lang::En => ["PROVIDER", "FAMILY", "CODE", "CLASS", "RETRY", "WHAT"],
    };
    let row = |e: &EntryView| {
        vec![
            e.provider.into(),
            e.family.into(),
            messages::code_of(Some(e.code), e.subcode).into(),
            Field::maybe(e.class),
            Field::maybe(e.retry),
            Field::from(e.title).prose(),
        ]
    };
    out.table(&header, entries.iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(provider: Option<&str>, code: Option<&str>) -> Options {
        let (provider, code) = (provider.map(str::to_owned), code.map(str::to_owned));
        Options { provider, code, family: None, search: None, json: Json { json: false } }
    }

    fn entry() -> EntryView {
        EntryView {
            provider: "facebook",
            family: "graph",
            code: "10",
            subcode: Some("2018300"),
            class: Some("window"),
            retry: None,
            title: "Outside the window",
            cause: "Too late.",
            remedy: "Wait.",
            applies_to: &[],
        }
    }

    #[test]
    fn an_entry_is_a_page() {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        page(&mut out, &entry(), Lang::En).unwrap();
        drop(out);
        let title = find("facebook").unwrap().title;
        let wanted = format!(
            "{title} 10.2018300  Outside the window\n  family      graph\n  class       window\n  retry       (no failure)\n  cause       Too late.\n  remedy      Wait.\n"
        );
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }

    #[test]
    fn every_family_that_has_a_code_answers() {
        let families: Vec<_> = entries(&options(Some("zalo"), Some("-100")), Lang::En).iter().map(|e| e.family).collect();
        assert_eq!(families.len(), 2, "{families:?}");
        let one = Options { family: Some(families[1].into()), ..options(Some("zalo"), Some("-100")) };
        assert_eq!(entries(&one, Lang::En).len(), 1);
        assert!(entries(&options(Some("zalo"), Some("-99999")), Lang::En).is_empty());
    }

    #[test]
    fn the_catalogue_is_listed_and_searched() {
        let all = entries(&options(None, None), Lang::En).len();
        let zalo = entries(&options(Some("zalo"), None), Lang::En).len();
        let some = entries(&Options { search: Some("TEMPLATE".into()), ..options(Some("zalo"), None) }, Lang::En).len();
        assert!(0 < some && some < zalo && zalo < all, "{some} {zalo} {all}");
    }

    #[test]
    fn an_unknown_code_says_what_to_do_next_in_both_languages() {
        for (lang, word) in [(Lang::Vi, "bộ phận hỗ trợ"), (Lang::En, "--search WORD")] {
            let text = unknown(&options(Some("zalo"), Some("-99999")), lang);
            assert!(text.contains("-99999") && text.contains(word), "{text}");
        }
    }
}
