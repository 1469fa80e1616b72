//! Filling a store as the program itself would have: every message is registered and then told about, each callback is verified, appended
//! by the inbox's writer and folded by the projector. Only the web server and the clock are left out, so it takes minutes.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::child::{INBOX_FILE, write_config};
use super::population::{CALL_MESSAGES, Population, Told};
use super::proof::screen::Screen;
use super::store::{load_config, projector};
use super::{BenchError, child};
use crate::clock::HandClock;
use crate::config::Config;
use crate::domain::ids::AccountId;
use crate::domain::record::Content;
use crate::domain::time::Millis;
use crate::ingest::Nudge;
use crate::providers;
use crate::store::sqlite::Place;
use crate::store::sqlite::inbox::{InboxWriter, Submission};

/// What is told about a message comes so many registering calls later.
const CALLS_LATER: u64 = 2;

/// Registering calls, with what came beside them, in one commit of the inbox.
const CALLS_A_COMMIT: u64 = 4;

/// What a seeded store holds, written beside it once it is full.
const NOTE: &str = "population.json";

/// What filling took.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Filled {
    /// Who is in it.
    pub population: Population,
    /// Records appended; 0 when the store was there already.
    pub records: u64,
    /// Seconds until everything was folded.
    pub seconds: f64,
    /// Bytes of the store's files.
    pub bytes: u64,
}

/// Fills a store in a folder, or finds it full of the same number of messages from an earlier run.
///
/// # Errors
/// When the store fails, or a folder holds another store.
pub fn fill(dir: &Path, days: u32, wanted: Population, screen: &Screen) -> Result<Filled, BenchError> {
    let config = load_config(&write_config(dir, days)?)?;
    let note = dir.join(NOTE);
    if let Ok(text) = std::fs::read_to_string(&note) {
        let found: Option<Population> = serde_json::from_str(&text).ok();
        let population =
            found.filter(|p| p.messages == wanted.messages).ok_or_else(|| BenchError::OtherStore(dir.display().to_string()))?;
        return Ok(Filled { population, records: 0, seconds: 0.0, bytes: child::store_bytes(dir) });
    }
    let place = Place::new(dir.join(INBOX_FILE));
    if place.exists() {
        return Err(BenchError::OtherStore(dir.display().to_string()));
    }
    let started = Instant::now();
    let records = fill_new(&place, &config, &wanted, screen)?;
    std::fs::write(&note, serde_json::to_string(&wanted).unwrap_or_default())?;
    Ok(Filled { population: wanted, records, seconds: started.elapsed().as_secs_f64(), bytes: child::store_bytes(dir) })
}

fn fill_new(place: &Place, config: &Config, people: &Population, screen: &Screen) -> Result<u64, BenchError> {
    let _lock = place.lock()?;
    let mut writer = InboxWriter::open(place)?;
    writer.ensure_accounts(config.accounts.iter().map(|a| (&a.id, a.provider.slug)))?;
    // The clock stands before everything: nothing falls due and nothing is pruned while the store is filled.
    let clock = Arc::new(HandClock::new(Millis(people.from_ms)));
    let (projector, handle) = projector(place, config, clock)?;
    let folding = projector.start()?;
    let calls = people.messages.div_ceil(CALL_MESSAGES);
    let mut records = 0;
    let mut batch = Vec::new();
    for call in 0..calls + CALLS_LATER {
        one_call(config, people, call, &mut batch)?;
        if call % CALLS_A_COMMIT == CALLS_A_COMMIT - 1 || call + 1 == calls + CALLS_LATER {
            let now = batch.last().map_or(Millis(people.from_ms), |s: &Submission| s.received_at);
            records += batch.len() as u64;
            writer.append(&batch)?;
            writer.tend_repeats(now)?;
            batch.clear();
            handle.nudge(Nudge::Appended(Vec::new()));
            screen.live(&format!("{} of {} messages appended, record {} folded", call * CALL_MESSAGES, people.messages, handle.cursor()));
        }
    }
    let last = writer.next_seq() - 1;
    handle.nudge(Nudge::Stop);
    while !folding.is_finished() {
        screen.live(&format!("record {} of {last} folded", handle.cursor()));
        std::thread::park_timeout(std::time::Duration::from_millis(200));
    }
    let _ = folding.join();
    if handle.cursor() != last {
        return Err(std::io::Error::other("the seeded records could not be folded").into());
    }
    writer.checkpoint()?;
    Ok(records)
}

/// One registering call, and what is told meanwhile about the messages of an earlier one.
fn one_call(config: &Config, people: &Population, call: u64, batch: &mut Vec<Submission>) -> Result<(), BenchError> {
    let first = call * CALL_MESSAGES;
    let new = first..(first + CALL_MESSAGES).min(people.messages);
    let at = people.sent_at(new.end.max(first));
    if !new.is_empty() {
        let content = Content::Registrations(new.map(|m| people.registration(m)).collect());
        batch.push(own(config, people.account(first), at, content)?);
    }
    let Some(earlier) = call.checked_sub(CALLS_LATER) else { return Ok(()) };
    let first = earlier * CALL_MESSAGES;
    for m in first..(first + CALL_MESSAGES).min(people.messages) {
        for told in people.told(m, at) {
            batch.push(match told {
                Told::Answer(account, content) => own(config, account.as_str(), at, content)?,
                Told::Callback(callback, token) => {
                    let (provider, account) = known(config, callback.account.as_str())?;
                    let verified = providers::verify(account, callback, token)
                        .map_err(|refusal| std::io::Error::other(format!("a seeded callback was refused: {}", refusal.as_str())))?;
                    let (callback, identity) = verified.into_inner();
                    let mut short = [0u8; 16];
                    short.copy_from_slice(&identity[..16]);
                    let account = callback.account.clone();
                    Submission { provider, account, received_at: at, content: Content::Callback(callback), identity: Some(short) }
                }
            });
        }
    }
    Ok(())
}

fn known<'a>(config: &'a Config, slug: &str) -> Result<(&'static str, &'a dyn providers::Account), BenchError> {
    let found = config.accounts.iter().find(|a| a.id.as_str() == slug);
    let found = found.ok_or_else(|| std::io::Error::other(format!("{slug} is not configured")))?;
    Ok((found.provider.slug, found.account.as_ref()))
}

fn own(config: &Config, slug: &str, received_at: Millis, content: Content) -> Result<Submission, BenchError> {
    let (provider, _) = known(config, slug)?;
    let account = AccountId::parse(slug).map_err(|e| std::io::Error::other(e.to_string()))?;
    Ok(Submission { provider, account, received_at, content, identity: None })
}
