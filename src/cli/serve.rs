//! `baophat serve`.

use clap::Args;

use super::{CliError, Globals, Verdict, open};

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct Options {}

/// Serves until told to stop.
pub fn run(globals: &Globals, _options: &Options) -> Result<Verdict, CliError> {
    crate::app::serve(open::config(globals)?)?;
    Ok(Verdict::Done)
}
