//! The core alone and the gate in Envoy give one answer to any request, and what goes on goes on as it came, byte for byte.
//!
//! The corpus asks what somebody thought of; this asks the rest. What Envoy's codecs refuse before any filter sees it must not
//! reach the upstream, and is counted: if nothing else came, nothing would be compared.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::core_gate::{CoreGate, Refresh};
use e2e::corpus::KeySet;
use e2e::corpus::{Runner, TokenSpec, mint};
use e2e::gate::{Gate, Plan};
use e2e::judge::{Prepared, Seen};
use e2e::runner::Host;
use e2e::server::Received;
use e2e::{test_key, tools};
use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};

const POLICY: &str = r#"
version: 1
realm: timesheets
issuers:
  auth0:
    issuer: https://tenant.example/
    audiences: [https://timesheets.example.com/api]
    jwks_uri: ${jwks:main}
forward: { sub: x-auth-sub, email: x-auth-email }
routes:
  - { path: /healthz, public: true }
  - { path: /timesheets, methods: [GET], scopes: [read:timesheets] }
  - { path: /timesheets, methods: [POST], scopes: [create:timesheets] }
  - { path: "/timesheets/{id}", methods: [DELETE], scopes: { any: [delete:timesheets, admin] } }
  - { path: "/timesheets/{id}", authenticated: true, token: strip }
  - { path: "/timesheets/mine", scopes: [read:timesheets], claims: [{ claim: email, exists: true }] }
  - { path: "/reports/{*rest}", authenticated: true, allow_in_path: [encoded-slash, semicolon] }
  - { path: "/reports/draft", scopes: [admin] }
  - { path: "/shadow/{*rest}", scopes: [admin], mode: shadow }
  - { path: "/", public: true, token: keep }
"#;

/// Requests of each run over each protocol.
const REQUESTS: u32 = 400;

#[test]
fn envoy_and_the_core_agree_on_any_request() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let keys = test_key::load().unwrap();
    let set: KeySet = serde_saphyr::from_str("{ keys: [{ key: p256, kid: e1 }] }").unwrap();
    let mut plan = Plan::new(&tools, &keys).unwrap();
    let place = plan.key_set("gate", "main", &set, Duration::ZERO).unwrap();
    let places = BTreeMap::from([("main".to_owned(), place)]);
    plan.listener("gate", POLICY, &places).unwrap();
    let gate = plan.start().unwrap();
    let sets = BTreeMap::from([("main".to_owned(), set)]);

    let tokens: Vec<String> = TOKENS
        .iter()
        .map(|yaml| {
            let spec: TokenSpec = serde_saphyr::from_str(yaml).unwrap();
            mint::token(&spec, &keys, None, now_ms()).unwrap()
        })
        .collect();
    // Both have the keys from the beginning: what a gate says without them is another matter.
    let first = Prepared::get("/timesheets").bearer(&tokens[0]);
    asked(&gate, Runner::EnvoyHttp1, &first).unwrap();
    for runner in [Runner::EnvoyHttp1, Runner::EnvoyHttp2] {
        let (compared, passed) = (Cell::new(0), Cell::new(0));
        let config = ProptestConfig {
            cases: REQUESTS,
            // A file of failures would lie beside sources that did not fail.
            failure_persistence: None,
            ..ProptestConfig::default()
        };
        let outcome = TestRunner::new(config).run(&request(tokens.clone()), |sent| {
            let mut core =
                CoreGate::new(POLICY, &sets, &keys, Refresh::BehindRequests, now_ms()).unwrap();
            core.ask(&first).unwrap();
            let expected = core.ask(&sent).unwrap();
            let Some(seen) = asked(&gate, runner, &sent) else {
                return Ok(());
            };
            compared.set(compared.get() + 1);
            passed.set(passed.get() + u32::from(seen.upstream.is_some()));
            agree(&sent, &expected, &seen)
        });
        match outcome {
            Ok(()) => {}
            Err(TestError::Fail(reason, sent)) => {
                panic!("{}: {reason}: {}", runner.name(), shown(&sent));
            }
            Err(error) => panic!("{}: {error}", runner.name()),
        }
        assert!(compared.get() > REQUESTS / 2, "{} compared", compared.get());
        assert!(passed.get() > REQUESTS / 20, "{} passed", passed.get());
    }
}

/// Good, with other scopes, expired, of another key, of nobody.
const TOKENS: [&str; 6] = [
    r#"{ key: p256, header: { kid: e1 }, claims: { iss: "https://tenant.example/", aud: "https://timesheets.example.com/api", sub: alice, scope: "read:timesheets create:timesheets", exp: +600 } }"#,
    r#"{ key: p256, header: { kid: e1 }, claims: { iss: "https://tenant.example/", aud: "https://timesheets.example.com/api", sub: bob, email: bob@example.com, scope: "admin read:timesheets", exp: +600 } }"#,
    r#"{ key: p256, header: { kid: e1 }, claims: { iss: "https://tenant.example/", aud: "https://timesheets.example.com/api", sub: " eve", exp: +600 } }"#,
    r#"{ key: p256, header: { kid: e1 }, claims: { iss: "https://tenant.example/", aud: "https://timesheets.example.com/api", exp: -600 } }"#,
    r#"{ key: p256-other, header: { kid: e1 }, claims: { iss: "https://tenant.example/", aud: "https://timesheets.example.com/api", exp: +600 } }"#,
    r#"{ key: p256, header: { kid: e1 }, claims: { iss: "https://elsewhere.example/", aud: "https://timesheets.example.com/api", exp: +600 } }"#,
];

fn request(tokens: Vec<String>) -> impl Strategy<Value = Prepared> {
    let method = prop::sample::select(vec![
        "GET", "GET", "GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT",
    ]);
    let header = prop_oneof![
        Just(("origin", "https://app.example")),
        Just(("access-control-request-method", "DELETE")),
        Just(("content-type", "application/grpc")),
        Just(("x-auth-sub", "root")),
        Just(("x_auth_sub", "root")),
        Just(("X.Auth.Email", "root")),
        Just(("x-http-method-override", "DELETE")),
        Just(("accept", "*/*")),
    ];
    let text = prop::sample::select(tokens);
    let credential = prop_oneof![
        1 => Just(Vec::new()),
        6 => text.clone().prop_map(|token| vec![format!("Bearer {token}")]),
        1 => text.clone().prop_map(|token| vec![format!("bearer   {token}")]),
        1 => text.clone().prop_map(|token| vec![format!("Basic {token}")]),
        1 => text.clone().prop_map(|token| vec![format!("Bearer {token}"), format!("Bearer {token}")]),
        1 => text.prop_map(|token| vec![format!("Bearer {token} x")]),
    ];
    (
        method,
        path(),
        prop::collection::vec(header, 0..3),
        credential,
    )
        .prop_map(|(method, path, headers, credential)| {
            let mut sent = Prepared {
                method: method.to_owned(),
                path: Some(path.into_bytes()),
                ..Prepared::default()
            };
            for (name, value) in headers {
                sent = sent.with(name, value);
            }
            for value in credential {
                sent = sent.with("authorization", &value);
            }
            sent
        })
}

/// Mostly something near a route.
fn path() -> impl Strategy<Value = String> {
    let near = prop::sample::select(vec![
        "/healthz",
        "/timesheets",
        "/timesheets/mine",
        "/timesheets/7",
        "/reports",
        "/reports/draft",
        "/reports/2026/q1",
        "/shadow/x",
        "/",
        "/nowhere",
    ]);
    let bit = prop::sample::select(vec![
        "/", "//", "/.", "/..", "%2e", "%2F", "%5c", "%25", "%61", "%C3%A9", "%00", "%zz", ";",
        ";x=1", "\\", "?", "?a=b", "?/../x", "%3f", "%23", "x", "T", "~", "*", "%3b", ":", "@",
        "%20", "+",
    ]);
    (
        near,
        prop::collection::vec((any::<prop::sample::Index>(), bit), 0..3),
    )
        .prop_map(|(near, bits)| {
            let mut path = near.to_owned();
            for (at, bit) in bits {
                // A request target begins with a slash (RFC 9112 section 3.2.1).
                path.insert_str(1 + at.index(path.len()), bit);
            }
            path
        })
}

/// What came back; nothing where a codec refused the request, which then went nowhere.
fn asked(gate: &Gate, runner: Runner, sent: &Prepared) -> Option<Seen> {
    let id = gate.fresh_id();
    let answer = gate.send("gate", runner, sent, &id).unwrap();
    let mut upstream = gate.upstream.seen(&id);
    assert!(upstream.len() < 2, "the upstream saw one request twice");
    let ours = |name: &str| answer.header(name).first().copied() == Some("no-store");
    if upstream.is_empty() && !ours("cache-control") {
        assert_eq!(answer.status, 400, "neither ours nor the codec's");
        return None;
    }
    Some(Seen {
        status: Some(answer.status),
        body: (sent.method != "HEAD").then(|| answer.body.clone()),
        headers: answer.headers,
        upstream: upstream.pop(),
        ..Seen::default()
    })
}

fn agree(sent: &Prepared, expected: &Seen, seen: &Seen) -> Result<(), TestCaseError> {
    match (&expected.upstream, &seen.upstream) {
        (None, None) => {
            // gRPC hides its status, and says it in another header (checked by the corpus).
            if expected.grpc.is_none() {
                prop_assert_eq!(expected.status, seen.status);
                prop_assert_eq!(&expected.body, &seen.body);
            }
            for name in ["www-authenticate", "retry-after", "cache-control"] {
                prop_assert_eq!(values(expected, name), values(seen, name), "{}", name);
            }
        }
        (Some(expected), Some(seen)) => {
            prop_assert_eq!(&seen.method, &sent.method);
            prop_assert_eq!(Some(&seen.path), sent.path.as_ref());
            for name in [
                "x-auth-sub",
                "x-auth-email",
                "x_auth_sub",
                "x.auth.email",
                "authorization",
                "x-http-method-override",
            ] {
                // Envoy joins two fields of one name with a comma, which RFC 9110 section 5.3 makes the same.
                let joined = |received: &Received| received.header(name).join(",");
                prop_assert_eq!(joined(expected), joined(seen), "{}", name);
            }
        }
        (expected, seen) => {
            return Err(TestCaseError::fail(format!(
                "the core lets it {}, and Envoy {}",
                if expected.is_some() {
                    "pass"
                } else {
                    "not pass"
                },
                if seen.is_some() { "does" } else { "does not" },
            )));
        }
    }
    Ok(())
}

fn shown(sent: &Prepared) -> String {
    let escaped = |bytes: &[u8]| bytes.escape_ascii().to_string();
    let path = sent.path.as_deref().map(escaped).unwrap_or_default();
    let headers = sent.headers.iter();
    let headers: Vec<_> = headers
        .map(|(name, value)| format!("{name}: {}", escaped(value)))
        .collect();
    format!("{} {path}\n{}", sent.method, headers.join("\n"))
}

fn values<'a>(seen: &'a Seen, name: &str) -> Vec<&'a str> {
    let named = seen.headers.iter().filter(|(known, _)| known == name);
    named.map(|(_, value)| value.as_str()).collect()
}

fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(now.as_millis()).unwrap()
}
