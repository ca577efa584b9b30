//! What an OpenAPI 3.0 or 3.1 document says about who may do what: its operations, where they are served, and what they demand.
//!
//! Only what stands in the document itself counts: a reference elsewhere is told, never fetched. What cannot be understood is told with the
//! operation that has it, and never guessed.

mod demand;
mod given;
mod read;
mod reference;
mod scheme;
mod security;
mod server;
mod specification;
mod spot;
mod template;
mod tree;

use std::path::Path;

pub(crate) use demand::{Demand, Issuers, Leniency, Undeclared, Unsaid, demand};
pub(crate) use given::{Given, GivenIssuers};
pub(crate) use scheme::Scheme;
pub(crate) use specification::{Operation, Specification};
pub(crate) use spot::{Lines, Spot};
pub(crate) use template::{Witness, joined, pattern_text};

use crate::document::Document;
use crate::place::Place;
use crate::streams::Streams;

/// Why a text is no specification that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InvalidSpecification {
    /// What is wrong, in a sentence.
    pub(crate) message: String,
    /// What to give instead.
    pub(crate) remedy: &'static str,
    /// Where, if it is somewhere.
    pub(crate) place: Option<Place>,
}

/// Reads the specification of that name.
///
/// # Errors
/// It cannot be read, or is no specification that can be used.
pub(crate) fn required(
    path: &Path,
    streams: &mut Streams,
) -> anyhow::Result<(Document, Specification)> {
    let document = Document::read(path, read::MAX_SPECIFICATION_BYTES, streams)?;
    match specification(&document.text) {
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

/// The specification that a text is.
pub(crate) fn specification(text: &str) -> Result<Specification, InvalidSpecification> {
    specification::of(&read::tree(text)?)
}

#[cfg(test)]
mod tests;
