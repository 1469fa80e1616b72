//! What a command can fail with, and the exit code of each.

use std::error::Error;
use std::io;

use crate::app::AppError;
use crate::config::ConfigError;
use crate::store::StoreError;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// There is no such thing, or the answer is "no".
    #[error("{0}")]
    No(String),
    /// It was asked for in a way that cannot be done.
    #[error("{0}")]
    Usage(String),
    /// The configuration has mistakes.
    #[error("the configuration cannot be used:\n{0}")]
    Config(ConfigError),
    /// The store cannot be opened, read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The server ended with an error.
    #[error(transparent)]
    App(#[from] AppError),
    /// The demonstration or the measurement ended with an error.
    #[error(transparent)]
    Demo(Box<dyn Error + Send + Sync>),
    /// The answer cannot be written to standard output.
    #[error("the answer cannot be written")]
    Output(#[from] io::Error),
    /// A file cannot be written.
    #[error("{path} cannot be written")]
    File {
        /// The file.
        path: String,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl CliError {
    /// The exit code of the contract.
    pub fn exit_code(&self) -> u8 {
        match self {
            _ if self.is_closed_pipe() => 0,
            CliError::No(_) | CliError::Demo(_) | CliError::Output(_) | CliError::File { .. } => 1,
            CliError::Usage(_) | CliError::Config(_) => 2,
            CliError::Store(_) => 3,
            CliError::App(e) => e.exit_code(),
        }
    }

    /// Whoever read the answer has seen enough.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, CliError::Output(e) if e.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The error with everything behind it.
    pub fn told(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(e) = source {
            text.push_str(": ");
            text.push_str(&e.to_string());
            source = e.source();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closed_pipe_is_success_and_other_faults_of_output_are_not() {
        assert_eq!(CliError::Output(io::ErrorKind::BrokenPipe.into()).exit_code(), 0);
        assert_eq!(CliError::Output(io::ErrorKind::StorageFull.into()).exit_code(), 1);
        let source = io::ErrorKind::BrokenPipe.into();
        assert_eq!(CliError::File { path: "x".into(), source }.exit_code(), 1);
    }

    #[test]
    fn each_kind_has_the_exit_code_of_the_contract() {
        assert_eq!(CliError::No("no".into()).exit_code(), 1);
        assert_eq!(CliError::Usage("how".into()).exit_code(), 2);
        assert_eq!(CliError::Store(StoreError::InUse { path: "x".into() }).exit_code(), 3);
    }

    #[test]
    fn an_error_is_told_with_its_cause() {
        let e = CliError::File { path: "a.csv".into(), source: io::Error::other("the disk is gone") };
        assert_eq!(e.told(), "a.csv cannot be written: the disk is gone");
    }
}
