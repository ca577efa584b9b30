//! Policy texts, case by case: what each one means, or the very words in which it is refused.

use super::*;

mod accepted;
mod claims;
mod faults;
mod issuers;
mod key_origins;
mod limits;
mod paths;
mod routes;
mod schema;
mod settings;
mod yaml;

fn accepted(text: &str) -> Policy {
    match Policy::parse(text) {
        Ok(policy) => {
            schema::accepted(text);
            policy
        }
        Err(invalid) => panic!("{text}\n{invalid}"),
    }
}

/// `told` is everything that is said: place, offending text, what is wrong, and the remedy.
fn refused(text: &str, told: &str) {
    match Policy::parse(text) {
        Ok(policy) => panic!("{text}\n{policy:?}"),
        Err(invalid) => assert_eq!(invalid.to_string(), told, "{text}"),
    }
}

/// A policy with these lines from the fourth on.
fn top(lines: &str) -> String {
    format!("version: 1\nrealm: t\nroutes: []\n{lines}\n")
}

/// A policy with a proper issuer, and these of its lines from the ninth on.
fn issuer(lines: &str) -> String {
    let proper =
        "issuer: https://a.example/\n    audiences: [api]\n    jwks_uri: https://a.example/jwks";
    format!("version: 1\nrealm: t\nroutes: []\nissuers:\n  a:\n    {proper}\n    {lines}\n")
}

/// A policy whose issuer is this, in the fifth line.
fn issuer_only(text: &str) -> String {
    format!("version: 1\nrealm: t\nroutes: []\nissuers:\n  a: {text}\n")
}

/// A policy with a proper issuer and these routes, from the sixth line on.
fn routes(lines: &str) -> String {
    let proper =
        "{ issuer: https://a.example/, audiences: [api], jwks_uri: https://a.example/jwks }";
    format!("version: 1\nrealm: t\nissuers:\n  a: {proper}\nroutes:\n{lines}\n")
}

/// A policy with a route for `/x` that says this, in the sixth line.
fn route(fields: &str) -> String {
    routes(&format!("  - {{ path: /x, {fields} }}"))
}

/// A policy with these claim rules, in the eighth line.
fn rule(rules: &str) -> String {
    routes(&format!(
        "  - path: /x\n    authenticated: true\n    claims: [{rules}]"
    ))
}

/// A policy with a route for this path, in the sixth line.
fn path(text: &str) -> String {
    routes(&format!("  - path: {text}\n    public: true"))
}
