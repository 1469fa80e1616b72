//! A message as the outside sees it.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Reader;
use super::examples;
use super::schema::{self, EventKind, EventSource, FailureClass, MessageId, Moment, Origin, State, StuckCause};
use super::thread;
use crate::domain::event::{EntryKind, EntrySource};
use crate::domain::facts::Facts;
use crate::domain::failure::{Class, Failure, Lang, Retry, Texts};
use crate::domain::ids::Row;
use crate::domain::message::{Entry, Message, Timeline};
use crate::domain::metadata::Metadata;
use crate::domain::projection::{Source, ThreadKey};
use crate::domain::state::Derived;
use crate::domain::stuck::{Cause, Stuck, advice};
use crate::domain::thread::Thread;
use crate::domain::thread::control::Control;
use crate::domain::time::Millis;
use crate::providers::catalogue::catalogue;
use crate::providers::{Spec, find};
use crate::store::StoreError;
use crate::store::sqlite::query::{MessageFilter, Spot, StuckGroup};

/// One message.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = Message, example = json!(examples::message()))]
pub struct MessageView {
    /// Our own id.
    #[schema(value_type = MessageId)]
    pub id: String,
    /// Provider slug.
    #[schema(value_type = schema::Provider)]
    pub provider: String,
    /// Account slug.
    pub account: String,
    /// The sending OA, Page or number.
    pub sender: Option<String>,
    /// The provider's id.
    pub message_id: Option<String>,
    /// The sender's own id.
    #[serde(rename = "ref")]
    pub reference: Option<String>,
    /// Kind slug.
    pub kind: Option<String>,
    /// The recipient; phone numbers as `84…`.
    pub recipient: Option<String>,
    /// The template.
    pub template_id: Option<String>,
    /// `queued`, `sent`, `delivered`, `read` or `failed`.
    #[schema(value_type = State)]
    pub state: &'static str,
    /// `registered`, `echo` or `receipt`.
    #[schema(value_type = Origin)]
    pub origin: &'static str,
    /// When it was queued.
    #[schema(value_type = Option<Moment>)]
    pub queued_at: Option<Millis>,
    /// When it was sent.
    #[schema(value_type = Option<Moment>)]
    pub sent_at: Option<Millis>,
    /// When it was delivered; a read alone fills this too.
    #[schema(value_type = Option<Moment>)]
    pub delivered_at: Option<Millis>,
    /// When it was read.
    #[schema(value_type = Option<Moment>)]
    pub read_at: Option<Millis>,
    /// When it failed.
    #[schema(value_type = Option<Moment>)]
    pub failed_at: Option<Millis>,
    /// When it is to go out, as registered.
    #[schema(value_type = Option<Moment>)]
    pub scheduled_at: Option<Millis>,
    /// How the recipients fared.
    pub recipients: RecipientsView,
    /// Delivered to some recipients, failed for the others.
    pub partial: bool,
    /// Proof of delivery and a failure report, both seen.
    pub conflict: bool,
    /// A send call was made and nobody knows how it ended.
    pub outcome_unknown: bool,
    /// The failure, explained.
    pub failure: Option<FailureView>,
    /// Set while it has stayed too long in an open state.
    pub stuck: Option<StuckView>,
    /// The sender's own object, as given.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Metadata>,
    /// The timeline, oldest first; filled for a single message, empty in lists.
    pub events: Vec<EventView>,
}

/// How the recipients fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Recipients)]
pub struct RecipientsView {
    /// In all.
    pub total: u32,
    /// Delivered to.
    pub delivered: u32,
    /// Failed for.
    pub failed: u32,
}

/// A failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Failure, example = json!(examples::failure()))]
pub struct FailureView {
    /// Whose business it is.
    #[schema(value_type = FailureClass)]
    pub class: &'static str,
    /// The provider's code, or one of ours.
    pub code: Option<String>,
    /// The provider's sub-code.
    pub subcode: Option<String>,
    /// The provider's own words.
    pub text: Option<String>,
    /// What it means and what to do.
    pub explanation: Explanation,
}

/// What a failure means and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Explanation {
    /// What it is.
    pub title: String,
    /// Why it happened.
    pub cause: String,
    /// What to do, and who does it.
    pub remedy: String,
    /// Whether and when sending again makes sense.
    #[schema(value_type = schema::Retry)]
    pub retry: &'static str,
}

/// Why a message is stuck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Stuck)]
pub struct StuckView {
    /// Since when it is in its state.
    #[schema(value_type = Moment)]
    pub since: Millis,
    /// When it should have moved at the latest.
    #[schema(value_type = Moment)]
    pub deadline: Millis,
    /// Why, as far as known.
    #[schema(value_type = StuckCause)]
    pub cause: &'static str,
    /// What to do.
    pub advice: String,
}

/// One line of the timeline.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = MessageEvent)]
pub struct EventView {
    /// When it happened: the provider's time, else our time of arrival.
    #[schema(value_type = Moment)]
    pub at: Millis,
    /// When it first reached us.
    #[schema(value_type = Moment)]
    pub observed_at: Millis,
    /// What happened.
    #[schema(value_type = EventKind)]
    pub kind: &'static str,
    /// Who told: `webhook`, `api`, `operator` or `watermark`.
    #[schema(value_type = EventSource)]
    pub source: &'static str,
    /// Details.
    #[schema(value_type = Object)]
    pub detail: Map<String, Value>,
}

/// One page of messages.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!(examples::message_page()))]
pub struct MessagePage {
    /// The messages, newest first.
    pub data: Vec<MessageView>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

/// Stuck messages that share account, kind, state and cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = StuckGroup, example = json!(examples::stuck_group()))]
pub struct StuckGroupView {
    /// Account slug.
    pub account: String,
    /// Kind slug.
    pub kind: Option<String>,
    /// State.
    #[schema(value_type = State)]
    pub state: &'static str,
    /// Cause.
    #[schema(value_type = StuckCause)]
    pub cause: &'static str,
    /// How many.
    pub count: u64,
    /// Since when the oldest is in its state.
    #[schema(value_type = Moment)]
    pub oldest_since: Millis,
    /// What to do.
    pub advice: String,
}

/// What is stuck: groups, and one page of messages.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!(examples::stuck_page()))]
pub struct StuckPage {
    /// How many messages are stuck.
    pub total: u64,
    /// The groups, largest first.
    pub groups: Vec<StuckGroupView>,
    /// The messages, newest first.
    pub data: Vec<MessageView>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

/// The row of the message that is shown instead of a merged or lent one.
///
/// # Errors
/// When the store cannot be read.
pub fn shown_message(state: &impl Source<Error = StoreError>, row: Row) -> Result<Option<Message>, StoreError> {
    let mut message = state.message(row)?;
    while let Some(m) = &message {
        let Some(instead) = m.merged_into.or(m.lent_to) else { break };
        message = state.message(instead)?;
    }
    Ok(message)
}

impl Reader<'_> {
    /// One message with its timeline.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn message(&self, row: Row) -> Result<Option<MessageView>, StoreError> {
        let mut shown = self.state.snapshot(|state| match shown_message(state, row)? {
            Some(message) if message.facts.origin().is_some() => self.view(&message, true).map(Some),
            _ => Ok(None),
        })?;
        if let Some(view) = &mut shown {
            let more = self.circumstances(view)?;
            if let Some(stuck) = &mut view.stuck {
                more.iter().for_each(|sentence| stuck.advice = format!("{} {sentence}", stuck.advice));
            }
        }
        Ok(shown)
    }

    /// One message as it stands in a list.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn listed_message(&self, row: Row) -> Result<Option<MessageView>, StoreError> {
        self.state.snapshot(|state| match shown_message(state, row)? {
            Some(message) if message.facts.origin().is_some() => self.view(&message, false).map(Some),
            _ => Ok(None),
        })
    }

    /// One page of messages.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn messages(
        &self,
        filter: &MessageFilter,
        after: Option<Spot>,
        limit: usize,
    ) -> Result<(Vec<MessageView>, Option<Spot>), StoreError> {
        self.state.snapshot(|state| {
            let page = state.page(filter, after, limit)?;
            let mut views = Vec::with_capacity(page.items.len());
            for row in page.items {
                if let Some(message) = state.message(row)? {
                    views.push(self.view(&message, false)?);
                }
            }
            Ok((views, page.next))
        })
    }

    /// The groups of stuck messages.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn stuck_groups(&self) -> Result<Vec<StuckGroupView>, StoreError> {
        let view = |g: StuckGroup| StuckGroupView {
            account: g.account.to_string(),
            kind: g.kind,
            state: g.state.as_str(),
            cause: g.cause.as_str(),
            count: g.count,
            oldest_since: g.oldest_since,
            advice: advice(g.cause, self.lang).to_owned(),
        };
        Ok(self.state.stuck_groups()?.into_iter().map(view).collect())
    }

    pub(super) fn view(&self, message: &Message, with_events: bool) -> Result<MessageView, StoreError> {
        let lender = match message.borrows {
            Some(row) => self.state.message(row)?,
            None => None,
        };
        let joined = lender.as_ref().map(|l| {
            let mut facts = message.facts.clone();
            facts.join(&l.facts);
            facts
        });
        let facts = joined.as_ref().unwrap_or(&message.facts);
        let provider = self.state.accounts.no(&message.account).map_or("", |(_, p)| p);
        let spec = find(provider);
        let thread = self.thread(message, facts, spec)?;
        let derived = facts.derive(thread.as_ref());
        let likely = if derived.failure.is_some() { self.likely_thread(&message.account, facts, spec)? } else { None };
        let id = message.public_id().to_string();
        let events = if with_events {
            let mut timeline = message.timeline.clone();
            if let Some(lender) = &lender {
                timeline.join(&lender.timeline);
            }
            events(timeline, facts, thread.as_ref())
        } else {
            Vec::new()
        };
        Ok(MessageView {
            stuck: message.stuck.map(|s| self.stuck(s, &id, spec, thread.as_ref())),
            id,
            provider: provider.to_owned(),
            account: message.account.to_string(),
            sender: facts.shown_sender().map(str::to_owned),
            message_id: facts.message_id().map(str::to_owned),
            reference: facts.shown_reference().map(str::to_owned),
            kind: facts.kind.value().map(str::to_owned),
            recipient: facts.shown_recipient().map(str::to_owned),
            template_id: facts.template_id.value().map(str::to_owned),
            state: derived.state.as_str(),
            origin: facts.origin().map_or("receipt", |o| o.as_str()),
            queued_at: derived.queued_at,
            sent_at: derived.sent_at,
            delivered_at: derived.delivered_at,
            read_at: derived.read_at,
            failed_at: derived.failed_at,
            scheduled_at: facts.scheduled_at,
            recipients: RecipientsView {
                total: derived.recipients.total,
                delivered: derived.recipients.delivered,
                failed: derived.recipients.failed,
            },
            partial: derived.partial,
            conflict: derived.conflict,
            outcome_unknown: derived.outcome_unknown,
            failure: self.failure(&derived, facts, spec, thread.as_ref().or(likely.as_ref())),
            metadata: facts.metadata.as_deref().and_then(Metadata::parse),
            events,
        })
    }

    fn thread(&self, message: &Message, facts: &Facts, spec: Option<&Spec>) -> Result<Option<Thread>, StoreError> {
        let (true, Some(sender), Some(recipient)) = (spec.is_some_and(|s| s.has_threads), facts.shown_sender(), facts.shown_recipient())
        else {
            return Ok(None);
        };
        let key = ThreadKey { account: message.account.clone(), sender: sender.to_owned(), recipient: recipient.to_owned() };
        Ok(self.state.thread(&key)?.map(|(_, thread)| thread))
    }

    fn failure(&self, derived: &Derived, facts: &Facts, spec: Option<&Spec>, thread: Option<&Thread>) -> Option<FailureView> {
        let failure = derived.failure.as_ref()?;
        let kind = facts.kind.value();
        let (class, retry) = spec.map_or((Class::Unknown, Retry::Later), |s| catalogue().classify(s, kind, failure));
        let texts = match spec.and_then(|s| catalogue().explain(s, kind, failure)) {
            Some(found) => found.entry.texts(self.lang).clone(),
            None => unlisted(failure, class, self.lang),
        };
        let remedy = match (spec, thread) {
            (Some(spec), Some(thread)) => self.remedy(spec, &thread.control, class, failure, texts.remedy),
            _ => texts.remedy,
        };
        Some(FailureView {
            class: class.as_str(),
            code: failure.code.clone(),
            subcode: failure.subcode.clone(),
            text: failure.text.clone(),
            explanation: Explanation { title: texts.title, cause: texts.cause, remedy, retry: retry.as_str() },
        })
    }

    /// The catalogue's remedy, or what the conversation itself tells of the way out.
    fn remedy(&self, spec: &Spec, control: &Control, class: Class, failure: &Failure, usual: String) -> String {
        if class == Class::ThreadControl {
            return thread::remedy(spec, control, self.now, self.lang).unwrap_or(usual);
        }
        let disguised = spec.conversations.is_disguise(failure.code.as_deref(), failure.subcode.as_deref());
        match thread::first_regain(spec, control, self.now, self.lang).filter(|_| disguised) {
            Some(first) => format!("{first}\n{usual}"),
            None => usual,
        }
    }

    fn stuck(&self, stuck: Stuck, id: &str, spec: Option<&Spec>, thread: Option<&Thread>) -> StuckView {
        let held = spec.zip(thread).filter(|_| stuck.cause == Cause::ThreadControl);
        let known = held.and_then(|(spec, thread)| thread::remedy(spec, &thread.control, self.now, self.lang));
        StuckView {
            since: stuck.since,
            deadline: stuck.deadline,
            cause: stuck.cause.as_str(),
            advice: known.unwrap_or_else(|| advice(stuck.cause, self.lang).replace("{id}", id)),
        }
    }
}

/// The timeline, with what the conversation's watermarks tell.
fn events(mut timeline: Timeline, facts: &Facts, thread: Option<&Thread>) -> Vec<EventView> {
    let (delivered, read) = facts.reached_by(thread);
    for (at, kind) in [(delivered, EntryKind::Delivered), (read, EntryKind::Read)] {
        let Some(at) = at else { continue };
        // A receipt that names the message brings its own watermark: one line is enough.
        let told = timeline.sorted().iter().any(|e| e.kind == kind && e.at.is_some_and(|t| t <= at));
        if !told {
            let detail = "{}".to_owned();
            timeline.add(Entry { at: Some(at), kind, source: EntrySource::Watermark, detail, observed_at: at, seq: 0 });
        }
    }
    let view = |e: &Entry| EventView {
        at: e.at.unwrap_or(e.observed_at),
        observed_at: e.observed_at,
        kind: e.kind.as_str(),
        source: e.source.as_str(),
        detail: serde_json::from_str(&e.detail).unwrap_or_default(),
    };
    timeline.sorted().into_iter().map(view).collect()
}

/// What can be said of a failure that the catalogue does not list.
fn unlisted(failure: &Failure, class: Class, lang: Lang) -> Texts {
    let code = failure.code.as_deref().unwrap_or("–");
    let (title, cause, remedy) = match (class, lang) {
        (Class::Authorization, Lang::En) => (
            "Access refused",
            "The send call was refused because its token or key is not accepted.",
            "Check the token of this account, have its administrator connect it again, then send again.",
        ),
        (Class::Authorization, Lang::Vi) => (
            "Bị từ chối xác thực",
            "Lệnh gửi bị từ chối vì mã truy cập hoặc khóa không được chấp nhận.",
            "Kiểm tra mã truy cập của tài khoản này, nhờ quản trị viên kết nối lại rồi gửi lại tin.",
        ),
        (Class::Permission, Lang::En) => (
            "Not permitted",
            "The provider refused the send call because a right or approval is missing.",
            "Compare the permissions of the app and the account with what this kind of message needs, then send again.",
        ),
        (Class::Permission, Lang::Vi) => (
            "Không có quyền",
            "Nhà cung cấp từ chối lệnh gửi vì thiếu quyền hoặc chưa được duyệt.",
            "Đối chiếu quyền của ứng dụng và tài khoản với yêu cầu của loại tin này, bổ sung rồi gửi lại.",
        ),
        (Class::RateLimit, Lang::En) => (
            "Too many calls",
            "The provider limits how many calls it takes in a given time.",
            "Slow down, wait a few minutes, then send again with back-off.",
        ),
        (Class::RateLimit, Lang::Vi) => (
            "Gọi quá nhiều lần",
            "Nhà cung cấp giới hạn số lần gọi trong một khoảng thời gian.",
            "Giảm tốc độ gửi, chờ vài phút rồi gửi lại theo nhịp giãn dần.",
        ),
        (Class::Provider, Lang::En) => (
            "Fault at the provider",
            "The provider answered that it could not handle the call just now.",
            "Try again later with growing pauses; if it lasts, ask the provider's support with the answer and the time.",
        ),
        (Class::Provider, Lang::Vi) => (
            "Lỗi phía nhà cung cấp",
            "Nhà cung cấp báo hiện chưa xử lý được lệnh gọi.",
            "Thử lại sau với khoảng nghỉ tăng dần; nếu kéo dài, liên hệ bộ phận hỗ trợ kèm câu trả lời và thời điểm lỗi.",
        ),
        (_, Lang::En) => (
            "Unknown code",
            "The provider reported a code that the catalogue does not list; its own words are kept in `text`.",
            "Read the provider's text, look the code up in the provider's documentation, and ask its support with the message id. Tell the maintainers of baophat, so that it is listed.",
        ),
        (_, Lang::Vi) => (
            "Mã lỗi chưa có trong danh mục",
            "Nhà cung cấp trả về một mã chưa có trong danh mục; nguyên văn được giữ ở trường `text`.",
            "Đọc nguyên văn của nhà cung cấp, tra mã trong tài liệu của họ và hỏi bộ phận hỗ trợ kèm mã tin nhắn. Hãy báo cho nhóm phát triển baophat để bổ sung.",
        ),
    };
    let title = if failure.code.is_some() { format!("{title} ({code})") } else { title.to_owned() };
    Texts { title, cause: cause.to_owned(), remedy: remedy.to_owned() }
}
