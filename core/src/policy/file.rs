//! The shape of the policy file: field by field what stands in the text, unchecked.
//!
//! Every field is optional here. What is required is said by the code that knows why.

use serde::Deserialize;
use serde_saphyr::Spanned;

use super::scalar::{ClaimPath, Entries, Scalar, Scopes, filled, given};

/// A list, with its own place and that of each element.
pub(super) type List<T> = Option<Spanned<Vec<Spanned<T>>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PolicyFile {
    #[serde(default, deserialize_with = "given")]
    pub(super) version: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) realm: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) issuers: Entries<Spanned<IssuerFile>>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) forward: Entries<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) token: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) preflight: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) mode: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) token_cache: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) routes: Option<Vec<Spanned<RouteFile>>>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) envoy: EnvoyFile,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IssuerFile {
    #[serde(default, deserialize_with = "given")]
    pub(super) issuer: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) audiences: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) jwks_uri: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) jwks: Option<Spanned<serde_json::Value>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) jwks_file: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) algorithms: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) token_type: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) audience_claim: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) scope_claims: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) clock_skew: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) keys: KeysFile,
    #[serde(default, deserialize_with = "given")]
    pub(super) danger_http_jwks: Option<Spanned<Scalar>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysFile {
    #[serde(default, deserialize_with = "given")]
    pub(super) ttl: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) max_stale: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) cooldown: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) timeout: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) on_empty: Option<Spanned<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RouteFile {
    #[serde(default, deserialize_with = "given")]
    pub(super) path: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) methods: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) public: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) authenticated: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) scopes: Option<Spanned<Scopes>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) issuers: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) audiences: List<String>,
    #[serde(default, deserialize_with = "given")]
    pub(super) claims: List<ClaimRuleFile>,
    #[serde(default, deserialize_with = "given")]
    pub(super) mode: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) token: Option<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) allow_in_path: List<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClaimRuleFile {
    #[serde(default, deserialize_with = "given")]
    pub(super) claim: Option<Spanned<ClaimPath>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) equals: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) one_of: List<Scalar>,
    #[serde(default, deserialize_with = "given")]
    pub(super) contains: Option<Spanned<Scalar>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) exists: Option<Spanned<Scalar>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvoyFile {
    #[serde(default, deserialize_with = "filled")]
    pub(super) clusters: Entries<Spanned<String>>,
    #[serde(default, deserialize_with = "given")]
    pub(super) log_subject: Option<Spanned<Scalar>>,
}
