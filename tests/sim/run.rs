//! One store that things happen to, step by step in one thread: senders and providers submit, the writer writes, the projector folds,
//! the process dies and starts again. After each step it is looked at with honest eyes, past the faults.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use baophat::clock::{Clock, HandClock};
use baophat::config::Retention;
use baophat::domain::ids::{Row, Seq};
use baophat::domain::projection::Change;
use baophat::domain::record::{Content, Record};
use baophat::domain::time::{Millis, Span};
use baophat::ingest::{Inbox, Parts, Projected, Projector, ProjectorHandle, SubmitError, Writer};
use baophat::store::faulty::{Faults, Faulty, Plan};
use baophat::store::{Receipt, RecordReader, StateWriter};
use tokio::sync::oneshot;

use crate::acts::{Act, START};
use crate::checks::{Standing, ensure, standing};
use crate::world::{Setting, World};

/// The moment at which every run is looked at: after every deadline.
pub const END: Millis = Millis(START + 20 * 86_400_000);

/// How many submissions may wait; small, so that the inbox is full at times.
const INBOX_RECORDS_MAX: usize = 6;

/// How many rounds a run may take to come to rest.
const ROUNDS_MAX: usize = 2_000;

type Answer = (Receipt, Option<oneshot::Receiver<Projected>>);
type Waiting = Pin<Box<dyn Future<Output = Result<Answer, SubmitError>>>>;

/// A process.
struct Process<W: World> {
    inbox: Inbox,
    writer: Writer<Faulty<W::Writer>>,
    projector: Projector<Faulty<W::Reader>, Faulty<W::State>>,
    handle: ProjectorHandle,
    pending: Vec<(usize, Waiting)>,
    told: Vec<(usize, oneshot::Receiver<Projected>)>,
    again: Vec<oneshot::Receiver<usize>>,
}

/// What is owed to whoever sent something.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owed {
    /// Answered with a receipt.
    pub acknowledged: u64,
    /// Answered with an error of the disk, or not at all.
    pub unknown: u64,
}

/// A store, its process, and everything that was promised.
pub struct Run<'a, W: World> {
    setting: &'a Setting,
    pub world: W,
    pub acts: &'a [Act],
    /// The act that stands for each: acts of one identity are one callback.
    pub same_as: &'a [usize],
    pub clock: HandClock,
    pub faults: Faults,
    /// Arrival is when the clock says so, else it belongs to the act.
    pub arrive_by_clock: bool,
    pub retention: Retention,
    process: Process<W>,
    eyes: (W::Reader, W::State),
    /// Every record that ever was, pruned or not.
    pub records: Vec<Record>,
    pub owed: BTreeMap<usize, Owed>,
    pub todo: VecDeque<usize>,
    /// The writer is to keep house with its next step, and may delete what it just acknowledged as a repeat.
    ticked: bool,
    cursor: Seq,
    standings: BTreeMap<Row, Standing>,
    pub trace: Vec<String>,
}

impl<'a, W: World> Run<'a, W> {
    /// A new store, and a process that has started.
    pub fn new(setting: &'a Setting, world: W, acts: &'a [Act], same_as: &'a [usize], retention: Retention) -> Run<'a, W> {
        let (clock, faults) = (HandClock::new(Millis(START)), Faults::default());
        let process = start(setting, &world, &clock, &faults, &retention);
        let eyes = (world.reader(), world.look());
        Run {
            setting,
            world,
            acts,
            same_as,
            clock,
            faults,
            arrive_by_clock: false,
            retention,
            process,
            eyes,
            records: Vec::new(),
            owed: BTreeMap::new(),
            todo: VecDeque::new(),
            ticked: false,
            cursor: 0,
            standings: BTreeMap::new(),
            trace: Vec::new(),
        }
    }

    /// What an act speaks of is registered, so it can happen.
    fn possible(&self, act: usize) -> bool {
        self.acts[act].needs().is_none_or(|name| {
            (0..self.acts.len()).any(|i| self.acts[i].registers() == Some(name) && self.owed.get(&i).is_some_and(|o| o.acknowledged > 0))
        })
    }

    /// Takes the next act that can happen.
    pub fn next_act(&mut self) -> Option<usize> {
        let i = (0..self.todo.len()).find(|i| self.possible(self.todo[*i]))?;
        self.todo.remove(i)
    }

    /// Somebody sends an act.
    pub fn submit(&mut self, act: usize) {
        let at = if self.arrive_by_clock { self.clock.now() } else { Millis(START + 500 + 137 * self.same_as[act] as i64) };
        let (account, provider) = self.setting.account(self.acts[act].account());
        let inbox = self.process.inbox.clone();
        let mut waiting: Waiting = match self.acts[act].content(at) {
            Content::Callback(callback) => {
                let verified = self.setting.verified(callback);
                Box::pin(async move { inbox.callback(provider, verified).await.map(|receipt| (receipt, None)) })
            }
            own => Box::pin(async move { inbox.own(provider, account, at, own).await.map(|s| (s.receipt, Some(s.projected))) }),
        };
        // The first look puts it into the queue.
        match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => self.process.pending.push((act, waiting)),
            Poll::Ready(result) => {
                // Refused at the door: nothing was taken.
                assert!(matches!(result, Err(SubmitError::Full)), "answered before anything was written");
                self.todo.push_back(act);
            }
        }
    }

    /// The writer takes its step, and whoever waited reads the answer.
    pub fn write(&mut self) -> Result<(), String> {
        self.process.writer.step();
        self.look_at_records()?;
        let mut still = Vec::new();
        for (act, mut waiting) in std::mem::take(&mut self.process.pending) {
            match waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => still.push((act, waiting)),
                Poll::Ready(Ok((receipt, told))) => {
                    self.process.told.extend(told.map(|t| (act, t)));
                    self.acknowledged(act, receipt)?;
                }
                Poll::Ready(Err(_)) => {
                    self.owed.entry(self.same_as[act]).or_default().unknown += 1;
                    self.todo.push_back(act);
                }
            }
        }
        self.process.pending = still;
        self.ticked = false;
        self.after()
    }

    /// A receipt came: the record stands where it says.
    fn acknowledged(&mut self, act: usize, receipt: Receipt) -> Result<(), String> {
        let known = self.records.get((receipt.seq as usize).wrapping_sub(1));
        let Some(record) = known else {
            return Err(format!("act {act} was acknowledged at {}, and there is no such record", receipt.seq));
        };
        let same = match (&record.content, self.setting.identity(&self.acts[act])) {
            (Content::Callback(stored), Some(identity)) => self.setting.verified(stored.clone()).into_inner().1 == identity,
            (own, _) => *own == self.acts[act].content(Millis(0)),
        };
        let there = self.ticked || self.eyes.0.get(receipt.seq).unwrap().is_some();
        ensure(there, || format!("act {act} was acknowledged at {}, and that record was deleted", receipt.seq))?;
        ensure(same, || format!("act {act} was acknowledged at {}, where another record stands", receipt.seq))?;
        self.owed.entry(self.same_as[act]).or_default().acknowledged += 1;
        Ok(())
    }

    /// The projector takes its step; whether there may be more.
    pub fn fold(&mut self) -> Result<bool, String> {
        self.process.projector.hear();
        let worked = self.process.projector.step();
        self.look_at_state()?;
        self.after()?;
        Ok(worked.unwrap_or(true))
    }

    /// Callbacks are to be processed again.
    pub fn reprocess(&mut self, what: baophat::ingest::ReprocessWhat) {
        self.process.again.push(self.process.handle.reprocess(what));
    }

    /// The writer is told to keep house.
    pub fn tick(&mut self) {
        self.ticked = true;
        self.process.inbox.tick(self.clock.now());
    }

    /// The process dies. Who waited hears nothing, and sends again.
    pub fn kill(&mut self) {
        for (act, _) in std::mem::take(&mut self.process.pending) {
            self.owed.entry(self.same_as[act]).or_default().unknown += 1;
            self.todo.push_back(act);
        }
        self.faults.revive();
        self.faults.plan(Plan::Nothing);
        self.process = start(self.setting, &self.world, &self.clock, &self.faults, &self.retention);
    }

    /// The power goes: the state may be what it was earlier.
    pub fn cut_power(&mut self) {
        if self.world.cut_power() {
            self.cursor = 0;
            self.standings.clear();
        }
        self.kill();
    }

    fn after(&mut self) -> Result<(), String> {
        ensure(self.faults.breaches().is_empty(), || format!("{:?}", self.faults.breaches()))?;
        if self.faults.dead() {
            self.trace.push("  … and died of it".into());
            self.kill();
        }
        Ok(())
    }

    fn look_at_records(&mut self) -> Result<(), String> {
        let new = self.eyes.0.after(self.records.len() as Seq, usize::MAX >> 1).unwrap();
        for record in new {
            let place = self.records.len() as Seq + 1;
            ensure(record.seq == place, || format!("the record after {} has position {}", place - 1, record.seq))?;
            self.records.push(record);
        }
        ensure(self.eyes.0.last_seq().unwrap() == self.records.len() as Seq, || "positions fell back".into())
    }

    /// The cursor and the states of messages only go forward.
    fn look_at_state(&mut self) -> Result<(), String> {
        self.eyes.1.learn_accounts(self.eyes.0.accounts().unwrap());
        let (kept, told) = (self.eyes.1.cursor().unwrap(), self.process.handle.cursor());
        ensure(kept >= self.cursor, || format!("the cursor went back from {} to {kept}", self.cursor))?;
        ensure(told <= kept, || format!("the cursor is said to be {told}, and {kept} is kept"))?;
        ensure(kept <= self.records.len() as Seq, || format!("the cursor {kept} is beyond the last record"))?;
        self.cursor = kept;
        let standings = standing(&self.eyes.1, &self.setting.rules)?;
        for (row, before) in &self.standings {
            match standings.get(row) {
                Some(now) => now.follows(before).map_err(|why| format!("message {row}: {why}"))?,
                None => return Err(format!("message {row} is gone")),
            }
        }
        self.standings = standings;
        Ok(())
    }

    /// Lets everything come to rest without further faults: every act is acknowledged and folded, every deadline looked at.
    pub fn rest(&mut self) -> Result<(), String> {
        self.faults.plan(Plan::Nothing);
        for round in 0.. {
            ensure(round < ROUNDS_MAX, || format!("it does not come to rest; to do: {:?}", self.todo))?;
            for _ in 0..INBOX_RECORDS_MAX {
                if let Some(act) = self.next_act() {
                    self.submit(act);
                }
            }
            if self.process.pending.is_empty() && self.todo.is_empty() {
                break;
            }
            self.write()?;
        }
        let forgotten = (0..self.acts.len()).find(|act| self.owed.get(&self.same_as[*act]).is_none_or(|owed| owed.acknowledged == 0));
        ensure(forgotten.is_none(), || format!("act {forgotten:?} was never acknowledged"))?;
        self.clock.set(END);
        self.fold_all()?;
        ensure(self.cursor == self.records.len() as Seq, || format!("folded up to {} of {}", self.cursor, self.records.len()))?;
        for (act, told) in &mut self.process.told {
            ensure(told.try_recv().is_ok(), || format!("whoever sent act {act} was never told what became of it"))?;
        }
        let again = self.process.again.iter_mut().all(|told| told.try_recv().is_ok());
        ensure(again, || "whoever asked to process again was never told".into())
    }

    /// Folds every kept record once more on top of what is there.
    pub fn fold_again(&mut self) -> Result<(), String> {
        self.world.state().commit(&Change::default(), &[], Some(0)).unwrap();
        self.cursor = 0;
        self.kill();
        self.process.told.clear();
        self.fold_all()
    }

    fn fold_all(&mut self) -> Result<(), String> {
        for _ in 0..ROUNDS_MAX {
            if !self.fold()? {
                return Ok(());
            }
        }
        Err(format!("the projector does not come to rest: {:?}", self.process.projector.step()))
    }

    /// The honest eyes: records and state.
    pub fn eyes(&self) -> (&W::Reader, &W::State) {
        (&self.eyes.0, &self.eyes.1)
    }
}

fn start<W: World>(setting: &Setting, world: &W, clock: &HandClock, faults: &Faults, retention: &Retention) -> Process<W> {
    let (projector, handle) = Projector::new(Parts {
        inbox: Faulty::new(world.reader(), faults),
        state: Faulty::new(world.state(), faults),
        rules: setting.rules.clone(),
        clock: Arc::new(clock.clone()),
        health: Arc::default(),
        metrics: setting.metrics.clone(),
        retention: retention.clone(),
        sweep_every: Span::seconds(1),
    })
    .unwrap();
    let store = Faulty::new(world.writer(), faults);
    let (writer, inbox) =
        Writer::new(store, handle.clone(), Arc::default(), setting.metrics.clone(), INBOX_RECORDS_MAX, retention.callbacks);
    Process { inbox, writer, projector, handle, pending: Vec::new(), told: Vec::new(), again: Vec::new() }
}
