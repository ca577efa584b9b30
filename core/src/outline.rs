//! What a policy says, to be read by programs that explain, compare or draw it. Nothing here decides about a request, but for
//! [`Policy::route_for`], which asks what [`decide`](crate::decide) asks.

pub use crate::jwks::OnEmpty;
use crate::path::CanonicalPath;
pub use crate::path::{AllowInPath, AmbiguousPath, usual_spelling};
pub use crate::policy::{
    Access, ClaimRule, ClaimTest, EnvoySettings, Forward, Freshness, Issuer, Mode, Preflight,
    Requirements, Route, ScopeDemand, TokenForwarding, TokenType,
};
use crate::policy::{KeyOrigin, Policy};
use crate::route::Match;
pub use crate::route::{InvalidPattern, Pattern, PatternSegment, folded};

/// Where the keys of an issuer come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySource<'p> {
    /// From this address: `jwks_uri`.
    Address(&'p str),
    /// From where its metadata says.
    Metadata {
        /// Where OpenID Connect Discovery 1.0 section 4.1 puts the metadata.
        openid: &'p str,
        /// Where RFC 8414 section 3.1 puts it.
        oauth: &'p str,
    },
    /// From this file of the host's: `jwks_file`.
    File(&'p str),
    /// They stand in the policy: `jwks`.
    Inline {
        /// How many usable ones.
        keys: usize,
    },
}

/// What the routes say about a path and a method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Routed<'p> {
    /// This route decides; its place in [`Policy::routes`].
    Route(usize, &'p Route),
    /// No pattern matches the path.
    NoPath,
    /// This pattern matches, and has no route for the method.
    NoMethod {
        /// The pattern, as the policy writes it.
        pattern: &'p str,
    },
    /// Two readers may read the path in two ways.
    Ambiguous {
        /// The pattern that it falls under, as the policy writes it, where the path is canonical and falls under one.
        pattern: Option<&'p str>,
    },
}

impl Policy {
    /// The realm of its challenges (RFC 9110 section 11.5).
    pub fn realm(&self) -> &str {
        &self.realm
    }

    /// The issuers, in the order of the text.
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    /// The claims that the upstream gets as headers, in the order of the text.
    pub fn forward(&self) -> &[Forward] {
        &self.forward
    }

    /// Whether the upstream sees a validated `Authorization` header, where a route says nothing else.
    pub fn token(&self) -> TokenForwarding {
        self.token
    }

    /// What happens to a CORS preflight.
    pub fn preflight(&self) -> Preflight {
        self.preflight
    }

    /// Whether refusals are carried out, where a route says nothing else.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The budget of the verified-token cache, in bytes; 0 switches it off.
    pub fn token_cache_bytes(&self) -> usize {
        self.token_cache_bytes
    }

    /// What the Envoy filter alone reads.
    pub fn envoy(&self) -> &EnvoySettings {
        &self.envoy
    }

    /// The routes, in the order of the text.
    pub fn routes(&self) -> &[Route] {
        self.routes.all()
    }

    /// What the routes say about a method and a whole `:path`, with its query.
    pub fn route_for(&self, method: &[u8], path: &[u8]) -> Routed<'_> {
        let Ok(path) = CanonicalPath::parse(path) else {
            return Routed::Ambiguous { pattern: None };
        };
        match self.routes.find(&path, method) {
            Match::Route(route) => {
                let place = self.routes.place_of(route).unwrap_or_default();
                Routed::Route(place, route)
            }
            Match::NoPath => Routed::NoPath,
            Match::NoMethod { pattern } => Routed::NoMethod { pattern },
            Match::AmbiguousPath { pattern } => Routed::Ambiguous { pattern },
        }
    }
}

impl Issuer {
    /// Where its keys come from.
    pub fn key_source(&self) -> KeySource<'_> {
        match &self.key_origin {
            KeyOrigin::Address(url) => KeySource::Address(url),
            KeyOrigin::Metadata(discovery) => KeySource::Metadata {
                openid: &discovery.openid,
                oauth: &discovery.oauth,
            },
            KeyOrigin::File(path) => KeySource::File(path),
            KeyOrigin::Inline(keys) => KeySource::Inline { keys: keys.len() },
        }
    }

    /// Whether the keys of both are the same ones: those of the same address, of the same metadata, or the same in the policy.
    pub fn has_keys_of(&self, other: &Self) -> bool {
        self.key_origin == other.key_origin
    }
}
