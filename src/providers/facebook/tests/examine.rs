//! Why callbacks were refused: every mistake is made as it happens, with the vectors' signatures, and must be found.

use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::providers::{Clue, Finding, Refusal, examine};

const HEADER: &str = "x-hub-signature-256";
const OTHER_SECRET: &str = "the-other-apps-secret";

/// Body and header of a vector.
fn vector(number: usize) -> (String, String) {
    let file: Value = serde_json::from_str(include_str!("../../../../fixtures/facebook/vectors.json")).unwrap();
    let vector = &file["vectors"][number - 1];
    (vector["body"].as_str().unwrap().to_owned(), format!("sha256={}", vector["hmac_sha256"].as_str().unwrap()))
}

fn signed(body: &[u8], secret: &str) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// What an account explains that has the first secret only and has retired the second.
fn found(body: &[u8], headers: &[(&str, &str)]) -> Vec<Finding> {
    let account =
        configured(&[("app_secret", &[SECRET_A]), ("retired_app_secrets", &["older", SECRET_B])]).unwrap_or_else(|e| panic!("{e}"));
    let other = configured(&[("app_secret", &[OTHER_SECRET])]).unwrap_or_else(|e| panic!("{e}"));
    let other_id = AccountId::parse("other-page").unwrap();
    let callback = callback(body, headers);
    assert_eq!(account.verify(&callback, None).is_ok(), examine(&*account, [(&other_id, &*other)], &callback, None).is_empty());
    examine(&*account, [(&other_id, &*other)], &callback, None)
}

fn clues(body: &str, header: &str) -> Vec<Clue> {
    found(body.as_bytes(), &[(HEADER, header)]).into_iter().map(|f| f.clue).collect()
}

#[test]
fn escapes_that_a_proxy_undid_are_found_and_escapes_that_it_made_too() {
    let ((v2, signature_2), (v3, signature_3)) = (vector(2), vector(3));
    assert_eq!(clues(&v3, &signature_2), [Clue::Reserialised]);
    assert_eq!(clues(&v2, &signature_3), [Clue::Reserialised]);
    assert_eq!(clues(&v2, &signature_2), []);
    // With other blanks on top of it.
    assert_eq!(clues(&v3.replace("\":", "\" : "), &signature_2), [Clue::Reserialised]);
    assert_eq!(clues(&v2.replace("\\/", "/"), &signature_2), [Clue::Reserialised]);
}

#[test]
fn a_line_end_that_came_or_went_is_found() {
    let ((v1, signature_1), (v4, signature_4)) = (vector(1), vector(4));
    assert_eq!(clues(&v4, &signature_1), [Clue::Reserialised]);
    assert_eq!(clues(&v1, &signature_4), [Clue::Reserialised]);
    assert_eq!(clues(&format!("\u{feff}{v1}"), &signature_1), [Clue::Reserialised]);
}

#[test]
fn an_old_secret_is_found_and_still_refused() {
    let (v5, signature_5) = vector(5);
    assert_eq!(clues(&v5, &signature_5), [Clue::RetiredSecret]);
    let account = configured(&[("app_secret", &[SECRET_A]), ("retired_app_secrets", &[SECRET_B])]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(account.verify(&callback(v5.as_bytes(), &[(HEADER, &signature_5)]), None), Err(Refusal::Mismatch));
}

#[test]
fn the_secret_of_another_account_is_found_by_that_accounts_name() {
    let (v1, _) = vector(1);
    let other = Finding { clue: Clue::OtherAccount, account: Some(AccountId::parse("other-page").unwrap()) };
    assert_eq!(found(v1.as_bytes(), &[(HEADER, &signed(v1.as_bytes(), OTHER_SECRET))]), [other]);
}

#[test]
fn the_old_header_alone_is_found() {
    let (v1, _) = vector(1);
    let sha1 = format!("sha1={}", "0".repeat(40));
    assert_eq!(SPEC.examined_headers, ["x-hub-signature"]);
    for headers in [&[("x-hub-signature", sha1.as_str())][..], &[(HEADER, &sha1)], &[(HEADER, ""), ("x-hub-signature", &sha1)]] {
        assert_eq!(found(v1.as_bytes(), headers), [Clue::Sha1Only.into()], "{headers:?}");
    }
}

#[test]
fn a_cut_body_or_signature_is_found() {
    let (v1, signature) = vector(1);
    for at in [0, 1, 30, v1.len() - 1] {
        assert_eq!(clues(&v1[..at], &signature), [Clue::Truncated], "{at}");
    }
    assert_eq!(clues(&v1, &signature[..40]), [Clue::Truncated]);
}

#[test]
fn no_signature_and_no_reason_are_told_apart() {
    let (v1, _) = vector(1);
    assert_eq!(found(v1.as_bytes(), &[]), [Clue::Unsigned.into()]);
    assert_eq!(clues(&v1, ""), [Clue::Unsigned]);
    for header in ["sha256=", "md5=00", &signed(v1.as_bytes(), "nobodys-secret")] {
        assert_eq!(clues(&v1, header), [Clue::Unknown], "{header}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_examined_and_what_fits_is_not(body in prop::collection::vec(any::<u8>(), 0..300), text in "[\\PC{}\":,\\\\u0-9]{0,80}", header in any::<String>()) {
        for body in [body.as_slice(), text.as_bytes()] {
            prop_assert!(!found(body, &[(HEADER, &header), ("x-hub-signature", &header)]).is_empty());
            prop_assert!(!found(body, &[(HEADER, &signed(&[body, b"x"].concat(), SECRET_A))]).is_empty());
            prop_assert_eq!(found(body, &[(HEADER, &signed(body, SECRET_A))]), []);
        }
    }
}
