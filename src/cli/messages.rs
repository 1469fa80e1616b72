//! `baophat messages`, and how a list of messages looks.

use std::io;

use clap::Args;

use super::filter::{Filters, warn_of_unknown};
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, hint};
use super::pages::{self, Paging};
use super::{CliError, Globals, Json, Verdict};
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;
use crate::domain::time::Millis;
use crate::present::{MessagePage, MessageView, cursor};

/// Options of `messages`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    paging: Paging,
    #[command(flatten)]
    filters: Filters,
}

/// Lists messages.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, options.filters.account.as_ref());
    let filter = options.filters.filter(WallClock.now());
    let (data, next) = pages::messages(&opened.reader(), &filter, options.paging)?;
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&MessagePage { data, next_cursor: next.map(cursor::encode) })?;
        out.finish()?;
        return Ok(Verdict::Done);
    }
    table(&mut out, &data, opened.lang)?;
    out.finish()?;
    tell_rest(data.len(), pages::next_page(next), opened.lang);
    Ok(Verdict::Done)
}

/// On standard error: that there is nothing, or more.
pub fn tell_rest(shown: usize, next: Option<String>, lang: Lang) {
    if let Some(next) = next {
        hint(&format!("{} {next}", say(lang, "Còn nữa; xem tiếp bằng:", "There is more; go on with:")));
    } else if shown == 0 {
        hint(say(lang, "Không có mục nào khớp.", "Nothing matches."));
    }
}

/// Messages as a table.
///
/// # Errors
/// When it cannot be written.
pub fn table(out: &mut Out<'_>, messages: &[MessageView], lang: Lang) -> io::Result<()> {
    let header = match lang {
        Lang::Vi => ["TRẠNG THÁI", "LÚC", "TÀI KHOẢN", "LOẠI", "NGƯỜI NHẬN", "REF", "GHI CHÚ", "ID"],
        Lang::En => ["STATE", "AT", "ACCOUNT", "KIND", "RECIPIENT", "REF", "NOTE", "ID"],
    };
    let row = |m: &MessageView| {
        vec![
            state(m),
            state_at(m).map_or(Field::maybe(None), Field::time),
            m.account.as_str().into(),
            Field::maybe(m.kind.as_deref()),
            Field::maybe(m.recipient.as_deref()),
            Field::maybe(m.reference.as_deref()),
            note(m).prose(),
            Field::new(&m.id, Tone::Dim),
        ]
    };
    out.table(&header, messages.iter().map(row).collect())
}

/// The state, coloured by how it went.
pub fn state(m: &MessageView) -> Field {
    let tone = match m.state {
        "failed" => Tone::Bad,
        "delivered" | "read" => Tone::Good,
        _ if m.stuck.is_some() => Tone::Warn,
        _ => Tone::Plain,
    };
    Field::new(m.state, tone)
}

/// When it came into its state.
pub fn state_at(m: &MessageView) -> Option<Millis> {
    match m.state {
        "read" => m.read_at,
        "delivered" => m.delivered_at,
        "failed" => m.failed_at,
        "sent" => m.sent_at,
        _ => m.queued_at,
    }
}

/// The code of a failure with its sub-code, as `--failure-code` takes it.
pub fn code_of(code: Option<&str>, subcode: Option<&str>) -> String {
    match (code, subcode) {
        (Some(code), Some(subcode)) => format!("{code}.{subcode}"),
        (code, _) => code.unwrap_or("-").to_owned(),
    }
}

/// What stands out.
fn note(m: &MessageView) -> Field {
    let mut parts = Vec::new();
    if let Some(f) = &m.failure {
        parts.push(format!("{} {}", f.class, code_of(f.code.as_deref(), f.subcode.as_deref())));
    }
    if let Some(s) = &m.stuck {
        parts.push(format!("stuck: {}", s.cause));
    }
    parts.extend([(m.partial, "partial"), (m.conflict, "conflict")].into_iter().filter(|(is, _)| *is).map(|(_, word)| word.into()));
    match parts.is_empty() {
        true => Field::maybe(None),
        false => Field::new(parts.join(", "), if m.failure.is_some() { Tone::Bad } else { Tone::Warn }),
    }
}

#[cfg(test)]
pub mod tests {
    use serde_json::json;

    use super::*;
    use crate::present::{EventView, Explanation, FailureView, RecipientsView, StuckView};

    /// A sent message with nothing special.
    pub fn sent() -> MessageView {
        let at = |ms: i64| Some(Millis(1_764_000_000_000 + ms));
        MessageView {
            id: "019ab6f7-0000-7abc-8def-000000000001".into(),
            provider: "zalo".into(),
            account: "shop-oa".into(),
            sender: Some("246845883529197922".into()),
            message_id: Some("96d3cdf3af150460909f".into()),
            reference: Some("order-123".into()),
            kind: Some("zns".into()),
            recipient: Some("84901234567".into()),
            template_id: None,
            state: "sent",
            origin: "registered",
            queued_at: at(0),
            sent_at: at(1_111),
            delivered_at: None,
            read_at: None,
            failed_at: None,
            scheduled_at: None,
            recipients: RecipientsView { total: 1, delivered: 0, failed: 0 },
            partial: false,
            conflict: false,
            outcome_unknown: false,
            failure: None,
            stuck: None,
            metadata: None,
            events: Vec::new(),
        }
    }

    /// A stuck message with a timeline.
    pub fn stuck() -> MessageView {
        let (since, deadline) = (Millis(1_764_000_001_111), Millis(1_764_007_201_111));
        let detail = json!({"status": 200, "message_id": "96d3"}).as_object().cloned().unwrap_or_default();
        MessageView {
            stuck: Some(StuckView { since, deadline, cause: "recipient_unreachable", advice: "Call them.".into() }),
            events: vec![EventView { at: since, observed_at: since, kind: "sent", source: "api", detail }],
            ..sent()
        }
    }

    /// A failed message.
    pub fn failed() -> MessageView {
        let explanation = Explanation { title: "T".into(), cause: "C".into(), remedy: "R".into(), retry: "never" };
        let (code, text) = (Some("10".into()), Some("(#10) outside\nthe window".into()));
        MessageView {
            state: "failed",
            failed_at: Some(Millis(1_764_000_002_222)),
            conflict: true,
            reference: None,
            failure: Some(FailureView { class: "window", code, subcode: Some("2018300".into()), text, explanation }),
            ..sent()
        }
    }

    #[test]
    fn a_list_in_a_pipe_is_plain_and_aligned() {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        table(&mut out, &[stuck(), failed()], Lang::En).unwrap();
        drop(out);
        let wanted = "\
STATE   AT                        ACCOUNT  KIND  RECIPIENT    REF        NOTE                          ID
sent    2025-11-24T16:00:01.111Z  shop-oa  zns   84901234567  order-123  stuck: recipient_unreachable  019ab6f7-0000-7abc-8def-000000000001
failed  2025-11-24T16:00:02.222Z  shop-oa  zns   84901234567  -          window 10.2018300, conflict   019ab6f7-0000-7abc-8def-000000000001
";
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }
}
