//! `scopegate render spin`: a manifest for the gate as a gateway.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::Args;
use scopegate_core::Policy;

use super::clusters;
use super::envoy::{path_text, upstream};
use super::origin::Origin;
use super::yaml::{comment, quoted};
use super::{Common, kubernetes};
use crate::document::{self, Document};

/// Print a manifest for Spin 4.1 or later: the gate as a gateway in front of an upstream
///
/// The gate may reach the upstream and the hosts of the issuers' keys, and nobody else. Paths are relative to where the manifest will be.
///
/// Example: `scopegate render spin --upstream https://api.example.com policy.yaml > spin.toml`
#[derive(Debug, Args)]
pub(crate) struct SpinArguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// The policy, as the manifest finds it; the one that is read if absent
    #[arg(long, value_name = "FILE")]
    policy_file: Option<PathBuf>,
    #[command(flatten)]
    application: Application,
}

/// The application around the gate.
#[derive(Clone, Debug, Args)]
pub struct Application {
    /// Where allowed requests go unless the variable `upstream` says otherwise; `http://NAME.spin.internal` is a component of the application
    #[arg(long, value_name = "URL", value_parser = upstream)]
    pub upstream: Option<Origin>,
    /// The component
    #[arg(long, value_name = "FILE", default_value = "scopegate-spin.wasm")]
    pub component: PathBuf,
    /// The name of the application
    #[arg(long, default_value = "scopegate", value_parser = kubernetes::name)]
    pub name: String,
}

pub(super) fn render(
    arguments: &SpinArguments,
    document: &Document,
    policy: &Policy,
) -> anyhow::Result<String> {
    let policy_file = match &arguments.policy_file {
        Some(path) => path,
        None if document::is_standard_input(&arguments.common.policy) => {
            bail!("a manifest mounts the policy as a file; name it with `--policy-file`")
        }
        None => &arguments.common.policy,
    };
    manifest(document, policy, policy_file, &arguments.application)
}

/// The manifest of an application that is the gate alone.
///
/// # Errors
/// A path is not UTF-8, or a `jwks_file` is none that can be mounted.
pub fn manifest(
    document: &Document,
    policy: &Policy,
    policy_file: &Path,
    application: &Application,
) -> anyhow::Result<String> {
    let issuers: BTreeSet<String> = clusters::origins(policy)?
        .into_iter()
        .map(|(_, origin)| quoted(&origin.to_string()))
        .collect();
    let hosts: Vec<String> = [quoted("{{ upstream }}")]
        .into_iter()
        .chain(issuers)
        .collect();
    let upstream = match &application.upstream {
        Some(origin) => format!("default = {}", quoted(&origin.to_string())),
        None => "required = true".into(),
    };
    let mut files = vec![mount(path_text(policy_file)?, "/policy.yaml")];
    for (issuer, path) in policy.key_files() {
        files.push(key_file(issuer, path)?);
    }
    Ok(format!(
        "# Scopegate as a gateway on Spin, as `scopegate render spin` made it from {name}. A policy that names another issuer needs another manifest.
spin_manifest_version = 2

[application]
name = {application}
version = \"0.1.0\"
description = \"Checks the bearer token of every request before it reaches the upstream\"

[variables]
# Where requests go that may pass: scheme, host and port.
upstream = {{ {upstream} }}
# How long the upstream may take: 500ms, 10s, 2m.
upstream_timeout = {{ default = \"10s\" }}
# Which decisions are worth a line in the log: all, refused, nothing.
log = {{ default = \"refused\" }}
# Who says where a request came from: replace (this gate), keep (a proxy in front of it).
forwarded = {{ default = \"replace\" }}

[[trigger.http]]
route = \"/...\"
component = \"gate\"

[component.gate]
source = {component}
# Spin reads them when it starts: a changed policy needs another start.
files = [
{files}]
# The upstream, and where the issuers' keys are. Nobody else.
allowed_outbound_hosts = [{hosts}]
# The issuers' keys, for instances to come. Give this store to no other component: who can write there could plant keys.
key_value_stores = [\"default\"]

[component.gate.variables]
upstream = \"{{{{ upstream }}}}\"
upstream_timeout = \"{{{{ upstream_timeout }}}}\"
log = \"{{{{ log }}}}\"
forwarded = \"{{{{ forwarded }}}}\"
",
        name = comment(&document.name),
        application = quoted(&application.name),
        component = quoted(path_text(&application.component)?),
        files = files.concat(),
        hosts = hosts.join(", "),
    ))
}

fn mount(source: &str, destination: &str) -> String {
    let (source, destination) = (quoted(source), quoted(destination));
    format!("    {{ source = {source}, destination = {destination} }},\n")
}

/// `jwks_file`, mounted where the policy says: from a file of that path below the manifest.
fn key_file(issuer: &str, path: &str) -> anyhow::Result<String> {
    let source = path.trim_start_matches('/');
    let leaves = Path::new(source)
        .components()
        .any(|part| part.as_os_str() == "..");
    if source.is_empty() || leaves {
        bail!(
            "`{path}`, the `jwks_file` of `{issuer}`, is not a path to mount; write one as in `/keys.json`"
        );
    }
    Ok(mount(source, &format!("/{source}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_keys_is_mounted_where_the_policy_says() {
        let expected = "    { source = \"keys/a.json\", destination = \"/keys/a.json\" },\n";
        assert_eq!(key_file("a", "/keys/a.json").unwrap(), expected);
        for path in ["/", "/../a.json", "a/../../b"] {
            assert!(key_file("a", path).is_err(), "{path}");
        }
    }
}
