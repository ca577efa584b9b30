//! A policy with its keys and its tokens, and requests that are decided on, over and over.

use std::fmt::Write as _;
use std::hint::black_box;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use e2e::test_key;
use scopegate_core::{
    Algorithm, CacheUse, Decision, InvalidSignature, KeyAnswer, KeyCache, Policy, PublicKey,
    Request, Timestamp, TokenCache, Verifier, decide,
};
use serde_json::{Value, json};

/// When everything happens.
const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// The octets of an ES256 signature.
const SIGNATURE: usize = 64;

/// How much there is of everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) routes: usize,
    pub(crate) issuers: usize,
    /// Of each issuer.
    pub(crate) keys: usize,
    /// Octets of a token, or as many as its claims come to where that is more.
    pub(crate) token: usize,
    /// Distinct tokens, in turn.
    pub(crate) tokens: usize,
    /// The most octets that tokens may take in the cache, in KiB.
    pub(crate) cache_kib: usize,
}

/// Takes every signature for a good one: what is left is what a decision costs besides.
struct AcceptAll;

impl Verifier for AcceptAll {
    fn verify(
        &self,
        _: Algorithm,
        _: &PublicKey,
        _: &[u8],
        _: &[u8],
    ) -> Result<(), InvalidSignature> {
        Ok(())
    }
}

/// What is decided on, and with what.
pub(crate) struct Scene {
    policy: Policy,
    keys: KeyCache,
    tokens: TokenCache,
    requests: Vec<Asked>,
    /// What the token cache has to say to every one.
    expected: CacheUse,
    next: usize,
}

impl Scene {
    /// Everything of that size, its keys at hand and its tokens seen once. `expected` says whether they are known then: they are not where the
    /// cache is too small to hold them for one turn.
    pub(crate) fn new(size: Size, expected: CacheUse) -> Result<Self> {
        let text = policy(size);
        let policy = Policy::parse(&text).context("a policy that is none")?;
        let mut scene = Self {
            keys: KeyCache::new(&policy),
            tokens: TokenCache::new(&policy, 1),
            requests: requests(size)?,
            policy,
            expected,
            next: 0,
        };
        scene.fetch(&key_set(size.keys)?)?;
        // Once to know them, where there is room, and once to see that it is as expected.
        scene.turn()?;
        let good = scene.run(u32::try_from(scene.requests.len())?);
        ensure!(
            good as usize == scene.requests.len(),
            "only {good} of {} decisions are as expected: {size:?}",
            scene.requests.len()
        );
        Ok(scene)
    }

    /// Decides so many times, and returns how many requests were allowed, the cache having said what was expected.
    pub(crate) fn run(&mut self, times: u32) -> u32 {
        let mut good = 0;
        for _ in 0..times {
            let request = self.requests[self.next].request();
            self.next = (self.next + 1) % self.requests.len();
            let decision = decide(
                &self.policy,
                black_box(&request),
                &self.keys,
                &mut self.tokens,
                &AcceptAll,
                NOW,
            );
            if let Decision::Allow(allow) = black_box(decision)
                && allow.facts.token_cache == self.expected
            {
                good += 1;
            }
        }
        good
    }

    /// Gets every issuer's keys.
    fn fetch(&mut self, key_set: &[u8]) -> Result<()> {
        for issuer in self.policy.issuer_ids() {
            let wanted = self.keys.request(issuer, NOW).context("no keys to fetch")?;
            let answer = KeyAnswer::of_file(key_set.to_vec());
            self.keys
                .install(&mut self.tokens, &wanted, Ok(answer), NOW);
        }
        Ok(())
    }

    /// Decides on every request once, and says why one is not allowed.
    fn turn(&mut self) -> Result<()> {
        for asked in &self.requests {
            let decision = decide(
                &self.policy,
                &asked.request(),
                &self.keys,
                &mut self.tokens,
                &AcceptAll,
                NOW,
            );
            ensure!(
                matches!(decision, Decision::Allow(_)),
                "not allowed: {decision:?}"
            );
        }
        Ok(())
    }
}

fn policy(size: Size) -> String {
    let mut text = format!(
        "version: 1\nrealm: scale\ntoken_cache: {}KiB\nforward: {{ sub: x-auth-sub }}\nissuers:\n",
        size.cache_kib
    );
    for issuer in 0..size.issuers {
        let _ = writeln!(
            text,
            "  i{issuer}: {{ issuer: '{0}', audiences: [api], jwks_uri: '{0}keys' }}",
            issuer_url(issuer)
        );
    }
    text.push_str("routes:\n");
    for route in 0..size.routes {
        let pattern = pattern(route);
        let _ = writeln!(text, "- {{path: \"{pattern}\", scopes: [read:r{route}]}}");
    }
    text
}

fn issuer_url(issuer: usize) -> String {
    format!("https://i{issuer}.example/")
}

/// Collections and their members, all side by side.
fn pattern(route: usize) -> String {
    match route % 2 {
        0 => format!("/r{}", route / 2),
        _ => format!("/r{}/{{id}}", route / 2),
    }
}

/// The same key under as many names: what matters is how many there are to look among.
fn key_set(keys: usize) -> Result<Vec<u8>> {
    let all = test_key::load()?;
    let public = all.get("p256").context("the test key p256")?.public_jwk();
    let named = (0..keys).map(|number| {
        let mut key = public.clone();
        key.insert("kid".to_owned(), kid(number).into());
        Value::Object(key)
    });
    Ok(json!({ "keys": named.collect::<Vec<_>>() })
        .to_string()
        .into_bytes())
}

fn kid(key: usize) -> String {
    format!("key-{key}")
}

/// Requests whose tokens are distinct, and go through routes, issuers and keys in turn.
fn requests(size: Size) -> Result<Vec<Asked>> {
    let one = |number: usize| {
        // A stride through the routes that has no divisor with their usual numbers, so that they are not asked for in their order.
        let route = number * 7919 % size.routes;
        Ok(Asked {
            path: pattern(route).replace("{id}", "507f1f77bcf86cd799439011"),
            credential: format!("Bearer {}", token(size, number, route)?),
        })
    };
    (0..size.tokens).map(one).collect()
}

/// A request as a host holds it.
struct Asked {
    path: String,
    credential: String,
}

impl Asked {
    fn request(&self) -> Request<'_> {
        let fields = [
            ("host", "api.example.com"),
            ("user-agent", "bench/0.1"),
            ("accept", "application/json"),
            ("authorization", &self.credential),
        ];
        Request::new(b"GET", Some(self.path.as_bytes()), fields)
    }
}

/// A token of the wanted size, whose claims fill it as roles do in those of large organisations.
fn token(size: Size, number: usize, route: usize) -> Result<String> {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(&json!({ "alg": "ES256", "kid": kid(number % size.keys) }));
    let mut claims = json!({
        "iss": issuer_url(number % size.issuers),
        "aud": "api",
        "sub": format!("user-{number}"),
        "exp": NOW.millis() / 1000 + 3600,
        "scope": format!("read:r{route}"),
    });
    let with = |claims: &Value| {
        let signature = URL_SAFE_NO_PAD.encode([7; SIGNATURE]);
        format!("{header}.{}.{signature}", part(claims))
    };
    let mut roles = Vec::new();
    loop {
        let made = with(&claims);
        // One role is 15 octets of JSON, and 20 of the token.
        let left = size.token.saturating_sub(made.len());
        if left < 20 {
            return Ok(made);
        }
        // Far from the end several at once: the text is made anew each time.
        for _ in 0..(left / 20 / 2).max(1) {
            roles.push(format!("role-{:07}", roles.len()));
        }
        let claims = claims.as_object_mut().context("claims")?;
        claims.insert("roles".to_owned(), json!(roles));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Size = Size {
        routes: 3,
        issuers: 2,
        keys: 2,
        token: 400,
        tokens: 5,
        cache_kib: 64,
    };

    #[test]
    fn what_is_known_is_a_hit() {
        let mut scene = Scene::new(SMALL, CacheUse::Hit).unwrap();
        assert_eq!(scene.run(12), 12);
        assert!(Scene::new(SMALL, CacheUse::Miss).is_err());
    }

    #[test]
    fn without_a_cache_each_is_a_miss() {
        let size = Size {
            cache_kib: 0,
            ..SMALL
        };
        let mut scene = Scene::new(size, CacheUse::Miss).unwrap();
        assert_eq!(scene.run(12), 12);
    }

    #[test]
    fn a_token_has_the_wanted_size() {
        for wanted in [400, 1000, 8192] {
            let token = token(
                Size {
                    token: wanted,
                    ..SMALL
                },
                1,
                0,
            )
            .unwrap();
            assert!(
                (wanted - 20..=wanted).contains(&token.len()),
                "{wanted}: {}",
                token.len()
            );
        }
    }
}
