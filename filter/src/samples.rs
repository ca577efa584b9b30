//! What the unit tests share: a policy of two issuers, and requests with tokens of theirs.

use scopegate_core::{Decision, KeyRequest, Policy, Request, Timestamp};

use crate::asked::Asked;
use crate::configuration;
use crate::gate::Gate;

pub(crate) const POLICY: &str = r#"
version: 1
realm: timesheets
issuers:
  first:
    issuer: https://first.example.com/
    audiences: [api]
    jwks_uri: https://first.example.com/jwks
    keys: { timeout: 5s }
  second:
    issuer: https://second.example.com/
    audiences: [api]
    jwks_uri: https://second.example.com/jwks
    keys: { timeout: 2s }
routes:
  - { path: /open, public: true }
  - { path: /closed, authenticated: true }
envoy: { clusters: { first: keys_of_first, second: keys_of_second } }
"#;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_000);

pub(crate) fn policy() -> Policy {
    configuration::read(POLICY.as_bytes()).unwrap()
}

/// A request whose token nobody has verified: `{"alg":"RS256","kid":"k"}`, and claims that expire late enough.
pub(crate) fn asked(issuer: &str) -> Asked {
    let claims = match issuer {
        // {"iss":"https://first.example.com/","aud":"api","exp":2000}
        "first" => {
            "eyJpc3MiOiJodHRwczovL2ZpcnN0LmV4YW1wbGUuY29tLyIsImF1ZCI6ImFwaSIsImV4cCI6MjAwMH0"
        }
        // {"iss":"https://second.example.com/","aud":"api","exp":2000}
        "second" => {
            "eyJpc3MiOiJodHRwczovL3NlY29uZC5leGFtcGxlLmNvbS8iLCJhdWQiOiJhcGkiLCJleHAiOjIwMDB9"
        }
        other => panic!("no sample of `{other}`"),
    };
    let credential = format!("Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.{claims}.AAAA");
    Asked::sample(&[
        (":method", "GET"),
        (":path", "/closed"),
        ("authorization", &credential),
    ])
}

/// What the core wants fetched for such a request.
pub(crate) fn wanted(issuer: &str) -> KeyRequest {
    let gate = Gate::new(1, policy());
    let asked = asked(issuer);
    let mut request = Request::empty();
    asked.fill(&mut request).unwrap();
    match gate.decide(&request, NOW) {
        Decision::NeedKeys(needed) => needed.keys,
        other => panic!("the core answered {other:?}"),
    }
}
