//! Before Zalo's support is asked: what to go through, what to ask, and where.

use crate::providers::support::{ALIKE, CODE, Look, PROCESSED, Support, check, text};

/// The list follows what operators check first: account, events, recipient, template, answer.
pub(super) const SUPPORT: Support = Support {
    checks: &[
        check(
            Look::Token,
            text("Mã truy cập của OA còn được chấp nhận", "The OA's access token is accepted"),
            text(
                "Quản trị viên OA cấp quyền lại cho ứng dụng, sau đó gọi thử hồ sơ OA để chắc chắn mã mới dùng được.",
                "Have the OA's administrator grant the app access again, then fetch the OA's profile as proof that the new token works.",
            ),
        ),
        check(
            Look::Called,
            text("Zalo vẫn gọi webhook của ứng dụng", "Zalo calls the app's webhook"),
            text(
                "Mở Zalo for Developers → ứng dụng → Webhook: URL phải đúng từng chữ với `baophat check` và webhook đang bật.",
                "Open Zalo for Developers → the app → Webhook: the URL must be exactly that of `baophat check`, and the webhook must be on.",
            ),
        ),
        check(
            Look::Receipts,
            text("Các sự kiện đã nhận, đã xem được bật", "The delivery and read events are switched on"),
            text(
                "Ở trang Webhook, bật user_received_message, user_seen_message và mọi oa_send_*; lưu URL không tự bật sự kiện nào.",
                "On the Webhook page switch on user_received_message, user_seen_message and every oa_send_*; saving the URL switches none of them on.",
            ),
        ),
        check(
            Look::Signatures,
            text("Không có callback nào bị từ chối vì sai chữ ký", "No callback is refused for its signature"),
            text(
                "So `oa_secret_key` với khóa bí mật OA trên trang Webhook (không phải khóa bí mật của ứng dụng).",
                "Compare `oa_secret_key` with the OA secret key on the Webhook page (not the app secret).",
            ),
        ),
        PROCESSED,
        check(
            Look::Answer,
            text("Câu trả lời của lệnh gửi đã được ghi nhận", "The answer of the send call is on record"),
            text(
                "Gửi câu trả lời vào POST /v1/messages/{id}/response. HTTP 200 là đã trả lời, 401 là lỗi mã truy cập, 429 là gọi quá nhanh; thời gian gọi dài nghĩa là Zalo chậm.",
                "Post it to POST /v1/messages/{id}/response. HTTP 200 is an answer, 401 the token, 429 too many calls; a long duration means that Zalo is slow.",
            ),
        ),
        CODE,
        check(
            Look::Recipient,
            text(
                "Người nhận được ghi đúng dạng (số điện thoại 84…, hoặc mã người dùng)",
                "The recipient is written correctly (a phone number as 84…, or a user id)",
            ),
            text(
                "Lưu số dạng 84…; không có mã người dùng thì gửi theo số điện thoại.",
                "Store the number as 84…; without a user id send by phone.",
            ),
        ),
        check(
            Look::Template,
            text("Mẫu tin đã được duyệt và chưa bị tắt", "The template is approved and not switched off"),
            text(
                "Bị từ chối: đọc lý do, sửa, gửi duyệt lại. Bị tắt: do hạn mức hoặc chất lượng; cần mẫu mới.",
                "Rejected: read the reason, edit, submit again. Switched off: allowance or quality; use a new template.",
            ),
        ),
        check(
            Look::Quota,
            text("Hạn mức gửi trong ngày vẫn còn", "Something is left of the daily allowance"),
            text(
                "Xem hạn mức của OA trong Zalo Cloud; hạn mức đặt lại lúc nửa đêm giờ Việt Nam.",
                "Look at the OA's allowance in Zalo Cloud; it renews at midnight in Vietnam.",
            ),
        ),
        ALIKE,
        check(
            Look::ByHand,
            text(
                "Gói dịch vụ OA và số dư tài khoản Zalo Cloud còn hiệu lực",
                "The OA's package and the Zalo Cloud Account's balance are in order",
            ),
            text(
                "Mở trang quản lý OA (oa.zalo.me) và Zalo Cloud (zalo.cloud).",
                "Open OA Manager (oa.zalo.me) and Zalo Cloud (zalo.cloud).",
            ),
        ),
    ],
    of_failed: &[
        text(
            "Vì sao lệnh gửi lúc {at} trả về mã {code}, và OA hoặc ứng dụng của chúng tôi cần sửa điều gì?",
            "Why did the send call at {at} answer {code}, and what must our OA or app change?",
        ),
        text(
            "Tin có được chuyển đến máy người nhận dù trả về lỗi không (mã tin {message_id})?",
            "Was the message handed to the recipient's phone in spite of the error (message id {message_id})?",
        ),
    ],
    of_stuck: &[
        text(
            "Tin {message_id} đã gửi lúc {at}: Zalo đã chuyển đến máy người nhận chưa, nếu chưa thì vì sao?",
            "Message {message_id}, sent at {at}: did Zalo hand it to the recipient's phone, and if not, why?",
        ),
        text(
            "Zalo có gọi webhook của chúng tôi về tin này không, lúc nào và nhận mã HTTP nào?",
            "Did Zalo call our webhook about this message, when, and what HTTP status did it get?",
        ),
    ],
    channels: &[
        text(
            "Mục hỗ trợ trong Zalo Cloud (zalo.cloud), với tin mẫu gửi theo số điện thoại và việc tính phí.",
            "Support in Zalo Cloud (zalo.cloud), for templates by phone and for billing.",
        ),
        text(
            "Mục hỗ trợ trong trang quản lý OA (oa.zalo.me), với tin tư vấn và quyền của OA.",
            "Support in OA Manager (oa.zalo.me), for chat messages and the OA's rights.",
        ),
        text(
            "Cộng đồng Zalo for Developers (developers.zalo.me), với webhook và API.",
            "The Zalo for Developers community (developers.zalo.me), for webhook and API.",
        ),
    ],
};
