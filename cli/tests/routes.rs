//! `scopegate routes` as a user runs it: the page for a browser, and how long many routes take.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use snapbox::cmd::{Command as Session, cargo_bin};

fn routes(policy: &Path, format: &str) -> Output {
    let mut command = Command::new(cargo_bin!("scopegate"));
    command.arg("routes").arg(policy).args(["--format", format]);
    command.output().unwrap()
}

/// What `scopegate routes` shows of that policy is what stands in that file of `snapshots/`, octet by octet. `SNAPSHOTS=overwrite` writes it anew.
fn check(policy: &str, format: &str, expected: snapbox::Data) {
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join(policy);
    Session::new(cargo_bin!("scopegate"))
        .arg("routes")
        .arg(policy)
        .args(["--format", format])
        .assert()
        .success()
        .stdout_eq(expected.raw());
}

/// To be looked at in a browser as well.
#[test]
fn the_page_of_the_example() {
    let policy = "../examples/timesheets/policy.yaml";
    check(policy, "html", snapbox::file!["snapshots/timesheets.html"]);
}

#[test]
fn what_looks_like_markup_is_text() {
    let policy = "tests/sessions/routes.in/odd.yaml";
    check(policy, "html", snapbox::file!["snapshots/odd.html"]);
    check(policy, "markdown", snapbox::file!["snapshots/odd.md"]);
    check(policy, "json", snapbox::file!["snapshots/odd.json"]);
}

#[test]
fn a_thousand_routes_with_a_hundred_scopes_are_shown_quickly() {
    let mut policy = String::from(
        "version: 1\nrealm: many\nissuers: { one: { issuer: 'https://one.example/', audiences: [api] } }\nroutes:\n",
    );
    for route in 0..1_000 {
        let scope = route % 100;
        writeln!(
            policy,
            "  - {{ path: '/things/{route}/{{id}}', scopes: [read:{scope}, admin] }}"
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("many.yaml");
    std::fs::write(&file, policy).unwrap();
    for format in ["table", "markdown", "html", "json"] {
        #[expect(clippy::disallowed_methods, reason = "what is tested is a time")]
        let start = std::time::Instant::now();
        let output = routes(&file, format);
        let took = start.elapsed();
        assert!(output.status.success(), "{format}");
        let shown = String::from_utf8(output.stdout).unwrap();
        assert!(shown.contains("/things/999/{id}"), "{format}");
        // About a tenth of that, without optimisation, on a slow machine; a square of the routes would take minutes.
        assert!(took < Duration::from_secs(20), "{format} took {took:?}");
    }
}
