//! Alerts and subscriptions: what they are read as, and what is refused.

use super::*;

const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz";

fn hook(more: &str) -> String {
    format!("{ZALO}[[subscription]]\nid = \"erp\"\nurl = \"https://erp.example.vn/hook\"\nsecrets = \"{SECRET}\"\n{more}")
}

fn alert(kind: &str, more: &str) -> String {
    format!("{ZALO}[[alert]]\nid = \"ops\"\nkind = \"{kind}\"\n{more}")
}

#[test]
fn a_subscription_is_read_with_its_filters() {
    let more = "events = [\"message.*\"]\naccounts = \"shop-oa\"\nkinds = [\"zns\"]\nstates = [\"failed\"]\nlang = \"en\"\n";
    let config = given(&hook(more)).load().unwrap();
    let erp = &config.targets[0];
    let Via::Webhook(endpoint) = &erp.via else { panic!("{erp:?}") };
    assert_eq!((endpoint.url.as_str(), endpoint.allow_private), ("https://erp.example.vn/hook", false));
    assert_eq!((erp.kind(), erp.lang, erp.line), ("subscription", Some(Lang::En), Some(6)));
    let filter = Filter {
        events: vec!["message.*".into()],
        accounts: vec![AccountId::parse("shop-oa").unwrap()],
        kinds: vec!["zns".into()],
        states: vec![crate::domain::state::State::Failed],
    };
    assert_eq!(erp.filter, filter);
    assert_eq!(config.warnings, Vec::<String>::new());
}

#[test]
fn an_alert_has_manners_and_tells_incidents_and_accounts_unless_told_otherwise() {
    let more = "host = \"smtp.example.vn\"\nfrom = \"a@example.vn\"\nto = \"b@example.vn\"\nquiet_hours = \"22:00-06:30\"\nutc_offset = \"-03:30\"\n";
    let config = given(&alert("email", more)).load().unwrap();
    let ops = &config.targets[0];
    let Via::Email(mail) = &ops.via else { panic!("{ops:?}") };
    assert_eq!((mail.port, mail.security, mail.to.len()), (587, Security::Starttls, 1));
    assert_eq!(ops.filter.events, ["incident.*"]);
    let quiet = QuietHours { from: 22 * 60, to: 6 * 60 + 30, offset: -210 };
    assert_eq!(ops.manners, Some(Manners { quiet: Some(quiet), offset: -210, urgent: Vec::new(), per_hour_max: 20 }));
}

#[test]
fn a_variable_goes_before_the_file_and_check_shows_no_secret() {
    let slack = alert("slack", "webhook_url = \"https://hooks.slack.com/services/T/B/hush\"\n");
    let given = given(&format!("{slack}{}", &hook("")[ZALO.len()..]))
        .env(&[("BAOPHAT__SUBSCRIPTION__ERP__URL", "http://10.0.0.5/hook"), ("BAOPHAT__SUBSCRIPTION__ERP__ALLOW_PRIVATE", "true")]);
    let config = given.load().unwrap();
    let shown = format!("{}{}", show(&config), show_json(&config));
    assert!(shown.contains("[[alert]]") && shown.contains("http://10.0.0.5/hook") && shown.contains("allow_private = true"), "{shown}");
    assert!(!shown.contains("hush") && !shown.contains(SECRET), "{shown}");
}

#[test]
fn what_cannot_be_meant_is_told_with_its_line() {
    let rows = [
        (
            hook("").replace("https://erp", "http://erp"),
            "baophat.toml:8:7: subscription[1].url: must begin with https:// (http needs allow_private",
        ),
        (hook("").replace("https://erp", "https://me:pw@erp"), "baophat.toml:8:7: subscription[1].url: has a user name in it"),
        (hook("").replace(SECRET, "whsec_c2hvcnQ="), "baophat.toml:9:11: subscription[1].secrets: must be whsec_ and 24 to 64 bytes"),
        (hook("events = \"message.gone\"\n"), "baophat.toml:10:10: subscription[1].events: \"message.gone\" is no event"),
        (hook("quiet_hours = \"1-2\"\n"), "baophat.toml:10:1: subscription[1].quiet_hours: there is no such key"),
        (hook("allow_private = \"yes\"\n"), "baophat.toml:10:17: subscription[1].allow_private: must be true or false"),
        (alert("pigeon", ""), "baophat.toml:8:8: alert[1].kind: must be one of \"telegram\", \"slack\", \"email\" and \"webhook\""),
        (alert("telegram", "bot_token = \"1:a\"\n"), "baophat.toml:6:1: alert[1].chat_id: is missing"),
        (alert("telegram", "bot_token = \"1:a/b\"\nchat_id = \"1\"\n"), "baophat.toml:9:13: alert[1].bot_token: is no token of a bot"),
        (
            alert("slack", "webhook_url = \"https://a.b/c\"\nquiet_hours = \"25:00-1:00\"\n"),
            "baophat.toml:10:15: alert[1].quiet_hours: is no part",
        ),
        (format!("{}{}", hook(""), &hook("")[ZALO.len()..]), "baophat.toml:11:6: subscription[2].id: \"erp\" is taken already"),
        (format!("{ZALO}[alert]\nid = \"x\"\n"), "baophat.toml:6:1: alert: must be a list of tables"),
    ];
    for (toml, wanted) in rows {
        let mistakes = given(&toml).mistakes();
        assert!(mistakes.len() == 1 && mistakes[0].starts_with(wanted), "{wanted}\n{mistakes:?}");
    }
}

#[test]
fn a_filter_for_an_account_that_is_not_there_is_told() {
    let config = given(&hook("accounts = [\"shop-oa\", \"other\"]\n")).load().unwrap();
    assert_eq!(config.warnings, ["subscription[1].accounts: there is no account other"]);
}
