//! `baophat accounts`: how every account stands; one account in full.

use std::io;

use clap::Args;

use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, label_width};
use super::{CliError, Globals, Json, Verdict, values};
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::present::{AccountList, AccountView};

/// Options of `accounts`.
#[derive(Debug, Args)]
pub struct Options {
    /// One account in full
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    account: Option<AccountId>,
    #[command(flatten)]
    json: Json,
    /// Exit with 1 when an account is silent, expired or in error: for cron and monitoring
    #[arg(long)]
    fail_if_unwell: bool,
}

/// Tells how accounts stand.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    let lang = opened.lang;
    let now = WallClock.now();
    let mut out = Out::stdout(globals.no_color);
    let shown = match &options.account {
        Some(id) => {
            let Some(account) = opened.reader().account(id, now)? else {
                let text = say(
                    lang,
                    "Không có tài khoản này trong cấu hình; `baophat accounts` liệt kê các tài khoản đang có.",
                    "There is no such account in the configuration; `baophat accounts` lists those there are.",
                );
                return Err(CliError::No(text.to_owned()));
            };
            if options.json.json {
                out.json(&account)?;
            } else {
                page(&mut out, &account, lang)?;
            }
            vec![account]
        }
        None => {
            let data = opened.reader().accounts(now)?;
            if options.json.json {
                out.json(&AccountList { data: data.clone() })?;
            } else {
                table(&mut out, &data, lang)?;
            }
            data
        }
    };
    out.finish()?;
    let unwell = shown.iter().any(|a| !matches!(a.state, "connected" | "draft"));
    Ok(if options.fail_if_unwell && unwell { Verdict::No } else { Verdict::Done })
}

fn tone(state: &str) -> Tone {
    match state {
        "connected" => Tone::Good,
        "draft" => Tone::Dim,
        "silent" => Tone::Warn,
        _ => Tone::Bad,
    }
}

fn table(out: &mut Out<'_>, accounts: &[AccountView], lang: Lang) -> io::Result<()> {
    if accounts.is_empty() {
        let text = say(lang, "Chưa khai tài khoản nào trong cấu hình.", "No account is configured.");
        return out.line(&[Field::new(text, Tone::Dim)]);
    }
    let header = match lang {
        Lang::Vi => ["TÀI KHOẢN", "NHÀ CUNG CẤP", "TRẠNG THÁI", "LÝ DO", "CALLBACK CUỐI", "BIÊN NHẬN CUỐI"],
        Lang::En => ["ACCOUNT", "PROVIDER", "STATE", "REASON", "LAST CALLBACK", "LAST RECEIPT"],
    };
    let row = |a: &AccountView| {
        vec![
            a.id.as_str().into(),
            a.provider.into(),
            Field::new(a.state, tone(a.state)),
            Field::new(a.explanation.title, Tone::Plain).prose(),
            a.last_callback_at.map_or(Field::maybe(None), Field::time),
            a.last_receipt_at.map_or(Field::maybe(None), Field::time),
        ]
    };
    out.table(&header, accounts.iter().map(row).collect())?;
    let unwell: Vec<&AccountView> = accounts.iter().filter(|a| a.reason != "well").collect();
    if !unwell.is_empty() {
        out.gap()?;
        out.line(&[Field::new(say(lang, "Cần làm gì", "What to do"), Tone::Strong)])?;
        let width = label_width(unwell.iter().map(|a| a.id.as_str()));
        for account in unwell {
            out.prose(&account.id, width, account.explanation.remedy)?;
        }
    }
    Ok(())
}

fn page(out: &mut Out<'_>, a: &AccountView, lang: Lang) -> io::Result<()> {
    let time = |at: Option<_>| at.map_or(Field::maybe(None), Field::time);
    let fields = [
        (say(lang, "tài khoản", "account"), Field::new(a.id.as_str(), Tone::Strong)),
        (say(lang, "nhà cung cấp", "provider"), a.provider.into()),
        (say(lang, "trạng thái", "state"), Field::new(a.state, tone(a.state))),
        (say(lang, "lý do", "reason"), Field::new(format!("{}: {}", a.reason, a.explanation.title), Tone::Plain)),
        (say(lang, "từ lúc", "since"), time(a.since)),
        (say(lang, "callback cuối", "last callback"), time(a.last_callback_at)),
        (say(lang, "biên nhận cuối", "last receipt"), time(a.last_receipt_at)),
        (say(lang, "gửi đi lần cuối", "last sent"), time(a.last_sent_at)),
    ];
    out.fields(&fields)?;
    out.gap()?;
    let (why, what) = (say(lang, "vì sao", "why"), say(lang, "cần làm gì", "what to do"));
    let width = label_width([why, what].into_iter());
    out.prose(why, width, a.explanation.cause)?;
    out.prose(what, width, a.explanation.remedy)?;
    out.gap()?;
    events(out, a, lang)?;
    tokens(out, a, lang)?;
    counted(out, a, lang)
}

fn events(out: &mut Out<'_>, a: &AccountView, lang: Lang) -> io::Result<()> {
    let header = match lang {
        Lang::Vi => ["NHÓM SỰ KIỆN", "SỐ LẦN", "LẦN CUỐI", ""],
        Lang::En => ["EVENTS", "COUNT", "LAST", ""],
    };
    let shown = a.events.iter().filter(|e| e.expected || e.count > 0);
    let row = |e: &crate::present::EventGroupView| {
        let note = if e.missing { Field::new(e.switch, Tone::Warn).prose() } else { Field::from("") };
        vec![e.group.into(), e.count.to_string().into(), e.last_at.map_or(Field::maybe(None), Field::time), note]
    };
    out.table(&header, shown.map(row).collect())
}

fn tokens(out: &mut Out<'_>, a: &AccountView, lang: Lang) -> io::Result<()> {
    if a.tokens.is_empty() {
        return Ok(());
    }
    out.gap()?;
    let header = match lang {
        Lang::Vi => ["MÃ TRUY CẬP CỦA", "TRẠNG THÁI", "CHẤP NHẬN LẦN CUỐI", "TỪ CHỐI LẦN CUỐI", "MÃ LỖI"],
        Lang::En => ["TOKEN OF", "STATE", "LAST ACCEPTED", "LAST REFUSED", "CODE"],
    };
    let time = |at: Option<_>| at.map_or(Field::maybe(None), Field::time);
    let row = |t: &crate::present::TokenView| {
        let tone = if t.state == "valid" { Tone::Good } else { Tone::Bad };
        vec![
            Field::maybe(t.sender.as_deref()),
            Field::new(t.state, tone),
            time(t.accepted_at),
            time(t.refused_at),
            Field::maybe(t.code.as_deref()),
        ]
    };
    out.table(&header, a.tokens.iter().map(row).collect())
}

fn counted(out: &mut Out<'_>, a: &AccountView, lang: Lang) -> io::Result<()> {
    let c = &a.counters;
    let mut rows: Vec<(String, u64, Option<_>)> = vec![
        (say(lang, "callback", "callbacks").into(), c.callbacks, a.last_callback_at),
        (say(lang, "lặp lại", "duplicates").into(), c.duplicates.count, c.duplicates.last_at),
        (say(lang, "về muộn", "late").into(), c.late.count, c.late.last_at),
        (say(lang, "chỉ có biên nhận", "orphans").into(), c.orphans.count, c.orphans.last_at),
        (say(lang, "mã lỗi lạ", "unknown codes").into(), c.unknown_codes.count, c.unknown_codes.last_at),
        (say(lang, "không đọc được", "errors").into(), c.errors.count, c.errors.last_at),
    ];
    for refused in &a.refused.by_reason {
        rows.push((format!("{} {}", say(lang, "từ chối:", "refused:"), refused.reason), refused.count, Some(refused.last_at)));
    }
    out.gap()?;
    let header = match lang {
        Lang::Vi => ["ĐÃ ĐẾM", "SỐ LẦN", "LẦN CUỐI"],
        Lang::En => ["COUNTED", "COUNT", "LAST"],
    };
    let row = |(name, n, at): (String, u64, Option<_>)| vec![name.into(), n.to_string().into(), at.map_or(Field::maybe(None), Field::time)];
    out.table(&header, rows.into_iter().filter(|(_, n, _)| *n > 0).map(row).collect())
}
