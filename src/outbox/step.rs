//! The outbox without threads: one step settles what came back, follows the feed, and hands out what is due. Time is handed in, so tests
//! drive it through days in no time.

use super::lane::Lane;
use super::post::Answer;
use super::target::{Target, names};
use super::tell::Teller;
use super::text::Job;
use super::{BURIED_MAX, DEAD_KEPT, DEAD_MAX, FOLLOW_ENTRIES_MAX, GATHERED_MAX, ground, quiet, schedule};
use crate::domain::feed::FeedId;
use crate::domain::time::{Millis, Span};
use crate::metrics::{Metrics, Part, TargetAnd, TargetOnly};
use crate::store::StoreError;
use crate::store::sqlite::outbox::{Again, DeliveryId, Due, End, Footing, OutboxFile, Tally};

/// Most batches that a receiver follows in one step, so that what is due is not kept waiting.
const FOLLOW_BATCHES_MAX: usize = 8;

/// After how many entries that do not concern a receiver its cursor is kept all the same.
const KEEP_EVERY: u64 = 10_000;

/// How often it is counted what waits.
const TEND_EVERY: Span = Span::seconds(5);

/// The window of the cap of messages.
const HOUR: Span = Span::hours(1);

/// The outbox.
pub struct Outbox {
    file: OutboxFile,
    teller: Teller,
    lanes: Vec<Lane>,
    /// What came back and is not kept yet.
    back: Vec<(Job, Answer)>,
    /// The cursors here may not be those of the file.
    stale: bool,
    tended_at: Option<Millis>,
    pruned_at: Option<Millis>,
    metrics: std::sync::Arc<Metrics>,
}

impl Outbox {
    /// Over an outbox file, for these receivers; a new one begins at the end of the feed.
    ///
    /// # Errors
    /// When a file cannot be read or written.
    pub fn new(
        mut file: OutboxFile,
        teller: Teller,
        targets: Vec<Target>,
        metrics: std::sync::Arc<Metrics>,
        now: Millis,
    ) -> Result<Outbox, StoreError> {
        let last = ground::end(&teller.state)?;
        file.enrol(&targets.iter().map(|t| (t.id(), t.address.as_str())).collect::<Vec<_>>(), last, now)?;
        let lanes = targets.into_iter().map(Lane::new).collect();
        let mut outbox = Outbox { file, teller, lanes, back: Vec::new(), stale: true, tended_at: None, pruned_at: None, metrics };
        outbox.reload()?;
        for n in 0..outbox.lanes.len() {
            outbox.stand(n)?;
            // An alarm looks at how it rises.
            let target = outbox.lanes[n].target.id().to_owned();
            outbox.metrics.outbox_lost.get_or_create(&TargetOnly { target }).inc_by(0);
        }
        outbox.metrics.healthy.get_or_create(&Part { part: "outbox".into() }).set(1);
        Ok(outbox)
    }

    /// Takes back a job with its answer.
    pub fn back(&mut self, job: Job, answer: Answer) {
        self.back.push((job, answer));
    }

    /// How many jobs are out.
    pub fn out(&self) -> usize {
        self.lanes.iter().filter(|lane| !lane.in_flight.is_empty()).count()
    }

    /// Settles what came back, follows the feed, and hands out what is due. What cannot be done now is told in the log and in the
    /// metrics, and is done by a later step: cursors stand meanwhile.
    pub fn step(&mut self, now: Millis) -> Vec<Job> {
        let settled = self.settle(now);
        let followed = self.follow(now).and(self.tend(now));
        let taken = match &settled {
            Ok(()) => self.take(now),
            Err(_) => Ok(Vec::new()),
        };
        let (jobs, taken) = match taken {
            Ok(jobs) => (jobs, Ok(())),
            Err(e) => (Vec::new(), Err(e)),
        };
        self.health(settled.and(followed).and(taken));
        jobs
    }

    fn health(&self, result: Result<(), StoreError>) {
        let healthy = self.metrics.healthy.get_or_create(&Part { part: "outbox".into() });
        match result {
            Ok(()) => drop(healthy.set(1)),
            Err(e) => {
                if healthy.set(0) != 0 {
                    let source = std::error::Error::source(&e).map(ToString::to_string);
                    tracing::error!(error = %e, ?source, "the outbox cannot work just now; nothing is lost, what is to be sent waits");
                }
            }
        }
    }

    /// Reads cursors and standings anew.
    fn reload(&mut self) -> Result<(), StoreError> {
        for standing in self.file.standings()? {
            if let Some(lane) = self.lanes.iter_mut().find(|lane| lane.target.id() == standing.id) {
                (lane.at, lane.kept, lane.disabled) = (standing.at, standing.at.event, standing.disabled_at.is_some());
                lane.waiting = self.file.waiting(lane.target.id())?;
            }
        }
        self.stale = false;
        Ok(())
    }

    /// Sees to it that a receiver stands in the feed that it followed.
    fn stand(&mut self, n: usize) -> Result<(), StoreError> {
        let lane = &mut self.lanes[n];
        let firm = ground::firm(&self.teller.state, &self.file, lane.at)?;
        if firm != lane.at {
            let (receiver, stood, goes_on) = (lane.target.id(), lane.at.event, firm.event);
            tracing::warn!(
                receiver,
                stood,
                goes_on,
                "the feed is not the one that was followed: its end was lost in a power cut, or an older state was put back; it goes on from \
                 the last place that is as it was, and some events may be told twice"
            );
            self.stale = true;
            self.file.go_back(receiver, firm)?;
            self.stale = false;
            (lane.at, lane.kept) = (firm, firm.event);
        }
        Ok(())
    }

    /// Keeps what came back. On an error it stays here, and its deliveries count as on their way.
    fn settle(&mut self, now: Millis) -> Result<(), StoreError> {
        if self.back.is_empty() {
            return Ok(());
        }
        let mut ends: Vec<(DeliveryId, End)> = Vec::new();
        for (job, answer) in &self.back {
            ends.extend(job.ids.iter().map(|id| (*id, end(job, answer, now))));
        }
        self.file.end(&ends, now)?;
        let over = |job: &Job| ends.iter().filter(|(id, end)| job.ids.contains(id) && !matches!(end, End::Later { .. })).count();
        for (job, _) in &self.back {
            if let Some(lane) = self.lanes.get_mut(job.lane) {
                lane.waiting = lane.waiting.saturating_sub(over(job));
            }
        }
        let mut noted = Ok(());
        for (job, answer) in std::mem::take(&mut self.back) {
            let dead = ends.iter().any(|(id, end)| job.ids.first() == Some(id) && matches!(end, End::Dead { .. }));
            let result = self.settled(&job, answer, dead, now);
            noted = noted.and(result);
        }
        noted
    }

    /// Draws the consequences of an answer that is kept.
    fn settled(&mut self, job: &Job, answer: Answer, dead: bool, now: Millis) -> Result<(), StoreError> {
        let Some(lane) = self.lanes.get_mut(job.lane) else { return Ok(()) };
        lane.answered(&answer, now);
        lane.in_flight.retain(|id| !job.ids.contains(id));
        let (id, alert) = (lane.target.id().to_owned(), !lane.target.config.is_subscription());
        let outcome = match &answer {
            Answer::Taken => "delivered",
            Answer::Failed { .. } if dead => "dead",
            Answer::Failed { .. } => "failed",
            Answer::Gone => "gone",
        };
        self.metrics.deliveries.get_or_create(&TargetAnd { target: id.clone(), outcome: outcome.into() }).inc();
        match answer {
            Answer::Taken if alert => self.file.note_told(&id, now, HOUR),
            Answer::Taken => Ok(()),
            Answer::Gone => {
                tracing::warn!(receiver = id, "it answered 410 Gone and is switched off; replaying one of its dead letters switches it on");
                lane.waiting = 0;
                self.file.disable(&id, GONE, now)
            }
            Answer::Failed { error, .. } => {
                tracing::warn!(receiver = id, attempts = job.attempts + 1, error, "not delivered");
                Ok(())
            }
        }
    }

    /// Puts in what the feed has for each receiver.
    fn follow(&mut self, now: Millis) -> Result<(), StoreError> {
        if self.stale {
            self.reload()?;
        }
        self.teller.usable()?;
        let last = self.teller.state.feed_last()?;
        for n in 0..self.lanes.len() {
            if self.lanes[n].at.event > last {
                self.stand(n)?;
            }
            for _ in 0..FOLLOW_BATCHES_MAX {
                if self.lanes[n].at.event >= last || !self.follow_once(n, last, now)? {
                    break;
                }
            }
        }
        Ok(())
    }

    /// One batch for one receiver; whether there may be more.
    fn follow_once(&mut self, n: usize, last: FeedId, now: Millis) -> Result<bool, StoreError> {
        let lane = &mut self.lanes[n];
        if lane.full(1) {
            return Ok(false);
        }
        let entries = self.teller.state.feed_after(lane.at.event, FOLLOW_ENTRIES_MAX)?;
        let at = match entries.last() {
            Some((id, entry)) => Footing { event: *id, mark: Some(ground::mark(entry)?) },
            None => Footing { event: last, mark: None },
        };
        let mut new = Vec::new();
        if !lane.disabled {
            for (id, entry) in &entries {
                new.extend(self.teller.tell(&lane.target, *id, entry)?);
            }
        }
        if !new.is_empty() && lane.full(new.len()) {
            return Ok(false);
        }
        // Numbers have no gap, so what is not there any more was taken by retention.
        let next = entries.first().map_or(last + 1, |(id, _)| *id);
        let lost = if lane.disabled { 0 } else { next.saturating_sub(lane.at.event + 1) };
        if !new.is_empty() || lost > 0 || at.event.saturating_sub(lane.kept) >= KEEP_EVERY {
            // What became of a failed commit is known only by reading it again.
            self.stale = true;
            self.file.put(lane.target.id(), &new, at, now)?;
            self.stale = false;
            lane.kept = at.event;
            lane.waiting += new.len();
        }
        lane.at = at;
        if lost > 0 {
            let receiver = lane.target.id();
            tracing::warn!(receiver, lost, "it stood so long that retention took entries of the feed which it had not been told of");
            self.metrics.outbox_lost.get_or_create(&TargetOnly { target: receiver.to_owned() }).inc_by(lost);
        }
        Ok(true)
    }

    /// Hands out what is due, as much as there is room for.
    fn take(&mut self, now: Millis) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        let lanes = self.lanes.len();
        for n in 0..lanes {
            let room = self.lanes[n].room(lanes, now);
            if room == 0 {
                continue;
            }
            let before = jobs.len();
            if self.lanes[n].target.config.is_subscription() {
                let lane = &self.lanes[n];
                let due = self.file.due(lane.target.id(), now, room + lane.in_flight.len())?;
                let due = due.into_iter().filter(|d| !lane.in_flight.contains(&d.id)).take(room);
                jobs.extend(due.map(|d| Job::single(n, &lane.target, d, now)));
            } else {
                jobs.extend(self.take_alert(n, now)?);
            }
            let taken: Vec<DeliveryId> = jobs[before..].iter().flat_map(|job: &Job| job.ids.iter().copied()).collect();
            self.lanes[n].in_flight.extend(taken);
        }
        Ok(jobs)
    }

    /// The next message of an alert, if it may go out now. What may not is kept back, and goes out with the others in one message.
    fn take_alert(&mut self, n: usize, now: Millis) -> Result<Option<Job>, StoreError> {
        let target = &self.lanes[n].target;
        let Some(manners) = &target.config.manners else { return Ok(None) };
        let mut due = self.file.due(target.id(), now, GATHERED_MAX)?;
        let urgent = |d: &Due| !manners.urgent.is_empty() && names(&manners.urgent, &d.name);
        let quiet = manners.quiet.as_ref().and_then(|quiet| quiet::ends(quiet, now));
        if let Some(until) = quiet {
            let quiet: Vec<DeliveryId> = due.iter().filter(|d| !urgent(d)).map(|d| d.id).collect();
            due.retain(urgent);
            if !quiet.is_empty() {
                self.file.hold(&quiet, until)?;
            }
        }
        if due.is_empty() {
            return Ok(None);
        }
        let (told, first) = self.file.told_between(target.id(), now.minus(HOUR), now)?;
        if told >= manners.per_hour_max {
            let ids: Vec<DeliveryId> = due.iter().map(|d| d.id).collect();
            self.file.hold(&ids, first.unwrap_or(now).plus(HOUR))?;
            return Ok(None);
        }
        // A chat is read from top to bottom, so nothing passes what waits there for another attempt: it goes out with it.
        let newest = due.iter().map(|d| d.id).max().unwrap_or_default();
        let mut all = self.file.before(target.id(), newest, GATHERED_MAX)?;
        all.retain(|d| (quiet.is_none() || urgent(d)) && !due.contains(d));
        all.append(&mut due);
        all.sort_by_key(|d| d.id);
        all.truncate(GATHERED_MAX);
        match all.iter().any(|d| d.held || d.attempts > 0) {
            true => Ok(Job::gathered(n, target, &all, now)),
            false => Ok(all.into_iter().next().map(|d| Job::single(n, target, d, now))),
        }
    }

    /// Sends dead letters again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn replay(&mut self, again: &Again, now: Millis) -> Result<usize, StoreError> {
        let done = self.file.replay(again, now)?;
        if done > 0 {
            let standings = self.file.standings()?;
            for lane in &mut self.lanes {
                let standing = standings.iter().find(|s| s.id == lane.target.id());
                lane.refresh(standing.is_some_and(|s| s.disabled_at.is_some()));
                lane.waiting = self.file.waiting(lane.target.id())?;
            }
        }
        Ok(done)
    }

    /// Gives up what has waited too long for a receiver that takes nothing. What is on its way is let come back first.
    fn bury(&mut self, now: Millis) -> Result<(), StoreError> {
        for lane in self.lanes.iter_mut().filter(|lane| lane.failing() && lane.in_flight.is_empty()) {
            let id = lane.target.id().to_owned();
            let buried = self.file.bury(&id, now.minus(schedule::WAITS_MAX), TOO_LONG, BURIED_MAX, now)?;
            if buried > 0 {
                tracing::warn!(receiver = id, buried, "given up what it has not taken for more than three days; it can be replayed");
                self.metrics.deliveries.get_or_create(&TargetAnd { target: id, outcome: "dead".into() }).inc_by(buried as u64);
            }
        }
        Ok(())
    }

    /// Counts what waits, and lets old dead letters go.
    fn tend(&mut self, now: Millis) -> Result<(), StoreError> {
        if self.tended_at.is_some_and(|at| now >= at && now < at.plus(TEND_EVERY)) {
            return Ok(());
        }
        self.tended_at = Some(now);
        self.file.mend(now, now.plus(schedule::AHEAD_MAX))?;
        self.bury(now)?;
        if self.pruned_at.is_none_or(|at| now < at || now >= at.plus(HOUR)) {
            self.file.prune(now.minus(DEAD_KEPT), DEAD_MAX)?;
            self.pruned_at = Some(now);
        }
        let tallies = self.file.tallies()?;
        let none = Tally::default();
        for lane in &mut self.lanes {
            let label = TargetOnly { target: lane.target.id().to_owned() };
            let tally = tallies.iter().find(|t| t.target == label.target).unwrap_or(&none);
            lane.waiting = tally.waiting as usize;
            let age = tally.oldest_at.map_or(0, |at| now.0.saturating_sub(at.0).max(0));
            self.metrics.outbox_waiting.get_or_create(&label).set(tally.waiting as i64);
            self.metrics.outbox_dead.get_or_create(&label).set(tally.dead as i64);
            self.metrics.outbox_oldest_seconds.get_or_create(&label).set(age as f64 / 1_000.0);
            self.metrics.outbox_disabled.get_or_create(&label).set(i64::from(lane.disabled));
        }
        Ok(())
    }

    /// Keeps what came back and every cursor, before the end.
    pub fn finish(&mut self, now: Millis) {
        let mut finish = || {
            self.settle(now)?;
            for lane in self.lanes.iter().filter(|lane| lane.at.event != lane.kept && !self.stale) {
                self.file.put(lane.target.id(), &[], lane.at, now)?;
            }
            self.file.checkpoint()
        };
        if let Err(e) = finish() {
            tracing::warn!(error = %e, "the outbox ends without having tidied up; the next start goes on from where it stands");
        }
    }
}

const GONE: &str = "it answered 410 Gone";

/// Of what is given up without a last attempt; how the receiver answered stands behind it.
const TOO_LONG: &str = "not taken for more than three days";

/// What an answer means for a delivery.
fn end(job: &Job, answer: &Answer, now: Millis) -> End {
    match answer {
        Answer::Taken => End::Delivered,
        Answer::Gone => End::Dead { error: GONE.into() },
        Answer::Failed { error, asked } => {
            let first = job.ids.first().copied().unwrap_or_default();
            match schedule::next(job.attempts + 1, first, now, *asked) {
                Some(due_at) => End::Later { due_at, error: error.clone() },
                None => End::Dead { error: error.clone() },
            }
        }
    }
}
