//! The examples of the README run: its configuration is served by the built program, and every command in a `console` block is
//! carried out and compared with the lines under it.
//!
//! A block knows `export`, `curl` with `-s -X -H -d`, and `baophat`. The lines with `#` under a command give the HTTP status or `exit` and
//! the exit code, then what must stand in the answer: a JSON value of which every member must be there with its value (`"$NAME"` keeps
//! what is found, or compares with what was kept), or a piece of text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long an answer may take to become what the README says: folding follows the 200.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(25);

/// The address that the README writes.
const WRITTEN: &str = "http://127.0.0.1:8080";

fn read(path: &str) -> String {
    fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// The fenced blocks of a language: the line of the fence, and the text.
fn blocks(text: &str, language: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    for (i, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(tag)) => open = Some((i + 1, tag == language, String::new())),
            (Some(_), Some(_)) => found.extend(open.take().filter(|(_, wanted, _)| *wanted).map(|(at, _, block)| (at, block))),
            (Some((_, _, block)), None) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

/// The configuration file that a README shows.
fn config(readme: &str) -> String {
    let found = blocks(readme, "toml").into_iter().map(|(_, text)| text).find(|text| text.starts_with("# baophat.toml\n"));
    found.expect("a toml block that begins with `# baophat.toml`")
}

/// One command and what it must come to.
#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    command: String,
    expected: String,
}

fn steps(readme: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, block) in blocks(readme, "console") {
        for (i, line) in block.lines().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step { line: at + 1 + i, command: command.to_owned(), expected: String::new() });
            } else if let Some(expected) = line.strip_prefix("# ") {
                let step = steps.last_mut().expect("a command before its answer");
                step.expected = format!("{} {expected}", step.expected).trim().to_owned();
            } else if !line.is_empty() {
                let step = steps.last_mut().expect("a command before its second line");
                step.command += &format!("\n{line}");
            }
        }
    }
    steps
}

/// Splits a command as a shell does: quotes, `\`, and `$NAME` outside of single quotes.
fn words(command: &str, vars: &BTreeMap<String, String>) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = command.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\n') => words.extend(word.take()),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (Some(q), c) if c == q => quote = None,
            (None | Some('"'), '\\') => match chars.next() {
                Some('\n') | None => {}
                Some(c) => word.get_or_insert_default().push(c),
            },
            (None | Some('"'), '$') => {
                let mut name = String::new();
                while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                let value = vars.get(&name).unwrap_or_else(|| panic!("${name} is not set: {command}"));
                word.get_or_insert_default().push_str(value);
            }
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    assert_eq!(quote, None, "an open quote: {command}");
    words.extend(word);
    words
}

/// What a command came to: `200` or `exit 0`, and its output.
struct Outcome {
    verdict: String,
    output: String,
}

fn curl(words: &[String]) -> Outcome {
    let (mut method, mut url, mut body) = (None, None, None);
    let mut headers = Vec::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        match word.as_str() {
            "-s" => {}
            "-X" => method = rest.next().cloned(),
            "-H" => headers.push(rest.next().unwrap().split_once(": ").expect("a header")),
            "-d" => body = rest.next().cloned(),
            flag if flag.starts_with('-') => panic!("this runner does not know curl {flag}"),
            address => assert!(url.replace(address.to_owned()).is_none(), "two addresses"),
        }
    }
    let method = method.unwrap_or_else(|| if body.is_some() { "POST".into() } else { "GET".into() });
    let mut request = ureq::http::Request::builder().method(method.as_str()).uri(url.expect("an address"));
    // What curl adds to `-d` by itself.
    if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type", "application/x-www-form-urlencoded"));
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let answer = match body {
        Some(body) => agent.run(request.body(body).unwrap()),
        None if method == "POST" => agent.run(request.body(String::new()).unwrap()),
        None => agent.run(request.body(()).unwrap()),
    };
    let mut answer = answer.unwrap();
    Outcome { verdict: answer.status().as_u16().to_string(), output: answer.body_mut().read_to_string().unwrap() }
}

/// Every member of `wanted` is in `found`; lists are compared from their beginning.
fn contains(found: &Value, wanted: &Value, vars: &mut BTreeMap<String, String>, at: &str) -> Result<(), String> {
    let plain = || found.as_str().map_or_else(|| found.to_string(), str::to_owned);
    match (found, wanted) {
        (_, Value::String(text)) if text.starts_with('$') => {
            let kept = vars.entry(text[1..].to_owned()).or_insert_with(plain);
            if *kept == plain() { Ok(()) } else { Err(format!("{at}: {text} was {kept} and is {found}")) }
        }
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().try_for_each(|(name, value)| {
            let member = found.get(name).ok_or_else(|| format!("{at}/{name}: not there"))?;
            contains(member, value, vars, &format!("{at}/{name}"))
        }),
        (Value::Array(found), Value::Array(wanted)) => wanted.iter().enumerate().try_for_each(|(i, value)| {
            let item = found.get(i).ok_or_else(|| format!("{at}/{i}: not there"))?;
            contains(item, value, vars, &format!("{at}/{i}"))
        }),
        _ if found == wanted => Ok(()),
        _ => Err(format!("{at}: {found}, and not {wanted}")),
    }
}

fn compare(outcome: &Outcome, expected: &str, vars: &mut BTreeMap<String, String>) -> Result<(), String> {
    let rest = expected.strip_prefix(&outcome.verdict).ok_or_else(|| format!("it came to {}", outcome.verdict))?.trim();
    if !rest.starts_with('{') {
        return if outcome.output.contains(rest) { Ok(()) } else { Err(format!("{rest:?} is not in it")) };
    }
    let wanted = serde_json::from_str(rest).expect("the README's JSON");
    let found = serde_json::from_str(&outcome.output).map_err(|e| e.to_string())?;
    // What a failed comparison has kept does not count.
    let mut kept = vars.clone();
    contains(&found, &wanted, &mut kept, "")?;
    *vars = kept;
    Ok(())
}

/// A served README: its folder, its variables, and the program.
struct Session {
    folder: tempfile::TempDir,
    vars: BTreeMap<String, String>,
    server: Option<Child>,
    address: String,
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

impl Session {
    fn new(readme: &str) -> Session {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("baophat.toml"), config(readme)).unwrap();
        Session { folder, vars: BTreeMap::new(), server: None, address: WRITTEN.to_owned() }
    }

    fn program(&self, arguments: &[String]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baophat"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("BAOPHAT")) {
            command.env_remove(name);
        }
        command.args(arguments).current_dir(self.folder.path()).envs(&self.vars).env("NO_COLOR", "1");
        command
    }

    fn serve(&mut self, arguments: &[String]) {
        let mut command = self.program(arguments);
        command.env("BAOPHAT__LISTEN", "127.0.0.1:0").env("BAOPHAT__LOG__LEVEL", "error");
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let address = lines.find_map(|line| line.unwrap().strip_prefix("baophat is listening on ").map(str::to_owned));
        self.server = Some(server);
        self.address = address.expect("the server ended before it listened");
    }

    fn once(&mut self, command: &str) -> Outcome {
        let words = words(&command.replace(WRITTEN, &self.address), &self.vars);
        match words[0].as_str() {
            "export" => {
                let pairs = words[1..].iter().map(|w| w.split_once('=').expect("NAME=value"));
                self.vars.extend(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
                Outcome { verdict: String::new(), output: String::new() }
            }
            "curl" => curl(&words[1..]),
            "baophat" if words[1] == "serve" => {
                self.serve(&words[1..]);
                Outcome { verdict: String::new(), output: String::new() }
            }
            "baophat" => {
                let ended = self.program(&words[1..]).output().unwrap();
                let code = ended.status.code().map_or("by a signal".to_owned(), |c| c.to_string());
                let output = [ended.stdout, ended.stderr].concat();
                Outcome { verdict: format!("exit {code}"), output: String::from_utf8_lossy(&output).into_owned() }
            }
            other => panic!("this runner does not know {other}"),
        }
    }

    /// Carries a step out; a question is asked again until its answer fits or patience ends.
    fn run(&mut self, step: &Step) {
        let asks = !step.command.contains(" -d ") && !step.command.contains(" -X ");
        let until = Instant::now() + PATIENCE;
        loop {
            let outcome = self.once(&step.command);
            let Err(why) = compare(&outcome, &step.expected, &mut self.vars) else { return };
            if !asks || Instant::now() > until {
                panic!(
                    "README line {}\n$ {}\nmust come to: {}\nbut {why}:\n{} {}",
                    step.line, step.command, step.expected, outcome.verdict, outcome.output
                );
            }
            std::thread::park_timeout(PAUSE);
        }
    }
}

#[test]
fn every_example_of_the_readme_comes_to_what_it_says() {
    let readme = read("README.md");
    let mut session = Session::new(&readme);
    let steps = steps(&readme);
    assert!(steps.len() > 25, "{} examples", steps.len());
    for step in &steps {
        session.run(step);
    }
}

#[test]
fn both_readmes_show_the_same_examples() {
    let (english, vietnamese) = (read("README.md"), read("README.vi.md"));
    assert_eq!(config(&english), config(&vietnamese));
    let bare = |readme| steps(readme).into_iter().map(|s| (s.command, s.expected)).collect::<Vec<_>>();
    let (mut english, mut vietnamese) = (bare(&english).into_iter(), bare(&vietnamese).into_iter());
    loop {
        match (english.next(), vietnamese.next()) {
            (None, None) => return,
            (english, vietnamese) => assert_eq!(english, vietnamese),
        }
    }
}

#[test]
fn the_example_configuration_of_the_readme_is_complete() {
    let readme = read("README.md");
    let exported: Vec<String> = steps(&readme).iter().filter_map(|s| s.command.strip_prefix("export ").map(str::to_owned)).collect();
    for name in config(&readme).split("{ env = \"").skip(1).filter_map(|rest| rest.split_once('"')).map(|(name, _)| name.to_owned()) {
        assert!(exported.iter().any(|line| line.contains(&format!("{name}="))), "{name} is exported nowhere in the README");
    }
}

#[test]
fn the_runner_reads_commands_as_a_shell_does() {
    let vars = BTreeMap::from([("A".to_owned(), "x y".to_owned())]);
    let command = "curl -s \"$A/b\" -H 'c: $A' \\\n  -d '{\n\"d\": 1}' e\\ f \"\"";
    assert_eq!(words(command, &vars), ["curl", "-s", "x y/b", "-H", "c: $A", "-d", "{\n\"d\": 1}", "e f", ""]);
    let readme = "```console\n$ a b \\\n    c\n# 200 {\"d\": 1}\n# 2\n\n$ e\n```\n";
    let read = steps(readme);
    assert_eq!(read[0], Step { line: 2, command: "a b \\\n    c".into(), expected: "200 {\"d\": 1} 2".into() });
    assert_eq!((read[1].line, read[1].command.as_str()), (7, "e"));
}

#[test]
fn the_runner_compares_only_what_is_wanted_and_keeps_what_is_named() {
    let mut vars = BTreeMap::new();
    let outcome = Outcome { verdict: "200".into(), output: r#"{"id": "i1", "n": 7, "data": [{"a": 1, "b": 2}, {"a": 3}]}"#.into() };
    assert_eq!(compare(&outcome, r#"200 {"id": "$ID", "n": "$N", "data": [{"a": 1}]}"#, &mut vars), Ok(()));
    assert_eq!((vars["ID"].as_str(), vars["N"].as_str()), ("i1", "7"));
    for wrong in
        [r#"201 {}"#, r#"200 {"id": "i2"}"#, r#"200 {"data": [{"a": 3}]}"#, r#"200 {"n": "$ID"}"#, r#"200 {"more": 1}"#, "200 text"]
    {
        assert!(compare(&outcome, wrong, &mut vars).is_err(), "{wrong}");
    }
}
