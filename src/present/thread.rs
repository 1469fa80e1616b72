//! A conversation as the outside sees it: who holds it, until when the customer may be answered, and the way back.

use serde::Serialize;
use utoipa::ToSchema;

use super::schema::{self, Moment};
use super::{Reader, examples};
use crate::domain::facts::Facts;
use crate::domain::failure::Lang;
use crate::domain::ids::AccountId;
use crate::domain::projection::{Source, ThreadKey};
use crate::domain::thread::Thread;
use crate::domain::thread::control::{Control, Holder, Sign};
use crate::domain::time::Millis;
use crate::providers::{Conversations, Spec, find};
use crate::store::StoreError;

/// The words for who holds a conversation.
pub(super) const WHO: [&str; 4] = ["ours", "other", "idle", "unknown"];

/// One conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Thread, example = json!(examples::thread()))]
pub struct ThreadView {
    /// Account slug.
    #[schema(value_type = schema::Account)]
    pub account: String,
    /// The OA or Page.
    pub sender: String,
    /// The customer.
    pub recipient: String,
    /// Who holds it.
    pub holder: HolderView,
    /// The customer's last act that opens the window.
    #[schema(value_type = Option<Moment>)]
    pub last_customer_message_at: Option<Millis>,
    /// Until when the customer may be answered; null where the customer did nothing that we know of.
    pub window: Option<WindowView>,
    /// When something of it last came to us as bystanders.
    #[schema(value_type = Option<Moment>)]
    pub last_standby_at: Option<Millis>,
    /// The last handover that was told.
    pub last_handover: Option<HandoverView>,
    /// The last send that was refused because another app holds it.
    pub last_refusal: Option<ThreadRefusalView>,
    /// The way back, step by step; empty where there is nothing to win back.
    pub advice: Vec<String>,
}

/// Who holds a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Holder)]
pub struct HolderView {
    /// `ours`, `other`, `idle` or `unknown`.
    #[schema(value_type = schema::ThreadHolder)]
    pub who: &'static str,
    /// The other app, where one was named.
    pub app_id: Option<String>,
    /// Its name, where it is known: a hint.
    pub name: Option<&'static str>,
    /// Since when, at the latest.
    #[schema(value_type = Option<Moment>)]
    pub since: Option<Millis>,
    /// What shows it; the strongest of what was seen.
    #[schema(value_type = Option<schema::ThreadSign>)]
    pub evidence: Option<&'static str>,
}

/// The window for answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ThreadWindow)]
pub struct WindowView {
    /// Its end.
    #[schema(value_type = Moment)]
    pub until: Millis,
    /// It is open.
    pub open: bool,
    /// Until when an answer costs nothing, where the provider distinguishes that.
    #[schema(value_type = Option<Moment>)]
    pub free_until: Option<Millis>,
}

/// A handover.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ThreadHandover)]
pub struct HandoverView {
    /// When.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// The provider's own name of it.
    pub kind: String,
    /// The app that got it.
    pub app_id: Option<String>,
    /// That app is ours; null where nobody was named.
    pub ours: Option<bool>,
}

/// A send that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ThreadRefusal)]
pub struct ThreadRefusalView {
    /// When.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// The provider's code, with its sub-code behind a slash.
    pub code: Option<String>,
}

impl Reader<'_> {
    /// A customer's conversation with an account: that of a sender, else the one that was heard of last.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn conversation(&self, account: &AccountId, sender: Option<&str>, recipient: &str) -> Result<Option<ThreadView>, StoreError> {
        let Some((_, provider)) = self.state.accounts.no(account) else { return Ok(None) };
        let Some(spec) = find(provider) else { return Ok(None) };
        let recipient = (spec.fold_recipient)(recipient);
        let found = match sender {
            Some(sender) => {
                let key = ThreadKey { account: account.clone(), sender: sender.to_owned(), recipient: recipient.clone() };
                self.state.thread(&key)?.map(|(_, thread)| (key.sender, thread))
            }
            None => self.heard_last(account, &recipient)?,
        };
        Ok(found.map(|(sender, thread)| self.conversation_view(spec, account, sender, recipient, &thread)))
    }

    /// The customer's conversation that was heard of last, with its sender.
    fn heard_last(&self, account: &AccountId, recipient: &str) -> Result<Option<(String, Thread)>, StoreError> {
        Ok(self.state.conversations(account, recipient)?.into_iter().max_by_key(|(_, thread)| thread.last_heard()))
    }

    /// The conversation that a message which failed most likely belongs to, where nobody told its sender.
    pub(super) fn likely_thread(&self, account: &AccountId, facts: &Facts, spec: Option<&Spec>) -> Result<Option<Thread>, StoreError> {
        match (facts.shown_sender(), facts.shown_recipient()) {
            (None, Some(recipient)) if spec.is_some_and(|s| s.has_threads) => {
                Ok(self.heard_last(account, recipient)?.map(|(_, thread)| thread))
            }
            _ => Ok(None),
        }
    }

    fn conversation_view(&self, spec: &Spec, account: &AccountId, sender: String, recipient: String, thread: &Thread) -> ThreadView {
        let control = &thread.control;
        let holder = holder(spec, control, self.now);
        let rules = &spec.conversations;
        let window = rules.window.and_then(|span| control.window(self.now, span)).map(|w| WindowView {
            until: w.until,
            open: w.open,
            free_until: rules.free.and_then(|span| control.window(self.now, span)).map(|w| w.until),
        });
        ThreadView {
            account: account.to_string(),
            sender,
            recipient,
            advice: if holder.who == "other" { way_back(rules, self.lang) } else { Vec::new() },
            holder,
            last_customer_message_at: control.wrote_at,
            window,
            last_standby_at: control.standby,
            last_handover: control.handover.as_ref().map(|h| HandoverView {
                at: h.at,
                kind: h.kind.clone(),
                app_id: h.owner.clone(),
                ours: h.ours,
            }),
            last_refusal: control.refusal.as_ref().map(|r| ThreadRefusalView { at: r.at, code: r.code.clone() }),
        }
    }
}

/// Who holds a conversation; where no app can take one from another, nobody does.
pub(super) fn holder(spec: &Spec, control: &Control, now: Millis) -> HolderView {
    let held = if spec.has_threads { control.holder(now) } else { Holder::Unknown };
    let view = |who, since| HolderView { who, app_id: None, name: None, since, evidence: None };
    match held {
        Holder::Ours { since, sign } => HolderView { evidence: Some(sign.as_str()), ..view("ours", Some(since)) },
        Holder::Other { app_id, since, sign } => HolderView {
            name: app_id.as_deref().and_then(|id| spec.conversations.app_name(id)),
            app_id,
            evidence: Some(sign.as_str()),
            ..view("other", Some(since))
        },
        Holder::Idle { since } => view("idle", Some(since)),
        Holder::Unknown => view("unknown", None),
    }
}

fn way_back(rules: &Conversations, lang: Lang) -> Vec<String> {
    let text = |(vi, en): &(&str, &str)| (if lang == Lang::Vi { *vi } else { *en }).to_owned();
    rules.way_back.iter().map(text).collect()
}

/// The way back in one text: numbered, one step a line.
fn numbered(rules: &Conversations, lang: Lang) -> String {
    let steps = way_back(rules, lang).into_iter().enumerate();
    steps.map(|(i, step)| format!("\n{}. {step}", i + 1)).collect()
}

/// What to do about a message that waits for its conversation, or was refused for it; `None` where nothing is known of the holder.
pub(super) fn remedy(spec: &Spec, control: &Control, now: Millis, lang: Lang) -> Option<String> {
    let h = holder(spec, control, now);
    let since = h.since?;
    Some(match (h.who, lang) {
        ("other", _) => format!("{}{}", held_by(&h, since, lang), numbered(&spec.conversations, lang)),
        ("ours", Lang::Vi) => {
            format!("Cuộc trò chuyện đã về lại ứng dụng của bạn từ {since}. Hãy xem tin này đã đến khách chưa rồi gửi lại nếu chưa.")
        }
        ("ours", Lang::En) => {
            format!(
                "The conversation is your app's again since {since}. See whether the customer has the message, and send it again if not."
            )
        }
        (_, Lang::Vi) => format!(
            "Từ {since} không còn ai giữ cuộc trò chuyện này (24 giờ không có hoạt động). Chỉ ứng dụng mặc định của Trang gửi được, và chỉ khi còn trong khung trả lời.{}",
            numbered(&spec.conversations, lang)
        ),
        (_, Lang::En) => format!(
            "Nobody holds this conversation since {since} (24 hours without activity). Only the Page's default app can send, and only within the window.{}",
            numbered(&spec.conversations, lang)
        ),
    })
}

/// What goes before the remedy of a failure that is often the second face of a lost conversation; `None` where nothing points to one.
pub(super) fn first_regain(spec: &Spec, control: &Control, now: Millis, lang: Lang) -> Option<String> {
    let h = holder(spec, control, now);
    let lately = [control.refusal.as_ref().map(|r| r.at), control.standby].into_iter().flatten().max();
    let seen = lately.filter(|_| control.lost_lately(now));
    let (lead, steps) = (h.since.filter(|_| h.who == "other"), numbered(&spec.conversations, lang));
    match (lead, seen, lang) {
        (Some(since), _, Lang::Vi) => Some(format!("Trước hết hãy lấy lại quyền trò chuyện. {}{steps}", held_by(&h, since, lang))),
        (Some(since), _, Lang::En) => Some(format!("First regain control of the conversation. {}{steps}", held_by(&h, since, lang))),
        (None, Some(at), Lang::Vi) => {
            Some(format!("Trước hết hãy lấy lại quyền trò chuyện: lúc {at} một ứng dụng khác còn giữ cuộc trò chuyện này.{steps}"))
        }
        (None, Some(at), Lang::En) => Some(format!("First regain control of the conversation: at {at} another app still held it.{steps}")),
        (None, None, _) => None,
    }
}

/// Who holds the conversation since when, in a sentence.
fn held_by(h: &HolderView, since: Millis, lang: Lang) -> String {
    let who = match (h.name, h.app_id.as_deref(), lang) {
        (Some(name), Some(id), Lang::Vi) => format!("{name} (ứng dụng {id})"),
        (Some(name), Some(id), Lang::En) => format!("{name} (app {id})"),
        (None, Some(id), Lang::Vi) => format!("Ứng dụng {id}"),
        (None, Some(id), Lang::En) => format!("App {id}"),
        (_, None, Lang::Vi) => "Một ứng dụng khác hoặc Hộp thư của Trang (chưa rõ là bên nào)".to_owned(),
        (_, None, Lang::En) => "Another app or the Page inbox (which one is not known)".to_owned(),
    };
    let shown = h.evidence.and_then(Sign::parse).map_or("", |sign| shown_by(sign, lang));
    match lang {
        Lang::Vi => format!("{who} đang giữ cuộc trò chuyện này, muộn nhất từ {since}; dấu hiệu: {shown}."),
        Lang::En => format!("{who} holds this conversation, since {since} at the latest; shown by {shown}."),
    }
}

fn shown_by(sign: Sign, lang: Lang) -> &'static str {
    let (vi, en) = match sign {
        Sign::Refusal => ("lệnh gửi bị từ chối", "a refused send"),
        Sign::Standby => ("sự kiện standby", "standby events"),
        Sign::Handover => ("sự kiện chuyển quyền", "a handover"),
        Sign::Customer => ("thao tác của khách đến thẳng ứng dụng", "an act of the customer that came directly"),
        Sign::Accepted => ("lệnh gửi được chấp nhận", "an accepted send"),
        Sign::Echo => ("tin do ứng dụng gửi được báo lại", "an echo of an own send"),
    };
    if lang == Lang::Vi { vi } else { en }
}
