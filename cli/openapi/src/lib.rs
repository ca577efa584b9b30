//! What an OpenAPI 3.0 or 3.1 document says about who may do what: its operations, where they are served, and what they demand.
//!
//! Only what stands in the document itself counts: a reference elsewhere is told, never fetched. What cannot be understood is told with the
//! operation that has it, and never guessed.

mod demand;
mod read;
mod reference;
mod scheme;
mod security;
mod server;
mod specification;
mod spot;
mod template;
mod tree;

pub use demand::{Demand, Issuers, Leniency, Undeclared, Unsaid, demand};
pub use read::MAX_SPECIFICATION_BYTES;
pub use reference::Unresolved;
pub use scheme::Scheme;
pub use security::{Alternative, Requirement, Security};
pub use server::NoBasePath;
pub use specification::{Operation, Specification, UnresolvedItem};
pub use spot::{Lines, Place, Spot};
pub use template::{Witness, joined, pattern_text};

/// Why a text is no specification that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidSpecification {
    /// What is wrong, in a sentence.
    pub message: String,
    /// What to give instead.
    pub remedy: &'static str,
    /// Where, if it is somewhere.
    pub place: Option<Place>,
}

/// The specification that a text is: JSON if its first character is `{`, else YAML.
///
/// # Errors
/// It is neither, is nested too deep or has too many values, or is no OpenAPI 3.0 or 3.1 document.
pub fn specification(text: &str) -> Result<Specification, InvalidSpecification> {
    specification::of(&read::tree(text)?)
}

#[cfg(test)]
mod tests;
