//! Vietnamese phone numbers in any spelling, shown as `84…`.

/// Brings a phone number in any Vietnamese spelling to the form `84…`; `None` when the text is no Vietnamese number.
pub fn normalise(_text: &str) -> Option<String> {
    None
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
