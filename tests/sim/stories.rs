//! Lives of messages as they are: registered, sent, answered, echoed, delivered, read, or failed, each with what its provider says of it.
//! The order within a life is the natural one; whoever carries them out mixes them.

use baophat::domain::record::SendAnswer;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};

use crate::acts::{Act, Name, START, acts, message_id, person, reference, request_id};
use crate::dice::Dice;
use crate::harness::sign;

/// Everything that happens in one run.
pub fn stories(dice: &mut Dice) -> Vec<Act> {
    let mut lives: Vec<Vec<Act>> = Vec::new();
    for account in 0..3 {
        for n in 0..3 {
            if dice.percent(60) {
                lives.push(life(dice, (account, n)));
            }
        }
    }
    // Strange things happen too: whatever can be said, in any order.
    if dice.percent(25) {
        let mut bytes = [0; 32];
        bytes.iter_mut().for_each(|b| *b = dice.next() as u8);
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::default() }, rng);
        lives.push(acts().new_tree(&mut runner).unwrap().current());
    }
    // Lives run beside each other.
    let mut all = Vec::new();
    while !lives.is_empty() {
        let i = dice.below(lives.len());
        all.push(lives[i].remove(0));
        lives.retain(|life| !life.is_empty());
    }
    // Of a message that nobody registers there is nothing to say to our API.
    let registered: Vec<Name> = all.iter().filter_map(Act::registers).collect();
    all.retain(|act| act.needs().is_none_or(|name| registered.contains(&name)));
    all
}

fn life(dice: &mut Dice, name: Name) -> Vec<Act> {
    let registered = dice.percent(85);
    let mut life = Vec::new();
    if registered {
        life.push(Act::Register { name, whole: dice.percent(80), id: dice.percent(15) });
        // An impatient sender, or one that was told 503.
        if dice.percent(15) {
            life.push(Act::Register { name, whole: dice.percent(50), id: false });
        }
        if dice.percent(25) {
            life.push(Act::Answer(name, failed_answer(dice, name)));
        }
        if dice.percent(75) {
            life.push(Act::Answer(name, accepted(name)));
        }
    }
    life.extend(match name.0 {
        0 => zalo(dice, name.1),
        1 => facebook(dice, name.1),
        _ => esms(dice, name.1),
    });
    if registered && dice.percent(5) {
        life.push(Act::Mark(name));
    }
    if life.is_empty() {
        life.push(Act::Register { name, whole: true, id: false });
    }
    life
}

fn said(status: u16, body: &Value) -> SendAnswer {
    SendAnswer { status: Some(status), body: body.to_string(), ..SendAnswer::default() }
}

fn accepted(name: Name) -> SendAnswer {
    let id = message_id(name.0, name.1);
    match name.0 {
        0 => said(200, &json!({"error": 0, "data": {"message_id": id, "sent_time": (START + 700).to_string()}})),
        1 => said(200, &json!({"recipient_id": person(1, name.1), "message_id": id})),
        _ => said(200, &json!({"CodeResult": "100", "SMSID": id})),
    }
}

fn failed_answer(dice: &mut Dice, name: Name) -> SendAnswer {
    if dice.percent(40) {
        return SendAnswer { status: None, body: String::new(), duration_ms: Some(10_000), error: Some("timed out".into()) };
    }
    match name.0 {
        0 => said(200, &json!({"error": -230, "message": "window"})),
        1 => said(400, &json!({"error": {"message": "no", "code": 10, "error_subcode": 2_018_278}})),
        _ => said(200, &json!({"CodeResult": "103", "ErrorMessage": "no money"})),
    }
}

fn zalo(dice: &mut Dice, n: usize) -> Vec<Act> {
    let (id, user, at) = (message_id(0, n), person(0, n), START + 10_000 * n as i64);
    let parties = json!({"sender": {"id": sign::OA}, "recipient": {"id": user}});
    let mut life = Vec::new();
    let mut tell = |chance: u64, body: String| {
        if dice.percent(chance) {
            life.push(Act::Callback(0, String::new(), body));
        }
    };
    tell(50, sign::zalo_echo(&id, &user, at + 300));
    tell(70, sign::zalo_receipt(&id, &user, at + 1_200));
    let message = json!({"msg_id": id, "tracking_id": reference((0, n)), "delivery_time": (at + 1_205).to_string()});
    tell(40, sign::zalo_event("user_received_message", &parties, &message, at + 1_210));
    tell(50, sign::zalo_event("user_seen_message", &parties, &json!({"msg_ids": [id]}), at + 9_000));
    let back = json!({"sender": {"id": user}, "recipient": {"id": sign::OA}});
    tell(15, sign::zalo_event("user_reacted_message", &back, &json!({"msg_id": id}), at + 12_000));
    life
}

fn facebook(dice: &mut Dice, n: usize) -> Vec<Act> {
    let (id, customer, sent) = (message_id(1, n), person(1, n), START + 10_000 * n as i64);
    let from = |at: i64, name: &str, value: Value| {
        let mut item = json!({"sender": {"id": customer}, "recipient": {"id": sign::PAGE}, "timestamp": at});
        item[name] = value;
        sign::facebook_body(&[item])
    };
    let mut echo = json!({"mid": id, "is_echo": true, "app_id": 550_011_122_233_344_i64});
    if dice.percent(50) {
        echo["metadata"] = reference((1, n)).into();
    }
    let echo = json!({"sender": {"id": sign::PAGE}, "recipient": {"id": customer}, "timestamp": sent, "message": echo});
    let mut life = Vec::new();
    let mut tell = |chance: u64, body: String| {
        if dice.percent(chance) {
            life.push(Act::Callback(1, String::new(), body));
        }
    };
    tell(75, sign::facebook_body(&[echo]));
    tell(60, from(sent + 900, "delivery", json!({"mids": [id], "watermark": sent})));
    tell(40, from(sent + 950, "delivery", json!({"watermark": sent + 40})));
    tell(55, from(sent + 8_000, "read", json!({"watermark": sent + 50})));
    tell(10, from(sent + 8_500, "reaction", json!({"mid": id, "action": "react"})));
    life
}

fn esms(dice: &mut Dice, n: usize) -> Vec<Act> {
    let (id, phone) = (message_id(2, n), format!("091200011{}", n % 2));
    let total = 1 + dice.below(2);
    let delivered = dice.below(total + 1);
    let mut life = Vec::new();
    let mut tell = |chance: u64, status: usize, delivered: usize, failed: usize| {
        if dice.percent(chance) {
            let query = format!(
                "SMSID={id}&SendStatus={status}&SendSuccess={delivered}&SendFailed={failed}&TotalReceiver={total}&RequestId={}&TypeId=2&phonenumber={phone}",
                request_id(n)
            );
            life.push(Act::Callback(2, query, String::new()));
        }
    };
    tell(30, 2, 0, 0);
    tell(30, 4, 0, 0);
    tell(40, 5, delivered.min(1), 0);
    tell(80, 5, delivered, total - delivered);
    life
}
