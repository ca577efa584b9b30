//! Whatever lies in a store that instances share: what cannot be read changes nothing, and what can is believed no more than an answer.
//!
//! An input is a record. `${now}` in it is the time at which it is read, in milliseconds.

use std::sync::LazyLock;

use scopegate_core::{
    Decision, KeyAnswer, KeyCache, KeyRequest, Policy, Portable, Request, Timestamp, TokenCache,
    decide,
};
use serde_json::Value;

use crate::issuer::{self, AUDIENCE, MAIN, START, Signer};

/// Where the issuer's keys are.
pub const URL: &str = "https://tenant.example/jwks.json";

/// The promise, for one input.
pub fn check(input: &[u8]) {
    let now = Timestamp::from_secs(START);
    let text = String::from_utf8_lossy(input).replace("${now}", &now.millis().to_string());
    let policy = policy();
    let mut tokens = TokenCache::new(policy, 7);
    let mut keys = KeyCache::new(policy);
    let wanted = asked(policy, &keys, &mut tokens, Signer::Main, now).expect_err("no keys yet");
    // This instance's own keys came a minute ago, and still serve.
    let then = Timestamp::from_secs(START - 60);
    keys.install(
        &mut tokens,
        &wanted,
        Ok(KeyAnswer::of_file(issuer::key_set(Signer::Main).into())),
        then,
    );
    assert_eq!(
        asked(policy, &keys, &mut tokens, Signer::Main, now),
        Ok(true)
    );
    let is_news = keys.restore(&mut tokens, wanted.issuer, text.as_bytes(), now);
    let passes = |keys: &KeyCache, tokens: &mut TokenCache, signer| {
        asked(policy, keys, tokens, signer, now) == Ok(true)
    };
    if !is_news {
        assert!(
            passes(&keys, &mut tokens, Signer::Main),
            "nothing new, and the key is gone"
        );
        assert!(
            !passes(&keys, &mut tokens, Signer::Other),
            "nothing new, and another key"
        );
    }
    for signer in [Signer::Main, Signer::Other] {
        if is_news && passes(&keys, &mut tokens, signer) {
            check_holds(&text, signer, now);
        }
    }
    // What was taken in once is no news, and what is left in turn is taken in by an instance that knows nothing.
    assert!(
        !keys.restore(&mut tokens, wanted.issuer, text.as_bytes(), now),
        "news twice"
    );
    let record = keys.record(wanted.issuer).expect("somebody has asked");
    let mut other = KeyCache::new(policy);
    let mut none = TokenCache::new(policy, 7);
    assert!(
        other.restore(&mut none, wanted.issuer, &record, now),
        "it does not read its own"
    );
    for signer in [Signer::Main, Signer::Other] {
        assert_eq!(
            passes(&keys, &mut tokens, signer),
            passes(&other, &mut none, signer),
            "two instances that know the same"
        );
    }
}

/// A second reader finds that key in the record's set, or no set that is newer than the instance's own.
fn check_holds(text: &str, signer: Signer, now: Timestamp) {
    let record: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(record["issuer"], MAIN);
    assert_eq!(record["url"], URL);
    let attempted = record["attempted_ms"].as_u64().expect("a time");
    assert!(attempted <= now.millis() + 1_000, "a record of the future");
    let set = &record["set"];
    let is_newer = set["fetched_ms"]
        .as_u64()
        .is_some_and(|ms| ms > now.millis() - 60_000);
    // Nobody reads a set that is older than what is known.
    let holds = || {
        let body = set["body"].as_str().expect("a set has a body");
        let set: Value = serde_json::from_str(body).expect("a key set");
        let keys = set["keys"].as_array().expect("keys").clone();
        keys.iter()
            .any(|key| key["x"] == issuer::x(signer).as_str())
    };
    match is_newer {
        true => assert!(holds(), "a key that the record does not hold"),
        false => assert!(
            signer == Signer::Main,
            "a key of a set that is older than ours"
        ),
    }
}

/// Whether a token of that signer passes; the keys that it needs where none are at hand.
fn asked(
    policy: &Policy,
    keys: &KeyCache,
    tokens: &mut TokenCache,
    signer: Signer,
    now: Timestamp,
) -> Result<bool, KeyRequest> {
    let claims = format!(r#"{{"iss":"{MAIN}","aud":"{AUDIENCE}","exp":9e9}}"#);
    let token = issuer::sign(br#"{"alg":"EdDSA"}"#, claims.as_bytes(), signer);
    let credential = format!("Bearer {token}");
    let fields = [("authorization", credential.as_str())];
    let request = Request::new(b"GET", Some(b"/any"), fields);
    match decide(policy, &request, keys, tokens, &Portable, now) {
        Decision::Allow(_) => Ok(true),
        Decision::Deny(_) => Ok(false),
        Decision::NeedKeys(needed) => Err(needed.keys),
    }
}

fn policy() -> &'static Policy {
    static POLICY: LazyLock<Policy> = LazyLock::new(|| {
        let text = format!(
            "version: 1\nrealm: r\nissuers:\n  one: {{ issuer: {MAIN}, audiences: [\"{AUDIENCE}\"], jwks_uri: {URL} }}\nroutes:\n  - {{ path: /any, authenticated: true }}\n"
        );
        Policy::parse(&text).expect("the harness has a good policy")
    });
    &POLICY
}
