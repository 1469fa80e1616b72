//! What a provider's support wants to know before it helps, and through which channel it is asked. Words and places to look only; who looks,
//! and what is found, is not known here.

use crate::domain::failure::Lang;

/// A text in both languages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Text {
    /// Vietnamese.
    pub vi: &'static str,
    /// English.
    pub en: &'static str,
}

/// A text in both languages.
pub const fn text(vi: &'static str, en: &'static str) -> Text {
    Text { vi, en }
}

impl Text {
    /// In a language.
    pub const fn get(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Vi => self.vi,
            Lang::En => self.en,
        }
    }
}

/// Where the proof of a check is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// The token or key is accepted.
    Token,
    /// The webhook is called.
    Called,
    /// Receipts come.
    Receipts,
    /// No signature or token of a callback is refused.
    Signatures,
    /// Every stored callback was understood.
    Processed,
    /// The answer of the send call is on record.
    Answer,
    /// The recipient is written as the provider wants it.
    Recipient,
    /// The template may be used.
    Template,
    /// Something is left of the allowance.
    Quota,
    /// The code is explained, so its remedy can be tried first.
    Code,
    /// It is no single case.
    Alike,
    /// We hold the conversation.
    Thread,
    /// Only a person can tell, in the provider's console.
    ByHand,
}

/// One line of the list that is gone through before the support is asked.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Where its proof is found.
    pub look: Look,
    /// What should be so.
    pub what: Text,
    /// Where to look, or what to do, when it is not or cannot be told from here.
    pub how: Text,
}

/// A check.
pub const fn check(look: Look, what: Text, how: Text) -> Check {
    Check { look, what, how }
}

/// What came in was understood, whoever sent it.
pub const PROCESSED: Check = check(
    Look::Processed,
    text("Mọi callback đã lưu đều đọc được", "Every stored callback was understood"),
    text(
        "Xem `baophat callbacks --status error`, xử lý lại bằng `baophat reprocess`.",
        "Look at `baophat callbacks --status error`, then `baophat reprocess`.",
    ),
);

/// The code is explained.
pub const CODE: Check = check(
    Look::Code,
    text("Mã lỗi có trong danh mục, kèm cách xử lý", "The code stands in the catalogue, with its remedy"),
    text(
        "Đọc nguyên văn của nhà cung cấp và tra mã trong tài liệu của họ.",
        "Read the provider's own words and look the code up in its documentation.",
    ),
);

/// It is known whether it is a single case.
pub const ALIKE: Check = check(
    Look::Alike,
    text("Đã biết lỗi này xảy ra với bao nhiêu tin khác", "It is known how many others fail alike"),
    text("Xem `baophat stuck` và `baophat messages --failure-code`.", "Look at `baophat stuck` and `baophat messages --failure-code`."),
);

/// What to go through, what to ask and whom.
#[derive(Clone, Copy, Debug)]
pub struct Support {
    /// What to go through first.
    pub checks: &'static [Check],
    /// What to ask about a message that failed; `{message_id}`, `{code}` and `{at}` stand for the message's own.
    pub of_failed: &'static [Text],
    /// What to ask about a message that is stuck.
    pub of_stuck: &'static [Text],
    /// Where to ask.
    pub channels: &'static [Text],
}

/// For a provider whose support is not known.
pub const NO_SUPPORT: Support = Support { checks: &[], of_failed: &[], of_stuck: &[], channels: &[] };
