//! Going through the provider's checklist: what the records prove, what they disprove, and what only a person can tell.

use super::message::Shown;
use super::snapshot::{Snapshot, TokenState};
use super::{Alike, CheckPart, say, words};
use crate::domain::event::TemplateStatus;
use crate::domain::failure::{Class, Failure, Lang, named};
use crate::domain::phone;
use crate::domain::stuck::Cause;
use crate::domain::watch::Reason;
use crate::providers::Spec;
use crate::providers::catalogue::catalogue;
use crate::providers::support::{Check, Look};

named! {
    /// What came of a check.
    CheckState {
        /// It is as it should be.
        Done = "done",
        /// It is not.
        NotDone = "not_done",
        /// It cannot be told from here.
        Unknown = "unknown",
    }
}

/// Shortest number that is taken for a user id, in digits; phone numbers are shorter.
const USER_ID_DIGITS_MIN: usize = 15;

/// What there is to look at.
pub(super) struct Seen<'a> {
    /// The message, or an example of the incident.
    pub message: Option<&'a Shown>,
    /// The account.
    pub snapshot: &'a Snapshot,
    /// The others.
    pub alike: &'a Alike,
    /// The provider.
    pub spec: Option<&'static Spec>,
    /// The language of the evidence.
    pub lang: Lang,
}

/// What came of a check, and what tells.
type Found = (CheckState, String);

/// Goes through a list; what does not concern the message is passed over.
pub(super) fn go_through(checks: &[Check], seen: &Seen<'_>) -> Vec<CheckPart> {
    let one = |check: &Check| {
        let (state, evidence) = seen.look(check.look)?;
        let how = (state != CheckState::Done).then(|| check.how.get(seen.lang).to_owned());
        Some(CheckPart { what: check.what.get(seen.lang).to_owned(), state, evidence, how })
    };
    checks.iter().filter_map(one).collect()
}

impl Seen<'_> {
    fn look(&self, look: Look) -> Option<Found> {
        Some(match look {
            Look::Token => self.token(),
            Look::Called => self.called(),
            Look::Receipts => self.receipts(),
            Look::Signatures => self.none_of(self.snapshot.signatures_refused, "bị từ chối gần đây", "refused lately"),
            Look::Processed => self.none_of(self.snapshot.callbacks_in_error, "không đọc được", "not understood"),
            Look::Answer => self.answer(),
            Look::Recipient => self.recipient(),
            Look::Template => return self.template(),
            Look::Quota => self.quota(),
            Look::Code => return self.code(),
            Look::Alike => self.alike(),
            Look::Thread => self.thread(),
            Look::ByHand => self.unknown("chỉ xem được trong trang quản trị", "only the console shows it"),
        })
    }

    fn say(&self, vi: &'static str, en: &'static str) -> String {
        say(self.lang, vi, en).to_owned()
    }

    fn unknown(&self, vi: &'static str, en: &'static str) -> Found {
        (CheckState::Unknown, self.say(vi, en))
    }

    fn class(&self) -> Option<Class> {
        Class::parse(self.message?.view.failure.as_ref()?.class)
    }

    fn cause(&self) -> Option<Cause> {
        Cause::parse(self.message?.view.stuck.as_ref()?.cause)
    }

    fn token(&self) -> Found {
        let Some(token) = &self.snapshot.token else {
            return self.unknown("chưa có lệnh gửi nào cho biết", "no send call tells");
        };
        let state = if token.state == TokenState::Accepted { CheckState::Done } else { CheckState::NotDone };
        let word = words::token(token.state, self.lang);
        let as_of = token.as_of.map(|at| format!(" {} {at}", say(self.lang, "lúc", "at"))).unwrap_or_default();
        let ends = token.expires_at.map(|at| format!("; {} {at}", say(self.lang, "hết hạn lúc", "ends at"))).unwrap_or_default();
        (state, format!("{word}{as_of}{ends}"))
    }

    fn called(&self) -> Found {
        let silent = self.snapshot.reason == Some(Reason::WebhookSilent) || self.cause() == Some(Cause::WebhookSilent);
        let Some(last) = self.snapshot.last_callback_at else {
            return (CheckState::NotDone, self.say("chưa từng có callback nào", "no callback is on record"));
        };
        let evidence = format!("{} {last}", say(self.lang, "callback gần nhất lúc", "the last callback came at"));
        let before = self.message.and_then(|m| m.view.sent_at).is_some_and(|sent| last < sent);
        match (silent, before) {
            (true, _) => (CheckState::NotDone, evidence),
            (false, true) => {
                (CheckState::Unknown, format!("{evidence}{}", say(self.lang, ", trước khi gửi tin này", ", before this message was sent")))
            }
            (false, false) => (CheckState::Done, evidence),
        }
    }

    fn receipts(&self) -> Found {
        let own = self.message.and_then(|m| m.view.delivered_at);
        if let Some(at) = self.snapshot.last_receipt_at.max(own) {
            return (CheckState::Done, format!("{} {at}", say(self.lang, "biên nhận gần nhất lúc", "the last receipt is of")));
        }
        let missing = self.snapshot.reason == Some(Reason::ReceiptsNotSubscribed) || self.cause() == Some(Cause::ReceiptsNotSubscribed);
        match missing {
            true => (CheckState::NotDone, self.say("có callback khác nhưng không có biên nhận", "other callbacks come, receipts do not")),
            false => self.unknown("chưa thấy biên nhận nào", "no receipt was seen"),
        }
    }

    fn none_of(&self, count: Option<u64>, vi: &'static str, en: &'static str) -> Found {
        match count {
            None => self.unknown("không có số liệu", "nothing was counted"),
            Some(0) => (CheckState::Done, format!("0 {}", say(self.lang, vi, en))),
            Some(n) => (CheckState::NotDone, format!("{n} {}", say(self.lang, vi, en))),
        }
    }

    fn answer(&self) -> Found {
        let Some(m) = self.message else { return self.unknown("không có tin ví dụ", "there is no example") };
        let Some(last) = m.part.answers.last() else {
            return match m.part.not_shown {
                0 => (CheckState::NotDone, self.say("không có câu trả lời nào được ghi nhận", "none is on record")),
                _ => self.unknown("bản ghi không còn hoặc không được trích", "records are deleted or not shown"),
            };
        };
        let took = last.duration_ms.map(|ms| format!(", {ms} ms")).unwrap_or_default();
        match last.status {
            Some(status) => (CheckState::Done, format!("HTTP {status}{took}")),
            None => {
                (CheckState::NotDone, format!("{}{took}", say(self.lang, "lệnh gửi không có câu trả lời", "the call was not answered")))
            }
        }
    }

    fn recipient(&self) -> Found {
        let Some(m) = self.message else { return self.unknown("không có tin ví dụ", "there is no example") };
        let Some(given) = m.view.recipient.as_deref() else {
            return self.unknown("không biết người nhận", "the recipient is not known");
        };
        let shown = m.part.recipient.as_deref().unwrap_or_default();
        let user_id = given.len() >= USER_ID_DIGITS_MIN && given.bytes().all(|b| b.is_ascii_digit());
        if phone::normalise(given).is_some() {
            (CheckState::Done, format!("{}: {shown}", say(self.lang, "số điện thoại", "a phone number")))
        } else if user_id {
            (CheckState::Done, format!("{}: {shown}", say(self.lang, "mã người dùng", "a user id")))
        } else {
            self.unknown("không phải số điện thoại Việt Nam hay mã người dùng", "neither a Vietnamese phone number nor a user id")
        }
    }

    fn template(&self) -> Option<Found> {
        let m = self.message?;
        let id = m.view.template_id.as_deref();
        let refused = self.class() == Some(Class::Template);
        if id.is_none() && !refused {
            return None;
        }
        // Of a template that was only met in a refusal nobody knows how it stands.
        let told = self.snapshot.template.as_ref().filter(|t| t.status != TemplateStatus::Unknown.as_str()).map(|t| {
            let reason = t.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
            format!("{}{reason}", words::template(t.status, self.lang))
        });
        let approved = self.snapshot.template.as_ref().is_some_and(|t| t.status == TemplateStatus::Approved.as_str());
        Some(match (refused, told) {
            (true, told) => {
                let refusal = self.say("tin bị từ chối vì mẫu", "the message was refused because of it");
                (CheckState::NotDone, told.map_or(refusal.clone(), |t| format!("{refusal} ({t})")))
            }
            (false, Some(told)) if approved => (CheckState::Done, told),
            (false, Some(told)) => (CheckState::NotDone, told),
            (false, None) => self.unknown("nhà cung cấp chưa báo gì về mẫu này", "the provider has told nothing of it"),
        })
    }

    fn quota(&self) -> Found {
        if self.class() == Some(Class::Quota) {
            return (CheckState::NotDone, self.say("tin bị từ chối vì hết hạn mức", "the message was refused for it"));
        }
        let Some(quota) = &self.snapshot.quota else {
            return self.unknown("chưa có câu trả lời nào cho biết", "no answer tells");
        };
        let of = quota.daily.as_deref().map(|n| format!(" / {n}")).unwrap_or_default();
        match quota.remaining.as_deref() {
            Some(left) => {
                let state = if left.trim_matches('0').is_empty() { CheckState::NotDone } else { CheckState::Done };
                (state, format!("{}: {left}{of}", say(self.lang, "còn lại", "left")))
            }
            None => self.unknown("câu trả lời không nói còn bao nhiêu", "the answer does not say how much is left"),
        }
    }

    fn code(&self) -> Option<Found> {
        let failure = self.message?.view.failure.as_ref()?;
        let told = Failure { subcode: failure.subcode.clone(), ..Failure::coded(failure.code.clone()?, None) };
        let kind = self.message?.view.kind.as_deref();
        let known = self.spec.is_some_and(|spec| catalogue().explain(spec, kind, &told).is_some());
        let state = if known { CheckState::Done } else { CheckState::NotDone };
        Some((state, failure.explanation.title.clone()))
    }

    fn alike(&self) -> Found {
        match self.alike.count {
            Some(_) => (CheckState::Done, alike(self.alike, self.lang)),
            None => self.unknown("không có mã lỗi hay nguyên nhân để so", "there is neither a code nor a cause to compare"),
        }
    }

    fn thread(&self) -> Found {
        let refused = self.class() == Some(Class::ThreadControl) || self.cause() == Some(Cause::ThreadControl);
        match &self.snapshot.thread {
            Some(t) if t.ours && !refused => (CheckState::Done, self.say("ứng dụng của chúng tôi", "our app")),
            Some(t) if t.ours => {
                let since = t.since.map(|at| format!(", {at}")).unwrap_or_default();
                (CheckState::Done, format!("{}{since}", self.say("lại là ứng dụng của chúng tôi", "our app again")))
            }
            Some(t) => {
                let owner = t.owner.clone().unwrap_or_else(|| self.say("chưa rõ ứng dụng nào", "which app is not known"));
                let since = t.since.map(|at| format!(", {at}")).unwrap_or_default();
                (CheckState::NotDone, format!("{owner}{since}"))
            }
            None if refused => {
                (CheckState::NotDone, self.say("nhà cung cấp báo ứng dụng khác đang giữ", "the provider says that another app holds it"))
            }
            None => self.unknown("không thấy sự kiện chuyển quyền nào", "no handover was seen"),
        }
    }
}

/// How many others fail alike, in words.
pub(super) fn alike(alike: &Alike, lang: Lang) -> String {
    let Some(count) = alike.count else { return say(lang, "không so được", "cannot be compared").to_owned() };
    let what = alike.what.as_deref().unwrap_or_default();
    let number = match (alike.more, lang) {
        (true, Lang::Vi) => format!("hơn {count}"),
        (true, Lang::En) => format!("more than {count}"),
        (false, _) => count.to_string(),
    };
    match (alike.hours, lang) {
        (Some(hours), Lang::Vi) => format!("{number} tin khác của tài khoản cùng lỗi {what} trong {hours} giờ qua"),
        (Some(hours), Lang::En) => format!("{number} other messages of the account had {what} in the last {hours} hours"),
        (None, Lang::Vi) => format!("{number} tin khác của tài khoản cùng nguyên nhân {what}"),
        (None, Lang::En) => format!("{number} other messages of the account share {what}"),
    }
}
