//! The demo on Spin as a user meets it, with the gate as a component of its own and as middleware.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where its ground is missing"
)]

use std::process::Command;
use std::time::Duration;

use e2e::{tools, wait};

mod support;

use support::{Place, Running, texts};

/// Those of the table, and the one after a restart.
const ROWS: usize = 14;

const HOSTS: [&str; 2] = ["spin", "spin-middleware"];

/// What every Spin of the demo has among its arguments.
const SPIN: &str = "--state-dir";

/// `None` where something is missing: said loudly by `tools::find_for_spin`, which also knows when that is a failure.
fn place() -> Option<Place> {
    tools::find_for_spin(&[
        "scopegate-spin.wasm",
        "scopegate-spin-middleware.wasm",
        "timesheets-component.wasm",
    ])
    .unwrap()?;
    Some(Place::new())
}

fn demo(place: &Place, host: &str, arguments: &[&str]) -> Command {
    let mut demo = place.demo(&["--host", host, "--port", "0"]);
    demo.args(arguments);
    demo
}

#[test]
fn every_row_is_as_it_should_be_and_nothing_is_left_running() {
    let Some(place) = place() else { return };
    for host in HOSTS {
        let output = demo(&place, host, &["--check"]).output().unwrap();
        let (out, err) = texts(&output);
        assert!(output.status.success(), "{host}: {out}{err}");
        assert_eq!(out.matches("✓ ").count(), ROWS, "{host}: {out}");
        assert!(!out.contains('✗'), "{host}: {out}");
        // It says what it ran on.
        let ran_on = |name: &str| out.contains(&format!("host       {name}"));
        assert!(
            ran_on("Spin ") || ran_on("the project's test host"),
            "{out}"
        );
        assert_eq!(place.running(SPIN), 0);
    }
}

#[test]
fn a_policy_that_lets_too_little_through_makes_check_fail() {
    let Some(place) = place() else { return };
    place.edit(&[("scopes: [read:timesheets]", "scopes: [admin]")]);
    for host in HOSTS {
        let output = demo(&place, host, &["--check"]).output().unwrap();
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{host}: {out}{err}");
        assert!(out.contains("✗  valid read"), "{host}: {out}");
        assert!(out.contains("✓  valid create"), "{host}: {out}");
        assert!(err.contains("rows are not as they should be"), "{err}");
    }
}

#[test]
fn an_edit_starts_spin_again_and_a_broken_one_changes_nothing_and_says_why() {
    let Some(place) = place() else { return };
    for host in HOSTS {
        let mut demo = Running::start(&mut demo(&place, host, &[]));
        assert_eq!(demo.status_of_healthz(), 200);

        place.edit(&[("public: true", "authenticated: true")]);
        demo.wait_for("policy accepted");
        demo.wait_until_healthz_is(401);

        // This would open the route again, if a policy with an error in another line could serve.
        place.edit(&[
            ("authenticated: true }", "public: true }"),
            ("realm: timesheets", "realm: timesheets\nrealms: x"),
        ]);
        demo.wait_for("policy refused, the old one keeps serving:");
        let why = demo.lines.recv_timeout(Duration::from_secs(5)).unwrap();
        assert!(
            why.contains("line 6, column 1") && why.contains("realms"),
            "{host}: {why}"
        );
        assert_eq!(demo.status_of_healthz(), 401);

        place.edit(&[("\nrealms: x", "")]);
        demo.wait_for("policy accepted");
        demo.wait_until_healthz_is(200);

        demo.signal("TERM");
        assert!(demo.child.wait().unwrap().success());
        assert_eq!(place.running(SPIN), 0);
    }
}

#[test]
fn spin_goes_with_the_demo_whatever_ends_it() {
    let Some(place) = place() else { return };
    for (signal, code) in [("INT", Some(0)), ("KILL", None)] {
        let mut demo = Running::start(&mut demo(&place, "spin", &[]));
        assert!(place.running(SPIN) > 0);
        demo.signal(signal);
        assert_eq!(demo.child.wait().unwrap().code(), code, "{signal}");
        wait::until("Spin is gone", || place.running(SPIN) == 0);
    }
}

#[test]
fn a_policy_that_is_broken_from_the_start_is_told_with_its_line() {
    let Some(place) = place() else { return };
    place.edit(&[("version: 1", "version: 99")]);
    for host in HOSTS {
        let output = demo(&place, host, &["--check"]).output().unwrap();
        let (out, err) = texts(&output);
        assert_eq!(output.status.code(), Some(1), "{host}: {out}{err}");
        assert!(
            err.contains("was refused") && err.contains("line 4, column "),
            "{host}: {err}"
        );
        assert_eq!(place.running(SPIN), 0);
    }
}

#[test]
fn what_is_envoys_is_refused_with_the_usage() {
    for (arguments, complaint) in [
        (
            ["--host", "spin", "--admin-port", "0"],
            "`--admin-port` is about Envoy",
        ),
        (
            ["--host", "nginx", "--port", "0"],
            "there is no host `nginx`",
        ),
    ] {
        let output = Place::new().demo(&arguments).output().unwrap();
        let (_, err) = texts(&output);
        assert_eq!(output.status.code(), Some(2));
        assert!(
            err.contains(complaint) && err.contains("Usage: cargo xtask demo"),
            "{err}"
        );
    }
}
