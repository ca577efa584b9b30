//! Whatever answers for an issuer's metadata: keys are asked for at the issuer's own address or not at all, and a round ends.
//!
//! The first line of an input is the status, the rest is the content.

use std::sync::LazyLock;

use scopegate_core::{
    Decision, FetchFailure, FetchReport, KeyAnswer, KeyCache, KeyLocation, KeyRequest, Policy,
    Portable, Request, Timestamp, TokenCache, decide,
};
use serde_json::Value;

use crate::issuer::{self, AUDIENCE, START, Signer};

/// The issuer, whose metadata is below a path.
pub const ISSUER: &str = "https://tenant.example/realms/one";

/// Where its metadata is, and where else.
const WELL_KNOWN: [&str; 2] = [
    "https://tenant.example/realms/one/.well-known/openid-configuration",
    "https://tenant.example/.well-known/oauth-authorization-server/realms/one",
];

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let mut lines = input.splitn(2, |octet| *octet == b'\n');
    let (Some(first), Some(body)) = (lines.next(), lines.next()) else {
        return;
    };
    let Some(status) = str::from_utf8(first)
        .ok()
        .and_then(|text| text.parse().ok())
    else {
        return;
    };
    let policy = policy();
    let (mut keys, mut tokens) = (KeyCache::new(policy), TokenCache::new(policy, 7));
    let now = Timestamp::from_secs(START);
    let mut asked: Vec<String> = Vec::new();
    let mut next = Some(first_request(policy, &keys, &mut tokens, now));
    while let Some(request) = next {
        let KeyLocation::Url(url) = &request.location else {
            panic!("a file, of an issuer that has none");
        };
        assert!(!asked.contains(url), "{url} is asked for twice in a round");
        assert!(
            asked.len() < 3,
            "a round of more than three URLs: {asked:?}"
        );
        asked.push(url.clone());
        let is_metadata = WELL_KNOWN.contains(&url.as_str());
        let outcome = match is_metadata {
            true => Ok(KeyAnswer::new::<&str, &str>(status, [], body.to_vec())),
            false => Err(FetchFailure::Timeout),
        };
        if !is_metadata {
            check_key_url(url, status, body);
        }
        let report = keys.install(&mut tokens, &request, outcome, now);
        assert_eq!(
            report == FetchReport::Discovered,
            is_metadata && asked.len() == 1 && names_keys(&keys, &request, now),
            "{report}"
        );
        next = keys.under_way(request.issuer, now);
    }
    assert!(
        keys.has_failed(first_issuer(policy)),
        "no keys, and no failure"
    );
}

/// Whether the keys come next.
fn names_keys(keys: &KeyCache, request: &KeyRequest, now: Timestamp) -> bool {
    let next = keys.under_way(request.issuer, now);
    next.is_some_and(|next| !WELL_KNOWN.contains(&next.location.to_string().as_str()))
}

/// A second reader finds that the metadata is this issuer's, and that the address is on its own host.
fn check_key_url(url: &str, status: u16, body: &[u8]) {
    assert_eq!(status, 200, "keys from an answer that is none");
    let document: Value = serde_json::from_slice(body).expect("JSON");
    assert_eq!(document["issuer"], ISSUER);
    assert!(document["jwks_uri"].is_string());
    assert!(url.starts_with("https://tenant.example/"), "{url}");
    assert!(!url.contains(['#', ' ', '\\']), "{url}");
}

fn first_issuer(policy: &Policy) -> scopegate_core::IssuerId {
    let (keys, mut tokens) = (KeyCache::new(policy), TokenCache::new(policy, 7));
    first_request(policy, &keys, &mut tokens, Timestamp::from_secs(START)).issuer
}

/// What is asked for first, for a token that nobody has verified.
fn first_request(
    policy: &Policy,
    keys: &KeyCache,
    tokens: &mut TokenCache,
    now: Timestamp,
) -> KeyRequest {
    let claims = format!(r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":9e9}}"#);
    let token = issuer::sign(br#"{"alg":"EdDSA"}"#, claims.as_bytes(), Signer::Stranger);
    let credential = format!("Bearer {token}");
    let fields = [("authorization", credential.as_str())];
    let request = Request::new(b"GET", Some(b"/any"), fields);
    match decide(policy, &request, keys, tokens, &Portable, now) {
        Decision::NeedKeys(needed) => needed.keys,
        other => panic!("a gate without keys does not ask for any: {other:?}"),
    }
}

fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        let text = format!(
            "version: 1\nrealm: r\nissuers:\n  one: {{ issuer: {ISSUER}, audiences: [\"{AUDIENCE}\"] }}\nroutes:\n  - {{ path: /any, authenticated: true }}\n"
        );
        Policy::parse(&text).expect("the harness has a good policy")
    });
    &POLICY
}
