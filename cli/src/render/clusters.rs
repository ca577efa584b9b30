//! The Envoy clusters through which the keys of a policy's issuers are fetched.

use std::collections::BTreeMap;

use anyhow::bail;
use scopegate_core::Policy;
use scopegate_core::outline::KeySource;

use super::origin::Origin;
use super::yaml;

/// A cluster, and whom it reaches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cluster {
    /// Its name in Envoy.
    pub(super) name: String,
    /// Host and port that it connects to.
    pub(super) origin: Origin,
    /// The issuers whose keys are there, as the policy names them.
    pub(super) issuers: Vec<String>,
}

/// The clusters that a policy needs, in the order of its issuers. `fixed` gives the name of a cluster where the place decides it, and not
/// the policy.
///
/// # Errors
/// The policy names none for an issuer, or another one: told with the lines to write. Or two issuers share a cluster and not a host.
pub(super) fn of_policy(
    policy: &Policy,
    fixed: Option<fn(&Origin) -> String>,
) -> anyhow::Result<Vec<Cluster>> {
    let mut named: BTreeMap<String, String> = policy.envoy().clusters.clone();
    let mut clusters: Vec<Cluster> = Vec::new();
    let mut astray = Vec::new();
    for (issuer, origin) in fetched(policy)? {
        let wanted = match (fixed, policy.cluster(issuer)) {
            (Some(name), _) => name(&origin),
            (None, Some(name)) => name.to_owned(),
            (None, None) => proposed(issuer),
        };
        if policy.cluster(issuer) != Some(wanted.as_str()) {
            astray.push(format!("`{issuer}`"));
            named.insert(issuer.to_owned(), wanted.clone());
        }
        match clusters.iter_mut().find(|cluster| cluster.name == wanted) {
            Some(cluster) if cluster.origin != origin => bail!(
                "`{}` and `{issuer}` share the cluster `{wanted}`, but their keys are at {} and {origin}; give each a cluster of its own",
                cluster.issuers.join("`, `"),
                cluster.origin,
            ),
            Some(cluster) => cluster.issuers.push(issuer.to_owned()),
            None => clusters.push(Cluster {
                name: wanted,
                origin,
                issuers: vec![issuer.to_owned()],
            }),
        }
    }
    if !astray.is_empty() {
        bail!(
            "the policy does not name the cluster that reaches the keys of {}; write\n\n{}",
            astray.join(", "),
            section(&named, policy.envoy().log_subject).trim_end()
        );
    }
    Ok(clusters)
}

/// The issuers whose keys are fetched, and from where. Metadata name keys on the issuer's own host.
///
/// # Errors
/// Keys are in a file, which the filter does not read.
pub(super) fn fetched(policy: &Policy) -> anyhow::Result<Vec<(&str, Origin)>> {
    if let Some((issuer, _)) = policy.key_files().next() {
        bail!(
            "the keys of `{issuer}` are in a file, and Envoy's filter reads none; write `jwks_uri`, or the keys themselves as `jwks`"
        );
    }
    origins(policy)
}

/// The issuers whose keys come over HTTP, and from where.
///
/// # Errors
/// An address that the core takes is none for `url`: that does not happen.
pub(super) fn origins(policy: &Policy) -> anyhow::Result<Vec<(&str, Origin)>> {
    let issuers = policy.issuers().iter();
    let addresses = issuers.filter_map(|issuer| match issuer.key_source() {
        KeySource::Address(url) => Some((issuer.name.as_str(), url)),
        KeySource::Metadata { openid, .. } => Some((issuer.name.as_str(), openid)),
        KeySource::File(_) | KeySource::Inline { .. } => None,
    });
    addresses
        .map(|(issuer, url)| Ok((issuer, Origin::of(url)?)))
        .collect()
}

fn proposed(issuer: &str) -> String {
    format!("{issuer}_jwks")
}

/// The section of the policy that names them.
fn section(clusters: &BTreeMap<String, String>, log_subject: bool) -> String {
    let mut lines = String::from("envoy:\n  clusters:\n");
    for (issuer, cluster) in clusters {
        let (issuer, cluster) = (yaml::scalar(issuer), yaml::scalar(cluster));
        lines.push_str(&format!("    {issuer}: {cluster}\n"));
    }
    if log_subject {
        lines.push_str("  log_subject: true\n");
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A policy with these issuers, and this under `clusters`.
    fn policy(issuers: &[(&str, &str)], clusters: &str) -> Policy {
        let mut text = String::from("version: 1\nrealm: t\nroutes: []\nissuers:\n");
        for (name, keys) in issuers {
            text.push_str(&format!(
                "  {name}: {{ issuer: 'https://{name}.example/', audiences: [api], {keys} }}\n"
            ));
        }
        text.push_str(&format!("envoy: {{ clusters: {{ {clusters} }} }}\n"));
        Policy::parse(&text).unwrap_or_else(|invalid| panic!("{text}\n{invalid}"))
    }

    fn names(policy: &Policy) -> Vec<(String, String, usize)> {
        let clusters = of_policy(policy, None).unwrap();
        let told = clusters.into_iter();
        told.map(|cluster| {
            (
                cluster.name,
                cluster.origin.to_string(),
                cluster.issuers.len(),
            )
        })
        .collect()
    }

    #[test]
    fn keys_are_where_the_policy_says_or_on_the_issuers_own_host() {
        let policy = policy(
            &[
                ("a", "jwks_uri: 'https://keys.example:8443/a'"),
                ("b", ""),
                ("c", "jwks_uri: 'http://[::1]:9101/c'"),
                (
                    "d",
                    "jwks: { keys: [{ kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo }] }",
                ),
                ("e", "jwks_uri: 'https://keys.example:8443/e'"),
            ],
            "a: shared, b: b_keys, c: local, e: shared",
        );
        assert_eq!(
            names(&policy),
            [
                ("shared".into(), "https://keys.example:8443".into(), 2),
                ("b_keys".into(), "https://b.example".into(), 1),
                ("local".into(), "http://[::1]:9101".into(), 1),
            ]
        );
    }

    #[test]
    fn a_cluster_that_is_not_named_is_told_with_the_lines_to_write() {
        let policy = policy(&[("a", ""), ("b", "")], "b: keys");
        let told = of_policy(&policy, None).unwrap_err().to_string();
        assert_eq!(
            told,
            "the policy does not name the cluster that reaches the keys of `a`; write\n\n\
             envoy:\n  clusters:\n    a: a_jwks\n    b: keys"
        );
    }

    #[test]
    fn one_cluster_reaches_one_host() {
        let policy = policy(&[("a", ""), ("b", "")], "a: keys, b: keys");
        let told = of_policy(&policy, None).unwrap_err().to_string();
        assert!(
            told.contains("`a` and `b` share the cluster `keys`"),
            "{told}"
        );
    }

    #[test]
    fn keys_in_a_file_are_for_another_host() {
        let policy = policy(&[("a", "jwks_file: /keys.json")], "");
        assert!(of_policy(&policy, None).is_err());
        assert_eq!(origins(&policy).unwrap(), []);
    }
}
