//! JSON, read strictly: what two parsers could read in two ways is refused.

use std::cell::Cell;
use std::{error, fmt, str};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Below this, every integer is a number of double precision and no two are the same one (RFC 8259 section 6). Beyond, two
/// callers with two numbers could be taken for one.
pub(crate) const EXACT_INTEGERS: f64 = 9_007_199_254_740_992.0;

/// How deep objects and arrays may nest, the outermost one counted.
///
/// Claims of real issuers nest three or four deep (Keycloak's `resource_access`); `serde_json` itself stops at 128.
pub(crate) const MAX_DEPTH: usize = 32;

/// Why a text is not an object that everybody reads alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidJson {
    /// RFC 8259 section 8.1 asks for UTF-8.
    NotUtf8,
    /// RFC 8259 section 8.1 forbids the byte order mark.
    ByteOrderMark,
    /// Not JSON: among others anything after the value, lone surrogates, and numbers that no `f64` can hold.
    Syntax,
    /// JSON, but not an object.
    NotAnObject,
    /// One object names a member twice (RFC 8259 section 4: what that means differs from parser to parser).
    DuplicateName,
    /// Nested deeper than 32 levels.
    TooDeep,
}

impl fmt::Display for InvalidJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 => f.write_str("the text is not UTF-8"),
            Self::ByteOrderMark => f.write_str("the text begins with a byte order mark"),
            Self::Syntax => f.write_str("the text is not JSON"),
            Self::NotAnObject => f.write_str("the JSON value is not an object"),
            Self::DuplicateName => f.write_str("an object names the same member twice"),
            Self::TooDeep => write!(f, "the JSON value nests deeper than {MAX_DEPTH} levels"),
        }
    }
}

impl error::Error for InvalidJson {}

/// The one object that `bytes` hold.
///
/// # Errors
/// The first thing that makes the text ambiguous, too deep, or no JSON object at all.
pub(crate) fn parse_object(bytes: &[u8]) -> Result<Map<String, Value>, InvalidJson> {
    let text = str::from_utf8(bytes).map_err(|_| InvalidJson::NotUtf8)?;
    if text.starts_with('\u{feff}') {
        return Err(InvalidJson::ByteOrderMark);
    }
    let refusal = Cell::new(None);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root = Strict {
        depth_left: MAX_DEPTH,
        refusal: &refusal,
    };
    let value = root
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|_| refusal.get().unwrap_or(InvalidJson::Syntax))?;
    match value {
        Value::Object(members) => Ok(members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Err(InvalidJson::NotAnObject)
        }
    }
}

/// Builds a `Value` as `serde_json` does, but counts the depth and refuses a name that comes twice.
///
/// `serde_json::Value` keeps the last of two members with one name. Errors of serde carry only text, so the reason
/// leaves by `refusal`.
#[derive(Clone, Copy)]
struct Strict<'r> {
    depth_left: usize,
    refusal: &'r Cell<Option<InvalidJson>>,
}

impl Strict<'_> {
    fn refuse<E: serde::de::Error>(self, reason: InvalidJson) -> E {
        self.refusal.set(Some(reason));
        E::custom(reason)
    }

    fn descend<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.refuse(InvalidJson::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.descend()?;
        let mut members = Map::new();
        // Names arrive unescaped, so "\u0061lg" and "alg" are one name here.
        while let Some(name) = access.next_key::<String>()? {
            let Entry::Vacant(place) = members.entry(name) else {
                return Err(self.refuse(InvalidJson::DuplicateName));
            };
            place.insert(access.next_value_seed(inner)?);
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(text: impl AsRef<[u8]>, expected: Result<Value, InvalidJson>) {
        let text = text.as_ref();
        let read = parse_object(text).map(Value::Object);
        assert_eq!(read, expected, "{:?}", String::from_utf8_lossy(text));
    }

    /// An object around `depth` more levels.
    fn nested(depth: usize, open: &str, close: &str) -> String {
        format!("{{\"a\":{}0{}}}", open.repeat(depth), close.repeat(depth))
    }

    #[test]
    fn one_object_is_read_whole() {
        check("{}", Ok(json!({})));
        check(
            " \r\n\t{\"a\" : [1, -2, 0.5, true, null, \"\\u00e4\"]} \n",
            Ok(json!({"a": [1, -2, 0.5, true, null, "ä"]})),
        );
        check(
            r#"{"a":{"x":1},"b":{"x":2}}"#,
            Ok(json!({"a": {"x": 1}, "b": {"x": 2}})),
        );
        check(r#"{"a":"\ud83d\ude00"}"#, Ok(json!({"a": "😀"})));
        check(r#"{"":0}"#, Ok(json!({"": 0})));
    }

    #[test]
    fn numbers_keep_their_value() {
        check(r#"{"a":18446744073709551615}"#, Ok(json!({"a": u64::MAX})));
        check(r#"{"a":-9223372036854775808}"#, Ok(json!({"a": i64::MIN})));
        check(
            r#"{"a":18446744073709551616}"#,
            Ok(json!({"a": 18446744073709551616.0})),
        );
        check(r#"{"a":1e300}"#, Ok(json!({"a": 1e300})));
        check(r#"{"a":1e-400}"#, Ok(json!({"a": 0.0})));
        // Without the feature `float_roundtrip` of serde_json, each would come out as a neighbour.
        for number in ["31.245270191439438", "121.48791951161945"] {
            let nearest: f64 = number.parse().unwrap();
            check(format!("{{\"a\":{number}}}"), Ok(json!({"a": nearest})));
        }
    }

    #[test]
    fn numbers_that_no_float_holds_are_refused() {
        for number in ["1e309", "-1e309", "1e99999999999999999999"] {
            check(format!("{{\"a\":{number}}}"), Err(InvalidJson::Syntax));
        }
        check(
            format!("{{\"a\":{}}}", "9".repeat(400)),
            Err(InvalidJson::Syntax),
        );
    }

    #[test]
    fn names_that_come_twice_are_refused_at_every_depth() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"b":2,"a":3}"#,
            r#"{"alg":"RS256","\u0061lg":"none"}"#,
            r#"{"\u0061":1,"\u0061":1}"#,
            r#"{"a":{"b":1,"b":2}}"#,
            r#"{"a":[0,[{"b":1,"b":2}]]}"#,
            r#"{"":1,"":2}"#,
        ] {
            check(text, Err(InvalidJson::DuplicateName));
        }
    }

    #[test]
    fn depth_is_bounded_for_arrays_and_objects() {
        assert!(parse_object(nested(31, "[", "]").as_bytes()).is_ok());
        check(nested(32, "[", "]"), Err(InvalidJson::TooDeep));
        assert!(parse_object(nested(31, "{\"a\":", "}").as_bytes()).is_ok());
        check(nested(32, "{\"a\":", "}"), Err(InvalidJson::TooDeep));
        // A bomb that never closes must not get far enough to be a syntax error.
        check(
            format!("{{\"a\":{}", "[".repeat(60_000)),
            Err(InvalidJson::TooDeep),
        );
    }

    #[test]
    fn other_values_are_not_an_object() {
        for text in ["[]", "null", "1", "\"{}\"", "[{}]", "true"] {
            check(text, Err(InvalidJson::NotAnObject));
        }
    }

    #[test]
    fn encodings_other_than_plain_utf8_are_refused() {
        check(b"\xef\xbb\xbf{}", Err(InvalidJson::ByteOrderMark));
        check(b"{\"a\":\"\xff\"}", Err(InvalidJson::NotUtf8));
        check(b"{\"a\":\"\xc0\xaf\"}", Err(InvalidJson::NotUtf8));
        check(b"{\"a\":\"\xed\xa0\x80\"}", Err(InvalidJson::NotUtf8));
        check(b"\xff\xfe{\0}\0", Err(InvalidJson::NotUtf8));
        check(b"{\0}\0", Err(InvalidJson::Syntax));
    }

    #[test]
    fn what_lenient_parsers_forgive_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "{}x",
            "{}{}",
            "{},",
            "{}\0",
            "\u{feff}",
            "{a:1}",
            "{'a':1}",
            r#"{"a":1,}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":01}"#,
            r#"{"a":+1}"#,
            r#"{"a":.5}"#,
            r#"{"a":1.}"#,
            r#"{"a":NaN}"#,
            r#"{"a":Infinity}"#,
            r#"{"a":-Infinity}"#,
            r#"{"a":0x10}"#,
            r#"{"a":"\ud800"}"#,
            r#"{"a":"\udc00\ud800"}"#,
            r#"{"\ud800":1}"#,
            r#"{"a":"\x41"}"#,
            "{\"a\":\"\n\"}",
            "{\"a\":\"\0\"}",
            "{}/**/",
            "//\n{}",
            "{\u{a0}}",
        ] {
            let expected = if text.starts_with('\u{feff}') {
                InvalidJson::ByteOrderMark
            } else {
                InvalidJson::Syntax
            };
            check(text, Err(expected));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse_object(&bytes);
        }

        /// Whatever looks like JSON: when it is read at all, it is read as serde_json reads it.
        #[test]
        fn what_is_read_is_what_serde_json_reads(text in r#"\{("[ab]":([0-9]{1,3}|"x"|\{"a":1\}|\[1,2\]),?){0,3}\}"#) {
            if let Ok(read) = parse_object(text.as_bytes()) {
                prop_assert_eq!(Value::Object(read), serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
