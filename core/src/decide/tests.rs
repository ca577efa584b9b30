//! What the corpus cannot see from outside: what a decision leaves behind.

use serde_json::json;

use super::*;
use crate::verify::testing::{encode, jwk, mint};
use crate::verify::{Algorithm, Portable};

const NOW: Timestamp = Timestamp::from_secs(1_000);

#[test]
fn only_the_header_of_a_verified_token_is_kept() {
    let algorithm = Algorithm::Ed25519;
    let key = json!({"keys": [jwk(algorithm)]});
    let policy = format!(
        "{{ version: 1, realm: t, issuers: {{ i: {{ issuer: https://i.example/, audiences: [a], algorithms: [EdDSA], jwks: {key} }} }}, \
         routes: [{{ path: /, authenticated: true }}] }}"
    );
    let policy = Policy::parse(&policy).unwrap();
    let keys = KeyCache::new(&policy);
    let mut tokens = TokenCache::new(&policy, 7);
    let claims = |exp: u32| json!({"iss": "https://i.example/", "aud": "a", "exp": exp});
    let good = mint(algorithm, json!({}), &claims(2_000));
    let (header, rest) = good.split_once('.').unwrap();
    let (payload, _) = rest.split_once('.').unwrap();
    let expired = mint(algorithm, json!({}), &claims(500));
    let forged = format!("{header}.{payload}.{}", encode([0; 64]));
    for (token, passes) in [(&expired, false), (&forged, false), (&good, true)] {
        let value = format!("Bearer {token}");
        let request = Request::new(b"GET", Some(b"/"), [("authorization", &value)]);
        let decision = decide(&policy, &request, &keys, &mut tokens, &Portable, NOW);
        assert_eq!(matches!(decision, Decision::Allow(_)), passes, "{token}");
        assert_eq!(tokens.headers.has(header), passes, "{token}");
    }
}

/// A policy of these routes, and of an issuer that has its keys in it.
fn policy(routes: &str) -> Policy {
    let key = json!({"keys": [jwk(Algorithm::Ed25519)]});
    let text = format!(
        "
version: 1
realm: t
issuers: {{ i: {{ issuer: https://i.example/, audiences: [a], algorithms: [EdDSA], jwks: {key} }} }}
{routes}
"
    );
    Policy::parse(&text).unwrap()
}

/// One gate, asked again and again.
struct World<'p> {
    policy: &'p Policy,
    keys: KeyCache,
    tokens: TokenCache,
}

impl<'p> World<'p> {
    fn new(policy: &'p Policy) -> Self {
        Self {
            policy,
            keys: KeyCache::new(policy),
            tokens: TokenCache::new(policy, 7),
        }
    }

    /// Why a request is refused, or would be in shadow mode, and what the decision found on its way.
    fn ask(
        &mut self,
        method: &str,
        path: &str,
        token: &str,
        now: Timestamp,
    ) -> (Option<Reason>, Facts<'p>) {
        let value = format!("Bearer {token}");
        let headers = [("authorization", &value)];
        let request = Request::new(method.as_bytes(), Some(path.as_bytes()), headers);
        let (keys, tokens) = (&self.keys, &mut self.tokens);
        match decide(self.policy, &request, keys, tokens, &Portable, now) {
            Decision::Allow(allow) => (allow.shadowed, allow.facts),
            Decision::Deny(deny) => (Some(deny.reason), deny.facts),
            Decision::NeedKeys(_) => panic!("the keys stand in the policy"),
        }
    }
}

fn token(subject: &str, scope: &str) -> String {
    let claims = json!({"iss": "https://i.example/", "aud": "a", "exp": 2_000, "sub": subject, "scope": scope});
    mint(Algorithm::Ed25519, json!({}), &claims)
}

#[test]
fn a_known_token_is_asked_anew_by_each_route_but_the_one_that_it_met_last() {
    let policy = policy(
        "
routes:
  - { path: /read, scopes: [read] }
  - { path: /write, scopes: [write] }
  - { path: /any, authenticated: true }
  - { path: /elsewhere, audiences: [b], authenticated: true }
  - { path: /role, authenticated: true, claims: [{ claim: role, equals: admin }] }
  - { path: /watched, mode: shadow, scopes: [write] }
  - { path: /both, methods: [GET], scopes: [read] }
  - { path: /both, methods: [POST], scopes: [write] }
",
    );
    let mut world = World::new(&policy);
    let token = token("alice", "read");
    let routes = [
        ("GET", "/read", None),
        ("GET", "/write", Some(Reason::ScopeMissing)),
        ("GET", "/any", None),
        ("GET", "/elsewhere", Some(Reason::AudienceMismatch)),
        ("GET", "/role", Some(Reason::ClaimRefused)),
        ("GET", "/watched", Some(Reason::ScopeMissing)),
        ("GET", "/both", None),
        ("HEAD", "/both", None),
        ("POST", "/both", Some(Reason::ScopeMissing)),
    ];
    let (first, facts) = world.ask("GET", "/read", &token, NOW);
    assert_eq!((first, facts.token_cache), (None, CacheUse::Miss));
    // Each behind each, itself included, and each of them twice.
    for (method_before, before, _) in routes {
        for (method, path, refused) in routes {
            world.ask(method_before, before, &token, NOW);
            for time in ["first", "second"] {
                let (found, facts) = world.ask(method, path, &token, NOW);
                let shown = format!("{before}, then {method} {path}, the {time} time");
                assert_eq!(
                    (found, facts.token_cache),
                    (refused, CacheUse::Hit),
                    "{shown}"
                );
            }
        }
    }
    let late = Timestamp::from_secs(3_000);
    for (method, path, _) in routes {
        world.ask(method, path, &token, NOW);
        let (found, facts) = world.ask(method, path, &token, late);
        let expired = (Some(Reason::TokenExpired), CacheUse::Hit);
        assert_eq!((found, facts.token_cache), expired, "{method} {path}");
    }
}

#[test]
fn what_one_token_has_met_is_nothing_to_another() {
    let policy = policy(
        "
routes:
  - { path: /read, scopes: [read] }
  - { path: /any, authenticated: true }
",
    );
    let mut world = World::new(&policy);
    let (reader, other) = (token("alice", "read"), token("bob", "none"));
    for _ in 0..3 {
        assert_eq!(world.ask("GET", "/read", &reader, NOW).0, None);
        assert_eq!(world.ask("GET", "/any", &other, NOW).0, None);
        let (found, facts) = world.ask("GET", "/read", &other, NOW);
        let missing = (Some(Reason::ScopeMissing), CacheUse::Hit);
        assert_eq!((found, facts.token_cache), missing);
    }
}

#[test]
fn subject_and_what_cannot_be_forwarded_are_noted_each_time() {
    let policy = policy(
        "
forward: { sub: x-auth-sub }
routes: [{ path: /, authenticated: true }]
envoy: { log_subject: true, clusters: {} }
",
    );
    let mut world = World::new(&policy);
    for (subject, refused, claim) in [
        ("alice", None, None),
        (" alice", Some(Reason::ClaimUnforwardable), Some("sub")),
    ] {
        let token = token(subject, "read");
        for time in 0..3 {
            let (found, facts) = world.ask("GET", "/", &token, NOW);
            assert_eq!(found, refused, "{subject:?}, {time}");
            assert_eq!(facts.claim.as_deref(), claim, "{subject:?}, {time}");
            assert_eq!(facts.subject.as_deref(), Some(subject), "{time}");
        }
    }
}
