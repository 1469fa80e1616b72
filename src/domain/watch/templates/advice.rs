//! What to do about a template, by where it stands.

use crate::domain::event::TemplateStatus;
use crate::domain::failure::Lang;

/// What to do about a template that stands so.
pub fn template_advice(status: TemplateStatus, lang: Lang) -> &'static str {
    match (status, lang) {
        (TemplateStatus::Pending, Lang::En) => {
            "The provider is reviewing it. Messages with it are refused until it is approved: wait, or send with another approved template."
        }
        (TemplateStatus::Pending, Lang::Vi) => {
            "Nhà cung cấp đang duyệt mẫu này. Tin dùng mẫu sẽ bị từ chối cho đến khi được duyệt: hãy chờ, hoặc gửi bằng một mẫu khác đã duyệt."
        }
        (TemplateStatus::Approved, Lang::En) => "It may be used. Nothing to do.",
        (TemplateStatus::Approved, Lang::Vi) => "Mẫu dùng được. Không cần làm gì.",
        (TemplateStatus::Rejected, Lang::En) => {
            "Read the provider's reason, edit the template in its console and submit it again. Sending again before it is approved only fails again."
        }
        (TemplateStatus::Rejected, Lang::Vi) => {
            "Hãy đọc lý do từ chối của nhà cung cấp, sửa mẫu trong trang quản trị rồi gửi duyệt lại. Gửi tin khi mẫu chưa được duyệt sẽ tiếp tục lỗi."
        }
        (TemplateStatus::Disabled, Lang::En) => {
            "It was switched off: its quality fell (too many recipients reported or blocked it) or its allowance is used up. Look at quality and quota below; \
             wait for the allowance to renew, or prepare a new template with clearer text and send with that."
        }
        (TemplateStatus::Disabled, Lang::Vi) => {
            "Mẫu đã bị tắt: do chất lượng giảm (nhiều người nhận báo xấu hoặc chặn) hoặc đã hết hạn mức. Hãy xem chất lượng và hạn mức bên dưới; \
             chờ hạn mức được cấp lại, hoặc soạn mẫu mới với nội dung rõ ràng hơn rồi gửi bằng mẫu đó."
        }
        (TemplateStatus::Deleted, Lang::En) => {
            "It was deleted. Take its id out of the sending system, or make a new template and use the new id."
        }
        (TemplateStatus::Deleted, Lang::Vi) => "Mẫu đã bị xóa. Hãy bỏ mã mẫu này khỏi hệ thống gửi, hoặc tạo mẫu mới và dùng mã mới.",
        (TemplateStatus::Unknown, Lang::En) => {
            "The provider has told no status that we know. Look at the template in the provider's console, and check that template events are switched on for the webhook."
        }
        (TemplateStatus::Unknown, Lang::Vi) => {
            "Nhà cung cấp chưa báo trạng thái nào mà chúng tôi biết. Hãy xem mẫu trong trang quản trị của nhà cung cấp, và kiểm tra sự kiện mẫu tin đã được bật cho webhook chưa."
        }
    }
}
