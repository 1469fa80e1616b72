//! The server time of a message and what a conversation's watermarks make of it (protocol: Facebook 6.2 and 6.3).

use super::*;

const DELIVERED: WatermarkKind = WatermarkKind::Delivered;
const READ: WatermarkKind = WatermarkKind::Read;

fn echo(at: i64) -> Told {
    let mut event = event(Fact::Sent, Some(at));
    event.server_time = Some(Millis(at));
    Told::Event(event)
}

fn naming(bound: i64, at: i64) -> Told {
    let mut event = event(Fact::Delivered, Some(at));
    event.server_time_bound = Some(Millis(bound));
    Told::Event(event)
}

fn sent_at(at: i64) -> Told {
    Told::Registration(Registration { sent_at: Some(Millis(at)), ..registration(None) })
}

fn world(all: &[Told], arrival: i64) -> World {
    let mut world = World::default();
    for told in all {
        world.tell(told, Millis(arrival));
    }
    world
}

#[test]
fn only_the_strongest_known_source_of_the_server_time_is_used() {
    let mut w = world(&[word("accepted")], 90_000);
    assert_eq!(w.facts.server_time(), Some(Millis(88_000)), "the arrival of the answer, two seconds early");
    w.tell(&sent_at(89_500), Millis(95_000));
    assert_eq!(w.facts.server_time(), Some(Millis(87_500)), "the sender's own time, two seconds early");
    w.facts.server_time.in_id = Some(Millis(87_000));
    assert_eq!(w.facts.server_time(), Some(Millis(87_000)), "inside the id");
    w.tell(&naming(99_000, 99_100), Millis(100_000));
    w.tell(&naming(91_000, 91_100), Millis(100_000));
    w.tell(&naming(92_000, 92_100), Millis(100_000));
    assert_eq!(w.facts.server_time(), Some(Millis(91_000)), "the smallest watermark that names it");
    w.tell(&echo(90_700), Millis(100_000));
    w.tell(&echo(90_600), Millis(100_000));
    w.tell(&echo(90_800), Millis(100_000));
    assert_eq!(w.facts.server_time(), Some(Millis(90_600)), "the smallest exact one");
}

#[test]
fn without_a_source_no_watermark_reaches_a_message() {
    let w = world(&[told(Fact::Delivered, Some(50)), watermark(READ, 1_000_000_000, 99)], 60);
    assert_eq!(w.facts.server_time(), None, "a receipt's own time is never the message's");
    assert_eq!(w.derived().state, State::Delivered);
}

#[test]
fn the_arrival_of_an_echo_without_a_time_is_no_server_time() {
    let mut w = world(&[told(Fact::Sent, None), watermark(READ, 1_000_000_000, 99)], 60_000);
    assert_eq!((w.facts.server_time(), w.derived().state), (None, State::Sent));
    w.tell(&word("accepted"), Millis(70_000));
    assert_eq!((w.facts.server_time(), w.derived().state), (Some(Millis(68_000)), State::Read), "that of the answer is one");
}

#[test]
fn covered_means_at_or_before_the_watermark() {
    for (at, state) in [(99, State::Read), (100, State::Read), (101, State::Sent)] {
        assert_eq!(world(&[echo(at), watermark(READ, 100, 500)], ARRIVAL).derived().state, state, "{at}");
    }
}

#[test]
fn an_exact_time_takes_back_what_an_estimate_granted() {
    let estimate = [sent_at(10_000), word("accepted"), watermark(READ, 8_500, 9_000)];
    assert_eq!(world(&estimate, ARRIVAL).derived().state, State::Read);
    let mut exact = estimate.to_vec();
    exact.push(echo(9_800));
    let d = world(&exact, ARRIVAL).derived();
    assert_eq!((d.state, d.delivered_at, d.read_at, d.sent_at), (State::Sent, None, None, Some(Millis(9_800))));
    exact.rotate_right(1);
    assert_eq!(world(&exact, ARRIVAL).derived(), d);
}

#[test]
fn an_exact_time_can_grant_what_an_estimate_withheld() {
    let mut all = vec![sent_at(12_500), word("accepted"), watermark(DELIVERED, 10_000, 10_100)];
    assert_eq!(world(&all, ARRIVAL).derived().state, State::Sent);
    all.push(echo(10_000));
    assert_eq!(world(&all, ARRIVAL).derived().delivered_at, Some(Millis(10_100)));
}

#[test]
fn the_newest_message_does_not_miss_its_own_watermark_by_a_late_local_time() {
    let all = [Told::Accepted(Some("m1"), None), watermark(READ, 99_400, 150_000)];
    assert_eq!(world(&all, 100_000).derived().state, State::Read, "the answer came back 600 ms after the server time");
}

#[test]
fn times_come_from_the_earliest_pair_that_covers_whichever_came_first() {
    let pairs = [watermark(READ, 100, 900), watermark(READ, 200, 700), watermark(READ, 50, 300), watermark(DELIVERED, 150, 800)];
    let mut all = vec![echo(80)];
    all.extend(pairs);
    let d = world(&all, ARRIVAL).derived();
    assert_eq!((d.delivered_at, d.read_at), (Some(Millis(700)), Some(Millis(700))), "a read proves the delivery");
    all.reverse();
    assert_eq!(world(&all, ARRIVAL).derived(), d);
    all.push(watermark(DELIVERED, 90, 600));
    assert_eq!(world(&all, ARRIVAL).derived().delivered_at, Some(Millis(600)));
}

#[test]
fn a_named_delivery_and_a_watermark_join_at_the_earlier_time() {
    let d = world(&[echo(80), naming(80, 400), watermark(DELIVERED, 90, 350)], ARRIVAL).derived();
    assert_eq!((d.delivered_at, d.read_at), (Some(Millis(350)), None));
}

#[test]
fn watermarks_move_only_messages_known_to_be_in_the_conversation() {
    let covering = [watermark(DELIVERED, ARRIVAL * 9, 5), watermark(READ, ARRIVAL * 9, 6)];
    let state = |first: &[Told]| {
        let mut all = first.to_vec();
        all.extend(covering.clone());
        world(&all, ARRIVAL).derived().state
    };
    assert_eq!(state(&[word("registered")]), State::Queued);
    assert_eq!(state(&[sent_at(100)]), State::Queued, "the sender's word alone does not prove the sending");
    assert_eq!(state(&[sent_at(100), Told::Unknown]), State::Queued);
    assert_eq!(state(&[word("with_id")]), State::Read);
    assert_eq!(state(&[word("refused"), echo(10)]), State::Failed, "it never entered the conversation");
    assert_eq!(state(&[word("refused"), naming(10, 10)]), State::Read);
    assert_eq!(state(&[word("marked"), echo(10)]), State::Read, "an operator's mark is beaten");
}

#[test]
fn a_message_without_its_conversation_is_reached_by_nothing() {
    let w = world(&[echo(10), watermark(READ, 99, 99)], ARRIVAL);
    assert_eq!(w.facts.derive(None).state, State::Sent);
    assert_eq!(w.facts.reached_by(None), (None, None));
}
