//! The one table from what is wrong with a policy to its stable code.

use super::address::InvalidUrl;
use super::claim_rule::InvalidClaimRule;
use super::error::ProblemKind;
use super::forward::InvalidForward;
use super::issuer::InvalidIssuer;
use super::key_origin::InvalidKeyOrigin;
use super::names::UnknownIssuer;
use super::quantity::InvalidQuantity;
use super::route::InvalidRoute;
use super::setting::InvalidSetting;
use super::yaml::Unreadable;

macro_rules! codes {
    ($($kind:pat => $code:literal,)*) => {
        /// Every code of a problem, in the order of the table.
        pub const PROBLEM_CODES: &[&str] = &[$($code),*];

        impl ProblemKind {
            pub(super) const fn code(&self) -> &'static str {
                match self {
                    $($kind => $code,)*
                }
            }
        }
    };
}

codes! {
    Self::Unreadable(Unreadable::TooLarge) => "policy-too-large",
    Self::Unreadable(Unreadable::Empty) => "policy-empty",
    Self::Unreadable(Unreadable::LoneCarriageReturn) => "lone-carriage-return",
    Self::Unreadable(Unreadable::UnknownField { .. }) => "unknown-field",
    Self::Unreadable(Unreadable::DuplicateKey { .. }) => "duplicate-key",
    Self::Unreadable(Unreadable::NotText) => "not-a-text",
    Self::Unreadable(Unreadable::DisputedNumber) => "disputed-number",
    Self::Unreadable(Unreadable::Blank) => "blank",
    Self::Unreadable(Unreadable::WrongType { .. }) => "wrong-type",
    Self::Unreadable(Unreadable::ManyDocuments) => "many-documents",
    Self::Unreadable(Unreadable::Reference) => "yaml-reference",
    Self::Unreadable(Unreadable::Tag) => "yaml-tag",
    Self::Unreadable(Unreadable::TooComplex) => "too-complex",
    Self::Unreadable(Unreadable::Syntax { .. }) => "not-yaml",
    Self::Setting(InvalidSetting::MissingVersion) => "version-missing",
    Self::Setting(InvalidSetting::UnknownVersion) => "version-unknown",
    Self::Setting(InvalidSetting::MissingRealm) => "realm-missing",
    Self::Setting(InvalidSetting::EmptyRealm) => "realm-empty",
    Self::Setting(InvalidSetting::LongRealm { .. }) => "realm-too-long",
    Self::Setting(InvalidSetting::RealmCharacter(_)) => "realm-character",
    Self::Setting(InvalidSetting::MissingRoutes) => "routes-missing",
    Self::Setting(InvalidSetting::MissingIssuers) => "issuers-missing",
    Self::Setting(InvalidSetting::UnknownWord { .. }) => "unknown-word",
    Self::Setting(InvalidSetting::NotTruth) => "not-true-or-false",
    Self::Setting(InvalidSetting::EmptyList { .. }) => "empty-list",
    Self::Setting(InvalidSetting::EmptyText { .. }) => "empty-text",
    Self::Quantity(InvalidQuantity::Duration { .. }) => "not-a-duration",
    Self::Quantity(InvalidQuantity::OutOfBounds { .. }) => "duration-out-of-bounds",
    Self::Quantity(InvalidQuantity::Size) => "not-a-size",
    Self::Quantity(InvalidQuantity::TooLarge) => "size-too-large",
    Self::Issuer(InvalidIssuer::Name) => "issuer-name",
    Self::Issuer(InvalidIssuer::MissingIssuer) => "issuer-missing",
    Self::Issuer(InvalidIssuer::MissingAudiences) => "audiences-missing",
    Self::Issuer(InvalidIssuer::Same { .. }) => "issuer-twice",
    Self::Issuer(InvalidIssuer::NoneAlgorithm) => "algorithm-none",
    Self::Issuer(InvalidIssuer::SharedSecretAlgorithm) => "algorithm-shared-secret",
    Self::Issuer(InvalidIssuer::UnknownAlgorithm) => "algorithm-unknown",
    Self::KeyOrigin(InvalidKeyOrigin::Second) => "keys-in-two-places",
    Self::KeyOrigin(InvalidKeyOrigin::KeySet(_)) => "jwks-invalid",
    Self::KeyOrigin(InvalidKeyOrigin::Key(_)) => "jwk-invalid",
    Self::KeyOrigin(InvalidKeyOrigin::NeverFetched) => "keys-never-fetched",
    Self::KeyOrigin(InvalidKeyOrigin::Undiscoverable(_)) => "keys-undiscoverable",
    Self::Url(InvalidUrl::Issuer) => "issuer-not-an-iss",
    Self::Url(InvalidUrl::Keys(_)) => "key-url-invalid",
    Self::Forward(InvalidForward::NotAHeader) => "forward-not-a-header",
    Self::Forward(InvalidForward::Pseudo) => "forward-pseudo-header",
    Self::Forward(InvalidForward::HopByHop) => "forward-hop-by-hop",
    Self::Forward(InvalidForward::OfTheRequest) => "forward-of-the-request",
    Self::Forward(InvalidForward::OfProxies) => "forward-of-proxies",
    Self::Forward(InvalidForward::Twice { .. }) => "forward-twice",
    Self::Route(InvalidRoute::MissingPath) => "path-missing",
    Self::Route(InvalidRoute::Pattern(_)) => "path-invalid",
    Self::Route(InvalidRoute::NotOneAccess { .. }) => "not-one-access",
    Self::Route(InvalidRoute::NotTrue { .. }) => "access-false",
    Self::Route(InvalidRoute::PublicWith { .. }) => "public-with-demands",
    Self::Route(InvalidRoute::NotScopes) => "scopes-not-a-list",
    Self::Route(InvalidRoute::NoScopes) => "scopes-empty",
    Self::Route(InvalidRoute::WildcardScope) => "scope-wildcard",
    Self::Route(InvalidRoute::NotAScope) => "scope-invalid",
    Self::Route(InvalidRoute::NotAMethod) => "method-invalid",
    Self::Route(InvalidRoute::Connect) => "method-connect",
    Self::Route(InvalidRoute::MethodTwice) => "method-twice",
    Self::Route(InvalidRoute::NoParameters) => "allow-in-path-without-parameters",
    Self::Route(InvalidRoute::EnforceInShadow) => "enforce-in-shadow",
    Self::Route(InvalidRoute::Taken { .. }) => "route-twice",
    Self::ClaimRule(InvalidClaimRule::MissingClaim) => "claim-missing",
    Self::ClaimRule(InvalidClaimRule::EmptyPath) => "claim-path-empty",
    Self::ClaimRule(InvalidClaimRule::EmptyName) => "claim-name-empty",
    Self::ClaimRule(InvalidClaimRule::NotOneTest { .. }) => "claim-not-one-test",
    Self::ClaimRule(InvalidClaimRule::NoValue) => "claim-without-value",
    Self::ClaimRule(InvalidClaimRule::NotAJsonNumber) => "claim-number",
    Self::UnknownIssuer(UnknownIssuer { .. }) => "issuer-unknown",
}
