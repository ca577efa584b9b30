//! Signatures, forged and real, against the portable verifier, and the gate before any verifier.

mod ecdsa;
mod ed25519;
mod keys;
mod rsa;
mod rsa_second_opinion;
mod second_opinion;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing::{self, decode, encode, jwk, mint, other_jwk, public_key, sign, vector};
use super::*;

const INPUT: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ";

fn portable(algorithm: Algorithm, key: &PublicKey, input: &[u8], signature: &[u8]) -> bool {
    Portable.verify(algorithm, key, input, signature).is_ok()
}

/// The signing input and the signature of a compact token.
fn split(compact: &str) -> (&str, Vec<u8>) {
    let (signing_input, signature) = compact.rsplit_once('.').unwrap();
    (signing_input, decode(signature))
}

#[test]
fn the_vectors_of_the_rfcs_verify_and_no_bit_of_them_may_change() {
    for name in [
        "rfc7515_a_2_rs256",
        "rfc7515_a_3_es256",
        "rfc7520_4_1_rs256",
        "rfc7520_4_2_ps384",
        "rfc8037_a_4_eddsa",
    ] {
        let vector = vector(name);
        let input = &vector["input"];
        let algorithm = Algorithm::from_name(input["alg"].as_str().unwrap()).unwrap();
        let key = public_key(&testing::public_members(&input["key"]));
        let (signing_input, signature) = split(vector["output"]["compact"].as_str().unwrap());
        assert!(
            portable(algorithm, &key, signing_input.as_bytes(), &signature),
            "{name}"
        );
        let other = signing_input.replacen('e', "f", 1);
        assert!(
            !portable(algorithm, &key, other.as_bytes(), &signature),
            "{name}, other header"
        );
        for bit in 0..signature.len() * 8 {
            let mut forged = signature.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            assert!(
                !portable(algorithm, &key, signing_input.as_bytes(), &forged),
                "{name}, bit {bit}"
            );
        }
    }
}

#[test]
fn a_refusal_says_no_more_than_that() {
    assert_eq!(
        InvalidSignature.to_string(),
        "the signature does not verify"
    );
}

#[test]
fn rfc7515_tokens_go_all_the_way() {
    for (name, algorithm) in [
        ("rfc7515_a_2_rs256", Algorithm::Rs256),
        ("rfc7515_a_3_es256", Algorithm::Es256),
    ] {
        let vector = vector(name);
        let key = public_key(&testing::public_members(&vector["input"]["key"]));
        let token = UnverifiedToken::parse(vector["output"]["compact"].as_str().unwrap()).unwrap();
        assert_eq!(token.header.algorithm, algorithm);
        let claims = verify(&Portable, &key, token).unwrap();
        assert_eq!(claims.issuer(), "joe");
        assert_eq!(claims.to_json()["http://example.com/is_root"], json!(true));
    }
}

#[test]
fn each_algorithm_verifies_its_own_signatures_and_no_others() {
    for algorithm in Algorithm::ALL {
        let key = public_key(&jwk(algorithm));
        let other_key = public_key(&other_jwk(algorithm));
        let good = sign(algorithm, INPUT);
        let check =
            |shown: &str, key: &PublicKey, input: &[u8], signature: &[u8], expected: bool| {
                let verified = portable(algorithm, key, input, signature);
                assert_eq!(verified, expected, "{algorithm}: {shown}");
            };
        check("as it was signed", &key, INPUT, &good, true);
        check("another key", &other_key, INPUT, &good, false);
        check("another input", &key, b"another input", &good, false);
        check("an empty input", &key, b"", &good, false);
        check(
            "the input and a byte",
            &key,
            &[INPUT, b"\0"].concat(),
            &good,
            false,
        );
        check("no signature", &key, INPUT, b"", false);
        check("a byte short", &key, INPUT, &good[..good.len() - 1], false);
        check("without its first byte", &key, INPUT, &good[1..], false);
        check("half of it", &key, INPUT, &good[..good.len() / 2], false);
        check(
            "a zero byte after",
            &key,
            INPUT,
            &[&good[..], &[0]].concat(),
            false,
        );
        check(
            "a zero byte before",
            &key,
            INPUT,
            &[&[0], &good[..]].concat(),
            false,
        );
        check(
            "twice",
            &key,
            INPUT,
            &[&good[..], &good[..]].concat(),
            false,
        );
        check("all zero", &key, INPUT, &vec![0; good.len()], false);
        check(
            "one",
            &key,
            INPUT,
            &[&vec![0; good.len() - 1][..], &[1]].concat(),
            false,
        );
        check("all ones", &key, INPUT, &vec![0xff; good.len()], false);
        check(
            "itself as text",
            &key,
            INPUT,
            encode(&good).as_bytes(),
            false,
        );
    }
}

#[test]
fn a_signature_of_one_algorithm_is_none_of_another() {
    for signed in Algorithm::ALL {
        let signature = sign(signed, INPUT);
        for claimed in Algorithm::ALL {
            // With the key that signed, so that only the algorithm differs; and with that of the other family.
            for key in [public_key(&jwk(signed)), public_key(&jwk(claimed))] {
                let verified = portable(claimed, &key, INPUT, &signature);
                assert_eq!(verified, claimed == signed, "{signed} taken for {claimed}");
            }
        }
    }
}

/// Believes everything, to see what is never handed to a verifier.
struct Credulous;

impl Verifier for Credulous {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        Ok(())
    }
}

#[test]
fn a_key_of_another_family_or_a_wrong_length_never_reaches_a_verifier() {
    let claims = json!({"iss": "i", "exp": 1_000});
    for algorithm in Algorithm::ALL {
        let token = mint(algorithm, json!({}), &claims);
        for other in Algorithm::ALL {
            let key = public_key(&jwk(other));
            let verified = verify(&Credulous, &key, UnverifiedToken::parse(&token).unwrap());
            assert_eq!(
                verified.is_ok(),
                key.fits(algorithm),
                "{algorithm} with a key for {other}"
            );
        }
        let (signing_input, signature) = split(&token);
        let key = public_key(&jwk(algorithm));
        for signature in [&signature[1..], &[&signature[..], &[0]].concat(), &[0]] {
            let text = format!("{signing_input}.{}", encode(signature));
            let token = UnverifiedToken::parse(&text).unwrap();
            assert_eq!(
                verify(&Credulous, &key, token),
                Err(InvalidSignature),
                "{algorithm}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Neither panics nor believes, whatever the signature: of the right length, or of any.
    #[test]
    fn no_random_signature_verifies(
        right_length in proptest::collection::vec(any::<u8>(), 256),
        any_length in proptest::collection::vec(any::<u8>(), 0..600),
        input in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        for algorithm in Algorithm::ALL {
            let key = public_key(&jwk(algorithm));
            let right_length = &right_length[..key.signature_len()];
            prop_assert!(!portable(algorithm, &key, &input, right_length));
            prop_assert!(!portable(algorithm, &key, &input, &any_length));
            let _ = ecdsa_signature_der(algorithm, right_length);
            let _ = ecdsa_signature_der(algorithm, &any_length);
        }
    }
}
