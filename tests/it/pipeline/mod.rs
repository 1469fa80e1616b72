//! The whole pipeline without HTTP: whatever happened ends in the same messages, in any order, in any batches, with repeats, and
//! with the program started anew at any point; processing everything again changes nothing, nor does building the state again from the inbox.

mod acts;
mod run;

use proptest::prelude::*;
use proptest::test_runner::Config;
use serde_json::Value;

use acts::{Act, acts};
use run::{Plan, Run};

/// Puts acts into another order, as far as they can happen in it: what is said of a registered message comes behind its registration,
/// because the API names it by the id that the registration gave out.
fn reordered(acts: &[Act], keys: &[u32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..acts.len()).collect();
    order.sort_by_key(|i| keys.get(*i).copied().unwrap_or_default());
    let mut possible = Vec::with_capacity(order.len());
    for i in order {
        if let Some(name) = acts[i].needs() {
            let first = (0..acts.len()).find(|j| acts[*j].registers() == Some(name));
            let Some(first) = first else { continue };
            if !possible.contains(&first) {
                possible.push(first);
            }
        }
        if !possible.contains(&i) {
            possible.push(i);
        }
    }
    possible
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_order_with_repeats_and_restarts_ends_in_the_same_messages(
        acts in acts(),
        keys in prop::collection::vec(any::<u32>(), 40),
        plans in prop::array::uniform2(Plan::any()),
    ) {
        let told: Vec<u32> = (0..40).collect();
        let first = Run::new().go(&acts, &reordered(&acts, &told), &plans[0]);
        let mut second = Run::new();
        let other = second.go(&acts, &reordered(&acts, &keys), &plans[1]);
        prop_assert!(first == other, "{}", difference(&first, &other));
        let again = second.processed_again();
        prop_assert!(other == again, "processed again: {}", difference(&other, &again));
        let rebuilt = second.built_again();
        prop_assert!(other == rebuilt, "built again: {}", difference(&other, &rebuilt));
    }
}

/// The messages that stand on one side only.
fn difference(left: &[Value], right: &[Value]) -> String {
    let only = |these: &[Value], those: &[Value]| -> Vec<String> {
        these.iter().filter(|m| !those.contains(m)).map(|m| serde_json::to_string(m).unwrap_or_default()).collect()
    };
    format!("only here:\n{}\nonly there:\n{}", only(left, right).join("\n"), only(right, left).join("\n"))
}
