//! Inputs to begin with, and how they are changed.

use std::fs;
use std::path::PathBuf;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The kept inputs, by name.
pub fn corpus() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(root().join("fuzz/corpus")).unwrap().map(|f| f.unwrap().path());
    let mut all: Vec<_> = files.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect();
    all.sort();
    all
}

/// The requests of the fixtures, by name.
pub fn fixtures() -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for (provider, account) in [("zalo", "shop-oa"), ("facebook", "shop-page"), ("esms", "shop-sms")] {
        let files = fs::read_dir(root().join("fixtures").join(provider)).unwrap().map(|f| f.unwrap().path());
        for path in files.filter(|p| p.extension().is_some_and(|e| e == "json")) {
            let fixture: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let request = &fixture["request"];
            let text = |name: &str| request[name].as_str().unwrap_or_default();
            if request.is_null() {
                continue;
            }
            let mut input = format!("{} /webhooks/{provider}/{account}", text("method"));
            input.extend(request["path_token"].as_str().map(|token| format!("/{token}")));
            input.extend(request["query"].as_str().map(|query| format!("?{query}")));
            input.push_str(" HTTP/1.1\nhost: a\ncontent-length: {length}\n");
            let headers = request["headers"].as_object().cloned().unwrap_or_default();
            input.extend(headers.iter().map(|(name, value)| format!("{name}: {}\n", value.as_str().unwrap_or_default())));
            input.push_str(&format!("\n{}", text("body")));
            all.push((path.display().to_string(), input.into_bytes()));
        }
    }
    all.sort();
    all
}

/// Words that mean something to somebody on the way.
const WORDS: &[&str] = &[
    "{sign}",
    "{token}",
    "{length}",
    "mac=",
    "sha256=",
    "\n",
    "\r\n",
    "\n\n",
    "\"app_id\":",
    "\"timestamp\":",
    "\"timestamp\":null,",
    "\"app_id\":{\"a\":[]},",
    "\"entry\":",
    "\"SMSID\":",
    "SMSID=",
    "&",
    "%",
    "%00",
    "%ff",
    "+",
    "null",
    "[[[[",
    "]}",
    "{}",
    "\"",
    "\\u0000",
    "\\ud800",
    "\\",
    "\u{feff}",
    "\0",
    "-0",
    "1e400",
    "18446744073709551616",
    "-9223372036854775809",
    "\ncontent-length: 3",
    "\ncontent-length: 0",
    "\ntransfer-encoding: chunked",
    "\nexpect: 100-continue",
    "\nconnection: upgrade\nupgrade: websocket",
    "\ncontent-encoding: gzip",
    "\ncontent-type: application/x-www-form-urlencoded",
    "\nx-zevent-signature: {sign}",
    "\nx-hub-signature-256: {sign}",
    "GET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "POST /webhooks/esms/shop-sms/fixture-token-012345678 HTTP/1.1\r\nhost: a\r\n\r\n",
];

/// One change of an input.
#[derive(Clone, Debug)]
enum Change {
    Set(Index, u8),
    Insert(Index, u8),
    Word(Index, &'static str),
    Replace(Index, usize, &'static str),
    Cut(Index, usize),
    Repeat(Index, usize, usize),
    End(Index),
    Behind(Vec<u8>),
}

fn change(all: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        3 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        4 => (at(), select(WORDS)).prop_map(|(at, word)| Change::Word(at, word)),
        3 => (at(), 1..24usize, select(WORDS)).prop_map(|(at, n, word)| Change::Replace(at, n, word)),
        2 => (at(), 1..24usize).prop_map(|(at, n)| Change::Cut(at, n)),
        1 => (at(), 1..40usize, 2..6usize).prop_map(|(at, n, times)| Change::Repeat(at, n, times)),
        1 => at().prop_map(Change::End),
        1 => select(all).prop_map(Change::Behind),
    ]
}

fn apply(mut input: Vec<u8>, change: &Change) -> Vec<u8> {
    let place = |at: &Index, input: &[u8]| at.index(input.len() + 1);
    let end = |from: usize, n: usize, input: &[u8]| (from + n).min(input.len());
    match change {
        Change::Set(at, byte) => {
            let at = place(at, &input);
            input.get_mut(at).into_iter().for_each(|b| *b = *byte);
        }
        Change::Insert(at, byte) => input.insert(place(at, &input), *byte),
        Change::Word(at, word) => {
            let at = place(at, &input);
            drop(input.splice(at..at, word.bytes()));
        }
        Change::Replace(at, n, word) => {
            let at = place(at, &input);
            drop(input.splice(at..end(at, *n, &input), word.bytes()));
        }
        Change::Cut(at, n) => {
            let at = place(at, &input);
            drop(input.drain(at..end(at, *n, &input)));
        }
        Change::Repeat(at, n, times) => {
            let at = place(at, &input);
            let again = input[at..end(at, *n, &input)].repeat(*times);
            drop(input.splice(at..at, again));
        }
        Change::End(at) => input.truncate(place(at, &input)),
        Change::Behind(other) => input.extend(other),
    }
    input
}

/// An input of the corpus or of a fixture, changed a little or much.
pub fn mutated() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<Vec<u8>> = corpus().into_iter().chain(fixtures()).map(|(_, input)| input).filter(|input| input.len() < 4_000).collect();
    (select(all.clone()), vec(change(all), 0..6)).prop_map(|(input, changes)| changes.iter().fold(input, apply))
}

/// Bodies as Zalo signs them, in any spelling: the two members that are part of the proof, several times, of any type.
pub fn spelled() -> impl Strategy<Value = Vec<u8>> {
    const NAMES: &[&str] =
        &["timestamp", "app_id", "time\\u0073tamp", "app\\u005Fid", "Timestamp", "timestamp ", "appId", "sender", "", "\\ud83d\\ude00"];
    let blanks = || select(&["", "", "", " ", "\t", "\r\n"][..]);
    let text = prop_oneof![
        "[0-9]{0,13}",
        " ?[0-9]{1,3} ?",
        select(vec!["\\u0031", "1\\/2", "\\n", "é", "\\u00e9", "\\ud83d\\ude00", "\\ud800", "\\x", "\u{feff}1", "\\\"", "null"])
            .prop_map(str::to_owned),
    ];
    let number =
        select(vec!["0", "-0", "1764000000111", "1.50", "1E3", "-1e-2", "01", "+1", "1.", "0x1", "NaN", "18446744073709551616", "1e400"]);
    let other =
        select(vec!["null", "true", "[]", "{}", "{\"timestamp\":\"7\"}", "[\"app_id\"]", "[1,[2,{\"a\":\"b\"}]]", "{\"a\":1,}", ""]);
    let value =
        prop_oneof![4 => text.prop_map(|t| format!("\"{t}\"")), 3 => number.prop_map(str::to_owned), 1 => other.prop_map(str::to_owned)];
    let member = (blanks(), select(NAMES), blanks(), blanks(), value, blanks());
    let member = member.prop_map(|(a, name, b, c, value, d)| format!("{a}\"{name}\"{b}:{c}{value}{d}"));
    let around = select(vec![("{", "}"), ("{", "}"), ("{", "}"), (" {", "}\n"), ("\u{feff}{", "}"), ("{", "}1"), ("{", ""), ("[{", "}]")]);
    (around, vec(member, 0..5)).prop_map(|((open, close), members)| {
        let body = format!("{open}{}{close}", members.join(","));
        format!("POST /webhooks/zalo/shop-oa HTTP/1.1\nhost: a\nx-zevent-signature: {{sign}}\ncontent-length: {{length}}\n\n{body}")
            .into_bytes()
    })
}
