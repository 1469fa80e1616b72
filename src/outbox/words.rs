//! The words of alerts, in both languages. Short, since they are read on a telephone at night: what, since when, how many, why, what to
//! do, where to look.

use crate::domain::failure::Lang;
use crate::domain::feed::Step;
use crate::domain::time::Millis;
use crate::domain::watch::Standing;

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
}
