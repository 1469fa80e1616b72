//! The groups of events that Zalo's console switches on one by one, and which of them a callback belongs to.
//!
//! Setting the URL switches none of them on (docs/providers/zalo.md). It must not know what an event means for a message.

use std::borrow::Cow;

use super::payload::top_text;
use crate::domain::event::{Event, EventGroup, GroupRole, Parsed};
use crate::domain::record::Callback;

macro_rules! group {
    ($slug:literal, $role:ident, $expected:literal, $vi:literal, $en:literal) => {
        EventGroup { slug: $slug, role: GroupRole::$role, switch: ($vi, $en), expected: $expected }
    };
}

/// Every group, in the order in which they are shown.
pub(super) static GROUPS: &[EventGroup] = &[
    group!(
        "user_send",
        Inbound,
        true,
        "Tin nhắn của khách. Bật các sự kiện user_send_* ở trang Webhook của ứng dụng trên Zalo for Developers.",
        "The customers' own messages. Switch on the user_send_* events on the app's Webhook page at Zalo for Developers."
    ),
    group!(
        "user_received_message",
        Receipt,
        true,
        "Biên nhận đã nhận: thiếu nó, không tin nào được tính là đã nhận. Bật user_received_message ở trang Webhook của ứng dụng.",
        "Delivery receipts: without them no message ever counts as delivered. Switch on user_received_message on the app's Webhook page."
    ),
    group!(
        "user_seen_message",
        Receipt,
        true,
        "Biên nhận đã xem. Bật user_seen_message ở trang Webhook của ứng dụng.",
        "Read receipts. Switch on user_seen_message on the app's Webhook page."
    ),
    group!(
        "oa_send",
        Echo,
        true,
        "Tin do OA gửi đi, kể cả nhân viên gõ tay. Bật các sự kiện oa_send_* ở trang Webhook của ứng dụng.",
        "What the OA sends, by hand too. Switch on the oa_send_* events on the app's Webhook page."
    ),
    group!(
        "follow",
        Inbound,
        true,
        "Quan tâm và bỏ quan tâm OA. Bật follow và unfollow ở trang Webhook của ứng dụng.",
        "Following and unfollowing the OA. Switch on follow and unfollow on the app's Webhook page."
    ),
    group!(
        "template",
        Account,
        true,
        "Trạng thái và chất lượng mẫu tin. Bật change_template_status, change_template_quality và change_template_quota; ứng dụng cần quyền \"Message Template\".",
        "Status and quality of templates. Switch on change_template_status, change_template_quality and change_template_quota; the app needs the \"Message Template\" permission."
    ),
    group!(
        "quota",
        Account,
        true,
        "Hạn mức gửi trong ngày của OA. Bật change_oa_daily_quota ở trang Webhook của ứng dụng.",
        "The OA's daily quota. Switch on change_oa_daily_quota on the app's Webhook page."
    ),
    group!(
        "permission_revoked",
        Account,
        false,
        "Báo khi OA gỡ quyền của ứng dụng. Bật permission_revoked ở trang Webhook của ứng dụng.",
        "Tells when the OA withdraws the app's permission. Switch on permission_revoked on the app's Webhook page."
    ),
    group!(
        "reaction",
        Inbound,
        false,
        "Cảm xúc, đánh giá và bấm nút của khách. Bật user_reacted_message, user_feedback và user_click_response_button.",
        "The customers' reactions, ratings and buttons. Switch on user_reacted_message, user_feedback and user_click_response_button."
    ),
    group!("other", Account, false, "Những sự kiện khác; baophat không cần đến.", "Other events; baophat does not need them."),
];

/// The groups of a callback, as places in [`GROUPS`].
pub(super) fn groups(callback: &Callback, parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
    let told = match parsed {
        Parsed::Events(events) => events.first().and_then(|event| match event {
            Event::Message(event) => event.detail.get("event").and_then(|e| e.as_str()),
            Event::Account(event) => Some(event.kind.as_str()),
            _ => None,
        }),
        _ => None,
    };
    let name = told.map(Cow::Borrowed).or_else(|| top_text(&callback.body, "event_name").map(Cow::Owned));
    if let Some(name) = name {
        let slug = slug(&name);
        if let Some(i) = GROUPS.iter().position(|g| g.slug == slug) {
            tell(i);
        }
    }
}

fn slug(event: &str) -> &'static str {
    match event {
        "user_received_message" => "user_received_message",
        "user_seen_message" => "user_seen_message",
        "follow" | "unfollow" => "follow",
        "permission_revoked" => "permission_revoked",
        "change_oa_daily_quota" => "quota",
        "user_reacted_message" | "user_feedback" | "user_click_response_button" => "reaction",
        e if e.starts_with("user_send_") || e.starts_with("anonymous_send_") || e == "user_submit_info" || e == "user_call_oa" => {
            "user_send"
        }
        e if e.starts_with("oa_send_") && e != "oa_send_consent" => "oa_send",
        e if e.starts_with("change_template_") || e == "change_oa_template_tags" => "template",
        _ => "other",
    }
}
