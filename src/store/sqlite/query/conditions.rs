//! Conditions of a question and their values, numbered so that they can be put together.

use rusqlite::types::Value;

use super::IdSpelling;

/// Conditions and their values.
#[derive(Default)]
pub(super) struct Where {
    pub(super) sql: Vec<String>,
    pub(super) values: Vec<Value>,
}

impl Where {
    pub(super) fn and(&mut self, sql: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.sql.push(sql.replace('?', &format!("?{}", self.values.len())));
    }

    pub(super) fn plain(&mut self, sql: &str) {
        self.sql.push(sql.to_owned());
    }

    pub(super) fn text(&self) -> String {
        if self.sql.is_empty() { "1".to_owned() } else { self.sql.join(" AND ") }
    }
}
impl Where {
    /// The conditions with their parameters numbered after `offset` others.
    pub(super) fn numbered(self, offset: usize) -> Vec<(String, Vec<Value>)> {
        let mut out = Vec::new();
        let mut values = self.values.into_iter();
        let mut n = offset;
        for sql in self.sql {
            let own = sql.matches('?').count();
            let mut text = String::with_capacity(sql.len());
            let mut rest = sql.as_str();
            while let Some(i) = rest.find('?') {
                text.push_str(&rest[..i]);
                n += 1;
                text.push_str(&format!("?{n}"));
                rest = rest[i + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
            }
            text.push_str(rest);
            out.push((text, values.by_ref().take(own).collect()));
        }
        out
    }
}
pub(super) fn one_of(w: &mut Where, column: &str, values: &[String]) {
    match values {
        [] => {}
        [one] => w.and(&format!("{column} = ?"), one.clone()),
        many => {
            let mut names = Vec::new();
            for value in many {
                w.values.push(value.clone().into());
                names.push(format!("?{}", w.values.len()));
            }
            w.sql.push(format!("{column} IN ({})", names.join(", ")));
        }
    }
}

/// The id of a message, in a spelling of the message's own provider.
pub(super) fn id_of(w: &mut Where, spellings: &[IdSpelling]) {
    let mut any = Vec::new();
    for spelling in spellings {
        w.values.push(spelling.text.clone().into());
        let id = w.values.len();
        let mut providers = Vec::new();
        for provider in &spelling.providers {
            w.values.push((*provider).to_owned().into());
            providers.push(format!("?{}", w.values.len()));
        }
        any.push(format!("(message_id = ?{id} AND provider IN ({}))", providers.join(", ")));
    }
    if !any.is_empty() {
        w.sql.push(format!("({})", any.join(" OR ")));
    }
}
