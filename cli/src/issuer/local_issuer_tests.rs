use std::time::{Duration, UNIX_EPOCH};

use jwt_simple::algorithms::{Ed25519PublicKey, EdDSAPublicKeyLike as _};
use jwt_simple::claims::JWTClaims;
use scopegate_core::{
    Decision, KeyCache, Policy, Portable, Request, Timestamp, TokenCache, decide,
};
use serde_json::{Map, Value, json};

use super::*;

const NOW: u64 = 1_800_000_000;

fn now() -> SystemTime {
    at(NOW)
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .unwrap()
}

/// The reason why a gate with these keys refuses the token; nothing where it lets it pass.
fn refused(keys: &Value, algorithms: &[Algorithm], token: &str) -> Option<&'static str> {
    let names: Vec<&str> = algorithms.iter().map(|one| one.name()).collect();
    let policy = json!({
        "version": 1,
        "realm": "test",
        "issuers": { "local": { "issuer": "https://issuer/", "audiences": ["api"], "token_type": "at+jwt", "algorithms": names, "jwks": keys } },
        "routes": [{ "path": "/", "scopes": ["read"] }],
    });
    let policy = Policy::parse(&policy.to_string()).unwrap();
    let authorization = format!("Bearer {token}");
    let headers = [("authorization", authorization.as_bytes())];
    let request = Request::new(b"GET", Some(b"/"), headers);
    let cache = KeyCache::new(&policy);
    let mut tokens = TokenCache::new(&policy, 0x5eed);
    let now = Timestamp::from_millis(NOW * 1000);
    match decide(&policy, &request, &cache, &mut tokens, &Portable, now) {
        Decision::Allow(_) => None,
        Decision::Deny(deny) => Some(deny.reason.code()),
        Decision::NeedKeys(_) => Some("keys needed"),
    }
}

#[test]
fn a_gate_takes_the_tokens_of_every_algorithm_with_the_keys_that_are_published() {
    let issuer = Issuer::generate("https://issuer/", &Algorithm::ALL).unwrap();
    let keys = issuer.key_set(now()).unwrap();
    for key in keys["keys"].as_array().unwrap() {
        assert!(key.get("d").is_none(), "a private key is served");
    }
    for algorithm in Algorithm::ALL {
        let mut grant = Grant::new("alice", "api", "read write");
        grant.algorithm = Some(algorithm);
        let token = issuer.mint(&grant, now()).unwrap();
        assert_eq!(
            refused(&keys, &[algorithm], &token.text),
            None,
            "{algorithm:?}"
        );
        assert_eq!(
            (token.expires_in, token.scope.as_deref()),
            (Some(300), Some("read write"))
        );
        grant.expires_in = Some(-60);
        let token = issuer.mint(&grant, now()).unwrap();
        assert_eq!(
            refused(&keys, &[algorithm], &token.text),
            Some("token_expired")
        );
        assert_eq!(token.expires_in, Some(0));
    }
}

#[test]
fn another_library_takes_them_too() {
    let issuer = Issuer::generate("https://issuer/", &[Algorithm::Ed25519]).unwrap();
    let keys = issuer.key_set(now()).unwrap();
    let key = Ed25519PublicKey::from_jwk(&keys["keys"][0].to_string()).unwrap();
    let grant = Grant::new("alice", "api", "read");
    let claims = |token: &AccessToken| -> JWTClaims<Map<String, Value>> {
        let options = jwt_simple::common::VerificationOptions {
            artificial_time: Some(jwt_simple::prelude::UnixTimeStamp::from_secs(NOW)),
            ..Default::default()
        };
        key.verify_token(&token.text, Some(options)).unwrap()
    };
    let first = claims(&issuer.mint(&grant, now()).unwrap());
    let second = claims(&issuer.mint(&grant, now()).unwrap());
    assert_eq!(first.subject.as_deref(), Some("alice"));
    assert_eq!(first.custom["scope"], "read");
    assert_eq!(first.custom["client_id"], "local");
    assert!(first.jwt_id.is_some() && first.jwt_id != second.jwt_id);
}

#[test]
fn new_keys_sign_and_old_ones_verify_until_they_are_dropped() {
    let algorithms = [Algorithm::Es256];
    let issuer = Issuer::generate("https://issuer/", &algorithms).unwrap();
    let mint = || {
        issuer
            .mint(&Grant::new("alice", "api", "read"), now())
            .unwrap()
            .text
    };
    let before = mint();
    issuer.rotate(Duration::from_secs(60), now()).unwrap();
    let after = mint();
    let both = issuer.key_set(now()).unwrap();
    assert_eq!(refused(&both, &algorithms, &before), None);
    assert_eq!(refused(&both, &algorithms, &after), None);
    let later = issuer.key_set(at(NOW + 60)).unwrap();
    assert_eq!(refused(&later, &algorithms, &before), Some("kid_unknown"));
    assert_eq!(refused(&later, &algorithms, &after), None);
}

#[test]
fn what_it_has_no_key_for_it_does_not_sign() {
    let issuer = Issuer::generate("https://issuer/", &[Algorithm::Es256]).unwrap();
    let mut grant = Grant::new("alice", "api", "read");
    grant.algorithm = Some(Algorithm::Rs256);
    let refused = issuer.mint(&grant, now()).unwrap_err().to_string();
    assert_eq!(
        refused,
        "the issuer has no key for RS256; start it with `--alg RS256`"
    );
    assert!(Issuer::generate("https://issuer/", &[]).is_err());
}

#[test]
fn neither_keys_nor_tokens_print() {
    let issuer = Issuer::generate("https://issuer/", &[Algorithm::Es256]).unwrap();
    assert_eq!(
        format!("{issuer:?}"),
        "Issuer { name: \"https://issuer/\", .. }"
    );
    let token = issuer.mint(&Grant::usual(), now()).unwrap();
    assert!(!format!("{token:?}").contains(&token.text));
}
