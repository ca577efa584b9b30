use super::*;

/// What a selection is called here: the `kid` of the key found, or the answer's name.
fn chosen(set: &KeySet, kid: Option<&str>, algorithm: Algorithm) -> String {
    match set.select(kid, algorithm) {
        Selection::Found(key) => {
            format!("found {}", key.kid.as_deref().unwrap_or("one without kid"))
        }
        Selection::Unknown => "unknown".to_owned(),
        Selection::Unusable => "unusable".to_owned(),
        Selection::Ambiguous => "ambiguous".to_owned(),
    }
}

#[test]
fn a_kid_names_its_key() {
    use Algorithm::{Ed25519, Es256, Es384, Ps256, Rs256, Rs384};
    let set = parse(&[
        key(Rs256, json!({"kid": "any RSA"})),
        key(Rs256, json!({"kid": "RS256 alone", "alg": "RS256"})),
        key(Es256, json!({"kid": "EC"})),
        key(Ed25519, json!({"kid": "OKP", "alg": "Ed25519"})),
        key(Es384, json!({"kid": "for encryption", "use": "enc"})),
        json!({"kty": "oct", "kid": "symmetric", "k": "AQAB"}),
        json!({"kty": "oct", "kid": "EC", "k": "AQAB"}),
        key(Es384, json!({"kid": ""})),
    ])
    .unwrap();
    for (kid, algorithm, expected) in [
        ("any RSA", Rs256, "found any RSA"),
        ("any RSA", Rs384, "found any RSA"),
        ("any RSA", Ps256, "found any RSA"),
        ("any RSA", Es256, "unusable"),
        ("RS256 alone", Rs256, "found RS256 alone"),
        ("RS256 alone", Rs384, "unusable"),
        ("RS256 alone", Ps256, "unusable"),
        ("EC", Es256, "found EC"),
        ("EC", Es384, "unusable"),
        ("EC", Ed25519, "unusable"),
        ("OKP", Ed25519, "found OKP"),
        ("for encryption", Es384, "unusable"),
        ("symmetric", Rs256, "unusable"),
        ("", Es384, "found "),
        // Byte for byte.
        ("ec", Es256, "unknown"),
        ("EC ", Es256, "unknown"),
        ("E", Es256, "unknown"),
        ("any", Rs256, "unknown"),
        ("another", Rs256, "unknown"),
    ] {
        assert_eq!(
            chosen(&set, Some(kid), algorithm),
            expected,
            "{kid:?}, {algorithm}"
        );
    }
}

#[test]
fn without_a_kid_exactly_one_key_fits() {
    use Algorithm::{Ed25519, Es256, Es384, Ps256, Rs256, Rs384};
    let set = parse(&[
        key(Rs256, json!({"kid": "a", "alg": "RS256"})),
        key(Rs256, json!({"kid": "b"})),
        key(Es256, json!({})),
        key(Es384, json!({"kid": "c", "use": "enc"})),
    ])
    .unwrap();
    for (algorithm, expected) in [
        (Rs256, "ambiguous"),
        (Rs384, "found b"),
        (Ps256, "found b"),
        (Es256, "found one without kid"),
        (Es384, "unknown"),
        (Ed25519, "unknown"),
    ] {
        assert_eq!(chosen(&set, None, algorithm), expected, "{algorithm}");
    }
    // A key without kid is not everybody's: a token that names one means another.
    assert_eq!(chosen(&set, Some("d"), Es256), "unknown");
    assert_eq!(chosen(&set, Some(""), Es256), "unknown");
}

#[test]
fn one_kid_for_several_keys() {
    use Algorithm::{Es256, Es384, Rs256};
    let set = parse(&[
        key(Rs256, json!({"kid": "k"})),
        key(Es256, json!({"kid": "k"})),
        other_jwk_with(Es256, json!({"kid": "two"})),
        key(Es256, json!({"kid": "two"})),
    ])
    .unwrap();
    assert_eq!(chosen(&set, Some("k"), Rs256), "found k");
    assert_eq!(chosen(&set, Some("k"), Es256), "found k");
    assert_eq!(chosen(&set, Some("k"), Es384), "unusable");
    assert_eq!(chosen(&set, Some("two"), Es256), "ambiguous");
}

fn other_jwk_with(algorithm: Algorithm, members: Value) -> Value {
    let mut key = other_jwk(algorithm);
    key.as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    key
}

#[test]
fn the_same_key_twice_is_one_key() {
    let twice = key(Algorithm::Rs256, json!({"kid": "k", "alg": "RS256"}));
    let mut with_certificate = twice.clone();
    with_certificate["x5c"] = json!(["MIIB"]);
    let set = parse(&[twice.clone(), with_certificate, twice]).unwrap();
    assert_eq!(set.len(), 1);
    assert_eq!(chosen(&set, Some("k"), Algorithm::Rs256), "found k");
    assert_eq!(chosen(&set, None, Algorithm::Rs256), "found k");
}

#[test]
fn a_thumbprint_tells_kid_algorithm_and_key() {
    let thumbprint = |key: Value| parse(&[key]).unwrap().keys[0].thumbprint;
    let changed = [
        json!({}),
        json!({"kid": ""}),
        json!({"kid": "RS256"}),
        json!({"alg": "RS256"}),
        json!({"alg": "RS384"}),
        json!({"kid": "RS256", "alg": "RS256"}),
    ];
    let mut prints: Vec<[u8; 32]> = changed
        .map(|changes| thumbprint(key(Algorithm::Rs256, changes)))
        .to_vec();
    prints.push(thumbprint(other_jwk(Algorithm::Rs256)));
    prints.push(thumbprint(jwk(Algorithm::Es256)));
    for (at, print) in prints.iter().enumerate() {
        assert!(!prints[..at].contains(print), "{at}");
    }
    let once = key(Algorithm::Rs256, json!({"kid": "a"}));
    assert_eq!(thumbprint(once.clone()), thumbprint(once.clone()));
    let set = parse(std::slice::from_ref(&once)).unwrap();
    assert!(set.has(&thumbprint(once)));
    assert!(!set.has(&prints[0]));
}
