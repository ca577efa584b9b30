//! The parts of a specification that say who may do what, as a tree. All the rest, most of it schemas, is read over and not kept: of the 13 MB
//! of a large one some hundred kilobytes are left.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_saphyr::Spanned;

use crate::spot::Spot;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    List(Vec<Node>),
    /// In the order of the text. No two keys are equal.
    Mapping(Vec<(Key, Node)>),
    /// A truth value, nothing, or something that was not kept.
    Other,
}

/// The key of a mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) text: String,
    pub(crate) spot: Spot,
}

/// The methods that a path item can have (OpenAPI 3.1.1 section 4.8.9).
pub(crate) const METHODS: [(&str, &str); 8] = [
    ("get", "GET"),
    ("put", "PUT"),
    ("post", "POST"),
    ("delete", "DELETE"),
    ("options", "OPTIONS"),
    ("head", "HEAD"),
    ("patch", "PATCH"),
    ("trace", "TRACE"),
];

impl Node {
    /// The value of that key.
    pub(crate) fn value(&self, name: &str) -> Option<&Self> {
        let (_, value) = self.entries().iter().find(|(key, _)| key.text == name)?;
        Some(value)
    }

    /// The text of that key.
    pub(crate) fn text_of(&self, name: &str) -> Option<&str> {
        self.value(name)?.text()
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> Option<&[Self]> {
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a mapping; none of anything else.
    pub(crate) fn entries(&self) -> &[(Key, Self)] {
        match self {
            Self::Mapping(entries) => entries,
            _ => &[],
        }
    }
}

/// Which part of a specification a value is, and so what is kept of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Root,
    Components,
    Paths,
    PathItem,
    Operation,
    /// All of it.
    Whole,
    /// None of it.
    Nothing,
}

impl Part {
    fn of(self, key: &str) -> Self {
        match (self, key) {
            (Self::Root, "paths") | (Self::Components, "pathItems") => Self::Paths,
            (Self::Root, "components") => Self::Components,
            (Self::Root, "openapi" | "swagger" | "info" | "servers" | "security") => Self::Whole,
            (Self::Components, "securitySchemes") => Self::Whole,
            (Self::Paths, _) => Self::PathItem,
            (Self::PathItem, "$ref" | "servers") => Self::Whole,
            (Self::PathItem, _) if METHODS.iter().any(|(name, _)| *name == key) => Self::Operation,
            (Self::Operation, "servers" | "security") => Self::Whole,
            (Self::Whole, _) => Self::Whole,
            _ => Self::Nothing,
        }
    }
}

/// Reads a specification into a tree.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'c> {
    part: Part,
    /// How far a reader has come that says no places by itself.
    offset: Option<&'c Cell<usize>>,
}

impl<'c> Reading<'c> {
    pub(crate) fn new(offset: Option<&'c Cell<usize>>) -> Self {
        let part = Part::Root;
        Self { part, offset }
    }

    fn inside(self, key: &str) -> Self {
        let part = self.part.of(key);
        Self { part, ..self }
    }

    /// What is no container: kept or not.
    fn scalar(self, text: impl ToString) -> Node {
        match self.part {
            Part::Nothing => Node::Other,
            _ => Node::Text(text.to_string()),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading<'_> {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a part of a specification")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(self.scalar(text))
    }

    // A number where a text belongs, such as `openapi: 3.1`, is taken as it is written; 3.0 becomes 3.
    fn visit_f64<E: Error>(self, number: f64) -> Result<Node, E> {
        Ok(self.scalar(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Node, E> {
        Ok(self.scalar(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(self.scalar(number))
    }

    fn visit_i128<E: Error>(self, number: i128) -> Result<Node, E> {
        Ok(self.scalar(number))
    }

    fn visit_u128<E: Error>(self, number: u128) -> Result<Node, E> {
        Ok(self.scalar(number))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_none<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        let part = match self.part {
            Part::Whole => Part::Whole,
            _ => Part::Nothing,
        };
        let reading = Self { part, ..self };
        while let Some(item) = list.next_element_seed(reading)? {
            if part == Part::Whole {
                items.push(item);
            }
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut mapping: A) -> Result<Node, A::Error> {
        if self.part == Part::Nothing {
            while mapping.next_key_seed(self)?.is_some() {
                mapping.next_value_seed(self)?;
            }
            return Ok(Node::Other);
        }
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        while let Some(key) = mapping.next_key_seed(KeyReading(self.offset))? {
            if !seen.insert(key.text.clone()) {
                let what = format!("the key `{}` stands here twice", key.text.escape_debug());
                return Err(A::Error::custom(what));
            }
            let inside = self.inside(&key.text);
            let value = mapping.next_value_seed(inside)?;
            if inside.part != Part::Nothing {
                entries.push((key, value));
            }
        }
        Ok(Node::Mapping(entries))
    }
}

/// Reads a key with its place: of YAML the parser says it, of JSON it ends where the reader is.
struct KeyReading<'c>(Option<&'c Cell<usize>>);

impl<'de> DeserializeSeed<'de> for KeyReading<'_> {
    type Value = Key;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
        let key = Spanned::<String>::deserialize(deserializer)?;
        let spot = match self.0 {
            Some(offset) => Spot::ending_at(offset.get()),
            None => {
                let start = key.referenced.span().byte_offset();
                Spot::starting_at(start.and_then(|start| usize::try_from(start).ok()))
            }
        };
        let text = key.value;
        Ok(Key { text, spot })
    }
}
