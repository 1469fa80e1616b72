//! What the demo says, in Vietnamese and in English. Texts about failures and stuck messages are not here: the server gives them.

use crate::domain::failure::Lang;

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    /// The headline.
    pub title: &'static str,
    /// How to end it.
    pub stop: &'static str,
    /// What the key is.
    pub key: &'static str,
    /// Invites to try.
    pub explore: &'static str,
    /// `queued`, `sent`, `delivered`, `read`, `failed`, in the order of the states.
    pub states: [&'static str; 5],
    /// All states together.
    pub total: &'static str,
    /// Title of the feed.
    pub happened: &'static str,
    /// Title of the stuck groups.
    pub stuck: &'static str,
    /// Nothing is stuck.
    pub nothing_stuck: &'static str,
    /// A message got stuck.
    pub got_stuck: &'static str,
    /// A forged request was refused.
    pub forged: &'static str,
    /// Callbacks stored.
    pub stored: &'static str,
    /// Repeats recognised, in few words and in full.
    pub repeats: [&'static str; 2],
    /// Forged requests refused.
    pub refused: &'static str,
    /// Signed, not understood, kept; in few words and in full.
    pub errors: [&'static str; 2],
    /// Delivered to some only.
    pub partial: &'static str,
    /// Title of the summary.
    pub summary: &'static str,
    /// Title of the failures.
    pub failures: &'static str,
    /// Title of the callbacks.
    pub callbacks: &'static str,
    /// Title of the check.
    pub check: &'static str,
    /// Callbacks answered 200.
    pub acknowledged: &'static str,
    /// Of these, different ones.
    pub distinct: &'static str,
    /// Of these, known to the server.
    pub known: &'static str,
    /// Lost.
    pub lost: &'static str,
    /// Messages that show what was acknowledged.
    pub compared: &'static str,
    /// What is done with the store.
    pub gone: &'static str,
}

/// The words of a language.
pub(super) fn words(lang: Lang) -> &'static Words {
    match lang {
        Lang::Vi => &VI,
        Lang::En => &EN,
    }
}

/// A cause in words a person reads at a glance; an unknown one as it is.
pub(super) fn cause(slug: &str, lang: Lang) -> &str {
    match (slug, lang) {
        ("send_unconfirmed", Lang::Vi) => "chưa rõ đã gửi",
        ("webhook_silent", Lang::Vi) => "webhook im lặng",
        ("receipts_not_subscribed", Lang::Vi) => "chưa bật biên nhận",
        ("token_invalid", Lang::Vi) => "mã truy cập hỏng",
        ("thread_control", Lang::Vi) => "ứng dụng khác giữ",
        ("awaiting_approval", Lang::Vi) => "chờ duyệt",
        ("scheduled", Lang::Vi) => "chờ đến giờ hẹn",
        ("recipient_unreachable", Lang::Vi) => "chưa tới máy khách",
        ("poll_needed", Lang::Vi) => "phải tự tra kết quả",
        ("unknown", Lang::Vi) => "không rõ",
        ("send_unconfirmed", Lang::En) => "send unconfirmed",
        ("webhook_silent", Lang::En) => "webhook silent",
        ("receipts_not_subscribed", Lang::En) => "receipts not on",
        ("token_invalid", Lang::En) => "token invalid",
        ("thread_control", Lang::En) => "thread control",
        ("awaiting_approval", Lang::En) => "awaiting approval",
        ("scheduled", Lang::En) => "scheduled",
        ("recipient_unreachable", Lang::En) => "recipient unreachable",
        ("poll_needed", Lang::En) => "poll needed",
        ("unknown", Lang::En) => "unknown",
        (other, _) => other,
    }
}

static VI: Words = Words {
    title: "báo phát · một buổi chiều của shop",
    stop: "Ctrl-C để dừng",
    key: "khóa API",
    explore: "Thử ngay ở cửa sổ khác:",
    states: ["chờ gửi", "đã gửi", "đã nhận", "đã xem", "thất bại"],
    total: "tổng",
    happened: "VỪA XẢY RA",
    stuck: "BỊ KẸT, VÀ VÌ SAO",
    nothing_stuck: "chưa có tin nào bị kẹt",
    got_stuck: "bị kẹt",
    forged: "chặn yêu cầu giả mạo (401)",
    stored: "callback đã ghi",
    repeats: ["lặp lại", "callback lặp lại đã nhận ra"],
    refused: "giả mạo bị chặn",
    errors: ["không hiểu được", "có chữ ký đúng nhưng không hiểu được, vẫn giữ"],
    partial: "một phần",
    summary: "TỔNG KẾT",
    failures: "THẤT BẠI THEO MÃ LỖI",
    callbacks: "CALLBACK",
    check: "ĐỐI CHIẾU",
    acknowledged: "callback được trả lời 200",
    distinct: "trong đó khác nhau",
    known: "máy chủ đang giữ",
    lost: "callback bị mất",
    compared: "tin có trạng thái khớp với callback đã nhận",
    gone: "Kho dữ liệu tạm đã được xóa.",
};

static EN: Words = Words {
    title: "baophat · an afternoon at a shop",
    stop: "Ctrl-C stops",
    key: "API key",
    explore: "Try it in another terminal:",
    states: ["queued", "sent", "delivered", "read", "failed"],
    total: "total",
    happened: "JUST HAPPENED",
    stuck: "STUCK, AND WHY",
    nothing_stuck: "nothing is stuck yet",
    got_stuck: "stuck",
    forged: "forged request refused (401)",
    stored: "callbacks stored",
    repeats: ["repeats", "repeats recognised"],
    refused: "forged refused",
    errors: ["not understood", "rightly signed and not understood, kept"],
    partial: "partial",
    summary: "SUMMARY",
    failures: "FAILURES BY CODE",
    callbacks: "CALLBACKS",
    check: "CHECK",
    acknowledged: "callbacks answered 200",
    distinct: "of these different",
    known: "known to the server",
    lost: "lost",
    compared: "messages that show what was acknowledged of them",
    gone: "The temporary store has been removed.",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::State;
    use crate::domain::stuck::Cause;

    #[test]
    fn every_cause_has_short_words_in_both_languages() {
        for known in Cause::ALL {
            assert_ne!(cause(known.as_str(), Lang::Vi), cause(known.as_str(), Lang::En), "{known}");
            assert!(!cause(known.as_str(), Lang::En).contains('_'), "{known}");
        }
    }

    #[test]
    fn the_english_words_of_the_states_are_their_names() {
        assert_eq!(EN.states, std::array::from_fn(|i| State::ALL[i].as_str()));
    }
}
