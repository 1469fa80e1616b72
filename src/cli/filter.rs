//! The filters of messages as they are typed: the same as those of `GET /v1/messages`.

use clap::Args;

use super::Globals;
use super::open::Opened;
use super::out::complain;
use super::values::{self, When};
use crate::domain::failure::Class;
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::time::Millis;
use crate::present::{id_spellings, recipient_spellings};
use crate::store::sqlite::query::MessageFilter;

/// Which messages; everything given must hold.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Filters")]
pub struct Filters {
    /// In this state
    #[arg(long, value_parser = values::among(State::ALL, State::as_str))]
    pub state: Option<State>,
    /// Of this provider
    #[arg(long, value_parser = values::provider())]
    pub provider: Option<String>,
    /// Of this account
    #[arg(long, value_name = "ID", value_parser = values::account)]
    pub account: Option<AccountId>,
    /// From this OA, Page or number
    #[arg(long, value_name = "ID")]
    pub sender: Option<String>,
    /// Of this kind, such as zns
    #[arg(long)]
    pub kind: Option<String>,
    /// Of this template
    #[arg(long, value_name = "ID")]
    pub template_id: Option<String>,
    /// To this recipient; a phone number in any spelling
    #[arg(long, value_name = "WHO", allow_hyphen_values = true)]
    pub recipient: Option<String>,
    /// With this id of the provider
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    pub message_id: Option<String>,
    /// With this id of the sender
    #[arg(long = "ref", value_name = "REF", allow_hyphen_values = true)]
    pub reference: Option<String>,
    /// Stuck
    #[arg(long)]
    pub stuck: bool,
    /// Delivered to some recipients, failed for others
    #[arg(long)]
    pub partial: bool,
    /// Proof of delivery and a failure report, both seen
    #[arg(long)]
    pub conflict: bool,
    /// Failed with this class
    #[arg(long, value_name = "CLASS", value_parser = values::among(Class::ALL, Class::as_str))]
    pub failure_class: Option<Class>,
    /// Failed with this code: CODE or CODE.SUBCODE
    #[arg(long, value_name = "CODE", allow_hyphen_values = true)]
    pub failure_code: Option<String>,
    /// Known from then on: a time, a day (in Vietnam), or a span ago such as 2h
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    pub since: Option<When>,
    /// Known before then
    #[arg(long, value_name = "WHEN", value_parser = When::parse)]
    pub until: Option<When>,
}

impl Filters {
    /// As the store is asked.
    pub fn filter(&self, now: Millis) -> MessageFilter {
        MessageFilter {
            state: self.state,
            provider: self.provider.clone(),
            account: self.account.clone(),
            sender: self.sender.clone(),
            kind: self.kind.clone(),
            template_id: self.template_id.clone(),
            recipient: self.recipient.as_deref().map(recipient_spellings).unwrap_or_default(),
            message_id: self.message_id.as_deref().map(id_spellings).unwrap_or_default(),
            reference: self.reference.clone(),
            stuck: self.stuck,
            partial: self.partial,
            conflict: self.conflict,
            failure_class: self.failure_class,
            failure_code: self.failure_code.as_deref().map(code_and_subcode),
            since: self.since.map(|w| w.seen_from(now)),
            until: self.until.map(|w| w.seen_from(now)),
        }
    }
}

/// Says so when an account is neither configured nor on record: an empty answer would look like good news.
pub fn warn_of_unknown(globals: &Globals, opened: &Opened, account: Option<&AccountId>) {
    if let Some(account) = account.filter(|a| !opened.knows(a)) {
        complain(globals.no_color, "warning", &format!("no account \"{account}\" is configured, and none has ever written to this store"));
    }
}

fn code_and_subcode(text: &str) -> (String, Option<String>) {
    match text.split_once('.') {
        Some((code, subcode)) => (code.to_owned(), Some(subcode.to_owned())),
        None => (text.to_owned(), None),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        filters: Filters,
    }

    fn filter(line: &str) -> MessageFilter {
        Line::try_parse_from(line.split(' ')).unwrap().filters.filter(Millis(1_764_000_000_000))
    }

    #[test]
    fn codes_may_be_negative_and_have_a_sub_code() {
        assert_eq!(filter("x --failure-code -230").failure_code, Some(("-230".into(), None)));
        assert_eq!(filter("x --failure-code 10.2018300").failure_code, Some(("10".into(), Some("2018300".into()))));
    }

    #[test]
    fn a_span_counts_back_from_now() {
        assert_eq!(filter("x --since 1h").since, Some(Millis(1_764_000_000_000 - 3_600_000)));
        assert_eq!(filter("x"), MessageFilter::default());
    }
}
