//! A message as a line of CSV (RFC 4180, UTF-8, `\n` at the end of lines): columns are only ever added at the end.

use std::io::{self, Write};

use crate::domain::time::Millis;
use crate::present::MessageView;

/// A column: its name and where its value comes from.
type Column = (&'static str, fn(&MessageView) -> Option<String>);

const COLUMNS: &[Column] = &[
    ("id", |m| Some(m.id.clone())),
    ("provider", |m| Some(m.provider.clone())),
    ("account", |m| Some(m.account.clone())),
    ("sender", |m| m.sender.clone()),
    ("message_id", |m| m.message_id.clone()),
    ("ref", |m| m.reference.clone()),
    ("kind", |m| m.kind.clone()),
    ("recipient", |m| m.recipient.clone()),
    ("template_id", |m| m.template_id.clone()),
    ("state", |m| Some(m.state.to_owned())),
    ("origin", |m| Some(m.origin.to_owned())),
    ("queued_at", |m| time(m.queued_at)),
    ("sent_at", |m| time(m.sent_at)),
    ("delivered_at", |m| time(m.delivered_at)),
    ("read_at", |m| time(m.read_at)),
    ("failed_at", |m| time(m.failed_at)),
    ("scheduled_at", |m| time(m.scheduled_at)),
    ("recipients_total", |m| Some(m.recipients.total.to_string())),
    ("recipients_delivered", |m| Some(m.recipients.delivered.to_string())),
    ("recipients_failed", |m| Some(m.recipients.failed.to_string())),
    ("partial", |m| Some(m.partial.to_string())),
    ("conflict", |m| Some(m.conflict.to_string())),
    ("outcome_unknown", |m| Some(m.outcome_unknown.to_string())),
    ("failure_class", |m| m.failure.as_ref().map(|f| f.class.to_owned())),
    ("failure_code", |m| m.failure.as_ref().and_then(|f| f.code.clone())),
    ("failure_subcode", |m| m.failure.as_ref().and_then(|f| f.subcode.clone())),
    ("failure_text", |m| m.failure.as_ref().and_then(|f| f.text.clone())),
    ("failure_title", |m| m.failure.as_ref().map(|f| f.explanation.title.clone())),
    ("failure_retry", |m| m.failure.as_ref().map(|f| f.explanation.retry.to_owned())),
    ("stuck_cause", |m| m.stuck.as_ref().map(|s| s.cause.to_owned())),
    ("stuck_since", |m| time(m.stuck.as_ref().map(|s| s.since))),
    ("stuck_deadline", |m| time(m.stuck.as_ref().map(|s| s.deadline))),
    ("metadata", |m| m.metadata.as_ref().map(|o| o.text().to_owned())),
];

fn time(at: Option<Millis>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// The names of the columns.
///
/// # Errors
/// When it cannot be written.
pub fn heading(to: &mut dyn Write) -> io::Result<()> {
    line(to, COLUMNS.iter().map(|(name, _)| (*name).to_owned()))
}

/// One message.
///
/// # Errors
/// When it cannot be written.
pub fn row(to: &mut dyn Write, message: &MessageView) -> io::Result<()> {
    line(to, COLUMNS.iter().map(|(_, value)| value(message).unwrap_or_default()))
}

fn line(to: &mut dyn Write, values: impl Iterator<Item = String>) -> io::Result<()> {
    for (i, value) in values.enumerate() {
        if i > 0 {
            to.write_all(b",")?;
        }
        if value.contains([',', '"', '\n', '\r']) {
            write!(to, "\"{}\"", value.replace('"', "\"\""))?;
        } else {
            to.write_all(value.as_bytes())?;
        }
    }
    to.write_all(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::messages::tests::failed;

    #[test]
    fn a_message_is_one_row_whatever_stands_in_its_texts() {
        let mut bytes = Vec::new();
        heading(&mut bytes).unwrap();
        let mut message = failed();
        message.recipient = Some("a, \"b\"".into());
        message.failure = None;
        row(&mut bytes, &message).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        let mut lines = text.lines();
        let names: Vec<_> = lines.next().unwrap().split(',').collect();
        assert_eq!(names.len(), COLUMNS.len());
        assert_eq!(
            lines.next().unwrap(),
            "019ab6f7-0000-7abc-8def-000000000001,zalo,shop-oa,246845883529197922,96d3cdf3af150460909f,,zns,\"a, \"\"b\"\"\",,failed,registered,\
             2025-11-24T16:00:00.000Z,2025-11-24T16:00:01.111Z,,,2025-11-24T16:00:02.222Z,,1,0,0,false,true,false,,,,,,,,,,"
        );
    }

    #[test]
    fn line_breaks_stay_inside_quotes() {
        let mut bytes = Vec::new();
        row(&mut bytes, &failed()).unwrap();
        assert!(String::from_utf8(bytes).unwrap().contains(",window,10,2018300,\"(#10) outside\nthe window\",T,never,"));
    }
}
