//! Why a callback was refused, as far as its bytes tell: which mistake of the setup would explain it, and what to do about it.
//!
//! An examination accepts nothing and comes after the refusal. It must not name a secret, nor hand on anything of a body.

use serde::de::IgnoredAny;

use super::{Account, Refusal, Spec};
use crate::domain::failure::{Lang, named};
use crate::domain::ids::AccountId;
use crate::domain::record::Callback;

named! {
    /// A mistake that explains why a callback was refused; the surest first.
    Clue {
        /// It fits a secret that is known and no longer accepted.
        RetiredSecret = "retired_secret",
        /// It fits the secret of another account of the same provider.
        OtherAccount = "other_account",
        /// It fits the same JSON in another spelling: something on the way wrote the body anew.
        Reserialised = "reserialised",
        /// It was signed with an HMAC where the provider signs without one.
        HmacUsed = "hmac_used",
        /// Only the older signature over SHA-1 came.
        Sha1Only = "sha1_only",
        /// It names another app than the configured one, or was signed in the name of another id.
        WrongAppId = "wrong_app_id",
        /// The body, or the signature itself, came without its end.
        Truncated = "truncated",
        /// The token differs from the right one only by case or by its end.
        TokenShape = "token_shape",
        /// It came without any signature or token.
        Unsigned = "unsigned",
        /// Nothing explains it.
        Unknown = "unknown",
    }
}

impl Clue {
    /// A secret that we know fits, so that the provider itself made the request: no stranger can.
    pub fn is_proof(self) -> bool {
        matches!(self, Clue::RetiredSecret | Clue::OtherAccount | Clue::Reserialised | Clue::HmacUsed)
    }
}

/// A clue, and the account whose secret fits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// What explains the refusal.
    pub clue: Clue,
    /// The other account, for [`Clue::OtherAccount`] only.
    pub account: Option<AccountId>,
}

impl From<Clue> for Finding {
    fn from(clue: Clue) -> Finding {
        Finding { clue, account: None }
    }
}

/// A callback that was refused, for whoever looks why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// Why.
    pub refusal: Refusal,
    /// The callback.
    pub callback: Callback,
}

/// Looks for what explains a refusal: in the account's own settings, then in the secrets of the provider's other accounts. There is
/// at least one finding, except for a callback that is accepted. All of them are looked for always, so that the time tells nothing.
pub fn examine<'a>(
    account: &dyn Account,
    others: impl IntoIterator<Item = (&'a AccountId, &'a dyn Account)>,
    callback: &Callback,
    token: Option<&str>,
) -> Vec<Finding> {
    if account.verify(callback, token).is_ok() {
        return Vec::new();
    }
    let mut found: Vec<Finding> = account.examine(callback, token).into_iter().map(Finding::from).collect();
    let fitting = others.into_iter().filter(|(_, other)| other.verify(callback, token).is_ok());
    found.extend(fitting.map(|(id, _)| Finding { clue: Clue::OtherAccount, account: Some(id.clone()) }));
    if found.is_empty() {
        found.push(Clue::Unknown.into());
    }
    found.sort();
    found.dedup();
    found
}

/// JSON that ends before its end; nothing at all is the shortest of it.
pub(crate) fn is_cut(body: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(body).is_err_and(|e| e.is_eof())
}

/// Hex digits that are too few for a signature over SHA-256.
pub(crate) fn is_cut_hex(digits: &str) -> bool {
    (1..64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
}

/// What a clue says to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClueText {
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

impl Finding {
    /// What happened and what to do, for an account of this provider.
    pub fn text(&self, lang: Lang, spec: &Spec) -> ClueText {
        let (cause, remedy) = match lang {
            Lang::Vi => self.clue.vi(),
            Lang::En => self.clue.en(),
        };
        let other = self.account.as_ref().map_or("", AccountId::as_str);
        let filled = |text: &str| {
            text.replace("{secret}", spec.callback_secret).replace("{retired}", spec.retired_secret).replace("{account}", other)
        };
        ClueText { cause: filled(cause), remedy: filled(remedy) }
    }
}

impl Clue {
    const fn en(self) -> (&'static str, &'static str) {
        match self {
            Clue::RetiredSecret => (
                "It fits a secret under {retired}, which is not accepted any more: the provider still works with the old one.",
                "Save the new secret in the provider's console, or put the old one back beside the new one in the list of {secret} until \
                 refusals of this kind have stopped; then retire it.",
            ),
            Clue::OtherAccount => (
                "It fits the secret of account {account}: the callback is real, and came to the wrong URL.",
                "Enter the URL of {account} in that app's console (`baophat check` prints it), or exchange the {secret} of the two accounts \
                 if they were mixed up.",
            ),
            Clue::Reserialised => (
                "It fits the same JSON in another spelling: a proxy on the way has read the body and written it anew (blanks, \\u escapes, \
                 letters outside ASCII, line ends).",
                "Switch off the rewriting of bodies (JSON transformation, WAF sanitising, a function in front) for /webhooks/ and pass the \
                 body through byte for byte.",
            ),
            Clue::HmacUsed => (
                "It was signed with HMAC-SHA256 and the right secret. The provider signs with a plain SHA-256, so this came from a program \
                 of your own or a relay.",
                "Let the relay pass the provider's signature and body on unchanged; let your own test sign as the provider documents.",
            ),
            Clue::Sha1Only => (
                "Only the old X-Hub-Signature (SHA-1) came; X-Hub-Signature-256 is missing or no signature.",
                "Let the proxy pass the header X-Hub-Signature-256 through. The old one is no proof and is never accepted.",
            ),
            Clue::WrongAppId => (
                "The callback is of another app than the app_id configured here, or was signed in the name of another id.",
                "Compare app_id with the id of the app in whose console this URL stands. If it is another app of yours, give it an account \
                 and a URL of its own.",
            ),
            Clue::Truncated => (
                "The body, or its signature, came without its end.",
                "Look for limits on bodies and headers in the proxy (body size, buffers, timeouts), and raise them for /webhooks/.",
            ),
            Clue::TokenShape => (
                "The token in the URL is nearly the configured one: another case, an end that is missing, or something behind it.",
                "Put the URL that `baophat check` prints into the send request, letter by letter; let no proxy change the path.",
            ),
            Clue::Unsigned => (
                "It came without a signature or token: something on the way drops it, the URL is incomplete, or a stranger tries the address.",
                "Let the proxy pass every header and the whole path on, and compare the URL with what `baophat check` prints. If the address is not \
                 the provider's, nothing needs to be done.",
            ),
            Clue::Unknown => (
                "No known secret fits: {secret} holds another one than the provider works with, the body was changed on the way, or a stranger sent it.",
                "Copy {secret} anew from the provider's console. If the address is not the provider's, nothing needs to be done.",
            ),
        }
    }

    const fn vi(self) -> (&'static str, &'static str) {
        match self {
            Clue::RetiredSecret => (
                "Khớp với một khóa trong {retired}, tức khóa đã ngừng chấp nhận: phía nhà cung cấp vẫn đang dùng khóa cũ.",
                "Lưu khóa mới trong trang quản trị của nhà cung cấp, hoặc tạm đặt khóa cũ cạnh khóa mới trong danh sách {secret} cho đến khi không \
                 còn lượt từ chối loại này, rồi mới bỏ.",
            ),
            Clue::OtherAccount => (
                "Khớp với khóa của tài khoản {account}: callback là thật nhưng gửi nhầm URL.",
                "Nhập đúng URL của {account} trong trang quản trị của ứng dụng đó (`baophat check` có in ra), hoặc đổi lại {secret} của hai tài khoản nếu \
                 đã dán nhầm.",
            ),
            Clue::Reserialised => (
                "Khớp khi cùng JSON đó được viết theo cách khác: một proxy trên đường đã đọc rồi ghi lại nội dung (khoảng trắng, ký hiệu \\u, chữ có \
                 dấu, ký tự xuống dòng).",
                "Tắt chức năng ghi lại nội dung (chuyển đổi JSON, WAF làm sạch dữ liệu, hàm trung gian) cho /webhooks/ và chuyển nguyên vẹn từng byte.",
            ),
            Clue::HmacUsed => (
                "Được ký bằng HMAC-SHA256 với đúng khóa. Nhà cung cấp ký bằng SHA-256 thường, nên callback này đến từ chương trình của chính bạn hoặc từ \
                 một trạm chuyển tiếp.",
                "Để trạm chuyển tiếp giữ nguyên chữ ký và nội dung của nhà cung cấp; chương trình thử nghiệm thì ký đúng theo tài liệu của họ.",
            ),
            Clue::Sha1Only => (
                "Chỉ có chữ ký cũ X-Hub-Signature (SHA-1); X-Hub-Signature-256 bị thiếu hoặc không phải là chữ ký.",
                "Cấu hình proxy để header X-Hub-Signature-256 được chuyển qua. Chữ ký cũ không đủ làm bằng chứng và không bao giờ được chấp nhận.",
            ),
            Clue::WrongAppId => (
                "Callback thuộc một ứng dụng khác với app_id đã cấu hình, hoặc được ký dưới một id khác.",
                "So app_id với id của ứng dụng đang khai báo URL này. Nếu đó là một ứng dụng khác của bạn, hãy tạo cho nó tài khoản và URL riêng.",
            ),
            Clue::Truncated => (
                "Nội dung hoặc chữ ký đến nơi bị cụt phần cuối.",
                "Kiểm tra giới hạn nội dung và header ở proxy (dung lượng, bộ đệm, thời gian chờ) và nâng lên cho /webhooks/.",
            ),
            Clue::TokenShape => (
                "Mã trong URL gần giống mã đã cấu hình: khác chữ hoa chữ thường, thiếu phần cuối, hoặc thừa ký tự phía sau.",
                "Dùng đúng từng ký tự URL mà `baophat check` in ra trong yêu cầu gửi tin; không để proxy sửa đường dẫn.",
            ),
            Clue::Unsigned => (
                "Không có chữ ký hoặc mã nào: bị bỏ mất trên đường, URL thiếu phần cuối, hoặc người lạ thử địa chỉ này.",
                "Cấu hình proxy chuyển đủ mọi header và toàn bộ đường dẫn, rồi so URL với kết quả của `baophat check`. Nếu địa chỉ gửi không phải của nhà \
                 cung cấp thì không cần làm gì.",
            ),
            Clue::Unknown => (
                "Không khóa nào đã biết khớp: {secret} khác với khóa mà nhà cung cấp đang dùng, nội dung bị sửa trên đường, hoặc người lạ gửi đến.",
                "Sao chép lại {secret} từ trang quản trị của nhà cung cấp. Nếu địa chỉ gửi không phải của nhà cung cấp thì không cần làm gì.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::PROVIDERS;

    #[test]
    fn every_clue_says_in_both_languages_what_happened_and_what_to_do() {
        let account = Some(AccountId::parse("other-shop").unwrap());
        for clue in Clue::ALL {
            for (spec, lang) in PROVIDERS.iter().flat_map(|spec| Lang::ALL.iter().map(move |lang| (spec, *lang))) {
                let finding = Finding { clue: *clue, account: account.clone().filter(|_| *clue == Clue::OtherAccount) };
                let ClueText { cause, remedy } = finding.text(lang, spec);
                for text in [&cause, &remedy] {
                    assert!(text.len() > 20 && !text.contains(['{', '}']) && !text.contains("  "), "{clue}: {text}");
                    assert!(text.ends_with('.'), "{clue}: {text}");
                }
                assert_eq!(cause.contains("other-shop"), *clue == Clue::OtherAccount);
            }
        }
    }

    #[test]
    fn the_settings_that_texts_name_are_there() {
        for spec in PROVIDERS {
            for key in [spec.callback_secret, spec.retired_secret] {
                assert!(spec.settings.iter().any(|s| s.key == key && s.kind == crate::providers::SettingKind::Secrets), "{key}");
            }
        }
    }

    #[test]
    fn only_what_lacks_its_end_is_cut() {
        for cut in [&b""[..], b"{", b"{\"a\":", b"{\"a\":\"b", b"[1,", b"{\"a\":{\"b\":1}"] {
            assert!(is_cut(cut), "{cut:?}");
        }
        for whole in [&b"{}"[..], b"[]", b"{}}", b"x", b"a=1&b=2", b"{\"a\":\xff"] {
            assert!(!is_cut(whole), "{whole:?}");
        }
        assert!(is_cut_hex("ab") && !is_cut_hex("") && !is_cut_hex("xy") && !is_cut_hex(&"a".repeat(64)));
    }
}
