//! Counters over all recipients (protocol: eSMS 5.3): read at their largest, folded in any order.

use super::*;

/// S/F/R of every report, the state, recipients as total, delivered, failed, and the failure's code.
fn check(lines: &str) {
    for line in lines.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let (reports, expected) = line.split_once("->").expect("reports -> state");
        let mut all: Vec<Told> = reports
            .split_whitespace()
            .map(|text| {
                let (counters, code) = text.split_once(':').map_or((text, None), |(c, code)| (c, Some(code)));
                let mut n = counters.split('/').map(|n| n.parse().expect("a counter"));
                let mut next = || n.next().expect("three counters");
                report(next(), next(), next(), code)
            })
            .collect();
        for direction in ["forwards", "backwards"] {
            let d = World::of(&all).derived();
            let r = d.recipients;
            let code = d.failure.and_then(|f| f.code).unwrap_or_else(|| "-".into());
            let mut text = d.state.to_string();
            text.push_str(if d.conflict { "!" } else { "" });
            text.push_str(if d.partial { "~" } else { "" });
            let got = format!("{text} {}={}+{} {code}", r.total, r.delivered, r.failed);
            assert_eq!(got, expected.split_whitespace().collect::<Vec<_>>().join(" "), "{direction}: {line}");
            all.reverse();
        }
    }
}

#[test]
fn every_row_of_the_counters_table_holds() {
    check(
        "
        0/0/1               -> sent         1=0+0   -
        0/0/5000            -> sent         5000=0+0 -
        0/0/0               -> sent         1=0+0   -
        1/0/3               -> sent         3=1+0   -
        0/1/3               -> sent         3=0+1   -
        1/1/3               -> sent         3=1+1   -
        1/0/1               -> delivered    1=1+0   -
        3/0/3               -> delivered    3=3+0   -
        0/1/1               -> failed       1=0+1   undelivered
        0/1/1:-124          -> failed       1=0+1   -124
        0/3/3:108           -> failed       3=0+3   108
        2/1/3               -> delivered~   3=2+1   -
        2/1/3:-124          -> delivered~   3=2+1   -124
        1/1/1               -> delivered!   1=1+0   undelivered
        1/1/1:-124          -> delivered!   1=1+0   -124
        ",
    );
}

#[test]
fn more_reports_than_recipients_contradict_each_other() {
    check(
        "
        3/0/2               -> delivered!   2=2+0   -
        0/3/2               -> failed!      2=0+2   undelivered
        2/1/2               -> delivered!~  2=2+0   -
        1/2/2               -> delivered!~  2=1+1   -
        ",
    );
}

#[test]
fn reports_fold_by_the_largest_counters_in_any_order() {
    check(
        "
        0/0/1 1/0/1         -> delivered    1=1+0   -
        1/0/1 0/0/1         -> delivered    1=1+0   -
        1/0/2 2/0/2         -> delivered    2=2+0   -
        1/0/2 1/1/2         -> delivered~   2=1+1   -
        1/0/2 0/1/2         -> delivered~   2=1+1   -
        1/0/1 0/0/3         -> sent         3=1+0   -
        0/1/1 1/0/1         -> delivered!   1=1+0   undelivered
        0/1/1:-124 1/0/1    -> delivered!   1=1+0   -124
        0/1/1 0/1/1:-124    -> failed       1=0+1   -124
        0/1/1:-124 0/1/1:-118 -> failed     1=0+1   -118
        0/2/2:-124 0/1/2    -> failed       2=0+2   -124
        1/0/1 1/0/1 1/0/1   -> delivered    1=1+0   -
        ",
    );
}

#[test]
fn a_reason_without_failed_recipients_is_no_failure() {
    check("1/0/1:-124 -> delivered 1=1+0 -\n 0/0/1:-124 -> sent 1=0+0 -");
}

#[test]
fn earlier_stages_take_nothing_back_and_a_rejection_beside_a_success_is_a_conflict() {
    check_scenarios(
        "
        1/0/1 queued                -> delivered
        1/0/1 queued sent           -> delivered
        sent 1/0/1                  -> delivered
        sent 0/1/1                  -> failed
        0/1/1 queued                -> failed
        failed 1/0/1                -> delivered!
        refused 1/0/1               -> delivered!
        failed 0/0/1                -> failed
        failed 2/1/3                -> delivered!~
        ",
    );
}

#[test]
fn any_code_beats_undelivered_and_the_providers_code_beats_rejected() {
    let rejected = told(Fact::Failed(Failure::ours("rejected", None)), None);
    let code = |all: &[Told]| World::of(all).derived().failure.and_then(|f| f.code);
    assert_eq!(code(&[report(0, 1, 1, None), rejected.clone()]).as_deref(), Some("rejected"));
    assert_eq!(code(&[rejected.clone(), report(0, 1, 1, None)]).as_deref(), Some("rejected"));
    assert_eq!(code(&[rejected, report(0, 1, 1, Some("-124"))]).as_deref(), Some("-124"));
}

#[test]
fn a_report_is_dated_by_the_first_arrival_of_its_largest_counter() {
    let mut world = World::default();
    world.tell(&report(2, 0, 2, None), Millis(50));
    world.tell(&report(1, 0, 2, None), Millis(10));
    world.tell(&report(2, 0, 2, None), Millis(40));
    let d = world.derived();
    assert_eq!((d.sent_at, d.delivered_at, d.failed_at), (Some(Millis(10)), Some(Millis(40)), None));
}
