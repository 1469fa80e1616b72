//! `baophat callbacks`: the stored callbacks, and one of them with its raw body.

use std::io;

use base64::Engine;
use clap::{Args, Subcommand};

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone};
use super::pages::{self, Paging};
use super::values::{self, When};
use super::{CliError, Globals, Json, Verdict, messages};
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;
use crate::domain::ids::{AccountId, Seq};
use crate::domain::record::Status;
use crate::present::{CallbackDetail, CallbackPage, CallbackView, cursor};
use crate::store::sqlite::query::CallbackFilter;

/// Options of `callbacks`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    #[command(subcommand)]
    one: Option<One>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum One {
    /// One callback with its headers and raw body
    Show {
        /// Its number
        seq: Seq,
        /// Only the raw bytes of the body (of the query, where there is no body), for a file or another program
        #[arg(long, conflicts_with = "json")]
        raw: bool,
        #[command(flatten)]
        json: Json,
    },
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    json: Json,
    /// With this status
    #[arg(long, value_parser = values::among(&Status::ALL, Status::as_str))]
    status: Option<Status>,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    account: Option<AccountId>,
    /// Arrived from then on: a time, a day (in Vietnam), or a span ago such as 2h
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    since: Option<When>,
    /// Arrived before then
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    until: Option<When>,
    #[command(flatten)]
    paging: Paging,
}

/// Lists callbacks or shows one.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    match &options.one {
        Some(One::Show { seq, raw, json }) => show(globals, *seq, *raw, json.json),
        None => list(globals, &options.list),
    }
}

fn list(globals: &Globals, list: &List) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, list.json.json)?;
    warn_of_unknown(globals, &opened, list.account.as_ref());
    let now = WallClock.now();
    let [since, until] = [list.since, list.until].map(|when| when.map(|w| w.seen_from(now)));
    let filter = CallbackFilter { status: list.status, account: list.account.clone(), since, until };
    let (data, next) = pages::callbacks(&opened.reader(), &filter, list.paging)?;
    let mut out = Out::stdout(globals.no_color);
    if list.json.json {
        out.json(&CallbackPage { data, next_cursor: next.map(cursor::encode) })?;
        out.finish()?;
        return Ok(Verdict::Done);
    }
    table(&mut out, &data, opened.lang)?;
    out.finish()?;
    messages::tell_rest(data.len(), pages::next_page(next), opened.lang);
    Ok(Verdict::Done)
}

fn show(globals: &Globals, seq: Seq, raw: bool, json: bool) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, json)?;
    let callback = opened.reader().callback(seq)?.ok_or_else(|| no_such(seq, opened.lang))?;
    let mut out = Out::stdout(globals.no_color);
    if json {
        out.json(&callback)?;
    } else if raw {
        out.raw().write_all(&bytes(&callback))?;
    } else {
        page(&mut out, &callback, opened.lang)?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

/// There is no callback with this number.
pub fn no_such(seq: Seq, lang: Lang) -> CliError {
    CliError::No(match lang {
        Lang::Vi => format!("không có callback số {seq} (hoặc đã quá hạn lưu). `baophat callbacks` liệt kê các callback đang lưu."),
        Lang::En => format!("there is no callback {seq} (or it is not kept any more). `baophat callbacks` lists those that are."),
    })
}

/// The status, coloured by how it went.
pub fn status(status: &str) -> Field {
    let tone = match status {
        "error" => Tone::Bad,
        "processed" => Tone::Good,
        "received" => Tone::Warn,
        _ => Tone::Dim,
    };
    Field::new(status, tone)
}

fn table(out: &mut Out<'_>, callbacks: &[CallbackView], lang: Lang) -> io::Result<()> {
    let header = match lang {
        Lang::Vi => ["SỐ", "NHẬN LÚC", "TÀI KHOẢN", "TỪ", "BYTE", "LẶP", "TRẠNG THÁI", "LÝ DO"],
        Lang::En => ["SEQ", "RECEIVED", "ACCOUNT", "SOURCE", "BYTES", "REPEATS", "STATUS", "REASON"],
    };
    let row = |c: &CallbackView| {
        vec![
            c.seq.to_string().into(),
            Field::time(c.received_at),
            c.account.as_str().into(),
            c.source.as_str().into(),
            c.size.to_string().into(),
            c.repeats.to_string().into(),
            status(c.status),
            Field::maybe(c.error.as_deref()).prose(),
        ]
    };
    out.table(&header, callbacks.iter().map(row).collect())
}

/// The raw bytes: those of the body, else of the query.
fn bytes(callback: &CallbackDetail) -> Vec<u8> {
    let body = base64::engine::general_purpose::STANDARD.decode(&callback.body_base64).unwrap_or_default();
    if body.is_empty() { callback.query.clone().into_bytes() } else { body }
}

fn page(out: &mut Out<'_>, callback: &CallbackDetail, lang: Lang) -> io::Result<()> {
    let c = &callback.callback;
    let mut rows = vec![
        (say(lang, "số", "seq"), c.seq.to_string().into()),
        (say(lang, "tài khoản", "account"), format!("{} ({})", c.account, c.provider).into()),
        (say(lang, "nhận lúc", "received"), c.received_at.to_string().into()),
        (say(lang, "trạng thái", "status"), status(c.status)),
    ];
    rows.extend(c.error.as_deref().map(|why| (say(lang, "lý do", "reason"), Field::new(why, Tone::Bad))));
    rows.push((say(lang, "từ", "source"), c.source.as_str().into()));
    rows.push((say(lang, "lặp lại", "repeats"), c.repeats.to_string().into()));
    rows.push((say(lang, "phương thức", "method"), callback.method.into()));
    if !callback.query.is_empty() {
        rows.push(("query", callback.query.as_str().into()));
    }
    rows.extend(callback.content_type.as_deref().map(|t| ("content-type", t.into())));
    let headers = callback.headers.iter().map(|(n, v)| (n.as_str(), Field::from(v.as_str().unwrap_or_default())));
    rows.extend(headers);
    out.fields(&rows)?;
    if callback.body_base64.is_empty() {
        return Ok(());
    }
    out.gap()?;
    match &callback.body {
        Some(text) => out.line(&[text.as_str().into()]),
        None => {
            let note = say(
                lang,
                "(thân không phải UTF-8; dưới đây là base64, hoặc dùng --raw)",
                "(the body is not UTF-8; in base64, or use --raw)",
            );
            out.line(&[Field::new(note, Tone::Dim)])?;
            out.line(&[callback.body_base64.as_str().into()])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;

    fn detail(body: Option<&str>, base64: &str) -> CallbackDetail {
        let callback = CallbackView {
            seq: 7,
            account: "shop-oa".into(),
            provider: "zalo".into(),
            received_at: Millis(1_764_000_000_000),
            status: "error",
            error: Some("not JSON".into()),
            source: "127.0.0.1".into(),
            size: 3,
            repeats: 2,
        };
        CallbackDetail {
            callback,
            method: "POST",
            query: "a=1".into(),
            content_type: Some("text/plain".into()),
            headers: [("x-a".to_owned(), "b".into())].into_iter().collect(),
            body: body.map(str::to_owned),
            body_base64: base64.into(),
        }
    }

    fn shown(callback: &CallbackDetail) -> String {
        let mut text = Vec::new();
        let mut out = Out::plain(&mut text);
        page(&mut out, callback, Lang::En).unwrap();
        drop(out);
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn a_callback_is_a_page_with_its_body_and_cannot_steer_the_terminal() {
        let wanted = "\
seq           7
account       shop-oa (zalo)
received      2025-11-24T16:00:00.000Z
status        error
reason        not JSON
source        127.0.0.1
repeats       2
method        POST
query         a=1
content-type  text/plain
x-a           b

{\\u{1b}]0;x
";
        assert_eq!(shown(&detail(Some("{\u{1b}]0;x"), "ex1dMDt4")), wanted);
        assert!(shown(&detail(None, "/wA=")).ends_with("--raw)\n/wA=\n"));
    }

    #[test]
    fn raw_bytes_are_the_body_or_else_the_query() {
        assert_eq!(bytes(&detail(None, "/wA=")), [0xff, 0]);
        assert_eq!(bytes(&detail(Some(""), "")), b"a=1");
    }
}
