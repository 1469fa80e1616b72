//! `baophat templates`: where message templates stand with the provider, why, and how their messages fare.

use std::io;

use clap::Args;

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, label_width};
use super::pages::Paging;
use super::{CliError, Globals, Json, Verdict, messages, pages, values};
use crate::domain::event::TemplateStatus;
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::time::Millis;
use crate::present::{TemplateFilter, TemplatePage, TemplateView, cursor};
use crate::store::sqlite::query::Spot;

/// Options of `templates`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    json: Json,
    #[command(flatten)]
    paging: Paging,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    account: Option<AccountId>,
    /// That stand so
    #[arg(long, value_name = "STATUS", value_parser = values::among(TemplateStatus::ALL, TemplateStatus::as_str))]
    status: Option<TemplateStatus>,
}

/// Lists templates.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, options.account.as_ref());
    let filter = TemplateFilter { account: options.account.clone(), status: options.status };
    let skip = options.paging.cursor.map_or(0, |spot| usize::try_from(spot.n).unwrap_or(usize::MAX));
    let (data, total) = opened.reader().templates(&filter, skip, usize::from(options.paging.limit))?;
    let seen = skip.saturating_add(data.len());
    let next = (seen < total).then_some(Spot { at: Millis(0), n: seen as u64 });
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&TemplatePage { total: total as u64, data, next_cursor: next.map(cursor::encode) })?;
        out.finish()?;
        return Ok(Verdict::Done);
    }
    table(&mut out, &data, opened.lang)?;
    out.finish()?;
    messages::tell_rest(data.len(), pages::next_page(next), opened.lang);
    Ok(Verdict::Done)
}

fn tone(status: &str) -> Tone {
    match TemplateStatus::parse(status) {
        Some(TemplateStatus::Approved) => Tone::Good,
        Some(TemplateStatus::Rejected | TemplateStatus::Disabled) => Tone::Bad,
        Some(TemplateStatus::Pending) => Tone::Warn,
        Some(TemplateStatus::Deleted | TemplateStatus::Unknown) | None => Tone::Dim,
    }
}

/// The templates as a table, then what to do about each status that needs somebody.
fn table(out: &mut Out<'_>, templates: &[TemplateView], lang: Lang) -> io::Result<()> {
    let header = match lang {
        Lang::Vi => ["TÀI KHOẢN", "MẪU TIN", "TRẠNG THÁI", "TỪ LÚC", "CHẤT LƯỢNG", "SỐ TIN", "THẤT BẠI", "ĐẾN NƠI", "LÝ DO"],
        Lang::En => ["ACCOUNT", "TEMPLATE", "STATUS", "SINCE", "QUALITY", "MESSAGES", "FAILED", "ARRIVED", "REASON"],
    };
    let row = |t: &TemplateView| {
        let reason =
            t.reason.clone().or_else(|| t.refusals.first().map(|r| format!("{} {}", r.code, r.title.as_deref().unwrap_or_default())));
        vec![
            t.account.as_str().into(),
            Field::new(&t.template_id, Tone::Strong),
            Field::new(t.status, tone(t.status)),
            t.since.map_or(Field::maybe(None), Field::time),
            Field::maybe(t.quality.as_deref()),
            t.messages.total.to_string().into(),
            t.messages.failed.to_string().into(),
            Field::maybe(t.messages.delivery_rate.map(|rate| format!("{:.1} %", rate * 100.0)).as_deref()),
            Field::maybe(reason.as_deref()).prose(),
        ]
    };
    out.table(&header, templates.iter().map(row).collect())?;
    let mut advice: Vec<(&str, &str)> = Vec::new();
    for t in templates.iter().filter(|t| matches!(tone(t.status), Tone::Bad | Tone::Warn)) {
        if !advice.iter().any(|(status, _)| *status == t.status) {
            advice.push((t.status, &t.advice));
        }
    }
    if advice.is_empty() {
        return Ok(());
    }
    out.gap()?;
    out.line(&[Field::new(say(lang, "Cần làm gì", "What to do"), Tone::Strong)])?;
    let width = label_width(advice.iter().map(|(status, _)| *status));
    advice.iter().try_for_each(|(status, text)| out.prose(status, width, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::present::{RefusalView, TemplateMessages};

    fn template(id: &str, status: TemplateStatus) -> TemplateView {
        TemplateView {
            account: "shop-oa".into(),
            provider: "zalo".into(),
            template_id: id.into(),
            status: status.as_str(),
            status_raw: None,
            since: Some(Millis(1_764_000_000_000)),
            reason: None,
            quality: None,
            quota: None,
            tags: None,
            told_at: None,
            refusals: Vec::new(),
            advice: format!("Do {status}."),
            messages: TemplateMessages::default(),
            history: Vec::new(),
        }
    }

    #[test]
    fn templates_are_a_table_with_what_to_do_below() {
        let rejected = TemplateView { reason: Some("Sai định dạng".into()), ..template("204455", TemplateStatus::Rejected) };
        let messages = TemplateMessages { total: 12, read: 8, failed: 4, delivery_rate: Some(0.666), ..TemplateMessages::default() };
        let refusals = vec![RefusalView { code: "-146".into(), title: Some("Off".into()), last_at: Millis(0) }];
        let approved = TemplateView { quality: Some("LOW".into()), messages, refusals, ..template("7895417", TemplateStatus::Approved) };
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        table(&mut out, &[rejected, approved], Lang::En).unwrap();
        drop(out);
        let wanted = "\
ACCOUNT  TEMPLATE  STATUS    SINCE                     QUALITY  MESSAGES  FAILED  ARRIVED  REASON
shop-oa  204455    rejected  2025-11-24T16:00:00.000Z  -        0         0       -        Sai định dạng
shop-oa  7895417   approved  2025-11-24T16:00:00.000Z  LOW      12        4       66.6 %   -146 Off

What to do
rejected  Do rejected.
";
        assert_eq!(String::from_utf8(bytes).unwrap(), wanted);
    }
}
