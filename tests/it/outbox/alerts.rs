//! Alerts: one message a step, quiet hours, the cap, and each way out.

use baophat::domain::failure::Lang;
use baophat::domain::feed::{Step, What};
use baophat::domain::time::{Millis, Span};
use baophat::domain::watch::{Reason, Standing, words};
use serde_json::json;

use super::bench::{Bench, T, after, alert, incident, run};
use super::receiver::{Receiver, mail_server};

fn texts(receiver: &Receiver) -> Vec<String> {
    receiver.taken().iter().map(|t| t.json()["data"]["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_incident_is_told_when_it_opens_grows_and_closes() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), "lang = \"vi\"\nevents = [\"incident.*\", \"account.changed\"]\n"));
    run(&mut outbox, &courier, T);
    bench.feed(&[incident(7, Step::Opened), incident(7, Step::Grew), incident(7, Step::Closed)]);
    bench.feed(&[bench.moved(0, baophat::domain::state::State::Queued, baophat::domain::state::State::Sent)]);
    let reason = Reason::WebhookSilent;
    bench.feed(&[What::Account { from: Standing::Connected, to: Standing::Silent, reason }]);
    run(&mut outbox, &courier, T);
    assert_eq!(receiver.types(), ["incident.opened", "incident.grew", "incident.closed", "account.changed"]);
    let texts = texts(&receiver);
    assert!(texts[0].starts_with("🔴 Sự cố mới · shop-oa: sự cố 7\n") && texts[0].contains("Số tin: 12"), "{texts:?}");
    assert!(texts[0].ends_with("Xem: https://hooks.example.vn/v1/incidents/7"), "{texts:?}");
    assert!(texts[3].contains("im lặng") && texts[3].contains("Cần làm: "), "{texts:?}");
    assert_eq!(receiver.taken()[3].json()["data"]["reason"], "webhook_silent");
}

#[test]
fn quiet_hours_gather_all_but_what_is_urgent_and_end_in_one_message() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let more =
        "lang = \"en\"\nevents = [\"incident.*\", \"account.changed\"]\nquiet_hours = \"22:00-06:00\"\nurgent = [\"account.changed\"]\n";
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), more));
    let night = Millis::parse("2026-09-20T23:30:00+07:00").unwrap();
    run(&mut outbox, &courier, night);
    bench.feed(&(1..=14).map(|n| incident(n, Step::Opened)).collect::<Vec<_>>());
    bench.feed(&[What::Account { from: Standing::Connected, to: Standing::Expired, reason: Reason::TokenExpired }]);
    run(&mut outbox, &courier, night);
    assert_eq!(receiver.types(), ["account.changed"]);
    let morning = Millis::parse("2026-09-21T06:00:00+07:00").unwrap();
    assert_eq!(run(&mut outbox, &courier, Millis(morning.0 - 1)), 0);
    receiver.plan(&["500"]);
    assert_eq!(run(&mut outbox, &courier, morning), 1);
    assert_eq!(run(&mut outbox, &courier, morning.plus(Span::seconds(6))), 1, "the whole of it is tried again");
    let text = texts(&receiver).pop().unwrap();
    assert!(text.starts_with("14 notices kept back until now\n• 🔴 New incident · shop-oa: incident 1\n"), "{text}");
    assert!(text.ends_with("… and 4 more"), "{text}");
    assert_eq!(bench.numbers(false), [0i64; 0]);
}

#[test]
fn what_is_over_the_cap_of_an_hour_is_summed_up() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), "lang = \"en\"\nper_hour_max = 2\n"));
    run(&mut outbox, &courier, T);
    bench.feed(&(1..=6).map(|n| incident(n, Step::Opened)).collect::<Vec<_>>());
    assert_eq!(run(&mut outbox, &courier, T), 2);
    assert_eq!(run(&mut outbox, &courier, after(Span::minutes(59))), 0);
    assert_eq!(run(&mut outbox, &courier, after(Span::hours(1))), 1);
    assert!(texts(&receiver)[2].starts_with("4 notices kept back"), "{:?}", texts(&receiver));
}

#[test]
fn what_waits_for_another_attempt_is_not_passed_by_what_comes_later() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), "lang = \"en\"\n"));
    run(&mut outbox, &courier, T);
    receiver.plan(&["500", "500"]);
    bench.feed(&[incident(7, Step::Opened)]);
    run(&mut outbox, &courier, T);
    bench.feed(&[incident(7, Step::Closed)]);
    run(&mut outbox, &courier, after(Span::seconds(1)));
    run(&mut outbox, &courier, after(Span::minutes(1)));
    assert_eq!(receiver.types(), ["incident.opened", "alert.digest", "alert.digest"]);
    let text = texts(&receiver).pop().unwrap();
    let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("no {what}: {text}"));
    assert!(at("New incident") < at("Incident is over"), "{text}");
    let ids: Vec<String> = receiver.taken().iter().map(|t| t.header("webhook-id").to_owned()).collect();
    assert!(ids[0] != ids[1] && ids[1] == ids[2], "an id says what is gathered: {ids:?}");
    assert_eq!(bench.numbers(false), [0i64; 0]);
}

#[test]
fn urgent_notices_go_out_in_quiet_hours_behind_a_full_page_of_others() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let more = "events = [\"incident.*\", \"account.changed\"]\nquiet_hours = \"22:00-06:00\"\nurgent = [\"account.changed\"]\n";
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), more));
    let night = Millis::parse("2026-09-20T23:30:00+07:00").unwrap();
    run(&mut outbox, &courier, night);
    bench.feed(&(1..=250).map(|n| incident(n, Step::Opened)).collect::<Vec<_>>());
    // As much as is looked at in one step is kept back in it.
    outbox.step(night);
    outbox.step(night);
    bench.feed(&[What::Account { from: Standing::Connected, to: Standing::Expired, reason: Reason::TokenExpired }]);
    run(&mut outbox, &courier, night);
    assert_eq!(receiver.types(), ["account.changed"]);
}

#[test]
fn an_alert_of_a_message_names_neither_its_recipient_nor_what_you_gave_with_it() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&alert(&receiver.url("/"), "events = [\"message.*\"]\n"));
    run(&mut outbox, &courier, T);
    bench.feed(&[bench.moved(0, baophat::domain::state::State::Queued, baophat::domain::state::State::Sent)]);
    run(&mut outbox, &courier, T);
    let data = receiver.taken()[0].json()["data"].as_object().unwrap().clone();
    assert!(!data.contains_key("recipient") && !data.contains_key("metadata"), "{data:?}");
    assert_eq!((&data["ref"], &data["previous_state"]), (&json!("order-1"), &json!("queued")));
}

#[test]
fn telegram_and_slack_take_their_own_forms() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let tables = format!(
        "\n[[alert]]\nid = \"tg\"\nkind = \"telegram\"\nbot_token = \"1:secret-token\"\nchat_id = \"-100\"\napi = \"{}\"\nallow_private = true\n\
         \n[[alert]]\nid = \"sl\"\nkind = \"slack\"\nwebhook_url = \"{}\"\nallow_private = true\n",
        receiver.url(""),
        receiver.url("/services/T/B/x")
    );
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, T);
    receiver.plan(&["429\nretry-after: 30"]);
    bench.feed(&[incident(1, Step::Opened)]);
    run(&mut outbox, &courier, T);
    run(&mut outbox, &courier, after(Span::seconds(31)));
    let taken = receiver.taken();
    assert_eq!(
        taken.iter().map(|t| t.path.as_str()).collect::<Vec<_>>(),
        ["/bot1:secret-token/sendMessage", "/services/T/B/x", "/bot1:secret-token/sendMessage"]
    );
    assert_eq!(taken[0].json()["chat_id"], "-100");
    assert!(taken[0].json()["text"].as_str().unwrap().contains("incident 1") && taken[1].json()["text"].is_string());
    let error = bench.file().standings().unwrap().into_iter().find(|s| s.id == "tg").and_then(|s| s.error).unwrap();
    assert_eq!(error, "answered 429: no /bot…/sendMessage");
}

#[test]
fn mail_goes_out_with_a_subject_and_both_ends() {
    let bench = Bench::new();
    let (address, server) = mail_server();
    let tables = format!(
        "\n[[alert]]\nid = \"mail\"\nkind = \"email\"\nhost = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"baophat@example.vn\"\n\
         to = [\"a@example.vn\", \"Ops <b@example.vn>\"]\n",
        address.port()
    );
    let (mut outbox, courier) = bench.outbox(&tables);
    run(&mut outbox, &courier, T);
    bench.feed(&[incident(1, Step::Opened)]);
    run(&mut outbox, &courier, T);
    assert_eq!(bench.numbers(false), [0i64; 0]);
    // The connection ends with what sends.
    drop(courier);
    let said = server.join().unwrap();
    let has = |start: &str| said.iter().any(|line| line.starts_with(start));
    for line in ["MAIL FROM:<baophat@example.vn>", "RCPT TO:<a@example.vn>", "RCPT TO:<b@example.vn>", "Subject: ", "Message-ID: <evt_"] {
        assert!(has(line), "{line}: {said:?}");
    }
}

#[test]
fn a_subscription_is_told_of_accounts_and_incidents_as_data() {
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let (mut outbox, courier) = bench.outbox(&super::bench::subscription(&receiver.url("/"), "lang = \"en\"\n"));
    run(&mut outbox, &courier, T);
    let reason = Reason::TokenExpired;
    bench.feed(&[incident(3, Step::Grew), What::Account { from: Standing::Draft, to: Standing::Expired, reason }]);
    run(&mut outbox, &courier, T);
    let events: Vec<_> = receiver.taken().iter().map(|t| t.json()["data"].clone()).collect();
    assert_eq!(events[0], json!({ "id": "3", "account": "shop-oa", "step": "grew", "size": 12, "incident": null }));
    assert_eq!(
        (&events[1]["from"], &events[1]["to"], &events[1]["cause"]),
        (&json!("draft"), &json!("expired"), &json!(words::reason(reason, Lang::En).cause))
    );
}
