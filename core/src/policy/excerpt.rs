//! The piece of the policy text that an error shows, and other texts made short enough to print.

use std::borrow::Cow;

use super::yaml::Place;

/// The most characters of somebody's text that an error shows.
const MAX_SHOWN: usize = 60;

/// What stands at that place: the scalar, or the list or mapping as far as its line goes.
pub(super) fn at(text: &str, place: Place) -> Cow<'_, str> {
    let Some((before, rest)) = around(text, place) else {
        return "".into();
    };
    match place.scalar_of(text) {
        Some(scalar) if !rest.starts_with(['[', '{']) => {
            scalar.lines().next().unwrap_or_default().into()
        }
        // Nothing stands behind the colon: the field itself is what is wrong.
        _ if rest.starts_with(':') => {
            let key = before.rsplit([' ', '{', ',']).next().unwrap_or_default();
            format!("{key}:").into()
        }
        _ => bracketed(rest).trim_end().into(),
    }
}

/// A text for an error: cut, and without anything that would disturb a log.
pub(super) fn shown(text: &str) -> String {
    let mut short = String::new();
    for (count, character) in text.chars().enumerate() {
        if count >= MAX_SHOWN {
            short.push('…');
            break;
        }
        if character.is_control() {
            short.extend(character.escape_default());
        } else {
            short.push(character);
        }
    }
    short
}

/// Words to choose from: `` `a`, `b` or `c` ``.
pub(super) fn choice(words: &[&str]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| format!("`{}`", shown(word)))
        .collect();
    match quoted.split_last() {
        None => "nothing".into(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
    }
}

/// The line of that place, before it and from it on.
fn around(text: &str, place: Place) -> Option<(&str, &str)> {
    let line = usize::try_from(place.line.checked_sub(1)?).ok()?;
    let column = usize::try_from(place.column.checked_sub(1)?).ok()?;
    let line = text.lines().nth(line)?;
    let start = line.char_indices().nth(column).map(|(start, _)| start)?;
    line.split_at_checked(start)
}

/// The list or mapping in brackets that stands first, up to its closing bracket; everything when there is none.
fn bracketed(rest: &str) -> &str {
    let mut depth = 0_usize;
    for (place, character) in rest.char_indices() {
        match character {
            '[' | '{' => depth = depth.saturating_add(1),
            ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return match character {
                ']' | '}' => rest.get(..=place).unwrap_or(rest),
                _ => rest.split(" #").next().unwrap_or(rest),
            };
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_a_control_character_escaped() {
        assert_eq!(shown("short"), "short");
        assert_eq!(shown(&"ä".repeat(61)), format!("{}…", "ä".repeat(60)));
        assert_eq!(shown("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
    }

    #[test]
    fn a_list_is_shown_to_its_bracket() {
        assert_eq!(bracketed("[] }"), "[]");
        assert_eq!(bracketed("{ any: [a, [b]] }, x"), "{ any: [a, [b]] }");
        assert_eq!(bracketed("[a,"), "[a,");
        assert_eq!(bracketed("path: /x  # why"), "path: /x ");
    }

    #[test]
    fn words_are_listed_as_one_would_say_them() {
        assert_eq!(choice(&["a"]), "`a`");
        assert_eq!(choice(&["a", "b", "c"]), "`a`, `b` or `c`");
    }
}
