//! The schema of the policy file beside the parser: it takes whatever is read, and refuses what an editor can tell.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::Value;

use super::super::error::Problems;
use super::super::read::Read as _;
use super::super::yaml::Node;
use super::*;

static SCHEMA: LazyLock<Validator> =
    LazyLock::new(|| jsonschema::validator_for(&policy_schema()).unwrap());

/// The schema must never be stricter than the parser. Every policy of these tests that is taken comes here too.
pub(super) fn accepted(text: &str) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let errors: Vec<String> = SCHEMA
        .iter_errors(&json(text))
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{text}\n{errors:#?}");
}

fn json(text: &str) -> Value {
    let tree: Node =
        scopegate_yaml::tree(text, &mut |_, fault| panic!("{text}\n{fault:?}")).unwrap();
    Value::read(tree, &mut Problems::of(text)).unwrap()
}

#[test]
fn it_is_a_schema() {
    jsonschema::draft202012::meta::validate(&policy_schema()).unwrap();
}

#[test]
fn what_an_editor_can_tell_is_refused_by_both() {
    for text in [
        "version: 1\nrealm: t\n".into(),
        "version: 2\nrealm: t\nroutes: []\n".into(),
        "version: '1'\nrealm: t\nroutes: []\n".into(),
        "version: 1\nroutes: []\n".into(),
        "version: 1\nrealm: ' '\nroutes: []\n".into(),
        "version: 1\nrealm: a\"b\nroutes: []\n".into(),
        "version: 1\nrealm: 1\nroutes: []\n".into(),
        top("rutes: []"),
        top("issuers: []"),
        top("issuers: { a.b: { issuer: a, audiences: [b], jwks_file: c } }"),
        top("forward: { sub: 'x auth' }"),
        top("forward: { '': x-auth }"),
        top("forward: { sub: [x-auth] }"),
        top("token: drop"),
        top("preflight: allow"),
        top("mode: Shadow"),
        top("token_cache: 4"),
        top("token_cache: 4MB"),
        top("token_cache: 65MiB"),
        top("token_cache: 65537KiB"),
        top("envoy: { cluster: {} }"),
        top("envoy: { clusters: { a: '' } }"),
        top("envoy: { log_subject: yes }"),
        issuer_only("{ issuer: a, jwks_file: c }"),
        issuer_only("{ audiences: [b], jwks_file: c }"),
        issuer_only("{ issuer: a, audiences: [], jwks_file: c }"),
        issuer_only("{ issuer: a, audiences: b, jwks_file: c }"),
        issuer_only("{ issuer: a b, audiences: [b], jwks_file: c }"),
        issuer_only("{ issuer: a, audiences: [b], jwks_uri: ftp://a.example/ }"),
        issuer_only("{ issuer: a, audiences: [b], jwks: [] }"),
        issuer_only("{ issuer: a, audiences: [b], jwks: {} }"),
        issuer_only("{ issuer: a, audiences: [b], jwks_uri: 'https://a.example/', jwks_file: c }"),
        issuer("algorithms: [HS256]"),
        issuer("algorithms: [none]"),
        issuer("algorithms: []"),
        issuer("token_type: jwt"),
        issuer("audience_claim: ''"),
        issuer("scope_claims: scope"),
        issuer("clock_skew: 30"),
        issuer("clock_skew: 121s"),
        issuer("clock_skew: 3m"),
        issuer("clock_skew: 1.5s"),
        issuer("clock_skew: 30 s"),
        issuer("keys: { ttl: 0s }"),
        issuer("keys: { ttl: 999ms }"),
        issuer("keys: { ttl: 25h }"),
        issuer("keys: { timeout: 99ms }"),
        issuer("keys: { cooldown: 0s }"),
        issuer("keys: { max_stale: 1441m }"),
        issuer("keys: { on_empty: drop }"),
        issuer("danger_http_jwks: 'true'"),
        path("timesheets"),
        path("/a//b"),
        path("/a?b"),
        path("/a%20b"),
        path("/a*"),
        path("'/a{b}'"),
        path("'/{}'"),
        path("'/{*rest}/a'"),
        route("methods: [GET]"),
        route("public: true, scopes: [a]"),
        route("public: true, authenticated: true"),
        route("public: false"),
        route("public: true, issuers: [a]"),
        route("public: true, claims: [{ claim: a, exists: true }]"),
        route("authenticated: true, methods: []"),
        route("authenticated: true, methods: [GET, GET]"),
        route("authenticated: true, methods: [CONNECT]"),
        route("authenticated: true, methods: ['GET POST']"),
        route("scopes: a"),
        route("scopes: []"),
        route("scopes: ['*']"),
        route("scopes: [a b]"),
        route("scopes: { all: [a] }"),
        route("scopes: { any: [] }"),
        route("scopes: {}"),
        route("scopes: [a], allow_in_path: [slash]"),
        route("scopes: [a], audiences: []"),
        route("scopes: [a], mode: off"),
        rule("{ claim: a }"),
        rule("{ equals: a }"),
        rule("{ claim: a, equals: b, exists: true }"),
        rule("{ claim: a, equals: [b] }"),
        rule("{ claim: a, one_of: [] }"),
        rule("{ claim: a, one_of: b }"),
        rule("{ claim: [], exists: true }"),
        rule("{ claim: '', exists: true }"),
        rule("{ claim: a, exists: 1 }"),
        rule(""),
        "version: 1\nrealm: t\nmode: shadow\nroutes: [{ path: /x, public: true, mode: enforce }]\n"
            .into(),
    ] {
        assert!(Policy::parse(&text).is_err(), "the parser takes it\n{text}");
        assert!(
            !SCHEMA.is_valid(&json(&text)),
            "the schema takes it\n{text}"
        );
    }
}

/// Each mapping names its fields, takes no others, and each field says what it is for.
#[test]
fn every_field_is_described() {
    fn check(schema: &Value, at: &str) -> usize {
        let mut count = 0;
        if let Some(fields) = schema["properties"].as_object()
            && schema["additionalProperties"] == false
        {
            for (name, field) in fields {
                let description = field["description"].as_str().unwrap_or_default();
                assert!(description.ends_with('.'), "{at}/{name}: {description:?}");
                count += 1;
            }
        }
        match schema {
            Value::Object(members) => {
                let members = members.iter();
                count
                    + members
                        .map(|(name, member)| check(member, &format!("{at}/{name}")))
                        .sum::<usize>()
            }
            Value::Array(items) => count + items.iter().map(|item| check(item, at)).sum::<usize>(),
            _ => count,
        }
    }
    // The fields of the file, of an issuer, of its keys, of a route, of `any`, of a claim rule, and of Envoy.
    assert_eq!(check(&policy_schema(), ""), 10 + 12 + 5 + 11 + 1 + 5 + 2);
}

/// What editors offer is what the parser takes for granted.
#[test]
fn a_default_may_be_written() {
    let schema = policy_schema();
    let default = |pointer: &str| {
        let field = schema.pointer(pointer).unwrap();
        format!("{}", field["default"])
    };
    for field in ["token", "preflight", "mode", "token_cache"] {
        let written = default(&format!("/properties/{field}"));
        let policy = Policy::parse(&top(&format!("{field}: {written}"))).unwrap();
        let silent = Policy::parse(&top("")).unwrap();
        let meant = |policy: &Policy| {
            (
                policy.token,
                policy.preflight,
                policy.mode,
                policy.token_cache_bytes,
            )
        };
        assert_eq!(meant(&policy), meant(&silent), "{field}");
    }
    let of_issuer = "/properties/issuers/additionalProperties/properties";
    for field in [
        "algorithms",
        "token_type",
        "audience_claim",
        "scope_claims",
        "clock_skew",
        "danger_http_jwks",
    ] {
        let written = default(&format!("{of_issuer}/{field}"));
        let policy = Policy::parse(&issuer(&format!("{field}: {written}"))).unwrap();
        assert_eq!(
            policy.issuers,
            Policy::parse(&issuer("")).unwrap().issuers,
            "{field}"
        );
    }
    for field in ["ttl", "max_stale", "cooldown", "timeout", "on_empty"] {
        let written = default(&format!("{of_issuer}/keys/properties/{field}"));
        let policy = Policy::parse(&issuer(&format!("keys: {{ {field}: {written} }}"))).unwrap();
        assert_eq!(
            policy.issuers,
            Policy::parse(&issuer("")).unwrap().issuers,
            "{field}"
        );
    }
}
