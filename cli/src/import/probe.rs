//! What the core says to a piece of a policy, asked before the whole is made of it: in its own words, and by its own rules.

use scopegate_core::Policy;

use super::scalar::scalar;

/// The first thing that is wrong with a policy.
pub(super) fn complaint(policy: &str) -> Option<String> {
    let invalid = Policy::parse(policy).err()?;
    let first = invalid.problems.first();
    let said = first.map(|problem| format!("{}; {}", problem.message(), problem.remedy()));
    Some(said.unwrap_or_else(|| "it has problems that are not told".into()))
}

/// What is wrong with a scope.
pub(super) fn scope(scope: &str) -> Option<String> {
    complaint(&format!(
        "version: 1\nrealm: x\nissuers: {{ x: {{ issuer: 'https://x.example/', audiences: [x] }} }}\nroutes: [{{ path: /, scopes: [{}] }}]\n",
        scalar(scope)
    ))
}

/// What is wrong with the fields of an issuer.
pub(super) fn issuer(fields: &[String]) -> Option<String> {
    complaint(&format!(
        "version: 1\nrealm: x\nissuers: {{ x: {{ {} }} }}\nroutes: []\n",
        fields.join(", ")
    ))
}

/// What is wrong with a realm.
pub(super) fn realm(realm: &str) -> Option<String> {
    complaint(&format!(
        "version: 1\nrealm: {}\nroutes: []\n",
        scalar(realm)
    ))
}
