//! A policy, an issuer and a gate in miniature: what the tests of time, keys and caches share.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    dead_code,
    unreachable_pub
)]

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64URL;
use ed25519_compact::{KeyPair, Seed};
use scopegate_core::{
    CacheUse, Decision, FetchFailure, FetchReport, IssuerId, KeyAnswer, KeyCache, KeyRequest,
    KeyState, Policy, Portable, Request, Response, Timestamp, TokenCache, decide,
};

/// The moment at which every test starts, in seconds.
pub const START: u64 = 1_800_000_000;

pub const POLICY: &str = "
version: 1
realm: test
issuers:
  one:
    issuer: https://one.example/
    audiences: [api]
    jwks_uri: https://one.example/jwks.json
    algorithms: [EdDSA]
    clock_skew: 10s
    keys: { ttl: 10m, max_stale: 1h, cooldown: 30s, timeout: 5s }
  two:
    issuer: https://two.example/
    audiences: [api]
    jwks_uri: https://two.example/jwks.json
    algorithms: [EdDSA]
forward: { sub: x-auth-sub }
routes:
  - { path: /open, public: true }
  - { path: /any, authenticated: true }
  - { path: /read, methods: [GET], scopes: [read] }
  - { path: /shadow, scopes: [read], mode: shadow }
";

pub fn key_pair(number: u8) -> KeyPair {
    KeyPair::from_seed(Seed::new([number; 32]))
}

/// A key set: pairs of `kid` and key number.
pub fn key_set(keys: &[(&str, u8)]) -> String {
    let jwks: Vec<String> = keys
        .iter()
        .map(|(kid, number)| {
            let x = BASE64URL.encode(&key_pair(*number).pk[..]);
            format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"{x}"}}"#)
        })
        .collect();
    format!(r#"{{"keys":[{}]}}"#, jwks.join(","))
}

/// A token of issuer `one` that expires in an hour, with more claims (`"name":value,`) in front. An empty `kid` is none.
pub fn token(kid: &str, number: u8, more: &str) -> String {
    token_until(START + 3_600, kid, number, more)
}

pub fn token_until(expires: u64, kid: &str, number: u8, more: &str) -> String {
    let claims = format!(r#"{{{more}"iss":"https://one.example/","aud":"api","exp":{expires}}}"#);
    mint(kid, number, &claims)
}

pub fn token_of(issuer: &str, kid: &str, number: u8) -> String {
    let expires = START + 3_600;
    mint(
        kid,
        number,
        &format!(r#"{{"iss":"{issuer}","aud":"api","exp":{expires}}}"#),
    )
}

fn mint(kid: &str, number: u8, claims: &str) -> String {
    let kid = match kid {
        "" => String::new(),
        kid => format!(r#","kid":"{kid}""#),
    };
    let header = BASE64URL.encode(format!(r#"{{"alg":"EdDSA"{kid}}}"#));
    let input = format!("{header}.{}", BASE64URL.encode(claims));
    let signature = BASE64URL.encode(&key_pair(number).sk.sign(&input, None)[..]);
    format!("{input}.{signature}")
}

pub struct Gate {
    pub policy: Policy,
    pub keys: KeyCache,
    pub tokens: TokenCache,
    /// Milliseconds since [`START`].
    pub elapsed: u64,
}

impl Gate {
    pub fn new() -> Self {
        Self::with(POLICY)
    }

    pub fn with(policy: &str) -> Self {
        let policy = Policy::parse(policy).unwrap();
        let keys = KeyCache::new(&policy);
        let tokens = TokenCache::new(&policy, 7);
        Self {
            policy,
            keys,
            tokens,
            elapsed: 0,
        }
    }

    pub fn now(&self) -> Timestamp {
        Timestamp::from_millis(START * 1000 + self.elapsed)
    }

    /// The id of the first issuer of the policy.
    pub fn first(&self) -> IssuerId {
        self.policy.issuer_ids().next().unwrap()
    }

    pub fn state(&self) -> KeyState {
        self.keys.status(self.first(), self.now()).unwrap().state
    }

    /// Where to fetch behind the scenes now.
    pub fn due(&self) -> Vec<String> {
        let due = self.keys.due(self.now()).into_iter();
        due.map(|request| request.location.to_string()).collect()
    }

    pub fn wait(&mut self, seconds: u64) {
        self.elapsed += seconds * 1000;
    }

    /// What the gate says, in a word: `allow`, `shadow <reason>`, `fetch <url>`, or the reason of a refusal.
    pub fn ask(&mut self, path: &str, token: &str) -> String {
        self.decision(path, token, |decision, _, _| match decision {
            Decision::Allow(allow) => match allow.shadowed {
                None => "allow".to_owned(),
                Some(reason) => format!("shadow {}", reason.code()),
            },
            Decision::Deny(deny) => deny.reason.code().to_owned(),
            Decision::NeedKeys(needed) => format!("fetch {}", needed.keys.location),
        })
    }

    /// What the token cache did for a request that is let through or refused.
    pub fn cache_use(&mut self, path: &str, token: &str) -> CacheUse {
        self.decision(path, token, |decision, _, _| match decision {
            Decision::Allow(allow) => allow.facts.token_cache,
            Decision::Deny(deny) => deny.facts.token_cache,
            Decision::NeedKeys(needed) => panic!("expected an answer, got {needed:?}"),
        })
    }

    /// Whether the decision noted that no key held is the token's.
    pub fn is_unknown_kid(&mut self, path: &str, token: &str) -> bool {
        self.decision(path, token, |decision, _, _| match decision {
            Decision::Allow(allow) => allow.facts.unknown_kid,
            Decision::Deny(deny) => deny.facts.unknown_kid,
            Decision::NeedKeys(needed) => needed.facts.unknown_kid,
        })
    }

    /// The request for keys that this request leads to.
    pub fn wanted(&mut self, path: &str, token: &str) -> Option<KeyRequest> {
        self.decision(path, token, |decision, _, _| match decision {
            Decision::NeedKeys(needed) => Some(needed.keys),
            Decision::Allow(allow) => allow.fetch,
            Decision::Deny(_) => None,
        })
    }

    /// The answer to a request that is refused.
    pub fn refusal(&mut self, path: &str, token: &str) -> Response<'_> {
        self.decision(path, token, |decision, request, policy| match decision {
            Decision::Deny(deny) => deny.response(policy, request),
            other => panic!("expected a refusal, got {other:?}"),
        })
    }

    fn decision<'g, T>(
        &'g mut self,
        path: &str,
        token: &str,
        read: impl FnOnce(Decision<'g, '_>, &Request, &'g Policy) -> T,
    ) -> T {
        let credential = format!("Bearer {token}");
        let request = get(path, (!token.is_empty()).then_some(&credential));
        let now = self.now();
        let (keys, tokens) = (&self.keys, &mut self.tokens);
        let decision = decide(&self.policy, &request, keys, tokens, &Portable, now);
        read(decision, &request, &self.policy)
    }

    /// Asks; when keys are wanted, gives these and asks again.
    pub fn ask_with(&mut self, path: &str, token: &str, keys: &str) -> String {
        match self.wanted(path, token) {
            None => self.ask(path, token),
            Some(wanted) => {
                self.give(wanted.issuer, keys);
                self.ask(path, token)
            }
        }
    }

    pub fn give(&mut self, issuer: IssuerId, keys: &str) -> FetchReport {
        self.answer(issuer, 200, None, keys)
    }

    pub fn answer(
        &mut self,
        issuer: IssuerId,
        status: u16,
        cache_control: Option<&str>,
        body: &str,
    ) -> FetchReport {
        let cache_control = cache_control.map(|value| ("cache-control", value));
        let answer = KeyAnswer::new(status, cache_control, body.into());
        self.install(issuer, Ok(answer))
    }

    /// Hands in what became of the next fetch for that issuer.
    pub fn install(
        &mut self,
        issuer: IssuerId,
        outcome: Result<KeyAnswer, FetchFailure>,
    ) -> FetchReport {
        let now = self.now();
        let request = self.keys.request(issuer, now).unwrap();
        self.keys.install(&mut self.tokens, &request, outcome, now)
    }

    /// What this gate leaves for another one.
    pub fn record(&self, issuer: IssuerId) -> Vec<u8> {
        self.keys.record(issuer).unwrap()
    }

    /// Takes in what another gate left. Says whether that was news.
    pub fn restore(&mut self, issuer: IssuerId, record: &[u8]) -> bool {
        let now = self.now();
        self.keys.restore(&mut self.tokens, issuer, record, now)
    }

    pub fn fail(&mut self, issuer: IssuerId) -> FetchReport {
        self.install(issuer, Err(FetchFailure::Timeout))
    }
}

fn get<'a>(path: &'a str, credential: Option<&'a String>) -> Request<'a> {
    let headers = credential.map(|credential| ("authorization", credential));
    Request::new(b"GET", Some(path.as_bytes()), headers)
}
