//! `baophat threads`: who holds one conversation, until when the customer may be answered, and the way back.

use std::io;

use clap::Args;

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, label_width};
use super::{CliError, Globals, Json, Verdict, values};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::present::ThreadView;

/// Options of `threads`.
#[derive(Debug, Args)]
pub struct Options {
    /// The account
    #[arg(value_name = "ACCOUNT", value_parser = values::account)]
    account: AccountId,
    /// The customer, as the recipient of messages
    #[arg(value_name = "RECIPIENT")]
    recipient: String,
    /// The OA or Page (default: the one heard of last)
    #[arg(long, value_name = "ID")]
    sender: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Shows one conversation.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, Some(&options.account));
    let Some(thread) = opened.reader().conversation(&options.account, options.sender.as_deref(), &options.recipient)? else {
        let text = say(opened.lang, "Chưa biết gì về cuộc trò chuyện này.", "Nothing is known of such a conversation.");
        return Err(CliError::No(text.to_owned()));
    };
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&thread)?;
    } else {
        page(&mut out, &thread, opened.lang)?;
    }
    out.finish()?;
    Ok(Verdict::Done)
}

fn page(out: &mut Out<'_>, t: &ThreadView, lang: Lang) -> io::Result<()> {
    let time = |at: Option<_>| at.map_or(Field::maybe(None), Field::time);
    let tone = match t.holder.who {
        "ours" => Tone::Good,
        "other" => Tone::Bad,
        _ => Tone::Dim,
    };
    let (closed, open) = (say(lang, "đã đóng", "closed"), say(lang, "còn mở", "open"));
    let window = t.window.as_ref();
    let handover = t.last_handover.as_ref();
    let refusal = t.last_refusal.as_ref();
    let handed = handover.map(|h| format!("{} {}", h.kind, h.app_id.as_deref().unwrap_or("")).trim_end().to_owned());
    let fields = [
        (say(lang, "tài khoản", "account"), Field::new(t.account.as_str(), Tone::Strong)),
        (say(lang, "bên gửi", "sender"), t.sender.as_str().into()),
        (say(lang, "khách", "recipient"), t.recipient.as_str().into()),
        (say(lang, "đang giữ", "holder"), Field::new(t.holder.who, tone)),
        (say(lang, "ứng dụng", "app"), Field::maybe(t.holder.name.or(t.holder.app_id.as_deref()))),
        (say(lang, "từ lúc", "since"), time(t.holder.since)),
        (say(lang, "dấu hiệu", "shown by"), Field::maybe(t.holder.evidence)),
        (say(lang, "khách nhắn cuối", "customer last wrote"), time(t.last_customer_message_at)),
        (say(lang, "khung trả lời", "window"), Field::maybe(window.map(|w| if w.open { open } else { closed }))),
        (say(lang, "khung đến", "window until"), time(window.map(|w| w.until))),
        (say(lang, "miễn phí đến", "free until"), time(window.and_then(|w| w.free_until))),
        (say(lang, "standby cuối", "last standby"), time(t.last_standby_at)),
        (say(lang, "chuyển quyền cuối", "last handover"), Field::maybe(handed.as_deref())),
        (say(lang, "chuyển lúc", "handed over at"), time(handover.map(|h| h.at))),
        (say(lang, "bị từ chối cuối", "last refusal"), Field::maybe(refusal.and_then(|r| r.code.as_deref()))),
        (say(lang, "từ chối lúc", "refused at"), time(refusal.map(|r| r.at))),
    ];
    out.fields(&fields)?;
    if !t.advice.is_empty() {
        out.gap()?;
        out.line(&[Field::new(say(lang, "Cách lấy lại", "The way back"), Tone::Strong)])?;
        let numbers: Vec<String> = (1..=t.advice.len()).map(|n| format!("{n}.")).collect();
        let width = label_width(numbers.iter().map(String::as_str));
        for (number, step) in numbers.iter().zip(&t.advice) {
            out.prose(number, width, step)?;
        }
    }
    Ok(())
}
