use super::*;

/// The reason why a key is skipped, when a good one stands beside it.
fn reason(key: &Value) -> Option<UnusableKey> {
    let good = other_jwk(Algorithm::Es384);
    let set = parse(&[key.clone(), good]).unwrap();
    assert!(matches!(
        (set.keys.len(), set.skipped.len()),
        (2, 0) | (1, 1)
    ));
    set.skipped.first().map(|skipped| skipped.reason)
}

fn check_skipped(key: Value, expected: UnusableKey) {
    assert_eq!(reason(&key), Some(expected), "{key}");
    // Alone, it makes a set that is as good as none.
    assert_eq!(parse(&[key]).err(), Some(InvalidKeySet::NoKeys));
}

#[test]
fn a_key_of_each_type_is_imported() {
    for (algorithm, changes) in [
        (
            Algorithm::Rs256,
            json!({"kid": "a", "use": "sig", "alg": "RS256"}),
        ),
        (
            Algorithm::Rs256,
            json!({"alg": "PS512", "key_ops": ["verify"]}),
        ),
        (
            Algorithm::Es256,
            json!({"alg": "ES256", "key_ops": ["sign", "verify"]}),
        ),
        (Algorithm::Es384, json!({"kid": ""})),
        (Algorithm::Ed25519, json!({"alg": "EdDSA"})),
        (Algorithm::Ed25519, json!({"alg": "Ed25519"})),
        // What we do not know does not matter, certificates among it.
        (
            Algorithm::Es256,
            json!({"x5c": ["MIIB"], "x5t": "x", "issuer": {"deep": [1]}, "exp": 1}),
        ),
    ] {
        let key = key(algorithm, changes);
        assert_eq!(reason(&key), None, "{key}");
    }
}

#[test]
fn types_and_curves_that_we_do_not_verify_with() {
    check_skipped(
        json!({"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}),
        UnusableKey::Algorithm,
    );
    check_skipped(json!({"kty": "oct", "k": "c2VjcmV0"}), UnusableKey::KeyType);
    check_skipped(
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AQAB"}),
        UnusableKey::Algorithm,
    );
    check_skipped(
        key(Algorithm::Rs256, json!({"kty": "rsa"})),
        UnusableKey::KeyType,
    );
    check_skipped(
        key(Algorithm::Es256, json!({"crv": "P-521"})),
        UnusableKey::Curve,
    );
    check_skipped(
        key(Algorithm::Es256, json!({"crv": "secp256k1"})),
        UnusableKey::Curve,
    );
    check_skipped(
        key(Algorithm::Ed25519, json!({"crv": "X25519"})),
        UnusableKey::Curve,
    );
    check_skipped(
        key(Algorithm::Ed25519, json!({"crv": "Ed448"})),
        UnusableKey::Curve,
    );
    check_skipped(
        key(Algorithm::Ed25519, json!({"kty": "EC"})),
        UnusableKey::Curve,
    );
    let p521 = crate::verify::testing::public_members(&vector("rfc7520_4_3_es512")["input"]["key"]);
    check_skipped(p521, UnusableKey::Curve);
}

#[test]
fn an_alg_names_an_algorithm_for_such_a_key() {
    for (algorithm, alg) in [
        (Algorithm::Rs256, "ES256"),
        (Algorithm::Rs256, "EdDSA"),
        (Algorithm::Rs256, "HS256"),
        (Algorithm::Rs256, "none"),
        (Algorithm::Rs256, "RSA-OAEP-256"),
        (Algorithm::Rs256, "rs256"),
        (Algorithm::Es256, "ES384"),
        (Algorithm::Es256, "RS256"),
        (Algorithm::Es256, "ECDH-ES"),
        (Algorithm::Es384, "ES256"),
        (Algorithm::Ed25519, "ES256"),
        (Algorithm::Ed25519, "Ed448"),
    ] {
        check_skipped(key(algorithm, json!({"alg": alg})), UnusableKey::Algorithm);
    }
}

#[test]
fn keys_for_other_purposes() {
    for changes in [
        json!({"use": "enc"}),
        json!({"use": "SIG"}),
        json!({"use": ""}),
        json!({"key_ops": []}),
        json!({"key_ops": ["encrypt", "wrapKey"]}),
        json!({"key_ops": ["sign"]}),
        json!({"use": "sig", "key_ops": ["deriveKey"]}),
        json!({"use": "enc", "key_ops": ["verify"]}),
    ] {
        check_skipped(key(Algorithm::Es256, changes), UnusableKey::Purpose);
    }
}

#[test]
fn members_have_their_type_and_are_there() {
    for (algorithm, member) in [
        (Algorithm::Rs256, "kty"),
        (Algorithm::Rs256, "n"),
        (Algorithm::Rs256, "e"),
        (Algorithm::Es256, "crv"),
        (Algorithm::Es256, "x"),
        (Algorithm::Es384, "y"),
        (Algorithm::Ed25519, "crv"),
        (Algorithm::Ed25519, "x"),
    ] {
        check_skipped(
            key(algorithm, json!({member: null})),
            UnusableKey::Member { member },
        );
        check_skipped(
            key(algorithm, json!({member: 1})),
            UnusableKey::Member { member },
        );
    }
    for member in ["kid", "use", "alg", "key_ops"] {
        for value in [json!(null), json!(1), json!({"a": 1})] {
            let mut key = jwk(Algorithm::Es256);
            key[member] = value;
            check_skipped(key, UnusableKey::Member { member });
        }
    }
    check_skipped(
        key(Algorithm::Es256, json!({"key_ops": "verify"})),
        UnusableKey::Member { member: "key_ops" },
    );
    check_skipped(
        key(Algorithm::Es256, json!({"use": ["sig"]})),
        UnusableKey::Member { member: "use" },
    );
    check_skipped(
        key(Algorithm::Es256, json!({"kid": "k".repeat(257)})),
        UnusableKey::Member { member: "kid" },
    );
}

#[test]
fn numbers_are_canonical_base64url() {
    let n = jwk(Algorithm::Rs256)["n"].as_str().unwrap().to_owned();
    for (member, text) in [
        ("n", format!("{n}=")),
        ("n", format!("{n}\n")),
        ("n", n.replacen('_', "/", 1)),
        ("e", "AQAB==".to_owned()),
        ("e", "AQA B".to_owned()),
        ("e", "65537!".to_owned()),
    ] {
        check_skipped(
            key(Algorithm::Rs256, json!({member: text})),
            UnusableKey::Member { member },
        );
    }
    // The last character of 32 bytes has two bits to spare: `o` and `p` spell the same byte.
    let x = encode([0x5a; 32]);
    let other = format!("{}p", x.strip_suffix('o').unwrap());
    check_skipped(
        key(Algorithm::Ed25519, json!({"x": other})),
        UnusableKey::Member { member: "x" },
    );
}

#[test]
fn weak_keys() {
    let rsa = |n: Vec<u8>, e: &str| json!({"kty": "RSA", "n": encode(n), "e": e});
    let invalid = UnusableKey::Invalid;
    check_skipped(
        rsa(vec![0xc3; 128], "AQAB"),
        invalid(InvalidKey::ModulusSize { bits: 1024 }),
    );
    check_skipped(
        rsa(vec![0xc3; 513], "AQAB"),
        invalid(InvalidKey::ModulusSize { bits: 4104 }),
    );
    check_skipped(rsa(vec![0xc2; 256], "AQAB"), invalid(InvalidKey::Modulus));
    check_skipped(rsa(vec![0xc3; 256], "Aw"), invalid(InvalidKey::Exponent));
    check_skipped(rsa(vec![0xc3; 256], ""), invalid(InvalidKey::Exponent));
    let mut x = decode(jwk(Algorithm::Es256)["x"].as_str().unwrap());
    check_skipped(
        key(Algorithm::Es256, json!({"x": encode(&x[1..])})),
        invalid(InvalidKey::CoordinateLength),
    );
    x[5] ^= 1;
    check_skipped(
        key(Algorithm::Es256, json!({"x": encode(&x)})),
        invalid(InvalidKey::Point),
    );
    check_skipped(
        key(Algorithm::Ed25519, json!({"x": encode([0; 32])})),
        invalid(InvalidKey::Point),
    );
}

#[test]
fn a_key_whose_private_half_is_published_proves_nothing() {
    check_skipped(
        vector("rfc7520_4_2_ps384")["input"]["key"].clone(),
        UnusableKey::Published,
    );
    check_skipped(
        vector("rfc7515_a_3_es256")["input"]["key"].clone(),
        UnusableKey::Published,
    );
    check_skipped(
        vector("rfc8037_a_4_eddsa")["input"]["key"].clone(),
        UnusableKey::Published,
    );
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
        check_skipped(
            key(Algorithm::Rs256, json!({member: "AQAB"})),
            UnusableKey::Published,
        );
        check_skipped(
            key(Algorithm::Rs256, json!({member: false})),
            UnusableKey::Published,
        );
    }
}
