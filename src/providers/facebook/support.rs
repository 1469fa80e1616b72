//! Before Meta's support is asked: what to go through, what to ask, and where.

use crate::providers::support::{ALIKE, CODE, Look, PROCESSED, Support, check, text};

/// Access, subscription and who holds the conversation come first: they are behind most failures.
pub(super) const SUPPORT: Support = Support {
    checks: &[
        check(
            Look::Token,
            text("Mã truy cập của Trang còn được chấp nhận", "The Page access token is accepted"),
            text(
                "Người cấp quyền còn vai trò trên Trang không? Nếu không, một quản trị viên kết nối lại Trang.",
                "Does the person who granted access still have a role on the Page? If not, have an administrator connect the Page again.",
            ),
        ),
        check(
            Look::Called,
            text("Meta vẫn gọi webhook của ứng dụng", "Meta calls the app's webhook"),
            text(
                "Sau khoảng một giờ lỗi liên tục, Meta hủy đăng ký Trang: gọi GET /{PAGE}/subscribed_apps và đăng ký lại các trường còn thiếu.",
                "After about an hour of failures Meta unsubscribes the Page: ask GET /{PAGE}/subscribed_apps and post the missing fields again.",
            ),
        ),
        check(
            Look::Receipts,
            text(
                "Đã đăng ký message_deliveries và message_reads cho Trang",
                "message_deliveries and message_reads are subscribed for the Page",
            ),
            text(
                "POST /{PAGE}/subscribed_apps với đủ các trường mà `baophat check` in ra.",
                "POST /{PAGE}/subscribed_apps with every field that `baophat check` prints.",
            ),
        ),
        check(
            Look::Signatures,
            text("Không có callback nào bị từ chối vì sai chữ ký", "No callback is refused for its signature"),
            text(
                "So `app_secret` với App Dashboard → App settings → Basic; kiểm tra máy chủ trung gian có đổi nội dung không.",
                "Compare `app_secret` with App Dashboard → App settings → Basic; make sure that no proxy changes bodies.",
            ),
        ),
        PROCESSED,
        check(
            Look::Thread,
            text("Ứng dụng của chúng tôi đang giữ cuộc trò chuyện", "Our app holds the conversation"),
            text(
                "Đặt ứng dụng làm mặc định trong mục Chuyển quyền trò chuyện của Trang; hoặc nhân viên mở cuộc trò chuyện trong Meta Business Suite, chọn «Chuyển đến thư mục Xong» rồi gửi lại từ ứng dụng.",
                "Make the app the default in the Page's conversation routing; or have staff open the conversation in Meta Business Suite, move it to Done, then send from the app.",
            ),
        ),
        check(
            Look::Answer,
            text(
                "Câu trả lời của lệnh gửi đã được ghi nhận, kèm fbtrace_id khi lỗi",
                "The answer of the send call is on record, with its fbtrace_id where it failed",
            ),
            text("Gửi câu trả lời vào POST /v1/messages/{id}/response.", "Post it to POST /v1/messages/{id}/response."),
        ),
        CODE,
        ALIKE,
        check(
            Look::ByHand,
            text("Ứng dụng ở chế độ Live và quyền pages_messaging đã được duyệt", "The app is live and pages_messaging is approved"),
            text("App Dashboard → App Review và App mode.", "App Dashboard → App Review and App mode."),
        ),
        check(
            Look::ByHand,
            text("Trang không bị hạn chế và không vượt giới hạn tốc độ", "The Page is neither restricted nor over a rate limit"),
            text(
                "Xem hộp thư hỗ trợ của Trang và tiêu đề X-Business-Use-Case-Usage của lệnh gửi.",
                "Look at the Page's support inbox and at the header X-Business-Use-Case-Usage of send calls.",
            ),
        ),
    ],
    of_failed: &[
        text(
            "Vì sao Send API trả về {code} lúc {at} (kèm fbtrace_id trong câu trả lời), và Trang hoặc ứng dụng cần sửa điều gì?",
            "Why did the Send API answer {code} at {at} (the answer has the fbtrace_id), and what must the Page or the app change?",
        ),
        text("Ứng dụng nào đang giữ cuộc trò chuyện với người nhận này?", "Which app holds the conversation with this recipient?"),
    ],
    of_stuck: &[
        text(
            "Tin {message_id} gửi lúc {at} đã đến máy người nhận chưa, và vì sao không có message_deliveries?",
            "Did message {message_id}, sent at {at}, reach the recipient's device, and why was no message_deliveries sent?",
        ),
        text(
            "Trang có còn đăng ký ứng dụng của chúng tôi với đủ các trường không?",
            "Is the Page still subscribed to our app with every field?",
        ),
    ],
    channels: &[
        text(
            "Báo lỗi tại developers.facebook.com/support/bugs, kèm fbtrace_id và thời điểm.",
            "A bug report at developers.facebook.com/support/bugs, with fbtrace_id and time.",
        ),
        text(
            "Hộp thư hỗ trợ của Trang hoặc Trung tâm trợ giúp doanh nghiệp của Meta, khi Trang bị hạn chế.",
            "The Page's support inbox or Meta's Business Help Center, where the Page is restricted.",
        ),
    ],
};
