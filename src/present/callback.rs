//! A stored callback as the outside sees it.

use base64::Engine;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::Reader;
use super::examples;
use super::schema::{CallbackMethod, CallbackSeq, CallbackStatus, Moment, Provider};
use crate::domain::ids::Seq;
use crate::domain::record::{Content, Method};
use crate::domain::time::Millis;
use crate::store::StoreError;
use crate::store::sqlite::query::{CallbackFilter, CallbackLine, Spot};

/// One stored callback.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Callback, example = json!(examples::callback()))]
pub struct CallbackView {
    /// Its record.
    #[schema(value_type = CallbackSeq)]
    pub seq: Seq,
    /// Account slug.
    pub account: String,
    /// Provider slug.
    #[schema(value_type = Provider)]
    pub provider: String,
    /// When it arrived.
    #[schema(value_type = Moment)]
    pub received_at: Millis,
    /// `received`, `processed`, `error` or `ignored`.
    #[schema(value_type = CallbackStatus)]
    pub status: &'static str,
    /// Why error or ignored.
    pub error: Option<String>,
    /// The address it came from.
    pub source: String,
    /// Bytes of the body, or of the query where there is no body.
    pub size: u64,
    /// How often the same came again.
    pub repeats: u64,
}

/// One stored callback with its raw bytes.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(example = json!(examples::callback_detail()))]
pub struct CallbackDetail {
    /// The line of the list.
    #[serde(flatten)]
    pub callback: CallbackView,
    /// `GET` or `POST`.
    #[schema(value_type = CallbackMethod)]
    pub method: &'static str,
    /// The raw query.
    pub query: String,
    /// The content type, as received.
    pub content_type: Option<String>,
    /// The kept headers.
    #[schema(value_type = Object)]
    pub headers: Map<String, Value>,
    /// The body as text; null when it is not UTF-8.
    pub body: Option<String>,
    /// The raw bytes of the body, in base64.
    #[schema(content_encoding = "base64")]
    pub body_base64: String,
}

/// One page of callbacks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!(examples::callback_page()))]
pub struct CallbackPage {
    /// The callbacks, newest first.
    pub data: Vec<CallbackView>,
    /// Where the next page starts; null at the end.
    pub next_cursor: Option<String>,
}

fn view(line: CallbackLine) -> CallbackView {
    CallbackView {
        seq: line.seq,
        account: line.account.to_string(),
        provider: line.provider,
        received_at: line.received_at,
        status: line.status.as_str(),
        error: line.reason,
        source: line.source,
        size: line.size,
        repeats: line.repeats,
    }
}

impl Reader<'_> {
    /// One page of callbacks.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn callbacks(
        &self,
        filter: &CallbackFilter,
        after: Option<Spot>,
        limit: usize,
    ) -> Result<(Vec<CallbackView>, Option<Spot>), StoreError> {
        let page = self.inbox.callbacks(self.state, filter, after, limit)?;
        Ok((page.items.into_iter().map(view).collect(), page.next))
    }

    /// One callback with its raw bytes.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn callback(&self, seq: Seq) -> Result<Option<CallbackDetail>, StoreError> {
        let (Some(line), Some(record)) = (self.inbox.callback_line(self.state, seq)?, self.inbox.get(seq)?) else {
            return Ok(None);
        };
        let Content::Callback(callback) = record.content else { return Ok(None) };
        Ok(Some(CallbackDetail {
            callback: view(line),
            method: match callback.method {
                Method::Get => "GET",
                Method::Post => "POST",
            },
            query: callback.query,
            content_type: callback.content_type,
            headers: callback.headers.into_iter().map(|(n, v)| (n, v.into())).collect(),
            body_base64: base64::engine::general_purpose::STANDARD.encode(&callback.body),
            body: String::from_utf8(callback.body).ok(),
        }))
    }
}
