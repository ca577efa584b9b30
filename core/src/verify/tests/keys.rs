use super::*;
use crate::verify::InvalidKey;

const EXPONENT: [u8; 3] = [1, 0, 1];

/// An odd number of that many bits. Whether it is a product of two primes, nobody can check.
fn modulus(bits: usize) -> Vec<u8> {
    let mut bytes = vec![0xa5; bits.div_ceil(8)];
    let top = (bits - 1) % 8;
    bytes[0] = 1 << top;
    *bytes.last_mut().unwrap() |= 1;
    bytes
}

fn coordinates(algorithm: Algorithm) -> (Vec<u8>, Vec<u8>) {
    let jwk = jwk(algorithm);
    (
        decode(jwk["x"].as_str().unwrap()),
        decode(jwk["y"].as_str().unwrap()),
    )
}

#[test]
fn rsa_moduli_have_a_size() {
    for (bits, taken) in [
        (512, false),
        (1024, false),
        (2047, false),
        (2048, true),
        (2049, true),
        (3072, true),
        (4095, true),
        (4096, true),
        (4097, false),
        (8192, false),
    ] {
        let key = PublicKey::rsa(&modulus(bits), &EXPONENT);
        let expected = if taken {
            Ok(bits.div_ceil(8))
        } else {
            Err(InvalidKey::ModulusSize { bits })
        };
        assert_eq!(key.map(|key| key.signature_len()), expected, "{bits} bits");
    }
    assert_eq!(
        PublicKey::rsa(&[], &EXPONENT).err(),
        Some(InvalidKey::ModulusSize { bits: 0 })
    );
    assert_eq!(
        PublicKey::rsa(&[0], &EXPONENT).err(),
        Some(InvalidKey::ModulusSize { bits: 0 })
    );
    // The size is that of the number, not that of its bytes.
    let mut padded = vec![0; 129];
    padded.extend(modulus(1024));
    assert_eq!(
        PublicKey::rsa(&padded, &EXPONENT).err(),
        Some(InvalidKey::Modulus)
    );
}

#[test]
fn an_even_modulus_is_refused() {
    let mut even = modulus(2048);
    *even.last_mut().unwrap() &= 0xfe;
    assert_eq!(
        PublicKey::rsa(&even, &EXPONENT).err(),
        Some(InvalidKey::Modulus)
    );
}

#[test]
fn one_zero_before_the_modulus_changes_nothing() {
    let plain = modulus(2048);
    let key = PublicKey::rsa(&plain, &EXPONENT).unwrap();
    let signed = PublicKey::rsa(&[&[0], &plain[..]].concat(), &EXPONENT).unwrap();
    assert_eq!(signed.spki_der(), key.spki_der());
    let twice = PublicKey::rsa(&[&[0, 0], &plain[..]].concat(), &EXPONENT);
    assert_eq!(twice.err(), Some(InvalidKey::Modulus));
}

#[test]
fn the_exponent_is_65537() {
    for exponent in [
        &[3][..],
        &[1],
        &[17],
        &[],
        &[0, 1, 0, 1],
        &[1, 0, 0],
        &[1, 0, 1, 1],
        &[1, 0, 0, 0, 1],
    ] {
        let key = PublicKey::rsa(&modulus(2048), exponent);
        assert_eq!(key.err(), Some(InvalidKey::Exponent), "{exponent:?}");
    }
}

#[test]
fn coordinates_have_their_full_length() {
    let refused = Some(InvalidKey::CoordinateLength);
    let (x, y) = coordinates(Algorithm::Es256);
    let (long_x, long_y) = coordinates(Algorithm::Es384);
    assert!(PublicKey::p256(&x, &y).is_ok());
    assert!(PublicKey::p384(&long_x, &long_y).is_ok());
    assert_eq!(PublicKey::p256(&x[1..], &y).err(), refused);
    assert_eq!(PublicKey::p256(&x, &y[..31]).err(), refused);
    assert_eq!(PublicKey::p256(&[&[0], &x[..]].concat(), &y).err(), refused);
    assert_eq!(PublicKey::p256(&[], &[]).err(), refused);
    assert_eq!(PublicKey::p256(&long_x, &long_y).err(), refused);
    assert_eq!(PublicKey::p384(&x, &y).err(), refused);
    // Together they would be long enough.
    assert_eq!(
        PublicKey::p256(&[&x[..], &y[..1]].concat(), &y[1..]).err(),
        refused
    );
    assert_eq!(PublicKey::ed25519(&x[1..]).err(), refused);
    assert_eq!(PublicKey::ed25519(&long_x).err(), refused);
    assert_eq!(PublicKey::ed25519(&[]).err(), refused);
}

#[test]
fn points_off_the_curve_are_refused() {
    let refused = Some(InvalidKey::Point);
    for algorithm in [Algorithm::Es256, Algorithm::Es384] {
        let import = if algorithm == Algorithm::Es256 {
            PublicKey::p256
        } else {
            PublicKey::p384
        };
        let (x, y) = coordinates(algorithm);
        let mut other_y = y.clone();
        other_y[0] ^= 1;
        assert_eq!(import(&x, &other_y).err(), refused);
        assert_eq!(import(&y, &x).err(), refused);
        let zero = vec![0; x.len()];
        let top = vec![0xff; x.len()];
        // What some libraries write for the point at infinity.
        assert_eq!(import(&zero, &zero).err(), refused);
        // Not below the field's prime.
        assert_eq!(import(&top, &y).err(), refused);
        assert_eq!(import(&x, &top).err(), refused);
    }
}

#[test]
fn ed25519_points_of_small_order_or_of_two_spellings_are_refused() {
    for point in ed25519::points_of_small_order() {
        assert_eq!(
            PublicKey::ed25519(&point).err(),
            Some(InvalidKey::Point),
            "{point:?}"
        );
    }
    // p, p + 1 and 2^255 - 1, which are 0, 1 and 18 in other words; and a y without an x.
    let mut prime = [0xff; 32];
    prime[0] = 0xed;
    prime[31] = 0x7f;
    let mut prime_and_one = prime;
    prime_and_one[0] = 0xee;
    let mut no_point = [0; 32];
    no_point[0] = 2;
    for point in [prime, prime_and_one, [0xff; 32], no_point] {
        assert_eq!(
            PublicKey::ed25519(&point).err(),
            Some(InvalidKey::Point),
            "{point:?}"
        );
    }
}

#[test]
fn keys_fit_their_own_family_alone() {
    use Algorithm::{Ed25519, Es256, Es384};
    for owner in Algorithm::ALL {
        let key = public_key(&jwk(owner));
        for algorithm in Algorithm::ALL {
            let is_rsa = |algorithm| ![Es256, Es384, Ed25519].contains(&algorithm);
            let expected = owner == algorithm || (is_rsa(owner) && is_rsa(algorithm));
            assert_eq!(
                key.fits(algorithm),
                expected,
                "a key for {owner}, {algorithm}"
            );
        }
    }
}

/// The prefixes are those that OpenSSL writes (RFC 3279 section 2.3.1, RFC 5480 section 2.1.1, RFC 8410 section 4).
#[test]
fn der_is_the_subject_public_key_info() {
    let (x, y) = coordinates(Algorithm::Es256);
    let (long_x, long_y) = coordinates(Algorithm::Es384);
    let okp = decode(jwk(Algorithm::Ed25519)["x"].as_str().unwrap());
    let n = decode(jwk(Algorithm::Rs256)["n"].as_str().unwrap());
    for (algorithm, prefix, parts) in [
        (
            Algorithm::Es256,
            "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
            vec![x, y],
        ),
        (
            Algorithm::Es384,
            "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE",
            vec![long_x, long_y],
        ),
        (Algorithm::Ed25519, "MCowBQYDK2VwAyEA", vec![okp]),
        (
            Algorithm::Rs256,
            "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA",
            vec![n, vec![2, 3, 1, 0, 1]],
        ),
    ] {
        let key = public_key(&jwk(algorithm));
        let expected = [
            decode(&prefix.replace('/', "_").replace('+', "-")),
            parts.concat(),
        ]
        .concat();
        assert_eq!(key.spki_der(), expected, "{algorithm}");
    }
}

#[test]
fn keys_do_not_print() {
    for (algorithm, shown) in [
        (Algorithm::Rs256, "PublicKey(RSA)"),
        (Algorithm::Es256, "PublicKey(P-256)"),
        (Algorithm::Es384, "PublicKey(P-384)"),
        (Algorithm::Ed25519, "PublicKey(Ed25519)"),
    ] {
        assert_eq!(format!("{:?}", public_key(&jwk(algorithm))), shown);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_key_or_not(
        x in proptest::collection::vec(any::<u8>(), 0..600),
        y in proptest::collection::vec(any::<u8>(), 0..60),
        point in any::<[u8; 32]>(),
        other in any::<[u8; 32]>(),
        long in proptest::collection::vec(any::<u8>(), 48),
    ) {
        let _ = PublicKey::rsa(&x, &y);
        let _ = PublicKey::p256(&x, &y);
        let _ = PublicKey::p256(&point, &other);
        let _ = PublicKey::p384(&long, &long);
        let second_opinion = jwt_simple::algorithms::Ed25519PublicKey::from_bytes(&point);
        prop_assert_eq!(PublicKey::ed25519(&point).is_ok(), second_opinion.is_ok());
        if let Ok(key) = PublicKey::ed25519(&point) {
            // A key of whatever odd modulus or point verifies without a panic, too.
            prop_assert!(!portable(Algorithm::Ed25519, &key, INPUT, &[other, other].concat()));
        }
    }

    #[test]
    fn any_odd_modulus_verifies_without_a_panic(
        bits in 2048_usize..=2056,
        signature in proptest::collection::vec(any::<u8>(), 257),
    ) {
        let key = PublicKey::rsa(&modulus(bits), &EXPONENT).unwrap();
        let second_opinion =
            jwt_simple::algorithms::RS256PublicKey::from_components(&modulus(bits), &EXPONENT);
        prop_assert_eq!(key.spki_der(), second_opinion.unwrap().to_der().unwrap());
        let signature = &signature[..key.signature_len()];
        for algorithm in [Algorithm::Rs256, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512] {
            prop_assert!(!portable(algorithm, &key, INPUT, signature));
        }
    }
}
