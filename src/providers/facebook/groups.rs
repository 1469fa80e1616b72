//! The webhook fields that a Page is subscribed to, and which of them a callback belongs to.
//!
//! A Page keeps the fields that were posted for it: a longer list in the dashboard does not reach it by itself (docs/providers/facebook.md).
//! It must not know what an event means for a message.

use crate::domain::event::{Event, EventGroup, GroupRole, Parsed, ThreadFact, WatermarkKind};

macro_rules! group {
    ($slug:literal, $role:ident, $expected:literal, $vi:literal, $en:literal) => {
        EventGroup { slug: $slug, role: GroupRole::$role, switch: ($vi, $en), expected: $expected }
    };
}

/// Every group, in the order in which they are shown.
pub(super) static GROUPS: &[EventGroup] = &[
    group!(
        "messages",
        Inbound,
        true,
        "Tin nhắn và thao tác của khách. Chọn messages khi đăng ký Trang (POST /{PAGE}/subscribed_apps).",
        "The customers' messages and acts. Name messages when the Page is subscribed (POST /{PAGE}/subscribed_apps)."
    ),
    group!(
        "message_deliveries",
        Receipt,
        true,
        "Biên nhận đã nhận: thiếu nó, tin chỉ được tính là đã gửi. Thêm message_deliveries vào subscribed_fields của từng Trang.",
        "Delivery receipts: without them messages stay sent. Add message_deliveries to subscribed_fields of each Page."
    ),
    group!(
        "message_reads",
        Receipt,
        true,
        "Biên nhận đã xem. Thêm message_reads vào subscribed_fields của từng Trang.",
        "Read receipts. Add message_reads to subscribed_fields of each Page."
    ),
    group!(
        "message_echoes",
        Echo,
        true,
        "Tin do Trang gửi đi, kể cả từ Business Suite và ứng dụng khác. Thêm message_echoes vào subscribed_fields.",
        "What the Page sends, from Business Suite and other apps too. Add message_echoes to subscribed_fields."
    ),
    group!(
        "messaging_handovers",
        Account,
        true,
        "Ai đang giữ cuộc trò chuyện. Thêm messaging_handovers và standby vào subscribed_fields.",
        "Who holds a conversation. Add messaging_handovers and standby to subscribed_fields."
    ),
    group!(
        "standby",
        Account,
        false,
        "Tin của cuộc trò chuyện do ứng dụng khác giữ. Thêm standby vào subscribed_fields.",
        "Events of conversations that another app holds. Add standby to subscribed_fields."
    ),
    group!(
        "messaging_policy_enforcement",
        Account,
        false,
        "Cảnh báo và chặn của Meta đối với Trang. Thêm messaging_policy_enforcement vào subscribed_fields.",
        "Meta's warnings and blocks of the Page. Add messaging_policy_enforcement to subscribed_fields."
    ),
];

/// The groups of a callback, as places in [`GROUPS`].
pub(super) fn groups(parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
    let mut tell_slug = |slug: &str| {
        if let Some(i) = GROUPS.iter().position(|g| g.slug == slug) {
            tell(i);
        }
    };
    match parsed {
        // Understood, and nothing about a message of the Page: the customers' own acts.
        Parsed::Events(events) if events.is_empty() => tell_slug("messages"),
        Parsed::Events(events) => events.iter().filter_map(slug).for_each(tell_slug),
        _ => {}
    }
}

fn slug(event: &Event) -> Option<&str> {
    match event {
        Event::Watermark(mark) => Some(match mark.kind {
            WatermarkKind::Delivered => "message_deliveries",
            WatermarkKind::Read => "message_reads",
        }),
        Event::Message(event) => match event.detail.get("event").and_then(|e| e.as_str()) {
            Some(name @ ("message_deliveries" | "message_reads" | "message_echoes")) => Some(name),
            _ => Some("messages"),
        },
        // Everything else of a thread stands beside an event that is counted already; on standby nothing came through messages.
        Event::Thread(told) => matches!(told.what, ThreadFact::Customer { direct: true, .. }).then_some("messages"),
        Event::Account(event) => match event.kind.as_str() {
            "standby" => Some("standby"),
            "policy_enforcement" => Some("messaging_policy_enforcement"),
            kind if kind.ends_with("_thread_control") => Some("messaging_handovers"),
            _ => None,
        },
    }
}
