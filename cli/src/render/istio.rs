//! `scopegate render istio`: a WasmPlugin with filter and policy, and for each host of keys what lets the proxy reach it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, ValueEnum};
use scopegate_core::Policy;

use super::clusters::{Cluster, of_policy};
use super::envoy::{CA_FILE, path_text};
use super::origin::{HostName, Origin};
use super::yaml::{comment, quoted, scalar};
use super::{Common, kubernetes};
use crate::document::Document;

/// Print resources for Istio 1.27 or later: a WasmPlugin, and ServiceEntries and DestinationRules for the issuers' keys
///
/// Istio names clusters by itself, so the policy must name them so under `envoy.clusters`, as in `outbound|443||tenant.eu.auth0.com`; where
/// it does not, the lines to write are told.
///
/// Example: `scopegate render istio --url oci://registry.example.com/scopegate-filter:0.1.0 policy.yaml | kubectl apply -f -`
#[derive(Debug, Args)]
pub(crate) struct IstioArguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// Where the proxy gets the filter: oci://, https:// or file://
    #[arg(long, value_name = "URL", value_parser = filter_url)]
    url: String,
    /// The SHA-256 of the filter
    #[arg(long, value_name = "DIGITS", value_parser = kubernetes::sha256)]
    sha256: Option<String>,
    /// The name of the WasmPlugin, and the beginning of the others' names
    #[arg(long, default_value = "scopegate", value_parser = kubernetes::name)]
    name: String,
    /// The namespace of the workload
    #[arg(long, default_value = "istio-system", value_parser = kubernetes::name)]
    namespace: String,
    /// A label of the workload; may be repeated
    #[arg(long, value_name = "NAME=VALUE", default_value = "istio=ingressgateway", value_parser = kubernetes::label)]
    label: Vec<(String, String)>,
    /// What the workload is
    #[arg(long, value_enum, default_value_t = Workload::Gateway)]
    workload: Workload,
    /// The certificates that the proxy trusts, in its own container
    #[arg(long, value_name = "FILE", default_value = CA_FILE)]
    ca_file: PathBuf,
}

/// What the gate stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Workload {
    /// A gateway of Istio
    Gateway,
    /// A service with a sidecar: what comes in is guarded, what goes out is not
    Sidecar,
}

pub(super) fn render(
    arguments: &IstioArguments,
    document: &Document,
    policy: &Policy,
) -> anyhow::Result<String> {
    refuse_unreachable(policy)?;
    let clusters = of_policy(policy, Some(cluster_name))?;
    let mut text = wasm_plugin(arguments, document)?;
    for (host, clusters) in by_host(&clusters) {
        if !is_of_kubernetes(host) {
            text.push_str(&service_entry(arguments, host, &clusters));
        }
        text.push_str(&destination_rule(arguments, host, &clusters)?);
    }
    Ok(text)
}

/// The name that Istio gives to the cluster of a service outside: direction, port, subset and host.
fn cluster_name(origin: &Origin) -> String {
    format!("outbound|{}||{}", origin.port, service_host(origin))
}

/// A service by the name that Istio has for it: that of Kubernetes' DNS whole.
fn service_host(origin: &Origin) -> String {
    let host = origin.host.to_string();
    match host.ends_with(".svc") {
        true => format!("{host}.cluster.local"),
        false => host,
    }
}

/// Whether Istio knows it without a ServiceEntry.
fn is_of_kubernetes(host: &str) -> bool {
    host.ends_with(".svc.cluster.local")
}

fn refuse_unreachable(policy: &Policy) -> anyhow::Result<()> {
    for (issuer, origin) in super::clusters::fetched(policy)? {
        if matches!(origin.host, HostName::Address(_)) || origin.is_loopback() {
            bail!(
                "the keys of `{issuer}` are at {origin}, and Istio reaches services by name; write a `jwks_uri` with a name that is served"
            );
        }
    }
    Ok(())
}

/// A host may be one service with several ports.
fn by_host(clusters: &[Cluster]) -> BTreeMap<&str, Vec<&Cluster>> {
    let mut hosts: BTreeMap<&str, Vec<&Cluster>> = BTreeMap::new();
    for cluster in clusters {
        // The name ends with the host.
        let host = cluster.name.rsplit('|').next().unwrap_or_default();
        hosts.entry(host).or_default().push(cluster);
    }
    hosts
}

fn labels(arguments: &IstioArguments) -> String {
    let labels: Vec<String> = arguments
        .label
        .iter()
        .map(|(name, value)| format!("{}: {}", scalar(name), scalar(value)))
        .collect();
    format!("matchLabels: {{ {} }}", labels.join(", "))
}

fn wasm_plugin(arguments: &IstioArguments, document: &Document) -> anyhow::Result<String> {
    let policy_name = comment(&document.name);
    let IstioArguments {
        name, namespace, ..
    } = arguments;
    let labels = labels(arguments);
    let url = quoted(&arguments.url);
    let sha256 = match &arguments.sha256 {
        Some(digits) => format!("  sha256: {}\n", quoted(digits)),
        None => String::new(),
    };
    let matched = match arguments.workload {
        Workload::Gateway => "",
        Workload::Sidecar => {
            "  # What comes in. Without this, what the service itself sends would need a token too.\n  match:\n    - mode: SERVER\n"
        }
    };
    let policy = kubernetes::policy_block(document, 4)?;
    Ok(format!(
        "# Scopegate in Istio, as `scopegate render istio` made it from {policy_name}.
#
# What Istio does not let these resources say:
# - CORS: Istio's filter for it stands behind all plugins, so refusals carry no CORS headers, and a script cannot read why it was refused.
# - Paths: Istio tidies them up before the gate sees them, unless the mesh says `pathNormalization: {{ normalization: NONE }}`.
# - The VM: Istio gives no plugin a `vm_id` of its own, and plugins that share one could plant keys. Run no plugin that you do not trust
#   beside this one in a proxy.
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    {labels}
  url: {url}
{sha256}  pluginName: scopegate
  type: HTTP
{matched}  # Before Istio's own authentication and authorization, so that they see no identity header that a client made up.
  phase: AUTHN
  # The net: if the VM dies, the requests in it fail, and the next one gets a new VM. Nothing passes unchecked.
  failStrategy: FAIL_RELOAD
  # The policy. Istio hands it to the filter as JSON text: its errors in the proxy's log stand in line 1 of that; `scopegate check` names yours.
  pluginConfig:
{policy}"
    ))
}

fn service_entry(arguments: &IstioArguments, host: &str, clusters: &[&Cluster]) -> String {
    let name = kubernetes::name_for(&arguments.name, host);
    let namespace = &arguments.namespace;
    let mut ports = String::new();
    for origin in origins(clusters) {
        let protocol = if origin.tls { "HTTPS" } else { "HTTP" };
        let (port, scheme) = (origin.port, origin.scheme());
        ports.push_str(&format!(
            "    - {{ number: {port}, name: {scheme}-{port}, protocol: {protocol} }}\n"
        ));
    }
    format!(
        "---
# The keys of {}.
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: {name}
  namespace: {namespace}
spec:
  hosts: [{}]
  exportTo: [\".\"]
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
{ports}",
        issuers(clusters),
        quoted(host)
    )
}

/// Nothing for a host of plain http alone.
fn destination_rule(
    arguments: &IstioArguments,
    host: &str,
    clusters: &[&Cluster],
) -> anyhow::Result<String> {
    let trusted = quoted(path_text(&arguments.ca_file)?);
    let mut settings = String::new();
    for origin in origins(clusters).into_iter().filter(|origin| origin.tls) {
        // The name in the URL, which the certificate bears.
        let server = quoted(&origin.host.to_string());
        settings.push_str(&format!(
            "      - port: {{ number: {} }}
        tls:
          mode: SIMPLE
          sni: {server}
          subjectAltNames: [{server}]
          caCertificates: {trusted}
",
            origin.port
        ));
    }
    if settings.is_empty() {
        return Ok(String::new());
    }
    let name = kubernetes::name_for(&arguments.name, host);
    let namespace = &arguments.namespace;
    let labels = labels(arguments);
    Ok(format!(
        "---
# The gate fetches keys in plain text, and the proxy makes TLS of it: whoever can answer in the issuer's place can make tokens. This workload
# alone, as others may speak TLS to that host by themselves.
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {name}
  namespace: {namespace}
spec:
  host: {}
  exportTo: [\".\"]
  workloadSelector:
    {labels}
  trafficPolicy:
    portLevelSettings:
{settings}",
        quoted(host)
    ))
}

/// Each once: two issuers may have their keys behind one port.
fn origins<'c>(clusters: &[&'c Cluster]) -> BTreeSet<&'c Origin> {
    clusters.iter().map(|cluster| &cluster.origin).collect()
}

fn issuers(clusters: &[&Cluster]) -> String {
    let issuers = clusters.iter().flat_map(|cluster| &cluster.issuers);
    let issuers: Vec<String> = issuers.map(|issuer| format!("`{issuer}`")).collect();
    issuers.join(", ")
}

/// Reads where a filter is.
fn filter_url(text: &str) -> Result<String, String> {
    let known = ["oci://", "https://", "http://", "file://"];
    let odd = |c: char| c.is_whitespace() || c.is_control();
    match known.iter().any(|scheme| text.starts_with(scheme)) && !text.contains(odd) {
        true => Ok(text.to_owned()),
        false => Err("write oci://, https:// or file:// and what follows".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clusters_have_istios_names() {
        for (url, name) in [
            (
                "https://tenant.eu.auth0.com/",
                "outbound|443||tenant.eu.auth0.com",
            ),
            ("https://id.example:8443/keys", "outbound|8443||id.example"),
            (
                "http://keycloak.auth.svc:8080/keys",
                "outbound|8080||keycloak.auth.svc.cluster.local",
            ),
            (
                "http://keycloak.auth.svc.cluster.local/",
                "outbound|80||keycloak.auth.svc.cluster.local",
            ),
        ] {
            assert_eq!(cluster_name(&Origin::of(url).unwrap()), name);
        }
    }

    #[test]
    fn an_address_is_no_service() {
        for url in [
            "https://192.0.2.7/keys",
            "https://[2001:db8::1]/keys",
            "http://localhost:9101/keys",
        ] {
            let text = format!(
                "version: 1\nrealm: t\nroutes: []\nissuers: {{ a: {{ issuer: a, audiences: [b], jwks_uri: '{url}' }} }}\n"
            );
            assert!(
                refuse_unreachable(&Policy::parse(&text).unwrap()).is_err(),
                "{url}"
            );
        }
    }

    #[test]
    fn a_filter_is_somewhere() {
        assert!(filter_url("oci://registry.example.com/scopegate:1").is_ok());
        for text in ["scopegate.wasm", "oci://a b", "s3://a"] {
            assert!(filter_url(text).is_err(), "{text}");
        }
    }
}
