//! What is taken from a client's request before anything else is looked at: the `header_mutation` filter.

use serde_json::{Value, json};

use super::policy::Policy;

/// Removes identity headers in every spelling, from headers and trailers. `jwt_authn` removes those that it sets itself, but only in
/// their own spelling, and not from trailers.
pub(super) fn filter(policy: &Policy) -> Option<Value> {
    if policy.forward.is_empty() {
        return None;
    }
    let removals: Vec<Value> = policy
        .forward
        .values()
        .map(|header| json!({ "remove_on_match": { "key_matcher": { "safe_regex": { "regex": spellings(header) } } } }))
        .collect();
    Some(json!({
        "name": "envoy.filters.http.header_mutation",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": { "request_mutations": removals, "request_trailers_mutations": removals },
        },
    }))
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
