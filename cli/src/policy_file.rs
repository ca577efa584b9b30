//! A policy that the command line names.

use std::path::Path;

use scopegate_core::{InvalidPolicy, Policy};
use scopegate_yaml::Node;

use crate::diagnostic::{Diagnostic, Severity, text};
use crate::document::Document;
use crate::place::{self, Place, Places};
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
    Ok(looked_at(document, streams, |_| ())?.map(|(policy, ())| policy))
}

/// The same, with the places of what it says.
///
/// # Errors
/// There is none.
pub fn placed<'d>(
    document: &'d Document,
    streams: &mut Streams,
) -> anyhow::Result<Option<(Policy, Places<'d>)>> {
    let read = looked_at(document, streams, Node::clone)?;
    Ok(read.map(|(policy, tree)| (policy, Places::new(&document.text, tree))))
}

/// The same, with the lines of its routes alone: a tenth of the work for a large policy.
///
/// # Errors
/// There is none.
pub fn with_lines(
    document: &Document,
    streams: &mut Streams,
) -> anyhow::Result<Option<(Policy, Vec<u32>)>> {
    looked_at(document, streams, place::route_lines)
}

fn looked_at<T>(
    document: &Document,
    streams: &mut Streams,
    look: impl FnOnce(&Node) -> T,
) -> anyhow::Result<Option<(Policy, T)>> {
    match Policy::parse_with(&document.text, look) {
        Ok(read) => Ok(Some(read)),
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
