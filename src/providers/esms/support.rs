//! Before eSMS's support is asked: what to go through, what to ask, and where.

use crate::providers::support::{ALIKE, CODE, Look, PROCESSED, Support, check, text};

/// Keys, callback address and money first; then what the message itself has.
pub(super) const SUPPORT: Support = Support {
    checks: &[
        check(
            Look::Token,
            text("ApiKey và SecretKey được chấp nhận", "ApiKey and SecretKey are accepted"),
            text(
                "Lấy lại khóa trong trang quản lý tài khoản eSMS; kiểm tra IP gửi đã được khai báo chưa.",
                "Take the keys from the eSMS account page again; check that the sending IP is allowed.",
            ),
        ),
        check(
            Look::Called,
            text("eSMS vẫn gọi CallbackUrl", "eSMS calls the CallbackUrl"),
            text(
                "CallbackUrl đi kèm từng yêu cầu gửi: phải đúng từng chữ với `baophat check`, không phải URL mẫu trong tài liệu.",
                "The CallbackUrl travels with each request: it must be exactly that of `baophat check`, not the example of the documentation.",
            ),
        ),
        check(
            Look::Signatures,
            text("Không có callback nào bị từ chối vì sai mã bí mật trong URL", "No callback is refused for the secret in its URL"),
            text(
                "So `callback_token` với CallbackUrl mà hệ thống gửi đang dùng.",
                "Compare `callback_token` with the CallbackUrl that the sending system uses.",
            ),
        ),
        PROCESSED,
        check(
            Look::Answer,
            text("Câu trả lời của lệnh gửi đã được ghi nhận, kèm SMSID", "The answer of the send call is on record, with its SMSID"),
            text("Gửi câu trả lời vào POST /v1/messages/{id}/response.", "Post it to POST /v1/messages/{id}/response."),
        ),
        check(
            Look::Recipient,
            text("Số điện thoại người nhận hợp lệ", "The recipient's phone number is valid"),
            text("Gửi dạng 0…, lưu dạng 84…; kiểm tra đủ chữ số.", "Send it as 0…, store it as 84…; count the digits."),
        ),
        check(
            Look::Template,
            text("Mẫu tin (ZNS) đã được duyệt và gắn với OA", "The template (ZNS) is approved and mapped to the OA"),
            text(
                "Tin chăm sóc khách hàng: nội dung phải khớp mẫu và brandname đã đăng ký cho nhà mạng.",
                "Care messages: the text must fit the template and the brandname must be registered with the carrier.",
            ),
        ),
        CODE,
        ALIKE,
        check(
            Look::ByHand,
            text("Đã tra trạng thái theo SMSID", "The status was asked for by SMSID"),
            text(
                "Gọi GetSendStatus (trong 7 ngày), với ZNS là QueryZnsStatus; hoặc tìm SMSID trong trang quản lý.",
                "Call GetSendStatus (within 7 days), for ZNS QueryZnsStatus; or look the SMSID up in the portal.",
            ),
        ),
        check(
            Look::ByHand,
            text("Tài khoản còn tiền và không bị khóa", "The account has money and is not locked"),
            text(
                "Xem số dư và trạng thái tài khoản trong trang quản lý eSMS.",
                "Look at balance and state of the account in the eSMS portal.",
            ),
        ),
    ],
    of_failed: &[
        text(
            "Vì sao tin có SMSID {message_id} không đến (mã {code}, lúc {at}): do thuê bao, nhà mạng, nội dung hay brandname?",
            "Why did the message with SMSID {message_id} not arrive (code {code}, at {at}): subscriber, carrier, text or brandname?",
        ),
        text("Tin này có bị tính phí không, và có được hoàn không?", "Was this message charged, and is it refunded?"),
    ],
    of_stuck: &[
        text(
            "Tin có SMSID {message_id} gửi lúc {at} đang ở bước nào: chờ duyệt, chờ gửi hay đã chuyển nhà mạng?",
            "Where is the message with SMSID {message_id}, sent at {at}: waiting for approval, waiting to be sent, or with the carrier?",
        ),
        text(
            "eSMS đã gọi CallbackUrl của tin này chưa, lúc nào và nhận mã HTTP nào?",
            "Did eSMS call this message's CallbackUrl, when, and what HTTP status did it get?",
        ),
    ],
    channels: &[
        text(
            "Mục hỗ trợ trong trang quản lý eSMS (esms.vn), kèm SMSID và RequestId.",
            "Support in the eSMS portal (esms.vn), with SMSID and RequestId.",
        ),
        text(
            "Nhân viên kinh doanh phụ trách tài khoản, với brandname, bảng giá và duyệt tin.",
            "The account's sales contact, for brandnames, prices and approval.",
        ),
    ],
};
