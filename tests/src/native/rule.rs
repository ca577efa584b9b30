//! What a verified token must say for a route: the RBAC policies, on the metadata that `jwt_authn` leaves.

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

use super::expression;
use super::policy::{Claim, Issuer, Policy, Route, Scopes, TokenType};
use super::provider;

pub(super) const FILTER: &str = "envoy.filters.http.rbac";

/// One policy for each issuer that the route takes: any one of them lets the request through.
pub(super) fn policies(policy: &Policy, route: &Route) -> Result<Value> {
    let mut policies = Map::new();
    for (name, issuer) in policy.issuers_of(route) {
        policies.insert(name.clone(), one(name, issuer, route)?);
    }
    Ok(json!({ "action": "ALLOW", "policies": policies }))
}

fn one(name: &str, issuer: &Issuer, route: &Route) -> Result<Value> {
    let header = provider::header_key(name);
    let mut all = vec![any(issuer.algorithms.iter().flat_map(|algorithm| {
        // RFC 9864 gave EdDSA with Ed25519 a name of its own; the native filter knows the old one.
        let algorithm = if algorithm == "Ed25519" {
            "EdDSA"
        } else {
            algorithm
        };
        [holds(&[&header, "alg"], exact(algorithm))]
    }))];
    all.extend(types(name, &header, issuer.token_type));
    if issuer.audience_claim != "aud" {
        let audiences = if route.audiences.is_empty() {
            &issuer.audiences
        } else {
            &route.audiences
        };
        all.push(any(audiences.iter().map(|audience| {
            holds(&[name, &issuer.audience_claim], exact(audience))
        })));
    }
    match &route.scopes {
        None => {}
        Some(Scopes::All(scopes)) => {
            all.extend(scopes.iter().map(|scope| granted(name, issuer, scope)))
        }
        Some(Scopes::Any { any: scopes }) => {
            all.push(any(scopes.iter().map(|scope| granted(name, issuer, scope))))
        }
    }
    // Extensions that must be understood, and tokens that belong to their holder's key.
    let mut conditions = vec![
        expression::not(&expression::has(&[&header, "crit"])),
        expression::not(&expression::has(&[name, "cnf"])),
    ];
    for claim in &route.claims {
        rule(name, claim, &mut all, &mut conditions)?;
    }
    Ok(json!({
        "permissions": [{ "any": true }],
        "principals": [{ "and_ids": { "ids": all } }],
        "condition": expression::all(conditions),
    }))
}

/// `typ`, and under RFC 9068 the claims that must be there.
fn types(name: &str, header: &str, wanted: TokenType) -> Vec<Value> {
    let typ = |value: &str| {
        holds(
            &[header, "typ"],
            json!({ "string_match": { "exact": value, "ignore_case": true } }),
        )
    };
    let access_token = [typ("at+jwt"), typ("application/at+jwt")];
    match wanted {
        TokenType::Any => {
            let absent =
                json!({ "not_id": holds(&[header, "typ"], json!({ "present_match": true })) });
            vec![any(access_token.into_iter().chain([typ("JWT"), absent]))]
        }
        TokenType::AccessToken => {
            let text = || json!({ "string_match": { "safe_regex": { "regex": "(?s).*" } } });
            let mut all = vec![any(access_token)];
            all.extend(["sub", "client_id", "jti"].map(|claim| holds(&[name, claim], text())));
            all.push(holds(
                &[name, "iat"],
                json!({ "double_match": { "range": { "start": -1e18, "end": 1e18 } } }),
            ));
            all
        }
    }
}

/// The scope is in the first scope claim that is there.
fn granted(name: &str, issuer: &Issuer, scope: &str) -> Value {
    let mut before: Vec<Value> = Vec::new();
    let mut ways = Vec::new();
    for claim in &issuer.scope_claims {
        let path = [name, claim.as_str()];
        let mut all = before.clone();
        all.push(holds(&path, element(exact(scope))));
        ways.push(json!({ "and_ids": { "ids": all } }));
        for present in [
            json!({ "present_match": true }),
            json!({ "null_match": {} }),
            element(json!({ "present_match": true })),
        ] {
            before.push(json!({ "not_id": holds(&path, present) }));
        }
    }
    any(ways)
}

/// A rule on a claim, as a matcher where one can say it, else as a condition.
fn rule(
    name: &str,
    claim: &Claim,
    all: &mut Vec<Value>,
    conditions: &mut Vec<Value>,
) -> Result<()> {
    let mut path = vec![name];
    path.extend(claim.claim.segments());
    let Claim {
        claim: _,
        equals,
        one_of,
        contains,
        exists,
    } = claim;
    if let Some(value) = equals {
        all.push(holds(&path, scalar(value)?));
    }
    if let Some(values) = one_of {
        let ways: Vec<Value> = values
            .iter()
            .map(|value| Ok(holds(&path, scalar(value)?)))
            .collect::<Result<_>>()?;
        all.push(any(ways));
    }
    if let Some(value) = contains {
        all.push(holds(&path, element(scalar(value)?)));
    }
    match exists {
        None => {}
        Some(true) => conditions.push(expression::has(&path)),
        Some(false) => conditions.push(expression::not(&expression::has(&path))),
    }
    Ok(())
}

fn scalar(value: &Value) -> Result<Value> {
    Ok(match value {
        Value::String(text) => exact(text),
        Value::Bool(truth) => json!({ "bool_match": truth }),
        Value::Number(number) => {
            json!({ "double_match": { "exact": number.as_f64().context("a number of a claim rule")? } })
        }
        other => anyhow::bail!("{other} is no scalar"),
    })
}

fn exact(text: &str) -> Value {
    json!({ "string_match": { "exact": text } })
}

fn element(value: Value) -> Value {
    json!({ "list_match": { "one_of": value } })
}

fn holds(path: &[&str], value: Value) -> Value {
    let path: Vec<Value> = path.iter().map(|key| json!({ "key": key })).collect();
    json!({ "sourced_metadata": { "metadata_matcher": { "filter": provider::FILTER, "path": path, "value": value } } })
}

fn any(ways: impl IntoIterator<Item = Value>) -> Value {
    json!({ "or_ids": { "ids": ways.into_iter().collect::<Vec<_>>() } })
}
