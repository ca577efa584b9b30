use ::rsa::BigUint;
use ::rsa::pss;
use ::rsa::sha2::{Digest as _, Sha256};
use ::rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};

use super::testing::{pss_signature, rsa_key};
use super::*;

const DIGEST_INFO_SHA256: [u8; 19] = [
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Applies the private key to an encoded message, whatever it says.
fn sign_raw(encoded: &[u8]) -> Vec<u8> {
    let key = rsa_key();
    to_bytes(&BigUint::from_bytes_be(encoded).modpow(key.d(), key.n()))
}

fn to_bytes(number: &BigUint) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    [vec![0; 256 - bytes.len()], bytes].concat()
}

/// `00 01 FF… 00 ‖ tail`, 256 bytes in all (RFC 8017 section 9.2).
fn padded(tail: &[u8]) -> Vec<u8> {
    let mut encoded = vec![0xff; 256 - tail.len()];
    encoded[0] = 0;
    encoded[1] = 1;
    *encoded.last_mut().unwrap() = 0;
    [&encoded[..], tail].concat()
}

#[test]
fn pkcs1_padding_is_compared_whole() {
    let key = public_key(&jwk(Algorithm::Rs256));
    let hash = Sha256::digest(INPUT);
    let tail = [&DIGEST_INFO_SHA256[..], &hash].concat();
    let good = padded(&tail);
    let check = |shown: &str, encoded: &[u8], expected: bool| {
        let verified = portable(Algorithm::Rs256, &key, INPUT, &sign_raw(encoded));
        assert_eq!(verified, expected, "{shown}");
    };
    check("as RFC 8017 has it", &good, true);

    // Bleichenbacher's forgery of 2006: short padding, and garbage behind the hash.
    let mut short = vec![0xff; 256];
    short[0] = 0;
    short[1] = 1;
    short[10] = 0;
    short[11..11 + tail.len()].copy_from_slice(&tail);
    check("garbage behind the hash", &short, false);

    // CVE-2016-1494 and its kin: garbage in the padding, or in the algorithm's parameters.
    for (shown, at, byte) in [
        ("a first byte", 0, 1),
        ("block type 0", 1, 0),
        ("block type 2", 1, 2),
        ("a zero in the padding", 100, 0),
        ("garbage in the padding", 100, 0xfe),
        ("no separator", 256 - tail.len() - 1, 0xff),
        ("parameters that are not NULL", 256 - 32 - 4, 0x04),
        ("another hash length", 256 - 32 - 1, 0x1f),
    ] {
        let mut encoded = good.clone();
        encoded[at] = byte;
        check(shown, &encoded, false);
    }

    let mut without_null = DIGEST_INFO_SHA256.to_vec();
    without_null.drain(15..17);
    without_null[1] -= 2;
    without_null[3] -= 2;
    check(
        "parameters absent",
        &padded(&[&without_null[..], &hash].concat()),
        false,
    );
    check("the hash alone", &padded(&hash), false);
    check("nothing", &padded(&[]), false);
}

#[test]
fn a_signature_is_smaller_than_the_modulus() {
    let modulus = rsa_key().n().clone();
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ] {
        let key = public_key(&jwk(algorithm));
        // Some signature is small enough for the sum to fit the same 256 bytes.
        let (input, signature, sum) = (0_u32..)
            .map(|number| {
                let input = number.to_be_bytes();
                let signature = sign(algorithm, &input);
                let sum = BigUint::from_bytes_be(&signature) + &modulus;
                (input, signature, sum)
            })
            .find(|(_, _, sum)| sum.bits() <= 2048)
            .unwrap();
        assert!(portable(algorithm, &key, &input, &signature), "{algorithm}");
        assert!(
            !portable(algorithm, &key, &input, &to_bytes(&sum)),
            "{algorithm}: s + n"
        );
        assert!(
            !portable(algorithm, &key, &input, &to_bytes(&modulus)),
            "{algorithm}: n"
        );
    }
}

#[test]
fn the_salt_of_pss_is_as_long_as_the_hash() {
    let key = public_key(&jwk(Algorithm::Ps256));
    for (length, expected) in [
        (0, false),
        (20, false),
        (31, false),
        (32, true),
        (33, false),
        (222, false),
    ] {
        let signing_key = pss::SigningKey::<Sha256>::new_with_salt_len(rsa_key(), length);
        let signature = pss_signature(signing_key, INPUT);
        let verified = portable(Algorithm::Ps256, &key, INPUT, &signature);
        assert_eq!(verified, expected, "a salt of {length}");
    }
}
