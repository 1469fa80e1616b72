//! Conversation Routing: what an item tells of its thread (whose it is now, that the customer did something), and the way back to one.
//!
//! Who is told of a take-over differs between Meta's own pages, so the ids are compared, not the kinds. It must not know what was told
//! before. Sources: `docs/providers/facebook.md`.

use super::item::Item;
use super::parse::is_echo;
use super::payload::{id, shown};
use crate::domain::event::ThreadFact;
use crate::domain::stuck::{Cause, Evidence, common_cause};
use crate::domain::time::Span;
use crate::providers::Conversations;
use crate::providers::json::Object;

/// Thread control: somebody gained, lost or wants the right to send.
pub(super) const HANDOVERS: [&str; 3] = ["pass_thread_control", "take_thread_control", REQUEST];

const REQUEST: &str = "request_thread_control";

/// How long a customer may be answered freely after their last act.
const WINDOW: Span = Span::hours(24);

/// Acts of the customer that open the window.
const ACTS: [&str; 4] = ["postback", "referral", "optin", "reaction"];

/// What the customer did in this item, if anything.
pub(super) fn act(item: &Item<'_>) -> Option<ThreadFact> {
    let wrote = item.object.object("message").is_some_and(|message| !is_echo(&message));
    let acted = ACTS.iter().any(|key| item.object.object(key).is_some());
    (wrote || acted).then_some(ThreadFact::Customer { direct: !item.standby, opens: true })
}

/// Whose the thread is after a handover, or who asks for it.
pub(super) fn handover(control: &Object<'_>, kind: &str, app_id: &str) -> ThreadFact {
    let named = |name: &str| id(control, name).map(|id| shown(&id));
    if kind == REQUEST {
        return ThreadFact::Wish { app_id: named("requested_owner_app_id") };
    }
    let owner = named("new_owner_app_id");
    let was_ours = named("previous_owner_app_id").as_deref() == Some(app_id);
    // Nobody named: all that is sure is that it is not ours any more where it was.
    let ours = owner.as_deref().map(|owner| owner == app_id).or(was_ours.then_some(false));
    ThreadFact::Handover { kind: kind.to_owned(), owner, ours }
}

/// Why a message is stuck: a thread that another app holds explains a send without an answer or a receipt.
pub(super) fn stuck_cause(evidence: &Evidence<'_>) -> Cause {
    match common_cause(evidence) {
        Cause::SendUnconfirmed | Cause::RecipientUnreachable if evidence.held_by_other => Cause::ThreadControl,
        cause => cause,
    }
}

/// The rules of Messenger conversations (docs/providers/facebook.md).
pub(super) const CONVERSATIONS: Conversations = Conversations {
    window: Some(WINDOW),
    free: None,
    way_back: &[
        (
            "Quản trị viên Trang mở cài đặt Trang → Chuyển quyền trò chuyện (Conversation Routing), đặt ứng dụng của bạn làm mặc định và cho phép ứng dụng giành quyền.",
            "A Page admin opens Page settings → Conversation Routing, makes your app the default and allows it to take control.",
        ),
        (
            "Sau bước 1, lập trình viên gọi POST /{PAGE}/take_thread_control với recipient {\"id\":\"PSID\"} của khách này rồi gửi lại tin.",
            "After step 1 the developer calls POST /{PAGE}/take_thread_control with recipient {\"id\":\"PSID\"} of this customer and sends again.",
        ),
        (
            "Hoặc bên đang giữ tự chuyển hay nhả quyền. request_thread_control vẫn trả lời thành công, nhưng Hộp thư và AI của Meta không trao gì.",
            "Or the holder passes or releases it. request_thread_control answers success, yet Meta's inbox and AI grant nothing.",
        ),
        (
            "Hoặc nhân viên mở cuộc trò chuyện trong Meta Business Suite, chọn “Chuyển đến thư mục Xong” (Done) rồi gửi từ ứng dụng (kinh nghiệm của một nhà cung cấp tại Việt Nam, Meta không còn cam kết).",
            "Or staff open the conversation in Meta Business Suite, choose Move to Done (“Chuyển đến thư mục Xong”) and then send from the app (one Vietnamese vendor's experience; Meta no longer promises it).",
        ),
        (
            "Hoặc chờ đủ 24 giờ không có hoạt động nào: cuộc trò chuyện không còn ai giữ, nhưng thường cũng đã hết khung trả lời 24 giờ.",
            "Or wait for 24 hours without activity: nobody holds the conversation then, yet the 24-hour window is usually over too.",
        ),
        (
            "Để khỏi lặp lại: tắt Meta Business Agent và các tự động hóa của Hộp thư, chỉ trả lời khách trong ứng dụng. Chỉ gửi lại đơn thuần thì không có tác dụng.",
            "To prevent it: switch off Meta Business Agent and the inbox automations, and answer customers only in the app. Sending again alone does not help.",
        ),
    ],
    app_names: &[("263902037430900", "Page inbox (Meta Business Suite)")],
    // HUMAN_AGENT is not approved: the app fell back to the tag after it lost the conversation.
    disguises: &[("100", "2018276")],
};
