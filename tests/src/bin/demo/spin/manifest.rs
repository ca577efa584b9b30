//! A shipped manifest of the example, with the places of this run.

use std::path::Path;

use anyhow::{Context, Result};
use toml::{Table, Value};

/// The policy's name in the folder of the run, beside the manifest.
pub(super) const POLICY: &str = "policy.yaml";

/// The manifest, to be put elsewhere than in the folder `shipped`: components are found where they are, and the policy is the one
/// beside it. What is not named here is as shipped.
pub(super) fn for_this_run(text: &str, shipped: &Path) -> Result<String> {
    let mut manifest: Table = text.parse().context("the manifest is not TOML")?;
    let components = manifest
        .get_mut("component")
        .and_then(Value::as_table_mut)
        .context("the manifest has no [component]")?;
    let mut policies = 0_usize;
    for (name, component) in components {
        let source = component
            .get_mut("source")
            .with_context(|| format!("[component.{name}] has no source"))?;
        let path = source
            .as_str()
            .with_context(|| format!("the source of [component.{name}] is no file"))?;
        let path = shipped.join(path);
        let path = path.canonicalize().with_context(|| {
            format!(
                "there is no {} (`cargo xtask demo` builds it)",
                path.display()
            )
        })?;
        let path = path.to_str().context("its path is not UTF-8")?;
        *source = Value::String(path.to_owned());

        let files = component.get_mut("files").and_then(Value::as_array_mut);
        for file in files.into_iter().flatten() {
            if file.get("destination").and_then(Value::as_str) == Some("/policy.yaml")
                && let Some(source) = file.get_mut("source")
            {
                *source = Value::String(POLICY.to_owned());
                policies = policies.saturating_add(1);
            }
        }
    }
    anyhow::ensure!(policies == 1, "{policies} policies are mounted, not one");
    Ok(manifest.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_stay_where_they_are_and_the_policy_is_the_one_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let shipped = folder.path().join("a b");
        std::fs::create_dir(&shipped).unwrap();
        std::fs::write(folder.path().join("gate.wasm"), "").unwrap();
        let manifest = r#"
            [component.gate]
            source = "../gate.wasm"
            files = ["other.txt", { source = "../policy.yaml", destination = "/policy.yaml" }]
            key_value_stores = ["default"]
        "#;
        let text = for_this_run(manifest, &shipped).unwrap();
        let found: Table = text.parse().unwrap();
        let gate = &found["component"]["gate"];
        let wasm = folder.path().join("gate.wasm").canonicalize().unwrap();
        assert_eq!(gate["source"].as_str(), wasm.to_str());
        assert_eq!(gate["files"][0].as_str(), Some("other.txt"));
        assert_eq!(gate["files"][1]["source"].as_str(), Some(POLICY));
        assert_eq!(gate["key_value_stores"][0].as_str(), Some("default"));

        for (from, to) in [("../gate.wasm", "../no.wasm"), ("/policy.yaml\"", "/p\"")] {
            assert!(for_this_run(&manifest.replace(from, to), &shipped).is_err());
        }
    }

    #[test]
    fn the_shipped_manifests_differ_where_their_pages_say_so() {
        let parse = |text: &str| text.parse::<Table>().unwrap();
        let gateway = parse(include_str!(
            "../../../../../examples/timesheets/spin/spin.toml"
        ));
        let middleware = parse(include_str!(
            "../../../../../examples/timesheets/spin/middleware.toml"
        ));
        // The gate's store and the API's are never one, and the API of the gateway has no route and calls nobody.
        assert_eq!(
            gateway["component"]["gate"]["key_value_stores"],
            Value::from(vec!["default"])
        );
        let api = &gateway["component"]["timesheets"];
        assert_eq!(api["key_value_stores"], Value::from(vec!["entries"]));
        assert!(api.get("allowed_outbound_hosts").is_none());
        let triggers = gateway["trigger"]["http"].as_array().unwrap();
        let private = triggers
            .iter()
            .find(|trigger| trigger["component"].as_str() == Some("timesheets"));
        assert_eq!(private.unwrap()["route"]["private"].as_bool(), Some(true));
        // A middleware that inherited the store could be given keys by the API.
        let inherited = &middleware["trigger"]["http"][0]["dependencies"]["middleware"][0]["inherit_configuration"];
        assert_eq!(
            *inherited,
            Value::from(vec!["allowed_outbound_hosts", "files", "variables"])
        );
    }
}
