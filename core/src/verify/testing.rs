//! Keys and signatures for tests: one private key for each family, all of them printed in RFCs or plainly made up.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use rsa::rand_core::OsRng;
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{SignatureEncoding as _, Signer as _};
use rsa::{BigUint, RsaPrivateKey, pkcs1v15, pss};
use serde_json::{Value, json};

use super::{Algorithm, PublicKey};
use crate::jwks::{KeySet, OnEmpty, Selection};

/// The vectors of the RFCs that lie in `tests/vectors`, where all of them are put to the gate.
pub(crate) const VECTORS: [(&str, &str); 6] = [
    (
        "rfc7515_a_2_rs256",
        include_str!("../../../tests/vectors/rfc7515/a_2_rs256.json"),
    ),
    (
        "rfc7515_a_3_es256",
        include_str!("../../../tests/vectors/rfc7515/a_3_es256.json"),
    ),
    (
        "rfc7520_4_1_rs256",
        include_str!("../../../tests/vectors/cookbook/jws/4_1.rsa_v15_signature.json"),
    ),
    (
        "rfc7520_4_2_ps384",
        include_str!("../../../tests/vectors/cookbook/jws/4_2.rsa-pss_signature.json"),
    ),
    (
        "rfc7520_4_3_es512",
        include_str!("../../../tests/vectors/cookbook/jws/4_3.ecdsa_signature.json"),
    ),
    (
        "rfc8037_a_4_eddsa",
        include_str!("../../../tests/vectors/cookbook/curve25519/jws.json"),
    ),
];

/// A vector, parsed.
pub(crate) fn vector(name: &str) -> Value {
    let (_, text) = VECTORS.iter().find(|(known, _)| *known == name).unwrap();
    serde_json::from_str(text).unwrap()
}

/// The public JWK, without `kid`, `alg` and `use`, to which [`sign`] has the private half.
pub(crate) fn jwk(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::Es256 => ec_jwk(
            "P-256",
            p256_key(1).verifying_key().to_sec1_point(false).as_bytes(),
        ),
        Algorithm::Es384 => ec_jwk(
            "P-384",
            p384_key(1).verifying_key().to_sec1_point(false).as_bytes(),
        ),
        Algorithm::Ed25519 => okp_jwk(&ed25519_key(1).pk[..]),
        _ => public_members(&vector("rfc7520_4_2_ps384")["input"]["key"]),
    }
}

/// A JWK of the same family whose private half signed nothing here.
pub(crate) fn other_jwk(algorithm: Algorithm) -> Value {
    match algorithm {
        Algorithm::Es256 => ec_jwk(
            "P-256",
            p256_key(2).verifying_key().to_sec1_point(false).as_bytes(),
        ),
        Algorithm::Es384 => ec_jwk(
            "P-384",
            p384_key(2).verifying_key().to_sec1_point(false).as_bytes(),
        ),
        Algorithm::Ed25519 => okp_jwk(&ed25519_key(2).pk[..]),
        _ => vector("rfc7515_a_2_rs256")["input"]["key"].clone(),
    }
}

/// The JWK without the members that only its owner should have, and with nothing that is not the key itself.
pub(crate) fn public_members(jwk: &Value) -> Value {
    let mut public = jwk.as_object().unwrap().clone();
    public.retain(|name, _| ["kty", "crv", "x", "y", "n", "e"].contains(&name.as_str()));
    Value::Object(public)
}

/// The key of a JWK, imported as it would be out of an issuer's set.
pub(crate) fn public_key(jwk: &Value) -> PublicKey {
    let body = json!({"keys": [jwk]}).to_string();
    let set = KeySet::parse(body.as_bytes(), OnEmpty::Keep).unwrap();
    let found =
        Algorithm::ALL
            .into_iter()
            .find_map(|algorithm| match set.select(None, algorithm) {
                Selection::Found(key) => Some(key.public.clone()),
                Selection::Unknown | Selection::Unusable | Selection::Ambiguous => None,
            });
    found.unwrap()
}

/// A token of these claims, with `header` beside `alg`.
pub(crate) fn mint(algorithm: Algorithm, header: Value, claims: &Value) -> String {
    let mut header = header;
    header["alg"] = json!(algorithm.name());
    let signing_input = format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    );
    let signature = sign(algorithm, signing_input.as_bytes());
    format!("{signing_input}.{}", encode(signature))
}

/// A signature as RFC 7518 and RFC 8037 spell it, by the key of [`jwk`].
pub(crate) fn sign(algorithm: Algorithm, input: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Rs256 => pkcs1v15::SigningKey::<Sha256>::new(rsa_key())
            .sign(input)
            .to_vec(),
        Algorithm::Rs384 => pkcs1v15::SigningKey::<Sha384>::new(rsa_key())
            .sign(input)
            .to_vec(),
        Algorithm::Rs512 => pkcs1v15::SigningKey::<Sha512>::new(rsa_key())
            .sign(input)
            .to_vec(),
        Algorithm::Ps256 => pss_signature(pss::SigningKey::<Sha256>::new(rsa_key()), input),
        Algorithm::Ps384 => pss_signature(pss::SigningKey::<Sha384>::new(rsa_key()), input),
        Algorithm::Ps512 => pss_signature(pss::SigningKey::<Sha512>::new(rsa_key()), input),
        Algorithm::Es256 => {
            let signature: p256::ecdsa::Signature = p256_key(1).sign(input);
            signature.to_vec()
        }
        Algorithm::Es384 => {
            let signature: p384::ecdsa::Signature = p384_key(1).sign(input);
            signature.to_vec()
        }
        Algorithm::Ed25519 => ed25519_key(1).sk.sign(input, None).to_vec(),
    }
}

pub(crate) fn pss_signature<K>(key: K, input: &[u8]) -> Vec<u8>
where
    K: rsa::signature::RandomizedSigner<pss::Signature>,
{
    key.sign_with_rng(&mut OsRng, input).to_vec()
}

/// The key of RFC 7520 section 3.4.
pub(crate) fn rsa_key() -> RsaPrivateKey {
    let jwk = &vector("rfc7520_4_2_ps384")["input"]["key"];
    let number = |name: &str| BigUint::from_bytes_be(&decode(jwk[name].as_str().unwrap()));
    let primes = vec![number("p"), number("q")];
    RsaPrivateKey::from_components(number("n"), number("e"), number("d"), primes).unwrap()
}

fn p256_key(scalar: u8) -> p256::ecdsa::SigningKey {
    p256::ecdsa::SigningKey::from_slice(&[scalar; 32]).unwrap()
}

fn p384_key(scalar: u8) -> p384::ecdsa::SigningKey {
    p384::ecdsa::SigningKey::from_slice(&[scalar; 48]).unwrap()
}

fn ed25519_key(seed: u8) -> ed25519_compact::KeyPair {
    ed25519_compact::KeyPair::from_seed(ed25519_compact::Seed::new([seed; 32]))
}

fn ec_jwk(curve: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
}

fn okp_jwk(point: &[u8]) -> Value {
    json!({"kty": "OKP", "crv": "Ed25519", "x": encode(point)})
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}
