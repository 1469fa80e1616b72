//! Reading members out of a Zalo callback, whatever variant it has; no meaning is given to an event here.
//!
//! Bodies come in variants: members inside `message` or flat beside it, parties as objects or as plain texts, ids and times as
//! texts or as numbers. Everything is read leniently and without losing a digit.

use crate::domain::time::Millis;
use crate::providers::json::{Object, Raw};

/// Longest text that is kept in a timeline's details, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// A readable body.
pub(super) struct Payload<'a> {
    top: Object<'a>,
    message: Option<Object<'a>>,
    arrival: Millis,
}

/// The ids of messages that a body names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ids {
    /// At least one, each once, in order.
    Named(Vec<String>),
    /// An id with white space in it: a sample of the console's test button.
    Probe,
    /// None, or none of a usable type.
    Missing,
}

/// The two sides of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Parties {
    /// The OA.
    pub(super) oa: Option<String>,
    /// The user, phone number, hash of a phone number, or group.
    pub(super) user: Option<String>,
}

/// Where the OA stands when nothing tells better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OaAt {
    /// In `sender`: echoes and receipts.
    Sender,
    /// In `recipient`: what a user did.
    Recipient,
}

impl<'a> Payload<'a> {
    /// Reads the body's first level.
    pub(super) fn read(body: &'a [u8], arrival: Millis) -> Result<Payload<'a>, String> {
        let top = Object::parse(body).map_err(|e| cut(&e))?;
        let message = top.object("message");
        Ok(Payload { top, message, arrival })
    }

    /// A top-level text that is not empty.
    pub(super) fn top_text(&self, name: &str) -> Option<String> {
        self.top.text(name).filter(|t| !t.is_empty())
    }

    /// A top-level member that is not null.
    pub(super) fn top(&self, name: &str) -> Option<Raw<'a>> {
        self.top.get(name)
    }

    /// Every top-level member, in order.
    pub(super) fn top_members(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.top.members()
    }

    /// A member of `message`, else one of that name at the top.
    pub(super) fn member(&self, name: &str) -> Option<Raw<'a>> {
        self.in_message(name).or_else(|| self.top.get(name))
    }

    fn in_message(&self, name: &str) -> Option<Raw<'a>> {
        self.message.as_ref()?.get(name)
    }

    /// A text of `message`, else of the top, that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.member(name)?.text().filter(|t| !t.is_empty())
    }

    /// A text for a timeline's details.
    pub(super) fn short_text(&self, name: &str) -> Option<String> {
        self.text(name).map(|t| cut(&t))
    }

    /// A time in milliseconds, if it can be one; samples and tests have other numbers there.
    pub(super) fn time(&self, name: &str) -> Option<Millis> {
        let candidates = [self.in_message(name), self.top.get(name)];
        candidates.into_iter().flatten().find_map(|raw| Millis(raw.integer()?).plausible(self.arrival))
    }

    /// The top-level `timestamp`, if it can be a time.
    pub(super) fn timestamp(&self) -> Option<Millis> {
        Millis(self.top.integer("timestamp")?).plausible(self.arrival)
    }

    /// The one message id of an event; `top_first` for the event that has it beside `message`.
    pub(super) fn message_id(&self, top_first: bool) -> Ids {
        let (inner, outer) = (self.in_message("msg_id"), self.top.get("msg_id"));
        let order = if top_first { [outer, inner] } else { [inner, outer] };
        sort_out(order.into_iter().flatten().filter_map(read_id).take(1))
    }

    /// Every message id of an event that may name several.
    pub(super) fn message_ids(&self) -> Ids {
        let (inner, outer) = (self.in_message("msg_ids"), self.top.get("msg_ids"));
        let listed = [inner, outer].into_iter().flatten().filter_map(|raw| raw.array()).flatten();
        match sort_out(listed.filter_map(read_id)) {
            Ids::Missing => self.message_id(false),
            found => found,
        }
    }

    /// The OA that the body names besides its parties; one event spells it `oaId`.
    pub(super) fn oa_id(&self) -> Option<String> {
        self.top_text("oa_id").or_else(|| self.top_text("oaId"))
    }

    /// The user that the body names besides its parties: of a follow, a call, a button.
    pub(super) fn user_id(&self) -> Option<String> {
        self.party("follower").or_else(|| self.top_text("user_id"))
    }

    /// A top-level number, perhaps written as a text.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        self.top.integer(name)
    }

    /// A party: an object with `id`, or the id itself.
    fn party(&self, name: &str) -> Option<String> {
        let raw = self.top.get(name)?;
        let id = match raw.object() {
            Some(party) => party.text("id"),
            None => raw.text(),
        };
        id.filter(|t| !t.is_empty())
    }

    /// The member of staff who typed a message by hand.
    pub(super) fn admin_id(&self) -> Option<String> {
        self.top.object("sender")?.text("admin_id").filter(|t| !t.is_empty()).map(|t| cut(&t))
    }

    fn positions(&self, oa_at: OaAt) -> (Option<String>, Option<String>) {
        let (sender, recipient) = (self.party("sender"), self.party("recipient"));
        match oa_at {
            OaAt::Sender => (sender, recipient),
            OaAt::Recipient => (recipient, sender),
        }
    }

    /// The event belongs to an OA that is not configured. A party that stands where a user stands says nothing about that.
    pub(super) fn is_foreign(&self, oa_ids: &[String], oa_at: OaAt) -> bool {
        let named = self.oa_id();
        let (oa, user) = self.positions(oa_at);
        let ours = [&named, &oa, &user].into_iter().flatten().any(|id| oa_ids.contains(id));
        !oa_ids.is_empty() && !ours && (named.is_some() || oa.is_some())
    }

    /// Who is the OA and who the user. Known OA ids decide; some bodies have the two reversed, so the position is only believed
    /// where no id is known.
    pub(super) fn parties(&self, oa_ids: &[String], oa_at: OaAt) -> Parties {
        let named = self.oa_id();
        let is_oa = |id: &Option<String>| id.is_some() && (*id == named || id.as_ref().is_some_and(|id| oa_ids.contains(id)));
        let (oa, user) = self.positions(oa_at);
        if is_oa(&oa) {
            Parties { oa, user }
        } else if is_oa(&user) {
            Parties { oa: user, user: oa }
        } else if named.is_some() {
            // Neither party is the OA: in groups the sender may be a member of staff, and the recipient is the group.
            Parties { oa: named, user: user.or(oa) }
        } else {
            Parties { oa, user }
        }
    }
}

/// An id: a text, or the digits of a number. Control characters make it none, since no store takes them as a key.
fn read_id(raw: Raw<'_>) -> Option<String> {
    let unusable = |c: char| c.is_control() && !c.is_whitespace();
    raw.text().filter(|id| !id.is_empty() && !id.contains(unusable))
}

fn sort_out(ids: impl Iterator<Item = String>) -> Ids {
    let mut seen = std::collections::HashSet::new();
    let (blank, named): (Vec<_>, Vec<_>) = ids.filter(|id| seen.insert(id.clone())).partition(|id| id.contains(char::is_whitespace));
    match (named.is_empty(), blank.is_empty()) {
        (false, _) => Ids::Named(named),
        (true, false) => Ids::Probe,
        (true, true) => Ids::Missing,
    }
}

/// One member at the top level of a body that may be anything.
pub(super) fn top_text(body: &[u8], name: &str) -> Option<String> {
    Object::parse(body).ok()?.text(name)
}

/// The first characters of a text, enough for a timeline or a reason.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(DETAIL_CHARS_MAX).collect()
}
