//! `scopegate render envoy`: a whole bootstrap, and the file from which it gets filter and policy.

mod bootstrap;
pub(super) mod cluster;
mod ecds;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use scopegate_core::Policy;
use scopegate_core::spin::Upstream;
use url::Url;

use super::Common;
use super::clusters::of_policy;
use super::origin::Origin;
use crate::document::Document;

/// Where Debian, Ubuntu, Alpine and Envoy's own images keep the certificates that are trusted.
pub(super) const CA_FILE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Print a bootstrap for Envoy, or with `--ecds-only` the file with filter and policy that it watches
///
/// The bootstrap has a cluster for each issuer whose keys are fetched, by the name that the policy gives under `envoy.clusters`. Certificates
/// are checked; plain http is taken where the policy takes it. A changed policy needs the second file alone, and no restart.
///
/// Examples: `scopegate render envoy --upstream http://127.0.0.1:9102 policy.yaml > envoy.yaml`,
/// `scopegate render envoy --ecds-only --output /etc/scopegate/ecds.yaml policy.yaml`
#[derive(Debug, Args)]
pub(crate) struct EnvoyArguments {
    #[command(flatten)]
    pub(super) common: Common,
    /// The service behind the gate: http:// or https://, host and port
    #[arg(long, value_name = "URL", value_parser = upstream, required_unless_present = "ecds_only")]
    upstream: Option<Origin>,
    #[command(flatten)]
    place: Place,
    /// The filter
    #[arg(
        long,
        value_name = "FILE",
        default_value = "/etc/scopegate/scopegate-filter.wasm"
    )]
    filter: PathBuf,
    /// Print the file with filter and policy instead
    #[arg(long)]
    ecds_only: bool,
}

/// What stands around the gate.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Where Envoy listens
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,
    /// The origin of a browser client, as in `https://app.example.com`; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = cors_origin)]
    pub cors_origin: Vec<String>,
    /// The file with filter and policy that Envoy watches
    #[arg(long, value_name = "FILE", default_value = "/etc/scopegate/ecds.yaml")]
    pub ecds: PathBuf,
    /// The certificates that are trusted
    #[arg(long, value_name = "FILE", default_value = CA_FILE)]
    pub ca_file: PathBuf,
}

pub(super) fn render(
    arguments: &EnvoyArguments,
    document: &Document,
    policy: &Policy,
    warnings: &mut Vec<String>,
) -> anyhow::Result<String> {
    let EnvoyArguments { place, filter, .. } = arguments;
    let Some(upstream) = arguments.upstream.as_ref().filter(|_| !arguments.ecds_only) else {
        return ecds(document, policy, filter);
    };
    if !place.listen.ip().is_loopback() {
        warnings.push(format!(
            "a listener without TLS on {}: unless something in front ends TLS, tokens can be read on the way",
            place.listen
        ));
    }
    bootstrap(document, policy, upstream, place)
}

/// The bootstrap of an Envoy that guards that upstream.
///
/// # Errors
/// The policy lacks what Envoy needs, told with what to write; or a path is not UTF-8.
pub fn bootstrap(
    document: &Document,
    policy: &Policy,
    upstream: &Origin,
    place: &Place,
) -> anyhow::Result<String> {
    let clusters = of_policy(policy, None)?;
    bootstrap::render(&document.name, policy, upstream, place, &clusters)
}

/// The file with filter and policy that such an Envoy watches.
///
/// # Errors
/// As for [`bootstrap`]; or the policy holds a character that YAML cannot.
pub fn ecds(document: &Document, policy: &Policy, filter: &Path) -> anyhow::Result<String> {
    // Without a cluster for each issuer the filter refuses the policy.
    of_policy(policy, None)?;
    ecds::render(document, filter)
}

/// A path as Envoy gets it.
pub(super) fn path_text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path is not UTF-8")
}

/// Reads the URL of a service: nothing behind host and port, since the path is the one that was authorised.
pub(super) fn upstream(text: &str) -> Result<Origin, String> {
    let refused = "write http:// or https:// with a host and perhaps a port, and nothing behind it";
    Upstream::parse(Some(text), None).map_err(|_| refused)?;
    Origin::of(text).map_err(|error| error.to_string())
}

/// An origin, as browsers send it (RFC 6454 section 6.1).
fn cors_origin(text: &str) -> Result<String, String> {
    let origin = Url::parse(text).map(|url| url.origin().ascii_serialization());
    match origin {
        Ok(origin) if origin == text && origin != "null" => Ok(origin),
        Ok(origin) if origin != "null" => Err(format!("browsers send `{origin}`")),
        _ => Err("write it as browsers send it, as in `https://app.example.com`".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_has_no_path() {
        for url in [
            "http://127.0.0.1:9102",
            "https://api.example.com",
            "http://[::1]:80/",
        ] {
            assert!(upstream(url).is_ok(), "{url}");
        }
        for url in [
            "",
            "api.example.com",
            "http://a/b",
            "http://a?b",
            "ftp://a",
            "http://u@a",
        ] {
            assert!(upstream(url).is_err(), "{url}");
        }
    }

    #[test]
    fn an_origin_is_what_browsers_send() {
        for origin in [
            "http://localhost:3000",
            "https://app.example.com",
            "http://[::1]:3000",
        ] {
            assert_eq!(cors_origin(origin).as_deref(), Ok(origin));
        }
        for (origin, told) in [
            (
                "https://app.example.com/",
                "browsers send `https://app.example.com`",
            ),
            (
                "https://APP.example.com:443",
                "browsers send `https://app.example.com`",
            ),
        ] {
            assert_eq!(cors_origin(origin), Err(told.into()));
        }
        for origin in ["*", "null", "app.example.com", "file:///x", ""] {
            assert!(cors_origin(origin).is_err(), "{origin}");
        }
    }
}
