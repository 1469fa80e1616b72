//! What a provider's conversations are about: until when a customer may be answered, and how to get one back from another app.
//!
//! It must not know one provider from another, nor what was told of any conversation.

use crate::domain::time::Span;

/// The rules of a provider's conversations.
#[derive(Clone, Copy, Debug)]
pub struct Conversations {
    /// How long after their last act a customer may be answered.
    pub window: Option<Span>,
    /// How long of it costs nothing.
    pub free: Option<Span>,
    /// The way back from another app, step by step: Vietnamese, English.
    pub way_back: &'static [(&'static str, &'static str)],
    /// Names of apps that need no guessing, by id. A hint: ids may change.
    pub app_names: &'static [(&'static str, &'static str)],
    /// Codes and sub-codes that are often the second face of a lost conversation.
    pub disguises: &'static [(&'static str, &'static str)],
}

impl Conversations {
    /// Nothing is known of them.
    pub const NONE: Conversations = Conversations { window: None, free: None, way_back: &[], app_names: &[], disguises: &[] };

    /// The name of an app.
    pub fn app_name(&self, app_id: &str) -> Option<&'static str> {
        self.app_names.iter().find(|(id, _)| *id == app_id).map(|(_, name)| *name)
    }

    /// Whether a failure may come from a lost conversation though its code says something else.
    pub fn is_disguise(&self, code: Option<&str>, subcode: Option<&str>) -> bool {
        self.disguises.iter().any(|(c, s)| code == Some(c) && subcode == Some(s))
    }
}
