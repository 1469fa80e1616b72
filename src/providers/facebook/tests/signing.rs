//! Signatures and the handshake: what proves, and every form of what does not.

use serde_json::Value;

use super::*;
use crate::providers::{Handshake, Refusal, verify};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../../../../fixtures/facebook/vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

fn check(body: &str, header: Option<&str>) -> Result<(), Refusal> {
    let headers: Vec<_> = header.into_iter().map(|h| ("x-hub-signature-256", h)).collect();
    account().verify(&callback(body.as_bytes(), &headers), None)
}

#[test]
fn every_vector_fits_its_own_secret_and_no_other() {
    let file = vectors();
    for vector in file["vectors"].as_array().unwrap() {
        let (name, body) = (text(vector, "name"), text(vector, "body"));
        assert_eq!(body.len() as u64, vector["bytes"].as_u64().unwrap(), "{name}");
        let header = format!("sha256={}", text(vector, "hmac_sha256"));
        let mine = text(&file["secrets"], text(vector, "secret"));
        for secret in [SECRET_A, SECRET_B] {
            let account = configured(&[("app_secret", &[secret])]).unwrap_or_else(|e| panic!("{e}"));
            let expected = if secret == mine { Ok(()) } else { Err(Refusal::Mismatch) };
            assert_eq!(account.verify(&callback(body.as_bytes(), &[("x-hub-signature-256", &header)]), None), expected, "{name}");
        }
        assert_eq!(check(body, Some(&header)), Ok(()), "{name} with both secrets configured");
    }
}

#[test]
fn the_same_json_in_other_bytes_is_refused() {
    let file = vectors();
    let [v1, v2, v3, v4] = [0, 1, 2, 3].map(|i| &file["vectors"][i]);
    for (signed, sent) in [(v2, v3), (v3, v2), (v1, v4), (v4, v1)] {
        assert_eq!(check(text(sent, "body"), Some(&format!("sha256={}", text(signed, "hmac_sha256")))), Err(Refusal::Mismatch));
    }
}

#[test]
fn digits_of_either_case_fit_and_nothing_else_about_the_header_may_differ() {
    let file = vectors();
    let (body, hex) = (text(&file["vectors"][0], "body"), text(&file["vectors"][0], "hmac_sha256"));
    assert_eq!(check(body, Some(&format!("sha256={}", hex.to_uppercase()))), Ok(()));
    assert_eq!(check(body, None), Err(Refusal::Missing));
    let short = &hex[1..];
    for header in [
        String::new(),
        hex.to_owned(),
        "sha256=".into(),
        format!("SHA256={hex}"),
        format!("sha1={}", &hex[..40]),
        format!("sha256={short}"),
        format!("sha256={hex}0"),
        format!("sha256= {short}"),
        format!("sha256=g{short}"),
        format!("sha256=+{short}"),
        format!("sha256={}é", &hex[..62]),
    ] {
        assert_eq!(check(body, Some(&header)), Err(Refusal::Malformed), "{header}");
    }
    assert_eq!(check(body, Some(&format!("sha256=0{short}"))), Err(Refusal::Mismatch));
}

#[test]
fn the_old_signature_is_not_even_kept() {
    assert_eq!(SPEC.kept_headers, ["x-hub-signature-256"]);
    let body = callback(b"{}", &[("x-hub-signature", "sha1=0000000000000000000000000000000000000000")]);
    assert_eq!(account().verify(&body, None), Err(Refusal::Missing));
}

#[test]
fn equal_bodies_are_repeats_whatever_the_headers() {
    let hex = "sha256=684f44b7027dac77873f202f8a56df743b40cdd1de39ab7a4a3bde9cd5c66ff5";
    let identity = |headers: &[(&str, &str)]| verify(&*account(), callback(b"{}", headers), None).unwrap().into_inner().1;
    assert_eq!(identity(&[("x-hub-signature-256", hex)]), identity(&[("x-hub-signature-256", hex), ("x-other", "1")]));
    assert_ne!(account().identity(&callback(b"{}", &[])), account().identity(&callback(b"{} ", &[])));
}

#[test]
fn the_challenge_comes_back_decoded_in_any_order() {
    let yes = |query: &str, challenge: &str| assert_eq!(account().handshake(query), Handshake::Challenge(challenge.into()), "{query}");
    yes(&format!("hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge=1158201444"), "1158201444");
    yes(&format!("x=1&hub.challenge=a%2Bb%26c%C4%91&&hub.verify_token={TOKEN}&y&hub.mode=subscribe"), "a+b&cđ");
    yes(&format!("hub%2Emode=subscribe&hub.verify%5Ftoken={TOKEN}&hub.challenge=100%"), "100%");
    yes("hub.mode=%73ubscribe&hub.verify_token=xac%2Dnhan-demo-2026&hub.challenge=%zz%4", "%zz%4");
}

#[test]
fn every_configured_verify_token_opens_the_handshake() {
    let account = configured(&[("verify_token", &["old", "new token"])]).unwrap_or_else(|e| panic!("{e}"));
    for token in ["old", "new%20token", "new+token"] {
        let query = format!("hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1");
        assert_eq!(account.handshake(&query), Handshake::Challenge("1".into()), "{token}");
    }
}

#[test]
fn any_other_handshake_is_refused() {
    for query in [
        String::new(),
        "hub.mode=subscribe&hub.challenge=1".into(),
        "hub.mode=subscribe&hub.verify_token=&hub.challenge=1".into(),
        format!("hub.verify_token={TOKEN}&hub.challenge=1"),
        format!("hub.mode=unsubscribe&hub.verify_token={TOKEN}&hub.challenge=1"),
        format!("hub.mode=Subscribe&hub.verify_token={TOKEN}&hub.challenge=1"),
        format!("hub.mode=subscribe&hub.verify_token={TOKEN}"),
        format!("hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge="),
        format!("hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge"),
        format!("hub.mode=subscribe&hub.verify_token={TOKEN}&hub.challenge=%FF"),
        format!("hub.mode=subscribe&hub.verify_token={TOKEN}x&hub.challenge=1"),
        format!("hub.mode=subscribe&hub.verify_token={}&hub.challenge=1", &TOKEN[1..]),
        format!("hub.mode=subscribe&hub.verify_token={}&hub.challenge=1", TOKEN.to_uppercase()),
        format!("hub.mode=subscribe&hub.verify_token=x&hub.verify_token={TOKEN}&hub.challenge=1"),
        format!("mode=subscribe&verify_token={TOKEN}&challenge=1"),
    ] {
        assert_eq!(account().handshake(&query), Handshake::Refused, "{query}");
    }
}
