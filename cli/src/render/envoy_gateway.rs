//! `scopegate render envoy-gateway`: an EnvoyExtensionPolicy with filter and policy, and the clusters of the issuers' keys as a patch.

use std::path::PathBuf;

use clap::Args;
use scopegate_core::Policy;

use super::clusters::{Cluster, of_policy};
use super::envoy::{CA_FILE, cluster};
use super::yaml::{comment, indented, quoted, scalar};
use super::{Common, kubernetes};
use crate::document::Document;

/// Print resources for Envoy Gateway: an EnvoyExtensionPolicy with filter and policy, and an EnvoyPatchPolicy with the issuers' clusters
///
/// Envoy Gateway has no other way to a cluster that no route leads to than a patch, and takes patches only where its own configuration says
/// `extensionApis: { enableEnvoyPatchPolicy: true }`.
///
/// Example: `scopegate render envoy-gateway --gateway eg --image registry.example.com/scopegate-filter:0.1.0 policy.yaml | kubectl apply -f -`
#[derive(Debug, Args)]
pub(crate) struct EnvoyGatewayArguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// The Gateway that is guarded, all of it
    #[arg(long, value_name = "NAME", value_parser = kubernetes::name)]
    gateway: String,
    /// The image that holds the filter
    #[arg(
        long,
        value_name = "IMAGE",
        required_unless_present = "url",
        conflicts_with = "url"
    )]
    image: Option<String>,
    /// The filter itself, over http:// or https://
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// The SHA-256 of the filter
    #[arg(long, value_name = "DIGITS", value_parser = kubernetes::sha256)]
    sha256: Option<String>,
    /// The name of the resources
    #[arg(long, default_value = "scopegate", value_parser = kubernetes::name)]
    name: String,
    /// The namespace of the Gateway
    #[arg(long, default_value = "default", value_parser = kubernetes::name)]
    namespace: String,
    /// The certificates that Envoy trusts, in its own container
    #[arg(long, value_name = "FILE", default_value = CA_FILE)]
    ca_file: PathBuf,
}

pub(super) fn render(
    arguments: &EnvoyGatewayArguments,
    document: &Document,
    policy: &Policy,
) -> anyhow::Result<String> {
    let clusters = of_policy(policy, None)?;
    let mut text = extension_policy(arguments, document)?;
    if !clusters.is_empty() {
        text.push_str(&patch_policy(arguments, &clusters)?);
    }
    Ok(text)
}

fn extension_policy(
    arguments: &EnvoyGatewayArguments,
    document: &Document,
) -> anyhow::Result<String> {
    let policy_name = comment(&document.name);
    let EnvoyGatewayArguments {
        name,
        namespace,
        gateway,
        ..
    } = arguments;
    let source = match (&arguments.image, &arguments.url) {
        (Some(image), _) => format!(
            "        type: Image\n        image: {{ url: {} }}\n",
            quoted(image)
        ),
        (None, url) => format!(
            "        type: HTTP\n        http: {{ url: {} }}\n",
            quoted(url.as_deref().unwrap_or_default())
        ),
    };
    let sha256 = match &arguments.sha256 {
        Some(digits) => format!("        sha256: {}\n", quoted(digits)),
        None => String::new(),
    };
    let policy = kubernetes::policy_block(document, 8)?;
    Ok(format!(
        "# Scopegate in Envoy Gateway, as `scopegate render envoy-gateway` made it from {policy_name}.
#
# What these resources do not say:
# - Paths: Envoy Gateway tidies them up before the gate sees them. A ClientTrafficPolicy of the same Gateway with
#   `path: {{ escapedSlashesAction: KeepUnchanged, disableMergeSlashes: true }}` keeps all but dot segments as they came.
# - Failure: if the filter's VM dies, Envoy answers 5xx until it is configured anew; Envoy Gateway does not set FAIL_RELOAD.
# - Guard the whole Gateway: a policy for one HTTPRoute leaves the others open, and which route a path takes is decided before the gate.
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyExtensionPolicy
metadata:
  name: {name}
  namespace: {namespace}
spec:
  targetRefs:
    - group: gateway.networking.k8s.io
      kind: Gateway
      name: {gateway}
  wasm:
    - name: scopegate
      rootID: scopegate
      code:
{source}{sha256}      # Nothing passes unchecked.
      failOpen: false
      # The policy. Envoy Gateway hands it to the filter as JSON text: its errors in Envoy's log stand in line 1 of that; `scopegate check`
      # names yours.
      config:
{policy}"
    ))
}

fn patch_policy(arguments: &EnvoyGatewayArguments, clusters: &[Cluster]) -> anyhow::Result<String> {
    let EnvoyGatewayArguments {
        name,
        namespace,
        gateway,
        ..
    } = arguments;
    let mut patches = String::new();
    for cluster in clusters {
        let mapping = cluster::mapping(&cluster.name, &cluster.origin, &arguments.ca_file)?;
        patches.push_str(&format!(
            "    # The keys of `{}`, at {}.
    - type: type.googleapis.com/envoy.config.cluster.v3.Cluster
      name: {}
      operation:
        op: add
        path: \"\"
        value:
{}",
            cluster.issuers.join("`, `"),
            cluster.origin,
            scalar(&cluster.name),
            indented(&mapping, 10)
        ));
    }
    Ok(format!(
        "---
# The clusters through which keys are fetched. Envoy Gateway must be told to take patches, in its own configuration:
# `extensionApis: {{ enableEnvoyPatchPolicy: true }}`. Without them the filter refuses every token with 503.
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyPatchPolicy
metadata:
  name: {name}
  namespace: {namespace}
spec:
  targetRef:
    group: gateway.networking.k8s.io
    kind: Gateway
    name: {gateway}
  type: JSONPatch
  jsonPatches:
{patches}"
    ))
}
