//! The policy file as a JSON Schema (draft 2020-12), for editors: each type that is read from the text says what it can be read from.
//!
//! It never refuses what is read. What only the whole text tells (an issuer that nobody named, a route that stands twice) it leaves to
//! [`Policy::parse`](super::Policy::parse). It keeps to words that drafts since 7 have in common, as editors lag behind.

use serde_json::{Map, Value, json};

use super::file::PolicyFile;
use super::quantity::{self, Bounds};
use super::read::Entries;
use super::yaml::Spanned;

/// What can be written for a value of this type.
pub(super) trait Schema {
    /// The schema of the value, without what its field says about it.
    fn schema() -> Value;
}

/// The JSON Schema of the policy file.
pub fn policy_schema() -> Value {
    let mut schema = PolicyFile::schema();
    if let Value::Object(members) = &mut schema {
        let about = [
            ("$schema", "https://json-schema.org/draft/2020-12/schema"),
            ("title", "The policy of a Scopegate, version 1"),
        ];
        members.extend(about.map(|(key, value)| (key.to_owned(), value.into())));
    }
    schema
}

impl Schema for String {
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl<T: Schema> Schema for Vec<Spanned<T>> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

impl<T: Schema> Schema for Entries<T> {
    fn schema() -> Value {
        entries(json!({ "minLength": 1 }), T::schema())
    }
}

/// A mapping with these fields and no others.
pub(super) fn shape(fields: Vec<(&str, &[&str], Value)>, rules: Value) -> Value {
    let mut properties = Map::new();
    for (name, description, field) in fields {
        let text: Vec<&str> = description.iter().map(|line| line.trim()).collect();
        properties.insert(name.into(), with(field, "description", text.join(" ")));
    }
    let mut schema = Map::new();
    schema.insert("type".into(), "object".into());
    schema.insert("properties".into(), properties.into());
    schema.insert("additionalProperties".into(), false.into());
    if let Value::Object(rules) = rules {
        schema.extend(rules);
    }
    schema.into()
}

/// A mapping whose keys the user chooses.
pub(super) fn entries(keys: Value, values: Value) -> Value {
    json!({ "type": "object", "propertyNames": keys, "additionalProperties": values })
}

/// The same, and what it is when nothing is said.
pub(super) fn defaulted(schema: Value, default: impl Into<Value>) -> Value {
    with(schema, "default", default)
}

/// One of these words.
pub(super) fn words<T>(words: &[(&str, T)]) -> Value {
    let words: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    json!({ "enum": words })
}

/// One of these words, and the one that is meant when nothing is said.
pub(super) fn words_or_default<T: Default + PartialEq>(known: &[(&str, T)]) -> Value {
    let default = known.iter().find(|(_, meaning)| *meaning == T::default());
    let schema = words(known);
    match default {
        Some((word, _)) => defaulted(schema, *word),
        None => schema,
    }
}

/// A text that says something.
pub(super) fn some_text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

/// A text of that form, in the regular expressions of ECMA-262.
pub(super) fn text_like(pattern: impl Into<String>) -> Value {
    json!({ "type": "string", "pattern": pattern.into() })
}

/// A list of at least one of these.
pub(super) fn some(items: Value) -> Value {
    json!({ "type": "array", "minItems": 1, "items": items })
}

/// `true` or `false`, and the latter when nothing is said.
pub(super) fn truth() -> Value {
    json!({ "type": "boolean", "default": false })
}

/// A duration within these bounds.
pub(super) fn duration(bounds: &Bounds) -> Value {
    let pattern = quantity::duration_pattern(bounds);
    defaulted(text_like(pattern), quantity::written(bounds.default))
}

/// Exactly one of these fields, each with what else it rules out.
pub(super) fn one_of_fields<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let alternatives = fields.map(|(field, others)| {
        let mut alternative = json!({ "required": [field] });
        if let (Value::Object(members), Value::Object(others)) = (&mut alternative, others)
            && !others.is_empty()
        {
            members.insert("properties".into(), others.into());
        }
        alternative
    });
    Value::from(alternatives.to_vec())
}

/// The same with one keyword more.
pub(super) fn with(schema: Value, key: &str, value: impl Into<Value>) -> Value {
    match schema {
        Value::Object(mut members) => {
            members.insert(key.into(), value.into());
            members.into()
        }
        other => other,
    }
}
