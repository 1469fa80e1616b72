//! What the three providers put on the wire: answers to send calls and signed callbacks, about one message at a time.
//!
//! It plays the providers' side, so it names them and their words. It must not know our API, the story or a clock: every time is
//! handed in.

pub(super) mod esms;
pub(super) mod facebook;
pub(super) mod zalo;

use crate::domain::time::Millis;

/// Who carries a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// Zalo OA.
    Zalo,
    /// Facebook Messenger.
    Facebook,
    /// eSMS.
    Esms,
}

/// A message as both sides know it.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    /// Who carries it.
    pub carrier: Carrier,
    /// Kind slug.
    pub kind: &'static str,
    /// The template.
    pub template: Option<&'static str>,
    /// The shop's own id.
    pub reference: String,
    /// The provider's id.
    pub message_id: String,
    /// A phone number or a user id.
    pub recipient: String,
    /// What it says.
    pub text: String,
    /// The provider's server time of it.
    pub server_time: Millis,
}

/// Why a provider refuses a message, or reports it as failed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Trouble {
    /// How often, against the others of its list.
    pub weight: u32,
    /// HTTP status of the answer.
    pub status: u16,
    /// The code; empty for none.
    pub code: &'static str,
    /// The sub-code; empty for none.
    pub subcode: &'static str,
    /// The provider's own words.
    pub words: &'static str,
}

/// The raw answer to a send call.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// HTTP status; 0 for no answer.
    pub status: u16,
    /// The body.
    pub body: String,
    /// What went wrong on the way, when there was no answer.
    pub error: Option<&'static str>,
}

impl Answer {
    /// The call ran into its time limit.
    pub(super) fn timed_out() -> Answer {
        Answer { status: 0, body: String::new(), error: Some("operation timed out after 10000 ms") }
    }

    /// A gateway on the way answered instead of the provider.
    pub(super) fn bad_gateway() -> Answer {
        let body = "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>";
        Answer { status: 502, body: body.to_owned(), error: None }
    }
}

/// One request to the webhook edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hook {
    /// The path.
    pub path: String,
    /// The raw query; empty for none.
    pub query: String,
    /// Headers, lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The body of a POST; `None` for a GET.
    pub body: Option<String>,
}

impl Parcel {
    /// The answer that accepts it.
    pub(super) fn accepted(&self) -> Answer {
        match self.carrier {
            Carrier::Zalo => zalo::accepted(self),
            Carrier::Facebook => facebook::accepted(self),
            Carrier::Esms => esms::accepted(self),
        }
    }

    /// The answer that refuses it.
    pub(super) fn refused(&self, trouble: &Trouble) -> Answer {
        match self.carrier {
            Carrier::Zalo => zalo::refused(trouble),
            Carrier::Facebook => facebook::refused(trouble),
            Carrier::Esms => esms::refused(trouble),
        }
    }

    /// The provider tells that it was sent, where it tells such a thing.
    pub(super) fn echo(&self) -> Option<Hook> {
        match self.carrier {
            Carrier::Zalo => (self.template.is_none()).then(|| zalo::echo(self)),
            Carrier::Facebook => Some(facebook::echo(&[self])),
            Carrier::Esms => None,
        }
    }

    /// The receipt.
    pub(super) fn delivered(&self, at: Millis) -> Hook {
        match self.carrier {
            Carrier::Zalo => zalo::received(self, at),
            Carrier::Facebook => facebook::delivered(&[self], at),
            Carrier::Esms => esms::delivered(self),
        }
    }

    /// The read receipt, where there is one.
    pub(super) fn read(&self, at: Millis) -> Option<Hook> {
        match self.carrier {
            Carrier::Zalo if self.template.is_some() => Some(zalo::rated(self, at)),
            Carrier::Zalo => Some(zalo::seen(self, at)),
            Carrier::Facebook => Some(facebook::read(self, at)),
            Carrier::Esms => None,
        }
    }
}
