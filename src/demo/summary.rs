//! The end of the demo: everything the server knows is asked for once more and compared with what it acknowledged.

use std::collections::{BTreeMap, HashMap};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use owo_colors::Style;
use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Client, ClientError};
use super::frame::{self, Line, Look};
use super::plain;
use super::player::Tally;
use super::screen::clock;
use super::script::Proof;
use super::seen::{self, Counters, Counts, Message, Page};
use super::words::{cause, words};
use crate::domain::failure::Lang;

/// Messages or callbacks in a page.
const PAGE_MAX: usize = 500;
/// How long the projection may take to catch up before the check.
const SETTLE_SECONDS_MAX: u64 = 20;
/// Between two looks at that.
const SETTLE_LOOK: Duration = Duration::from_millis(50);

/// What came of the afternoon.
#[derive(Debug, Default)]
pub(super) struct Summary {
    elapsed: Duration,
    counts: Counts,
    /// By provider and code: how many and what it means.
    failures: BTreeMap<(String, String), (u64, String)>,
    /// By cause.
    stuck: BTreeMap<String, u64>,
    counters: Counters,
    check: Check,
}

/// The check that nothing acknowledged was lost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Check {
    /// Callbacks answered 200.
    pub acknowledged: u64,
    /// Of these, different ones.
    pub distinct: u64,
    /// Callbacks that the server lists.
    pub known: u64,
    /// Callbacks that the server lists, repeats included.
    pub known_with_repeats: u64,
    /// Messages whose state was compared with what was acknowledged.
    pub compared: u64,
    /// Messages that do not show what was acknowledged.
    pub behind: u64,
    /// Answers other than expected.
    pub unexpected: u64,
    /// The first of these.
    pub first_unexpected: Option<String>,
}

impl Check {
    /// Acknowledged and not to be found.
    pub(super) fn lost(&self) -> u64 {
        let unlisted = self.distinct.saturating_sub(self.known);
        unlisted.max(self.acknowledged.saturating_sub(self.known_with_repeats)).max(self.behind)
    }
}

impl Summary {
    /// Asks for everything. The player must have stopped. A word from `hurry` (a second Ctrl-C) ends the waiting.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub(super) fn take(
        client: &Client,
        tally: &Tally,
        lang: Lang,
        elapsed: Duration,
        hurry: &Receiver<()>,
    ) -> Result<Summary, ClientError> {
        let counters = settled(client, hurry)?;
        let mut summary = Summary { elapsed, counters, ..Summary::default() };
        let proofs = tally.proofs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let met = summary.messages(client, lang, &proofs)?;
        let (known, known_with_repeats) = callbacks(client)?;
        let count = |n: &std::sync::atomic::AtomicU64| n.load(Ordering::Relaxed);
        summary.check = Check {
            acknowledged: count(&tally.acknowledged),
            distinct: count(&tally.distinct),
            known,
            known_with_repeats,
            compared: proofs.len() as u64,
            behind: proofs.len() as u64 - met,
            unexpected: count(&tally.unexpected),
            first_unexpected: tally.first_unexpected.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        };
        Ok(summary)
    }

    /// Counts every message; how many of the proofs they meet.
    fn messages(&mut self, client: &Client, lang: Lang, proofs: &HashMap<String, Proof>) -> Result<u64, ClientError> {
        let (mut met, mut cursor) = (0, String::new());
        loop {
            let page: Page = client.get(&format!("/v1/messages?limit={PAGE_MAX}&lang={lang}{cursor}"))?;
            for message in page.data {
                let proof = message.message_id.as_ref().and_then(|id| proofs.get(id));
                met += u64::from(proof.is_some_and(|p| shows(&message.state, *p)));
                self.count(message);
            }
            match page.next_cursor {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return Ok(met),
            }
        }
    }

    fn count(&mut self, message: Message) {
        if let Some((provider, state)) = seen::place(&message) {
            self.counts[provider][state] += 1;
        }
        if let Some(stuck) = message.stuck {
            *self.stuck.entry(stuck.cause).or_default() += 1;
        }
        if let Some(failure) = message.failure.filter(|_| message.state == "failed") {
            let key = (message.provider, failure.shown_code());
            self.failures.entry(key).or_insert((0, failure.explanation.title)).0 += 1;
        }
    }

    /// The check.
    pub(super) fn check(&self) -> &Check {
        &self.check
    }

    /// As text.
    pub(super) fn lines(&self, look: &Look) -> Vec<String> {
        let w = words(look.lang);
        let row = |n: u64, text: &str| Line::of(format!("{n:>6}  "), Style::new().bold()).plain(text).text(look);
        let mut lines = vec![frame::heading(&format!("{} · {}", w.summary, clock(self.elapsed.as_secs()))).text(look)];
        lines.extend(frame::table(look, &self.counts));
        lines.extend([String::new(), frame::heading(w.failures).text(look)]);
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|(_, (n, _))| std::cmp::Reverse(*n));
        lines.extend(failures.into_iter().map(|((provider, code), (n, title))| row(*n, &format!("{provider:<9} {code:<12} {title}"))));
        lines.extend([String::new(), frame::heading(w.stuck).text(look)]);
        lines.extend(self.stuck.iter().map(|(slug, n)| row(*n, cause(slug, look.lang))));
        let (c, k) = (&self.counters, &self.check);
        lines.extend([String::new(), frame::heading(w.callbacks).text(look)]);
        let counted = [(c.stored, w.stored), (c.repeats, w.repeats[1]), (c.refused, w.refused), (c.errors, w.errors[1])];
        lines.extend(counted.map(|(n, what)| row(n, what)));
        lines.extend([String::new(), frame::heading(w.check).text(look)]);
        let checked = [(k.acknowledged, w.acknowledged), (k.distinct, w.distinct), (k.known, w.known), (k.compared - k.behind, w.compared)];
        lines.extend(checked.map(|(n, what)| row(n, what)));
        let verdict = if k.lost() == 0 { Style::new().green().bold() } else { Style::new().red().bold() };
        lines.push(Line::of(format!("{:>6}  {}", k.lost(), w.lost), verdict).text(look));
        lines.extend(k.first_unexpected.iter().map(|what| row(k.unexpected, what)));
        lines
    }

    /// As JSON.
    pub(super) fn json(&self) -> Value {
        let failure = |((provider, code), (count, title)): (&(String, String), &(u64, String))| json!({ "provider": provider, "code": code, "count": count, "title": title });
        let (c, k) = (&self.counters, &self.check);
        json!({
            "type": "summary", "elapsed_seconds": self.elapsed.as_secs_f64(), "messages": plain::counts(&self.counts),
            "failures": self.failures.iter().map(failure).collect::<Vec<_>>(), "stuck": self.stuck,
            "callbacks": { "stored": c.stored, "repeats": c.repeats, "refused": c.refused, "errors": c.errors },
            "check": {
                "acknowledged": k.acknowledged, "distinct": k.distinct, "known": k.known, "compared_messages": k.compared,
                "unexpected": k.unexpected, "first_unexpected": k.first_unexpected, "lost": k.lost(),
            },
        })
    }
}

/// A message in this state shows this proof. Proof of delivery beats a report of failure.
fn shows(state: &str, proof: Proof) -> bool {
    match proof {
        Proof::Known => true,
        Proof::Failed => matches!(state, "failed" | "delivered" | "read"),
        Proof::Delivered => matches!(state, "delivered" | "read"),
        Proof::Read => state == "read",
    }
}

/// Waits until everything durable is folded.
fn settled(client: &Client, hurry: &Receiver<()>) -> Result<Counters, ClientError> {
    let until = Instant::now() + Duration::from_secs(SETTLE_SECONDS_MAX);
    loop {
        let counters = seen::counters(&client.text("/metrics")?);
        // The gauge is set behind a fold: what came in since the last one is not in it yet.
        let folded = counters.lag == 0 && nothing_waits(client)?;
        let waited = folded || Instant::now() >= until;
        if waited || hurry.recv_timeout(SETTLE_LOOK) != Err(RecvTimeoutError::Timeout) {
            return Ok(counters);
        }
    }
}

/// No callback is durable and not folded.
fn nothing_waits(client: &Client) -> Result<bool, ClientError> {
    #[derive(Deserialize)]
    struct List {
        data: Vec<serde::de::IgnoredAny>,
    }
    let list: List = client.get("/v1/callbacks?status=received&limit=1")?;
    Ok(list.data.is_empty())
}

/// How many callbacks the server lists, without repeats and with them.
fn callbacks(client: &Client) -> Result<(u64, u64), ClientError> {
    #[derive(Deserialize)]
    struct Listed {
        repeats: u64,
    }
    #[derive(Deserialize)]
    struct List {
        data: Vec<Listed>,
        next_cursor: Option<String>,
    }
    let (mut known, mut with_repeats, mut cursor) = (0, 0, String::new());
    loop {
        let list: List = client.get(&format!("/v1/callbacks?limit={PAGE_MAX}{cursor}"))?;
        known += list.data.len() as u64;
        with_repeats += list.data.iter().map(|c| 1 + c.repeats).sum::<u64>();
        match list.next_cursor {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok((known, with_repeats)),
        }
    }
}
