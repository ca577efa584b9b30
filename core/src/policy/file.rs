//! The shape of the policy file: field by field what stands in the text, unchecked, and what editors are told of it.

use serde_json::{Value, json};

use super::compile::realm_schema;
use super::read::{Entries, shape};
use super::route::{ALLOWANCES, method_schema, path_schema};
use super::scalar::{ClaimPath, Scalar, Scopes};
use super::schema::{
    defaulted, duration, entries, one_of_fields, some, some_text, truth, words, words_or_default,
};
use super::setting::{MODES, ON_EMPTY, PREFLIGHTS, TOKEN_FORWARDINGS, TOKEN_TYPES};
use super::yaml::Spanned;
use super::{address, forward, issuer, quantity};

/// The items of a list, each with its place.
type Items<T> = Vec<Spanned<T>>;

shape! {
    PolicyFile {
        /// The version of this format.
        version: Scalar => json!({ "const": 1 }),
        /// A short name for what is protected. Every challenge names it (RFC 9110 section 11.5).
        realm: String => realm_schema(),
        /// Whose tokens are taken, by names of your choice. Needed as soon as a route wants a token.
        issuers: Entries<IssuerFile> => entries(issuer::name_schema(), IssuerFile::schema()),
        /// Claims that the upstream gets as request headers. These headers are taken away from every client request.
        forward: Entries<String> => entries(json!({ "minLength": 1 }), forward::header_schema()),
        /// Whether the upstream still sees a validated `Authorization` header.
        token: String => words_or_default(&TOKEN_FORWARDINGS),
        /// What happens to CORS preflights, which carry no token.
        preflight: String => words_or_default(&PREFLIGHTS),
        /// `shadow` decides and counts, but never refuses, unmatched routes and ambiguous paths included.
        mode: String => words_or_default(&MODES),
        /// The memory of one worker for verified tokens, about 1.6 KiB each; `0` switches it off.
        token_cache: Scalar => quantity::token_cache_schema(),
        /// What is asked for, and who may. What no route matches is refused; the order never matters.
        routes: Items<RouteFile>,
        /// What the Envoy filter alone reads; the Spin component ignores it.
        envoy: EnvoyFile,
    }
    json!({
        "required": ["version", "realm", "routes"],
        // What path or method alone refuse has the top level's mode: no route can enforce in a policy that shadows.
        "if": { "required": ["mode"], "properties": { "mode": { "const": "shadow" } } },
        "then": {
            "properties": {
                "routes": { "items": { "properties": { "mode": { "not": { "const": "enforce" } } } } },
            },
        },
    })
}

shape! {
    IssuerFile {
        /// The `iss` of its tokens, compared byte for byte: a slash at the end counts.
        issuer: String => address::issuer_schema(),
        /// The APIs that tokens are made for; any one must be in the token.
        audiences: Items<String> => some(some_text()),
        /// Where the keys are: https, or http on loopback. Discovered from the issuer's metadata if no place is named.
        jwks_uri: String => address::jwks_uri_schema(),
        /// The keys themselves, for closed networks and tests: a JWK set (RFC 7517). Never fetched.
        jwks: Value => json!({ "type": "object", "required": ["keys"], "properties": { "keys": { "type": "array" } } }),
        /// A file of the host's that holds the JWK set. On Spin alone: Envoy's filter has no files.
        jwks_file: String => some_text(),
        /// The algorithms that its tokens may be signed with.
        algorithms: Items<String> => issuer::algorithms_schema(),
        /// `at+jwt` takes the access tokens of RFC 9068 alone, with all that it requires.
        token_type: String => words_or_default(&TOKEN_TYPES),
        /// The claim that holds the audience. For access tokens of Amazon Cognito: `client_id`.
        audience_claim: String => defaulted(some_text(), issuer::AUDIENCE_CLAIM),
        /// The claims that may hold the scopes. The first one present counts, whatever it holds.
        scope_claims: Items<String> => defaulted(some(some_text()), issuer::SCOPE_CLAIMS.to_vec()),
        /// How far its clock may be off: leeway for `exp` and `nbf`, at most 120s.
        clock_skew: Scalar => duration(&issuer::CLOCK_SKEW),
        /// How long its keys count, and how often they are asked for.
        keys: KeysFile,
        /// Fetches keys over plain http from other hosts too. Whoever can change that on its way can sign tokens.
        danger_http_jwks: Scalar => truth(),
    }
    json!({
        "required": ["issuer", "audiences"],
        // At most one place for the keys; and what stands here is never fetched.
        "oneOf": [
            { "properties": { "jwks_uri": false, "jwks": false, "jwks_file": false } },
            { "required": ["jwks_uri"] },
            { "required": ["jwks"], "properties": { "keys": { "maxProperties": 0 } } },
            { "required": ["jwks_file"] },
        ],
    })
}

shape! {
    KeysFile {
        /// The age that keys may reach; a shorter `max-age` of the answer counts. From 1s to 24h.
        ttl: Scalar => duration(&issuer::TTL),
        /// How much longer old keys serve while the issuer cannot be reached; then 503. At most 24h.
        max_stale: Scalar => duration(&issuer::MAX_STALE),
        /// The least time between two fetches after a failure or for an unknown `kid`. From 1s to 1h.
        cooldown: Scalar => duration(&issuer::COOLDOWN),
        /// How long a fetch may take, and the requests that wait for it. From 100ms to 60s.
        timeout: Scalar => duration(&issuer::TIMEOUT),
        /// What a key set without any usable key means: `keep`, a failed fetch; `refuse`, nobody any more.
        on_empty: String => words_or_default(&ON_EMPTY),
    }
    json!({})
}

shape! {
    RouteFile {
        /// Segments, each a literal or `{name}`; a last `{*rest}` takes any number of them, none included.
        path: String => path_schema(),
        /// The methods that it takes; any if absent. GET takes HEAD too, unless a route of this path names HEAD.
        methods: Items<String> => method_schema(),
        /// Anybody may pass, without a token.
        public: Scalar => json!({ "const": true }),
        /// A valid token, no particular scope.
        authenticated: Scalar => json!({ "const": true }),
        /// The scopes that a token must have: all of a list, or one of `{ any: [...] }`.
        scopes: Scopes,
        /// Take tokens of these issuers only.
        issuers: Items<String> => some(some_text()),
        /// Want one of these audiences instead of the issuer's, so that one issuer can serve two APIs.
        audiences: Items<String> => some(some_text()),
        /// Rules about claims that must all hold.
        claims: Items<ClaimRuleFile> => some(ClaimRuleFile::schema()),
        /// `shadow` decides and counts, but never refuses. The top level's if absent.
        mode: String => words(&MODES),
        /// Whether the upstream still sees the `Authorization` header. The top level's if absent; stripped on a public route.
        token: String => words(&TOKEN_FORWARDINGS),
        /// What may stand inside `{…}` of the path, as data, though readers of paths disagree about it.
        allow_in_path: Items<String> => json!({ "type": "array", "items": words(&ALLOWANCES) }),
    }
    json!({
        "required": ["path"],
        "oneOf": one_of_fields([
            ("public", json!({ "issuers": false, "audiences": false, "claims": false })),
            ("authenticated", json!({})),
            ("scopes", json!({})),
        ]),
    })
}

shape! {
    ClaimRuleFile {
        /// The name of the claim, or the list of names that leads to it.
        claim: ClaimPath,
        /// It equals this value, compared with its type.
        equals: Scalar,
        /// It equals one of these values, compared with their type.
        one_of: Items<Scalar> => some(Scalar::schema()),
        /// It is an array, and one of its elements equals this value.
        contains: Scalar,
        /// It is there, whatever it holds; or with `false`, it is not.
        exists: Scalar => json!({ "type": "boolean" }),
    }
    json!({
        "required": ["claim"],
        "oneOf": one_of_fields([
            ("equals", json!({})),
            ("one_of", json!({})),
            ("contains", json!({})),
            ("exists", json!({})),
        ]),
    })
}

shape! {
    EnvoyFile {
        /// For each issuer whose keys are fetched, the Envoy cluster that reaches them.
        clusters: Entries<String> => entries(issuer::name_schema(), some_text()),
        /// Whether `sub` may stand in access logs.
        log_subject: Scalar => truth(),
    }
    json!({})
}
