//! `baophat demo`.

use std::time::Duration;

use clap::Args;

use super::lang::language;
use super::out::colored;
use super::{CliError, Globals, Json, Verdict, values};
use crate::config::Config;
use crate::demo::DemoOptions;

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct Options {
    /// How long it runs, such as 20s [default: until Ctrl-C]
    #[arg(long = "for", value_name = "SPAN", value_parser = values::duration)]
    run_for: Option<Duration>,
    /// How many times as fast as life
    #[arg(long, value_name = "N", default_value = "1", value_parser = values::speed)]
    speed: f64,
    /// Address to serve on [default: a free port of 127.0.0.1]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    #[command(flatten)]
    json: Json,
}

/// Runs the demonstration.
pub fn run(globals: &Globals, options: &Options) -> Result<Verdict, CliError> {
    let lang = language(globals.lang, options.json.json, &Config::default(), |name| std::env::var(name).ok());
    let color = colored(globals.no_color);
    let listen = options.listen.clone().unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let (run_for, speed, json) = (options.run_for, options.speed, options.json.json);
    crate::demo::run(DemoOptions { for_: run_for, speed, listen, json, lang, color }).map_err(|e| CliError::Demo(e.into()))?;
    Ok(Verdict::Done)
}
