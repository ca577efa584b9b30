use super::*;

const POLICY: &str = "
version: 1
realm: t
issuers:
  a: { issuer: https://a.example/, audiences: [api, other] }
  b: { issuer: https://b.example/, audiences: [api] }
routes:
  - { path: /one, ONE }
  - { path: /two, TWO }
";

/// Whether the route that says `one` is within the one that says `two`.
fn is_within(one: &str, two: &str) -> bool {
    let text = POLICY.replace("ONE", one).replace("TWO", two);
    let policy = Policy::parse(&text).unwrap_or_else(|invalid| panic!("{invalid}"));
    let [first, second] = policy.routes() else {
        panic!("there are two routes")
    };
    Admission::of(&policy, first).is_within(&Admission::of(&policy, second))
}

/// The first is stricter than the second.
fn stricter(one: &str, two: &str) {
    assert!(is_within(one, two), "{one} is within {two}");
    assert!(!is_within(two, one), "{two} is not within {one}");
}

fn incomparable(one: &str, two: &str) {
    assert!(!is_within(one, two), "{one} is not within {two}");
    assert!(!is_within(two, one), "{two} is not within {one}");
}

fn same(one: &str, two: &str) {
    assert!(is_within(one, two), "{one} is within {two}");
    assert!(is_within(two, one), "{two} is within {one}");
}

#[test]
fn ways_to_pass() {
    stricter("authenticated: true", "public: true");
    stricter("scopes: [x]", "authenticated: true");
    same("scopes: [x], mode: shadow", "public: true");
}

#[test]
fn scopes() {
    stricter("scopes: [x, y]", "scopes: [x]");
    stricter("scopes: [x, y]", "scopes: { any: [y, z] }");
    stricter("scopes: { any: [x] }", "scopes: { any: [x, y] }");
    same("scopes: { any: [x] }", "scopes: [x]");
    same("scopes: { any: [x, y] }", "scopes: { any: [y, x] }");
    incomparable("scopes: [x]", "scopes: [y]");
    incomparable("scopes: [x]", "scopes: { any: [y, z] }");
    stricter("scopes: [x, y]", "scopes: { any: [x, y] }");
}

#[test]
fn issuers_and_audiences() {
    let any = "authenticated: true";
    let with = |more: &str| format!("authenticated: true, {more}");
    stricter(&with("issuers: [a]"), any);
    incomparable(&with("issuers: [a]"), &with("issuers: [b]"));
    stricter(&with("audiences: [api]"), any);
    incomparable(&with("audiences: [else]"), any);
    // Of issuer b, `other` is more than the issuer's own.
    stricter(any, &with("audiences: [api, other]"));
    same(&with("issuers: [a, b]"), any);
}

#[test]
fn claim_rules() {
    let with = |rules: &str| format!("authenticated: true, claims: [{rules}]");
    let pairs = [
        ("{ claim: o, equals: 1 }", "{ claim: o, one_of: [1, 2] }"),
        ("{ claim: o, equals: 1 }", "{ claim: o, exists: true }"),
        ("{ claim: o, contains: 1 }", "{ claim: o, exists: true }"),
        (
            "{ claim: o, one_of: [1, 2] }",
            "{ claim: o, one_of: [1, 2, 3] }",
        ),
        ("{ claim: [o, p], equals: x }", "{ claim: o, exists: true }"),
        (
            "{ claim: o, exists: false }",
            "{ claim: [o, p], exists: false }",
        ),
        (
            "{ claim: o, equals: 1 }, { claim: p, equals: 2 }",
            "{ claim: p, equals: 2 }",
        ),
    ];
    for (one, two) in pairs {
        stricter(&with(one), &with(two));
    }
    same(
        &with("{ claim: o, equals: 1.0 }"),
        &with("{ claim: o, one_of: [1] }"),
    );
    for (one, two) in [
        ("{ claim: o, equals: 1 }", "{ claim: o, equals: \"1\" }"),
        ("{ claim: o, equals: 1 }", "{ claim: o, contains: 1 }"),
        ("{ claim: o, exists: true }", "{ claim: o, exists: false }"),
        (
            "{ claim: [o, p], exists: false }",
            "{ claim: o, exists: true }",
        ),
    ] {
        incomparable(&with(one), &with(two));
    }
}
