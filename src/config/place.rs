//! From byte offsets in the file to lines and columns.

use std::path::{Path, PathBuf};

use super::error::Place;

/// The text of the file, its name for people and the folder from which its relative paths count.
pub(super) struct Source {
    /// As it was given on the command line.
    pub name: String,
    /// Where relative paths of secrets begin.
    pub folder: PathBuf,
    /// The whole text.
    pub text: String,
}

impl Source {
    /// What stands for the file where there is none.
    pub fn none() -> Source {
        Source { name: "(no configuration file)".into(), folder: PathBuf::new(), text: String::new() }
    }

    /// A file that was read.
    pub fn file(path: &Path, text: String) -> Source {
        Source { name: path.display().to_string(), folder: path.parent().unwrap_or(Path::new("")).to_path_buf(), text }
    }

    /// The place of a byte; one beyond the end is the end.
    pub fn place(&self, offset: usize) -> Place {
        let bytes = self.text.as_bytes();
        let before = &bytes[..offset.min(bytes.len())];
        let line_start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        // Continuation bytes of UTF-8 are no characters of their own.
        let column = before[line_start..].iter().filter(|b| (**b & 0xc0) != 0x80).count() + 1;
        Place::At { line, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_characters_not_bytes() {
        let source = Source::file(Path::new("a/b.toml"), "một = 1\nhai = 2".into());
        assert_eq!(source.folder, Path::new("a"));
        assert_eq!(source.place(0), Place::At { line: 1, column: 1 });
        let second = source.text.find("= 1").unwrap();
        assert_eq!(source.place(second), Place::At { line: 1, column: 5 });
        assert_eq!(source.place(source.text.len() + 9), Place::At { line: 2, column: 8 });
    }
}
