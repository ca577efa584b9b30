//! Pieces of YAML that every reader takes alike: what a version of YAML could take for something else stands in quotes.

use anyhow::bail;
use scopegate_yaml::{Node, Value};

/// Above this, not every integer is a number of JSON's readers (RFC 8259 section 6): Go and JavaScript round them.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Words that are no texts to one version of YAML or another.
const WORDS: [&str; 9] = ["true", "false", "yes", "no", "on", "off", "y", "n", "null"];

/// A text as a scalar.
pub(crate) fn scalar(text: &str) -> String {
    let first = |octet: u8| octet.is_ascii_alphabetic() || octet == b'_' || octet == b'/';
    let other = |octet: u8| octet.is_ascii_alphanumeric() || b"_-./".contains(&octet);
    let plain = text.bytes().next().is_some_and(first)
        && text.bytes().all(other)
        && !WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    match plain {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A text in double quotes, as in JSON, which is YAML and TOML too.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = serde_json::Value::from(text).to_string();
    // JSON takes them as they are, the others do not.
    for (character, escape) in [
        ('\u{7f}', "\\u007F"),
        ('\u{85}', "\\u0085"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
        ('\u{feff}', "\\uFEFF"),
    ] {
        quoted = quoted.replace(character, escape);
    }
    quoted
}

/// A text for a comment: whatever it holds, it ends with the line.
pub(crate) fn comment(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    text.replace(odd, "?")
}

/// The same lines, each so many spaces further to the right.
pub(crate) fn indented(text: &str, depth: usize) -> String {
    let mut indented = String::new();
    for line in text.lines() {
        // An empty line needs no spaces to stay empty.
        let depth = if line.is_empty() { 0 } else { depth };
        indented.push_str(&format!("{:depth$}{line}\n", ""));
    }
    indented
}

/// A value as a block, without its comments, in the order of the text.
///
/// # Errors
/// It holds a number that readers of JSON would round.
pub(crate) fn block(node: &Node) -> anyhow::Result<String> {
    let mut text = String::new();
    write_block(node, 0, &mut text)?;
    Ok(text)
}

fn write_block(node: &Node, depth: usize, text: &mut String) -> anyhow::Result<()> {
    match &node.value {
        Value::Mapping(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                text.push_str(&format!("{:depth$}{}:", "", scalar(&key.value)));
                write_value(value, depth, text)?;
            }
        }
        Value::List(items) if !items.is_empty() => {
            for item in items {
                // Its first line stands beside the dash.
                let mut lines = String::new();
                match is_deep(item) {
                    true => write_block(item, depth.saturating_add(2), &mut lines)?,
                    false => lines = format!("{:depth$}  {}\n", "", flow(item)?),
                }
                let lines = lines.trim_start_matches(' ');
                text.push_str(&format!("{:depth$}- {lines}", ""));
            }
        }
        _ => text.push_str(&format!("{:depth$}{}\n", "", flow(node)?)),
    }
    Ok(())
}

/// What stands behind a key: what is short in the same line.
fn write_value(node: &Node, depth: usize, text: &mut String) -> anyhow::Result<()> {
    if is_deep(node) {
        text.push('\n');
        return write_block(node, depth.saturating_add(2), text);
    }
    text.push_str(&format!(" {}\n", flow(node)?));
    Ok(())
}

/// Whether something in it holds something again.
fn is_deep(node: &Node) -> bool {
    let holds = |node: &Node| matches!(node.value, Value::Mapping(_) | Value::List(_));
    match &node.value {
        Value::Mapping(entries) => !entries.is_empty(),
        Value::List(items) => items.iter().any(holds),
        _ => false,
    }
}

fn flow(node: &Node) -> anyhow::Result<String> {
    Ok(match &node.value {
        Value::Blank => "null".into(),
        Value::Truth(truth) => truth.to_string(),
        Value::Number(number) => {
            if !number.is_f64() && number.as_f64().is_none_or(|float| float.abs() >= EXACT) {
                bail!(
                    "line {}: the number {number} would be rounded on its way to the filter; compare with a text if the issuer can send one",
                    node.place.line
                );
            }
            number.to_string()
        }
        Value::Text(text) => scalar(text),
        Value::List(items) => {
            let items: anyhow::Result<Vec<String>> = items.iter().map(flow).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Mapping(entries) => {
            let entries = entries.iter();
            let entries: anyhow::Result<Vec<String>> = entries
                .map(|(key, value)| Ok(format!("{}: {}", scalar(&key.value), flow(value)?)))
                .collect();
            match entries?.as_slice() {
                [] => "{}".into(),
                entries => format!("{{ {} }}", entries.join(", ")),
            }
        }
    })
}

/// The same value, as if it stood nowhere: for comparisons.
#[cfg(test)]
pub(crate) fn placeless(node: &Node) -> Node {
    use scopegate_yaml::{Place, Spanned};
    let value = match &node.value {
        Value::List(items) => Value::List(items.iter().map(placeless).collect()),
        Value::Mapping(entries) => {
            let mut entries: Vec<(Spanned<String>, Node)> = entries
                .iter()
                .map(|(key, value)| {
                    let key = Spanned {
                        value: key.value.clone(),
                        place: Place::NOWHERE,
                    };
                    (key, placeless(value))
                })
                .collect();
            entries.sort_by(|(one, _), (other, _)| one.value.cmp(&other.value));
            Value::Mapping(entries)
        }
        other => other.clone(),
    };
    Spanned {
        value,
        place: Place::NOWHERE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(text: &str) -> Node {
        scopegate_yaml::tree(text, &mut |_, fault| panic!("{fault:?}")).unwrap()
    }

    #[test]
    fn a_text_that_could_be_something_else_is_quoted() {
        for (text, expected) in [
            ("timesheets", "timesheets"),
            ("a.b-c/d_1", "a.b-c/d_1"),
            ("/timesheets", "/timesheets"),
            ("", "\"\""),
            ("on", "\"on\""),
            ("Yes", "\"Yes\""),
            ("NULL", "\"NULL\""),
            ("12", "\"12\""),
            ("1:30", "\"1:30\""),
            ("2024-01-01", "\"2024-01-01\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("/a/{id}", "\"/a/{id}\""),
            ("a\"b\\c\nd", "\"a\\\"b\\\\c\\nd\""),
            ("a\u{7f}\u{85}\u{2028}", "\"a\\u007F\\u0085\\u2028\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }

    #[test]
    fn a_block_says_what_the_text_said() {
        let text = "b: [1, x]\na:\n  - { k: v, 'on': ['1', 2.5, true] }\n  - []\n  - {}\n  - [[a]]\nc: ''\n";
        let expected = "b: [1, x]\na:\n  - k: v\n    \"on\": [\"1\", 2.5, true]\n  - []\n  - {}\n  - - [a]\nc: \"\"\n";
        let written = block(&tree(text)).unwrap();
        assert_eq!(written, expected);
        let again = block(&tree(&written)).unwrap();
        assert_eq!(again, written);
    }

    #[test]
    fn a_number_that_would_be_rounded_is_refused() {
        assert!(block(&tree("a: 9007199254740991")).is_ok());
        for number in [
            "9007199254740992",
            "-9007199254740993",
            "18446744073709551615",
        ] {
            let refused = block(&tree(&format!("a:\n  b: {number}"))).unwrap_err();
            assert!(refused.to_string().starts_with("line 2: "), "{refused}");
        }
    }
}
