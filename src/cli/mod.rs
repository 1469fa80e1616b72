//! The command line: what is typed, turned into one command, and the exit code that follows.
//!
//! Exit codes: 0 done, 1 the answer is "no" or "not found", 2 usage or configuration, 3 the store cannot be opened. A closed pipe is
//! success. Answers go to standard output, everything else to standard error. One file a command; it must not know HTTP handlers or SQL.

mod accounts;
mod alert;
mod backup;
mod bench;
mod callbacks;
mod check;
mod completions;
mod csv;
mod demo;
mod error;
mod explain;
mod export;
mod field;
mod filter;
mod incidents;
mod lang;
mod messages;
mod open;
mod out;
mod outbox;
mod pages;
mod progress;
mod rebuild;
mod remote;
mod report;
mod reprocess;
mod serve;
mod show;
mod stats;
mod stuck;
mod templates;
mod text;
mod threads;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use error::CliError;

use crate::domain::failure::Lang;

/// What a command came to, when nothing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Done, or "yes".
    Done,
    /// The answer is "no".
    No,
}

/// Knows what happened to every message: takes in the delivery callbacks of Zalo OA, Facebook Messenger and eSMS, and explains them.
#[derive(Debug, Parser)]
#[command(name = "baophat", version, propagate_version = true, disable_help_subcommand = true, arg_required_else_help = true, after_help = AFTER_HELP)]
pub struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str =
    "Exit codes: 0 done, 1 the answer is \"no\" or \"not found\", 2 usage or configuration, 3 the store cannot be opened.";

/// What every command understands.
#[derive(Clone, Debug, Default, Args)]
pub struct Globals {
    /// Configuration file [default: ./baophat.toml if there is one, else the built-in defaults]
    #[arg(long, global = true, value_name = "FILE", env = "BAOPHAT_CONFIG", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Language of texts [default: `lang` of the configuration; else, for people, that of LC_ALL or LANG; else vi]
    #[arg(long, global = true, value_name = "LANG", value_parser = values::among(Lang::ALL, Lang::as_str), help_heading = "Everywhere")]
    pub lang: Option<Lang>,
    /// No colours, also on a terminal (NO_COLOR=1 does the same)
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub no_color: bool,
}

/// Output for programs.
#[derive(Clone, Copy, Debug, Default, Args)]
pub struct Json {
    /// Print JSON: the same document as the HTTP API
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take in callbacks and serve the API
    Serve(serve::Options),
    /// Show the live system: a throw-away store and a believable afternoon of signed traffic
    Demo(demo::Options),
    /// Check the configuration and print what would be used
    Check(check::Options),
    /// What is stuck, why, and what to do
    Stuck(stuck::Options),
    /// What became of the messages of a span of time: counts, delivery, latency, money
    Stats(stats::Options),
    /// List messages, newest first
    Messages(messages::Options),
    /// One message with its timeline
    Show(show::Options),
    /// What the provider's support needs to know of one message
    Report(report::Options),
    /// What a provider's code means and what to do (needs no configuration)
    Explain(explain::Options),
    /// How the accounts stand, what is missing, and what to do
    Accounts(accounts::Options),
    /// What is wrong with many messages at once, newest first
    Incidents(incidents::Options),
    /// Message templates: where they stand with the provider, and how their messages fare
    Templates(templates::Options),
    /// Who holds one conversation, until when the customer may be answered, and the way back
    Threads(threads::Options),
    /// The stored callbacks, newest first
    Callbacks(callbacks::Options),
    /// Process stored callbacks again
    Reprocess(reprocess::Options),
    /// Who is told of what happens, and whether it arrives
    Alert(alert::Options),
    /// What waits to be sent on, what was given up
    Outbox(outbox::Options),
    /// Copy the store to a safe place, also while it is served
    Backup(backup::Options),
    /// Write every matching message, newest first, as JSON lines or CSV
    Export(export::Options),
    /// Make the messages anew from the stored records (the server must be stopped)
    Rebuild(rebuild::Options),
    /// Measure what it can take on this machine
    Bench(bench::Options),
    /// The handler that `bench --bare` compares with
    #[command(hide = true)]
    BenchBare,
    /// Print the completion script of a shell
    Completions(completions::Options),
}

/// The whole program.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// Runs what was typed; the exit code.
pub fn run<T: Into<OsString> + Clone>(typed: impl IntoIterator<Item = T>) -> u8 {
    let cli = match Cli::try_parse_from(typed) {
        Ok(cli) => cli,
        Err(e) => {
            // Help and version come this way too. There is nobody to tell when it cannot be printed.
            let _ = e.print();
            return if e.use_stderr() { 2 } else { 0 };
        }
    };
    match cli.command.run(&cli.globals) {
        Ok(Verdict::Done) => 0,
        Ok(Verdict::No) => 1,
        Err(e) => {
            if !e.is_closed_pipe() {
                out::complain(cli.globals.no_color, "error", &e.told());
            }
            e.exit_code()
        }
    }
}

impl Command {
    fn run(&self, globals: &Globals) -> Result<Verdict, CliError> {
        match self {
            Command::Serve(options) => serve::run(globals, options),
            Command::Demo(options) => demo::run(globals, options),
            Command::Check(options) => check::run(globals, options),
            Command::Stuck(options) => stuck::run(globals, options),
            Command::Stats(options) => stats::run(globals, options),
            Command::Messages(options) => messages::run(globals, options),
            Command::Show(options) => show::run(globals, options),
            Command::Report(options) => report::run(globals, options),
            Command::Explain(options) => explain::run(globals, options),
            Command::Accounts(options) => accounts::run(globals, options),
            Command::Incidents(options) => incidents::run(globals, options),
            Command::Templates(options) => templates::run(globals, options),
            Command::Threads(options) => threads::run(globals, options),
            Command::Callbacks(options) => callbacks::run(globals, options),
            Command::Reprocess(options) => reprocess::run(globals, options),
            Command::Alert(options) => alert::run(globals, options),
            Command::Outbox(options) => outbox::run(globals, options),
            Command::Backup(options) => backup::run(globals, options),
            Command::Export(options) => export::run(globals, options),
            Command::Rebuild(options) => rebuild::run(globals, options),
            Command::Bench(options) => bench::run(globals, options),
            Command::BenchBare => bench::bare(),
            Command::Completions(options) => completions::run(globals, options),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The exit code of parsing alone: 0 means that it is understood.
    fn parsed(line: &str) -> u8 {
        match Cli::try_parse_from(line.split(' ')) {
            Ok(_) => 0,
            Err(e) if e.use_stderr() => 2,
            Err(_) => 0,
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn what_the_contract_names_is_understood() {
        let lines = [
            "baophat serve --config a.toml",
            "baophat check --json --config a.toml",
            "baophat --config a.toml stuck --fail-if-any --list --lang vi",
            "baophat messages --state failed --provider zalo --account shop-oa --sender 1 --kind zns --template-id 2 --recipient +84901234567",
            "baophat messages --message-id x --ref y --stuck --partial --conflict --failure-class window --failure-code -230 --limit 500",
            "baophat messages --since 2026-01-31 --until 2h --cursor AQAAAZq2l-hvAAAAAAAAACqrLeZr --json",
            "baophat show 0190f6c2-0000-7000-8000-000000000000 --json",
            "baophat show --ref order-1 --account shop-oa",
            "baophat report 0190f6c2-0000-7000-8000-000000000000 --format md --lang vi --full",
            "baophat report order-1 --json",
            "baophat explain zalo -230",
            "baophat explain zalo -- -230",
            "baophat explain zalo -230 --json --lang en",
            "baophat explain zalo --json -230",
            "baophat explain facebook 10.2018300 --family graph",
            "baophat explain",
            "baophat explain zalo --search template",
            "baophat accounts --json --fail-if-unwell",
            "baophat accounts shop-oa --lang en",
            "baophat incidents --all --account shop-oa --limit 5 --fail-if-any",
            "baophat incidents 12 --json",
            "baophat templates --status rejected --account shop-oa --limit 5 --json",
            "baophat threads shop-page 7310000000012345 --sender 104417700031337 --json --lang en",
            "baophat stats --by template --account shop-oa --since 7d --until 1d --json",
            "baophat callbacks --status error --account shop-oa --since 1d --limit 5 --json",
            "baophat callbacks show 12 --raw",
            "baophat reprocess 12",
            "baophat reprocess --status error --api-key abc",
            "baophat alert test",
            "baophat alert test on-call --json",
            "baophat alert test --all",
            "baophat alert list --json",
            "baophat outbox --dead --subscription erp --json",
            "baophat outbox replay 12",
            "baophat outbox replay --all --api-key abc",
            "baophat backup /tmp/x",
            "baophat export --format csv --output x.csv --state read",
            "baophat rebuild --keep",
            "baophat demo --for 20s --speed 10 --listen 127.0.0.1:0 --json --lang en --no-color",
            "baophat bench --length 5s --rounds 2 --bare --audit --rate 1000 --json",
            "baophat bench --proof --messages 100000 --only edge,stored --store-dir /tmp/x --json",
            "baophat completions fish",
            "baophat --version",
            "baophat stuck --help",
        ];
        for line in lines {
            assert_eq!(parsed(line), 0, "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_refused() {
        let lines = [
            "baophat",
            "baophat nothing",
            "baophat serve --no-such-flag",
            "baophat explain nobody 1",
            "baophat messages --state gone",
            "baophat messages --limit 0",
            "baophat messages --limit 501",
            "baophat messages --since yesterday",
            "baophat messages --cursor nonsense",
            "baophat messages --account Shop",
            "baophat show",
            "baophat show x --ref y",
            "baophat report",
            "baophat report x --format pdf",
            "baophat reprocess",
            "baophat reprocess 1 --status error",
            "baophat reprocess --status received",
            "baophat stuck --lang fr",
            "baophat stats --by moon",
            "baophat alert test x --all",
            "baophat outbox replay",
            "baophat outbox replay 1 --all",
            "baophat demo --speed 0",
            "baophat demo --for soon",
            "baophat bench --connections 0",
            "baophat bench --quick",
            "baophat bench --proof --bare",
        ];
        for line in lines {
            assert_eq!(parsed(line), 2, "{line}");
        }
    }

    #[test]
    fn a_negative_code_is_a_code() {
        for line in ["baophat explain zalo -230", "baophat explain zalo -- -230", "baophat explain zalo -230 --family oa"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            let Command::Explain(options) = cli.command else { panic!("{line}") };
            assert_eq!(options.code.as_deref(), Some("-230"), "{line}");
        }
    }

    #[test]
    fn exit_codes_are_those_of_the_contract() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("a.toml");
        std::fs::write(&config, format!("database = \"sqlite:{}\"\n", dir.path().join("none.db").display())).unwrap();
        let config = config.to_str().unwrap();
        assert_eq!(run(["baophat", "explain", "zalo", "-230", "--json", "--config", config]), 0);
        assert_eq!(run(["baophat", "explain", "zalo", "-99999", "--config", config]), 1);
        assert_eq!(run(["baophat", "explain", "nobody", "1"]), 2);
        assert_eq!(run(["baophat", "stuck", "--config", config]), 3);
        assert_eq!(run(["baophat", "stuck", "--config", "/no/such/file.toml"]), 2);
    }
}
