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
