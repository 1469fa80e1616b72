//! What was found once and mended, as a test of its own: a seed has another life when the stories change.

use baophat::domain::projection::Source;
use baophat::domain::record::Status;
use baophat::ingest::ReprocessWhat;
use baophat::store::memory::Memory;

use crate::acts::Act;
use crate::harness::sign;
use crate::run::{END, Run};
use crate::world::Setting;

#[test]
fn an_overdue_message_is_stuck_after_its_callback_was_processed_again() {
    let setting = Setting::new();
    let acts = [Act::Callback(0, String::new(), sign::zalo_echo("m", "4700100200300400500", crate::acts::START))];
    let mut run = Run::new(&setting, Memory::default(), &acts, &[0], setting.retention.clone());
    run.submit(0);
    run.write().unwrap();
    run.clock.set(END);
    run.fold().unwrap();
    let stuck = |run: &Run<'_, Memory>| run.eyes().1.message(1).unwrap().unwrap().stuck.is_some();
    assert!(stuck(&run));
    run.reprocess(ReprocessWhat::All(Status::Processed));
    // One step, as for a command that ends then: folding the old record looks at the message as of its arrival.
    run.fold().unwrap();
    assert!(stuck(&run));
}

#[test]
fn what_is_acknowledged_and_not_folded_is_counted_at_once() {
    let setting = Setting::new();
    let acts = [Act::Callback(0, String::new(), sign::zalo_echo("m", "4700100200300400500", crate::acts::START))];
    let mut run = Run::new(&setting, Memory::default(), &acts, &[0], setting.retention.clone());
    run.submit(0);
    run.write().unwrap();
    assert_eq!(setting.metrics.behind(), 1);
    while run.fold().unwrap() {}
    assert_eq!(setting.metrics.behind(), 0);
}
