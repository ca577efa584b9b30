//! Policies that are taken, and what their fields mean.

use super::*;

const EXAMPLE: &str = r#"
version: 1
realm: timesheets

issuers:
  auth0:
    issuer: https://tenant.eu.auth0.com/        # compared byte for byte with `iss`
    audiences: [https://timesheets.example.com/api]
    jwks_uri: https://tenant.eu.auth0.com/.well-known/jwks.json
    algorithms: [RS256]
    token_type: at+jwt
    audience_claim: client_id
    scope_claims: [permissions]
    clock_skew: 120s
    keys: { ttl: 1s, max_stale: 0s, cooldown: 1s, timeout: 100ms }
  local:
    issuer: http://127.0.0.1:8081
    audiences: [timesheets, reports]
    jwks_uri: http://localhost:8081/jwks?tenant=1

forward:
  sub: X-Auth-Sub
  "https://timesheets.example.com/email": x-auth-email
token: strip
preflight: refuse
mode: shadow
token_cache: 512KiB

routes:
  - { path: /healthz, public: true, token: keep }
  - { path: /timesheets, methods: [GET],  scopes: [read:timesheets] }
  - { path: /timesheets, methods: [POST], scopes: [create:timesheets] }
  - { path: "/timesheets/{id}", methods: [DELETE], scopes: { any: [delete:timesheets, admin] } }
  - path: "/reports/{*rest}"
    authenticated: true
    issuers: [local, auth0]
    audiences: [https://reports.example.com]
    claims:
      - { claim: org_id, equals: org_123 }
      - { claim: [realm_access, roles], contains: auditor }
      - { claim: email, exists: true }
      - { claim: level, one_of: [1, "1", true, 2.5, -1] }
    mode: shadow
    token: strip
    allow_in_path: [encoded-slash, semicolon, double-escape]

envoy:
  clusters: { auth0: auth0_jwks }
  log_subject: true
"#;

#[test]
fn an_issuer_is_found_by_its_iss_and_told_by_its_name() {
    let policy = accepted(EXAMPLE);
    let names: Vec<_> = policy.issuer_names().collect();
    for (place, issuer) in policy.issuers.iter().enumerate() {
        let id = policy.issuer_of(&issuer.issuer);
        assert_eq!(id, Some(IssuerId(place)));
        assert_eq!(policy.issuer_name(IssuerId(place)), names[place]);
    }
    assert_eq!(names.len(), policy.issuers.len());
    assert_eq!(policy.issuer_name(IssuerId(names.len())), "");
    assert_eq!(policy.issuer_of("https://elsewhere.example/"), None);
}

#[test]
fn the_top_of_the_example() {
    let policy = accepted(EXAMPLE);
    assert_eq!(policy.challenges, Challenges::new("timesheets"));
    assert_eq!(policy.token, TokenForwarding::Strip);
    assert_eq!(policy.preflight, Preflight::Refuse);
    assert_eq!(policy.mode, Mode::Shadow);
    assert_eq!(policy.token_cache_bytes, 512 * 1024);
    assert_eq!(policy.cluster("auth0"), Some("auth0_jwks"));
    assert_eq!(policy.cluster("local"), None);
    assert!(policy.envoy.log_subject);
    let forward: Vec<(&str, &str)> = policy
        .forward
        .iter()
        .map(|forward| (forward.claim.as_str(), forward.header.as_str()))
        .collect();
    let email = ("https://timesheets.example.com/email", "x-auth-email");
    assert_eq!(forward, [("sub", "x-auth-sub"), email]);
}

#[test]
fn the_issuers_of_the_example() {
    let policy = accepted(EXAMPLE);
    let auth0 = Issuer {
        name: "auth0".into(),
        issuer: "https://tenant.eu.auth0.com/".into(),
        audiences: vec!["https://timesheets.example.com/api".into()],
        key_origin: KeyOrigin::Address("https://tenant.eu.auth0.com/.well-known/jwks.json".into()),
        algorithms: vec![Algorithm::Rs256],
        token_type: TokenType::AtJwt,
        audience_claim: "client_id".into(),
        scope_claims: vec!["permissions".into()],
        clock_skew: Duration::from_secs(120),
        keys: Freshness {
            ttl: Duration::from_secs(1),
            max_stale: Duration::ZERO,
            cooldown: Duration::from_secs(1),
            timeout: Duration::from_millis(100),
            on_empty: OnEmpty::Keep,
        },
    };
    let local = Issuer {
        name: "local".into(),
        issuer: "http://127.0.0.1:8081".into(),
        audiences: vec!["timesheets".into(), "reports".into()],
        key_origin: KeyOrigin::Address("http://localhost:8081/jwks?tenant=1".into()),
        algorithms: Algorithm::DEFAULT.to_vec(),
        token_type: TokenType::Any,
        audience_claim: "aud".into(),
        scope_claims: vec!["scope".into(), "scp".into()],
        clock_skew: Duration::from_secs(30),
        keys: Freshness {
            ttl: Duration::from_secs(600),
            max_stale: Duration::from_secs(3600),
            cooldown: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            on_empty: OnEmpty::Keep,
        },
    };
    assert_eq!(policy.issuer(IssuerId(0)), Some(&auth0));
    assert_eq!(policy.issuer(IssuerId(1)), Some(&local));
    assert_eq!(policy.issuer(IssuerId(2)), None);
    assert_eq!(policy.issuer_of("http://127.0.0.1:8081"), Some(IssuerId(1)));
    assert_eq!(policy.issuer_of("http://127.0.0.1:8081/"), None);
}

#[test]
fn the_routes_of_the_example() {
    let policy = accepted(EXAMPLE);
    let routes: Vec<&Route> = policy.routes.all().iter().collect();
    let scopes = |names: &[&str]| names.iter().map(|name| (*name).into()).collect();
    let protected = |demand: ScopeDemand| {
        Access::Protected(Requirements {
            scopes: demand,
            issuers: None,
            audiences: None,
            claims: Vec::new(),
        })
    };
    assert_eq!(routes.len(), 5);
    assert_eq!(routes[0].access, Access::Public);
    assert_eq!(routes[0].methods, Vec::<String>::new());
    assert_eq!(routes[0].token, Some(TokenForwarding::Keep));
    assert_eq!(routes[0].mode, None);
    assert_eq!(routes[1].methods, ["GET"]);
    assert_eq!(
        routes[1].access,
        protected(ScopeDemand::All(scopes(&["read:timesheets"])))
    );
    assert_eq!(routes[2].methods, ["POST"]);
    assert_eq!(
        routes[3].access,
        protected(ScopeDemand::Any(scopes(&["delete:timesheets", "admin"])))
    );
    assert_eq!(routes[4].path, "/reports/{*rest}");
    assert_eq!(routes[4].mode, Some(Mode::Shadow));
    assert_eq!(routes[4].token, Some(TokenForwarding::Strip));
    let allowed = routes[4].allow_in_path;
    assert!(allowed.encoded_slash && allowed.semicolon && allowed.double_escape);
}

#[test]
fn the_requirements_of_the_example() {
    let policy = accepted(EXAMPLE);
    let Some(Access::Protected(requirements)) =
        policy.routes.all().iter().last().map(|route| &route.access)
    else {
        panic!("the last route is protected");
    };
    let rule = |claim: &[&str], test: ClaimTest| ClaimRule {
        claim: claim.iter().map(|name| (*name).into()).collect(),
        test,
    };
    let levels = vec![
        1_u64.into(),
        "1".into(),
        true.into(),
        2.5.into(),
        (-1_i64).into(),
    ];
    assert_eq!(
        *requirements,
        Requirements {
            scopes: ScopeDemand::None,
            issuers: Some(vec![IssuerId(1), IssuerId(0)]),
            audiences: Some(vec!["https://reports.example.com".into()]),
            claims: vec![
                rule(&["org_id"], ClaimTest::Equals("org_123".into())),
                rule(
                    &["realm_access", "roles"],
                    ClaimTest::Contains("auditor".into())
                ),
                rule(&["email"], ClaimTest::Exists(true)),
                rule(&["level"], ClaimTest::OneOf(levels)),
            ],
        }
    );
}

#[test]
fn what_is_not_said_has_the_default() {
    let policy = accepted("version: 1\nrealm: t\nroutes: [{ path: /x, public: true }]\n");
    assert_eq!(policy.issuers, Vec::new());
    assert_eq!(policy.forward, Vec::new());
    assert_eq!(policy.token, TokenForwarding::Keep);
    assert_eq!(policy.preflight, Preflight::Pass);
    assert_eq!(policy.mode, Mode::Enforce);
    assert_eq!(policy.token_cache_bytes, 4 * 1024 * 1024);
    assert_eq!(policy.envoy, EnvoySettings::default());
    let route = policy.routes.all().iter().next().expect("there is a route");
    assert_eq!((route.mode, route.token), (None, None));
    assert_eq!(route.allow_in_path, crate::path::AllowInPath::default());
}

/// YAML 1.1 took these for truth values.
#[test]
fn a_word_is_a_word() {
    let policy = accepted(&route(
        "scopes: [no, on, yes, off, n, '123', \"true\", 1.2.3]",
    ));
    let route = policy.routes.all().iter().next().expect("there is a route");
    let Access::Protected(requirements) = &route.access else {
        panic!("it is protected");
    };
    let words = ["no", "on", "yes", "off", "n", "123", "true", "1.2.3"];
    assert_eq!(
        requirements.scopes,
        ScopeDemand::All(words.map(String::from).to_vec())
    );
}

#[test]
fn json_is_yaml() {
    let policy = accepted(
        r#"{"version": 1, "realm": "a \u0062\/c", "issuers": {"a": {"issuer": "https://a.example/",
            "audiences": ["api"], "jwks_uri": "https://a.example/jwks", "danger_http_jwks": false}},
            "routes": [{"path": "/x", "scopes": {"any": ["a", "b"]},
            "claims": [{"claim": ["a", "b"], "equals": 1.5}, {"claim": "c", "equals": "\ud83d\ude00"}]}]}"#,
    );
    assert_eq!(policy.challenges, Challenges::new("a b/c"));
    assert_eq!(policy.routes.all().iter().count(), 1);
}

#[test]
fn a_byte_order_mark_and_line_ends_of_windows_are_taken() {
    let policy = accepted("\u{feff}---\r\nversion: 1\r\nrealm: two words\r\nroutes: []\r\n");
    assert_eq!(policy.challenges, Challenges::new("two words"));
}

#[test]
fn plain_http_needs_loopback_or_a_word_of_danger() {
    for host in ["localhost", "127.0.0.1", "127.8.8.8:80", "[::1]:8080"] {
        accepted(&issuer_only(&format!(
            "{{ issuer: 'http://{host}/', audiences: [api], jwks_uri: 'http://{host}/jwks' }}"
        )));
    }
    let policy = accepted(&issuer_only(
        "{ issuer: http://a.example/, audiences: [api], jwks_uri: http://a.example/jwks, danger_http_jwks: true }",
    ));
    assert_eq!(
        policy.issuers[0].key_origin,
        KeyOrigin::Address("http://a.example/jwks".into())
    );
}

/// The issuer is a name, compared byte for byte; the key URL is an address, written in its normal form.
#[test]
fn an_issuer_is_kept_as_it_is_written() {
    let policy = accepted(&issuer_only(
        "{ issuer: HTTPS://A.example:443, audiences: [api], jwks_uri: HTTPS://A.example:443/b/../jwks }",
    ));
    assert_eq!(policy.issuers[0].issuer, "HTTPS://A.example:443");
    assert_eq!(
        policy.issuers[0].key_origin,
        KeyOrigin::Address("https://a.example/jwks".into())
    );
}

#[test]
fn one_algorithm_by_two_names_is_one() {
    let policy = accepted(&issuer("algorithms: [EdDSA, ES256, Ed25519]"));
    let expected = [Algorithm::Ed25519, Algorithm::Es256];
    assert_eq!(policy.issuers[0].algorithms, expected);
}

#[test]
fn the_token_cache_can_be_switched_off() {
    for none in ["0", "0MiB", "'0'"] {
        assert_eq!(
            accepted(&top(&format!("token_cache: {none}"))).token_cache_bytes,
            0
        );
    }
    let most = accepted(&top("token_cache: 64MiB"));
    assert_eq!(most.token_cache_bytes, 64 * 1024 * 1024);
}

#[test]
fn two_policies_are_the_same_when_their_texts_are() {
    let one = accepted(EXAMPLE);
    assert_eq!(one.fingerprint, accepted(EXAMPLE).fingerprint);
    assert_ne!(
        one.fingerprint,
        accepted(&format!("{EXAMPLE}\n")).fingerprint
    );
}

#[test]
fn the_same_path_may_be_named_by_method_and_for_any_other() {
    let policy = accepted(&routes(
        "  - { path: /x, public: true }\n  - { path: /x, methods: [GET], public: true }\n  - { path: /x, methods: [get, HEAD], public: true }",
    ));
    assert_eq!(policy.routes.all().iter().count(), 3);
}
