//! A feed that is not the one that was followed, and one that retention took from under a receiver.

use std::fs;
use std::path::Path;
use std::process::Command;

use baophat::domain::state::State;
use baophat::domain::time::{Millis, Span};
use baophat::store::sqlite::state::{AccountNumbers, StateFile};

use super::bench::{Bench, T, after, run, subscription};
use super::receiver::Receiver;

/// The state's files, to be put back later.
fn copied(state: &Path) -> Vec<(std::path::PathBuf, Option<Vec<u8>>)> {
    let files = ["", "-wal", "-shm"].map(|end| state.with_file_name(format!("{}{end}", state.file_name().unwrap().display())));
    files.into_iter().map(|path| (path.clone(), fs::read(path).ok())).collect()
}

#[test]
fn a_number_that_is_given_anew_is_another_event_and_nothing_is_left_out() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let tables = subscription(&receiver.url("/"), "");
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    run(&mut outbox, &courier, T);
    drop(outbox);
    let old = copied(&bench.place.state());
    let (mut outbox, courier) = bench.outbox(&tables);
    bench.feed(&[bench.moved(1, State::Queued, State::Sent), bench.moved(1, State::Sent, State::Delivered)]);
    run(&mut outbox, &courier, after(Span::minutes(2)));
    drop(outbox);
    for (path, bytes) in old {
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }
    // As many as were lost, so that the numbers alone tell nothing.
    bench.feed(&[bench.moved(2, State::Queued, State::Failed), bench.moved(2, State::Queued, State::Read)]);
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, after(Span::minutes(3)));
    assert_eq!(receiver.types(), ["message.sent", "message.sent", "message.delivered", "message.failed", "message.read"]);
    let mut ids: Vec<String> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
    let number = |id: &String| id.split('_').nth(1).unwrap().to_owned();
    assert_eq!((number(&ids[1]), number(&ids[2])), (number(&ids[3]), number(&ids[4])), "the test wants the same numbers");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 5, "{ids:?}");
    drop(outbox);
    let (mut outbox, courier) = bench.outbox(&tables);
    assert_eq!(run(&mut outbox, &courier, after(Span::minutes(4))), 0, "it stands in the feed as it is now");
}

#[test]
fn a_feed_without_any_known_place_is_told_from_its_beginning() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let tables = subscription(&receiver.url("/"), "");
    let old = copied(&bench.place.state());
    bench.feed(&[bench.moved(0, State::Queued, State::Sent)]);
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, T);
    drop(outbox);
    for (path, bytes) in old {
        match bytes {
            Some(bytes) => fs::write(path, bytes).unwrap(),
            None => drop(fs::remove_file(path)),
        }
    }
    bench.feed(&[bench.moved(1, State::Queued, State::Failed)]);
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, T);
    assert_eq!(receiver.types().last().map(String::as_str), Some("message.failed"));
    assert!(bench.metrics.text(T.0).contains("baophat_outbox_lost_entries_total{target=\"erp\"} 0\n"));
}

#[test]
fn what_retention_took_before_it_was_told_is_counted() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&subscription(&receiver.url("/"), ""));
    run(&mut outbox, &courier, T);
    bench.feed(&[0, 1, 2].map(|n| bench.moved(n, State::Queued, State::Sent)));
    let mut state = StateFile::open_writer(&bench.place, AccountNumbers::default()).unwrap();
    state.prune(Millis(0), Millis(T.0 + 1), 9).unwrap();
    drop(state);
    for _ in 0..2 {
        run(&mut outbox, &courier, T);
        assert!(bench.metrics.text(T.0).contains("baophat_outbox_lost_entries_total{target=\"erp\"} 3"), "{}", bench.metrics.text(T.0));
    }
    bench.feed(&[bench.moved(0, State::Sent, State::Read)]);
    run(&mut outbox, &courier, T);
    assert_eq!(receiver.types(), ["message.read"]);
    assert!(bench.metrics.text(T.0).contains("baophat_outbox_lost_entries_total{target=\"erp\"} 3"));
}

#[test]
fn a_receiver_that_is_enrolled_without_a_server_begins_at_the_end_of_the_feed() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (outbox, _) = bench.outbox(&subscription(&receiver.url("/"), ""));
    drop(outbox);
    bench.feed(&[0, 1].map(|n| bench.moved(n, State::Queued, State::Sent)));
    let config = bench.place.outbox().with_file_name("baophat.toml");
    let late = subscription(&receiver.url("/late"), "").replace("erp", "late");
    fs::write(&config, fs::read_to_string(&config).unwrap() + &late).unwrap();
    let out = Command::new(env!("CARGO_BIN_EXE_baophat")).args(["outbox", "replay", "--all", "--config"]).arg(config).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    let last = StateFile::open_reader(&bench.place, AccountNumbers::default()).unwrap().feed_last().unwrap();
    let places: Vec<_> = bench.file().standings().unwrap().into_iter().map(|s| (s.id, s.at.event)).collect();
    assert_eq!(places, [("erp".to_owned(), last - 2), ("late".to_owned(), last)]);
}
