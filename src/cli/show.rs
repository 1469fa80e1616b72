//! `baophat show`: one message with its timeline, as a page.

use std::io;

use clap::Args;
use serde_json::{Map, Value};

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, hint, label_width};
use super::pages::{self, Paging};
use super::{CliError, Globals, Json, Verdict, messages, values};
use crate::domain::failure::Lang;
use crate::domain::ids::{AccountId, PublicId};
use crate::domain::projection::Source;
use crate::domain::time::Millis;
use crate::present::{EventView, MessagePage, MessageView, Reader, cursor, id_spellings};
use crate::store::StoreError;
use crate::store::sqlite::query::{IdSpelling, MessageFilter};

/// Options of `show`.
#[derive(Debug, Args)]
pub struct Options {
    /// Our id; also tried as the provider's id and as the sender's
    #[arg(value_name = "ID", required_unless_present_any = ["message_id", "reference"], conflicts_with_all = ["message_id", "reference"], allow_hyphen_values = true)]
    id: Option<String>,
    /// The provider's id
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    message_id: Option<String>,
    /// The sender's id
    #[arg(long = "ref", value_name = "REF", allow_hyphen_values = true)]
    reference: Option<String>,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    account: Option<AccountId>,
    #[command(flatten)]
    json: Json,
}

/// What was found.
enum Found {
    One(Box<MessageView>),
    Several(pages::Listed<MessageView>),
    None,
}

/// Shows a message.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, options.account.as_ref());
    let (lang, json) = (opened.lang, options.json.json);
    let mut out = Out::stdout(globals.no_color);
    let verdict = match find(&opened, options)? {
        Found::One(message) if json => out.json(&message).map(|()| Verdict::Done)?,
        Found::One(message) => page(&mut out, &message, lang).map(|()| Verdict::Done)?,
        Found::Several((data, next)) if json => {
            out.json(&MessagePage { data, next_cursor: next.map(cursor::encode) })?;
            Verdict::No
        }
        Found::Several((data, _)) => {
            messages::table(&mut out, &data, lang)?;
            Verdict::No
        }
        Found::None => {
            let text = say(
                lang,
                "Không tìm thấy tin này. Hãy thử `baophat messages --recipient SỐ` hoặc kiểm tra `database` bằng `baophat check`.",
                "There is no such message. Try `baophat messages --recipient NUMBER`, or check `database` with `baophat check`.",
            );
            return Err(CliError::No(text.to_owned()));
        }
    };
    out.finish()?;
    if verdict == Verdict::No {
        hint(say(lang, "Có nhiều tin khớp: hãy chọn một id ở trên.", "Several messages match: name one by its id above."));
    }
    Ok(verdict)
}

fn find(opened: &Opened, options: &Options) -> Result<Found, StoreError> {
    let reader = opened.reader();
    let Some(id) = options.id.as_deref() else {
        let message_id = options.message_id.as_deref().map(id_spellings).unwrap_or_default();
        return search(&reader, options, message_id, options.reference.clone());
    };
    if let Some(id) = PublicId::parse(id) {
        return Ok(match opened.state.message(id.row)? {
            Some(message) if message.public_id() == id => one(reader.message(id.row)?),
            _ => Found::None,
        });
    }
    match search(&reader, options, id_spellings(id), None)? {
        Found::None => search(&reader, options, Vec::new(), Some(id.to_owned())),
        found => Ok(found),
    }
}

fn search(reader: &Reader<'_>, options: &Options, message_id: Vec<IdSpelling>, reference: Option<String>) -> Result<Found, StoreError> {
    let filter = MessageFilter { message_id, reference, account: options.account.clone(), ..MessageFilter::default() };
    let (data, next) = pages::messages(reader, &filter, Paging { limit: 50, cursor: None })?;
    match data.as_slice() {
        [] => Ok(Found::None),
        [message] => match PublicId::parse(&message.id) {
            Some(id) => Ok(one(reader.message(id.row)?)),
            None => Ok(Found::None),
        },
        _ => Ok(Found::Several((data, next))),
    }
}

fn one(message: Option<MessageView>) -> Found {
    message.map_or(Found::None, |m| Found::One(Box::new(m)))
}

/// A message as a page: what is known, why it failed or is stuck, its timeline.
///
/// # Errors
/// When it cannot be written.
pub fn page(out: &mut Out<'_>, m: &MessageView, lang: Lang) -> io::Result<()> {
    out.fields(&facts(m, lang))?;
    if let Some(f) = &m.failure {
        heading(out, say(lang, "Vì sao thất bại", "Why it failed"))?;
        let code = messages::code_of(f.code.as_deref(), f.subcode.as_deref());
        let e = &f.explanation;
        let rows = [
            (say(lang, "mã lỗi", "code"), format!("{code} ({})", f.class)),
            (say(lang, "nguyên văn", "text"), f.text.clone().unwrap_or_default()),
            (say(lang, "là gì", "what"), e.title.clone()),
            (say(lang, "nguyên nhân", "cause"), e.cause.clone()),
            (say(lang, "cách xử lý", "remedy"), e.remedy.clone()),
            (say(lang, "gửi lại", "retry"), e.retry.to_owned()),
        ];
        paragraphs(out, &rows)?;
    }
    if let Some(s) = &m.stuck {
        heading(out, say(lang, "Vì sao bị kẹt", "Why it is stuck"))?;
        let rows = [
            (say(lang, "từ lúc", "since"), s.since.to_string()),
            (say(lang, "hạn", "deadline"), s.deadline.to_string()),
            (say(lang, "nguyên nhân", "cause"), s.cause.to_owned()),
            (say(lang, "cần làm", "advice"), s.advice.clone()),
        ];
        paragraphs(out, &rows)?;
    }
    timeline(out, &m.events, lang)
}

fn facts(m: &MessageView, lang: Lang) -> Vec<(&'static str, Field)> {
    let known = |text: &Option<String>| text.clone().map(Field::from);
    let time = |at: Option<Millis>| at.map(|at| Field::from(at.to_string()));
    let flags = [(m.partial, "partial"), (m.conflict, "conflict"), (m.outcome_unknown, "outcome_unknown")];
    let flags: Vec<&str> = flags.into_iter().filter(|(is, _)| *is).map(|(_, word)| word).collect();
    let r = &m.recipients;
    let rows = [
        ("id", "id", Some(Field::new(&m.id, Tone::Strong))),
        ("trạng thái", "state", Some(messages::state(m))),
        ("lưu ý", "note", (!flags.is_empty()).then(|| Field::new(flags.join(", "), Tone::Warn))),
        ("tài khoản", "account", Some(format!("{} ({})", m.account, m.provider).into())),
        ("người gửi", "sender", known(&m.sender)),
        ("người nhận", "recipient", known(&m.recipient)),
        ("số người nhận", "recipients", (r.total != 1).then(|| counted(r.total, r.delivered, r.failed, lang).into())),
        ("loại", "kind", known(&m.kind)),
        ("mẫu tin", "template", known(&m.template_id)),
        ("message_id", "message_id", known(&m.message_id)),
        ("ref", "ref", known(&m.reference)),
        ("nguồn gốc", "origin", Some(m.origin.into())),
        ("hẹn lúc", "scheduled", time(m.scheduled_at)),
        ("xếp hàng", "queued", time(m.queued_at)),
        ("đã gửi", "sent", time(m.sent_at)),
        ("đã nhận", "delivered", time(m.delivered_at)),
        ("đã xem", "read", time(m.read_at)),
        ("thất bại", "failed", time(m.failed_at)),
        ("metadata", "metadata", m.metadata.as_ref().map(|m| Field::from(m.text().to_owned()))),
    ];
    rows.into_iter().filter_map(|(vi, en, value)| value.map(|value| (say(lang, vi, en), value))).collect()
}

fn counted(total: u32, delivered: u32, failed: u32, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("{total}, đã nhận {delivered}, thất bại {failed}"),
        Lang::En => format!("{total}, {delivered} delivered, {failed} failed"),
    }
}

fn heading(out: &mut Out<'_>, text: &str) -> io::Result<()> {
    out.gap()?;
    out.line(&[Field::new(text, Tone::Strong)])
}

fn paragraphs(out: &mut Out<'_>, rows: &[(&str, String)]) -> io::Result<()> {
    let width = label_width(rows.iter().map(|(label, _)| *label));
    rows.iter().filter(|(_, text)| !text.is_empty()).try_for_each(|(label, text)| out.prose(label, width, &text.replace('\n', " ")))
}

fn timeline(out: &mut Out<'_>, events: &[EventView], lang: Lang) -> io::Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    heading(out, say(lang, "Dòng thời gian", "Timeline"))?;
    let header = match lang {
        Lang::Vi => ["LÚC", "BIẾT LÚC", "SỰ KIỆN", "TỪ", "CHI TIẾT"],
        Lang::En => ["AT", "OBSERVED", "EVENT", "SOURCE", "DETAIL"],
    };
    let row = |e: &EventView| {
        let observed = if e.observed_at == e.at { Field::new("=", Tone::Dim) } else { Field::time(e.observed_at) };
        vec![Field::time(e.at), observed, e.kind.into(), e.source.into(), Field::from(details(&e.detail)).prose()]
    };
    out.table(&header, events.iter().map(row).collect())
}

/// Details as `name=value`, texts without quotes.
fn details(detail: &Map<String, Value>) -> String {
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    };
    detail.iter().map(one).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(m: &MessageView, lang: Lang) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        page(&mut out, m, lang).unwrap();
        drop(out);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_stuck_message_is_a_page_with_its_timeline() {
        let wanted = "\
id          019ab6f7-0000-7abc-8def-000000000001
state       sent
account     shop-oa (zalo)
sender      246845883529197922
recipient   84901234567
kind        zns
message_id  96d3cdf3af150460909f
ref         order-123
origin      registered
queued      2025-11-24T16:00:00.000Z
sent        2025-11-24T16:00:01.111Z

Why it is stuck
since     2025-11-24T16:00:01.111Z
deadline  2025-11-24T18:00:01.111Z
cause     recipient_unreachable
advice    Call them.

Timeline
AT                        OBSERVED  EVENT  SOURCE  DETAIL
2025-11-24T16:00:01.111Z  =         sent   api     message_id=96d3 status=200
";
        assert_eq!(shown(&messages::tests::stuck(), Lang::En), wanted);
    }

    #[test]
    fn a_failure_is_explained_in_the_language_asked_for() {
        let text = shown(&messages::tests::failed(), Lang::Vi);
        for line in [
            "lưu ý       conflict",
            "Vì sao thất bại",
            "mã lỗi       10.2018300 (window)",
            "nguyên văn   (#10) outside the window",
            "cách xử lý   R",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }
}
