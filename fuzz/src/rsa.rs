//! An RSA signature verifies if, and only if, the crate `rsa` says so too: honest, damaged, or made by a holder of the
//! private key who signs what no honest one would.
//!
//! The first line of an input is an algorithm, the number of a key and the message; each other line is a step. `encoded AT
//! OCTET` puts an octet into the encoded message before it is signed, `drop AT` takes one out and lets the rest move up,
//! `signature AT OCTET` changes the signature, and `more` adds the modulus to it. Places below zero count from the end.

use std::cell::RefCell;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use rsa::sha2::{Digest, Sha256, Sha384, Sha512};
use rsa::signature::Verifier as _;
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey, pss};
use scopegate_core::{
    Algorithm, Decision, InvalidSignature, KeyAnswer, KeyCache, Policy, Portable, PublicKey,
    Request, Timestamp, TokenCache, Verifier, decide,
};

use crate::issuer::START;

const POLICY: &str = "
version: 1
realm: fuzz
issuers:
  main:
    issuer: https://tenant.example/
    audiences: [api]
    jwks_uri: https://tenant.example/jwks.json
    algorithms: [RS256]
routes:
  - { path: /, authenticated: true }
";

/// The most steps of one input: each is a few octets, and signing takes a millisecond.
const MAX_STEPS: usize = 64;

/// A key as its holder has it, and as the gate has imported it.
struct Pair {
    private: RsaPrivateKey,
    public: PublicKey,
}

/// Made for this target: the primes of one key a line, for moduli of 2048, 2056 and 3072 bits.
static PAIRS: LazyLock<Vec<Pair>> = LazyLock::new(|| {
    let lines = include_str!("rsa/keys.txt").lines();
    lines
        .map(|line| {
            let primes = line.split(' ');
            let primes = primes.map(|prime| BigUint::parse_bytes(prime.as_bytes(), 16));
            let primes: Option<Vec<BigUint>> = primes.collect();
            let exponent = BigUint::from(65537_u32);
            let private = RsaPrivateKey::from_primes(primes.expect("hexadecimal"), exponent);
            let private = private.expect("two primes");
            Pair {
                public: imported(&private),
                private,
            }
        })
        .collect()
});

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut lines = input.split(|octet| *octet == b'\n');
    let mut words = lines
        .next()
        .unwrap_or_default()
        .splitn(3, |octet| *octet == b' ');
    let algorithm = words
        .next()
        .and_then(|name| Algorithm::from_name(str::from_utf8(name).ok()?));
    let pair = words
        .next()
        .and_then(|number| PAIRS.get(str::from_utf8(number).ok()?.parse::<usize>().ok()?));
    let (Some(algorithm), Some(pair)) = (algorithm, pair) else {
        return;
    };
    let message = words.next().unwrap_or_default();
    let steps: Vec<Step> = lines.filter_map(Step::parse).take(MAX_STEPS).collect();
    let key = &pair.private;
    let Some(mut encoded) = encode(algorithm, message, key.n().bits()) else {
        return;
    };
    // In as many octets as the modulus.
    encoded.splice(0..0, vec![0; key.size() - encoded.len()]);
    for step in &steps {
        step.change_encoded(&mut encoded);
    }
    let mut signature = power(key, &encoded);
    for step in &steps {
        step.change_signature(&mut signature, key);
    }
    let ours = Portable
        .verify(algorithm, &pair.public, message, &signature)
        .is_ok();
    assert_eq!(ours, second_opinion(algorithm, key, message, &signature));
    assert!(
        ours || !steps.is_empty(),
        "an honest signature does not verify"
    );
}

enum Step {
    Encoded(i16, u8),
    Drop(i16),
    Signature(i16, u8),
    More,
}

impl Step {
    fn parse(line: &[u8]) -> Option<Self> {
        let mut words = str::from_utf8(line).ok()?.split(' ');
        let what = words.next()?;
        let mut at = || words.next()?.parse().ok();
        let step = match what {
            "encoded" => Self::Encoded(at()?, words.next()?.parse().ok()?),
            "drop" => Self::Drop(at()?),
            "signature" => Self::Signature(at()?, words.next()?.parse().ok()?),
            "more" => Self::More,
            _ => return None,
        };
        Some(step)
    }

    fn change_encoded(&self, encoded: &mut Vec<u8>) {
        match *self {
            Self::Encoded(at, octet) => {
                let at = place(at, encoded.len());
                encoded[at] = octet;
            }
            Self::Drop(at) => {
                encoded.remove(place(at, encoded.len()));
                encoded.push(0);
            }
            Self::Signature(..) | Self::More => {}
        }
    }

    fn change_signature(&self, signature: &mut Vec<u8>, key: &RsaPrivateKey) {
        match *self {
            Self::Signature(at, octet) => {
                let at = place(at, signature.len());
                signature[at] = octet;
            }
            Self::More => {
                let more = BigUint::from_bytes_be(signature) + key.n();
                if more.bits() <= key.size() * 8 {
                    *signature = in_octets(&more, key.size());
                }
            }
            Self::Encoded(..) | Self::Drop(_) => {}
        }
    }
}

fn place(at: i16, len: usize) -> usize {
    let len = i32::try_from(len).expect("the length of a modulus");
    usize::try_from(i32::from(at).rem_euclid(len)).expect("not below zero")
}

/// What an honest signer signs (RFC 8017 sections 9.1.1 and 9.2), with a salt that is always the same.
fn encode(algorithm: Algorithm, message: &[u8], modulus_bits: usize) -> Option<Vec<u8>> {
    let len = modulus_bits.div_ceil(8);
    let pkcs1 = |hash: Vec<u8>, name: u8| {
        let hash_len = u8::try_from(hash.len()).expect("the length of a hash");
        let info = [
            &[0x30, 17 + hash_len, 0x30, 0x0d, 0x06, 0x09][..],
            &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, name],
            &[0x05, 0x00, 0x04, hash_len],
            &hash,
        ]
        .concat();
        let padding = vec![0xff; len - info.len() - 3];
        [&[0, 1], &padding[..], &[0], &info].concat()
    };
    match algorithm {
        Algorithm::Rs256 => Some(pkcs1(Sha256::digest(message).to_vec(), 1)),
        Algorithm::Rs384 => Some(pkcs1(Sha384::digest(message).to_vec(), 2)),
        Algorithm::Rs512 => Some(pkcs1(Sha512::digest(message).to_vec(), 3)),
        Algorithm::Ps256 => Some(pss_encoded::<Sha256>(message, modulus_bits - 1)),
        Algorithm::Ps384 => Some(pss_encoded::<Sha384>(message, modulus_bits - 1)),
        Algorithm::Ps512 => Some(pss_encoded::<Sha512>(message, modulus_bits - 1)),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Ed25519 => None,
    }
}

fn pss_encoded<H: Digest>(message: &[u8], em_bits: usize) -> Vec<u8> {
    let em_len = em_bits.div_ceil(8);
    let hash = H::digest(message);
    let salt = vec![0x5a; hash.len()];
    let h = H::digest([&[0; 8][..], &hash, &salt].concat());
    let zeros = vec![0; em_len - 2 * hash.len() - 2];
    let mut db = [&zeros[..], &[1], &salt].concat();
    let mask = (0_u32..).flat_map(|counter| {
        let block = H::digest([&h[..], &counter.to_be_bytes()].concat());
        block.to_vec()
    });
    for (octet, mask) in db.iter_mut().zip(mask) {
        *octet ^= mask;
    }
    db[0] &= 0xff >> (em_len * 8 - em_bits);
    [&db[..], &h, &[0xbc]].concat()
}

/// The private key applied to a number, by the two primes, which is several times faster.
fn power(key: &RsaPrivateKey, encoded: &[u8]) -> Vec<u8> {
    let number = BigUint::from_bytes_be(encoded);
    let [p, q] = key.primes() else {
        panic!("a key of this target has two primes");
    };
    let one = BigUint::from(1_u32);
    let (by_p, by_q) = (
        number.modpow(&(key.d() % (p - &one)), p),
        number.modpow(&(key.d() % (q - &one)), q),
    );
    // Garner's formula, with q^(p - 2) for 1/q.
    let inverse = q.modpow(&(p - BigUint::from(2_u32)), p);
    let difference = (by_p + p - &by_q % p) % p;
    in_octets(&(by_q + (difference * inverse % p) * q), key.size())
}

fn in_octets(number: &BigUint, len: usize) -> Vec<u8> {
    let octets = number.to_bytes_be();
    [vec![0; len - octets.len()], octets].concat()
}

/// What the crate says. It does not always ask whether a signature is smaller than the modulus (RFC 8017 section 5.2.2).
fn second_opinion(
    algorithm: Algorithm,
    key: &RsaPrivateKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    macro_rules! pkcs1 {
        ($hash:ty) => {{
            let padding = Pkcs1v15Sign::new::<$hash>();
            let public = key.to_public_key();
            public
                .verify(padding, &<$hash>::digest(message), signature)
                .is_ok()
        }};
    }
    macro_rules! pss {
        ($hash:ty) => {
            pss::Signature::try_from(signature).is_ok_and(|signature| {
                let key = pss::VerifyingKey::<$hash>::new(key.to_public_key());
                key.verify(message, &signature).is_ok()
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

/// Keeps the key that the core hands to its verifier.
#[derive(Default)]
struct Keeper(RefCell<Option<PublicKey>>);

impl Verifier for Keeper {
    fn verify(
        &self,
        _: Algorithm,
        key: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.0.replace(Some(key.clone()));
        Err(InvalidSignature)
    }
}

/// The key as the core makes it of a key set. The door shows it to verifiers alone.
fn imported(private: &RsaPrivateKey) -> PublicKey {
    let policy = Policy::parse(POLICY).expect("the harness has a good policy");
    let (mut keys, mut tokens) = (KeyCache::new(&policy), TokenCache::new(&policy, 7));
    let n = BASE64URL.encode(private.n().to_bytes_be());
    let set = format!(r#"{{"keys":[{{"kty":"RSA","n":"{n}","e":"AQAB"}}]}}"#);
    let claims = r#"{"iss":"https://tenant.example/","aud":"api","exp":9e9}"#;
    let token = [
        BASE64URL.encode(r#"{"alg":"RS256"}"#),
        BASE64URL.encode(claims),
        BASE64URL.encode(vec![0; private.size()]),
    ]
    .join(".");
    let credential = format!("Bearer {token}");
    let fields = [("authorization", credential.as_str())];
    let request = Request::new(b"GET", Some(b"/"), fields);
    let (keeper, now) = (Keeper::default(), Timestamp::from_secs(START));
    match decide(&policy, &request, &keys, &mut tokens, &keeper, now) {
        Decision::NeedKeys(needed) => {
            let answer = Ok(KeyAnswer::of_file(set.into()));
            keys.install(&mut tokens, &needed.keys, answer, now);
        }
        other => panic!("a gate without keys does not ask for any: {other:?}"),
    }
    let _ = decide(&policy, &request, &keys, &mut tokens, &keeper, now);
    keeper.0.take().expect("the key is asked about")
}
