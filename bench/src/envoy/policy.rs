//! The gate's policies: five routes, and the same five among a thousand.

use std::fmt::Write as _;

use crate::issuer::Issuer;

/// How many routes the large policy has.
const MANY: usize = 1000;

const ROUTES: &str = r#"routes:
  - { path: /healthz, public: true }
  - { path: /timesheets, methods: [GET], scopes: [read:timesheets] }
  - { path: /timesheets, methods: [POST], scopes: [create:timesheets] }
  - { path: "/timesheets/{id}", methods: [DELETE], scopes: { any: [delete:timesheets, admin] } }
  - path: "/reports/{*rest}"
    methods: [GET]
    authenticated: true
    claims:
      - { claim: roles, contains: auditor }
"#;

/// How many routes [`ROUTES`] has.
const FEW: usize = 5;

/// The policy of five routes, with a token cache of that many KiB.
pub(crate) fn few_routes(issuer: &Issuer, token_cache: u64) -> String {
    let cluster = e2e::config::KEYS;
    format!(
        "version: 1\nrealm: timesheets\ntoken_cache: {token_cache}KiB\n\
         issuers:\n  auth0:\n    issuer: https://tenant.example/\n    audiences: [https://timesheets.example.com/api]\n    \
         jwks_uri: {}\n    algorithms: [RS256, ES256, EdDSA, PS256]\n\
         forward: {{ sub: x-auth-sub }}\n\
         envoy: {{ clusters: {{ auth0: {cluster} }} }}\n{ROUTES}",
        issuer.jwks_uri()
    )
}

/// The same among a thousand routes: those of 199 further APIs of the same kind, some of whose paths begin as ours do.
pub(crate) fn many_routes(issuer: &Issuer, token_cache: u64) -> String {
    let mut policy = few_routes(issuer, token_cache);
    for number in 1..MANY / FEW {
        let api = match number % 2 {
            0 => format!("/api-{number:03}"),
            _ => format!("/timesheets-{number:03}"),
        };
        let _ = write!(
            policy,
            "  - {{ path: {api}/healthz, public: true }}\n\
             \x20 - {{ path: {api}/items, methods: [GET], scopes: [read:items] }}\n\
             \x20 - {{ path: {api}/items, methods: [POST], scopes: [create:items] }}\n\
             \x20 - {{ path: \"{api}/items/{{id}}\", methods: [DELETE], scopes: [delete:items] }}\n\
             \x20 - {{ path: \"{api}/reports/{{*rest}}\", methods: [GET], authenticated: true }}\n"
        );
    }
    policy
}

#[cfg(test)]
mod tests {
    use scopegate_core::Policy;

    use super::*;
    use crate::issuer::Algorithm;

    #[test]
    fn both_are_policies() {
        let issuer = Issuer::start(&[Algorithm::EdDsa]).unwrap();
        for (policy, routes) in [
            (few_routes(&issuer, 1), FEW),
            (many_routes(&issuer, 1), MANY),
        ] {
            assert!(Policy::parse(&policy).is_ok(), "{policy}");
            assert_eq!(policy.matches("{ path: ").count() + 1, routes);
        }
    }
}
