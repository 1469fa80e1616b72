//! Why a message failed: classes, retry advice, one failure as a fact, and the entries of the failure catalogue.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::time::Millis;

/// Makes an enum whose members have fixed lower-case names, with `ALL`, `as_str` and `parse`.
macro_rules! named {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vmeta])* #[serde(rename = $text)] $variant),+ }
        impl $name {
            /// Every member, in order.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// The fixed outside name.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
            /// Reads the outside name.
            pub fn parse(text: &str) -> Option<$name> {
                match text { $($text => Some($name::$variant),)+ _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.pad(self.as_str()) }
        }
    };
}
pub(crate) use named;

named! {
    /// Whose business a failure is.
    Class {
        /// The recipient cannot or will not receive.
        Recipient = "recipient",
        /// Outside the time in which the provider lets us write.
        Window = "window",
        /// An allowance is used up.
        Quota = "quota",
        /// Too many calls in too short a time.
        RateLimit = "rate_limit",
        /// A token, key or secret is not accepted.
        Authorization = "authorization",
        /// Money or a paid package is missing.
        Billing = "billing",
        /// A right, role or approval is missing.
        Permission = "permission",
        /// The message or the request is not acceptable.
        Content = "content",
        /// The template is not acceptable.
        Template = "template",
        /// Another app holds the conversation.
        ThreadControl = "thread_control",
        /// The provider's own fault.
        Provider = "provider",
        /// The connection failed.
        Network = "network",
        /// Not known.
        Unknown = "unknown",
    }
}

named! {
    /// Whether and when sending again makes sense.
    Retry {
        /// Once more within about a minute.
        Now = "now",
        /// With back-off, after the throttle or outage is over.
        Later = "later",
        /// After the named thing was put right.
        AfterFix = "after_fix",
        /// After access was granted again.
        AfterReauthorization = "after_reauthorization",
        /// After the customer wrote to us again.
        AfterCustomerWrites = "after_customer_writes",
        /// Not at all.
        Never = "never",
    }
}

named! {
    /// A language of the texts.
    Lang {
        /// Vietnamese.
        Vi = "vi",
        /// English.
        En = "en",
    }
}

/// The code of an operator's mark.
pub const MARKED_FAILED: &str = "marked_failed";

/// One failure of one message, as observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The code is one of ours (`undelivered`, `http_401`, `marked_failed` …), not the provider's. A provider's own code wins.
    pub ours: bool,
    /// The provider's time of the failure, when it tells one.
    pub at: Option<Millis>,
    /// The code as text, with its sign; none when the provider gave none.
    pub code: Option<String>,
    /// The sub-code as text (Facebook).
    pub subcode: Option<String>,
    /// The provider's own words, unchanged.
    pub text: Option<String>,
    /// Class and retry to use where the catalogue has no entry, for example from the HTTP status of the answer.
    pub fallback: Option<(Class, Retry)>,
}

impl Failure {
    /// A failure with a provider's code.
    pub fn coded(code: impl Into<String>, text: Option<String>) -> Failure {
        Failure { ours: false, at: None, code: Some(code.into()), subcode: None, text, fallback: None }
    }

    /// A failure with a code of ours.
    pub fn ours(code: &str, text: Option<String>) -> Failure {
        Failure { ours: true, ..Failure::coded(code, text) }
    }

    /// The order in which the reported failure is chosen among several: the provider's own code before one of ours, then the
    /// earliest provider time, then the smaller code as text; the rest only breaks ties, so that the choice is total.
    fn rank(&self) -> impl Ord + '_ {
        let at = self.at.map_or((1, 0), |at| (0, at.0));
        let code = self.code.as_deref().map_or((1, ""), |c| (0, c));
        (self.ours || self.code.is_none(), at, code, self.subcode.as_deref(), self.text.as_deref(), self.fallback, self.ours)
    }

    /// Compares by the order of choice.
    pub fn cmp_choice(&self, other: &Failure) -> Ordering {
        self.rank().cmp(&other.rank())
    }

    /// The one of two that is reported: a join (commutative, associative, idempotent).
    pub fn join(mine: &mut Option<Failure>, other: Option<&Failure>) {
        if let Some(other) = other
            && mine.as_ref().is_none_or(|m| other.cmp_choice(m) == Ordering::Less)
        {
            *mine = Some(other.clone());
        }
    }
}

/// The three texts of a catalogue entry in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    /// What it is, in a few words.
    pub title: String,
    /// Why it happened.
    pub cause: String,
    /// What to do, and who does it.
    pub remedy: String,
}

/// Class and retry of a code where the provider's text has one of these words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByWords {
    /// The words, in lower case.
    pub words: Vec<String>,
    /// The class then.
    pub class: Class,
    /// The retry advice then.
    pub retry: Retry,
}

/// One entry of the failure catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The code as text, with its sign.
    pub code: String,
    /// The sub-code, where the provider has them.
    #[serde(default)]
    pub subcode: Option<String>,
    /// The class; none only for codes that are no failure.
    #[serde(default)]
    pub class: Option<Class>,
    /// The retry advice; none only for codes that are no failure.
    #[serde(default)]
    pub retry: Option<Retry>,
    /// A second meaning of the same code, told apart by the provider's words alone.
    #[serde(default)]
    pub by_words: Option<ByWords>,
    /// Message kinds or calls it concerns; empty for all.
    #[serde(default)]
    pub applies_to: Vec<String>,
    /// How well the meaning is known.
    pub standing: String,
    /// Vietnamese texts.
    pub vi: Texts,
    /// English texts.
    pub en: Texts,
}

impl Entry {
    /// Class and retry, given the provider's own text; none for codes that are no failure.
    pub fn judge(&self, text: Option<&str>) -> Option<(Class, Retry)> {
        if let (Some(other), Some(text)) = (&self.by_words, text) {
            let text = text.to_lowercase();
            if other.words.iter().any(|word| text.contains(word)) {
                return Some((other.class, other.retry));
            }
        }
        self.class.zip(self.retry)
    }

    /// The texts in a language.
    pub fn texts(&self, lang: Lang) -> &Texts {
        match lang {
            Lang::Vi => &self.vi,
            Lang::En => &self.en,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(all: &[Failure]) -> Option<Failure> {
        let mut best = None;
        for f in all {
            Failure::join(&mut best, Some(f));
        }
        best
    }

    #[test]
    fn the_providers_code_wins_then_the_earliest_time_then_the_smaller_text() {
        let mark = Failure::ours(MARKED_FAILED, None);
        let undelivered = Failure::ours("undelivered", None);
        let late = Failure { at: Some(Millis(20)), ..Failure::coded("-118", None) };
        let early = Failure { at: Some(Millis(10)), ..Failure::coded("-230", None) };
        let timeless = Failure::coded("-100", None);
        let all = [mark.clone(), undelivered.clone(), late.clone(), early.clone(), timeless.clone()];
        let mut reversed = all.clone();
        reversed.reverse();
        assert_eq!(chosen(&all), Some(early));
        assert_eq!(chosen(&all), chosen(&reversed));
        assert_eq!(chosen(&[mark.clone(), undelivered.clone()]), Some(mark));
        assert_eq!(chosen(&[undelivered, timeless.clone()]), Some(timeless));
    }
}
