//! The claims of a token: what RFC 7519 and RFC 9068 name, typed, and everything else as it came.

use std::fmt;
use std::time::Duration;

use serde_json::Number;

use crate::json::{Object, Value};
use crate::time::Timestamp;

/// The payload of a token. It permits nothing until it stands in a `Verified<Claims>`.
#[derive(Clone, PartialEq)]
pub(crate) struct Claims {
    /// `exp` (RFC 7519 section 4.1.4).
    pub(crate) expires: NumericDate,
    /// `nbf` (section 4.1.5).
    pub(crate) not_before: Option<NumericDate>,
    /// `iat` (section 4.1.6).
    pub(crate) issued_at: Option<NumericDate>,
    /// Every claim by its name. `iss` is a string, `sub` is one if it is there, `aud` is one or an array of them.
    all: Object,
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
    pub(crate) fn from_object(all: Object) -> Result<Self, InvalidClaims> {
        // One look at every name: to look for each of these would be as many.
        let mut known = Known::default();
        for (name, value) in all.members() {
            let place = match name {
                "iss" => &mut known.iss,
                "sub" => &mut known.sub,
                "aud" => &mut known.aud,
                "exp" => &mut known.exp,
                "nbf" => &mut known.nbf,
                "iat" => &mut known.iat,
                "cnf" => &mut known.cnf,
                _ => continue,
            };
            *place = Some(value);
        }
        if known.cnf.is_some() {
            return Err(InvalidClaims::ProofOfPossession);
        }
        string(known.iss, "iss")?.ok_or(InvalidClaims::Missing { claim: "iss" })?;
        string(known.sub, "sub")?;
        strings(known.aud, "aud")?;
        Ok(Self {
            expires: date(known.exp, "exp")?.ok_or(InvalidClaims::Missing { claim: "exp" })?,
            not_before: date(known.nbf, "nbf")?,
            issued_at: date(known.iat, "iat")?,
            all,
        })
    }

    /// `iss` (RFC 7519 section 4.1.1).
    pub(crate) fn issuer(&self) -> &str {
        self.string("iss").unwrap_or_default()
    }

    /// `sub` (section 4.1.2).
    pub(crate) fn subject(&self) -> Option<&str> {
        self.string("sub")
    }

    /// The value of a claim.
    pub(crate) fn get(&self, claim: &str) -> Option<Value<'_>> {
        self.all.get(claim)
    }

    /// The value at a path: the first name is a claim, each further one a member of the object found so far.
    pub(crate) fn at_path(&self, path: &[String]) -> Option<Value<'_>> {
        let (claim, members) = path.split_first()?;
        let claim = self.get(claim)?;
        members
            .iter()
            .try_fold(claim, |value, name| value.as_object()?.get(name))
    }

    /// Whether every claim that RFC 9068 section 2.2 requires is there, with the type it must have.
    ///
    /// `iss` and `exp` always are. An `aud` that names nobody does not count.
    pub(crate) fn has_rfc9068_claims(&self) -> bool {
        let names_somebody = match self.get("aud") {
            Some(Value::Array(mut named)) => named.next().is_some(),
            named => named.is_some(),
        };
        let is_string = |claim| self.string(claim).is_some();
        names_somebody
            && self.issued_at.is_some()
            && is_string("sub")
            && is_string("client_id")
            && is_string("jti")
    }

    /// Gives back the memory that was asked for and is not needed.
    pub(crate) fn shrink(&mut self) {
        self.all.shrink();
    }

    /// How many octets these claims hold on the heap once they have shrunk.
    pub(crate) fn size(&self) -> usize {
        self.all.size()
    }

    /// How many they hold now.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.all.capacity()
    }

    /// The claims as other libraries would show them.
    #[cfg(test)]
    pub(crate) fn to_json(&self) -> serde_json::Value {
        self.all.to_json()
    }

    fn string(&self, claim: &str) -> Option<&str> {
        self.get(claim).and_then(Value::as_str)
    }
}

impl fmt::Debug for Claims {
    /// Claims are personal data: none is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// The claims that are typed, as they stand in an object.
#[derive(Default)]
struct Known<'o> {
    iss: Option<Value<'o>>,
    sub: Option<Value<'o>>,
    aud: Option<Value<'o>>,
    exp: Option<Value<'o>>,
    nbf: Option<Value<'o>>,
    iat: Option<Value<'o>>,
    cnf: Option<Value<'o>>,
}

fn string<'o>(
    value: Option<Value<'o>>,
    claim: &'static str,
) -> Result<Option<&'o str>, InvalidClaims> {
    match value {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(InvalidClaims::WrongType { claim }),
    }
}

/// A string or an array of strings, or nothing.
fn strings(value: Option<Value<'_>>, claim: &'static str) -> Result<(), InvalidClaims> {
    match value {
        None | Some(Value::String(_)) => Ok(()),
        Some(Value::Array(elements)) if elements.are_strings() => Ok(()),
        Some(_) => Err(InvalidClaims::WrongType { claim }),
    }
}

fn date(
    value: Option<Value<'_>>,
    claim: &'static str,
) -> Result<Option<NumericDate>, InvalidClaims> {
    match value {
        None => Ok(None),
        Some(Value::Number(seconds)) => Ok(Some(NumericDate::from_seconds(&seconds))),
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
    pub(crate) fn timestamp(self) -> Timestamp {
        Timestamp::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
