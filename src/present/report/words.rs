//! Fixed names in words: what a reader who never saw the API takes them for. The name itself stands behind the words, as support asks by it.

use super::say;
use super::snapshot::TokenState;
use crate::domain::event::TemplateStatus;
use crate::domain::failure::Lang;
use crate::domain::state::State;
use crate::domain::watch::words::{reason, standing};
use crate::domain::watch::{Reason, Standing};

/// A name with a word for it, where the language has another.
fn with_word(word: &str, name: &str, lang: Lang) -> String {
    if lang == Lang::Vi && !word.is_empty() { format!("{word} ({name})") } else { name.to_owned() }
}

/// The word for a state in Vietnamese; empty for what is none.
pub(super) fn state_vi(state: &str) -> &'static str {
    match State::parse(state) {
        Some(State::Queued) => "đang xếp hàng",
        Some(State::Sent) => "đã gửi",
        Some(State::Delivered) => "đã nhận",
        Some(State::Read) => "đã xem",
        Some(State::Failed) => "thất bại",
        None => "",
    }
}

/// A state.
pub(super) fn state_of(state: &str, lang: Lang) -> String {
    with_word(state_vi(state), state, lang)
}

/// How a template stands.
pub(super) fn template(status: &str, lang: Lang) -> String {
    let word = match TemplateStatus::parse(status) {
        Some(TemplateStatus::Pending) => "đang chờ duyệt",
        Some(TemplateStatus::Approved) => "đã duyệt",
        Some(TemplateStatus::Rejected) => "không được duyệt",
        Some(TemplateStatus::Disabled) => "đã bị tắt",
        Some(TemplateStatus::Deleted) => "đã bị xóa",
        Some(TemplateStatus::Unknown) => "chưa rõ",
        None => "",
    };
    with_word(word, status, lang)
}

/// How a token stands, without its fixed name.
pub(super) const fn token(state: TokenState, lang: Lang) -> &'static str {
    match state {
        TokenState::Accepted => say(lang, "được chấp nhận", "accepted"),
        TokenState::Refused => say(lang, "bị từ chối", "refused"),
        TokenState::Expired => say(lang, "đã hết hạn", "expired"),
        TokenState::Revoked => say(lang, "quyền đã bị thu hồi", "the permission was withdrawn"),
    }
}

/// How an account stands, and why.
pub(super) fn account(stands: Standing, why: Option<Reason>, lang: Lang) -> String {
    let name = with_word(standing(stands, lang), stands.as_str(), lang);
    why.map_or_else(|| name.clone(), |why| format!("{name}: {}", reason(why, lang).title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixed_name_has_a_word_in_vietnamese_and_stands_behind_it() {
        for status in TemplateStatus::ALL {
            let (vi, en) = (template(status.as_str(), Lang::Vi), template(status.as_str(), Lang::En));
            assert!(vi.ends_with(&format!(" ({status})")) && en == status.as_str(), "{vi}, {en}");
        }
        for state in State::ALL {
            assert!(state_of(state.as_str(), Lang::Vi).ends_with(&format!(" ({state})")), "{state}");
        }
        assert_eq!(account(Standing::Connected, Some(Reason::Well), Lang::Vi), "đang nối (connected): Hoạt động bình thường");
        assert_eq!(account(Standing::Draft, None, Lang::En), "draft");
        assert_eq!((template("odd", Lang::Vi), token(TokenState::Expired, Lang::En)), ("odd".to_owned(), "expired"));
    }
}
