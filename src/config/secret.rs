//! A secret and how it is written: a text, `{ env = "NAME" }` or `{ file = "PATH" }`. It must not be shown by anything here.

use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::env::Env;
use super::error::Problem;

/// A secret. Its `Debug` shows nothing of it, and it has no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for the one place that compares or sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What may be shown of it.
    pub fn shown(&self) -> Shown {
        Shown::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What may be shown of a secret: enough to tell two apart and to see a cut-off one, too little to use it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Shown {
    /// Its length.
    pub characters: usize,
    /// The first four hex digits of its SHA-256.
    pub sha256_starts: String,
}

impl Shown {
    /// What may be shown of a secret.
    pub fn of(secret: &str) -> Shown {
        let hash = Sha256::digest(secret.as_bytes());
        Shown { characters: secret.chars().count(), sha256_starts: hash.iter().take(2).map(|b| format!("{b:02x}")).collect() }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "set, {} characters, sha256 starts {}", self.characters, self.sha256_starts)
    }
}

/// Reads a secret from the environment variable that was named for it.
pub(super) fn from_variable(name: &str, env: &Env) -> Result<String, Problem> {
    match env.get(name) {
        None => Err(Problem::SecretVariableMissing(name.into())),
        Some(Err(problem)) => Err(problem),
        Some(Ok("")) => Err(Problem::EmptySecret(format!(" in environment variable {name}"))),
        Some(Ok(text)) => Ok(text.into()),
    }
}

/// Reads a secret from a file; the line break at its end is not part of it.
pub(super) fn from_file(path: &str, folder: &Path) -> Result<String, Problem> {
    let path = folder.join(path);
    let shown = path.display().to_string();
    let text = std::fs::read_to_string(&path).map_err(|e| Problem::SecretFileUnreadable { path: shown.clone(), kind: e.kind() })?;
    match text.trim_end_matches(['\r', '\n']) {
        "" => Err(Problem::EmptySecret(format!(" in file {shown}"))),
        secret => Ok(secret.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = Secret::new("correct horse battery staple");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.shown().to_string(), "set, 28 characters, sha256 starts c4bb");
        assert_eq!(secret.expose(), "correct horse battery staple");
    }

    #[test]
    fn the_line_break_at_the_end_of_a_file_is_no_part_of_its_secret() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), " inner  blanks stay \r\n").unwrap();
        assert_eq!(from_file("key", folder.path()).unwrap(), " inner  blanks stay ");
    }
}
