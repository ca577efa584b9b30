//! What `scopegate render istio` and `render envoy-gateway` print, held against the schemas that the two projects publish for it: the
//! CustomResourceDefinitions of Istio and Envoy Gateway, as npm packages that `cargo xtask test` fetches.

#![allow(clippy::unwrap_used, clippy::panic)]
// The environment says what must not be skipped.
#![allow(clippy::disallowed_methods)]

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use scopegate::Outcome;
use scopegate::streams::Streams;
use serde_json::Value;

/// What a command printed.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl io::Write for Printed {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The resources that a command prints.
fn rendered(words: &[&str]) -> Vec<Value> {
    let (out, log) = (Printed::default(), Printed::default());
    let mut streams = Streams::new(io::empty(), out.clone(), log.clone());
    let words = ["scopegate", "render"].iter().chain(words);
    let outcome = scopegate::command(words.map(OsString::from), &mut streams).unwrap();
    let text = |printed: &Printed| String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    assert_eq!(outcome, Outcome::Well, "{}", text(&log));
    serde_saphyr::from_multiple(&text(&out)).unwrap()
}

/// Where npm's packages are; nothing where they are not, which is said loudly, and an error with `SCOPEGATE_REQUIRE_NODE=1`.
fn packages() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/tools/kubernetes-models");
    let has_node = Command::new("node").arg("--version").output().is_ok();
    if has_node && folder.join("node_modules").is_dir() {
        return Some(folder);
    }
    let missing = "Istio's and Envoy Gateway's schemas need Node and npm packages";
    let is_required = std::env::var("SCOPEGATE_REQUIRE_NODE").is_ok_and(|value| value == "1");
    assert!(
        !is_required,
        "{missing}, and SCOPEGATE_REQUIRE_NODE=1 asks for them"
    );
    // Not by `eprintln`, whose lines the test harness keeps back when a test passes.
    let said = format!("SKIPPED: {missing} (run `cargo xtask test`)\n");
    io::stderr().write_all(said.as_bytes()).unwrap();
    None
}

/// What the schemas have against each resource.
fn objections(packages: &Path, resources: &[Value]) -> Vec<Option<String>> {
    let mut validator = Command::new("node")
        .arg("validate.js")
        .current_dir(packages)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let text = serde_json::to_vec(resources).unwrap();
    validator.stdin.take().unwrap().write_all(&text).unwrap();
    let output = validator.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let objections: Vec<Option<String>> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(objections.len(), resources.len());
    objections
}

fn policy(session: &str, name: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sessions");
    let file = folder.join(format!("{session}.in")).join(name);
    file.to_str().unwrap().to_owned()
}

fn kinds(resources: &[Value]) -> Vec<&str> {
    let kinds = resources.iter().map(|resource| resource["kind"].as_str());
    kinds.map(Option::unwrap).collect()
}

#[test]
fn the_resources_are_what_the_projects_say_they_are() {
    let Some(packages) = packages() else {
        return;
    };
    let url = ["--url", "oci://registry.example.com/scopegate-filter:0.1.0"];
    let image = ["--image", "registry.example.com/scopegate-filter:0.1.0"];
    let (remote, own) = (
        policy("render-istio", "policy.yaml"),
        policy("render-istio", "cluster.yaml"),
    );
    let sidecar = ["--workload", "sidecar", "--label", "app=timesheets"];
    let digest = "0123456789abcdef".repeat(4);
    let gateway = policy("render-envoy-gateway", "policy.yaml");
    for (words, expected) in [
        ([&["istio", &remote], &url[..]].concat(), "WasmPlugin"),
        (
            [&["istio", &own, "--sha256", &digest], &url[..], &sidecar].concat(),
            "WasmPlugin",
        ),
        (
            [&["envoy-gateway", &gateway, "--gateway", "eg"], &image[..]].concat(),
            "EnvoyExtensionPolicy",
        ),
    ] {
        let resources = rendered(&words);
        assert!(kinds(&resources).contains(&expected), "{words:?}");
        let objections = objections(&packages, &resources);
        assert!(
            objections.iter().all(Option::is_none),
            "{words:?}: {objections:#?}"
        );
    }
}

#[test]
fn the_schemas_object_to_what_is_none() {
    let Some(packages) = packages() else {
        return;
    };
    let url = ["--url", "oci://registry.example.com/scopegate-filter:0.1.0"];
    let remote = policy("render-istio", "policy.yaml");
    let gateway = policy("render-envoy-gateway", "policy.yaml");
    let image = ["--image", "registry.example.com/scopegate-filter:0.1.0"];
    let mut resources = rendered(&[&["istio", &remote], &url[..]].concat());
    resources.extend(rendered(
        &[&["envoy-gateway", &gateway, "--gateway", "eg"], &image[..]].concat(),
    ));
    // Each resource with a word where none belongs.
    for resource in &mut resources {
        let spec = resource["spec"].as_object_mut().unwrap();
        let list = ["phase", "location", "exportTo", "wasm", "type"];
        let field = list
            .iter()
            .find(|field| spec.contains_key(**field))
            .unwrap();
        spec.insert((*field).into(), "NONSENSE".into());
    }
    for (resource, objection) in resources.iter().zip(objections(&packages, &resources)) {
        assert!(objection.is_some(), "{resource:#}");
    }
}
