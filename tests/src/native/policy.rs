//! A policy file as far as a translation must know it. Whether it is a good one, the core says.
//!
//! Every field is named and unknown ones are refused: a field that nobody translates must not vanish in silence.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Policy {
    #[serde(rename = "version")]
    _version: u32,
    /// Native realms are the request's own URL.
    #[serde(rename = "realm")]
    _realm: String,
    #[serde(default)]
    pub(super) issuers: BTreeMap<String, Issuer>,
    #[serde(default)]
    pub(super) forward: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) token: Token,
    #[serde(default)]
    pub(super) preflight: Preflight,
    #[serde(default)]
    pub(super) mode: Mode,
    /// A cache changes no answer.
    #[serde(rename = "token_cache")]
    _token_cache: Option<String>,
    #[serde(rename = "envoy")]
    _envoy: Option<Value>,
    pub(super) routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Issuer {
    pub(super) issuer: String,
    pub(super) audiences: Vec<String>,
    /// Where keys are fetched, its place says.
    #[serde(rename = "jwks_uri")]
    _jwks_uri: Option<String>,
    pub(super) jwks: Option<Value>,
    pub(super) jwks_file: Option<String>,
    #[serde(rename = "danger_http_jwks")]
    _danger_http_jwks: Option<bool>,
    #[serde(default = "usual_algorithms")]
    pub(super) algorithms: Vec<String>,
    #[serde(default)]
    pub(super) token_type: TokenType,
    #[serde(default = "aud")]
    pub(super) audience_claim: String,
    #[serde(default = "usual_scope_claims")]
    pub(super) scope_claims: Vec<String>,
    clock_skew: Option<String>,
    #[serde(default)]
    pub(super) keys: Keys,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Keys {
    ttl: Option<String>,
    /// Native keys have one time: expired keys are none.
    #[serde(rename = "max_stale")]
    _max_stale: Option<String>,
    cooldown: Option<String>,
    timeout: Option<String>,
    /// A native filter takes over whatever parses, a set without keys too.
    #[serde(rename = "on_empty")]
    _on_empty: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
pub(super) enum TokenType {
    #[default]
    #[serde(rename = "any")]
    Any,
    #[serde(rename = "at+jwt")]
    AccessToken,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Token {
    #[default]
    Keep,
    Strip,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Preflight {
    #[default]
    Pass,
    Refuse,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    #[default]
    Enforce,
    Shadow,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Route {
    pub(super) path: String,
    #[serde(default)]
    pub(super) methods: Vec<String>,
    #[serde(default)]
    pub(super) public: bool,
    #[serde(default, rename = "authenticated")]
    _authenticated: bool,
    pub(super) scopes: Option<Scopes>,
    #[serde(default)]
    pub(super) issuers: Vec<String>,
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    #[serde(default)]
    pub(super) claims: Vec<Claim>,
    pub(super) mode: Option<Mode>,
    pub(super) token: Option<Token>,
    /// Native path options are the listener's, not a route's.
    #[serde(default, rename = "allow_in_path")]
    _allow_in_path: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Scopes {
    All(Vec<String>),
    Any { any: Vec<String> },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Claim {
    pub(super) claim: ClaimPath,
    pub(super) equals: Option<Value>,
    pub(super) one_of: Option<Vec<Value>>,
    pub(super) contains: Option<Value>,
    pub(super) exists: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum ClaimPath {
    Name(String),
    Path(Vec<String>),
}

impl Policy {
    pub(super) fn parse(text: &str) -> Result<Self> {
        serde_saphyr::from_str(text).context("a policy that has no translation yet")
    }

    /// The issuers whose tokens that route takes, with their names.
    pub(super) fn issuers_of<'a>(&'a self, route: &'a Route) -> Vec<(&'a String, &'a Issuer)> {
        let takes = |name: &String| route.issuers.is_empty() || route.issuers.contains(name);
        self.issuers
            .iter()
            .filter(|(name, _)| takes(name))
            .collect()
    }
}

impl Issuer {
    /// The leeway in seconds. Zero means 60 to the native filter, so that one second is the least it can be told.
    pub(super) fn clock_skew(&self) -> Result<u64> {
        let milliseconds = milliseconds(self.clock_skew.as_deref().unwrap_or("30s"))?;
        Ok((milliseconds / 1000).max(1))
    }
}

impl Keys {
    pub(super) fn ttl(&self) -> Result<String> {
        duration(self.ttl.as_deref().unwrap_or("10m"))
    }

    pub(super) fn cooldown(&self) -> Result<String> {
        duration(self.cooldown.as_deref().unwrap_or("30s"))
    }

    pub(super) fn timeout(&self) -> Result<String> {
        duration(self.timeout.as_deref().unwrap_or("5s"))
    }
}

impl ClaimPath {
    pub(super) fn segments(&self) -> Vec<&str> {
        match self {
            Self::Name(name) => vec![name],
            Self::Path(path) => path.iter().map(String::as_str).collect(),
        }
    }
}

fn usual_algorithms() -> Vec<String> {
    ["RS256", "PS256", "ES256", "EdDSA"]
        .map(str::to_owned)
        .into()
}

fn usual_scope_claims() -> Vec<String> {
    ["scope", "scp"].map(str::to_owned).into()
}

fn aud() -> String {
    "aud".to_owned()
}

/// A duration of the policy as protobuf's JSON writes it.
fn duration(text: &str) -> Result<String> {
    let milliseconds = milliseconds(text)?;
    Ok(format!(
        "{}.{:03}s",
        milliseconds / 1000,
        milliseconds % 1000
    ))
}

fn milliseconds(text: &str) -> Result<u64> {
    for (unit, factor) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] {
        if let Some(Ok(number)) = text.strip_suffix(unit).map(str::parse::<u64>) {
            return Ok(number * factor);
        }
    }
    bail!("{text:?} is no duration of a policy")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_protobuf_does() {
        for (text, seconds) in [("500ms", "0.500s"), ("30s", "30.000s"), ("10m", "600.000s")] {
            assert_eq!(duration(text).unwrap(), seconds);
        }
        assert!(duration("soon").is_err());
    }

    #[test]
    fn a_field_that_nobody_translates_is_an_error() {
        let policy = "{ version: 1, realm: r, routes: [], moon: full }";
        assert!(Policy::parse(policy).is_err());
    }
}
