//! The local issuer: its name, real keys, and access tokens to order.
//!
//! It knows no users and asks no password: whoever holds the value mints what they like. That makes it an example and
//! a test tool, and nothing to stand on a network.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use jwt_simple::claims::{Claims, NoCustomClaims};
use scopegate_core::Algorithm;
use serde_json::Value;

use super::addresses::Addresses;
use super::grant::Grant;
use super::key_pair::KeyPair;
use super::key_ring::KeyRing;
use super::service;
use crate::http_server::{self, Server};

/// The issuer's name and its private keys. A clone is the same issuer.
#[derive(Clone)]
pub struct Issuer {
    name: String,
    ring: Arc<Mutex<KeyRing>>,
}

/// An access token.
pub struct AccessToken {
    /// The token itself.
    pub text: String,
    /// The seconds that are left of it; nothing where its `exp` is no whole number.
    pub expires_in: Option<i64>,
    /// Its scopes, where they are a text.
    pub scope: Option<String>,
}

impl Issuer {
    /// Makes new keys, one for each of these algorithms. `name` is compared byte for byte with the policy's `issuer`.
    ///
    /// # Errors
    /// No algorithm, or the system gives no randomness.
    pub fn generate(name: &str, algorithms: &[Algorithm]) -> anyhow::Result<Self> {
        Self::with_keys(name, generate(algorithms)?)
    }

    /// With these keys, of which the first signs where no algorithm is named.
    pub(super) fn with_keys(name: &str, keys: Vec<KeyPair>) -> anyhow::Result<Self> {
        if keys.is_empty() {
            bail!("an issuer without keys cannot sign; name an algorithm");
        }
        Ok(Self {
            name: name.to_owned(),
            ring: Arc::new(Mutex::new(KeyRing::of(keys))),
        })
    }

    /// Serves its metadata and its public keys on this port of loopback; 0 lets the system choose. It mints nothing over the network.
    ///
    /// # Errors
    /// The port is taken.
    pub fn serve(&self, port: u16) -> anyhow::Result<Server> {
        let listener = http_server::listen("the issuer", ([127, 0, 0, 1], port).into())?;
        let addresses = Addresses::of(&self.name, listener.local_addr()?);
        let router = service::documents(self.clone(), addresses);
        Server::on("the issuer", listener, router)
    }

    /// An access token after RFC 9068, unless the grant says otherwise.
    ///
    /// # Errors
    /// `now` lies before 1970, there is no key for the algorithm of the grant, or the signature fails.
    pub fn mint(&self, grant: &Grant, now: SystemTime) -> anyhow::Result<AccessToken> {
        let now = now
            .duration_since(UNIX_EPOCH)
            .context("the clock stands before 1970")?;
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let claims = grant.claims(&self.name, fresh_id(), now);
        let expires = claims.get("exp").and_then(Value::as_i64);
        let expires_in = expires.map(|expires| expires.saturating_sub(now).max(0));
        let scope = claims.get("scope").and_then(Value::as_str);
        let scope = scope.map(str::to_owned);
        let ring = self.ring();
        let Some(key) = ring.signing(grant.algorithm) else {
            let named = grant.algorithm.map_or("", Algorithm::name);
            bail!("the issuer has no key for {named}; start it with `--alg {named}`");
        };
        Ok(AccessToken {
            text: key.sign(claims)?,
            expires_in,
            scope,
        })
    }

    /// Makes other keys for the same algorithms, which sign from now on. The old ones stay published for that long. The `kid`s of the new ones.
    pub(super) fn rotate(&self, overlap: Duration, now: SystemTime) -> anyhow::Result<Vec<String>> {
        let fresh = generate(&self.algorithms())?;
        let ids = fresh.iter().map(KeyPair::id).collect();
        let until = now.checked_add(overlap);
        let until = until.context("an overlap beyond the end of time")?;
        self.ring().rotate(fresh, until, now)?;
        Ok(ids)
    }

    /// The public keys, as RFC 7517 writes them.
    pub(super) fn key_set(&self, now: SystemTime) -> anyhow::Result<Value> {
        self.ring().published(now)
    }

    /// The private keys that sign, as RFC 7517 writes them.
    pub(super) fn private_keys(&self) -> anyhow::Result<Vec<Value>> {
        let ring = self.ring();
        ring.current().iter().map(KeyPair::private_jwk).collect()
    }

    /// What it signs with; the first where no algorithm is named.
    pub(super) fn algorithms(&self) -> Vec<Algorithm> {
        let ring = self.ring();
        ring.current().iter().map(KeyPair::algorithm).collect()
    }

    fn ring(&self) -> MutexGuard<'_, KeyRing> {
        // A change ends with two moves of whole values: a thread that panicked left nothing half done.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Issuer {
    // Private keys never print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for AccessToken {
    // Nor do tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessToken")
            .field("expires_in", &self.expires_in)
            .field("scope", &self.scope)
            .finish_non_exhaustive()
    }
}

fn generate(algorithms: &[Algorithm]) -> anyhow::Result<Vec<KeyPair>> {
    let algorithms = algorithms.iter();
    algorithms
        .map(|algorithm| KeyPair::generate(*algorithm))
        .collect()
}

/// A name for a token that no other has.
fn fresh_id() -> String {
    let mut claims = Claims::with_custom_claims(NoCustomClaims {}, Default::default());
    claims.create_nonce()
}

#[cfg(test)]
#[path = "local_issuer_tests.rs"]
mod tests;
