//! A source file as the rules see it: code without comments, texts apart, tests left out. It knows no rule.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// One file under `src/`.
pub struct Source {
    /// From the root of the repository, with `/`.
    pub path: String,
    /// The code, byte for byte as long as the file: comments, texts and tests are blanks.
    code: String,
    /// The texts with the line on which each begins.
    texts: Vec<(usize, String)>,
    /// Lines of tests.
    test_lines: usize,
}

/// Every source that is no test, read once.
pub fn sources() -> &'static [Source] {
    static ALL: LazyLock<Vec<Source>> = LazyLock::new(read_all);
    &ALL
}

fn read_all() -> Vec<Source> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    collect(&root.join("src"), &mut paths);
    paths.sort();
    let texts: Vec<(String, String)> = paths
        .iter()
        .map(|p| (p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/"), fs::read_to_string(p).unwrap()))
        .collect();
    let tests: BTreeSet<String> = texts.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &str| tests.iter().any(|t| path == format!("{t}.rs") || path.starts_with(&format!("{t}/")));
    texts.iter().filter(|(path, _)| !is_test(path)).map(|(path, text)| Source::new(path, text)).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

/// The paths, without ending, of the modules that a file declares for tests only.
fn test_modules(path: &str, text: &str) -> Vec<String> {
    let stem = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix("/lib.rs")).or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "#[cfg(test)]"
            && let Some(next) = lines.next()
            && let Some(name) = next
                .trim()
                .trim_start_matches("pub ")
                .trim_start_matches("pub(crate) ")
                .strip_prefix("mod ")
                .and_then(|n| n.strip_suffix(';'))
        {
            found.push(format!("{stem}/{name}"));
        }
    }
    found
}

impl Source {
    /// Reads a file.
    pub fn new(path: &str, text: &str) -> Source {
        let (mut code, mut texts) = split(text);
        let tests = test_spans(&code);
        let mut test_lines = 0;
        for (from, to) in tests {
            let lines = (line_of(text, from), line_of(text, to));
            test_lines += lines.1 - lines.0 + 1;
            texts.retain(|(line, _)| *line < lines.0 || *line > lines.1);
            let blank: String = code[from..to].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            code.replace_range(from..to, &blank);
        }
        Source { path: path.to_owned(), code, texts, test_lines }
    }

    /// The folder or file directly under `src/`.
    pub fn room(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let first = inside.split('/').next().unwrap_or_default();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// Lines without those of tests.
    pub fn lines_without_tests(&self) -> usize {
        self.code.lines().count() - self.test_lines
    }

    /// The texts (`"…"`) with their lines.
    pub fn texts(&self) -> impl Iterator<Item = (usize, &str)> {
        self.texts.iter().map(|(line, text)| (*line, text.as_str()))
    }

    /// The lines on which the code has a word or path.
    pub fn lines_with(&self, word: &str) -> impl Iterator<Item = usize> {
        let starts: Vec<usize> = self.code.match_indices(word).map(|(at, _)| at).filter(|at| !is_inside_a_word(&self.code, *at)).collect();
        starts.into_iter().map(|at| line_of(&self.code, at))
    }

    /// The rooms of this crate that the code names, with lines.
    pub fn rooms_named(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("crate::") {
            if !is_inside_a_word(&self.code, at) {
                self.heads(at + "crate::".len(), &mut found);
            }
        }
        let depth = self.depth();
        for (at, _) in self.code.match_indices("super::") {
            // The first of a chain only; it leaves the room when it climbs to the root of the crate.
            if is_inside_a_word(&self.code, at) || self.code[..at].ends_with("super::") {
                continue;
            }
            let mut end = at;
            let mut climbed = 0;
            while self.code[end..].starts_with("super::") {
                end += "super::".len();
                climbed += 1;
            }
            if climbed >= depth {
                self.heads(end, &mut found);
            }
        }
        found.sort();
        found
    }

    /// How many steps lead from this module up to the root of the crate.
    fn depth(&self) -> usize {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        let parts = inside.split('/').count();
        if inside.ends_with("/mod.rs") { parts - 1 } else { parts }
    }

    /// The first names of a path or of a group `{a::b, c}` at a place.
    fn heads(&self, at: usize, found: &mut Vec<(usize, String)>) {
        let rest = &self.code[at..];
        let line = line_of(&self.code, at);
        let Some(group) = rest.strip_prefix('{') else {
            found.push((line, word(rest)));
            return;
        };
        let mut depth = 0;
        let mut head = true;
        for (i, c) in group.char_indices() {
            match c {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => head = true,
                c if head && depth == 0 && !c.is_whitespace() => {
                    found.push((line, word(&group[i..])));
                    head = false;
                }
                _ => {}
            }
        }
    }

    /// The crates out of a set that the code names, with lines.
    pub fn crates_named(&self, all: &BTreeSet<String>) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for name in all {
            let path = format!("{name}::");
            for (at, _) in self.code.match_indices(&path) {
                let before = &self.code[..at];
                // `crate::toml::` is not the crate `toml`; `::toml::` is.
                let inner =
                    before.ends_with("::") && before[..before.len() - 2].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '>');
                if !is_inside_a_word(&self.code, at) && !inner {
                    found.push((line_of(&self.code, at), name.clone()));
                }
            }
            let alone = format!("use {name};");
            found.extend(self.code.match_indices(&alone).map(|(at, _)| (line_of(&self.code, at), name.clone())));
        }
        found.sort();
        found.dedup();
        found
    }

    /// Every function: line, name, lines.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.code.match_indices("fn ") {
            if is_inside_a_word(&self.code, at) {
                continue;
            }
            let name = word(&self.code[at + 3..]);
            if name.is_empty() {
                continue;
            }
            let Some(end) = end_of_item(&self.code, at) else { continue };
            if self.code[at..end].ends_with('}') {
                found.push((line_of(&self.code, at), name, self.code[at..end].matches('\n').count() + 1));
            }
        }
        found
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn is_inside_a_word(code: &str, at: usize) -> bool {
    code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// Where an item ends: behind its `;`, or behind the brace that closes it.
fn end_of_item(code: &str, from: usize) -> Option<usize> {
    let (mut braces, mut others) = (0usize, 0usize);
    for (i, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => others += 1,
            ')' | ']' => others = others.saturating_sub(1),
            '{' => braces += 1,
            '}' => {
                braces = braces.saturating_sub(1);
                if braces == 0 && others == 0 {
                    return Some(from + i + 1);
                }
            }
            ';' if braces == 0 && others == 0 => return Some(from + i + 1),
            _ => {}
        }
    }
    None
}

/// The places of everything under `#[cfg(test)]`.
fn test_spans(code: &str) -> Vec<(usize, usize)> {
    let mark = "#[cfg(test)]";
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (at, _) in code.match_indices(mark) {
        if spans.last().is_some_and(|(_, end)| at < *end) {
            continue;
        }
        if let Some(end) = end_of_item(code, at + mark.len()) {
            spans.push((at, end));
        }
    }
    spans
}

/// The code with comments and texts blanked out, and the texts with their lines.
fn split(text: &str) -> (String, Vec<(usize, String)>) {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut texts = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let end = match bytes[i] {
            b'/' if bytes[i + 1..].starts_with(b"/") => i + text[i..].find('\n').unwrap_or(text.len() - i),
            b'/' if bytes[i + 1..].starts_with(b"*") => end_of_block_comment(bytes, i),
            b'"' => end_of_text(bytes, i, 0, false),
            b'r' if is_raw_text(bytes, i) => {
                let hashes = bytes[i + 1..].iter().take_while(|b| **b == b'#').count();
                end_of_text(bytes, i + 1 + hashes, hashes, true)
            }
            b'\'' => end_of_char(text, i),
            _ => {
                i += 1;
                continue;
            }
        };
        if matches!(bytes[i], b'"' | b'r') {
            let inner = text[i..end].trim_start_matches(['r', '#']).trim_end_matches('#');
            let inner = inner.strip_prefix('"').unwrap_or(inner);
            texts.push((line_of(text, i), inner.strip_suffix('"').unwrap_or(inner).to_owned()));
        }
        for b in &mut code[i..end] {
            if *b != b'\n' {
                *b = b' ';
            }
        }
        i = end.max(i + 1);
    }
    (String::from_utf8_lossy(&code).into_owned(), texts)
}

fn is_raw_text(bytes: &[u8], at: usize) -> bool {
    let inside = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_') && bytes[at - 1] != b'b';
    let after = bytes[at + 1..].iter().find(|b| **b != b'#');
    !inside && after == Some(&b'"')
}

fn end_of_block_comment(bytes: &[u8], from: usize) -> usize {
    let mut depth = 0;
    let mut i = from;
    while i + 1 < bytes.len() {
        match &bytes[i..i + 2] {
            b"/*" => {
                depth += 1;
                i += 2;
            }
            b"*/" => {
                depth -= 1;
                i += 2;
                if depth == 0 {
                    return i;
                }
            }
            _ => i += 1,
        }
    }
    bytes.len()
}

/// Where a text ends that opens with the quote at `from`.
fn end_of_text(bytes: &[u8], from: usize, hashes: usize, raw: bool) -> usize {
    let mut i = from + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' if !raw => i += 2,
            b'"' if bytes[i + 1..].len() >= hashes && bytes[i + 1..i + 1 + hashes].iter().all(|b| *b == b'#') => return i + 1 + hashes,
            _ => i += 1,
        }
    }
    bytes.len()
}

/// Where a character ends; a lifetime ends at once.
fn end_of_char(text: &str, from: usize) -> usize {
    let rest = &text[from + 1..];
    let mut chars = rest.chars();
    match (chars.next(), chars.next()) {
        // The escaped character itself may be a quote.
        (Some('\\'), Some(second)) => {
            let behind = 1 + second.len_utf8();
            rest[behind..].find('\'').map_or(from + 1, |n| from + 1 + behind + n + 1)
        }
        (Some(c), Some('\'')) => from + 1 + c.len_utf8() + 1,
        _ => from + 1,
    }
}
