//! One JSON object, read whole, and what can be seen in it.

use serde_json::Number;

use super::InvalidJson;
use super::reader;
use crate::octets::are_same;

/// A JSON object (RFC 8259 section 4) with all that is in it, in two pieces of memory however much that is.
///
/// A token brings some thirty names and values. In a tree of maps and strings each would be an allocation: to be made for every token
/// that is seen for the first time, and to be given back for every one that leaves the token cache. Two that differ in the order of their
/// members are not equal.
#[derive(Clone, PartialEq)]
pub(crate) struct Object {
    /// Names and strings, one behind the other.
    pub(super) text: String,
    /// The object itself, then its names and values in the order in which they were written.
    pub(super) nodes: Vec<Node>,
}

/// A value, or the name before one. What an array or an object holds comes right behind it.
///
/// The token cache holds some twenty of them for each token, so they are small: a number comes without its alignment.
#[derive(Clone, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    /// The octets of a `u64`.
    Unsigned([u8; 8]),
    /// The octets of an `i64`.
    Signed([u8; 8]),
    /// The octets of an `f64`.
    Float([u8; 8]),
    String(Span),
    Array(Inside),
    Object(Inside),
    Name(Span),
}

const _: () = assert!(size_of::<Node>() == 12);

/// A part of the text.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// How many of the nodes behind a node belong to it.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Inside(pub(super) u32);

/// A value (RFC 8259 section 3) as it stands in an [`Object`].
#[derive(Clone)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    String(&'a str),
    Array(Elements<'a>),
    Object(Members<'a>),
}

/// The values of an array.
#[derive(Clone, Copy)]
pub(crate) struct Elements<'a>(Nodes<'a>);

/// The names and values of an object. No name comes twice.
#[derive(Clone, Copy)]
pub(crate) struct Members<'a>(Nodes<'a>);

/// Nodes that have not been looked at.
#[derive(Clone, Copy)]
struct Nodes<'a> {
    text: &'a str,
    nodes: &'a [Node],
}

impl Inside {
    fn nodes(self) -> usize {
        self.0 as usize
    }
}

impl Span {
    pub(super) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    fn of(self, text: &str) -> Option<&str> {
        text.get(self.start as usize..self.end as usize)
    }

    /// The same without a look at where its characters begin and end: enough to compare.
    pub(super) fn octets(self, text: &str) -> &[u8] {
        let octets = text.as_bytes().get(self.start as usize..self.end as usize);
        octets.unwrap_or_default()
    }
}

impl Object {
    /// The one object that `bytes` hold.
    ///
    /// # Errors
    /// The first thing that makes the text ambiguous, too deep, or no JSON object at all.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, InvalidJson> {
        reader::read(bytes)
    }

    /// Names and values.
    pub(crate) fn members(&self) -> Members<'_> {
        let nodes = self.nodes.get(1..).unwrap_or_default();
        let text = &self.text;
        Members(Nodes { text, nodes })
    }

    /// The value of a name, if the object has it.
    pub(crate) fn get(&self, name: &str) -> Option<Value<'_>> {
        self.members().get(name)
    }

    /// The object as `serde_json` has it.
    #[cfg(test)]
    pub(crate) fn to_json(&self) -> serde_json::Value {
        Value::Object(self.members()).to_json()
    }

    /// Gives back the memory that was asked for and is not needed.
    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.nodes.shrink_to_fit();
    }

    /// How many octets this holds on the heap once it has shrunk.
    pub(crate) fn size(&self) -> usize {
        let nodes = self.nodes.len().saturating_mul(size_of::<Node>());
        nodes.saturating_add(self.text.len())
    }

    /// How many it holds now.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        let nodes = self.nodes.capacity().saturating_mul(size_of::<Node>());
        nodes.saturating_add(self.text.capacity())
    }
}

#[expect(
    clippy::wrong_self_convention,
    reason = "no larger than two references, and `Copy` but for the number of `serde_json`"
)]
impl<'a> Value<'a> {
    /// The value as `serde_json` has it.
    pub(crate) fn to_json(self) -> serde_json::Value {
        match self {
            Self::Null => serde_json::Value::Null,
            Self::Bool(value) => value.into(),
            Self::Number(number) => number.into(),
            Self::String(text) => text.into(),
            Self::Array(elements) => elements.map(Self::to_json).collect(),
            Self::Object(members) => members
                .map(|(name, value)| (name, value.to_json()))
                .collect(),
        }
    }

    /// The text, if this is a string.
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The values in it, if this is an array.
    pub(crate) fn as_array(self) -> Option<Elements<'a>> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The names and values in it, if this is an object.
    pub(crate) fn as_object(self) -> Option<Members<'a>> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }
}

impl<'a> Members<'a> {
    /// The value of a name, if the object has it.
    pub(crate) fn get(self, name: &str) -> Option<Value<'a>> {
        let Self(Nodes { text, mut nodes }) = self;
        while let [Node::Name(known), behind @ ..] = nodes {
            if known.len() == name.len() && are_same(known.octets(text), name.as_bytes()) {
                let nodes = behind;
                return Nodes { text, nodes }.value();
            }
            nodes = match behind {
                [Node::Array(inside) | Node::Object(inside), rest @ ..] => {
                    rest.get(inside.nodes()..)?
                }
                [_, rest @ ..] => rest,
                [] => return None,
            };
        }
        None
    }
}

impl<'a> Elements<'a> {
    /// Whether all of them are strings; so are those of an empty array.
    pub(crate) fn are_strings(mut self) -> bool {
        self.all(|element| element.as_str().is_some())
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        self.0.value()
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<(&'a str, Value<'a>)> {
        let (Node::Name(name), rest) = self.0.nodes.split_first()? else {
            return None;
        };
        self.0.nodes = rest;
        Some((name.of(self.0.text)?, self.0.value()?))
    }
}

impl<'a> Nodes<'a> {
    /// The first value, with all that is in it.
    fn value(&mut self) -> Option<Value<'a>> {
        let (first, rest) = self.nodes.split_first()?;
        self.nodes = rest;
        Some(match first {
            Node::Null => Value::Null,
            Node::Bool(value) => Value::Bool(*value),
            Node::Unsigned(octets) => Value::Number(u64::from_ne_bytes(*octets).into()),
            Node::Signed(octets) => Value::Number(i64::from_ne_bytes(*octets).into()),
            Node::Float(octets) => Value::Number(Number::from_f64(f64::from_ne_bytes(*octets))?),
            Node::String(span) => Value::String(span.of(self.text)?),
            Node::Array(inside) => Value::Array(Elements(self.split(*inside)?)),
            Node::Object(inside) => Value::Object(Members(self.split(*inside)?)),
            Node::Name(_) => return None,
        })
    }

    fn split(&mut self, inside: Inside) -> Option<Self> {
        let (nodes, rest) = self.nodes.split_at_checked(inside.nodes())?;
        self.nodes = rest;
        Some(Self { nodes, ..*self })
    }
}
