//! What to paste and what to switch on in Zalo's consoles so that receipts arrive. Words only; nothing is called.

use crate::domain::ids::AccountId;
use crate::providers::ConsoleStep;

const DEVELOPERS: &str = "Zalo for Developers (developers.zalo.me), your app";

/// Each event has a switch of its own; a missing one looks like a silent webhook.
const EVENTS: &[(&str, &str)] = &[
    ("receipts", "user_received_message (delivered), user_seen_message (read)"),
    (
        "sends of this OA",
        "every oa_send_* event: oa_send_text, oa_send_image, oa_send_gif, oa_send_list, oa_send_file, oa_send_sticker, oa_send_template, and \
         oa_send_anonymous_* and oa_send_group_* where you use them",
    ),
    ("reactions and answers to templates", "user_reacted_message, user_feedback, user_click_response_button"),
    ("what users send and who follows", "every user_send_* event, follow, unfollow"),
    (
        "templates and quotas",
        "change_template_status, change_template_quality, change_template_quota, change_oa_template_tags, change_oa_daily_quota",
    ),
    ("the app's rights", "permission_revoked"),
];

/// Every step, the URL first.
pub(super) fn steps(origin: &str, account: &AccountId, app_id: &str, oa_ids: &[String], site_codes: &[String]) -> Vec<ConsoleStep> {
    let origin = origin.trim_end_matches('/');
    let mut steps = vec![step(&format!("{DEVELOPERS} {app_id} → Webhook → Webhook URL"), format!("{origin}/webhooks/zalo/{account}"))];
    if let Some(warning) = unfit(origin) {
        steps.push(step("public_url in the configuration", warning));
    }
    steps.extend(domain_check(origin, site_codes));
    steps.push(step(
        &format!("{DEVELOPERS} → Webhook → OA secret key"),
        "Copy this key into oa_secret_key. It is not the app secret. After a reset keep the old and the new key in the list until the new one is in use.".into(),
    ));
    for (group, events) in EVENTS {
        steps.push(step(
            &format!("{DEVELOPERS} → Webhook → events: {group}"),
            format!("Switch on {events}. Saving the URL switches none of them on."),
        ));
    }
    steps.push(step(
        &format!("{DEVELOPERS} → Webhook → Webhook Retry"),
        "Switch it on. After an outage of more than an hour look here again: Zalo may have switched the webhook off, and only a person can switch it on."
            .into(),
    ));
    steps.push(step(
        &format!("{DEVELOPERS} → permissions"),
        "Ask for the groups ZNS sending, message, user, GMF group and shop as far as you use them; template events and user_feedback need \"Message Template\" as well."
            .into(),
    ));
    steps.push(step("Zalo OA (oa.zalo.me), as the OA's administrator", grant(oa_ids)));
    steps.push(step(
        &format!("{DEVELOPERS} → Webhook → Test"),
        "Press it: the sample appears among the callbacks with status ignored. A 401 instead means that oa_secret_key is the wrong key."
            .into(),
    ));
    steps
}

fn step(at: &str, what: String) -> ConsoleStep {
    ConsoleStep { at: at.to_owned(), what }
}

fn grant(oa_ids: &[String]) -> String {
    let which = if oa_ids.is_empty() { "each OA".to_owned() } else { format!("OA {}", oa_ids.join(", ")) };
    format!(
        "Grant the app access for {which}: Zalo sends nothing for an OA before the app holds its access token. A permission added later needs a new grant."
    )
}

/// Zalo takes an https URL on a domain only, without a port.
fn unfit(origin: &str) -> Option<String> {
    let host = origin.strip_prefix("https://");
    let fits =
        host.is_some_and(|h| !h.is_empty() && !h.contains(':') && h.contains('.') && !h.bytes().all(|b| b.is_ascii_digit() || b == b'.'));
    (!fits).then(|| "Zalo accepts only an https URL on a domain name, without a port.".to_owned())
}

fn domain_check(origin: &str, site_codes: &[String]) -> Vec<ConsoleStep> {
    let at = format!("{DEVELOPERS} → domain verification");
    if site_codes.is_empty() {
        let what =
            format!("Add the domain of {origin}, put the code that Zalo shows into site_verification, restart, then let Zalo check it.");
        return vec![step(&at, what)];
    }
    let page =
        |code: &String| step(&at, format!("Let Zalo check {origin}/zalo_verifier{code}.html (the home page carries the meta tag too)."));
    site_codes.iter().map(page).collect()
}
