//! The report for a provider's support, through the real router: what stands in it, in both languages and both formats, word for word; and
//! what must never stand in it. Under a clock put by hand, so that ids and times are the same every time.

use std::process::Command;

use baophat::domain::time::{Millis, Span};
use serde_json::{Value, json};

use crate::harness::{Answer, Inside, KEY, Request, TOKEN, sign, until};

/// 2026-01-31T08:15:30.123Z.
const START: Millis = Millis(1_769_847_330_123);

/// Set it to write the expected texts anew.
const REWRITE: &str = "BAOPHAT_REWRITE_REPORTS";

/// What customers and senders wrote in these stories, and tokens in the provider's words.
const PRIVATE: [&str; 4] = ["bí mật của khách", "private-note", "EAAGtokenOfThePageThatNobodyMaySeeAtAllInAReport", "Lan Anh"];

fn start() -> Inside {
    Inside::start(START, "stuck.sweep_every = \"100ms\"")
}

fn register(service: &Inside, told: &Value) -> String {
    service.post("/v1/messages", told).is(201).json()["id"].as_str().unwrap().to_owned()
}

fn answer(service: &Inside, id: &str, told: &Value) {
    service.post(&format!("/v1/messages/{id}/response"), told).is(200);
}

fn ask(service: &Inside, id: &str, query: &str) -> Answer {
    service.send(&Request::new("GET", format!("/v1/messages/{id}/report?{query}")).key(KEY))
}

/// Once every callback is folded.
fn settled(service: &Inside) {
    until("every callback is processed", || {
        let all = service.get("/v1/callbacks?limit=500");
        all["data"].as_array().unwrap().iter().all(|c| c["status"] != "received").then_some(())
    });
}

/// The report in both languages and formats: the Markdown is the expected one, the JSON has the same in it, and neither tells a secret.
fn compare(service: &Inside, id: &str, name: &str, phones: &[&str]) -> Value {
    let mut last = Value::Null;
    for lang in ["vi", "en"] {
        let text = ask(service, id, &format!("format=md&lang={lang}")).is(200).text();
        let path = format!("{}/tests/it/reports/{name}.{lang}.md", env!("CARGO_MANIFEST_DIR"));
        if std::env::var_os(REWRITE).is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(text == expected, "{path} is not what is written; look at the difference, then write it anew with {REWRITE}=1\n{text}");
        let document = ask(service, id, &format!("format=json&lang={lang}")).is(200).json();
        same(&document, &text);
        let whole = ask(service, id, &format!("format=md&full=true&lang={lang}")).is(200).text();
        for shown in [&text, &document.to_string()] {
            secret_free(shown);
            for phone in phones {
                assert!(!shown.contains(phone), "{phone} in {shown}");
            }
        }
        secret_free(&whole);
        if let Some(phone) = phones.first() {
            assert!(whole.contains(phone), "{phone} was asked for\n{whole}");
        }
        last = document;
    }
    last
}

fn secret_free(text: &str) {
    for secret in
        PRIVATE.iter().chain(&[sign::ZALO_KEY, sign::FB_SECRET, sign::FB_SECRET_2, TOKEN, KEY, "Đơn của bạn", "xac-nhan-demo-2026"])
    {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    // Signatures: nothing that long and hexadecimal stays.
    let hex = |word: &str| word.len() >= 60 && word.bytes().all(|b| b.is_ascii_hexdigit());
    assert!(!text.split(|c: char| !c.is_ascii_alphanumeric()).any(hex), "{text}");
}

/// What the JSON says stands in the Markdown too.
fn same(document: &Value, text: &str) {
    let plain = |s: &str| s.replace('\\', "");
    let text = plain(text);
    let mut wanted: Vec<String> = Vec::new();
    for list in ["questions", "channels"] {
        wanted.extend(document[list].as_array().unwrap().iter().map(|v| v.as_str().unwrap().to_owned()));
    }
    for check in document["checks"].as_array().unwrap() {
        wanted.extend([&check["what"], &check["evidence"]].map(|v| v.as_str().unwrap().to_owned()));
    }
    for message in document["messages"].as_array().unwrap() {
        let bodies =
            ["callbacks", "answers"].into_iter().flat_map(|list| message[list].as_array().unwrap()).map(|c| c["body"].as_str().unwrap());
        wanted.extend(bodies.map(str::to_owned));
        wanted.extend(message["timeline"].as_array().unwrap().iter().map(|e| e["at"].as_str().unwrap().to_owned()));
        wanted.extend(["message_id", "ref", "recipient", "id"].into_iter().filter_map(|n| message[n].as_str()).map(str::to_owned));
    }
    wanted.push(document["summary"].as_str().unwrap().to_owned());
    for part in wanted {
        assert!(text.contains(&plain(&part)), "{part}\nis not in\n{text}");
    }
}

fn state_of(document: &Value, what: &str) -> String {
    let found = document["checks"].as_array().unwrap().iter().find(|c| c["what"].as_str().unwrap().contains(what));
    found.unwrap_or_else(|| panic!("{what} in {document}"))["state"].as_str().unwrap().to_owned()
}

#[test]
fn a_zalo_message_that_failed_is_reported() {
    let service = start();
    let told = |n: u32| json!({"account": "shop-oa", "ref": format!("don-{n}"), "kind": "zns", "recipient": "0912 000 111", "template_id": "7895417", "metadata": {"note": "private-note"}});
    let refusal = json!({"status": 200, "duration_ms": 210, "body": {"error": -146, "message": "Template disabled for 0912000111", "data": {"quota": {"dailyQuota": "500", "remainingQuota": "499"}}}});
    let id = register(&service, &told(1));
    answer(&service, &id, &refusal);
    for n in 2..5 {
        let other = register(&service, &told(n));
        answer(&service, &other, &refusal);
    }
    let document = compare(&service, &id, "zalo_failed", &["84912000111", "0912000111", "912000111"]);
    assert_eq!(document["alike"], json!({"what": "-146", "count": 3, "more": false, "hours": 24}));
    assert_eq!((state_of(&document, "template").as_str(), state_of(&document, "answer").as_str()), ("not_done", "done"));
    assert_eq!(document["snapshot"]["quota"]["remaining"], "499");
    assert_eq!(document["messages"][0]["recipient"], "xxxxxxxx111");
    service.clock.advance(Span::days(2));
    assert_eq!(ask(&service, &id, "format=json").json()["alike"]["count"], 0, "only the last day counts");
}

#[test]
fn a_zalo_message_that_is_stuck_is_reported_with_its_raw_callbacks() {
    let service = start();
    let id = register(&service, &json!({"account": "shop-oa", "ref": "don-9", "recipient": "4700100200300400500", "kind": "cs"}));
    answer(
        &service,
        &id,
        &json!({"status": 200, "duration_ms": 120, "body": {"error": 0, "data": {"message_id": "aa01", "user_id": "4700100200300400500"}}}),
    );
    let parties =
        json!({"sender": {"id": sign::OA, "admin_id": "77"}, "recipient": {"id": "4700100200300400500", "display_name": "Lan Anh"}});
    let body = sign::zalo_event("oa_send_text", &parties, &json!({"msg_id": "aa01", "text": "bí mật của khách"}), START.0);
    service.send(&sign::zalo_post(body)).is(200);
    settled(&service);
    service.clock.advance(Span::hours(25));
    until("it is stuck", || (service.get("/v1/stuck")["total"] == 1).then_some(()));
    let document = compare(&service, &id, "zalo_stuck", &["4700100200300400500"]);
    let message = &document["messages"][0];
    assert_eq!(message["stuck"]["cause"], "recipient_unreachable");
    let raw = message["callbacks"][0]["body"].as_str().unwrap();
    assert!(raw.contains("aa01") && raw.contains(sign::OA) && raw.contains("oa_send_text"), "{raw}");
    assert!(document["questions"].as_array().unwrap().len() >= 2);
}

#[test]
fn a_facebook_message_whose_conversation_another_app_holds_is_reported() {
    let service = start();
    let id = register(&service, &json!({"account": "shop-page", "ref": "fb-1", "sender": sign::PAGE, "recipient": "7310000000012345"}));
    let error = json!({"error": {
        "message": "(#10) Message not sent: another app controls the thread (access_token=EAAGtokenOfThePageThatNobodyMaySeeAtAllInAReport)",
        "type": "OAuthException", "code": 10, "error_subcode": 2_018_300, "fbtrace_id": "A1b2C3d4E5f6"}});
    answer(&service, &id, &json!({"status": 403, "duration_ms": 340, "body": error}));
    let document = compare(&service, &id, "facebook_thread", &["7310000000012345"]);
    assert_eq!(document["messages"][0]["failure"]["class"], "thread_control");
    assert_eq!((state_of(&document, "conversation").as_str(), document["alike"]["what"].as_str()), ("not_done", Some("10.2018300")));
    assert!(document["messages"][0]["answers"][0]["body"].as_str().unwrap().contains("A1b2C3d4E5f6"), "the support asks for it");
}

#[test]
fn an_esms_message_that_was_not_delivered_is_reported() {
    let service = start();
    let id = register(&service, &json!({"account": "shop-sms", "ref": "sms-1", "recipient": "0912000111", "kind": "sms_customer_care"}));
    answer(
        &service,
        &id,
        &json!({"status": 200, "duration_ms": 95, "body": {"CodeResult": "100", "SMSID": "c0ffee01", "CountRegenerate": 0}}),
    );
    service
        .send(&sign::esms_get(&format!(
            "{}&Content=b%C3%AD%20m%E1%BA%ADt%20c%E1%BB%A7a%20kh%C3%A1ch",
            sign::esms_report("c0ffee01", 0, 1, "sms-1")
        )))
        .is(200);
    settled(&service);
    let document = compare(&service, &id, "esms_undelivered", &["0912000111", "84912000111"]);
    let message = &document["messages"][0];
    assert_eq!((message["state"].as_str(), message["failure"]["code"].as_str()), (Some("failed"), Some("undelivered")));
    assert!(message["callbacks"][0]["query"].as_str().unwrap().contains("SendFailed=1"), "{message}");
}

#[test]
fn an_id_that_fits_several_is_answered_in_the_form_that_was_asked_for() {
    let service = start();
    for account in ["shop-oa", "shop-sms"] {
        register(&service, &json!({"account": account, "ref": "don-5"}));
    }
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baophat"));
        command.arg("report").arg("don-5").arg("--config").arg(service.folder().join("baophat.toml")).args(more);
        let out = command.output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    for form in [&["--json"][..], &["--format", "json"]] {
        let page: Value = serde_json::from_str(&run(form)).unwrap();
        assert_eq!(page["data"].as_array().unwrap().len(), 2, "{page}");
    }
    assert!(run(&["--lang", "vi"]).starts_with("TRẠNG THÁI"), "{}", run(&["--lang", "vi"]));
}

#[test]
fn the_format_follows_the_parameter_then_what_is_accepted() {
    let service = start();
    let id = register(&service, &json!({"account": "shop-oa", "ref": "r"}));
    let kind = |answer: &Answer| answer.header("content-type").unwrap().to_owned();
    let accepting = |accept: &str, query: &str| {
        let request = Request::new("GET", format!("/v1/messages/{id}/report?{query}")).key(KEY).header("accept", accept);
        kind(&service.send(&request).is(200))
    };
    assert_eq!(kind(&ask(&service, &id, "").is(200)), "text/markdown; charset=utf-8");
    assert_eq!(accepting("application/json", ""), "application/json");
    assert_eq!(accepting("application/json", "format=md"), "text/markdown; charset=utf-8");
    assert_eq!(accepting("text/html", "format=json"), "application/json");
    for wrong in ["format=pdf", "format=", "full=yes", "lang=fr", "x=1"] {
        assert_eq!(ask(&service, &id, wrong).problem(400), "invalid_parameter", "{wrong}");
    }
    let unknown = "0190f6c2-0000-7000-8000-000000000000";
    assert_eq!(ask(&service, unknown, "").problem(404), "not_found");
    assert_eq!(service.send(&Request::new("GET", format!("/v1/messages/{id}/report"))).problem(401), "unauthorized");
}

#[test]
fn templates_are_asked_for_over_http() {
    let service = start();
    let page = service.get("/v1/templates?status=rejected&account=shop-oa&limit=5");
    assert!(page["total"].is_u64() && page["data"].is_array());
    let ask = |target: &str| service.send(&Request::new("GET", target).key(KEY));
    assert_eq!(ask("/v1/templates?status=gone").problem(400), "invalid_parameter");
    assert_eq!(ask("/v1/templates/shop-oa/none-such").problem(404), "not_found");
    assert_eq!(ask("/v1/templates/No_Slug/1").problem(404), "not_found");
}
