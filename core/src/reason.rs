//! Why a request is refused: every reason, and its stable code.

/// Why a request is refused. The code is for logs, metrics and access logs; a client never sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// No `Authorization`, an empty one, or another scheme than Bearer.
    CredentialMissing,
    /// More than one credential.
    CredentialAmbiguous,
    /// `Bearer` without a token, or with characters outside token68.
    CredentialMalformed,
    /// A token over the budget.
    TokenTooLarge,
    /// Not three parts of canonical base64url that hold one strict JSON object each.
    TokenMalformed,
    /// An `alg` that is unknown, or that this issuer does not use.
    AlgorithmRefused,
    /// A `crit` header (RFC 7515 section 4.1.11): there is no extension that we understand.
    CriticalHeader,
    /// A `typ` that is not an access token's.
    TypeRefused,
    /// A registered claim that is missing or of the wrong type.
    ClaimMalformed,
    /// A sender-constrained token (`cnf`, RFC 7800) whose constraint we cannot check.
    ProofOfPossession,
    /// An `iss` that the policy does not name.
    IssuerUnknown,
    /// An issuer that this route does not take.
    IssuerRefused,
    /// `exp` has passed.
    TokenExpired,
    /// `nbf` has not come.
    TokenNotYetValid,
    /// None of the audiences that are wanted is in the token.
    AudienceMismatch,
    /// The issuer's key set has no key of that `kid`, or none that fits a token without one.
    KidUnknown,
    /// The key of that `kid` does not serve this algorithm, or is one that we refuse to use.
    KeyUnusable,
    /// More than one key fits.
    KeyAmbiguous,
    /// The signature is not the key's.
    SignatureInvalid,
    /// The issuer's keys cannot be had.
    KeysUnavailable,
    /// The set has no key of that `kid`, and the token was issued after it was fetched: the issuer may have changed its keys since.
    KidAwaited,
    /// A verified token without the scope that the route wants.
    ScopeMissing,
    /// A verified token that a claim rule of the route refuses.
    ClaimRefused,
    /// A verified token with a claim that cannot be the value of its header.
    ClaimUnforwardable,
    /// No route for this path.
    RouteUnmatched,
    /// A path that routes know, but none of them for this method.
    MethodUnmatched,
    /// No `:path`.
    PathMissing,
    /// CONNECT.
    ConnectRefused,
    /// A path that two readers may read in two ways.
    PathAmbiguous,
    /// The host could not do its part, or has no policy: nothing was decided, and nothing may pass.
    HostFailure,
}

impl Reason {
    /// Every reason, in the order of the documentation.
    pub const ALL: [Self; 30] = [
        Self::CredentialMissing,
        Self::CredentialAmbiguous,
        Self::CredentialMalformed,
        Self::TokenTooLarge,
        Self::TokenMalformed,
        Self::AlgorithmRefused,
        Self::CriticalHeader,
        Self::TypeRefused,
        Self::ClaimMalformed,
        Self::ProofOfPossession,
        Self::IssuerUnknown,
        Self::IssuerRefused,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::AudienceMismatch,
        Self::KidUnknown,
        Self::KeyUnusable,
        Self::KeyAmbiguous,
        Self::SignatureInvalid,
        Self::KeysUnavailable,
        Self::KidAwaited,
        Self::ScopeMissing,
        Self::ClaimRefused,
        Self::ClaimUnforwardable,
        Self::RouteUnmatched,
        Self::MethodUnmatched,
        Self::PathMissing,
        Self::ConnectRefused,
        Self::PathAmbiguous,
        Self::HostFailure,
    ];

    /// The stable code of logs, metrics and access logs.
    pub const fn code(self) -> &'static str {
        match self {
            Self::CredentialMissing => "credential_missing",
            Self::CredentialAmbiguous => "credential_ambiguous",
            Self::CredentialMalformed => "credential_malformed",
            Self::TokenTooLarge => "token_too_large",
            Self::TokenMalformed => "token_malformed",
            Self::AlgorithmRefused => "algorithm_refused",
            Self::CriticalHeader => "critical_header",
            Self::TypeRefused => "type_refused",
            Self::ClaimMalformed => "claim_malformed",
            Self::ProofOfPossession => "proof_of_possession",
            Self::IssuerUnknown => "issuer_unknown",
            Self::IssuerRefused => "issuer_refused",
            Self::TokenExpired => "token_expired",
            Self::TokenNotYetValid => "token_not_yet_valid",
            Self::AudienceMismatch => "audience_mismatch",
            Self::KidUnknown => "kid_unknown",
            Self::KeyUnusable => "key_unusable",
            Self::KeyAmbiguous => "key_ambiguous",
            Self::SignatureInvalid => "signature_invalid",
            Self::KeysUnavailable => "keys_unavailable",
            Self::KidAwaited => "kid_awaited",
            Self::ScopeMissing => "scope_missing",
            Self::ClaimRefused => "claim_refused",
            Self::ClaimUnforwardable => "claim_unforwardable",
            Self::RouteUnmatched => "route_unmatched",
            Self::MethodUnmatched => "method_unmatched",
            Self::PathMissing => "path_missing",
            Self::ConnectRefused => "connect_refused",
            Self::PathAmbiguous => "path_ambiguous",
            Self::HostFailure => "host_failure",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn codes_are_unique_and_all_reasons_are_listed() {
        let codes: BTreeSet<_> = Reason::ALL.into_iter().map(Reason::code).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        assert!(Reason::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        let last = Reason::HostFailure;
        assert_eq!(Reason::ALL.last(), Some(&last));
        assert_eq!(Reason::ALL.len(), last as usize + 1, "none is left out");
    }
}
