//! Every reason to refuse is reached by a case of the corpus, and each of its cases has the answer of the HTTP contract.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::collections::BTreeSet;

use e2e::corpus::{Expect, load};
use scopegate_core::Reason;

/// The HTTP contract: status, title, and what stands in the challenge after its realm.
fn contract(reason: Reason) -> (u16, &'static str, Option<&'static str>) {
    use Reason::{
        AlgorithmRefused, AudienceMismatch, ClaimMalformed, ClaimRefused, ClaimUnforwardable,
        ConnectRefused, CredentialAmbiguous, CredentialMalformed, CredentialMissing,
        CriticalHeader, HostFailure, IssuerRefused, IssuerUnknown, KeyAmbiguous, KeyUnusable,
        KeysUnavailable, KidAwaited, KidUnknown, MethodUnmatched, PathAmbiguous, PathMissing,
        ProofOfPossession, RouteUnmatched, ScopeMissing, SignatureInvalid, TokenExpired,
        TokenMalformed, TokenNotYetValid, TokenTooLarge, TypeRefused,
    };
    const TOKEN: &str = "Missing or invalid token";
    match reason {
        CredentialMissing => (401, TOKEN, Some("")),
        CredentialAmbiguous | CredentialMalformed => {
            (400, TOKEN, Some(r#", error="invalid_request""#))
        }
        TokenTooLarge | TokenMalformed | AlgorithmRefused | CriticalHeader | TypeRefused
        | ClaimMalformed | ProofOfPossession | IssuerUnknown | IssuerRefused | TokenNotYetValid
        | AudienceMismatch | KidUnknown | KeyUnusable | KeyAmbiguous | SignatureInvalid => {
            (401, TOKEN, Some(r#", error="invalid_token""#))
        }
        TokenExpired => (
            401,
            TOKEN,
            Some(r#", error="invalid_token", error_description="The access token expired""#),
        ),
        ScopeMissing => (
            403,
            "Insufficient scope",
            Some(r#", error="insufficient_scope", scope=""#),
        ),
        ClaimRefused | ClaimUnforwardable => {
            (403, "Forbidden", Some(r#", error="insufficient_scope""#))
        }
        RouteUnmatched | MethodUnmatched | PathMissing | ConnectRefused => (403, "Forbidden", None),
        PathAmbiguous => (400, "Ambiguous path", None),
        KeysUnavailable | KidAwaited => (503, "Keys unavailable", None),
        HostFailure => (503, "Service unavailable", None),
    }
}

/// Every refusal that a case expects, with the case's name.
fn refusals() -> Vec<(String, Expect)> {
    let mut refusals = Vec::new();
    for case in load().unwrap() {
        let name = case.full_name();
        let expected = case.steps.into_iter().map(|step| step.expect);
        let refused = expected.filter(|expect| expect.upstream.is_none());
        refusals.extend(refused.map(|expect| (name.clone(), expect)));
    }
    refusals
}

#[test]
fn every_reason_is_reached_by_a_case() {
    let reached: BTreeSet<String> = refusals()
        .into_iter()
        .filter_map(|(_, expect)| expect.reason)
        .collect();
    let missing: Vec<&str> = Reason::ALL
        .into_iter()
        .map(Reason::code)
        .filter(|code| !reached.contains(*code))
        .collect();
    // No request makes a host fail: it takes keys of another policy (core/tests/freshness.rs), or a host call that fails.
    assert_eq!(missing, [Reason::HostFailure.code()]);
}

#[test]
fn every_refusal_of_a_case_has_the_answer_of_its_reason() {
    for (name, expect) in refusals() {
        let code = expect.reason.as_deref().unwrap_or_default();
        let reason = Reason::ALL.into_iter().find(|reason| reason.code() == code);
        let reason = reason.unwrap_or_else(|| panic!("{name}: no reason {code:?}"));
        let (status, title, challenge) = contract(reason);
        assert_eq!(expect.status, Some(status), "{name}");
        assert_eq!(expect.title.as_deref(), Some(title), "{name}");
        let Some(parameters) = challenge else {
            assert_eq!(expect.challenge, None, "{name}");
            continue;
        };
        let seen = expect.challenge.as_deref().unwrap_or_default();
        let (realm, rest) = seen
            .strip_prefix(r#"Bearer realm=""#)
            .and_then(|rest| rest.split_once('"'))
            .unwrap();
        assert!(!realm.is_empty(), "{name}");
        match reason {
            Reason::ScopeMissing => {
                let scopes = rest
                    .strip_prefix(parameters)
                    .and_then(|rest| rest.strip_suffix('"'));
                assert!(
                    scopes.is_some_and(|scopes| !scopes.is_empty()),
                    "{name}: {seen}"
                );
            }
            _ => assert_eq!(rest, parameters, "{name}"),
        }
    }
}
