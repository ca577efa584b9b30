//! The issuer of the benchmarks: its keys, the server that has them, and tokens that it made.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use e2e::corpus::{KeySet, TokenSpec, mint};
use e2e::key_server::KeyServer;
use e2e::test_key::{self, TestKey};
use serde_json::{Value, json};

/// Where the key server has the issuer's keys.
const KEYS_PATH: &str = "/jwks.json";

/// What signs a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
    EdDsa,
    Ps256,
}

impl Algorithm {
    /// As a token's header has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Ps256 => "PS256",
        }
    }

    /// The test key's name.
    fn key(self) -> &'static str {
        match self {
            Self::Rs256 | Self::Ps256 => "rsa",
            Self::Es256 => "p256",
            Self::EdDsa => "ed25519",
        }
    }

    fn kid(self) -> &'static str {
        match self {
            // The same key may stand twice in a set, once for each of its algorithms.
            Self::Ps256 => "rsa-pss",
            _ => self.key(),
        }
    }
}

/// An issuer whose key server runs.
pub(crate) struct Issuer {
    keys: BTreeMap<String, TestKey>,
    server: KeyServer,
}

impl Issuer {
    /// Starts the key server, with a key for each of these.
    pub(crate) fn start(algorithms: &[Algorithm]) -> Result<Self> {
        let keys = test_key::load()?;
        let server = KeyServer::start()?;
        let set = algorithms.iter().map(|algorithm| {
            json!({ "key": algorithm.key(), "kid": algorithm.kid(), "alg": algorithm.name(), "use": "sig" })
        });
        let set: KeySet = serde_json::from_value(json!({ "keys": set.collect::<Vec<Value>>() }))?;
        server.put(KEYS_PATH, &set, &keys, Duration::ZERO)?;
        Ok(Self { keys, server })
    }

    /// Where the key server listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.server.address()
    }

    /// Where it has the keys.
    pub(crate) fn jwks_uri(&self) -> String {
        format!("http://{}{KEYS_PATH}", self.address())
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.server.asked(KEYS_PATH).len()
    }

    /// The public key for that algorithm, as a DER `SubjectPublicKeyInfo`.
    pub(crate) fn spki_der(&self, algorithm: Algorithm) -> Result<Vec<u8>> {
        let key = self.keys.get(algorithm.key()).context("a key is missing")?;
        key.spki_der()
    }

    /// One token.
    pub(crate) fn token(&self, algorithm: Algorithm) -> Result<String> {
        self.mint(algorithm, "the one that is repeated", &json!({}))
    }

    /// Tokens that differ in one claim, and so in their signatures; all of one length, but for what an algorithm varies.
    pub(crate) fn distinct(&self, algorithm: Algorithm, count: usize) -> Result<Vec<String>> {
        let mint = |number| self.mint(algorithm, &format!("{number:06}"), &json!({}));
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = count.div_ceil(threads).max(1);
        thread::scope(|scope| {
            // Started all before the first is waited for.
            let workers: Vec<_> = (0..count)
                .step_by(share)
                .map(|first| first..count.min(first + share))
                .map(|numbers| scope.spawn(move || numbers.map(mint).collect::<Result<Vec<_>>>()))
                .collect();
            let mut tokens = Vec::with_capacity(count);
            for worker in workers {
                let signed = worker.join().ok().context("signing a token panicked")?;
                tokens.extend(signed?);
            }
            Ok(tokens)
        })
    }

    /// A token with this `jti`, and these claims over the usual ones; times are in seconds from now.
    pub(crate) fn mint(&self, algorithm: Algorithm, id: &str, other: &Value) -> Result<String> {
        let mut claims = json!({
            "iss": "https://tenant.example/",
            "sub": "auth0|507f1f77bcf86cd799439011",
            "aud": ["https://timesheets.example.com/api", "https://tenant.example/userinfo"],
            "iat": -60,
            // Good for longer than any measurement lasts.
            "exp": 604_800,
            "azp": "my_client_id",
            "scope": "openid profile email read:timesheets create:timesheets",
            "jti": id,
        });
        for (name, value) in other.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        let spec = json!({
            "key": algorithm.key(),
            "alg": algorithm.name(),
            "header": { "kid": algorithm.kid() },
            "claims": claims,
        });
        let spec: TokenSpec = serde_json::from_value(spec).context("a token")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        mint::token(&spec, &self.keys, None, u64::try_from(now)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn distinct_tokens_differ_and_are_of_one_length() {
        let issuer = Issuer::start(&[Algorithm::EdDsa]).unwrap();
        let tokens = issuer.distinct(Algorithm::EdDsa, 20).unwrap();
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), 20);
        let lengths: BTreeSet<usize> = tokens.iter().map(String::len).collect();
        assert_eq!(lengths.len(), 1);
    }
}
