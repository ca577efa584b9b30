//! Envoy's own filters for the same policy, as lean as they can be written.
//!
//! `tests/src/native.rs` translates a policy as faithfully as the native filters allow, with a CEL condition and a filter that removes
//! forged headers. Here neither is: what is measured is the least that a user of `jwt_authn` and `rbac` would write for these
//! five routes.

use serde_json::{Value, json};

use crate::envoy::setup::{answer, listener};
use crate::issuer::Issuer;

const JWT_AUTHN: &str = "envoy.filters.http.jwt_authn";
const RBAC: &str = "envoy.filters.http.rbac";

/// The provider's name, and that of the metadata that hold a token's claims.
const PROVIDER: &str = "auth0";

/// `jwt_authn` alone: any good token will do, on every path. With a number, that many are kept once verified.
pub(crate) fn jwt_authn(issuer: &Issuer, cached: Option<u64>) -> Value {
    let mut filter = filter(provider(issuer, cached));
    filter["typed_config"]["rules"] =
        json!([{ "match": { "prefix": "/" }, "requires": { "provider_name": PROVIDER } }]);
    filter
}

/// Both filters: each of the five routes names what it requires.
pub(crate) fn with_rbac(name: &str, issuer: &Issuer, cached: Option<u64>) -> Value {
    let mut provider = provider(issuer, cached);
    provider["payload_in_metadata"] = json!(PROVIDER);
    provider["normalize_payload_in_metadata"] = json!({ "space_delimited_claims": ["scope"] });
    let mut tokens = filter(provider);
    tokens["typed_config"]["requirement_map"] = json!({ PROVIDER: { "provider_name": PROVIDER } });
    let rules = json!({
        "name": RBAC,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
            "rules": { "action": "ALLOW", "policies": {} },
        },
    });
    listener(name, &[tokens, rules], &routes())
}

fn filter(provider: Value) -> Value {
    json!({
        "name": JWT_AUTHN,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": { PROVIDER: provider },
        },
    })
}

fn provider(issuer: &Issuer, cached: Option<u64>) -> Value {
    let mut provider = json!({
        "issuer": "https://tenant.example/",
        "audiences": ["https://timesheets.example.com/api"],
        "remote_jwks": {
            "http_uri": { "uri": issuer.jwks_uri(), "cluster": e2e::config::KEYS, "timeout": "5s" },
            "cache_duration": "600s",
            "async_fetch": {},
        },
        "forward": true,
        "require_expiration": true,
        "claim_to_headers": [{ "claim_name": "sub", "header_name": "x-auth-sub" }],
    });
    if let Some(tokens) = cached {
        provider["jwt_cache_config"] = json!({ "jwt_cache_size": tokens });
    }
    provider
}

fn routes() -> Vec<Value> {
    let holds = |claim: &str, value: &str| {
        json!({ "sourced_metadata": { "metadata_matcher": {
            "filter": JWT_AUTHN,
            "path": [{ "key": PROVIDER }, { "key": claim }],
            "value": { "list_match": { "one_of": { "string_match": { "exact": value } } } },
        } } })
    };
    let any = |ways: Vec<Value>| json!({ "or_ids": { "ids": ways } });
    let path = |path: &str, method: &str| json!({ "path": path, "headers": [method_is(method)] });
    vec![
        json!({
            "match": { "path": "/healthz" },
            "direct_response": answer(),
            "typed_per_filter_config": {
                JWT_AUTHN: { "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig", "disabled": true },
                RBAC: { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute" },
            },
        }),
        route(
            path("/timesheets", "GET"),
            holds("scope", "read:timesheets"),
        ),
        route(
            path("/timesheets", "POST"),
            holds("scope", "create:timesheets"),
        ),
        route(
            json!({ "safe_regex": { "regex": "/timesheets/[^/]+" }, "headers": [method_is("DELETE")] }),
            any(vec![
                holds("scope", "delete:timesheets"),
                holds("scope", "admin"),
            ]),
        ),
        route(
            json!({ "path_separated_prefix": "/reports", "headers": [method_is("GET")] }),
            holds("roles", "auditor"),
        ),
        json!({ "match": { "prefix": "/" }, "direct_response": answer() }),
    ]
}

fn route(matching: Value, principal: Value) -> Value {
    json!({
        "match": matching,
        "direct_response": answer(),
        "typed_per_filter_config": {
            JWT_AUTHN: {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.PerRouteConfig",
                "requirement_name": PROVIDER,
            },
            RBAC: {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute",
                "rbac": { "rules": { "action": "ALLOW", "policies": { PROVIDER: {
                    "permissions": [{ "any": true }],
                    "principals": [principal],
                } } } },
            },
        },
    })
}

fn method_is(method: &str) -> Value {
    json!({ "name": ":method", "string_match": { "exact": method } })
}
