//! Other spellings of one JSON text: what a proxy that read a body and wrote it anew may have received. Numbers, names and their order
//! stay as they are. Only for the examination of what was refused; nothing is ever accepted by a spelling.

/// A longer body is not spelled anew: each spelling costs as much as the body is long.
pub(crate) const SPELLED_BYTES_MAX: usize = 64 << 10;

/// Blanks between the parts of a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    Kept,
    Dropped,
    /// One behind every colon and comma.
    Spaced,
}

/// How the letters of strings are written.
#[derive(Clone, Copy)]
struct Letters {
    /// What is not ASCII is escaped.
    escaped: bool,
    /// `/` is escaped.
    slash: bool,
    /// Hex digits are capitals.
    capitals: bool,
    /// More characters that are escaped.
    marks: &'static str,
}

const PLAIN: Letters = Letters { escaped: false, slash: false, capitals: false, marks: "" };
const ESCAPED: Letters = Letters { escaped: true, ..PLAIN };

/// The ways of writers that are in use; the last ones escape for HTML.
const LETTERS: [Letters; 7] = [
    PLAIN,
    Letters { slash: true, ..PLAIN },
    ESCAPED,
    Letters { slash: true, ..ESCAPED },
    Letters { capitals: true, ..ESCAPED },
    Letters { slash: true, marks: "<%@", ..ESCAPED },
    Letters { marks: "<>&='", ..PLAIN },
];

/// Every other spelling of a body, one after the other; none of a body that is long or no text.
pub(crate) fn spellings(body: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let text = std::str::from_utf8(body).ok().filter(|text| !text.is_empty() && text.len() <= SPELLED_BYTES_MAX);
    text.into_iter().flat_map(of_text)
}

fn of_text(given: &str) -> impl Iterator<Item = Vec<u8>> {
    let text = given.trim_start_matches('\u{feff}').trim_matches(is_blank);
    // Where every way writes the same, one is enough.
    let ways = if text.bytes().any(|b| !b.is_ascii() || b"\\/<>&='%@".contains(&b)) { LETTERS.len() } else { 0 };
    let letters = move || std::iter::once(None).chain(LETTERS.into_iter().take(ways).map(Some));
    let all = [Blanks::Kept, Blanks::Dropped, Blanks::Spaced].into_iter().flat_map(move |blanks| letters().map(move |l| (blanks, l)));
    let ends = ["\n", "\r\n"].into_iter().map(move |end| [text, end].concat());
    all.map(move |(blanks, letters)| spell(text, blanks, letters)).chain(ends).filter(move |s| s != given).map(String::into_bytes)
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn spell(text: &str, blanks: Blanks, letters: Option<Letters>) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '"' {
            let (string, behind) = rest.split_at(string_end(rest));
            match letters {
                Some(letters) => letters.write(string, &mut out),
                None => out.push_str(string),
            }
            rest = behind;
            continue;
        }
        if blanks == Blanks::Kept {
            let (same, behind) = rest.split_at(rest.find('"').unwrap_or(rest.len()));
            out.push_str(same);
            rest = behind;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        if !is_blank(c) {
            out.push(c);
        }
        if blanks == Blanks::Spaced && matches!(c, ':' | ',') {
            out.push(' ');
        }
    }
    out
}

/// Where the string ends with which a text begins: behind its closing quote, or with the text.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

impl Letters {
    /// Writes a string, its quotes included, in this way.
    fn write(self, string: &str, out: &mut String) {
        out.push('"');
        let mut rest = string.get(1..).unwrap_or_default();
        loop {
            let (same, behind) = rest.split_at(rest.bytes().position(|b| self.concerns(b)).unwrap_or(rest.len()));
            out.push_str(same);
            let Some(c) = behind.chars().next() else { return };
            rest = &behind[c.len_utf8()..];
            match (c, rest.chars().next()) {
                ('"', _) => out.push('"'),
                ('\\', Some('/')) => {
                    rest = &rest[1..];
                    self.put('/', out);
                }
                ('\\', Some('u')) => match escape(&rest[1..]) {
                    Some((c, length)) => {
                        rest = &rest[1 + length..];
                        self.put(c, out);
                    }
                    None => out.push('\\'),
                },
                ('\\', Some(second)) => {
                    rest = &rest[second.len_utf8()..];
                    out.extend(['\\', second]);
                }
                ('\\', None) => out.push('\\'),
                _ => self.put(c, out),
            }
        }
    }

    /// The byte may begin something that is written otherwise.
    fn concerns(self, byte: u8) -> bool {
        match byte {
            b'"' | b'\\' | ..b' ' => true,
            b'/' => self.slash,
            0x80.. => self.escaped,
            _ => self.marks.as_bytes().contains(&byte),
        }
    }

    fn put(self, c: char, out: &mut String) {
        let short = match c {
            '"' | '\\' => Some(c),
            '\u{8}' => Some('b'),
            '\u{c}' => Some('f'),
            '\n' => Some('n'),
            '\r' => Some('r'),
            '\t' => Some('t'),
            '/' if self.slash => Some('/'),
            _ => None,
        };
        if let Some(short) = short {
            out.extend(['\\', short]);
        } else if c < ' ' || (self.escaped && !c.is_ascii()) || self.marks.contains(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let digits = if self.capitals { b"0123456789ABCDEF" } else { b"0123456789abcdef" };
                out.push_str("\\u");
                out.extend([12, 8, 4, 0].map(|shift| char::from(digits[usize::from(*unit >> shift & 15)])));
            }
        } else {
            out.push(c);
        }
    }
}

/// The letter of the hex digits behind `\u`, and how many bytes tell it; none for half a pair.
fn escape(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 4).filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u16::from_str_radix(digits, 16).ok()
    };
    let first = unit(0)?;
    if let Some(c) = char::from_u32(u32::from(first)) {
        return Some((c, 4));
    }
    let second = text.get(4..6).filter(|t| *t == "\\u").and_then(|_| unit(6))?;
    let c = char::decode_utf16([first, second]).next()?.ok()?;
    Some((c, 10))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const ESCAPES: &str = r#"{"t":"\u0110\u00e3 \ud83d\udce6 a\/b \"\n","n":1.50}"#;
    const LETTERS_OF_IT: &str = r#"{"t":"Đã 📦 a/b \"\n","n":1.50}"#;

    fn has(of: &str, spelling: &str) -> bool {
        spellings(of.as_bytes()).any(|s| s == spelling.as_bytes())
    }

    #[test]
    fn escapes_and_letters_lead_to_each_other() {
        assert!(has(ESCAPES, LETTERS_OF_IT));
        assert!(has(LETTERS_OF_IT, ESCAPES));
        assert!(has(LETTERS_OF_IT, &ESCAPES.replace("\\/", "/").replace("00e3", "00E3").replace("d83d", "D83D").replace("dce6", "DCE6")));
        assert!(has(r#"{"a":"<b> & 'c' = %@"}"#, r#"{"a":"\u003cb\u003e \u0026 \u0027c\u0027 \u003d %@"}"#));
        assert!(has(r#"{"a":"<b%@"}"#, r#"{"a":"\u003cb\u0025\u0040"}"#));
    }

    #[test]
    fn blanks_come_and_go_outside_of_strings_only() {
        let spaced = r#"{"a": [1, 2], "b": "x : y, z"}"#;
        let compact = r#"{"a":[1,2],"b":"x : y, z"}"#;
        let pretty = "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": \"x : y, z\"\n}\n";
        for (sent, signed) in [(spaced, compact), (compact, spaced), (pretty, compact), (pretty, spaced)] {
            assert!(has(sent, signed), "{sent}");
        }
        for (sent, signed) in [("{}\n", "{}"), ("{}", "{}\n"), ("\u{feff}{}", "{}"), ("{}\r\n", "{}\n")] {
            assert!(has(sent, signed), "{sent:?}");
        }
    }

    #[test]
    fn half_a_pair_and_broken_escapes_stay_as_they_are() {
        for text in [r#"["\ud83d x"]"#, r#"["\ud83d\u0041"]"#, r#"["\u12"]"#, r#"["\u+123"]"#, r#"["\"#, r#"["\u"#, r#"["\q/"]"#] {
            assert_eq!(spell(text, Blanks::Kept, Some(PLAIN)).replace('A', "\\u0041"), text.replace('A', "\\u0041"), "{text}");
        }
    }

    #[test]
    fn a_body_is_no_spelling_of_itself_and_a_long_one_has_none() {
        for body in ["{}", ESCAPES, LETTERS_OF_IT] {
            assert!(!has(body, body));
        }
        let long = format!("[{}1]", "1, ".repeat(SPELLED_BYTES_MAX / 3));
        assert_eq!(spellings(long.as_bytes()).count(), 0);
        assert_eq!((spellings(b"").count(), spellings(b"\xff{}").count()), (0, 0));
    }

    fn json() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from)];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((any::<String>(), inner), 0..4).prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_spelling_says_the_same(value in json()) {
            for spelling in spellings(value.to_string().as_bytes()) {
                prop_assert_eq!(serde_json::from_slice::<Value>(&spelling).unwrap(), value.clone());
            }
        }

        #[test]
        fn any_text_survives(text in "([\\PC\\n]|[\"\\\\u{}:,/ 0-9a-f]){0,120}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(spellings(text.as_bytes()).chain(spellings(&bytes)).count() <= 52);
        }
    }
}
