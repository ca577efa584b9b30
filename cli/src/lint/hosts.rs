//! What a policy needs of the host that it is for, and does not find there.

use std::collections::BTreeSet;

use anyhow::Context as _;
use scopegate_core::outline::KeySource;
use toml::Value;

use super::{Subject, warning};
use crate::diagnostic::Diagnostic;
use crate::document::Document;
use crate::place::{Place, Step};

/// Which hosts the components of a Spin application may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpinManifest {
    /// The file.
    pub name: String,
    /// `allowed_outbound_hosts` of all components.
    pub outbound: Vec<String>,
}

impl SpinManifest {
    /// Reads a `spin.toml` of version 2.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(document: &Document) -> anyhow::Result<Self> {
        let name = document.name.clone();
        let manifest: toml::Table = document
            .text
            .parse()
            .with_context(|| format!("{name} is not TOML"))?;
        let components = manifest.get("component").and_then(Value::as_table);
        let components = components
            .with_context(|| format!("{name} has no `[component.…]`: is it a spin.toml?"))?;
        let hosts = components
            .values()
            .filter_map(|component| component.get("allowed_outbound_hosts")?.as_array())
            .flatten();
        let outbound = hosts.filter_map(|host| Some(host.as_str()?.to_owned()));
        Ok(Self {
            outbound: outbound.collect(),
            name,
        })
    }

    /// Whether a component may reach that address. A host with a template (`{{ … }}`) is only known when the application runs.
    fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        self.outbound
            .iter()
            .any(|allowed| allowed.contains("{{") || is_allowed(allowed, scheme, host, port))
    }
}

/// One entry of `allowed_outbound_hosts`: `scheme://host[:port]`, where scheme, host or port may be `*`, and the host may begin with `*.`.
fn is_allowed(allowed: &str, scheme: &str, host: &str, port: u16) -> bool {
    let Some((schemes, authority)) = allowed.split_once("://") else {
        return false;
    };
    let authority = authority.trim_end_matches('/');
    let usual = match schemes {
        "http" => 80,
        _ => 443,
    };
    let (hosts, ports) = match authority.rsplit_once(':') {
        Some((hosts, ports)) if !ports.contains(']') => (hosts, Some(ports)),
        _ => (authority, None),
    };
    let fits_host = hosts == "*"
        || hosts.eq_ignore_ascii_case(host)
        || hosts
            .strip_prefix('*')
            .is_some_and(|tail| tail.starts_with('.') && host.ends_with(tail));
    let fits_port = match ports {
        None => port == usual,
        Some("*") => true,
        Some(ports) => match ports.split_once("..") {
            None => ports.parse() == Ok(port),
            Some((first, last)) => {
                let range = (first.parse::<u16>(), last.parse::<u16>());
                matches!(range, (Ok(first), Ok(last)) if (first..last).contains(&port))
            }
        },
    };
    (schemes == "*" || schemes == scheme) && fits_host && fits_port
}

pub(super) fn look(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    if subject.is_for_envoy || subject.places.has(&[Step::Value("envoy")]) {
        clusters(subject, found);
    }
    if let Some(manifest) = subject.manifest {
        outbound(subject, manifest, found);
    }
}

/// Envoy's filter reaches nothing but its clusters.
fn clusters(subject: &Subject<'_>, found: &mut Vec<Diagnostic>) {
    let (policy, places) = (subject.policy, subject.places);
    let fetched: BTreeSet<&str> = policy.fetched_issuers().collect();
    for name in &fetched {
        if policy.cluster(name).is_none() {
            let mut missing = warning(
                "cluster-missing",
                issuer_place(subject, name),
                format!(
                    "`envoy.clusters` names no cluster for `{name}`, without which Envoy's filter refuses the policy"
                ),
                format!(
                    "write `{name}: CLUSTER` under `envoy.clusters`, with the cluster that reaches its keys"
                ),
            );
            let clusters = [Step::Value("envoy"), Step::Value("clusters")];
            if places.has(&clusters) {
                let related = (places.at(&clusters), "the clusters".to_owned());
                missing.related.push(related);
            }
            found.push(missing);
        }
    }
    for name in policy.envoy().clusters.keys() {
        if !fetched.contains(name.as_str()) {
            found.push(warning(
                "cluster-unused",
                places.at(&[
                    Step::Value("envoy"),
                    Step::Value("clusters"),
                    Step::Key(name),
                ]),
                format!(
                    "the keys of `{name}` are never fetched, so that this cluster is never used"
                ),
                "remove it",
            ));
        }
    }
    for (name, _) in policy.key_files() {
        found.push(warning(
            "key-file-in-envoy",
            places.at(&[
                Step::Value("issuers"),
                Step::Value(name),
                Step::Value("jwks_file"),
            ]),
            "the policy is for Envoy, whose filter has no files and refuses it",
            "write the keys into the policy (`jwks`), or let them be fetched",
        ));
    }
}

/// Spin's components reach what their manifest lists.
fn outbound(subject: &Subject<'_>, manifest: &SpinManifest, found: &mut Vec<Diagnostic>) {
    for issuer in subject.policy.issuers() {
        let url = match issuer.key_source() {
            KeySource::Address(url) => url,
            KeySource::Metadata { openid, .. } => openid,
            KeySource::File(_) | KeySource::Inline { .. } => continue,
        };
        let Some((scheme, host, port)) = target(url) else {
            continue;
        };
        if !manifest.allows(scheme, host, port) {
            let usual = matches!((scheme, port), ("http", 80) | ("https", 443));
            let wanted = match usual {
                true => format!("{scheme}://{host}"),
                false => format!("{scheme}://{host}:{port}"),
            };
            found.push(warning(
                "outbound-host-missing",
                issuer_place(subject, &issuer.name),
                format!(
                    "{} does not let a component reach the keys of `{}`",
                    manifest.name, issuer.name
                ),
                format!("add \"{wanted}\" to its `allowed_outbound_hosts`"),
            ));
        }
    }
}

/// Scheme, host and port of an address that the core has read already.
fn target(url: &str) -> Option<(&str, &str, u16)> {
    let (scheme, behind) = url.split_once("://")?;
    let authority = behind.split(['/', '?', '#']).next()?;
    let usual = match scheme {
        "http" => 80,
        _ => 443,
    };
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => Some((scheme, host, port.parse().ok()?)),
        _ => Some((scheme, authority, usual)),
    }
}

fn issuer_place(subject: &Subject<'_>, name: &str) -> Place {
    subject
        .places
        .at(&[Step::Value("issuers"), Step::Key(name)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outbound_hosts() {
        for (allowed, url, expected) in [
            ("https://a.example", "https://a.example/jwks", true),
            ("https://a.example:443", "https://a.example/jwks", true),
            ("https://a.example/", "https://a.example/jwks", true),
            ("https://a.example", "https://a.example:8443/jwks", false),
            ("https://a.example:*", "https://a.example:8443/jwks", true),
            (
                "https://a.example:8000..9000",
                "https://a.example:8443/",
                true,
            ),
            (
                "https://a.example:8000..8443",
                "https://a.example:8443/",
                false,
            ),
            ("http://a.example", "https://a.example/jwks", false),
            ("*://a.example:443", "https://a.example/jwks", true),
            ("https://*.example", "https://a.example/jwks", true),
            ("https://*.example", "https://example/jwks", false),
            ("https://*", "https://a.example/jwks", true),
            ("https://[::1]:9101", "https://[::1]:9101/jwks", true),
            ("a.example", "https://a.example/jwks", false),
            ("https://{{ idp }}", "https://a.example/jwks", true),
        ] {
            let manifest = SpinManifest {
                name: "spin.toml".into(),
                outbound: vec![allowed.into()],
            };
            let (scheme, host, port) = target(url).unwrap();
            assert_eq!(
                manifest.allows(scheme, host, port),
                expected,
                "{allowed} {url}"
            );
        }
    }
}
