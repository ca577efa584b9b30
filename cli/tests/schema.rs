//! The schema that `scopegate schema` prints, beside the files that name it or are checked by it.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;

use scopegate_core::{Policy, policy_schema};
use scopegate_yaml::{Node, Value as Yaml};
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Editors get it from there; `scopegate schema > docs/policy.schema.json` writes it anew.
#[test]
fn the_file_in_docs_is_what_the_command_prints() {
    let command = Command::new(env!("CARGO_BIN_EXE_scopegate"))
        .arg("schema")
        .output()
        .unwrap();
    assert!(command.status.success());
    let printed = String::from_utf8(command.stdout).unwrap();
    assert!(
        printed == read("docs/policy.schema.json"),
        "docs/policy.schema.json is not what `scopegate schema` prints: write it anew"
    );
}

/// The first line of the example, as YAML's language server reads it.
#[test]
fn the_example_names_it() {
    let policy = read("examples/timesheets/policy.yaml");
    let first = policy.lines().next().unwrap();
    let named = first
        .strip_prefix("# yaml-language-server: $schema=")
        .unwrap();
    let named = root().join("examples/timesheets").join(named);
    let docs = root().join("docs/policy.schema.json");
    assert_eq!(named.canonicalize().unwrap(), docs.canonicalize().unwrap());
}

#[test]
fn the_policies_of_the_repository_are_valid() {
    let readme = read("README.md");
    let shown = readme.split("```");
    let shown = shown.filter_map(|block| block.strip_prefix("yaml\n"));
    let shown = shown.filter(|block| block.starts_with("version: 1"));
    let mut policies: Vec<String> = shown.map(str::to_owned).collect();
    assert!(!policies.is_empty());
    for path in [
        "examples/timesheets/policy.yaml",
        "bench/src/spin/policy.yaml",
    ] {
        // The benchmark puts its own address there.
        policies.push(read(path).replace("${KEYS}", "https://tenant.example/keys"));
    }
    let schema = jsonschema::validator_for(&policy_schema()).unwrap();
    for text in policies {
        assert!(Policy::parse(&text).is_ok(), "{text}");
        let errors: Vec<String> = schema
            .iter_errors(&json(&text))
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{text}\n{errors:#?}");
    }
}

fn json(text: &str) -> Value {
    let tree = scopegate_yaml::tree(text, &mut |_, fault| panic!("{text}\n{fault:?}"));
    value(&tree.unwrap())
}

fn value(node: &Node) -> Value {
    match &node.value {
        Yaml::Blank => Value::Null,
        Yaml::Truth(truth) => (*truth).into(),
        Yaml::Number(number) => number.clone().into(),
        Yaml::Text(text) => text.clone().into(),
        Yaml::List(items) => items.iter().map(value).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, node)| (key.value.clone(), value(node)))
            .collect(),
    }
}
