//! The manners of the command: help, completions, manual pages, colours, closed pipes.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::process::{Command, Output, Stdio};

const COMMANDS: [&str; 13] = [
    "check",
    "explain",
    "test",
    "diff",
    "push",
    "routes",
    "import",
    "drift",
    "render",
    "schema",
    "issuer",
    "completions",
    "man",
];

fn scopegate(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scopegate"));
    command.args(arguments).env_remove("NO_COLOR");
    command
}

fn printed(command: &mut Command) -> String {
    let Output { stdout, status, .. } = command.output().unwrap();
    assert!(status.success(), "{status}");
    String::from_utf8(stdout).unwrap()
}

#[test]
fn every_command_has_help_with_what_it_is_for() {
    let all = printed(&mut scopegate(&["--help"]));
    for name in COMMANDS {
        assert!(all.contains(&format!("  {name}")), "{name}\n{all}");
        let help = printed(&mut scopegate(&[name, "--help"]));
        assert!(help.contains("Usage: scopegate"), "{name}\n{help}");
    }
    // Those that look at a policy or a document show how.
    for name in [
        "check", "explain", "test", "diff", "push", "routes", "drift",
    ] {
        let help = printed(&mut scopegate(&[name, "--help"]));
        assert!(help.contains("Example"), "{name}\n{help}");
        assert!(help.contains("Exit status"), "{name}\n{help}");
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(&mut scopegate(&["completions", shell]));
        for name in COMMANDS {
            assert!(script.contains(name), "{shell}: {name}");
        }
    }
    let page = printed(&mut scopegate(&["man"]));
    assert!(page.contains(".TH scopegate 1"), "{page}");
    for name in COMMANDS {
        assert!(page.contains(name), "{name}");
        let page = printed(&mut scopegate(&["man", name]));
        assert!(
            page.contains(".TH scopegate-") && page.contains(".SH"),
            "{page}"
        );
    }
    let unknown = scopegate(&["man", "chek"]).output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}

/// Colours where somebody looks, or asks for them.
#[test]
fn colours() {
    let policy = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/check/shadow-policy.yaml"
    );
    let is_coloured = |command: &mut Command| printed(command).contains('\u{1b}');
    assert!(!is_coloured(&mut scopegate(&["check", policy])));
    assert!(is_coloured(&mut scopegate(&[
        "check", policy, "--color", "always"
    ])));
    assert!(!is_coloured(&mut scopegate(&[
        "check", policy, "--color", "never"
    ])));
    assert!(!is_coloured(
        scopegate(&["check", policy]).env("NO_COLOR", "1")
    ));
    // Forced by its own variable, as elsewhere; NO_COLOR has the last word.
    let mut forced = scopegate(&["check", policy]);
    assert!(is_coloured(forced.env("CLICOLOR_FORCE", "1")));
    assert!(!is_coloured(forced.env("NO_COLOR", "1")));
}

/// As in `scopegate diff … | grep -q …`: who stops reading does not change what was found.
#[test]
fn a_closed_pipe_does_not_make_a_failure_a_success() {
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check/path-invalid.yaml");
    let mut child = scopegate(&["check", policy])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(1));
}
