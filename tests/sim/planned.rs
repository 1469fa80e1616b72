//! One scenario in which each call of the store fails once, before its effect and after it: by the disk, or because the process dies. The
//! end is always that of the run in which nothing failed.

use baophat::domain::record::Status;
use baophat::ingest::ReprocessWhat;
use baophat::store::faulty::{Call, Fault, Moment, Plan, Planned};
use baophat::store::memory::Memory;

use crate::acts::Act;
use crate::checks::{Shown, counted_once, ensure, listed, pure_fold, same};
use crate::dice::Dice;
use crate::run::{END, Run};
use crate::stories::stories;
use crate::world::Setting;

/// How many acts the scenario has.
const ACTS: usize = 14;

struct Scenario {
    setting: Setting,
    acts: Vec<Act>,
    same_as: Vec<usize>,
}

/// How a carrying out ended.
struct Ended {
    shown: Vec<Shown>,
    calls: u64,
    failed: Vec<Call>,
}

impl Scenario {
    fn new() -> Scenario {
        let mut acts = stories(&mut Dice::new(12));
        acts.truncate(ACTS);
        let registered: Vec<_> = acts.iter().filter_map(Act::registers).collect();
        acts.retain(|act| act.needs().is_none_or(|name| registered.contains(&name)));
        let same_as = (0..acts.len()).collect();
        Scenario { setting: Setting::new(), acts, same_as }
    }

    /// Sends three at a time, repeats the first, keeps house, folds; half-way every deadline has passed and everything is processed again.
    fn carry_out(&self, plan: Plan) -> Result<Ended, String> {
        let mut run = Run::new(&self.setting, Memory::default(), &self.acts, &self.same_as, self.setting.retention.clone());
        run.faults.plan(plan);
        let before = run.faults.calls();
        run.todo = (0..self.acts.len()).collect();
        for round in 0..12 {
            for _ in 0..3 {
                if let Some(act) = run.next_act() {
                    run.submit(act);
                }
            }
            if round == 4 {
                run.submit(0);
            }
            run.tick();
            run.write()?;
            run.fold()?;
            if round == 6 {
                run.clock.set(END);
                run.reprocess(ReprocessWhat::All(Status::Processed));
            }
        }
        let (calls, happened) = (run.faults.calls() - before, run.faults.happened());
        run.rest()?;
        counted_once(&self.setting, &run)?;
        pure_fold(&self.setting, &run, true)?;
        let shown = listed(run.eyes().1, &self.setting.rules)?;
        Ok(Ended { shown, calls, failed: happened.iter().map(|h| h.call).collect() })
    }

    /// Carries it out while these calls fail; those that did.
    fn fail(&self, fair: &Ended, planned: &[Planned]) -> Vec<Call> {
        let ended = self.carry_out(Plan::Calls(planned.iter().copied().collect())).and_then(|ended| {
            same("nothing failed / this failed", &fair.shown, &ended.shown)?;
            ensure(ended.failed.len() == planned.len(), || format!("only these failed: {:?}", ended.failed))?;
            Ok(ended.failed)
        });
        ended.unwrap_or_else(|why| panic!("of {} calls, these fail: {planned:?}: {why}", fair.calls))
    }

    /// Fails each call once in this way.
    fn fail_each(&self, fault: impl Fn(u64) -> Fault) {
        let fair = self.carry_out(Plan::Nothing).unwrap();
        let mut failed = Vec::new();
        for n in 0..fair.calls {
            for moment in [Moment::Before, Moment::After] {
                if moment == Moment::After && !failed.last().is_some_and(|call: &Call| call.writes()) {
                    continue;
                }
                let (call, fault) = (None, fault(n));
                failed.extend(self.fail(&fair, &[Planned { call, n, moment, fault }]));
            }
        }
        for call in
            [Call::Append, Call::PruneRecords, Call::TendRepeats, Call::Commit, Call::PruneState, Call::After, Call::Rows, Call::Get]
        {
            assert!(failed.contains(&call), "{call:?} never failed");
        }
    }
}

#[test]
fn a_disk_that_fails_at_any_one_call_changes_nothing_in_the_end() {
    Scenario::new().fail_each(|n| Fault::OF_A_DISK[n as usize % Fault::OF_A_DISK.len()]);
}

#[test]
fn a_process_that_dies_at_any_one_call_loses_nothing_it_acknowledged() {
    Scenario::new().fail_each(|_| Fault::Death);
}

#[test]
fn whatever_fails_next_after_a_failed_append_or_commit_changes_nothing_in_the_end() {
    let scenario = Scenario::new();
    let fair = scenario.carry_out(Plan::Nothing).unwrap();
    let mut second = Vec::new();
    for first in [Call::Append, Call::Commit] {
        for moment in [Moment::Before, Moment::After] {
            for (next, after) in (0..24).flat_map(|n| [(n, Moment::Before), (n, Moment::After)]) {
                for (one, other) in [(Fault::Engine, Fault::Full), (Fault::Full, Fault::Death)] {
                    let first = Planned { call: Some(first), n: 1, moment, fault: one };
                    let failed = scenario.fail(&fair, &[first, Planned { call: None, n: next, moment: after, fault: other }]);
                    second.push(failed[1]);
                }
            }
        }
    }
    assert!(second.contains(&Call::Recover) && second.contains(&Call::Append) && second.contains(&Call::Commit), "{second:?}");
}
