//! The failure catalogue over HTTP: lists, searches, single codes, both languages, and what is not in it.

use serde_json::{Value, json};

use crate::harness::Server;

fn data(server: &Server, target: &str) -> Vec<Value> {
    server.get(target).is(200).json()["data"].as_array().unwrap().clone()
}

#[test]
fn every_entry_is_whole_in_both_languages() {
    let server = Server::start();
    let (vi, en) = (data(&server, "/v1/errors?lang=vi"), data(&server, "/v1/errors?lang=en"));
    assert!(vi.len() > 250, "{}", vi.len());
    assert_eq!(vi.len(), en.len());
    let classes = [
        "recipient",
        "window",
        "quota",
        "rate_limit",
        "authorization",
        "billing",
        "permission",
        "content",
        "template",
        "thread_control",
        "provider",
        "network",
        "unknown",
    ];
    let retries = ["now", "later", "after_fix", "after_reauthorization", "after_customer_writes", "never"];
    for (vi, en) in vi.iter().zip(&en) {
        for member in ["provider", "family", "code", "subcode", "class", "retry", "applies_to"] {
            assert_eq!(vi[member], en[member]);
        }
        for member in ["title", "cause", "remedy"] {
            assert!(vi[member].as_str().is_some_and(|t| !t.trim().is_empty()) && vi[member] != en[member], "{vi} {member}");
        }
        // A code that is no failure has neither.
        assert_eq!(vi["class"].is_null(), vi["retry"].is_null(), "{vi}");
        assert!(
            vi["class"].as_str().is_none_or(|c| classes.contains(&c)) && vi["retry"].as_str().is_none_or(|r| retries.contains(&r)),
            "{vi}"
        );
    }
}

#[test]
fn one_code_is_found_in_every_family_that_has_it() {
    let server = Server::start();
    let families =
        |target: &str| -> Vec<String> { data(&server, target).iter().map(|e| e["family"].as_str().unwrap().to_owned()).collect() };
    assert_eq!(families("/v1/errors/zalo/-230"), ["oa"]);
    let of_100 = families("/v1/errors/zalo/-100");
    assert!(of_100.contains(&"oa".to_owned()) && of_100.contains(&"zns".to_owned()), "{of_100:?}");
    assert_eq!(families("/v1/errors/zalo/-100?family=zns"), ["zns"]);
    let window = data(&server, "/v1/errors/facebook/10.2018278?lang=en");
    assert_eq!((&window[0]["class"], &window[0]["retry"]), (&json!("window"), &json!("after_customer_writes")));
    assert_eq!((&window[0]["code"], &window[0]["subcode"]), (&json!("10"), &json!("2018278")));
    assert_eq!(data(&server, "/v1/errors/facebook/551")[0]["class"], "recipient");
    assert_eq!(data(&server, "/v1/errors/esms/103")[0]["provider"], "esms");
    for unknown in ["zalo/-987654", "facebook/10.1", "esms/x", "viber/1", "zalo/%20", "zalo/-230?family=zns"] {
        let answer = server.get(&format!("/v1/errors/{unknown}"));
        assert_eq!(answer.problem(404), "not_found", "{unknown}");
        assert!(answer.json()["detail"].as_str().unwrap().len() > 30, "it says what to do next");
    }
}

#[test]
fn the_list_is_searched_by_word_family_and_provider() {
    let server = Server::start();
    let all = data(&server, "/v1/errors").len();
    let families = ["oa", "oauth", "zns", "graph", "esms", "error_info"];
    let sum: usize = families.iter().map(|f| data(&server, &format!("/v1/errors?family={f}")).len()).sum();
    assert_eq!(sum, all);
    assert!(data(&server, "/v1/errors?provider=facebook").iter().all(|e| e["family"] == "graph"));
    let found = data(&server, "/v1/errors?q=2018278");
    assert!(!found.is_empty() && found.iter().any(|e| e["subcode"] == "2018278"));
    assert_eq!(
        data(&server, "/v1/errors?lang=vi&q=%C4%90%C4%82NG%20NH%E1%BA%ACP").len(),
        data(&server, "/v1/errors?lang=vi&q=%C4%91%C4%83ng%20nh%E1%BA%ADp").len()
    );
    assert_eq!(data(&server, "/v1/errors?q=zzzzzz"), Vec::<Value>::new());
}
