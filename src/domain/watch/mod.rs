//! What is watched over whole accounts: their callbacks, receipts, tokens, templates and incidents.
//!
//! Pure: it is told what was folded and what time it is, and says what follows. What it remembers it hands over as *sheets*, named values
//! that the store keeps in the commit of the records they come from, so that neither a crash nor a restart counts twice or forgets.
//! It must not know SQL, HTTP, a clock or a provider.

mod standing;
pub mod templates;

pub use standing::{Reason, Standing};

/// The number of an incident: 1, 2, 3 … in the order in which they opened.
pub type IncidentId = u64;

/// A value to keep under a name, or to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sheet {
    /// Its name: parts with `/` between them, the kind of sheet first.
    pub name: String,
    /// Its bytes; `None` to forget it.
    pub data: Option<Vec<u8>>,
}
