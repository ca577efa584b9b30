//! The matrix as a table of GitHub Flavored Markdown.

use super::matrix::{Matrix, Row};
use super::words;

pub(super) fn render(matrix: &Matrix) -> String {
    let mut header = vec!["path".to_owned(), "methods".into(), "who may pass".into()];
    header.extend(matrix.scopes.iter().map(|scope| code(scope)));
    header.extend(["and".into(), "how".into()]);
    let columns = header.len();
    let mut text = line(&header);
    // The marks stand in the middle of their columns.
    let rule = (0..columns).map(
        |column| match (3..columns.saturating_sub(2)).contains(&column) {
            true => ":-:".to_owned(),
            false => "---".to_owned(),
        },
    );
    text.push_str(&line(&rule.collect::<Vec<_>>()));
    for row in &matrix.routes {
        text.push_str(&line(&cells(matrix, row)));
    }
    let mut last = vec![
        "anything else".to_owned(),
        "any".into(),
        words::unmatched(matrix.unmatched).into(),
    ];
    last.resize(columns, String::new());
    text.push_str(&line(&last));
    for note in words::notes(matrix) {
        text.push('\n');
        text.push_str(note);
        text.push('\n');
    }
    text
}

fn cells(matrix: &Matrix, row: &Row) -> Vec<String> {
    let mut cells = vec![
        code(&row.path),
        plain(&words::methods(row)),
        words::who(row.access).to_owned(),
    ];
    let marks = matrix.scopes.iter().map(|scope| row.mark(scope));
    cells.extend(marks.map(|mark| words::mark(mark).to_owned()));
    let conditions = words::conditions(row);
    let conditions: Vec<String> = conditions.iter().map(|text| code(text)).collect();
    cells.push(conditions.join("<br>"));
    cells.push(words::handling(row).join(", "));
    cells
}

fn line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

/// A code span (CommonMark 0.31 section 6.1). What such a span cannot hold in a table is plain text.
fn code(text: &str) -> String {
    let text = words::visible(text);
    if text.is_empty() || text.contains(['`', '\\']) || text.trim() != text {
        return plain(&text);
    }
    // GFM section 4.10: a bar ends a cell in a code span too, unless it is escaped.
    format!("`{}`", text.replace('|', "\\|"))
}

/// Text that means itself (CommonMark 0.31 section 2.4: a backslash before any ASCII punctuation).
fn plain(text: &str) -> String {
    let text = words::visible(text);
    let is_special = |character: char| {
        character.is_ascii_punctuation()
            && !matches!(
                character,
                ',' | '.' | '/' | ':' | '-' | '"' | '\'' | '(' | ')'
            )
    };
    let mut shown = String::new();
    for character in text.chars() {
        if is_special(character) {
            shown.push('\\');
        }
        shown.push(character);
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_ends_where_it_ends() {
        assert_eq!(code("/a/{*rest}"), "`/a/{*rest}`");
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`|b"), "a\\`\\|b");
        assert_eq!(code("a\\|b"), "a\\\\\\|b");
        assert_eq!(code("a\nb"), "a\\\\nb");
        assert_eq!(plain("<b>&amp;_x_ *y*"), "\\<b\\>\\&amp\\;\\_x\\_ \\*y\\*");
    }
}
