//! The demo as a user meets it: the program itself, with a policy of its own and any free ports.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where its ground is missing"
)]

use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use e2e::{tools, wait};

mod support;

use support::{POLICY, Place, Running, texts};

const ROWS: usize = 13;

/// A place with a copy of the filter, and the tools.
struct InEnvoy {
    place: Place,
    tools: tools::Tools,
}

impl InEnvoy {
    /// `None` where there is no Envoy: said loudly by `tools::find`, which also knows when that is a failure.
    fn new() -> Option<Self> {
        let mut tools = tools::find().unwrap()?;
        let place = Place::new();
        let filter = place.path.join("the filter.wasm");
        fs::copy(&tools.filter, &filter).unwrap();
        tools.filter = filter;
        Some(Self { place, tools })
    }

    fn demo(&self, arguments: &[&str]) -> Command {
        let mut command = self.place.demo(arguments);
        command
            .env("ENVOY_BIN", &self.tools.envoy)
            .env("SCOPEGATE_FILTER", &self.tools.filter);
        command
    }

    fn start(&self) -> Running {
        Running::start(&mut self.demo(&["--port", "0", "--admin-port", "0"]))
    }

    /// Envoys of this place: their arguments name a file in it.
    fn envoys(&self) -> usize {
        self.place.running("--config-path")
    }
}

#[test]
fn every_row_is_as_it_should_be_and_nothing_is_left_running() {
    let Some(place) = InEnvoy::new() else { return };
    let output = place
        .demo(&["--check", "--port", "0", "--admin-port", "0"])
        .output()
        .unwrap();
    let (out, err) = texts(&output);
    assert!(output.status.success(), "{out}{err}");
    assert_eq!(out.matches("✓ ").count(), ROWS, "{out}");
    assert!(!out.contains('✗'), "{out}");
    assert!(
        out.contains(
            "spoofed identity header         200, caller alice             200, caller alice"
        ),
        "{out}"
    );
    assert_eq!(place.envoys(), 0);
}

#[test]
fn a_policy_that_lets_too_little_through_makes_check_fail() {
    let Some(place) = InEnvoy::new() else { return };
    place
        .place
        .edit(&[("scopes: [read:timesheets]", "scopes: [admin]")]);
    let output = place
        .demo(&["--check", "--port", "0", "--admin-port", "0"])
        .output()
        .unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(out.contains("✗  valid read"), "{out}");
    assert!(out.contains("✓  valid create"), "{out}");
    assert!(err.contains("rows are not as they should be"), "{err}");
}

#[test]
fn an_edit_changes_the_gate_and_a_broken_one_changes_nothing_and_says_why() {
    let Some(place) = InEnvoy::new() else { return };
    let mut demo = place.start();
    assert_eq!(demo.status_of_healthz(), 200);

    place.place.edit(&[("public: true", "authenticated: true")]);
    demo.wait_for("policy accepted");
    demo.wait_until_healthz_is(401);

    // This would open the route again, if a policy with an error in another line could serve.
    place.place.edit(&[
        ("authenticated: true }", "public: true }"),
        ("realm: timesheets", "realm: timesheets\nrealms: x"),
    ]);
    demo.wait_for("policy refused, the old one keeps serving:");
    let why = demo.lines.recv_timeout(Duration::from_secs(5)).unwrap();
    assert!(
        why.contains("line 6, column 1") && why.contains("realms"),
        "{why}"
    );
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(demo.status_of_healthz(), 401);

    // An empty line more at the end is the same policy, refused again; Envoy alone would count it as a success.
    let text = fs::read_to_string(&place.place.policy).unwrap();
    fs::write(&place.place.policy, text + "\n").unwrap();
    demo.wait_for("policy refused, the old one keeps serving:");

    place.place.edit(&[("\nrealms: x", "")]);
    demo.wait_for("policy accepted");
    demo.wait_until_healthz_is(200);

    // A text that never gets as far as Envoy, and back.
    let text = fs::read_to_string(&place.place.policy).unwrap();
    fs::write(&place.place.policy, "\0").unwrap();
    demo.wait_for("policy refused, the old one keeps serving:");
    fs::write(&place.place.policy, text).unwrap();
    demo.wait_for("policy accepted");

    demo.signal("TERM");
    assert!(demo.child.wait().unwrap().success());
    assert_eq!(place.envoys(), 0);
}

#[test]
fn envoy_goes_with_the_demo_whatever_ends_it() {
    let Some(place) = InEnvoy::new() else { return };
    for (signal, code) in [("INT", Some(0)), ("KILL", None)] {
        let mut demo = place.start();
        assert_eq!(place.envoys(), 1);
        demo.signal(signal);
        assert_eq!(demo.child.wait().unwrap().code(), code, "{signal}");
        wait::until("Envoy is gone", || place.envoys() == 0);
    }
}

#[test]
fn a_taken_port_is_named() {
    let Some(place) = InEnvoy::new() else { return };
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, whose) in [
        (
            ["--check", "--port", &port, "--admin-port", "0"],
            "meant for the gate",
        ),
        (
            ["--check", "--port", "0", "--admin-port", &port],
            "meant for Envoy's admin interface",
        ),
    ] {
        let output = place.demo(&arguments).output().unwrap();
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{out}{err}");
        let sentence =
            format!("error: port {port} of 127.0.0.1, {whose}, is taken by another program");
        assert!(err.starts_with(&sentence), "{err}");
    }
    fs::write(
        &place.place.policy,
        POLICY.replace(":9101/", &format!(":{port}/")),
    )
    .unwrap();
    let output = place
        .demo(&["--check", "--port", "0", "--admin-port", "0"])
        .output()
        .unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(
        err.contains(&format!("the issuer cannot listen on port {port}")),
        "{err}"
    );
    assert_eq!(place.envoys(), 0);
}

#[test]
fn a_policy_that_is_broken_from_the_start_is_told_with_its_line() {
    let Some(place) = InEnvoy::new() else { return };
    place.place.edit(&[("version: 1", "version: 99")]);
    let output = place
        .demo(&["--check", "--port", "0", "--admin-port", "0"])
        .output()
        .unwrap();
    let (out, err) = texts(&output);
    assert_eq!(output.status.code(), Some(1), "{out}{err}");
    assert!(
        err.contains("was refused") && err.contains("line 4, column "),
        "{err}"
    );
    assert_eq!(place.envoys(), 0);
}

#[test]
fn a_missing_envoy_or_filter_is_a_sentence() {
    let here = env!("CARGO_MANIFEST_DIR");
    for (envoy, filter, sentence) in [
        (
            "/nonexistent/envoy",
            "Cargo.toml",
            "ENVOY_BIN names /nonexistent/envoy, which is not a file",
        ),
        (
            "Cargo.toml",
            "/nonexistent/filter.wasm",
            "there is no filter at /nonexistent/filter.wasm",
        ),
        (
            "Cargo.toml",
            "",
            "SCOPEGATE_FILTER does not name the filter",
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_demo"))
            .current_dir(here)
            .envs([("ENVOY_BIN", envoy), ("SCOPEGATE_FILTER", filter)])
            .output()
            .unwrap();
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(err.starts_with(&format!("error: {sentence}")), "{err}");
    }
}

#[test]
fn an_unknown_flag_is_refused_with_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_demo"))
        .arg("--chekc")
        .output()
        .unwrap();
    let (_, err) = texts(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        err.contains("--chekc") && err.contains("Usage: cargo xtask demo"),
        "{err}"
    );
}
