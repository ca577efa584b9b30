//! Specifications that the command line names, and what it says of them. They are read by `scopegate-openapi`.

mod given;

use std::path::Path;

use clap::ValueEnum;
pub(crate) use given::{Given, GivenIssuers};
use scopegate_openapi::{InvalidSpecification, MAX_SPECIFICATION_BYTES, Specification};

use crate::document::Document;
use crate::streams::Streams;

/// What an operation means for which the document declares no security at all, as the command line says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Undeclared {
    /// Nothing: it is left out, and so refused
    LeaveOut,
    /// Anybody may pass
    Public,
    /// A valid token is needed, of any issuer and with any scope
    Authenticated,
}

impl From<Undeclared> for scopegate_openapi::Undeclared {
    fn from(meaning: Undeclared) -> Self {
        match meaning {
            Undeclared::LeaveOut => Self::LeaveOut,
            Undeclared::Public => Self::Public,
            Undeclared::Authenticated => Self::Authenticated,
        }
    }
}

/// Reads the specification of that name.
///
/// # Errors
/// It cannot be read, or is no specification that can be used.
pub(crate) fn required(
    path: &Path,
    streams: &mut Streams,
) -> anyhow::Result<(Document, Specification)> {
    let document = Document::read(path, MAX_SPECIFICATION_BYTES, streams)?;
    match scopegate_openapi::specification(&document.text) {
        Ok(specification) => Ok((document, specification)),
        Err(invalid) => {
            let InvalidSpecification {
                message,
                remedy,
                place,
            } = invalid;
            let place = match place {
                Some(place) => format!(":{}:{}", place.line, place.column),
                None => String::new(),
            };
            anyhow::bail!("{}{place}: {message}; {remedy}", document.name)
        }
    }
}
