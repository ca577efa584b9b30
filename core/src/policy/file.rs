//! The shape of the policy file: field by field what stands in the text, unchecked.

use super::read::{Entries, shape};
use super::scalar::{ClaimPath, Scalar, Scopes};
use super::yaml::Spanned;

/// The items of a list, each with its place.
type Items<T> = Vec<Spanned<T>>;

shape! {
    PolicyFile {
        version: Scalar,
        realm: String,
        issuers: Entries<IssuerFile>,
        forward: Entries<String>,
        token: String,
        preflight: String,
        mode: String,
        token_cache: Scalar,
        routes: Items<RouteFile>,
        envoy: EnvoyFile,
    }
}

shape! {
    IssuerFile {
        issuer: String,
        audiences: Items<String>,
        jwks_uri: String,
        jwks: serde_json::Value,
        jwks_file: String,
        algorithms: Items<String>,
        token_type: String,
        audience_claim: String,
        scope_claims: Items<String>,
        clock_skew: Scalar,
        keys: KeysFile,
        danger_http_jwks: Scalar,
    }
}

shape! {
    KeysFile {
        ttl: Scalar,
        max_stale: Scalar,
        cooldown: Scalar,
        timeout: Scalar,
        on_empty: String,
    }
}

shape! {
    RouteFile {
        path: String,
        methods: Items<String>,
        public: Scalar,
        authenticated: Scalar,
        scopes: Scopes,
        issuers: Items<String>,
        audiences: Items<String>,
        claims: Items<ClaimRuleFile>,
        mode: String,
        token: String,
        allow_in_path: Items<String>,
    }
}

shape! {
    ClaimRuleFile {
        claim: ClaimPath,
        equals: Scalar,
        one_of: Items<Scalar>,
        contains: Scalar,
        exists: Scalar,
    }
}

shape! {
    EnvoyFile {
        clusters: Entries<String>,
        log_subject: Scalar,
    }
}
