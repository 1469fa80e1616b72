//! The rows of the proof: what is promised, what was reached, whether it holds.

use serde::Serialize;
use serde_json::{Value, json};

use crate::bench::load::Tally;

/// One row.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Its name for machines.
    pub id: &'static str,
    /// What is measured.
    pub what: String,
    /// What is promised.
    pub bar: String,
    /// What was reached, in words.
    pub reached: String,
    /// Whether the promise holds; nothing where what it is compared with was not measured.
    pub holds: Option<bool>,
    /// Every figure behind it.
    pub figures: Value,
}

impl Row {
    /// A row.
    pub fn new(id: &'static str, what: impl Into<String>, bar: impl Into<String>) -> Row {
        Row { id, what: what.into(), bar: bar.into(), reached: String::new(), holds: None, figures: json!({}) }
    }

    /// What came of it.
    pub fn reached(self, holds: Option<bool>, reached: String, figures: Value) -> Row {
        Row { reached, holds, figures, ..self }
    }
}

/// Milliseconds at a quantile.
pub fn ms_at(tally: &Tally, quantile: f64) -> f64 {
    tally.latency.value_at_quantile(quantile) as f64 / 1_000.0
}

/// The slowest, in milliseconds.
pub fn ms_max(tally: &Tally) -> f64 {
    tally.latency.max() as f64 / 1_000.0
}

/// A load as figures.
pub fn load_figures(tally: &Tally) -> Value {
    json!({
        "acknowledged": tally.acknowledged,
        "per_second": tally.rate(),
        "refused": tally.refused,
        "broken": tally.broken,
        "p50_ms": ms_at(tally, 0.50),
        "p99_ms": ms_at(tally, 0.99),
        "p999_ms": ms_at(tally, 0.999),
        "max_ms": ms_max(tally),
    })
}

/// The table for people.
pub fn table(rows: &[Row]) -> String {
    let verdict = |row: &Row| match row.holds {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "-",
    };
    let mut cells: Vec<[&str; 4]> = vec![["what", "bar", "reached", "holds"]];
    cells.extend(rows.iter().map(|r| [r.what.as_str(), r.bar.as_str(), r.reached.as_str(), verdict(r)]));
    let width = |i: usize| cells.iter().map(|line| line[i].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..4).map(width).collect();
    let mut out = String::new();
    for (n, line) in cells.iter().enumerate() {
        let padded: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        out += &format!("| {} |\n", padded.join(" | "));
        if n == 0 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            out += &format!("| {} |\n", rule.join(" | "));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_does_not_hold_is_plain_to_see() {
        let rows = [
            Row::new("a", "one", "< 1").reached(Some(true), "0.5".into(), json!({})),
            Row::new("b", "two", "< 2").reached(Some(false), "3".into(), json!({})),
            Row::new("c", "three", "0.8 of one").reached(None, "7".into(), json!({})),
        ];
        let text = table(&rows);
        let verdicts: Vec<&str> = text.lines().skip(2).map(|l| l.trim_end_matches(['|', ' ']).rsplit("| ").next().unwrap()).collect();
        assert_eq!(verdicts, ["yes", "NO", "-"]);
        let lengths: Vec<usize> = text.lines().map(|l| l.chars().count()).collect();
        assert!(lengths.iter().all(|n| *n == lengths[0]), "{text}");
    }
}
