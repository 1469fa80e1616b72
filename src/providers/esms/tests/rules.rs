//! The protocol's rules for callbacks, row by row.

use super::*;
use crate::domain::event::{Claim, Evidence, Progress};
use crate::domain::failure::Failure;

#[test]
fn a_care_report_gives_every_attribute() {
    let event = told(
        "SMSID=9F60AC8F-E721-4027-B838-E6FCB95FCD7A264%20&SendFailed=0&SendStatus=5&SendSuccess=1&TotalPrice=850.0000&TotalReceiver=1\
         &TotalSent=1&RequestId=order-1&TypeId=2&telcoid=2&phonenumber=0912000111&switchsmsid=&extra=1",
    );
    assert_eq!(event.message_id, "9f60ac8f-e721-4027-b838-e6fcb95fcd7a264");
    assert_eq!(event.fact, report(1, 0, 1));
    assert_eq!(event.evidence, Some(Evidence::Receipt));
    assert_eq!((event.at, event.progress), (None, None));
    assert_eq!(event.kind.as_deref(), Some("sms_customer_care"));
    assert_eq!(event.recipient.as_deref(), Some("84912000111"));
    assert_eq!((event.sender, event.template_id), (None, None));
    let claim = Claim { reference: "order-1".into(), at: None, same_recipient: false, shown: true };
    assert_eq!(event.claim, Some(claim));
    assert_eq!(event.detail["event"], "SendStatus 5");
    assert_eq!(event.detail["carrier"], "MobiFone");
    assert_eq!(event.detail["total_price"], "850.0000");
    assert_eq!(event.detail["other"]["extra"], "1");
    assert!(!event.detail.contains_key("switch_sms_id") && !event.detail.contains_key("phone"));
}

#[test]
fn a_failed_zns_report_gives_zalos_code_sender_and_template() {
    let event = told(
        "SMSID=z1&SendFailed=1&SendStatus=5&SendSuccess=0&TotalReceiver=1&RequestId=&TypeId=25&telcoid=1&phonenumber=84912000111&partnerids=\
         &error_info=%22%7B%5C%22error%5C%22%3A-118%2C%5C%22message%5C%22%3A%5C%22Zalo+account+not+exist%5C%22%7D%22&oaid=1234500000000000001&tempid=200001",
    );
    let failure = Some(Failure::coded("-118", Some("Zalo account not exist".into())));
    assert_eq!(event.fact, Fact::Report(Report { delivered: 0, failed: 1, total: 1, failure }));
    assert_eq!(event.sender.as_deref(), Some("1234500000000000001"));
    assert_eq!(event.template_id.as_deref(), Some("200001"));
    assert_eq!(event.claim, None, "an empty RequestId is none");
    assert_eq!(event.detail["error_code"], "-118");
}

#[test]
fn a_time_behind_error_info_is_the_time_of_the_fact() {
    let tail = "%7B%22error%22%3A-230%2C%22message%22%3A%22window%22%2C%22data%22%3A%7B%22user_id%22%3A%221234567890123456789%22%7D%7D____09/11/2025%2008:15:40";
    let twice = tail.replace('%', "%25");
    let event = told(&format!(
        "SMSID=o1&SendStatus=5&SendSuccess=0&SendFailed=1&TotalReceiver=1&TypeId=26&phonenumber=123456789012345&error_info={twice}"
    ));
    let at = Millis::parse("2025-11-09T01:15:40Z").unwrap();
    assert_eq!(event.at, Some(at));
    let Fact::Report(Report { failure: Some(failure), .. }) = &event.fact else { panic!("{:?}", event.fact) };
    assert_eq!((failure.code.as_deref(), failure.at, failure.ours), (Some("-230"), Some(at), false));
    assert_eq!(event.recipient.as_deref(), Some("123456789012345"), "a user id as given");
    assert_eq!(event.detail["user_id"], "1234567890123456789");
    let nonsense = told("SMSID=o1&SendStatus=5&SendSuccess=1&error_info=%7B%22error%22%3A0%7D____09/11/2065 08:15:40");
    assert_eq!(nonsense.at, None);
}

#[test]
fn each_send_status_states_its_fact() {
    let of = |status: &str| {
        let event = told(&format!("SMSID=a&SendStatus={status}&SendSuccess=1"));
        (event.fact, event.progress)
    };
    assert_eq!(of("0"), (Fact::Queued, None));
    assert_eq!(of("1"), (Fact::Queued, Some(Progress::AwaitingApproval)));
    assert_eq!(of("2"), (Fact::Queued, Some(Progress::AwaitingSending)));
    assert_eq!(of("3"), (Fact::Queued, None));
    assert_eq!(of("4"), (Fact::Failed(Failure::ours("rejected", None)), None));
    assert_eq!(of("5"), (report(1, 0, 1), None));
    assert_eq!(of("7"), (Fact::Sent, Some(Progress::ResultsPending)));
    for unlisted in ["6", "8", "100", "-1", "99999999999999999999999", "-99999999999999999999999"] {
        let event = told(&format!("SMSID=a&SendStatus={unlisted}"));
        assert_eq!((event.fact, event.evidence), (Fact::Noted, Some(Evidence::Receipt)), "{unlisted}");
    }
    assert_eq!(of("%2005+"), (report(1, 0, 1), None));
}

#[test]
fn counters_are_stated_as_they_stand() {
    let of = |rest: &str| told(&format!("SMSID=a&SendStatus=5&{rest}")).fact;
    assert_eq!(of("SendSuccess=0&SendFailed=0&TotalReceiver=2"), report(0, 0, 2));
    assert_eq!(of("SendSuccess=1&SendFailed=1&TotalReceiver=1"), report(1, 1, 1));
    assert_eq!(of("SendSuccess=3&SendFailed=1&TotalReceiver=4&TotalSent=9"), report(3, 1, 4));
    for nothing in [
        "",
        "SendSuccess=&SendFailed=&TotalReceiver=",
        "SendSuccess=-1&SendFailed=x&TotalReceiver=0",
        "TotalReceiver=-4&SendFailed=NaN",
        "SendSuccess=inf&SendFailed=-1.0&TotalReceiver=infinity",
    ] {
        assert_eq!(of(nothing), report(0, 0, 1), "{nothing}");
    }
    assert_eq!(of("SendSuccess=1.0000&TotalReceiver=99999999999999999999"), report(1, 0, u32::MAX));
    let pending = told("SMSID=a&SendStatus=5&SendSuccess=0&SendFailed=0&TotalReceiver=30");
    assert_eq!(pending.progress, Some(Progress::ResultsPending));
    assert_eq!(told("SMSID=a&SendStatus=5&SendSuccess=1&SendFailed=0&TotalReceiver=30").progress, None);
}

#[test]
fn error_info_explains_a_failure_and_never_makes_one() {
    let of = |rest: &str| match told(&format!("SMSID=a&SendStatus=5&{rest}")).fact {
        Fact::Report(report) => report,
        other => panic!("{other:?}"),
    };
    assert_eq!(of("SendSuccess=1&error_info=-118").failure, None, "delivered is delivered");
    assert_eq!(of("SendFailed=0&error_info=-118").failure, None);
    assert_eq!(of("SendFailed=1&error_info=0").failure, None);
    assert_eq!(of("SendFailed=1&error_info=null").failure, None);
    assert_eq!(of("SendFailed=1&error_infor=1001").failure, Some(Failure::coded("1001", None)));
    assert_eq!(of("SendFailed=1&ErrorInfo=-114").failure, Some(Failure::coded("-114", None)));
    assert_eq!(of("SendFailed=1&error_info=broken+%7B").failure, Some(Failure::ours("undelivered", Some("broken {".into()))));
    let both = of("SendSuccess=1&SendFailed=1&TotalReceiver=2&error_info=-118");
    assert_eq!(both.failure, Some(Failure::coded("-118", None)));
}

#[test]
fn a_rejection_has_our_code_and_their_words() {
    let event =
        told("SMSID=a&SendStatus=4&SendSuccess=&SendFailed=&error_info=%7B%22error%22%3A-131%2C%22message%22%3A%22not+approved%22%7D");
    assert_eq!(event.fact, Fact::Failed(Failure::ours("rejected", Some("not approved".into()))));
}

#[test]
fn every_type_id_has_a_kind_and_an_unknown_one_is_no_error() {
    let rows = [
        ("1", Some("sms_advertising")),
        ("2", Some("sms_customer_care")),
        ("8", Some("sms_fixed")),
        ("23", Some("viber")),
        ("24", Some("zns_priority")),
        ("25", Some("zns")),
        ("26", Some("zalo_consultation")),
        ("27", Some("zns_journey")),
        ("31", Some("type_31")),
        ("", None),
        ("sms", None),
    ];
    for (type_id, kind) in rows {
        assert_eq!(told(&format!("SMSID=a&SendStatus=7&TypeId={type_id}")).kind.as_deref(), kind, "{type_id}");
        assert_eq!(told(&format!("SmsType={type_id}&SendStatus=7&RefId=a")).kind.as_deref(), kind, "{type_id}");
    }
    assert_eq!(told("SMSID=a&SendStatus=7").kind, None);
}

#[test]
fn one_of_several_receivers_is_kept_in_the_event_and_is_nobodys_recipient() {
    let event = told("SMSID=a&SendStatus=5&SendSuccess=2&SendFailed=0&TotalReceiver=2&TypeId=2&phonenumber=0912000111");
    assert_eq!(event.recipient, None);
    assert_eq!(event.detail["phone"], "0912000111");
    assert_eq!(told("SMSID=a&SendStatus=7&TotalReceiver=2&Phone=0912000111").recipient, None);
    assert_eq!(told("SMSID=a&SendStatus=7&TotalReceiver=&Phone=0912.000.111").recipient.as_deref(), Some("84912000111"));
    assert_eq!(told("SMSID=a&SendStatus=7&PhoneNumber=845310297").recipient.as_deref(), Some("84845310297"));
    assert_eq!(told("SMSID=a&SendStatus=7&Phone=6204417739025518803").recipient.as_deref(), Some("6204417739025518803"));
}

#[test]
fn a_call_is_judged_by_its_result() {
    let of = |rest: &str| told(&format!("ReferenceId=CALL-1&{rest}"));
    let answered = of("CallDuration=12&CallStatus=ANSWERED&Ivr=1&Price=400&SentResult=1&CID=02873000111&SendStatus=5");
    assert_eq!(answered.message_id, "call-1");
    assert_eq!(answered.fact, Fact::Delivered);
    assert_eq!(answered.kind.as_deref(), Some("voice"));
    assert_eq!(answered.sender.as_deref(), Some("02873000111"), "as given");
    assert_eq!(answered.recipient, None);
    assert_eq!(answered.detail["call_duration"], "12");
    let missed = of("CallStatus=NO+ANSWER&SentResult=0&SendStatus=5").fact;
    assert_eq!(missed, Fact::Failed(Failure::ours("no_answer", Some("NO ANSWER".into()))));
    assert_eq!(of("CallStatus=&SentResult=0&SendStatus=5").fact, Fact::Failed(Failure::ours("no_answer", None)));
    for neither in ["", "SentResult=&", "SentResult=2&", "CallStatus=ANSWERED&"] {
        let event = of(&format!("{neither}SendStatus=5"));
        assert_eq!((event.fact, event.progress), (Fact::Sent, Some(Progress::ResultsPending)), "{neither}");
    }
    for queued in 0..=2 {
        assert_eq!(of(&format!("SendStatus={queued}&SentResult=0")).fact, Fact::Queued);
    }
    assert_eq!(of("SendStatus=7").fact, Fact::Sent);
    assert_eq!(of("SendStatus=4").fact, Fact::Failed(Failure::ours("rejected", None)));
    assert_eq!(of("SendStatus=9").fact, Fact::Noted);
}

#[test]
fn without_an_id_or_a_status_nothing_is_made() {
    for query in [
        "",
        "SendStatus=5",
        "SMSID=&SendStatus=5&RequestId=r",
        "SMSID=%20%00&ReferenceId=+&SendStatus=5",
        "SMSID=a",
        "SMSID=a&SendStatus=",
        "SMSID=a&SendStatus=five",
        "SMSID=a&SendStatus=5.0",
        "SMSID=a&SendStatus=5x",
        "SMSID=a&SendStatus=-",
        "ReferenceId=a&SentResult=1",
        "ReferenceId=&CallDuration=&CallStatus=&Ivr=&Price=&SentResult=&CID=&SendStatus=",
    ] {
        assert!(is_error(&get(query)), "{query}");
    }
    assert!(is_error(&get(&format!("SMSID={}&SendStatus=5", "a".repeat(129)))));
    assert_eq!(told(&format!("SMSID={}&SendStatus=5", "A".repeat(128))).message_id, "a".repeat(128));
}

#[test]
fn the_short_codes_inbound_hook_is_ignored() {
    let ignored = |query: &str| matches!(esms().parse(&get(query)), Parsed::Ignored(_));
    assert!(ignored("smsid=77&phone=84912000111&serviceNumber=8079&keyword=ABC&message=hi&sign=00"));
    assert!(ignored("SMSID=77&SIGN=00&KEYWORD=abc"));
    assert!(ignored("sign=00&servicenumber=8079&SendStatus="));
    assert!(!ignored("smsid=77&serviceNumber=8079"));
    assert_eq!(told("smsid=77&sign=00&keyword=abc&SendStatus=7").fact, Fact::Sent);
}

#[test]
fn a_repeat_is_known_by_its_meaning_not_its_bytes() {
    let id = |callback: &Callback| esms().identity(callback);
    let base = get("SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=1&SendFailed=0&TotalReceiver=1&error_info=");
    let same = [
        get("sendstatus=5&smsid=aB%20&TypeId=02&phonenumber=0912000111&SendSuccess=1&TotalPrice=9.0000&TotalSent=7&x=y&RequestId=r"),
        get("k=v?RefId=AB&SmsType=2&Phone=0912000111&SendStatus=05&SendSuccess=1&SendFailed=&TotalReceiver="),
        post("application/json", br#"{"SMSID":"AB","TypeId":2,"Phone":"0912000111","SendStatus":5,"SendSuccess":true,"error_info":null}"#),
        post("application/x-www-form-urlencoded", b"SMSID=AB&TypeId=2&Phone=0912000111&SendStatus=5&SendSuccess=1"),
    ];
    for callback in &same {
        assert_eq!(id(callback), id(&base), "{callback:?}");
    }
    let mut seen = vec![id(&base)];
    for other in [
        "SMSID=Ac&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=1",
        "SMSID=Ab&TypeId=25&phonenumber=0912000111&SendStatus=5&SendSuccess=1",
        "SMSID=Ab&TypeId=2&phonenumber=0912000112&SendStatus=5&SendSuccess=1",
        "SMSID=Ab&TypeId=2&SendStatus=5&SendSuccess=1",
        "SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=7&SendSuccess=1",
        "SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=2",
        "SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=1&SendFailed=1",
        "SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=1&TotalReceiver=2",
        "SMSID=Ab&TypeId=2&phonenumber=0912000111&SendStatus=5&SendSuccess=1&error_info=-118",
        "ReferenceId=Ab&SendStatus=5",
        "ReferenceId=Ab&SendStatus=5&SentResult=1",
        "ReferenceId=Ab&SendStatus=5&SentResult=1&CallStatus=ANSWERED",
        "ReferenceId=Ab&SendStatus=7",
        "SMSID=Ab",
        "SMSID=Ab&x=1",
    ] {
        let key = id(&get(other));
        assert!(!seen.contains(&key), "{other}");
        seen.push(key);
    }
    let call = "ReferenceId=Ab&SendStatus=5&SentResult=1";
    assert_eq!(id(&get(call)), id(&get(&format!("{call}&CallDuration=3&Price=400&Ivr=2"))));
}

#[test]
fn settings_are_checked_and_never_shown() {
    let id = AccountId::parse("sms").unwrap();
    let problem = |pairs: &[(&'static str, &[&str])]| (SPEC.account)(&id, &values(pairs)).err();
    assert_eq!(problem(&[("callback_token", &[TOKEN, "0123456789abcdef"]), ("api_key", &["k"])]), None);
    for bad in
        ["short-secret", "secret with spaces 0123", "secret/with/slashes0123", "bí-mật-0123456789-abc", "", "secret?token=0123456789"]
    {
        let error = problem(&[("callback_token", &[TOKEN, bad])]).unwrap();
        assert_eq!(error.key, "callback_token");
        assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
    }
    assert_eq!(problem(&[]).unwrap().key, "callback_token");
    assert_eq!(problem(&[("callback_token", &[TOKEN]), ("secret_key", &[" "])]).unwrap().key, "secret_key");
}

#[test]
fn the_console_names_the_exact_url_first() {
    let steps = esms().console("https://hook.example.vn");
    assert_eq!(steps[0].what, format!("https://hook.example.vn/webhooks/esms/sms/{TOKEN}"));
    assert!(steps[0].at.contains("CallbackUrl"));
    assert!(steps[1].what.starts_with(&format!("{}?ReferenceId=&", steps[0].what)));
    assert!(steps.iter().all(|s| !s.at.is_empty() && !s.what.is_empty()));
}

#[test]
fn ids_and_recipients_fold_alike_everywhere() {
    assert_eq!((SPEC.fold_message_id)(" 9F60AC8F-E721\0 "), "9f60ac8f-e721");
    assert_eq!((SPEC.fold_recipient)("0912 000 111"), "84912000111");
    assert_eq!((SPEC.fold_recipient)(" 6204417739025518803 "), "6204417739025518803");
    assert_eq!((SPEC.server_time_of_id)("9f60ac8f"), None);
}
