//! Changes that a reviewer would want to see, and `diff` once did not show, or showed in words that say nothing.

#![allow(clippy::unwrap_used, clippy::panic)]

use scopegate::diff::{Allowance, Comparison, Direction, compare};
use scopegate_core::Policy;

fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|invalid| panic!("{text}\n{invalid}"))
}

fn compared(old: &str, new: &str) -> Comparison {
    compare(&policy(old), &policy(new)).unwrap()
}

/// A policy with these issuers, top-level lines and routes.
fn text(issuers: &[(&str, &str)], top: &str, routes: &[&str]) -> String {
    let issuers: Vec<String> = issuers
        .iter()
        .map(|(name, fields)| format!("  {name}: {{ {fields} }}\n"))
        .collect();
    let routes: Vec<String> = routes
        .iter()
        .map(|route| format!("  - {{ {route} }}\n"))
        .collect();
    format!(
        "version: 1\nrealm: t\n{top}issuers:\n{}routes:\n{}",
        issuers.concat(),
        routes.concat()
    )
}

const ONE: (&str, &str) = ("one", "issuer: \"https://one.example/\", audiences: [api]");
/// A policy has a route.
const ROUTES: &str = "routes:\n  - { path: /always, public: true }\n";
const TWO: (&str, &str) = ("two", "issuer: \"https://two.example/\", audiences: [api]");
const ANY: &str = "path: \"/{*rest}\", authenticated: true";

fn opens(old: &str, new: &str) -> Comparison {
    let comparison = compared(old, new);
    assert!(comparison.is_unmeant(&[]), "{comparison:#?}");
    comparison
}

#[test]
fn keys_through_another_cluster_though_the_issuer_has_another_name() {
    let old = text(&[ONE], "envoy: { clusters: { one: good } }\n", &[ANY]);
    let renamed = ("uno", ONE.1);
    let new = text(&[renamed], "envoy: { clusters: { uno: evil } }\n", &[ANY]);
    opens(&old, &new);
    // Two that change their names: each one's keys now come through the other's cluster.
    let clusters = "envoy: { clusters: { one: first, two: second } }\n";
    let old = text(&[ONE, TWO], clusters, &[ANY]);
    let new = text(&[("one", TWO.1), ("two", ONE.1)], clusters, &[ANY]);
    opens(&old, &new);
}

#[test]
fn shadow_mode_for_all_where_every_route_was_watched_already() {
    let watched = "path: \"/{*rest}\", authenticated: true, mode: shadow";
    // `//x` was 400.
    opens(
        &text(&[ONE], "", &[watched]),
        &text(&[ONE], "mode: shadow\n", &[watched]),
    );
    let public = "path: \"/{*rest}\", public: true";
    opens(
        &text(&[], "", &[public]).replace("issuers:\n", ""),
        &text(&[], "mode: shadow\n", &[public]).replace("issuers:\n", ""),
    );
}

#[test]
fn where_everything_passed_a_semicolon_opens_nothing() {
    let public = ["path: \"/{x}\", public: true, allow_in_path: [semicolon]"];
    let (watched, enforced) = (text(&[], "mode: shadow\n", &[]), text(&[], "", &public));
    let [watched, enforced] =
        [watched, enforced].map(|text| text.replace("issuers:\n", "").replace("routes:\n", ROUTES));
    assert!(!compared(&watched, &enforced).is_unmeant(&[]));
    let closed = enforced.replace(", allow_in_path: [semicolon]", "");
    opens(&closed, &enforced);
}

#[test]
fn a_semicolon_that_passed_where_everything_did_and_passes_no_longer_is_told() {
    let watched = "path: \"/{*rest}\", authenticated: true, mode: shadow";
    let (old, new) = (
        text(&[ONE], "mode: shadow\n", &[watched]),
        text(&[ONE], "", &[watched]),
    );
    // `/a;b` is 400 now; `/` is what it was.
    let comparison = compared(&old, &new);
    let [change] = comparison.regions.as_slice() else {
        panic!("{comparison:#?}");
    };
    assert_eq!(change.direction, Direction::Stricter);
    assert!(change.regions.keys().eq(["/{*more}"]), "{change:#?}");
}

#[test]
fn a_method_in_small_letters_takes_the_one_in_capitals_away() {
    let any = "path: /a, public: true";
    let old = text(&[ONE], "", &[any]);
    let comparison = compared(
        &old,
        &text(&[ONE], "", &[any, "path: /a, methods: [get], public: true"]),
    );
    let change = &comparison.regions[0];
    assert_eq!(change.direction, Direction::Stricter);
    assert!(change.regions["/a"].contains("GET"), "{change:#?}");
}

#[test]
fn a_token_that_nobody_checks_is_handed_on() {
    let public = |more: &str| {
        let route = format!("path: \"/{{*rest}}\", public: true{more}");
        text(&[ONE], "", &[&route, "path: /a, authenticated: true"])
    };
    opens(&public(""), &public(", token: keep"));
    assert!(!compared(&public(", token: keep"), &public("")).is_unmeant(&[]));
    // The policy's own word is about tokens that were checked.
    let old = public("").replace("path: /a, authenticated: true", "path: /a, public: true");
    let new = old.replace("realm: t\n", "realm: t\ntoken: strip\n");
    assert!(compared(&old, &new).regions.is_empty());
}

#[test]
fn one_scope_claim_with_a_blank_is_not_two() {
    let with = |claims: &str| {
        let fields = format!("{}, scope_claims: {claims}", ONE.1);
        text(&[("one", &fields)], "", &[ANY])
    };
    opens(&with("[\"scope scp\"]"), &with("[scope, scp]"));
}

#[test]
fn methods_in_any_case() {
    let named = "path: /a, methods: [GET, get, HEAD, head], scopes: [admin]";
    let any = "path: /a, authenticated: true";
    // `Get` was refused, since GET has a route of its own.
    let old = text(&[ONE], "", &[named, any]);
    opens(&old, &text(&[ONE], "", &[any]));
    let allowed = Allowance::parse("GET,get,HEAD,head /a").unwrap();
    assert!(compared(&old, &text(&[ONE], "", &[any])).is_unmeant(&[allowed]));
}

#[test]
fn every_method_is_not_some_of_them() {
    let old = text(&[ONE], "", &["path: /b, public: true"]);
    let new = text(
        &[ONE],
        "",
        &["path: /b, public: true", "path: /a, authenticated: true"],
    );
    let comparison = opens(&old, &new);
    assert!(Allowance::parse("GET,* /a").is_err());
    assert!(comparison.is_unmeant(&[Allowance::parse("GET,POST /a").unwrap()]));
    assert!(!comparison.is_unmeant(&[Allowance::parse("* /a").unwrap()]));
}

#[test]
fn a_new_issuer_is_named() {
    let comparison = opens(&text(&[ONE], "", &[ANY]), &text(&[ONE, TWO], "", &[ANY]));
    let change = &comparison.regions[0];
    assert_eq!(change.direction, Direction::MorePermissive);
    assert!(
        !change.was.contains("two.example") && change.now.contains("https://two.example/ for api"),
        "{change:#?}"
    );
    let wider = (
        "one",
        "issuer: \"https://one.example/\", audiences: [api, other]",
    );
    let comparison = opens(&text(&[ONE], "", &[ANY]), &text(&[wider], "", &[ANY]));
    assert!(
        comparison.regions[0].now.contains("for api or other"),
        "{comparison:#?}"
    );
}

/// Hundreds of methods beside hundreds of parameters: a sentence, and no endless work.
#[test]
fn too_many_questions_are_refused() {
    let methods: Vec<String> = (0..300).map(|number| format!("M{number}")).collect();
    let mut routes = vec![format!(
        "path: /m, methods: [{}], public: true",
        methods.join(", ")
    )];
    for number in 0..60 {
        routes.push(format!("path: \"/{{a}}/r{number}\", public: true"));
        routes.push(format!("path: \"/q{number}/{{b}}\", public: true"));
    }
    let routes: Vec<&str> = routes.iter().map(String::as_str).collect();
    let policy = policy(&text(&[], "", &routes).replace("issuers:\n", ""));
    assert!(compare(&policy, &policy).is_err());
}
