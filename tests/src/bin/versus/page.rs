//! The tables in `docs/versus-jwt-authn.md`. Everything else on the page is written by hand.

use std::fmt::Write as _;

use anyhow::{Context, Result};
use e2e::corpus::Runner;

use crate::comparison::{Found, Tried};
use crate::disagreement::Kind;
use crate::explanations::{Explained, Right};

const VERSION: &str = "Seen in Envoy ";

/// The page with its tables as they are now.
pub(crate) fn write(old: &str, tried: &Tried, explained: &[Explained]) -> Result<String> {
    let page = replace(old, "counts", &counts(tried, explained)?)?;
    let page = replace(&page, "disagreements", &disagreements(explained)?)?;
    replace(&page, "left out", &left_out(tried)?)
}

/// The version that the page is about, where it is another one.
pub(crate) fn other_version(page: &str, envoy: &str) -> Option<String> {
    let (_, rest) = page.split_once(VERSION)?;
    let version = rest.split([':', ' ']).next()?;
    (version != envoy).then(|| version.to_owned())
}

/// One sentence on all of it.
pub(crate) fn count(tried: &Tried) -> String {
    let mut cases: Vec<&str> = tried
        .found
        .iter()
        .map(|found| found.case.as_str())
        .collect();
    cases.dedup();
    format!(
        "{} cases over HTTP/1 and HTTP/2: {} agree, {} disagree; {} more cannot be compared",
        tried.compared,
        tried.compared - cases.len(),
        cases.len(),
        tried.left_out.len()
    )
}

fn counts(tried: &Tried, explained: &[Explained]) -> Result<String> {
    let mut text = format!("{VERSION}{}: {}.\n\n", tried.envoy, count(tried));
    text.push_str("| what differs | in all |");
    for right in Right::ALL {
        write!(text, " {} |", right.words())?;
    }
    text.push_str("\n|---|--:|--:|--:|--:|--:|\n");
    let number = |kind: Option<Kind>, right: Option<Right>| -> usize {
        explained
            .iter()
            .filter(|explained| right.is_none_or(|right| explained.theme.right == right))
            .flat_map(|explained| &explained.found)
            .filter(|found| kind.is_none_or(|kind| found.disagreement.kind == kind))
            .count()
    };
    let rows = Kind::ALL.into_iter().map(|kind| (kind.words(), Some(kind)));
    for (words, kind) in rows.chain([("all", None)]) {
        write!(text, "| {words} | {} |", number(kind, None))?;
        for right in Right::ALL {
            write!(text, " {} |", number(kind, Some(right)))?;
        }
        text.push('\n');
    }
    Ok(text)
}

fn disagreements(explained: &[Explained]) -> Result<String> {
    let mut text = String::new();
    for kind in Kind::ALL {
        let mut heading = format!("### {}\n", capitalised(kind.words()));
        for Explained { theme, found } in explained {
            let found: Vec<&&Found> = found
                .iter()
                .filter(|found| found.disagreement.kind == kind)
                .collect();
            if found.is_empty() {
                continue;
            }
            // A kind without disagreements has no heading.
            text.push_str(&std::mem::take(&mut heading));
            write!(
                text,
                "\n**{}.** {} *{}.*\n\n",
                theme.theme,
                theme.why.trim(),
                verdict(theme.right)
            )?;
            text.push_str("| case | the case wants | native |\n|---|---|---|\n");
            for found in found {
                let d = &found.disagreement;
                let only = match found.only {
                    None => "",
                    Some(Runner::EnvoyHttp2) => " (HTTP/2)",
                    Some(_) => " (HTTP/1)",
                };
                let cells = [
                    format!("{}{only}", found.case),
                    d.expected.clone(),
                    d.native.clone(),
                ];
                let [case, expected, native] = cells.map(|cell| cell.replace('|', "\\|"));
                writeln!(text, "| {case} | {expected} | {native} |")?;
            }
        }
        if heading.is_empty() {
            text.push('\n');
        }
    }
    Ok(text.trim_end().to_owned() + "\n")
}

fn verdict(right: Right) -> String {
    match right {
        Right::Inexpressible => "The native filters cannot express it".to_owned(),
        right => format!("Right: {}", right.words()),
    }
}

fn left_out(tried: &Tried) -> Result<String> {
    let mut text = "| case | why |\n|---|---|\n".to_owned();
    for (case, reason) in &tried.left_out {
        writeln!(text, "| {case} | {} |", reason.trim())?;
    }
    Ok(text)
}

fn capitalised(words: &str) -> String {
    let mut letters = words.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// Puts `text` between the two marks of that name.
fn replace(page: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (
        format!("<!-- {name}: written by `cargo xtask versus` -->"),
        format!("<!-- end of {name} -->"),
    );
    let (before, rest) = page
        .split_once(&begin)
        .with_context(|| format!("the page lacks {begin:?}"))?;
    let (_, after) = rest
        .split_once(&end)
        .with_context(|| format!("the page lacks {end:?}"))?;
    Ok(format!("{before}{begin}\n\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_marks_is_written() {
        let page = "a\n<!-- x: written by `cargo xtask versus` -->\nold\n<!-- end of x -->\nb\n";
        let new = replace(page, "x", "new\n").unwrap();
        assert_eq!(
            new,
            "a\n<!-- x: written by `cargo xtask versus` -->\n\nnew\n\n<!-- end of x -->\nb\n"
        );
        assert_eq!(replace(&new, "x", "new\n").unwrap(), new);
        assert!(replace(page, "y", "").is_err());
    }

    #[test]
    fn a_page_about_another_version_is_known() {
        let page = format!("{VERSION}1.40.0: 1 cases");
        assert_eq!(other_version(&page, "1.40.0"), None);
        assert_eq!(other_version(&page, "1.37.1"), Some("1.40.0".to_owned()));
    }
}
