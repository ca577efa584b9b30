//! What stands in a cell, in words.

use std::borrow::Cow;

use super::matrix::{Mark, Matrix, PreflightOutcome, Row, Unmatched, Who};

/// The methods of a route.
pub(super) fn methods(row: &Row) -> String {
    match row.methods.as_slice() {
        [] => "any".into(),
        named => named.join(", "),
    }
}

pub(super) fn who(who: Who) -> &'static str {
    match who {
        Who::Public => "public",
        Who::Authenticated => "authenticated",
        Who::AllOf => "all of",
        Who::AnyOf => "any of",
    }
}

/// Filled where every scope is wanted, hollow where one is enough.
pub(super) fn mark(mark: Option<Mark>) -> &'static str {
    match mark {
        Some(Mark::All) => "●",
        Some(Mark::Any) => "○",
        None => "",
    }
}

/// Who may pass and with which scopes, where there is no room for a column of each.
pub(super) fn demand(row: &Row) -> String {
    match row.scopes.as_slice() {
        [] => who(row.access).into(),
        [one] => one.clone(),
        scopes => format!("{} {}", who(row.access), scopes.join(", ")),
    }
}

/// What else a route asks, each in a line of its own.
pub(super) fn conditions(row: &Row) -> Vec<String> {
    let mut lines = Vec::new();
    if row.own_issuers {
        lines.push(format!("issuer {}", row.issuers.join(" or ")));
    }
    if let Some(audiences) = &row.audiences {
        lines.push(format!("audience {}", audiences.join(" or ")));
    }
    lines.extend(row.claims.iter().cloned());
    lines
}

/// What is special about how it is carried out.
pub(super) fn handling(row: &Row) -> Vec<&'static str> {
    let mut words = Vec::new();
    if row.shadow {
        words.push("shadow");
    }
    // No token is expected where everyone passes: what is special there is that one is handed on.
    match (row.access, row.strips_token) {
        (Who::Public, true) | (Who::Authenticated | Who::AllOf | Who::AnyOf, false) => {}
        (Who::Public, false) => words.push("token kept"),
        (Who::Authenticated | Who::AllOf | Who::AnyOf, true) => words.push("token stripped"),
    }
    words
}

pub(super) fn unmatched(unmatched: Unmatched) -> &'static str {
    match unmatched {
        Unmatched::Refused => "refused",
        Unmatched::Passes => "passes (shadow)",
    }
}

/// What has to be known to read the matrix.
pub(super) fn notes(matrix: &Matrix) -> Vec<&'static str> {
    let mut notes = Vec::new();
    let has = |who: Who| matrix.routes.iter().any(|row| row.access == who);
    if has(Who::AllOf) || has(Who::AnyOf) {
        notes.push("● every scope so marked is wanted; ○ one of those so marked is enough.");
    }
    if matrix.routes.iter().any(|row| row.shadow) || matrix.unmatched == Unmatched::Passes {
        notes.push("shadow: decided and counted, never refused.");
    }
    if matrix.routes.iter().any(|row| !row.methods.is_empty()) {
        notes.push("GET takes HEAD too, unless a route of the same path names HEAD.");
    }
    if matrix.preflight == PreflightOutcome::Passes {
        notes.push(
            "A CORS preflight passes without a token where a route takes the method it asks for, unless a route names OPTIONS.",
        );
    }
    notes
}

/// A text for a terminal or a line: what would move the cursor or turn the direction shows as an escape.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let moves = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(moves) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::new();
    for character in text.chars() {
        match moves(character) {
            true => shown.extend(character.escape_default()),
            false => shown.push(character),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use scopegate_core::outline::{ClaimRule, ClaimTest};
    use serde_json::json;

    use super::*;

    #[test]
    fn rules_are_told_with_the_type_of_their_values() {
        let told = |path: &[&str], test| {
            let claim = path.iter().map(|&name| name.to_owned()).collect();
            ClaimRule { claim, test }.to_string()
        };
        assert_eq!(
            told(&["org"], ClaimTest::Equals(json!("1"))),
            "org is \"1\""
        );
        assert_eq!(told(&["org"], ClaimTest::Equals(json!(1))), "org is 1");
        assert_eq!(
            told(&["org"], ClaimTest::OneOf(vec![json!(1), json!(true)])),
            "org is one of 1, true"
        );
        assert_eq!(
            told(&["realm", "roles"], ClaimTest::Contains(json!("a"))),
            "realm → roles contains \"a\""
        );
        assert_eq!(told(&["org"], ClaimTest::Exists(false)), "org is not there");
    }

    #[test]
    fn nothing_moves_the_cursor() {
        assert_eq!(visible("plain ä"), "plain ä");
        assert_eq!(visible("a\u{1b}[2J\n\u{202e}b"), "a\\u{1b}[2J\\n\\u{202e}b");
    }
}
