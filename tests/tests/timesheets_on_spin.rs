//! The timesheets API as a Spin component: it answers as the server does, and remembers what its instances forget.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use e2e::http1::{self, Answer};
use e2e::spin::{Launch, Spin};
use e2e::tools;
use serde_json::{Value, json};
use timesheets::api::Api;

const ENTRY: &str = r#"{"date":"2026-03-02","project":"apollo","hours":7.5}"#;
const ALICE: &str = "x-auth-sub: alice\r\n";
const BOB: &str = "x-auth-sub: bob\r\n";
const JSON: &str = "content-type: application/json\r\n";

/// The component behind a route, where no gate is in the way of the test. `None` as in `tools::find_for_spin`.
fn start() -> Option<Spin> {
    let program = tools::find_for_spin(&["timesheets-component.wasm"]).unwrap()?;
    let folder = tempfile::tempdir().unwrap();
    let wasm = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../target/dist/timesheets-component.wasm")
        .canonicalize()
        .unwrap();
    let manifest = format!(
        "spin_manifest_version = 2\n\
         [application]\nname = \"timesheets\"\nversion = \"0.1.0\"\n\
         [[trigger.http]]\nroute = \"/...\"\ncomponent = \"timesheets\"\n\
         [component.timesheets]\nsource = {wasm:?}\nkey_value_stores = [\"entries\"]\n"
    );
    let file = folder.path().join("spin.toml");
    std::fs::write(&file, manifest).unwrap();
    let mut launch = Launch::new(&program, &file);
    launch.stores = vec!["entries".to_owned()];
    Some(launch.start().unwrap())
}

fn send(address: SocketAddr, line: &str, headers: &str, body: &str) -> Answer {
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    http1::exchange(address, request.as_bytes()).unwrap()
}

fn body(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What a client can tell two answers apart by, but for the number of an entry.
fn seen(answer: &Answer) -> Value {
    let mut body = body(answer);
    if let Some(members) = body.as_object_mut() {
        members.remove("id");
    }
    let header = |name: &str| json!(answer.header(name));
    json!([
        answer.status,
        body,
        header("content-type"),
        header("allow"),
        answer.header("location").len()
    ])
}

#[test]
fn it_answers_as_the_server_does() {
    let Some(spin) = start() else { return };
    let server = Api::start(0).unwrap();
    let (long, two) = (" ".repeat(5_000), format!("{ALICE}{BOB}"));
    let (alice, bob) = (format!("{ALICE}{JSON}"), format!("{BOB}{JSON}"));
    let plain = format!("{ALICE}content-type: text/plain\r\n");
    for (line, headers, body) in [
        ("GET /healthz", "", ""),
        ("HEAD /healthz", "", ""),
        ("POST /healthz", "", ""),
        ("GET /healthz/", "", ""),
        ("GET /healthz?x=1", "", ""),
        ("GET /", "", ""),
        ("GET /timesheets", ALICE, ""),
        ("GET /timesheets", "", ""),
        ("GET /timesheets", &two, ""),
        ("GET /timesheets/", ALICE, ""),
        ("PUT /timesheets", ALICE, ENTRY),
        ("POST /timesheets", JSON, ENTRY),
        ("POST /timesheets", ALICE, ENTRY),
        ("POST /timesheets", &plain, ENTRY),
        ("POST /timesheets", &alice, ""),
        ("POST /timesheets", &alice, "{"),
        ("POST /timesheets", &alice, r#"{"date":"2026-03-02"}"#),
        ("POST /timesheets", &alice, &long),
        ("POST /timesheets", JSON, &long),
        ("GET /timesheets", ALICE, &long),
        (
            "POST /timesheets",
            &alice,
            r#"{"date":"2026-02-30","project":"apollo","hours":7.3}"#,
        ),
        (
            "POST /timesheets",
            &alice,
            r#"{"date":"","project":"","hours":25}"#,
        ),
        ("POST /timesheets", &alice, ENTRY),
        ("POST /timesheets", &bob, ENTRY),
        ("GET /reports/hours", BOB, ""),
        ("GET /reports/hours", "", ""),
        ("GET /reports/hours/x", BOB, ""),
        ("DELETE /timesheets/0", ALICE, ""),
        ("DELETE /timesheets/x", ALICE, ""),
        ("DELETE /timesheets/1", "", ""),
        ("GET /timesheets/1", ALICE, ""),
    ] {
        assert_eq!(
            seen(&send(spin.address(), line, headers, body)),
            seen(&send(server.address(), line, headers, body)),
            "{line} {headers:?} {}",
            spin.log()
        );
    }
}

#[test]
fn entries_outlive_the_instance_and_those_of_many_requests_at_a_time_are_all_kept() {
    let Some(spin) = start() else { return };
    let at = spin.address();
    let ids: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|_| {
                let headers = format!("{ALICE}{JSON}");
                scope.spawn(move || body(&send(at, "POST /timesheets", &headers, ENTRY)))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap()["id"].as_u64().unwrap())
            .collect()
    });
    // An instance is gone after a second without a request.
    std::thread::sleep(Duration::from_millis(2_500));
    let entries = || {
        let list = body(&send(at, "GET /timesheets", ALICE, ""));
        list["entries"].as_array().unwrap().len()
    };
    assert_eq!(entries(), ids.len());
    for id in ids {
        let line = format!("DELETE /timesheets/{id}");
        // Another's entry is answered as one that is not there.
        assert_eq!(send(at, &line, BOB, "").status, 404);
        assert_eq!(send(at, &line, ALICE, "").status, 204);
        assert_eq!(send(at, &line, ALICE, "").status, 404);
    }
    assert_eq!(entries(), 0);
}
