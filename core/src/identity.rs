//! Identity headers: what an upstream is told about the caller, and what clients may not tell it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::claims::Claims;
use crate::json::{EXACT_INTEGERS, Value};
use crate::octets::are_same;
use crate::policy::{Forward, Policy};
use crate::request::{Request, cgi_octet};

/// Headers by which some frameworks let a request say that it is of another method than it is.
///
/// A preflight carries no credential, so nothing in it may turn it into the request that it asks about.
const METHOD_OVERRIDES: [&str; 3] = [
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// A claim that cannot be a header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct UnforwardableClaim {
    /// Its place among those that the policy forwards.
    pub(crate) place: usize,
}

/// The names of the request's fields that claim an identity, as they stand there.
///
/// Servers that speak CGI (RFC 3875 section 4.1.18) read `-` and `_` as the same, some of them every other sign too,
/// so all such spellings of a declared name are taken away.
pub(crate) fn identity_fields<'r>(
    policy: &Policy,
    names: impl Iterator<Item = &'r [u8]>,
) -> Vec<&'r [u8]> {
    let mut found = Vec::new();
    for name in names {
        let mut declared = policy.forward.iter();
        if declared.any(|forward| is_spelling_of(name, &forward.header)) {
            found.push(name);
        }
    }
    found
}

/// The names of trailer fields that never go on, as they stand there, because some servers merge trailers with headers: identity,
/// and what nobody sends in a trailer but to be read instead of a header that was checked. RFC 9110 section 6.5.1 has no
/// authentication there, and a method override would change a request whose body has come.
pub fn forbidden_trailers<'r>(
    policy: &Policy,
    names: impl Iterator<Item = &'r [u8]> + Clone,
) -> Vec<&'r [u8]> {
    let mut forbidden = identity_fields(policy, names.clone());
    forbidden.extend(names.filter(|name| is_credential(name) || is_override(name)));
    forbidden
}

/// The identity headers that a verified token sets, made once for all requests that it comes with.
#[derive(Clone, Default)]
pub struct IdentityHeaders<'p> {
    forward: &'p [Forward],
    values: Option<IdentityValues>,
}

/// The values of the headers in the order of the policy; an empty one says nothing, and is not sent.
#[derive(Clone)]
pub(crate) struct IdentityValues(Arc<[Box<str>]>);

impl<'p> IdentityHeaders<'p> {
    /// The values by their names in the policy that they were made for.
    pub(crate) fn new(forward: &'p [Forward], values: &IdentityValues) -> Self {
        Self {
            forward,
            values: Some(values.clone()),
        }
    }

    /// Some of a policy's, without a token.
    #[cfg(test)]
    pub(crate) fn sample(policy: &'p Policy, values: &[&str]) -> Self {
        let values = values.iter().map(|value| (*value).into());
        Self::new(&policy.forward, &IdentityValues(values.collect()))
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'p str, &str)> {
        let values = self.values.iter().flat_map(|values| values.0.iter());
        let headers = self.forward.iter().zip(values);
        headers
            .filter(|(_, value)| !value.is_empty())
            .map(|(forward, value)| (forward.header.as_str(), value.as_ref()))
    }
}

impl fmt::Debug for IdentityHeaders<'_> {
    /// Claims are personal data: none is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

impl IdentityValues {
    /// The headers' values out of a token's claims; the first claim that cannot be one, by its place in the policy.
    pub(crate) fn of(forward: &[Forward], claims: &Claims) -> Result<Self, UnforwardableClaim> {
        let values = forward
            .iter()
            .enumerate()
            .map(|(place, Forward { claim, .. })| {
                let value = claims
                    .get(claim)
                    .map_or(Some(Cow::Borrowed("")), header_value);
                Ok(value.ok_or(UnforwardableClaim { place })?.into())
            });
        Ok(Self(values.collect::<Result<_, _>>()?))
    }

    /// About how many bytes they hold on the heap.
    pub(crate) fn size(&self) -> usize {
        let each = |value: &str| value.len().saturating_add(size_of::<Box<str>>());
        self.0
            .iter()
            .map(|value| each(value))
            .fold(0, usize::saturating_add)
    }
}

/// The fields of a request that are the client's credential, as they stand there.
pub(crate) fn credential_fields<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    request.names().filter(|name| is_credential(name))
}

/// The fields of a request that override its method, as they stand there.
pub(crate) fn override_fields<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r [u8]> {
    request.names().filter(|name| is_override(name))
}

pub(crate) fn is_credential(name: &[u8]) -> bool {
    const NAME: &[u8] = b"authorization";
    // In small letters it comes by HTTP/2, and out of Envoy.
    are_same(name, NAME) || name.eq_ignore_ascii_case(NAME)
}

fn is_override(name: &[u8]) -> bool {
    METHOD_OVERRIDES
        .iter()
        .any(|known| is_spelling_of(name, known))
}

/// Whether a field name reads as `declared` to a server that speaks CGI.
#[inline]
fn is_spelling_of(name: &[u8], declared: &str) -> bool {
    // A spelling has as many octets: most names are told apart by that.
    name.len() == declared.len() && reads_as(name, declared.as_bytes())
}

#[inline(never)]
fn reads_as(name: &[u8], declared: &[u8]) -> bool {
    let mut pairs = name.iter().zip(declared);
    pairs.all(|(one, other)| cgi_octet(*one) == cgi_octet(*other))
}

/// A claim as a header value; empty for one that says nothing, nothing for one that cannot be a value.
fn header_value(claim: Value<'_>) -> Option<Cow<'_, str>> {
    match claim {
        Value::Null => Some(Cow::Borrowed("")),
        Value::Bool(value) => Some(Cow::Owned(value.to_string())),
        // Beyond this two different integers read as one number: two callers would be one.
        Value::Number(number) if number.is_f64() => number
            .as_f64()
            .filter(|value| value.abs() < EXACT_INTEGERS)
            .map(|_| Cow::Owned(number.to_string())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::String(text) => is_field_value(text).then_some(Cow::Borrowed(text)),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether a text arrives at the upstream as it left: no control character, nothing that is trimmed.
fn is_field_value(text: &str) -> bool {
    !text.chars().any(char::is_control)
        && !text.starts_with(char::is_whitespace)
        && !text.ends_with(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::json::Object;

    #[test]
    fn spellings() {
        for (name, expected) in [
            ("x-auth-sub", true),
            ("X-Auth-Sub", true),
            ("x_auth_sub", true),
            ("X-AUTH_sub", true),
            ("x.auth.sub", true),
            ("x!auth~sub", true),
            ("x-auth-sub2", false),
            ("x-auth", false),
            ("xauthsub", false),
        ] {
            assert_eq!(
                is_spelling_of(name.as_bytes(), "x-auth-sub"),
                expected,
                "{name}"
            );
        }
    }

    #[test]
    fn header_values() {
        for (claim, expected) in [
            (json!("auth0|123"), Some("auth0|123")),
            (json!("J\u{fc}rgen"), Some("J\u{fc}rgen")),
            (json!("a b"), Some("a b")),
            (json!(""), Some("")),
            (json!(null), Some("")),
            (json!(true), Some("true")),
            (json!(42), Some("42")),
            (json!(-1.5), Some("-1.5")),
            (json!(u64::MAX), Some("18446744073709551615")),
            (json!(9_007_199_254_740_991.0), Some("9007199254740991.0")),
            (json!(9_007_199_254_740_992.0), None),
            (json!(-9_007_199_254_740_992.0), None),
            (json!(1e16), None),
            (json!(" a"), None),
            (json!("a "), None),
            (json!("a\u{a0}"), None),
            (json!("a\nb"), None),
            (json!("a\u{0}"), None),
            (json!("a\u{85}b"), None),
            (json!(["a"]), None),
            (json!({"a": 1}), None),
        ] {
            let claims = Object::parse(json!({"c": claim}).to_string().as_bytes()).unwrap();
            let value = claims.get("c").and_then(header_value);
            assert_eq!(value.as_deref(), expected, "{claim}");
        }
    }
}
