//! What can be wrong with a configuration, where, and what to do about it. Never holds the value of a secret, nor a line of the
//! file (a line may hold one).

use std::fmt;
use std::io::ErrorKind;

use crate::domain::time::Span;

/// Everything that is wrong with a configuration, by line. The process ends with exit code 2 and starts nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The configuration file, or what stands for it where there is none.
    pub file: String,
    /// The mistakes: those of the file as a whole, then by line and column, then those of environment variables by name.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, mistake) in self.mistakes.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            match &mistake.place {
                Place::Whole => write!(f, "{}: ", self.file)?,
                Place::At { line, column } => write!(f, "{}:{line}:{column}: ", self.file)?,
                Place::Variable(name) => write!(f, "environment variable {name}: ")?,
            }
            if !mistake.key.is_empty() {
                write!(f, "{}: ", mistake.key)?;
            }
            write!(f, "{}", mistake.problem)?;
        }
        Ok(())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it was written.
    pub place: Place,
    /// The path of the key, such as `account[2].oa_secret_key` (accounts are counted from 1); empty where there is none.
    pub key: String,
    /// What is wrong and what to do.
    pub problem: Problem,
}

/// Where a value was written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole.
    Whole,
    /// A place in the file, both counted from 1; columns are characters.
    At {
        /// Line.
        line: usize,
        /// Column.
        column: usize,
    },
    /// An environment variable.
    Variable(String),
}

/// What is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The configuration file cannot be read.
    #[error("the configuration file cannot be read: {}. Check the path after --config and who may read the file.", kind_words(*.0))]
    Unreadable(ErrorKind),
    /// The file is no TOML.
    #[error("this is no valid TOML: {0}. A text needs quotes; a table begins with [name], an account with [[account]].")]
    Syntax(String),
    /// A key that does not exist.
    #[error("there is no such key{0}")]
    UnknownKey(String),
    /// An environment variable that belongs to no key.
    #[error("no key belongs to this variable{0}")]
    UnknownVariable(String),
    /// A value of another type than the key's.
    #[error("must be {wanted}, and is {found}")]
    WrongType {
        /// What the key takes.
        wanted: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A text without a character.
    #[error("is empty; write a value or remove the key")]
    Empty,
    /// A key that must be there and is not.
    #[error("is missing ({help}). Add it{or_variable}.")]
    Missing {
        /// What the key is.
        help: String,
        /// The environment variable that may give it instead, in words; empty where there is none.
        or_variable: String,
    },
    /// Neither an address with a port nor a name with a port.
    #[error("is no address with a port; write for example \"127.0.0.1:8080\", \"0.0.0.0:8080\" or \"[::1]:8080\"")]
    BadListen,
    /// No public origin.
    #[error("{0}; write the origin alone, for example \"https://hooks.example.vn\"")]
    BadPublicUrl(&'static str),
    /// No length of time.
    #[error("is no length of time; write for example \"90s\", \"15m\", \"2h\" or \"30d\"")]
    BadSpan,
    /// A length of time outside its bounds.
    #[error("must be between {min} and {max}")]
    SpanOutOfBounds {
        /// Shortest.
        min: Span,
        /// Longest.
        max: Span,
    },
    /// A number outside its bounds.
    #[error("must be a whole number between {min} and {max}")]
    OutOfBounds {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// A database URL that cannot be used.
    #[error("{0}; write for example \"sqlite:/var/lib/baophat/baophat.db\"")]
    BadDatabase(&'static str),
    /// PostgreSQL was asked for.
    #[error("PostgreSQL is not built into this version; use \"sqlite:PATH\"")]
    PostgresNotBuilt,
    /// A word that is none of the allowed ones.
    #[error("must be one of {0}")]
    NotOneOf(&'static str),
    /// No log level.
    #[error("is no log level; write off, error, warn, info, debug or trace, or several such as \"info,baophat=debug\"")]
    BadLevel,
    /// No account id.
    #[error("is no account id: it stands in the webhook URL and has 1 to 40 characters out of a-z, 0-9 and '-'")]
    BadAccountId,
    /// Two accounts of one id.
    #[error("account id \"{id}\" is taken already by the account at line {first_line}; each account needs an id of its own")]
    DuplicateAccount {
        /// The id.
        id: String,
        /// Where it was first given.
        first_line: usize,
    },
    /// A provider that this program does not know.
    #[error("there is no such provider{hint} It may be {known}.")]
    UnknownProvider {
        /// A guess at what was meant, ending its sentence.
        hint: String,
        /// Every provider.
        known: String,
    },
    /// No kind of message.
    #[error("is no kind of message: write its name as the API shows it, or \"default\" for every other kind")]
    BadKind,
    /// The same thing given twice in two spellings.
    #[error("is given twice, here and as {0}; keep one of them")]
    Twice(String),
    /// A secret that is neither text nor reference.
    #[error("a secret is a text, {{ env = \"NAME\" }} or {{ file = \"PATH\" }}, or a list of these; here is {0}")]
    BadSecret(&'static str),
    /// A secret without a character.
    #[error("the secret{0} is empty; put the secret there or remove the key")]
    EmptySecret(String),
    /// The environment variable that should hold a secret is not set.
    #[error(
        "environment variable {0} is not set; set it for the service (for example in its EnvironmentFile) or write the secret another way"
    )]
    SecretVariableMissing(String),
    /// The file that should hold a secret cannot be read.
    #[error("secret file {path} cannot be read: {}. Check the path (it counts from the configuration file's folder) and who may read it.", kind_words(*.kind))]
    SecretFileUnreadable {
        /// The path that was tried.
        path: String,
        /// Why.
        kind: ErrorKind,
    },
    /// The provider does not take a setting.
    #[error("{0}")]
    Refused(String),
    /// A variable that is no text.
    #[error("is not valid UTF-8; write it again")]
    NotUnicode,
}

fn kind_words(kind: ErrorKind) -> String {
    match kind {
        ErrorKind::NotFound => "there is no such file".into(),
        ErrorKind::PermissionDenied => "this user may not read it".into(),
        ErrorKind::IsADirectory => "it is a folder".into(),
        ErrorKind::InvalidData => "it is not valid UTF-8".into(),
        other => other.to_string(),
    }
}

/// The nearest of some words, if it is near enough to have been meant.
pub(super) fn nearest<'a>(word: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase().replace('-', "_");
    let far = (1 + word.chars().count() / 5).min(3);
    words
        .into_iter()
        .map(|w| (distance(&word, &w.to_lowercase().replace('-', "_")), w))
        .filter(|(d, _)| *d <= far)
        .min_by_key(|(d, _)| *d)
        .map(|(_, w)| w)
}

/// How many letters must be put in, taken out, replaced or swapped with their neighbour to get from one word to the other.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_word_finds_its_neighbour_and_a_strange_one_none() {
        let words = ["oa_secret_key", "app_id", "listen"];
        assert_eq!(nearest("oa_secert_key", words), Some("oa_secret_key"));
        assert_eq!(nearest("oa-secret-key", words), Some("oa_secret_key"));
        assert_eq!(nearest("Lisen", words), Some("listen"));
        assert_eq!(nearest("colour", words), None);
    }

    #[test]
    fn every_mistake_is_one_line_with_place_key_and_problem() {
        let at = |line| Place::At { line, column: 1 };
        let error = ConfigError {
            file: "baophat.toml".into(),
            mistakes: vec![
                Mistake { place: at(3), key: "listen".into(), problem: Problem::BadListen },
                Mistake {
                    place: Place::Variable("BAOPHAT__X".into()),
                    key: String::new(),
                    problem: Problem::UnknownVariable(String::new()),
                },
            ],
        };
        let text = error.to_string();
        assert!(text.starts_with("baophat.toml:3:1: listen: is no address with a port"), "{text}");
        assert!(text.ends_with("\nenvironment variable BAOPHAT__X: no key belongs to this variable"), "{text}");
    }
}
