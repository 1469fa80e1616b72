//! What can be seen of the service from outside, asked for as any client would: messages, what is stuck, refusals, counters.
//!
//! It keeps a window over the newest messages; what leaves the window is only counted. It must not know how it is shown.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::client::{Client, ClientError};
use crate::domain::failure::Lang;
use crate::domain::state::State;
use crate::domain::time::Millis;
use crate::providers::PROVIDERS;

/// Messages in the window.
const WINDOW_MESSAGES_MAX: usize = 200;
/// Lines of "just happened" that are kept.
const FEED_LINES_MAX: usize = 12;
/// New lines at one look, so that a person can follow.
const FEED_NEW_MAX: usize = 1;

/// Messages by provider (in the order of the registry) and state.
pub(super) type Counts = [[u64; State::ALL.len()]; PROVIDERS.len()];

/// A message, as far as the demo shows it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Message {
    /// Our id; sorts by time.
    pub id: String,
    /// Provider slug.
    pub provider: String,
    /// The provider's id.
    pub message_id: Option<String>,
    /// Kind slug.
    pub kind: Option<String>,
    /// The recipient.
    pub recipient: Option<String>,
    /// State.
    pub state: String,
    /// Delivered to some only.
    pub partial: bool,
    /// The failure.
    pub failure: Option<Failure>,
    /// Set while it is stuck.
    pub stuck: Option<Stuck>,
    /// The shop's own words about it.
    pub metadata: Option<Metadata>,
}

/// A failure.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Failure {
    /// The code.
    pub code: Option<String>,
    /// The sub-code.
    pub subcode: Option<String>,
    /// What it means.
    pub explanation: Explanation,
}

impl Failure {
    /// `code` or `code.subcode`.
    pub(super) fn shown_code(&self) -> String {
        let code = self.code.as_deref().unwrap_or("–");
        self.subcode.as_deref().map_or(code.to_owned(), |sub| format!("{code}.{sub}"))
    }
}

/// What a failure means.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Explanation {
    /// In a few words.
    pub title: String,
}

/// Why a message is stuck.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Stuck {
    /// Cause slug.
    pub cause: String,
}

/// What the demo registers with a message.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Metadata {
    /// What the message says.
    #[serde(default)]
    pub text: String,
}

/// One page of messages.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Newest first.
    pub data: Vec<Message>,
    /// Where the next page starts.
    pub next_cursor: Option<String>,
}

/// Stuck messages of one sort.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Group {
    /// Account slug.
    pub account: String,
    /// Kind slug.
    pub kind: Option<String>,
    /// State.
    pub state: String,
    /// Cause slug.
    pub cause: String,
    /// How many.
    pub count: u64,
    /// What to do.
    pub advice: String,
}

/// What is stuck.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct StuckList {
    /// How many messages.
    pub total: u64,
    /// The groups, largest first.
    pub groups: Vec<Group>,
}

/// What the service counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// Callbacks stored.
    pub stored: u64,
    /// Repeats recognised.
    pub repeats: u64,
    /// Forged requests refused.
    pub refused: u64,
    /// Signed and not understood, and kept.
    pub errors: u64,
    /// Records that are durable and not folded yet.
    pub lag: u64,
}

/// Something that just happened.
#[derive(Clone, Debug)]
pub(super) enum Happened {
    /// A message moved, or got stuck.
    Moved(Box<Message>),
    /// A forged request was refused: provider and reason.
    Refused(String, String),
}

/// What is to be shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Picture {
    /// Since the beginning.
    pub elapsed: Duration,
    /// Messages by provider and state.
    pub counts: Counts,
    /// The newest last, each with its moment.
    pub feed: VecDeque<(Millis, Happened)>,
    /// What is stuck.
    pub stuck: StuckList,
    /// What is counted.
    pub counters: Counters,
}

/// Looks again and again.
pub(super) struct Watch {
    client: Client,
    lang: Lang,
    began: Instant,
    /// Provider, state and whether it is stuck, of every message in the window.
    window: HashMap<String, (usize, usize, bool)>,
    /// Messages that left the window.
    settled: Counts,
    feed: VecDeque<(Millis, Happened)>,
    /// Forged requests at the last look.
    refused_before: u64,
}

impl Watch {
    /// A watch that begins now.
    pub(super) fn new(client: Client, lang: Lang) -> Watch {
        let (window, settled, feed) = (HashMap::new(), Counts::default(), VecDeque::new());
        Watch { client, lang, began: Instant::now(), window, settled, feed, refused_before: 0 }
    }

    /// Since the beginning.
    pub(super) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// One look.
    ///
    /// # Errors
    /// When the server does not answer as it should.
    pub(super) fn look(&mut self, now: Millis) -> Result<Picture, ClientError> {
        let lang = self.lang;
        let page: Page = self.client.get(&format!("/v1/messages?limit={WINDOW_MESSAGES_MAX}&lang={lang}"))?;
        let stuck = self.client.get(&format!("/v1/stuck?limit=1&lang={lang}"))?;
        let counters = counters(&self.client.text("/metrics")?);
        let mut news = self.refused(&counters)?;
        news.extend(self.moved(page.data));
        self.keep(news, now);
        Ok(Picture { elapsed: self.elapsed(), counts: self.counts(), feed: self.feed.clone(), stuck, counters })
    }

    /// Takes a page into the window; the messages that moved, the oldest first.
    fn moved(&mut self, page: Vec<Message>) -> Vec<Happened> {
        let oldest = page.last().map(|m| m.id.clone()).unwrap_or_default();
        let mut window = HashMap::with_capacity(page.len());
        let mut moved = Vec::new();
        for message in page.into_iter().rev() {
            let Some((provider, state)) = place(&message) else { continue };
            let now = (provider, state, message.stuck.is_some());
            if self.window.remove(&message.id) != Some(now) {
                moved.push(Happened::Moved(Box::new(message.clone())));
            }
            window.insert(message.id, now);
        }
        // Older than the page: it left the window. Younger: it was joined with another message and is no more.
        for (_, (provider, state, _)) in self.window.drain().filter(|(id, _)| *id < oldest) {
            self.settled[provider][state] += 1;
        }
        self.window = window;
        moved
    }

    fn counts(&self) -> Counts {
        let mut counts = self.settled;
        for (provider, state, _) in self.window.values() {
            counts[*provider][*state] += 1;
        }
        counts
    }

    fn refused(&mut self, counters: &Counters) -> Result<Vec<Happened>, ClientError> {
        #[derive(Deserialize)]
        struct Refused {
            provider: String,
            reason: String,
        }
        #[derive(Deserialize)]
        struct List {
            data: Vec<Refused>,
        }
        if std::mem::replace(&mut self.refused_before, counters.refused) == counters.refused {
            return Ok(Vec::new());
        }
        let list: List = self.client.get("/v1/refused")?;
        Ok(list.data.into_iter().take(1).map(|r| Happened::Refused(r.provider, r.reason)).collect())
    }

    /// Keeps the most telling of the news, in their order.
    fn keep(&mut self, news: Vec<Happened>, now: Millis) {
        let mut ranked: Vec<(usize, Happened)> = news.into_iter().enumerate().collect();
        ranked.sort_by_key(|(at, happened)| (std::cmp::Reverse(telling(happened)), *at));
        ranked.truncate(FEED_NEW_MAX);
        ranked.sort_by_key(|(at, _)| *at);
        self.feed.extend(ranked.into_iter().filter(|(_, h)| telling(h) > 0).map(|(_, h)| (now, h)));
        while self.feed.len() > FEED_LINES_MAX {
            self.feed.pop_front();
        }
    }
}

/// How much a person wants to see it; 0 for not at all.
fn telling(happened: &Happened) -> u8 {
    match happened {
        Happened::Refused(..) => 6,
        Happened::Moved(m) if m.stuck.is_some() => 5,
        Happened::Moved(m) => match m.state.as_str() {
            "failed" => 4,
            "read" => 3,
            "delivered" => 2,
            "sent" => 1,
            _ => 0,
        },
    }
}

/// Where a message is counted.
pub(super) fn place(message: &Message) -> Option<(usize, usize)> {
    let provider = PROVIDERS.iter().position(|p| p.slug == message.provider)?;
    let state = State::ALL.iter().position(|s| s.as_str() == message.state)?;
    Some((provider, state))
}

/// Reads the counters out of the OpenMetrics text.
pub(super) fn counters(metrics: &str) -> Counters {
    let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
    for line in metrics.lines().filter(|l| !l.starts_with('#')) {
        let Some((name, value)) = line.rsplit_once(' ') else { continue };
        let key = match name.split('{').next().unwrap_or_default() {
            "baophat_callbacks_total" if name.contains("outcome=\"repeat\"") => "repeats",
            "baophat_callbacks_total" => "stored",
            "baophat_refused_total" => "refused",
            "baophat_records_total" if name.contains("outcome=\"error\"") => "errors",
            "baophat_projection_lag_records" => "lag",
            _ => continue,
        };
        *sums.entry(key).or_default() += value.parse::<f64>().map_or(0, |n| n as u64);
    }
    let sum = |key| sums.get(key).copied().unwrap_or_default();
    Counters { stored: sum("stored"), repeats: sum("repeats"), refused: sum("refused"), errors: sum("errors"), lag: sum("lag") }
}
