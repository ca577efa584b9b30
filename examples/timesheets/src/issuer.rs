//! A local issuer: real keys, the two documents that a gate reads, and access tokens to order.
//!
//! It knows no users and asks no password: whoever holds the value mints what they like. That makes it an example and
//! a test tool, and nothing to stand on a network.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use axum::routing::get;
use axum::{Json, Router};
use jwt_simple::algorithms::{ECDSAP256KeyPairLike, ES256KeyPair, RS256KeyPair, RSAKeyPairLike};
use jwt_simple::claims::{Claims, JWTClaims};
use jwt_simple::common::HeaderOptions;
use serde_json::{Map, Value, json};

use crate::server::Server;

/// RFC 7518 section 3.3: 2048 bits or larger.
const RSA_BITS: usize = 2048;

/// The algorithm, and with it the key, that a token is signed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SigningKey {
    /// The RSA key.
    #[default]
    Rs256,
    /// The P-256 key.
    Es256,
}

/// What an access token says. The issuer, the times and the token's id are added when it is minted.
#[derive(Clone, Debug)]
pub struct Grant {
    /// `sub`.
    pub subject: String,
    /// `aud`.
    pub audience: String,
    /// `scope`: separated by spaces.
    pub scope: String,
    /// Seconds from minting to `exp`; negative for a token that expired that long ago.
    pub expires_in: i64,
    /// The key that signs.
    pub key: SigningKey,
    /// More claims, for example roles.
    pub claims: Map<String, Value>,
}

/// The issuer's name and its private keys.
pub struct Issuer {
    url: String,
    rsa: RS256KeyPair,
    ec: ES256KeyPair,
}

impl Issuer {
    /// Makes new keys. `url` is its name, compared byte for byte with the policy's `issuer`; it ends in a slash.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn generate(url: &str) -> Result<Self> {
        let rsa = RS256KeyPair::generate(RSA_BITS).context("making an RSA key")?;
        let ec = ES256KeyPair::generate();
        // RFC 7638: a thumbprint names a key without a register of names.
        let (rsa_id, ec_id) = (rsa.jwk_thumbprint(), ec.jwk_thumbprint());
        Ok(Self {
            url: url.to_owned(),
            rsa: rsa.with_key_id(&rsa_id),
            ec: ec.with_key_id(&ec_id),
        })
    }

    /// Serves its metadata and its public keys on this port of loopback; 0 lets the system choose.
    ///
    /// # Errors
    /// The port is taken.
    pub fn serve(&self, port: u16) -> Result<Server> {
        let metadata = self.metadata();
        let keys = self.key_set()?;
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || Json(metadata)),
            )
            .route("/.well-known/jwks.json", get(async move || Json(keys)));
        Server::start("the issuer", port, router)
    }

    /// An access token after RFC 9068, signed with the key that the grant asks for.
    ///
    /// # Errors
    /// `now` lies before 1970, or the signature fails.
    pub fn mint(&self, grant: &Grant, now: SystemTime) -> Result<String> {
        let now = now
            .duration_since(UNIX_EPOCH)
            .context("the clock stands before 1970")?;
        let claims = self.claims(grant, now);
        let options = HeaderOptions {
            signature_type: Some("at+jwt".to_owned()),
            ..HeaderOptions::default()
        };
        match grant.key {
            SigningKey::Rs256 => self.rsa.sign_with_options(claims, &options),
            SigningKey::Es256 => self.ec.sign_with_options(claims, &options),
        }
        .context("signing a token")
    }

    fn claims(&self, grant: &Grant, now: Duration) -> JWTClaims<Map<String, Value>> {
        let mut own = grant.claims.clone();
        own.insert("client_id".to_owned(), json!("timesheets-app"));
        own.insert("scope".to_owned(), json!(grant.scope));
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let expires = now.saturating_add(grant.expires_in);
        // A token that expired an hour ago was not issued just now.
        let issued = now.min(expires.saturating_sub(1));
        let mut claims = Claims::with_custom_claims(own, seconds(0))
            .with_issuer(&self.url)
            .with_subject(&grant.subject)
            .with_audience(&grant.audience);
        claims.create_nonce();
        claims.jwt_id = claims.nonce.take();
        claims.issued_at = Some(seconds(issued));
        claims.expires_at = Some(seconds(expires));
        claims.invalid_before = None;
        claims
    }

    /// OpenID Connect Discovery 1.0, the members that a resource server reads.
    fn metadata(&self) -> Value {
        json!({
            "issuer": self.url,
            "jwks_uri": format!("{}.well-known/jwks.json", self.url),
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
        })
    }

    /// The public keys, as RFC 7517 writes them.
    fn key_set(&self) -> Result<Value> {
        let rsa: Value = serde_json::from_str(&self.rsa.public_key().to_jwk())?;
        let ec: Value = serde_json::from_str(&self.ec.public_key().to_jwk())?;
        Ok(json!({ "keys": [rsa, ec] }))
    }
}

impl std::fmt::Debug for Issuer {
    // Private keys never print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

fn seconds(count: i64) -> jwt_simple::prelude::Duration {
    jwt_simple::prelude::Duration::from_secs(u64::try_from(count).unwrap_or(0))
}
