//! How each fate is played: which calls in which order, in milliseconds of ordinary speed.
//!
//! An ordinary receipt comes within four seconds, well before any deadline of the demo; a late one long after.

use super::script::{Draft, Proof};
use super::story::{Fate, Story};
use super::wire::esms::{self, Count};
use super::wire::{Answer, Carrier, Parcel, Trouble, facebook};

/// Recipients of one advertising send.
const CROWD: u32 = 40;
/// Two hours of ordinary speed ahead: further than anybody watches.
const AN_HOUR_AHEAD_MS: u64 = 7_200_000;

/// Writes it down.
pub(super) fn write(draft: &mut Draft<'_>, story: &Story, fate: Fate) {
    let parcel = draft.parcel(story);
    let answered = draft.chance.between(120, 450);
    let delivered = answered + draft.chance.between(500, 2_800);
    let accepted = vec![(answered, parcel.accepted())];
    match fate {
        Fate::Read | Fate::Delivered => ordinary(draft, &parcel, accepted, delivered, matches!(fate, Fate::Read)),
        Fate::Late => ordinary(draft, &parcel, accepted, delivered + 12_000, false),
        Fate::Reversed => reversed(draft, &parcel, delivered),
        Fate::ReceiptFirst => receipt_first(draft, &parcel, delivered),
        Fate::Silent => silent(draft, &parcel, accepted),
        Fate::NoAnswer => draft.register(0, &parcel, vec![(answered + 600, Answer::timed_out())]),
        Fate::AnswerLost => answer_lost(draft, &parcel, answered, delivered),
        Fate::Refused(list) => refused(draft, &parcel, answered, list),
        Fate::Staff => staff(draft, &parcel, delivered),
        Fate::Conversation => conversation(draft, story, parcel),
        Fate::Failed(list) => failed(draft, &parcel, accepted, delivered, list, false),
        Fate::Conflict => failed(draft, &parcel, accepted, delivered, &[NO_REASON], true),
        Fate::AlreadyTaken => ordinary(draft, &parcel, vec![(answered, esms::already_taken())], delivered, false),
        Fate::Partial => partial(draft, &parcel, accepted, delivered),
        Fate::Approval | Fate::Scheduled | Fate::HandedOver | Fate::Rejected => halfway(draft, &parcel, accepted, delivered, fate),
    }
}

const NO_REASON: Trouble = Trouble { weight: 1, status: 200, code: "", subcode: "", words: "" };

fn proof(parcel: &Parcel, proof: Proof) -> Vec<(String, Proof)> {
    vec![(parcel.message_id.clone(), proof)]
}

fn echo(draft: &mut Draft<'_>, parcel: &Parcel, at_ms: u64) {
    if let Some(hook) = parcel.echo() {
        draft.call(at_ms, hook, proof(parcel, Proof::Known));
    }
}

fn receipt(draft: &mut Draft<'_>, parcel: &Parcel, at_ms: u64) {
    let hook = parcel.delivered(draft.time(at_ms));
    draft.call(at_ms, hook, proof(parcel, Proof::Delivered));
}

fn read(draft: &mut Draft<'_>, parcel: &Parcel, at_ms: u64) {
    if let Some(hook) = parcel.read(draft.time(at_ms)) {
        draft.call(at_ms, hook, proof(parcel, Proof::Read));
    }
}

fn ordinary(draft: &mut Draft<'_>, parcel: &Parcel, answers: Vec<(u64, Answer)>, delivered: u64, is_read: bool) {
    let echoed = draft.chance.between(200, 600);
    draft.register(0, parcel, answers);
    echo(draft, parcel, echoed);
    if parcel.carrier == Carrier::Esms && draft.chance.one_in(3) {
        draft.call(echoed, esms::status(parcel, "7"), proof(parcel, Proof::Known));
    }
    receipt(draft, parcel, delivered);
    if is_read {
        let at = delivered + draft.chance.between(900, 5_000);
        read(draft, parcel, at);
    }
}

/// The read comes first, the answer to the send call last.
fn reversed(draft: &mut Draft<'_>, parcel: &Parcel, delivered: u64) {
    draft.register(0, parcel, vec![(delivered + 900, parcel.accepted())]);
    if parcel.carrier != Carrier::Facebook {
        read(draft, parcel, delivered.saturating_sub(300));
    } else {
        // A watermark names no message and proves nothing until the message is known.
        let hook = facebook::read(parcel, draft.time(delivered));
        draft.call(delivered.saturating_sub(300), hook, Vec::new());
    }
    receipt(draft, parcel, delivered);
    echo(draft, parcel, delivered + 500);
}

/// Nobody has heard of the message when its receipt comes.
fn receipt_first(draft: &mut Draft<'_>, parcel: &Parcel, delivered: u64) {
    receipt(draft, parcel, 100);
    draft.register(delivered, parcel, vec![(300, parcel.accepted())]);
}

fn silent(draft: &mut Draft<'_>, parcel: &Parcel, accepted: Vec<(u64, Answer)>) {
    draft.register(0, parcel, accepted);
    echo(draft, parcel, 500);
}

/// Only a callback that names the shop's own id can tell that it went out after all.
fn answer_lost(draft: &mut Draft<'_>, parcel: &Parcel, answered: u64, delivered: u64) {
    draft.register(0, parcel, vec![(answered, Answer::bad_gateway())]);
    echo(draft, parcel, delivered);
    receipt(draft, parcel, delivered + 700);
}

fn refused(draft: &mut Draft<'_>, parcel: &Parcel, answered: u64, list: &[Trouble]) {
    let trouble = *draft.chance.weighted(list, |t| t.weight);
    draft.register(0, parcel, vec![(answered, parcel.refused(&trouble))]);
}

fn staff(draft: &mut Draft<'_>, parcel: &Parcel, delivered: u64) {
    echo(draft, parcel, 0);
    receipt(draft, parcel, delivered);
    if draft.chance.one_in(2) {
        read(draft, parcel, delivered + 1_500);
    }
}

/// One customer, three messages, one receipt that names two of them, one watermark that covers all.
fn conversation(draft: &mut Draft<'_>, story: &Story, first: Parcel) {
    let mut parcels = vec![first];
    for n in 1..3 {
        let mut next = draft.parcel(story);
        next.recipient.clone_from(&parcels[0].recipient);
        next.server_time = draft.time(120 + n * 700);
        parcels.push(next);
    }
    for (n, parcel) in (0_u64..).zip(&parcels) {
        draft.register(n * 700, parcel, vec![(150, parcel.accepted())]);
        echo(draft, parcel, n * 700 + 350);
    }
    let named: Vec<&Parcel> = parcels.iter().skip(1).collect();
    let all = |stage| parcels.iter().map(|p| (p.message_id.clone(), stage)).collect();
    let hook = facebook::delivered(&named, draft.time(2_900));
    draft.call(2_900, hook, all(Proof::Delivered));
    let at = draft.chance.between(4_000, 7_000);
    let hook = facebook::read(&parcels[2], draft.time(at));
    draft.call(at, hook, all(Proof::Read));
}

fn failed(draft: &mut Draft<'_>, parcel: &Parcel, accepted: Vec<(u64, Answer)>, at_ms: u64, list: &[Trouble], delivered_too: bool) {
    let trouble = *draft.chance.weighted(list, |t| t.weight);
    draft.register(0, parcel, accepted);
    draft.call(at_ms, esms::failed(parcel, &trouble), proof(parcel, Proof::Failed));
    if delivered_too {
        receipt(draft, parcel, at_ms + 1_500);
    }
}

/// A crowd: first some reports, then all of them, a few failed.
fn partial(draft: &mut Draft<'_>, parcel: &Parcel, accepted: Vec<(u64, Answer)>, at_ms: u64) {
    draft.register(0, parcel, accepted);
    let some = draft.chance.between(12, 30) as u32;
    let lost = draft.chance.between(1, 5) as u32;
    let first = Count { delivered: some, failed: 0, total: CROWD };
    let last = Count { delivered: CROWD - lost, failed: lost, total: CROWD };
    draft.call(at_ms, esms::counted(parcel, first, None), proof(parcel, Proof::Known));
    draft.call(at_ms + 2_500, esms::counted(parcel, last, None), proof(parcel, Proof::Delivered));
}

/// Reports that do not end: waiting for people, for an hour, for a result that is never pushed.
fn halfway(draft: &mut Draft<'_>, parcel: &Parcel, accepted: Vec<(u64, Answer)>, at_ms: u64, fate: Fate) {
    let hour = matches!(fate, Fate::Scheduled).then(|| draft.time(AN_HOUR_AHEAD_MS));
    draft.register_for(0, parcel, accepted, hour);
    let (status, proven) = match fate {
        Fate::Rejected => ("4", Proof::Failed),
        Fate::Approval => ("1", Proof::Known),
        Fate::Scheduled => ("2", Proof::Known),
        _ => ("7", Proof::Known),
    };
    draft.call(at_ms, esms::status(parcel, status), proof(parcel, proven));
    if matches!(fate, Fate::Approval) && draft.chance.one_in(3) {
        draft.call(at_ms + 13_000, esms::status(parcel, "2"), proof(parcel, Proof::Known));
        let all = Count { delivered: CROWD, failed: 0, total: CROWD };
        draft.call(at_ms + 15_000, esms::counted(parcel, all, None), proof(parcel, Proof::Delivered));
    }
}
