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

#[test]
fn a_known_token_is_asked_anew_by_each_route_but_the_one_that_it_met_last() {
    let algorithm = Algorithm::Ed25519;
    let key = json!({"keys": [jwk(algorithm)]});
    let policy = format!(
        "
version: 1
realm: t
issuers: {{ i: {{ issuer: https://i.example/, audiences: [a], algorithms: [EdDSA], jwks: {key} }} }}
routes:
  - {{ path: /read, scopes: [read] }}
  - {{ path: /write, scopes: [write] }}
  - {{ path: /any, authenticated: true }}
  - {{ path: /elsewhere, audiences: [b], authenticated: true }}
  - {{ path: /role, authenticated: true, claims: [{{ claim: role, equals: admin }}] }}
"
    );
    let policy = Policy::parse(&policy).unwrap();
    let keys = KeyCache::new(&policy);
    let mut tokens = TokenCache::new(&policy, 7);
    let claims = json!({"iss": "https://i.example/", "aud": "a", "exp": 2_000, "scope": "read"});
    let value = format!("Bearer {}", mint(algorithm, json!({}), &claims));
    let mut ask = |path: &str, now: Timestamp| {
        let headers = [("authorization", &value)];
        let request = Request::new(b"GET", Some(path.as_bytes()), headers);
        match decide(&policy, &request, &keys, &mut tokens, &Portable, now) {
            Decision::Allow(allow) => (None, allow.facts.token_cache),
            Decision::Deny(deny) => (Some(deny.reason), deny.facts.token_cache),
            Decision::NeedKeys(_) => panic!("the keys stand in the policy"),
        }
    };
    assert_eq!(ask("/read", NOW), (None, CacheUse::Miss));
    let routes = [
        ("/read", None),
        ("/write", Some(Reason::ScopeMissing)),
        ("/any", None),
        ("/elsewhere", Some(Reason::AudienceMismatch)),
        ("/role", Some(Reason::ClaimRefused)),
    ];
    // Each behind each, itself included.
    for (before, _) in routes {
        for (path, refused) in routes {
            ask(before, NOW);
            assert_eq!(
                ask(path, NOW),
                (refused, CacheUse::Hit),
                "{before}, then {path}"
            );
        }
    }
    let late = Timestamp::from_secs(3_000);
    for (path, _) in routes {
        ask(path, NOW);
        let expired = (Some(Reason::TokenExpired), CacheUse::Hit);
        assert_eq!(ask(path, late), expired, "{path}");
    }
}
