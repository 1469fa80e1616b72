//! The words of alerts, in both languages. Short, since they are read on a telephone at night: what, since when, how many, why, what to
//! do, where to look.

use crate::domain::failure::Lang;
use crate::domain::feed::Step;
use crate::domain::time::Millis;
use crate::domain::watch::{Reason, Standing};

fn say(lang: Lang, vi: &str, en: &str) -> String {
    match lang {
        Lang::Vi => vi,
        Lang::En => en,
    }
    .to_owned()
}

/// A moment in a local time: `2026-01-31 22:15 (+07:00)`.
pub fn moment(at: Millis, offset: i16) -> String {
    let local = Millis(at.0.saturating_add(i64::from(offset) * 60_000)).to_string();
    let (sign, minutes) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
    let shown = local.get(..16).unwrap_or(&local).replace('T', " ");
    format!("{shown} ({sign}{:02}:{:02})", minutes / 60, minutes % 60)
}

/// A line: a label and what it is about.
pub fn since(at: &str, lang: Lang) -> String {
    say(lang, "Từ lúc: ", "Since: ") + at
}

/// How many messages an incident has.
pub fn size(n: u64, lang: Lang) -> String {
    format!("{}{n}", say(lang, "Số tin: ", "Messages: "))
}

/// Why.
pub fn cause(text: &str, lang: Lang) -> String {
    say(lang, "Nguyên nhân: ", "Cause: ") + text
}

/// What to do.
pub fn remedy(text: &str, lang: Lang) -> String {
    say(lang, "Cần làm: ", "What to do: ") + text
}

/// Where to look.
pub fn look(at: &str, lang: Lang) -> String {
    say(lang, "Xem: ", "See: ") + at
}

/// The first line about an incident.
pub fn incident(step: Step, account: &str, title: &str, lang: Lang) -> String {
    let (mark, what) = match step {
        Step::Opened => ("🔴", say(lang, "Sự cố mới", "New incident")),
        Step::Grew => ("🔺", say(lang, "Sự cố lớn gấp mười", "Incident grew tenfold")),
        Step::Closed => ("✅", say(lang, "Sự cố đã qua", "Incident is over")),
    };
    format!("{mark} {what} · {account}: {title}")
}

/// What an incident is called of which nothing more is known.
pub fn nameless(id: u64, lang: Lang) -> String {
    format!("{} {id}", say(lang, "sự cố", "incident"))
}

/// The first line about an account.
pub fn account(to: Standing, account: &str, lang: Lang) -> String {
    let (mark, what) = match to {
        Standing::Draft => ("⚪", say(lang, "chưa nhận callback nào", "has not been called yet")),
        Standing::Connected => ("✅", say(lang, "hoạt động trở lại", "works again")),
        Standing::Silent => ("🔴", say(lang, "im lặng", "has fallen silent")),
        Standing::Expired => ("🔴", say(lang, "mã truy cập không còn hiệu lực", "has no valid token any more")),
        Standing::Error => ("🔴", say(lang, "có lỗi", "has a fault")),
    };
    format!("{mark} {} {account} {what}", say(lang, "Tài khoản", "Account"))
}

/// Why an account stands as it does, and what to do.
pub fn reason(reason: Reason, lang: Lang) -> (String, String) {
    let (cause, remedy) = match (reason, lang) {
        (Reason::NeverCalled, Lang::Vi) => (
            "Chưa có gì gửi đến và cũng chưa gửi gì đi.",
            "Nhập URL callback mà `baophat check` in ra vào trang quản trị của nhà cung cấp.",
        ),
        (Reason::NeverCalled, Lang::En) => {
            ("Nothing ever came, and nothing was sent.", "Enter the callback URL that `baophat check` prints into the provider's console.")
        }
        (Reason::Well, Lang::Vi) => ("Callback đến bình thường.", "Không cần làm gì."),
        (Reason::Well, Lang::En) => ("Callbacks come as they should.", "Nothing."),
        (Reason::WebhookSilent, Lang::Vi) => {
            ("Đã gửi tin nhưng không có callback nào về.", "Kiểm tra webhook còn bật, đúng URL và truy cập được từ Internet.")
        }
        (Reason::WebhookSilent, Lang::En) => (
            "Messages went out and no callback comes in.",
            "Check that the webhook is switched on, has the right URL and can be reached from the internet.",
        ),
        (Reason::ReceiptsNotSubscribed, Lang::Vi) => {
            ("Có callback nhưng không có biên nhận nào.", "Bật các sự kiện biên nhận trong trang webhook của nhà cung cấp.")
        }
        (Reason::ReceiptsNotSubscribed, Lang::En) => {
            ("Callbacks come, receipts never do.", "Switch the receipt events on in the provider's webhook page.")
        }
        (Reason::TrafficStopped, Lang::Vi) => {
            ("Lưu lượng thường có vào giờ này đã dừng.", "Kiểm tra hệ thống gửi tin, rồi kiểm tra webhook.")
        }
        (Reason::TrafficStopped, Lang::En) => {
            ("The usual traffic of this hour has stopped.", "Check the sending system, then the webhook.")
        }
        (Reason::ProviderSlow, Lang::Vi) => {
            ("Biên nhận đến chậm hơn bình thường nhiều.", "Chờ; nếu kéo dài, hỏi bộ phận hỗ trợ của nhà cung cấp. Đừng gửi lại.")
        }
        (Reason::ProviderSlow, Lang::En) => {
            ("Receipts come much later than usual.", "Wait; if it lasts, ask the provider's support. Do not send again.")
        }
        (Reason::TokenInvalid, Lang::Vi) => {
            ("Lệnh gửi bị từ chối vì mã truy cập hoặc khóa không hợp lệ.", "Cấp lại mã truy cập cho tài khoản rồi gửi lại.")
        }
        (Reason::TokenInvalid, Lang::En) => {
            ("Send calls are refused for want of a valid token or key.", "Renew the account's token, then send again.")
        }
        (Reason::TokenExpired, Lang::Vi) => {
            ("Mã truy cập đã hết hạn.", "Làm mới mã truy cập; nếu không được, nhờ quản trị viên cấp quyền lại.")
        }
        (Reason::TokenExpired, Lang::En) => {
            ("The token has expired.", "Refresh the token; if that fails, have an administrator grant it again.")
        }
        (Reason::PermissionRevoked, Lang::Vi) => ("Quyền của ứng dụng đã bị thu hồi.", "Nhờ quản trị viên cấp quyền lại cho ứng dụng."),
        (Reason::PermissionRevoked, Lang::En) => {
            ("The app's permission was withdrawn.", "Have an administrator grant the app its permission again.")
        }
        (Reason::SignaturesRefused, Lang::Vi) => (
            "Có callback đến nhưng chữ ký không khớp.",
            "Xem /v1/refused; đối chiếu khóa bí mật với trang quản trị, và kiểm tra proxy không sửa nội dung.",
        ),
        (Reason::SignaturesRefused, Lang::En) => (
            "Callbacks come whose signature does not fit.",
            "Look at /v1/refused; compare the secret with the console, and check that no proxy changes bodies.",
        ),
        (Reason::PolicyBlocked, Lang::Vi) => {
            ("Nhà cung cấp đã chặn hoặc hạn chế tài khoản.", "Xem thông báo trong trang quản trị và làm theo hướng dẫn của nhà cung cấp.")
        }
        (Reason::PolicyBlocked, Lang::En) => {
            ("The provider has barred or restricted the account.", "Read the notice in the console and follow the provider's instructions.")
        }
    };
    (cause.to_owned(), remedy.to_owned())
}

/// How many notices a message gathers.
pub fn gathered(n: usize, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("{n} thông báo được giữ lại đến lúc này"),
        Lang::En => format!("{n} notices kept back until now"),
    }
}

/// The last line of a message that cannot show all.
pub fn and_more(n: usize, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!("… và {n} thông báo nữa"),
        Lang::En => format!("… and {n} more"),
    }
}

/// A message that tries a receiver out.
pub fn trial(id: &str, lang: Lang) -> (String, String) {
    match lang {
        Lang::Vi => (format!("baophat: thử \"{id}\""), "Nếu bạn đọc được dòng này, cảnh báo sẽ đến đây.".to_owned()),
        Lang::En => (format!("baophat: trying \"{id}\""), "If you can read this, alerts will come here.".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_local_time() {
        let at = Millis::parse("2026-01-31T15:15:30Z").unwrap();
        assert_eq!(moment(at, 420), "2026-01-31 22:15 (+07:00)");
        assert_eq!(moment(at, -210), "2026-01-31 11:45 (-03:30)");
    }

    #[test]
    fn every_reason_has_words_in_both_languages() {
        for r in Reason::ALL {
            let (vi, en) = (reason(*r, Lang::Vi), reason(*r, Lang::En));
            assert!(vi.0 != en.0 && !vi.1.is_empty() && !en.1.is_empty(), "{r}");
        }
    }
}
