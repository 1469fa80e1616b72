//! The house rules as a test: it reads the sources and the documents of this repository and names every line that breaks a rule.
//!
//! `FLOORS` is the plan of the house (ARCHITECTURE.md tells why). Exceptions stand beside the rule they are exceptions of, each with
//! its reason; an exception that is no longer needed fails too. Nothing is built or started here.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test says what is wrong by ending")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

#[path = "tidy/source.rs"]
mod source;

use source::{Source, sources};

/// One room of the house: what it may name.
struct Room {
    name: &'static str,
    /// Rooms of this crate; itself is always allowed.
    rooms: &'static [&'static str],
    /// Crates of others.
    crates: &'static [&'static str],
}

const fn room(name: &'static str, rooms: &'static [&'static str], crates: &'static [&'static str]) -> Room {
    Room { name, rooms, crates }
}

/// Who may name whom. A room is a folder or a file directly under `src/`.
const FLOORS: &[Room] = &[
    // 0: the words of the field. Knows nobody.
    // postcard: what is watched is kept as bytes whose meaning the store does not know.
    room("domain", &[], &["serde", "serde_json", "thiserror", "chrono", "postcard"]),
    // 1: two rooms that do not know each other.
    room("providers", &["domain"], &["serde", "serde_json", "thiserror", "sha2", "hmac", "subtle", "toml", "form_urlencoded", "base64"]),
    room("store", &["domain"], &["serde", "serde_json", "thiserror", "rusqlite", "rustix", "postcard", "sha2"]),
    // Beside the floors: values that are handed in.
    room("clock", &["domain"], &["chrono"]),
    room("metrics", &[], &["prometheus_client"]),
    room("config", &["domain", "providers"], &["base64", "serde", "serde_json", "thiserror", "toml", "sha2"]),
    room("logging", &["config"], &["tracing", "tracing_subscriber"]),
    // 2: the pipeline.
    room("ingest", &["domain", "providers", "store", "clock", "config", "metrics"], &["thiserror", "tokio", "rustix", "tracing"]),
    // The outside view, for both doors.
    room("present", &["domain", "providers", "store", "ingest"], &["base64", "serde", "serde_json", "utoipa"]),
    // Telling on what happened: behind the pipeline, in front of the doors.
    room(
        "outbox",
        &["domain", "store", "ingest", "present", "clock", "config", "metrics"],
        &["base64", "hmac", "lettre", "serde", "serde_json", "sha2", "thiserror", "tracing", "ureq"],
    ),
    // 3: the doors.
    room(
        "http",
        &["domain", "providers", "store", "ingest", "outbox", "present", "clock", "config", "metrics"],
        &[
            "actix_http",
            "actix_service",
            "actix_web",
            "base64",
            "bytes",
            "futures_util",
            "getrandom",
            "mime",
            "serde",
            "serde_json",
            "sha2",
            "subtle",
            "thiserror",
            "tokio",
            "tracing",
            "utoipa",
            "utoipa_swagger_ui",
        ],
    ),
    room(
        "cli",
        &["domain", "providers", "store", "ingest", "outbox", "present", "clock", "config", "logging", "metrics", "app", "demo", "bench"],
        &[
            "anstream",
            "base64",
            "clap",
            "clap_complete",
            "comfy_table",
            "owo_colors",
            "serde",
            "serde_json",
            "thiserror",
            "tokio",
            "toml",
            "tracing",
            "ureq",
        ],
    ),
    room(
        "demo",
        &["domain", "providers", "store", "ingest", "present", "clock", "config", "logging", "metrics", "app"],
        &[
            "actix_web",
            "anstream",
            "base64",
            "chrono",
            "comfy_table",
            "form_urlencoded",
            "getrandom",
            "hmac",
            "owo_colors",
            "serde",
            "serde_json",
            "sha2",
            "terminal_size",
            "thiserror",
            "tokio",
            "tracing",
            "ureq",
        ],
    ),
    room(
        "bench",
        &["domain", "providers", "store", "ingest", "present", "clock", "config", "logging", "metrics", "app"],
        &[
            "actix_web",
            "anstream",
            "getrandom",
            "hdrhistogram",
            "hmac",
            "rustix",
            "serde",
            "serde_json",
            "sha2",
            "thiserror",
            "tokio",
            "tracing",
            "ureq",
        ],
    ),
    // Composition.
    room(
        "app",
        &["domain", "providers", "store", "ingest", "outbox", "http", "clock", "config", "logging", "metrics"],
        &["actix_web", "rustix", "thiserror", "tokio", "tracing"],
    ),
    room("lib", &["cli"], &[]),
    room("main", &[], &["baophat", "mimalloc"]),
];

/// Rooms that play the outside world to the program: they speak HTTP and sign as every provider does.
const PLAYERS: &[&str] = &["demo", "bench"];

/// Most lines of a file without its tests.
const FILE_LINES_MAX: usize = 500;

/// Most lines of a function without its tests.
const FUNCTION_LINES_MAX: usize = 70;

/// Files that are longer, how long they may be, and why.
const LONG_FILES: &[(&str, usize, &str)] = &[];

/// Functions that are longer, how long they may be, and why.
const LONG_FUNCTIONS: &[(&str, &str, usize, &str)] = &[];

/// Sources that name a provider outside its folder, and why.
const NAMES_A_PROVIDER: &[(&str, &str)] =
    &[("src/http/verification.rs", "the path and the meta tag of the domain check are fixed by the provider")];

/// Sources that speak HTTP without answering it, and why.
const ASKS_OVER_HTTP: &[(&str, &str)] = &[("src/cli/remote.rs", "where a server holds the store, a command asks it")];

/// Exceptions whose files are there and that nothing needed.
fn unneeded<'e>(listed: impl Iterator<Item = &'e str>, needed: &BTreeSet<String>) -> Vec<String> {
    let gone = listed.filter(|path| root().join(path).exists() && !needed.contains(*path));
    gone.map(|path| format!("{path}: no exception is needed any more")).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Fails with every finding, one a line.
fn nothing(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}\n  {}\n", found.join("\n  "));
}

/// The crates of `[dependencies]` and `[dev-dependencies]`, as they are written in code.
fn dependencies() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let tables = manifest.split("\n[").filter(|t| t.starts_with("dependencies]") || t.starts_with("dev-dependencies]"));
    let names = tables.flat_map(|t| t.lines().skip(1).filter_map(|line| line.split_once(" = ")));
    let mut names: BTreeSet<String> = names.map(|(name, _)| name.trim().replace('-', "_")).collect();
    assert!(names.contains("actix_web") && names.contains("proptest"), "{names:?}");
    names.insert("baophat".to_owned());
    names
}

#[test]
fn every_room_stands_in_the_plan() {
    let known: BTreeSet<&str> = FLOORS.iter().map(|r| r.name).collect();
    let found = sources().iter().filter(|s| !known.contains(s.room())).map(|s| format!("{}: give it a line in FLOORS", s.path)).collect();
    nothing(found, "a file of no room");
}

#[test]
fn arrows_only_point_down() {
    let mut found = Vec::new();
    for source in sources() {
        let Some(room) = FLOORS.iter().find(|r| r.name == source.room()) else { continue };
        for (line, named) in source.rooms_named() {
            if named != room.name && !room.rooms.contains(&named.as_str()) {
                found.push(format!("{}:{line}: {} must not know {named}", source.path, room.name));
            }
        }
    }
    nothing(found, "an import against the plan of the house (FLOORS)");
}

#[test]
fn the_pipeline_names_no_engine() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.room() == "ingest") {
        for word in ["sqlite", "InboxWriter", "InboxReader", "StateFile"] {
            found.extend(source.lines_with(word).map(|n| format!("{}:{n}: {word}", source.path)));
        }
    }
    nothing(found, "ingest knows a store by its traits only; app.rs and the other composers name the engine");
}

#[test]
fn each_room_names_only_its_crates() {
    let all = dependencies();
    let mut found = Vec::new();
    for source in sources() {
        let Some(room) = FLOORS.iter().find(|r| r.name == source.room()) else { continue };
        for (line, named) in source.crates_named(&all) {
            if !room.crates.contains(&named.as_str()) {
                found.push(format!("{}:{line}: {} must not name the crate {named}", source.path, room.name));
            }
        }
    }
    nothing(found, "a crate in a room it does not belong to (FLOORS)");
}

#[test]
fn the_calendar_is_read_in_one_file_of_the_domain() {
    let found = sources().iter().filter(|s| s.room() == "domain" && s.path != "src/domain/time.rs");
    let found = found.flat_map(|s| s.lines_with("chrono::").map(|n| format!("{}:{n}: chrono belongs to time.rs", s.path))).collect();
    nothing(found, "chrono outside src/domain/time.rs");
}

#[test]
fn the_domain_and_the_providers_touch_nothing_outside() {
    let banned = ["std::fs", "std::net", "std::thread", "std::env", "std::process", "std::time", "std::io", "Instant::now", "tokio::"];
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| ["domain", "providers"].contains(&s.room())) {
        for word in banned {
            found.extend(source.lines_with(word).map(|n| format!("{}:{n}: {word}", source.path)));
        }
    }
    nothing(found, "domain and providers know no clock, file, socket, thread or environment");
}

#[test]
fn providers_do_not_know_each_other() {
    let slugs = slugs();
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.room() == "providers") {
        let own = source.path.split('/').nth(2).unwrap_or_default();
        for slug in slugs.iter().filter(|slug| *slug != own && own != "mod.rs") {
            for way in [format!("providers::{slug}::"), format!("super::{slug}::"), format!("super::super::{slug}::")] {
                found.extend(source.lines_with(&way).map(|n| format!("{}:{n}: {way}", source.path)));
            }
        }
    }
    nothing(found, "a provider names another one's code");
}

#[test]
fn the_wall_clock_is_read_in_one_place() {
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.path != "src/clock.rs") {
        for word in ["SystemTime", "Utc::now", "Local::now"] {
            found.extend(source.lines_with(word).map(|n| format!("{}:{n}: {word}", source.path)));
        }
    }
    nothing(found, "time is handed in; only src/clock.rs reads the wall clock");
}

#[test]
fn sql_stands_in_the_store_only() {
    let starts = [
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE",
        "CREATE INDEX",
        "ALTER TABLE",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
    ];
    let mut found = Vec::new();
    for source in sources().iter().filter(|s| s.room() != "store") {
        for (line, text) in source.texts() {
            if starts.iter().any(|s| text.trim_start().starts_with(s)) {
                found.push(format!("{}:{line}: {:?}", source.path, text.chars().take(40).collect::<String>()));
            }
        }
    }
    nothing(found, "SQL outside src/store");
}

#[test]
fn http_statuses_stand_at_the_door_only() {
    let mut found = Vec::new();
    let mut needed = BTreeSet::new();
    for source in sources().iter().filter(|s| !["http", "app"].contains(&s.room()) && !PLAYERS.contains(&s.room())) {
        let lines = ["StatusCode", "actix_web", "HttpResponse"].into_iter().flat_map(|w| source.lines_with(w).map(move |n| (n, w)));
        if !ASKS_OVER_HTTP.iter().any(|(path, _)| *path == source.path) {
            found.extend(lines.map(|(n, word)| format!("{}:{n}: {word}", source.path)));
        } else if lines.count() > 0 {
            needed.insert(source.path.clone());
        }
    }
    found.extend(unneeded(ASKS_OVER_HTTP.iter().map(|(path, _)| *path), &needed));
    nothing(found, "HTTP outside src/http and src/app.rs (ASKS_OVER_HTTP)");
}

/// The names of the providers, read from the registry's folders.
fn slugs() -> Vec<String> {
    let folders = fs::read_dir(root().join("src/providers")).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir());
    let mut slugs: Vec<String> = folders.map(|p| p.file_name().unwrap().to_string_lossy().into_owned()).collect();
    slugs.sort();
    slugs
}

#[test]
fn a_provider_is_named_in_its_own_folder_and_in_the_registry_only() {
    let slugs = slugs();
    assert!(slugs.len() >= 3, "{slugs:?}");
    let mut found = Vec::new();
    let mut needed = BTreeSet::new();
    for source in sources().iter().filter(|s| s.path != "src/providers/mod.rs" && !PLAYERS.contains(&s.room())) {
        for slug in &slugs {
            let own = source.path.starts_with(&format!("src/providers/{slug}/"));
            // It relays the other one's messages and hands on its codes.
            let relays = slug == "zalo" && source.path.starts_with("src/providers/esms/");
            if own || relays {
                continue;
            }
            for (line, text) in source.texts() {
                if text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|word| word == slug)
                    || text.contains(&format!("{slug}_"))
                {
                    match NAMES_A_PROVIDER.iter().find(|(path, _)| *path == source.path) {
                        Some((path, _)) => drop(needed.insert((*path).to_owned())),
                        None => found.push(format!("{}:{line}: {slug}", source.path)),
                    }
                }
            }
        }
    }
    found.extend(unneeded(NAMES_A_PROVIDER.iter().map(|(path, _)| *path), &needed));
    nothing(found, "a provider's name outside its folder, the registry and the players (NAMES_A_PROVIDER)");
}

#[test]
fn every_file_says_first_what_it_holds() {
    let mut found = Vec::new();
    for path in rust_files() {
        let text = fs::read_to_string(&path).unwrap();
        if !text.starts_with("//! ") {
            found.push(shown(&path));
        }
    }
    nothing(found, "a file that does not begin with `//!`");
}

#[test]
fn files_are_short() {
    let mut found = Vec::new();
    let mut needed = BTreeSet::new();
    for source in sources() {
        let lines = source.lines_without_tests();
        if lines > FILE_LINES_MAX {
            needed.insert(source.path.clone());
        }
        match LONG_FILES.iter().find(|(path, _, _)| *path == source.path) {
            Some((path, most, _)) if lines > *most => found.push(format!("{path}: {lines} lines; its exception allows {most}")),
            None if lines > FILE_LINES_MAX => found.push(format!("{}: {lines} lines; split it", source.path)),
            _ => {}
        }
    }
    found.extend(unneeded(LONG_FILES.iter().map(|(path, _, _)| *path), &needed));
    nothing(found, "a file of more than 500 lines (LONG_FILES)");
}

#[test]
fn functions_are_short() {
    let mut found = Vec::new();
    let mut needed = BTreeSet::new();
    for source in sources() {
        for (line, name, lines) in source.functions() {
            if lines <= FUNCTION_LINES_MAX {
                continue;
            }
            match LONG_FUNCTIONS.iter().find(|(path, function, _, _)| *path == source.path && *function == name) {
                Some((path, function, most, _)) => {
                    needed.insert(source.path.clone());
                    if lines > *most {
                        found.push(format!("{path}:{line}: {function} has {lines} lines; its exception allows {most}"));
                    }
                }
                None => found.push(format!("{}:{line}: {name} has {lines} lines", source.path)),
            }
        }
    }
    found.extend(unneeded(LONG_FUNCTIONS.iter().map(|(path, _, _, _)| *path), &needed));
    nothing(found, "a function of more than 70 lines (LONG_FUNCTIONS)");
}

#[test]
fn nothing_is_left_for_later() {
    // Written apart, so that this file does not find itself.
    let words = [concat!("to", "do!"), concat!("unimple", "mented!"), concat!("FIX", "ME"), concat!("XX", "X:"), concat!("TO", "DO:")];
    let mut found = Vec::new();
    for path in rust_files().into_iter().chain(files(&["toml", "sql", "md"])) {
        let text = fs::read_to_string(&path).unwrap();
        for (i, line) in text.lines().enumerate() {
            found.extend(words.iter().filter(|w| line.contains(**w)).map(|w| format!("{}:{}: {w}", shown(&path), i + 1)));
        }
    }
    nothing(found, "unfinished business");
}

#[test]
fn the_door_is_small() {
    let lines = read("src/main.rs").lines().count();
    assert!(lines <= 30, "src/main.rs has {lines} lines; it is a door");
}

#[test]
fn this_version_stands_in_the_changelog() {
    let version = env!("CARGO_PKG_VERSION");
    let changelog = read("CHANGELOG.md");
    assert!(changelog.contains(&format!("\n## [{version}]")), "CHANGELOG.md has no section for {version}");
}

#[test]
fn the_commands_of_the_readme_are_those_of_ci_and_the_justfile() {
    let (run, test) = ("cargo run --release --locked -- demo", "cargo test --locked");
    for readme in ["README.md", "README.vi.md"] {
        let text = read(readme);
        for command in [run, test] {
            let lines = text.lines().filter(|l| l.trim_start_matches("$ ") == command).count();
            assert_eq!(lines, 1, "{readme} must have the line `{command}` exactly once");
        }
    }
    let line = |text: &str, command: &str| text.lines().any(|l| l.trim().trim_start_matches("step ") == command);
    assert!(line(&read(".ci/run"), test), ".ci/run does not run `{test}`");
    assert!(line(&read("justfile"), test), "justfile does not run `{test}`");
    assert!(line(&read("justfile"), run), "justfile does not run `{run}`");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut found = Vec::new();
    for path in files(&["md"]) {
        let text = fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap();
        for (line, target) in links(&text) {
            let file = target.split('#').next().unwrap_or_default();
            if target.contains("://") || target.starts_with("mailto:") || file.is_empty() {
                continue;
            }
            if !folder.join(file).exists() {
                found.push(format!("{}:{line}: {target}", shown(&path)));
            }
        }
    }
    nothing(found, "a link to a file that is not there");
}

/// The targets of `[text](target)` outside of code blocks, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut code = false;
    for (i, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            code = !code;
        }
        if !code {
            let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| (i + 1, target.trim().to_owned())));
        }
    }
    found
}

#[test]
fn every_decision_is_numbered_once_and_listed() {
    let mut numbers: BTreeMap<String, String> = BTreeMap::new();
    let index = read("ARCHITECTURE.md");
    for entry in fs::read_dir(root().join("docs/adr")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        let number = name.split('-').next().unwrap_or_default().to_owned();
        assert!(number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()), "docs/adr/{name} has no number of four digits");
        if let Some(other) = numbers.insert(number, name.clone()) {
            panic!("docs/adr/{name} and docs/adr/{other} have one number");
        }
        assert!(index.contains(&name), "ARCHITECTURE.md does not list docs/adr/{name}");
    }
}

/// Every Rust file of the repository.
fn rust_files() -> Vec<PathBuf> {
    files(&["rs"])
}

/// Every file with one of these endings, without what is built or hidden.
fn files(endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    walk(&root(), &mut |path| {
        if path.extension().is_some_and(|e| endings.iter().any(|wanted| e == *wanted)) {
            found.push(path.to_path_buf());
        }
    });
    found.sort();
    found
}

fn walk(folder: &Path, visit: &mut impl FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') || name == "target" {
            continue;
        }
        if path.is_dir() {
            walk(&path, visit);
        } else {
            visit(&path);
        }
    }
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Reads a source for the tests of the reader itself.
fn sample(text: &str) -> Source {
    Source::new("src/http/sample.rs", text)
}

#[test]
fn the_reader_sees_code_and_passes_over_comments_texts_and_tests() {
    let source = sample(
        "//! crate::cli in a comment\nuse crate::{domain::ids, store};\nconst A: &str = \"crate::app SELECT\"; // crate::demo\nfn f<'a>(c: &'a str) -> char { '\"' }\n\
         #[cfg(test)]\nmod tests {\n    use crate::cli;\n    fn g() { let _ = \"}\"; }\n}\nfn h() { super::super::ingest::x(); tokio::spawn(1) }\n",
    );
    let rooms: Vec<String> = source.rooms_named().into_iter().map(|(_, name)| name).collect();
    assert_eq!(rooms, ["domain", "store", "ingest"]);
    let crates = source.crates_named(&BTreeSet::from(["tokio".to_owned(), "store".to_owned()]));
    assert_eq!(crates, [(10, "tokio".to_owned())]);
    assert_eq!(source.texts().map(|(_, t)| t.to_owned()).collect::<Vec<_>>(), ["crate::app SELECT"]);
    assert_eq!(source.functions(), [(4, "f".to_owned(), 1), (10, "h".to_owned(), 1)]);
    assert_eq!(source.lines_without_tests(), 5);
}
