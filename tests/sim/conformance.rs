//! One suite over every store behind the seam, so that none drifts from the others: real files, memory, and either with faults around
//! it that never happen.

use baophat::domain::ids::{AccountId, Row, Seq};
use baophat::domain::message::{Filed, Message, Summary};
use baophat::domain::projection::{Change, Changed, Key, Source, ThreadKey};
use baophat::domain::record::{Callback, Content, Method, Registration, Status, Target};
use baophat::domain::state::State;
use baophat::domain::stuck::{Cause, Stuck};
use baophat::domain::thread::Thread;
use baophat::domain::time::Millis;
use baophat::domain::watch::Sheet;
use baophat::store::faulty::{Faults, Faulty};
use baophat::store::memory::Memory;
use baophat::store::{Outcome, Receipt, RecordReader, RecordWriter, StateWriter, Submission};

use crate::world::{Files, World};

/// A store with faults around it that never happen.
struct Unfailing<W>(W);

impl<W: World> World for Unfailing<W> {
    type Writer = Faulty<W::Writer>;
    type Reader = Faulty<W::Reader>;
    type State = Faulty<W::State>;

    fn writer(&self) -> Self::Writer {
        Faulty::new(self.0.writer(), &Faults::default())
    }
    fn reader(&self) -> Self::Reader {
        Faulty::new(self.0.reader(), &Faults::default())
    }
    fn state(&self) -> Self::State {
        Faulty::new(self.0.state(), &Faults::default())
    }
    fn look(&self) -> Self::State {
        Faulty::new(self.0.look(), &Faults::default())
    }
    fn repeats(&self, seq: Seq) -> u64 {
        self.0.repeats(seq)
    }
}

/// The same test over each store.
macro_rules! over_every_store {
    ($($name:ident)*) => {
        mod over_files { $(#[test] fn $name() { super::$name(super::Files::new()); })* }
        mod over_memory { $(#[test] fn $name() { super::$name(super::Memory::default()); })* }
        mod over_files_that_could_fail { $(#[test] fn $name() { super::$name(super::Unfailing(super::Files::new())); })* }
        mod over_memory_that_could_fail { $(#[test] fn $name() { super::$name(super::Unfailing(super::Memory::default())); })* }
    };
}

over_every_store! {
    records_read_back_as_they_came
    repeats_are_recognised_by_identity_alone_also_after_a_restart
    a_repeat_of_a_pruned_record_is_stored_anew
    pruning_takes_old_folded_records_from_the_old_end_and_positions_never_fall_back
    a_commit_is_kept_whole_and_a_contradiction_keeps_nothing_of_it
    messages_are_found_by_key_deadline_and_conversation
    a_message_that_is_not_refiled_keeps_what_it_is_found_by
    stuck_messages_of_an_account_are_found_behind_a_row
    sheets_are_replaced_forgotten_and_found_by_the_beginning_of_their_names
    outcomes_are_replaced_and_found_by_status
    pruning_the_state_takes_old_messages_and_outcomes_and_rows_are_never_given_again
    conversations_go_when_they_are_old_and_no_message_belongs_to_them
}

fn account(slug: &str) -> AccountId {
    AccountId::parse(slug).unwrap()
}

fn callback(n: u8, at: i64) -> Submission {
    let callback = Callback {
        account: account("shop"),
        method: if n == 2 { Method::Get } else { Method::Post },
        query: "a=1".into(),
        content_type: Some("text/plain".into()),
        headers: vec![("x-a".into(), "b".into())],
        body: vec![0xff, 0, n],
        source: "127.0.0.1".into(),
        received_at: Millis(at),
    };
    let content = Content::Callback(callback);
    Submission { provider: "esms", account: account("shop"), received_at: Millis(at), content, identity: Some([n; 16]) }
}

fn own(at: i64, content: Content) -> Submission {
    Submission { provider: "zalo", account: account("shop-2"), received_at: Millis(at), content, identity: None }
}

fn records_read_back_as_they_came(world: impl World) {
    let target = Target { reference: Some("r".into()), message_id: None };
    let batch = [
        callback(1, 10),
        own(11, Content::Registrations(vec![Registration { reference: Some("r".into()), ..Registration::default() }])),
        own(12, Content::Mark { target, reason: "lost".into() }),
    ];
    let mut writer = world.writer();
    let reader = world.reader();
    assert_eq!((reader.last_seq().unwrap(), reader.after(0, 9).unwrap().len()), (0, 0));
    assert_eq!(writer.append(&[]).unwrap(), []);
    let receipts = writer.append(&batch).unwrap();
    assert_eq!(receipts, [1, 2, 3].map(|seq| Receipt { seq, repeat: false }));
    writer.recover(Millis(13)).unwrap();
    writer.tend_repeats(Millis(13)).unwrap();
    writer.checkpoint().unwrap();
    reader.usable().unwrap();
    let records = reader.after(0, 9).unwrap();
    for (submitted, record) in batch.iter().zip(&records) {
        assert_eq!((&submitted.account, submitted.received_at, &submitted.content), (&record.account, record.received_at, &record.content));
    }
    assert_eq!(reader.after(1, 1).unwrap().iter().map(|r| r.seq).collect::<Vec<_>>(), [2]);
    assert_eq!(reader.get(3).unwrap().as_ref(), records.last());
    assert_eq!(reader.get(4).unwrap(), None);
    let accounts = [(1, "shop".to_owned(), "esms".to_owned()), (2, "shop-2".to_owned(), "zalo".to_owned())];
    assert_eq!(reader.accounts().unwrap(), accounts);
}

fn repeats_are_recognised_by_identity_alone_also_after_a_restart(world: impl World) {
    let mut writer = world.writer();
    let mut other_bytes = callback(9, 20);
    other_bytes.identity = Some([1; 16]);
    let receipts = writer.append(&[callback(1, 10), other_bytes, callback(2, 11)]).unwrap();
    assert_eq!(receipts.iter().map(|r| (r.seq, r.repeat)).collect::<Vec<_>>(), [(1, false), (1, true), (2, false)]);
    drop(writer);
    let mut writer = world.writer();
    assert_eq!(writer.append(&[callback(1, 30)]).unwrap(), [Receipt { seq: 1, repeat: true }]);
    assert_eq!(writer.append(&[callback(3, 31)]).unwrap(), [Receipt { seq: 3, repeat: false }]);
    // Own calls have no identity and are never repeats.
    let mark = || own(32, Content::Mark { target: Target::default(), reason: "x".into() });
    assert_eq!(writer.append(&[mark(), mark()]).unwrap().iter().map(|r| r.seq).collect::<Vec<_>>(), [4, 5]);
    assert_eq!([1, 2, 3].map(|seq| world.repeats(seq)), [2, 0, 0]);
    assert_eq!(world.reader().get(1).unwrap().unwrap().received_at, Millis(10));
}

fn a_repeat_of_a_pruned_record_is_stored_anew(world: impl World) {
    let mut writer = world.writer();
    writer.append(&[callback(1, 10), callback(2, 50), callback(1, 11)]).unwrap();
    assert_eq!(writer.prune(Millis(40), 2, 9).unwrap(), 1);
    // A receipt means: on disk.
    let batch = [callback(1, 60), callback(2, 61), callback(1, 62)];
    assert_eq!(writer.append(&batch).unwrap().iter().map(|r| (r.seq, r.repeat)).collect::<Vec<_>>(), [(3, false), (2, true), (3, true)]);
    assert_eq!((world.reader().get(3).unwrap().unwrap().received_at, world.repeats(3)), (Millis(60), 1));
    drop(writer);
    assert_eq!(world.writer().append(&[callback(1, 70)]).unwrap(), [Receipt { seq: 3, repeat: true }]);
}

fn pruning_takes_old_folded_records_from_the_old_end_and_positions_never_fall_back(world: impl World) {
    let mut writer = world.writer();
    // The third arrived late by the clock: what stands before a record that goes, goes too.
    writer.append(&[callback(1, 10), callback(2, 11), callback(3, 50), callback(4, 12), callback(5, 60)]).unwrap();
    let kept = || world.reader().after(0, 9).unwrap().iter().map(|r| r.seq).collect::<Vec<_>>();
    assert_eq!(writer.prune(Millis(10), 9, 9).unwrap(), 0);
    assert_eq!(writer.prune(Millis(40), 1, 9).unwrap(), 1);
    assert_eq!(kept(), [2, 3, 4, 5]);
    assert_eq!(writer.prune(Millis(40), 9, 1).unwrap(), 1);
    assert_eq!(writer.prune(Millis(40), 9, 9).unwrap(), 2);
    assert_eq!(kept(), [5]);
    assert_eq!(writer.prune(Millis(99), 9, 9).unwrap(), 1);
    assert_eq!((kept(), world.reader().last_seq().unwrap()), (Vec::new(), 5));
    drop(writer);
    let mut writer = world.writer();
    assert_eq!(writer.append(&[callback(6, 70)]).unwrap(), [Receipt { seq: 6, repeat: false }]);
    assert_eq!(world.reader().accounts().unwrap().len(), 1);
}

/// A store with one account.
fn with_account<W: World>(world: &W) -> W::State {
    world.writer().append(&[callback(1, 10)]).unwrap();
    world.state()
}

fn changed(row: Row, new: bool, refiled: bool, fill: impl FnOnce(&mut Message)) -> Changed {
    let mut message = Message::new(row, account("shop"), Millis(100 + row as i64));
    message.filed = Filed { listed: true, state: Some(State::Sent), stamp: row, ..Filed::default() };
    fill(&mut message);
    let summary = Box::new(Summary { filed: message.filed.clone(), ..Summary::default() });
    Changed { summary, message: Box::new(message), new, refiled }
}

fn outcome(seq: Seq, callback: bool, status: Status) -> Outcome {
    Outcome { seq, account: account("shop"), callback, received_at: Millis(10 * seq as i64), status, reason: None }
}

fn a_commit_is_kept_whole_and_a_contradiction_keeps_nothing_of_it(world: impl World) {
    let mut state = with_account(&world);
    assert_eq!((state.cursor().unwrap(), state.next_rows().unwrap()), (0, (1, 1)));
    let one = Change { messages: vec![changed(1, true, true, |_| {})], ..Change::default() };
    state.commit(&one, &[outcome(1, true, Status::Processed)], Some(1)).unwrap();
    assert_eq!(state.message(1).unwrap().as_ref(), Some(&*one.messages[0].message));
    // A row that is there already, behind one that is not; then an account that nobody numbered.
    let key = (Key::id("m"), 2);
    let twice =
        Change { messages: vec![changed(2, true, true, |_| {}), changed(1, true, true, |_| {})], keys: vec![key], ..Change::default() };
    assert!(state.commit(&twice, &[outcome(2, true, Status::Processed)], Some(2)).is_err());
    let strange = Change { messages: vec![changed(2, true, true, |m| m.account = account("nobody"))], ..Change::default() };
    assert!(!state.knows_account(&account("nobody")) && state.knows_account(&account("shop")));
    assert!(state.commit(&strange, &[], Some(2)).is_err());
    for state in [state, world.state()] {
        assert_eq!((state.cursor().unwrap(), state.next_rows().unwrap()), (1, (2, 1)));
        assert_eq!(state.message(2).unwrap(), None);
        assert_eq!(state.rows(Key::id("m"), 9).unwrap(), Vec::<Row>::new());
        assert_eq!(state.callbacks_with(Status::Processed, 0, 9).unwrap(), [1]);
    }
    let mut state = world.state();
    let mut all = world.reader().accounts().unwrap();
    all.push((7, "nobody".into(), "zalo".into()));
    state.learn_accounts(all);
    state.commit(&strange, &[], None).unwrap();
    assert_eq!(state.cursor().unwrap(), 1, "no cursor was given");
}

fn messages_are_found_by_key_deadline_and_conversation(world: impl World) {
    let mut state = with_account(&world);
    let name = |recipient: &str| ThreadKey { account: account("shop"), sender: "page".into(), recipient: recipient.into() };
    let at = |row: Row, due: Option<i64>, thread: Option<Row>, server: i64| {
        changed(row, true, true, |m| {
            m.due_at = due.map(Millis);
            m.filed.thread = thread;
            m.filed.server_time = thread.map(|_| Millis(server));
        })
    };
    let messages = vec![at(1, Some(50), Some(1), 10), at(2, Some(40), Some(1), 20), at(3, None, Some(2), 20), at(4, Some(60), Some(1), 30)];
    let keys = vec![(Key::id("a"), 4), (Key::id("a"), 2), (Key::id("a"), 3), (Key::id("b"), 1), (Key::id("b"), 1)];
    let threads = vec![(name("c"), 1, Thread::default(), true), (name("d"), 2, Thread::default(), true)];
    state.commit(&Change { messages, keys, threads, ..Change::default() }, &[], Some(1)).unwrap();
    assert_eq!(state.rows(Key::id("a"), 9).unwrap(), [2, 3, 4]);
    assert_eq!(state.rows(Key::id("a"), 2).unwrap(), [2, 3]);
    assert_eq!(state.rows(Key::id("b"), 9).unwrap(), [1]);
    assert_eq!(state.rows(Key::claim("a"), 9).unwrap(), Vec::<Row>::new());
    assert_eq!(state.due(Millis(39), 9).unwrap(), Vec::<Row>::new());
    assert_eq!(state.due(Millis(50), 9).unwrap(), [2, 1]);
    assert_eq!(state.due(Millis(99), 2).unwrap(), [2, 1]);
    let mut between = state.thread_messages(1, Millis(10), Millis(30)).unwrap();
    between.sort_unstable();
    assert_eq!(between, [2, 4], "after the lower end, up to and with the upper one");
    let mut marks = Thread::default();
    marks.read.observe(Millis(20), Millis(99)).unwrap();
    state.commit(&Change { threads: vec![(name("c"), 1, marks.clone(), false)], ..Change::default() }, &[], None).unwrap();
    assert_eq!(state.thread(&name("c")).unwrap(), Some((1, marks)));
    assert_eq!(state.thread(&name("d")).unwrap(), Some((2, Thread::default())));
    assert_eq!(state.thread(&name("e")).unwrap(), None);
    let again = Change { threads: vec![(name("c"), 3, Thread::default(), true)], ..Change::default() };
    assert!(state.commit(&again, &[], None).is_err(), "a conversation is new once");
    assert_eq!(state.next_rows().unwrap(), (5, 3));
}

fn stuck_messages_of_an_account_are_found_behind_a_row(world: impl World) {
    let mut state = with_account(&world);
    let stuck = Stuck { since: Millis(1), deadline: Millis(2), cause: Cause::Unknown };
    let messages = (1..=5).map(|row| changed(row, true, true, |m| m.stuck = (row != 3).then_some(stuck))).collect();
    state.commit(&Change { messages, ..Change::default() }, &[], Some(1)).unwrap();
    assert_eq!(state.stuck_rows(&account("shop"), Millis(0), 0, 9).unwrap(), [1, 2, 4, 5]);
    assert_eq!(state.stuck_rows(&account("shop"), Millis(0), 1, 2).unwrap(), [2, 4]);
    assert_eq!(state.stuck_rows(&account("shop"), Millis(0), 5, 9).unwrap(), Vec::<Row>::new());
    assert_eq!(state.stuck_rows(&account("nobody"), Millis(0), 0, 9).unwrap(), Vec::<Row>::new());
    assert_eq!(state.stuck_rows(&account("shop"), Millis(104), 0, 9).unwrap(), [4, 5], "by when they became known");
    assert_eq!(state.stuck_rows(&account("shop"), Millis(104), 4, 9).unwrap(), [5]);
    assert_eq!(state.stuck_rows(&account("shop"), Millis(106), 0, 9).unwrap(), Vec::<Row>::new());
    let moved = Change { messages: vec![changed(2, false, false, |_| {})], ..Change::default() };
    state.commit(&moved, &[], None).unwrap();
    assert_eq!(state.stuck_rows(&account("shop"), Millis(0), 0, 9).unwrap(), [1, 4, 5]);
}

fn sheets_are_replaced_forgotten_and_found_by_the_beginning_of_their_names(world: impl World) {
    let mut state = with_account(&world);
    let sheet = |name: &str, data: Option<&[u8]>| Sheet { name: name.into(), data: data.map(<[u8]>::to_vec) };
    let keep = |state: &mut _, sheets: Vec<Sheet>| {
        StateWriter::commit(state, &Change { sheets, ..Change::default() }, &[], None).unwrap();
    };
    keep(&mut state, vec![sheet("a/2", Some(&[2])), sheet("a/1", Some(&[1])), sheet("b/1", Some(&[9])), sheet("a/é", Some(&[3]))]);
    keep(&mut state, vec![sheet("a/1", Some(&[7, 7])), sheet("a/2", None), sheet("never", None)]);
    for state in [state, world.state()] {
        assert_eq!(state.sheets("a/").unwrap(), [("a/1".to_owned(), vec![7, 7]), ("a/é".to_owned(), vec![3])]);
        assert_eq!(state.sheets("").unwrap().len(), 3);
        assert_eq!(state.sheets("c").unwrap(), []);
    }
}

fn a_message_that_is_not_refiled_keeps_what_it_is_found_by(world: impl World) {
    let mut state = with_account(&world);
    let filed = |m: &mut Message, recipient: &str, thread: Row| {
        m.filed.recipient = Some(recipient.into());
        (m.filed.thread, m.filed.server_time) = (Some(thread), Some(Millis(5)));
    };
    let commit = |state: &mut _, changed: Changed| {
        StateWriter::commit(state, &Change { messages: vec![changed], ..Change::default() }, &[], None).unwrap();
    };
    commit(&mut state, changed(1, true, true, |m| filed(m, "one", 1)));
    commit(
        &mut state,
        changed(1, false, false, |m| {
            filed(m, "two", 2);
            m.filed.state = Some(State::Read);
            m.due_at = Some(Millis(7));
            m.facts.registered = true;
        }),
    );
    let found = state.message(1).unwrap().unwrap();
    assert_eq!((found.filed.recipient.as_deref(), found.filed.thread, found.filed.listed), (Some("one"), Some(1), true));
    assert_eq!((found.filed.state, found.due_at, found.facts.registered), (Some(State::Read), Some(Millis(7)), true));
    commit(&mut state, changed(1, false, true, |m| filed(m, "two", 2)));
    let found = state.message(1).unwrap().unwrap();
    assert_eq!((found.filed.recipient.as_deref(), found.filed.thread, found.due_at), (Some("two"), Some(2), None));
    assert_eq!(state.due(Millis(99), 9).unwrap(), Vec::<Row>::new());
}

fn outcomes_are_replaced_and_found_by_status(world: impl World) {
    let mut state = with_account(&world);
    let all = [(1, true, Status::Error), (2, false, Status::Error), (3, true, Status::Error), (4, true, Status::Ignored)];
    state.commit(&Change::default(), &all.map(|(seq, callback, status)| outcome(seq, callback, status)), Some(4)).unwrap();
    assert_eq!(state.callbacks_with(Status::Error, 0, 9).unwrap(), [1, 3]);
    assert_eq!(state.callbacks_with(Status::Error, 1, 9).unwrap(), [3]);
    assert_eq!(state.callbacks_with(Status::Error, 0, 1).unwrap(), [1]);
    state.commit(&Change::default(), &[outcome(1, true, Status::Processed)], None).unwrap();
    assert_eq!(state.callbacks_with(Status::Error, 0, 9).unwrap(), [3]);
    assert_eq!(state.callbacks_with(Status::Processed, 0, 9).unwrap(), [1]);
    assert_eq!(state.cursor().unwrap(), 4);
}

fn pruning_the_state_takes_old_messages_and_outcomes_and_rows_are_never_given_again(world: impl World) {
    let mut state = with_account(&world);
    let messages = (1..=3).map(|row| changed(row, true, true, |m| m.facts.reference = Some("r".into()))).collect();
    let keys = (1..=3).map(|row| (Key::reference("r"), row)).collect();
    let outcomes = [1, 2, 3].map(|seq| outcome(seq, true, Status::Processed));
    state.commit(&Change { messages, keys, ..Change::default() }, &outcomes, Some(3)).unwrap();
    assert_eq!(StateWriter::prune(&mut state, Millis(101), Millis(10), 9).unwrap(), 0);
    assert_eq!(StateWriter::prune(&mut state, Millis(103), Millis(10), 1).unwrap(), 1);
    // A key may stay, and leads nowhere then.
    let living = |state: &dyn Fn(Row) -> bool, rows: Vec<Row>| rows.into_iter().filter(|row| state(*row)).collect::<Vec<_>>();
    let there = living(&|row| state.message(row).unwrap().is_some(), state.rows(Key::reference("r"), 9).unwrap());
    assert_eq!(there, [2, 3]);
    assert_eq!(StateWriter::prune(&mut state, Millis(999), Millis(25), 9).unwrap(), 4);
    assert_eq!(state.callbacks_with(Status::Processed, 0, 9).unwrap(), [3]);
    assert_eq!(living(&|row| state.message(row).unwrap().is_some(), state.rows(Key::reference("r"), 9).unwrap()), Vec::<Row>::new());
    state.checkpoint().unwrap();
    for state in [state, world.state()] {
        assert_eq!((state.next_rows().unwrap().0, state.cursor().unwrap()), (4, 3));
    }
}

fn conversations_go_when_they_are_old_and_no_message_belongs_to_them(world: impl World) {
    let mut state = with_account(&world);
    let name = |recipient: &str| ThreadKey { account: account("shop"), sender: "page".into(), recipient: recipient.into() };
    let heard = |at: i64| {
        let mut thread = Thread::default();
        thread.read.observe(Millis(1), Millis(at));
        thread
    };
    let of = |row: Row, recipient: &str, thread: Thread| (name(recipient), row, thread, true);
    let threads = vec![of(1, "old", heard(50)), of(2, "named", heard(50)), of(3, "fresh", heard(150)), of(4, "silent", Thread::default())];
    let messages = vec![changed(1, true, true, |m| m.filed.thread = Some(2))];
    state.commit(&Change { messages, threads, ..Change::default() }, &[], Some(1)).unwrap();
    let left = |state: &dyn Fn(&ThreadKey) -> bool| ["old", "named", "fresh", "silent"].map(|who| state(&name(who)));
    for limit in [1, 1, 9, 9] {
        assert_eq!(StateWriter::prune(&mut state, Millis(100), Millis(0), limit).unwrap(), 0);
    }
    assert_eq!(left(&|key| state.thread(key).unwrap().is_some()), [false, true, true, false]);
    // Its message goes, and then it.
    assert_eq!(StateWriter::prune(&mut state, Millis(140), Millis(0), 9).unwrap(), 1);
    for _ in 0..4 {
        StateWriter::prune(&mut state, Millis(140), Millis(0), 9).unwrap();
    }
    assert_eq!(left(&|key| state.thread(key).unwrap().is_some()), [false, false, true, false]);
    assert_eq!(state.next_rows().unwrap(), (2, 4));
}
