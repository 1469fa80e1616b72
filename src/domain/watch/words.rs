//! What an account's standing and an incident's trouble mean and what to do about them, in Vietnamese and English.

use super::incident::Trouble;
use super::standing::{Reason, Standing};
use crate::domain::failure::{Class, Lang};
use crate::domain::stuck::{Cause, advice};

/// A title, a cause and a remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it is so.
    pub cause: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

const fn words(title: &'static str, cause: &'static str, remedy: &'static str) -> Words {
    Words { title, cause, remedy }
}

/// The name of a standing for people.
pub const fn standing(standing: Standing, lang: Lang) -> &'static str {
    match (standing, lang) {
        (Standing::Draft, Lang::Vi) => "chưa nối",
        (Standing::Draft, Lang::En) => "draft",
        (Standing::Connected, Lang::Vi) => "đang nối",
        (Standing::Connected, Lang::En) => "connected",
        (Standing::Silent, Lang::Vi) => "im lặng",
        (Standing::Silent, Lang::En) => "silent",
        (Standing::Expired, Lang::Vi) => "hết hạn",
        (Standing::Expired, Lang::En) => "expired",
        (Standing::Error, Lang::Vi) => "lỗi",
        (Standing::Error, Lang::En) => "error",
    }
}

/// What a reason means and what to do.
pub const fn reason(reason: Reason, lang: Lang) -> Words {
    match lang {
        Lang::Vi => reason_vi(reason),
        Lang::En => reason_en(reason),
    }
}

const fn reason_vi(reason: Reason) -> Words {
    match reason {
        Reason::NeverCalled => words(
            "Chưa có callback nào",
            "Chưa nhận được callback hợp lệ nào của tài khoản này, và cũng chưa có tin gửi đi nào đáng ra phải có biên nhận.",
            "Chạy `baophat check` rồi dán đúng từng chữ URL được in ra vào trang quản trị của nhà cung cấp, bật các sự kiện cần thiết, sau đó gửi thử một tin.",
        ),
        Reason::Well => words("Hoạt động bình thường", "Callback và biên nhận vẫn về đều.", "Không cần làm gì."),
        Reason::WebhookSilent => words(
            "Webhook im lặng",
            "Đã gửi tin cho nhiều người mà không một callback nào quay về, trong khi bình thường phần lớn có biên nhận. Khả năng ngẫu nhiên là dưới một phần triệu.",
            "Kiểm tra theo thứ tự: (1) máy chủ này có truy cập được từ internet qua https không; (2) URL trong trang quản trị có đúng như `baophat check` in ra không; (3) webhook còn bật không, vì nhà cung cấp tự tắt sau khoảng một giờ gọi lỗi và chỉ bật lại bằng tay. Callback đã mất trong lúc tắt không lấy lại được: hãy tra trạng thái các tin còn dở.",
        ),
        Reason::ReceiptsNotSubscribed => words(
            "Không có biên nhận",
            "Các callback khác vẫn về nhưng biên nhận đã nhận và đã xem thì không, dù đã gửi cho nhiều người.",
            "Mở trang Webhook trong trang quản trị của nhà cung cấp và bật sự kiện đã nhận, đã xem (xem mục sự kiện còn thiếu của tài khoản này).",
        ),
        Reason::TrafficStopped => words(
            "Lượng callback thường lệ đã ngừng",
            "Vào những giờ này bình thường vẫn có callback, nay không có cái nào.",
            "Kiểm tra máy chủ có truy cập được từ internet không và webhook còn bật trong trang quản trị không. Nếu hôm nay đúng là không có khách thì không cần làm gì.",
        ),
        Reason::ProviderSlow => words(
            "Nhà cung cấp chậm",
            "Biên nhận vẫn về nhưng muộn hơn hẳn so với thường lệ, với nhiều người nhận cùng lúc: nghẽn ở phía nhà cung cấp.",
            "Không gửi lại: tin đã được nhận và sẽ đến muộn. Tin gấp thì dùng kênh khác. Nếu kéo dài quá ba giờ, hãy báo nhà cung cấp kèm báo cáo sự cố.",
        ),
        Reason::TokenInvalid => words(
            "Mã truy cập không còn dùng được",
            "Nhà cung cấp từ chối các lệnh gửi vì mã truy cập hoặc khóa không hợp lệ hay đã hết hạn.",
            "Làm mới mã truy cập; nếu không được, quản trị viên kết nối lại tài khoản. Sau đó gửi lại các tin bị từ chối.",
        ),
        Reason::TokenExpired => words(
            "Mã truy cập đã đến hạn",
            "Đã qua thời điểm hết hạn ghi trong cấu hình (token_ends_at) mà chưa có lệnh gửi nào được nhận sau đó.",
            "Làm mới mã truy cập và cập nhật token_ends_at trong cấu hình.",
        ),
        Reason::PermissionRevoked => words(
            "Quyền đã bị gỡ",
            "Nhà cung cấp báo tài khoản đã gỡ quyền của ứng dụng.",
            "Quản trị viên của tài khoản phải cấp quyền lại cho ứng dụng; mã truy cập cũ không dùng được nữa.",
        ),
        Reason::SignaturesRefused => words(
            "Chữ ký không khớp",
            "Có nhiều yêu cầu liên tiếp với chữ ký hoặc mã bí mật không khớp và không có cái nào hợp lệ xen giữa: khóa đã đổi, khai sai, hoặc proxy sửa nội dung. Nhà cung cấp sẽ tắt webhook nếu cứ bị từ chối.",
            "Xem `baophat accounts` và /v1/refused để biết dấu hiệu cụ thể. Dán khóa mới vào cấu hình (để khóa cũ lại trong danh sách khi đang đổi), và tắt mọi tính năng sửa nội dung ở proxy.",
        ),
        Reason::PolicyBlocked => words(
            "Bị nhà cung cấp chặn",
            "Nhà cung cấp báo đã chặn hoặc hạn chế tài khoản vì vi phạm chính sách.",
            "Ngừng gửi, đọc lý do trong trang hỗ trợ của nhà cung cấp và khiếu nại ở đó.",
        ),
    }
}

const fn reason_en(reason: Reason) -> Words {
    match reason {
        Reason::NeverCalled => words(
            "No callback yet",
            "No valid callback of this account was ever received, and nothing was sent that should have brought a receipt.",
            "Run `baophat check`, paste the URL that it prints into the provider's console exactly, switch the events on, and send a test message.",
        ),
        Reason::Well => words("All is well", "Callbacks and receipts come as they should.", "Nothing to do."),
        Reason::WebhookSilent => words(
            "Webhook silent",
            "Many people were sent to and not one callback came back, though most messages usually get a receipt. By chance that happens less than once in a million.",
            "In this order: (1) can this server be reached from the internet over https? (2) is the URL in the console exactly the one `baophat check` prints? (3) is the webhook still on? Providers switch it off after about an hour of failures, and only a person switches it on again. What was lost meanwhile is not sent again: ask for the status of the open messages.",
        ),
        Reason::ReceiptsNotSubscribed => words(
            "No receipts",
            "Other callbacks come, delivery and read receipts do not, though many people were sent to.",
            "Open the webhook page of the provider's console and switch on the delivery and read events (see the missing events of this account).",
        ),
        Reason::TrafficStopped => words(
            "The usual traffic has stopped",
            "At these hours callbacks usually came, and now there are none.",
            "Check that this server can be reached from the internet, and that the webhook is still switched on in the console. If there are simply no customers today, nothing needs to be done.",
        ),
        Reason::ProviderSlow => words(
            "Provider slow",
            "Receipts come much later than they used to, for many recipients at once: the provider is congested.",
            "Do not send again: the messages were taken and will arrive late. Use another channel for what is urgent. If it lasts longer than three hours, send the provider the report of the incident.",
        ),
        Reason::TokenInvalid => words(
            "Token not accepted",
            "The provider refuses the send calls because the access token or key is invalid or has expired.",
            "Refresh the token; if that fails, the account's administrator connects it again. Then send again what was refused.",
        ),
        Reason::TokenExpired => words(
            "Token at its end",
            "The end that the configuration names (token_ends_at) has passed, and no send was accepted since.",
            "Refresh the token and set token_ends_at anew.",
        ),
        Reason::PermissionRevoked => words(
            "Permission withdrawn",
            "The provider told that the account has withdrawn the app's permission.",
            "The account's administrator must grant it again; the old token is dead.",
        ),
        Reason::SignaturesRefused => words(
            "Signatures do not fit",
            "Several requests in a row had a signature or secret that does not fit, and no valid one came between them: the secret was changed or mistyped, or a proxy rewrites the body. A provider that is refused for long switches the webhook off.",
            "See `baophat accounts` and /v1/refused for what gives it away. Put the new secret into the configuration (keep the old one in the list while you change over), and switch off whatever rewrites bodies in the proxy.",
        ),
        Reason::PolicyBlocked => words(
            "Barred by the provider",
            "The provider told that it has barred or restricted the account for a breach of its policy.",
            "Stop sending, read the reason in the provider's support pages, and appeal there.",
        ),
    }
}

/// What a trouble is, as a title.
pub const fn trouble(trouble: &Trouble, lang: Lang) -> &'static str {
    match trouble {
        Trouble::Cause(Cause::WebhookSilent) => reason(Reason::WebhookSilent, lang).title,
        Trouble::Cause(Cause::ReceiptsNotSubscribed) => reason(Reason::ReceiptsNotSubscribed, lang).title,
        Trouble::Cause(Cause::TokenInvalid) => reason(Reason::TokenInvalid, lang).title,
        Trouble::Cause(other) => cause(*other, lang),
        Trouble::Account(why) => reason(*why, lang).title,
        Trouble::Failure { class, .. } => failures(*class, lang),
    }
}

const fn cause(cause: Cause, lang: Lang) -> &'static str {
    match (cause, lang) {
        (Cause::SendUnconfirmed, Lang::Vi) => "Chưa rõ lệnh gửi có được nhận không",
        (Cause::SendUnconfirmed, Lang::En) => "Sends without a known outcome",
        (Cause::ThreadControl, Lang::Vi) => "Ứng dụng khác giữ cuộc trò chuyện",
        (Cause::ThreadControl, Lang::En) => "Another app holds the conversation",
        (Cause::AwaitingApproval, Lang::Vi) => "Chờ nhà cung cấp duyệt",
        (Cause::AwaitingApproval, Lang::En) => "Awaiting approval",
        (Cause::Scheduled, Lang::Vi) => "Chờ đến giờ hẹn",
        (Cause::Scheduled, Lang::En) => "Scheduled",
        (Cause::RecipientUnreachable, Lang::Vi) => "Không tới được người nhận",
        (Cause::RecipientUnreachable, Lang::En) => "Recipient unreachable",
        (Cause::PollNeeded, Lang::Vi) => "Cần tra kết quả",
        (Cause::PollNeeded, Lang::En) => "Results must be asked for",
        (Cause::WebhookSilent | Cause::ReceiptsNotSubscribed | Cause::TokenInvalid | Cause::Unknown, Lang::Vi) => "Kẹt chưa rõ lý do",
        (Cause::WebhookSilent | Cause::ReceiptsNotSubscribed | Cause::TokenInvalid | Cause::Unknown, Lang::En) => {
            "Stuck for an unknown reason"
        }
    }
}

const fn failures(class: Class, lang: Lang) -> &'static str {
    match (class, lang) {
        (Class::Recipient, Lang::Vi) => "Nhiều người nhận không nhận được",
        (Class::Recipient, Lang::En) => "Many recipients cannot receive",
        (Class::Window, Lang::Vi) => "Gửi ngoài khung giờ hoặc cửa sổ cho phép",
        (Class::Window, Lang::En) => "Sent outside the allowed window",
        (Class::Quota, Lang::Vi) => "Hết hạn mức",
        (Class::Quota, Lang::En) => "Quota used up",
        (Class::RateLimit, Lang::Vi) => "Gửi quá nhanh",
        (Class::RateLimit, Lang::En) => "Sending too fast",
        (Class::Authorization, Lang::Vi) => "Mã truy cập không còn dùng được",
        (Class::Authorization, Lang::En) => "Token not accepted",
        (Class::Billing, Lang::Vi) => "Hết tiền hoặc thiếu gói dịch vụ",
        (Class::Billing, Lang::En) => "Out of money or package",
        (Class::Permission, Lang::Vi) => "Thiếu quyền",
        (Class::Permission, Lang::En) => "Permission missing",
        (Class::Content, Lang::Vi) => "Nội dung hoặc tham số không hợp lệ",
        (Class::Content, Lang::En) => "Content or parameters not accepted",
        (Class::Template, Lang::Vi) => "Mẫu tin không dùng được",
        (Class::Template, Lang::En) => "Template not usable",
        (Class::ThreadControl, Lang::Vi) => "Ứng dụng khác giữ cuộc trò chuyện",
        (Class::ThreadControl, Lang::En) => "Another app holds the conversation",
        (Class::Provider, Lang::Vi) => "Nhà cung cấp lỗi",
        (Class::Provider, Lang::En) => "The provider fails",
        (Class::Network, Lang::Vi) => "Không kết nối được nhà cung cấp",
        (Class::Network, Lang::En) => "The provider cannot be reached",
        (Class::Unknown, Lang::Vi) => "Lỗi chưa rõ nguyên nhân",
        (Class::Unknown, Lang::En) => "Failures of an unknown kind",
    }
}

/// What to do about a trouble, where no catalogue entry knows better.
pub fn remedy(trouble: &Trouble, lang: Lang) -> &'static str {
    match trouble {
        Trouble::Cause(Cause::WebhookSilent) => reason(Reason::WebhookSilent, lang).remedy,
        Trouble::Cause(Cause::ReceiptsNotSubscribed) => reason(Reason::ReceiptsNotSubscribed, lang).remedy,
        Trouble::Cause(Cause::TokenInvalid) => reason(Reason::TokenInvalid, lang).remedy,
        Trouble::Cause(cause) => advice(*cause, lang),
        Trouble::Account(why) => reason(*why, lang).remedy,
        Trouble::Failure { .. } => match lang {
            Lang::Vi => {
                "Danh mục chưa có mã này. Đọc lời của nhà cung cấp trong failure.text của các tin mẫu, và hỏi bộ phận hỗ trợ kèm báo cáo sự cố."
            }
            Lang::En => {
                "The catalogue does not have this code. Read the provider's words in failure.text of the examples, and ask its support with the report of the incident."
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_and_every_trouble_is_told_in_both_languages() {
        for why in Reason::ALL {
            let (vi, en) = (reason(*why, Lang::Vi), reason(*why, Lang::En));
            assert!(vi.title != en.title && vi.cause != en.cause && vi.remedy != en.remedy, "{why}");
        }
        let causes = Cause::ALL.iter().map(|c| Trouble::Cause(*c));
        let failures = Class::ALL.iter().map(|class| Trouble::Failure { class: *class, code: None, subcode: None });
        for one in causes.chain(failures).chain(Reason::ALL.iter().map(|r| Trouble::Account(*r))) {
            assert_ne!(trouble(&one, Lang::Vi), trouble(&one, Lang::En), "{one:?}");
            assert_ne!(remedy(&one, Lang::Vi), remedy(&one, Lang::En), "{one:?}");
        }
    }
}
