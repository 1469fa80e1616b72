//! The alarms and the dashboard in `ops/` name only metrics that there are, the alarms are tested and told of, and the handbook names
//! every metric.

use std::collections::BTreeSet;

use baophat::metrics::{Metrics, Part, TargetAnd, TargetOnly};
use serde_json::Value;

const RULES: &str = include_str!("../../ops/prometheus-rules.yml");
const RULES_TEST: &str = include_str!("../../ops/prometheus-rules.test.yml");
const DASHBOARD: &str = include_str!("../../ops/grafana-dashboard.json");
const HANDBOOK: &str = include_str!("../../docs/operations.md");

/// Metrics of which each has a sample: those without are not shown.
fn with_samples() -> Metrics {
    let metrics = Metrics::default();
    metrics.begin(["zalo"]);
    metrics.limits.get_or_create(&Part { part: "workers".into() }).set(1);
    metrics.store_bytes.get_or_create(&Part { part: "inbox".into() }).set(1);
    metrics.healthy.get_or_create(&Part { part: "inbox".into() }).set(1);
    let watched = &metrics.watched;
    watched.delivered("zalo", "zns", &[1.0]);
    watched.standing("shop-oa", ["connected", "silent"], "connected");
    watched.last_callback("shop-oa", 1);
    watched.incidents_open("shop-oa", 1);
    watched.stuck([("shop-oa", "unknown", 1)]);
    watched.clue("sha1_only");
    let target = || TargetOnly { target: "ops".into() };
    metrics.deliveries.get_or_create(&TargetAnd { target: "ops".into(), outcome: "delivered".into() }).inc();
    metrics.outbox_waiting.get_or_create(&target()).set(1);
    metrics.outbox_dead.get_or_create(&target()).set(1);
    metrics.outbox_oldest_seconds.get_or_create(&target()).set(1.0);
    metrics.outbox_lost.get_or_create(&target()).inc();
    metrics.outbox_disabled.get_or_create(&target()).set(1);
    Metrics::count_reason(&metrics.refused, "mismatch");
    metrics
}

/// Every name that a query may use.
fn there_are() -> BTreeSet<String> {
    let text = with_samples().text(0);
    let mut names = BTreeSet::new();
    for line in text.lines() {
        let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|l| l.split_once(' ')) else { continue };
        let suffixes: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            _ => &[""],
        };
        names.extend(suffixes.iter().map(|s| format!("{name}{s}")));
    }
    assert!(names.len() > 30, "{names:?}");
    names
}

/// Every metric that a text names.
fn named(text: &str) -> BTreeSet<String> {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    text.split(|c: char| !word(c)).filter(|w| w.starts_with("baophat_")).map(str::to_owned).collect()
}

/// The names behind `- alert: `.
fn alarms() -> Vec<&'static str> {
    RULES.lines().filter_map(|l| l.trim().strip_prefix("- alert: ")).collect()
}

#[test]
fn alarms_and_dashboard_name_metrics_that_there_are() {
    let known = there_are();
    for (file, text) in [("rules", RULES), ("tests of the rules", RULES_TEST), ("dashboard", DASHBOARD)] {
        let used = named(text);
        assert!(used.len() > 10, "{file}: {used:?}");
        let strange: Vec<_> = used.difference(&known).collect();
        assert!(strange.is_empty(), "{file}: no such metrics: {strange:?}");
    }
}

#[test]
fn the_handbook_names_every_metric() {
    let in_handbook = named(HANDBOOK);
    let families =
        there_are().into_iter().map(|n| n.trim_end_matches("_bucket").trim_end_matches("_count").trim_end_matches("_sum").to_owned());
    let missing: BTreeSet<String> = families.filter(|n| !in_handbook.contains(n)).collect();
    assert!(missing.is_empty(), "docs/operations.md does not tell of {missing:?}");
}

#[test]
fn every_alarm_is_tested_and_the_handbook_says_what_to_do() {
    let alarms = alarms();
    assert!(alarms.len() >= 15, "{alarms:?}");
    for alarm in &alarms {
        let heading = format!("### {alarm}\n");
        let shared = format!("docs/operations.md#{}", alarm.to_lowercase());
        let rule = RULES.split("- alert: ").find(|r| r.starts_with(&format!("{alarm}\n"))).unwrap();
        let link = rule.lines().find_map(|l| l.trim().strip_prefix("runbook_url: ")).unwrap_or_else(|| panic!("{alarm} has no runbook"));
        let target = link.split_once('#').unwrap().1;
        let told = HANDBOOK.lines().filter_map(|l| l.strip_prefix("### ")).any(|h| h.to_lowercase() == target);
        assert!(told, "{alarm}: the handbook has no heading for {link}");
        assert!(link != shared || HANDBOOK.contains(&heading), "{alarm}");
        assert!(rule.contains("severity: ") && rule.contains("summary: ") && rule.contains("description: "), "{alarm}");
        let fires = RULES_TEST.split("alertname: ").filter(|t| t.starts_with(&format!("{alarm}\n")) && t.contains("exp_annotations"));
        assert!(fires.count() > 0, "{alarm}: no test in which it rings");
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let board: Value = serde_json::from_str(DASHBOARD).unwrap();
    let variables = board["templating"]["list"].as_array().unwrap();
    assert!(variables.iter().any(|v| v["name"] == "datasource" && v["type"] == "datasource"));
    let panels = board["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().map(|p| p["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    for panel in panels.iter().filter(|p| p["type"] != "row") {
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{}", panel["title"]);
        assert!(!panel["targets"].as_array().unwrap().is_empty() && panel["description"].is_string(), "{}", panel["title"]);
        let place = &panel["gridPos"];
        assert!(place["x"].as_u64().unwrap() + place["w"].as_u64().unwrap() <= 24, "{}", panel["title"]);
    }
}
