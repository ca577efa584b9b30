//! `spin.toml`, version 2: its shape in TOML. What this host does not know it refuses.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Manifest {
    spin_manifest_version: u32,
    pub(crate) application: About,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, VariableEntry>,
    pub(crate) trigger: Triggers,
    pub(crate) component: BTreeMap<String, ComponentEntry>,
}

/// `[application]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) version: String,
    #[serde(default, rename = "authors")]
    _authors: Vec<String>,
    #[serde(default, rename = "description")]
    _description: String,
}

/// An entry of `[variables]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VariableEntry {
    pub(crate) default: Option<String>,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default, rename = "secret")]
    _secret: bool,
    #[serde(default, rename = "description")]
    _description: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Triggers {
    pub(crate) http: Vec<HttpTrigger>,
}

/// An entry of `[[trigger.http]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HttpTrigger {
    #[serde(default, rename = "id")]
    _id: String,
    pub(crate) route: RouteEntry,
    pub(crate) component: String,
    #[serde(default)]
    pub(crate) dependencies: Dependencies,
}

/// A path, or `{ private = true }`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum RouteEntry {
    Path(String),
    Private(Private),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Private {
    pub(crate) private: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Dependencies {
    /// The outermost first.
    #[serde(default)]
    pub(crate) middleware: Vec<MiddlewareEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MiddlewareEntry {
    pub(crate) component: String,
    #[serde(default)]
    pub(crate) inherit_configuration: Inherit,
}

/// What a middleware may use of the component that it guards.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Inherit {
    Everything(bool),
    Only(Vec<String>),
}

impl Default for Inherit {
    fn default() -> Self {
        Self::Everything(false)
    }
}

/// `[component.ID]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ComponentEntry {
    pub(crate) source: String,
    #[serde(default)]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) files: Vec<FileEntry>,
    #[serde(default)]
    pub(crate) exclude_files: Vec<String>,
    #[serde(default)]
    pub(crate) allowed_outbound_hosts: Vec<String>,
    #[serde(default)]
    pub(crate) key_value_stores: Vec<String>,
    #[serde(default)]
    pub(crate) environment: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) variables: BTreeMap<String, String>,
    #[serde(default, rename = "build")]
    _build: Option<BuildEntry>,
}

/// A path or pattern below the manifest's folder, or a file or folder from anywhere with its place.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum FileEntry {
    Pattern(String),
    Placed(PlacedFile),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacedFile {
    pub(crate) source: String,
    pub(crate) destination: String,
}

/// How the component is built; it is built already.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct BuildEntry {
    #[serde(rename = "command")]
    _command: toml::Value,
    #[serde(default, rename = "watch")]
    _watch: Vec<String>,
    #[serde(default, rename = "workdir")]
    _workdir: String,
    #[serde(default, rename = "environment")]
    _environment: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest file.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("manifest {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("manifest {}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text)?;
        if manifest.spin_manifest_version != 2 {
            bail!("spin_manifest_version must be 2");
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEAST: &str = r#"
        spin_manifest_version = 2
        application = { name = "a" }
        [[trigger.http]]
        route = "/..."
        component = "gate"
        [component.gate]
        source = "gate.wasm"
    "#;

    #[test]
    fn what_spin_takes_is_taken() {
        for more in [
            "",
            "files = ['policy.yaml', { source = '../x.yaml', destination = '/x.yaml' }]",
            "allowed_outbound_hosts = ['{{ upstream }}']\nkey_value_stores = ['default']",
            "build = { command = 'cargo build', watch = ['src'], workdir = '..' }",
            "[variables]\nupstream = { required = true }\nsecret = { default = '', secret = true }",
            "[[trigger.http]]\nroute = { private = true }\ncomponent = 'gate'",
            "[[trigger.http]]\nroute = '/a'\ncomponent = 'gate'\n\
             dependencies.middleware = [{ component = 'gate', inherit_configuration = ['files'] }]",
            "[[trigger.http]]\nroute = '/a'\ncomponent = 'gate'\n\
             dependencies.middleware = [{ component = 'gate', inherit_configuration = true }]",
        ] {
            let read = Manifest::parse(&format!("{LEAST}\n{more}"));
            assert!(read.is_ok(), "{more}: {read:?}");
        }
    }

    #[test]
    fn what_is_unknown_is_refused() {
        for more in [
            "file = ['policy.yaml']",
            "sqlite_databases = ['default']",
            "files = [{ source = 'a' }]",
            "[variables]\nupstream = { require = true }",
            "[[trigger.http]]\nroute = '/a'\ncomponent = 'gate'\nexecutor = { type = 'wagi' }",
            "[[trigger.http]]\nroute = { public = true }\ncomponent = 'gate'",
            "[trigger.redis]\naddress = 'redis://localhost'",
            "[unknown]",
        ] {
            assert!(
                Manifest::parse(&format!("{LEAST}\n{more}")).is_err(),
                "{more}"
            );
        }
        assert!(Manifest::parse(&LEAST.replace("= 2", "= 1")).is_err());
    }
}
