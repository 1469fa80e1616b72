//! What items tell of their threads, and the groups that they count for.

use super::*;
use crate::domain::event::ThreadFact;

/// What the events of an item in a list tell of the usual thread, with their times.
fn told(list: &str, item: &str) -> Vec<(ThreadFact, i64)> {
    let told = events(&envelope(list, item)).into_iter().filter_map(|e| if let Event::Thread(t) = e { Some(t) } else { None });
    told.map(|t| {
        assert_eq!((t.sender.as_str(), t.recipient.as_str()), (PAGE, PSID));
        (t.what, t.at.unwrap().0)
    })
    .collect()
}

fn app(id: &str) -> Option<String> {
    Some(id.to_owned())
}

#[test]
fn the_customers_acts_open_the_window_and_come_directly_or_on_standby() {
    for member in [
        r#""message":{"mid":"m_1","text":"x"}"#,
        r#""postback":{"title":"x"}"#,
        r#""referral":{"ref":"x"}"#,
        r#""optin":{"ref":"x"}"#,
        r#""reaction":{"mid":"m_1","action":"react"}"#,
    ] {
        let item = from_customer(member);
        let direct = (ThreadFact::Customer { direct: true, opens: true }, T + 500);
        assert_eq!(told("messaging", &item), [direct], "{member}");
        let aside = (ThreadFact::Customer { direct: false, opens: true }, T + 500);
        assert_eq!(told("standby", &item), [(ThreadFact::Standby { app_id: None }, T + 500), aside], "{member}");
    }
    for member in [r#""read":{"watermark":1771234567890}"#, r#""message_edit":{"mid":"m_1"}"#, r#""account_linking":{"status":"linked"}"#] {
        assert_eq!(told("messaging", &from_customer(member)), [], "{member}");
    }
}

#[test]
fn echoes_tell_ours_from_those_of_others() {
    let ours = |id: &str| echo(&format!(r#""mid":"m_1","app_id":{id}"#));
    assert_eq!(told("messaging", &ours(APP)), [(ThreadFact::Echo { ours: true, app_id: None }, T)]);
    assert_eq!(told("messaging", &ours("99")), [(ThreadFact::Echo { ours: false, app_id: app("99") }, T)]);
    assert_eq!(told("messaging", &echo(r#""mid":"m_1""#)), [(ThreadFact::Echo { ours: false, app_id: None }, T)]);
    let standby = [(ThreadFact::Standby { app_id: app("99") }, T), (ThreadFact::Echo { ours: false, app_id: app("99") }, T)];
    assert_eq!(told("standby", &ours("99")), standby);
    assert_eq!(told("standby", &ours(APP))[0], (ThreadFact::Standby { app_id: None }, T), "we are not the other app");
}

#[test]
fn handovers_are_compared_by_the_ids_of_their_owners() {
    let what = |member: &str| told("messaging", &from_customer(member)).remove(0).0;
    let handover =
        |kind: &str, owner: Option<&str>, ours| ThreadFact::Handover { kind: kind.into(), owner: owner.map(str::to_owned), ours };
    let pass = |owner: &str| what(&format!(r#""pass_thread_control":{{"previous_owner_app_id":"1","new_owner_app_id":{owner}}}"#));
    assert_eq!(pass(APP), handover("pass_thread_control", Some(APP), Some(true)));
    assert_eq!(pass("99"), handover("pass_thread_control", Some("99"), Some(false)));
    assert_eq!(pass("null"), handover("pass_thread_control", None, None));
    let lost = what(&format!(r#""take_thread_control":{{"previous_owner_app_id":"{APP}"}}"#));
    assert_eq!(lost, handover("take_thread_control", None, Some(false)));
    let wish = what(r#""request_thread_control":{"requested_owner_app_id":99,"metadata":null}"#);
    assert_eq!(wish, ThreadFact::Wish { app_id: app("99") });
}

#[test]
fn a_customers_act_counts_for_messages_only_where_it_came_through_them() {
    let groups = |list: &str, item: &str| {
        let callback = callback(envelope(list, item).as_bytes(), &[]);
        let (account, mut seen) = (account(), Vec::new());
        account.groups(&callback, &account.parse(&callback), &mut |i| seen.push(SPEC.groups[i].slug));
        seen
    };
    let wrote = from_customer(r#""message":{"mid":"m_1","text":"x"}"#);
    assert_eq!(groups("messaging", &wrote), ["messages"]);
    assert_eq!(groups("standby", &wrote), ["standby"]);
    assert_eq!(groups("messaging", &from_customer(r#""account_linking":{"status":"linked"}"#)), ["messages"]);
    assert_eq!(groups("messaging", &echo(r#""mid":"m_1""#)), ["message_echoes"]);
    let passed = from_customer(r#""pass_thread_control":{"new_owner_app_id":"99"}"#);
    assert_eq!(groups("messaging", &passed), ["messaging_handovers"]);
}
