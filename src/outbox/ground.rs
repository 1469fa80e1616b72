//! Where receivers stand in the feed, and whether it still is the feed that they followed. A power cut can take its last entries, and an
//! older copy can be put back; then their numbers are given anew, to other entries.

use sha2::{Digest, Sha256};

use crate::domain::feed::{Entry, FeedId};
use crate::store::StoreError;
use crate::store::sqlite::outbox::{Footing, OutboxFile};
use crate::store::sqlite::state::StateFile;

/// What an entry is known by beside its number: the beginning of a hash over all that it says.
pub(super) fn mark(entry: &Entry) -> Result<u32, StoreError> {
    let bytes = serde_json::to_vec(entry).map_err(|e| StoreError::Decode { what: "event", detail: e.to_string() })?;
    let hash = Sha256::digest(&bytes);
    Ok(hash.iter().take(4).fold(0, |mark, byte| mark << 8 | u32::from(*byte)))
}

/// The end of the feed, where a new receiver begins.
///
/// # Errors
/// When the state cannot be read.
pub fn end(state: &StateFile) -> Result<Footing, StoreError> {
    let event = state.feed_last()?;
    Ok(Footing { event, mark: mark_of(state, event)? })
}

/// What the entry of a number is known by; `None` where the feed has none.
fn mark_of(state: &StateFile, event: FeedId) -> Result<Option<u32>, StoreError> {
    let Some(before) = event.checked_sub(1) else { return Ok(None) };
    let found = state.feed_after(before, 1)?;
    found.first().filter(|(id, _)| *id == event).map(|(_, entry)| mark(entry)).transpose()
}

/// Where a receiver goes on that stands here: here, unless the feed is another one now; then at the last place that is known to be as it
/// was, or else at the beginning. What lies between is told again, under the same ids, and nothing is left out.
pub(super) fn firm(state: &StateFile, file: &OutboxFile, at: Footing) -> Result<Footing, StoreError> {
    let last = state.feed_last()?;
    if at.event <= last && agrees(state, at)? {
        return Ok(at);
    }
    let places = file.followed(at.event.min(last))?;
    let (mut low, mut high) = (0, places.len());
    while low < high {
        let middle = low + (high - low) / 2;
        match agrees(state, places[middle])? {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    let beginning = state.feed_after(0, 1)?.first().map_or(last, |(id, _)| id - 1);
    let place = low.checked_sub(1).map(|n| places[n]).filter(|place| place.event >= beginning);
    Ok(place.unwrap_or(Footing { event: beginning, mark: None }))
}

/// The feed says nothing else of a place; where retention took the entry it says nothing at all.
fn agrees(state: &StateFile, at: Footing) -> Result<bool, StoreError> {
    let now = mark_of(state, at.event)?;
    Ok(at.mark.zip(now).is_none_or(|(then, now)| then == now))
}
