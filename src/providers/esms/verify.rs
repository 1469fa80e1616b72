//! The secret path segment: eSMS signs nothing and publishes no addresses, so the token in the URL is the only proof there is.
//! It must not know what a callback says.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::providers::Refusal;

/// The shortest token that is accepted as a setting.
pub(super) const TOKEN_CHARS_MIN: usize = 16;

/// The accepted tokens of one account. Only their hashes are kept, so that lengths compare in constant time too.
pub(super) struct Tokens(Vec<[u8; 32]>);

impl Tokens {
    /// Every one of these is accepted.
    pub(super) fn new(tokens: &[String]) -> Tokens {
        Tokens(tokens.iter().map(|t| hash(t)).collect())
    }

    /// Compares a path segment with every token; one slash behind it is fine (a vendor example has one).
    ///
    /// # Errors
    /// The reason to count.
    pub(super) fn check(&self, token: Option<&str>) -> Result<(), Refusal> {
        let token = token.map(|t| t.strip_suffix('/').unwrap_or(t)).filter(|t| !t.is_empty()).ok_or(Refusal::Missing)?;
        if !is_possible(token) {
            return Err(Refusal::Malformed);
        }
        let given = hash(token);
        let fits = self.0.iter().fold(0u8, |fits, known| fits | known.ct_eq(&given).unwrap_u8());
        if fits == 1 { Ok(()) } else { Err(Refusal::Mismatch) }
    }
}

/// Fewest characters that a token must share with a right one to count as nearly right. So many nobody guesses, so whoever may read
/// the list of refusals cannot find a token out piece by piece.
const SHARED_CHARS_MIN: usize = 12;

/// The accepted tokens in small letters, to tell what is nearly one of them.
pub(super) struct Shapes(Vec<String>);

impl Shapes {
    /// Of these tokens.
    pub(super) fn new(tokens: &[String]) -> Shapes {
        Shapes(tokens.iter().map(|t| t.to_ascii_lowercase()).collect())
    }

    /// A text is one of the tokens but for case, a missing end or something behind it.
    pub(super) fn resemble(&self, text: &str) -> bool {
        let text = text.as_bytes();
        let like = |known: &String| {
            let shared = known.len().min(text.len());
            let (given, known) = (Sha256::digest(text[..shared].to_ascii_lowercase()), Sha256::digest(&known.as_bytes()[..shared]));
            shared >= SHARED_CHARS_MIN && bool::from(given.as_slice().ct_eq(known.as_slice()))
        };
        self.0.iter().fold(false, |fits, known| fits | like(known))
    }
}

/// The text could be a token: long enough, and nothing in it changes on its way through a URL.
pub(super) fn is_possible(token: &str) -> bool {
    token.len() >= TOKEN_CHARS_MIN && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~'))
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_a_rotation_is_accepted_and_no_other() {
        let tokens = Tokens::new(&["new-token-0123456789".into(), "old_token.0123456789~".into()]);
        for good in ["new-token-0123456789", "old_token.0123456789~", "new-token-0123456789/"] {
            assert_eq!(tokens.check(Some(good)), Ok(()), "{good}");
        }
        for wrong in ["new-token-012345678", "new-token-01234567890", "NEW-token-0123456789"] {
            assert_eq!(tokens.check(Some(wrong)), Err(Refusal::Mismatch), "{wrong}");
        }
    }

    #[test]
    fn no_token_is_missing_and_an_impossible_one_malformed() {
        let tokens = Tokens::new(&["new-token-0123456789".into()]);
        for missing in [None, Some(""), Some("/")] {
            assert_eq!(tokens.check(missing), Err(Refusal::Missing));
        }
        for malformed in ["short", "new-token-0123456789//", "new token 0123456789", "new-token-0123456789\0", "mã-bí-mật-rất-dài-0123"]
        {
            assert_eq!(tokens.check(Some(malformed)), Err(Refusal::Malformed), "{malformed:?}");
        }
        assert_eq!(Tokens::new(&[]).check(Some("new-token-0123456789")), Err(Refusal::Mismatch));
    }
}
