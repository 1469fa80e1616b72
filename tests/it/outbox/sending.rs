//! Subscriptions, step by step with a time that is handed in.

use baophat::domain::feed::{Step, What};
use baophat::domain::state::State;
use baophat::domain::time::{Millis, Span};
use baophat::domain::watch::{Reason, Standing};
use baophat::outbox::{BURIED_MAX, Post, Signer, WAITING_MAX};
use baophat::store::sqlite::outbox::{Again, End, New, OutboxFile};
use serde_json::json;

use super::bench::{Bench, SECRET, T, after, incident, run, subscription};
use super::receiver::Receiver;

#[test]
fn an_event_is_delivered_once_signed_and_as_the_api_shows_its_message() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/hook?x=1"), ""));
    assert_eq!(run(&mut outbox, &courier, T), 0, "what happened before it was configured is not told");
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    assert_eq!(run(&mut outbox, &courier, T), 1);
    assert_eq!(run(&mut outbox, &courier, T), 0);
    let taken = &receiver.taken()[0];
    let event = taken.json();
    assert_eq!((taken.path.as_str(), &event["type"], &event["timestamp"]), ("/hook?x=1", &json!("message.sent"), &json!(T)));
    let mut shown = bench.messages[0].as_object().unwrap().clone();
    shown.remove("events");
    shown.insert("previous_state".into(), json!("queued"));
    assert_eq!(event["data"], json!(shown));
    let (id, seconds) = (taken.header("webhook-id"), T.0 / 1_000);
    assert!(id.starts_with("evt_") && taken.header("webhook-timestamp") == seconds.to_string(), "{taken:?}");
    let signed = Signer::new([SECRET].into_iter()).signatures(id, seconds, &taken.body);
    assert_eq!(taken.header("webhook-signature"), signed);
}

#[test]
fn what_is_not_taken_is_tried_again_later_under_the_same_id() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    receiver.plan(&["500", "503\nretry-after: 900", "302\nlocation: /elsewhere"]);
    assert_eq!(run(&mut outbox, &courier, T), 1);
    assert_eq!(run(&mut outbox, &courier, after(Span(4_999))), 0);
    let second = after(Span::seconds(6));
    assert_eq!(run(&mut outbox, &courier, second), 1);
    assert_eq!(run(&mut outbox, &courier, second.plus(Span::seconds(899))), 0, "it asked for a pause");
    assert_eq!(run(&mut outbox, &courier, second.plus(Span::seconds(900))), 1);
    let waiting = bench.file().deliveries(false, Some("erp"), None, 9).unwrap();
    assert_eq!((waiting[0].attempts, waiting[0].first_at), (3, Some(T)));
    assert!(waiting[0].error.as_deref().unwrap().contains("302"), "{waiting:?}");
    assert_eq!(run(&mut outbox, &courier, after(Span::hours(2))), 1);
    let ids: Vec<String> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
    assert_eq!((ids.len(), ids.iter().all(|id| *id == ids[0])), (4, true));
    assert_eq!(bench.numbers(false), [0i64; 0]);
}

#[test]
fn a_message_keeps_its_order_while_another_one_passes() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    bench.feed(&[
        bench.moved(0, State::Queued, State::Sent),
        bench.moved(0, State::Sent, State::Delivered),
        bench.moved(1, State::Queued, State::Failed),
    ]);
    receiver.plan(&["500"]);
    run(&mut outbox, &courier, T);
    let told = || receiver.taken().iter().map(|t| t.json()).map(|e| (e["type"].clone(), e["data"]["ref"].clone())).collect::<Vec<_>>();
    assert_eq!(told(), [(json!("message.sent"), json!("order-1")), (json!("message.failed"), json!("order-2"))]);
    run(&mut outbox, &courier, after(Span::minutes(1)));
    assert_eq!(told()[2..], [(json!("message.sent"), json!("order-1")), (json!("message.delivered"), json!("order-1"))]);
}

#[test]
fn an_incident_and_an_account_keep_their_order_too_and_wait_for_nobody_else() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    let account = |from, to| What::Account { from, to, reason: Reason::WebhookSilent };
    bench.feed(&[
        incident(7, Step::Opened),
        account(Standing::Connected, Standing::Silent),
        incident(8, Step::Opened),
        incident(7, Step::Closed),
        account(Standing::Silent, Standing::Connected),
    ]);
    receiver.plan(&["500", "500"]);
    run(&mut outbox, &courier, T);
    assert_eq!(receiver.types(), ["incident.opened", "account.changed", "incident.opened"]);
    run(&mut outbox, &courier, after(Span::minutes(1)));
    let told = |n: usize| receiver.taken()[n].json()["data"].clone();
    let (mut incidents, mut accounts) = (Vec::new(), Vec::new());
    for n in 3..receiver.taken().len() {
        let data = told(n);
        incidents.extend(data["step"].as_str().map(str::to_owned));
        accounts.extend(data["to"].as_str().map(str::to_owned));
    }
    assert_eq!(
        (told(2)["id"].clone(), incidents, accounts),
        (json!("8"), vec!["opened".into(), "closed".into()], vec!["silent".into(), "connected".into()])
    );
}

#[test]
fn after_three_days_it_is_a_dead_letter_that_can_be_sent_again() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent), bench.moved(0, State::Sent, State::Read)]);
    receiver.plan(&["500"; 10]);
    let (mut now, mut attempts) = (T, 0);
    while bench.numbers(true).is_empty() {
        attempts += run(&mut outbox, &courier, now);
        now = now.plus(Span::minutes(1));
        assert!(now < after(Span::days(5)), "it is tried for ever");
    }
    // It is left alone for a moment after so many failures; then, behind the dead one, its message goes on.
    now = now.plus(Span::minutes(5));
    attempts += run(&mut outbox, &courier, now);
    assert_eq!((attempts, receiver.types().last().map(String::as_str)), (11, Some("message.read")));
    assert!(now > after(Span::days(3)), "{now}");
    let dead = bench.numbers(true);
    assert_eq!(outbox.replay(&Again::One(dead[0] + 100), now).unwrap(), 0);
    assert_eq!(outbox.replay(&Again::One(dead[0]), now).unwrap(), 1);
    assert_eq!(run(&mut outbox, &courier, now), 1);
    assert_eq!((bench.numbers(true), receiver.taken().len()), (vec![], 12));
}

#[test]
fn a_kill_between_putting_in_and_sending_loses_nothing_and_doubles_nothing() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let tables = subscription(&receiver.url("/"), "");
    let (mut outbox, _) = bench.outbox(&tables);
    outbox.step(T);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent), bench.moved(1, State::Queued, State::Sent)]);
    assert_eq!(outbox.step(T).len(), 2);
    // The jobs are lost with the process.
    drop(outbox);
    bench.feed(&[bench.moved(2, State::Queued, State::Sent)]);
    let (mut outbox, courier) = bench.outbox(&tables);
    assert_eq!(run(&mut outbox, &courier, T), 3);
    let mut ids: Vec<String> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    drop(outbox);
    let (mut outbox, courier) = bench.outbox(&tables);
    assert_eq!(run(&mut outbox, &courier, T), 0);
}

#[test]
fn a_receiver_that_is_gone_is_told_nothing_more_until_somebody_replays() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    receiver.plan(&["410"]);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(1, State::Queued, State::Sent)]);
    assert_eq!(run(&mut outbox, &courier, after(Span::days(1))), 0);
    let standing = &bench.file().standings().unwrap()[0];
    assert_eq!((standing.disabled_at, standing.error.as_deref()), (Some(T), Some("it answered 410 Gone")));
    assert!(bench.metrics.text(T.0).contains("baophat_outbox_disabled{target=\"erp\"} 1"));
    assert_eq!(outbox.replay(&Again::Of(Some("erp".into())), after(Span::days(2))).unwrap(), 1);
    bench.feed(&[bench.moved(2, State::Queued, State::Sent)]);
    assert_eq!(run(&mut outbox, &courier, after(Span::days(2))), 2, "the dead letter and what is new");
}

#[test]
fn a_private_address_is_refused_unless_it_is_allowed() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433"] {
        let url = format!("https://{host}:{}/", receiver.address.port());
        let (mut outbox, courier) = bench.outbox(&subscription(&url, "").replace("allow_private = true", ""));
        run(&mut outbox, &courier, T);
        bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
        run(&mut outbox, &courier, T);
        let standing = &bench.file().standings().unwrap()[0];
        assert!(standing.error.as_deref().unwrap().contains("is not public; set allow_private"), "{host}: {standing:?}");
        outbox.step(T);
        drop(outbox);
        std::fs::remove_file(bench.place.outbox()).unwrap();
    }
    assert!(receiver.taken().is_empty());
}

#[test]
fn filters_let_through_what_is_asked_for() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let more = "events = [\"message.*\"]\naccounts = [\"shop-oa\"]\nkinds = [\"zns\"]\nstates = [\"queued\"]\n";
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), more));
    run(&mut outbox, &courier, T);
    bench.feed(&[super::bench::incident(1, baophat::domain::feed::Step::Opened), bench.moved(0, State::Queued, State::Sent)]);
    run(&mut outbox, &courier, T);
    assert_eq!(receiver.types(), ["message.sent"]);
    drop(outbox);
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), "kinds = [\"cs\"]\n"));
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    assert_eq!(run(&mut outbox, &courier, T), 0);
}

#[test]
fn a_receiver_whose_queue_is_full_stands_in_the_feed_and_the_others_go_on() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let other = subscription(&receiver.url("/other"), "").replace("erp", "other");
    let (mut outbox, courier) = bench.outbox(&format!("{}{other}", subscription(&receiver.url("/"), "")));
    outbox.step(T);
    let full: Vec<New> = (0..WAITING_MAX).map(|_| filler(None)).collect();
    let at = bench.file().standings().unwrap()[0].at;
    OutboxFile::open_writer(&bench.place).unwrap().put("erp", &full, at, T).unwrap();
    let counted = after(Span::seconds(5));
    let mut jobs = outbox.step(counted);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    jobs.extend(outbox.step(counted));
    assert_eq!(bench.file().standings().unwrap()[0].at, at);
    assert_eq!(bench.file().waiting("other").unwrap(), 1, "it has its own queue");
    assert_eq!(bench.file().waiting("erp").unwrap(), WAITING_MAX);
    for job in jobs {
        let answer = courier.post(&job);
        outbox.back(job, answer);
    }
    outbox.step(counted);
    assert!(bench.file().waiting("erp").unwrap() < WAITING_MAX);
    assert_eq!(bench.file().standings().unwrap()[0].at, at, "a few that are through are no reason to read the feed");
    let some = bench.file().due("erp", counted, WAITING_MAX / 10).unwrap();
    let some: Vec<_> = some.iter().map(|d| (d.id, End::Delivered)).collect();
    OutboxFile::open_writer(&bench.place).unwrap().end(&some, counted).unwrap();
    let counted = after(Span::seconds(10));
    outbox.step(counted);
    outbox.step(counted);
    assert!(bench.file().standings().unwrap()[0].at.event > at.event, "there is room again");
}

#[test]
fn what_waits_too_long_for_a_receiver_that_takes_nothing_is_given_up_without_an_attempt_of_its_own() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    let at = bench.file().standings().unwrap()[0].at;
    let mut file = OutboxFile::open_writer(&bench.place).unwrap();
    let old: Vec<New> = (0..BURIED_MAX as i64 + 200).map(|n| filler(Some(n))).collect();
    file.put("erp", &old, at, T).unwrap();
    // Eight at once, and then one at a time, twice.
    receiver.plan(&["500"; 10]);
    assert_eq!(run(&mut outbox, &courier, T), 8, "it is left alone");
    file.put("erp", &[filler(Some(1_100))], at, after(Span::hours(60))).unwrap();
    run(&mut outbox, &courier, after(Span::hours(83)));
    assert_eq!(bench.file().deliveries(true, None, None, 9).unwrap().len(), 0);
    let died = after(Span::hours(85));
    run(&mut outbox, &courier, died);
    let dead = bench.file().tallies().unwrap()[0].dead;
    assert_eq!(dead, BURIED_MAX as u64, "not all in one commit");
    let later = died.plus(Span::minutes(6));
    run(&mut outbox, &courier, later);
    let tallies = bench.file().tallies().unwrap();
    assert_eq!((tallies[0].dead as usize, tallies[0].waiting), (old.len(), 0), "behind a dead one its message goes on");
    let letter = &bench.file().deliveries(true, None, None, 1).unwrap()[0];
    assert_eq!(letter.error.as_deref(), Some("not taken for more than three days: answered 500"));
    assert_eq!(receiver.taken().len(), 11);
    // They are kept from when they died.
    outbox.step(died.plus(Span::days(30)));
    assert_eq!(bench.file().tallies().unwrap()[0].dead, tallies[0].dead);
    outbox.step(died.plus(Span::days(31)));
    assert_eq!(bench.file().tallies().unwrap(), []);
}

/// Something that waits.
fn filler(queue: Option<i64>) -> New {
    New { event: 1, mark: 1, name: "message.sent".into(), queue, payload: b"{}".to_vec() }
}

#[test]
fn a_clock_that_jumps_back_neither_loses_nor_repeats() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    let earlier = Millis(T.0 - 86_400_000);
    assert_eq!(run(&mut outbox, &courier, earlier), 1);
    assert_eq!(run(&mut outbox, &courier, T), 0);
    // A year ahead for a moment: what failed then is not left waiting for that year.
    let ahead = after(Span::days(365));
    receiver.plan(&["500", "500", "500"]);
    bench.feed(&[0, 1, 2].map(|n| bench.moved(n, State::Sent, State::Delivered)));
    assert_eq!(run(&mut outbox, &courier, ahead), 3);
    assert_eq!(run(&mut outbox, &courier, after(Span::seconds(10))), 3);
}
