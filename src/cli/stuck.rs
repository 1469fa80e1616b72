//! `baophat stuck`: what is stuck, in groups, with the cause and what to do; the messages themselves with `--list`.

use std::io;

use clap::Args;

use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, label_width};
use super::pages::{self, Paging};
use super::{CliError, Globals, Json, Verdict, messages};
use crate::domain::failure::Lang;
use crate::present::{StuckGroupView, StuckPage, cursor};
use crate::store::sqlite::query::MessageFilter;

/// Options of `stuck`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    json: Json,
    /// List the messages too
    #[arg(long)]
    list: bool,
    /// Exit with 1 when anything is stuck: for cron and monitoring
    #[arg(long)]
    fail_if_any: bool,
    #[command(flatten)]
    paging: Paging,
}

/// Tells what is stuck.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    let reader = opened.reader();
    let groups = reader.stuck_groups()?;
    let total = groups.iter().map(|g| g.count).sum();
    let listed = options.json.json || options.list || options.paging.cursor.is_some();
    let filter = MessageFilter { stuck: true, ..MessageFilter::default() };
    let (data, next) = if listed { pages::messages(&reader, &filter, options.paging)? } else { Default::default() };
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&StuckPage { total, groups, data, next_cursor: next.map(cursor::encode) })?;
        out.finish()?;
    } else {
        overview(&mut out, total, &groups, opened.lang)?;
        if !data.is_empty() {
            out.gap()?;
            messages::table(&mut out, &data, opened.lang)?;
        }
        out.finish()?;
        if listed && total > 0 {
            messages::tell_rest(data.len(), pages::next_page(next), opened.lang);
        }
    }
    Ok(if options.fail_if_any && total > 0 { Verdict::No } else { Verdict::Done })
}

/// The groups as a table, then what to do about each cause.
fn overview(out: &mut Out<'_>, total: u64, groups: &[StuckGroupView], lang: Lang) -> io::Result<()> {
    if total == 0 {
        return out.line(&[Field::new(say(lang, "Không có tin nào bị kẹt.", "Nothing is stuck."), Tone::Good)]);
    }
    let header = match lang {
        Lang::Vi => ["TÀI KHOẢN", "LOẠI", "TRẠNG THÁI", "NGUYÊN NHÂN", "SỐ TIN", "CŨ NHẤT"],
        Lang::En => ["ACCOUNT", "KIND", "STATE", "CAUSE", "COUNT", "OLDEST"],
    };
    let row = |g: &StuckGroupView| {
        vec![
            g.account.as_str().into(),
            Field::maybe(g.kind.as_deref()),
            g.state.into(),
            Field::new(g.cause, Tone::Warn),
            g.count.to_string().into(),
            Field::time(g.oldest_since),
        ]
    };
    out.table(&header, groups.iter().map(row).collect())?;
    out.gap()?;
    out.line(&[Field::new(say(lang, "Cần làm gì", "What to do"), Tone::Strong)])?;
    let mut causes: Vec<(&str, &str)> = Vec::new();
    for g in groups.iter().filter(|g| !g.advice.is_empty()) {
        if !causes.iter().any(|(cause, _)| *cause == g.cause) {
            causes.push((g.cause, &g.advice));
        }
    }
    let width = label_width(causes.iter().map(|(cause, _)| *cause));
    for (cause, advice) in causes {
        out.prose(cause, width, &advice.replace("{id}", "ID"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;

    fn shown(groups: &[StuckGroupView]) -> String {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        overview(&mut out, groups.iter().map(|g| g.count).sum(), groups, Lang::En).unwrap();
        drop(out);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn groups_are_a_table_and_each_cause_has_its_advice_once() {
        let group = |account: &str, cause, count| StuckGroupView {
            account: account.into(),
            kind: Some("zns".into()),
            state: "sent",
            cause,
            count,
            oldest_since: Millis(1_764_000_000_000),
            advice: format!("Do {cause} for {{id}}."),
        };
        let wanted = "\
ACCOUNT  KIND  STATE  CAUSE           COUNT  OLDEST
a        zns   sent   webhook_silent  12     2025-11-24T16:00:00.000Z
shop-oa  zns   sent   webhook_silent  3      2025-11-24T16:00:00.000Z
a        zns   sent   unknown         1      2025-11-24T16:00:00.000Z

What to do
webhook_silent  Do webhook_silent for ID.
unknown         Do unknown for ID.
";
        assert_eq!(shown(&[group("a", "webhook_silent", 12), group("shop-oa", "webhook_silent", 3), group("a", "unknown", 1)]), wanted);
        assert_eq!(shown(&[]), "Nothing is stuck.\n");
    }
}
