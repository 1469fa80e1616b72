//! What a committed batch adds to the metrics.

use std::collections::BTreeMap;

use crate::domain::ids::AccountId;
use crate::domain::projection::Change;
use crate::ingest::AccountRules;
use crate::metrics::Metrics;
use crate::store::Outcome;

/// Counts what a committed batch was.
pub(super) fn count(metrics: &Metrics, rules: &AccountRules, change: &Change, outcomes: &[Outcome]) {
    let slug = |account: &AccountId| rules.get(account).map_or("unknown", |k| k.spec.slug);
    // Added up first: a counter with labels costs more than a fold of one record should.
    let mut records: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for o in outcomes {
        *records.entry((slug(&o.account), o.status.as_str())).or_default() += 1;
    }
    let mut transitions: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    let by_row = change.by_row();
    for t in change.transitions.iter().filter(|t| t.from != Some(t.to)) {
        if let Some(changed) = by_row.get(t.row) {
            *transitions.entry((slug(&changed.message.account), t.to.as_str())).or_default() += 1;
        }
    }
    for ((provider, status), n) in records {
        Metrics::add(&metrics.records, provider, status, n);
    }
    for ((provider, state), n) in transitions {
        Metrics::add(&metrics.transitions, provider, state, n);
    }
}
