//! What `check` prints: every value and where it came from, the console steps, and no secret outside them.

use super::*;

fn full() -> Config {
    let zalo = ZALO.replace("\"k3y\"", "[\"hush-one\", \"hush-two\"]");
    given(&format!("api_keys = [\"hush-hush-hush-hush\"]\n{zalo}site_verification = \"a\\\"b\"\n{ESMS}"))
        .env(&[("BAOPHAT__PUBLIC_URL", "https://hooks.example.vn"), ("BAOPHAT__STUCK__ZALO__DEFAULT__SENT", "12h")])
        .load()
        .unwrap()
}

#[test]
fn it_is_toml_again_with_secrets_masked_and_origins_named() {
    let text = show(&full());
    let table: toml::Table = text.parse().unwrap();
    assert_eq!(table["limits"]["body_bytes_max"].as_integer(), Some(1_048_576));
    assert_eq!(table["stuck"]["zalo"]["default"]["sent"].as_str(), Some("12h"));
    assert_eq!(table["account"][0]["site_verification"][0].as_str(), Some("a\"b"));
    assert_eq!(table["account"][0]["oa_secret_key"][1].as_str(), Some("(set, 8 characters, sha256 starts 7386)"));
    let line = |begins: &str| text.lines().find(|l| l.starts_with(begins)).unwrap_or_default().to_owned();
    assert!(line("public_url").ends_with("  # BAOPHAT__PUBLIC_URL"), "{text}");
    assert!(line("app_id").ends_with("baophat.toml:5"), "{text}");
    assert_eq!(line("listen"), "listen = \"127.0.0.1:8080\"");
    assert!(!text.contains("hush"), "{text}");
}

#[test]
fn the_console_steps_carry_the_exact_url_and_say_that_it_is_secret() {
    let text = show(&full());
    assert!(text.contains("#  1. Webhook: https://hooks.example.vn/webhooks/zalo/shop-oa\n"), "{text}");
    assert!(text.contains("/webhooks/esms/shop-sms/0123456789abcdef\n"), "{text}");
    assert!(text.contains("keep them out of tickets"), "{text}");
    assert!(!text.contains("YOUR-HOST"), "{text}");
}

#[test]
fn without_a_public_url_it_says_so_before_the_steps() {
    let text = show(&given(ZALO).load().unwrap());
    let (said, step) =
        (text.find("public_url is not set: put your own").unwrap(), text.find("https://YOUR-HOST/webhooks/zalo/shop-oa").unwrap());
    assert!(said < step);
    assert!(!text.contains("keep them out of tickets"));
}

#[test]
fn as_json_it_holds_the_same() {
    let config = full();
    let json = show_json(&config);
    assert_eq!(json["limits"]["inbox_records_max"], 8_192);
    assert_eq!(json["stuck"]["deadlines"]["zalo"]["zns"]["sent"], "2h");
    assert_eq!(json["api_keys"][0]["characters"], 19);
    assert_eq!(json["accounts"][0]["settings"]["oa_secret_key"][0]["characters"], 8);
    assert_eq!(json["accounts"][1]["console"][0]["what"], "https://hooks.example.vn/webhooks/esms/shop-sms/0123456789abcdef");
    assert_eq!(json["origins"]["public_url"], "BAOPHAT__PUBLIC_URL");
    assert_eq!(json["console_origin"]["stand_in"], false);
    assert!(!json.to_string().contains("hush"), "{json}");
}
