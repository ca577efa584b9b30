//! What is taken from a client's request before anything else is looked at: the `header_mutation` filter.

use serde_json::{Value, json};

use super::policy::Policy;

/// What a server that merges trailers with headers would take for a header that was checked.
const NEVER_IN_TRAILERS: [&str; 4] = [
    "authorization",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

/// Removes identity headers in every spelling, from headers and trailers, and from trailers credentials and method overrides. `jwt_authn` removes those that it sets itself, but only in
/// their own spelling, and not from trailers.
pub(super) fn filter(policy: &Policy) -> Value {
    let removal = |header: &str| json!({ "remove_on_match": { "key_matcher": { "safe_regex": { "regex": spellings(header) } } } });
    let identity: Vec<Value> = policy
        .forward
        .values()
        .map(|header| removal(header))
        .collect();
    let mut trailers = identity.clone();
    trailers.extend(NEVER_IN_TRAILERS.map(removal));
    json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": { "request_mutations": identity, "request_trailers_mutations": trailers },
        },
    })
}

/// A header's name with any sign in place of each sign.
fn spellings(header: &str) -> String {
    header
        .to_ascii_lowercase()
        .chars()
        .map(|sign| match sign {
            'a'..='z' | '0'..='9' => sign.to_string(),
            _ => "[^a-z0-9]".to_owned(),
        })
        .collect()
}
