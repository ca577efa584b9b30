//! What a gate takes, and what is most likely a mistake all the same.
//!
//! A lint says what follows, not what is untidy: each of them is a policy that lets in, or keeps out, somebody whom its author does not expect.

mod hosts;
mod issuers;
mod routes;
mod shadow;

use scopegate_core::Policy;

use crate::diagnostic::{Diagnostic, Severity};
use crate::place::{Place, Places};
pub use hosts::SpinManifest;

/// Every code of a lint.
pub const LINT_CODES: [&str; 18] = [
    "auth0-issuer-slash",
    "issuer-slash",
    "issuer-many-tenants",
    "audience-client-id",
    "permissions-beside-scope",
    "skew-beyond-keys",
    "http-keys",
    "issuer-unused",
    "public-covers-protected",
    "weaker-neighbour",
    "route-unreachable",
    "scopes-alike",
    "shadow-policy",
    "shadow-route",
    "cluster-missing",
    "cluster-unused",
    "outbound-host-missing",
    "key-file-in-envoy",
];

/// What is looked at.
pub struct Subject<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Where things stand in its text.
    pub places: &'a Places<'a>,
    /// The manifest of the Spin application that is to use it, if there is one.
    pub manifest: Option<&'a SpinManifest>,
    /// Whether it is for Envoy, also where the policy does not say so by a section of its own.
    pub is_for_envoy: bool,
}

/// Everything that looks wrong, in the order of the text.
pub fn warnings(subject: &Subject<'_>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    issuers::look(subject, &mut found);
    routes::look(subject, &mut found);
    shadow::look(subject, &mut found);
    hosts::look(subject, &mut found);
    found.sort_by_key(|diagnostic| diagnostic.place);
    found
}

fn warning(
    code: &'static str,
    place: Place,
    message: impl Into<String>,
    remedy: impl Into<String>,
) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        code,
        message: message.into(),
        remedy: remedy.into(),
        place: Some(place),
        related: Vec::new(),
    }
}
