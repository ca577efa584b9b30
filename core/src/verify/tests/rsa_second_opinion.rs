//! What the crate `rsa` says of the same signatures, honest, damaged and forged, under keys of several sizes.

use std::sync::LazyLock;

use ::rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use ::rsa::signature::Verifier as _;
use ::rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use ::rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, RsaPublicKey, pss};
use proptest::sample::Index;

use super::*;

const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

/// One key of each kind of size: two where the limbs are full or not, one whose EM is an octet shorter than its modulus.
static KEYS: LazyLock<Vec<RsaPrivateKey>> = LazyLock::new(|| {
    let random = &mut ::rsa::rand_core::OsRng;
    [2048, 2049, 2056, 2100]
        .into_iter()
        .map(|bits| RsaPrivateKey::new(random, bits).unwrap())
        .collect()
});

fn imported(key: &RsaPrivateKey) -> PublicKey {
    PublicKey::rsa(&key.n().to_bytes_be(), &[1, 0, 1]).unwrap()
}

/// Whether the crate finds the signature good, and smaller than the modulus, which it does not always ask.
fn second_opinion(
    algorithm: Algorithm,
    key: &RsaPublicKey,
    input: &[u8],
    signature: &[u8],
) -> bool {
    macro_rules! pkcs1 {
        ($hash:ty) => {
            key.verify(
                Pkcs1v15Sign::new::<$hash>(),
                &<$hash>::digest(input),
                signature,
            )
            .is_ok()
        };
    }
    macro_rules! pss {
        ($hash:ty) => {
            pss::Signature::try_from(signature).is_ok_and(|signature| {
                let key = pss::VerifyingKey::<$hash>::new(key.clone());
                key.verify(input, &signature).is_ok()
            })
        };
    }
    BigUint::from_bytes_be(signature) < *key.n()
        && match algorithm {
            Algorithm::Rs256 => pkcs1!(Sha256),
            Algorithm::Rs384 => pkcs1!(Sha384),
            Algorithm::Rs512 => pkcs1!(Sha512),
            Algorithm::Ps256 => pss!(Sha256),
            Algorithm::Ps384 => pss!(Sha384),
            Algorithm::Ps512 => pss!(Sha512),
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Ed25519 => false,
        }
}

/// Applies the private key to a number of as many octets as the modulus, whatever it says.
fn signed(key: &RsaPrivateKey, encoded: &[u8]) -> Vec<u8> {
    in_octets(
        &BigUint::from_bytes_be(encoded).modpow(key.d(), key.n()),
        key.size(),
    )
}

fn in_octets(number: &BigUint, len: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    [vec![0; len - octets.len()], octets].concat()
}

fn honest(algorithm: Algorithm, key: &RsaPrivateKey, input: &[u8]) -> Vec<u8> {
    let random = &mut ::rsa::rand_core::OsRng;
    macro_rules! pkcs1 {
        ($hash:ty) => {
            key.sign(Pkcs1v15Sign::new::<$hash>(), &<$hash>::digest(input))
                .unwrap()
        };
    }
    macro_rules! pss {
        ($hash:ty) => {
            key.sign_with_rng(random, ::rsa::Pss::new::<$hash>(), &<$hash>::digest(input))
                .unwrap()
        };
    }
    match algorithm {
        Algorithm::Rs256 => pkcs1!(Sha256),
        Algorithm::Rs384 => pkcs1!(Sha384),
        Algorithm::Rs512 => pkcs1!(Sha512),
        Algorithm::Ps256 => pss!(Sha256),
        Algorithm::Ps384 => pss!(Sha384),
        _ => pss!(Sha512),
    }
}

#[test]
fn honest_signatures_verify_under_keys_of_all_sizes() {
    for key in KEYS.iter() {
        for algorithm in RSA {
            let signature = honest(algorithm, key, INPUT);
            let shown = format!("{algorithm} with {} bits", key.n().bits());
            assert!(
                portable(algorithm, &imported(key), INPUT, &signature),
                "{shown}"
            );
            assert!(
                second_opinion(algorithm, &key.to_public_key(), INPUT, &signature),
                "{shown}"
            );
        }
    }
}

#[test]
fn a_signature_with_n_added_is_none() {
    for key in KEYS.iter() {
        for algorithm in RSA {
            let found = (0_u32..200).find_map(|number| {
                let input = number.to_be_bytes();
                let more = BigUint::from_bytes_be(&honest(algorithm, key, &input)) + key.n();
                (more.bits() <= key.size() * 8).then(|| (input, in_octets(&more, key.size())))
            });
            // One in two, or more, leaves room for it.
            let (input, more) = found.unwrap();
            assert!(
                !portable(algorithm, &imported(key), &input, &more),
                "{algorithm}"
            );
        }
    }
}

/// What happens to an encoded message before it is signed, or to a signature afterwards.
#[derive(Clone, Debug)]
enum Change {
    FlipEncoded(Index, u8),
    FlipSignature(Index, u8),
    OctetEncoded(Index, u8),
    DropEncoded(Index),
    RepeatEncoded(Index),
    FromEnd(u8, u8),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::FlipEncoded(at, bit)),
        (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::FlipSignature(at, bit)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, octet)| Change::OctetEncoded(at, octet)),
        any::<Index>().prop_map(Change::DropEncoded),
        any::<Index>().prop_map(Change::RepeatEncoded),
        // Where the DigestInfo, the salt and the trailer are.
        (0..120_u8, any::<u8>()).prop_map(|(at, octet)| Change::FromEnd(at, octet)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Both call the same signatures good, however they were made.
    #[test]
    fn both_agree_on_forgeries(
        key in any::<Index>(),
        algorithm in prop::sample::select(RSA.to_vec()),
        changes in prop::collection::vec(change(), 0..3),
        input in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let key = key.get(&KEYS);
        let len = key.size();
        let first = honest(algorithm, key, &input);
        let exponent = BigUint::from(65537_u32);
        let opened = BigUint::from_bytes_be(&first).modpow(&exponent, key.n());
        let mut encoded = in_octets(&opened, len);
        for change in &changes {
            match change {
                Change::FlipEncoded(at, bit) => encoded[at.index(len)] ^= 1 << bit,
                Change::OctetEncoded(at, octet) => encoded[at.index(len)] = *octet,
                Change::DropEncoded(at) => {
                    encoded.remove(at.index(len));
                    encoded.push(0xbc);
                }
                Change::RepeatEncoded(at) => {
                    let at = at.index(len);
                    encoded.insert(at, encoded[at]);
                    encoded.pop();
                }
                Change::FromEnd(at, octet) => encoded[len - 1 - usize::from(*at)] = *octet,
                Change::FlipSignature(..) => {}
            }
        }
        let mut signature = signed(key, &encoded);
        for change in &changes {
            if let Change::FlipSignature(at, bit) = change {
                signature[at.index(len)] ^= 1 << bit;
            }
        }
        let ours = portable(algorithm, &imported(key), &input, &signature);
        prop_assert_eq!(ours, second_opinion(algorithm, &key.to_public_key(), &input, &signature));
        if changes.is_empty() {
            prop_assert!(ours);
        }
    }
}
