//! The documents keep up with the code: what they show parses, and what the code can say they explain.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

use std::fs;
use std::path::Path;

use scopegate_core::{Algorithm, Policy, Reason};

fn read(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(name)).unwrap()
}

#[test]
fn the_policy_of_the_readme_is_one() {
    let readme = read("README.md");
    let block = readme
        .split("```")
        .find_map(|block| block.strip_prefix("yaml\n"));
    let policy = Policy::parse(block.unwrap()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.issuer_names().collect::<Vec<_>>(), ["auth0"]);
}

#[test]
fn the_policy_of_the_example_is_one() {
    let text = read("examples/timesheets/policy.yaml");
    let policy = Policy::parse(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(policy.cluster("local"), Some("local_jwks"));
}

#[test]
fn every_reason_code_is_explained() {
    let page = read("docs/policy.md");
    for reason in Reason::ALL {
        let code = format!("`{}`", reason.code());
        assert!(
            page.contains(&code),
            "docs/policy.md does not explain {code}"
        );
    }
}

#[test]
fn the_default_algorithms_are_the_documented_ones() {
    let names: Vec<_> = Algorithm::DEFAULT
        .iter()
        .map(|algorithm| algorithm.name())
        .collect();
    let row = format!("| `algorithms` | `[{}]` |", names.join(", "));
    assert!(
        read("docs/policy.md").contains(&row),
        "docs/policy.md has no row {row}"
    );
}
