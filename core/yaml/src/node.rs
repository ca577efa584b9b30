//! A YAML text as a tree: what stands where.

use granit_parser::{Marker, Span};
use serde_json::Number;

/// A place in the text. What does not fit into 32 bits is shown as the highest number that does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line, counted from 1; 0 for what stands nowhere.
    pub line: u32,
    /// The column, in characters, counted from 1; 0 for what stands nowhere.
    pub column: u32,
    /// The scalar there, in octets of the text; empty for a list, a mapping and a mere position.
    start: u32,
    end: u32,
}

impl Place {
    /// The place of what stands nowhere.
    pub const NOWHERE: Self = Self {
        line: 0,
        column: 0,
        start: 0,
        end: 0,
    };

    pub(crate) fn of_scalar(span: &Span) -> Self {
        let offset = |marker: &Marker| count(marker.byte_offset().unwrap_or_default());
        Self {
            start: offset(&span.start),
            end: offset(&span.end),
            ..Self::of_position(&span.start)
        }
    }

    pub(crate) fn of_position(marker: &Marker) -> Self {
        Self {
            line: count(marker.line()),
            column: count(marker.col()).saturating_add(1),
            ..Self::NOWHERE
        }
    }

    /// The text of the scalar, as it is written.
    pub fn scalar_of(self, text: &str) -> Option<&str> {
        let start = usize::try_from(self.start).ok()?;
        let end = usize::try_from(self.end).ok()?;
        text.get(start..end).filter(|scalar| !scalar.is_empty())
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A value of any kind, and where it stands.
pub type Node = Spanned<Value>;

/// What can stand at a place.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Blank,
    /// `true` or `false`.
    Truth(bool),
    /// A number that JSON has too.
    Number(Number),
    /// A text, in quotes or not.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// In the order of the text. No two keys are equal.
    Mapping(Vec<(Spanned<String>, Node)>),
}
