//! What the outside sees: messages, callbacks, groups and catalogue entries as the JSON of the contract, in the language asked for.
//!
//! One place for the HTTP API and the command line. It reads the store and explains; it must not know HTTP or a terminal.

mod account;
mod callback;
mod catalogue;
mod circumstances;
pub mod cursor;
pub mod examples;
mod happening;
mod incident;
mod message;
mod outgoing;
mod report;
pub mod schema;
mod spelling;
mod stats;
mod template;
#[cfg(test)]
mod tests;
mod thread;

pub use account::{AccountList, AccountView, EventGroupView, TokenView};
pub use callback::{CallbackDetail, CallbackPage, CallbackView};
pub use catalogue::{EntryList, EntryView};
pub use happening::{HappeningView, IncidentStep, StandingChange};
pub use incident::{IncidentFilter, IncidentPage, IncidentView};
pub use message::{
    EventView, Explanation, FailureView, MessagePage, MessageView, RecipientsView, StuckGroupView, StuckPage, StuckView, shown_message,
};
pub use outgoing::{DeliveryPage, DeliveryView, ReceiverList, ReceiverView};
pub use report::{
    Format as ReportFormat, IncidentSummary, QuotaSnapshot, Report, Snapshot, Subject as ReportSubject, TemplateSnapshot, ThreadSnapshot,
    TokenSnapshot, TokenState, Wish as ReportWish,
};
pub use spelling::{id_spellings, recipient_spellings};
pub use stats::{LatencyView, LinesBy, MoneyView, NoSuchNumbers, QuantilesView, StatsAsked, StatsLine, StatsQuery, StatsView};
pub use template::{RefusalView, TemplateChangeView, TemplateFailure, TemplateFilter, TemplateMessages, TemplatePage, TemplateView};
pub use thread::{HandoverView, HolderView, ThreadRefusalView, ThreadView, WindowView};

use crate::domain::failure::Lang;
use crate::domain::time::Millis;
use crate::ingest::AccountRules;
use crate::store::sqlite::inbox::InboxReader;
use crate::store::sqlite::state::StateFile;

/// Everything needed to answer a question.
pub struct Reader<'a> {
    /// Records.
    pub inbox: &'a InboxReader,
    /// Messages.
    pub state: &'a StateFile,
    /// Providers and deadlines.
    pub rules: &'a AccountRules,
    /// The language of texts.
    pub lang: Lang,
    /// The time of the question.
    pub now: Millis,
}
