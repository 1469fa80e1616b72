//! Lists page by page: one page of the store may be shorter than asked and still have more behind it.

use clap::Args;

use super::values;
use crate::present::{CallbackView, MessageView, Reader, cursor};
use crate::store::StoreError;
use crate::store::sqlite::query::{CallbackFilter, MessageFilter, Spot};

/// How much of a list, and from where.
#[derive(Clone, Copy, Debug, Args)]
pub struct Paging {
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
    pub limit: u16,
    /// Go on after this place (`next_cursor` of the page before)
    #[arg(long, value_name = "CURSOR", value_parser = values::spot)]
    pub cursor: Option<Spot>,
}

/// One page of a list, and where the next one starts.
pub type Listed<T> = (Vec<T>, Option<Spot>);

/// Messages, as many as asked for where there are so many.
///
/// # Errors
/// When the store cannot be read.
pub fn messages(reader: &Reader<'_>, filter: &MessageFilter, paging: Paging) -> Result<Listed<MessageView>, StoreError> {
    fill(paging, |after, limit| reader.messages(filter, after, limit))
}

/// Callbacks, as many as asked for where there are so many.
///
/// # Errors
/// When the store cannot be read.
pub fn callbacks(reader: &Reader<'_>, filter: &CallbackFilter, paging: Paging) -> Result<Listed<CallbackView>, StoreError> {
    fill(paging, |after, limit| reader.callbacks(filter, after, limit))
}

fn fill<T>(paging: Paging, mut page: impl FnMut(Option<Spot>, usize) -> Result<Listed<T>, StoreError>) -> Result<Listed<T>, StoreError> {
    let limit = usize::from(paging.limit);
    let (mut items, mut after) = page(paging.cursor, limit)?;
    while items.len() < limit && after.is_some() {
        let (more, next) = page(after, limit - items.len())?;
        items.extend(more);
        after = next;
    }
    Ok((items, after))
}

/// What to type for the next page.
pub fn next_page(next: Option<Spot>) -> Option<String> {
    next.map(|spot| format!("--cursor {}", cursor::encode(spot)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::time::Millis;

    #[test]
    fn short_pages_are_filled_up_to_the_limit() {
        let spot = |n| Some(Spot { at: Millis(0), n });
        let pages = |after: Option<Spot>, limit: usize| {
            let n = after.map_or(0, |s| s.n);
            // One item on every third page, ten pages in all.
            let items = if n.is_multiple_of(3) && limit > 0 { vec![n] } else { Vec::new() };
            Ok((items, if n < 9 { spot(n + 1) } else { None }))
        };
        assert_eq!(fill(Paging { limit: 2, cursor: None }, pages).unwrap(), (vec![0, 3], spot(4)));
        assert_eq!(fill(Paging { limit: 9, cursor: None }, pages).unwrap(), (vec![0, 3, 6, 9], None));
        assert_eq!(fill(Paging { limit: 9, cursor: spot(7) }, pages).unwrap(), (vec![9], None));
    }
}
