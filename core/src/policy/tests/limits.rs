//! What may just be, and what is just too much.

use super::{Policy, issuer, top};

/// The first of the two texts is a policy, the second is not, and it is told why in these words.
fn check(most: &str, too_much: &str, words: &str) {
    if let Err(invalid) = Policy::parse(most) {
        panic!("{most}\n{invalid}");
    }
    let told = Policy::parse(too_much).unwrap_err().to_string();
    assert!(told.contains(words), "{too_much}\n{told}");
}

fn named(name: &str) -> String {
    let issuer =
        "{ issuer: https://a.example/, audiences: [api], jwks_uri: https://a.example/jwks }";
    top(&format!("issuers: {{ {name}: {issuer} }}"))
}

#[test]
fn names() {
    check(&named(&"n".repeat(64)), &named(&"n".repeat(65)), "name");
    check(&named("a-b_C9"), &named("a.b"), "name");
    check(&named("-"), &named("\"\""), "name");
    let forward = |length: usize| top(&format!("forward: {{ sub: x{} }}", "h".repeat(length - 1)));
    check(&forward(128), &forward(129), "header");
}

#[test]
fn durations() {
    for (field, most, too_much) in [
        ("ttl", "24h", "86401s"),
        ("ttl", "1s", "999ms"),
        ("max_stale", "24h", "86401s"),
        ("cooldown", "1h", "3601s"),
        ("cooldown", "1s", "999ms"),
        ("timeout", "60s", "60001ms"),
        ("timeout", "100ms", "99ms"),
    ] {
        let keys = |value: &str| issuer(&format!("keys: {{ {field}: {value} }}"));
        check(&keys(most), &keys(too_much), too_much);
    }
    let skew = |value: &str| issuer(&format!("clock_skew: {value}"));
    check(&skew("120s"), &skew("120001ms"), "120001ms");
}
