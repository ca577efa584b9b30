//! Who signs tokens, and what is done with a good one: the providers and requirements of `jwt_authn`.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::policy::{Issuer, Mode, Policy, Route, Token};
use crate::corpus::policy::Place;

/// The places of the issuers' keys, by the names of the issuers.
pub(super) type Places<'a> = BTreeMap<String, &'a Place>;

pub(super) const FILTER: &str = "envoy.filters.http.jwt_authn";

/// The filter, with a requirement for each route by its number; none where no route wants a token.
pub(super) fn filter(policy: &Policy, places: &Places) -> Result<Option<Value>> {
    if policy.issuers.is_empty() {
        return Ok(None);
    }
    let mut providers = Map::new();
    for (name, issuer) in &policy.issuers {
        let keys = keys(issuer, places.get(name).copied()).with_context(|| name.clone())?;
        for token in [Token::Keep, Token::Strip] {
            let used = policy
                .routes
                .iter()
                .any(|route| route_token(policy, route) == token && !route.public);
            if used {
                let provider = provider(policy, name, issuer, &keys, token)?;
                providers.insert(provider_name(name, token), provider);
            }
        }
    }
    let mut requirements = Map::new();
    for (index, route) in policy
        .routes
        .iter()
        .enumerate()
        .filter(|(_, route)| !route.public)
    {
        requirements.insert(requirement_name(index), requirement(policy, route));
    }
    Ok(Some(json!({
        "name": FILTER,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
            "providers": providers,
            "requirement_map": requirements,
        },
    })))
}

/// The name under which a route finds what it requires.
pub(super) fn requirement_name(index: usize) -> String {
    format!("route-{index}")
}

/// The name of the metadata that holds a good token's header.
pub(super) fn header_key(issuer: &str) -> String {
    format!("{issuer}_header")
}

fn provider(
    policy: &Policy,
    name: &str,
    issuer: &Issuer,
    (source, keys): &(&str, Value),
    token: Token,
) -> Result<Value> {
    let mut provider = json!({
        "issuer": issuer.issuer,
        *source: keys,
        "forward": token == Token::Keep,
        // Named, so that no token is taken from the query. The prefix counts letter by letter: two ways to write it are taken.
        "from_headers": [
            { "name": "Authorization", "value_prefix": "Bearer " },
            { "name": "Authorization", "value_prefix": "bearer " },
        ],
        "require_expiration": true,
        "clock_skew_seconds": issuer.clock_skew()?,
        "payload_in_metadata": name,
        "header_in_metadata": header_key(name),
        "normalize_payload_in_metadata": { "space_delimited_claims": issuer.scope_claims },
        "claim_to_headers": policy.forward.iter().map(|(claim, header)| json!({ "header_name": header, "claim_name": claim })).collect::<Vec<_>>(),
    });
    if issuer.audience_claim == "aud" {
        provider["audiences"] = json!(issuer.audiences);
    }
    Ok(provider)
}

/// A field of the provider that says where the keys are. Native keys are never discovered: their address is written down.
fn keys(issuer: &Issuer, place: Option<&Place>) -> Result<(&'static str, Value)> {
    if let Some(set) = &issuer.jwks {
        return Ok(("local_jwks", json!({ "inline_string": set.to_string() })));
    }
    let place = place.context("the key set has no place")?;
    if issuer.jwks_file.is_some() {
        let set = String::from_utf8(place.public.clone())?;
        return Ok(("local_jwks", json!({ "inline_string": set })));
    }
    let remote = json!({
        "http_uri": { "uri": place.url, "cluster": place.cluster, "timeout": issuer.keys.timeout()? },
        "cache_duration": issuer.keys.ttl()?,
        // On the main thread, before the listener opens, and again before they expire.
        "async_fetch": { "failed_refetch_duration": issuer.keys.cooldown()? },
    });
    Ok(("remote_jwks", remote))
}

fn requirement(policy: &Policy, route: &Route) -> Value {
    let token = route_token(policy, route);
    let mut any: Vec<Value> = policy
        .issuers_of(route)
        .into_iter()
        .map(|(name, issuer)| {
            let provider = provider_name(name, token);
            if route.audiences.is_empty() || issuer.audience_claim != "aud" {
                json!({ "provider_name": provider })
            } else {
                json!({ "provider_and_audiences": { "provider_name": provider, "audiences": route.audiences } })
            }
        })
        .collect();
    if route.mode.unwrap_or(policy.mode) == Mode::Shadow {
        any.push(json!({ "allow_missing_or_failed": {} }));
    }
    match any.as_slice() {
        [one] => one.clone(),
        _ => json!({ "requires_any": { "requirements": any } }),
    }
}

/// `forward` is a provider's field, so an issuer whose token some routes keep and some strip is two providers.
fn provider_name(issuer: &str, token: Token) -> String {
    match token {
        Token::Keep => issuer.to_owned(),
        Token::Strip => format!("{issuer}_stripped"),
    }
}

fn route_token(policy: &Policy, route: &Route) -> Token {
    route.token.unwrap_or(policy.token)
}
