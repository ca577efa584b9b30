//! What is wrong with a text, and where, in the forms in which people and programs read that.

pub mod json;
pub mod sarif;
pub mod text;

use crate::place::Place;

/// One thing that is wrong, or looks wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What kind of thing it is: a stable word for programs.
    pub code: &'static str,
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to write instead.
    pub remedy: String,
    /// Where; nothing for the whole text.
    pub place: Option<Place>,
    /// What else has to do with it, and where that stands.
    pub related: Vec<(Place, String)>,
}

/// How bad a thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// No gate takes the policy.
    Error,
    /// The policy is one, and most likely not the one that was meant.
    Warning,
}

impl Severity {
    /// Its word.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}
