//! What to paste and switch on at Meta so that callbacks come, as `baophat check` prints it.
//!
//! It must not show a secret, nor know whether a step was already done.

use super::SLUG;
use super::parse::Rules;
use crate::domain::ids::AccountId;
use crate::providers::ConsoleStep;

/// The fields to subscribe. Without the two receipts every message stays `sent`; without echoes other senders stay unseen.
const FIELDS: [&str; 7] =
    ["messages", "message_echoes", "message_deliveries", "message_reads", "messaging_handovers", "standby", "messaging_policy_enforcement"];

/// The steps in the order in which they are done.
pub(super) fn steps(origin: &str, account: &AccountId, rules: &Rules) -> Vec<ConsoleStep> {
    let app = format!("App Dashboard (https://developers.facebook.com/apps/{})", rules.app_id);
    let fields = FIELDS.join(",");
    let mut steps = vec![
        step(format!("{app} → Messenger → Webhooks → Callback URL"), format!("{origin}/webhooks/{SLUG}/{account}")),
        step(
            format!("{app} → Messenger → Webhooks → Verify token"),
            "The text configured as `verify_token`. Saving calls the URL at once, so the server must be running and its certificate must chain to a public CA.",
        ),
        step(
            format!("{app} → Messenger → Webhooks → Webhook fields"),
            format!("Subscribe {fields}; where paid marketing messages are sent also every marketing_message_* field that is offered."),
        ),
    ];
    for page in pages(rules) {
        steps.push(step(
            format!("Graph API, for Page {page}"),
            format!(
                "POST /{page}/subscribed_apps?subscribed_fields={fields} with a Page access token of a person who has the MODERATE task, and the \
                 permissions pages_messaging and pages_manage_metadata. A changed list of fields reaches this Page only when it is posted again. \
                 Check with GET /{page}/subscribed_apps, also after an outage: Meta unsubscribes a Page after about one hour of failed callbacks."
            ),
        ));
    }
    steps.extend([
        step(format!("{app} → App mode"), "Live. In development mode Meta sends events only of people who have a role in the app."),
        step(
            "Page settings → Conversation Routing (\"Chuyển quyền trò chuyện\")",
            "Make this app the default app and let it take control; otherwise sends end in error 10.2018300 while the Page inbox, Meta's AI or another app holds a conversation.",
        ),
        step(
            "Your sending system",
            "Set `metadata` to the `ref` of the message on every send: the echo brings it back, and the message is recognised even when the answer of the call is lost.",
        ),
    ]);
    steps
}

fn pages(rules: &Rules) -> Vec<&str> {
    if rules.page_ids.is_empty() { vec!["{PAGE_ID}"] } else { rules.page_ids.iter().map(String::as_str).collect() }
}

fn step(at: impl Into<String>, what: impl Into<String>) -> ConsoleStep {
    ConsoleStep { at: at.into(), what: what.into() }
}
