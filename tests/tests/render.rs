//! What `scopegate render envoy` prints, put to a real Envoy.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use e2e::envoy::Envoy;
use e2e::key_server::KeyServer;
use e2e::upstream::UpstreamServer;
use e2e::{http1, sample, test_key, tools};
use scopegate::document::Document;
use scopegate::render::envoy::{Place, bootstrap, ecds};
use scopegate::render::origin::Origin;
use scopegate_core::Policy;

/// Every kind of place that keys can be at.
const EVERYWHERE: &str = "\
version: 1
realm: timesheets
issuers:
  discovered: { issuer: 'https://id.example/realms/one', audiences: [api] }
  named: { issuer: named, audiences: [api], jwks_uri: 'https://keys.example:8443/one' }
  again: { issuer: again, audiences: [api], jwks_uri: 'https://keys.example:8443/two' }
  v4: { issuer: v4, audiences: [api], jwks_uri: 'https://192.0.2.7/keys' }
  v6: { issuer: v6, audiences: [api], jwks_uri: 'https://[2001:db8::1]:8443/keys' }
  loopback: { issuer: loopback, audiences: [api], jwks_uri: 'http://[::1]:9101/keys' }
  plain: { issuer: plain, audiences: [api], jwks_uri: 'http://keys.internal/keys', danger_http_jwks: true }
routes:
  - { path: /timesheets, methods: [GET, POST], authenticated: true }
envoy:
  clusters: { discovered: a, named: 'on', again: 'on', v4: \"b: c\", v6: upstream, loopback: d, plain: 'outbound|80||keys.internal' }
";

/// Certificates are read when a configuration is tried. Nobody signs with this one: it is a root that was made for this test, and
/// its key was thrown away.
const CA: &str = include_str!("support/root.pem");

fn document(text: &str) -> Document {
    Document {
        name: "policy.yaml".into(),
        text: text.into(),
    }
}

fn place(folder: &Path, cors_origin: &[&str]) -> Place {
    let ca_file = folder.join("ca.pem");
    std::fs::write(&ca_file, CA).unwrap();
    Place {
        listen: ([127, 0, 0, 1], 0).into(),
        cors_origin: cors_origin
            .iter()
            .map(|origin| (*origin).to_owned())
            .collect(),
        ecds: folder.join("ecds.yaml"),
        ca_file,
    }
}

#[test]
fn envoy_takes_the_bootstrap() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let policy = Policy::parse(EVERYWHERE).unwrap();
    let document = document(EVERYWHERE);
    let place = place(
        folder.path(),
        &["https://app.example.com", "http://localhost:3000"],
    );
    std::fs::write(
        &place.ecds,
        ecds(&document, &policy, &tools.filter).unwrap(),
    )
    .unwrap();
    for upstream in ["http://127.0.0.1:9102", "https://api.example.com"] {
        let upstream = Origin::of(upstream).unwrap();
        let text = bootstrap(&document, &policy, &upstream, &place).unwrap();
        let file = folder.path().join("envoy.yaml");
        std::fs::write(&file, &text).unwrap();
        let tried = Command::new(&tools.envoy)
            .args([
                "--mode",
                "validate",
                "--log-level",
                "warning",
                "--config-path",
            ])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&tried.stderr);
        assert!(tried.status.success(), "{said}\n{text}");
    }
}

#[test]
fn a_rendered_gate_decides() {
    let Some(tools) = tools::find().unwrap() else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let test_keys = test_key::load().unwrap();
    let upstream = UpstreamServer::start().unwrap();
    let key_server = KeyServer::start().unwrap();
    for (name, set) in sample::key_sets(sample::GOOD_KEYS).unwrap() {
        let path = format!("/{name}");
        key_server
            .put(&path, &set, &test_keys, Duration::ZERO)
            .unwrap();
    }
    let mut text = sample::POLICY.to_owned();
    for name in ["main", "partner"] {
        let url = format!("http://{}/{name}", key_server.address());
        text = text.replace(&format!("${{jwks:{name}}}"), &url);
    }
    text.push_str("envoy:\n  clusters: { auth0: keys, partner: keys }\n");
    let policy = Policy::parse(&text).unwrap();
    let document = document(&text);
    let place = place(folder.path(), &[]);
    std::fs::write(
        &place.ecds,
        ecds(&document, &policy, &tools.filter).unwrap(),
    )
    .unwrap();
    let upstream = Origin::of(&format!("http://{}", upstream.address())).unwrap();
    let bootstrap = bootstrap(&document, &policy, &upstream, &place).unwrap();

    let envoy = Envoy::start(&tools.envoy, &bootstrap).unwrap();
    let gate = envoy.listeners().unwrap()["gate"];
    let status = |path: &str, token: Option<&str>| {
        let credential = token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: gate\r\n{credential}connection: close\r\n\r\n");
        http1::exchange(gate, request.as_bytes()).unwrap().status
    };
    assert_eq!(status("/healthz", None), 200);
    assert_eq!(status("/timesheets", None), 401);
    let auth0 = sample::token(&test_keys, "alice").unwrap();
    let partner = sample::partner_token(&test_keys).unwrap();
    for token in [auth0.as_str(), partner.as_str()] {
        assert_eq!(status("/timesheets", Some(token)), 200);
        assert_eq!(status("/admin", Some(token)), 403);
    }
    assert_eq!(status("//timesheets", Some(&auth0)), 400);
}
