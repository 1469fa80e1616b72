//! Every fixture of every provider through the running server: its status, the fate of the callback, the message that comes of it.
//! The settings under which they are replayed stand in each folder's README.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::harness::{Answer, Request, Server, TOKEN, holds, sign};

/// One case, and its request.
struct Case {
    name: String,
    request: Request,
    /// Method, query and body: what the stored callback is recognised by.
    content: (String, String, String),
    expect: Value,
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn cases(provider: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "json") && !f.ends_with("vectors.json"));
    files.sort();
    let read = |file: &std::path::PathBuf| {
        let fixture: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        case(provider, file.file_stem().unwrap().to_string_lossy().into_owned(), &fixture)
    };
    files.iter().map(read).collect()
}

fn case(provider: &str, name: String, fixture: &Value) -> Case {
    let told = &fixture["request"];
    let (method, query, body) = (text(told, "method"), text(told, "query"), text(told, "body"));
    let mut target = match provider {
        "zalo" => "/webhooks/zalo/shop-oa".to_owned(),
        "facebook" => "/webhooks/facebook/shop-page".to_owned(),
        _ => format!("/webhooks/esms/shop-sms/{}", text(told, "path_token").replace("{token}", TOKEN)),
    };
    if !query.is_empty() {
        target = format!("{target}?{query}");
    }
    let mut request = Request::new(method, target).body(body);
    for (header, value) in told["headers"].as_object().unwrap() {
        let signature = match provider {
            "zalo" => sign::zalo(body.as_bytes(), sign::ZALO_KEY),
            _ => sign::facebook(body.as_bytes(), sign::FB_SECRET),
        };
        request = request.header(header, value.as_str().unwrap().replace("{sign}", &signature));
    }
    Case { name, request, content: (method.into(), query.into(), body.into()), expect: fixture["expect"].clone() }
}

fn check_answer(case: &Case, answer: &Answer) {
    assert_eq!(answer.status, case.expect["status"].as_u64().unwrap() as u16, "{}", case.name);
    if let Some(body) = case.expect["body"].as_str() {
        assert_eq!(answer.text(), body, "{}", case.name);
    } else if answer.status != 200 {
        assert!(answer.body.is_empty(), "{}: a refusal has no body", case.name);
    }
}

/// Every stored callback by its content: its status.
fn fates(server: &Server) -> BTreeMap<(String, String, String), String> {
    let mut fates = BTreeMap::new();
    for line in server.callbacks() {
        let detail = server.get(&format!("/v1/callbacks/{}", line["seq"])).is(200).json();
        let content = (text(&detail, "method").into(), text(&detail, "query").into(), text(&detail, "body").into());
        fates.insert(content, text(&detail, "status").to_owned());
    }
    fates
}

/// The messages that a case expects; the members are a subset of what is shown.
fn expected_messages(case: &Case) -> Vec<&Value> {
    let one = Some(&case.expect["message"]).filter(|m| m.is_object());
    case.expect["messages"].as_array().into_iter().flatten().chain(one).collect()
}

/// Replays the cases of a provider, each message id once a store: a fixture says what comes of its request alone.
fn replay(provider: &str, more_than: usize) {
    let mut waiting = cases(provider);
    assert!(waiting.len() > more_than, "fixtures are missing");
    while !waiting.is_empty() {
        let mut ids = BTreeSet::new();
        let (now, later): (Vec<Case>, Vec<Case>) = waiting.into_iter().partition(|case| {
            let mut its = expected_messages(case).into_iter().map(|m| text(m, "message_id").to_owned());
            its.all(|id| ids.insert(id))
        });
        replay_in_one_store(&now);
        waiting = later;
    }
}

fn replay_in_one_store(cases: &[Case]) {
    let server = Server::start();
    for case in cases {
        check_answer(case, &server.send(&case.request));
    }
    let fates = fates(&server);
    for case in cases.iter().filter(|c| c.expect["status"] == 200) {
        let fate = fates.get(&case.content).map(String::as_str);
        assert_eq!(fate, case.expect["callback_status"].as_str(), "{}", case.name);
        for expected in expected_messages(case) {
            let found = server.find(&format!("message_id={}", text(expected, "message_id")));
            assert_eq!(found.len(), 1, "{}: {found:?}", case.name);
            holds(expected, &found[0]).unwrap_or_else(|why| panic!("{}: {why}", case.name));
        }
    }
    // Nothing refused is stored, and no message stands in the store that no case expects (beside the second one of a Zalo event).
    let taken = cases.iter().filter(|c| c.expect["callback_status"].is_string()).map(|c| &c.content).collect::<BTreeSet<_>>();
    assert_eq!(fates.keys().collect::<BTreeSet<_>>(), taken);
    let mut expected: BTreeSet<String> = cases.iter().flat_map(expected_messages).map(|m| text(m, "message_id").to_owned()).collect();
    let found = server.walk("/v1/messages?limit=500");
    let found: BTreeSet<String> = found.iter().map(|m| text(m, "message_id").to_owned()).collect();
    expected.extend(SECOND_MESSAGES.iter().map(|id| (*id).to_owned()).filter(|id| found.contains(id)));
    assert_eq!(found, expected);
}

/// Messages behind the first one of an event about several, for which a Zalo fixture stands.
const SECOND_MESSAGES: &[&str] = &["99ecd7846f9310bb96f8"];

#[test]
fn every_zalo_fixture_ends_as_it_says() {
    replay("zalo", 100);
}

#[test]
fn every_facebook_fixture_ends_as_it_says() {
    replay("facebook", 100);
}

#[test]
fn every_esms_fixture_ends_as_it_says() {
    replay("esms", 40);
}

#[test]
fn every_zalo_signature_vector_is_accepted_and_its_neighbours_are_not() {
    let vectors = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/zalo/vectors.toml")).unwrap();
    let vectors: toml::Table = vectors.parse().unwrap();
    let vectors = vectors["vector"].as_array().unwrap();
    assert!(vectors.len() >= 6);
    let server = Server::start();
    let post = |body: &str, header: &str| {
        server.send(&Request::new("POST", "/webhooks/zalo/shop-oa").header("x-zevent-signature", header).body(body)).status
    };
    for vector in vectors {
        let get = |name: &str| vector[name].as_str().unwrap();
        assert_eq!(get("body").len() as i64, vector["bytes"].as_integer().unwrap(), "{}", get("name"));
        assert_eq!(post(get("body"), get("header")), 200, "{}", get("name"));
        assert_eq!(post(&format!("{}\n", get("body")), get("header")), 401, "{}", get("name"));
        assert_eq!(post(&get("body").replacen('e', "E", 1), get("header")), 401, "{}", get("name"));
    }
}

#[test]
fn every_facebook_signature_vector_is_accepted_under_its_own_body_only() {
    let vectors = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/facebook/vectors.json")).unwrap();
    let vectors: Value = serde_json::from_slice(&vectors).unwrap();
    let all = vectors["vectors"].as_array().unwrap();
    assert!(all.len() >= 6);
    let server = Server::start();
    let post = |body: &str, digest: &str| {
        let request = Request::new("POST", "/webhooks/facebook/shop-page").header("x-hub-signature-256", format!("sha256={digest}"));
        server.send(&request.body(body)).status
    };
    for one in all {
        let secret = text(&vectors["secrets"], text(one, "secret"));
        assert_eq!(sign::facebook(text(one, "body").as_bytes(), secret), format!("sha256={}", text(one, "hmac_sha256")));
        for other in all {
            let same = text(one, "body") == text(other, "body");
            let status = if same { 200 } else { 401 };
            assert_eq!(post(text(one, "body"), text(other, "hmac_sha256")), status, "{} under {}", one["name"], other["name"]);
        }
    }
}
