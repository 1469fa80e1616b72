//! A piece of text with how it is meant. It must not know how that looks.

use crate::domain::time::Millis;

/// How a piece of text is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    #[default]
    Plain,
    /// A heading.
    Strong,
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// To be looked at.
    Warn,
    /// Beside the point.
    Dim,
}

/// A piece of text and how it is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// The text.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// What stands for it in a table on a terminal.
    pub brief: Option<String>,
    /// Its column may be broken into lines; ids, times and words are not, so that they can be read and copied.
    pub prose: bool,
}

impl Field {
    /// A text with a tone.
    pub fn new(text: impl Into<String>, tone: Tone) -> Field {
        Field { text: text.into(), tone, ..Field::default() }
    }

    /// A moment: to the second in a table on a terminal, in full elsewhere.
    pub fn time(at: Millis) -> Field {
        let text = at.to_string();
        let brief = text.split_once('.').map(|(seconds, _)| format!("{}Z", seconds.replace('T', " ")));
        Field { brief, ..Field::from(text) }
    }

    /// This as running text.
    pub fn prose(self) -> Field {
        Field { prose: true, ..self }
    }

    /// A text that may not be there.
    pub fn maybe(text: Option<&str>) -> Field {
        text.map_or(Field::new("-", Tone::Dim), Field::from)
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Field {
        Field::new(text, Tone::Plain)
    }
}

impl From<String> for Field {
    fn from(text: String) -> Field {
        Field::new(text, Tone::Plain)
    }
}
