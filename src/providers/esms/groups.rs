//! The kinds of reports that eSMS sends to a CallbackUrl. There is no console for them: the URL travels with each send.
//! It must not know what a report means for a message.

use crate::domain::event::{Event, EventGroup, Fact, GroupRole, Parsed};
use crate::domain::message::Timeline;
use crate::providers::Carriage;

/// Every group, in the order in which they are shown.
pub(super) static GROUPS: &[EventGroup] = &[
    EventGroup {
        slug: "final_reports",
        role: GroupRole::Receipt,
        switch: (
            "Báo cáo kết quả cuối. Mỗi lệnh gửi phải kèm CallbackUrl đúng như `baophat check` in ra; hàm OTP tự sinh thì không có trường này.",
            "Final reports. Every send must carry CallbackUrl exactly as `baophat check` prints it; the OTP generator calls have no such field.",
        ),
        expected: true,
    },
    EventGroup {
        slug: "progress",
        role: GroupRole::Echo,
        switch: (
            "Báo cáo tiến độ (chờ duyệt, chờ gửi, đã chuyển đi); eSMS có thể không gửi.",
            "Progress (awaiting approval, awaiting sending, handed over); eSMS may leave it out.",
        ),
        expected: false,
    },
    EventGroup {
        slug: "inbound",
        role: GroupRole::Inbound,
        switch: ("Tin nhắn đến của đầu số ngắn.", "Inbound messages of a short code."),
        expected: false,
    },
];

/// The groups of a callback, as places in [`GROUPS`].
pub(super) fn groups(parsed: &Parsed, tell: &mut dyn FnMut(usize)) {
    match parsed {
        Parsed::Events(events) => events.iter().for_each(|event| {
            if let Event::Message(event) = event {
                tell(match event.fact {
                    Fact::Report(_) | Fact::Failed(_) | Fact::Delivered | Fact::Read => 0,
                    Fact::Queued | Fact::Sent | Fact::Noted => 1,
                });
            }
        }),
        Parsed::Ignored(_) | Parsed::Aside { .. } => tell(2),
        Parsed::Unreadable(_) => {}
    }
}

/// The carrier and the price as the reports told them; the highest price, since a later report completes an earlier one.
pub(super) fn carriage(timeline: &Timeline) -> Carriage {
    let mut told = Carriage::default();
    for entry in timeline.sorted() {
        // Most entries tell nothing of it, and each message passes here several times.
        if !entry.detail.contains("carrier") && !entry.detail.contains("price") {
            continue;
        }
        let Ok(detail) = serde_json::from_str::<serde_json::Value>(&entry.detail) else { continue };
        let text = |name: &str| detail.get(name).and_then(|v| v.as_str()).map(str::to_owned);
        told.carrier = text("carrier").or(told.carrier);
        told.price = told.price.max(text("total_price").or_else(|| text("price")).and_then(|price| ten_thousandths(&price)));
    }
    told
}

/// A price in đồng with up to four decimals, in ten-thousandths.
fn ten_thousandths(price: &str) -> Option<i64> {
    let (whole, decimals) = price.trim().split_once('.').unwrap_or((price.trim(), ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) {
        return None;
    }
    let decimals: String = decimals.chars().chain(std::iter::repeat('0')).take(4).collect();
    whole.parse::<i64>().ok()?.checked_mul(10_000)?.checked_add(decimals.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_keeps_its_four_decimals_and_a_word_is_none() {
        assert_eq!(ten_thousandths("320.5000"), Some(3_205_000));
        assert_eq!(ten_thousandths("0.0000"), Some(0));
        assert_eq!(ten_thousandths("1200"), Some(12_000_000));
        for odd in ["", "-5", "1,000", "1e9", ".5"] {
            assert_eq!(ten_thousandths(odd), None, "{odd}");
        }
    }
}
