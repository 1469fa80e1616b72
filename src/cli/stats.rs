//! `baophat stats`: what became of the messages of a span of time, in lines by account and kind, template, carrier or hour.

use std::io;

use clap::Args;

use super::filter::warn_of_unknown;
use super::lang::say;
use super::open::Opened;
use super::out::{Field, Out, Tone, hint};
use super::values::{self, When};
use super::{CliError, Globals, Json, Verdict};
use crate::clock::{Clock, WallClock};
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::present::{LinesBy, StatsAsked, StatsLine, StatsView};

/// A share of failures from which on a line is shown as bad.
const BAD_SHARE: f64 = 0.10;

/// A share of failures from which on a line is to be looked at.
const WARN_SHARE: f64 = 0.02;

/// Options of `stats`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    json: Json,
    /// What makes a line, beside the account [default: kind, or what is filtered by]
    #[arg(long, value_parser = values::among(LinesBy::ALL, LinesBy::as_str))]
    by: Option<LinesBy>,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    account: Option<AccountId>,
    /// Of this kind, such as zns
    #[arg(long)]
    kind: Option<String>,
    /// Of this template
    #[arg(long, value_name = "ID")]
    template_id: Option<String>,
    /// Of this carrier, as the provider names it
    #[arg(long)]
    carrier: Option<String>,
    /// Known from then on: a time, a day (in Vietnam), or a span ago such as 2h [default: a day before the end]
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    since: Option<When>,
    /// Known before then [default: now]
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    until: Option<When>,
}

/// Tells the numbers.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let now = WallClock.now();
    let asked = StatsAsked {
        account: options.account.clone(),
        kind: options.kind.clone(),
        template_id: options.template_id.clone(),
        carrier: options.carrier.clone(),
        since: options.since.map(|w| w.seen_from(now)),
        until: options.until.map(|w| w.seen_from(now)),
        by: options.by,
    };
    let query = asked.question(now).map_err(|e| CliError::Usage(format!("--{}: {}", e.at.replace('_', "-"), e.why)))?;
    let opened = Opened::new(globals, options.json.json)?;
    warn_of_unknown(globals, &opened, options.account.as_ref());
    let stats = opened.reader().stats(&query)?;
    let mut out = Out::stdout(globals.no_color);
    if options.json.json {
        out.json(&stats)?;
    } else {
        table(&mut out, &stats, opened.lang)?;
    }
    out.finish()?;
    if !options.json.json {
        hint(&counted(&stats, opened.lang));
    }
    Ok(Verdict::Done)
}

/// Which messages were counted: the span is of whole hours or days, and may be wider than the one asked for.
fn counted(stats: &StatsView, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("Tính các tin được ghi nhận từ {} đến trước {}.", stats.since, stats.until),
        Lang::En => format!("Counted: messages that became known from {} on and before {}.", stats.since, stats.until),
    }
}

fn table(out: &mut Out<'_>, stats: &StatsView, lang: Lang) -> io::Result<()> {
    if stats.data.is_empty() {
        return out.line(&[Field::new(say(lang, "Không có tin nào trong khoảng này.", "No messages in this span."), Tone::Dim)]);
    }
    let header = match lang {
        Lang::Vi => [
            "TÀI KHOẢN",
            "THEO",
            "CHỜ GỬI",
            "ĐÃ GỬI",
            "ĐÃ NHẬN",
            "ĐÃ XEM",
            "THẤT BẠI",
            "TỶ LỆ NHẬN",
            "NHẬN P50",
            "NHẬN P99",
            "CHI PHÍ (VND)",
            "PHÍ TIN THẤT BẠI",
        ],
        Lang::En => {
            ["ACCOUNT", "OF", "QUEUED", "SENT", "DELIVERED", "READ", "FAILED", "DELIVERY", "P50", "P99", "SPENT (VND)", "ON FAILED"]
        }
    };
    out.table(&header, stats.data.iter().map(row).collect())
}

fn row(line: &StatsLine) -> Vec<Field> {
    let hour = line.hour.map(Field::time);
    let of = [&line.kind, &line.template_id, &line.carrier].into_iter().find_map(Option::as_deref);
    let latency = &line.latency.sent_to_delivered;
    let money = |dong: f64| if dong > 0.0 { Field::from(format!("{dong:.0}")) } else { Field::maybe(None) };
    let failed = |n: u64| if n > 0 { Field::new(n.to_string(), Tone::Bad) } else { Field::from("0") };
    vec![
        line.account.as_str().into(),
        hour.unwrap_or_else(|| Field::maybe(of)),
        line.queued.to_string().into(),
        line.sent.to_string().into(),
        line.delivered.to_string().into(),
        line.read.to_string().into(),
        failed(line.failed),
        rate(line.delivery_rate),
        length(latency.p50),
        length(latency.p99),
        money(line.money.spent),
        Field { tone: if line.money.on_failed > 0.0 { Tone::Warn } else { Tone::Plain }, ..money(line.money.on_failed) },
    ]
}

fn rate(delivered: Option<f64>) -> Field {
    let Some(rate) = delivered else { return Field::maybe(None) };
    let tone = match 1.0 - rate {
        failed if failed >= BAD_SHARE => Tone::Bad,
        failed if failed >= WARN_SHARE => Tone::Warn,
        _ => Tone::Good,
    };
    Field::new(format!("{:.1}%", rate * 100.0), tone)
}

/// A length of time for people: two or three digits and the unit.
fn length(ms: Option<i64>) -> Field {
    let Some(ms) = ms else { return Field::maybe(None) };
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let text = match units.into_iter().find(|(unit, _)| ms >= *unit) {
        Some((unit, name)) if ms < unit * 10 => format!("{:.1}{name}", ms as f64 / unit as f64),
        Some((unit, name)) => format!("{}{name}", ms / unit),
        None => format!("{ms}ms"),
    };
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;
    use crate::present::examples;

    #[test]
    fn a_line_has_what_became_of_its_messages() {
        assert_eq!(length(Some(950)).text, "950ms");
        assert_eq!(length(Some(2_345)).text, "2.3s");
        assert_eq!(length(Some(95_000)).text, "1.6m");
        assert_eq!(length(Some(3_600_000 * 30)).text, "1.2d");
        assert_eq!(rate(Some(0.985)), Field::new("98.5%", Tone::Good));
        assert_eq!((rate(Some(0.95)).tone, rate(Some(0.5)).tone, rate(None).text), (Tone::Warn, Tone::Bad, "-".to_owned()));
    }

    #[test]
    fn nothing_is_said_so() {
        let mut bytes = Vec::new();
        let mut out = Out::plain(&mut bytes);
        table(&mut out, &StatsView { data: Vec::new(), since: Millis(0), until: Millis(1) }, Lang::En).unwrap();
        drop(out);
        assert_eq!(String::from_utf8(bytes).unwrap(), "No messages in this span.\n");
        assert!(examples::stats()["data"][0]["account"].is_string());
    }
}
