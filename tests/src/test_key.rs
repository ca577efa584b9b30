//! The private keys of the tests, and signatures made with them.
//!
//! They sign with the primitives themselves: a token library would refuse to make most of what the cases need.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rsa::BigUint;
use rsa::sha2::{Digest as _, Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use serde_json::{Map, Value};

mod public_form;
mod signature_form;

pub use public_form::PublicForm;
pub(crate) use signature_form::{der, der_without_signs, es256_with_other_s};

/// A private key of `tests/keys`, with its JSON form.
pub struct TestKey {
    jwk: Map<String, Value>,
    private: Private,
}

enum Private {
    Rsa(Box<rsa::RsaPrivateKey>),
    P256(Box<p256::ecdsa::SigningKey>),
    P384(Box<p384::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_compact::KeyPair>),
}

/// The test keys by name: the file name less `.json`.
///
/// # Errors
/// A file that does not hold a key.
pub fn load() -> Result<BTreeMap<String, TestKey>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys");
    let mut keys = BTreeMap::new();
    for entry in
        std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?
    {
        let path = entry?.path();
        let Some(name) = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_suffix(".json"))
        else {
            continue;
        };
        let key = TestKey::parse(&std::fs::read(&path)?)
            .with_context(|| format!("the test key {name}"))?;
        keys.insert(name.to_owned(), key);
    }
    Ok(keys)
}

impl TestKey {
    /// The private key that a JSON Web Key holds.
    ///
    /// # Errors
    /// The text is none, or of a kind that no test signs with.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let jwk: Map<String, Value> = serde_json::from_slice(text)?;
        let member = |name: &str| -> Result<Vec<u8>> {
            let text = jwk
                .get(name)
                .and_then(Value::as_str)
                .with_context(|| format!("`{name}` is missing"))?;
            URL_SAFE_NO_PAD
                .decode(text)
                .with_context(|| format!("`{name}` is not base64url"))
        };
        let number = |name: &str| member(name).map(|bytes| BigUint::from_bytes_be(&bytes));
        let kind = jwk
            .get("crv")
            .or_else(|| jwk.get("kty"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        let private = match kind {
            "RSA" => {
                let primes = vec![number("p")?, number("q")?];
                let key = rsa::RsaPrivateKey::from_components(
                    number("n")?,
                    number("e")?,
                    number("d")?,
                    primes,
                )?;
                Private::Rsa(Box::new(key))
            }
            "P-256" => Private::P256(Box::new(p256::ecdsa::SigningKey::from_slice(&member(
                "d",
            )?)?)),
            "P-384" => Private::P384(Box::new(p384::ecdsa::SigningKey::from_slice(&member(
                "d",
            )?)?)),
            "Ed25519" => {
                let seed = ed25519_compact::Seed::from_slice(&member("d")?)?;
                Private::Ed25519(Box::new(ed25519_compact::KeyPair::from_seed(seed)))
            }
            other => bail!("a key of kind {other:?}"),
        };
        Ok(Self { jwk, private })
    }

    /// The public half as a JSON Web Key, without `kid`, `alg` or `use`.
    pub fn public_jwk(&self) -> Map<String, Value> {
        let public = ["kty", "crv", "n", "e", "x", "y"];
        self.jwk
            .iter()
            .filter(|(name, _)| public.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }

    /// The algorithm that a token signed with this key names when its case names none.
    pub fn usual_algorithm(&self) -> &'static str {
        match self.private {
            Private::Rsa(_) => "RS256",
            Private::P256(_) => "ES256",
            Private::P384(_) => "ES384",
            Private::Ed25519(_) => "EdDSA",
        }
    }

    /// The signature of that algorithm over these bytes; ECDSA as r‖s (RFC 7518 section 3.4).
    ///
    /// # Errors
    /// The key is of another type than the algorithm.
    pub fn sign(&self, algorithm: &str, message: &[u8]) -> Result<Vec<u8>> {
        use rsa::{pkcs1v15, pss};
        let mut random = rsa::rand_core::OsRng;
        Ok(match (&self.private, algorithm) {
            (Private::Rsa(key), "RS256") => pkcs1v15::SigningKey::<Sha256>::new((**key).clone())
                .try_sign(message)?
                .to_vec(),
            (Private::Rsa(key), "RS384") => pkcs1v15::SigningKey::<Sha384>::new((**key).clone())
                .try_sign(message)?
                .to_vec(),
            (Private::Rsa(key), "RS512") => pkcs1v15::SigningKey::<Sha512>::new((**key).clone())
                .try_sign(message)?
                .to_vec(),
            (Private::Rsa(key), "PS256") => pss::SigningKey::<Sha256>::new((**key).clone())
                .try_sign_with_rng(&mut random, message)?
                .to_vec(),
            (Private::Rsa(key), "PS384") => pss::SigningKey::<Sha384>::new((**key).clone())
                .try_sign_with_rng(&mut random, message)?
                .to_vec(),
            (Private::Rsa(key), "PS512") => pss::SigningKey::<Sha512>::new((**key).clone())
                .try_sign_with_rng(&mut random, message)?
                .to_vec(),
            // A salt of another length than the hash's, which RFC 7518 section 3.5 does not allow.
            (Private::Rsa(key), "PS256 without salt") => {
                pss::SigningKey::<Sha256>::new_with_salt_len((**key).clone(), 0)
                    .try_sign_with_rng(&mut random, message)?
                    .to_vec()
            }
            (Private::Rsa(key), "RS256 with garbage behind the digest") => {
                signed_number(key, &padded_with_garbage(message))
            }
            (Private::P256(key), "ES256") => {
                let signature: p256::ecdsa::Signature =
                    p256::ecdsa::signature::Signer::try_sign(&**key, message)?;
                signature.to_bytes().to_vec()
            }
            (Private::P384(key), "ES384") => {
                let signature: p384::ecdsa::Signature =
                    p384::ecdsa::signature::Signer::try_sign(&**key, message)?;
                signature.to_bytes().to_vec()
            }
            (Private::Ed25519(key), "EdDSA" | "Ed25519") => key.sk.sign(message, None).to_vec(),
            _ => bail!("this key does not sign with {algorithm}"),
        })
    }
}

/// What a verifier sees as a good PKCS #1 v1.5 signature if it stops reading at the end of the digest (RFC 8017 section 9.2
/// wants the padding to fill all that is left): with a small exponent such a number is a cube, and needs no key.
fn padded_with_garbage(message: &[u8]) -> Vec<u8> {
    const DIGEST_INFO: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let mut padded = vec![0, 1];
    padded.extend([0xff; 8]);
    padded.push(0);
    padded.extend(DIGEST_INFO);
    padded.extend(Sha256::digest(message));
    padded
}

/// These bytes, and garbage behind them up to the length of the modulus, to the power of the private exponent.
fn signed_number(key: &rsa::RsaPrivateKey, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes.resize(key.size(), 0x5a);
    let number = BigUint::from_bytes_be(&bytes).modpow(key.d(), key.n());
    to_length(&number, key.size())
}

/// The number in that many bytes, the highest first (I2OSP of RFC 8017 section 4.1).
fn to_length(number: &BigUint, length: usize) -> Vec<u8> {
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; length.saturating_sub(bytes.len())];
    padded.extend(bytes);
    padded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_signs_with_its_usual_algorithm_and_shows_no_private_member() {
        let keys = load().unwrap();
        assert_eq!(keys.len(), 8);
        for (name, key) in &keys {
            assert!(
                !key.sign(key.usual_algorithm(), b"message")
                    .unwrap()
                    .is_empty(),
                "{name}"
            );
            assert!(!key.public_jwk().contains_key("d"), "{name}");
        }
    }

    #[test]
    fn garbage_stands_behind_the_digest_and_nowhere_else() {
        let keys = load().unwrap();
        let signature = keys["rsa"]
            .sign("RS256 with garbage behind the digest", b"message")
            .unwrap();
        let Private::Rsa(key) = &keys["rsa"].private else {
            unreachable!("the key `rsa` is RSA");
        };
        let number = BigUint::from_bytes_be(&signature).modpow(key.e(), key.n());
        let opened = to_length(&number, key.size());
        let read = padded_with_garbage(b"message");
        assert_eq!(opened[..read.len()], read[..]);
        assert_eq!(opened[read.len()..], vec![0x5a; 256 - read.len()]);
        assert_eq!(read[read.len() - 32..], Sha256::digest(b"message")[..]);
    }

    #[test]
    fn a_key_signs_nothing_with_the_algorithm_of_another_type() {
        let keys = load().unwrap();
        assert!(keys["rsa"].sign("ES256", b"message").is_err());
        assert!(keys["p256"].sign("ES384", b"message").is_err());
        assert!(keys["ed25519"].sign("none", b"message").is_err());
    }
}
