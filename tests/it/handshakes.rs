//! What a provider's console asks before it sends anything: the Facebook handshake, the Zalo domain check and home page.

use serde_json::Value;

use crate::harness::{Request, Server};

#[test]
fn the_facebook_handshake_gives_the_challenge_back_and_nothing_else() {
    let server = Server::start();
    let ask = |query: &str| server.send(&Request::new("GET", format!("/webhooks/facebook/shop-page?{query}")));
    let answer = ask("hub.mode=subscribe&hub.verify_token=xac-nhan-demo-2026&hub.challenge=a%20b%26c").is(200);
    assert_eq!(answer.text(), "a b&c");
    assert!(answer.header("content-type").is_some_and(|t| t.starts_with("text/plain")));
    assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    for bad in [
        "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=secret-challenge",
        "hub.mode=unsubscribe&hub.verify_token=xac-nhan-demo-2026&hub.challenge=secret-challenge",
        "hub.verify_token=xac-nhan-demo-2026&hub.challenge=secret-challenge",
        "hub.mode=subscribe&hub.verify_token=xac-nhan-demo-2026&hub.challenge=",
        "hub.mode=subscribe&hub.challenge=secret-challenge",
        "hub.mode=subscribe&hub.verify_token=%zz&hub.challenge=secret-challenge",
        "",
    ] {
        let answer = ask(bad).is(403);
        assert!(answer.body.is_empty(), "{bad}");
    }
    server.send(&Request::new("GET", "/webhooks/facebook/nobody?hub.mode=subscribe")).is(404);
    let refused = server.get("/v1/refused").json();
    assert_eq!(refused["data"].as_array().unwrap().len(), 8);
    assert!(!refused.to_string().contains("xac-nhan") && !server.log().contains("xac-nhan-demo"));
    assert_eq!(server.callbacks(), Vec::<Value>::new());
}

#[test]
fn the_zalo_domain_check_finds_its_file_and_its_tag() {
    let server = Server::start();
    let get = |path: &str| server.send(&Request::new("GET", path));
    let page = get("/zalo_verifierFakeCodeOfTheConsole-1.html").is(200);
    assert!(page.header("content-type").is_some_and(|t| t.starts_with("text/html")));
    for page in [page, get("/").is(200)] {
        let text = page.text();
        let tag = text.lines().find(|l| l.starts_with("<meta") && l.contains("FakeCodeOfTheConsole-1")).expect("the tag");
        for part in [
            "property=\"zalo-platform-site-verification\"",
            "name=\"zalo-platform-site-verification\"",
            "content=\"FakeCodeOfTheConsole-1\"",
        ] {
            assert!(tag.contains(part), "{part}");
        }
    }
    for wrong in [
        "/zalo_verifier.html",
        "/zalo_verifierOther.html",
        "/zalo_verifierfakecodeoftheconsole-1.html",
        "/zalo_verifierFakeCodeOfTheConsole-1",
    ] {
        get(wrong).is(404);
    }
}
