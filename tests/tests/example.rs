//! What the example says when it cannot start. What it does when it can is tried in a browser (`cargo xtask test --example`).

#![expect(
    clippy::unwrap_used,
    reason = "a test stops where its ground is missing"
)]

use std::net::TcpListener;
use std::process::{Command, Output};

fn example(arguments: &[&str]) -> (Command, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_example"));
    command.arg("--folder").arg(folder.path());
    command.args(arguments);
    (command, folder)
}

fn ended(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = command.output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

const FREE: [&str; 6] = [
    "--port",
    "0",
    "--two-origins-port",
    "0",
    "--issuer-port",
    "0",
];

#[test]
fn an_unknown_flag_is_refused_with_the_usage() {
    for arguments in [
        &["--tls"][..],
        &["--host", "nginx"],
        &["--port", "eighty"],
        &["--host", "spin", "--two-origins-port", "0"],
    ] {
        let (command, _folder) = example(arguments);
        let (status, said) = ended(command);
        assert_eq!(status, Some(2), "{said}");
        assert!(said.contains("Usage: cargo xtask example"), "{said}");
    }
}

#[test]
fn a_taken_port_is_named_with_the_way_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--port", "--two-origins-port", "--issuer-port"] {
        let (mut command, _folder) = example(&FREE);
        command.args([flag, &port]);
        let (status, said) = ended(command);
        assert_eq!(status, Some(1), "{said}");
        let sentence = format!("error: port {port} of 127.0.0.1, meant for ");
        assert!(
            said.starts_with(&sentence) && said.contains(&format!("`{flag} N`")),
            "{said}"
        );
    }
}

#[test]
fn a_policy_without_an_issuer_on_this_machine_is_named() {
    let (mut command, folder) = example(&FREE);
    let file = folder.path().join("policy.yaml");
    let elsewhere = "version: 1\nrealm: t\nroutes:\n  - { path: /a, public: true }\n";
    std::fs::write(&file, elsewhere).unwrap();
    command.arg("--policy").arg(&file);
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("names no issuer `http://127.0.0.1:PORT/`"),
        "{said}"
    );
}

#[test]
fn without_node_the_authorization_server_is_what_is_missing() {
    let (mut command, folder) = example(&FREE);
    command.env("PATH", folder.path());
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("needs Node 20.19 or later, and there is no `node` on the PATH"),
        "{said}"
    );
}

#[test]
fn a_port_for_two_parts_is_named() {
    let port = "18080";
    let (mut command, _folder) = example(&["--issuer-port", "0"]);
    command.args(["--port", port, "--two-origins-port", port]);
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("both `--port` and `--two-origins-port`"),
        "{said}"
    );
}

#[test]
fn what_is_wrong_with_a_policy_is_said_at_once() {
    let (mut command, folder) = example(&FREE);
    let file = folder.path().join("policy.yaml");
    std::fs::write(&file, "version: 7\n").unwrap();
    command.arg("--policy").arg(&file);
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("policy.yaml is none:") && said.contains("line 1"),
        "{said}"
    );
    // Nothing of the user's is touched.
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "version: 7\n");
}

#[test]
fn a_folder_is_for_one_run_at_a_time() {
    let (command, folder) = example(&FREE);
    let lock = std::fs::File::create(folder.path().join(".lock")).unwrap();
    lock.try_lock().unwrap();
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(
        said.contains("another example runs on the entries in"),
        "{said}"
    );
}

#[test]
fn facts_that_cannot_be_written_are_told_before_anything_starts() {
    let (mut command, folder) = example(&FREE);
    command
        .arg("--facts")
        .arg(folder.path().join("no/where.json"));
    let (status, said) = ended(command);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.starts_with("error: `--facts "), "{said}");
}
