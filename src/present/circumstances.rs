//! What the recipient's history, the hour and the window tell of a stuck message: sentences behind the advice of a single message. Lists do
//! without them, since they cost a question each. It must not know why the message counts as stuck.

use super::Reader;
use super::message::MessageView;
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::state::State;
use crate::domain::stuck::Cause;
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::query::MessageFilter;

/// How many other messages to the recipient are looked at.
const HISTORY_MESSAGES_MAX: usize = 20;
/// The night in Vietnam, in hours of the day: it begins at ten and ends at six.
const NIGHT: (i64, i64) = (22, 6);
/// Vietnam's time, in hours ahead of UTC.
const VIETNAM_HOURS: i64 = 7;
/// One hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What became of other messages to the same recipient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct History {
    /// How many were looked at.
    others: usize,
    /// How many of them were sent and have no receipt.
    waiting: usize,
    /// When one was last delivered.
    delivered_at: Option<Millis>,
}

impl Reader<'_> {
    /// The sentences that a stuck message's circumstances add to its advice.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn circumstances(&self, view: &MessageView) -> Result<Vec<String>, StoreError> {
        let Some(stuck) = &view.stuck else { return Ok(Vec::new()) };
        let (Ok(account), Some(recipient)) = (AccountId::parse(&view.account), &view.recipient) else { return Ok(Vec::new()) };
        let mut told = Vec::new();
        let about_the_phone = [Cause::RecipientUnreachable.as_str(), Cause::PollNeeded.as_str(), Cause::Unknown.as_str()];
        if about_the_phone.contains(&stuck.cause) {
            told.extend(history_words(self.history(&account, recipient, &view.id)?, self.lang));
            told.extend(view.sent_at.filter(|at| is_night(*at)).map(|_| night_words(self.lang).to_owned()));
        }
        // A template needs no window.
        if view.template_id.is_none()
            && let Some(thread) = self.conversation(&account, view.sender.as_deref(), recipient)?
            && let Some(window) = thread.window.filter(|w| w.until <= view.sent_at.unwrap_or(self.now))
        {
            told.push(window_words(window.until, self.lang));
        }
        Ok(told)
    }

    fn history(&self, account: &AccountId, recipient: &str, but: &str) -> Result<History, StoreError> {
        let filter = MessageFilter { account: Some(account.clone()), recipient: vec![recipient.to_owned()], ..MessageFilter::default() };
        let (all, _) = self.messages(&filter, None, HISTORY_MESSAGES_MAX + 1)?;
        let others = all.iter().filter(|m| m.id != but);
        Ok(others.fold(History::default(), |sum, m| History {
            others: sum.others + 1,
            waiting: sum.waiting + usize::from(m.state == State::Sent.as_str()),
            delivered_at: sum.delivered_at.max(m.delivered_at),
        }))
    }
}

fn is_night(at: Millis) -> bool {
    let hour = (at.0.div_euclid(HOUR_MS) + VIETNAM_HOURS).rem_euclid(24);
    hour >= NIGHT.0 || hour < NIGHT.1
}

fn history_words(history: History, lang: Lang) -> Option<String> {
    let History { others, waiting, delivered_at } = history;
    if others == 0 {
        return None;
    }
    Some(match (lang, delivered_at) {
        (Lang::Vi, Some(at)) => {
            format!("Trong {others} tin gần nhất khác gửi cho người này, {waiting} tin cũng chưa có biên nhận; lần nhận gần nhất là {at}.")
        }
        (Lang::Vi, None) => {
            format!("Trong {others} tin gần nhất khác gửi cho người này, {waiting} tin cũng chưa có biên nhận và chưa tin nào được nhận.")
        }
        (Lang::En, Some(at)) => {
            format!(
                "Of the last {others} other messages to this recipient {waiting} have no receipt either; one was last received at {at}."
            )
        }
        (Lang::En, None) => {
            format!("Of the last {others} other messages to this recipient {waiting} have no receipt either, and none was ever received.")
        }
    })
}

fn night_words(lang: Lang) -> &'static str {
    match lang {
        Lang::Vi => {
            "Tin được gửi lúc đêm (22:00–06:00 giờ Việt Nam), khi nhiều máy tắt hoặc tin không báo chuông: hãy chờ đến sáng rồi mới kết luận."
        }
        Lang::En => {
            "It was sent at night (22:00 to 06:00 in Vietnam), when phones are off or messages come without a sound: wait for the morning."
        }
    }
}

fn window_words(until: Millis, lang: Lang) -> String {
    match lang {
        Lang::Vi => format!(
            "Khung trả lời khách này đã đóng lúc {until}: ngoài khung chỉ gửi được bằng mẫu tin hoặc kênh khác, cho đến khi khách nhắn lại."
        ),
        Lang::En => {
            format!(
                "The window for answering this customer closed at {until}: outside it only templates or another channel go, until the customer writes again."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_night_is_vietnams() {
        let at = |text: &str| Millis::parse(text).unwrap();
        for (time, night) in [("21:59:59", false), ("22:00:00", true), ("00:30:00", true), ("05:59:59", true), ("06:00:00", false)] {
            assert_eq!(is_night(at(&format!("2026-02-16T{time}+07:00"))), night, "{time}");
        }
    }

    #[test]
    fn a_recipient_without_other_messages_has_no_history() {
        assert_eq!(history_words(History::default(), Lang::En), None);
        let known = History { others: 3, waiting: 2, delivered_at: Some(Millis(0)) };
        let told = history_words(known, Lang::En).unwrap();
        assert!(told.contains("last 3 other") && told.contains("2 have no receipt") && told.contains("1970-01-01"), "{told}");
        assert_ne!(history_words(known, Lang::Vi), Some(told));
    }
}
