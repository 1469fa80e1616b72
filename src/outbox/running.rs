//! The outbox at work: one thread that steps, a few that send, and a handle to ask it things.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::post::{Answer, Post};
use super::step::Outbox;
use super::target::Target;
use super::text::Job;
use super::{IN_FLIGHT_MAX, SENDERS};
use crate::clock::Clock;
use crate::present::ReceiverView;
use crate::store::StoreError;
use crate::store::sqlite::Place;
use crate::store::sqlite::outbox::{Again, OutboxFile};

/// How often the feed and what is due are looked at when nothing comes back.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long the end waits for attempts that are on their way.
const STOP_WAIT: Duration = Duration::from_secs(3);

/// How long a question to the thread may wait.
const REPLY_WAIT: Duration = Duration::from_secs(15);

/// What the thread is told.
enum Word {
    Back(Box<Job>, Answer),
    Replay(Again, Sender<Result<usize, StoreError>>),
    Stop,
}

/// What a running outbox is made of.
pub struct Parts {
    /// Where the store lies.
    pub place: Place,
    /// The outbox; `None` when there is nobody to tell and nothing to give up.
    pub outbox: Option<Outbox>,
    /// Its receivers.
    pub targets: Vec<Target>,
    /// What sends.
    pub post: Arc<dyn Post>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The outbox, for those who ask; cheap to clone.
#[derive(Clone)]
pub struct OutboxHandle {
    tell: Option<Sender<Word>>,
    place: Place,
    targets: Arc<Vec<Target>>,
}

/// Starts the threads. The one that is given back ends after [`OutboxHandle::stop`]; the senders end with their last attempt.
///
/// # Errors
/// When a thread cannot be started.
pub fn start(parts: Parts) -> std::io::Result<(OutboxHandle, Option<JoinHandle<()>>)> {
    let targets = Arc::new(parts.targets);
    let Some(outbox) = parts.outbox else {
        return Ok((OutboxHandle { tell: None, place: parts.place, targets }, None));
    };
    let (tell, told) = channel();
    let (give, jobs) = channel();
    let jobs = Arc::new(Mutex::new(jobs));
    for n in 0..(targets.len() * IN_FLIGHT_MAX).min(SENDERS) {
        let (jobs, post, tell) = (jobs.clone(), parts.post.clone(), tell.clone());
        std::thread::Builder::new().name(format!("sender-{n}")).spawn(move || send(&jobs, post.as_ref(), &tell))?;
    }
    let clock = parts.clock;
    let thread = std::thread::Builder::new().name("outbox".into()).spawn(move || run(outbox, &told, give, clock.as_ref()))?;
    Ok((OutboxHandle { tell: Some(tell), place: parts.place, targets }, Some(thread)))
}

/// Makes attempts until there are no more.
fn send(jobs: &Mutex<Receiver<Job>>, post: &dyn Post, tell: &Sender<Word>) {
    loop {
        let next = jobs.lock().map(|jobs| jobs.recv());
        let Ok(Ok(job)) = next else { return };
        let answer = catch_unwind(AssertUnwindSafe(|| post.post(&job)));
        let answer =
            answer.unwrap_or_else(|_| Answer::Failed { error: "the attempt ended in a fault of this program".into(), asked: None });
        if tell.send(Word::Back(Box::new(job), answer)).is_err() {
            return;
        }
    }
}

fn run(mut outbox: Outbox, told: &Receiver<Word>, give: Sender<Job>, clock: &dyn Clock) {
    loop {
        for job in outbox.step(clock.now()) {
            // Nobody takes jobs only when every sender is gone; then they are made again at the next start.
            let _ = give.send(job);
        }
        let first = match told.recv_timeout(LOOK_EVERY) {
            Ok(word) => word,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => Word::Stop,
        };
        for word in std::iter::once(first).chain(told.try_iter()) {
            match word {
                Word::Back(job, answer) => outbox.back(*job, answer),
                Word::Replay(again, reply) => drop(reply.send(outbox.replay(&again, clock.now()))),
                Word::Stop => return end(outbox, told, give, clock),
            }
        }
    }
}

/// Waits a little for attempts that are on their way: what was taken should not be sent once more at the next start.
fn end(mut outbox: Outbox, told: &Receiver<Word>, give: Sender<Job>, clock: &dyn Clock) {
    drop(give);
    let until = Instant::now() + STOP_WAIT;
    while outbox.out() > 0 {
        match told.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(Word::Back(job, answer)) => {
                outbox.back(*job, answer);
                outbox.finish(clock.now());
            }
            Ok(_) => {}
            Err(_) => break,
        }
    }
    outbox.finish(clock.now());
}

/// Every receiver with what the outbox knows of it.
///
/// # Errors
/// When the outbox cannot be read.
pub fn receivers(targets: &[Target], file: Option<&OutboxFile>) -> Result<Vec<ReceiverView>, StoreError> {
    let (standings, tallies) = match file {
        Some(file) => (file.standings()?, file.tallies()?),
        None => Default::default(),
    };
    let view = |t: &Target| {
        let (standing, tally) = (standings.iter().find(|s| s.id == t.id()), tallies.iter().find(|s| s.target == t.id()));
        let accounts = t.config.filter.accounts.iter().map(ToString::to_string).collect();
        ReceiverView::new((t.id(), t.config.kind()), &t.config.filter.events, accounts, standing, tally)
    };
    Ok(targets.iter().map(view).collect())
}

impl OutboxHandle {
    /// The receivers.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The file, for questions; `None` when there is none.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn file(&self) -> Result<Option<OutboxFile>, StoreError> {
        OutboxFile::open_reader(&self.place)
    }

    /// Sends dead letters again; how many. Blocks for a moment; `None` when the outbox does not answer.
    pub fn replay(&self, again: Again) -> Option<Result<usize, StoreError>> {
        let Some(tell) = &self.tell else { return Some(Ok(0)) };
        let (reply, answer) = channel();
        tell.send(Word::Replay(again, reply)).ok()?;
        answer.recv_timeout(REPLY_WAIT).ok()
    }

    /// Has the outbox end.
    pub fn stop(&self) {
        if let Some(tell) = &self.tell {
            let _ = tell.send(Word::Stop);
        }
    }
}
