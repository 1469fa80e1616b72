//! What must hold for any bytes, tried with the kept corpus, with the fixtures, and with mutations of both. The checks are those of
//! the targets of cargo-fuzz; an input that broke something belongs into `fuzz/corpus/`.

#[path = "../../../fuzz/src/lib.rs"]
mod checks;
mod seeds;

use baophat::domain::event::Parsed;
use baophat::providers;
use proptest::prelude::*;

use seeds::{corpus, fixtures, mutated, spelled};

/// Zalo joins its parts without a separator. So the signature of a recorded callback fits one other body: the same with its timestamp
/// behind it, which is no JSON and says nothing.
#[test]
fn a_recorded_zalo_signature_fits_one_other_body_and_that_one_is_unreadable() {
    let body = r#"{"app_id":"4100200300400500600","event_name":"something_new","timestamp":"1764000000111"}"#;
    let recorded = checks::proof::sign(0, body.as_bytes());
    let account = &checks::accounts::config().accounts[0];
    let sent = |body: String| {
        let input = format!("POST /webhooks/zalo/shop-oa HTTP/1.1\nx-zevent-signature: {recorded}\n\n{body}");
        let callback = checks::case::Case::read(input.as_bytes()).unwrap().callback(account);
        let accepted = providers::verify(account.account.as_ref(), callback.clone(), None).is_ok();
        (accepted, matches!(account.account.parse(&callback), Parsed::Unreadable(_)))
    };
    assert_eq!(sent(body.to_owned()), (true, false));
    assert_eq!(sent(format!("{body}1764000000111")), (true, true));
    for other in [format!("{body}176400000011"), format!("4100200300400500600{body}"), format!("{body} "), body.replace("111", "11")] {
        assert!(!sent(other.clone()).0, "{other}");
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

#[test]
fn every_kept_input_holds() {
    for (name, input) in corpus() {
        println!("{name}");
        checks::verify(&input);
        checks::parse(&input);
        checks::edge(&input);
    }
}

#[test]
fn every_fixture_holds() {
    for (name, input) in fixtures() {
        println!("{name}");
        checks::verify(&input);
        checks::parse(&input);
        checks::edge(&input);
    }
}

#[test]
fn the_right_signature_is_put_in_and_counts() {
    let good = b"POST /webhooks/zalo/shop-oa HTTP/1.1\nx-zevent-signature: {sign}\n\n{\"timestamp\":1}";
    let case = checks::case::Case::read(good).unwrap();
    assert!(checks::proof::holds(&case), "{case:?}");
    let case = checks::case::Case { body: b"{\"timestamp\":2}".to_vec(), ..case };
    assert!(!checks::proof::holds(&case), "{case:?}");
    assert!(corpus().len() >= 30 && fixtures().len() > 100);
}

proptest! {
    #![proptest_config(cases(3_000))]

    #[test]
    fn what_is_accepted_was_signed_and_what_was_signed_is_accepted(input in mutated()) {
        checks::verify(&input);
        // The same with the signature of the bytes before they were changed.
        checks::verify(&checks::case::render(&input));
    }

    #[test]
    fn a_signature_made_before_the_last_change_is_refused(input in mutated(), at in any::<prop::sample::Index>(), bit in 0..8u8) {
        let mut sent = checks::case::render(&input);
        let at = at.index(sent.len().max(1));
        if let Some(byte) = sent.get_mut(at) {
            *byte ^= 1 << bit;
        }
        checks::verify(&sent);
    }

    #[test]
    fn the_members_that_zalo_signs_are_read_as_they_are_spelled(input in spelled()) {
        checks::verify(&input);
    }

    #[test]
    fn any_request_is_read_without_panic_and_twice_alike(input in mutated()) {
        checks::parse(&input);
    }
}

proptest! {
    #![proptest_config(cases(800))]

    #[test]
    fn any_bytes_on_the_socket_are_answered_without_fault_and_store_nothing_unproven(input in mutated()) {
        checks::edge(&input);
    }

    #[test]
    fn bytes_that_are_no_request_are_answered_without_fault(input in proptest::collection::vec(any::<u8>(), 0..200)) {
        checks::edge(&input);
        checks::verify(&input);
        checks::parse(&input);
    }
}
