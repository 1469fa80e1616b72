//! Stories of outages and of ordinary days, played through HTTP under a clock put by hand: each is named with its cause and its advice,
//! becomes one incident that closes by itself, is told once, and alarms nobody else. Every story is played twice, the second time with
//! a restart in its middle, and must end alike.

mod cohort;
mod learned;
mod refused;
mod signed;
mod silent;
mod stage;
mod town;

use serde_json::Value;

use stage::Stage;

/// Plays a story without and with a restart in its middle; both must end alike.
fn twice(more: &str, story: impl Fn(&mut Stage)) {
    let end = |restarting: bool| -> Value {
        let mut stage = Stage::new(more, restarting);
        story(&mut stage);
        stage.ending()
    };
    let (without, with) = (end(false), end(true));
    assert_eq!(without, with, "a restart in the middle makes a difference");
}
