//! Vectors from outside, put to the gate and to its portable verifier as they are compiled for this machine.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use e2e::vectors::jose::{self, Key, Signature};
use e2e::vectors::{Exceptions, differences, wycheproof};
use scopegate_core::{
    Decision, KeyCache, Policy, Portable, Request, Timestamp, TokenCache, decide,
};
use vector_probe::{Question, ask};

#[test]
fn wycheproof_is_right_but_for_the_exceptions() {
    let groups = wycheproof().unwrap();
    let mut seen = Vec::new();
    for group in &groups {
        let verdicts = ask(&group.question, &Portable).unwrap();
        seen.extend(differences(group, &verdicts).unwrap());
    }
    let complaints = Exceptions::load().unwrap().complaints(&groups, &seen);
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    // A later edition of the vectors may have more.
    let count: usize = groups.iter().map(|group| group.expected.len()).sum();
    assert!(count > 14_000, "{count} vectors alone");
}

#[test]
fn signatures_of_the_rfcs_verify_where_their_algorithm_is_done() {
    for example in jose::load().unwrap() {
        if example.signatures.is_empty() {
            continue;
        }
        let seen: Vec<Signature> = example
            .questions()
            .unwrap()
            .iter()
            .map(|question| match ask(question, &Portable).unwrap() {
                None => Signature::NotDone,
                Some(verdicts) => {
                    assert_eq!(verdicts, [true], "{}", example.file);
                    Signature::Valid
                }
            })
            .collect();
        assert_eq!(seen, example.signatures, "{}", example.file);
    }
}

#[test]
fn keys_of_the_rfcs_are_taken_or_passed_over() {
    for example in jose::load().unwrap() {
        let Some(expected) = example.key else {
            continue;
        };
        let key = example.content().unwrap();
        let algorithm = if key["kty"] == "RSA" {
            "RS256"
        } else {
            "ES256"
        };
        let question = Question {
            algorithm: algorithm.to_owned(),
            key,
            vectors: Vec::new(),
        };
        let seen = match ask(&question, &Portable).unwrap() {
            Some(_) => Key::Taken,
            None => Key::PassedOver,
        };
        assert_eq!(seen, expected, "{}", example.file);
    }
}

#[test]
fn tokens_of_the_rfcs_are_refused_each_for_its_reason() {
    for example in jose::load().unwrap() {
        let serializations = example.serializations().unwrap();
        let seen = serializations
            .iter()
            .map(|(form, token)| (form.clone(), refused(token)));
        assert_eq!(
            seen.collect::<std::collections::BTreeMap<_, _>>(),
            example.tokens,
            "{}",
            example.file
        );
    }
}

const POLICY: &str = r#"
version: 1
realm: vectors
issuers:
  joe:
    issuer: joe
    audiences: [vectors]
    algorithms: [RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA]
    jwks_uri: https://joe.example/keys
routes:
  - { path: /, authenticated: true }
"#;

/// The reason code for this bearer token, at a time when the tokens of RFC 7515 were in force.
fn refused(token: &str) -> String {
    let policy = Policy::parse(POLICY).unwrap();
    let (keys, mut tokens) = (KeyCache::new(&policy), TokenCache::new(&policy, 0));
    let credential = format!("Bearer {token}");
    let fields = [("authorization", credential.as_str())];
    let request = Request::new(b"GET", Some(b"/"), fields);
    let now = Timestamp::from_secs(1_300_819_300);
    match decide(&policy, &request, &keys, &mut tokens, &Portable, now) {
        Decision::Deny(deny) => deny.reason.code().to_owned(),
        Decision::Allow(_) => "allowed".to_owned(),
        Decision::NeedKeys(_) => "keys wanted".to_owned(),
    }
}
