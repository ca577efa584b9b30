mod selection;
mod skipped;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::verify::InvalidKey;
use crate::verify::testing::{decode, encode, jwk, other_jwk, vector};

/// The public key for `algorithm`, with these members added or, by `null`, taken away.
fn key(algorithm: Algorithm, changes: Value) -> Value {
    let mut key = jwk(algorithm);
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            key.as_object_mut().unwrap().remove(name);
        } else {
            key[name] = value.clone();
        }
    }
    key
}

fn parse(keys: &[Value]) -> Result<KeySet, InvalidKeySet> {
    KeySet::parse(json!({"keys": keys}).to_string().as_bytes(), OnEmpty::Keep)
}

#[test]
fn a_kid_is_no_longer_than_a_token_may_ask_for() {
    for (length, usable) in [(256, true), (257, false)] {
        let kid = "k".repeat(length);
        let set = parse(&[
            key(Algorithm::Es256, json!({"kid": kid})),
            key(Algorithm::Rs256, json!({"kid": "another"})),
        ])
        .unwrap();
        let found = set.select(Some(&kid), Algorithm::Es256);
        assert_eq!(matches!(found, Selection::Found(_)), usable, "{length}");
    }
}

#[test]
fn what_is_wrong_with_a_set_is_told_in_words() {
    for (invalid, words) in [
        (
            InvalidKeySet::TooLarge,
            "the key set is larger than 65536 bytes",
        ),
        (
            KeySet::parse(b"[", OnEmpty::Keep).unwrap_err(),
            "the key set cannot be read: the text is not JSON",
        ),
        (
            KeySet::parse(b"[]", OnEmpty::Keep).unwrap_err(),
            "the key set cannot be read: the JSON value is not an object",
        ),
        (
            KeySet::parse(b"{}", OnEmpty::Keep).unwrap_err(),
            "the key set has no array `keys`",
        ),
        (
            InvalidKeySet::TooManyKeys { count: 51 },
            "the key set has 51 keys, more than 50",
        ),
        (parse(&[]).unwrap_err(), "the key set has no usable key"),
    ] {
        assert_eq!(invalid.to_string(), words);
    }
}

#[test]
fn the_key_sets_of_the_rfcs_are_read() {
    // RFC 7517 appendix A.1: an EC key for encryption, and an RSA key.
    let set = parse(&[
        json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"}),
        json!({"kty": "RSA", "n": vector("rfc7515_a_2_rs256")["input"]["key"]["n"], "e": "AQAB",
            "alg": "RS256", "kid": "2011-04-29"}),
    ])
    .unwrap();
    assert_eq!(set.len(), 1);
    assert!(matches!(
        set.select(Some("1"), Algorithm::Es256),
        Selection::Unusable
    ));
    assert!(matches!(
        set.select(Some("2011-04-29"), Algorithm::Rs256),
        Selection::Found(_)
    ));
    assert!(matches!(
        set.select(None, Algorithm::Rs256),
        Selection::Found(_)
    ));
}

#[test]
fn documents_that_are_no_key_set() {
    use InvalidJson::{ByteOrderMark, DuplicateName, NotAnObject, NotUtf8, Syntax, TooDeep};
    for (body, expected) in [
        (&b""[..], InvalidKeySet::Json(Syntax)),
        (b"<!DOCTYPE html><html></html>", InvalidKeySet::Json(Syntax)),
        (b"{\"keys\":[", InvalidKeySet::Json(Syntax)),
        (b"[]", InvalidKeySet::Json(NotAnObject)),
        (b"null", InvalidKeySet::Json(NotAnObject)),
        (
            b"\xef\xbb\xbf{\"keys\":[]}",
            InvalidKeySet::Json(ByteOrderMark),
        ),
        (
            b"{\"keys\":[],\"x\":\"\xff\"}",
            InvalidKeySet::Json(NotUtf8),
        ),
        (
            b"{\"keys\":[],\"keys\":[]}",
            InvalidKeySet::Json(DuplicateName),
        ),
        (
            b"{\"keys\":[{\"kid\":\"a\",\"kid\":\"b\"}]}",
            InvalidKeySet::Json(DuplicateName),
        ),
        (b"{}", InvalidKeySet::NoKeyArray),
        (b"{\"keys\":null}", InvalidKeySet::NoKeyArray),
        (b"{\"keys\":{}}", InvalidKeySet::NoKeyArray),
        (b"{\"KEYS\":[]}", InvalidKeySet::NoKeyArray),
        (b"{\"kty\":\"OKP\"}", InvalidKeySet::NoKeyArray),
        (b"{\"keys\":[]}", InvalidKeySet::NoKeys),
        (b"{\"keys\":[null,1,\"x\",[]]}", InvalidKeySet::NoKeys),
        (b"{\"keys\":[{}]}", InvalidKeySet::NoKeys),
    ] {
        assert_eq!(
            KeySet::parse(body, OnEmpty::Keep).err(),
            Some(expected),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
    let bomb = format!("{{\"keys\":{}", "[".repeat(30_000));
    assert_eq!(
        KeySet::parse(bomb.as_bytes(), OnEmpty::Keep).err(),
        Some(InvalidKeySet::Json(TooDeep))
    );
}

#[test]
fn members_that_are_no_objects_are_passed_over() {
    let set = parse(&[
        json!(null),
        json!("key"),
        json!([]),
        jwk(Algorithm::Es256),
        json!(7),
    ])
    .unwrap();
    assert_eq!((set.len(), set.skipped.len()), (1, 0));
}

#[test]
fn a_set_has_budgets() {
    let filled = |size: usize| {
        let start = json!({"keys": [jwk(Algorithm::Ed25519)]}).to_string();
        format!("{start}{}", " ".repeat(size - start.len()))
    };
    assert!(KeySet::parse(filled(MAX_KEY_SET_BYTES).as_bytes(), OnEmpty::Keep).is_ok());
    let beyond = KeySet::parse(filled(MAX_KEY_SET_BYTES + 1).as_bytes(), OnEmpty::Keep);
    assert_eq!(beyond.err(), Some(InvalidKeySet::TooLarge));

    let many = |count: usize| {
        let keys: Vec<Value> = (0..count)
            .map(|kid| key(Algorithm::Ed25519, json!({"kid": kid.to_string()})))
            .collect();
        parse(&keys).map(|set| set.len())
    };
    assert_eq!(many(MAX_KEYS), Ok(50));
    assert_eq!(
        many(MAX_KEYS + 1),
        Err(InvalidKeySet::TooManyKeys { count: 51 })
    );
    // Those that would be skipped count as well: they are work.
    let unusable = vec![json!(null); 51];
    assert_eq!(
        parse(&unusable).err(),
        Some(InvalidKeySet::TooManyKeys { count: 51 })
    );
}

#[test]
fn fifty_large_keys_fit_the_budget() {
    let keys: Vec<Value> = (0..50_u8)
        .map(|number| {
            let mut modulus = vec![0xc3; 512];
            modulus[100] = number;
            json!({"kty": "RSA", "e": "AQAB", "n": encode(modulus), "kid": encode([number; 32]), "use": "sig", "alg": "RS256"})
        })
        .collect();
    assert_eq!(parse(&keys).unwrap().len(), 50);
}

#[test]
fn key_sets_do_not_print() {
    let set = parse(&[
        key(Algorithm::Es256, json!({"kid": "secret-kid"})),
        key(Algorithm::Rs256, json!({"kid": "secret-kid", "use": "enc"})),
    ])
    .unwrap();
    let shown = format!("{set:?}");
    assert!(
        shown.contains("PublicKey(P-256)") && shown.contains("Purpose"),
        "{shown}"
    );
    assert!(!shown.contains("secret-kid"), "{shown}");
}

proptest! {
    #[test]
    fn any_document_is_a_set_or_not(
        member in "(kty|kid|use|alg|crv|x|y|n|e|key_ops|d)",
        value in r#"(null|1|"RSA"|"EC"|"OKP"|"sig"|"[A-Za-z0-9_-]{0,90}"|\["verify"\]|\{\})"#,
        algorithm in prop::sample::select(&Algorithm::ALL[..]),
    ) {
        let mut key = jwk(algorithm);
        key[member.as_str()] = serde_json::from_str(&value).unwrap();
        if let Ok(set) = parse(&[key]) {
            prop_assert_eq!(set.len(), 1);
        }
    }

    #[test]
    fn any_bytes_are_a_set_or_not(body in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(KeySet::parse(&body, OnEmpty::Keep).is_err());
    }
}
