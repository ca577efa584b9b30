//! Routes: what a path and a method require, and how the one route is found that decides.

mod pattern;
mod table;
mod tree;

use std::fmt;

use serde_json::Value;

use crate::path::AllowInPath;

pub use pattern::{InvalidPattern, Pattern, PatternSegment};
pub use table::folded;
pub(crate) use table::{AlreadyRouted, Match, RouteTable};

/// One route of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    /// The pattern, as the policy writes it.
    pub path: String,
    /// The methods it takes; empty means any that no other route of the same pattern names.
    pub methods: Vec<String>,
    /// Who may pass.
    pub access: Access,
    /// Its own mode, instead of the policy's.
    pub mode: Option<Mode>,
    /// Its own token forwarding, instead of the policy's.
    pub token: Option<TokenForwarding>,
    /// What the segments that fill its parameters may hold.
    pub allow_in_path: AllowInPath,
}

/// Who may pass a route.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// Everyone, without a token.
    Public,
    /// Whoever has a verified token that meets the requirements.
    Protected(Requirements),
}

/// What a verified token must show.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirements {
    /// The scopes it must hold.
    pub scopes: ScopeDemand,
    /// The issuers it may come from; absent means every issuer of the policy.
    pub issuers: Option<Vec<IssuerId>>,
    /// The audiences of which it must name one; absent means those of its issuer.
    pub audiences: Option<Vec<String>>,
    /// The rules that must all hold.
    pub claims: Vec<ClaimRule>,
}

/// The scopes that a token must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeDemand {
    /// No particular scope: the route says `authenticated: true`.
    None,
    /// Every one of these. Never empty.
    All(Vec<String>),
    /// At least one of these. Never empty.
    Any(Vec<String>),
}

/// One rule about one claim.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimRule {
    /// The way to the claim, name by name; one name for a claim at the top. Never empty.
    pub claim: Vec<String>,
    /// What must hold there.
    pub test: ClaimTest,
}

/// What must hold for a claim. The values are JSON strings, numbers or booleans, compared with their type.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// The claim is this value.
    Equals(Value),
    /// The claim is one of these values. Never empty.
    OneOf(Vec<Value>),
    /// The claim is an array, and one of its elements is this value. False on a string.
    Contains(Value),
    /// The claim is there (`true`), or is not (`false`).
    Exists(bool),
}

/// An issuer of the policy: its place in `Policy::issuers`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IssuerId(pub(crate) usize);

/// Whether refusals are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    #[default]
    Enforce,
    /// They are counted, and the request passes.
    Shadow,
}

/// Whether the upstream sees the `Authorization` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenForwarding {
    /// It does, once validated.
    #[default]
    Keep,
    /// It does not.
    Strip,
}

impl fmt::Display for ClaimRule {
    /// The rule in words. Its values are the policy's, as JSON, so that the text `"1"` is told from the number `1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claim = self.claim.join(" → ");
        match &self.test {
            ClaimTest::Equals(value) => write!(f, "{claim} is {value}"),
            ClaimTest::OneOf(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "{claim} is one of {}", values.join(", "))
            }
            ClaimTest::Contains(value) => write!(f, "{claim} contains {value}"),
            ClaimTest::Exists(true) => write!(f, "{claim} is there"),
            ClaimTest::Exists(false) => write!(f, "{claim} is not there"),
        }
    }
}
