//! The policy: one YAML text, read once, strictly, into values that need no further checking.

mod address;
mod claim_rule;
mod code;
mod compile;
mod envoy;
mod error;
mod excerpt;
mod file;
mod forward;
mod issuer;
mod key_origin;
mod names;
mod number_pattern;
mod quantity;
mod read;
mod route;
mod scalar;
mod schema;
mod scope;
mod setting;

mod yaml;

use std::collections::BTreeMap;
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::deny::Challenges;
use crate::discovery::Discovery;
use crate::jwks::{KeySet, OnEmpty};
pub use crate::route::IssuerId;
pub(crate) use crate::route::RouteTable;
pub use crate::route::{
    Access, ClaimRule, ClaimTest, Mode, Requirements, Route, ScopeDemand, TokenForwarding,
};
use crate::verify::Algorithm;
pub use code::PROBLEM_CODES;
use error::Problems;
pub use error::{InvalidPolicy, Problem};
pub(crate) use quantity::parse_duration;
pub use schema::policy_schema;
use yaml::Node;

/// Everything that a policy text says, checked and ready for use.
#[derive(Clone, Debug)]
pub struct Policy {
    pub(crate) realm: String,
    /// The challenges of its realm (RFC 9110 section 11.5), which is printable ASCII without `"` and `\`.
    pub(crate) challenges: Challenges,
    /// The issuers, in the order of the text. An `IssuerId` is a place in here.
    pub(crate) issuers: Vec<Issuer>,
    /// The claims that the upstream gets as headers.
    pub(crate) forward: Vec<Forward>,
    /// Whether the upstream sees a validated `Authorization` header.
    pub(crate) token: TokenForwarding,
    /// What happens to a CORS preflight.
    pub(crate) preflight: Preflight,
    /// Whether refusals are carried out, where a route says nothing else.
    pub(crate) mode: Mode,
    /// The budget of the verified-token cache, in bytes; 0 switches it off.
    pub(crate) token_cache_bytes: usize,
    /// The routes.
    pub(crate) routes: RouteTable,
    /// What the Envoy filter alone reads.
    pub(crate) envoy: EnvoySettings,
    /// SHA-256 of the text: two policies are the same when their texts are.
    pub(crate) fingerprint: [u8; 32],
}

/// One issuer of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Its name in the policy.
    pub name: String,
    /// The `iss` of its tokens, compared byte for byte.
    pub issuer: String,
    /// The audiences of which a token must name one. Never empty.
    pub audiences: Vec<String>,
    /// Where its keys are.
    pub(crate) key_origin: KeyOrigin,
    /// The algorithms that its tokens may be signed with. Never empty.
    pub algorithms: Vec<Algorithm>,
    /// The kind of tokens it issues.
    pub token_type: TokenType,
    /// The claim that holds the audience; `aud` unless the policy says otherwise.
    pub audience_claim: String,
    /// The claims that may hold the scopes; the first one present counts. Never empty.
    pub scope_claims: Vec<String>,
    /// How far its clock may be off.
    pub clock_skew: Duration,
    /// How long its keys may be used.
    pub keys: Freshness,
}

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyOrigin {
    /// At this address: `jwks_uri`.
    Address(String),
    /// Where its metadata says.
    Metadata(Discovery),
    /// In a file of the host's: `jwks_file`.
    File(String),
    /// In the policy: `jwks`.
    Inline(KeySet),
}

/// How long fetched keys may be used, and how often they may be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Freshness {
    /// The age that keys may reach. They are asked for again before that, behind the requests.
    pub ttl: Duration,
    /// How much longer they serve when they cannot be had again.
    pub max_stale: Duration,
    /// The least time between two fetches after a failure, or for an unknown `kid`.
    pub cooldown: Duration,
    /// How long a fetch may take, and the requests that wait for it.
    pub timeout: Duration,
    /// What a fetched set without any usable key means.
    pub on_empty: OnEmpty,
}

/// The kind of tokens that an issuer issues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenType {
    /// Any signed JWT that is not marked as something else.
    #[default]
    Any,
    /// The access tokens of RFC 9068, with all that it requires.
    AtJwt,
}

/// What happens to a CORS preflight on a path where some route takes the requested method.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preflight {
    /// It passes without a token: browsers send none.
    #[default]
    Pass,
    /// It is decided like any other request.
    Refuse,
}

/// A claim that the upstream gets as a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// The name of a claim at the top of the token.
    pub claim: String,
    /// The header, in lower case.
    pub header: String,
}

/// What the Envoy filter alone reads; other hosts ignore it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EnvoySettings {
    /// By issuer name, the Envoy cluster that reaches its keys.
    pub clusters: BTreeMap<String, String>,
    /// Whether the token's subject may appear in access-log metadata.
    pub log_subject: bool,
}

impl Policy {
    /// Reads a policy text: YAML, or JSON as a part of YAML.
    ///
    /// # Errors
    ///
    /// Every problem that can be found, with its place and what to write instead. Of a text that is not YAML only what stands
    /// before the place where it stops being so; and fields that cannot be read are told before what is wrong with the others.
    pub fn parse(text: &str) -> Result<Self, InvalidPolicy> {
        Self::parse_with(text, |_| ()).map(|(policy, ())| policy)
    }

    /// The same, with a look at the tree of the text, for programs that ask where something stands in it.
    ///
    /// # Errors
    /// See [`Policy::parse`].
    pub fn parse_with<T>(
        text: &str,
        look: impl FnOnce(&Node) -> T,
    ) -> Result<(Self, T), InvalidPolicy> {
        // Some editors put a byte order mark first; YAML allows it (YAML 1.2.2 section 5.2).
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        let fingerprint = Sha256::digest(text.as_bytes()).into();
        let mut problems = Problems::of(body);
        let tree = yaml::tree(body, &mut problems);
        let seen = tree.as_ref().map(look);
        let policy = tree
            .and_then(|tree| yaml::file(tree, &mut problems))
            .and_then(|file| compile::policy(file, fingerprint, &mut problems));
        problems.into_result(policy.zip(seen))
    }

    /// The names of the issuers, in the order of the text.
    pub fn issuer_names(&self) -> impl Iterator<Item = &str> {
        self.issuers.iter().map(|issuer| issuer.name.as_str())
    }

    /// The ids of the issuers, in the order of the text.
    pub fn issuer_ids(&self) -> impl Iterator<Item = IssuerId> + use<> {
        (0..self.issuers.len()).map(IssuerId)
    }

    /// The name of an issuer; empty for the id of another policy.
    pub fn issuer_name(&self, id: IssuerId) -> &str {
        self.issuer(id).map_or("", |issuer| &issuer.name)
    }

    /// The names of the issuers whose keys come over HTTP.
    pub fn fetched_issuers(&self) -> impl Iterator<Item = &str> {
        let fetched = self
            .issuers
            .iter()
            .filter(|issuer| match issuer.key_origin {
                KeyOrigin::Address(_) | KeyOrigin::Metadata(_) => true,
                KeyOrigin::File(_) | KeyOrigin::Inline(_) => false,
            });
        fetched.map(|issuer| issuer.name.as_str())
    }

    /// The names of the issuers whose keys are in files of the host's, each with its path.
    pub fn key_files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.issuers
            .iter()
            .filter_map(|issuer| match &issuer.key_origin {
                KeyOrigin::File(path) => Some((issuer.name.as_str(), path.as_str())),
                KeyOrigin::Address(_) | KeyOrigin::Metadata(_) | KeyOrigin::Inline(_) => None,
            })
    }

    /// The Envoy cluster that reaches the keys of the issuer of that name.
    pub fn cluster(&self, issuer: &str) -> Option<&str> {
        self.envoy.clusters.get(issuer).map(String::as_str)
    }

    /// The issuer of that id, if it is one of this policy's.
    pub(crate) fn issuer(&self, id: IssuerId) -> Option<&Issuer> {
        self.issuers.get(id.0)
    }

    /// The issuer whose tokens say this in `iss`, compared byte for byte. No two are equal.
    pub(crate) fn issuer_of(&self, iss: &str) -> Option<IssuerId> {
        let place = self.issuers.iter().position(|known| known.issuer == iss)?;
        Some(IssuerId(place))
    }
}

#[cfg(test)]
mod tests;
