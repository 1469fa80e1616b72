//! Why callbacks were refused: every mistake is made as it happens, with real signatures, and must be found.

use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

use super::super::verify;
use super::*;
use crate::providers::{Clue, Finding, examine};

const OLD_KEY: &str = "last-years-oa-key";
const OTHER_KEY: &str = "the-other-shops-key";
const ECHO: &str = r#"{"app_id":"4100200300400500600","event_name":"oa_send_text","message":{"msg_id":"1a2b","text":"Đơn <a> a/b"},"timestamp":"1764000000333"}"#;

fn with_old_keys() -> Box<dyn Account> {
    account_of(&[
        ("app_id", &[APP]),
        ("oa_secret_key", &["newest-key", KEY]),
        ("retired_oa_secret_keys", &["older", OLD_KEY]),
        ("oa_ids", &[OA]),
    ])
}

fn found(body: impl AsRef<[u8]>, header: Option<&str>) -> Vec<Finding> {
    let other_id = AccountId::parse("other-shop").unwrap();
    let other = account_of(&[("app_id", &["777"]), ("oa_secret_key", &[OTHER_KEY])]);
    let callback = callback(body);
    let callback = header.into_iter().fold(callback, |c, value| with_header(c, SIGNATURE_HEADER, value));
    examine(&*with_old_keys(), [(&other_id, &*other)], &callback, None)
}

fn clues(body: impl AsRef<[u8]>, header: &str) -> Vec<Clue> {
    found(body, Some(header)).into_iter().map(|f| f.clue).collect()
}

fn mac(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.concat());
    format!("mac={}", digest.iter().map(|b| format!("{b:02x}")).collect::<String>())
}

#[test]
fn an_old_key_is_found_and_still_refused() {
    for key in ["older", OLD_KEY] {
        let header = verify::sign(ECHO.as_bytes(), APP, key);
        assert_eq!(clues(ECHO, &header), [Clue::RetiredSecret]);
        let callback = with_header(callback(ECHO), SIGNATURE_HEADER, &header);
        assert_eq!(with_old_keys().verify(&callback, None), Err(Refusal::Mismatch));
    }
}

#[test]
fn the_key_of_another_account_is_found_by_that_accounts_name() {
    let body = ECHO.replace(APP, "777");
    let all = found(&body, Some(&verify::sign(body.as_bytes(), "", OTHER_KEY)));
    assert_eq!(all[0], Finding { clue: Clue::OtherAccount, account: Some(AccountId::parse("other-shop").unwrap()) });
    assert_eq!(all[1], Clue::WrongAppId.into());
    assert_eq!(clues(ECHO, &verify::sign(ECHO.as_bytes(), APP, OTHER_KEY)), [Clue::OtherAccount]);
}

#[test]
fn a_body_that_was_written_anew_is_found_in_every_spelling() {
    let header = verify::sign(ECHO.as_bytes(), APP, KEY);
    let spaced = ECHO.replace(':', ": ").replace(',', ", ");
    let escaped = ECHO.replace('Đ', r"\u0110").replace('ơ', r"\u01a1");
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Map<_, _>>(ECHO).unwrap()).unwrap();
    let html = ECHO.replace('<', r"\u003c").replace('>', r"\u003e");
    for sent in [&spaced, &escaped, &pretty, &html, &ECHO.replace('/', r"\/"), &format!("{ECHO}\n")] {
        assert_eq!(clues(sent, &header), [Clue::Reserialised], "{sent}");
    }
    for (signed, sent) in [(&spaced, ECHO), (&escaped, ECHO), (&format!("{ECHO}\n"), ECHO)] {
        assert_eq!(clues(sent, &verify::sign(signed.as_bytes(), APP, KEY)), [Clue::Reserialised], "{signed}");
    }
}

#[test]
fn an_hmac_with_the_right_key_is_found() {
    for parts in [vec![ECHO], vec![APP, ECHO, "1764000000333"]] {
        let mut mac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).unwrap();
        mac.update(parts.concat().as_bytes());
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(clues(ECHO, &format!("mac={hex}")), [Clue::HmacUsed]);
    }
}

#[test]
fn another_app_or_an_oa_in_its_place_is_found() {
    assert_eq!(clues(ECHO, &mac(&[OA, ECHO, "1764000000333", KEY])), [Clue::WrongAppId]);
    let foreign = ECHO.replace(APP, "888");
    // Signed as if the configured app stood in it, and with a key nobody knows.
    for header in [mac(&[APP, &foreign, "1764000000333", KEY]), mac(&["888", &foreign, "1764000000333", "nobodys-key"])] {
        assert_eq!(clues(&foreign, &header), [Clue::WrongAppId]);
    }
}

#[test]
fn a_cut_body_or_signature_is_found() {
    let header = verify::sign(ECHO.as_bytes(), APP, KEY);
    for at in [0, 1, 20, ECHO.len() - 1] {
        let at = (0..=at).rev().find(|at| ECHO.is_char_boundary(*at)).unwrap();
        assert_eq!(clues(&ECHO[..at], &header), [Clue::Truncated], "{at}");
    }
    assert_eq!(clues(ECHO, &header[..header.len() - 1]), [Clue::Truncated]);
}

#[test]
fn no_signature_and_no_reason_are_told_apart() {
    assert_eq!(found(ECHO, None), [Clue::Unsigned.into()]);
    assert_eq!(clues(ECHO, " "), [Clue::Unsigned]);
    assert_eq!(clues(ECHO, &verify::sign(ECHO.as_bytes(), APP, "nobodys-key")), [Clue::Unknown]);
    assert_eq!(clues(ECHO, "mac=no-hex"), [Clue::Unknown]);
    assert_eq!(clues(ECHO.replace("oa_send", "oa_sent"), &verify::sign(ECHO.as_bytes(), APP, KEY)), [Clue::Unknown]);
}

proptest! {
    #[test]
    fn any_bytes_are_examined_and_what_fits_is_not(body in prop::collection::vec(any::<u8>(), 0..300), text in "[\\PC{}\":,\\\\u0-9]{0,80}", header in any::<String>()) {
        for body in [body.as_slice(), text.as_bytes()] {
            prop_assert!(!found(body, Some(&header)).is_empty());
            prop_assert!(!found(body, Some(&mac(&[&text]))).is_empty());
            for key in [KEY, "newest-key"] {
                prop_assert_eq!(found(body, Some(&verify::sign(body, APP, key))), []);
            }
        }
    }
}
