//! Why callbacks were refused: tokens that are old, another account's, nearly right, missing or nobody's.

use proptest::prelude::*;

use super::*;
use crate::providers::{Clue, Finding, examine};

const NEW: &str = "newest-token-0123456789";
const OLD: &str = "last-years-token-0123456789";
const OTHER: &str = "other-shops-token-0123456789";

fn found(token: Option<&str>) -> Vec<Finding> {
    let of = |lists: &[(&'static str, &[&str])]| (SPEC.account)(&AccountId::parse("sms").unwrap(), &values(lists)).unwrap();
    let account = of(&[("callback_token", &[NEW, TOKEN]), ("retired_callback_tokens", &[OLD])]);
    let other = of(&[("callback_token", &[OTHER])]);
    let other_id = AccountId::parse("other-sms").unwrap();
    examine(&*account, [(&other_id, &*other)], &get("SMSID=1"), token)
}

fn clues(token: &str) -> Vec<Clue> {
    found(Some(token)).into_iter().map(|f| f.clue).collect()
}

#[test]
fn an_old_token_and_that_of_another_account_are_found() {
    assert_eq!(clues(OLD), [Clue::RetiredSecret]);
    assert_eq!(clues(&format!("{OLD}/")), [Clue::RetiredSecret]);
    assert_eq!(found(Some(OTHER)), [Finding { clue: Clue::OtherAccount, account: Some(AccountId::parse("other-sms").unwrap()) }]);
}

#[test]
fn a_token_of_another_case_or_with_another_end_is_found() {
    for known in [NEW, TOKEN] {
        let near = [
            known.to_uppercase(),
            known[..known.len() - 1].to_owned(),
            known[..12].to_owned(),
            format!("{known}0"),
            format!("{known}%00"),
            format!("{known}//"),
        ];
        for token in near {
            assert_eq!(clues(&token), [Clue::TokenShape], "{token}");
        }
    }
}

#[test]
fn a_piece_that_could_be_guessed_tells_nothing() {
    for length in 1..12 {
        assert_eq!(clues(&TOKEN[..length]), [Clue::Unknown]);
    }
    let mut wrong = TOKEN.to_owned();
    wrong.replace_range(3..4, "X");
    assert_eq!(clues(&wrong), [Clue::Unknown]);
}

#[test]
fn no_token_and_an_unknown_one_are_told_apart() {
    for none in [None, Some(""), Some("/")] {
        assert_eq!(found(none), [Clue::Unsigned.into()]);
    }
    for token in ["nobodys-token-0123456789", "%ff%fe%fd%fc%fb%fa%f9%f8", "mã-bí-mật-rất-dài-0123"] {
        assert_eq!(clues(token), [Clue::Unknown], "{token}");
    }
}

proptest! {
    #[test]
    fn any_token_is_examined_and_what_fits_is_not(token in any::<String>(), end in "\\PC{0,3}") {
        prop_assert!(!found(Some(&token)).is_empty());
        for known in [NEW, TOKEN] {
            let right = matches!(end.as_str(), "" | "/");
            prop_assert_eq!(found(Some(&format!("{known}{end}"))).is_empty(), right);
        }
    }
}
