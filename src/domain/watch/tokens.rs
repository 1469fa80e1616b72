//! What send calls and the provider told of the tokens or keys of one account, by sender: which are accepted, which are dead, since when.
//!
//! Times are maxima, so the order in which they become known does not matter. It must not know what follows for the account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::pulse::later;
use super::standing::Reason;
use crate::domain::time::Millis;

/// Most senders (OAs, Pages, numbers) of one account whose tokens are told apart.
const SENDERS_MAX: usize = 64;

/// What was told of one sender's token or key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// A send was last accepted.
    pub accepted_at: Option<Millis>,
    /// A send was last refused for want of a valid token.
    pub refused_at: Option<Millis>,
    /// With this code.
    pub code: Option<String>,
    /// The provider told that the permission was withdrawn.
    pub revoked_at: Option<Millis>,
}

impl Token {
    /// Since when nothing was accepted after it was refused or revoked.
    fn dead_since(&self) -> Option<(Millis, Reason)> {
        let after = |at: &Option<Millis>| at.filter(|at| self.accepted_at.is_none_or(|ok| ok < *at));
        let revoked = after(&self.revoked_at).map(|at| (at, Reason::PermissionRevoked));
        revoked.or(after(&self.refused_at).map(|at| (at, Reason::TokenInvalid)))
    }

    fn is_accepted_after(&self, at: Millis) -> bool {
        self.accepted_at.is_some_and(|ok| ok > at)
    }
}

/// The tokens of an account; the empty name where the sender is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens(BTreeMap<String, Token>);

impl Tokens {
    /// A send was accepted.
    pub(super) fn accepted(&mut self, sender: Option<&str>, at: Millis) {
        if let Some(token) = self.of(sender) {
            later(&mut token.accepted_at, at);
        }
    }

    /// A send was refused for want of a valid token.
    pub(super) fn refused(&mut self, sender: Option<&str>, code: Option<&str>, at: Millis) {
        if let Some(token) = self.of(sender) {
            if token.refused_at.is_none_or(|t| t <= at) {
                token.code = code.map(str::to_owned);
            }
            later(&mut token.refused_at, at);
        }
    }

    /// The provider told that the account's permission was withdrawn.
    pub fn revoked(&mut self, sender: Option<&str>, at: Millis) {
        if let Some(token) = self.of(sender) {
            later(&mut token.revoked_at, at);
        }
    }

    fn of(&mut self, sender: Option<&str>) -> Option<&mut Token> {
        let name = sender.unwrap_or_default();
        if !self.0.contains_key(name) {
            if self.0.len() >= SENDERS_MAX {
                return None;
            }
            self.0.insert(name.to_owned(), Token::default());
        }
        self.0.get_mut(name)
    }

    /// Every sender with its token.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Token)> {
        self.0.iter().map(|(sender, token)| (sender.as_str(), token))
    }

    /// Every time that is known.
    pub(super) fn times(&mut self) -> impl Iterator<Item = &mut Millis> {
        self.0.values_mut().flat_map(|t| [&mut t.accepted_at, &mut t.refused_at, &mut t.revoked_at]).flatten()
    }

    /// A send was accepted after a moment, whoever's.
    pub fn accepted_after(&self, at: Millis) -> bool {
        self.0.values().any(|t| t.is_accepted_after(at))
    }

    /// The sender whose token is dead, since when and why; the one that died last.
    pub fn last_dead(&self) -> Option<(&str, Millis, Reason)> {
        let dead = self.0.keys().filter_map(|sender| self.dead(sender).map(|(at, why)| (sender.as_str(), at, why)));
        dead.max_by_key(|(sender, at, _)| (*at, *sender))
    }

    /// Since when a sender's token is dead, and why. What was accepted without a sender's name may have been this one's; and any acceptance
    /// counts against what was refused without a name.
    pub fn dead(&self, sender: &str) -> Option<(Millis, Reason)> {
        let (at, why) = self.0.get(sender)?.dead_since()?;
        let revived = if sender.is_empty() { self.accepted_after(at) } else { self.0.get("").is_some_and(|t| t.is_accepted_after(at)) };
        (!revived).then_some((at, why))
    }

    /// The token with which a sender's messages go out is dead, as far as known.
    pub fn is_dead(&self, sender: Option<&str>) -> bool {
        match sender {
            Some(sender) => self.dead(sender).is_some() || self.dead("").is_some(),
            None => self.last_dead().is_some(),
        }
    }
}
