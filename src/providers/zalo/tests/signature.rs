//! The signature: the vectors, every form that is accepted, and every form that is refused.

use serde::Deserialize;

use super::super::verify;
use super::*;

#[derive(Deserialize)]
struct Vectors {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    bytes: usize,
    body: String,
    header: String,
}

fn vectors() -> Vec<Vector> {
    let text = std::fs::read_to_string(fixtures::folder().join("vectors.toml")).unwrap();
    toml::from_str::<Vectors>(&text).unwrap().vector
}

fn check(account: &dyn Account, body: impl AsRef<[u8]>, header: &str) -> Result<(), Refusal> {
    account.verify(&with_header(callback(body), SIGNATURE_HEADER, header), None)
}

#[test]
fn every_vector_fits_byte_for_byte() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 6);
    for v in vectors {
        assert_eq!(v.body.len(), v.bytes, "{}", v.name);
        assert_eq!(check(&*shop(), &v.body, &v.header), Ok(()), "{}", v.name);
    }
}

#[test]
fn a_changed_byte_of_the_body_is_refused() {
    for v in vectors() {
        for at in 0..v.body.len() {
            let mut body = v.body.clone().into_bytes();
            body[at] ^= 1;
            assert_eq!(check(&*shop(), &body, &v.header), Err(Refusal::Mismatch), "{} at {at}", v.name);
        }
        for body in [format!("{}\n", v.body), format!(" {}", v.body)] {
            assert_eq!(check(&*shop(), &body, &v.header), Err(Refusal::Mismatch), "{}", v.name);
        }
    }
}

#[test]
fn the_header_may_have_any_case_blanks_and_no_mac() {
    let v = &vectors()[0];
    let hex = v.header.trim_start_matches("mac=");
    let upper = hex.to_uppercase();
    let accepted =
        [hex.to_owned(), upper.clone(), format!("MAC={upper}"), format!("  mac={hex}\t"), format!("Mac = {hex} "), format!("mac= {hex}")];
    for header in accepted {
        assert_eq!(check(&*shop(), &v.body, &header), Ok(()), "{header:?}");
    }
}

#[test]
fn a_missing_or_empty_header_is_told_from_a_malformed_one() {
    let v = &vectors()[0];
    let hex = v.header.trim_start_matches("mac=");
    assert_eq!(shop().verify(&callback(&v.body), None), Err(Refusal::Missing));
    for header in ["", " ", "\t"] {
        assert_eq!(check(&*shop(), &v.body, header), Err(Refusal::Missing), "{header:?}");
    }
    let one_less = &hex[..63];
    let malformed = [
        "mac=".to_owned(),
        format!("mac={one_less}"),
        format!("mac={hex}0"),
        format!("mac={one_less}g"),
        format!("sha256={hex}"),
        format!("mac=={hex}"),
        format!("mac={hex},mac={hex}"),
        format!("mac {hex}"),
        format!("\"{hex}\""),
        format!("{}é", &hex[..62]),
    ];
    for header in malformed {
        assert_eq!(check(&*shop(), &v.body, &header), Err(Refusal::Malformed), "{header:?}");
    }
}

#[test]
fn other_headers_are_no_signature() {
    let v = &vectors()[0];
    for name in ["x-zalo-signature", "x-zevent-timestamp", "x-hub-signature-256", "num_retry"] {
        assert_eq!(shop().verify(&with_header(callback(&v.body), name, &v.header), None), Err(Refusal::Missing), "{name}");
    }
}

#[test]
fn every_configured_key_is_accepted_and_no_other() {
    let body = &vectors()[0].body;
    let account = account_of(&[("app_id", &[APP]), ("oa_secret_key", &["older-key", KEY, "newer-key"])]);
    for key in ["older-key", KEY, "newer-key"] {
        assert_eq!(check(&*account, body, &verify::sign(body.as_bytes(), APP, key)), Ok(()), "{key}");
    }
    for key in ["", "older", "older-key ", "an-app-secret"] {
        assert_eq!(check(&*account, body, &verify::sign(body.as_bytes(), APP, key)), Err(Refusal::Mismatch), "{key}");
    }
}

#[test]
fn only_top_level_members_enter_the_signature() {
    use sha2::{Digest, Sha256};
    let body =
        format!(r#"{{"a":{{"timestamp":"1","app_id":"2"}},"message":{{"timestamp":"3"}},"app_id":{APP},"timestamp":1764000000555}}"#);
    let hash = |app: &str, time: &str| -> String {
        let digest = Sha256::digest(format!("{app}{body}{time}{KEY}").as_bytes());
        digest.iter().map(|b| format!("{b:02x}")).collect()
    };
    assert_eq!(check(&*shop(), &body, &hash(APP, "1764000000555")), Ok(()));
    for (app, time) in [(APP, ""), (APP, "1"), (APP, "3"), ("2", "1764000000555"), ("", "1764000000555"), (OA, "1764000000555")] {
        assert_eq!(check(&*shop(), &body, &hash(app, time)), Err(Refusal::Mismatch), "{app} {time}");
    }
}

#[test]
fn a_number_signs_with_the_digits_it_was_written_with() {
    use sha2::{Digest, Sha256};
    for spelling in ["1764000000555", "1764000000555.0", "1.764000000555e12", "-0"] {
        let body = format!(r#"{{"app_id":"{APP}","timestamp":{spelling}}}"#);
        let digest = Sha256::digest(format!("{APP}{body}{spelling}{KEY}").as_bytes());
        let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(check(&*shop(), &body, &hex), Ok(()), "{spelling}");
    }
}

#[test]
fn a_foreign_app_with_a_fitting_digest_is_taken_and_ignored() {
    let body = r#"{"app_id":"777","event_name":"user_received_message","message":{"msg_id":"ab"},"timestamp":"1764000000111"}"#;
    assert_eq!(check(&*shop(), body, &verify::sign(body.as_bytes(), APP, KEY)), Ok(()));
    assert_eq!(status(&shop().parse(&callback(body))), "ignored");
}

#[test]
fn a_signed_body_that_is_no_object_is_taken_and_unreadable() {
    let deep = [vec![b'['; 10_000], vec![b']'; 10_000]].concat();
    for body in [&b""[..], b"null", b"[]", b"\"text\"", b"12", b"{", b"{\"a\":1}{", b"\xff\xfe{}", b"{\"a\":\"\xc3\"}", &deep] {
        assert_eq!(check(&*shop(), body, &verify::sign(body, APP, KEY)), Ok(()), "{body:?}");
        assert_eq!(status(&shop().parse(&callback(body))), "error", "{body:?}");
    }
}

#[test]
fn repeats_are_recognised_by_the_body_alone() {
    let first = callback("{}");
    let again = with_header(with_header(callback("{}"), RETRY_HEADER, "2"), SIGNATURE_HEADER, "mac=x");
    assert_eq!(shop().identity(&first), shop().identity(&again));
    assert_ne!(shop().identity(&first), shop().identity(&callback("{ }")));
}
