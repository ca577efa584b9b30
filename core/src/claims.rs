//! The claims of a token: what RFC 7519 and RFC 9068 name, typed, and everything else as it came.

use std::fmt;
use std::mem::size_of;
use std::time::Duration;

use serde_json::{Map, Number, Value};

use crate::time::Timestamp;

/// The payload of a token. It permits nothing until it stands in a `Verified<Claims>`.
#[derive(Clone, PartialEq)]
pub(crate) struct Claims {
    /// `iss` (RFC 7519 section 4.1.1).
    pub(crate) issuer: String,
    /// `sub` (section 4.1.2).
    pub(crate) subject: Option<String>,
    /// `aud` (section 4.1.3): one string, or any number of them.
    pub(crate) audience: Vec<String>,
    /// `exp` (section 4.1.4).
    pub(crate) expires: NumericDate,
    /// `nbf` (section 4.1.5).
    pub(crate) not_before: Option<NumericDate>,
    /// `iat` (section 4.1.6).
    pub(crate) issued_at: Option<NumericDate>,
    /// Every claim by its name, those above too.
    pub(crate) all: Map<String, Value>,
}

/// Why a JSON object does not hold the claims of a token that we can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InvalidClaims {
    /// A required claim is absent.
    Missing {
        /// Its name.
        claim: &'static str,
    },
    /// A claim has another type than the standard gives it. JSON's `null` is such a type.
    WrongType {
        /// Its name.
        claim: &'static str,
    },
    /// `cnf` (RFC 7800): the token belongs to the holder of a key, and we cannot check that (RFC 8705, RFC 9449).
    ProofOfPossession,
}

impl Claims {
    /// Types the claims that we judge, and keeps all of them.
    ///
    /// # Errors
    /// The first claim that is missing or of the wrong type.
    pub(crate) fn from_object(all: Map<String, Value>) -> Result<Self, InvalidClaims> {
        if all.contains_key("cnf") {
            return Err(InvalidClaims::ProofOfPossession);
        }
        Ok(Self {
            issuer: string(&all, "iss")?.ok_or(InvalidClaims::Missing { claim: "iss" })?,
            subject: string(&all, "sub")?,
            audience: strings(&all, "aud")?,
            expires: date(&all, "exp")?.ok_or(InvalidClaims::Missing { claim: "exp" })?,
            not_before: date(&all, "nbf")?,
            issued_at: date(&all, "iat")?,
            all,
        })
    }

    /// The value at a path: the first name is a claim, each further one a member of the object found so far.
    pub(crate) fn at_path(&self, path: &[String]) -> Option<&Value> {
        let (claim, members) = path.split_first()?;
        members
            .iter()
            .try_fold(self.all.get(claim)?, |value, name| {
                value.as_object()?.get(name)
            })
    }

    /// Whether every claim that RFC 9068 section 2.2 requires is there, with the type it must have.
    ///
    /// `iss` and `exp` always are. An `aud` that names nobody does not count.
    pub(crate) fn has_rfc9068_claims(&self) -> bool {
        let is_string = |claim| self.all.get(claim).is_some_and(Value::is_string);
        !self.audience.is_empty()
            && self.subject.is_some()
            && self.issued_at.is_some()
            && is_string("client_id")
            && is_string("jti")
    }

    /// About how many bytes these claims hold on the heap: for the budget of a cache, rather too many than too few.
    pub(crate) fn size(&self) -> usize {
        let audience = self.audience.iter().map(|name| string_size(name));
        audience
            .chain([
                self.issuer.len(),
                self.subject.as_ref().map_or(0, String::len),
                object_size(&self.all),
            ])
            .fold(0, usize::saturating_add)
    }
}

impl fmt::Debug for Claims {
    /// Claims are personal data: none is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

fn string(all: &Map<String, Value>, claim: &'static str) -> Result<Option<String>, InvalidClaims> {
    match all.get(claim) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(InvalidClaims::WrongType { claim }),
    }
}

/// A string or an array of strings; absent and `[]` are both nobody.
fn strings(all: &Map<String, Value>, claim: &'static str) -> Result<Vec<String>, InvalidClaims> {
    let wrong_type = InvalidClaims::WrongType { claim };
    match all.get(claim) {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![text.clone()]),
        Some(Value::Array(elements)) => elements
            .iter()
            .map(|element| element.as_str().map(str::to_owned).ok_or(wrong_type))
            .collect(),
        Some(_) => Err(wrong_type),
    }
}

fn date(
    all: &Map<String, Value>,
    claim: &'static str,
) -> Result<Option<NumericDate>, InvalidClaims> {
    match all.get(claim) {
        None => Ok(None),
        Some(Value::Number(seconds)) => Ok(Some(NumericDate::from_seconds(seconds))),
        Some(_) => Err(InvalidClaims::WrongType { claim }),
    }
}

/// A point in time in milliseconds since the Unix epoch, as an issuer wrote it: it may lie before 1970 and after the sun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct NumericDate(i64);

impl NumericDate {
    /// A number of seconds, fractions allowed (RFC 7519 section 2), rounded down to the millisecond.
    ///
    /// What is out of range becomes the nearest end of time: it is then expired, or valid, for ever, as it says.
    fn from_seconds(seconds: &Number) -> Self {
        if let Some(whole) = seconds.as_i64() {
            return Self(whole.saturating_mul(1000));
        }
        // A float, or an integer beyond `i64`. `as` saturates, and JSON has no NaN that could become 0.
        Self(
            seconds
                .as_f64()
                .map_or(i64::MAX, |fraction| (fraction * 1000.0).floor() as i64),
        )
    }

    /// Whether this is still to come, or has come less than `leeway` ago (RFC 7519 section 4.1.4, `exp`).
    pub(crate) fn is_after(self, now: Timestamp, leeway: Duration) -> bool {
        self.timestamp().after(leeway) > now
    }

    /// Whether this has come, or comes within `leeway` (RFC 7519 section 4.1.5, `nbf`).
    pub(crate) fn has_come(self, now: Timestamp, leeway: Duration) -> bool {
        self.timestamp() <= now.after(leeway)
    }

    /// What lies before 1970 becomes 1970: no clock shows less, so every comparison with one stays the same.
    fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

fn string_size(text: &str) -> usize {
    size_of::<String>().saturating_add(text.len())
}

/// A `BTreeMap` keeps its nodes half full at worst, so each member counts twice its slot.
fn object_size(members: &Map<String, Value>) -> usize {
    const SLOT: usize = 2 * (size_of::<String>() + size_of::<Value>());
    members
        .iter()
        .map(|(name, value)| {
            SLOT.saturating_add(name.len())
                .saturating_add(value_size(value))
        })
        .fold(0, usize::saturating_add)
}

/// What a value holds beyond itself. The depth is bounded by `json::MAX_DEPTH`.
fn value_size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(elements) => elements
            .iter()
            .map(|element| {
                size_of::<Value>()
                    .saturating_mul(2)
                    .saturating_add(value_size(element))
            })
            .fold(0, usize::saturating_add),
        Value::Object(members) => object_size(members),
    }
}

#[cfg(test)]
mod tests;
