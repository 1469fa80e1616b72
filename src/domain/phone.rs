//! Vietnamese phone numbers in any spelling, shown as `84…`. It must not know who uses them for what.
//!
//! Everything is decided by length: nine bare digits are a mobile number even when they begin with 84 (VinaPhone has 084).

use std::borrow::Cow;

/// The digits of the longest spelling there is: `00`, `84`, a stray 0 and ten digits.
const DIGITS_MAX: usize = 15;

/// Mobile prefixes of the eleven-digit numbers that ended on 2018-09-15, and what they became.
const OLD_MOBILE: [(&str, &str); 21] = [
    ("120", "70"),
    ("121", "79"),
    ("122", "77"),
    ("123", "83"),
    ("124", "84"),
    ("125", "85"),
    ("126", "76"),
    ("127", "81"),
    ("128", "78"),
    ("129", "82"),
    ("162", "32"),
    ("163", "33"),
    ("164", "34"),
    ("165", "35"),
    ("166", "36"),
    ("167", "37"),
    ("168", "38"),
    ("169", "39"),
    ("186", "56"),
    ("188", "58"),
    ("199", "59"),
];

/// Brings a phone number in any Vietnamese spelling to the form `84…`; `None` when the text is no Vietnamese number.
pub fn normalise(text: &str) -> Option<String> {
    let (digits, international) = digits(text)?;
    let digits = without_stray_zero(&digits);
    let national = match digits.len() {
        // Behind a `+` nine digits belong to another country, or were cut short.
        9 if !international => mobile(&digits),
        10 => digits.strip_prefix('0').and_then(mobile),
        11 => digits.strip_prefix("84").and_then(mobile).or_else(|| digits.strip_prefix('0').and_then(ten_digits)),
        12 => digits.strip_prefix("84").and_then(ten_digits),
        _ => None,
    }?;
    Some(format!("84{national}"))
}

/// The digits without separators and international prefix, and whether there was such a prefix.
fn digits(text: &str) -> Option<(String, bool)> {
    let mut digits = String::new();
    let mut plus = false;
    for c in text.chars().filter(|c| !is_separator(*c)) {
        match c {
            '+' if digits.is_empty() && !plus => plus = true,
            '0'..='9' if digits.len() < DIGITS_MAX => digits.push(c),
            _ => return None,
        }
    }
    if !plus && let Some(rest) = digits.strip_prefix("00") {
        (digits, plus) = (rest.to_owned(), true);
    }
    let vietnamese = !plus || digits.starts_with("84") || digits.starts_with('0');
    vietnamese.then_some((digits, plus))
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '.' | '-' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '(' | ')' | '[' | ']' | '{' | '}')
}

/// Drops the domestic 0 that some write behind the country code.
fn without_stray_zero(digits: &str) -> Cow<'_, str> {
    match digits.strip_prefix("840") {
        Some(rest) if matches!(digits.len(), 12 | 13) => Cow::Owned(format!("84{rest}")),
        _ => Cow::Borrowed(digits),
    }
}

/// Nine digits of a mobile range; lenient, because ranges keep growing.
fn mobile(national: &str) -> Option<Cow<'_, str>> {
    (national.len() == 9 && national.starts_with(['3', '5', '7', '8', '9'])).then_some(Cow::Borrowed(national))
}

/// Ten digits: a landline (valid, though it gets no SMS) or a mobile number of before 2018.
fn ten_digits(national: &str) -> Option<Cow<'_, str>> {
    if national.starts_with('2') {
        return Some(Cow::Borrowed(national));
    }
    let (old, new) = OLD_MOBILE.iter().find(|(old, _)| national.starts_with(old))?;
    Some(Cow::Owned(format!("{new}{}", &national[old.len()..])))
}

/// Hides the middle of a number or id for logs: the first three and the last two characters stay.
pub fn mask(text: &str) -> String {
    let n = text.chars().count();
    if n <= 5 {
        return "*".repeat(n);
    }
    let head: String = text.chars().take(3).collect();
    let tail: String = text.chars().skip(n - 2).collect();
    format!("{head}{}{tail}", "*".repeat(n - 5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_spelling_of_a_number_ends_in_one_form() {
        let rows = [
            ("0977 310 245", "84977310245"),
            ("0912.604.118", "84912604118"),
            ("(0938) 440-562", "84938440562"),
            ("+84 77 815 3309", "84778153309"),
            ("0084 70 555 1286", "84705551286"),
            ("84865129043", "84865129043"),
            ("977310245", "84977310245"),
            ("845310297", "84845310297"),
            ("0845310297", "84845310297"),
            ("84845310297", "84845310297"),
            ("840977310245", "84977310245"),
            ("+84 (0)33 4470 215", "84334470215"),
            ("+84 120 733 9186", "84707339186"),
            ("0121 445 0937", "84794450937"),
            ("0188 276 0391", "84582760391"),
            ("0199 3081 562", "84593081562"),
            ("84 168 402 9975", "84384029975"),
            ("0167 820 4415", "84378204415"),
            ("024 3771 0462", "842437710462"),
            ("028.6290.3347", "842862903347"),
            ("+84 236 355 1190", "842363551190"),
            ("\u{a0}0977\u{a0}310\u{a0}245 ", "84977310245"),
            ("[+84] 977–310–245", "84977310245"),
            ("+0977310245", "84977310245"),
            ("8401207339186", "84707339186"),
            ("0084 (0)24 3771 0462", "842437710462"),
        ];
        for (given, shown) in rows {
            assert_eq!(normalise(given).as_deref(), Some(shown), "{given}");
        }
    }

    #[test]
    fn what_is_no_vietnamese_number_is_no_phone() {
        let rows = [
            "",
            " ",
            "+",
            "1900 6187",
            "18001533",
            "8179",
            "+65 8123 4567",
            "0065 8123 4567",
            "0161 234 5678",
            "427910358806214",
            "6204417739025518803",
            "+977310245",
            "+845310297",
            "++84977310245",
            "84977310245+",
            "0977310245x",
            "0477310245",
            "2437710462",
            "٠٩٧٧٣١٠٢٤٥",
            "0977/310/245",
        ];
        for given in rows {
            assert_eq!(normalise(given), None, "{given}");
        }
    }

    #[test]
    fn every_old_mobile_prefix_moves_to_its_new_one() {
        for (old, new) in OLD_MOBILE {
            for before in ["0", "84", "+84", "0084", "+84(0)"] {
                assert_eq!(normalise(&format!("{before}{old}7339186")), Some(format!("84{new}7339186")), "{before}{old}");
            }
        }
    }

    #[test]
    fn the_middle_of_a_number_is_hidden() {
        assert_eq!(mask("84977310245"), "849******45");
        assert_eq!(mask("8179"), "****");
    }

    proptest! {
        #[test]
        fn normalising_twice_is_normalising_once(text in "[0-9+ .()-]{0,20}") {
            if let Some(once) = normalise(&text) {
                prop_assert_eq!(normalise(&once), Some(once.clone()));
            }
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = (normalise(&text), mask(&text));
        }
    }
}
