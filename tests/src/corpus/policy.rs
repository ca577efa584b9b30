//! The policy of a case, completed for one runner.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde_json::Value;

use super::key_set::KeySet;
use super::template;

/// Where a runner has what an issuer publishes.
#[derive(Clone, Debug)]
pub struct Place {
    /// The issuer itself, as `iss` names it.
    pub issuer: String,
    /// The `jwks_uri`.
    pub url: String,
    /// The `jwks_file`.
    pub file: String,
    /// The key set itself, for `jwks`.
    pub public: Vec<u8>,
    /// The Envoy cluster that leads there.
    pub cluster: String,
}

/// How a policy's issuer has its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// By `jwks_uri`.
    Url,
    /// By its metadata, for it has neither of the others.
    Metadata,
    /// By `jwks_file`.
    File,
}

/// The issuers of a policy whose keys are fetched: how, and the name of the key set.
///
/// # Errors
/// The text is not YAML. (Whether it is a policy, the core says.)
pub fn fetched(text: &str) -> Result<BTreeMap<String, (Source, String)>> {
    let policy: Value = serde_saphyr::from_str(text).context("the policy is not YAML")?;
    let issuers = policy["issuers"].as_object().into_iter().flatten();
    Ok(issuers
        .filter_map(|(issuer, settings)| {
            let (source, placeholder) = match settings {
                _ if settings.get("jwks").is_some() => return None,
                _ if settings.get("jwks_uri").is_some() => (Source::Url, "jwks_uri"),
                _ if settings.get("jwks_file").is_some() => (Source::File, "jwks_file"),
                _ => (Source::Metadata, "issuer"),
            };
            let name = placeholders(settings[placeholder].as_str()?).next()?;
            Some((issuer.clone(), (source, name.to_owned())))
        })
        .collect())
}

/// The key sets that a runner needs for this policy: those that it names, and those that metadata name, these or later ones.
///
/// # Errors
/// One that is not there.
pub(super) fn named<'a>(
    text: &'a str,
    keys: &'a BTreeMap<String, KeySet>,
    later: impl Iterator<Item = &'a KeySet>,
) -> Result<BTreeMap<String, KeySet>> {
    let mut found = BTreeMap::new();
    let mut wanted: BTreeSet<&str> = placeholders(text)
        .chain(later.flat_map(of_metadata))
        .collect();
    while let Some(name) = wanted.pop_first() {
        let set = keys
            .get(name)
            .with_context(|| format!("there is no key set {name:?}"))?;
        found.insert(name.to_owned(), set.clone());
        wanted.extend(of_metadata(set).filter(|name| !found.contains_key(*name)));
    }
    Ok(found)
}

/// The names in the metadata of a set.
fn of_metadata(set: &KeySet) -> impl Iterator<Item = &str> {
    let answers = set.metadata.iter().chain(&set.oauth_metadata);
    let texts = answers.flat_map(|answer| {
        let members = answer.members.iter().flatten();
        let texts = members.filter_map(|(_, value)| value.as_str());
        texts.chain(answer.body.as_deref())
    });
    texts.flat_map(placeholders)
}

/// The names in `${jwks:NAME}` and the like.
fn placeholders(text: &str) -> impl Iterator<Item = &str> {
    const KINDS: [&str; 4] = ["issuer", "jwks", "jwks-file", "public-jwks"];
    text.split("${").skip(1).filter_map(|rest| {
        let (kind, name) = rest.split_once('}')?.0.split_once(':')?;
        KINDS.contains(&kind).then_some(name)
    })
}

/// The text with its placeholders filled in, and with `envoy.clusters` for its issuers where it names none itself.
///
/// # Errors
/// A placeholder for a key set that has no place.
pub fn complete(text: &str, places: &BTreeMap<String, Place>) -> Result<String> {
    let fetched = fetched(text)?;
    let mut filled = template::fill(text, |inside| {
        let (kind, name) = inside.split_once(':')?;
        let place = places.get(name)?;
        match kind {
            "issuer" => Some(place.issuer.clone()),
            "jwks" => Some(place.url.clone()),
            "jwks-file" => Some(place.file.clone()),
            "public-jwks" => String::from_utf8(place.public.clone()).ok(),
            _ => None,
        }
    })?;
    let says_envoy = text.lines().any(|line| line.starts_with("envoy:"));
    let by_network = fetched
        .into_iter()
        .filter(|(_, (source, _))| *source != Source::File);
    let mut clusters = String::new();
    for (issuer, (_, set)) in by_network {
        let place = places
            .get(&set)
            .with_context(|| format!("the key set {set:?} has no place"))?;
        clusters.push_str(&format!("    {issuer}: {}\n", place.cluster));
    }
    if !says_envoy && !clusters.is_empty() {
        filled.push_str("\nenvoy:\n  clusters:\n");
        filled.push_str(&clusters);
    }
    Ok(filled)
}
