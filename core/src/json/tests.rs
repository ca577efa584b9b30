use proptest::prelude::*;
use serde_json::{Value, json};

use super::{InvalidJson, Object};

fn check(text: impl AsRef<[u8]>, expected: Result<Value, InvalidJson>) {
    let text = text.as_ref();
    let read = Object::parse(text).map(|object| object.to_json());
    assert_eq!(read, expected, "{:?}", String::from_utf8_lossy(text));
}

/// An object around `depth` more levels.
fn nested(depth: usize, open: &str, close: &str) -> String {
    format!("{{\"a\":{}0{}}}", open.repeat(depth), close.repeat(depth))
}

/// Any object, some of it with more names than are compared each with each.
fn object() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
    ];
    let members = |value| prop::collection::hash_map(".{0,9}", value, 0..30);
    let value = leaf.prop_recursive(4, 60, 9, move |value| {
        prop_oneof![
            prop::collection::vec(value.clone(), 0..9).prop_map(Value::from),
            members(value).prop_map(Value::from_iter),
        ]
    });
    members(value.boxed()).prop_map(Value::from_iter)
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
fn among_many_names_a_twin_is_found_too() {
    for count in [1, 2, 15, 16, 17, 18, 200] {
        let names = |count| (0..count).map(|name| format!(r#""{}":[{{"x":1}}]"#, name % 199));
        let object = |names: Vec<String>| format!("{{{}}}", names.join(","));
        let distinct: Vec<String> = names(count.min(199)).collect();
        let whole = Object::parse(object(distinct.clone()).as_bytes()).unwrap();
        assert_eq!(whole.members().count(), count.min(199));
        for twin in [0, count / 2, count - 1] {
            let mut twice: Vec<String> = names(count).collect();
            twice.push(distinct[twin % 199].clone());
            check(object(twice), Err(InvalidJson::DuplicateName));
        }
        // The inner object's names are none of the outer one's.
        check(
            format!(r#"{{"a":{},"a":1}}"#, object(distinct)),
            Err(InvalidJson::DuplicateName),
        );
    }
}

#[test]
fn a_member_is_found_by_its_name_alone() {
    let text = r#"{"a":{"b":1,"c":[{"d":2}]},"b":["a","d"],"":null,"\u00e4":"b","d":true}"#;
    let object = Object::parse(text.as_bytes()).unwrap();
    let found = |name| object.get(name).map(|value| value.to_json());
    assert_eq!(found("a"), Some(json!({"b": 1, "c": [{"d": 2}]})));
    assert_eq!(found("b"), Some(json!(["a", "d"])));
    assert_eq!(found(""), Some(json!(null)));
    assert_eq!(found("\u{e4}"), Some(json!("b")));
    assert_eq!(found("d"), Some(json!(true)));
    for absent in ["c", "A", "a ", "ab", "\\u00e4"] {
        assert_eq!(found(absent), None, "{absent}");
    }
    let inner = object.get("a").and_then(|value| value.as_object()).unwrap();
    let deep = inner.get("c").and_then(|value| value.as_array()).unwrap();
    assert!(inner.get("d").is_none());
    assert_eq!(
        deep.map(|value| value.to_json()).collect::<Vec<_>>(),
        [json!({"d": 2})]
    );
}

#[test]
fn an_object_is_no_smaller_than_what_it_holds() {
    let size = |value: Value| Object::parse(value.to_string().as_bytes()).unwrap().size();
    let small = size(json!({"a": ""}));
    assert!(size(json!({"a": "x".repeat(1_000)})) >= small + 1_000);
    let node = size_of::<super::object::Node>();
    assert!(size(json!({ "a": vec![0; 1_000] })) >= small + 1_000 * node);
}

#[test]
fn an_object_that_has_shrunk_holds_no_more_than_it_says() {
    let text = json!({"a": 1, "b": ["c", null], "d": "e".repeat(200)}).to_string();
    let mut object = Object::parse(text.as_bytes()).unwrap();
    let before = object.clone();
    assert!(object.capacity() > object.size());
    object.shrink();
    assert_eq!(object.capacity(), object.size());
    assert!(object == before);
}

#[test]
fn depth_is_bounded_for_arrays_and_objects() {
    assert!(Object::parse(nested(31, "[", "]").as_bytes()).is_ok());
    check(nested(32, "[", "]"), Err(InvalidJson::TooDeep));
    assert!(Object::parse(nested(31, "{\"a\":", "}").as_bytes()).is_ok());
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
        let _ = Object::parse(&bytes);
    }

    /// Whatever serde_json writes is read as it was.
    #[test]
    fn what_is_written_is_read_as_it_was(value in object()) {
        let read = Object::parse(value.to_string().as_bytes());
        prop_assert_eq!(read.map(|object| object.to_json()), Ok(value));
    }

    /// Whatever looks like JSON: when it is read at all, it is read as serde_json reads it.
    #[test]
    fn what_is_read_is_what_serde_json_reads(text in r#"\{("[ab]":([0-9]{1,3}|"x"|\{"a":1\}|\[1,2\]),?){0,3}\}"#) {
        if let Ok(read) = Object::parse(text.as_bytes()) {
            prop_assert_eq!(read.to_json(), serde_json::from_str::<Value>(&text).unwrap());
        }
    }
}
