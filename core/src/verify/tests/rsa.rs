use ::rsa::BigUint;
use ::rsa::pss;
use ::rsa::sha2::{Digest as _, Sha256, Sha512};
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
    // A length that BER may spell in two octets, and DER may not.
    let mut long = vec![0x30, 0x81];
    long.extend(&DIGEST_INFO_SHA256[1..]);
    check(
        "a length spelt at length",
        &padded(&[&long[..], &hash].concat()),
        false,
    );
    let mut inner = DIGEST_INFO_SHA256[..18].to_vec();
    inner[1] += 1;
    inner.extend([0x81, 0x20]);
    check(
        "the hash's length spelt at length",
        &padded(&[&inner[..], &hash].concat()),
        false,
    );
    check(
        "an octet behind the hash",
        &padded(&[&tail[..], &[0]].concat()),
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

/// MGF1 (RFC 8017 appendix B.2.1).
fn mask<H: ::rsa::sha2::Digest>(seed: &[u8], len: usize) -> Vec<u8> {
    let blocks = (0_u32..16).flat_map(|counter| {
        let hash = H::digest([seed, &counter.to_be_bytes()].concat());
        hash.to_vec()
    });
    blocks.take(len).collect()
}

/// An encoded message for PSS of 256 octets (RFC 8017 section 9.1.1), of whatever the caller wants to stand in it.
fn pss_encoded(
    hash: &[u8],
    salt: &[u8],
    db: &[u8],
    mask: fn(&[u8], usize) -> Vec<u8>,
    trailer: u8,
) -> Vec<u8> {
    let h = Sha256::digest([&[0; 8][..], hash, salt].concat());
    let mut masked: Vec<u8> = db
        .iter()
        .zip(mask(&h, db.len()))
        .map(|(db, mask)| db ^ mask)
        .collect();
    // emBits is 2047.
    masked[0] &= 0x7f;
    [&masked[..], &h, &[trailer]].concat()
}

#[test]
fn each_part_of_pss_is_looked_at() {
    let key = public_key(&jwk(Algorithm::Ps256));
    let modulus = rsa_key().n().clone();
    let hash = Sha256::digest(INPUT);
    let salt = [0x5a; 32];
    let db_of = |zeros: usize, one: u8, salt: &[u8]| [&vec![0; zeros][..], &[one], salt].concat();
    let good_db = db_of(190, 1, &salt);
    let good = pss_encoded(&hash, &salt, &good_db, mask::<Sha256>, 0xbc);
    let check = |shown: &str, encoded: &[u8], expected: bool| {
        // Not below the modulus, it would be refused for that.
        assert!(BigUint::from_bytes_be(encoded) < modulus, "{shown}");
        let verified = portable(Algorithm::Ps256, &key, INPUT, &sign_raw(encoded));
        assert_eq!(verified, expected, "{shown}");
    };
    check("as RFC 8017 has it", &good, true);

    let hash_again = Sha256::digest(hash);
    for (shown, encoded) in [
        (
            "another trailer",
            pss_encoded(&hash, &salt, &good_db, mask::<Sha256>, 0xbd),
        ),
        (
            "the trailer of X9.31",
            pss_encoded(&hash, &salt, &good_db, mask::<Sha256>, 0xcc),
        ),
        (
            "a mask of another hash",
            pss_encoded(&hash, &salt, &good_db, mask::<Sha512>, 0xbc),
        ),
        (
            "no mask",
            pss_encoded(&hash, &salt, &good_db, |_, len| vec![0; len], 0xbc),
        ),
        (
            "another message",
            pss_encoded(&hash_again, &salt, &good_db, mask::<Sha256>, 0xbc),
        ),
        (
            "another salt than was hashed",
            pss_encoded(&hash, &[0x5b; 32], &good_db, mask::<Sha256>, 0xbc),
        ),
        (
            "a shorter salt",
            pss_encoded(
                &hash,
                &salt[1..],
                &db_of(191, 1, &salt[1..]),
                mask::<Sha256>,
                0xbc,
            ),
        ),
        (
            "a longer salt",
            pss_encoded(
                &hash,
                &[1; 33],
                &db_of(189, 1, &[1; 33]),
                mask::<Sha256>,
                0xbc,
            ),
        ),
        (
            "no salt",
            pss_encoded(&hash, &[], &db_of(222, 1, &[]), mask::<Sha256>, 0xbc),
        ),
        (
            "two in the place of one",
            pss_encoded(&hash, &salt, &db_of(190, 2, &salt), mask::<Sha256>, 0xbc),
        ),
        (
            "zero in the place of one",
            pss_encoded(&hash, &salt, &db_of(190, 0, &salt), mask::<Sha256>, 0xbc),
        ),
    ] {
        check(shown, &encoded, false);
    }
    for at in [0, 1, 100, 189] {
        let mut db = good_db.clone();
        db[at] = 1;
        let encoded = pss_encoded(&hash, &salt, &db, mask::<Sha256>, 0xbc);
        check(&format!("no zero at {at}"), &encoded, false);
    }
}

#[test]
fn bits_above_em_are_zero() {
    let key = public_key(&jwk(Algorithm::Ps256));
    let modulus = rsa_key().n().clone();
    // The modulus starts with 0x9f: for some salts, the encoded message with its highest bit set is below it.
    let found = (0..=0xff_u8).find_map(|filling| {
        let salt = [filling; 32];
        let db = [&[0; 190][..], &[1], &salt].concat();
        let good = pss_encoded(&Sha256::digest(INPUT), &salt, &db, mask::<Sha256>, 0xbc);
        let mut high = good.clone();
        high[0] |= 0x80;
        (BigUint::from_bytes_be(&high) < modulus).then_some((good, high))
    });
    let (good, high) = found.unwrap();
    assert!(portable(Algorithm::Ps256, &key, INPUT, &sign_raw(&good)));
    assert!(!portable(Algorithm::Ps256, &key, INPUT, &sign_raw(&high)));
}
