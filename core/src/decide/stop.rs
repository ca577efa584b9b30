//! Why a request is not allowed, and what becomes of it then.

use std::time::Duration;

use crate::credential::InvalidCredential;
use crate::decision::{Allow, Decision, Deny, Facts, NeedKeys};
use crate::identity::{IdentityHeaders, identity_fields};
use crate::keys::{KeyRequest, Missing};
use crate::policy::Policy;
use crate::reason::Reason;
use crate::request::Request;
use crate::token::MalformedToken;

/// Why a request is not allowed yet, or at all.
pub(crate) enum Stop<'p> {
    Refuse(Reason),
    MissingScopes(Vec<&'p str>),
    Unavailable {
        reason: Reason,
        retry_after: Duration,
    },
    NeedKeys(KeyRequest),
}

impl<'p> Stop<'p> {
    /// The reason, as logs have it; none where keys are missing that may still come.
    pub(crate) fn reason(&self) -> Option<Reason> {
        match self {
            Self::Refuse(reason) | Self::Unavailable { reason, .. } => Some(*reason),
            Self::MissingScopes(_) => Some(Reason::ScopeMissing),
            Self::NeedKeys(_) => None,
        }
    }

    pub(super) fn refuse<'r>(self, facts: Facts<'p>) -> Decision<'p, 'r> {
        match self {
            Self::Refuse(reason) => Decision::Deny(Deny::because(reason, facts)),
            Self::MissingScopes(scopes) => Decision::Deny(Deny {
                scopes,
                ..Deny::because(Reason::ScopeMissing, facts)
            }),
            Self::Unavailable {
                reason,
                retry_after,
            } => Decision::Deny(Deny {
                retry_after,
                ..Deny::because(reason, facts)
            }),
            Self::NeedKeys(keys) => Decision::NeedKeys(NeedKeys { keys, facts }),
        }
    }

    /// Shadow mode never refuses and never waits; but what a client says of itself is never believed.
    pub(super) fn shadow<'r>(
        self,
        policy: &Policy,
        request: &Request<'r>,
        facts: Facts<'p>,
    ) -> Allow<'p, 'r> {
        let (reason, fetch) = match self {
            Self::Refuse(reason) => (reason, None),
            Self::MissingScopes(_) => (Reason::ScopeMissing, None),
            Self::Unavailable { reason, .. } => (reason, None),
            Self::NeedKeys(wanted) => (Reason::KeysUnavailable, Some(wanted)),
        };
        Allow {
            set: IdentityHeaders::default(),
            strip: identity_fields(policy, request.names()),
            shadowed: Some(reason),
            fetch,
            facts,
        }
    }
}

impl From<Reason> for Stop<'_> {
    fn from(reason: Reason) -> Self {
        Self::Refuse(reason)
    }
}

impl From<Missing> for Stop<'_> {
    fn from(missing: Missing) -> Self {
        match missing {
            Missing::Fetch(request) => Self::NeedKeys(request),
            Missing::Unavailable {
                reason,
                retry_after,
            } => Self::Unavailable {
                reason,
                retry_after,
            },
        }
    }
}

impl From<InvalidCredential> for Stop<'_> {
    fn from(invalid: InvalidCredential) -> Self {
        match invalid {
            InvalidCredential::Credential(reason) => reason.into(),
            InvalidCredential::Token(malformed) => malformed.into(),
        }
    }
}

impl From<MalformedToken> for Stop<'_> {
    fn from(malformed: MalformedToken) -> Self {
        Self::Refuse(match malformed {
            MalformedToken::TooLarge => Reason::TokenTooLarge,
            MalformedToken::AlgorithmRefused => Reason::AlgorithmRefused,
            MalformedToken::CriticalHeader => Reason::CriticalHeader,
            MalformedToken::ProofOfPossession => Reason::ProofOfPossession,
            MalformedToken::ClaimMissing { .. } | MalformedToken::ClaimMalformed { .. } => {
                Reason::ClaimMalformed
            }
            MalformedToken::NotThreeParts
            | MalformedToken::EmptyPart(_)
            | MalformedToken::InvalidBase64Url(_)
            | MalformedToken::InvalidJson(..)
            | MalformedToken::AlgorithmMissing
            | MalformedToken::InvalidHeaderMember { .. } => Reason::TokenMalformed,
        })
    }
}
