//! When an open message has stayed too long, why, and what to do about it. An overlay: it never writes a state.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::failure::{Lang, named};
use super::state::State;
use super::time::{Millis, Span};

named! {
    /// Why a message is stuck, as far as its evidence tells.
    Cause {
        /// Nobody knows whether the send call went through.
        SendUnconfirmed = "send_unconfirmed",
        /// The provider took it, and this account's webhook says nothing.
        WebhookSilent = "webhook_silent",
        /// Callbacks come, receipts do not.
        ReceiptsNotSubscribed = "receipts_not_subscribed",
        /// The account's token is not accepted any more.
        TokenInvalid = "token_invalid",
        /// Another app holds the conversation.
        ThreadControl = "thread_control",
        /// Somebody has to approve it.
        AwaitingApproval = "awaiting_approval",
        /// It is waiting for its hour.
        Scheduled = "scheduled",
        /// The recipient's phone has not shown it.
        RecipientUnreachable = "recipient_unreachable",
        /// The result is not pushed; it must be asked for.
        PollNeeded = "poll_needed",
        /// Nothing tells.
        Unknown = "unknown",
    }
}

/// What is known of a message when its deadline passes.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// `queued` or `sent`.
    pub state: State,
    /// The kind slug.
    pub kind: Option<&'a str>,
    /// In whose name it goes out.
    pub sender: Option<&'a str>,
    /// A send call's outcome is not known.
    pub outcome_unknown: bool,
    /// The provider said that it waits for approval.
    pub awaiting_approval: bool,
    /// The provider said that it waits to be sent.
    pub awaiting_sending: bool,
    /// The provider said that results are pending.
    pub results_pending: bool,
    /// Any callback about this message was seen.
    pub called_back: bool,
    /// Another app took the conversation before it entered its state, and holds it still.
    pub held_by_other: bool,
    /// The sender's own hour for it.
    pub scheduled_at: Option<Millis>,
    /// When it entered its state.
    pub since: Millis,
    /// The time of the question.
    pub now: Millis,
}

/// A message that has stayed too long in an open state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stuck {
    /// Since when it is in this state.
    pub since: Millis,
    /// When it should have moved at the latest.
    pub deadline: Millis,
    /// Why, as far as known.
    pub cause: Cause,
}

/// The longest ordinary stay in each open state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// In `queued`.
    pub queued: Span,
    /// In `sent`.
    pub sent: Span,
}

/// Deadlines per provider, kind and open state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Deadlines(BTreeMap<String, BTreeMap<String, Limits>>);

/// The kind that stands for every kind without a line of its own.
pub const ANY_KIND: &str = "*";

impl Deadlines {
    /// Sets the limits of one kind of one provider.
    pub fn set(&mut self, provider: &str, kind: &str, limits: Limits) {
        self.0.entry(provider.into()).or_default().insert(kind.into(), limits);
    }

    /// Every line: provider, kind, limits.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, Limits)> {
        self.0.iter().flat_map(|(p, kinds)| kinds.iter().map(move |(k, l)| (p.as_str(), k.as_str(), *l)))
    }

    /// The limits that hold for a kind.
    pub fn limits(&self, provider: &str, kind: Option<&str>) -> Option<Limits> {
        let kinds = self.0.get(provider)?;
        kind.and_then(|k| kinds.get(k)).or_else(|| kinds.get(ANY_KIND)).copied()
    }

    /// How long a message may stay in a state; `None` for states that are not open.
    pub fn stay(&self, provider: &str, kind: Option<&str>, state: State) -> Option<Span> {
        let limits = self.limits(provider, kind)?;
        match state {
            State::Queued => Some(limits.queued),
            State::Sent => Some(limits.sent),
            State::Delivered | State::Read | State::Failed => None,
        }
    }
}

/// The cause that holds for every provider where it knows nothing better.
pub fn common_cause(evidence: &Evidence<'_>) -> Cause {
    match evidence.state {
        _ if evidence.scheduled_at.is_some_and(|at| at > evidence.now) => Cause::Scheduled,
        _ if evidence.outcome_unknown => Cause::SendUnconfirmed,
        State::Queued => Cause::SendUnconfirmed,
        State::Sent => Cause::RecipientUnreachable,
        State::Delivered | State::Read | State::Failed => Cause::Unknown,
    }
}

/// What to do about a stuck message.
pub fn advice(cause: Cause, lang: Lang) -> &'static str {
    match (cause, lang) {
        (Cause::SendUnconfirmed, Lang::En) => {
            "No answer to the send call is on record, so nobody knows whether the provider took it. Look for it in the provider's console or status \
             call first. Do not send again blindly: the customer may get it twice and you may pay twice. If your system has the answer, post it to /v1/messages/{id}/response."
        }
        (Cause::SendUnconfirmed, Lang::Vi) => {
            "Chưa ghi nhận câu trả lời nào cho lệnh gửi, nên không ai biết nhà cung cấp đã nhận tin hay chưa. Hãy tra tin này trong trang quản trị hoặc lệnh tra \
             trạng thái của nhà cung cấp trước. Đừng gửi lại ngay: khách có thể nhận hai lần và bạn có thể bị tính phí hai lần. Nếu hệ thống của bạn có câu trả lời, hãy gửi nó vào /v1/messages/{id}/response."
        }
        (Cause::WebhookSilent, Lang::En) => {
            "The provider accepted the message and has not called back since. Check that the callback URL sent with the request or set in the console is exactly \
             the one `baophat check` prints (not the example from the documentation), that it is reachable from the internet, and that the webhook is still switched on. Then ask the provider for the status by the message id."
        }
        (Cause::WebhookSilent, Lang::Vi) => {
            "Nhà cung cấp đã nhận tin nhưng từ đó chưa gọi lại lần nào. Hãy kiểm tra URL callback gửi kèm yêu cầu hoặc khai trong trang quản trị có đúng từng chữ với \
             URL mà `baophat check` in ra không (đừng để nguyên URL mẫu trong tài liệu), có truy cập được từ internet không, và webhook còn bật không. Sau đó tra trạng thái theo mã tin nhắn."
        }
        (Cause::ReceiptsNotSubscribed, Lang::En) => {
            "Other callbacks of this account arrive, receipts do not. Open the webhook page of the provider's console and switch on the delivery and read events."
        }
        (Cause::ReceiptsNotSubscribed, Lang::Vi) => {
            "Các callback khác của tài khoản này vẫn về, riêng biên nhận thì không. Hãy mở trang Webhook trong trang quản trị của nhà cung cấp và bật các sự kiện đã nhận, đã xem."
        }
        (Cause::TokenInvalid, Lang::En) => {
            "The access token or key of this account is refused. Its administrator must connect it again; then process or resend what is open."
        }
        (Cause::TokenInvalid, Lang::Vi) => {
            "Mã truy cập hoặc khóa của tài khoản này bị từ chối. Quản trị viên cần kết nối lại tài khoản, sau đó xử lý hoặc gửi lại các tin còn dở."
        }
        (Cause::ThreadControl, Lang::En) => {
            "Another app or the Page inbox holds this conversation. Make this app the default in the Page's conversation routing, or have staff move the conversation to Done in Meta Business Suite, then send again."
        }
        (Cause::ThreadControl, Lang::Vi) => {
            "Một ứng dụng khác hoặc Hộp thư của Trang đang giữ cuộc trò chuyện này. Hãy đặt ứng dụng này làm mặc định trong mục Chuyển quyền trò chuyện của Trang, hoặc nhờ nhân viên chuyển cuộc trò chuyện vào thư mục Xong trong Meta Business Suite rồi gửi lại."
        }
        (Cause::AwaitingApproval, Lang::En) => {
            "The message waits for approval at the provider; advertising can take hours. Ask the provider's support to approve it, or wait. It goes out by itself once approved: do not send it again."
        }
        (Cause::AwaitingApproval, Lang::Vi) => {
            "Tin đang chờ nhà cung cấp duyệt; tin quảng cáo có thể mất nhiều giờ. Hãy liên hệ bộ phận hỗ trợ để được duyệt, hoặc chờ thêm. Khi được duyệt tin sẽ tự gửi đi: đừng gửi lại."
        }
        (Cause::Scheduled, Lang::En) => {
            "The message waits for the hour it was scheduled for. Nothing to do before that, unless the hour is wrong."
        }
        (Cause::Scheduled, Lang::Vi) => "Tin đang chờ đến giờ đã hẹn. Trước giờ đó không cần làm gì, trừ khi giờ hẹn bị sai.",
        (Cause::RecipientUnreachable, Lang::En) => {
            "The provider took the message, and no receipt has come: usually the recipient's phone is off or offline, or uses only a desktop. It may still arrive, so it counts as no failure. \
             If it is urgent, use another channel (SMS or a call); if many recipients of this account are silent at once, check the webhook's switches instead."
        }
        (Cause::RecipientUnreachable, Lang::Vi) => {
            "Nhà cung cấp đã nhận tin nhưng chưa có biên nhận: thường là máy người nhận đang tắt, mất mạng, hoặc chỉ dùng bản máy tính. Tin vẫn có thể đến nên chưa tính là thất bại. \
             Nếu gấp, hãy dùng kênh khác (SMS hoặc gọi điện); nếu nhiều người nhận của tài khoản này cùng im lặng, hãy kiểm tra các công tắc webhook."
        }
        (Cause::PollNeeded, Lang::En) => {
            "The provider handed the message over and has not reported the result. Ask for it by the message id with the provider's status call or portal; do not send again before you know."
        }
        (Cause::PollNeeded, Lang::Vi) => {
            "Nhà cung cấp đã chuyển tin đi nhưng chưa báo kết quả. Hãy tra kết quả theo mã tin nhắn bằng lệnh tra trạng thái hoặc trên trang quản trị của nhà cung cấp; đừng gửi lại khi chưa rõ."
        }
        (Cause::Unknown, Lang::En) => {
            "Nothing on record tells why. Open the message's timeline and ask the provider's support with its message id."
        }
        (Cause::Unknown, Lang::Vi) => {
            "Không có dữ liệu nào cho biết lý do. Hãy mở dòng thời gian của tin và hỏi bộ phận hỗ trợ của nhà cung cấp kèm mã tin nhắn."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_advice_in_both_languages() {
        for cause in Cause::ALL {
            assert_ne!(advice(*cause, Lang::Vi), advice(*cause, Lang::En), "{cause}");
        }
    }

    #[test]
    fn a_kind_of_its_own_goes_before_the_rest_and_closed_states_have_no_deadline() {
        let mut deadlines = Deadlines::default();
        deadlines.set("p", ANY_KIND, Limits { queued: Span::minutes(15), sent: Span::hours(24) });
        deadlines.set("p", "zns", Limits { queued: Span::minutes(15), sent: Span::hours(2) });
        assert_eq!(deadlines.stay("p", Some("zns"), State::Sent), Some(Span::hours(2)));
        assert_eq!(deadlines.stay("p", Some("cs"), State::Sent), Some(Span::hours(24)));
        assert_eq!(deadlines.stay("p", None, State::Queued), Some(Span::minutes(15)));
        assert_eq!(deadlines.stay("p", None, State::Delivered), None);
        assert_eq!(deadlines.stay("q", None, State::Sent), None);
    }
}
