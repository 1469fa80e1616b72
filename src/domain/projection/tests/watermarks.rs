//! Watermarks over a conversation, before and after its messages are known.

use super::*;

const READ: WatermarkKind = WatermarkKind::Read;
const DELIVERED: WatermarkKind = WatermarkKind::Delivered;

#[test]
fn a_watermark_counts_before_and_after_the_message() {
    let steps =
        [callback(echo("x", "anna", None, 50)), watermark(DELIVERED, "page", "anna", 50, 60), watermark(READ, "page", "anna", 99, 120)];
    let shown = every_order(PAGE, &steps, in_any_order);
    assert_eq!(brief(&shown), ["x - read"]);
    assert_eq!((shown[0].derived.delivered_at, shown[0].derived.read_at), (Some(Millis(60)), Some(Millis(120))));
}

#[test]
fn a_watermark_alone_makes_no_message() {
    assert_eq!(Shelf::of(PAGE, [watermark(READ, "page", "anna", 99, 120)]).rows_in_use(), [] as [Row; 0]);
}

#[test]
fn a_later_lower_watermark_moves_only_what_it_makes_earlier() {
    let steps = [
        callback(echo("x", "anna", None, 10)),
        callback(echo("y", "anna", None, 30)),
        watermark(READ, "page", "anna", 30, 90),
        watermark(READ, "page", "anna", 20, 40),
        watermark(READ, "page", "anna", 25, 95),
    ];
    let shown = every_order(PAGE, &steps, in_any_order);
    let times: Vec<_> = shown.iter().map(|s| (s.summary.message_id.as_deref(), s.derived.read_at)).collect();
    assert_eq!(times, [(Some("x"), Some(Millis(40))), (Some("y"), Some(Millis(90)))]);
}

#[test]
fn the_same_customer_on_two_pages_and_in_two_accounts_has_two_conversations() {
    let from = |page: &str, id: &str| callback(MessageEvent { sender: Some(page.into()), ..echo(id, "anna", None, 10) });
    let steps = [from("page", "x"), from("page-b", "y"), watermark(READ, "page", "anna", 99, 120)];
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["x - read", "y - sent"]);
    let mut shelf = Shelf::of("page-1", [from("page", "x"), watermark(READ, "page", "binh", 99, 120)]);
    shelf.step("page-2", ARRIVAL, from("page", "x"));
    shelf.step("page-2", ARRIVAL, watermark(READ, "page", "anna", 99, 120));
    assert_eq!(brief(&shelf.shown()), ["x - sent", "x - read"]);
}

#[test]
fn a_watermark_reaches_a_message_that_borrows_its_id() {
    let r = Registration { recipient: Some("anna".into()), ..registration(Some("r"), None) };
    let steps = [Step::Register(vec![r]), callback(echo("x", "anna", Some("r"), 50)), watermark(READ, "page", "anna", 50, 120)];
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["x r read"]);
}

#[test]
fn an_id_with_a_time_inside_and_a_registration_without_an_echo_are_reached() {
    let r = Registration { sender: Some("page".into()), recipient: Some("anna".into()), ..registration(Some("r"), None) };
    let steps = [Step::Register(vec![r]), accepted(by_reference("r"), Some("t50")), watermark(READ, "page", "anna", 50, 120)];
    assert_eq!(brief(&every_order(PAGE, &steps, before(0, 1))), ["t50 r read"]);
}

#[test]
fn a_conversation_learnt_later_brings_its_watermarks() {
    let r = Registration { sender: Some("page".into()), sent_at: Some(Millis(2_050)), ..registration(Some("r"), Some("x")) };
    let to = Registration { recipient: Some("anna".into()), ..registration(Some("r"), None) };
    let steps = [Step::Register(vec![r]), Step::Register(vec![to]), watermark(READ, "page", "anna", 50, 120)];
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["x r read"]);
}

#[test]
fn a_message_registered_without_a_sender_is_the_only_ones_there_is() {
    let r = Registration { recipient: Some("anna".into()), ..registration(Some("r"), Some("t50")) };
    let steps = [Step::Register(vec![r.clone()]), watermark(READ, "page", "anna", 50, 120)];
    assert_eq!(brief(&every_order(ONE_PAGE, &steps, in_any_order)), ["t50 r read"]);
    assert_eq!(brief(&every_order(PAGE, &steps, in_any_order)), ["t50 r sent"]);
    let told = Registration { sender: Some("page-b".into()), ..r };
    let steps = [Step::Register(vec![told]), watermark(READ, "page", "anna", 50, 120)];
    assert_eq!(brief(&every_order(ONE_PAGE, &steps, in_any_order)), ["t50 r sent"]);
}

#[test]
fn an_exact_time_takes_back_what_an_estimate_granted_in_every_order() {
    let r = Registration {
        sender: Some("page".into()),
        recipient: Some("anna".into()),
        sent_at: Some(Millis(2_050)),
        ..registration(Some("r"), Some("x"))
    };
    let steps = [Step::Register(vec![r]), watermark(READ, "page", "anna", 60, 120), callback(echo("x", "anna", None, 70))];
    let shown = every_order(PAGE, &steps, in_any_order);
    assert_eq!(brief(&shown), ["x r sent"]);
    assert_eq!(shown[0].derived.read_at, None);
    assert_eq!(brief(&Shelf::of(PAGE, steps[..2].to_vec()).shown()), ["x r read"]);
}

#[test]
fn a_refused_message_and_an_account_without_conversations_are_not_reached() {
    let r = Registration {
        sender: Some("page".into()),
        recipient: Some("anna".into()),
        sent_at: Some(Millis(2_050)),
        ..registration(Some("r"), None)
    };
    let steps = [Step::Register(vec![r]), refused(by_reference("r"), "551", None), watermark(READ, "page", "anna", 99, 120)];
    assert_eq!(brief(&every_order(PAGE, &steps, before(0, 1))), ["- r failed"]);
    let oa = [callback(echo("x", "anna", None, 50)), watermark(READ, "page", "anna", 99, 120)];
    assert_eq!(brief(&every_order(OA, &oa, in_any_order)), ["x - sent"]);
}
