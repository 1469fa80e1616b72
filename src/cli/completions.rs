//! `baophat completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::out::Out;
use super::{Cli, CliError, Globals, Verdict};

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct Options {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completion script.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(options.shell, &mut Cli::command(), "baophat", &mut script);
    let mut out = Out::stdout(globals.no_color);
    out.raw().write_all(&script)?;
    out.finish()?;
    Ok(Verdict::Done)
}
