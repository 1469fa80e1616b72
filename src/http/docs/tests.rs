//! The document is complete, and the committed copy is the one that is served.

use std::collections::HashSet;

use serde_json::Value;

use super::openapi;

/// Set it to write the committed copy anew.
const REWRITE: &str = "BAOPHAT_REWRITE_OPENAPI";

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/openapi.json");

fn document() -> Value {
    serde_json::to_value(openapi()).unwrap()
}

/// Path, method and operation of all of them.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            all.push((path.clone(), method.clone(), operation.clone()));
        }
    }
    assert!(all.len() >= 20, "{}", all.len());
    all
}

#[test]
fn the_committed_document_is_the_served_one() {
    let served = serde_json::to_string_pretty(&document()).unwrap() + "\n";
    if std::env::var_os(REWRITE).is_some() {
        std::fs::write(PATH, &served).unwrap();
    }
    let committed = std::fs::read_to_string(PATH).unwrap_or_default();
    assert!(committed == served, "docs/openapi.json is not what is served; write it anew: {REWRITE}=1 cargo test --lib http::docs");
}

#[test]
fn every_operation_has_its_own_id_and_says_what_it_does() {
    let document = document();
    let tags: HashSet<&str> = document["tags"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    let mut ids = HashSet::new();
    for (path, method, operation) in operations(&document) {
        let what = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{what}: its operationId is not its own");
        assert!(operation["summary"].as_str().is_some_and(|s| s.len() > 3), "{what}: no summary");
        let known = operation["tags"].as_array().unwrap();
        assert!(!known.is_empty() && known.iter().all(|t| tags.contains(t.as_str().unwrap())), "{what}: {known:?}");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let said = parameter["description"].as_str().is_some_and(|d| !d.is_empty());
            assert!(said && !parameter["schema"].is_null(), "{what}: {parameter}");
        }
        let needs_key = operation["security"].as_array().is_some_and(|s| s.iter().all(|s| s.get("key").is_some()));
        assert_eq!(needs_key, path.starts_with("/v1/"), "{what}: security");
    }
}

#[test]
fn every_operation_documents_its_errors_with_realistic_problems() {
    for (path, method, operation) in operations(&document()) {
        let what = format!("{method} {path}");
        let responses = operation["responses"].as_object().unwrap();
        let has = |status: &str| responses.contains_key(status);
        assert!(has("405"), "{what}: 405");
        assert!(!path.starts_with("/v1/") || (has("400") && has("401")), "{what}: 400, 401");
        assert!(!path.contains('{') || has("404"), "{what}: 404");
        assert!(operation["requestBody"].is_null() || ["400", "408", "413", "415", "503"].into_iter().all(has), "{what}: the body's");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|d| !d.is_empty()), "{what} {status}: no description");
            for example in response["content"]["application/problem+json"]["examples"].as_object().into_iter().flatten() {
                assert_eq!(example.1["value"]["code"], *example.0, "{what} {status}");
                assert_eq!(example.1["value"]["status"].to_string(), *status, "{what} {status}");
            }
        }
    }
}

#[test]
fn every_body_has_an_example() {
    let document = document();
    for (path, method, operation) in operations(&document) {
        let bodies = operation["responses"].as_object().unwrap().values().chain([&operation["requestBody"]]);
        for (kind, content) in bodies.filter_map(|b| b["content"].as_object()).flatten() {
            assert!(has_example(&document, content) || has_example(&document, &content["schema"]), "{method} {path} {kind}: no example");
        }
    }
}

/// The part, or what it refers to or is made of, has an example.
fn has_example(document: &Value, part: &Value) -> bool {
    let part = match part["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => part,
    };
    let own = ["example", "examples"].into_iter().any(|name| !part[name].is_null());
    own || ["oneOf", "allOf"].into_iter().filter_map(|name| part[name].as_array()).flatten().any(|part| has_example(document, part))
}
