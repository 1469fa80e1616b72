//! One value as it was written, in the file or in a variable, read as the type its key wants. It must not know any key.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Origin;
use super::env::Env;
use super::error::{Place, Problem};
use super::place::Source;
use super::secret;

/// A value as it was written.
#[derive(Clone)]
pub(super) enum Raw<'a> {
    /// In the file.
    Written(&'a Spanned<DeValue<'a>>),
    /// In an environment variable.
    Variable { name: String, text: String },
    /// In a file whose path stands in an environment variable.
    FileVariable { name: String, path: String },
}

/// A problem, and the place of the part of a value that has it.
pub(super) type Misfit = (Place, Problem);

/// Where a value was written, as an origin to show.
pub(super) fn origin(place: Place) -> Option<Origin> {
    match place {
        Place::Whole => None,
        Place::At { line, .. } => Some(Origin::Line(line)),
        Place::Variable(name) => Some(Origin::Variable(name)),
    }
}

impl<'a> Raw<'a> {
    /// Where it was written.
    pub fn place(&self, source: &Source) -> Place {
        match self {
            Raw::Written(value) => source.place(value.span().start),
            Raw::Variable { name, .. } | Raw::FileVariable { name, .. } => Place::Variable(name.clone()),
        }
    }

    /// A text that is not empty.
    pub fn text(&self, wanted: &'static str) -> Result<&str, Problem> {
        let text = match self {
            Raw::Written(value) => text_of(value.get_ref(), wanted)?,
            Raw::Variable { text, .. } => text.trim(),
            Raw::FileVariable { path, .. } => path,
        };
        if text.trim().is_empty() { Err(Problem::Empty) } else { Ok(text) }
    }

    /// A whole number within bounds.
    pub fn number(&self, min: u64, max: u64) -> Result<u64, Problem> {
        let outside = Problem::OutOfBounds { min, max };
        let number = match self {
            Raw::Written(value) => match value.get_ref() {
                DeValue::Integer(n) => i128::from_str_radix(n.as_str(), n.radix()).map_err(|_| outside.clone())?,
                other => return Err(Problem::WrongType { wanted: "a whole number, without quotes", found: found(other) }),
            },
            Raw::Variable { text, .. } | Raw::FileVariable { path: text, .. } => {
                text.trim().replace('_', "").parse().map_err(|_| outside.clone())?
            }
        };
        u64::try_from(number).ok().filter(|n| (min..=max).contains(n)).ok_or(outside)
    }

    /// True or false.
    pub fn flag(&self) -> Result<bool, Problem> {
        let wanted = "true or false, without quotes";
        match self {
            Raw::Written(value) => value.get_ref().as_bool().ok_or(Problem::WrongType { wanted, found: found(value.get_ref()) }),
            Raw::Variable { text, .. } | Raw::FileVariable { path: text, .. } => {
                text.trim().parse().map_err(|_| Problem::WrongType { wanted, found: "a text" })
            }
        }
    }

    /// A list of texts; a single text is a list of one. In a variable they are parted by commas.
    pub fn texts(&self, source: &Source) -> Result<Vec<String>, Misfit> {
        let wanted = "a text in quotes, or a list of such texts";
        let place = self.place(source);
        let one = |value: &Spanned<DeValue<'_>>| match text_of(value.get_ref(), wanted) {
            Ok(text) if text.trim().is_empty() => Err((source.place(value.span().start), Problem::Empty)),
            Ok(text) => Ok(text.to_owned()),
            Err(problem) => Err((source.place(value.span().start), problem)),
        };
        match self {
            Raw::Written(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().map(one).collect(),
                _ => one(value).map(|text| vec![text]),
            },
            Raw::Variable { text, .. } | Raw::FileVariable { path: text, .. } => comma_parted(text).ok_or((place, Problem::Empty)),
        }
    }

    /// Secrets: one or a list, each a text or a reference. In a variable they are parted by commas; a file holds one.
    pub fn secrets(&self, source: &Source, env: &Env) -> Result<Vec<String>, Misfit> {
        let place = self.place(source);
        let one = |value: &Spanned<DeValue<'_>>| {
            secret_of(value.get_ref(), source, env).map_err(|problem| (source.place(value.span().start), problem))
        };
        match self {
            Raw::Written(value) => match value.get_ref() {
                DeValue::Array(items) => items.iter().map(one).collect(),
                _ => one(value).map(|secret| vec![secret]),
            },
            Raw::Variable { text, .. } => comma_parted(text).ok_or((place, Problem::EmptySecret(String::new()))),
            Raw::FileVariable { path, .. } => match secret::from_file(path, std::path::Path::new("")) {
                Ok(secret) => Ok(vec![secret]),
                Err(problem) => Err((place, problem)),
            },
        }
    }
}

/// The parts between commas without the blanks around them; `None` when a part is empty.
fn comma_parted(text: &str) -> Option<Vec<String>> {
    text.split(',').map(str::trim).map(|part| (!part.is_empty()).then(|| part.to_owned())).collect()
}

fn text_of<'v>(value: &'v DeValue<'_>, wanted: &'static str) -> Result<&'v str, Problem> {
    value.as_str().ok_or(Problem::WrongType { wanted, found: found(value) })
}

fn secret_of(value: &DeValue<'_>, source: &Source, env: &Env) -> Result<String, Problem> {
    match value {
        DeValue::String(text) if text.trim().is_empty() => Err(Problem::EmptySecret(String::new())),
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Table(table) => match reference(table) {
            Some(("env", name)) => secret::from_variable(name, env),
            Some(("file", path)) => secret::from_file(path, &source.folder),
            _ => Err(Problem::BadSecret("a table of another form")),
        },
        other => Err(Problem::BadSecret(found(other))),
    }
}

/// The only key and its text of `{ env = "NAME" }` and the like.
fn reference<'t>(table: &'t DeTable<'_>) -> Option<(&'t str, &'t str)> {
    let mut entries = table.iter();
    let (key, value) = entries.next()?;
    let text = value.get_ref().as_str().filter(|text| !text.is_empty())?;
    entries.next().is_none().then_some((&**key.get_ref(), text))
}

/// What a value is, for people.
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number without quotes",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
