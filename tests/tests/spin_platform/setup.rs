//! Applications that are not set up as they should be: 503, the reason in the log, and an upstream that knows nothing.

use std::path::Path;
use std::time::{Duration, Instant};

use e2e::http1;
use e2e::spin::Launch;
use e2e::spin::application::{Application, Running};
use serde_json::json;

use crate::raw::Upstream;
use crate::{Platform, exchange, is_problem};

fn is_closed(platform: &Platform, running: &Running, why: &str) {
    let public = "GET /healthz HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    for request in [platform.head("GET", "").as_str(), public] {
        is_problem(&exchange(running, request), 503);
    }
    let log = running.gate_log();
    assert!(log.contains(why), "{why:?} in the log: {log}");
    assert!(!log.contains("allowed"), "{log}");
}

#[test]
fn the_manifest_to_ship_serves_as_it_is() {
    let Some(platform) = Platform::find() else {
        return;
    };
    let (upstream, heads) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin-app/spin.toml");
    let mut launch = Launch::new(&platform.surroundings.tools.program, &manifest);
    launch.variables = [
        ("upstream", format!("http://{}", upstream.address())),
        ("issuer", "http://127.0.0.1:9101".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .to_vec();
    let spin = launch.start().unwrap();
    let ask = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nhost: api.example.com\r\n\r\n");
        http1::exchange(spin.address(), request.as_bytes())
            .unwrap()
            .status
    };
    assert_eq!(ask("/healthz"), 200, "{}", spin.log());
    assert_eq!(ask("/timesheets"), 401, "{}", spin.log());
    assert_eq!(heads.try_iter().count(), 1, "the public route alone");
}

#[test]
fn a_misconfigured_application_answers_503_and_says_why_in_its_log() {
    let Some(platform) = Platform::find() else {
        return;
    };
    type Change = fn(&mut Application);
    let changes: [(&str, Change); 11] = [
        ("policy: /policy.yaml cannot be read", |app| {
            app.policy = None
        }),
        ("policy: ", |app| {
            app.policy = Some("version: 1\nroutes: [".to_owned())
        }),
        ("policy: ", |app| {
            app.policy = Some("version: 2\n".to_owned())
        }),
        ("policy: ", |app| app.policy = Some(String::new())),
        ("variable `upstream` is not set", |app| {
            *app = app.clone().with("upstream", "")
        }),
        ("variable `upstream` must be", |app| {
            *app = app.clone().with("upstream", "timesheets")
        }),
        ("variable `upstream` must be", |app| {
            *app = app.clone().with("upstream", "http://127.0.0.1:1/base");
        }),
        ("variable `upstream_timeout` must be", |app| {
            *app = app.clone().with("upstream_timeout", "soon");
        }),
        ("variable `upstream_timeout` must be", |app| {
            *app = app.clone().with("upstream_timeout", "0s");
        }),
        ("variable `log` must be", |app| {
            *app = app.clone().with("log", "loudly")
        }),
        ("variable `forwarded` must be", |app| {
            *app = app.clone().with("forwarded", "yes");
        }),
    ];
    let (upstream, heads) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    for (why, change) in changes {
        let mut application = platform.application(upstream.address());
        change(&mut application);
        is_closed(&platform, &platform.start(&application), why);
    }
    assert!(heads.try_recv().is_err(), "the upstream was reached");
}

#[test]
fn variables_that_cannot_be_read_are_read_again() {
    let Some(platform) = Platform::find_steered() else {
        return;
    };
    let (upstream, heads) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let running = platform.start(&platform.application(upstream.address()));
    let control = running.control().unwrap();
    control
        .variable_faults(&json!({ "get": { "error": "the provider is away" } }))
        .unwrap();
    is_closed(&platform, &running, "variables cannot be read: ");
    assert!(heads.try_recv().is_err(), "the upstream was reached");
    control
        .variable_faults(&json!({ "get": { "delay_ms": 100 } }))
        .unwrap();
    assert_eq!(exchange(&running, &platform.head("GET", "")).status, 200);
    // Read once: nobody waits for them again.
    let began = Instant::now();
    assert_eq!(exchange(&running, &platform.head("GET", "")).status, 200);
    assert!(
        began.elapsed() < Duration::from_millis(90),
        "{:?}",
        began.elapsed()
    );
}

#[test]
fn variables_that_never_come_are_not_waited_for() {
    let Some(platform) = Platform::find_steered() else {
        return;
    };
    let (upstream, heads) = Upstream::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let running = platform.start(&platform.application(upstream.address()));
    let control = running.control().unwrap();
    control
        .variable_faults(&json!({ "get": { "hang": true } }))
        .unwrap();
    let began = Instant::now();
    is_problem(&exchange(&running, &platform.head("GET", "")), 503);
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "{:?}",
        began.elapsed()
    );
    control.variable_faults(&json!({ "get": null })).unwrap();
    assert_eq!(exchange(&running, &platform.head("GET", "")).status, 200);
    assert_eq!(heads.try_iter().count(), 1);
}
