//! The small shapes of the policy file that serde has no types for. Each keeps apart what YAML keeps apart:
//! a number is no text, and a field that is left blank is no absent field.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use serde_saphyr::Spanned;

/// A field that may be absent, but not blank: `audiences:` with nothing behind it must never mean "not restricted".
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A section that may be absent, but not blank: `forward:` above lines that are all commented out must not mean that
/// no header of a client is an identity.
pub(super) fn filled<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer)?.ok_or_else(|| D::Error::custom(BLANK_SECTION))
}

/// What stands for a blank section in serde's errors, which carry only text.
pub(super) const BLANK_SECTION: &str = "blank section";

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
    pub(super) fn into_json(self) -> Option<Value> {
        match self {
            Self::Text(text) => Some(Value::String(text)),
            Self::Number(number) => Some(Value::Number(number)),
            Self::Truth(truth) => Some(Value::Bool(truth)),
            Self::Blank => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScalarVisitor;

        impl Visitor<'_> for ScalarVisitor {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text, a number, `true` or `false`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Scalar, E> {
                Ok(Scalar::Text(text.into()))
            }

            fn visit_bool<E: Error>(self, truth: bool) -> Result<Scalar, E> {
                Ok(Scalar::Truth(truth))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Scalar, E> {
                Ok(Scalar::Number(number.into()))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Scalar, E> {
                let number =
                    Number::from_f64(number).ok_or_else(|| E::custom("not a finite number"))?;
                Ok(Scalar::Number(number))
            }

            fn visit_unit<E: Error>(self) -> Result<Scalar, E> {
                Ok(Scalar::Blank)
            }
        }

        deserializer.deserialize_any(ScalarVisitor)
    }
}

/// A mapping whose keys the user chooses, in the order of the text.
#[derive(Clone, Debug)]
pub(super) struct Entries<V>(pub(super) Vec<(Spanned<String>, V)>);

impl<V> Default for Entries<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Entries<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<V>(PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
            type Value = Entries<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a mapping of names")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries<V>, A::Error> {
                let mut entries = Vec::new();
                while let Some(key) = map.next_key()? {
                    entries.push((key, map.next_value()?));
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
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

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct AnyOf {
    #[serde(default)]
    any: Vec<Spanned<String>>,
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ScopesVisitor;

        impl<'de> Visitor<'de> for ScopesVisitor {
            type Value = Scopes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of scopes, or `{ any: […] }`")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Scopes, A::Error> {
                sequence(seq).map(Scopes::All)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Scopes, A::Error> {
                let AnyOf { any } = AnyOf::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Scopes::Any(any))
            }

            fn visit_str<E: Error>(self, _: &str) -> Result<Scopes, E> {
                Ok(Scopes::Malformed)
            }

            fn visit_unit<E: Error>(self) -> Result<Scopes, E> {
                Ok(Scopes::Malformed)
            }
        }

        deserializer.deserialize_any(ScopesVisitor)
    }
}

/// A claim's name, or the names on the way to it.
#[derive(Clone, Debug)]
pub(super) struct ClaimPath(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClaimPathVisitor;

        impl<'de> Visitor<'de> for ClaimPathVisitor {
            type Value = ClaimPath;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a claim, or a list of names that leads to it")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<ClaimPath, E> {
                Ok(ClaimPath(vec![name.into()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<ClaimPath, A::Error> {
                sequence(seq).map(ClaimPath)
            }
        }

        deserializer.deserialize_any(ClaimPathVisitor)
    }
}

fn sequence<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(mut seq: A) -> Result<Vec<T>, A::Error> {
    let mut items = Vec::new();
    while let Some(item) = seq.next_element()? {
        items.push(item);
    }
    Ok(items)
}
