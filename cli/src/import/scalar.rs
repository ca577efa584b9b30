//! A text as a scalar of YAML that every reader takes for that text.

/// Words that some reader takes for a truth value or for nothing (YAML 1.1 and 1.2).
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// A text without quotes where that is safe, as in policies that people write; otherwise in double quotes, with escapes for what cannot be seen.
pub(super) fn scalar(text: &str) -> String {
    match is_plain(text) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// Whether it is a text without quotes too, in a flow mapping as well: letters and signs that have no meaning in YAML. A colon has none where a letter or
/// a sign follows.
fn is_plain(text: &str) -> bool {
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/');
    let fits =
        |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '/' | '_' | '.' | ':' | '-');
    let is_word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    starts && text.chars().all(fits) && !text.ends_with(':') && !is_word
}

/// In double quotes (YAML 1.2.2 section 5.7).
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for sign in text.chars() {
        match sign {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            _ if is_visible(sign) => quoted.push(sign),
            _ => quoted.push_str(&format!("\\U{:08X}", u32::from(sign))),
        }
    }
    quoted.push('"');
    quoted
}

/// A text as it can stand in a comment: nothing in it ends the line.
pub(super) fn comment(text: &str) -> String {
    text.chars()
        .map(|sign| match is_visible(sign) {
            true => sign,
            false => '?',
        })
        .collect()
}

/// Whether people see it as it is. What they do not may end a line for some reader, or turn its direction.
fn is_visible(sign: char) -> bool {
    matches!(sign, '"' | '\'' | '\\') || sign.escape_debug().eq(std::iter::once(sign))
}
