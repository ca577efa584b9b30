//! The steps of an explanation.

use crate::reason::Reason;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub check: Check,
    /// What came of it.
    pub outcome: StepOutcome,
    /// What the policy wants, if it wants anything in particular.
    pub wanted: Vec<String>,
    /// What the request has.
    pub found: Vec<String>,
}

/// What came of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// As it should be.
    Holds,
    /// The request is refused, for that reason.
    Refuses(Reason),
    /// It cannot be said without keys that are not at hand. What comes behind it is said as if it held.
    NeedsKeys,
}

/// What is looked at, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// The path in canonical form: its segments, decoded.
    Path,
    /// The route for path and method.
    Route,
    /// A CORS preflight, which passes without a token.
    Preflight,
    /// A public route.
    Public,
    /// One bearer credential.
    Credential,
    /// The form of the token: its parts, its header, its registered claims.
    Token,
    /// The issuer, by `iss`.
    Issuer,
    /// Whether the route takes that issuer's tokens.
    IssuerTaken,
    /// The algorithm, `alg`.
    Algorithm,
    /// The type, `typ`.
    Type,
    /// `exp`.
    Expiry,
    /// `nbf`.
    NotBefore,
    /// The audience.
    Audience,
    /// The key, by `kid`.
    Key,
    /// The signature.
    Signature,
    /// A claim rule.
    Claim,
    /// The scopes.
    Scopes,
    /// Whether the claims to forward can be header values.
    Identity,
}

impl Check {
    /// Its word, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Route => "route",
            Self::Preflight => "preflight",
            Self::Public => "public",
            Self::Credential => "credential",
            Self::Token => "token",
            Self::Issuer => "issuer",
            Self::IssuerTaken => "issuer-taken",
            Self::Algorithm => "algorithm",
            Self::Type => "type",
            Self::Expiry => "expiry",
            Self::NotBefore => "not-before",
            Self::Audience => "audience",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Claim => "claim",
            Self::Scopes => "scopes",
            Self::Identity => "identity",
        }
    }
}
