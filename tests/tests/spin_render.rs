//! What `scopegate render spin` prints, on Spin or the project's test host: the gate reaches whom the policy names.

use std::time::Duration;

use e2e::key_server::KeyServer;
use e2e::spin::Launch;
use e2e::upstream::UpstreamServer;
use e2e::{http1, sample, test_key, tools};
use scopegate::document::Document;
use scopegate::render::origin::Origin;
use scopegate::render::spin::{Application, manifest};
use scopegate_core::Policy;

#[test]
fn a_rendered_application_decides() {
    let Some(tools) = tools::find_spin().unwrap() else {
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
    let policy = Policy::parse(&text).unwrap();
    let policy_file = folder.path().join("policy.yaml");
    std::fs::write(&policy_file, &text).unwrap();
    let document = Document {
        name: "policy.yaml".into(),
        text,
    };
    let application = Application {
        upstream: Some(Origin::of(&format!("http://{}", upstream.address())).unwrap()),
        component: tools.gateway.canonicalize().unwrap(),
        name: "rendered".into(),
    };
    let text = manifest(&document, &policy, &policy_file, &application).unwrap();
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, text).unwrap();

    let spin = Launch::new(&tools.program, &file).start().unwrap();
    let status = |path: &str, token: Option<&str>| {
        let credential = token.map_or(String::new(), |token| {
            format!("authorization: Bearer {token}\r\n")
        });
        let request =
            format!("GET {path} HTTP/1.1\r\nhost: gate\r\n{credential}connection: close\r\n\r\n");
        http1::exchange(spin.address(), request.as_bytes())
            .unwrap()
            .status
    };
    assert_eq!(status("/healthz", None), 200);
    assert_eq!(status("/timesheets", None), 401);
    let auth0 = sample::token(&test_keys, "alice").unwrap();
    let partner = sample::partner_token(&test_keys).unwrap();
    for token in [auth0.as_str(), partner.as_str()] {
        assert_eq!(status("/timesheets", Some(token)), 200);
        assert_eq!(status("/admin", Some(token)), 403);
    }
}
