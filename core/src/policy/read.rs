//! From a tree to typed values: every value says what it can be read from, and what is wrong is told where it stands.

use serde_json::Map;

use super::error::Problems;
use super::yaml::{Node, Spanned, Unreadable, Value};

/// A field that may be absent, but not blank, unless its type knows better: `audiences:` with nothing behind it must never mean
/// "not restricted", and `forward:` above lines that are all commented out never that no header of a client is an identity.
pub(super) type Field<T> = Option<Spanned<T>>;

/// A list, with its own place and that of each element.
pub(super) type List<T> = Field<Vec<Spanned<T>>>;

/// What can be read from a value of the text.
pub(super) trait Read: Sized {
    /// The value, or nothing after a problem was told.
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self>;
}

/// Reads a value and keeps its place.
pub(super) fn spanned<T: Read>(node: Node, problems: &mut Problems<'_>) -> Field<T> {
    let place = node.place;
    let value = T::read(node, problems)?;
    Some(Spanned { value, place })
}

/// Tells that something else belongs there.
pub(super) fn wrong_type<T>(
    node: &Node,
    expected: &'static str,
    problems: &mut Problems<'_>,
) -> Option<T> {
    let kind = match node.value {
        Value::Blank => Unreadable::Blank,
        _ => Unreadable::WrongType { expected },
    };
    problems.report(node.place, kind);
    None
}

/// Tells that there is no such field.
pub(super) fn unknown_field<T>(
    name: &Spanned<String>,
    known: &'static [&'static str],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let field = name.value.clone();
    problems.report(name.place, Unreadable::UnknownField { field, known });
    None
}

/// The entries of a mapping, unread.
pub(super) fn mapping(
    node: Node,
    problems: &mut Problems<'_>,
) -> Option<Vec<(Spanned<String>, Node)>> {
    match node.value {
        Value::Mapping(entries) => Some(entries),
        _ => wrong_type(&node, "a mapping, as in `name: value`", problems),
    }
}

/// Reads every item, also after one that cannot be read.
pub(super) fn items<T: Read>(
    nodes: Vec<Node>,
    problems: &mut Problems<'_>,
) -> Option<Vec<Spanned<T>>> {
    let mut items = Vec::with_capacity(nodes.len());
    let mut all_fit = true;
    for node in nodes {
        match spanned(node, problems) {
            Some(item) => items.push(item),
            None => all_fit = false,
        }
    }
    all_fit.then_some(items)
}

impl Read for String {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::Text(text) => Some(text),
            Value::Number(_) | Value::Truth(_) => {
                problems.report(node.place, Unreadable::NotText);
                None
            }
            _ => wrong_type(&node, "a text", problems),
        }
    }
}

impl<T: Read> Read for Vec<Spanned<T>> {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        match node.value {
            Value::List(nodes) => items(nodes, problems),
            _ => wrong_type(&node, "a list, as in `[a, b]`", problems),
        }
    }
}

/// A mapping whose keys the user chooses, in the order of the text.
#[derive(Clone, Debug)]
pub(super) struct Entries<T>(pub(super) Vec<(Spanned<String>, Spanned<T>)>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Read> Read for Entries<T> {
    fn read(node: Node, problems: &mut Problems<'_>) -> Option<Self> {
        let mut entries = Vec::new();
        let mut all_fit = true;
        for (key, node) in mapping(node, problems)? {
            match spanned(node, problems) {
                Some(value) => entries.push((key, value)),
                None => all_fit = false,
            }
        }
        all_fit.then_some(Self(entries))
    }
}

/// JSON inside the policy.
impl Read for serde_json::Value {
    fn read(node: Node, _: &mut Problems<'_>) -> Option<Self> {
        Some(json(node.value))
    }
}

/// Nested no deeper than the tree is.
fn json(value: Value) -> serde_json::Value {
    match value {
        Value::Blank => serde_json::Value::Null,
        Value::Truth(truth) => truth.into(),
        Value::Number(number) => serde_json::Value::Number(number),
        Value::Text(text) => text.into(),
        Value::List(items) => items.into_iter().map(|item| json(item.value)).collect(),
        Value::Mapping(entries) => {
            let mut members = Map::new();
            members.extend(
                entries
                    .into_iter()
                    .map(|(key, value)| (key.value, json(value.value))),
            );
            serde_json::Value::Object(members)
        }
    }
}

/// A mapping with fields of its own, each of which may be absent: what is required is said by the code that knows why.
///
/// A field is its description for editors, its name, and the type that it is read from; behind `=>` what may stand there, where the type
/// does not say it. Behind the mapping stands what its [schema](super::schema) says about its fields together.
macro_rules! shape {
    (
        $name:ident {
            $($(#[doc = $description:literal])+ $field:ident: $type:ty $(=> $schema:expr)?,)*
        }
        $rules:expr
    ) => {
        #[derive(Default)]
        pub(super) struct $name {
            $($(#[doc = $description])+ pub(super) $field: $crate::policy::read::Field<$type>,)*
        }

        impl $crate::policy::read::Read for $name {
            fn read(
                node: $crate::policy::yaml::Node,
                problems: &mut $crate::policy::error::Problems<'_>,
            ) -> Option<Self> {
                const KNOWN: &[&str] = &[$(stringify!($field)),*];
                let mut shape = Self::default();
                let mut all_fit = true;
                for (name, node) in $crate::policy::read::mapping(node, problems)? {
                    let fits = match name.value.as_str() {
                        $(stringify!($field) => {
                            shape.$field = $crate::policy::read::spanned(node, problems);
                            shape.$field.is_some()
                        })*
                        _ => $crate::policy::read::unknown_field::<()>(&name, KNOWN, problems).is_some(),
                    };
                    all_fit &= fits;
                }
                all_fit.then_some(shape)
            }
        }

        impl $crate::policy::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                let fields: Vec<(&str, &[&str], serde_json::Value)> = vec![$((
                    stringify!($field),
                    &[$($description),+],
                    $crate::policy::read::field_schema!($type $(=> $schema)?),
                )),*];
                $crate::policy::schema::shape(fields, $rules)
            }
        }
    };
}

/// What a field says that may stand there, or else its type.
macro_rules! field_schema {
    ($type:ty => $schema:expr) => {
        $schema
    };
    ($type:ty) => {
        <$type as $crate::policy::schema::Schema>::schema()
    };
}

pub(super) use field_schema;
pub(super) use shape;
