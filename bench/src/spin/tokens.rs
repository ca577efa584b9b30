//! The policy, the issuer's keys, and tokens that it made.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use e2e::corpus::{KeySet, TokenSpec, mint};
use e2e::key_server::KeyServer;
use e2e::test_key::{self, TestKey};

/// Where the key server has the issuer's keys.
const KEYS_PATH: &str = "/jwks.json";

/// An instance answers 128 requests, and of 16 at once there are at most 16: with so many tokens in turn, none meets one that it
/// has verified before.
const DISTINCT: usize = 16 * 128;

/// What signs a token. The names are those of the test keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Rs256 => "rsa",
            Self::Es256 => "p256",
        }
    }
}

/// An issuer whose key server runs.
pub(crate) struct Issuer {
    keys: BTreeMap<String, TestKey>,
    server: KeyServer,
}

impl Issuer {
    pub(crate) fn start() -> Result<Self> {
        let keys = test_key::load()?;
        let server = KeyServer::start()?;
        let set: KeySet = serde_saphyr::from_str(
            "{ keys: [{ key: rsa, kid: rsa, alg: RS256, use: sig }, { key: p256, kid: p256, alg: ES256, use: sig }] }",
        )?;
        server.put(KEYS_PATH, &set, &keys, Duration::ZERO)?;
        Ok(Self { keys, server })
    }

    /// The gate's policy: the issuer, and as many routes as a small API has.
    pub(crate) fn policy(&self) -> String {
        include_str!("policy.yaml").replace(
            "${KEYS}",
            &format!("http://{}{KEYS_PATH}", self.server.address()),
        )
    }

    /// How often its keys were fetched.
    pub(crate) fn fetches(&self) -> usize {
        self.server.asked(KEYS_PATH).len()
    }

    /// One token.
    pub(crate) fn token(&self, algorithm: Algorithm) -> Result<String> {
        self.mint(algorithm, "the one that is repeated")
    }

    /// Tokens that differ in one claim, and so in their signatures.
    pub(crate) fn distinct(&self, algorithm: Algorithm) -> Result<Vec<String>> {
        (0..DISTINCT)
            .map(|number| self.mint(algorithm, &number.to_string()))
            .collect()
    }

    fn mint(&self, algorithm: Algorithm, id: &str) -> Result<String> {
        let key = algorithm.key();
        // Good for longer than any measurement lasts.
        let spec = format!(
            "{{ key: {key}, header: {{ kid: {key} }}, claims: {{ iss: 'https://tenant.example/', sub: 'auth0|507f1f77bcf86cd799439011', \
             aud: ['https://timesheets.example.com/api', 'https://tenant.example/userinfo'], iat: -60, exp: +604800, \
             azp: my_client_id, scope: 'openid profile email read:timesheets create:timesheets', jti: '{id}' }} }}"
        );
        let spec: TokenSpec = serde_saphyr::from_str(&spec).context("a token")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
        mint::token(&spec, &self.keys, None, u64::try_from(now)?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use scopegate_core::Policy;

    use super::*;

    #[test]
    fn the_policy_is_one() {
        let policy = Issuer::start().unwrap().policy();
        assert!(Policy::parse(&policy).is_ok(), "{policy}");
    }

    #[test]
    fn distinct_tokens_differ() {
        let tokens = Issuer::start().unwrap().distinct(Algorithm::Es256).unwrap();
        assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), DISTINCT);
    }
}
