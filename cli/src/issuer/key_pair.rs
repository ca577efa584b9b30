//! One private key, for one algorithm.

use anyhow::{Context as _, bail};
use jwt_simple::algorithms::{
    ECDSAP256KeyPairLike as _, ECDSAP384KeyPairLike as _, ES256KeyPair, ES384KeyPair,
    Ed25519KeyPair, EdDSAKeyPairLike as _, PS256KeyPair, PS384KeyPair, PS512KeyPair, RS256KeyPair,
    RS384KeyPair, RS512KeyPair, RSAKeyPairLike as _,
};
use jwt_simple::claims::JWTClaims;
use jwt_simple::common::HeaderOptions;
use scopegate_core::Algorithm;
use serde_json::{Map, Value};

/// RFC 7518 section 3.3: 2048 bits or larger.
const RSA_BITS: usize = 2048;

/// A private key with its name. It never prints.
pub(crate) enum KeyPair {
    Rs256(RS256KeyPair),
    Rs384(RS384KeyPair),
    Rs512(RS512KeyPair),
    Ps256(PS256KeyPair),
    Ps384(PS384KeyPair),
    Ps512(PS512KeyPair),
    Es256(ES256KeyPair),
    Es384(ES384KeyPair),
    Ed25519(Ed25519KeyPair),
}

/// The same for the key of whatever type.
macro_rules! with_key {
    ($pair:expr, $key:ident => $answer:expr) => {
        match $pair {
            KeyPair::Rs256($key) => $answer,
            KeyPair::Rs384($key) => $answer,
            KeyPair::Rs512($key) => $answer,
            KeyPair::Ps256($key) => $answer,
            KeyPair::Ps384($key) => $answer,
            KeyPair::Ps512($key) => $answer,
            KeyPair::Es256($key) => $answer,
            KeyPair::Es384($key) => $answer,
            KeyPair::Ed25519($key) => $answer,
        }
    };
}

/// RFC 7638: a thumbprint names a key without a register of names.
macro_rules! named {
    ($kind:ident, $key:expr) => {{
        let key = $key;
        let id = key.jwk_thumbprint();
        KeyPair::$kind(key.with_key_id(&id))
    }};
}

impl KeyPair {
    /// A new key.
    pub(crate) fn generate(algorithm: Algorithm) -> anyhow::Result<Self> {
        let made = || -> Result<Self, jwt_simple::Error> {
            Ok(match algorithm {
                Algorithm::Rs256 => named!(Rs256, RS256KeyPair::generate(RSA_BITS)?),
                Algorithm::Rs384 => named!(Rs384, RS384KeyPair::generate(RSA_BITS)?),
                Algorithm::Rs512 => named!(Rs512, RS512KeyPair::generate(RSA_BITS)?),
                Algorithm::Ps256 => named!(Ps256, PS256KeyPair::generate(RSA_BITS)?),
                Algorithm::Ps384 => named!(Ps384, PS384KeyPair::generate(RSA_BITS)?),
                Algorithm::Ps512 => named!(Ps512, PS512KeyPair::generate(RSA_BITS)?),
                Algorithm::Es256 => named!(Es256, ES256KeyPair::generate()),
                Algorithm::Es384 => named!(Es384, ES384KeyPair::generate()),
                Algorithm::Ed25519 => named!(Ed25519, Ed25519KeyPair::generate()),
            })
        };
        made().with_context(|| format!("making a key for {}", algorithm.name()))
    }

    /// The key that a private JSON Web Key holds, which names its algorithm. The name of the key is its thumbprint.
    pub(super) fn from_jwk(jwk: &Value) -> anyhow::Result<Self> {
        let Some(name) = jwk.get("alg").and_then(Value::as_str) else {
            bail!("a key has no `alg`");
        };
        let Some(algorithm) = Algorithm::from_name(name) else {
            bail!("a key is for {name:?}, which no policy allows");
        };
        let text = jwk.to_string();
        let read = || -> Result<Self, jwt_simple::Error> {
            Ok(match algorithm {
                Algorithm::Rs256 => named!(Rs256, RS256KeyPair::from_jwk(&text)?),
                Algorithm::Rs384 => named!(Rs384, RS384KeyPair::from_jwk(&text)?),
                Algorithm::Rs512 => named!(Rs512, RS512KeyPair::from_jwk(&text)?),
                Algorithm::Ps256 => named!(Ps256, PS256KeyPair::from_jwk(&text)?),
                Algorithm::Ps384 => named!(Ps384, PS384KeyPair::from_jwk(&text)?),
                Algorithm::Ps512 => named!(Ps512, PS512KeyPair::from_jwk(&text)?),
                Algorithm::Es256 => named!(Es256, ES256KeyPair::from_jwk(&text)?),
                Algorithm::Es384 => named!(Es384, ES384KeyPair::from_jwk(&text)?),
                Algorithm::Ed25519 => named!(Ed25519, Ed25519KeyPair::from_jwk(&text)?),
            })
        };
        read().with_context(|| format!("a key for {name} is no private JSON Web Key of that kind"))
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rs256(_) => Algorithm::Rs256,
            Self::Rs384(_) => Algorithm::Rs384,
            Self::Rs512(_) => Algorithm::Rs512,
            Self::Ps256(_) => Algorithm::Ps256,
            Self::Ps384(_) => Algorithm::Ps384,
            Self::Ps512(_) => Algorithm::Ps512,
            Self::Es256(_) => Algorithm::Es256,
            Self::Es384(_) => Algorithm::Es384,
            Self::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// Its `kid`.
    pub(super) fn id(&self) -> String {
        with_key!(self, key => key.jwk_thumbprint())
    }

    /// The public half, as RFC 7517 writes it.
    pub(crate) fn public_jwk(&self) -> anyhow::Result<Value> {
        let text = with_key!(self, key => key.public_key().to_jwk());
        let mut jwk: Map<String, Value> = serde_json::from_str(&text)?;
        jwk.insert("kid".to_owned(), self.id().into());
        Ok(Value::Object(jwk))
    }

    /// All of it, to be saved.
    pub(super) fn private_jwk(&self) -> anyhow::Result<Value> {
        let text = with_key!(self, key => key.to_jwk());
        Ok(serde_json::from_str(&text)?)
    }

    /// A signed token of these claims and no others. Its type is that of RFC 9068 section 2.1.
    pub(crate) fn sign(&self, claims: Map<String, Value>) -> anyhow::Result<String> {
        let claims = JWTClaims {
            issued_at: None,
            expires_at: None,
            invalid_before: None,
            issuer: None,
            subject: None,
            audiences: None,
            jwt_id: None,
            nonce: None,
            custom: claims,
        };
        let options = HeaderOptions {
            signature_type: Some("at+jwt".to_owned()),
            ..HeaderOptions::default()
        };
        with_key!(self, key => key.sign_with_options(claims, &options)).context("signing a token")
    }
}
