//! The afternoon as data: what a small shop sends over its three channels, and how each message may fare.
//!
//! Everything is invented: names, order numbers, phones. To add a story is to add a row; how a fate is played stands in `script`.

use super::setting::{OA, PAGE, SMS};
use super::wire::{Carrier, Trouble};

/// One sort of message.
#[derive(Debug)]
pub(super) struct Story {
    /// Who carries it.
    pub carrier: Carrier,
    /// Kind slug.
    pub kind: &'static str,
    /// The template.
    pub template: Option<&'static str>,
    /// How often, against the other stories.
    pub weight: u32,
    /// What it says; `{order}`, `{otp}`, `{money}` and `{hour}` are filled in.
    pub texts: &'static [&'static str],
    /// How it may fare, with how often.
    pub fates: &'static [(u32, Fate)],
}

impl Carrier {
    /// The account of the demo.
    pub(super) fn account(self) -> &'static str {
        match self {
            Carrier::Zalo => OA,
            Carrier::Facebook => PAGE,
            Carrier::Esms => SMS,
        }
    }
}

/// How a message fares.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fate {
    /// Sent, delivered, read.
    Read,
    /// Sent, delivered, and nothing more.
    Delivered,
    /// Everything comes the wrong way round: read, then delivered, then the send answer.
    Reversed,
    /// The receipt is faster than the registration.
    ReceiptFirst,
    /// The receipt comes after the deadline; the message stops being stuck.
    Late,
    /// No receipt ever comes.
    Silent,
    /// The send call ran into its time limit, and nothing ever tells how it ended.
    NoAnswer,
    /// A gateway answered with a page of HTML; a callback tells later that the message went out.
    AnswerLost,
    /// The send answer refuses it.
    Refused(&'static [Trouble]),
    /// Typed by staff in the provider's own inbox: nobody registers it.
    Staff,
    /// Three messages to one customer, one receipt and one watermark for all.
    Conversation,
    /// The report says that it failed.
    Failed(&'static [Trouble]),
    /// First a report of failure, then one of success.
    Conflict,
    /// Waits for approval; now and then it gets it.
    Approval,
    /// Waits for its hour.
    Scheduled,
    /// Handed over, and no result is pushed.
    HandedOver,
    /// Rejected by the provider's moderators.
    Rejected,
    /// Many recipients, counted step by step, some of them failed.
    Partial,
    /// The `RequestId` was used before: accepted without an id.
    AlreadyTaken,
}

const fn trouble(weight: u32, status: u16, code: &'static str, subcode: &'static str, words: &'static str) -> Trouble {
    Trouble { weight, status, code, subcode, words }
}

const ZNS_REFUSED: &[Trouble] = &[
    trouble(6, 200, "-118", "", "Zalo account not existed"),
    trouble(2, 200, "-119", "", "Account can not receive notification"),
    trouble(2, 200, "-1124", "", "Template data invalid format"),
    trouble(1, 200, "-131", "", "Template not approved"),
    trouble(2, 200, "-144", "", "OA has exceeded the daily ZNS quota"),
    trouble(1, 200, "-115", "", "Out of balance"),
    trouble(1, 200, "-124", "", "Access token invalid"),
    trouble(1, 200, "-9127", "", "Unknown reason, try again"),
];

const CHAT_REFUSED: &[Trouble] = &[
    trouble(5, 200, "-230", "", "User has not interacted with the OA in the past 7 days"),
    trouble(3, 200, "-213", "", "User has not followed OA"),
    trouble(1, 200, "-216", "", "Access token is invalid"),
    trouble(1, 200, "-224", "", "OA need to upgrade package"),
    trouble(1, 429, "", "", ""),
];

const MESSENGER_REFUSED: &[Trouble] = &[
    trouble(5, 400, "10", "2018278", "(#10) This message is sent outside of allowed window."),
    trouble(2, 400, "10", "2018300", "(#10) Message failed to send because another app is controlling this thread now."),
    trouble(3, 400, "551", "1545041", "(#551) This person isn't available right now."),
    trouble(1, 400, "100", "2018001", "(#100) No matching user found"),
    trouble(1, 401, "190", "463", "Error validating access token: Session has expired."),
    trouble(1, 400, "613", "", "(#613) Calls to this api have exceeded the rate limit."),
];

const SMS_REFUSED: &[Trouble] = &[
    trouble(4, 200, "146", "", "Sai template brandname CSKH"),
    trouble(2, 200, "103", "", "Balance not enough to send message"),
    trouble(2, 200, "99", "", "Phone is blocked"),
    trouble(1, 200, "101", "", "Authorize failed"),
    trouble(1, 200, "177", "", "Brandname is not registered for this network"),
];

const SMS_FAILED: &[Trouble] = &[trouble(1, 200, "", "", "")];

const ESMS_ZNS_FAILED: &[Trouble] = &[
    trouble(4, 200, "-118", "", "Zalo account not existed"),
    trouble(2, 200, "-114", "", "User is inactive, reject the message, or using an outdated Zalo version"),
    trouble(1, 200, "-141", "", "User refuses to receive from this Official Account"),
];

/// Every story.
pub(super) const STORIES: &[Story] = &[
    Story {
        carrier: Carrier::Zalo,
        kind: "zns",
        template: Some("410021"),
        weight: 24,
        texts: &[
            "Đơn {order} đã được xác nhận, tổng {money}. Cảm ơn quý khách!",
            "Đơn {order} đang trên đường giao, dự kiến {hour} hôm nay.",
            "Đơn {order} đã giao thành công. Mời quý khách đánh giá.",
            "Nhắc lịch: quý khách có hẹn bảo hành lúc {hour} hôm nay.",
        ],
        fates: &[
            (44, Fate::Delivered),
            (14, Fate::Read),
            (8, Fate::Reversed),
            (5, Fate::ReceiptFirst),
            (12, Fate::Refused(ZNS_REFUSED)),
            (4, Fate::Silent),
            (4, Fate::Late),
            (2, Fate::NoAnswer),
            (4, Fate::AnswerLost),
        ],
    },
    Story {
        carrier: Carrier::Zalo,
        kind: "chat",
        template: None,
        weight: 22,
        texts: &[
            "Dạ shop đã nhận đơn {order}, chiều nay shop gửi hàng ạ.",
            "Dạ mẫu này còn size M và L, anh/chị lấy size nào ạ?",
            "Shop xin lỗi vì giao trễ, đơn {order} được giảm {money} ạ.",
            "Dạ phí giao nội thành là {money}, khoảng {hour} là tới ạ.",
        ],
        fates: &[
            (40, Fate::Read),
            (22, Fate::Delivered),
            (9, Fate::Reversed),
            (5, Fate::ReceiptFirst),
            (9, Fate::Refused(CHAT_REFUSED)),
            (9, Fate::Staff),
            (3, Fate::Silent),
            (3, Fate::Late),
            (2, Fate::NoAnswer),
        ],
    },
    Story {
        carrier: Carrier::Facebook,
        kind: "message",
        template: None,
        weight: 28,
        texts: &[
            "Dạ em gửi anh/chị bảng giá mới ạ. Đơn từ {money} được miễn phí giao.",
            "Đơn {order} đã đóng gói xong, {hour} bên giao hàng qua lấy ạ.",
            "Dạ shop còn hàng, anh/chị cho em xin địa chỉ nhận nhé.",
            "Cảm ơn anh/chị đã mua hàng! Mã giảm giá lần sau: CAMON10.",
        ],
        fates: &[
            (34, Fate::Read),
            (20, Fate::Delivered),
            (9, Fate::Reversed),
            (12, Fate::Conversation),
            (10, Fate::Refused(MESSENGER_REFUSED)),
            (7, Fate::Staff),
            (4, Fate::AnswerLost),
            (3, Fate::Silent),
            (2, Fate::NoAnswer),
        ],
    },
    Story {
        carrier: Carrier::Esms,
        kind: "sms_customer_care",
        template: None,
        weight: 22,
        texts: &[
            "{otp} la ma xac thuc cua quy khach, hieu luc 5 phut. Khong chia se ma nay.",
            "Don {order} se duoc giao luc {hour} hom nay. Tong tien {money}.",
        ],
        fates: &[
            (58, Fate::Delivered),
            (8, Fate::ReceiptFirst),
            (5, Fate::Reversed),
            (7, Fate::Failed(SMS_FAILED)),
            (8, Fate::Refused(SMS_REFUSED)),
            (4, Fate::Silent),
            (3, Fate::HandedOver),
            (3, Fate::AlreadyTaken),
            (2, Fate::NoAnswer),
            (2, Fate::AnswerLost),
            (1, Fate::Conflict),
        ],
    },
    Story {
        carrier: Carrier::Esms,
        kind: "zns",
        template: Some("410077"),
        weight: 10,
        texts: &["Hóa đơn {order} trị giá {money} đã được phát hành.", "Quý khách được cộng điểm cho đơn {order}."],
        fates: &[(64, Fate::Delivered), (22, Fate::Failed(ESMS_ZNS_FAILED)), (8, Fate::HandedOver), (6, Fate::Late)],
    },
    Story {
        carrier: Carrier::Esms,
        kind: "sms_advertising",
        template: None,
        weight: 4,
        texts: &["(QC) Giam 20% toan bo ao khoac den het hom nay. Tu choi: soan TC gui 1551."],
        fates: &[(46, Fate::Partial), (24, Fate::Approval), (16, Fate::Scheduled), (14, Fate::Rejected)],
    },
];

/// What customers write to the shop.
pub(super) const INBOUND: &[&str] = &[
    "Shop ơi, đơn của mình tới đâu rồi ạ?",
    "Cho mình đổi sang size L được không?",
    "Hàng đẹp lắm, cảm ơn shop!",
    "Mình muốn đổi địa chỉ nhận hàng.",
];
