//! `baophat check`.

use clap::Args;
use serde_json::json;

use super::out::{Out, complain};
use super::{CliError, Globals, Json, Verdict, open};
use crate::config::{Config, ConfigError, Env, Place, show, show_json};

/// Options of `check`.
#[derive(Debug, Args)]
pub struct Options {
    #[command(flatten)]
    json: Json,
}

/// Checks the configuration and prints what would be used. Nothing is started or opened.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let mut out = Out::stdout(globals.no_color);
    let file = open::config_file(globals);
    let config = match Config::load(file.as_deref(), &Env::of_process()) {
        Ok(config) => config,
        Err(e) => {
            if options.json.json {
                out.json(&mistakes(&e))?;
                out.finish()?;
            }
            return Err(CliError::Config(e));
        }
    };
    if options.json.json {
        out.json(&show_json(&config))?;
    } else {
        out.raw().write_all(show(&config).as_bytes())?;
    }
    out.finish()?;
    for warning in &config.warnings {
        complain(globals.no_color, "warning", warning);
    }
    Ok(Verdict::Done)
}

/// The mistakes for programs; what is wrong is told in words, as on standard error.
fn mistakes(e: &ConfigError) -> serde_json::Value {
    let mistakes = e.mistakes.iter().map(|m| {
        let (line, column, variable) = match &m.place {
            Place::Whole => (None, None, None),
            Place::At { line, column } => (Some(line), Some(column), None),
            Place::Variable(name) => (None, None, Some(name)),
        };
        json!({ "line": line, "column": column, "variable": variable, "key": m.key, "problem": m.problem.to_string() })
    });
    json!({ "file": e.file, "mistakes": mistakes.collect::<Vec<_>>() })
}
