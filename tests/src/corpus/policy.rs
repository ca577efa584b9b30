//! The policy of a case, completed for one runner.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use super::template;

/// Where a runner has a key set.
#[derive(Clone, Debug)]
pub struct Place {
    /// The `jwks_uri`.
    pub url: String,
    /// The Envoy cluster that leads there.
    pub cluster: String,
}

/// The names of the key sets that a policy asks for, by the name of the issuer.
///
/// # Errors
/// The text is not YAML. (Whether it is a policy, the core says.)
pub fn key_sets(text: &str) -> Result<BTreeMap<String, String>> {
    let policy: Value = serde_saphyr::from_str(text).context("the policy is not YAML")?;
    let issuers = policy["issuers"].as_object().into_iter().flatten();
    Ok(issuers
        .filter_map(|(issuer, settings)| {
            let name = settings["jwks_uri"]
                .as_str()?
                .strip_prefix("${jwks:")?
                .strip_suffix('}')?;
            Some((issuer.clone(), name.to_owned()))
        })
        .collect())
}

/// The text with its placeholders filled in, and with `envoy.clusters` for its issuers where it names none itself.
///
/// # Errors
/// A placeholder for a key set that has no place.
pub fn complete(text: &str, places: &BTreeMap<String, Place>) -> Result<String> {
    let sets = key_sets(text)?;
    let mut filled = template::fill(text, |inside| {
        Some(places.get(inside.strip_prefix("jwks:")?)?.url.clone())
    })?;
    let says_envoy = text.lines().any(|line| line.starts_with("envoy:"));
    if !says_envoy && !sets.is_empty() {
        filled.push_str("\nenvoy:\n  clusters:\n");
        for (issuer, set) in sets {
            let place = places
                .get(&set)
                .with_context(|| format!("the key set {set:?} has no place"))?;
            filled.push_str(&format!("    {issuer}: {}\n", place.cluster));
        }
    }
    Ok(filled)
}
