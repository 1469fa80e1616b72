//! The OpenAPI document, its page, the probes and the metrics: what they promise is what the server does.

use serde_json::Value;

use crate::harness::{KEY, Request, Server, sign};

/// A request for one documented operation, with values that fit its path.
fn request(path: &str, method: &str) -> Request {
    let target = path
        .replace("{id}", "0190f6c2-0000-7000-8000-000000000000")
        .replace("{seq}", "1")
        .replace("{provider}", "zalo")
        .replace("{account}/{template_id}", "shop-oa/204455")
        .replace("{account}/{recipient}", "shop-page/7310000000000001")
        .replace("{code}", "-230")
        // What has no end is asked for wrongly, and ends.
        .replace("/v1/stream", "/v1/stream?after=none");
    let request = Request::new(&method.to_uppercase(), target).key(KEY);
    if method == "post" { request.header("content-type", "application/json").body("{}") } else { request }
}

#[test]
fn every_documented_route_answers_as_documented() {
    let server = Server::start();
    let document = server.get("/openapi.json").is(200).json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let answer = server.send(&request(path, method));
            documented(operation, answer.status, &format!("{method} {path}"));
            assert!(operation["responses"].as_object().unwrap().values().all(|r| r["description"].is_string()));
            if path.starts_with("/v1") {
                let without = server.send(&Request::new(&method.to_uppercase(), path.as_str()));
                assert_eq!(without.problem(401), "unauthorized");
                documented(operation, 401, path);
                let stray = request(&format!("{path}?no-such-parameter=1"), method);
                documented(operation, server.send(&stray).status, &format!("{method} {path} with a stray parameter"));
            }
            operations += 1;
        }
    }
    assert!(operations >= 16, "{operations}");
    every_reference_leads_somewhere(&document, &document);
}

fn documented(operation: &Value, status: u16, what: &str) {
    let known: Vec<&String> = operation["responses"].as_object().unwrap().keys().collect();
    assert!(known.iter().any(|k| **k == status.to_string()), "{what}: {status} is not among {known:?}");
}

fn every_reference_leads_somewhere(document: &Value, part: &Value) {
    match part {
        Value::Object(members) => {
            if let Some(Value::String(to)) = members.get("$ref") {
                assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
            }
            members.values().for_each(|v| every_reference_leads_somewhere(document, v));
        }
        Value::Array(all) => all.iter().for_each(|v| every_reference_leads_somewhere(document, v)),
        _ => {}
    }
}

#[test]
fn the_page_of_the_document_works_offline() {
    let server = Server::start();
    let get = |path: &str| server.send(&Request::new("GET", path));
    let moved = get("/docs");
    assert!((300..400).contains(&moved.status));
    assert_eq!(moved.header("location"), Some("/docs/"));
    let page = get("/docs/").is(200);
    let policy = page.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("default-src 'self'") && !policy.contains("http"), "{policy}");
    let html = page.text();
    let mut linked = 0;
    for link in html.split(['"', '\'']).filter(|l| l.ends_with(".js") || l.ends_with(".css")) {
        assert!(!link.contains("//"), "{link}");
        let path = format!("/docs/{}", link.trim_start_matches("./").trim_start_matches("/docs/"));
        let file = get(&path).is(200);
        assert!(!file.body.is_empty(), "{path}");
        linked += 1;
    }
    assert!(linked >= 3, "{html}");
    for external in ["src=\"http", "href=\"http", "src=\"//", "href=\"//"] {
        assert!(!html.contains(external), "{external}");
    }
    let start = get("/docs/swagger-initializer.js").is(200).text();
    assert!(start.contains("/openapi.json") && !start.contains("petstore"), "{start}");
}

#[test]
fn probes_and_metrics_need_no_key_on_a_loopback_listener() {
    let server = Server::start();
    let get = |path: &str| server.send(&Request::new("GET", path));
    assert_eq!(get("/livez").is(200).json()["status"], "ok");
    assert_eq!(get("/readyz").is(200).json()["status"], "ready");
    server.send(&sign::zalo_post(sign::zalo_receipt("aa", "47", 1_764_000_000_111))).is(200);
    server.send(&Request::new("POST", "/webhooks/zalo/shop-oa")).is(401);
    server.callbacks();
    let text = get("/metrics").is(200).text();
    let mut names = 0;
    for line in text.lines() {
        let name =
            line.strip_prefix("# HELP ").or_else(|| line.strip_prefix("# TYPE ")).or_else(|| line.strip_prefix("# UNIT ")).unwrap_or(line);
        assert!(name.starts_with("baophat_") || line == "# EOF", "{line}");
        names += 1;
    }
    assert!(names > 50);
    assert_eq!(text.lines().last(), Some("# EOF"));
    for counted in [
        "baophat_callbacks_total{provider=\"zalo\",outcome=\"stored\"} 1",
        "baophat_records_total{provider=\"zalo\",outcome=\"processed\"} 1",
        "baophat_transitions_total{provider=\"zalo\",outcome=\"delivered\"} 1",
        "baophat_refused_total{reason=\"missing\"} 1",
        "baophat_healthy{part=\"inbox\"} 1",
        "baophat_limit{part=\"body_bytes_max\"} 1048576",
    ] {
        assert!(text.contains(counted), "{counted}\n{text}");
    }
    // Behind a proxy nobody is local.
    let forwarded = Request::new("GET", "/metrics").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(server.send(&forwarded).problem(401), "unauthorized");
    server.send(&forwarded.key(KEY)).is(200);
}

#[test]
fn a_request_id_comes_back_and_logs_hold_no_numbers_or_bodies() {
    let server = Server::start();
    let ask = |id: &str| server.send(&Request::new("GET", "/v1/messages?recipient=0987654321").key(KEY).header("x-request-id", id)).is(200);
    assert_eq!(ask("my-id.1").header("x-request-id"), Some("my-id.1"));
    let made = ask("bad id\"").header("x-request-id").unwrap().to_owned();
    assert!(made.len() >= 12 && !made.contains(' '));
    let told = serde_json::json!({"account": "shop-sms", "ref": "r", "recipient": "0987654321", "metadata": {"note": "private-note"}});
    server.post("/v1/messages", &told).is(201);
    server.send(&sign::esms_get("SMSID=aa&SendStatus=5&SendSuccess=1&phonenumber=0987654321")).is(200);
    server.callbacks();
    let log = server.log();
    assert!(log.contains("my-id.1"));
    for private in ["0987654321", "84987654321", "private-note", KEY, crate::harness::TOKEN] {
        assert!(!log.contains(private), "{private} is in the log");
    }
    assert!(log.lines().all(|l| serde_json::from_str::<Value>(l).is_ok()), "every line is JSON: {log}");
}
