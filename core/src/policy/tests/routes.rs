//! Routes that are refused.

use super::{refused, route, routes};

#[test]
fn a_route_says_what_it_matches_and_who_may_pass() {
    refused(
        &routes("  - public: true"),
        "line 6, column 5: `public: true`: this route has no path; \
             write `path:` with a pattern, as in `/timesheets/{id}`",
    );
    refused(
        &routes("  - /healthz"),
        "line 6, column 5: `/healthz`: something of another kind belongs here; \
             write a mapping, as in `name: value`",
    );
    refused(
        &routes("  /healthz: public"),
        "line 6, column 3: `/healthz: public`: something of another kind belongs here; \
             write a list, as in `[a, b]`",
    );
    refused(
        &routes("  - { path: /x }"),
        "line 6, column 5: `{ path: /x }`: this route does not say who may pass; \
             write one of `public: true`, `authenticated: true`, `scopes: […]`",
    );
    refused(
        &routes("  - path: /x\n    methods: [GET]"),
        "line 6, column 5: `path: /x`: this route does not say who may pass; \
             write one of `public: true`, `authenticated: true`, `scopes: […]`",
    );
    refused(
        &route("public: true, authenticated: true"),
        "line 6, column 5: `{ path: /x, public: true, authenticated: true }`: this route says in more than one way who may pass; \
             write one of `public: true`, `authenticated: true`, `scopes: […]`",
    );
    refused(
        &route("public: true, scopes: [a]"),
        "line 6, column 5: `{ path: /x, public: true, scopes: [a] }`: this route says in more than one way who may pass; \
             write one of `public: true`, `authenticated: true`, `scopes: […]`",
    );
    refused(
        &route("authenticated: true, scopes: [a]"),
        "line 6, column 5: `{ path: /x, authenticated: true, scopes: [a] }`: this route says in more than one way who may pass; \
             write one of `public: true`, `authenticated: true`, `scopes: […]`",
    );
    refused(
        &route("public: false"),
        "line 6, column 25: `false`: `public: false` does not say who may pass; \
             write `public: true`, or one of the other ways instead",
    );
    refused(
        &route("authenticated: false"),
        "line 6, column 32: `false`: `authenticated: false` does not say who may pass; \
             write `authenticated: true`, or one of the other ways instead",
    );
    refused(
        &route("public: yes"),
        "line 6, column 25: `yes`: this is neither `true` nor `false`; \
             write one of the two, without quotes",
    );
    refused(
        &route("scopes: []"),
        "line 6, column 25: `[]`: an empty list of scopes demands nothing; \
             write `authenticated: true` if any valid token may pass",
    );
    refused(
        &route("scopes: { any: [] }"),
        "line 6, column 25: `{ any: [] }`: an empty list of scopes demands nothing; \
             write `authenticated: true` if any valid token may pass",
    );
    refused(
        &route("scopes: {}"),
        "line 6, column 25: `{}`: an empty list of scopes demands nothing; \
             write `authenticated: true` if any valid token may pass",
    );
    refused(
        &route("scopes: { all: [a] }"),
        "line 6, column 27: `all`: there is no field `all` here; \
             write `any`",
    );
    refused(
        &route("scopes: a b"),
        "line 6, column 25: `a b`: scopes are a list; \
             write `[read:timesheets]` for all of a list, or `{ any: [a, b] }` for one of it",
    );
    refused(
        &route("scopes: [a b]"),
        "line 6, column 26: `a b`: this is not a scope (RFC 6749 section 3.3); \
             write one scope per entry, in ASCII without blanks, `\"` and `\\`",
    );
    refused(
        &route(r#"scopes: [""]"#),
        "line 6, column 26: `\"\"`: this is not a scope (RFC 6749 section 3.3); \
             write one scope per entry, in ASCII without blanks, `\"` and `\\`",
    );
    refused(
        &route("scopes: ['read:*']"),
        "line 6, column 26: `'read:*'`: `*` is no wildcard in a scope, but would be compared as it stands; \
             name every scope that is needed",
    );
    refused(
        &route("scopes: { any: ['*'] }"),
        "line 6, column 33: `'*'`: `*` is no wildcard in a scope, but would be compared as it stands; \
             name every scope that is needed",
    );
    refused(
        &route(r#"scopes: ['a"b', größe]"#),
        "line 6, column 26: `'a\"b'`: this is not a scope (RFC 6749 section 3.3); \
             write one scope per entry, in ASCII without blanks, `\"` and `\\`\n\
             line 6, column 33: `größe`: this is not a scope (RFC 6749 section 3.3); \
             write one scope per entry, in ASCII without blanks, `\"` and `\\`",
    );
    refused(
        &route("scopes: [123]"),
        "line 6, column 26: `123`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &route("scopes: [true]"),
        "line 6, column 26: `true`: a text belongs here, and YAML reads this as a number, a truth value or nothing; \
             put it in double quotes if it is meant as a text",
    );
    refused(
        &route("scopes: "),
        "line 6, column 23: `scopes:`: scopes are a list; \
             write `[read:timesheets]` for all of a list, or `{ any: [a, b] }` for one of it",
    );
    refused(
        &route("authenticated: true, issuers: []"),
        "line 6, column 47: `[]`: `issuers` is empty; \
             name the issuers whose tokens are taken, or remove the field to take every issuer's",
    );
    refused(
        &route("authenticated: true, issuers: [b]"),
        "line 6, column 48: `b`: the policy has no issuer of this name; \
             write a name that stands under `issuers:`, as `a`",
    );
    refused(
        &route("authenticated: true, issuers: "),
        "line 6, column 45: `issuers:`: there is no value here; \
             write one, or remove the field",
    );
    refused(
        &route("authenticated: true, audiences: []"),
        "line 6, column 49: `[]`: `audiences` is empty; \
             write the name of the API that the tokens are made for, as it stands in their `aud`",
    );
    refused(
        &route(r#"authenticated: true, audiences: [""]"#),
        "line 6, column 50: `\"\"`: an empty text in `audiences` matches nothing that an issuer sends; \
             write the value, or remove it",
    );
    refused(
        &route("authenticated: true, claims: []"),
        "line 6, column 46: `[]`: `claims` is empty; \
             write a rule, as in `{ claim: org_id, equals: org_123 }`, or remove the field",
    );
    refused(
        &route(
            "public: true, issuers: [a], audiences: [api], claims: [{ claim: a, exists: true }]",
        ),
        "line 6, column 40: `[a]`: a public route asks for no token, so that `issuers` would never be checked; \
             remove it, or write `authenticated: true` instead of `public: true`\n\
             line 6, column 56: `[api]`: a public route asks for no token, so that `audiences` would never be checked; \
             remove it, or write `authenticated: true` instead of `public: true`\n\
             line 6, column 71: `[{ claim: a, exists: true }]`: a public route asks for no token, so that `claims` would never be checked; \
             remove it, or write `authenticated: true` instead of `public: true`",
    );
    refused(
        &route("public: true, methods: [CONNECT]"),
        "line 6, column 41: `CONNECT`: CONNECT has no path, and is always refused; \
             remove it",
    );
    refused(
        &route("public: true, methods: []"),
        "line 6, column 40: `[]`: `methods` is empty; \
             name the methods, or remove the field to take any",
    );
    refused(
        &route("public: true, methods: GET"),
        "line 6, column 40: `GET`: something of another kind belongs here; \
             write a list, as in `[a, b]`",
    );
    refused(
        &route("public: true, methods: [GET, POST, GET]"),
        "line 6, column 52: `GET`: this method stands here twice; \
             keep it once",
    );
    refused(
        &route(r#"public: true, methods: ["GET,POST", ""]"#),
        "line 6, column 41: `\"GET,POST\"`: this is not a method (RFC 9110 section 9.1); \
             write one method per entry, as in `[GET, POST]`\n\
             line 6, column 53: `\"\"`: this is not a method (RFC 9110 section 9.1); \
             write one method per entry, as in `[GET, POST]`",
    );
    refused(
        &route("public: true, mode: dry-run"),
        "line 6, column 37: `dry-run`: `mode` does not know this word; \
             write `enforce` or `shadow`",
    );
    refused(
        &route("public: true, token: drop"),
        "line 6, column 38: `drop`: `token` does not know this word; \
             write `keep` or `strip`",
    );
    refused(
        &route("public: true, allow_in_path: [encoded-slash]"),
        "line 6, column 46: `[encoded-slash]`: this path has no `{…}`, and only there can such characters stand; \
             remove it, or write a `{parameter}` in the path",
    );
    refused(
        &routes(r#"  - { path: "/{id}", public: true, allow_in_path: [slash] }"#),
        "line 6, column 52: `slash`: `allow_in_path` does not know this word; \
             write `encoded-slash`, `semicolon` or `double-escape`",
    );
    refused(
        &route("public: true, host: example.com"),
        "line 6, column 31: `host`: there is no field `host` here; \
             write `path`, `methods`, `public`, `authenticated`, `scopes`, `issuers`, `audiences`, `claims`, `mode`, `token` or `allow_in_path`",
    );
    refused(
        "version: 1\nrealm: t\nroutes:\n  - { path: /x, authenticated: true }\n",
        "line 4, column 5: `{ path: /x, authenticated: true }`: this route needs a token, and the policy names no issuer that could have made one; \
             write `issuers:` and under it at least one issuer",
    );
    refused(
        "version: 1\nrealm: t\nroutes:\n  - { path: /x, authenticated: true, issuers: [a] }\n",
        "line 4, column 5: `{ path: /x, authenticated: true, issuers: [a] }`: this route needs a token, and the policy names no issuer that could have made one; \
             write `issuers:` and under it at least one issuer\n\
             line 4, column 48: `a`: the policy has no issuer of this name; \
             write `issuers:` and under it this issuer",
    );
}

#[test]
fn a_policy_in_shadow_mode_cannot_enforce_a_route() {
    let shadow = |fields: &str| format!("mode: shadow\n{}", route(fields));
    super::accepted(&shadow("public: true"));
    super::accepted(&shadow("public: true, mode: shadow"));
    super::accepted(&route("public: true, mode: enforce"));
    refused(
        &shadow("authenticated: true, mode: enforce"),
        "line 7, column 44: `enforce`: a policy in shadow mode lets ambiguous paths and unknown methods pass, \
             and with them this route's neighbours in spelling: it cannot enforce one route; \
             let the policy enforce, and write `mode: shadow` on the routes that are only watched",
    );
}
