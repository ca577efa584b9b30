//! What `scopegate check` says to each mistake: `check/CODE.yaml` is a policy with that one, `check/CODE.txt` what is printed.
//! `SNAPSHOTS=overwrite cargo test -p scopegate --test check` writes the expectations anew.

#![allow(clippy::unwrap_used, clippy::arithmetic_side_effects)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use scopegate::lint::LINT_CODES;
use scopegate_core::PROBLEM_CODES;
use snapbox::{Assert, Data};

/// Those that need more than a small policy: tests below have them.
const ELSEWHERE: [&str; 2] = ["policy-too-large", "outbound-host-missing"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check")
}

/// The names of the cases.
fn cases() -> Vec<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            let path = entry.unwrap().path();
            let is_policy = path
                .extension()
                .is_some_and(|extension| extension == "yaml");
            is_policy.then(|| path.file_stem().unwrap().to_str().unwrap().to_owned())
        })
        .collect();
    names.sort();
    names
}

/// What is printed of a case, and the exit status.
fn printed(arguments: &[&str]) -> (String, i32) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scopegate"));
    command.current_dir(folder()).arg("check").args(arguments);
    let output = command.output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).unwrap();
    (text, output.status.code().unwrap())
}

#[test]
fn every_mistake_is_told_in_these_words() {
    let assert = Assert::new().action_env("SNAPSHOTS");
    let mut wrong = Vec::new();
    for name in cases() {
        let (text, status) = printed(&[&format!("{name}.yaml")]);
        let is_error = PROBLEM_CODES.contains(&name.as_str());
        assert_eq!(status, i32::from(is_error), "{name}");
        let expected = folder().join(format!("{name}.txt"));
        // As they are: with its signs that look like paths of Windows.
        let expected = Data::read_from(&expected, None).raw();
        if let Err(difference) = assert.try_eq(Some(&name), Data::text(text).raw(), expected) {
            wrong.push(difference.to_string());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

#[test]
fn every_error_and_every_lint_has_a_case_that_shows_it() {
    let mut missing: BTreeSet<&str> = PROBLEM_CODES.iter().chain(&LINT_CODES).copied().collect();
    for code in ELSEWHERE {
        assert!(missing.remove(code), "{code}");
    }
    for name in cases() {
        let (text, _) = printed(&[&format!("{name}.yaml")]);
        if name == "nothing-wrong" {
            assert_eq!(text, "");
            continue;
        }
        assert!(text.contains(&format!("[{name}]")), "{name}:\n{text}");
        missing.remove(name.as_str());
    }
    assert!(missing.is_empty(), "no case shows {missing:?}");
}

#[test]
fn warnings_fail_where_they_are_denied() {
    assert_eq!(printed(&["shadow-policy.yaml"]).1, 0);
    assert_eq!(printed(&["--deny-warnings", "shadow-policy.yaml"]).1, 1);
    assert_eq!(printed(&["--deny-warnings", "nothing-wrong.yaml"]).1, 0);
}

/// Each form tells of the same things at the same places.
#[test]
fn the_forms_agree() {
    let names: Vec<String> = cases().iter().map(|name| format!("{name}.yaml")).collect();
    let read = |format: &str| -> serde_json::Value {
        let mut arguments = vec!["--format", format];
        arguments.extend(names.iter().map(String::as_str));
        let (text, status) = printed(&arguments);
        assert_eq!(status, 1);
        serde_json::from_str(&text).unwrap()
    };
    let json = read("json");
    let in_json: Vec<String> = json
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|report| {
            let file = report["file"].as_str().unwrap();
            report["diagnostics"]
                .as_array()
                .unwrap()
                .iter()
                .map(move |told| {
                    format!(
                        "{file} {} {} {}",
                        told["code"], told["line"], told["column"]
                    )
                })
        })
        .collect();
    let sarif = read("sarif");
    let in_sarif: Vec<String> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| {
            let at = &result["locations"][0]["physicalLocation"];
            let file = at["artifactLocation"]["uri"].as_str().unwrap();
            let region = &at["region"];
            format!(
                "{file} {} {} {}",
                result["ruleId"], region["startLine"], region["startColumn"]
            )
        })
        .collect();
    assert_eq!(in_json, in_sarif);
    assert!(in_json.len() > cases().len() - 2, "{}", in_json.len());
}

#[test]
fn a_host_that_spin_does_not_let_a_component_reach() {
    for (hosts, expected) in [
        (r#"["http://timesheets.spin.internal"]"#, true),
        (r#"["https://tenant.eu.auth0.com"]"#, false),
        (r#"["https://*.auth0.com:443"]"#, false),
    ] {
        let manifest = tempfile::NamedTempFile::new().unwrap();
        let text = format!(
            "spin_manifest_version = 2\n[component.gate]\nallowed_outbound_hosts = {hosts}\n"
        );
        fs::write(manifest.path(), text).unwrap();
        let path = manifest.path().to_str().unwrap();
        let (text, status) = printed(&["--spin-manifest", path, "nothing-wrong.yaml"]);
        assert_eq!(status, 0);
        assert_eq!(
            text.contains("warning[outbound-host-missing]"),
            expected,
            "{text}"
        );
        let told = r#"add "https://tenant.eu.auth0.com" to its `allowed_outbound_hosts`"#;
        assert_eq!(text.contains(told), expected, "{text}");
    }
}

/// A file of any size and depth gets a sentence.
#[test]
fn what_is_too_large_or_too_deep_is_refused_in_words() {
    for (text, status, told) in [
        (
            "# a comment\n".repeat(100_000),
            1,
            "error[policy-too-large]: the policy is larger than 1024 KiB",
        ),
        (
            "# a comment\n".repeat(200_000),
            2,
            "is larger than 2048 KiB",
        ),
        ("[".repeat(1_000_000), 1, "error[too-complex]"),
        ("a: ".repeat(100_000), 1, "error["),
        ("- ".repeat(300_000), 1, "error["),
    ] {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), &text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_scopegate"));
        let output = command.arg("check").arg(file.path()).output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(told), "{said}");
    }
}
