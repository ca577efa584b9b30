//! The private keys of the tests, and signatures made with them.
//!
//! They sign with the primitives themselves: a token library would refuse to make most of what the cases need.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use rsa::BigUint;
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::sha2::{Sha256, Sha384, Sha512};
use rsa::signature::{RandomizedSigner, SignatureEncoding, Signer};
use serde_json::{Map, Value};

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
    fn parse(text: &[u8]) -> Result<Self> {
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

    /// HMAC-SHA-256 keyed with a text that everybody can know: the public key in that form.
    ///
    /// # Errors
    /// An unknown form, or a PEM of a key that is not RSA.
    pub fn mac_with_public(&self, form: PublicForm, message: &[u8]) -> Result<Vec<u8>> {
        let secret = match (form, &self.private) {
            (PublicForm::Jwk, _) => serde_json::to_vec(&self.public_jwk())?,
            (PublicForm::Pem, Private::Rsa(key)) => key
                .to_public_key()
                .to_public_key_pem(LineEnding::LF)?
                .into_bytes(),
            (PublicForm::Der, Private::Rsa(key)) => {
                key.to_public_key().to_public_key_der()?.into_vec()
            }
            (PublicForm::Pem | PublicForm::Der, _) => {
                bail!("PEM and DER are made of RSA keys alone")
            }
        };
        let mut mac = Hmac::<Sha256>::new_from_slice(&secret)?;
        mac.update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }

    /// The DER form of an ES256 signature, as X.509 has it and JWS must not.
    ///
    /// # Errors
    /// It is not an ES256 signature.
    pub fn der_of_es256(signature: &[u8]) -> Result<Vec<u8>> {
        Ok(p256::ecdsa::Signature::from_slice(signature)?
            .to_der()
            .as_bytes()
            .to_vec())
    }

    /// The other ES256 signature that the same key would accept: s replaced by n - s.
    ///
    /// # Errors
    /// It is not an ES256 signature.
    pub fn es256_with_other_s(signature: &[u8]) -> Result<Vec<u8>> {
        let (r, s) = p256::ecdsa::Signature::from_slice(signature)?.split_scalars();
        Ok(p256::ecdsa::Signature::from_scalars(r, -s)?
            .to_bytes()
            .to_vec())
    }
}

/// The forms of a public key that an attacker might key an HMAC with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PublicForm {
    /// The JSON Web Key.
    Jwk,
    /// The `SubjectPublicKeyInfo` in PEM.
    Pem,
    /// The `SubjectPublicKeyInfo` in DER.
    Der,
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
    fn a_key_signs_nothing_with_the_algorithm_of_another_type() {
        let keys = load().unwrap();
        assert!(keys["rsa"].sign("ES256", b"message").is_err());
        assert!(keys["p256"].sign("ES384", b"message").is_err());
        assert!(keys["ed25519"].sign("none", b"message").is_err());
    }
}
