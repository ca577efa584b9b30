//! The matrix as one page of HTML, which needs nothing else. What comes from the policy is text in it, whatever it holds: the template
//! escapes it.

use askama::Template;

use super::matrix::{Mark, Matrix};
use super::words;

/// The page.
#[derive(Template)]
#[template(path = "routes.html")]
struct Page<'a> {
    matrix: &'a Matrix,
    summary: String,
    rows: Vec<Shown>,
    unmatched: &'static str,
    notes: Vec<&'static str>,
}

/// A route in words.
struct Shown {
    path: String,
    methods: String,
    who: &'static str,
    marks: Vec<Option<Mark>>,
    conditions: Vec<String>,
    handling: String,
}

pub(super) fn render(matrix: &Matrix) -> Result<String, askama::Error> {
    let rows = matrix.routes.iter().map(|row| {
        let scopes = matrix.scopes.iter();
        let conditions = words::conditions(row);
        let conditions = conditions.iter().map(|text| words::visible(text));
        Shown {
            path: words::visible(&row.path).into_owned(),
            methods: words::methods(row),
            who: words::who(row.access),
            marks: scopes.map(|scope| row.mark(scope)).collect(),
            conditions: conditions.map(Into::into).collect(),
            handling: words::handling(row).join(", "),
        }
    });
    let page = Page {
        matrix,
        summary: format!(
            "{}, {}. What no route takes: {}.",
            counted(matrix.routes.len(), "route"),
            counted(matrix.scopes.len(), "scope"),
            words::unmatched(matrix.unmatched),
        ),
        rows: rows.collect(),
        unmatched: words::unmatched(matrix.unmatched),
        notes: words::notes(matrix),
    };
    page.render()
}

fn counted(count: usize, what: &str) -> String {
    match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    }
}

#[cfg(test)]
mod tests {
    use html5gum::{Token, Tokenizer};
    use proptest::prelude::*;

    use super::super::matrix::{PreflightOutcome, Row, Unmatched, Who};
    use super::*;

    fn matrix(realm: &str, path: &str, method: &str, scope: &str, claim: &str) -> Matrix {
        Matrix {
            realm: realm.into(),
            scopes: vec![scope.into()],
            routes: vec![Row {
                path: path.into(),
                methods: vec![method.into()],
                access: Who::AllOf,
                scopes: vec![scope.into()],
                issuers: vec!["i".into()],
                own_issuers: true,
                audiences: Some(vec![claim.into()]),
                claims: vec![claim.into()],
                shadow: true,
                strips_token: true,
            }],
            unmatched: Unmatched::Refused,
            preflight: PreflightOutcome::Passes,
        }
    }

    /// The tags with their attributes, and the texts, as a browser reads them.
    fn read(page: &str) -> (Vec<String>, Vec<String>) {
        let (mut tags, mut texts) = (Vec::new(), Vec::new());
        for token in Tokenizer::new(page).flatten() {
            match token {
                Token::StartTag(tag) => tags.push(format!("{:?} {:?}", tag.name, tag.attributes)),
                Token::EndTag(tag) => tags.push(format!("/{:?}", tag.name)),
                Token::String(text) => texts.push(String::from_utf8_lossy(&text).into_owned()),
                other => tags.push(format!("{other:?}")),
            }
        }
        (tags, texts)
    }

    proptest! {
        #[test]
        fn whatever_a_policy_says_comes_out_as_text(
            realm in "[ -~]{1,12}",
            path in "(</?(script|style|td|title|code)>|&(amp|lt|#60);?|[<>&\"'/=a-z \\PC]){0,12}",
            method in "[!#$%&'*+.^_`|~A-Z]{1,8}",
            scope in "[!#-\\[\\]-~]{1,12}",
            claim in "(<!--|-->|]]>|<\\?|[<>&\"']|\\PC){0,12}",
        ) {
            let page = render(&matrix(&realm, &path, &method, &scope, &claim)).unwrap();
            let plain = render(&matrix("r", "p", "m", "s", "c")).unwrap();
            let (tags, texts) = read(&page);
            prop_assert_eq!(tags, read(&plain).0);
            for said in [&realm, &path, &method, &scope, &claim] {
                let said = words::visible(said);
                prop_assert!(texts.iter().any(|text| text.contains(&*said)), "{} is not there", said);
            }
        }
    }

    #[test]
    fn a_page_needs_nothing_else() {
        let page = render(&matrix("r", "p", "m", "s", "c")).unwrap();
        for outside in [
            "http://", "https://", "src=", "href=", "@import", "url(", "<script",
        ] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
