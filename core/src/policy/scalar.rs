//! The small shapes of the policy file. Each keeps apart what YAML keeps apart: a number is no text, and a field that is left
//! blank is no absent field.

use serde_json::{Number, Value as Json, json};

use super::error::Problems;
use super::read::{Read, items, shape, wrong_type};
use super::route::scope_schema;
use super::schema::{Schema, some, some_text};
use super::yaml::{Node, Spanned, Value};

/// One text, number or truth value. Blank is its own case, so that the field can say what it wants.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Text(String),
    Number(Number),
    Truth(bool),
    Blank,
}

impl Scalar {
    /// The truth value, if it is one. `yes` and `"true"` are texts.
    pub(super) fn as_truth(&self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(*truth),
            Self::Text(_) | Self::Number(_) | Self::Blank => None,
        }
    }

    /// The JSON value; none for a blank.
    pub(super) fn into_json(self) -> Option<Json> {
        match self {
            Self::Text(text) => Some(Json::String(text)),
            Self::Number(number) => Some(Json::Number(number)),
            Self::Truth(truth) => Some(Json::Bool(truth)),
            Self::Blank => None,
        }
    }
}

impl Read for Scalar {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::Text(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Number(number)),
            Value::Truth(truth) => Some(Self::Truth(truth)),
            Value::Blank => Some(Self::Blank),
            Value::List(_) | Value::Mapping(_) => {
                wrong_type(&node, "a text, a number, `true` or `false`", problems)
            }
        }
    }
}

/// What rules compare with.
impl Schema for Scalar {
    fn schema() -> Json {
        json!({ "type": ["string", "number", "boolean"] })
    }
}

/// `[a, b]` or `{ any: [a, b] }`.
#[derive(Clone, Debug)]
pub(super) enum Scopes {
    All(Vec<Spanned<String>>),
    Any(Vec<Spanned<String>>),
    /// Something else. A single text would read well, but then `a b` would look like two scopes.
    Malformed,
}

shape! {
    AnyOf {
        /// The scopes of which a token must have one. The first is named in the challenge.
        any: Vec<Spanned<String>> => some(scope_schema()),
    }
    json!({ "required": ["any"] })
}

impl Schema for Scopes {
    fn schema() -> Json {
        json!({ "oneOf": [some(scope_schema()), AnyOf::schema()] })
    }
}

impl Read for Scopes {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::List(nodes) => items(nodes, problems).map(Self::All),
            Value::Mapping(_) => {
                let AnyOf { any } = AnyOf::read(node, problems)?;
                Some(Self::Any(any.map(|list| list.value).unwrap_or_default()))
            }
            Value::Text(_) | Value::Blank => Some(Self::Malformed),
            Value::Number(_) | Value::Truth(_) => {
                wrong_type(&node, "a list of scopes, or `{ any: […] }`", problems)
            }
        }
    }
}

/// A claim's name, or the names on the way to it.
#[derive(Clone, Debug)]
pub(super) struct ClaimPath(pub(super) Vec<String>);

impl Read for ClaimPath {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::Text(name) => Some(Self(vec![name])),
            Value::List(nodes) => {
                let names: Vec<Spanned<String>> = items(nodes, problems)?;
                Some(Self(names.into_iter().map(|name| name.value).collect()))
            }
            _ => wrong_type(
                &node,
                "the name of a claim, or a list of names that leads to it",
                problems,
            ),
        }
    }
}

impl Schema for ClaimPath {
    fn schema() -> Json {
        json!({ "oneOf": [some_text(), some(some_text())] })
    }
}
