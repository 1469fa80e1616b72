//! How Meta writes things: ids, times, the two sides of a thread, and texts that may be shown.
//!
//! It must not know what an event means. A member of the wrong type counts as absent, here as everywhere in this provider.

use crate::domain::time::Millis;
use crate::providers::json::Object;

/// Below this a number of a time member counts seconds, not milliseconds (2001 in milliseconds, the year 33658 in seconds).
const SECONDS_BELOW: i64 = 1_000_000_000_000;

/// Longest text kept for a timeline or a log.
const SHOWN_CHARS_MAX: usize = 300;

/// One byte order mark at the front is no part of the text.
pub(super) fn without_bom(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// An id: a text, or a number with every digit it was written with.
pub(super) fn id(object: &Object<'_>, name: &str) -> Option<String> {
    object.text(name).filter(|text| !text.trim().is_empty())
}

/// A text that is no number.
pub(super) fn text(object: &Object<'_>, name: &str) -> Option<String> {
    object.get(name).filter(|raw| raw.is_text())?.text().filter(|text| !text.is_empty())
}

/// A moment in milliseconds or seconds; zero and less count as absent, and so does a text and what no calendar shows.
pub(super) fn time(object: &Object<'_>, name: &str) -> Option<Millis> {
    let n = object.get(name).filter(|raw| raw.is_number())?.integer().filter(|n| *n > 0)?;
    Millis(if n < SECONDS_BELOW { n * 1_000 } else { n }).checked()
}

/// The two sides of a thread, as far as an item names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Thread {
    /// The Page.
    pub page: Option<String>,
    /// The page-scoped id of the customer.
    pub psid: Option<String>,
}

impl Thread {
    /// Finds Page and customer. The entry's id is the Page, wherever it stands in the item: recorded callbacks have the sides
    /// swapped, and in an echo the recipient is the customer. Without an entry id the sides are believed as they stand.
    pub(super) fn of(item: &Object<'_>, entry_id: Option<&str>, from_page: bool) -> Thread {
        let (customer_side, page_side) = if from_page { ("recipient", "sender") } else { ("sender", "recipient") };
        let (near, far) = (party(item, customer_side), party(item, page_side));
        match entry_id {
            Some(page) => Thread { page: Some(page.to_owned()), psid: [near, far].into_iter().flatten().find(|id| id != page) },
            None => Thread { page: far, psid: near },
        }
    }
}

fn party(item: &Object<'_>, side: &str) -> Option<String> {
    id(&item.object(side)?, "id")
}

/// A foreign text made fit for a timeline or a log: short, and without the access token that HTTP libraries print with the URL.
pub(super) fn shown(text: &str) -> String {
    const TOKEN: &str = "access_token=";
    let short: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    let Some((before, after)) = short.split_once(TOKEN) else { return short };
    let rest = after.find(|c: char| matches!(c, '&' | '"' | '\'' | ')') || c.is_whitespace()).map_or("", |end| &after[end..]);
    format!("{before}{TOKEN}…{}", shown(rest))
}
