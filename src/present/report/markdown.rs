//! A report as Markdown: headings, tables, and what providers said in blocks of code. Nothing that a provider or a sender wrote can become
//! markup. It adds nothing to the report.

use std::fmt::Write;

use serde_json::{Map, Value};

use super::checks::{CheckState, alike};
use super::{AnswerPart, CallbackPart, MessagePart, Report, Subject, ThreadSnapshot, say, words};
use crate::domain::failure::{Lang, Retry};
use crate::domain::time::Millis;

/// The report as a page.
pub(super) fn write(report: &Report) -> String {
    let mut page = Page { out: String::new(), lang: report.lang };
    page.head(report);
    for (n, message) in report.messages.iter().enumerate() {
        page.message(message, n + 1, report.messages.len());
    }
    page.account(report);
    page.rest(report);
    page.out
}

struct Page {
    out: String,
    lang: Lang,
}

/// Text that cannot become markup, on one line.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '~' | '[' | ']' | '<' | '>' | '|' | '&' | '#' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A word as code, for a table too.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() || c == '`' { ' ' } else { c }).collect();
    format!("`{}`", text.replace('|', "\\|"))
}

/// A text of our own, whose code stays code.
fn ours(text: &str) -> String {
    text.replace('*', "\\*")
}

fn known(text: Option<&str>) -> Option<String> {
    text.map(code)
}

fn time(at: Option<Millis>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn details(detail: &Map<String, Value>) -> String {
    if detail.is_empty() {
        return String::new();
    }
    let one = |(name, value): (&String, &Value)| match value {
        Value::String(text) => format!("{name}={text}"),
        other => format!("{name}={other}"),
    };
    code(&detail.iter().map(one).collect::<Vec<_>>().join(" "))
}

impl Page {
    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn heading(&mut self, level: usize, vi: &'static str, en: &'static str) {
        let text = say(self.lang, vi, en);
        let _ = write!(self.out, "\n{} {text}\n\n", "#".repeat(level));
    }

    /// Names and values below each other; rows without a value are left out.
    fn rows(&mut self, rows: &[(&'static str, &'static str, Option<String>)]) {
        self.line("| | |");
        self.line("|---|---|");
        for (vi, en, value) in rows {
            if let Some(value) = value {
                let name = say(self.lang, vi, en);
                let _ = writeln!(self.out, "| {name} | {value} |");
            }
        }
    }

    fn table(&mut self, header: &[&str], rows: impl Iterator<Item = Vec<String>>) {
        let _ = writeln!(self.out, "| {} |", header.join(" | "));
        let _ = writeln!(self.out, "|{}", "---|".repeat(header.len()));
        for row in rows {
            let _ = writeln!(self.out, "| {} |", row.join(" | "));
        }
    }

    /// A block of code whose fence is longer than any within.
    fn block(&mut self, text: &str) {
        let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
        let fence = "`".repeat(longest.max(2) + 1);
        let text: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
        let _ = writeln!(self.out, "{fence}\n{text}\n{fence}");
    }

    fn head(&mut self, r: &Report) {
        let subject = match r.subject {
            Subject::Message => say(self.lang, "tin nhắn", "message"),
            Subject::Incident => say(self.lang, "sự cố", "incident"),
        };
        let title = match r.incident.is_some() {
            true => say(self.lang, "Báo cáo sự cố", "Incident report"),
            false => say(self.lang, "Báo cáo tin nhắn gửi bộ phận hỗ trợ", "Message report for the provider's support"),
        };
        let _ = writeln!(self.out, "# {title}\n\n{}\n", plain(&r.summary));
        self.rows(&[
            ("Nhà cung cấp", "Provider", Some(plain(&r.provider_title))),
            ("Tài khoản", "Account", Some(code(&r.account))),
            ("Mã báo cáo", "Report on", Some(format!("{} {}", subject, code(&r.id)))),
            ("Lập lúc", "Made at", Some(r.made_at.to_string())),
        ]);
        if let Some(i) = &r.incident {
            self.heading(2, "Sự cố", "The incident");
            let ongoing = say(self.lang, "đang diễn ra", "goes on").to_owned();
            self.rows(&[
                ("Là gì", "What", Some(plain(&i.title))),
                ("Mã hoặc nguyên nhân chung", "Common code or cause", Some(code(&i.cause))),
                ("Bắt đầu", "Opened", Some(i.opened_at.to_string())),
                ("Kết thúc", "Closed", Some(time(i.closed_at).unwrap_or(ongoing))),
                ("Số tin", "Messages", Some(i.size.to_string())),
                ("Số người nhận", "Recipients", Some(i.recipients.to_string())),
                ("Cách xử lý", "Remedy", Some(plain(&i.remedy))),
            ]);
        }
    }

    fn message(&mut self, m: &MessagePart, n: usize, of: usize) {
        if of > 1 {
            let word = say(self.lang, "Tin ví dụ", "Example");
            let _ = writeln!(self.out, "\n## {word} {n}/{of}");
        }
        self.heading(2, "Tin nhắn", "The message");
        let r = &m.recipients;
        self.rows(&[
            ("Mã tin của nhà cung cấp", "The provider's message id", known(m.message_id.as_deref())),
            ("Mã của hệ thống gửi (ref)", "The sender's ref", known(m.reference.as_deref())),
            ("Mã baophat", "baophat id", Some(code(&m.id))),
            ("Bên gửi", "Sender", known(m.sender.as_deref())),
            ("Người nhận", "Recipient", known(m.recipient.as_deref())),
            ("Loại tin", "Kind", known(m.kind.as_deref())),
            ("Mẫu tin", "Template", known(m.template_id.as_deref())),
            ("Trạng thái", "State", Some(self.state(m.state))),
            ("Hẹn gửi", "Scheduled", time(m.scheduled_at)),
            ("Xếp hàng", "Queued", time(m.queued_at)),
            ("Đã gửi", "Sent", time(m.sent_at)),
            ("Đã nhận", "Delivered", time(m.delivered_at)),
            ("Đã xem", "Read", time(m.read_at)),
            ("Thất bại", "Failed", time(m.failed_at)),
            (
                "Người nhận: tổng, đã nhận, thất bại",
                "Recipients: all, delivered, failed",
                (r.total != 1).then(|| format!("{}, {}, {}", r.total, r.delivered, r.failed)),
            ),
            (
                "Lưu ý",
                "Note",
                m.conflict.then(|| {
                    say(self.lang, "vừa có bằng chứng đã nhận vừa có báo thất bại", "proof of delivery and a failure report, both seen")
                        .to_owned()
                }),
            ),
            ("Lệnh gửi", "Send call", m.outcome_unknown.then(|| say(self.lang, "không rõ kết quả", "its outcome is not known").to_owned())),
        ]);
        self.why(m);
        self.timeline(m);
        self.answers(&m.answers);
        self.callbacks(&m.callbacks, m.not_shown);
    }

    fn why(&mut self, m: &MessagePart) {
        if let Some(f) = &m.failure {
            self.heading(3, "Vì sao thất bại", "Why it failed");
            let code_text = match (&f.code, &f.subcode) {
                (Some(code), Some(sub)) => Some(format!("{code}.{sub}")),
                (code, _) => code.clone(),
            };
            let e = &f.explanation;
            self.rows(&[
                ("Mã lỗi", "Code", known(code_text.as_deref())),
                ("Nhóm lỗi", "Class", Some(f.class.to_owned())),
                ("Nguyên văn", "In the provider's words", f.text.as_deref().map(plain)),
                ("Là gì", "What it is", Some(plain(&e.title))),
                ("Nguyên nhân", "Cause", Some(plain(&e.cause))),
                ("Cách xử lý", "Remedy", Some(plain(&e.remedy))),
                ("Gửi lại", "Send again", Some(self.retry(e.retry))),
            ]);
        }
        if let Some(s) = &m.stuck {
            self.heading(3, "Vì sao bị kẹt", "Why it is stuck");
            self.rows(&[
                ("Nguyên nhân", "Cause", Some(code(s.cause))),
                ("Từ lúc", "Since", Some(s.since.to_string())),
                ("Lẽ ra đã đổi trạng thái trước", "Should have moved by", Some(s.deadline.to_string())),
                ("Cần làm", "Advice", Some(plain(&s.advice))),
            ]);
        }
    }

    /// The fixed name of a state, with a word for it where the language has another.
    fn state(&self, state: &str) -> String {
        let word = words::state_vi(state);
        if self.lang == Lang::Vi && !word.is_empty() { format!("**{word}** ({state})") } else { format!("**{state}**") }
    }

    fn retry(&self, retry: &str) -> String {
        let text = match Retry::parse(retry) {
            Some(Retry::Now) => say(self.lang, "thử lại một lần trong vòng một phút", "once more within a minute"),
            Some(Retry::Later) => say(self.lang, "để sau, giãn dần", "later, with growing pauses"),
            Some(Retry::AfterFix) => say(self.lang, "sau khi đã sửa", "after it was put right"),
            Some(Retry::AfterReauthorization) => say(self.lang, "sau khi cấp quyền lại", "after access was granted again"),
            Some(Retry::AfterCustomerWrites) => say(self.lang, "sau khi khách nhắn lại", "after the customer wrote again"),
            Some(Retry::Never) => say(self.lang, "không gửi lại", "not at all"),
            None => "",
        };
        format!("{text} ({retry})")
    }

    fn timeline(&mut self, m: &MessagePart) {
        if m.timeline.is_empty() {
            return;
        }
        self.heading(3, "Dòng thời gian", "Timeline");
        let header = match self.lang {
            Lang::Vi => ["Lúc", "Biết lúc", "Sự kiện", "Từ", "Chi tiết"],
            Lang::En => ["At", "Observed", "Event", "Source", "Detail"],
        };
        let row = |e: &super::EntryPart| {
            vec![e.at.to_string(), e.observed_at.to_string(), e.kind.to_owned(), e.source.to_owned(), details(&e.detail)]
        };
        self.table(&header, m.timeline.iter().map(row));
    }

    fn answers(&mut self, answers: &[AnswerPart]) {
        if answers.is_empty() {
            return;
        }
        self.heading(3, "Câu trả lời của lệnh gửi", "Answers of the send call");
        for a in answers {
            let status = a.status.map_or_else(|| say(self.lang, "không có câu trả lời", "no answer").to_owned(), |s| format!("HTTP {s}"));
            let took = a.duration_ms.map(|ms| format!(", {ms} ms")).unwrap_or_default();
            let error = a.error.as_deref().map(|e| format!(", {}", plain(e))).unwrap_or_default();
            let _ = writeln!(self.out, "- {}: {status}{took}{error}{}\n", a.received_at, self.cut(a.cut));
            if !a.body.is_empty() {
                self.block(&a.body);
            }
        }
    }

    fn cut(&self, cut: bool) -> &'static str {
        if cut { say(self.lang, " (đã cắt bớt)", " (cut short)") } else { "" }
    }

    fn callbacks(&mut self, callbacks: &[CallbackPart], not_shown: u64) {
        if callbacks.is_empty() && not_shown == 0 {
            return;
        }
        self.heading(3, "Callback gốc (đã ẩn thông tin nhạy cảm)", "Raw callbacks (redacted)");
        for c in callbacks {
            let repeats =
                if c.repeats > 0 { format!(", {} {}", say(self.lang, "lặp lại", "repeated"), c.repeats) } else { String::new() };
            let _ = writeln!(self.out, "- #{} {} {} ({}){repeats}{}\n", c.seq, c.received_at, c.method, c.status, self.cut(c.cut));
            let query = (!c.query.is_empty()).then(|| format!("?{}", c.query));
            let lines = c.headers.iter().cloned().chain(query).chain((!c.body.is_empty()).then(|| c.body.clone()));
            self.block(&lines.collect::<Vec<_>>().join("\n"));
        }
        if not_shown > 0 {
            let text = say(
                self.lang,
                "bản ghi khác không được trích: quá nhiều hoặc đã hết hạn lưu.",
                "more records are not shown: too many, or deleted by retention.",
            );
            let _ = writeln!(self.out, "\n{not_shown} {text}");
        }
    }

    fn account(&mut self, r: &Report) {
        let s = &r.snapshot;
        self.heading(2, "Tài khoản lúc lập báo cáo", "The account when this was made");
        let with = |word: Option<String>, at: Option<Millis>| word.map(|w| at.map_or(w.clone(), |at| format!("{w} ({at})")));
        let standing = s.standing.map(|stands| words::account(stands, s.reason, self.lang));
        let token = s.token.as_ref().and_then(|t| with(Some(words::token(t.state, self.lang).to_owned()), t.as_of));
        let ends = s.token.as_ref().and_then(|t| time(t.expires_at));
        let quota = s.quota.as_ref().map(|q| {
            let parts = [q.kind.as_deref(), q.remaining.as_deref(), q.daily.as_deref()];
            plain(&parts.map(|p| p.unwrap_or("?")).join(" / "))
        });
        let template = s.template.as_ref().map(|t| {
            let more = [&t.reason, &t.quality, &t.quota].into_iter().flatten().map(|x| format!("; {}", plain(x))).collect::<String>();
            format!("{} {}{more}", code(&t.template_id), words::template(t.status, self.lang))
        });
        let unknown = say(self.lang, "chưa rõ", "not known").to_owned();
        let ours = say(self.lang, "ứng dụng của chúng tôi", "our app");
        let owner = |t: &ThreadSnapshot| if t.ours { ours.to_owned() } else { t.owner.as_deref().map_or(unknown.clone(), code) };
        let thread = s.thread.as_ref().and_then(|t| with(Some(owner(t)), t.since));
        let or_unknown = |value: Option<String>| Some(value.unwrap_or_else(|| unknown.clone()));
        self.rows(&[
            ("Tình trạng", "Standing", or_unknown(with(standing, s.since))),
            ("Callback gần nhất", "Last callback", or_unknown(time(s.last_callback_at))),
            ("Biên nhận gần nhất", "Last receipt", or_unknown(time(s.last_receipt_at))),
            ("Mã truy cập", "Token", or_unknown(token)),
            ("Mã truy cập hết hạn", "Token ends", ends),
            ("Hạn mức: loại / còn lại / mỗi ngày", "Allowance: kind / left / a day", or_unknown(quota)),
            ("Mẫu tin", "Template", template),
            ("Ứng dụng giữ cuộc trò chuyện", "App that holds the conversation", thread),
            ("Callback sai chữ ký gần đây", "Callbacks refused lately", or_unknown(s.signatures_refused.map(|n| n.to_string()))),
            ("Callback không đọc được", "Callbacks not understood", or_unknown(s.callbacks_in_error.map(|n| n.to_string()))),
        ]);
    }

    fn rest(&mut self, r: &Report) {
        self.heading(2, "Bao nhiêu tin khác cũng vậy", "How many others fail alike");
        self.line(&plain(&alike(&r.alike, self.lang)));
        if !r.checks.is_empty() {
            self.heading(2, "Đã kiểm tra", "What was checked");
            for c in &r.checks {
                let (mark, word) = match c.state {
                    CheckState::Done => ("x", say(self.lang, "đạt", "done")),
                    CheckState::NotDone => (" ", say(self.lang, "CHƯA đạt", "NOT done")),
                    CheckState::Unknown => (" ", say(self.lang, "chưa rõ", "unknown")),
                };
                let how = c.how.as_deref().map(|h| format!(" → {}", ours(h))).unwrap_or_default();
                let _ = writeln!(self.out, "- [{mark}] {}: **{word}** ({}){how}", ours(&c.what), plain(&c.evidence));
            }
        }
        self.list("Cần hỏi nhà cung cấp", "What to ask the provider", &r.questions);
        self.list("Hỏi ở đâu", "Where to ask", &r.channels);
        let note = match (r.masked, self.lang) {
            (true, Lang::Vi) => "Số điện thoại và mã người dùng đã che trừ ba ký tự cuối; khóa, chữ ký và lời của khách đã ẩn.",
            (true, Lang::En) => {
                "Phone numbers and user ids are masked but for their last three characters; keys, signatures and customers' words are left out."
            }
            (false, Lang::Vi) => "Có số hoặc mã đầy đủ của người nhận: chỉ gửi cho bộ phận hỗ trợ. Khóa, chữ ký và lời của khách đã ẩn.",
            (false, Lang::En) => {
                "It holds the recipient's whole number or id: for the support only. Keys, signatures and customers' words are left out."
            }
        };
        let _ = writeln!(self.out, "\n---\n\n{note}");
    }

    fn list(&mut self, vi: &'static str, en: &'static str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.heading(2, vi, en);
        for item in items {
            let _ = writeln!(self.out, "- {}", plain(item));
        }
    }
}
