//! What the demo prints where there is no terminal: blocks of text every two seconds, or a line of JSON every second.

use serde_json::{Map, Value, json};

use super::frame::{self, Look};
use super::screen::clock;
use super::seen::Counts;
use super::watch::Picture;
use super::words::words;
use crate::domain::state::State;
use crate::providers::PROVIDERS;

/// Lines of "just happened" in a block.
const FEED_LINES_MAX: usize = 4;
/// Groups of stuck messages in a block.
const GROUPS_MAX: usize = 8;

/// A block of lines.
pub(super) fn block(look: &Look, picture: &Picture) -> Vec<String> {
    let w = words(look.lang);
    let mut lines = vec![frame::heading(&format!("[{}]", clock(picture.elapsed.as_secs()))).text(look)];
    lines.extend(frame::table(look, &picture.counts));
    lines.push(frame::counters(look, picture));
    lines.push(frame::heading(w.happened).text(look));
    lines.extend(frame::feed(look, picture, FEED_LINES_MAX));
    lines.push(frame::heading(&format!("{} ({})", w.stuck, picture.stuck.total)).text(look));
    lines.extend(frame::stuck(look, &picture.stuck.groups, GROUPS_MAX));
    lines.push(String::new());
    lines
}

/// The status as JSON.
pub(super) fn status(picture: &Picture) -> Value {
    let groups: Vec<Value> = picture
        .stuck
        .groups
        .iter()
        .map(|g| json!({ "account": g.account, "kind": g.kind, "state": g.state, "cause": g.cause, "count": g.count }))
        .collect();
    let c = &picture.counters;
    json!({
        "type": "status", "elapsed_seconds": picture.elapsed.as_secs_f64(), "messages": counts(&picture.counts),
        "stuck": { "total": picture.stuck.total, "groups": groups },
        "callbacks": { "stored": c.stored, "repeats": c.repeats, "refused": c.refused, "errors": c.errors },
    })
}

/// Messages by provider and state.
pub(super) fn counts(counts: &Counts) -> Value {
    let row = |row: &[u64; 5]| -> Map<String, Value> {
        State::ALL.iter().zip(row).map(|(state, n)| (state.as_str().to_owned(), (*n).into())).collect()
    };
    PROVIDERS.iter().zip(counts).map(|(spec, r)| (spec.slug.to_owned(), Value::Object(row(r)))).collect::<Map<_, _>>().into()
}
