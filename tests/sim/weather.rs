//! A run in bad weather: the seed says what happens, in which order, what fails, when the process dies and where the clock stands. Then
//! the sky clears, everything comes to rest, and the promises are looked at.

use baophat::clock::Clock;
use baophat::config::Retention;
use baophat::domain::record::Status;
use baophat::domain::time::Span;
use baophat::ingest::ReprocessWhat;
use baophat::store::RecordReader;
use baophat::store::faulty::{Call, Fault, Moment, Plan, Planned};
use baophat::store::memory::Memory;

use crate::acts::Act;
use crate::checks::{Shown, counted_once, everything, listed, pure_fold, same};
use crate::dice::Dice;
use crate::run::Run;
use crate::stories::stories;
use crate::world::{Files, Setting, World};

/// One run of so many is over real files.
const FILES_EVERY: u64 = 40;

/// What happened, over all runs.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    runs: u64,
    over_files: u64,
    acts: u64,
    records: u64,
    faults_before: u64,
    faults_after: u64,
    deaths_in_a_call: u64,
    kills: u64,
    power_cuts: u64,
    jumps: u64,
    pruned: u64,
    other_orders: u64,
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Tally) {
        for (mine, theirs) in self.all().into_iter().zip(other.clone().all()) {
            *mine += *theirs;
        }
    }

    fn all(&mut self) -> [&mut u64; 12] {
        [
            &mut self.runs,
            &mut self.over_files,
            &mut self.acts,
            &mut self.records,
            &mut self.faults_before,
            &mut self.faults_after,
            &mut self.deaths_in_a_call,
            &mut self.kills,
            &mut self.power_cuts,
            &mut self.jumps,
            &mut self.pruned,
            &mut self.other_orders,
        ]
    }

    /// Nothing stayed away for all seeds.
    pub fn everything_happened(&self) -> bool {
        self.clone().all().into_iter().all(|n| *n > 0)
    }
}

/// Runs one seed.
pub fn simulate(setting: &Setting, seed: u64) -> Result<Tally, String> {
    let mut dice = Dice::new(seed);
    let acts = stories(&mut dice);
    let identities: Vec<_> = acts.iter().map(|a| setting.identity(a)).collect();
    let first = |i: usize| identities[i].and_then(|id| identities.iter().position(|other| *other == Some(id))).unwrap_or(i);
    let same_as: Vec<usize> = (0..acts.len()).map(first).collect();
    let mut tally = Tally { runs: 1, acts: acts.len() as u64, ..Tally::default() };
    let scene = Scene { setting, acts: &acts, same_as: &same_as, prune: dice.percent(15), by_clock: dice.percent(30) };
    let one = if seed % FILES_EVERY == FILES_EVERY - 1 {
        tally.over_files = 1;
        scene.play(Files::new(), &mut dice, &mut tally)?
    } else {
        scene.play(Memory::default(), &mut dice, &mut tally)?
    };
    if !scene.by_clock && !scene.prune {
        let other = scene.play(Memory::default(), &mut dice, &mut tally)?;
        tally.other_orders += 1;
        same("in another order", &one, &other).map_err(|why| format!("{why}\nwhat happened, in its first order: {acts:#?}"))?;
    }
    Ok(tally)
}

struct Scene<'a> {
    setting: &'a Setting,
    acts: &'a [Act],
    same_as: &'a [usize],
    prune: bool,
    by_clock: bool,
}

impl Scene<'_> {
    /// Everything happens once, in an order of its own; what a reader sees at the end.
    fn play<W: World>(&self, world: W, dice: &mut Dice, tally: &mut Tally) -> Result<Vec<Shown>, String> {
        let retention =
            if self.prune { Retention { callbacks: Span::minutes(20), messages: Span::days(400) } } else { self.setting.retention.clone() };
        let mut run = Run::new(self.setting, world, self.acts, self.same_as, retention);
        run.arrive_by_clock = self.by_clock || self.prune;
        run.todo = order(self.acts.len(), dice).into();
        let result = self.storm(&mut run, dice, tally).and_then(|()| self.judge(&mut run, dice));
        tally.records += run.records.len() as u64;
        for fault in run.faults.happened() {
            tally.faults_before += u64::from(fault.moment == Moment::Before);
            tally.faults_after += u64::from(fault.moment == Moment::After);
            tally.deaths_in_a_call += u64::from(fault.fault == Fault::Death);
        }
        result.map_err(|why| format!("{why}\n\nwhat happened:\n{}\nfaults: {:#?}", run.trace.join("\n"), run.faults.happened()))
    }

    fn storm<W: World>(&self, run: &mut Run<'_, W>, dice: &mut Dice, tally: &mut Tally) -> Result<(), String> {
        let steps = 40 + dice.below(120);
        for _ in 0..steps {
            let step = dice.below(100);
            match step {
                0..30 => {
                    for _ in 0..1 + dice.below(4) {
                        // Mostly the next one; sometimes a provider repeats itself.
                        let act = if dice.percent(20) { run.owed.keys().copied().nth(dice.below(run.owed.len())) } else { run.next_act() };
                        let Some(act) = act else { continue };
                        run.trace.push(format!("send act {act}: {:?}", run.acts[act]));
                        run.submit(act);
                    }
                }
                30..52 => {
                    run.trace.push("write".into());
                    run.write()?;
                }
                52..76 => {
                    run.trace.push("fold".into());
                    run.fold()?;
                }
                76..80 => {
                    run.trace.push("tick".into());
                    run.tick();
                }
                80..86 => {
                    let by = [Span::hours(1), Span(-3_600_000), Span::seconds(7), Span::seconds(40)][dice.below(4)];
                    run.trace.push(format!("clock {by:?}"));
                    run.clock.set(run.clock.now().plus(by));
                    tally.jumps += 1;
                }
                86..94 => self.weather(run, dice),
                94..96 => {
                    run.trace.push("kill".into());
                    run.kill();
                    tally.kills += 1;
                }
                96 => self.reprocess(run, dice),
                97 => {
                    run.trace.push("power cut".into());
                    run.cut_power();
                    tally.power_cuts += 1;
                }
                _ => run.world.sync_state(),
            }
        }
        let (reader, _) = run.eyes();
        let kept = reader.after(0, 10_000).unwrap().len();
        tally.pruned += (run.records.len() - kept) as u64;
        Ok(())
    }

    fn reprocess<W: World>(&self, run: &mut Run<'_, W>, dice: &mut Dice) {
        let what = match dice.below(4) {
            0 => ReprocessWhat::All(Status::Processed),
            1 => ReprocessWhat::All(Status::Ignored),
            2 => ReprocessWhat::All(Status::Error),
            _ => ReprocessWhat::One(1 + dice.below(run.records.len()) as u64),
        };
        run.trace.push(format!("process again {what:?}"));
        run.reprocess(what);
    }

    fn weather<W: World>(&self, run: &Run<'_, W>, dice: &mut Dice) {
        let seed = dice.next();
        let disk = Fault::OF_A_DISK.to_vec();
        let plan = match dice.below(6) {
            0 | 1 => Plan::Nothing,
            2 => Plan::Rate { seed, per_mille: 10, writes_only: false, faults: disk },
            3 => Plan::Rate { seed, per_mille: 400, writes_only: true, faults: disk },
            4 => Plan::Calls(
                [Planned {
                    call: [None, Some(Call::Append), Some(Call::Commit), Some(Call::PruneState)][dice.below(4)],
                    n: dice.below(6) as u64,
                    moment: if dice.percent(50) { Moment::Before } else { Moment::After },
                    fault: Fault::Death,
                }]
                .into(),
            ),
            _ => Plan::Rate { seed, per_mille: 1_000, writes_only: true, faults: vec![Fault::Full] },
        };
        run.faults.plan(plan);
    }

    /// The sky clears.
    fn judge<W: World>(&self, run: &mut Run<'_, W>, dice: &mut Dice) -> Result<Vec<Shown>, String> {
        if dice.percent(50) {
            run.kill();
        }
        run.trace.push("rest".into());
        run.rest()?;
        if !self.prune {
            counted_once(self.setting, run)?;
        }
        pure_fold(self.setting, run, !self.prune)?;
        let rules = &self.setting.rules;
        let before = everything(run.eyes().1, rules)?;
        run.fold_again()?;
        same("folded again", &before, &everything(run.eyes().1, rules)?)?;
        listed(run.eyes().1, rules)
    }
}

/// The order in which acts are tried: the told one, disturbed here and there, or none at all.
fn order(n: usize, dice: &mut Dice) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    match dice.below(3) {
        0 => {}
        1 => {
            for _ in 0..n / 3 {
                // Late by some places.
                let from = dice.below(n);
                let act = order.remove(from);
                order.insert((from + dice.below(8)).min(n - 1), act);
            }
        }
        _ => dice.shuffle(&mut order),
    }
    order
}
