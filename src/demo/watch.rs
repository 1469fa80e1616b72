//! What can be seen of the service from outside, asked for as any client would: messages, what is stuck, refusals, counters.
//!
//! It keeps a window over the newest messages; what leaves the window is only counted. It must not know how it is shown.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::client::{Client, ClientError};
use super::seen::{Counters, Counts, Message, Page, StuckList, counters, place};
use crate::domain::failure::Lang;
use crate::domain::time::Millis;

/// Messages in the window.
const WINDOW_MESSAGES_MAX: usize = 200;
/// Lines of "just happened" that are kept.
const FEED_LINES_MAX: usize = 12;
/// New lines at one look, so that a person can follow.
const FEED_NEW_MAX: usize = 1;

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
