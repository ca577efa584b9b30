//! A policy that the command line names.

use std::path::Path;

use scopegate_core::{InvalidPolicy, Policy};

use crate::diagnostic::{Diagnostic, Severity, text};
use crate::document::Document;
use crate::place::{Place, Places};
use crate::streams::Streams;

/// More than the largest policy: what is larger than that is told by the core in its own words.
const MAX_READ: usize = 2 * 1024 * 1024;

/// The text of a policy.
///
/// # Errors
/// It cannot be read.
pub fn read(path: &Path, streams: &mut Streams) -> anyhow::Result<Document> {
    Document::read(path, MAX_READ, streams)
}

/// The policy, for a command that can do nothing without. Its problems are shown in the log otherwise.
///
/// # Errors
/// There is none.
pub fn required(document: &Document, streams: &mut Streams) -> anyhow::Result<Option<Policy>> {
    Ok(placed(document, streams)?.map(|(policy, _)| policy))
}

/// The same, with the places of what it says.
///
/// # Errors
/// There is none.
pub fn placed<'d>(
    document: &'d Document,
    streams: &mut Streams,
) -> anyhow::Result<Option<(Policy, Places<'d>)>> {
    match Policy::parse_with_tree(&document.text) {
        Ok((policy, tree)) => Ok(Some((policy, Places::new(&document.text, tree)))),
        Err(invalid) => {
            let shown = text::render(document, &problems(&invalid));
            streams.log().write_all(shown.as_bytes())?;
            Ok(None)
        }
    }
}

/// The problems of a policy that the core refuses.
pub fn problems(invalid: &InvalidPolicy) -> Vec<Diagnostic> {
    let problems = invalid.problems.iter().map(|problem| Diagnostic {
        severity: Severity::Error,
        code: problem.code(),
        message: problem.message(),
        remedy: problem.remedy(),
        place: Some(Place {
            line: problem.line,
            column: problem.column,
            length: problem.length,
        }),
        related: Vec::new(),
    });
    let untold = (invalid.untold > 0).then(|| Diagnostic {
        severity: Severity::Error,
        code: "too-many-problems",
        message: format!("{} more problems are not shown", invalid.untold),
        remedy: "mend these first".into(),
        place: None,
        related: Vec::new(),
    });
    problems.chain(untold).collect()
}
