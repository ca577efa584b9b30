//! The same policy in Envoy's own words: a listener whose `jwt_authn`, `rbac` and route table say what a policy file says, as well
//! as they can. `cargo xtask versus` puts the corpus to it, and `docs/versus-jwt-authn.md` says what was chosen and why.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use crate::corpus::policy::{Place, complete, fetched};
use policy::{Mode, Policy};

mod expression;
mod headers;
mod policy;
mod provider;
mod route;
mod rule;

/// A listener on a free port of loopback, for HTTP/1 and HTTP/2, that does what the policy says without Scopegate.
///
/// # Errors
/// A policy with something in it that nobody has translated yet.
pub fn listener(name: &str, policy: &str, places: &BTreeMap<String, Place>) -> Result<Value> {
    let of_issuers = fetched(policy)?;
    let of_issuers = of_issuers
        .iter()
        .filter_map(|(issuer, (_, set))| Some((issuer.clone(), places.get(set)?)))
        .collect();
    let policy = Policy::parse(&complete(policy, places)?)?;
    let mut filters = Vec::new();
    filters.push(headers::filter(&policy));
    filters.extend(provider::filter(&policy, &of_issuers)?);
    filters.push(access_rules(&policy));
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
    }));
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "native",
        "codec_type": "AUTO",
        // What "Configuring Envoy as an edge proxy" advises where access depends on the path, for clients that send
        // normalised paths.
        "normalize_path": true,
        "merge_slashes": true,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        // The same page advises to reject names with `_`; dropping them is nearer to the policy, and no less safe.
        "common_http_protocol_options": { "headers_with_underscores_action": "DROP_HEADER" },
        // As in the listener that the corpus knows.
        "http_protocol_options": { "enable_trailers": true },
        "http2_protocol_options": { "allow_connect": true },
        "upgrade_configs": [{ "upgrade_type": "websocket" }],
        "http_filters": filters,
        "route_config": { "virtual_hosts": [{
            "name": "all",
            "domains": ["*"],
            "routes": route::table(&policy)?,
        }] },
    });
    Ok(json!({
        "name": name,
        "address": { "socket_address": { "address": "127.0.0.1", "port_value": 0 } },
        "filter_chains": [{ "filters": [{ "name": "envoy.filters.network.http_connection_manager", "typed_config": manager }] }],
    }))
}

/// RBAC for what no route overrides: nothing passes. In shadow mode the same is only counted.
fn access_rules(policy: &Policy) -> Value {
    let nothing = json!({ "action": "ALLOW", "policies": {} });
    let field = match policy.mode {
        Mode::Enforce => "rules",
        Mode::Shadow => "shadow_rules",
    };
    json!({
        "name": rule::FILTER,
        "typed_config": { "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC", field: nothing },
    })
}
